"""Rules of a card: which particles, when they hold, from where on a particle is seen, and what becomes of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, field_validator, model_validator

from forefold.detector.angle import Angle
from forefold.detector.energy import Energy
from forefold.detector.identification import known_particles
from forefold.detector.values import Bound, Formula, Probability, Strict, Word
from forefold.events import particles as species

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forefold.detector.identification import Identification

__all__ = [
    "Conditions",
    "Interval",
    "RecoThreshold",
    "Rule",
    "Threshold",
    "candidates_of",
    "kinetic_of",
]


class Interval(Strict):
    """Bounds of a quantity in GeV (momentum: GeV/c): ``ge`` or ``gt`` below, ``lt`` or ``le`` above."""

    ge: Bound | None = None
    gt: Bound | None = None
    lt: Bound | None = None
    le: Bound | None = None

    @model_validator(mode="after")
    def _one_bound_a_side(self) -> Interval:
        if self.ge is not None and self.gt is not None:
            message = "give ge or gt, not both"
            raise ValueError(message)
        if self.lt is not None and self.le is not None:
            message = "give lt or le, not both"
            raise ValueError(message)
        if self == Interval.model_construct():
            message = "give a bound: ge, gt, lt or le"
            raise ValueError(message)
        if not self.low < self.high:
            message = f"holds for no value: {self}"
            raise ValueError(message)
        return self

    @property
    def low(self) -> float:
        """Smallest value inside."""
        if self.gt is not None:
            return math.nextafter(self.gt, math.inf)
        return 0.0 if self.ge is None else self.ge

    @property
    def high(self) -> float:
        """Smallest value above the interval; infinity if it is open."""
        if self.le is not None:
            return math.nextafter(self.le, math.inf)
        return math.inf if self.lt is None else self.lt

    def __str__(self) -> str:
        """Bounds as in a formula."""
        signs = {"ge": ">=", "gt": ">", "lt": "<", "le": "<="}
        bounds = ((sign, getattr(self, key)) for key, sign in signs.items())
        return " and ".join(f"{sign} {value:g}" for sign, value in bounds if value is not None)


class Conditions(Strict):
    """When a rule holds, by quantities of the particle as it is identified; all that are given must hold."""

    kinetic_energy: Interval | None = None
    momentum: Interval | None = None
    formula: Formula | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Conditions:
        if self.kinetic_energy is None and self.momentum is None and self.formula is None:
            message = "give kinetic_energy, momentum or formula"
            raise ValueError(message)
        return self

    def __str__(self) -> str:
        """Conditions as in a formula."""
        parts = (("KE", self.kinetic_energy), ("p", self.momentum))
        words = [f"{symbol} {interval}" for symbol, interval in parts if interval]
        return " and ".join([*words, *([self.formula] if self.formula else [])])


class RecoThreshold(Strict):
    """What is reconstructed below these is lost: kinetic energy (GeV), momentum (GeV/c)."""

    kinetic_energy: Interval | None = None
    momentum: Interval | None = None

    @model_validator(mode="after")
    def _from_below(self) -> RecoThreshold:
        given = [bound for bound in (self.kinetic_energy, self.momentum) if bound is not None]
        if not given:
            message = "give kinetic_energy or momentum"
            raise ValueError(message)
        if any(bound.high != math.inf for bound in given):
            message = "a threshold has a lower bound only: ge or gt"
            raise ValueError(message)
        return self

    def __str__(self) -> str:
        """Bounds as in a formula."""
        parts = (("KE_reco", self.kinetic_energy), ("p_reco", self.momentum))
        return " and ".join(f"{symbol} {interval}" for symbol, interval in parts if interval)


class Threshold(Strict):
    """What a particle needs to be seen: on true quantities, on reconstructed ones, or both."""

    kinetic_energy: Interval | None = None
    momentum: Interval | None = None
    formula: Formula | None = None
    reco: RecoThreshold | None = None
    source: Word | None = None

    @model_validator(mode="after")
    def _from_below(self) -> Threshold:
        if all(x is None for x in (self.kinetic_energy, self.momentum, self.formula, self.reco)):
            message = "give kinetic_energy, momentum, formula or reco"
            raise ValueError(message)
        given = [bound for bound in (self.kinetic_energy, self.momentum) if bound is not None]
        if any(bound.high != math.inf for bound in given):
            message = "a threshold has a lower bound only: ge or gt"
            raise ValueError(message)
        return self

    def __str__(self) -> str:
        """Bounds as in a formula."""
        parts = (("KE", self.kinetic_energy), ("p", self.momentum))
        words = [f"{symbol} {interval}" for symbol, interval in parts if interval]
        words += [self.formula] if self.formula else []
        words += [str(self.reco)] if self.reco else []
        return " and ".join(words)


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
            low = max(low, kinetic_of(self.when.momentum.low, mass))
            high = min(high, kinetic_of(self.when.momentum.high, mass))
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


def kinetic_of(momentum: float, mass: float) -> float:
    """Kinetic energy at a momentum, GeV."""
    return momentum if math.isinf(momentum) else math.hypot(momentum, mass) - mass
