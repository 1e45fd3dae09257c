"""Event records from tables: data frames, Arrow tables, awkward arrays, columns in a dict."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from forefold.events.record import build
from forefold.events.repeats import Repeats, warn_of_scattered_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["REQUIRED", "from_table", "record_of", "rows_of_events", "warn_of_unused"]

REQUIRED = ("pdgid", "px", "py", "pz", "energy")
"""Columns that a table must have, beside `event` where it has one row a particle."""

_MOMENTUM = ("px", "py", "pz", "energy")
_PARTICLE = ("pdgid", "status", *_MOMENTUM)
_EVENT = ("event", "entry", "stream", "process_id", "weight", "probe", "target")
_FLAGS = ("cc", "nc")
_PROBE = tuple(f"probe_{name}" for name in _MOMENTUM)
_KNOWN = (*_PARTICLE, *_EVENT, *_FLAGS, *_PROBE, "source", "probe_momentum", "particles")
_MEANT = {
    "weight": ("w", "wt", "wgt", "evtwgt", "evt_weight", "event_weight"),
    "status": ("ist", "stat"),
}
"""What optional ones are called elsewhere, where the letters alone are not near."""
_MOST_NAMED = 8


def from_table(
    table: Any, *, source: str = "memory", stream: int | None = None, first: int = 0
) -> ak.Array:
    """Make an event record from a table with named columns.

    The table has either one row a particle, with a column `event`: neighbouring rows of equal
    `event` are one event; or one row an event, with lists of particles in the columns `pdgid`,
    `px`, ... or in a column `particles` of records that have these fields.

    Parameters
    ----------
    table : pandas.DataFrame, pyarrow.Table, ak.Array, or mapping of str to array
        Must have ``pdgid, px, py, pz, energy`` (GeV; total energy), and ``event`` if it has one
        row a particle. May have ``status`` (else all are final state), and for the events
        ``entry, stream, weight, process_id, cc, nc, probe, target, source`` and the probe's
        momentum ``probe_px, probe_py, probe_pz, probe_energy``; these must be the same in all rows
        of an event. Of a table with one row an event further columns of numbers are kept.
    source : str
        Where the table comes from, for messages and the record.
    stream : int, optional
        Number that tells this table from others in the random numbers; by default the column
        `stream`, or 0.
    first : int
        Number of the first event, from which `entry`, and `event` in a table with one row an event, are counted if
        the table lacks them.

    Returns
    -------
    ak.Array
        The event record; see `forefold.events`.

    Raises
    ------
    ValueError
        If columns are missing, have missing values, or do not fit together.

    Warns
    -----
    UserWarning
        If a column is not used, or the number of an event comes again after others.

    Examples
    --------
    >>> from forefold import events
    >>> table = {
    ...     "event": [7, 7, 8],
    ...     "pdgid": [13, 2212, 211],
    ...     "px": [0.0, 0.0, 0.0],
    ...     "py": [0.0, 0.0, 0.0],
    ...     "pz": [1.0, 0.4, 0.5],
    ...     "energy": [1.0056, 1.0199, 0.5191],
    ... }
    >>> record = events.from_table(table)
    >>> record.event.tolist(), record.particles.pdgid.tolist()
    ([7, 8], [[13, 2212], [211]])
    """
    return record_of(table, source, stream, first)


def record_of(
    table: Any, source: str, stream: int | None, first: int, *, piece: bool = False
) -> ak.Array:
    """Make an event record from a table, or from a piece of one that was cut between its events; see `from_table`."""
    try:
        columns = _columns(table)
        if "particles" in columns:
            inner = columns.pop("particles")
            columns |= {name: inner[name] for name in inner.fields if name not in columns}
            own = set(inner.fields)
        else:
            own = {name for name, value in columns.items() if value.ndim == 2}
        _check_names(columns, flat=not own)
        given = _of_rows(columns) if not own else _of_lists(columns, own)
        kept = {*given.get("event_fields", ()), *given.get("particle_fields", ())}
        warn_of_unused(source, columns, kept)
        if not own and not piece:
            again = Repeats().add(ak.to_numpy(columns["event"])[given["offsets"][:-1]])
            if again is not None:
                warn_of_scattered_rows(source, again)
        return _record(given, source, stream, first)
    except (TypeError, OverflowError, ValueError) as error:
        text = " ".join(str(error).split())[:300]
        msg = text if text.startswith(f"{source}: ") else f"{source}: {text}"
        raise ValueError(msg) from error


def warn_of_unused(source: str, columns: Iterable[str], kept: Iterable[str] = ()) -> None:
    """Name columns of which nothing is made, and what they may have been meant for.

    Parameters
    ----------
    source : str
        The table.
    columns : iterable of str
        Its columns.
    kept : iterable of str
        Those that become fields of the record under their own names; they are named only where they look like one that the table
        lacks.
    """
    names = list(columns)
    if not set(REQUIRED) <= set(names):
        return  # which is an error, and lists them
    lacking = [name for name in _KNOWN if name not in names]
    unused = []
    for name in names:
        meant = "" if name in _KNOWN else _meant(name, lacking)
        if name not in _KNOWN and (meant or name not in kept):
            unused.append(name + (f" (name it {meant!r} if it is that)" if meant else ""))
    if unused:
        some = ", ".join(unused[:_MOST_NAMED]) + (" ..." if len(unused) > _MOST_NAMED else "")
        warnings.warn(
            f"{source}: not used: the column{'s' * (len(unused) > 1)} {some}", stacklevel=1
        )


def _meant(name: str, lacking: list[str]) -> str:
    """Find which column that a table lacks another may be."""
    word = name.lower()
    for known, others in _MEANT.items():
        if known in lacking and word in others:
            return known
    return next(iter(get_close_matches(word, lacking, n=1, cutoff=0.75)), "")


def rows_of_events(event: NDArray[Any]) -> NDArray[np.int64]:
    """Find where each event starts in rows of particles: where `event` changes.

    Parameters
    ----------
    event : array, shape (n_rows,)
        Number of the event of each row.

    Returns
    -------
    ndarray of int, shape (n_events + 1,)
        Row at which each event starts, and the number of rows.

    Examples
    --------
    >>> import numpy as np
    >>> from forefold.events.table import rows_of_events
    >>> rows_of_events(np.array([7, 7, 8, 7])).tolist()
    [0, 2, 3, 4]
    """
    event = np.asarray(event)
    starts = np.flatnonzero(event[1:] != event[:-1]) + 1
    first = [0] if len(event) else []
    return np.concatenate((first, starts, [len(event)])).astype(np.int64)


def _columns(table: Any) -> dict[str, ak.Array]:
    """Take the columns of whatever was given."""
    if isinstance(table, ak.Array):
        return {name: table[name] for name in table.fields}
    if isinstance(table, Mapping):
        return {str(name): _array(name, value) for name, value in table.items()}
    if hasattr(table, "to_arrow"):
        table = table.to_arrow()
    if hasattr(table, "schema") and hasattr(table, "num_columns"):
        array = ak.from_arrow(table)
        return {name: array[name] for name in array.fields}
    if hasattr(table, "columns") and hasattr(table, "to_numpy"):
        return {str(name): _array(name, table[name].to_numpy()) for name in table.columns}
    msg = (
        f"{type(table).__name__} is no table: give a pandas or Arrow table, an awkward array, or "
        "a dict of columns"
    )
    raise ValueError(msg)


def _array(name: object, value: Any) -> ak.Array:
    if isinstance(value, ak.Array):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        return ak.Array(value)
    try:
        return ak.Array(list(value))
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        msg = f"the column {name} holds {type(value).__name__}, must hold numbers"
        raise ValueError(msg) from error


def _check_names(columns: Mapping[str, Any], *, flat: bool) -> None:
    """Refuse a table without the columns that a record needs."""
    wanted = (*REQUIRED, "event") if flat else REQUIRED
    missing = [name for name in wanted if name not in columns]
    if missing:
        has = ", ".join(columns) or "nothing"
        msg = f"the table lacks the columns {', '.join(missing)}; it has {has[:200]}"
        raise ValueError(msg)


def _of_rows(columns: dict[str, ak.Array]) -> dict[str, Any]:
    """Group rows of particles to events."""
    event = _plain("event", columns["event"])
    bounds = rows_of_events(event)
    starts = bounds[:-1]
    given: dict[str, Any] = {"offsets": bounds}
    for name, value in columns.items():
        if name in _PARTICLE:
            given[name] = _plain(name, value)
        elif name in _KNOWN and name not in ("probe_momentum", "particles"):
            if name != "event":  # by which they were grouped
                _check_constant(name, value, bounds)
            given[name] = value[starts]
    return given


def _check_constant(name: str, value: ak.Array, bounds: NDArray[np.int64]) -> None:
    """Refuse a column of the events that changes within one."""
    first = value[np.repeat(bounds[:-1], np.diff(bounds))]
    same = ak.fill_none((value == first) | ((value != value) & (first != first)), True)  # noqa: PLR0124
    same = same & (ak.is_none(value) == ak.is_none(first))
    if not ak.all(same):
        row = int(np.argmin(ak.to_numpy(same)))
        msg = f"row {row}: {name} differs from that of the rows before it of the same event"
        raise ValueError(msg)


def _of_lists(columns: dict[str, ak.Array], own: set[str]) -> dict[str, Any]:
    """Flatten lists of particles."""
    pdgid = columns["pdgid"]
    if pdgid.ndim != 2:
        msg = "the column pdgid holds one number a row, other columns hold lists"
        raise ValueError(msg)
    counts = ak.num(pdgid, axis=1)
    if bool(ak.any(ak.is_none(counts))):
        msg = f"row {int(ak.argmax(ak.is_none(counts)))}: the list of particles is missing"
        raise ValueError(msg)
    given: dict[str, Any] = {"counts": ak.to_numpy(counts)}
    more: dict[str, dict[str, Any]] = {"event_fields": {}, "particle_fields": {}}
    for name, value in columns.items():
        inside = name in own
        if name in _PARTICLE and not inside:
            msg = f"the column {name} does not hold a list a row, pdgid does"
            raise ValueError(msg)
        flat = _lists(name, value, given["counts"]) if inside else value
        if name in _KNOWN:
            given[name] = _plain(name, flat) if inside else flat
        elif flat.ndim == 1 and not flat.fields and _numeric(flat):
            more["particle_fields" if inside else "event_fields"][name] = _plain(name, flat)
    return given | more


def _lists(name: str, value: ak.Array, counts: NDArray[np.int64]) -> ak.Array:
    own = ak.fill_none(ak.num(value, axis=1), -1)
    if not np.array_equal(ak.to_numpy(own), counts):
        row = int(np.argmax(ak.to_numpy(own) != counts))
        msg = f"row {row}: {name} holds another number of particles than pdgid"
        raise ValueError(msg)
    return ak.flatten(value, axis=1)


def _numeric(value: ak.Array) -> bool:
    return str(value.type.content).removeprefix("?").rstrip("0123456789") in (
        "bool", "int", "uint", "float",
    )  # fmt: skip


def _plain(name: str, value: ak.Array) -> NDArray[Any]:
    """Numbers of a column, of which none may be missing."""
    if value.ndim != 1 or value.fields or not (_numeric(value) or not len(value)):
        msg = f"the column {name} holds {value.type.content}, must hold one number a row"
        raise ValueError(msg)
    masked = ak.to_numpy(value, allow_missing=True)
    if np.ma.getmaskarray(masked).any():
        msg = f"row {int(np.argmax(np.ma.getmaskarray(masked)))}: {name} is missing"
        raise ValueError(msg)
    plain: NDArray[Any] = np.ma.getdata(masked)
    return plain if len(plain) or plain.dtype.kind in "biuf" else plain.astype(np.int64)


def _record(given: dict[str, Any], source: str, stream: int | None, first: int) -> ak.Array:
    """Build the record."""
    sources = given.pop("source", None)
    for name in _EVENT:
        if name in given:
            given[name] = _plain(name, ak.Array(given[name]))
    for name in _FLAGS:
        if name in given:
            given[name] = _flag(name, given[name])
    if stream is not None:
        given["stream"] = stream
    _take_probe(given)
    n = len(given["offsets"]) - 1 if "offsets" in given else len(given["counts"])
    for name in ("event", "entry"):
        given.setdefault(name, np.arange(first, first + n, dtype=np.int64))
    record = build(source=source, **given)
    if sources is not None and len(sources) and str(sources.type.content) == "string":
        record["source"] = sources
    return record


def _flag(name: str, value: ak.Array) -> Any:
    if str(value.type.content) not in ("bool", "?bool") and len(value):
        numbers = ak.to_numpy(value, allow_missing=True)
        if numbers.dtype.kind not in "iu" or not np.isin(np.ma.compressed(numbers), (0, 1)).all():
            msg = f"the column {name} holds {value.type.content}, must hold true and false"
            raise ValueError(msg)
        return numbers.astype(np.bool_)
    masked = ak.to_numpy(value, allow_missing=True)
    return np.ma.masked_array(
        np.ma.getdata(masked).astype(np.bool_), mask=np.ma.getmaskarray(masked)
    )


def _take_probe(given: dict[str, Any]) -> None:
    """Find the probe's momentum, in one column or in four."""
    vector = given.pop("probe_momentum", None)
    parts = [given.pop(name, None) for name in _PROBE]
    if vector is not None and set(_MOMENTUM) <= set(vector.fields):
        parts = [vector[name] for name in _MOMENTUM]
    there = [part is not None for part in parts]
    if any(there) and not all(there):
        lacking = [name for name, known in zip(_PROBE, there, strict=True) if not known]
        msg = f"the table lacks the columns {', '.join(lacking)}; give all four or none"
        raise ValueError(msg)
    if all(there):
        given["probe_momentum"] = [
            _plain(name, part) for name, part in zip(_PROBE, parts, strict=True)
        ]
