"""Tails of the normal distribution and the like, from IEEE basic operations only.

`mills` is one polynomial (Chebyshev interpolation in 40 digits: ``mpmath.chebyfit``); all else follows from it and
from `forefold.kernels.math`. The tests hold every function against mpmath and state its error in ulp.
"""

from __future__ import annotations

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels.jit import jit

__all__ = [
    "exponential_minus1",
    "half_square_exponential",
    "mills",
    "normal_between",
    "normal_cdf",
    "normal_density",
    "normal_tail",
]

_INVERSE_SQRT_2PI = 0.3989422804014327
_UPPER_BITS = np.uint64(0xFFFFFFFFF8000000)  # 26 bits of the mantissa: their square is exact
_FAR = 39.0  # exp(-x^2/2) is zero beyond


@jit
def exponential_minus1(x: float) -> float:
    """e^x - 1, of a few ulp also for small x (Higham, Accuracy and Stability, section 1.14.1)."""
    y = fm.exponential(x)
    if y == 1.0:
        return x
    if y == np.inf or y - 1.0 == -1.0:
        return y - 1.0
    return (y - 1.0) * x / fm.logarithm(y)


@jit
def half_square_exponential(x: float) -> float:
    """exp(-x^2 / 2), without the rounding of the square: x is cut into two summands."""
    if not abs(x) < _FAR:
        return 0.0 if abs(x) >= _FAR else np.nan
    head = np.uint64(np.float64(x).view(np.uint64) & _UPPER_BITS).view(np.float64)
    return fm.exponential(-0.5 * head * head) * fm.exponential(-0.5 * (x - head) * (x + head))


@jit
def mills(x: float) -> float:
    """Mills' ratio (1 - Phi(x)) / phi(x) for x >= 0: the upper tail over the density.

    Notes
    -----
    The polynomial is (1 + x) times the ratio, in t = (x - 4)/(x + 4), from -1 to 1.
    """
    if not x < np.inf:
        return 0.0 if x == np.inf else np.nan
    t = (x - 4.0) / (x + 4.0)
    r = 4.4040925724540144e-10
    r = r * t - 1.6886238691550213e-09
    r = r * t - 6.516140128481229e-09
    r = r * t + 1.368462047478532e-08
    r = r * t + 5.065511960760191e-08
    r = r * t - 4.485292083319898e-08
    r = r * t - 2.8674105075603825e-07
    r = r * t - 3.238458448879413e-09
    r = r * t + 1.3905788437143398e-06
    r = r * t + 1.0196122279244076e-06
    r = r * t - 6.553236071353823e-06
    r = r * t - 8.606259855336527e-06
    r = r * t + 3.4158763380516596e-05
    r = r * t + 5.32669985227654e-05
    r = r * t - 0.00022021556122589934
    r = r * t - 0.00023670176561751564
    r = r * t + 0.0017418487711201582
    r = r * t - 0.0007159509042622868
    r = r * t - 0.012539103620118907
    r = r * t + 0.0449591290769844
    r = r * t - 0.08070800967906779
    r = r * t + 0.07169048120144073
    r = r * t + 0.035091880234748345
    r = r * t - 0.24239967052180816
    r = r * t + 1.1832619145678034
    return r / (1.0 + x)


@jit
def normal_density(x: float) -> float:
    """Density of the standard normal distribution."""
    return _INVERSE_SQRT_2PI * half_square_exponential(x)


@jit
def normal_tail(x: float) -> float:
    """Probability above x of the standard normal distribution; relative error of a few ulp for every x."""
    if x < 0.0:
        return 1.0 - normal_density(x) * mills(-x)
    return normal_density(x) * mills(x)


@jit
def normal_cdf(x: float) -> float:
    """Probability below x of the standard normal distribution; relative error of a few ulp for every x."""
    return normal_tail(-x)


@jit
def normal_between(low: float, high: float) -> float:
    """Probability from low to high of the standard normal distribution, by the smaller tails."""
    if not low < high:
        return 0.0
    if low > 0.0:
        return normal_tail(low) - normal_tail(high)
    if high < 0.0:
        return normal_tail(-high) - normal_tail(-low)
    return (1.0 - normal_tail(-low)) - normal_tail(high)
