"""NuHepMC 1.0.0: true particles, and the reconstructed ones that a detector makes of them.

Every event has one primary vertex (status 1), into which the beam (status 4) and the target (20) go and from
which the true particles come. A true particle that was detected ends in a vertex of status 201, from which its
reconstructed particle comes, of status 201: the range that HepMC leaves to the simulation of detectors.

The events are written as text, ten times faster than through the library, which writes what precedes them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

from forefold.io import files
from forefold.io import source as remote
from forefold.io.native.columns import Flat, Schema, nest, restored, stored_type
from forefold.io.native.metadata import About, Opened, damage, document, parsed
from forefold.io.native.nuhepmctext import EVENT, PARTICLE, TEXT, encode
from forefold.io.native.runinfo import run_info
from forefold.io.native.sink import FlatSink
from forefold.io.readers import hepmc_text as hepmctext

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import awkward as ak
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["encode", "opened", "sink"]

_FOOTER = hepmctext.HEPMC3.footer + b"\n\n"


class _Sink(FlatSink):
    """A NuHepMC file that is being written."""

    def __init__(self, path: Path, about: About) -> None:
        super().__init__(about)
        self._path = path
        # What precedes the events names processes and particles, which are known at the end.
        self._body = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115
        self._digest = hashlib.sha256()
        self._last = -1
        self._currents: dict[int, str] = {}
        self._odd: set[int] = set()
        self._timed = False
        self._sources: list[int] = []

    def write(self, piece: ak.Array, events: ak.Array | None = None) -> None:
        """Append events."""
        for table in encode(self.about, piece, events):
            self.append(table)

    def append(self, table: pa.Table) -> None:
        """Append text that `encode` has made ready."""
        numbers, before, after, facts = (table[name].to_pylist() for name in TEXT)
        places = [""] * len(numbers)
        if self.about.content == "smeared":
            self._sources = []
            super().append(table.drop_columns(list(TEXT)))
            places = [f"{place}\n" for place in self._sources] or places
        else:
            self.started = True
            self.events += len(numbers)
        self._note(json.loads(facts[0]) if facts else {})
        self._put("".join(self._numbered(zip(numbers, before, places, after, strict=True))))

    def _numbered(self, parts: Iterable[tuple[int, str, str, str]]) -> Iterator[str]:
        """Give events their numbers, which are unique: those of a second file, or of a jumbled one, go on counting."""
        for number, before, place, after in parts:
            self._last = max(number, self._last + 1)
            yield f"E {self._last}{before}{place}{after}"

    def _put(self, text: str) -> None:
        data = text.encode()
        self._digest.update(data)
        self._body.write(data)

    def begin(self) -> None:
        """Nothing: the columns are attributes of each event."""

    def put(
        self,
        event: dict[str, NDArray[Any]],
        particle: dict[str, NDArray[Any]],
        counts: NDArray[np.int64],
    ) -> None:
        """Keep the places of the sources; all else is in the text."""
        del particle, counts
        self._sources = event["source"].tolist() if "source" in event else []

    def _note(self, facts: dict[str, Any]) -> None:
        """Remember the processes and the particles that have no PDG number."""
        for number, current in facts.get("currents", ()):
            if self._currents.setdefault(number, current) != current:
                self._currents[number] = ""
        self._odd.update(facts.get("odd", ()))
        self._timed |= bool(facts.get("timed"))

    def finish(self) -> None:
        """Write what precedes the events, then these."""
        facts: dict[str, Any] = {"body_sha256": self._digest.hexdigest()}
        if self.about.content == "smeared":
            facts |= self.facts
        text = document(self.about, **facts)
        header = run_info(self.about, text, self._currents, self._odd, timed=self._timed)
        with self._path.open("wb") as raw:
            # No name and no time in the gzip header: the same events give the same bytes.
            zipped = self.about.kind.endswith(".gz")
            out = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) if zipped else raw
            sink = cast("BinaryIO", out)
            sink.write(header)
            self._body.seek(0)
            shutil.copyfileobj(self._body, sink, 1 << 20)
            sink.write(_FOOTER)
            if zipped:
                sink.close()
        self._body.close()

    def abandon(self) -> None:
        """Let go of what was written."""
        self._body.close()


def sink(path: Path, about: About) -> _Sink:
    """Start a file."""
    return _Sink(path, about)


_ATTRIBUTE = re.compile(rb"^A forefold\.document ([^\r\n]*)\r?$", re.MULTILINE)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@contextmanager
def opened(path: str) -> Iterator[Opened]:
    """Open a NuHepMC file of smeared events that forefold wrote."""
    match = _ATTRIBUTE.search(hepmctext.header(path))
    if match is None:
        raise damage(path, "it lacks the attribute forefold.document")
    try:
        text = match[1].decode()
    except UnicodeDecodeError as error:
        raise damage(path, "its provenance is no text") from error
    facts = parsed(path, _ESCAPE.sub(lambda m: "\n" if m[1] == "|" else m[1], text))
    try:
        schema = Schema.ordered(facts)
    except ValueError as error:
        raise damage(path, error) from error
    if facts.get("body_sha256") != _body_digest(path):
        raise damage(path, "its events are not those that were written (SHA-256 differs)")
    words = facts.get("words")
    words = words if isinstance(words, dict) else {}
    yield Opened(
        path,
        facts["content"],
        facts["provenance"],
        int(facts.get("events", -1)),
        lambda start, stop, chunk: _pieces(path, schema, words, start, stop, chunk),
    )


def _body_digest(path: str) -> str:
    """SHA-256 of the events, without what precedes and follows them."""
    digest = hashlib.sha256()
    tail, inside = b"", False
    with files.decoded(path) as (content, _):
        try:
            while block := content.read(1 << 20):
                tail += block
                if not inside:
                    at = tail.find(b"\nE ")
                    if at < 0:
                        continue
                    tail, inside = tail[at + 1 :], True
                digest.update(tail[: -len(_FOOTER)])
                tail = tail[-len(_FOOTER) :]
        except files.DAMAGE as error:
            raise files.damaged(path, error) from error
    if tail != _FOOTER:
        raise damage(path, "it is cut short: the line that ends it is missing")
    return digest.hexdigest()


def _pieces(
    path: str, schema: Schema, words: dict[str, Any], start: int, stop: int | None, chunk: int
) -> Iterator[tuple[ak.Array, float]]:
    size = max(remote.size(path), 1)
    for batch in hepmctext.batches(path, start, stop):
        good = hepmctext.check_batch(path, batch, hepmctext.HEPMC3)
        for at in range(0, len(good.events), chunk):
            texts = good.events[at : at + chunk]
            try:
                yield nest(_flat(texts, schema, words)), min(batch.done / size, 1.0)
            except (ValueError, KeyError, OverflowError) as error:
                where = f"entries {good.entries[at]} to {good.entries[at + len(texts) - 1]}"
                raise damage(path, f"{where}: {error}") from error


def _flat(texts: Sequence[bytes], schema: Schema, words: dict[str, Any]) -> Flat:
    attributes: dict[bytes, list[list[bytes]]] = {}
    for text in texts:
        for line in text.splitlines():
            if line.startswith(b"A 0 forefold."):
                parts = line.split()
                attributes.setdefault(parts[2], []).append(parts[3:])
    event = {
        name: restored(
            name, _column(attributes, EVENT, name, kind, texts)[0], kind, words.get(name)
        )
        for name, kind in schema.event.items()
    }
    particle, counts = {}, np.zeros(0, dtype=np.int64)
    for i, (name, kind) in enumerate(schema.particle.items()):
        values, own = _column(attributes, PARTICLE, name, kind, texts)
        if i and not np.array_equal(own, counts):
            msg = f"the attribute {PARTICLE}{name} has another number of values than others"
            raise ValueError(msg)
        counts = own
        particle[name] = restored(name, values, kind, words.get(name))
    if any(len(column.values) != len(texts) for column in event.values()):
        msg = "an attribute of the event does not hold one value"
        raise ValueError(msg)
    return Flat(event, particle, counts)


def _column(
    found: dict[bytes, list[list[bytes]]],
    prefix: str,
    name: str,
    kind: str,
    texts: Sequence[bytes],
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    lists = found.get(f"{prefix}{name}".encode(), [])
    if len(lists) != len(texts):
        msg = f"events lack the attribute {prefix}{name}"
        raise ValueError(msg)
    dtype = stored_type(kind)
    parse = float if dtype.kind == "f" else int
    flat = [parse(word) for words in lists for word in words]
    counts = np.array([len(words) for words in lists], dtype=np.int64)
    return np.array(flat, dtype=dtype), counts
