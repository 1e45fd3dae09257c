"""The tail of the chi2 distribution, and correlations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["chi2_tail", "correlations"]

_STEPS = 100_000
_TINY = 1e-300


def chi2_tail(chi2: float, ndf: float) -> float:
    """Probability that chi2 is larger, for so many degrees of freedom.

    Parameters
    ----------
    chi2 : float
        0 or more.
    ndf : float
        Above 0.

    Returns
    -------
    float
        The regularised upper incomplete gamma function Q(ndf/2, chi2/2), by its series or its continued fraction (NIST
        Digital Library of Mathematical Functions, 8.11.4 and 8.9.2).

    Examples
    --------
    >>> round(chi2_tail(3.841458820694124, 1), 12)
    0.05
    """
    a, x = 0.5 * ndf, 0.5 * chi2
    if not (a > 0.0 and x >= 0.0):
        return math.nan
    if x == 0.0:
        return 1.0
    if math.isinf(x):
        return 0.0
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1.0:
        term = total = 1.0 / a
        for n in range(1, _STEPS):
            term *= x / (a + n)
            total += term
            if term < 1e-16 * total:
                break
        return max(0.0, 1.0 - scale * total)
    # Lentz's method
    b = x + 1.0 - a
    c, d = 1.0 / _TINY, 1.0 / b
    fraction = d
    for n in range(1, _STEPS):
        factor = -n * (n - a)
        b += 2.0
        d = 1.0 / (factor * d + b or _TINY)
        c = b + factor / c or _TINY
        step = d * c
        fraction *= step
        if abs(step - 1.0) < 1e-15:
            break
    return min(1.0, scale * fraction)


def correlations(covariance: NDArray[np.float64], none: float = 0.0) -> NDArray[np.float64]:
    """Give the correlations of a covariance.

    Parameters
    ----------
    covariance : ndarray, shape (n, n)
    none : float
        What stands where there is no variance, or none that is known.

    Returns
    -------
    ndarray, shape (n, n)

    Examples
    --------
    >>> correlations(np.array([[4.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])).tolist()
    [[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    width = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    scale = np.outer(width, width)
    out = np.full(np.shape(covariance), none)
    return np.asarray(np.divide(covariance, scale, out=out, where=scale > 0.0))
