"""Elementary functions and uniforms of whole columns in plain numpy: the bits of the compiled ones, nothing compiled.

The arithmetic is that of `forefold.kernels.math`, run on arrays; only its branches are written again, as selections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels import philox as rn

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Column = NDArray[np.float64]

__all__ = [
    "arctangent2",
    "exponential",
    "logarithm1p",
    "normal_quantile",
    "sine_cosine",
    "uniforms",
]

_52 = np.uint64(52)
_ONE = np.uint64(0x3FF0000000000000)


def _interpreted(function: Callable[..., Any]) -> Callable[..., Any]:
    return getattr(function, "py_func", function)


_logarithm_near_1 = _interpreted(fm.logarithm_near_1)
_exponential_near_0 = _interpreted(fm.exponential_near_0)
_sine_cosine_near_0 = _interpreted(fm.sine_cosine_near_0)
_arctangent_near_0 = _interpreted(fm.arctangent_near_0)
_central = _interpreted(fm.central_quantile)
_near_tail = _interpreted(fm.near_tail)
_far_tail = _interpreted(fm.far_tail)
_philox = _interpreted(rn.philox)
_even_odd = _interpreted(rn.even_odd)


def _split(x: Column) -> tuple[Column, Column]:
    """Exponent, and mantissa from sqrt(1/2) to sqrt(2)."""
    bits = x.view(np.uint64)
    k = ((bits >> _52) | fm.TWO52_BITS).view(np.float64) - fm.TWO52_BIAS
    m = ((bits & fm.MANTISSA) | _ONE).view(np.float64)
    high = m > fm.SQRT2
    return np.where(high, k + 1.0, k), np.where(high, 0.5 * m, m)


def _logarithm(x: Column) -> Column:
    """Of numbers from the smallest normal one to 1."""
    k, m = _split(x)
    logarithm: Column = _logarithm_near_1(m - 1.0, k)
    return logarithm


def logarithm1p(x: Column) -> Column:
    """See `forefold.kernels.math.logarithm1p`."""
    y = 1.0 + x
    k, m = _split(y)
    return np.where(y == np.inf, y, _logarithm_near_1(np.where(k == 0.0, x, m - 1.0), k))


def exponential(x: Column) -> Column:
    """See `forefold.kernels.math.exponential`."""
    inside = np.clip(x, fm.EXP_MIN, fm.EXP_MAX)
    k = np.floor(inside * fm.INVERSE_LN2 + 0.5)
    y = _exponential_near_0((inside - k * fm.LN2_HIGH) - k * fm.LN2_LOW)
    k1 = np.floor(0.5 * k)
    for part in (k1, k - k1):
        y = y * ((part + fm.TWO52_BIAS).view(np.uint64) << _52).view(np.float64)
    y = np.where(x < fm.EXP_MIN, 0.0, y)
    return np.where(x > fm.EXP_MAX, np.inf, y)


def sine_cosine(x: Column) -> tuple[Column, Column]:
    """See `forefold.kernels.math.sine_cosine`."""
    n = np.floor(x * fm.TWO_OVER_PI + 0.5)
    r = ((x - n * fm.PIO2_HIGH) - n * fm.PIO2_MID) - n * fm.PIO2_LOW
    sine, cosine = _sine_cosine_near_0(r)
    quadrant = n - 4.0 * np.floor(0.25 * n)
    odd = (quadrant == 1.0) | (quadrant == 3.0)
    a, b = np.where(odd, cosine, sine), np.where(odd, sine, cosine)
    turned = (quadrant == 1.0) | (quadrant == 2.0)
    return np.where(quadrant >= 2.0, -a, a), np.where(turned, -b, b)


def arctangent2(y: Column, x: Column) -> Column:
    """See `forefold.kernels.math.arctangent2`."""
    ax, ay = np.abs(x), np.abs(y)
    low, high = np.minimum(ax, ay), np.maximum(ax, ay)
    shifted = low > fm.TAN_PI_8 * high
    above, below = np.where(shifted, low - high, low), np.where(shifted, low + high, high)
    t = above / np.where(high == 0.0, 1.0, below)
    angle = _arctangent_near_0(t)
    angle = np.where(shifted, fm.QUARTER_PI + (fm.QUARTER_PI_LOW + angle), angle)
    angle = np.where(ay > ax, fm.HALF_PI - (angle - fm.HALF_PI_LOW), angle)
    angle = np.where(x < 0.0, fm.PI - (angle - 2.0 * fm.HALF_PI_LOW), angle)
    angle = np.where(y < 0.0, -angle, angle)
    return np.where(high == 0.0, 0.0, angle)


def normal_quantile(u: Column) -> Column:
    """See `forefold.kernels.math.normal_quantile`."""
    quantile: Column = _central(u)
    rows = np.flatnonzero(np.abs(u - 0.5) > fm.CENTRAL)
    tail = u[rows]
    r = np.sqrt(-_logarithm(np.minimum(tail, 1.0 - tail)))
    size = np.where(r <= fm.HALVES, _near_tail(r), _far_tail(r))
    quantile[rows] = np.where(tail < 0.5, -size, size)
    return quantile


def uniforms(
    key: NDArray[np.uint64],
    entry: NDArray[np.uint64],
    place: NDArray[np.uint64],
    block: np.uint64,
) -> tuple[Column, Column]:
    """See `forefold.kernels.philox.uniforms`."""
    half = np.uint64(32)
    with np.errstate(over="ignore"):
        words = _philox(entry, entry >> half, place, block, key, key >> half)
        even, odd = _even_odd(*words)
    return even, odd
