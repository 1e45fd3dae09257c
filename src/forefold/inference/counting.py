"""Intervals and limits of a counting experiment in closed form."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "check_counting",
    "check_level",
    "poisson_interval",
    "poisson_upper_limit",
    "root",
    "special",
]

METHODS = ("classical", "cls", "bayes")
_LEAST = 1e-200  # of a probability whose ratio to another is still exact
_NODES = 40


def poisson_interval(n: float, level: float = 0.6827) -> tuple[float, float]:
    """Give the central interval for the mean of a Poisson variable.

    Parameters
    ----------
    n : float
        Observed counts.
    level : float
        Confidence level.

    Returns
    -------
    tuple of float
        Lower and upper end; each is exceeded with probability (1 - level) / 2 at most. 0 is the lower end for no counts.

    Raises
    ------
    ValueError
        Counts are negative or not finite, or the level is not between 0 and 1.

    Notes
    -----
    For counts without background, as error bars and in two-sided statements decided beforehand. It is conservative, as every such interval of a discrete
    variable. With background, or when the choice between limit and interval shall not be yours: `feldman_cousins`.

    References
    ----------
    F. Garwood, Biometrika 28 (1936) 437.

    Examples
    --------
    >>> [round(end, 3) for end in poisson_interval(3)]
    [1.367, 5.918]
    """
    n, _ = check_counting(n, 0.0)
    level = check_level(level)
    functions = special()
    lower = functions.gammaincinv(n, 0.5 * (1.0 - level)) if n > 0.0 else 0.0
    return float(lower), float(functions.gammainccinv(n + 1.0, 0.5 * (1.0 - level)))


def poisson_upper_limit(
    n: float, background: float = 0.0, *, level: float = 0.95, method: str = "cls"
) -> float:
    """Give the upper limit for a Poisson signal above a known background.

    Parameters
    ----------
    n : float
        Observed counts, of signal and background.
    background : float
        Expected counts of background, known exactly.
    level : float
        Confidence level, or credibility.
    method : {"cls", "bayes", "classical"}
        See Notes.

    Returns
    -------
    float
        For the expected signal.

    Raises
    ------
    ValueError
        Numbers are negative or not finite, or there is no such method.

    Notes
    -----
    Which method when:

    - ``cls`` [1]_, [2]_: searches; the ratio P(N <= n; s + b) / P(N <= n; b) is 1 - level. Never excludes for a fluctuation of the background alone, and
      covers more than it says for it. However improbable n is, the ratio is taken of logarithms where both are smaller than numbers can be.
    - ``bayes`` [3]_: a flat prior for s >= 0. Here (known background) the same number as ``cls``.
    - ``classical``: P(N <= n; s + b) = 1 - level. Covers as it says, and is negative, given as 0, when there are far fewer
      counts than background.

    References
    ----------
    .. [1] A. L. Read, J. Phys. G 28 (2002) 2693.
    .. [2] G. Zech, Nucl. Instrum. Meth. A 277 (1989) 608.
    .. [3] O. Helene, Nucl. Instrum. Meth. 212 (1983) 319.

    Examples
    --------
    >>> round(poisson_upper_limit(0), 3), round(poisson_upper_limit(0, level=0.9), 3)
    (2.996, 2.303)
    >>> round(poisson_upper_limit(3, 2.5), 3)
    5.666
    """
    n, background = check_counting(n, background)
    miss = 1.0 - check_level(level)
    functions = special()
    if method not in METHODS:
        message = f"method = {method!r}: one of {', '.join(METHODS)}"
        raise ValueError(message)
    if method != "classical":
        below = float(functions.gammaincc(n + 1.0, background))
        if below < _LEAST:
            return _far_below(n, background, miss)
        miss *= below
    return max(float(functions.gammainccinv(n + 1.0, miss)) - background, 0.0)


def _far_below(n: float, background: float, miss: float) -> float:
    """Limit of CLs for counts so far below the background that their probability has no number.

    P(N <= n; x) is x**n exp(-x) / n! times the integral over t > 0 of (1 + t / x)**n exp(-t), and only the latter has no closed form. Its
    integrand falls all but exponentially here, as exp(-rate t) with rate = 1 - n / x, so that few nodes of Gauss and Laguerre are exact.
    """
    import numpy as np

    nodes, weights = np.polynomial.laguerre.laggauss(_NODES)

    def integral(x: float) -> float:
        part = nodes / (x - n)
        return float(weights @ np.exp(n * (np.log1p(part) - part))) / (1.0 - n / x)

    whole = math.log(integral(background))

    def excess(signal: float) -> float:
        moved = math.log(integral(background + signal)) - whole
        return n * math.log1p(signal / background) - signal + moved - math.log(miss)

    # the logarithm of the ratio falls from 0 at least as fast as at first
    return root(excess, 0.0, -math.log(miss) * integral(background) * 1.01)


def check_level(level: float) -> float:
    """Refuse what is no confidence level.

    Raises
    ------
    ValueError
    """
    if not 0.0 < level < 1.0:
        message = f"level = {level!r}: a number between 0 and 1, such as 0.9"
        raise ValueError(message)
    return float(level)


def check_counting(n: float, background: float) -> tuple[float, float]:
    """Refuse what are no counts.

    Raises
    ------
    ValueError
    """
    for name, value in (("n", n), ("background", background)):
        if not 0.0 <= value < math.inf:
            message = f"{name} = {value!r}: a finite number of counts, 0 or more, is needed"
            raise ValueError(message)
    return float(n), float(background)


def special() -> Any:
    """Give `scipy.special`, which is loaded by what needs it first."""
    from scipy import special as functions

    return functions


def root(function: Callable[[float], float], low: float, high: float, near: float = 1e-9) -> float:
    """Find where a function changes its sign between two points where its signs differ.

    Parameters
    ----------
    function : callable
    low, high : float
    near : float
        Absolute accuracy.

    Returns
    -------
    float
    """
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=near, rtol=1e-12))
