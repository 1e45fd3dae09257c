"""Directions: into the frame of the incident particle and back, and angles on the sphere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels.jit import jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "azimuths",
    "folded",
    "from_axis",
    "pointing",
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
    """Bring a polar angle back to 0..pi; every passage of a pole turns the azimuth by pi."""
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
