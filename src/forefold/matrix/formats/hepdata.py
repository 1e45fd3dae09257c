"""HEPData: a submission folder with tables of the response and the efficiency, in YAML.

A row of the table ``response`` is a cell: bins of the true axes and of the reconstructed ones, the probability and its statistical error. The
table ``efficiency`` has a row a true bin, with the truth of the matrix.

References
----------
HEPData submission documentation, "Data Files" (https://hepdata-submission.readthedocs.io); JSON schemas 1.1.1 of hepdata-validator.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hist
import numpy as np

from forefold._about import __version__
from forefold.io.folders import folder_aside
from forefold.matrix.axes import SIDE_WORDS
from forefold.matrix.contents import shape_of
from forefold.matrix.formats.common import (
    EmptyRows,
    Exported,
    how_many_true,
    left_out,
    positive_rows,
    published_matrix,
    shares,
)
from forefold.matrix.formats.hepdata_tables import (
    axis_label,
    axis_name,
    dependent,
    loaded,
    numbers,
    placed,
)
from forefold.matrix.formats.spectra import PublishedSpectrum, published
from forefold.matrix.formats.uncertainties import errors_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from forefold.matrix import ResponseMatrix
    from forefold.matrix.axes import Side

    Array = NDArray[np.float64]

__all__ = ["read", "read_spectrum", "write"]

_WHAT = "HEPData"
_TABLE = "response.yaml"
_HEADER = "Response"


def write(
    matrix: ResponseMatrix,
    path: str | Path,
    *,
    empty_rows: EmptyRows = "stop",
    overwrite: bool = False,
) -> Exported:
    """Write a folder: ``submission.yaml``, ``response.yaml`` and ``efficiency.yaml``.

    Parameters
    ----------
    matrix : ResponseMatrix
        Any axes.
    path : str or Path
        Of the folder.
    empty_rows : {"stop", "lose"}
    overwrite : bool

    Returns
    -------
    Exported
    """
    rows = positive_rows(matrix, _WHAT, empty_rows)
    errors = np.zeros_like(rows) if matrix.exact else np.sqrt(np.asarray(matrix.variance))
    both = (*matrix.true_axes, *matrix.reco_axes)
    _, seen = shares(rows)
    spread = np.zeros_like(seen)
    if not matrix.exact:
        spread = np.sqrt(np.maximum(matrix.row_covariance().sum(axis=(1, 2)), 0.0))
    total = np.asarray(matrix.truth.values(), dtype=np.float64).reshape(-1)
    about = {"Efficiency": (seen, spread)}
    if matrix.knows_truth:
        about["Truth"] = (total, np.zeros_like(total))
    tables = {
        _TABLE: _table(both, {_HEADER: (rows.reshape(-1), errors.reshape(-1))}),
        "efficiency.yaml": _table(matrix.true_axes, about),
        "submission.yaml": _submission(matrix),
    }
    with folder_aside(path, overwrite) as aside:
        for name, text in tables.items():
            (aside / name).write_text(text, encoding="utf-8", newline="")
    notes = left_out(matrix, _WHAT, statistics=False)
    if not (matrix.exact or matrix.errors_given):
        notes.append("correlations between cells are not written")
    return Exported(tuple(Path(path, name) for name in sorted(tables)), tuple(notes))


def _number(value: Any) -> str:
    """Write a number so that YAML 1.1 reads a number: it takes 1e-05 for a word."""
    text = repr(float(value) + 0.0)
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}.0e{exponent}" if e and "." not in mantissa else text


def _words(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _header(label: str) -> str:
    found = re.fullmatch(r"(.*?)\s*\[([^\]]*)\]\s*", label)
    if found is None:
        return f"{{name: {_words(label)}}}"
    return f"{{name: {_words(found[1])}, units: {_words(found[2])}}}"


def _table(axes: tuple[Any, ...], dependent: dict[str, tuple[Array, Array]]) -> str:
    shape = shape_of(axes)
    places = np.unravel_index(np.arange(int(np.prod(shape))), shape)
    lines = ["independent_variables:"]
    for axis, place in zip(axes, places, strict=True):
        low, high = (np.asarray(axis.edges)[place + k] for k in (0, 1))
        lines += [f"- header: {_header(axis.label)}", "  values:"]
        lines += [
            f"  - {{low: {_number(a)}, high: {_number(b)}}}" for a, b in zip(low, high, strict=True)
        ]
    lines.append("dependent_variables:")
    for name, (values, errors) in dependent.items():
        lines += [f"- header: {{name: {name}}}", "  qualifiers:"]
        lines += [f"  - {{name: {_words(_AXES)}, value: {_words(_order(axes))}}}", "  values:"]
        for value, error in zip(values, errors, strict=True):
            told = f", errors: [{{symerror: {_number(error)}, label: stat}}]" if error > 0.0 else ""
            lines.append(f"  - {{value: {_number(value)}{told}}}")
    return "\n".join(lines) + "\n"


_AXES = "Axes"


def _order(axes: Iterable[Any]) -> str:
    return ", ".join(axis.name for axis in axes)


def _submission(matrix: ResponseMatrix) -> str:
    keywords = "keywords:\n- {name: observables, values: [Response matrix]}\n"
    true, reco = (_order(axes) for axes in (matrix.true_axes, matrix.reco_axes))
    about = {
        "comment": f"Response matrix of {true} (true) and {reco} (reconstructed), made by forefold {__version__}.",
        "response": "Probability to be reconstructed in a bin, of what is true in a bin; the sum over reconstructed bins is the efficiency.",
        "efficiency": "Probability to be reconstructed in any bin, and what the matrix was made of.",
    }
    parts = [f"comment: {_words(about['comment'])}\n"]
    parts += [
        f"name: {_words(name.capitalize())}\ndescription: {_words(about[name])}\nlocation: ''\n"
        f"data_file: {name}.yaml\n{keywords}"
        for name in ("response", "efficiency")
    ]
    return "---\n".join(parts)


def read(
    path: str | Path,
    *,
    name: str | None = None,
    true_axes: int | None = None,
    errors: Sequence[str] | None = None,
    smearing: bool = False,
) -> ResponseMatrix:
    """Read a table of a submission as a matrix.

    Parameters
    ----------
    path : str or Path
        A data file (YAML or JSON), or a folder with ``response.yaml``.
    name : str, optional
        Header of the dependent variable; not needed where there is one.
    true_axes : int, optional
        How many of the independent variables are true, they come first; what their names or forefold's notes say, or else half of them,
        if left out.
    errors : sequence of str, optional
        Labels of the errors that are read, such as ``["stat"]``; all if left out, none if it is empty.
    smearing : bool
        It is an additional smearing matrix A_C, whose rows are no probabilities; one with negative cells is taken for one.

    Returns
    -------
    ResponseMatrix
        Errors of a cell add in quadrature and are its variance, cells taken for independent; exact, if there are none. An asymmetric
        error counts with half the difference of its two sides, or the larger one where both have one sign. Cells that are not in the
        table are 0. Labels of axes are the headers with their units; "true", "reco" or "reconstructed" at an end of a header is the side.

    Raises
    ------
    ValueError
        If it is no such table, bins overlap or leave gaps, an error is none, a key is there twice, or reconstructed axes come first.
    ModuleNotFoundError
        If PyYAML is not installed.
    """
    independent, chosen, column = dependent(_content(path), name)
    values = numbers(column, chosen)
    names = _names(independent, column)
    n = how_many_true(names, true_axes, "the independent variables are")
    edges, places = placed(independent, names, values.size)
    made, variances = (np.zeros(tuple(each.size - 1 for each in edges)) for _ in range(2))
    np.add.at(made, places, values)
    found = errors_of(column, values, errors)
    np.add.at(variances, places, found.squares)
    axes = [
        hist.axis.Variable(
            each, name=key, label=_side_label(column, key, "true" if k < n else "reco")
        )
        for k, (key, each, column) in enumerate(zip(names, edges, independent, strict=True))
    ]
    return published_matrix(made, axes[:n], axes[n:], variances, found.words, smearing=smearing)


def read_spectrum(
    path: str | Path,
    *,
    name: str | None = None,
    errors: Sequence[str] | None = None,
    correlated: Sequence[str] = (),
    density: bool = False,
) -> PublishedSpectrum:
    """Read a table of a submission as a spectrum; see `forefold.import_spectrum`.

    Parameters
    ----------
    path : str or Path
        A data file (YAML or JSON).
    name : str, optional
        Header of the dependent variable; not needed where there is one.
    errors, correlated : sequence of str
        Labels of errors: which are read (all if left out), and which of them move all bins together.
    density : bool
        Values are per unit of every axis: they are multiplied by the widths of the bins, and so are errors.

    Returns
    -------
    PublishedSpectrum
    """
    independent, chosen, column = dependent(_content(path), name)
    values = numbers(column, chosen)
    found = errors_of(column, values, errors)
    names = _names(independent, column)
    edges, places = placed(independent, names, values.size)
    shape = tuple(each.size - 1 for each in edges)
    flat = np.ravel_multi_index(places, shape)
    if np.unique(flat).size != flat.size or flat.size != np.prod(shape):
        message = f"{flat.size} rows for {int(np.prod(shape))} bins; a spectrum has one row a bin"
        raise ValueError(message)
    widths = np.ones(1)
    for each in edges:
        widths = np.multiply.outer(widths, np.diff(each)).reshape(-1)
    at = np.argsort(flat)
    factor = widths[flat] if density else np.ones(flat.size)
    axes = [
        hist.axis.Variable(each, name=key, label=axis_label(column))
        for key, each, column in zip(names, edges, independent, strict=True)
    ]
    shifts = {label: (each * factor)[at] for label, each in found.shifts.items()}
    unit = str(column["header"].get("units") or "")
    unit = unit.partition("/")[0] if density else unit
    made = published(axes, (values * factor)[at], shifts, correlated, found.words, unit)
    return replace(made, notes=(*made.notes, *_without(found.lacking, values.size)))


def _without(rows: Sequence[int], n: int) -> list[str]:
    """Say which rows have no error where others have."""
    if not rows:
        return []
    listed = ", ".join(str(i + 1) for i in rows[:10]) + (", ..." if len(rows) > 10 else "")
    which = f"row {listed}" if len(rows) == 1 else f"rows {listed}"
    return [
        f"{len(rows)} of {n} rows {'has' if len(rows) == 1 else 'have'} no error where others have: the variance of {which} is 0, as if known exactly"
    ]


def _names(independent: list[Any], column: Any) -> list[str]:
    """Give names of axes: what forefold noted, or else made of the headers."""
    order = [q["value"] for q in column.get("qualifiers") or [] if q.get("name") == _AXES]
    names = [each.strip() for each in str(order[0]).split(",")] if order else []
    if len(names) == len(independent):
        return names
    return [axis_name(str(each["header"]["name"])) for each in independent]


def _content(path: str | Path) -> Any:
    return loaded(Path(path, _TABLE) if Path(path).is_dir() else Path(path))


def _side_label(column: Any, name: str, side: Side) -> str:
    """Give what the file says of an axis of a matrix, with its unit; empty, if that is its name alone."""
    label = axis_label(column)
    if name.endswith(("true", "reco")):
        return label
    return f"{SIDE_WORDS[side]} {label}" if column["header"].get("units") else ""
