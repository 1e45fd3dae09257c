"""A card's distributions in closed form, for given particles: what its draws follow.

`ParticleResponse` takes particles that are prepared (`forefold.smearing.engine.prepared`) and says how probable it is that each is seen, and where
its energy and its direction are reconstructed. `card_response` makes a `forefold.response.Response` of one kind of particle.
"""

from __future__ import annotations

from forefold.smearing.closed_form.card_response import CardResponse, card_response
from forefold.smearing.closed_form.direction import DirectionDistribution
from forefold.smearing.closed_form.energy import EnergyPart
from forefold.smearing.closed_form.identification import Hypothesis, particle_hypotheses
from forefold.smearing.closed_form.particle_response import ParticleResponse

__all__ = [
    "CardResponse",
    "DirectionDistribution",
    "EnergyPart",
    "Hypothesis",
    "ParticleResponse",
    "card_response",
    "particle_hypotheses",
]
