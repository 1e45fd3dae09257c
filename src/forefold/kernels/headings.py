"""The draw of a direction, in the frame of the axis: always a point on the sphere."""

from __future__ import annotations

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels.directions import space_angle, turned
from forefold.kernels.distributions import truncated_quantile
from forefold.kernels.frame import folded
from forefold.kernels.jit import jit

__all__ = ["drawn_cosine", "drawn_space", "polar_direction"]

_TWO_PI = 2.0 * fm.PI


@jit
def polar_direction(drawn: float, phi: float, shift: float) -> tuple[float, float, bool]:
    """Polar angle on the sphere, azimuth moved by `shift` within -pi to pi, and whether a pole was passed."""
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
