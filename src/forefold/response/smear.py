"""The responses of one step: a family about a location, and nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.response import distributions as families
from forefold.response.base import Response

if TYPE_CHECKING:
    from forefold.response.base import Array

__all__ = ["Identity", "Smear"]

Law = Callable[[Any], Any] | float
"""A number, or a function of an array of true values."""


def _value(law: Law, true: Array) -> Array:
    values = np.asarray(law(true) if callable(law) else law, dtype=np.float64)
    return np.broadcast_to(values, true.shape)


def _words(law: Law) -> str:
    return f"{getattr(law, '__name__', law)}(true)" if callable(law) else f"{law:g}"


@dataclass(frozen=True, init=False)
class Smear(Response):
    """A family of distributions about a location, with an efficiency.

    Parameters
    ----------
    family : forefold.distributions.Family
        Distribution of what is observed about the true value.
    sigma : callable or float
        Width in the unit of the observed value, as a function of the true one.
    location : callable, optional
        Location as a function of the true value; the true value itself if not given.
    efficiency : callable or float
        Probability to be seen, as a function of the true value.
    breaks : tuple of float
        True values at which a function jumps or has a kink; integrals are split there.

    Raises
    ------
    ValueError
        When used, if an efficiency is outside 0 to 1.

    Notes
    -----
    Nothing is seen where the family has no value (a log-normal about a negative location, a row that a table does not
    have) or the efficiency is NaN. The first uniform decides whether it is seen, the others are the family's.

    Examples
    --------
    >>> from forefold.response.distributions import Normal
    >>> detector = Smear(Normal(), sigma=0.1, efficiency=0.5)
    >>> detector.sample([1.0, 2.0], [[0.2, 0.7], [0.5, 0.5]]).tolist()
    [1.0, nan]
    """

    family: families.Family
    sigma: Law
    location: Callable[[Any], Any] | None
    efficiency_of_true: Law
    breaks: tuple[float, ...]

    def __init__(
        self,
        family: families.Family,
        sigma: Law = 0.0,
        *,
        location: Callable[[Any], Any] | None = None,
        efficiency: Law = 1.0,
        breaks: Sequence[float] = (),
    ) -> None:
        fields: dict[str, Any] = {"family": family, "sigma": sigma, "location": location}
        fields |= {"efficiency_of_true": efficiency, "breaks": tuple(float(b) for b in breaks)}
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_histogram(cls, matrix: Any) -> Smear:
        """Take over a response matrix, flat within its bins.

        Parameters
        ----------
        matrix : UHI histogram
            Axes true and observed, ``R[true, reco]``. Rows sum to the efficiency, without flow; nothing is seen outside.

        Returns
        -------
        Smear
            A response with the rows of the histogram.

        Raises
        ------
        ValueError
            If it has not two axes or a row sums to more than 1.

        Examples
        --------
        >>> import hist
        >>> axes = hist.axis.Regular(2, 0, 2, name="true"), hist.axis.Regular(2, 0, 2, name="reco")
        >>> made = hist.Hist(*axes)
        >>> made.values()[...] = [[0.5, 0.25], [0.0, 1.0]]
        >>> Smear.from_histogram(made).efficiency([0.3, 1.2, 5.0]).tolist()
        [0.75, 1.0, 0.0]
        """
        family = families.Tabulated.from_histogram(matrix)
        if family.rows is None:
            message = "the histogram has one axis; two (true, observed) are needed"
            raise ValueError(message)
        rows, sums = family.rows, np.asarray(matrix.values(), dtype=np.float64).sum(axis=1)
        if np.any(sums > 1.0 + 1e-9):
            message = f"a row sums to {sums.max():g}; a response's rows sum to at most 1"
            raise ValueError(message)
        share = np.append(np.minimum(sums, 1.0), 0.0)

        def row_sums(true: Array) -> Array:
            row = np.searchsorted(rows, true, side="right") - 1
            return share[np.where((row < 0) | (row >= len(sums)), -1, row)]

        return cls(family, efficiency=row_sums, breaks=rows)

    @property
    def n_uniforms(self) -> int:
        """One for the efficiency, then those of the family."""
        return 1 + self.family.n_uniforms

    def _form(self, true: Array) -> tuple[Array, Array]:
        at = true if self.location is None else _value(self.location, true)
        return at, _value(self.sigma, true)

    def _efficiency(self, true: Array) -> Array:
        efficiency = np.nan_to_num(_value(self.efficiency_of_true, true), nan=0.0)
        if efficiency.size and not (efficiency.min() >= 0.0 and efficiency.max() <= 1.0):
            message = (
                f"efficiency from {efficiency.min():g} to {efficiency.max():g}; 0 to 1 is possible"
            )
            raise ValueError(message)
        at, width = self._form(true)
        return np.where(np.isnan(self.family.cdf(at, at, width)), 0.0, efficiency)

    def _between(self, low: Array, high: Array, true: Array) -> Array:
        return self.family.between(low, high, *self._form(true))

    def _cdf(self, observed: Array, true: Array) -> Array:
        return self.family.cdf(observed, *self._form(true))

    def _pdf(self, observed: Array, true: Array) -> Array:
        return self.family.pdf(observed, *self._form(true))

    def _ppf(self, u: Array, true: Array) -> Array:
        return self.family.ppf(u, *self._form(true))

    def _sample(self, true: Array, u: Array) -> Array:
        rows = u[1] if self.family.n_uniforms == 1 else u[1:]
        drawn = self.family.sample(rows, *self._form(true))
        return np.where(u[0] < self.efficiency(true), drawn, np.nan)

    def _breaks(self, reco_edges: Array) -> Array:
        own = np.array(self.breaks, dtype=np.float64)
        plain = self._is_point() and self.location is None
        return np.concatenate([own, reco_edges]) if plain else own

    def _is_point(self) -> bool:
        return isinstance(self.family, families.Identity)

    def __str__(self) -> str:
        place = "the true value" if self.location is None else _words(self.location)
        return (
            f"Response from {self.n_uniforms} uniforms a draw\n"
            f"  seen with efficiency {_words(self.efficiency_of_true)}\n"
            f"  observed as {self.family}\n"
            f"  about {place}\n"
            f"  with sigma = {_words(self.sigma)}"
        )


@dataclass(frozen=True)
class Identity(Response):
    """A detector without error: what is true is observed, and everything is seen.

    Examples
    --------
    >>> Identity().matrix([0.0, 2.0], [0.0, 0.5, 2.0]).values().round(12).tolist()
    [[0.25, 0.75]]
    """

    @property
    def n_uniforms(self) -> int:
        """None: nothing is drawn."""
        return 0

    def _efficiency(self, true: Array) -> Array:
        return np.ones_like(true)

    def _between(self, low: Array, high: Array, true: Array) -> Array:
        return families.Identity().between(low, high, true, 0.0)

    def _cdf(self, observed: Array, true: Array) -> Array:
        return families.Identity().cdf(observed, true, 0.0)

    def _pdf(self, observed: Array, true: Array) -> Array:
        return families.Identity().pdf(observed, true, 0.0)

    def _ppf(self, u: Array, true: Array) -> Array:
        return families.Identity().ppf(u, true, 0.0)

    def _sample(self, true: Array, u: Array) -> Array:
        del u
        return true.copy()

    def _breaks(self, reco_edges: Array) -> Array:
        return reco_edges

    def _is_point(self) -> bool:
        return True

    def __str__(self) -> str:
        return "Response that observes the true value, always"
