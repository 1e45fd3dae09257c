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
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import forefold
from forefold.borders.parts import (
    EmptyRows,
    Exported,
    how_many_true,
    left_out,
    named_sides,
    positive_rows,
    shares,
    without_errors,
)
from forefold.folding import ResponseMatrix
from forefold.folding.contents import shape_of
from forefold.io.folders import folder_aside
from forefold.species import near

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["read", "write"]

_WHAT = "HEPData"
_TABLE = "response.yaml"
_HEADER = "Response"
_MOST = 5_000_000  # cells of a table that are believed


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
    if not matrix.exact:
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
        "comment": f"Response matrix of {true} (true) and {reco} (reconstructed), made by forefold {forefold.__version__}.",
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
    path: str | Path, *, name: str | None = None, true_axes: int | None = None
) -> ResponseMatrix:
    """Read a table of a submission as a matrix.

    Parameters
    ----------
    path : str or Path
        A data file (YAML or JSON), or a folder with ``response.yaml``.
    name : str, optional
        Header of the dependent variable; not needed where there is one.
    true_axes : int, optional
        How many of the independent variables are true, they come first; what forefold noted, or else half of them, if left out.

    Returns
    -------
    ResponseMatrix
        Exact: errors are not read, and its summary says so if there are any. Cells that are not in the table are 0.

    Raises
    ------
    ValueError
        If it is no such table, or bins overlap or leave gaps.
    ModuleNotFoundError
        If PyYAML is not installed.
    """
    place = Path(path, _TABLE) if Path(path).is_dir() else Path(path)
    content = _loaded(place)
    independent, values, order = _columns(content, name)
    names = [each.strip() for each in order.split(",")] if order else []
    if len(names) != len(independent):
        names = [_plain(str(each["header"]["name"])) for each in independent]
    n = how_many_true(names, true_axes, "the independent variables are")
    edges, places = zip(
        *(_bins(each, k) for k, each in zip(names, independent, strict=True)), strict=True
    )
    shape = tuple(each.size - 1 for each in edges)
    if int(np.prod(shape)) > _MOST:
        message = f"{' x '.join(map(str, shape))} cells; up to {_MOST} are read"
        raise ValueError(message)
    if any(each.size != values.size for each in places):
        message = f"{values.size} values for {places[0].size} bins"
        raise ValueError(message)
    made = np.zeros(shape)
    np.add.at(made, places, values)
    matrix = ResponseMatrix.from_array(made, *named_sides(names, edges, n))
    return without_errors(matrix, _errors(content, name))


def _plain(header: str) -> str:
    """Make a name of a header: letters, digits and _."""
    found = re.sub(r"\W+", "_", header, flags=re.ASCII).strip("_").lower()
    return found or "value"


def _loaded(place: Path) -> Any:
    text = place.read_text(encoding="utf-8", errors="replace")
    if place.suffix == ".json":
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            message = f"not JSON: {error}"
            raise ValueError(message) from None
    try:
        import yaml
    except ImportError:
        message = "reading YAML needs PyYAML: pip install 'forefold[yaml]'"
        raise ModuleNotFoundError(message) from None
    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        message = f"not YAML: {' '.join(str(error).split())[:200]}"
        raise ValueError(message) from None


def _columns(content: Any, name: str | None) -> tuple[list[Any], Array, str]:
    try:
        independent = list(content["independent_variables"])
        dependent = {str(each["header"]["name"]): each for each in content["dependent_variables"]}
    except (KeyError, TypeError) as error:
        message = f"not a data table of HEPData: independent_variables and dependent_variables with headers are needed ({type(error).__name__} {error})"
        raise ValueError(message) from None
    if name is None and len(dependent) != 1:
        message = f"{len(dependent)} dependent variables: {', '.join(dependent) or 'none'}; say which is the response: name="
        raise ValueError(message)
    chosen = next(iter(dependent)) if name is None else name
    if chosen not in dependent:
        message = f"no dependent variable {chosen!r}{near(chosen, dependent)}; there are: {', '.join(dependent)}"
        raise ValueError(message)
    column = dependent[chosen]
    try:
        values = np.array([float(each["value"]) for each in column["values"]])
        order = [q["value"] for q in column.get("qualifiers") or [] if q.get("name") == _AXES]
    except (KeyError, TypeError, ValueError) as error:
        message = f"{chosen}: a number as the value of every row is needed ({error})"
        raise ValueError(message) from None
    return independent, values, str(order[0]) if order else ""


def _errors(content: Any, name: str | None) -> list[float]:
    """Tell which rows have errors: 1, and 0 where there are none, or only zeros."""
    several = content["dependent_variables"]
    column = next(each for each in several if name in (None, str(each["header"]["name"])))
    return [float(any(_wide(each) for each in row.get("errors") or [])) for row in column["values"]]


def _wide(error: Any) -> bool:
    """Tell whether an error is one: a number, a percentage or a pair that is not 0."""
    sides = error.get("asymerror") or {"both": error.get("symerror", 0.0)}
    return any(str(side).strip(" %+-") not in ("", "0", "0.0", "None") for side in sides.values())


def _bins(column: Any, name: str) -> tuple[Array, NDArray[np.intp]]:
    """Give the edges of a column of bins, and the bin of every row."""
    try:
        low, high = (
            np.array([float(each[k]) for each in column["values"]]) for k in ("low", "high")
        )
    except (KeyError, TypeError, ValueError) as error:
        message = f"{name}: every row needs the limits low and high of a bin ({type(error).__name__} {error})"
        raise ValueError(message) from None
    edges = np.unique(np.concatenate([low, high]))
    places = np.searchsorted(edges, low)
    whole = np.all(np.isfinite(edges)) and np.all(high > low)
    if not whole or np.any(np.searchsorted(edges, high) != places + 1):
        message = f"{name}: bins overlap, leave gaps or are not finite"
        raise ValueError(message)
    return edges, places
