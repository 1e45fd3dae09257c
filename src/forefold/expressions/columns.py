"""Columns of a namespace as flat arrays of one length, and results in the shape of the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.expressions.evaluate import Truth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from forefold.expressions.tree import Kind

__all__ = ["Columns"]


class Columns:
    """Named columns, flat.

    Parameters
    ----------
    values : mapping of str to array or scalar
    kinds : mapping of str to {"number", "condition"}
        What to look up, and what it must be.

    Attributes
    ----------
    flat : dict of str to float64 array or Truth
    """

    def __init__(self, values: Mapping[str, Any], kinds: Mapping[str, Kind]) -> None:
        given = {name: values[name] for name in kinds}
        lists = {name: value for name, value in given.items() if _has_lists(value)}
        self._counts = _common_counts(lists)
        self._rows = _common_rows(given, lists, self._counts)
        self.flat = {name: self._flat(name, value) for name, value in given.items()}
        for name, kind in kinds.items():
            found = "condition" if isinstance(self.flat[name], Truth) else "number"
            if found != kind:
                message = f"{name!r} holds {found}s, a {kind} was announced"
                raise ValueError(message)

    def shaped(self, result: NDArray[Any]) -> Any:
        """Give a result the shape of the columns."""
        if self._counts is None:
            shape = () if self._rows is None else (self._rows,)
            return np.broadcast_to(result, shape).copy() if result.shape != shape else result
        import awkward as ak

        whole = np.broadcast_to(result, (int(self._counts.sum()),))
        return ak.unflatten(whole, self._counts)

    def shaped_truth(self, result: Truth) -> Any:
        """Give conditions the shape of the columns; what is not known is masked."""
        value, known = self.shaped(result.value), self.shaped(result.known)
        if self._counts is None:
            return np.ma.masked_array(value, ~known)
        import awkward as ak

        return ak.mask(value, known)

    def _flat(self, name: str, value: Any) -> NDArray[np.float64] | Truth:
        if _has_lists(value):
            import awkward as ak

            return _column(name, ak.flatten(value, axis=1))
        column = _column(name, value)
        if self._counts is None:
            return column
        if isinstance(column, Truth):
            return Truth(self._repeated(column.value), self._repeated(column.known))
        return self._repeated(column)

    def _repeated(self, column: NDArray[Any]) -> NDArray[Any]:
        assert self._counts is not None
        return np.repeat(column, self._counts) if column.ndim else column


def _has_lists(value: Any) -> bool:
    """Tell an awkward array of lists; nothing else can hold them, and awkward is loaded already if it is one."""
    return type(value).__module__.startswith("awkward") and value.ndim > 1


def _common_counts(lists: Mapping[str, Any]) -> NDArray[np.int64] | None:
    if not lists:
        return None
    import awkward as ak

    first, *others = lists
    for name in lists:
        if lists[name].ndim != 2:
            message = f"{name} has {lists[name].ndim} dimensions, an expression takes one or two"
            raise ValueError(message)
    counts = np.asarray(ak.to_numpy(ak.num(lists[first], axis=1)), dtype=np.int64)
    for name in others:
        if not np.array_equal(counts, ak.to_numpy(ak.num(lists[name], axis=1))):
            message = f"{name} and {first} have lists of different lengths"
            raise ValueError(message)
    return counts


def _common_rows(
    given: Mapping[str, Any], lists: Mapping[str, Any], counts: NDArray[np.int64] | None
) -> int | None:
    """Rows of the columns; None if all are scalars."""
    rows = None if counts is None else len(counts)
    for name, value in given.items():
        if name in lists:
            continue
        shape = np.shape(value)
        if len(shape) > 1 or (shape and rows is not None and shape[0] != rows):
            message = f"{name} has shape {shape}, the other columns have {rows} rows"
            raise ValueError(message)
        rows = shape[0] if shape else rows
    return rows


def _column(name: str, value: Any) -> NDArray[np.float64] | Truth:
    """Turn one flat column into numbers with NaN, or into conditions that may be unknown."""
    if type(value).__module__.startswith("awkward"):
        import awkward as ak

        value = ak.to_numpy(value, allow_missing=True)
    missing = np.ma.getmaskarray(value) if np.ma.isMaskedArray(value) else None
    data = np.asarray(np.ma.getdata(value))
    if data.dtype.kind == "b":
        known = np.ones_like(data) if missing is None else ~missing
        return Truth(data & known, known)
    if data.dtype.kind not in "iuf":
        message = f"{name} holds {data.dtype} values, an expression takes numbers or conditions"
        raise ValueError(message)
    numbers = data.astype(np.float64)
    if missing is not None:
        numbers[missing] = np.nan
    return numbers
