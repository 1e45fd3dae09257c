"""When a rule holds, and from where on a particle is seen."""

from __future__ import annotations

import math

from pydantic import model_validator

from forefold.detector.values import Bound, Formula, Strict, Word

__all__ = ["Conditions", "Interval", "RecoThreshold", "Threshold"]


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
