"""Which values a number of a card may have where a formula gives it."""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["Allowed", "allowed"]


class Allowed(NamedTuple):
    """A range of values.

    Attributes
    ----------
    low, high : float
    above : bool
        `low` itself is not allowed.
    """

    low: float
    high: float
    above: bool = False

    def holds(self, value: float) -> bool:
        """Whether a value is in the range, and finite."""
        enough = value > self.low if self.above else value >= self.low
        return math.isfinite(value) and enough and value <= self.high

    def __str__(self) -> str:
        text = f"{'above' if self.above else 'from'} {self.low:g}"
        return text + (f" to {self.high:g}" if math.isfinite(self.high) else "") + ", finite"


_PROBABILITY = Allowed(0.0, 1.0)
_POSITIVE = Allowed(0.0, math.inf, above=True)
_ABOVE_ONE = Allowed(1.0, math.inf, above=True)
_ANY = Allowed(-math.inf, math.inf)
_WIDTH = Allowed(0.0, math.inf)
_RANGES = {
    "weight": _PROBABILITY,
    "efficiency": _PROBABILITY,
    "probability": _PROBABILITY,
    "scale": _POSITIVE,
    "alpha_low": _POSITIVE,
    "alpha_high": _POSITIVE,
    "n_low": _ABOVE_ONE,
    "n_high": _ABOVE_ONE,
    "offset": _ANY,
    "sigma_cos_theta": Allowed(0.0, 1000.0),
    "low": _ANY,
    "high": _ANY,
}


def allowed(key: str) -> Allowed:
    """Give the range of a key of a card.

    Parameters
    ----------
    key : str
        The last word of its place, such as ``efficiency``; widths have no names of their own here.

    Returns
    -------
    Allowed

    Examples
    --------
    >>> allowed("efficiency").holds(1.5), allowed("scale").holds(0.0), str(allowed("scale"))
    (False, False, 'above 0, finite')
    """
    return _RANGES.get(key, _WIDTH)
