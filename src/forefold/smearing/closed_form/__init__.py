"""A card's distributions in closed form, for given particles: what its draws follow.

`Faces` takes particles that are prepared (`forefold.smearing.engine.prepared`) and says how probable it is that each is seen, and where
its energy and its direction are reconstructed. `card_response` makes a `forefold.response.Response` of one kind of particle.
"""

from __future__ import annotations

from forefold.smearing.closed_form.angle import Heading
from forefold.smearing.closed_form.card_response import CardResponse, card_response
from forefold.smearing.closed_form.energy import EnergyPart
from forefold.smearing.closed_form.identification import Way, ways
from forefold.smearing.closed_form.probability import Faces

__all__ = ["CardResponse", "EnergyPart", "Faces", "Heading", "Way", "card_response", "ways"]
