"""Values into bins, and weights into sums: the loops of filling."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forefold.kernels.jit import jit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Bins", "bin_indices", "bins_of", "joint_sums", "sums"]

_GUIDES = 8  # intervals of the guide for each bin
_FEW = 8  # bins that are looked through one by one


class Bins(NamedTuple):
    """Bins of one axis.

    Attributes
    ----------
    edges : ndarray of float64, shape (n + 1,)
    regular : bool
        Whether they are equally wide, and found by a division.
    guide : ndarray of int64, shape (g + 1,)
        Bins at the edges of g equally wide intervals, between which the others are searched.
    """

    edges: NDArray[np.float64]
    regular: bool
    guide: NDArray[np.int64]


def bins_of(edges: ArrayLike, *, regular: bool) -> Bins:
    """Prepare the edges of an axis for a fast search of bins.

    Parameters
    ----------
    edges : array_like, shape (n + 1,)
        Finite, ascending.
    regular : bool
        Whether they are equally wide.

    Returns
    -------
    Bins
    """
    bounds = np.ascontiguousarray(edges, dtype=np.float64)
    n = bounds.size - 1
    at = np.linspace(bounds[0], bounds[-1], 1 if regular else _GUIDES * n + 1)
    guide = np.searchsorted(bounds, at, side="right") - 1
    return Bins(bounds, regular, np.clip(guide, 0, n - 1).astype(np.int64))


@jit
def _regular(
    index: NDArray[np.int64],
    values: NDArray[np.float64],
    low: float,
    width: float,
    n: int,
    first: bool,
) -> None:
    """Find regular bins as boost-histogram does; 0 is underflow, -1 is NaN."""
    for i in range(values.size):
        x = values[i]
        z = (x - low) / width
        k = 0
        if z >= 0.0:
            k = int(z * n) + 1 if z < 1.0 else n + 1
        if x != x:  # noqa: PLR0124 - NaN
            k = -1
        if not first:
            k = index[i] * (n + 2) + k if k >= 0 and index[i] >= 0 else -1
        index[i] = k


@jit
def _variable(
    index: NDArray[np.int64],
    values: NDArray[np.float64],
    edges: NDArray[np.float64],
    guide: NDArray[np.int64],
    first: bool,
) -> None:
    """Find other bins: by the guide, from there by halving, and the last of the way step by step."""
    n, g = edges.size - 1, guide.size - 1
    start, end = edges[0], edges[n]
    scale = g / (end - start)
    for i in range(values.size):
        x = values[i]
        k = 0
        if x >= end:
            k = n + 1
        elif x >= start:
            place = (x - start) * scale
            # edges so near to each other that the scale is infinite: the steps find it from anywhere
            at = int(place) if 0.0 <= place < g else g - 1
            low, high = guide[at], guide[at + 1] + 1
            while high - low > _FEW:
                middle = (low + high) >> 1
                if x >= edges[middle]:
                    low = middle
                else:
                    high = middle
            # steps in both directions: the place has been rounded
            while x >= edges[low + 1]:
                low += 1
            while x < edges[low]:
                low -= 1
            k = low + 1
        elif x != x:  # noqa: PLR0124 - NaN
            k = -1
        if not first:
            k = index[i] * (n + 2) + k if k >= 0 and index[i] >= 0 else -1
        index[i] = k


def bin_indices(axes: list[Bins], columns: list[NDArray[np.float64]]) -> NDArray[np.int64]:
    """Find the bin of every entry over several axes.

    Parameters
    ----------
    axes : list of Bins
    columns : list of ndarray of float64, shape (n,)
        One an axis.

    Returns
    -------
    ndarray of int64, shape (n,)
        In C order, with under- and overflow; -1 where a value is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> axis = bins_of([0.0, 1.0, 3.0], regular=False)
    >>> bin_indices([axis], [np.array([-1.0, 0.0, 1.0, 3.0, np.nan])]).tolist()
    [0, 1, 2, 3, -1]
    """
    index = np.empty(columns[0].size, dtype=np.int64)
    for k, (axis, values) in enumerate(zip(axes, columns, strict=True)):
        x = np.ascontiguousarray(values, dtype=np.float64)
        low, high = axis.edges[0], axis.edges[-1]
        if axis.regular:
            _regular(index, x, low, high - low, axis.edges.size - 1, k == 0)
        else:
            _variable(index, x, axis.edges, axis.guide, k == 0)
    return index


@jit
def sums(cell: NDArray[np.int64], weight: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Add weights and their squares.

    Parameters
    ----------
    cell : ndarray of int64, shape (n,)
        Negative ones are left out.
    weight : ndarray of float64, shape (n,)
    out : ndarray of float64, shape (bins, 2)
        Changed.
    """
    for i in range(cell.size):
        c = cell[i]
        if c >= 0:
            w = weight[i]
            out[c, 0] += w
            out[c, 1] += w * w


@jit
def joint_sums(
    true: NDArray[np.int64],
    reco: NDArray[np.int64],
    weight: NDArray[np.float64],
    both: NDArray[np.float64],
    alone: NDArray[np.float64],
) -> None:
    """Add weights and their squares of what is reconstructed, with truth and without.

    Parameters
    ----------
    true, reco : ndarray of int64, shape (n,)
        Negative where there is no truth, or where it is missed.
    weight : ndarray of float64, shape (n,)
    both : ndarray of float64, shape (true bins, reco bins, 2)
        Changed.
    alone : ndarray of float64, shape (reco bins, 2)
        Changed.
    """
    for i in range(reco.size):
        r = reco[i]
        if r >= 0:
            w, t = weight[i], true[i]
            if t >= 0:
                both[t, r, 0] += w
                both[t, r, 1] += w * w
            else:
                alone[r, 0] += w
                alone[r, 1] += w * w
