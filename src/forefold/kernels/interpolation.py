"""Straight lines between points of a table, on logarithmic axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels.jit import jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["log_log"]


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
