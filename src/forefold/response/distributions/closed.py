"""Families of distributions, as plain functions of arrays; widths are relative where the word is *resolution*.

The draws themselves are made in `forefold.kernels`; these are the closed forms that they follow.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["log_normal_pdf", "normal_pdf", "resolution", "truncated_normal_pdf"]

_SQRT_2PI = math.sqrt(2.0 * math.pi)


def resolution(
    energy: ArrayLike, *, constant: float = 0.0, stochastic: float = 0.0
) -> NDArray[np.float64]:
    r"""Relative energy resolution :math:`a \oplus b/\sqrt{E}`, the sum in quadrature.

    Parameters
    ----------
    energy : array_like, GeV
        Positive.
    constant : float
        a, relative.
    stochastic : float
        b, relative at 1 GeV.

    Returns
    -------
    ndarray
        sigma(E)/E, in the shape of `energy`.

    Examples
    --------
    >>> float(resolution(4.0, constant=0.05, stochastic=0.30).round(6))
    0.158114
    """
    e = np.asarray(energy, dtype=np.float64)
    return np.sqrt(constant**2 + stochastic**2 / e)


def normal_pdf(x: ArrayLike, mean: float, sigma: float) -> NDArray[np.float64]:
    """Density of the normal distribution.

    Parameters
    ----------
    x : array_like
        Value at which the density is taken.
    mean, sigma : float
        In the unit of `x`; `sigma` positive.

    Returns
    -------
    ndarray
        In the inverse unit of `x`.

    Examples
    --------
    >>> float(normal_pdf(0.0, 0.0, 1.0).round(6))
    0.398942
    """
    z = (np.asarray(x, dtype=np.float64) - mean) / sigma
    return np.exp(-0.5 * z * z) / (_SQRT_2PI * sigma)


def truncated_normal_pdf(x: ArrayLike, mean: float, resolution: float) -> NDArray[np.float64]:
    """Density of a normal distribution that is cut off below zero and normalised above.

    Its mean is above `mean`: that is the bias which NuSmear's log-normal avoids.

    Parameters
    ----------
    x : array_like
        Value at which the density is taken.
    mean : float
        Mean before the cut, positive.
    resolution : float
        Width before the cut, relative to `mean`.

    Returns
    -------
    ndarray
        In the inverse unit of `x`.

    References
    ----------
    arXiv:2209.05260, figure 2.

    Examples
    --------
    >>> truncated_normal_pdf([-0.1, 1.0], 1.0, 0.5).round(4).tolist()
    [0.0, 0.8165]
    """
    sigma = resolution * mean
    kept = 0.5 * math.erfc(-1.0 / (resolution * math.sqrt(2.0)))
    density = normal_pdf(x, mean, sigma) / kept
    return np.where(np.asarray(x, dtype=np.float64) < 0.0, 0.0, density)


def log_normal_pdf(x: ArrayLike, mean: float, resolution: float) -> NDArray[np.float64]:
    """Density of the log-normal distribution of given mean and relative width.

    With v = resolution^2 the logarithm has mean log(mean) - log(1 + v)/2 and variance log(1 + v).

    Parameters
    ----------
    x : array_like
        Zero density at and below zero.
    mean : float
        Positive; it is the mean of the distribution, not of the logarithm.
    resolution : float
        Standard deviation over mean.

    Returns
    -------
    ndarray
        In the inverse unit of `x`.

    References
    ----------
    arXiv:2209.05260, section on the energy smearing distribution and figure 2.

    Examples
    --------
    >>> log_normal_pdf([0.0, 1.0], 1.0, 0.5).round(4).tolist()
    [0.0, 0.8213]
    """
    e = np.asarray(x, dtype=np.float64)
    variance = math.log1p(resolution**2)
    mu = math.log(mean) - 0.5 * variance
    positive = np.where(e > 0.0, e, 1.0)
    density = normal_pdf(np.log(positive), mu, math.sqrt(variance)) / positive
    return np.where(e > 0.0, density, 0.0)
