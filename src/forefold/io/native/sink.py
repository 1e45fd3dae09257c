"""What writers of flat columns share: one schema for all pieces, one list of strings a column."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from forefold.io.native.columns import Column, Flat, Schema, arrow, flatten, stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    from forefold.io.native.metadata import About

__all__ = ["Checksums", "FlatSink", "Places", "encode"]


class Places:
    """Whether the events are those of their inputs, one after the other, from the first."""

    def __init__(self) -> None:
        self._next = 0
        self._streams: list[int] = []
        self.whole = True

    def add(self, flat: Flat) -> None:
        """Look at the entries of one piece."""
        if not {"entry", "stream"} <= set(flat.event):
            self.whole = False
            return
        stream = flat.event["stream"].values
        entry = flat.event["entry"].values
        for part in np.split(entry, np.flatnonzero(np.diff(stream.astype(np.uint64))) + 1):
            if not len(part):
                continue
            if not (part[0] == self._next or part[0] == 0):
                self.whole = False
            self.whole &= bool((np.diff(part) == 1).all())
            self._next = int(part[-1]) + 1


class Checksums:
    """CRC-32 of each column, whatever the pieces in which it comes."""

    def __init__(self) -> None:
        self._found: dict[str, int] = {}

    def add(self, name: str, values: NDArray[Any]) -> None:
        """Go on with a column."""
        plain = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        self._found[name] = zlib.crc32(plain.view(np.uint8).data, self._found.get(name, 0))

    def add_all(self, flat: Flat) -> None:
        """Go on with the columns of a piece that was read."""
        for column in (flat.event, flat.particle):
            for name, one in column.items():
                self.add(name, stored(one))
        self.add("", flat.counts)

    def to_dict(self) -> dict[str, int]:
        """As JSON would hold it; the counts have no name."""
        return dict(self._found)


class FlatSink(ABC):
    """A file of flat columns that is being written; formats say how a piece is put down."""

    def __init__(self, about: About) -> None:
        self.about = about
        self.started = False
        self.schema = Schema()
        self.events = self.particles = 0
        self.places = Places()
        self.checksums = Checksums()
        self._words: dict[str, dict[str, int]] = {}

    def write(self, piece: ak.Array, events: ak.Array | None = None) -> None:  # noqa: ARG002
        """Append events."""
        self._take(flatten(piece))

    def append(self, table: pa.Table) -> None:
        """Append events that `encode` has made ready."""
        self._take(flatten(ak.from_arrow(table)))

    def _take(self, flat: Flat) -> None:
        if not self.started:
            self.schema = flat.schema
            self.begin()
            self.started = True
        elif flat.schema != self.schema:
            msg = f"{self.about.path}: the fields of the events change from piece to piece: {_change(self.schema, flat.schema)}"
            raise ValueError(msg)
        self.places.add(flat)
        if len(flat.counts):
            event = {name: self._numbers(name, column) for name, column in flat.event.items()}
            particle = {name: self._numbers(name, column) for name, column in flat.particle.items()}
            for name, values in (event | particle).items():
                self.checksums.add(name, values)
            self.checksums.add("", flat.counts)
            self.put(event, particle, flat.counts)
        self.events += len(flat.counts)
        self.particles += int(flat.counts.sum())

    def _numbers(self, name: str, column: Column) -> NDArray[Any]:
        """Numbers for the file; strings get their places in the list of the whole file."""
        if column.words is None:
            return stored(column)
        codes = self._words.setdefault(name, {})
        places = [codes.setdefault(word, len(codes)) for word in column.words]
        numbers: NDArray[Any] = np.array(places, dtype=np.int32)[column.values]
        return numbers

    @property
    def facts(self) -> dict[str, Any]:
        """What the reader needs to know."""
        return {
            "schema": self.schema.to_dict(),
            "order": [list(self.schema.event), list(self.schema.particle)],
            "words": {name: list(words) for name, words in self._words.items()},
            "events": self.events,
            "particles": self.particles,
            "crc32": self.checksums.to_dict(),
        }

    @abstractmethod
    def begin(self) -> None:
        """Make the columns of the schema."""

    @abstractmethod
    def put(
        self,
        event: dict[str, NDArray[Any]],
        particle: dict[str, NDArray[Any]],
        counts: NDArray[np.int64],
    ) -> None:
        """Append columns."""

    def note(self) -> str:
        """Nothing: the provenance is inside."""
        return ""


def encode(about: About, piece: ak.Array, events: ak.Array | None = None) -> Iterator[pa.Table]:
    """Make events ready for `FlatSink.append`."""
    del about, events
    yield arrow(piece)


def _change(before: Schema, after: Schema) -> str:
    old, new = before.event | before.particle, after.event | after.particle
    for name in (*old, *new):
        if old.get(name) != new.get(name):
            return f"{name} was {old.get(name)}, is {new.get(name)}"
    return "their order"
