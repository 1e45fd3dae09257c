"""The construction of Feldman and Cousins, exactly, for a Poisson variable with known background and a bounded normal one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from forefold.inference.counting import (
    check_counting,
    check_level,
    root,
    special,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["bounded_normal_interval", "feldman_cousins", "sensitivity"]

_STEP = 0.01  # of the background
_AHEAD = 4.0  # of background, in which a larger limit is looked for
_MOST = 1_000_000  # probabilities at a time


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
    to the best physical signal, max(0, n - b). Ends are exact to 1e-8, not steps of a grid, as the set of counts that rank first changes
    at known means; lengthened ones to 1e-7, with up to 4 counts more of background than b and n.

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
    lower, upper = _lower(count, background, level), _upper(count, background, level)
    return lower, upper if not monotone else _longest(count, background, level, upper)


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


def _equal(k: Array, n: int, background: Array | float) -> Array:
    """Sum of signal and background at which k counts rank as n do; above it, the larger of both ranks first."""
    best_k, best_n = np.maximum(k, background), np.maximum(n, background)
    power = np.where(k > 0.0, k * np.log(np.where(k > 0.0, best_k, 1.0)), 0.0) - best_k
    own = (n * np.log(best_n) if n else 0.0) - best_n
    return np.asarray(np.exp((power - own) / (k - n)))


def _between_counts(first: Array, last: Array, mean: Array) -> Array:
    """Probability of first to last counts."""
    below = special().gammaincc
    cut = np.where(first > 0.0, below(np.maximum(first, 1.0), mean), 0.0)
    return np.asarray(below(last + 1.0, mean) - cut)


def _upper(n: int, background: float, level: float) -> float:
    """Upper end, exactly.

    The likelihood ratio has one maximum in the counts, at their mean. For means above n, the counts that rank before n are therefore
    n + 1 to some K, which grows by one at the means of `_equal`. In between, their probability rises and then falls.
    """
    low, high, last, whole = (x[0] for x in _last_pieces(n, np.array([background]), level))
    if whole:
        return float(high) - background
    return _crossing(n + 1, int(last), level, float(low), float(high)) - background


def _last_pieces(
    n: int, backgrounds: Array, level: float
) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """For each background: the last means between which n is accepted, K there, and whether it is up to the second of them."""
    best = np.maximum(n, backgrounds)
    far = _farthest(n, float(backgrounds.max()), level)
    limit = -math.log(0.5 * (1.0 - level))
    # what is below the background ranks before n as soon as there is a signal; what is far above never does
    least = max(n + 1.0, math.floor(backgrounds.min()))
    k = np.arange(least, far + 2.0 * limit + 2.0 * math.sqrt(limit * far) + 30.0)
    starts = np.maximum(_equal(k, n, backgrounds[:, None]), best[:, None])
    ends = np.append(starts[:, 1:], np.maximum(far, starts[:, -1:]), axis=1)
    left, right = (_between_counts(np.array(n + 1.0), k, at) < level for at in (starts, ends))
    good = (left | right) & (ends > starts)
    last = len(k) - 1 - np.argmax(good[:, ::-1], axis=1)
    rows = np.arange(len(best))
    none = ~good.any(axis=1)  # nothing ranks before n as far as this
    low, high = (
        np.where(none, best, starts[rows, last]),
        np.where(none, starts[:, 0], ends[rows, last]),
    )
    return low, high, k[last], none | right[rows, last]


def _lower(n: int, background: float, level: float) -> float:
    """Lower end, exactly; as `_upper`, with the counts from some L to n - 1."""
    if n <= background:
        return 0.0
    k = np.arange(float(n))
    equal = np.clip(_equal(k, n, background), background, float(n))
    starts = np.append(background, equal[:-1])
    own = np.full(n, n - 1.0)
    left, right = (_between_counts(k, own, at) < level for at in (starts, equal))
    good = np.flatnonzero((left | right) & (equal > starts))
    if len(good) == 0:
        return float(equal[-1]) - background
    first = int(good[0])
    if left[first]:
        return float(starts[first]) - background
    return _crossing(first, n - 1, level, starts[first], equal[first]) - background


def _crossing(first: int, last: int, level: float, low: float, high: float) -> float:
    below = special().gammaincc

    def excess(mean: float) -> float:
        return (
            float(below(last + 1.0, mean) - (below(float(first), mean) if first else 0.0)) - level
        )

    return root(excess, float(low), float(high))


def _farthest(n: int, background: float, level: float) -> float:
    """Mean that no upper end is above.

    Counts that do not rank before n have a likelihood ratio of at most that of n and, by Chernoff's bound, a probability of at most
    twice that. So n can only be accepted where its own ratio is above (1 - level) / 2.
    """
    best = max(float(n), background)
    limit = -math.log(0.5 * (1.0 - level))

    def fallen(mean: float) -> float:
        return mean - best - (n * math.log(mean / best) if n else 0.0) - limit

    return root(fallen, max(best, 1e-300), best + 2.0 * limit + math.sqrt(2.0 * limit * best) + 1.0)


def _longest(n: int, background: float, level: float, upper: float) -> float:
    """Largest upper end of this background and larger ones.

    Up to a background of n, the end of the sum of signal and background stays, and the upper end falls. Then it jumps up now and
    again; behind a jump it falls by no more than the background rises, so a peak is above the next point of the scan by a step at most.
    """
    most, start = upper, max(background, float(n))
    far = _farthest(n, start, level)
    if far - start <= upper:  # and it falls with the background
        return upper
    points = start + np.arange(_STEP, _AHEAD, _STEP)
    rows = int(max(_MOST // (10.0 * math.sqrt(far + 1.0) + 100.0), 1.0))
    for first in range(0, len(points), rows):
        part = points[first : first + rows]
        bounds = _last_pieces(n, part, level)[1] - part
        for point, bound in zip(part.tolist(), bounds, strict=True):
            if bound > most - _STEP:
                most = max(most, _peak(n, point, level, most))
    return most


def _peak(n: int, background: float, level: float, most: float) -> float:
    """Upper end just behind the last jump up, if it can be above another."""
    upper = _upper(n, background, level)
    if upper <= most - _STEP:
        return upper
    low, high = background - _STEP, background
    for _ in range(20):
        middle = 0.5 * (low + high)
        more = _upper(n, middle, level)
        low, high = (low, middle) if more > upper else (middle, high)
        upper = max(upper, more)
    return upper


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

    def excess(mu: float) -> float:
        return _between(at, mu) - level

    far = max(at, 0.0) + 20.0
    # at the bound itself, all that is below it ranks the same
    near = max(at, 1e-9)
    upper = root(excess, near, far) if excess(near) < 0.0 else 0.0
    lower = root(excess, 1e-12, at) if at > 0.0 and excess(1e-12) > 0.0 else 0.0
    return lower * sigma, upper * sigma


def _between(x: float, mu: float) -> float:
    """Probability of all measurements that rank before x, for a mean mu."""
    cut = -0.5 * (x - mu) ** 2 if x >= 0.0 else x * mu - 0.5 * mu * mu
    reach = math.sqrt(-2.0 * cut)
    low = mu - reach if reach <= mu else (cut + 0.5 * mu * mu) / mu
    return float(special().ndtr(reach) - special().ndtr(low - mu))
