"""HEPData: a submission folder with tables of the response and the efficiency, in YAML.

A row of the table ``response`` is a cell: bins of the true axes and of the reconstructed ones, the probability and its statistical error. The
table ``efficiency`` has a row a true bin, with the truth of the matrix.

References
----------
HEPData submission documentation, "Data Files" (https://hepdata-submission.readthedocs.io); JSON schemas 1.1.1 of hepdata-validator.
"""

from __future__ import annotations

import json
import math
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
    GEV,
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
    gridded,
    limits_of,
    loaded,
    numbers,
)
from forefold.matrix.formats.spectra import PublishedSpectrum, published
from forefold.matrix.formats.uncertainties import errors_of
from forefold.matrix.irregular import bin_labels, bin_limits, irregular_axis

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
_INVERSE = re.compile(r"([A-Za-z]+)[$\s]*\^[\s{]*-\s*1")  # GeV^-1, GeV$^{-1}$


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
        With any number of axes.
    path : str or Path
        The folder to make.
    empty_rows : {"stop", "lose"}
        True bins without events are an error, or get an efficiency of 0.
    overwrite : bool
        Replace files that are there.

    Returns
    -------
    Exported
    """
    rows = positive_rows(matrix, _WHAT, empty_rows)
    errors = np.zeros_like(rows) if matrix.exact else np.sqrt(np.asarray(matrix.variance))
    both = (*matrix.true_axes, *matrix.reco_axes)
    _, efficiency = shares(rows)
    spread = np.zeros_like(efficiency)
    if not matrix.exact:
        spread = np.sqrt(np.maximum(matrix.row_covariance().sum(axis=(1, 2)), 0.0))
    total = np.asarray(matrix.truth.values(), dtype=np.float64).reshape(-1)
    about = {"Efficiency": (efficiency, spread)}
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
    match = re.fullmatch(r"(.*?)\s*\[([^\]]*)\]\s*", label)
    if match is None:
        return f"{{name: {_words(label)}}}"
    return f"{{name: {_words(match[1])}, units: {_words(match[2])}}}"


def _table(axes: tuple[Any, ...], dependent: dict[str, tuple[Array, Array]]) -> str:
    shape = shape_of(axes)
    places = np.unravel_index(np.arange(int(np.prod(shape))), shape)
    lines = ["independent_variables:"]
    for axis, place in zip(axes, places, strict=True):
        edges = np.asarray(axis.edges)
        limits = bin_limits(axis) or {"": np.column_stack([edges[:-1], edges[1:]])}
        labels = bin_labels(axis) or {"": axis.label}
        for key, bounds in limits.items():
            lines += [f"- header: {_header(labels[key])}", "  values:"]
            lines += [f"  - {{low: {_number(a)}, high: {_number(b)}}}" for a, b in bounds[place]]
    lines.append("dependent_variables:")
    for name, (values, errors) in dependent.items():
        lines += [f"- header: {{name: {name}}}", "  qualifiers:"]
        lines += [f"  - {{name: {_words(_AXES)}, value: {_words(_order(axes))}}}", "  values:"]
        for value, error in zip(values, errors, strict=True):
            error_text = (
                f", errors: [{{symerror: {_number(error)}, label: stat}}]" if error > 0.0 else ""
            )
            lines.append(f"  - {{value: {_number(value)}{error_text}}}")
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
    """Read a data table as a response matrix.

    Parameters
    ----------
    path : str or Path
        A data file (YAML or JSON), or a folder with ``response.yaml``.
    name : str, optional
        Header of the dependent variable; not needed if there is only one.
    true_axes : int, optional
        How many of the independent variables are true, they come first; what their names or forefold's notes say, or else half of them,
        if left out.
    errors : sequence of str, optional
        Labels of the errors to read, such as ``["stat"]``; all if left out, none if empty.
    smearing : bool
        The table is an additional smearing matrix A_C, whose rows are no probabilities; a table with negative numbers is always taken for one.

    Returns
    -------
    ResponseMatrix
        The errors of an element are added in quadrature, and elements are taken as independent; without errors the matrix is exact. An asymmetric
        error is replaced by half the difference of its two sides, or by the larger side if both have the same sign. Elements that are not in the
        table are 0. Labels of axes are the headers with their units; "true", "reco" or "reconstructed" at an end of a header gives the side.

    Raises
    ------
    ValueError
        If the file is no such table, bins overlap or leave gaps, an error is no number, a key appears twice, or reconstructed axes come first.
    ModuleNotFoundError
        If PyYAML is not installed.
    """
    independent, chosen, column = dependent(_content(path), name)
    values = numbers(column, chosen)
    names = _names(independent, column)
    n = how_many_true(names, true_axes, "the independent variables are")
    limits = limits_of(independent, names, values.size)
    labels = [
        _side_label(column, key, "true" if k < n else "reco")
        for k, (key, column) in enumerate(zip(names, independent, strict=True))
    ]
    sides = [
        _side(names[some], limits[some], labels[some], side)
        for some, side in ((slice(n), "true"), (slice(n, None), "reco"))
    ]
    axes = [axis for side, _ in sides for axis in side]
    places = tuple(place for _, at in sides for place in at)
    shape = shape_of(tuple(axes))
    _refuse_twice(np.ravel_multi_index(places, shape))
    contents, variances = np.zeros(shape), np.zeros(shape)
    contents[places] = values
    published_errors = errors_of(column, values, errors)
    variances[places] = published_errors.squares
    m = len(sides[0][0])
    return published_matrix(
        contents,
        axes[:m],
        axes[m:],
        variances,
        published_errors.words,
        notes=[_IRREGULAR.format(len(axis)) for axis in axes if bin_limits(axis)],
        smearing=smearing,
    )


_IRREGULAR = "{} irregular bins are one axis of numbered bins, which keeps their limits"
_PER_UNIT = "values in {} are taken as they are: density=True (--density) makes contents of them, with the widths of the bins"


def _side(
    names: list[str], limits: list[Array], labels: list[str], side: str
) -> tuple[list[Any], list[Any]]:
    """Give the axes of one side of a matrix, and where the rows are on them."""
    own = _by_name(names, limits)
    grid = gridded(own)
    if grid is not None:
        axes = [
            hist.axis.Variable(edges, name=key, label=label)
            for key, edges, label in zip(names, grid.edges, labels, strict=True)
        ]
        return axes, list(grid.places)
    whole = np.hstack(list(own.values()))
    _, first, inverse = np.unique(whole, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)  # as the bins come in the file
    base = "_".join(key.removesuffix(f"_{side}") for key in names)
    some = first[order]
    axis = irregular_axis(
        {key: bounds[some] for key, bounds in own.items()},
        {key: label or key for key, label in zip(names, labels, strict=True)},
        f"{base}_{side}",
    )
    return [axis], [np.argsort(order)[inverse.reshape(-1)]]


def _by_name(names: list[str], limits: list[Array]) -> dict[str, Array]:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        message = f"two independent variables are named {twice[0]!r}"
        raise ValueError(message)
    return dict(zip(names, limits, strict=True))


def _refuse_twice(positions: Any) -> None:
    """Refuse a table that has one cell in two rows."""
    order = np.argsort(positions, kind="stable")
    same = np.flatnonzero(np.diff(positions[order]) == 0)
    if same.size:
        i, j = sorted(int(order[same[0] + k]) + 1 for k in (0, 1))
        message = f"rows {i} and {j} are of the same bin"
        raise ValueError(message)


def read_spectrum(
    path: str | Path,
    *,
    name: str | None = None,
    errors: Sequence[str] | None = None,
    correlated: Sequence[str] = (),
    density: bool = False,
) -> PublishedSpectrum:
    """Read a data table as a spectrum; see `forefold.import_spectrum`.

    Parameters
    ----------
    path : str or Path
        A data file (YAML or JSON).
    name : str, optional
        Header of the dependent variable; not needed if there is only one.
    errors, correlated : sequence of str
        Labels of the errors to read (all if left out), and of those that are fully correlated between bins.
    density : bool
        Values are densities: they and their errors are multiplied by the widths of the bins.

    Returns
    -------
    PublishedSpectrum
    """
    independent, chosen, column = dependent(_content(path), name)
    values = numbers(column, chosen)
    published_errors = errors_of(column, values, errors)
    names = _names(independent, column)
    limits = limits_of(independent, names, values.size)
    own = _by_name(names, limits)
    axes, at = _axes(own, dict(zip(names, map(axis_label, independent), strict=True)))
    widths = np.prod([np.diff(bounds, axis=1) for bounds in limits], axis=0).reshape(-1)
    factor = widths if density else np.ones(values.size)
    shifts = {label: (shift * factor)[at] for label, shift in published_errors.shifts.items()}
    unit = str(column["header"].get("units") or "")
    widths_apply = _widths_apply(unit, independent, density)
    unit = unit.partition("/")[0] if density else unit
    spectrum = published(
        axes, (values * factor)[at], shifts, correlated, published_errors.words, unit
    )
    notes = [_IRREGULAR.format(len(axis)) for axis in axes if bin_limits(axis)]
    if widths_apply and not np.all(widths == 1.0):
        notes.append(_PER_UNIT.format(column["header"]["units"]))
    return replace(
        spectrum, notes=(*spectrum.notes, *notes, *_without(published_errors.lacking, values.size))
    )


def _widths_apply(unit: str, independent: Sequence[Any], density: bool) -> bool:
    """Tell whether values are per energy and are taken without widths; refuse widths in another unit than that of the values."""
    per = _energies(unit.partition("/")[2]) | _energies(" ".join(_INVERSE.findall(unit)))
    if per and density:
        for variable in independent:
            own = _energies(str(variable["header"].get("units") or ""))
            if own and not own & per:
                message = f"values are in {unit}, and bins of {variable['header']['name']} in {', '.join(sorted(own))}: widths of these make no contents; bring both to one unit"
                raise ValueError(message)
    return bool(per) and not density


def _energies(text: str) -> set[str]:
    """Units of energy in a text."""
    return set(re.findall(r"[A-Za-z]+", text)) & set(GEV)


def _axes(limits: dict[str, Array], labels: dict[str, str]) -> tuple[list[Any], Any]:
    """Give the axes of a spectrum, and the rows in the order of the bins."""
    grid = gridded(limits)
    if grid is not None:
        shape = tuple(edges.size - 1 for edges in grid.edges)
        positions = np.ravel_multi_index(grid.places, shape)
        _refuse_twice(positions)
        if positions.size == math.prod(shape):
            axes = [
                hist.axis.Variable(edges, name=key, label=labels[key])
                for key, edges in zip(limits, grid.edges, strict=True)
            ]
            return axes, np.argsort(positions)
    return [irregular_axis(limits, labels)], slice(None)


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
    names = [part.strip() for part in str(order[0]).split(",")] if order else []
    if len(names) == len(independent):
        return names
    return [axis_name(str(variable["header"]["name"])) for variable in independent]


def _content(path: str | Path) -> Any:
    return loaded(Path(path, _TABLE) if Path(path).is_dir() else Path(path))


def _side_label(column: Any, name: str, side: Side) -> str:
    """Give what the file says of an axis of a matrix, with its unit; empty, if that is its name alone."""
    label = axis_label(column)
    if name.endswith(("true", "reco")):
        return label
    return f"{SIDE_WORDS[side]} {label}" if column["header"].get("units") else ""
