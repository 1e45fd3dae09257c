"""Smearing matrices of GLoBES as rows of text: writing, reading and checking.

A row is a reconstructed bin: the first and the last sampling point that it has numbers for, counted from 0, and the numbers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.events.particles import near
from forefold.matrix.formats.common import PRINTED
from forefold.matrix.formats.globes_aedl import LARGEST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from forefold.matrix.formats.globes_aedl import Definitions, Row

    Array = NDArray[np.float64]

__all__ = ["check_probabilities", "energy_environment", "listed", "matrix_of", "name_of"]

_MOST_ELEMENTS = 100_000_000  # of a matrix that is believed
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


def name_of(name: str) -> str:
    """Check that a name is valid in AEDL.

    Raises
    ------
    ValueError
        If it is not valid.
    """
    if not _NAME.fullmatch(name):
        message = f"name {name!r}: a letter, and then letters, digits or _ are allowed"
        raise ValueError(message)
    return name


def listed(values: Iterable[Any]) -> str:
    """Write numbers as a list in AEDL, with all digits."""
    return "{" + ", ".join(_written(value) for value in values) + "}"


def _written(value: Any) -> str:
    if isinstance(value, int | np.integer):
        return str(int(value))
    return repr(float(value) + 0.0)  # no -0.0


def energy_environment(name: str, rows: Array, *, full: bool = False) -> str:
    """Write a smearing matrix as an ``energy`` environment.

    Parameters
    ----------
    name : str
        Name of the environment.
    rows : ndarray, shape (n_reco, n_true)
        Rows are reconstructed bins, columns sampling points.
    full : bool
        Write all columns of every row, not only those from the first to the last that is not 0.

    Returns
    -------
    str
        The ``energy`` environment, with a line feed at its end.
    """
    lines = []
    for row in rows:
        some = np.flatnonzero(row)
        first, last = (0, row.size - 1) if full else (0, 0) if some.size == 0 else some[[0, -1]]
        numbers = [_written(value) for value in (int(first), int(last), *row[first : last + 1])]
        lines.append("{" + ",".join(numbers) + "}")
    body = ":\n".join(lines)
    return f"energy(#{name})<\n@energy = {body};\n>\n"


def matrix_of(content: Definitions, name: str | None, columns: int | None) -> tuple[str, Array]:
    """Put a smearing matrix together from the rows of a file.

    Parameters
    ----------
    content : Definitions
    name : str, optional
        Name without ``#``; not needed if there is only one matrix.
    columns : int, optional
        Number of sampling points; from the largest index if left out.

    Returns
    -------
    name : str
    rows : ndarray, shape (n_reco, n_true)

    Raises
    ------
    ValueError
        If there is no such matrix, several without a name to choose, or a row does not fit its indices.
    """
    names = ", ".join(content.matrices) or "none"
    if name is None:
        if len(content.matrices) != 1:
            message = f"{len(content.matrices)} smearing matrices (energy environments with @energy): {names}; say which with name= (--name)"
            raise ValueError(message)
        (name,) = content.matrices
    if name not in content.matrices:
        message = f"no smearing matrix {name!r}{near(name, content.matrices)}; there are: {names}"
        raise ValueError(message)
    rows = content.matrices[name]
    top = LARGEST if columns is None else columns
    for i, (row, place) in enumerate(rows):
        where = f"{place}: energy(#{name}), row {i}"
        if row.size < 3 or np.any(row[:2] != np.floor(row[:2])):
            message = f"{where}: two whole numbers, and then as many as they say, are needed"
            raise ValueError(message)
        first, last = row[:2]
        if not (0 <= first <= last < top and row.size == last - first + 3):
            message = (
                f"{where}: indices {first:g} to {last:g} and {row.size - 2} numbers; indices go from 0 to "
                f"{top - 1}, with one number each"
            )
            raise ValueError(message)
    n = columns or 1 + int(max((row.values[1] for row in rows), default=0))
    if len(rows) * n > _MOST_ELEMENTS:
        message = f"energy(#{name}): {len(rows)} rows of {n} columns; {_MOST_ELEMENTS:,} cells are believed"
        raise ValueError(message)
    elements = np.zeros((len(rows), n))
    for i, (row, _) in enumerate(rows):
        elements[i, int(row[0]) : int(row[1]) + 1] = row[2:]
    return name, elements


def check_probabilities(name: str, rows: list[Row], elements: Array, edges: Array) -> None:
    """Refuse a smearing matrix whose elements are no probabilities.

    Parameters
    ----------
    name : str
        Name of the environment.
    rows : list of Row
        Its rows, for their place in the file.
    elements : ndarray, shape (n_reco, n_true)
    edges : ndarray, shape (n_true + 1,), GeV

    Raises
    ------
    ValueError
        If a number is negative, or a column sums to more than 1 by more than 1 %; the message says file, line, row, column and its limits.
    """
    sums = np.cumsum(elements, axis=0)
    for bad, words in (
        (elements < 0.0, "holds {cell:g}; 0 or more is needed"),
        (
            sums > 1.0 + PRINTED,
            "sums to {sum:.6g} with this row; what becomes of a true bin sums to at most 1: is the matrix the other way round?",
        ),
    ):
        if bad.any():
            i, j = (int(k) for k in np.argwhere(bad)[0])
            what = words.format(cell=elements[i, j], sum=sums[i, j])
            message = (
                f"{rows[i].place}: energy(#{name}), row {i}: column {j} (true bin from {edges[j]:.6g} to "
                f"{edges[j + 1]:.6g} GeV) {what}"
            )
            raise ValueError(message)
