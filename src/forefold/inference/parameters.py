"""Parameters of an experiment: where they begin, where they may be, and what is known of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.events.particles import near

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Constraint", "Parameter", "check_name", "placed"]


@dataclass(frozen=True)
class Parameter:
    """A number that a prediction depends on.

    Attributes
    ----------
    value : float
        Where fits begin.
    lower, upper : float
        Physical limits.
    constraint : tuple of (float, float), optional
        Mean and standard deviation of what is known of it from elsewhere: a normal measurement.

    Raises
    ------
    ValueError
        A number is not finite, the value is beyond the limits, or a standard deviation is not above 0.

    Examples
    --------
    >>> Parameter(1.0, lower=0.0, constraint=(1.0, 0.1)).constraint
    (1.0, 0.1)
    """

    value: float
    lower: float = -math.inf
    upper: float = math.inf
    constraint: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.lower <= self.value <= self.upper):
            message = f"value = {self.value!r}: a finite number from lower = {self.lower:g} to upper = {self.upper:g}"
            raise ValueError(message)
        if not self.lower < self.upper:
            message = f"lower = {self.lower!r}, upper = {self.upper!r}: lower comes first"
            raise ValueError(message)
        if self.constraint is None:
            return
        mean, sigma = self.constraint
        if not (math.isfinite(mean) and 0.0 < sigma < math.inf):
            message = f"constraint = {self.constraint!r}: (mean, standard deviation), finite and the latter above 0"
            raise ValueError(message)


@dataclass(frozen=True)
class Constraint:
    """Normal measurements of parameters, correlated or not.

    Attributes
    ----------
    places : ndarray of int, shape (k,)
        Of the parameters among all.
    centre : ndarray, shape (..., k)
        What was measured, once or for each of several toys.
    covariance, precision : ndarray, shape (k, k)
    """

    places: NDArray[np.intp]
    centre: Array
    covariance: Array
    precision: Array

    @classmethod
    def of(
        cls, parameters: Sequence[Parameter], pulls: int, correlation: Array | None
    ) -> Constraint:
        """Make it of parameters, the last of which are pulls with a correlation.

        Raises
        ------
        ValueError
            The correlation is singular.
        """
        constrained = [k for k, p in enumerate(parameters) if p.constraint is not None]
        means, sigmas = (
            np.array([p.constraint[i] for p in parameters if p.constraint is not None])
            for i in (0, 1)
        )
        whole = np.eye(len(constrained))
        if correlation is not None and pulls:
            whole[-pulls:, -pulls:] = correlation
        if constrained and np.linalg.eigvalsh(whole)[0] < 1e-9:
            message = "the correlation of the pulls is singular: leave out one of those that say the same, or make it less than 1"
            raise ValueError(message)
        covariance = whole * np.outer(sigmas, sigmas)
        precision = np.asarray(np.linalg.inv(covariance) if constrained else covariance, np.float64)
        return cls(np.array(constrained, dtype=np.intp), means.reshape(-1), covariance, precision)

    @cached_property
    def cells(self) -> tuple[Any, ...]:
        """Where the precision belongs in a matrix of all parameters."""
        return (..., *np.ix_(self.places, self.places))

    def value_and_slope(self, x: Array) -> tuple[Array, Array]:
        """Give half of chi2, shape (...,), and its derivatives with respect to the parameters that are measured, shape (..., k)."""
        off = x[..., self.places] - self.centre
        pulled = off @ self.precision
        return np.asarray(0.5 * (off * pulled).sum(axis=-1)), pulled

    def moved(self, centre: Array) -> Constraint:
        """Give the same with other measurements."""
        return Constraint(self.places, centre, self.covariance, self.precision)

    def drawn(self, centre: Array, generator: np.random.Generator, n: int) -> Array:
        """Draw measurements about a truth, shape (n, k)."""
        if not len(self.places):
            return np.zeros((n, 0))
        root = np.linalg.cholesky(self.covariance)
        return np.asarray(centre + generator.standard_normal((n, len(self.places))) @ root.T)


def check_name(name: str, names: Sequence[str]) -> int:
    """Give the place of a parameter.

    Raises
    ------
    ValueError
        There is none of this name.
    """
    if name not in names:
        message = f"no parameter {name!r}{near(name, list(names))}; there are {', '.join(names)}"
        raise ValueError(message)
    return list(names).index(name)


def placed(values: Mapping[str, float], names: Sequence[str], start: Array) -> Array:
    """Put values in the order of names.

    Raises
    ------
    ValueError
        There is no such parameter, or a value is not finite.
    """
    point = np.array(start, dtype=np.float64)
    for name, value in values.items():
        place = check_name(name, names)
        if not math.isfinite(value):
            message = f"{name} = {value!r}: a finite number is needed"
            raise ValueError(message)
        point[place] = value
    return point
