"""How far a count is from what is expected, in standard deviations."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

__all__ = ["binomial_pull", "family_chance", "mean_pull"]

_NORMAL = NormalDist()
_MOST = 37.0  # beyond this the normal distribution's tail is below the smallest number


def binomial_pull(count: int, total: int, probability: float) -> float:
    """Give the normal score of a binomial count, from its exact tail.

    Parameters
    ----------
    count, total : int
        Successes, and trials.
    probability : float
        Expected probability of a success.

    Returns
    -------
    float
        Above 0 where there are too many. Infinite where the count cannot be.

    Examples
    --------
    >>> round(binomial_pull(60, 100, 0.5), 2)
    1.99
    >>> binomial_pull(1, 100, 0.0)
    inf
    """
    if total == 0:
        return 0.0
    p = min(max(probability, 0.0), 1.0)
    if p in {0.0, 1.0}:
        expected = total if p else 0
        return 0.0 if count == expected else math.copysign(math.inf, count - expected)
    high = count >= total * p
    k = np.arange(count, total + 1) if high else np.arange(count + 1)
    facts = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, total + 1.0)))])
    with np.errstate(under="ignore"):
        terms = np.exp(
            facts[total]
            - facts[k]
            - facts[total - k]
            + k * math.log(p)
            + (total - k) * math.log1p(-p)
        )
    # half of the probability of the count itself: both tails then add up to one
    own = terms[0] if high else terms[-1]
    tail = min(max(float(terms.sum() - 0.5 * own), 0.0), 0.5)
    score = _MOST if tail < 1e-290 else -_NORMAL.inv_cdf(tail)
    return score if high else -score


def mean_pull(mean: float, expected: float, std: float, total: int) -> float:
    """Distance of a mean from the expected one, in units of its standard deviation.

    Parameters
    ----------
    mean, expected, std : float
        `std` is that of one draw.
    total : int
        Number of draws.

    Returns
    -------
    float
        Above 0 where the mean is too large.

    Examples
    --------
    >>> mean_pull(1.25, 1.0, 1.0, 64)
    2.0
    """
    return (mean - expected) / (std / math.sqrt(total))


def family_chance(tolerance: float, checks: int) -> float:
    """Give the probability that one or more of so many independent checks fails by chance.

    Examples
    --------
    >>> f"{family_chance(4.5, 1000):.1e}"
    '6.8e-03'
    """
    return -math.expm1(checks * math.log1p(-2.0 * _NORMAL.cdf(-tolerance)))
