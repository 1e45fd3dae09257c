"""Elementary functions of formulas, from IEEE basic operations only: they give the same bits on every machine.

They take every number: signed zeros, infinities and NaN as IEEE 754 and the C standard say, except where noted.
What must be more precise than a number is kept as a pair, a sum of a large and a small part that is not carried out.
"""

from __future__ import annotations

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels.jit import jit, jit_inner

__all__ = [
    "arccosine",
    "arcsine",
    "arctangent",
    "cosine",
    "hyperbolic_cosine",
    "hyperbolic_sine",
    "hyperbolic_tangent",
    "hypotenuse",
    "logarithm",
    "logarithm10",
    "polar_angle",
    "power",
    "power_half",
    "sine",
    "tangent",
]

ANGLE_LIMIT = 1e5
"""Sine, cosine and tangent have no value for angles (rad) of this size or above."""

_SPLITTER = 134217729.0  # 2^27 + 1
_TINY = 2.2250738585072014e-308
_TWO54 = 18014398509481984.0
_SQRT2 = 1.4142135623730951
_LN2_HIGH = 0.6931471803691238  # 32 bits: exact when multiplied by an exponent
_LN2_LOW = 1.9082149292705877e-10
_INVERSE_LN2 = 1.4426950408889634
_INVERSE_LN10 = 0.4342944819032518
_INVERSE_LN10_LOW = 1.098319650216765e-17
_THIRD = 0.3333333333333333
_THIRD_LOW = 1.850371707708594e-17

_MANTISSA = np.uint64(0x000FFFFFFFFFFFFF)
_ONE = np.uint64(0x3FF0000000000000)
_52 = np.uint64(52)
_BIAS = 1023


@jit_inner
def _sum(a: float, b: float) -> tuple[float, float]:
    """Exact sum as a pair (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


@jit_inner
def _product(a: float, b: float) -> tuple[float, float]:
    """Exact product as a pair (Dekker), for factors below 1e290."""
    p = a * b
    t = _SPLITTER * a
    ah = t - (t - a)
    al = a - ah
    t = _SPLITTER * b
    bh = t - (t - b)
    bl = b - bh
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


@jit_inner
def _logarithm_pair(x: float) -> tuple[float, float]:
    """Natural logarithm of a positive finite number as a pair, relative error below 2^-63.

    Notes
    -----
    x = 2^k m with m between sqrt(1/2) and sqrt(2), s = (m-1)/(m+1), log m = 2 (s + s^3/3 + s^5/5 + ...),
    cut after s^25: what is left out is 3e-21 of the sum.
    """
    k = 0.0
    if x < _TINY:
        x = x * _TWO54
        k = -54.0
    bits = np.float64(x).view(np.uint64)
    k += np.float64(np.int64(bits >> _52) - _BIAS)
    m = np.uint64((bits & _MANTISSA) | _ONE).view(np.float64)
    if m > _SQRT2:
        m *= 0.5
        k += 1.0
    f = m - 1.0
    below, below_low = _sum(2.0, f)
    s = f / below
    p, p_low = _product(s, below)
    s_low = (((f - p) - p_low) - s * below_low) / below
    z, z_low = _product(s, s)
    z_low += 2.0 * s * s_low
    q = 1.0 / 25.0
    q = q * z + 1.0 / 23.0
    q = q * z + 1.0 / 21.0
    q = q * z + 1.0 / 19.0
    q = q * z + 1.0 / 17.0
    q = q * z + 1.0 / 15.0
    q = q * z + 1.0 / 13.0
    q = q * z + 1.0 / 11.0
    q = q * z + 1.0 / 9.0
    q = q * z + 1.0 / 7.0
    q = q * z + 0.2
    # c = 1/3 + z q, then t = z c, then log m = 2 s (1 + t)
    c, c_low = _sum(_THIRD, z * q)
    c_low += _THIRD_LOW
    t, t_low = _product(z, c)
    t_low += z * c_low + z_low * c
    r, r_low = _product(s, t)
    r_low += s * t_low + s_low * t
    high, low = _sum(s, r)
    low += s_low + r_low
    high, low = 2.0 * high, 2.0 * low
    high, rest = _sum(k * _LN2_HIGH, high)
    return _sum(high, rest + (k * _LN2_LOW + low))


@jit_inner
def _scaled(y: float, k: np.int64) -> float:
    """2^k y in two steps, so that neither power of two leaves the range of normal numbers."""
    k1 = k >> 1
    k2 = k - k1
    scale1 = np.uint64(np.uint64(k1 + _BIAS) << _52).view(np.float64)
    scale2 = np.uint64(np.uint64(k2 + _BIAS) << _52).view(np.float64)
    return (y * scale1) * scale2


@jit_inner
def _exponential_pair(x: float, low: float) -> tuple[np.int64, float, float]:
    """e^(x + low) as 2^k times a pair, for |x| < 1500.

    Notes
    -----
    x + low = k ln 2 + r with r within half of ln 2; 1 + r + r^2/2 + ... is cut after r^15/15!.
    """
    k = np.floor(x * _INVERSE_LN2 + 0.5)
    r, r_low = _sum(x - k * _LN2_HIGH, low - k * _LN2_LOW)
    q = 7.647163731819816e-13
    q = q * r + 1.1470745597729725e-11
    q = q * r + 1.6059043836821613e-10
    q = q * r + 2.08767569878681e-09
    q = q * r + 2.505210838544172e-08
    q = q * r + 2.755731922398589e-07
    q = q * r + 2.7557319223985893e-06
    q = q * r + 2.48015873015873e-05
    q = q * r + 0.0001984126984126984
    q = q * r + 0.001388888888888889
    q = q * r + 0.008333333333333333
    q = q * r + 0.041666666666666664
    q = q * r + 0.16666666666666666
    q = q * r + 0.5
    high, rest = _sum(1.0, r)
    high, rest2 = _sum(high, r * r * q)
    return np.int64(k), high, rest + rest2 + r_low * high


@jit_inner
def _exponential_minus_1(x: float) -> float:
    """e^x - 1, for |x| < 700."""
    k, high, low = _exponential_pair(x, 0.0)
    high, rest = _sum(_scaled(high, k), -1.0)
    return high + (rest + _scaled(low, k))


@jit
def logarithm(x: float) -> float:
    """Natural logarithm of any number, within 1 ulp: `math.logarithm`, and subnormal numbers."""
    if 0.0 < x < _TINY:
        high, low = _logarithm_pair(x)
        return high + low
    return fm.logarithm(x)


@jit
def logarithm10(x: float) -> float:
    """Logarithm to the base 10, within 0.51 ulp; exact for powers of ten."""
    if not 0.0 < x < np.inf:
        return fm.logarithm(x)
    high, low = _logarithm_pair(x)
    p, p_low = _product(high, _INVERSE_LN10)
    return p + (p_low + (high * _INVERSE_LN10_LOW + low * _INVERSE_LN10))


@jit
def power_half(x: float) -> float:
    """x^0.5: the square root, within 0.5 ulp, but 0 at -0 and inf at -inf as for every power."""
    if x == -np.inf:
        return np.inf
    return np.sqrt(x + 0.0)


@jit_inner
def _edge_power(x: float, y: float) -> float:
    """x^y where one of them is zero, infinite or NaN, y not zero and x not one."""
    if np.isnan(x) or np.isnan(y):
        return np.nan
    size = abs(x)
    if abs(y) == np.inf:
        if size == 1.0:
            return 1.0
        return np.inf if (size > 1.0) == (y > 0.0) else 0.0
    half = 0.5 * y
    odd = np.floor(y) == y and np.floor(half) != half
    result = np.inf if (size > 1.0) == (y > 0.0) else 0.0
    return np.copysign(result, x) if odd else result


@jit
def power(x: float, y: float) -> float:
    """x^y, within 0.6 ulp; y = 2, 3, 4, -1, -2 by multiplication and division, within 2 ulp.

    Notes
    -----
    exp(y log x), the logarithm and the product as pairs: the error is below half a unit before the last
    rounding, so that powers that are numbers of 53 bits are exact. Zeros, infinities and NaN as C's ``pow``: x^0
    and 1^y are 1 even for NaN; a negative x has powers with a whole y only.
    """
    if y == 2.0:
        return x * x
    if y == 0.5:
        return power_half(x)
    if y == -1.0:
        return 1.0 / x
    if y == 1.0:
        return x
    if y == 3.0:
        return x * x * x
    if y == 4.0:
        return (x * x) * (x * x)
    if y == -2.0:
        return (1.0 / x) * (1.0 / x)
    if y == 0.0 or x == 1.0:
        return 1.0
    size = abs(x)
    if not (0.0 < size < np.inf and abs(y) < np.inf):
        return _edge_power(x, y)
    sign = 1.0
    if x < 0.0:
        if np.floor(y) != y:
            return np.nan
        half = 0.5 * y
        if np.floor(half) != half:
            sign = -1.0
    if size == 1.0:
        return sign
    if abs(y) > 1e20:  # |log x| is at least 1e-16
        return np.inf * sign if (size > 1.0) == (y > 0.0) else 0.0 * sign
    high, low = _logarithm_pair(size)
    p, p_low = _product(y, high)
    p_low += y * low
    if p > 710.0:
        return np.inf * sign
    if p < -746.0:
        return 0.0 * sign
    k, high, low = _exponential_pair(p, p_low)
    return sign * _scaled(high + low, k)


@jit
def hypotenuse(x: float, y: float) -> float:
    """sqrt(x^2 + y^2) without overflow or underflow, within 1.25 ulp; infinite if one is, even beside NaN."""
    ax, ay = abs(x), abs(y)
    if np.isinf(ax) or np.isinf(ay):
        return np.inf
    high = max(ax, ay)
    if high > 1e150:
        ax, ay = ax * 2.0**-600, ay * 2.0**-600
        return np.sqrt(ax * ax + ay * ay) * 2.0**600
    if high < 1e-130:
        ax, ay = ax * 2.0**600, ay * 2.0**600
        return np.sqrt(ax * ax + ay * ay) * 2.0**-600
    return np.sqrt(ax * ax + ay * ay)


@jit
def sine(x: float) -> float:
    """Sine, within 2 ulp; NaN from `ANGLE_LIMIT` on."""
    if not abs(x) < ANGLE_LIMIT:
        return np.nan
    return fm.sine_cosine(x)[0]


@jit
def cosine(x: float) -> float:
    """Cosine, within 2 ulp; NaN from `ANGLE_LIMIT` on."""
    if not abs(x) < ANGLE_LIMIT:
        return np.nan
    return fm.sine_cosine(x)[1]


@jit
def tangent(x: float) -> float:
    """Tangent, within 3 ulp; NaN from `ANGLE_LIMIT` on."""
    if not abs(x) < ANGLE_LIMIT:
        return np.nan
    s, c = fm.sine_cosine(x)
    return s / c


@jit
def polar_angle(y: float, x: float) -> float:
    """Angle of the point (x, y) from -pi to pi, within 2.5 ulp; signed zeros and infinities as C's ``atan2``."""
    if np.isnan(x) or np.isnan(y):
        return np.nan
    if abs(x) == np.inf and abs(y) == np.inf:
        x, y = np.copysign(1.0, x), np.copysign(1.0, y)
    if abs(x) > 1e300 or abs(y) > 1e300:
        x, y = x * 2.0**-60, y * 2.0**-60
    angle = fm.arctangent2(abs(y), np.copysign(1.0, x) if y == 0.0 and x == 0.0 else x)
    return np.copysign(angle, y)


@jit
def arctangent(x: float) -> float:
    """Inverse of the tangent, within 2 ulp."""
    return polar_angle(x, 1.0)


@jit
def arcsine(x: float) -> float:
    """Inverse of the sine, within 3 ulp; NaN beyond -1 and 1."""
    if not -1.0 <= x <= 1.0:
        return np.nan
    return polar_angle(x, np.sqrt((1.0 - x) * (1.0 + x)))


@jit
def arccosine(x: float) -> float:
    """Inverse of the cosine, within 3 ulp, relative also near 1; NaN beyond -1 and 1."""
    if not -1.0 <= x <= 1.0:
        return np.nan
    return 2.0 * fm.arctangent2(np.sqrt(1.0 - x), np.sqrt(1.0 + x))


@jit
def hyperbolic_sine(x: float) -> float:
    """Hyperbolic sine, within 2 ulp."""
    size = abs(x)
    if not size < 711.0:
        return x * np.inf
    if size < 1e-8:
        return x
    if size < 20.0:
        u = _exponential_minus_1(size)
        return np.copysign(0.5 * (u + u / (u + 1.0)), x)
    k, high, low = _exponential_pair(size, 0.0)
    return np.copysign(_scaled(high + low, k - 1), x)


@jit
def hyperbolic_cosine(x: float) -> float:
    """Hyperbolic cosine, within 2 ulp."""
    size = abs(x)
    if not size < 711.0:
        return size * np.inf
    k, high, low = _exponential_pair(size, 0.0)
    half = _scaled(high + low, k - 1)
    if size > 20.0:
        return half
    return half + 0.25 / half


@jit
def hyperbolic_tangent(x: float) -> float:
    """Hyperbolic tangent, within 2 ulp."""
    size = abs(x)
    if size < 1e-8:
        return x
    if size > 22.0:
        return np.copysign(1.0, x)
    u = _exponential_minus_1(2.0 * size)
    return np.copysign(u / (u + 2.0), x)
