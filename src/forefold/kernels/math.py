"""Elementary functions from IEEE basic operations only: the same bits on every machine.

The polynomials are near-minimax fits (Chebyshev interpolation in 40 digits: ``mpmath.chebyfit``) of the
functions named beside them; the tests hold every function against mpmath and state its error in ulp.
"""

from __future__ import annotations

import numpy as np

from forefold.kernels.jit import jit

__all__ = [
    "arctangent2",
    "exponential",
    "logarithm",
    "logarithm1p",
    "normal_quantile",
    "sine_cosine",
]

PI = 3.141592653589793
HALF_PI = 1.5707963267948966
HALF_PI_LOW = 6.123233995736766e-17
QUARTER_PI = 0.7853981633974483
QUARTER_PI_LOW = 3.061616997868383e-17
SQRT2 = 1.4142135623730951
TAN_PI_8 = 0.41421356237309503

# ln 2 and pi/2, cut so that a product with a small integer is exact
LN2_HIGH = 0.6931471803691238
LN2_LOW = 1.9082149292705877e-10
INVERSE_LN2 = 1.4426950408889634
PIO2_HIGH = 1.5707963267341256
PIO2_MID = 6.077100506303966e-11
PIO2_LOW = 2.0222662487959506e-21
TWO_OVER_PI = 0.6366197723675814

MANTISSA = np.uint64(0x000FFFFFFFFFFFFF)
_ONE = np.uint64(0x3FF0000000000000)
_52 = np.uint64(52)
TWO52_BITS = np.uint64(0x4330000000000000)  # of 2^52
TWO52_BIAS = 4503599627371519.0  # 2^52 + 1023, where 1023 is the bias of an exponent
_TINY = 2.2250738585072014e-308
EXP_MAX = 709.782712893384
EXP_MIN = -745.2


@jit
def logarithm(x: float) -> float:
    """Natural logarithm of a normal positive number; NaN below zero, -inf at zero.

    Notes
    -----
    x = 2^k m with m between sqrt(1/2) and sqrt(2); see `logarithm_near_1` for that of m.
    """
    if not x >= _TINY:
        return -np.inf if x == 0.0 else np.nan
    if x == np.inf:
        return x
    bits = np.float64(x).view(np.uint64)
    # an integer in the mantissa of 2^52 is that number behind it: exact, and in vectors on every machine
    k = np.uint64((bits >> _52) | TWO52_BITS).view(np.float64) - TWO52_BIAS
    m = np.uint64((bits & MANTISSA) | _ONE).view(np.float64)
    if m > SQRT2:
        m *= 0.5
        k += 1.0
    return logarithm_near_1(m - 1.0, k)


@jit
def logarithm_near_1(f: float, k: float) -> float:
    """Logarithm of 2^k (1 + f), for f from sqrt(1/2) - 1 to sqrt(2) - 1.

    Notes
    -----
    s = f/(2 + f), log(1 + f) = 2 atanh s.  The polynomial is (2 atanh(s)/s - 2)/s^2 in s^2.
    """
    s = f / (2.0 + f)
    z = s * s
    r = 0.13086767009948175
    r = r * z + 0.13268759668560612
    r = r * z + 0.15386240205813478
    r = r * z + 0.18181795630884753
    r = r * z + 0.2222222239180047
    r = r * z + 0.2857142857080323
    r = r * z + 0.4000000000000088
    r = r * z + 0.6666666666666666
    half = 0.5 * f * f
    # f - s (f - z r) = 2s + s z r without the rounding of 2s
    return k * LN2_HIGH - ((half - (s * (half + z * r) + k * LN2_LOW)) - f)


@jit
def logarithm1p(x: float) -> float:
    """log(1 + x) for x >= 0, relative error of a few ulp also for small x: up to sqrt(2) - 1 nothing is rounded away."""
    y = 1.0 + x
    bits = np.float64(y).view(np.uint64)
    k = np.uint64((bits >> _52) | TWO52_BITS).view(np.float64) - TWO52_BIAS
    m = np.uint64((bits & MANTISSA) | _ONE).view(np.float64)
    k, m = (k + 1.0, 0.5 * m) if m > SQRT2 else (k, m)
    value = logarithm_near_1(x if k == 0.0 else m - 1.0, k)
    return y if y == np.inf else value


@jit
def exponential(x: float) -> float:
    """e^x; zero below -745.2, inf above 709.78.

    Notes
    -----
    x = k ln 2 + r with r within half of ln 2.
    """
    if not x <= EXP_MAX:
        return np.inf if x > EXP_MAX else np.nan
    if x < EXP_MIN:
        return 0.0
    k = np.floor(x * INVERSE_LN2 + 0.5)
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    y = exponential_near_0(r)
    # two steps, so that neither power of two leaves the range of normal numbers
    k1 = np.floor(0.5 * k)
    k2 = k - k1
    scale1 = np.uint64(np.float64(k1 + TWO52_BIAS).view(np.uint64) << _52).view(np.float64)
    scale2 = np.uint64(np.float64(k2 + TWO52_BIAS).view(np.uint64) << _52).view(np.float64)
    return (y * scale1) * scale2


@jit
def exponential_near_0(r: float) -> float:
    """e^r for r within half of ln 2; the polynomial is (e^r - 1 - r)/r^2."""
    q = 2.0914686968086876e-09
    q = q * r + 2.5105217004720745e-08
    q = q * r + 2.75572736431103e-07
    q = q * r + 2.7557255400206422e-06
    q = q * r + 2.4801587325547743e-05
    q = q * r + 0.00019841269874820627
    q = q * r + 0.0013888888888883748
    q = q * r + 0.008333333333326136
    q = q * r + 0.04166666666666667
    q = q * r + 0.1666666666666667
    q = q * r + 0.5
    return 1.0 + (r + r * r * q)


@jit
def sine_cosine(x: float) -> tuple[float, float]:
    """Sine and cosine, for |x| < 1e5.

    Notes
    -----
    x = n pi/2 + r with r within a quarter of pi.
    """
    n = np.floor(x * TWO_OVER_PI + 0.5)
    r = ((x - n * PIO2_HIGH) - n * PIO2_MID) - n * PIO2_LOW
    sine, cosine = sine_cosine_near_0(r)
    # selections, not branches: loops over this run in vectors
    quadrant = n - 4.0 * np.floor(0.25 * n)
    odd = (quadrant == 1.0) | (quadrant == 3.0)
    a = cosine if odd else sine
    b = sine if odd else cosine
    return (-a if quadrant >= 2.0 else a), (-b if (quadrant == 1.0) | (quadrant == 2.0) else b)


@jit
def sine_cosine_near_0(r: float) -> tuple[float, float]:
    """Sine and cosine within a quarter of pi; the polynomials are (sin r - r)/r^3 and (cos r - 1 + r^2/2)/r^4 in r^2."""
    z = r * r
    p = -7.586685070091267e-13
    p = p * z + 1.605853141458901e-10
    p = p * z - 2.5052106231157904e-08
    p = p * z + 2.7557319219335453e-06
    p = p * z - 0.0001984126984126506
    p = p * z + 0.008333333333333331
    p = p * z - 0.16666666666666666
    sine = r + r * z * p
    q = 4.7458652037874553e-14
    q = q * z - 1.1470460773969325e-11
    q = q * z + 2.0876755790363397e-09
    q = q * z - 2.755731922140076e-07
    q = q * z + 2.4801587301584645e-05
    q = q * z - 0.0013888888888888887
    q = q * z + 0.041666666666666664
    half = 0.5 * z
    w = 1.0 - half
    cosine = w + (((1.0 - w) - half) + z * z * q)
    return sine, cosine


@jit
def arctangent2(y: float, x: float) -> float:
    """Angle of the point (x, y), from -pi to pi; 0 at the origin."""
    ax = abs(x)
    ay = abs(y)
    low = min(ax, ay)
    high = max(ax, ay)
    if high == 0.0:
        return 0.0
    shifted = low > TAN_PI_8 * high
    t = (low - high) / (low + high) if shifted else low / high
    angle = arctangent_near_0(t)
    if shifted:
        angle = QUARTER_PI + (QUARTER_PI_LOW + angle)
    if ay > ax:
        angle = HALF_PI - (angle - HALF_PI_LOW)
    if x < 0.0:
        angle = PI - (angle - 2.0 * HALF_PI_LOW)
    return -angle if y < 0.0 else angle


@jit
def arctangent_near_0(t: float) -> float:
    """Inverse of the tangent for |t| up to tan(pi/8); the polynomial is (atan t - t)/t^3 in t^2."""
    z = t * t
    a = 0.016282993238924487
    a = a * z - 0.034568068014968874
    a = a * z + 0.0455149623749493
    a = a * z - 0.052304330074828924
    a = a * z + 0.05878926110528101
    a = a * z - 0.06666424634599337
    a = a * z + 0.07692296361048218
    a = a * z - 0.09090908753017178
    a = a * z + 0.11111111105145725
    a = a * z - 0.14285714285659729
    a = a * z + 0.19999999999999804
    a = a * z - 0.3333333333333333
    return t + t * z * a


CENTRAL = 0.425
"""Up to this distance from 1/2 `central_quantile` is the normal quantile, beyond it `outer_quantile`."""

FAR = 1.4e-11
"""At least as far as exp(-HALVES^2), where the tail's two halves meet."""
HALVES = 5.0


@jit
def normal_quantile(u: float) -> float:
    """Quantile of the standard normal distribution, for u in (0, 1) with 1 - u exact.

    References
    ----------
    Wichura, Algorithm AS 241 (PPND16), Appl. Statist. 37 (1988) 477, doi:10.2307/2347330.
    """
    if abs(u - 0.5) <= CENTRAL:
        return central_quantile(u)
    return outer_quantile(u)


@jit
def central_quantile(u: float) -> float:
    """Give the normal quantile near the median."""
    q = u - 0.5
    r = 0.180625 - q * q
    a = 2.5090809287301226727e3
    a = a * r + 3.3430575583588128105e4
    a = a * r + 6.7265770927008700853e4
    a = a * r + 4.5921953931549871457e4
    a = a * r + 1.3731693765509461125e4
    a = a * r + 1.9715909503065514427e3
    a = a * r + 1.3314166789178437745e2
    a = a * r + 3.3871328727963666080e0
    b = 5.2264952788528545610e3
    b = b * r + 2.8729085735721942674e4
    b = b * r + 3.9307895800092710610e4
    b = b * r + 2.1213794301586595867e4
    b = b * r + 5.3941960214247511077e3
    b = b * r + 6.8718700749205790830e2
    b = b * r + 4.2313330701600911252e1
    b = b * r + 1.0
    return q * a / b


@jit
def near_quantile(u: float) -> float:
    """Give the normal quantile far from the median, but not as far as `FAR` from 0 or 1."""
    size = near_tail(np.sqrt(-logarithm(min(u, 1.0 - u))))
    return -size if u < 0.5 else size


@jit
def outer_quantile(u: float) -> float:
    """Give the normal quantile far from the median."""
    r = np.sqrt(-logarithm(min(u, 1.0 - u)))
    size = near_tail(r) if r <= HALVES else far_tail(r)
    return -size if u < 0.5 else size


@jit
def near_tail(r: float) -> float:
    r = r - 1.6  # not in place: it may be an array
    a = 7.74545014278341407640e-4
    a = a * r + 2.27238449892691845833e-2
    a = a * r + 2.41780725177450611770e-1
    a = a * r + 1.27045825245236838258e0
    a = a * r + 3.64784832476320460504e0
    a = a * r + 5.76949722146069140550e0
    a = a * r + 4.63033784615654529590e0
    a = a * r + 1.42343711074968357734e0
    b = 1.05075007164441684324e-9
    b = b * r + 5.47593808499534494600e-4
    b = b * r + 1.51986665636164571966e-2
    b = b * r + 1.48103976427480074590e-1
    b = b * r + 6.89767334985100004550e-1
    b = b * r + 1.67638483018380384940e0
    b = b * r + 2.05319162663775882187e0
    b = b * r + 1.0
    return a / b


@jit
def far_tail(r: float) -> float:
    r = r - 5.0
    a = 2.01033439929228813265e-7
    a = a * r + 2.71155556874348757815e-5
    a = a * r + 1.24266094738807843860e-3
    a = a * r + 2.65321895265761230930e-2
    a = a * r + 2.96560571828504891230e-1
    a = a * r + 1.78482653991729133580e0
    a = a * r + 5.46378491116411436990e0
    a = a * r + 6.65790464350110377720e0
    b = 2.04426310338993978564e-15
    b = b * r + 1.42151175831644588870e-7
    b = b * r + 1.84631831751005468180e-5
    b = b * r + 7.86869131145613259100e-4
    b = b * r + 1.48753612908506148525e-2
    b = b * r + 1.36929880922735805310e-1
    b = b * r + 5.99832206555887937690e-1
    b = b * r + 1.0
    return a / b
