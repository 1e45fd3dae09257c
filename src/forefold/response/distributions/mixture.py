"""A weighted sum of families."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.response.distributions.base import Family, arrays

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from forefold.response.distributions.base import Array

__all__ = ["Mixture"]

_HALVINGS = 80  # 1e-24 of the first bracket; it stops before that where two numbers are neighbours


@dataclass(frozen=True, eq=False)
class Mixture(Family):
    """A weighted sum of families about one location.

    Part k has the location ``location + shifts[k] * sigma`` and the width ``widths[k] * sigma``.

    Parameters
    ----------
    parts : sequence of Family
        Distributions that are mixed.
    weights : sequence of array_like
        One a part, not negative; arrays broadcast against the location. They are divided by their sum.
    shifts : sequence of float, optional
        In units of sigma; zeros if not given.
    widths : sequence of float, optional
        In units of sigma; ones if not given.

    Raises
    ------
    ValueError
        If the numbers of parts differ, or a weight is negative or NaN.

    Notes
    -----
    A draw takes one uniform for the part, the first k with u < (w_0 + ... + w_k)/total, and then those of the part.
    The quantile is found by halving, down to neighbouring numbers.

    Examples
    --------
    >>> from forefold.response.distributions import Normal
    >>> tails = Mixture((Normal(), Normal()), weights=(0.9, 0.1), widths=(1.0, 3.0))
    >>> float(tails.std(0.0, 1.0).round(4))
    1.3416
    """

    parts: Sequence[Family]
    weights: Sequence[Any]
    shifts: Sequence[float] | None = None
    widths: Sequence[float] | None = None

    def __post_init__(self) -> None:
        n = len(self.parts)
        object.__setattr__(self, "parts", tuple(self.parts))
        object.__setattr__(self, "shifts", tuple(self.shifts or (0.0,) * n))
        object.__setattr__(self, "widths", tuple(self.widths or (1.0,) * n))
        weights = tuple(np.array(w, dtype=np.float64) for w in self.weights)
        for weight in weights:
            if not np.all(weight >= 0.0):
                message = "a weight is negative or NaN; weights are 0 or more"
                raise ValueError(message)
            weight.flags.writeable = False
        object.__setattr__(self, "weights", weights)
        lengths = {len(v) for v in (self.parts, weights, self.shifts or (), self.widths or ())}
        if lengths != {n} or n == 0:
            message = (
                f"{n} parts, but {len(weights)} weights; as many of each are needed, one or more"
            )
            raise ValueError(message)

    def __str__(self) -> str:
        pieces = zip(self.weights, self.parts, self.shifts or (), self.widths or (), strict=True)
        words = [
            f"{w:g} x {p} (shift {s:g}, width {k:g})"
            if w.ndim == 0
            else f"weights of shape {w.shape} x {p} (shift {s:g}, width {k:g})"
            for w, p, s, k in pieces
        ]
        return "mixture of " + " + ".join(words)

    @property
    def n_uniforms(self) -> int:
        """One for the part, then as many as the neediest part takes."""
        return 1 + max(part.n_uniforms for part in self.parts)

    def _each(self, at: Array, width: Array) -> list[tuple[Family, Array, Array, Array]]:
        """Every part with its share, location and width."""
        total = sum(self.weights[1:], start=self.weights[0])
        settings = zip(self.parts, self.weights, self.shifts or (), self.widths or (), strict=True)
        with np.errstate(invalid="ignore"):
            return [(p, w / total, at + s * width, k * width) for p, w, s, k in settings]

    def _sum(self, value: Callable[..., Array], at: Array, width: Array) -> Array:
        """Sum of a value over the parts; one without weight does not count, even where it is infinite or NaN."""
        total = np.zeros(())
        for part, share, place, spread in self._each(at, width):
            v, w = arrays(value(part, place, spread), share)
            with np.errstate(invalid="ignore"):
                total = total + np.where(w == 0.0, 0.0, w * v)
        return total

    def _pdf(self, x: Array, at: Array, width: Array) -> Array:
        return self._sum(lambda part, *form: part.pdf(x, *form), at, width)

    def _between(self, low: Array, high: Array, at: Array, width: Array) -> Array:
        return self._sum(lambda part, *form: part.between(low, high, *form), at, width)

    def _cdf(self, x: Array, at: Array, width: Array) -> Array:
        return self._sum(lambda part, *form: part.cdf(x, *form), at, width)

    def _mean(self, at: Array, width: Array) -> Array:
        return self._sum(lambda part, *form: part.mean(*form), at, width)

    def _std(self, at: Array, width: Array) -> Array:
        centre = self._mean(at, width)

        def square(part: Family, *form: Array) -> Array:
            return np.square(part.std(*form)) + np.square(part.mean(*form) - centre)

        return np.sqrt(self._sum(square, at, width))

    def _ppf(self, u: Array, at: Array, width: Array) -> Array:
        v, *_ = arrays(u, *self.weights)
        low, high = np.full(v.shape, np.inf), np.full(v.shape, -np.inf)
        for part, share, place, spread in self._each(at, width):
            x = part.ppf(u, place, spread)
            low = np.where(share > 0.0, np.minimum(low, x), low)
            high = np.where(share > 0.0, np.maximum(high, x), high)
        return invert(lambda x: self.cdf(x, at, width), v, low, high)

    def sample(self, u: ArrayLike, location: ArrayLike, sigma: ArrayLike) -> Array:
        """Draws; row 0 of `u` chooses the part, the others are its own."""
        rows = np.asarray(u, dtype=np.float64)
        at, width, first, *_ = arrays(location, sigma, rows[0], *self.weights)
        drawn, chosen = np.full(at.shape, np.nan), np.zeros(at.shape, dtype=bool)
        total = sum(self.weights[1:], start=self.weights[0])
        below = np.zeros(())
        for weight, (part, _, place, spread) in zip(
            self.weights, self._each(at, width), strict=True
        ):
            below = below + weight
            with np.errstate(invalid="ignore"):
                here = ~chosen & (first < below / total)
            rest = rows[1] if part.n_uniforms == 1 else rows[1 : 1 + part.n_uniforms]
            drawn = np.where(here, part.sample(rest, place, spread), drawn)
            chosen |= here
        return drawn


def invert(cdf: Any, u: Array, low: Array, high: Array) -> Array:
    """Smallest x between low and high with cdf(x) >= u, by halving down to neighbouring numbers.

    Parameters
    ----------
    cdf : callable
        Function of an array that rises in each element.
    u, low, high : ndarray
        Of one shape; infinite ends are given back as they are.

    Returns
    -------
    ndarray
        Value at which the cdf reaches `u`.
    """
    closed = np.isfinite(low) & np.isfinite(high)
    a, b = np.where(closed, low, 0.0), np.where(closed, high, 0.0)
    b = np.where(closed & (cdf(a) >= u), a, b)
    for _ in range(_HALVINGS):
        middle = a + 0.5 * (b - a)
        if not np.any((middle > a) & (middle < b)):
            break
        above = cdf(middle) >= u
        a, b = np.where(above, a, middle), np.where(above, middle, b)
    return np.where(closed, b, np.where(u < 0.5, low, high))
