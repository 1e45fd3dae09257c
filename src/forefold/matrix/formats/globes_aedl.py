"""The part of GLoBES's experiment definition language that a smearing matrix is written in.

A reader of numbers, lists and `energy` environments; it evaluates nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.events.particles import near

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = [
    "LARGEST",
    "Definitions",
    "energy_environment",
    "listed",
    "matrix_of",
    "name_of",
    "parsed",
]

LARGEST = 100_000  # bins of a file that is believed

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_SCALAR = re.compile(r"\$(\w+)\s*=\s*(\{[^}]*\}|[^\s{]+)")
_LIST = re.compile(r"%(\w+)\s*=\s*(\{[^}]*\})")
_ENERGY = re.compile(r"energy\s*\(\s*#(\w+)\s*\)\s*<([^>]*)>")
_ROW = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


@dataclass(frozen=True)
class Definitions:
    """What a file defines.

    Attributes
    ----------
    scalars : dict of str to str
        Texts of ``$name``.
    lists : dict of str to ndarray
        ``%name``.
    matrices : dict of str to list of ndarray
        Rows of each `energy` environment: first and last index, and the numbers from the one to the other.
    """

    scalars: dict[str, str]
    lists: dict[str, Array]
    matrices: dict[str, list[Array]]


def name_of(name: str) -> str:
    """Check a name of the language.

    Raises
    ------
    ValueError
        If it is none.
    """
    if not _NAME.fullmatch(name):
        message = f"name {name!r}: a letter, and then letters, digits or _ are allowed"
        raise ValueError(message)
    return name


def listed(values: Iterable[Any]) -> str:
    """Write numbers as a list, so that reading gives the same bits."""
    return "{" + ", ".join(_number(value) for value in values) + "}"


def _number(value: Any) -> str:
    if isinstance(value, int | np.integer):
        return str(int(value))
    return repr(float(value) + 0.0)  # no -0.0


def energy_environment(name: str, rows: Array, *, full: bool = False) -> str:
    """Write a smearing matrix.

    Parameters
    ----------
    name : str
    rows : ndarray, shape (n_reco, n_true)
        Rows are bins, columns sampling points.
    full : bool
        Write all columns of every row, rather than from the first that is not 0 to the last.

    Returns
    -------
    str
        The ``energy`` environment, with a line feed at its end.
    """
    lines = []
    for row in rows:
        some = np.flatnonzero(row)
        first, last = (0, row.size - 1) if full else (0, 0) if some.size == 0 else some[[0, -1]]
        numbers = [_number(each) for each in (int(first), int(last), *row[first : last + 1])]
        lines.append("{" + ",".join(numbers) + "}")
    body = ":\n".join(lines)
    return f"energy(#{name})<\n@energy = {body};\n>\n"


def parsed(text: str) -> Definitions:
    """Read the definitions of a file.

    Raises
    ------
    ValueError
        If a list is none of numbers.
    """
    plain = _COMMENT.sub(" ", text)
    scalars = {name: value for name, value in _SCALAR.findall(plain)}  # noqa: C416 - the last counts
    lists = {name: _numbers(value[1:-1], f"%{name}") for name, value in _LIST.findall(plain)}
    matrices: dict[str, list[Array]] = {}
    for name, body in _ENERGY.findall(plain):
        _, is_matrix, after = body.partition("@energy")
        if not is_matrix:
            continue  # a declaration, or a resolution that GLoBES computes
        rows, end, _ = after.partition(";")
        if not end:
            message = f"energy(#{name}): @energy does not end in ';'"
            raise ValueError(message)
        matrices[name] = [
            _numbers(row, f"energy(#{name}), row {i}") for i, row in enumerate(_ROW.findall(rows))
        ]
    return Definitions(scalars, lists, matrices)


def _numbers(text: str, where: str) -> Array:
    try:
        return np.array([float(part) for part in text.split(",")] if text.strip() else [])
    except ValueError:
        wrong = next(part.strip() for part in text.split(",") if not _is_number(part))
        message = f"{where}: {wrong[:40]!r} is not a number; expressions are not evaluated"
        raise ValueError(message) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def matrix_of(found: Definitions, name: str | None, columns: int | None) -> tuple[str, Array]:
    """Give a smearing matrix of a file.

    Parameters
    ----------
    found : Definitions
    name : str, optional
        Without ``#``; not needed where there is one.
    columns : int, optional
        Sampling points; the largest index says it if left out.

    Returns
    -------
    name : str
    rows : ndarray, shape (n_reco, n_true)

    Raises
    ------
    ValueError
        If there is none, more than one, or a row does not fit its indices.
    """
    known = ", ".join(found.matrices) or "none"
    if name is None:
        if len(found.matrices) != 1:
            message = f"{len(found.matrices)} smearing matrices (energy environments with @energy), found: {known}; say which with name="
            raise ValueError(message)
        (name,) = found.matrices
    if name not in found.matrices:
        message = f"no smearing matrix {name!r}{near(name, found.matrices)}; there are: {known}"
        raise ValueError(message)
    rows = found.matrices[name]
    for i, row in enumerate(rows):
        if row.size < 3 or not np.all(np.isfinite(row)) or np.any(row[:2] != np.floor(row[:2])):
            message = f"energy(#{name}), row {i}: two whole numbers and then finite ones are needed"
            raise ValueError(message)
        first, last = row[:2]
        top = LARGEST if columns is None else columns
        if not (0 <= first <= last < top and row.size == last - first + 3):
            message = (
                f"energy(#{name}), row {i}: indices {first:g} to {last:g} and {row.size - 2} numbers; indices go from 0 to "
                f"{top - 1}, with one number each"
            )
            raise ValueError(message)
    n = columns or 1 + int(max((row[1] for row in rows), default=0))
    made = np.zeros((len(rows), n))
    for i, row in enumerate(rows):
        made[i, int(row[0]) : int(row[1]) + 1] = row[2:]
    return name, made
