"""Draws of directions on the sphere, by space angle and azimuth about the true direction."""

from __future__ import annotations

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels import special as fs
from forefold.kernels.jit import jit

__all__ = ["SPACE_DISTRIBUTIONS", "space_angle", "turned"]

SPACE_DISTRIBUTIONS = ("rayleigh", "half-normal", "von-mises-fisher")
"""Distributions of the space angle; the code is the index."""

_RAYLEIGH, _HALF_NORMAL, _VON_MISES_FISHER = range(3)


@jit
def _von_mises_fisher(kappa: float, u: float) -> float:
    """Space angle (rad) of the von Mises-Fisher distribution: the inverse of its cdf in closed form.

    Notes
    -----
    The cdf of h = 1 - cos(alpha) is (1 - exp(-kappa h)) / (1 - exp(-2 kappa)). Beyond a right angle the complement
    1 + cos(alpha) is computed instead, so that neither end cancels.
    """
    x = u * fs.exponential_minus1(-2.0 * kappa)
    if kappa == 0.0:
        h = 2.0 * u
    elif x > -0.5:
        h = -fm.logarithm1p(x) / kappa
    else:
        h = -fm.logarithm((1.0 - u) + u * fm.exponential(-2.0 * kappa)) / kappa
    if h <= 1.0:
        return 2.0 * fm.arctangent2(np.sqrt(h), np.sqrt(2.0 - h))
    g = 2.0 * (1.0 - u)
    if kappa > 0.0:
        g = fm.logarithm1p((1.0 - u) * fs.exponential_minus1(2.0 * kappa)) / kappa
    return 2.0 * fm.arctangent2(np.sqrt(2.0 - g), np.sqrt(g))


@jit
def space_angle(distribution: int, u: float, sigma: float) -> float:
    """Angle (rad) between the true and the drawn direction.

    Parameters
    ----------
    distribution : int
        Index in `SPACE_DISTRIBUTIONS`. *rayleigh*: a two-dimensional Gaussian of width sigma along each axis of the
        tangent plane; *half-normal*: the modulus of a Gaussian of width sigma; *von-mises-fisher*: the Gaussian of
        the sphere, kappa = 1/sigma^2.
    u : float
        Between 0 and 1, both excluded, with 1 - u exact.
    sigma : float, rad
        Not negative. The first two may give more than pi for large sigma: they wrap around the sphere.

    Returns
    -------
    float
        Rad; NaN for an unknown code.

    References
    ----------
    W. Jakob, Numerically stable sampling of the von Mises-Fisher distribution on S2 (2012), for the third.
    """
    if distribution == _RAYLEIGH:
        return sigma * np.sqrt(-2.0 * fm.logarithm1p(-u))
    if distribution == _HALF_NORMAL:
        return -sigma * fm.normal_quantile(0.5 * (1.0 - u))
    if distribution == _VON_MISES_FISHER:
        return 0.0 if sigma == 0.0 else _von_mises_fisher(1.0 / (sigma * sigma), u)
    return np.nan


@jit
def turned(x: float, y: float, z: float, alpha: float, beta: float) -> tuple[float, float, float]:
    """Turn a unit vector away from itself by the space angle alpha, at azimuth beta about itself (both rad).

    Notes
    -----
    The frame about the direction has no pole: at +z beta is the usual azimuth. Its zero jumps at z = 0, which does
    not matter to a beta that is drawn evenly.

    References
    ----------
    T. Duff et al., Building an Orthonormal Basis, Revisited, JCGT 6 (2017) 1.
    """
    sign = 1.0 if z >= 0.0 else -1.0
    a = -1.0 / (sign + z)
    b = x * y * a
    sin_alpha, cos_alpha = fm.sine_cosine(alpha)
    sin_beta, cos_beta = fm.sine_cosine(beta)
    p, q = sin_alpha * cos_beta, sin_alpha * sin_beta
    return (
        cos_alpha * x + p * (1.0 + sign * x * x * a) + q * b,
        cos_alpha * y + p * sign * b + q * (sign + y * y * a),
        cos_alpha * z - p * sign * x - q * y,
    )
