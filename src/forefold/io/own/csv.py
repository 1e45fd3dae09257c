"""csv: one row a particle; what the rows cannot say stands in a file beside it."""

from __future__ import annotations

import gzip
import hashlib
import io
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import awkward as ak
import numpy as np
import pyarrow as pa

from forefold.io.own.about import CONTENTS, About, document

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["COLUMNS", "sink"]

COLUMNS = {
    "smeared": (
        "event", "pdgid", "energy_true", "theta_true", "detected", "energy_reco", "theta_reco",
        "phi_reco", "px_reco", "py_reco", "pz_reco", "fate",
    ),
    "events": ("event", "pdgid", "status", "px", "py", "pz", "energy"),
}  # fmt: skip
"""Columns of a csv file, in order, by what it holds."""

assert tuple(COLUMNS) == CONTENTS


class _Sink:
    """A csv file that is being written."""

    def __init__(self, path: Path, about: About) -> None:
        self._about = about
        self._columns = COLUMNS[about.content]
        self._raw = path.open("wb")
        # No name and no time in the gzip header: the same events give the same bytes.
        zipped = about.kind.endswith(".gz")
        self._gzip = (
            gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, mtime=0) if zipped else None
        )
        self._file = cast("BinaryIO", self._raw if self._gzip is None else self._gzip)
        self._digest = hashlib.sha256()
        self._events = self._filled = self._rows = 0
        self.started = False

    def write(self, piece: ak.Array, events: ak.Array | None = None) -> None:  # noqa: ARG002
        """Append events."""
        from pyarrow import csv

        if not self.started:
            self._put(",".join(self._columns).encode() + b"\n")
            self.started = True
        sink = io.BytesIO()
        options = csv.WriteOptions(include_header=False, quoting_style="none")
        csv.write_csv(_rows(piece, self._columns), sink, options)
        self._put(sink.getbuffer())
        counts = ak.to_numpy(ak.num(piece.particles, axis=1))
        self._events += len(counts)
        self._filled += int((counts > 0).sum())
        self._rows += int(counts.sum())

    def _put(self, data: bytes | memoryview) -> None:
        self._digest.update(data)
        self._file.write(data)

    def finish(self) -> None:
        """Finish the compressed stream."""
        if self._gzip is not None:
            self._gzip.close()
        self._raw.close()

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
        if name == "detected":
            value = ak.values_astype(value, np.uint8)
        flat = ak.to_numpy(value)
        mask = np.ma.getmaskarray(flat) if np.ma.isMaskedArray(flat) else None
        columns[name] = pa.array(np.ma.getdata(flat), mask=mask)
    return pa.table(columns)
