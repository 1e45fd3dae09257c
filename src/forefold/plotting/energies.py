"""Energies that a picture of a card is about: where thresholds are, and where the resolution changes."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from forefold.detector.formulas import formulas_of_rule
from forefold.detector.rule import candidates_of
from forefold.events import particles as species

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from forefold.detector import Card, Rule

    Array = NDArray[np.float64]

__all__ = ["WIDEST", "checked", "energies_of_card"]

WIDEST = (1e-4, 100.0)
"""GeV: where a resolution is looked at to find where it changes."""

_LOW, _HIGH = 0.01, 20.0  # GeV, where nothing says more
_LEAST, _MOST = 1e-6, 1e4
_BESIDE = 3.0
_WORSE, _FALLING, _REACHED = 5.0, 3.0, 1.1  # times the width at the highest energy


def checked(energy: Iterable[float]) -> tuple[float, float]:
    """Give a range of energies that a user asked for.

    Raises
    ------
    ValueError
        Not two numbers above 0, the second one larger.
    """
    found = tuple(float(value) for value in energy)
    if len(found) == 2 and 0.0 < found[0] < found[1] < math.inf:
        return found[0], found[1]
    said = " ".join(f"{value:g}" for value in found) or "nothing"
    message = f"energy: two energies in GeV above 0, the lower one first, are needed; found {said}"
    raise ValueError(message)


def energies_of_card(card: Card, widths: Iterable[tuple[Array, Array]]) -> tuple[float, float]:
    """Range of energies (GeV) in which something happens.

    Parameters
    ----------
    card : Card
    widths : iterable of (energy, width)
        Of each row of the picture: relative widths at energies of `WIDEST`, NaN where nothing is seen.

    Returns
    -------
    float, float
        Down to a third of the lowest threshold or condition, or to where a resolution is five times that of high energies; up
        to 20 GeV, or to where every resolution has come within 10 % of that of high energies.
    """
    said = [value for rule in card.rules for value in _said(card, rule)]
    falls = [_fall(*row) for row in widths if np.isfinite(row[1]).any()]
    lows = [value / _BESIDE for value in said] + [fall[0] for fall in falls if fall]
    low = max(min([_LOW, *lows]), _LEAST)
    high = _HIGH
    if falls and all(falls):
        reached = max(fall[1] for fall in falls if fall)
        high = min(_HIGH, max([reached, *(value * _BESIDE for value in said)]))
    migrations = [_axis(card, rule) for rule in card.rules]
    if migrations and all(axis is not None for axis in migrations[: max(len(migrations) - 1, 1)]):
        ends = [end for axis in migrations if axis is not None for end in axis]
        low, high = max(min(ends), low), max(ends)
    return low, max(high, _BESIDE * low)


def _said(card: Card, rule: Rule) -> Iterator[float]:
    """Kinetic energies (GeV) of thresholds, conditions and tables of a rule."""
    mass = species.mass(next(iter(candidates_of(rule)), 0))
    blocks = [rule.when, rule.threshold, rule.threshold.reco if rule.threshold else None]
    for block in blocks:
        if block is None:
            continue
        for interval, momentum in ((block.kinetic_energy, False), (block.momentum, True)):
            for value in (interval.low, interval.high) if interval is not None else ():
                kinetic = math.hypot(value, mass) - mass if momentum else value
                if _LEAST < kinetic < _MOST:
                    yield kinetic
    for formula in formulas_of_rule("", rule):
        for table, values in card.tables.items():
            if re.search(rf"\b{table}\(\s*(E|KE|p)\b", formula.text):
                yield from (edge for edge in values.axes[0][1:-1] if _LEAST < edge < _MOST)


def _fall(energy: Array, width: Array) -> tuple[float, float] | None:
    """Where a width leaves five times its last value, and where it comes to it; None if it does not fall to a limit."""
    known = np.isfinite(width)
    last = width[known][-1]
    if not last > 0.0 or not width[known].max() > _FALLING * last:
        return None
    near = np.flatnonzero(known & (width > _REACHED * last))
    wide = np.flatnonzero(known & (width > _WORSE * last))
    return float(energy[wide[-1] if wide.size else near[0]]), float(energy[near[-1]])


def _axis(card: Card, rule: Rule) -> tuple[float, float] | None:
    """Give the ends (GeV) of the true axis of a migration matrix, if a rule draws from one only."""
    tables = [part.table for part in rule.energy.components()]
    if not tables or any(name is None for name in tables):
        return None
    axes = [card.tables[str(name)].axes[0] for name in tables]
    inner = [edge for axis in axes for edge in axis if _LEAST < edge < _MOST]
    return (min(inner), max(inner)) if len(inner) > 1 else None
