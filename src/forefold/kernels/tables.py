"""Look-up in tables of one to three axes that lie flat in two arrays.

A row of `layout` says where a table is in `numbers`: see `LAYOUT_COLUMNS`. From `start` on there are the axes, one after
the other, the values in C order, and the value outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels.jit import jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LAYOUT_COLUMNS", "MAX_AXES", "look_up"]

MAX_AXES = 3
LAYOUT_COLUMNS = (
    "start",  # index into numbers
    "length0",  # edges or points of the first axis ...
    "length1",  # ... of the second and the third; 0: there is none
    "length2",
    "linear",  # 1: values at points, interpolated; 0: values of bins between edges
    "clamp",  # 1: what is outside is moved to the border; 0: the value outside
)


@jit
def _interval(x: float, axis: NDArray[np.float64], start: int, length: int) -> int:
    """Interval of an axis that holds x, from 0; the border's where x is outside. Half-open, the last one closed."""
    low = 0
    high = length - 1
    while high - low > 1:
        middle = (low + high) >> 1
        if x >= axis[start + middle]:
            low = middle
        else:
            high = middle
    return low


@jit
def look_up(
    layout: NDArray[np.int64],
    table: int,
    numbers: NDArray[np.float64],
    x: float,
    y: float,
    z: float,
) -> float:
    """Value of one table at a point; NaN where a coordinate is NaN.

    Parameters
    ----------
    layout : ndarray of int64, shape (tables, len(LAYOUT_COLUMNS))
    table : int
        Row of `layout`.
    numbers : ndarray of float64
    x, y, z : float
        Coordinates; those that the table does not have are not looked at.

    Returns
    -------
    float
        Interpolated linearly along each axis if so; exact at the points.
    """
    axes = 1 + np.int64(layout[table, 2] > 0) + np.int64(layout[table, 3] > 0)
    linear = layout[table, 4] == 1
    axis = layout[table, 0]
    cell = 0  # flat index of the lowest corner
    size = 1
    step0, step1, step2 = 0, 0, 0  # from a corner to the next one along each axis
    t0, t1, t2 = 0.0, 0.0, 0.0
    outside = False
    for k in range(axes):  # not unrolled: it would be compiled three times
        length = layout[table, 1 + k]
        v = x if k == 0 else (y if k == 1 else z)
        if np.isnan(v):
            return np.nan
        first, last = numbers[axis], numbers[axis + length - 1]
        if v < first or v > last:
            outside = True
            v = first if v < first else last
        i = _interval(v, numbers, axis, length)
        t = 0.0
        if linear:
            a, b = numbers[axis + i], numbers[axis + i + 1]
            t = (v - a) / (b - a)
        width = length if linear else length - 1
        cell = cell * width + i
        size *= width
        step0, step1 = step0 * width, step1 * width
        if k == 0:
            step0, t0 = 1, t
        elif k == 1:
            step1, t1 = 1, t
        else:
            step2, t2 = 1, t
        axis += length
    if outside and layout[table, 5] == 0:
        return numbers[axis + size]
    corner = axis + cell
    if not linear:
        return numbers[corner]
    total = 0.0
    for n in range(1 << axes):
        i, j, k = n & 1, (n >> 1) & 1, n >> 2
        weight = t0 if i == 1 else 1.0 - t0
        weight *= t1 if j == 1 else 1.0 - t1
        weight *= t2 if k == 1 else 1.0 - t2
        if weight != 0.0:
            total += weight * numbers[corner + i * step0 + j * step1 + k * step2]
    return total
