"""The families with a density in closed form."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from forefold.kernels import densities as standard
from forefold.kernels.distributions import (
    CRYSTAL_BALL,
    EXPONENTIAL,
    NORMAL,
    SQRT3,
    TRUNCATED,
    UNIFORM,
    standard_quantiles,
)
from forefold.response.distributions.base import Family, apply
from forefold.response.distributions.moments import crystal_ball_moments, truncated_normal_moments

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from forefold.response.distributions.base import Array

__all__ = ["CrystalBall", "Exponential", "LogNormal", "Normal", "TruncatedNormal", "Uniform"]

Shape = tuple["ArrayLike", "ArrayLike", "ArrayLike", "ArrayLike"]


class LocationScale(Family):
    """x = location + sigma q(u), with q of one of the kernels' standard forms."""

    _code: ClassVar[int]

    def _shape(self, location: Array, sigma: Array) -> Shape:
        """Parameters a, b, c, d of the standard form."""
        del location, sigma
        return 0.0, 0.0, 0.0, 0.0

    @abstractmethod
    def _ends(self) -> tuple[float, float]:
        """Give the support: in units of sigma from the location."""

    def _pdf(self, x: Array, at: Array, width: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            t, shape = (x - at) / width, self._shape(at, width)
            density = apply(standard.fill_pdf, t, *shape, head=(self._code,)) / width
        return _by_width(width, density, np.where(x == self._limit(at), np.inf, 0.0))

    def _between(self, low: Array, high: Array, at: Array, width: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            ends, shape = ((low - at) / width, (high - at) / width), self._shape(at, width)
            probability = apply(standard.fill_between, *ends, *shape, head=(self._code,))
        return _by_width(width, probability, _point(low, high, self._limit(at)))

    def _ppf(self, u: Array, at: Array, width: Array) -> Array:
        first, last = self._ends()
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = np.where((u > 0.0) & (u < 1.0), u, 0.5)
            q = apply(standard_quantiles, inside, *self._shape(at, width), head=(self._code,))
            q = np.where(u == 0.0, first, np.where(u == 1.0, last, q))
            q = np.where((u >= 0.0) & (u <= 1.0), q, np.nan)
            quantile = at + width * q
        return _by_width(width, quantile, np.where(np.isnan(u), np.nan, self._limit(at)))

    def _mean(self, at: Array, width: Array) -> Array:
        return _by_width(width, at + width * self._moments(at, width)[0], self._limit(at))

    def _std(self, at: Array, width: Array) -> Array:
        return _by_width(width, width * self._moments(at, width)[1], np.zeros_like(at))

    def _moments(self, location: Array, sigma: Array) -> tuple[float | Array, float | Array]:
        """Mean and standard deviation of the standard form."""
        del location, sigma
        return 0.0, 1.0


def _point(low: Array, high: Array, at: Array) -> Array:
    """Probability of a point within [low, high)."""
    return np.where(np.isnan(at), np.nan, np.where((low <= at) & (at < high), 1.0, 0.0))


def _by_width(sigma: Array, value: ArrayLike, point: ArrayLike) -> Array:
    """Choose the point where sigma is zero, NaN where it is negative."""
    return np.where(sigma > 0.0, value, np.where(sigma == 0.0, point, np.nan))


@dataclass(frozen=True)
class Normal(LocationScale):
    """Normal distribution of mean `location` and standard deviation `sigma`.

    Examples
    --------
    >>> float(Normal().cdf(1.0, 0.0, 1.0).round(6))
    0.841345
    """

    _code = NORMAL

    def _ends(self) -> tuple[float, float]:
        return -np.inf, np.inf


@dataclass(frozen=True)
class TruncatedNormal(LocationScale):
    """Normal distribution that is cut off outside of `low` to `high`; location and sigma are those before the cut.

    Parameters
    ----------
    low, high : float
        Bounds, in the unit of x; either may be infinite. Arrays broadcast against the location; where low is not below high
        everything is NaN.

    Raises
    ------
    ValueError
        If low is not below high.

    Examples
    --------
    >>> float(TruncatedNormal().mean(1.0, 0.5).round(4))
    1.0276
    """

    low: float = 0.0
    high: float = np.inf

    _code = TRUNCATED

    def __post_init__(self) -> None:
        if not np.any(np.less(self.low, self.high)):
            message = f"low = {self.low} must be below high = {self.high}"
            raise ValueError(message)

    def _shape(self, location: Array, sigma: Array) -> Shape:
        return (self.low - location) / sigma, (self.high - location) / sigma, 0.0, 0.0

    def _ends(self) -> tuple[float, float]:
        return -np.inf, np.inf

    def _limit(self, at: Array) -> Array:
        return np.clip(at, self.low, self.high)

    def _ppf(self, u: Array, at: Array, width: Array) -> Array:
        # location + sigma q may round to beside a bound
        return np.clip(LocationScale._ppf(self, u, at, width), self.low, self.high)

    def _moments(self, location: Array, sigma: Array) -> tuple[float | Array, float | Array]:
        with np.errstate(divide="ignore", invalid="ignore"):
            a, b, _, _ = self._shape(location, sigma)
            return truncated_normal_moments(np.asarray(a), np.asarray(b))


@dataclass(frozen=True)
class CrystalBall(LocationScale):
    """Normal core with a power-law tail on either side; location and sigma are those of the core.

    Parameters
    ----------
    alpha_low, alpha_high : float
        Where the tails begin, in units of sigma from the location; positive, infinite for no tail.
    n_low, n_high : float
        Powers of the tails; above 1. The mean needs more than 2, the standard deviation more than 3. All four may be arrays
        that broadcast against the location.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    References
    ----------
    M. Oreglia, SLAC-R-236 (1980), appendix D; J. Gaiser, SLAC-R-255 (1982), appendix F.

    Examples
    --------
    >>> float(CrystalBall(alpha_low=1.0, n_low=5.0).mean(0.0, 1.0).round(4))
    -0.4936
    """

    alpha_low: float = np.inf
    n_low: float = 2.0
    alpha_high: float = np.inf
    n_high: float = 2.0

    _code = CRYSTAL_BALL

    def __post_init__(self) -> None:
        for name, value, least in (
            ("alpha_low", self.alpha_low, 0.0),
            ("n_low", self.n_low, 1.0),
            ("alpha_high", self.alpha_high, 0.0),
            ("n_high", self.n_high, 1.0),
        ):
            finite = np.all(np.isfinite(value)) if name.startswith("n") else True
            if not (np.all(np.greater(value, least)) and finite):
                message = f"{name} = {value} must be above {least:g}"
                raise ValueError(message)

    def _shape(self, location: Array, sigma: Array) -> Shape:
        del location, sigma
        return self.alpha_low, self.n_low, self.alpha_high, self.n_high

    def _ends(self) -> tuple[float, float]:
        return -np.inf, np.inf

    def _moments(self, location: Array, sigma: Array) -> tuple[float | Array, float | Array]:
        del location, sigma
        shape = self.alpha_low, self.n_low, self.alpha_high, self.n_high
        if all(np.ndim(value) == 0 for value in shape):
            return crystal_ball_moments(*map(float, shape))
        mean, std = np.vectorize(crystal_ball_moments, otypes=[float, float])(*shape)
        return mean, std


@dataclass(frozen=True)
class Exponential(LocationScale):
    """Exponential tail of mean length `sigma` that begins at `location`.

    Parameters
    ----------
    direction : int
        +1: the tail goes up; -1: down.

    Raises
    ------
    ValueError
        If the direction is neither.

    Examples
    --------
    >>> float(Exponential(-1).mean(10.0, 2.0))
    8.0
    """

    direction: int = 1

    _code = EXPONENTIAL

    def __post_init__(self) -> None:
        if self.direction not in {1, -1}:
            message = f"direction is {self.direction}; +1 and -1 are possible"
            raise ValueError(message)

    def _shape(self, location: Array, sigma: Array) -> Shape:
        del location, sigma
        return float(self.direction), 0.0, 0.0, 0.0

    def _ends(self) -> tuple[float, float]:
        return (0.0, np.inf) if self.direction > 0 else (-np.inf, 0.0)

    def _moments(self, location: Array, sigma: Array) -> tuple[float | Array, float | Array]:
        del location, sigma
        return float(self.direction), 1.0


@dataclass(frozen=True)
class Uniform(LocationScale):
    """Uniform distribution of mean `location` and standard deviation `sigma`: sqrt(12) sigma wide.

    Examples
    --------
    >>> Uniform().ppf([0.0, 1.0], 5.0, 1.0).round(4).tolist()
    [3.2679, 6.7321]
    """

    _code = UNIFORM

    def _ends(self) -> tuple[float, float]:
        return -SQRT3, SQRT3


@dataclass(frozen=True)
class LogNormal(Family):
    """Log-normal distribution of mean `location` and standard deviation `sigma`: its mean is not shifted.

    With v = (sigma/location)^2 the logarithm has mean log(location) - log(1 + v)/2 and variance log(1 + v).
    The location must be positive; elsewhere everything is NaN.

    References
    ----------
    I. Vohra, arXiv:2209.05260, section on the energy smearing distribution.

    Examples
    --------
    >>> float(LogNormal().ppf(0.5, 1.0, 0.5).round(6))
    0.894427
    """

    def _score(self, x: Array, at: Array, width: Array) -> Array:
        """Give the standard normal variable that belongs to x."""
        with np.errstate(divide="ignore", invalid="ignore"):
            s2 = np.log1p(np.square(width / at))
            z = (np.log(np.maximum(x, 0.0) / at) + 0.5 * s2) / np.sqrt(s2)
        return np.where(at > 0.0, z, np.nan)

    def _pdf(self, x: Array, at: Array, width: Array) -> Array:
        z = self._score(x, at, width)
        height = Normal().pdf(z, 0.0, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            density = height / (x * np.sqrt(np.log1p(np.square(width / at))))
        density = np.where(np.isnan(z) | (x > 0.0), density, 0.0)
        return _by_width(width, density, np.where(x == at, np.inf, 0.0))

    def _between(self, low: Array, high: Array, at: Array, width: Array) -> Array:
        ends = self._score(low, at, width), self._score(high, at, width)
        probability = apply(standard.fill_between, *ends, 0.0, 0.0, 0.0, 0.0, head=(NORMAL,))
        return _by_width(width, probability, _point(low, high, at))

    def _ppf(self, u: Array, at: Array, width: Array) -> Array:
        inside = np.where((u > 0.0) & (u < 1.0), u, 0.5)
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = width / at
            x = apply(standard.fill_log_normal, at, relative * relative, inside)
        x = np.where(u == 0.0, 0.0, np.where(u == 1.0, np.inf, x))
        x = np.where((u >= 0.0) & (u <= 1.0) & (at > 0.0), x, np.nan)
        return _by_width(width, x, np.where(np.isnan(x), np.nan, at))

    def _mean(self, at: Array, width: Array) -> Array:
        return np.where((at > 0.0) & (width >= 0.0), at, np.nan)

    def _std(self, at: Array, width: Array) -> Array:
        return np.where((at > 0.0) & (width >= 0.0), width, np.nan)
