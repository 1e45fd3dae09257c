"""NuHepMC 1.0.0: true particles, and the reconstructed ones that a detector makes of them.

Every event has one primary vertex (status 1), into which the beam (status 4) and the target (20) go and from
which the true particles come. A true particle that was detected ends in a vertex of status 201, from which its
reconstructed particle comes, of status 201: the range that HepMC leaves to the simulation of detectors.

The events are written as text, ten times faster than through the library, which writes what precedes them.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import re
import shutil
import tempfile
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import awkward as ak
import numpy as np

from forefold import events as records
from forefold.io import files, hepmctext, remote
from forefold.io.own.about import About, Opened, damage, document, parsed
from forefold.io.own.columns import Flat, Schema, nest, restored, stored_type
from forefold.io.own.flatsink import FlatSink
from forefold.io.own.runinfo import RESPONSE, run_info

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["opened", "sink"]

_DETECTED, _ENERGY_BELOW_MASS = 1, 128
_FOOTER = hepmctext.HEPMC3.footer + b"\n\n"
_MOMENTUM = ("px", "py", "pz", "energy")
_VERTEX = ("vertex_x", "vertex_y", "vertex_z", "vertex_t")  # m, s
_OTHER = 100
_EVENTS = 2000
_EVENT, _PARTICLE = "forefold.event.", "forefold.particles."


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
        self._attributes: tuple[list[str], ...] = ()

    def write(self, piece: ak.Array, events: ak.Array | None = None) -> None:
        """Append events."""
        truth = piece if self.about.content == "events" else events
        if truth is None:
            msg = f"{self.about.path}: NuHepMC holds the true momenta: give the event records too"
            raise ValueError(msg)
        if len(truth) != len(piece) or ak.any(ak.num(truth.particles) != _originals(piece)):
            msg = f"{self.about.path}: the event records are not those that were smeared"
            raise ValueError(msg)
        # The text is ten times as large as the arrays.
        for at in range(0, len(piece), _EVENTS):
            self._write(piece[at : at + _EVENTS], truth[at : at + _EVENTS])

    def _write(self, piece: ak.Array, truth: ak.Array) -> None:
        """Append a part of a piece."""
        self._attributes = ()
        if self.about.content == "smeared":
            super().write(piece)
        else:
            self.started = True
            self.events += len(piece)
        self._note(truth)
        text = "".join(self._texts(piece, truth)).encode()
        self._digest.update(text)
        self._body.write(text)

    def begin(self) -> None:
        """Nothing: the columns are attributes of each event."""

    def put(
        self,
        event: dict[str, NDArray[Any]],
        particle: dict[str, NDArray[Any]],
        counts: NDArray[np.int64],
    ) -> None:
        """Keep the columns of the piece as text."""
        bounds = np.concatenate(([0], np.cumsum(counts))).tolist()
        lines = []
        for name, values in event.items():
            head = f"A 0 {_EVENT}{name} "
            lines.append([f"{head}{value!r}\n" for value in values.tolist()])
        for name, values in particle.items():
            words = [repr(value) for value in values.tolist()]
            head = f"A 0 {_PARTICLE}{name} "
            lines.append([f"{head}{' '.join(words[a:b])}\n" for a, b in pairwise(bounds)])
        self._attributes = tuple(lines)

    def _note(self, truth: ak.Array) -> None:
        """Remember the processes and the particles that have no PDG number."""
        process = ak.to_numpy(truth.process_id)
        cc = ak.to_numpy(ak.fill_none(truth.cc, False))
        nc = ak.to_numpy(ak.fill_none(truth.nc, False))
        for number in np.unique(process).tolist():
            these = process == number
            kinds = [name for name, flag in (("CC", cc), ("NC", nc)) if flag[these].all()]
            known = kinds[0] if kinds else ""
            if self._currents.setdefault(number, known) != known:
                self._currents[number] = ""
        pdgids = np.unique(
            np.concatenate(
                [ak.to_numpy(ak.flatten(truth.particles.pdgid)), truth.probe, truth.target]
            )
        )
        odd = pdgids[records.is_pseudo_particle(pdgids) | (pdgids == 0)]
        self._odd.update(odd.tolist())

    def _texts(self, piece: ak.Array, truth: ak.Array) -> Iterator[str]:
        """Text of each event."""
        counts = ak.to_numpy(ak.num(truth.particles)).tolist()
        rows = ak.to_numpy(ak.num(piece.particles)).tolist()
        true = _lines(truth.particles)
        status = ak.to_numpy(ak.flatten(truth.particles.status)).tolist()
        reco = _reconstructed(piece) if self.about.content == "smeared" else [None] * len(status)
        fates = _fates(piece) if self.about.content == "smeared" else None
        origins = _origins(piece)
        beams, targets = _initial(truth)
        places = _places(truth)
        self._timed |= places is not None and any(len(row.split()) == 4 for row in places)
        weights = ak.to_numpy(truth.weight).tolist()
        processes = ak.to_numpy(truth.process_id).tolist()
        at = first = 0
        for i, number in enumerate(ak.to_numpy(truth.event).tolist()):
            # Numbers must be unique: those of a second file, or of a jumbled one, go on counting.
            self._last = max(number, self._last + 1) if number > self._last else self._last + 1
            n = counts[i]
            own = range(at, at + n)
            at += n
            # What a stage made of a particle, such as the photons of a pion, is seen as coming from it.
            seen: dict[int, list[str]] = {}
            for k in range(first, first + rows[i]):
                if (line := reco[k]) is not None:
                    seen.setdefault(origins[k], []).append(line)
            made = sum(map(len, seen.values()))
            lines = [f"E {self._last} {1 + len(seen)} {2 + n + made}\nU GEV MM\n"]
            lines.append(f"W {weights[i]!r}\nA 0 signal_process_id {processes[i]}\n")
            lines.append(f"A 0 lab_pos {places[i] if places else '0 0 0'}\n")
            lines += [column[i] for column in self._attributes]
            for place, k in enumerate(own, start=3):
                if fates is not None:
                    lines.append(f"A {place} fate {fates[first + place - 3]}\n")
                elif status[k] != records.FINAL_STATE:
                    lines.append(f"A {place} status {status[k]}\n")
            lines += [f"P 1 0 {beams[i]} 4\n", f"P 2 0 {targets[i]} 20\n", "V -1 1 [1,2]\n"]
            for place, k in enumerate(own, start=3):
                shown = status[k] if status[k] == records.FINAL_STATE else _OTHER
                lines.append(f"P {place} -1 {true[k]} {shown}\n")
            place = 3 + n
            for vertex, (origin, found) in enumerate(sorted(seen.items()), start=2):
                lines.append(f"V -{vertex} {RESPONSE} [{3 + origin}]\n")
                for line in found:
                    lines.append(f"P {place} -{vertex} {line} {RESPONSE}\n")
                    place += 1
            first += rows[i]
            yield "".join(lines)

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


def _numbers(values: Any) -> list[float]:
    """Give finite numbers: the format has no other."""
    array = np.asarray(ak.to_numpy(values), dtype=np.float64)
    out: list[float] = np.where(np.isfinite(array), array, 0.0).tolist()
    return out


def _rows(pdgid: Any, px: Any, py: Any, pz: Any, energy: Any, mass: Any) -> list[str]:
    columns = [_numbers(value) for value in (px, py, pz, energy, mass)]
    return [
        f"{kind} {x!r} {y!r} {z!r} {e!r} {m!r}"
        for kind, x, y, z, e, m in zip(ak.to_numpy(pdgid).tolist(), *columns, strict=True)
    ]


def _lines(particles: ak.Array) -> list[str]:
    """Middle of the lines of true particles."""
    flat = ak.flatten(particles, axis=1)
    px, py, pz, energy = (ak.to_numpy(flat[name]) for name in _MOMENTUM)
    with np.errstate(all="ignore"):
        mass = np.sqrt(np.maximum(energy * energy - px * px - py * py - pz * pz, 0.0))
    return _rows(flat.pdgid, px, py, pz, energy, mass)


def _reconstructed(smeared: ak.Array) -> list[str | None]:
    """Middle of the lines of reconstructed particles, None for what was not detected."""
    flat = ak.flatten(smeared.particles, axis=1)
    fate = ak.to_numpy(flat.fate)
    px, py, pz, energy = (
        ak.to_numpy(ak.fill_none(flat[f"{name}_reco"], 0.0)) for name in _MOMENTUM
    )
    mass = ak.to_numpy(flat.mass)
    # A particle whose drawn energy is below its mass is at rest.
    energy = np.where((fate & _ENERGY_BELOW_MASS) != 0, mass, energy)
    taken = ak.fill_none(flat.pdgid_reco, 0) if "pdgid_reco" in flat.fields else flat.pdgid
    lines = _rows(taken, px, py, pz, energy, mass)
    seen = ((fate & _DETECTED) != 0).tolist()
    return [line if there else None for line, there in zip(lines, seen, strict=True)]


def _originals(piece: ak.Array) -> ak.Array:
    """Count the particles of each event that no stage made; these stand in front."""
    if "parent" not in piece.particles.fields:
        return ak.num(piece.particles)
    return ak.sum(piece.particles.parent == ak.local_index(piece.particles.parent), axis=1)


def _origins(piece: ak.Array) -> list[int]:
    """Give the generator's particle that each particle is, or that it goes back to, by its place in its event."""
    own = ak.local_index(piece.particles.pdgid)
    if "parent" not in piece.particles.fields:
        flat: list[int] = ak.to_numpy(ak.flatten(own)).tolist()
        return flat
    parent = piece.particles.parent
    while ak.any(parent[parent] != parent):  # a product of a product
        parent = parent[parent]
    out: list[int] = ak.to_numpy(ak.flatten(parent)).tolist()
    return out


def _fates(smeared: ak.Array) -> list[int]:
    out: list[int] = ak.to_numpy(ak.flatten(smeared.particles.fate)).tolist()
    return out


def _initial(truth: ak.Array) -> tuple[list[str], list[str]]:
    """Middle of the lines of beam and target; the target is at rest."""
    from forefold import species

    px, py, pz, energy = (truth.probe_momentum[name] for name in _MOMENTUM)
    beams = _rows(truth.probe, px, py, pz, energy, np.zeros(len(truth)))
    targets = ak.to_numpy(truth.target)
    kinds, places = np.unique(targets, return_inverse=True)
    masses = np.array([species.mass(int(kind)) or 0.0 for kind in kinds], dtype=np.float64)
    mass = np.nan_to_num(masses)[places]
    zero = np.zeros(len(truth))
    return beams, _rows(targets, zero, zero, zero, mass, mass)


def _places(truth: ak.Array) -> list[str] | None:
    """Say where events are, in mm, and when, in s; None if the record does not say it."""
    if not set(_VERTEX) <= set(truth.fields):
        return None
    columns = [_numbers(truth[name] * 1000.0) for name in _VERTEX[:3]]
    times = ak.to_numpy(truth[_VERTEX[3]]).tolist()
    return [
        " ".join(map(repr, (*row, time) if math.isfinite(time) else row))
        for *row, time in zip(*columns, times, strict=True)
    ]


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
    found: dict[bytes, list[list[bytes]]] = {}
    for text in texts:
        for line in text.splitlines():
            if line.startswith(b"A 0 forefold."):
                parts = line.split()
                found.setdefault(parts[2], []).append(parts[3:])
    event = {
        name: restored(name, _column(found, _EVENT, name, kind, texts)[0], kind, words.get(name))
        for name, kind in schema.event.items()
    }
    particle, counts = {}, np.zeros(0, dtype=np.int64)
    for i, (name, kind) in enumerate(schema.particle.items()):
        values, own = _column(found, _PARTICLE, name, kind, texts)
        if i and not np.array_equal(own, counts):
            msg = f"the attribute {_PARTICLE}{name} has another number of values than others"
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
