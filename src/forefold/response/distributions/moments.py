"""Means and standard deviations that take more than a line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels import special as fs
from forefold.kernels.distributions import SQRT_2PI, crystal_ball_tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["crystal_ball_moments", "truncated_normal_moments"]

_DEPTH = 40.0  # exp(-40) of the density at its height is left out
_NODES = 96


def truncated_normal_moments(
    a: NDArray[np.float64], b: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of the standard normal cut to (a, b).

    The closed forms cancel where the bounds are far out; Gauss-Legendre quadrature about the highest point does not.

    Parameters
    ----------
    a, b : ndarray
        Either may be infinite.

    Returns
    -------
    mean, std : ndarray
        In units of the width before the cut.

    Notes
    -----
    Checked against scipy near the centre and against Mills' ratio far out: 1e-12 of the standard deviation.
    """
    top = np.clip(0.0, a, b)
    reach = 2.0 * _DEPTH / (np.sqrt(top * top + 2.0 * _DEPTH) + np.abs(top))
    low, high = np.maximum(a - top, -reach), np.minimum(b - top, reach)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = 0.5 * (high - low)
    t = 0.5 * (high + low)[..., None] + half[..., None] * nodes
    density = weights * np.exp(-0.5 * t * (t + 2.0 * top[..., None]))
    density /= density.sum(axis=-1, keepdims=True)
    shift = (density * t).sum(axis=-1)
    variance = (density * np.square(t - shift[..., None])).sum(axis=-1)
    return top + shift, np.sqrt(variance)


def crystal_ball_moments(
    alpha_low: float, n_low: float, alpha_high: float, n_high: float
) -> tuple[float, float]:
    """Mean and standard deviation of the Crystal Ball function, in units of its sigma.

    Parameters
    ----------
    alpha_low, n_low, alpha_high, n_high : float
        Start of each power-law tail in sigma, and its exponent.

    Returns
    -------
    mean, std : float
        Infinite where a tail falls too slowly; NaN where two such tails oppose each other.
    """
    low, high = _tail_moments(alpha_low, n_low), _tail_moments(alpha_high, n_high)
    edges = [fs.half_square_exponential(alpha) for alpha in (alpha_low, alpha_high)]
    core = SQRT_2PI * fs.normal_between(-alpha_low, alpha_high)
    ends = sum(alpha * e for alpha, e in zip((alpha_low, alpha_high), edges, strict=True) if e)
    total = low[0] + core + high[0]
    mean = (edges[0] - edges[1] - low[1] + high[1]) / total
    square = (core - ends + low[2] + high[2]) / total
    if math.isinf(square):
        return mean, math.inf if math.isfinite(mean) else math.nan
    return mean, math.sqrt(square - mean * mean)


def _tail_moments(alpha: float, n: float) -> tuple[float, float, float]:
    """Integrals of 1, t and t^2 over the tail beyond alpha.

    With y = 1 + (t - alpha) alpha/n the density falls as y^-n, so y^k has the mean (n - 1)/(n - 1 - k).
    """
    mass = crystal_ball_tail(alpha, n)
    if mass == 0.0:
        return 0.0, 0.0, 0.0
    first = (n - 1.0) / (n - 2.0) if n > 2.0 else math.inf
    second = (n - 1.0) / (n - 3.0) if n > 3.0 else math.inf
    scale = n / alpha
    shift = alpha - scale
    if math.isinf(second):
        return mass, mass * (shift + scale * first), math.inf
    square = shift * shift + 2.0 * shift * scale * first + scale * scale * second
    return mass, mass * (shift + scale * first), mass * square
