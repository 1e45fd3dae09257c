"""csv: one row a particle; what the rows cannot say stands in a file beside it."""

from __future__ import annotations

import gzip
import hashlib
import io
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import awkward as ak
import numpy as np
import pyarrow as pa

from forefold.events.table import rows_of_events
from forefold.io import files
from forefold.io import source as remote
from forefold.io.native.columns import Column, Flat, nest
from forefold.io.native.metadata import CONTENTS, About, Opened, document, parsed
from forefold.io.native.rows import TYPES, whole_events
from forefold.kernels.fate import particle_counts

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["COLUMNS", "batches", "encode", "header", "note", "opened", "sink"]

_HEAD = 1 << 16
_NOTE = 64 << 20

COLUMNS = {
    "smeared": (
        "event", "pdgid", "energy_true", "theta_true", "detected", "energy_reco", "theta_reco",
        "phi_reco", "px_reco", "py_reco", "pz_reco", "fate",
    ),
    "events": ("event", "pdgid", "status", "px", "py", "pz", "energy"),
}  # fmt: skip
"""Columns of a csv file, in order, by what it holds."""

OPTIONAL = ("pdgid_reco", "component", "parent", "michel")
"""Columns of smeared particles that only some cards need; they come last."""

assert tuple(COLUMNS) == CONTENTS

_ENCODED = pa.schema(
    dict.fromkeys(("header", "text", "packed"), pa.large_binary())
    | dict.fromkeys(("events", "filled", "rows"), pa.int64())
)


class _Sink:
    """A csv file that is being written."""

    def __init__(self, path: Path, about: About) -> None:
        self._about = about
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        self._events = self._filled = self._rows = 0
        self.started = False

    def write(self, piece: ak.Array, events: ak.Array | None = None) -> None:
        """Append events."""
        for table in encode(self._about, piece, events):
            self.append(table)

    def append(self, table: pa.Table) -> None:
        """Append text that `encode` has made ready."""
        (row,) = table.to_pylist()
        if not self.started:
            self._put(row["header"], _packed(self._about, row["header"]))
            self.started = True
        self._put(row["text"], row["packed"])
        self._events += row["events"]
        self._filled += row["filled"]
        self._rows += row["rows"]

    def _put(self, text: bytes, packed: bytes | None) -> None:
        self._digest.update(text)
        self._file.write(text if packed is None else packed)

    def finish(self) -> None:
        """Close the file."""
        self._file.close()

    abandon = finish

    def note(self) -> str:
        """Give the provenance, and what tells whether the rows are whole."""
        facts: dict[str, Any] = {
            "events": self._events,
            "events_with_particles": self._filled,
            "rows": self._rows,
            "sha256": self._digest.hexdigest(),
        }
        return document(self._about, **facts) + "\n"


def encode(about: About, piece: ak.Array, events: ak.Array | None = None) -> Iterator[pa.Table]:
    """Write events as text, for `_Sink.append`."""
    from pyarrow import csv

    del events
    names = COLUMNS[about.content]
    if about.content == "smeared":
        fields = piece.particles.fields
        names += tuple(name for name in OPTIONAL if name in fields)
    stream = io.BytesIO()
    options = csv.WriteOptions(include_header=False, quoting_style="none")
    csv.write_csv(_rows(piece, names), stream, options)
    text = stream.getvalue()
    counts = ak.to_numpy(ak.num(piece.particles, axis=1))
    row: dict[str, Any] = {
        "header": ",".join(names).encode() + b"\n",
        "text": text,
        "packed": _packed(about, text),
        "events": len(counts),
        "filled": int((counts > 0).sum()),
        "rows": int(counts.sum()),
    }
    yield pa.Table.from_pylist([row], schema=_ENCODED)


def _packed(about: About, text: bytes) -> bytes | None:
    """Compress text to a stream of its own: a gzip file may be many, one after the other."""
    if not about.kind.endswith(".gz"):
        return None
    # no name and no time in the header: the same events give the same bytes
    return gzip.compress(text, mtime=0) if text else b""


def sink(path: Path, about: About) -> _Sink:
    """Start a file."""
    return _Sink(path, about)


def _rows(piece: ak.Array, names: tuple[str, ...]) -> pa.Table:
    """One row a particle: the columns of a csv file."""
    particles = piece.particles
    event, _ = ak.broadcast_arrays(piece.event, particles.pdgid)
    columns: dict[str, Any] = {}
    for name in names:
        value = ak.flatten(event if name == "event" else particles[name], axis=1)
        if name in {"detected", "michel"}:
            value = ak.values_astype(value, np.uint8)
        flat = ak.to_numpy(value)
        mask = np.ma.getmaskarray(flat) if np.ma.isMaskedArray(flat) else None
        columns[name] = pa.array(np.ma.getdata(flat), mask=mask)
    return pa.table(columns)


_BLOCK = 1 << 22
_SEEN = (
    "energy_reco",
    "theta_reco",
    "phi_reco",
    "px_reco",
    "py_reco",
    "pz_reco",
    "pdgid_reco",
    "component",
)
"""Columns that detected particles have, and no others."""


def header(path: str) -> list[str]:
    """Read the names of the columns."""
    line = files.head(path, _HEAD).split(b"\n", 1)[0]
    return [name.strip().strip('"') for name in line.decode(errors="replace").strip().split(",")]


def batches(
    path: str, start: int, stop: int | None, chunk: int, *, ours: bool = False
) -> Iterator[tuple[pa.Table, float]]:
    """Read the rows of a range of events in pieces of whole events, each with the fraction done; see `whole_events`."""
    size = max(remote.size(path), 1)
    with files.decoded(path) as (content, raw):
        rows = ((table, min(raw.tell() / size, 1.0)) for table in _rows_of(path, content))
        yield from whole_events(path, rows, start, stop, chunk, ours=ours)


def _rows_of(path: str, content: BinaryIO) -> Iterator[pa.Table]:
    """Read rows with the columns that are known."""
    from pyarrow import csv

    names = header(path)
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        msg = f"{path}: the table has two columns of the name {doubled[0]}"
        raise ValueError(msg)
    watch = _Watch(content)
    try:
        reader = csv.open_csv(
            pa.PythonFile(watch, mode="r"),
            csv.ReadOptions(block_size=_BLOCK, column_names=names, skip_rows=1, use_threads=False),
            csv.ParseOptions(newlines_in_values=False),
            csv.ConvertOptions(
                column_types={name: TYPES[name] for name in names if name in TYPES},
                include_columns=[name for name in names if name in TYPES],
                null_values=[""],
                quoted_strings_can_be_null=True,
            ),
        )
        for batch in reader:
            if len(batch):
                yield pa.Table.from_batches([batch])
    except files.DAMAGE as error:
        raise files.damaged(path, error) from error
    except (pa.ArrowException, UnicodeDecodeError) as error:
        if str(error) == "Empty CSV file":
            return
        text = " ".join(str(error).split())[:200]
        msg = f"{path}: damaged or cut csv file ({text})"
        raise ValueError(msg) from error
    if watch.last != b"\n":
        msg = f"{path}: damaged or cut csv file (its last line does not end)"
        raise ValueError(msg)


class _Watch:
    """A file that remembers its last byte, for Arrow."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.last = b""
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        """Read at most so many bytes."""
        data = self._file.read(size)
        self.last = data[-1:] or self.last
        return data

    def close(self) -> None:
        """Leave the file open: who opened it closes it."""

    def readable(self) -> bool:
        """Say so."""
        return True

    def seekable(self) -> bool:
        """Say no: it is read from start to end."""
        return False


def note(path: str) -> dict[str, Any] | None:
    """Read what stands beside a csv file; None if there is nothing of ours.

    Raises
    ------
    ValueError
        If the rows are not those that were written.
    """
    beside = f"{path}.json"
    try:
        with remote.opened(beside) as file:
            text = file.read(_NOTE + 1)
        if len(text) > _NOTE:
            return None
        facts = parsed(beside, text)
    except (ValueError, OSError):
        return None
    if not isinstance(facts.get("sha256"), str):
        return None
    digest = hashlib.sha256()
    with files.decoded(path) as (content, _):
        try:
            while block := content.read(1 << 20):
                digest.update(block)
        except files.DAMAGE as error:
            raise files.damaged(path, error) from error
    if digest.hexdigest() != facts["sha256"]:
        msg = f"{path}: damaged, cut or changed since it was written: its rows do not fit {Path(beside).name}"
        raise ValueError(msg)
    return facts


@contextmanager
def opened(path: str) -> Iterator[Opened]:
    """Open a csv file of smeared events."""
    names = header(path)
    content = "smeared" if {"energy_true", "fate"} <= set(names) else "events"
    if content == "smeared":
        missing = [name for name in COLUMNS[content] if name not in names]
        if missing:
            msg = f"{path}: the table lacks the columns {', '.join(missing)}"
            raise ValueError(msg)
    facts = note(path) or {"provenance": {}}
    yield Opened(
        path,
        content,
        facts["provenance"],
        -1,
        lambda start, stop, chunk: _pieces(path, facts, start, stop, chunk),
        columns=tuple(names),
    )


def _pieces(
    path: str, facts: dict[str, Any], start: int, stop: int | None, chunk: int
) -> Iterator[tuple[ak.Array, float]]:
    count = 0
    for table, done in batches(path, start, stop, chunk, ours="events" in facts):
        piece = nest(_flat(path, table))
        count += len(piece)
        yield piece, done
    written = facts.get("events_with_particles")
    if start == 0 and stop is None and written is not None and written != count:
        msg = (
            f"{path}: {written} events were written, {count} can be told apart: neighbours have the same "
            "number; write parquet instead"
        )
        raise ValueError(msg)


def _flat(path: str, table: pa.Table) -> Flat:
    """Take the columns of smeared events from rows."""
    bounds = rows_of_events(table["event"].to_numpy())
    starts, counts = bounds[:-1], np.diff(bounds)
    particle: dict[str, Column] = {}
    for name in (*COLUMNS["smeared"][1:], *(o for o in OPTIONAL if o in table.column_names)):
        values = table[name].combine_chunks()
        valid = values.is_valid().to_numpy(zero_copy_only=False)
        plain = values.fill_null(False if name in {"detected", "michel"} else 0)
        array = plain.to_numpy(zero_copy_only=False)
        particle[name] = Column(array, valid if name in _SEEN else None)
        if name not in _SEEN and not valid.all():
            msg = f"{path}: event {table['event'][int(np.argmin(valid))]}: {name} is missing"
            raise ValueError(msg)
    fate = particle["fate"].values
    detected = (fate & 1) != 0
    for name in ("detected", *(name for name in _SEEN if name in particle)):
        column = particle[name]
        wrong = detected != (column.values if column.known is None else column.known)
        if wrong.any():
            row = int(np.argmax(wrong))
            msg = f"{path}: event {table['event'][row]}: {name} does not fit fate = {fate[row]}"
            raise ValueError(msg)
    event = {"event": Column(table["event"].to_numpy()[starts])}
    places = np.repeat(np.arange(len(counts)), counts)
    event_counts = particle_counts(fate, places, len(counts))
    event |= {name: Column(values) for name, values in event_counts.items()}
    return Flat(event, particle, counts)
