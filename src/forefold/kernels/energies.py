"""The draw of an energy: which quantity, how wide, from which distribution, and back to a total energy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels.distributions import tabulated_quantile
from forefold.kernels.jit import jit
from forefold.kernels.layout import COMPONENT_COLUMNS, Histograms

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "chosen_component",
    "drawn_energy",
    "from_histogram",
    "located",
    "parameter",
    "reconstructed_energy",
    "variance_of",
]

(_WEIGHT, _OF, _DISTRIBUTION, _CONSTANT, _STOCHASTIC, _NOISE, _LINEAR) = range(7)
(_RESOLUTION, _SIGMA, _SCALE, _OFFSET, _CLAMP, _A, _B, _C, _D, _TABLE) = range(7, 17)
assert len(COMPONENT_COLUMNS) == 17

_LOG_NORMAL, _NORMAL, _NONE, _TRUNCATED, _CRYSTAL_BALL, _EXPONENTIAL, _UNIFORM, _TABULATED = range(
    8
)
_TOTAL, _KINETIC, _VISIBLE, _MOMENTUM, _INVERSE = range(5)


@jit
def parameter(
    numbers: NDArray[np.float64],
    links: NDArray[np.int64],
    row: int,
    column: int,
    dynamic: NDArray[np.float64],
    i: int,
) -> float:
    """Give the number of a rule or component, or particle `i`'s own where it is linked to a row of `dynamic`."""
    link = links[row, column]
    if link < 0:
        return numbers[row, column]
    return dynamic[link, i]


@jit
def drawn_energy(energy: float, variance: float, distribution: float, u: float) -> float:
    """Energy (GeV) drawn around `energy` with a relative `variance`: log-normal of that mean, or normal.

    Notes
    -----
    With v = R^2 and s^2 = log(1 + v), the log-normal of mean E and variance v E^2 is
    E exp(s z - s^2/2), z standard normal (arXiv:2209.05260, section 3).
    """
    if distribution == _NONE:
        return energy
    z = fm.normal_quantile(u)
    if distribution == _NORMAL:
        return energy * (1.0 + np.sqrt(variance) * z)
    s2 = fm.logarithm1p(variance)
    return energy * fm.exponential(np.sqrt(s2) * z - 0.5 * s2)


@jit
def variance_of(
    numbers: NDArray[np.float64],
    links: NDArray[np.int64],
    k: int,
    dynamic: NDArray[np.float64],
    i: int,
    location: float,
    argument: float,
) -> float:
    """Relative variance: (sigma/location)^2, resolution^2, or the law's at `argument`."""
    sigma = parameter(numbers, links, k, _SIGMA, dynamic, i)
    if sigma >= 0.0:
        r = sigma / location
        return r * r
    r = parameter(numbers, links, k, _RESOLUTION, dynamic, i)
    if r >= 0.0:
        return r * r
    a = parameter(numbers, links, k, _CONSTANT, dynamic, i)
    b = parameter(numbers, links, k, _STOCHASTIC, dynamic, i)
    c = parameter(numbers, links, k, _NOISE, dynamic, i)
    if numbers[k, _LINEAR] == 1.0:
        r = a + b / np.sqrt(argument) + c / argument
        return r * r
    c /= argument
    return a * a + b * b / argument + c * c


@jit
def from_histogram(histograms: Histograms, table: int, location: float, u: float) -> float:
    """Draw from the row of a migration matrix in which `location` is; NaN if it is in none, or in an empty one."""
    first, bins, edges, cumulative = histograms
    true, reco, start, rows = first[table, 0], first[table, 1], first[table, 2], first[table, 3]
    if not edges[true] <= location <= edges[true + rows]:
        return np.nan
    row = np.searchsorted(edges[true : true + rows + 1], location, "right") - 1
    row = min(row, rows - 1)
    n = bins[table]
    begin = start + row * (n + 1)
    if not cumulative[begin + n] > 0.0:
        return np.nan
    row_of_sums = cumulative[begin : begin + n + 1].reshape((1, n + 1))
    return tabulated_quantile(edges[reco : reco + n + 1], row_of_sums, 0, u)


@jit
def located(
    of: float, energy: float, kinetic: float, p: float, nucleon: bool
) -> tuple[float, float]:
    """Smeared quantity, and the argument of its resolution law; GeV, 1/GeV for an inverse momentum."""
    if of == _KINETIC or (of == _VISIBLE and nucleon):
        return kinetic, kinetic
    if of == _INVERSE:
        return (1.0 / p if p > 0.0 else 0.0), p
    if of == _MOMENTUM:
        return p, p
    return energy, energy


@jit
def reconstructed_energy(
    numbers: NDArray[np.float64],
    links: NDArray[np.int64],
    k: int,
    dynamic: NDArray[np.float64],
    i: int,
    drawn: float,
    mass: float,
    nucleon: bool,
) -> float:
    """Total energy (GeV) from what component `k` drew; NaN if it drew nothing."""
    of = numbers[k, _OF]
    if of == _INVERSE and drawn != 0.0:
        drawn = abs(1.0 / drawn)
    drawn *= parameter(numbers, links, k, _SCALE, dynamic, i)
    offset = parameter(numbers, links, k, _OFFSET, dynamic, i)
    if offset != 0.0:
        drawn += offset
    if of == _KINETIC or (of == _VISIBLE and nucleon):
        drawn += mass
    elif of >= _MOMENTUM:
        # a negative momentum is as far below rest as a positive one is above
        beyond = drawn < 0.0
        drawn = np.sqrt(drawn * drawn + mass * mass)
        if beyond:
            drawn = 2.0 * mass - drawn
    if drawn < mass and numbers[k, _CLAMP] == 1.0:
        drawn = mass
    return drawn


@jit
def chosen_component(
    numbers: NDArray[np.float64],
    links: NDArray[np.int64],
    first: int,
    last: int,
    dynamic: NDArray[np.float64],
    i: int,
    u: float,
) -> int:
    """Component of a mixture in which `u` falls; the last one takes the rest."""
    total = 0.0
    for k in range(first, last - 1):
        total += parameter(numbers, links, k, _WEIGHT, dynamic, i)
        if u < total:
            return k
    return last - 1
