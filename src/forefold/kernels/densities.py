"""Densities and probabilities of the standard forms of `forefold.kernels.distributions`, and loops over flat arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels import special as fs
from forefold.kernels.distributions import (
    CRYSTAL_BALL,
    EXPONENTIAL,
    NORMAL,
    SQRT3,
    SQRT_2PI,
    TRUNCATED,
    UNIFORM,
    crystal_ball_tail,
    tabulated_quantile,
)
from forefold.kernels.energies import drawn_energy
from forefold.kernels.jit import jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "fill_between",
    "fill_log_normal",
    "fill_pdf",
    "fill_tabulated",
    "standard_between",
    "standard_pdf",
]


@jit
def _relative_tail(x: float, a: float) -> float:
    """Probability above x over the density at a, for x >= a > 0: it does not underflow far out."""
    return fs.mills(x) * fm.exponential(-0.5 * (x - a) * (x + a)) if x < np.inf else 0.0


@jit
def _truncated_between(low: float, high: float, a: float, b: float) -> float:
    if not a < b:
        return np.nan
    low, high = max(low, a), min(high, b)
    if not low < high:
        return 0.0
    if b < 0.0:
        a, b, low, high = -b, -a, -high, -low
    if a > 0.0:
        whole = fs.mills(a) - _relative_tail(b, a)
        return (_relative_tail(low, a) - _relative_tail(high, a)) / whole
    return fs.normal_between(low, high) / fs.normal_between(a, b)


@jit
def _truncated_pdf(t: float, a: float, b: float) -> float:
    if not a < b:
        return np.nan
    if not a <= t <= b:
        return 0.0
    if b < 0.0:
        t, a, b = -t, -b, -a
    if a > 0.0:
        return fm.exponential(-0.5 * (t - a) * (t + a)) / (fs.mills(a) - _relative_tail(b, a))
    return fs.normal_density(t) / fs.normal_between(a, b)


@jit
def _power_tail(t: float, alpha: float, n: float, power: float) -> float:
    """(1 + (t - alpha) alpha/n)^-power, for t >= alpha."""
    return fm.exponential(-power * fm.logarithm1p((t - alpha) * (alpha / n)))


@jit
def _crystal_ball_total(a: float, b: float, c: float, d: float) -> float:
    core = SQRT_2PI * fs.normal_between(-a, c)
    return crystal_ball_tail(a, b) + core + crystal_ball_tail(c, d)


@jit
def _crystal_ball_between(low: float, high: float, a: float, b: float, c: float, d: float) -> float:
    area = SQRT_2PI * fs.normal_between(max(low, -a), min(high, c))
    if low < -a:
        near, far = max(-high, a), -low
        part = _power_tail(near, a, b, b - 1.0) - _power_tail(far, a, b, b - 1.0)
        area += crystal_ball_tail(a, b) * part
    if high > c:
        near, far = max(low, c), high
        part = _power_tail(near, c, d, d - 1.0) - _power_tail(far, c, d, d - 1.0)
        area += crystal_ball_tail(c, d) * part
    return area / _crystal_ball_total(a, b, c, d)


@jit
def _crystal_ball_pdf(t: float, a: float, b: float, c: float, d: float) -> float:
    if t < -a:
        height = fs.half_square_exponential(a) * _power_tail(-t, a, b, b)
    elif t > c:
        height = fs.half_square_exponential(c) * _power_tail(t, c, d, d)
    else:
        height = fs.half_square_exponential(t)
    return height / _crystal_ball_total(a, b, c, d)


@jit
def _exponential_between(low: float, high: float, a: float) -> float:
    if a < 0.0:
        low, high = -high, -low
    low = max(low, 0.0)
    if not low < high:
        return 0.0
    return -fm.exponential(-low) * fs.exponential_minus1(low - high)


@jit
def standard_between(
    family: int, low: float, high: float, a: float, b: float, c: float, d: float
) -> float:
    """Probability from low to high of a family's standard form, by the nearer tail; 0 where low >= high.

    Parameters
    ----------
    family : int
        Index in `forefold.kernels.distributions.FAMILIES`; those without a standard form give NaN.
    low, high : float
        May be infinite.
    a, b, c, d : float
        See `forefold.kernels.distributions`.

    Returns
    -------
    float
    """
    if np.isnan(low) or np.isnan(high):
        return np.nan
    if family == NORMAL:
        return fs.normal_between(low, high)
    if family == TRUNCATED:
        return _truncated_between(low, high, a, b)
    if not low < high:
        return 0.0
    if family == CRYSTAL_BALL:
        return _crystal_ball_between(low, high, a, b, c, d)
    if family == EXPONENTIAL:
        return _exponential_between(low, high, a)
    if family == UNIFORM:
        inside = min(high, SQRT3) - max(low, -SQRT3)
        return max(inside, 0.0) / (2.0 * SQRT3)
    return np.nan


@jit
def standard_pdf(family: int, t: float, a: float, b: float, c: float, d: float) -> float:
    """Density of a family's standard form; parameters as in `standard_between`."""
    if family == NORMAL:
        return fs.normal_density(t)
    if family == TRUNCATED:
        return _truncated_pdf(t, a, b)
    if family == CRYSTAL_BALL:
        return _crystal_ball_pdf(t, a, b, c, d)
    if family == EXPONENTIAL:
        up = t if a > 0.0 else -t
        return fm.exponential(-up) if up >= 0.0 else 0.0
    if family == UNIFORM:
        return 0.5 / SQRT3 if abs(t) <= SQRT3 else 0.0
    return np.nan


@jit
def fill_pdf(
    family: int,
    t: NDArray[np.float64],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    c: NDArray[np.float64],
    d: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill `out` with `standard_pdf` of flat arrays of one length."""
    for i in range(t.size):
        out[i] = standard_pdf(family, t[i], a[i], b[i], c[i], d[i])


@jit
def fill_between(
    family: int,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    c: NDArray[np.float64],
    d: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill `out` with `standard_between` of flat arrays of one length."""
    for i in range(low.size):
        out[i] = standard_between(family, low[i], high[i], a[i], b[i], c[i], d[i])


@jit
def fill_log_normal(
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    u: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill `out` with draws from log-normals of given mean and relative variance."""
    for i in range(u.size):
        out[i] = drawn_energy(mean[i], variance[i], 0.0, u[i])


@jit
def fill_tabulated(
    edges: NDArray[np.float64],
    cumulative: NDArray[np.float64],
    row: NDArray[np.int64],
    u: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill `out` with `forefold.kernels.distributions.tabulated_quantile`; NaN where the row is negative."""
    for i in range(u.size):
        out[i] = tabulated_quantile(edges, cumulative, row[i], u[i]) if row[i] >= 0 else np.nan
