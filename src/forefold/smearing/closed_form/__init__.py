"""A card's distributions in closed form, for given particles: what its draws follow.

`ParticleResponse` gives the efficiency of particles that are prepared (`forefold.smearing.engine.prepared`), and the densities of their reconstructed
energy and direction. `card_response` makes a `forefold.response.Response` of one kind of particle.
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
