"""Columns of a record from what the user gave: scalars, flat arrays, nested lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from forefold._inputs import refuse_masked

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["column", "flatten"]


def flatten(
    given: dict[str, Any], counts: ArrayLike | None, offsets: ArrayLike | None
) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
    """Turn the particles into flat columns and the events' bounds."""
    bounds = _bounds(counts, offsets)
    columns: dict[str, Any] = {}
    for name, value in given.items():
        if not _nested(value):
            columns[name] = value
            continue
        lists = ak.Array(value)
        own = np.concatenate(([0], np.cumsum(ak.to_numpy(ak.num(lists, axis=1))))).astype(np.int64)
        if bounds is not None and not np.array_equal(bounds, own):
            msg = f"{name} has another number of particles per event than what came before it"
            raise ValueError(msg)
        bounds, columns[name] = own, ak.to_numpy(ak.flatten(lists, axis=1))
    if bounds is None:
        sizes = [np.size(value) for value in columns.values() if np.ndim(value) == 1]
        bounds = np.arange((sizes[0] if sizes else 1) + 1, dtype=np.int64)
    n = int(bounds[-1])
    kinds = {"pdgid": "i8", "status": "i4"}
    flat = {key: column(key, value, n, kinds.get(key, "f8")) for key, value in columns.items()}
    return flat, bounds


def _bounds(counts: ArrayLike | None, offsets: ArrayLike | None) -> NDArray[np.int64] | None:
    """Offsets of the events in the flat arrays, from counts or offsets."""
    if counts is not None and offsets is not None:
        msg = "give counts or offsets, not both"
        raise ValueError(msg)
    if offsets is not None:
        bounds = column("offsets", np.atleast_1d(offsets), np.size(offsets), "i8")
        if len(bounds) == 0 or bounds[0] != 0 or (np.diff(bounds) < 0).any():
            msg = "offsets must start at 0 and not decrease"
            raise ValueError(msg)
        return bounds
    if counts is None:
        return None
    numbers = column("counts", np.atleast_1d(counts), np.size(counts), "i8")
    if (numbers < 0).any():
        msg = "counts must not be negative"
        raise ValueError(msg)
    bounds = np.zeros(len(numbers) + 1, dtype=np.int64)
    np.cumsum(numbers, out=bounds[1:])
    return bounds


def column(name: str, value: Any, n: int, kind: str) -> NDArray[Any]:
    """One value for each of `n` rows, of the right type."""
    refuse_masked(name, value)
    array = np.asarray(value)
    if array.ndim > 1 or (array.ndim == 1 and len(array) != n):
        msg = f"{name} has shape {array.shape}, must be a scalar or of shape ({n},)"
        raise ValueError(msg)
    dtype = np.dtype(kind)
    whole = dtype.kind in "iu"
    if array.dtype.kind not in ("biu" if whole else "biuf") and array.size:
        msg = f"{name} holds {array.dtype} values, must be {'whole ' if whole else ''}numbers"
        raise ValueError(msg)
    if whole and array.size:
        limits = np.iinfo(dtype)
        low, high = int(array.min()), int(array.max())
        if low < limits.min or high > limits.max:
            msg = f"{name} has values from {low} to {high}, beyond the range of {dtype}"
            raise ValueError(msg)
    return np.ascontiguousarray(np.broadcast_to(array, n), dtype=dtype)


def _nested(value: Any) -> bool:
    """Tell whether a value holds one list an event."""
    if isinstance(value, ak.Array):
        return bool(value.ndim == 2)
    if isinstance(value, np.ndarray):
        return value.ndim == 2
    return (
        isinstance(value, list | tuple)
        and len(value) > 0
        and isinstance(value[0], list | tuple | np.ndarray)
    )
