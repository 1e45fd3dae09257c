"""correctionlib: efficiency and migration as binned corrections, to weight events by in an analysis.

``efficiency`` is a function of the true values, ``migration`` and ``response`` of the true and the reconstructed ones: the probability of the reconstructed
bin, of what is reconstructed and of all. Outside the axes they are 0.

References
----------
correctionlib's schema version 2 (https://cms-nanoaod.github.io/correctionlib/schemav2.html).
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._about import __version__
from forefold.events.particles import near
from forefold.io.source import unpacked
from forefold.io.write import replace_aside
from forefold.matrix.formats.common import (
    EmptyRows,
    Exported,
    how_many_true,
    left_out,
    named_sides,
    positive_rows,
    published_matrix,
    shares,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.matrix import ResponseMatrix

    Array = NDArray[np.float64]

__all__ = ["correction_set", "read", "write"]

_WHAT = "correctionlib"
_SCHEMA = 2


def write(
    matrix: ResponseMatrix,
    path: str | Path,
    *,
    empty_rows: EmptyRows = "stop",
    overwrite: bool = False,
) -> Exported:
    """Write ``efficiency``, ``migration`` and ``response`` as JSON.

    Parameters
    ----------
    matrix : ResponseMatrix
        With any number of axes.
    path : str or Path
        The file; with the ending ``.gz`` it is compressed.
    empty_rows : {"stop", "lose"}
        True bins without events are an error, or get an efficiency of 0.
    overwrite : bool
        Replace files that are there.

    Returns
    -------
    Exported
    """
    corrections = correction_set(matrix, empty_rows=empty_rows)
    content = (json.dumps(corrections, indent=1) + "\n").encode()
    if Path(path).suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    with replace_aside(path, overwrite=overwrite) as aside:
        aside.write_bytes(content)
    return Exported((Path(path),), tuple(left_out(matrix, _WHAT)))


def correction_set(matrix: ResponseMatrix, *, empty_rows: EmptyRows = "stop") -> dict[str, Any]:
    """Make the corrections in the schema of correctionlib; see `write`.

    Returns
    -------
    dict
        The correction set in terms of JSON.
    """
    rows = positive_rows(matrix, _WHAT, empty_rows)
    share, efficiency = shares(rows)
    true, both = matrix.true_axes, (*matrix.true_axes, *matrix.reco_axes)
    return {
        "schema_version": _SCHEMA,
        "description": f"response matrix, made by forefold {__version__}",
        "corrections": [
            _correction("efficiency", true, efficiency, "probability to be reconstructed"),
            _correction(
                "migration",
                both,
                share,
                "probability of the reconstructed bin, of what is reconstructed",
            ),
            _correction(
                "response", both, rows, "probability of the reconstructed bin, of what is true"
            ),
        ],
    }


def _correction(name: str, axes: tuple[Any, ...], values: Array, text: str) -> dict[str, Any]:
    return {
        "name": name,
        "version": 1,
        "description": text,
        "inputs": [{"name": a.name, "type": "real", "description": a.label} for a in axes],
        "output": {"name": "probability", "type": "real"},
        "data": {
            "nodetype": "multibinning",
            "inputs": [axis.name for axis in axes],
            "edges": [[float(edge) for edge in axis.edges] for axis in axes],
            "content": [float(value) for value in values.reshape(-1)],
            "flow": 0.0,
        },
    }


def read(
    path: str | Path, *, name: str = "response", true_axes: int | None = None
) -> ResponseMatrix:
    """Read a binned correction as a matrix.

    Parameters
    ----------
    path : str or Path
        Plain or compressed file (``.json.gz``), recognised by its content.
    name : str
        Name of the correction that holds the probabilities of the reconstructed bins for each true bin.
    true_axes : int, optional
        How many of its inputs are true; these come first. If left out, those whose name ends in ``_true``, or else half of them.

    Returns
    -------
    ResponseMatrix
        Without uncertainties.

    Raises
    ------
    ValueError
        If there is no such correction, or it is no binned correction of numbers.
    """
    try:
        content = json.loads(unpacked(str(path)).decode("utf-8"))
        corrections = {correction["name"]: correction for correction in content["corrections"]}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        message = f"not a correction set of correctionlib: {type(error).__name__} {error}"
        raise ValueError(message) from None
    if name not in corrections:
        message = f"no correction {name!r}{near(name, corrections)}; there are: {', '.join(corrections) or 'none'}"
        raise ValueError(message)
    data = corrections[name].get("data")
    if not isinstance(data, dict) or data.get("nodetype") != "multibinning":
        kind = data.get("nodetype") if isinstance(data, dict) else type(data).__name__
        message = f"correction {name!r} is a {kind}; a multibinning of numbers is needed"
        raise ValueError(message)
    names = [str(key) for key in data["inputs"]]
    n = how_many_true(names, true_axes, f"correction {name!r} has the inputs")
    edges = [
        _edges(axis_edges, where) for axis_edges, where in zip(data["edges"], names, strict=True)
    ]
    shape = tuple(axis_edges.size - 1 for axis_edges in edges)
    try:
        values = np.array([float(number) for number in data["content"]]).reshape(shape)
    except (TypeError, ValueError):
        message = f"correction {name!r}: {len(data['content'])} contents for bins of the shape {shape}; one number each is needed"
        raise ValueError(message) from None
    return published_matrix(values, *named_sides(names, edges, n))


def _edges(edges: Any, name: str) -> Array:
    """Give edges of a list, or of a uniform binning."""
    if isinstance(edges, dict):
        return np.linspace(float(edges["low"]), float(edges["high"]), int(edges["n"]) + 1)
    try:
        return np.array([float(edge) for edge in edges])
    except (TypeError, ValueError):
        message = f"input {name!r}: edges {str(edges)[:60]}; numbers are needed"
        raise ValueError(message) from None
