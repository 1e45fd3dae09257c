"""Rules of a card: which particles, when, and what becomes of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, field_validator

from forefold.detector.angle import Angle
from forefold.detector.conditions import Conditions, Threshold
from forefold.detector.energy import Energy
from forefold.detector.identification import known_particles
from forefold.detector.values import Probability, Strict, Word
from forefold.events import particles as species

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forefold.detector.identification import Identification

__all__ = ["Rule", "candidates_of"]


class Rule(Strict):
    """One row of a card: which particles, when, and what becomes of them."""

    name: Word
    type: Word
    particles: Annotated[tuple[int | str, ...], Field(min_length=1)]
    source: Word
    when: Conditions | None = None
    threshold: Threshold | None = None
    efficiency: Probability = 1.0
    energy: Energy
    angle: Angle

    @field_validator("particles", mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        return known_particles(value)

    def covers(self, pdgid: int) -> bool:
        """Whether the rule names this particle, whatever its conditions."""
        return any(species.is_one(pdgid, word) for word in self.particles)

    def kinetic_range(self, mass: float) -> tuple[float, float]:
        """Kinetic energies, low <= KE < high (GeV), for which the conditions hold at this mass (GeV)."""
        low, high = 0.0, math.inf
        if self.when and self.when.kinetic_energy:
            low, high = self.when.kinetic_energy.low, self.when.kinetic_energy.high
        if self.when and self.when.momentum:
            low = max(low, _kinetic(self.when.momentum.low, mass))
            high = min(high, _kinetic(self.when.momentum.high, mass))
        return low, high


def candidates_of(rule: Rule | Identification) -> Iterator[int]:
    """Particles to try a rule or an identification on: those it lists, or the members of its classes."""
    for word in rule.particles:
        if isinstance(word, int):
            yield word
        elif word in species.CLASSES:
            yield from species.members(word)
        else:
            yield species.pdgid(word)


def _kinetic(momentum: float, mass: float) -> float:
    return momentum if math.isinf(momentum) else math.hypot(momentum, mass) - mass
