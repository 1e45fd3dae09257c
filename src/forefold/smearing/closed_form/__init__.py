"""A card's distributions in closed form, for given particles: what its draws follow.

`Faces` takes particles that are prepared (`forefold.passage.prepared`) and says how probable it is that each is seen, and where
its energy and its direction are reconstructed. `card_response` makes a `forefold.response.Response` of one kind of particle.
"""

from __future__ import annotations

from forefold.faces.angle import Heading
from forefold.faces.card import CardResponse, card_response
from forefold.faces.energy import EnergyPart
from forefold.faces.identities import Way, ways
from forefold.faces.particles import Faces

__all__ = ["CardResponse", "EnergyPart", "Faces", "Heading", "Way", "card_response", "ways"]
