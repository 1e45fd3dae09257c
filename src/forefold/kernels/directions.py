"""Directions: into the frame of the incident particle and back, angles on the sphere, and their draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels import special as fs
from forefold.kernels.distributions import truncated_quantile
from forefold.kernels.jit import jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "SPACE_DISTRIBUTIONS",
    "azimuths",
    "drawn_cosine",
    "drawn_space",
    "folded",
    "from_axis",
    "pointing",
    "polar_direction",
    "space_angle",
    "turned",
]

_TWO_PI = 2.0 * fm.PI


@jit
def from_axis(
    x: float, y: float, z: float, ax: float, ay: float, az: float
) -> tuple[float, float, float]:
    """Components in the record's frame of a vector in the frame whose z is the unit vector (ax, ay, az)."""
    across = np.sqrt(ax * ax + ay * ay)
    if across == 0.0:
        # half a turn about x for an axis that points back
        c, s, az = (1.0, 0.0, 1.0) if az > 0.0 else (-1.0, 0.0, -1.0)
    else:
        c, s = ax / across, ay / across
    forward = az * x + across * z
    return c * forward - s * y, s * forward + c * y, az * z - across * x


@jit
def folded(theta: float, phi: float) -> tuple[float, float, bool]:
    """Bring a polar angle back to 0..pi; every crossing of a pole turns the azimuth by pi."""
    turned = False
    outside = theta < 0.0 or theta > fm.PI
    if theta < 0.0:
        theta = -theta
        turned = True
    if theta > _TWO_PI:
        theta -= _TWO_PI * np.floor(theta / _TWO_PI)
    if theta > fm.PI:
        theta = _TWO_PI - theta
        turned = not turned
    if turned:
        phi = phi - fm.PI if phi > 0.0 else phi + fm.PI
    return theta, phi, outside


@jit
def pointing(
    p: float, theta: float, phi: float, ax: float, ay: float, az: float
) -> tuple[float, float, float]:
    """Momentum of length p at polar angle theta and azimuth phi about the unit vector (ax, ay, az)."""
    sin_theta, cos_theta = fm.sine_cosine(theta)
    sin_phi, cos_phi = fm.sine_cosine(phi)
    across = p * sin_theta
    return from_axis(across * cos_phi, across * sin_phi, p * cos_theta, ax, ay, az)


@jit
def azimuths_all(x: NDArray[np.float64], y: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Fill `out` with the azimuths of flat arrays."""
    for i in range(x.size):
        out[i] = fm.arctangent2(y[i], x[i])


def azimuths(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Azimuth of the points (x, y), from -pi to pi.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)

    Returns
    -------
    ndarray of float64, shape (n,), rad
    """
    out = np.empty(x.size)
    azimuths_all(x, y, out)
    return out


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


@jit
def polar_direction(drawn: float, phi: float, shift: float) -> tuple[float, float, bool]:
    """Polar angle on the sphere, azimuth moved by `shift` within -pi to pi, and whether a pole was crossed."""
    if shift != 0.0:
        phi += shift
        phi -= _TWO_PI * np.floor((phi + fm.PI) / _TWO_PI)
    return folded(drawn, phi)


@jit
def drawn_space(
    x: float, y: float, z: float, distribution: int, sigma: float, u: float, v: float
) -> tuple[float, float]:
    """Polar angle and azimuth of the direction (x, y, z), turned by a space angle at a uniform azimuth about itself."""
    norm = np.sqrt(x * x + y * y + z * z)
    if norm > 0.0:
        x, y, z = x / norm, y / norm, z / norm
    else:
        x, y, z = 0.0, 0.0, 1.0
    alpha = space_angle(distribution, u, sigma) if sigma > 0.0 else 0.0
    a, b, c = turned(x, y, z, alpha, _TWO_PI * v)
    return fm.arctangent2(np.sqrt(a * a + b * b), c), fm.arctangent2(b, a)


@jit
def drawn_cosine(theta: float, sigma: float, u: float) -> float:
    """Polar angle whose cosine is drawn from a normal of width sigma about cos(theta), cut to -1..1, by the inverse of its cdf.

    Notes
    -----
    It is h = 1 - cos and g = 1 + cos that are drawn, each from its own true value 2 sin^2(theta/2), 2 cos^2(theta/2): near a
    pole the cosine itself has no digits left for the angle.
    """
    if not sigma > 0.0:
        return theta
    sine, cosine = fm.sine_cosine(0.5 * theta)
    h, g = 2.0 * sine * sine, 2.0 * cosine * cosine
    shift = sigma * truncated_quantile(-g / sigma, h / sigma, u)
    h, g = max(h - shift, 0.0), max(g + shift, 0.0)
    return 2.0 * fm.arctangent2(np.sqrt(h), np.sqrt(g))
