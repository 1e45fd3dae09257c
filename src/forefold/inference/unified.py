"""The construction of Feldman and Cousins, exactly, for a Poisson variable with known background and a bounded normal one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from forefold.inference.counting import (
    check_counting,
    check_level,
    poisson_upper_limit,
    root,
    special,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["bounded_normal_interval", "feldman_cousins", "sensitivity"]

_GRID = 0.01  # of the signal, before bisection
_BACKGROUNDS = 0.01
_AHEAD = 4.0  # of background, in which a larger limit is looked for


def feldman_cousins(
    n: int, background: float = 0.0, *, level: float = 0.9, monotone: bool = True
) -> tuple[float, float]:
    """Give the unified interval for a Poisson signal above a known background.

    Parameters
    ----------
    n : int
        Observed counts, of signal and background.
    background : float
        Expected counts of background, known exactly.
    level : float
        Confidence level.
    monotone : bool
        Lengthen an interval where a larger background would have had a larger upper end, as the tables of the paper do
        (its section IV.B); such steps come from counts being whole numbers.

    Returns
    -------
    tuple of float
        Lower and upper end. 0 is the lower end of what is an upper limit.

    Raises
    ------
    ValueError
        Counts are negative, not whole or not finite, or the level is not between 0 and 1.

    Notes
    -----
    When: a counting experiment whose data decide whether a limit or an interval is quoted. It covers whatever the data, and is never empty. Fewer
    counts than background give tight limits: quote `sensitivity` along. Counts are accepted in the order of the likelihood ratio
    to the best physical signal, max(0, n - b). Ends are exact to 1e-6, not steps of a grid; lengthened ones
    to 1e-3, of up to 4 counts more of background.

    References
    ----------
    G. J. Feldman, R. D. Cousins, Phys. Rev. D 57 (1998) 3873, physics/9711021: eq. (4.1), tables II to IX.

    Examples
    --------
    >>> [round(end, 2) for end in feldman_cousins(0)]
    [0.0, 2.44]
    >>> [round(end, 2) for end in feldman_cousins(3, 0.5)]
    [0.6, 6.92]
    """
    n_found, background = check_counting(n, background)
    if n_found != round(n_found):
        message = f"n = {n!r}: a whole number of counts is needed"
        raise ValueError(message)
    count, level = int(n_found), check_level(level)
    lower, upper = _ends(count, background, level)
    if not monotone:
        return lower, upper
    ahead = background + np.arange(_BACKGROUNDS, _AHEAD, _BACKGROUNDS)
    found = [_upper(count, float(b), level, upper) for b in ahead]
    if max(found) <= upper:
        return lower, upper
    # the upper end falls with the background between its jumps, so the largest is just behind one
    near = ahead[int(np.argmax(found))] - np.linspace(0.0, _BACKGROUNDS, 11)[1:-1]
    return lower, max(*found, *(_upper(count, float(b), level, upper) for b in near))


def sensitivity(background: float, *, level: float = 0.9) -> float:
    """Give the mean upper end of `feldman_cousins` of experiments without signal.

    Parameters
    ----------
    background : float
    level : float

    Returns
    -------
    float

    References
    ----------
    G. J. Feldman, R. D. Cousins, physics/9711021, section VI and table XII.

    Examples
    --------
    >>> round(sensitivity(0.5), 2)
    2.86
    """
    _, background = check_counting(0, background)
    total, left, n = 0.0, 1.0, 0
    while left > 1e-6:
        chance = (
            math.exp(n * math.log(background) - background - math.lgamma(n + 1))
            if background
            else float(n == 0)
        )
        total += chance * feldman_cousins(n, background, level=level)[1]
        left -= chance
        n += 1
    return total / (1.0 - left)


def _ranking(mu: Array, n: int, background: float) -> Array:
    """Probability of all counts that rank before n, for signals mu."""
    top = float(mu.max()) + background
    k = np.arange(int(top + 12.0 * math.sqrt(top + 1.0) + n) + 20)
    logs = np.zeros(len(k))
    np.cumsum(np.log(np.maximum(k[1:], 1)), out=logs[1:])
    mean = mu[:, None] + background
    best = np.maximum(k, background)
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = np.where(k == 0, 0.0, k * np.log(mean)) - mean
        ratio = chance - (np.where(k == 0, 0.0, k * np.log(best)) - best)
    before = ratio > ratio[:, n, None] + 1e-12
    return np.asarray(np.where(before, np.exp(chance - logs), 0.0).sum(axis=1))


def _accepts(n: int, background: float, level: float) -> Callable[[float], bool]:
    return lambda mu: bool(_ranking(np.array([mu]), n, background)[0] < level)


def _ends(n: int, background: float, level: float) -> tuple[float, float]:
    top = poisson_upper_limit(n, background, level=0.5 * (1.0 + level)) + 3.0
    grid = np.arange(0.0, top + _GRID, _GRID)
    # a background of 0 with counts leaves no chance at 0, where the logarithm is not defined
    grid[0] = 0.0 if background > 0.0 else 1e-12
    good = np.flatnonzero(_ranking(grid, n, background) < level)
    accepts = _accepts(n, background, level)
    first, last = int(good[0]), int(good[-1])
    lower = 0.0 if first == 0 else _edge(accepts, grid[first], grid[first - 1])
    return lower, _edge(accepts, grid[last], grid[last] + _GRID)


def _upper(n: int, background: float, level: float, above: float) -> float:
    """Upper end, if it is larger than another; else 0."""
    top = poisson_upper_limit(n, background, level=0.5 * (1.0 + level)) + 3.0
    if top <= above:
        return 0.0
    grid = np.arange(above, top + _GRID, _GRID)
    good = np.flatnonzero(_ranking(grid, n, background) < level)
    if len(good) == 0:
        return 0.0
    last = float(grid[good[-1]])
    return _edge(_accepts(n, background, level), last, last + _GRID)


def _edge(accepts: Callable[[float], bool], inside: float, outside: float) -> float:
    for _ in range(20):
        middle = 0.5 * (inside + outside)
        if accepts(middle):
            inside = middle
        else:
            outside = middle
    return float(inside)


def bounded_normal_interval(
    x: float, sigma: float = 1.0, *, level: float = 0.9
) -> tuple[float, float]:
    """Give the unified interval for a mean that cannot be negative, of a normal measurement.

    Parameters
    ----------
    x : float
        What was measured; it may be negative.
    sigma : float
        Its standard deviation, known.
    level : float
        Confidence level.

    Returns
    -------
    tuple of float
        Lower and upper end.

    Raises
    ------
    ValueError
        Numbers are not finite, sigma is not above 0, or the level is not between 0 and 1.

    Notes
    -----
    When: a quantity with a physical bound that is measured near it, such as a mass squared or an amplitude, with errors that are
    normal and known. Exact, by the roots of eq. (4.4) of the paper.

    References
    ----------
    G. J. Feldman, R. D. Cousins, Phys. Rev. D 57 (1998) 3873, physics/9711021: eqs. (4.2) to (4.4), table X.

    Examples
    --------
    >>> [round(end, 2) for end in bounded_normal_interval(0.0)]
    [0.0, 1.64]
    """
    if not (math.isfinite(x) and 0.0 < sigma < math.inf):
        message = f"x = {x!r}, sigma = {sigma!r}: finite numbers are needed, sigma above 0"
        raise ValueError(message)
    level, at = check_level(level), x / sigma
    special()

    def excess(mu: float) -> float:
        return _between(at, mu) - level

    far = max(at, 0.0) + 20.0
    # next to the bound, all that is below the measurement ranks before it
    upper = root(excess, max(at, 1e-9), far)
    lower = root(excess, 1e-12, at) if at > 0.0 and excess(1e-12) > 0.0 else 0.0
    return lower * sigma, upper * sigma


def _between(x: float, mu: float) -> float:
    """Probability of all measurements that rank before x, for a mean mu."""
    cut = -0.5 * (x - mu) ** 2 if x >= 0.0 else x * mu - 0.5 * mu * mu
    reach = math.sqrt(-2.0 * cut)
    low = mu - reach if reach <= mu else (cut + 0.5 * mu * mu) / mu
    return float(special().ndtr(reach) - special().ndtr(low - mu))
