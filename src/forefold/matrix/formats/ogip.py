"""OGIP: a redistribution matrix (RMF) and an effective area (ARF), FITS files of X-ray and gamma-ray astronomy.

The RMF holds the migration, whose rows sum to 1; the ARF the efficiency times an area in cm², 1 unless said otherwise. Energies are in
keV. Channels count from 0, which ``TLMIN4`` says, so that tools that heed it and tools that do not agree.

Numbers are 64-bit floats, where the memo has 32: readers convert, and bins come back as they were.

References
----------
I. M. George, K. A. Arnaud, B. Pence, L. Ruamsuwan, M. F. Corcoran, OGIP calibration memo CAL/GEN/92-002, sections 3 and 4, and its
addendum CAL/GEN/92-002a.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._about import __version__
from forefold.io.write import replace_together
from forefold.matrix.formats.common import (
    EmptyRows,
    Exported,
    energies,
    in_gev,
    left_out,
    named_edges,
    one_axis,
    positive_rows,
    published_matrix,
    shares,
)
from forefold.matrix.formats.fits import Column, Table, read_tables, table_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.matrix import ResponseMatrix

    Array = NDArray[np.float64]

__all__ = ["read", "write"]

_WHAT = "OGIP"
_TOLERANCE = 1e-6  # energies of 32 bits
_AREA = "FF_AREA"
_SUFFIX = ".arf"


def write(
    matrix: ResponseMatrix,
    path: str | Path,
    *,
    unit: str | None = None,
    area: float = 1.0,
    empty_rows: EmptyRows = "stop",
    overwrite: bool = False,
) -> Exported:
    """Write an RMF, and beside it an ARF with the ending ``.arf``.

    Parameters
    ----------
    matrix : ResponseMatrix
        One axis on each side, energies.
    path : str or Path
        Of the RMF.
    unit : str, optional
        Of the axes, where their labels do not say it.
    area : float
        Area in cm² that an efficiency of 1 stands for.
    empty_rows : {"stop", "lose"}
    overwrite : bool

    Returns
    -------
    Exported
    """
    place = Path(path)
    beside = place.with_suffix(_SUFFIX)
    if beside == place:
        message = f"{path}: the ending .arf is that of the effective area, which is written beside; give the RMF another, such as .rmf"
        raise ValueError(message)
    if not (np.isfinite(area) and area > 0.0):
        message = f"area {area:g}: a number of cm² above 0 is needed"
        raise ValueError(message)
    true, reco = one_axis(matrix, _WHAT)
    lower, edges = (energies(axis, unit, "keV", _WHAT) for axis in (true, reco))
    rows = positive_rows(matrix, _WHAT, empty_rows)
    share, seen = shares(rows)
    with replace_together([place, beside], overwrite) as (first, second):
        first.write_bytes(_rmf(share, lower, edges))
        second.write_bytes(_arf(area * seen, lower, area))
    notes = left_out(matrix, _WHAT)
    if lower[0] == 0.0:
        notes.append("the first true bin starts at 0, which some tools change to a small number")
    return Exported((place, beside), tuple(notes))


def _keywords(kind: str, *more: str) -> dict[str, Any]:
    words: dict[str, Any] = {
        "TELESCOP": "FOREFOLD",
        "INSTRUME": "RESPONSE",
        "FILTER": "NONE",
        "HDUCLASS": "OGIP",
        "HDUCLAS1": "RESPONSE",
        "HDUCLAS2": kind,
        "CREATOR": f"forefold {__version__}"[:60],
    }
    return words | {f"HDUCLAS{i}": each for i, each in enumerate(more, 3)}


def _rmf(rows: Array, lower: Array, edges: Array) -> bytes:
    spans = []
    for row in rows:
        some = np.flatnonzero(row > 0.0)
        spans.append((int(some[0]), int(some[-1]) + 1) if some.size else (0, 1))
    n = rows.shape[1]
    matrix = [
        Column("ENERG_LO", lower[:-1], "keV"),
        Column("ENERG_HI", lower[1:], "keV"),
        Column("N_GRP", np.ones(len(rows), dtype=np.int32)),
        Column("F_CHAN", [np.array([a], dtype=np.int32) for a, _ in spans]),
        Column("N_CHAN", [np.array([b - a], dtype=np.int32) for a, b in spans]),
        Column("MATRIX", [row[a:b] for row, (a, b) in zip(rows, spans, strict=True)]),
    ]
    bounds = [
        Column("CHANNEL", np.arange(n, dtype=np.int32)),
        Column("E_MIN", edges[:-1], "keV"),
        Column("E_MAX", edges[1:], "keV"),
    ]
    channels = {"CHANTYPE": "PI", "DETCHANS": n}
    first = {"TLMIN4": 0, "TLMAX4": n - 1, "LO_THRES": 0.0, "NUMGRP": len(rows), "HDUVERS": "1.3.0"}
    bound = {"TLMIN1": 0, "TLMAX1": n - 1, "HDUVERS": "1.2.0"}
    return table_bytes(
        {
            "MATRIX": (matrix, _keywords("RSP_MATRIX", "REDIST") | channels | first),
            "EBOUNDS": (bounds, _keywords("EBOUNDS") | channels | bound),
        }
    )


def _arf(area: Array, lower: Array, scale: float) -> bytes:
    columns = [
        Column("ENERG_LO", lower[:-1], "keV"),
        Column("ENERG_HI", lower[1:], "keV"),
        Column("SPECRESP", area, "cm**2"),
    ]
    own = {"HDUVERS": "1.1.0", _AREA: float(scale)}
    return table_bytes({"SPECRESP": (columns, _keywords("SPECRESP") | own)})


def read(
    path: str | Path,
    *,
    arf: str | Path | None = None,
    area: float | None = None,
    true: str = "energy",
    reco: str = "energy",
) -> ResponseMatrix:
    """Read an RMF, with the ARF beside it if there is one.

    Parameters
    ----------
    path : str or Path
        Of the RMF.
    arf : str or Path, optional
        Of the ARF; the file beside with the ending ``.arf`` if left out.
    area : float, optional
        Area in cm² that an efficiency of 1 stands for; not needed where forefold wrote the ARF, or there is none.
    true, reco : str
        Names of the axes; they are in GeV.

    Returns
    -------
    ResponseMatrix
        Exact.

    Raises
    ------
    ValueError
        If tables or columns are missing or do not go together, or the area is not known.
    """
    place = Path(path)
    matrix, bounds = _rmf_tables(read_tables(place.read_bytes()))
    sampling = _edges(matrix, "ENERG_LO", "ENERG_HI")
    edges = _edges(bounds, "E_MIN", "E_MAX")
    rows = _rows(matrix, bounds, edges.size - 1)
    beside = Path(arf) if arf is not None else place.with_suffix(_SUFFIX)
    seen = None
    if arf is not None or (beside.exists() and beside != place):
        seen = _efficiency(beside, sampling, area)
    rows, seen = _rounded(rows, seen)
    return published_matrix(
        rows,
        named_edges(true, sampling),
        named_edges(reco, edges),
        efficiency=seen,
    )


def _rounded(rows: Array, seen: Array | None) -> tuple[Array, Array | None]:
    """Take off what 32-bit numbers are above 1."""
    sums = rows.sum(axis=1)
    close = (sums > 1.0) & (sums <= 1.0 + _TOLERANCE)
    rows = rows / np.where(close, sums, 1.0)[:, None]
    if seen is not None:
        seen = np.where((seen > 1.0) & (seen <= 1.0 + _TOLERANCE), 1.0, seen)
    return rows, seen


def _rmf_tables(tables: list[Table]) -> tuple[Table, Table]:
    kinds = {"matrix": ("MATRIX", "SPECRESP MATRIX"), "bounds": ("EBOUNDS",)}
    found = []
    for names in kinds.values():
        hits = [table for table in tables if table.name.upper() in names]
        if len(hits) != 1:
            there = ", ".join(table.name for table in tables) or "none"
            message = f"one table {' or '.join(names)} is needed, found {len(hits)}; the file has: {there}"
            raise ValueError(message)
        found.append(hits[0])
    return found[0], found[1]


def _column(table: Table, name: str) -> Any:
    if name not in table.columns:
        message = f"{table.name} has no column {name}; it has {', '.join(table.columns)}"
        raise ValueError(message)
    return table.columns[name]


def _edges(table: Table, low: str, high: str) -> Array:
    a, b = (np.asarray(_column(table, name), dtype=np.float64) for name in (low, high))
    if a.ndim != 1 or a.size == 0:
        message = f"{table.name} has no bins in {low}"
        raise ValueError(message)
    order = slice(None) if a[0] <= a[-1] else slice(None, None, -1)
    if order.step is not None:
        message = f"{low} falls from {a[0]:g} to {a[-1]:g}; ascending energies are needed"
        raise ValueError(message)
    gaps = np.abs(a[1:] - b[:-1]) > _TOLERANCE * np.abs(b[:-1])
    if gaps.any():
        k = int(np.argmax(gaps))
        message = f"{table.name}: bin {k} ends at {b[k]:g} and the next starts at {a[k + 1]:g}; bins without gaps are needed"
        raise ValueError(message)
    return in_gev(np.concatenate([a, b[-1:]]), table.unit(low) or "keV")


def _rows(matrix: Table, bounds: Table, n: int) -> Array:
    place = list(matrix.columns).index("F_CHAN") + 1 if "F_CHAN" in matrix.columns else 0
    channels = bounds.columns.get("CHANNEL")
    default = 1 if channels is None or len(channels) == 0 else int(channels[0])
    start = int(matrix.header.get(f"TLMIN{place}", default))
    groups, firsts, counts, cells = (
        _column(matrix, name) for name in ("N_GRP", "F_CHAN", "N_CHAN", "MATRIX")
    )
    rows = np.zeros((len(groups), n))
    for i, number in enumerate(groups):
        a, b = (np.atleast_1d(each[i]).astype(int)[: int(number)] for each in (firsts, counts))
        values, at = np.atleast_1d(cells[i]), 0
        for first, count in zip(a - start, b, strict=True):
            if not (first >= 0 and count >= 0 and first + count <= n and at + count <= values.size):
                message = f"row {i} of {matrix.name}: channels {first + start} to {first + start + count - 1} are not among the {n} of EBOUNDS"
                raise ValueError(message)
            rows[i, first : first + count] += values[at : at + count]
            at += count
    return rows


def _efficiency(path: Path, sampling: Array, area: float | None) -> Array:
    try:
        tables = [each for each in read_tables(path.read_bytes()) if "SPECRESP" in each.columns]
    except ValueError as error:
        message = f"{path.name}: {error}"
        raise ValueError(message) from None
    if len(tables) != 1:
        message = f"{path.name}: one table with a column SPECRESP is needed, found {len(tables)}"
        raise ValueError(message)
    (table,) = tables
    edges = _edges(table, "ENERG_LO", "ENERG_HI")
    if edges.size != sampling.size or np.any(np.abs(edges - sampling) > _TOLERANCE * sampling[-1]):
        message = f"{path.name} has {edges.size - 1} bins from {edges[0]:g} to {edges[-1]:g} GeV, the RMF {sampling.size - 1} from {sampling[0]:g} to {sampling[-1]:g} GeV; the same are needed"
        raise ValueError(message)
    scale = area if area is not None else table.header.get(_AREA)
    if not isinstance(scale, int | float) or not scale > 0.0:
        message = f"{path.name} holds areas; say how many cm² an efficiency of 1 stands for: area="
        raise ValueError(message)
    found: Array = np.asarray(table.columns["SPECRESP"], dtype=np.float64) / scale
    return found
