"""Parquet: one row an event, one row group a piece, pages with checksums."""

from __future__ import annotations

import base64
import binascii
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from forefold.events.completeness import CUT
from forefold.io import files
from forefold.io import source as remote
from forefold.io.native.columns import arrow, flatten, nest
from forefold.io.native.metadata import CONTENTS, NAME, About, Opened, damage
from forefold.io.native.rows import TYPES, whole_events
from forefold.kernels.fate import particle_counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import awkward as ak

    from forefold.io.native.columns import Flat

__all__ = ["batches", "encode", "opened", "sink"]

_CUT = f"{NAME}_{CUT}"
_THRIFT_BYTES = 64 << 20
_ROWS = 1 << 17


class _Sink:
    """A parquet file that is being written."""

    def __init__(self, path: Path, about: About) -> None:
        self._path, self._about = path, about
        text = json.dumps(about.provenance, ensure_ascii=False)
        self._metadata = {NAME.encode(): text.encode()}
        self._writer: Any = None

    @property
    def started(self) -> bool:
        """Whether anything was written."""
        return self._writer is not None

    def write(self, piece: ak.Array, events: ak.Array | None = None) -> None:  # noqa: ARG002
        """Append events."""
        self.append(arrow(piece))

    def append(self, table: pa.Table) -> None:
        """Append events that are a table already."""
        table = table.replace_schema_metadata(self._metadata)
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._path,
                table.schema,
                compression="zstd",
                write_page_checksum=True,
                use_dictionary=_repeated(table.schema),
            )
        else:
            table = table.cast(self._writer.schema)
        if len(table):
            self._writer.write_table(table, row_group_size=len(table))

    def finish(self) -> None:
        """Write the footer."""
        if CUT in self._about.provenance:  # known only now, and the schema is written already
            self._writer.add_key_value_metadata({_CUT: str(self._about.provenance[CUT])})
        self._writer.close()

    def abandon(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()

    def note(self) -> str:
        """Nothing: the provenance is inside."""
        return ""


def encode(about: About, piece: ak.Array, events: ak.Array | None = None) -> Iterator[pa.Table]:
    """Make events ready for `_Sink.append`."""
    del about, events
    yield arrow(piece)


def sink(path: Path, about: About) -> _Sink:
    """Start a file."""
    return _Sink(path, about)


@contextmanager
def opened(path: str) -> Iterator[Opened]:
    """Open a parquet file that forefold wrote."""
    with _file(path) as file:
        fields = _particle_fields(file.schema_arrow)
        content = CONTENTS[0] if "energy_true" in fields else CONTENTS[1]
        yield Opened(
            path,
            content,
            _provenance(path, file),
            file.metadata.num_rows,
            lambda start, stop, chunk: _pieces(path, file, start, stop, chunk),
            columns=tuple(file.schema_arrow.names) if _has_rows(file.schema_arrow) else (),
        )


def _repeated(schema: pa.Schema) -> list[str]:
    """Columns whose values repeat; to look for repetitions among numbers that are drawn takes half of the time."""
    columns: list[str] = []
    waiting = [(field.name, field.type) for field in schema]
    while waiting:
        path, kind = waiting.pop(0)
        if pa.types.is_struct(kind):
            waiting += [(f"{path}.{part.name}", part.type) for part in kind]
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            waiting.append((f"{path}.list.element", kind.value_type))
        elif not pa.types.is_floating(kind) or path.endswith(("mass", "weight")):
            columns.append(path)
    return columns


def _particle_fields(schema: pa.Schema) -> set[str]:
    index = schema.get_field_index("particles")
    if index < 0:
        return set()
    kind = schema.field(index).type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return set()
    inner = kind.value_type
    return {part.name for part in inner} if pa.types.is_struct(inner) else set()


def _provenance(path: str, file: Any) -> dict[str, Any]:
    text = (file.schema_arrow.metadata or {}).get(NAME.encode())
    if text is None:
        return {}
    try:
        provenance = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damage(path, "its provenance is no JSON") from error
    if not isinstance(provenance, dict):
        raise damage(path, "its provenance is no JSON object")
    lost = (file.metadata.metadata or {}).get(_CUT.encode(), b"")
    return provenance | ({CUT: int(lost)} if lost.isdigit() else {})


@contextmanager
def _file(path: str) -> Iterator[Any]:
    remote.need_parts(path)
    with remote.opened(path) as raw:
        with _complaints(path):
            # Lengths in the footer are checked against these limits before anything is allocated.
            file = pq.ParquetFile(
                raw,
                page_checksum_verification=True,
                pre_buffer=False,
                thrift_string_size_limit=_THRIFT_BYTES,
                thrift_container_size_limit=_THRIFT_BYTES // 64,
            )
            schema = file.schema_arrow
            _check_names(schema, file.metadata.metadata or {})
        with file:
            yield file


def _check_names(schema: pa.Schema, about: Mapping[bytes, bytes]) -> None:
    """Compare names of columns with those that Arrow keeps beside them: the footer has no checksum, and a damaged name is a column that is missing."""
    if b"ARROW:schema" not in about:
        return  # written by others
    try:
        kept = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(about[b"ARROW:schema"])))
    except binascii.Error as error:
        text = "the schema that Arrow keeps is no base64"
        raise pa.ArrowInvalid(text) from error
    for name, wanted in zip(_names(schema), _names(kept), strict=False):
        if name != wanted:
            text = f"a column is named {name!r}, and {wanted!r} where Arrow keeps it"
            raise pa.ArrowInvalid(text)


def _names(fields: Iterable[pa.Field]) -> Iterator[str]:
    """Give names of columns, and of what is in their records."""
    for field in fields:
        yield field.name
        inner = field.type
        while pa.types.is_list(inner) or pa.types.is_large_list(inner):
            inner = inner.value_type
        if pa.types.is_struct(inner):
            yield from _names(inner)


def _group_rows(path: str, file: Any) -> list[int]:
    """Count the rows of each row group.

    They are counted by reading no column of it: the library ends the process where its metadata of a row
    group is looked at and does not make sense.
    """
    with _complaints(path):
        rows = [len(file.read_row_group(i, columns=[])) for i in range(file.num_row_groups)]
    total = file.metadata.num_rows
    if sum(rows) != total:
        raise damage(path, f"its row groups hold {sum(rows)} rows, its footer says {total}")
    return rows


@contextmanager
def _complaints(path: str) -> Iterator[None]:
    """Turn what Arrow raises on damage into one line."""
    try:
        yield
    except (pa.ArrowException, OSError, OverflowError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        text = " ".join(str(error).split())[:160]
        msg = f"{path}: damaged or cut parquet file ({text})"
        raise ValueError(msg) from error


def batches(
    path: str, start: int, stop: int | None, chunk: int, *, ours: bool = False
) -> Iterator[tuple[pa.Table, float]]:
    """Read a range of events of any parquet file in pieces, each with the fraction done; `ours` as in `whole_events`.

    A file with one number of `pdgid` a row has one row a particle, all others one row an event.
    """
    with _file(path) as file:
        schema = file.schema_arrow
        if not _has_rows(schema):
            if start >= file.metadata.num_rows:
                raise files.beyond(path, start, file.metadata.num_rows)
            yield from _batches(path, file, start, stop, chunk)
            return
        if "event" not in schema.names:
            msg = f"{path}: the table has one row a particle and lacks the column event"
            raise ValueError(msg)
        columns = [name for name in schema.names if name in TYPES]
        rows = _batches(path, file, 0, None, _ROWS, columns)
        yield from whole_events(path, rows, start, stop, chunk, ours=ours)


def _has_rows(schema: pa.Schema) -> bool:
    """Tell whether there is one row a particle."""
    index = schema.get_field_index("pdgid")
    kind = schema.field(index).type if index >= 0 else pa.null()
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _batches(
    path: str,
    file: Any,
    start: int,
    stop: int | None,
    chunk: int,
    columns: list[str] | None = None,
) -> Iterator[tuple[pa.Table, float]]:
    total = file.metadata.num_rows
    stop = total if stop is None else min(stop, total)
    wanted, ahead = [], 0
    first = None
    for i, rows in enumerate(_group_rows(path, file)):
        if ahead < stop and ahead + rows > start:
            wanted.append(i)
            first = ahead if first is None else first
        ahead += rows
    row = first or 0
    with _complaints(path):
        for batch in file.iter_batches(batch_size=chunk, row_groups=wanted, columns=columns):
            table = pa.Table.from_batches([batch])
            low, high = max(start - row, 0), min(stop - row, len(table))
            row += len(table)
            if low < high:
                table = table.slice(low, high - low)
                table.validate(full=True)
                yield table, (min(row, stop) - start) / (stop - start)
    if row < stop:
        raise damage(path, f"it has {row} rows, its footer says {total}")


def _pieces(
    path: str, file: Any, start: int, stop: int | None, chunk: int
) -> Iterator[tuple[ak.Array, float]]:
    import awkward as ak

    row = start
    for table, done in _batches(path, file, start, stop, chunk):
        flat = flatten(ak.from_arrow(table.replace_schema_metadata(None)))
        _check_counts(path, flat, row)
        row += len(flat.counts)
        yield nest(flat), done


def _check_counts(path: str, flat: Flat, first: int) -> None:
    """Refuse lists of particles that belong to other events than the counts beside them."""
    if "fate" not in flat.particle:
        return
    places = np.repeat(np.arange(len(flat.counts)), flat.counts)
    counted = particle_counts(flat.particle["fate"].values, places, len(flat.counts))
    for name, values in counted.items():
        if name in flat.event and (wrong := flat.event[name].values != values).any():
            k = int(np.argmax(wrong))
            said = flat.event[name].values[k]
            raise damage(
                path, f"entry {first + k} has {name} = {said}, its list of particles {values[k]}"
            )
