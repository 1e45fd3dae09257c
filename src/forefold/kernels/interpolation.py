"""Tables: look-up in one to three axes that lie flat in two arrays, and straight lines between points on logarithmic axes.

A row of `layout` says where a table is in `numbers`: see `LAYOUT_COLUMNS`. From `start` on there are the axes, one after
the other, the values in C order, and the value outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels.jit import jit, jit_inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LAYOUT_COLUMNS", "log_log", "look_up"]

_SHORT = 65  # so few edges are counted faster than halved: the processor cannot predict halving
LAYOUT_COLUMNS = (
    "start",  # index into numbers
    "length0",  # edges or points of the first axis ...
    "length1",  # ... of the second and the third; 0: there is none
    "length2",
    "linear",  # 1: values at points, interpolated; 0: values of bins between edges
    "clamp",  # 1: what is outside is moved to the border; 0: the value outside
)


@jit_inner
def look_up(
    layout: NDArray[np.int64],
    numbers: NDArray[np.float64],
    out: NDArray[np.float64],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    c: NDArray[np.float64],
    n: int,
) -> None:
    """Look n points up in one table; NaN where a coordinate is NaN.

    Parameters
    ----------
    layout : ndarray of int64, shape (len(LAYOUT_COLUMNS),)
        The table's row.
    numbers : ndarray of float64
        Of all tables.
    out : ndarray of float64
        What is found: interpolated linearly along each axis if so, exact at the points.
    a, b, c : ndarray of float64
        Coordinates; those that the table does not have are not looked at.
    n : int
    """
    axes = 1 + np.int64(layout[2] > 0) + np.int64(layout[3] > 0)
    linear, clamp = layout[4] == 1, layout[5] == 1
    # arrays are handed to no function in these loops: counting their owners costs more than the look-up
    for p in range(n):
        start = layout[0]
        cell = 0  # flat index of the lowest corner
        size = 1
        step0, step1, step2 = 0, 0, 0  # from a corner to the next one along each axis
        t0, t1, t2 = 0.0, 0.0, 0.0
        outside = False
        unknown = False
        for k in range(axes):
            x = a[p] if k == 0 else (b[p] if k == 1 else c[p])
            unknown |= np.isnan(x)
            length = layout[1 + k]
            v = min(max(x, numbers[start]), numbers[start + length - 1])
            outside |= v != x
            # the interval that holds v: half-open, the last one closed
            low, high = 0, length - 1
            if length <= _SHORT:
                for m in range(start + 1, start + high):
                    low += int(v >= numbers[m])
            else:
                while high - low > 1:
                    middle = (low + high) >> 1
                    if v >= numbers[start + middle]:
                        low = middle
                    else:
                        high = middle
            t = 0.0
            if linear:
                below = numbers[start + low]
                t = (v - below) / (numbers[start + low + 1] - below)
            width = length if linear else length - 1
            cell = cell * width + low
            size *= width
            step0, step1 = step0 * width, step1 * width
            if k == 0:
                step0, t0 = 1, t
            elif k == 1:
                step1, t1 = 1, t
            else:
                step2, t2 = 1, t
            start += length
        if unknown:
            out[p] = np.nan
        elif outside and not clamp:
            out[p] = numbers[start + size]
        elif not linear:
            out[p] = numbers[start + cell]
        else:
            total = 0.0
            for corner in range(1 << axes):
                i, j, k = corner & 1, (corner >> 1) & 1, corner >> 2
                weight = t0 if i == 1 else 1.0 - t0
                weight *= t1 if j == 1 else 1.0 - t1
                weight *= t2 if k == 1 else 1.0 - t2
                if weight != 0.0:
                    total += weight * numbers[start + cell + i * step0 + j * step1 + k * step2]
            out[p] = total


@jit
def _log_log_point(x: float, log_x: NDArray[np.float64], log_y: NDArray[np.float64]) -> float:
    """Value of a table at x > 0, by bisection; the first and the last line go on beyond the ends."""
    position = fm.logarithm(x)
    low, high = 0, log_x.size - 1
    while high - low > 1:
        middle = (low + high) >> 1
        if log_x[middle] <= position:
            low = middle
        else:
            high = middle
    slope = (log_y[high] - log_y[low]) / (log_x[high] - log_x[low])
    return fm.exponential(log_y[low] + slope * (position - log_x[low]))


@jit
def _log_log_all(
    x: NDArray[np.float64],
    log_x: NDArray[np.float64],
    log_y: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    for i in range(x.size):
        if x[i] > 0.0:
            out[i] = _log_log_point(x[i], log_x, log_y)
        elif x[i] <= 0.0:
            out[i] = 0.0
        else:
            out[i] = np.nan


def log_log(
    x: NDArray[np.float64], log_x: NDArray[np.float64], log_y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate a table of positive numbers that rises in both columns: a power law between two points.

    Parameters
    ----------
    x : ndarray of float64
        Any shape.
    log_x, log_y : ndarray of float64, shape (m,)
        Logarithms of the table, `log_x` strictly rising, m at least 2.

    Returns
    -------
    ndarray of float64
        In the shape of `x`: zero at and below zero, NaN at NaN, the first or last power law beyond the table.

    Examples
    --------
    >>> import numpy as np
    >>> table = np.array([1.0, 2.0, 4.0])
    >>> log_log(np.array([-1.0, 0.5, 3.0]), np.log(table), np.log(table**2)).round(12).tolist()
    [0.0, 0.25, 9.0]
    """
    flat = np.ascontiguousarray(x, dtype=np.float64).ravel()
    out = np.empty(flat.size)
    _log_log_all(flat, log_x, log_y, out)
    return out.reshape(np.shape(x))
