"""OGIP: a redistribution matrix (RMF) and an effective area (ARF), FITS files of X-ray and gamma-ray astronomy, through astropy.

The RMF holds the migration, whose rows sum to 1; the ARF the efficiency times an area in cm², 1 unless said otherwise. Energies are in
keV. Channels count from 0, which ``TLMIN4`` says, so that tools that heed it and tools that do not agree.

Numbers are written as 64-bit floats, where the memo has 32: readers convert, and bins come back as they were.

References
----------
I. M. George, K. A. Arnaud, B. Pence, L. Ruamsuwan, M. F. Corcoran, OGIP calibration memo CAL/GEN/92-002, sections 3 and 4, and its
addendum CAL/GEN/92-002a.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._about import __version__
from forefold.io.source import unpacked
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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from forefold.matrix import ResponseMatrix

    Array = NDArray[np.float64]

__all__ = ["read", "write"]

_WHAT = "OGIP"
_TOLERANCE = 1e-6  # energies of 32 bits
_AREA = "FF_AREA"
_SUFFIX = ".arf"
_PACKED = ".gz"
_SMALL = 0.01  # of a row: cells that are below 0 by less are noise of a fit or of a spline
_NAMES = {"RSP_MATRIX": ("MATRIX", "SPECRESP MATRIX"), "EBOUNDS": ("EBOUNDS",)}


def write(
    matrix: ResponseMatrix,
    path: str | Path,
    *,
    unit: str | None = None,
    area: float = 1.0,
    empty_rows: EmptyRows = "stop",
    overwrite: bool = False,
) -> Exported:
    """Write an RMF, and an ARF with the same name and the ending ``.arf``.

    Parameters
    ----------
    matrix : ResponseMatrix
        One axis on each side, energies.
    path : str or Path
        Name of the RMF.
    unit : str, optional
        Unit of the axes, if their labels do not end in it.
    area : float
        Effective area in cm² at an efficiency of 1.
    empty_rows : {"stop", "lose"}
        True bins without events are an error, or get an efficiency of 0.
    overwrite : bool
        Replace files that are there.

    Returns
    -------
    Exported
    """
    place = Path(path)
    beside = place.with_suffix(_SUFFIX)
    if beside == place:
        message = f"{path}: the ending .arf is that of the effective area, which is written beside; give the RMF another, such as .rmf"
        raise ValueError(message)
    area = _checked_area(area)
    true, reco = one_axis(matrix, _WHAT)
    _fits()
    lower, edges = (energies(axis, unit, "keV", _WHAT) for axis in (true, reco))
    rows = positive_rows(matrix, _WHAT, empty_rows)
    share, efficiency = shares(rows)
    with replace_together([place, beside], overwrite) as (first, second):
        _write(_rmf(share, lower, edges), first)
        _write(_arf(area * efficiency, lower, area), second)
    notes = left_out(matrix, _WHAT)
    if lower[0] == 0.0:
        notes.append("the first true bin starts at 0, which some tools change to a small number")
    return Exported((place, beside), tuple(notes))


def _fits() -> Any:
    """Give astropy's module of FITS files."""
    try:
        from astropy.io import fits
    except ImportError:
        message = "FITS files need astropy: pip install 'forefold[fits]'"
        raise ModuleNotFoundError(message) from None
    return fits


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
    return words | {f"HDUCLAS{i}": word for i, word in enumerate(more, 3)}


def _rmf(rows: Array, lower: Array, edges: Array) -> Any:
    spans = []
    for row in rows:
        some = np.flatnonzero(row > 0.0)
        spans.append((int(some[0]), int(some[-1]) + 1) if some.size else (0, 1))
    n = rows.shape[1]
    column = _fits().Column
    matrix = [
        column("ENERG_LO", "D", "keV", array=lower[:-1]),
        column("ENERG_HI", "D", "keV", array=lower[1:]),
        column("N_GRP", "J", array=np.ones(len(rows))),
        column("F_CHAN", "PJ()", array=_ragged([np.array([a]) for a, _ in spans])),
        column("N_CHAN", "PJ()", array=_ragged([np.array([b - a]) for a, b in spans])),
        column(
            "MATRIX",
            "PD()",
            array=_ragged([row[a:b] for row, (a, b) in zip(rows, spans, strict=True)]),
        ),
    ]
    bounds = [
        column("CHANNEL", "J", array=np.arange(n)),
        column("E_MIN", "D", "keV", array=edges[:-1]),
        column("E_MAX", "D", "keV", array=edges[1:]),
    ]
    channels = {"CHANTYPE": "PI", "DETCHANS": n}
    first = {"TLMIN4": 0, "TLMAX4": n - 1, "LO_THRES": 0.0, "NUMGRP": len(rows), "HDUVERS": "1.3.0"}
    bound = {"TLMIN1": 0, "TLMAX1": n - 1, "HDUVERS": "1.2.0"}
    return _hdus(
        {
            "MATRIX": (matrix, _keywords("RSP_MATRIX", "REDIST") | channels | first),
            "EBOUNDS": (bounds, _keywords("EBOUNDS") | channels | bound),
        }
    )


def _arf(area: Array, lower: Array, scale: float) -> Any:
    column = _fits().Column
    columns = [
        column("ENERG_LO", "D", "keV", array=lower[:-1]),
        column("ENERG_HI", "D", "keV", array=lower[1:]),
        column("SPECRESP", "D", "cm**2", array=area),
    ]
    own = {"HDUVERS": "1.1.0", _AREA: float(scale)}
    return _hdus({"SPECRESP": (columns, _keywords("SPECRESP") | own)})


def _hdus(tables: Mapping[str, tuple[Sequence[Any], Mapping[str, Any]]]) -> Any:
    """Put tables behind an empty primary array."""
    fits = _fits()
    hdus = [fits.PrimaryHDU()]
    for name, (columns, keywords) in tables.items():
        table = fits.BinTableHDU.from_columns(columns, name=name)
        table.header.update(keywords)
        hdus.append(table)
    return fits.HDUList(hdus)


def _write(hdus: Any, path: Path) -> None:
    """Write with checksums that tell no time, so that the same matrix has the same bytes."""
    whole = io.BytesIO()
    hdus.writeto(whole)
    whole.seek(0)
    with _fits().open(whole) as file:
        for hdu in file:
            hdu.add_checksum(when="when it was written")
        file.writeto(path, overwrite=True)


def _ragged(parts: Sequence[Array]) -> NDArray[np.object_]:
    """Make one cell of each array, also where all have one length."""
    ragged = np.empty(len(parts), dtype=object)
    ragged[:] = parts
    return ragged


def read(
    path: str | Path,
    *,
    arf: str | Path | None = None,
    area: float | None = None,
    true: str = "energy",
    reco: str = "energy",
) -> ResponseMatrix:
    """Read an RMF, and the ARF of the same name if there is one; both may be gzipped.

    Parameters
    ----------
    path : str or Path
        The RMF. Its tables are recognised by ``HDUCLAS2`` (``RSP_MATRIX`` and ``EBOUNDS``) or by their names.
    arf : str or Path, optional
        The ARF; if left out, the file with the name of the RMF and the ending ``.arf`` or ``.arf.gz``.
    area : float, optional
        Effective area in cm² at an efficiency of 1. It is not needed if forefold wrote the ARF or there is no ARF. Without an ARF the rows are divided
        by it, since those of an ``.rsp`` file are areas.
    true, reco : str
        Names of the axes; they are in GeV.

    Returns
    -------
    ResponseMatrix
        Without uncertainties. Bins in falling order of energy, as gratings have them, are reversed. Elements that are below 0 by up to 1 % of their row are
        set to 0, and the summary says so.

    Raises
    ------
    ValueError
        If tables or columns are missing or do not fit, a bin has no width, or the area is not known.
    ModuleNotFoundError
        If astropy is not installed.
    """
    place = Path(path)
    tables = _tables(place)
    matrix, bounds = (_of_kind(tables, kind) for kind in _NAMES)
    sampling, edges = _bins(matrix, "ENERG_LO", "ENERG_HI"), _bins(bounds, "E_MIN", "E_MAX")
    rows = sampling.ordered(edges.ordered(_rows(matrix, bounds, edges.n).T).T)
    rows, notes = _positive(rows, matrix.name)
    beside = Path(arf) if arf is not None else _arf_beside(place)
    efficiency = None
    if beside is not None:
        efficiency = _efficiency(beside, sampling, area)
        notes.append(f"efficiency from {beside.name}")
    elif area is not None:
        rows = rows / _checked_area(area)
    _check_probabilities(rows, sampling, area)
    rows, efficiency = _rounded(rows, efficiency)
    return published_matrix(
        rows,
        named_edges(true, sampling.gev),
        named_edges(reco, edges.gev),
        efficiency=efficiency,
        notes=notes,
    )


@dataclass(frozen=True)
class _Table:
    """A binary table.

    Attributes
    ----------
    name : str
    header : mapping of str to value
    columns : dict of str to ndarray, shape (rows,) or (rows, n), or of objects where cells are of any length
        Names in capitals.
    units : dict of str to str
    """

    name: str
    header: Mapping[str, Any]
    columns: dict[str, Any]
    units: dict[str, str]

    def column(self, name: str) -> Any:
        if name not in self.columns:
            message = f"{self.name} has no column {name}; it has {', '.join(self.columns)}"
            raise ValueError(message)
        return self.columns[name]


def _tables(path: Path) -> list[_Table]:
    """Read the binary tables of a FITS file, packed or not."""
    fits = _fits()
    content = unpacked(str(path))
    if not content.startswith(b"SIMPLE  ="):
        message = "not a FITS file: it does not start with SIMPLE"
        raise ValueError(message)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            with fits.open(io.BytesIO(content), memmap=False, checksum=True) as file:
                tables = [_table(hdu) for hdu in file if isinstance(hdu, fits.BinTableHDU)]
        except Exception as error:  # noqa: BLE001 - of a damaged file astropy raises whatever it stumbles over
            words = " ".join(f"{type(error).__name__} {error}".split())[:200]
            message = f"damaged FITS file: {words}"
            raise ValueError(message) from None
    # others are about headers that are off the standard
    _check_sums([str(warning.message) for warning in said])
    return tables


def _check_sums(said: Sequence[str]) -> None:
    """Refuse a file that does not have the sums that it tells."""
    failed = [" ".join(text.split()) for text in said if "verification failed" in text]
    if failed:
        message = f"{failed[0].rstrip('.')}: damaged, or edited by what leaves an old CHECKSUM or DATASUM behind (write it anew, as astropy does with writeto(checksum=True))"
        raise ValueError(message)


def _table(hdu: Any) -> _Table:
    names = [str(name).strip().upper() for name in hdu.columns.names]
    if len(set(names)) != len(names):
        message = f"two columns of {hdu.name} have one name"
        raise ValueError(message)
    columns = {name: np.array(hdu.data.field(k)) for k, name in enumerate(names)}
    units = {name: str(unit or "") for name, unit in zip(names, hdu.columns.units, strict=True)}
    return _Table(hdu.name.strip(), dict(hdu.header), columns, units)


def _of_kind(tables: list[_Table], kind: str) -> _Table:
    """Give the one table of a kind: what its header says, or else its name."""
    hits = [table for table in tables if str(table.header.get("HDUCLAS2", "")).strip() == kind]
    hits = hits or [table for table in tables if table.name.upper() in _NAMES[kind]]
    if len(hits) != 1:
        there = ", ".join(table.name or "a table without a name" for table in tables) or "none"
        message = f"one table {' or '.join(_NAMES[kind])} (HDUCLAS2 {kind}) is needed, and there are {len(hits)}; the file has: {there}"
        raise ValueError(message)
    return hits[0]


@dataclass(frozen=True)
class _Bins:
    """Ascending bins of a table.

    Attributes
    ----------
    edges : ndarray, shape (n + 1,)
        In the unit of the file.
    unit : str
    falling : bool
        Whether the rows of the table are in the other order.
    """

    edges: Array
    unit: str
    falling: bool

    @property
    def n(self) -> int:
        return self.edges.size - 1

    @property
    def gev(self) -> Array:
        return in_gev(self.edges, self.unit)

    def ordered(self, rows: Array) -> Array:
        """Put rows of the table in the order of the bins."""
        return rows[::-1] if self.falling else rows

    def __str__(self) -> str:
        return f"{self.n} bins from {self.edges[0]:g} to {self.edges[-1]:g} {self.unit}"


def _bins(table: _Table, low: str, high: str) -> _Bins:
    a, b = (np.asarray(table.column(name), dtype=np.float64) for name in (low, high))
    if a.ndim != 1 or b.ndim != 1 or a.size == 0:
        message = f"{table.name} has no bins in {low} and {high}"
        raise ValueError(message)
    unit = table.units[low].strip() or "keV"
    bad = ~(np.isfinite(a) & np.isfinite(b) & (b > a))
    if bad.any():
        k = int(np.argmax(bad))
        more = f" ({int(bad.sum())} such bins)" if bad.sum() > 1 else ""
        message = f"{table.name}: bin {k} is {a[k]:.6g} to {b[k]:.6g} {unit}{', of no width' if a[k] == b[k] else ''}{more}; each bin must end above its start"
        raise ValueError(message)
    falling = bool(a[0] > a[-1])
    if falling:
        a, b = a[::-1], b[::-1]
    gaps = np.abs(a[1:] - b[:-1]) > _TOLERANCE * np.abs(b[:-1])
    edges = np.concatenate([a, b[-1:]])
    wrong = gaps | (np.diff(edges)[:-1] <= 0.0)
    if wrong.any():
        k = int(np.argmax(wrong))
        here, beyond = (a.size - 1 - index if falling else index for index in (k, k + 1))
        message = f"{table.name}: bin {here} ends at {b[k]:.6g} and bin {beyond} starts at {a[k + 1]:.6g} {unit}; bins without gaps are needed"
        raise ValueError(message)
    return _Bins(edges, unit, falling)


def _rows(matrix: _Table, bounds: _Table, n: int) -> Array:
    """Give the rows in the order of the tables, channel by channel."""
    place = list(matrix.columns).index("F_CHAN") + 1 if "F_CHAN" in matrix.columns else 0
    channels = bounds.columns.get("CHANNEL")
    default = 1 if channels is None or len(channels) == 0 else int(channels[0])
    start = int(matrix.header.get(f"TLMIN{place}", default))
    groups, firsts, counts, elements = (
        matrix.column(name) for name in ("N_GRP", "F_CHAN", "N_CHAN", "MATRIX")
    )
    rows = np.zeros((len(groups), n))
    for i, number in enumerate(groups):
        a, b = (np.ravel(column[i]).astype(int)[: int(number)] for column in (firsts, counts))
        values, at = np.ravel(elements[i]).astype(np.float64), 0
        for first, count in zip(a - start, b, strict=True):
            if not (first >= 0 and count >= 0 and first + count <= n):
                message = f"row {i} of {matrix.name}: channels {first + start} to {first + start + count - 1} are not among the {n} of EBOUNDS"
                raise ValueError(message)
            if at + count > values.size:
                message = f"row {i} of {matrix.name}: {values.size} numbers for {at + count} channels or more"
                raise ValueError(message)
            rows[i, first : first + count] += values[at : at + count]
            at += count
    if not np.all(np.isfinite(rows)):
        i, j = (int(k) for k in np.argwhere(~np.isfinite(rows))[0])
        message = f"row {i} of {matrix.name} has {rows[i, j]} in channel {j + start}; finite numbers are needed"
        raise ValueError(message)
    return rows


def _positive(rows: Array, name: str) -> tuple[Array, list[str]]:
    """Set cells to 0 that are below by little, and note it."""
    below = np.minimum(rows, 0.0)
    lost, sums = below.sum(axis=1), np.abs(rows.sum(axis=1))
    bad = ~(lost >= -_SMALL * sums)
    if bad.any():
        i = int(np.argmax(bad))
        j = int(np.argmin(rows[i]))
        message = f"{name}: true bin {i} has {rows[i, j]:.3g} in channel {j}, and {lost[i]:.3g} in all channels below 0; up to 1 % of the row is set to 0, probabilities are not negative"
        raise ValueError(message)
    n = int(np.count_nonzero(below))
    if not n:
        return rows, []
    note = f"{n} cells of {name} below 0, down to {below.min():.2g}, are set to 0"
    return np.maximum(rows, 0.0), [note]


def _check_probabilities(rows: Array, sampling: _Bins, area: float | None) -> None:
    """Refuse rows that are areas and not probabilities."""
    sums = rows.sum(axis=1)
    i = int(np.argmax(sums))
    if sums[i] <= 1.0 + _SMALL:
        return
    edges = sampling.edges
    where = f"true bin {i} ({edges[i]:.6g} to {edges[i + 1]:.6g} {sampling.unit})"
    message = f"{where} sums to {sums[i]:.6g}; rows of probabilities sum to at most 1"
    if area is None:
        message += ": of areas in cm², say what an efficiency of 1 stands for: area= (--area)"
    raise ValueError(message)


def _rounded(rows: Array, efficiency: Array | None) -> tuple[Array, Array | None]:
    """Take off what 32-bit numbers are above 1."""
    sums = rows.sum(axis=1)
    close = (sums > 1.0) & (sums <= 1.0 + _TOLERANCE)
    rows = rows / np.where(close, sums, 1.0)[:, None]
    if efficiency is not None:
        efficiency = np.where(
            (efficiency > 1.0) & (efficiency <= 1.0 + _TOLERANCE), 1.0, efficiency
        )
    return rows, efficiency


def _arf_beside(rmf: Path) -> Path | None:
    """Find the ARF beside an RMF."""
    stem = rmf.with_suffix("") if rmf.suffix == _PACKED else rmf
    names = [stem.with_suffix(_SUFFIX), stem.with_suffix(_SUFFIX + _PACKED)]
    return next((path for path in names if path != rmf and path.exists()), None)


def _efficiency(path: Path, sampling: _Bins, area: float | None) -> Array:
    try:
        tables = [table for table in _tables(path) if "SPECRESP" in table.columns]
        if len(tables) != 1:
            message = f"one table with a column SPECRESP is needed, and there are {len(tables)}"
            raise ValueError(message)
        (table,) = tables
        own = _bins(table, "ENERG_LO", "ENERG_HI")
    except ValueError as error:
        message = f"{path.name}: {error}"
        raise ValueError(message) from None
    wanted = sampling.gev
    if own.n != sampling.n or np.any(np.abs(own.gev - wanted) > _TOLERANCE * wanted[-1]):
        message = f"{path.name} has {own}, the RMF {sampling}; the same are needed"
        raise ValueError(message)
    scale = area if area is not None else table.header.get(_AREA)
    if scale is None:
        message = f"{path.name} holds areas; say how many cm² an efficiency of 1 stands for: area= (--area)"
        raise ValueError(message)
    values = np.asarray(table.columns["SPECRESP"], dtype=np.float64)
    return own.ordered(values / _checked_area(scale))


def _checked_area(area: Any) -> float:
    if isinstance(area, bool) or not isinstance(area, int | float) or not 0.0 < area < np.inf:
        message = f"area {area!r}: a number of cm² above 0 is needed"
        raise ValueError(message)
    return float(area)
