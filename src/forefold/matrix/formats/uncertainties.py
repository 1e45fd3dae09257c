"""Errors of rows of a HEPData table, label by label."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold.events.particles import near
from forefold.matrix.formats.hepdata_tables import decimal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Errors", "errors_of"]

_PLAIN = "error"  # label of errors without one
_SUMS = ("total", "tot", "sum")


class Errors(NamedTuple):
    """Errors of a table by label.

    Attributes
    ----------
    shifts : dict of str to ndarray, shape (rows,)
        Symmetric errors with their signs; labels whose errors are all 0 are left out.
    words : str
        Text that lists them and what was changed; empty if there are none.
    lacking : tuple of int
        Numbers of rows, from 0, without an error although other rows have one.
    """

    shifts: dict[str, Array]
    words: str
    lacking: tuple[int, ...] = ()

    @property
    def squares(self) -> Any:
        """Sum of squared errors over labels, shape (rows,); 0 if there are none."""
        return sum((np.square(shift) for shift in self.shifts.values()), np.zeros(()))


def errors_of(column: Any, values: Array, labels: Sequence[str] | None) -> Errors:
    """Read the errors of a dependent variable.

    Parameters
    ----------
    column : dict
        Dependent variable with ``values``, which may have ``errors``.
    values : ndarray, shape (rows,)
        Values of the rows, to which percentages refer.
    labels : sequence of str, optional
        Labels to read; all if left out.

    Returns
    -------
    Errors

    Raises
    ------
    ValueError
        If an error is no number or lacks one side, there is no such label, or both a total and its parts would be read.

    Notes
    -----
    A ``symerror`` s is a shift of s. An ``asymerror`` with plus p and minus m (signed, as HEPData has them) is a shift of (p - m) / 2; if both
    have the same sign, it is the larger one in magnitude.
    """
    shifts: dict[str, Array] = {}
    stated: dict[str, set[int]] = {}
    halved: Counter[str] = Counter()
    one_sided: Counter[str] = Counter()
    for i, label, error in _listed(column):
        try:
            sides = _sides(error, float(values[i]), label)
        except ValueError as wrong:
            message = f"row {i + 1}: {wrong}"
            raise ValueError(message) from None
        stated.setdefault(label, set()).add(i)
        shift = _shift(*sides)
        halved[label] += sides[0] != -sides[1]
        one_sided[label] += sides[0] * sides[1] > 0.0
        if shift:
            rows = shifts.setdefault(label, np.zeros(values.size))
            rows[i] = np.copysign(np.hypot(rows[i], shift), shift) if rows[i] else shift
    chosen = _chosen(shifts, labels)
    some = set().union(*(stated[label] for label in chosen))
    lacking = tuple(i for i in range(values.size) if i not in some) if some else ()
    words = ", ".join(chosen) + _asymmetry_note(*_sums(chosen, halved, one_sided))
    return Errors(chosen, words, lacking)


def _listed(column: Any) -> Iterator[tuple[int, str, Any]]:
    """Give each error with its row, counted from 0, and its label."""
    for i, row in enumerate(column["values"]):
        errors = row.get("errors") or []
        if not isinstance(errors, list) or not all(isinstance(error, dict) for error in errors):
            message = (
                f"row {i + 1}: errors: a list of errors such as {{symerror: 0.1, label: stat}} "
                f"is needed, found {str(errors)[:40]!r}"
            )
            raise ValueError(message)
        for error in errors:
            yield i, str(error.get("label") or _PLAIN), error


def _sums(chosen: dict[str, Array], *counts: Counter[str]) -> list[int]:
    return [sum(count[label] for label in chosen) for count in counts]


def _asymmetry_note(halved: int, one_sided: int) -> str:
    if not halved:
        return ""
    words = f"; {halved} asymmetric {'one' if halved == 1 else 'ones'} made symmetric"
    return words + (f", {one_sided} of them with both sides of one sign" if one_sided else "")


def _chosen(shifts: dict[str, Array], labels: Sequence[str] | None) -> dict[str, Array]:
    if labels is None:
        sums = [label for label in shifts if label.lower() in _SUMS]
        if sums and len(shifts) > 1:
            others = ", ".join(label for label in shifts if label not in sums)
            message = f"errors {sums[0]!r} and {others}: a sum beside its parts would count twice; say which are read: errors= (--error)"
            raise ValueError(message)
        return shifts
    labels = [labels] if isinstance(labels, str) else labels
    for label in labels:
        if label not in shifts:
            there = f"there are {', '.join(shifts)}" if shifts else "there are none"
            message = f"no errors {label!r}{near(label, list(shifts))}; {there}"
            raise ValueError(message)
    return {label: shifts[label] for label in labels}


def _sides(error: Any, value: float, label: str) -> tuple[float, float]:
    """Give an error as shifts up and down."""
    asymmetric = error.get("asymerror")
    if asymmetric is not None:
        absent = [key for key in ("plus", "minus") if key not in _mapping(asymmetric, label)]
        if absent:
            message = f"asymerror of {label!r} has no {absent[0]}; plus and minus are needed"
            raise ValueError(message)
        sides = [_number(asymmetric.get(key), value, label) for key in ("plus", "minus")]
        return sides[0], sides[1]
    if "symerror" not in error:
        message = f"error {label!r} has neither symerror nor asymerror"
        raise ValueError(message)
    size = _number(error["symerror"], value, label)
    return size, -size


def _mapping(value: Any, label: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        message = f"asymerror of {label!r} is {str(value)[:40]!r}; plus and minus are needed"
        raise ValueError(message)
    return value


def _number(error: Any, value: float, label: str) -> float:
    """Read a number, or a percentage of a value."""
    if error in (None, ""):
        return 0.0
    number, share = error, 1.0
    if isinstance(error, str) and error.strip().endswith("%"):
        number, share = error.strip().removesuffix("%").strip(), abs(value) / 100.0
    try:
        return decimal(number) * share
    except ValueError:
        message = f"error {label!r} is {str(error)[:40]!r}; a finite number in decimals or a percentage is needed"
        raise ValueError(message) from None


def _shift(plus: float, minus: float) -> float:
    if plus * minus > 0.0:
        return max(plus, minus, key=abs)
    return 0.5 * (plus - minus)
