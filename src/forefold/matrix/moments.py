"""Counts, moments and quantiles that can be merged: what makes a summary additive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Moments", "RatioQuantiles"]

_LIMIT = 8.0
_BINS = 8001
_EDGES = np.linspace(-_LIMIT, _LIMIT, _BINS + 1)


@dataclass(frozen=True, slots=True)
class Moments:
    """Number, mean and sum of squared deviations; ``+`` merges two samples (Chan, Golub and LeVeque 1979).

    Unlike sums of x and x**2 this loses no digits when the mean is large against the width.

    Examples
    --------
    >>> both = Moments.of(np.array([1.0, 2.0])) + Moments.of(np.array([3.0]))
    >>> both.count, both.mean, both.std
    (3, 2.0, 1.0)
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Moments:
        """Moments of a sample."""
        if not len(values):
            return cls()
        mean = float(np.mean(values))
        return cls(len(values), mean, float(np.sum((values - mean) ** 2)))

    def __add__(self, other: Moments) -> Moments:
        count = self.count + other.count
        if not count:
            return Moments()
        step = other.mean - self.mean
        return Moments(
            count,
            self.mean + step * other.count / count,
            self.squares + other.squares + step * step * self.count * other.count / count,
        )

    @property
    def std(self) -> float:
        """Standard deviation of the sample with n - 1; nan for fewer than two values."""
        return float(np.sqrt(self.squares / (self.count - 1))) if self.count > 1 else float("nan")


@dataclass(frozen=True, slots=True)
class RatioQuantiles:
    """Quantiles of a positive ratio from a fixed, fine histogram of its logarithm; ``+`` merges.

    The bins are 0.2 % wide, so a quantile is good to 0.1 % of the ratio; a sample of equal values of 1 has
    median 1. Ratios below exp(-8) or above exp(8) count at that limit.
    """

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_BINS, dtype=np.int64))

    @classmethod
    def of(cls, ratios: NDArray[np.float64]) -> RatioQuantiles:
        """Histogram of a sample of ratios >= 0."""
        lowest = np.exp(-_LIMIT)
        logs = np.log(np.clip(ratios, lowest, 1.0 / lowest))
        bins = np.floor((logs + _LIMIT) * (_BINS / (2.0 * _LIMIT))).astype(np.int64)
        return cls(np.bincount(np.clip(bins, 0, _BINS - 1), minlength=_BINS))

    def __add__(self, other: RatioQuantiles) -> RatioQuantiles:
        return RatioQuantiles(self.counts + other.counts)

    def __call__(self, probability: float) -> float:
        """Ratio below which the given part of the sample lies; nan for an empty sample."""
        cumulative = np.cumsum(self.counts)
        total = int(cumulative[-1])
        if not total:
            return float("nan")
        wanted = probability * total
        index = int(np.searchsorted(cumulative, wanted, side="left"))
        before = int(cumulative[index - 1]) if index else 0
        part = (wanted - before) / int(self.counts[index])
        return float(np.exp(_EDGES[index] + part * (_EDGES[index + 1] - _EDGES[index])))
