"""Standard forms of the families of distributions, and draws of directions: x = location + sigma q(u).

The door is `standard_quantile`. Families are codes: the index in `FAMILIES`. What `a`, `b`, `c`, `d` mean:

================  =======================================================================================
family            parameters of the standard form
================  =======================================================================================
normal            none
none              none; the quantile is 0
truncated-normal  a, b: bounds in units of sigma from the location; a < b, either may be infinite
crystal-ball      a, b: alpha and n of the lower tail; c, d: of the upper tail; alpha > 0 (inf: no tail), n > 1
exponential       a: +1 (tail upwards) or -1 (downwards); sigma is its mean
uniform           none; of standard deviation 1
================  =======================================================================================

``log-normal`` (`forefold.kernels.launch.drawn_energy`) and ``tabulated`` (`tabulated_quantile`) are no location-scale
families: they have codes and give NaN here, as does an unknown code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels import special as fs
from forefold.kernels.jit import jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "FAMILIES",
    "crystal_ball_masses",
    "crystal_ball_quantile",
    "standard_quantile",
    "standard_quantiles",
    "tabulated_quantile",
    "truncated_quantile",
]

FAMILIES = (
    "log-normal",
    "normal",
    "none",
    "truncated-normal",
    "crystal-ball",
    "exponential",
    "uniform",
    "tabulated",
)
"""The families; a family's code is its index."""

NORMAL, NONE, TRUNCATED, CRYSTAL_BALL, EXPONENTIAL, UNIFORM = range(1, 7)

SQRT3 = 1.7320508075688772
SQRT_2PI = 2.5066282746310002
_FAR = 30.0  # sigma; beyond, probabilities come near the smallest number
_STEPS = 4


@jit
def _beyond(a: float, b: float, u: float) -> float:
    """Quantile of a normal cut to (a, b), with a far up: Newton's method on the logarithm of the tail.

    Notes
    -----
    The tail above x is phi(x) R(x), R being Mills' ratio. The logarithm is concave, and the start is above the
    root, so the steps come down to it; four of them are at full precision from a = 30.
    """
    rest = 0.0
    ratio = fs.mills(a)
    if b < np.inf:
        rest = fs.mills(b) / ratio * fm.exponential(-0.5 * (b - a) * (b + a))
    w = fm.logarithm((1.0 - u) + u * rest)
    x = a - w / a
    for _ in range(_STEPS):
        r = fs.mills(x)
        excess = fm.logarithm(r / ratio) - 0.5 * (x - a) * (x + a) - w
        x += excess * r
    return x


@jit
def truncated_quantile(a: float, b: float, u: float) -> float:
    """Quantile of the standard normal cut to (a, b)."""
    if not a < b:
        return np.nan
    if b <= 0.0:  # looked at from the other side
        return -_truncated_upper(-b, -a, 1.0 - u)
    return _truncated_upper(a, b, u)


@jit
def _truncated_upper(a: float, b: float, u: float) -> float:
    if a > _FAR:
        x = _beyond(a, b, u)
    else:
        upper = fs.normal_tail(b)
        if a > 0.0:
            above = (1.0 - u) * fs.normal_tail(a) + u * upper
            x = -fm.normal_quantile(above)
        else:
            lower = fs.normal_tail(-a)
            inside = (1.0 - lower) - upper
            below = lower + u * inside
            if below < 0.5:
                x = fm.normal_quantile(below)
            else:
                x = -fm.normal_quantile(upper + (1.0 - u) * inside)
    return min(max(x, a), b)


@jit
def crystal_ball_tail(alpha: float, n: float) -> float:
    """Integral of the power-law tail beyond alpha, where the core is exp(-t^2/2)."""
    return n / alpha / (n - 1.0) * fs.half_square_exponential(alpha)


@jit
def crystal_ball_masses(
    a: float, b: float, c: float, d: float
) -> tuple[float, float, float, float, float]:
    """Integrals over lower tail, core and upper tail, and the normal tails beyond a and c: all that a draw needs."""
    beyond_a, beyond_c = fs.normal_tail(a), fs.normal_tail(c)
    core = SQRT_2PI * ((1.0 - beyond_a) - beyond_c)
    return crystal_ball_tail(a, b), core, crystal_ball_tail(c, d), beyond_a, beyond_c


@jit
def crystal_ball_quantile(
    u: float,
    a: float,
    b: float,
    c: float,
    d: float,
    masses: tuple[float, float, float, float, float],
) -> float:
    """Quantile of the double-sided Crystal Ball function, always from the nearer end.

    Where the parameters stay the same, `masses` (of `crystal_ball_masses`) is found once for many draws.

    References
    ----------
    M. Oreglia, SLAC-R-236 (1980), appendix D; J. Gaiser, SLAC-R-255 (1982), appendix F; here with two tails.
    """
    lower, core, upper, beyond, beyond_c = masses
    total = lower + core + upper
    below = u * total
    sign = 1.0
    if below > lower + 0.5 * core:
        below = (1.0 - u) * total
        a, b, lower, beyond, sign = c, d, upper, beyond_c, -1.0
    if below < lower:
        # ((B - t) alpha/n)^(1-n) is the fraction of the tail
        grown = fs.exponential_minus1(-fm.logarithm(below / lower) / (b - 1.0))
        return sign * (-a - b / a * grown)
    return sign * fm.normal_quantile(beyond + (below - lower) / SQRT_2PI)


@jit
def standard_quantile(family: int, u: float, a: float, b: float, c: float, d: float) -> float:
    """Quantile of a family's standard form.

    Parameters
    ----------
    family : int
        Index in `FAMILIES`.
    u : float
        Between 0 and 1, both excluded, with 1 - u exact, as the engine's uniforms are.
    a, b, c, d : float
        See the head of this module; numbers that a family does not use are ignored.

    Returns
    -------
    float
        q, of which x = location + sigma q; NaN for log-normal, tabulated and unknown codes.

    Notes
    -----
    Checked against mpmath: within 16 ulp for normal, exponential and uniform; within 5e-15 of max(1, |q|) for the
    truncated normal with bounds up to 1e6 sigma away, within 2e-14 for the Crystal Ball function.

    Examples
    --------
    >>> standard_quantile(FAMILIES.index("truncated-normal"), 0.5, 40.0, 41.0, 0.0, 0.0)
    40.01731...
    """
    if family == NORMAL:
        return fm.normal_quantile(u)
    if family == NONE:
        return 0.0
    if family == TRUNCATED:
        return truncated_quantile(a, b, u)
    if family == CRYSTAL_BALL:
        return crystal_ball_quantile(u, a, b, c, d, crystal_ball_masses(a, b, c, d))
    if family == EXPONENTIAL:
        return fm.logarithm(u) if a < 0.0 else -fm.logarithm1p(-u)
    if family == UNIFORM:
        return SQRT3 * (2.0 * u - 1.0)
    return np.nan


@jit
def standard_quantiles(
    family: int,
    u: NDArray[np.float64],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    c: NDArray[np.float64],
    d: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill `out` with `standard_quantile` of flat arrays of one length."""
    for i in range(u.size):
        out[i] = standard_quantile(family, u[i], a[i], b[i], c[i], d[i])


@jit
def tabulated_quantile(
    edges: NDArray[np.float64], cumulative: NDArray[np.float64], row: int, u: float
) -> float:
    """Quantile of a histogram that is flat within its bins.

    Parameters
    ----------
    edges : ndarray of float64, shape (k + 1,)
        Ascending.
    cumulative : ndarray of float64, shape (rows, k + 1)
        Probability below each edge, from 0 to 1.
    row : int
    u : float
        From 0 to below 1.

    Returns
    -------
    float
    """
    low, high = 0, edges.size - 1
    while high - low > 1:
        middle = (low + high) >> 1
        if cumulative[row, middle] <= u:
            low = middle
        else:
            high = middle
    inside = cumulative[row, low + 1] - cumulative[row, low]
    if not inside > 0.0:
        return edges[low]
    share = min((u - cumulative[row, low]) / inside, 1.0)
    return edges[low] + share * (edges[low + 1] - edges[low])
