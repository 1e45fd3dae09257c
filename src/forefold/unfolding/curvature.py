"""Roughness of a histogram with any number of axes, as a matrix: sums of squared differences along the axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["roughness"]


def roughness(
    shape: tuple[int, ...],
    order: int = 2,
    *,
    kept: NDArray[np.bool_] | None = None,
    edges: bool = False,
) -> Array:
    """Differences along every axis of a histogram whose bins are flattened in C order.

    Parameters
    ----------
    shape : tuple of int
        Bins of the axes.
    order : {0, 1, 2}
        0: contents; 1: differences of neighbours; 2: second differences.
    kept : ndarray of bool, optional
        Bins there are; differences that need others are left out.
    edges : bool
        Second differences at the ends too, as first differences: what lies beyond equals the last bin.

    Returns
    -------
    ndarray, shape (differences, bins kept)

    Raises
    ------
    ValueError
        The order is another.

    Examples
    --------
    >>> roughness((4,)).tolist()
    [[1.0, -2.0, 1.0, 0.0], [0.0, 1.0, -2.0, 1.0]]
    >>> roughness((2, 2), 1).shape
    (4, 4)
    """
    if order not in (0, 1, 2):
        message = f"order of the differences: 0, 1 or 2 is allowed, found {order!r}"
        raise ValueError(message)
    bins = math.prod(shape)
    if order == 0:
        rows = np.eye(bins)
    else:
        blocks = [_along(shape, axis, order, edges) for axis in range(len(shape))]
        rows = np.concatenate(blocks) if blocks else np.zeros((0, bins))
    if kept is None or kept.all():
        return rows
    whole = ~(rows[:, ~kept] != 0.0).any(axis=1)
    return np.asarray(rows[whole][:, kept])


def _along(shape: tuple[int, ...], axis: int, order: int, edges: bool) -> Array:
    before, after = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    one = _differences(shape[axis], order, edges)
    return np.asarray(np.kron(np.kron(np.eye(before), one), np.eye(after)))


def _differences(bins: int, order: int, edges: bool) -> Array:
    rows = np.diff(np.eye(bins), order, axis=0) if bins > order else np.zeros((0, bins))
    if order == 2 and edges and bins > 1:
        first = np.diff(np.eye(bins), axis=0)
        rows = np.concatenate([first[:1], rows, -first[-1:]])
    return rows
