"""NuHepMC (HepMC3 text of neutrino generators), and plain HepMC3 and HepMC2, read with pyhepmc."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyhepmc

from forefold import events
from forefold.io import cross_sections as crosssections
from forefold.io import files
from forefold.io import source as remote
from forefold.io.readers import hepmc_text as hepmctext
from forefold.io.readers.hepmc_run import RunInfo
from forefold.io.readers.tree import checked
from forefold.io.registry import Header, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    import awkward as ak
    from numpy.typing import NDArray

__all__ = ["READER", "NuHepMCReader"]

_BEAM, _TARGET, _STRUCK = 4, 20, 21
_PRIMARY_VERTEX = 1
_REMNANT = 2009900000
_LISTS = (
    "counts", "number", "entry", "weight", "process_id", "probe", "target", "probe_momentum", "scale",
    "place",
)  # fmt: skip
_PROCESS = ("signal_process_id", "ProcID")
_LAB_POS = ("lab_pos", "LabPos")
_VERTEX = ("vertex_x", "vertex_y", "vertex_z", "vertex_t")  # m, s
_CITATION = re.compile(
    r"NuHepMC\.(?:Citations\.\w+|(?:Process|VertexStatus|ParticleStatus)Info\[\d+\])\.(DOI|arXiv|InspireHEP)"
)
_CURRENT = re.compile(r"(?<![A-Za-z])(CC|NC)(?![A-Za-z])")


class NuHepMCReader:
    """Reader of NuHepMC 1.0 and 0.9, and of plain HepMC."""

    name = "nuhepmc"

    def sniff(self, path: str) -> bool:
        """Tell whether the file starts as a HepMC listing does."""
        return hepmctext.dialect(files.head(path)) is not None

    def describe(self, path: str) -> Header:
        """Read what the run information says."""
        run = RunInfo.of(path)
        version = run.version
        name = f"NuHepMC {version}" if version else f"{run.kind.name} (no NuHepMC version)"
        details = {"container": f"{run.kind.name} text"}
        tune = run.attributes.get("GENIE.XSecTune")
        if tune:
            details["tune"] = tune
        for key in ("NuHepMC.Conventions", "NuHepMC.Exposure.NEvents"):
            if key in run.attributes:
                details[key.removeprefix("NuHepMC.").lower()] = run.attributes[key]
        named = _citations(run.attributes)
        if named:
            details["citations"] = ", ".join(named)
        total = None
        if version >= "0.9":  # what E.C.4 is was another thing before
            total = crosssections.of_hepmc(path, run.prelude, run.attributes)
        return Header(name, run.generator, details, run.process_names, run.tools, total)

    def iterate(self, source: Source) -> Iterator[tuple[ak.Array, float]]:
        """Read the listing in pieces."""
        run = RunInfo.of(source.path)
        size = max(remote.size(source.path), 1)
        if not run.version:
            warnings.warn(_plain(source.path, run), stacklevel=2)
        columns, done = _Columns(), 0
        for batch in hepmctext.batches(source.path, source.start, source.stop, source.lose):
            good = hepmctext.check_batch(source.path, batch, run.kind, source.lose)
            for at in range(0, len(good.events), source.chunk):
                texts = good.events[at : at + source.chunk]
                if columns.events and columns.events + len(texts) > source.chunk:
                    yield from columns.records(source, run, done / size)
                    columns = _Columns()
                columns.add(_parse(texts, good.entries[at : at + source.chunk], source, run))
            done = batch.done
        yield from columns.records(source, run, 1.0)


def _citations(attributes: dict[str, str]) -> list[str]:
    """List the papers that a file names in ``NuHepMC.Citations`` or beside a process: kind and identifier, each once."""
    citations = []
    for key, value in attributes.items():
        match = _CITATION.fullmatch(key)
        citations += [f"{match[1]} {word}" for word in value.split()] if match else []
    return list(dict.fromkeys(citations))


def _plain(path: str, run: RunInfo) -> str:
    return (
        f"{path}: plain {run.kind.name}, not NuHepMC: its first weight is taken, and which process "
        "an event is is unknown"
    )


@dataclass
class _Columns:
    """Values of the events of one piece, before they become a record."""

    counts: list[int] = field(default_factory=list)
    number: list[int] = field(default_factory=list)
    entry: list[int] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    process_id: list[int] = field(default_factory=list)
    probe: list[int] = field(default_factory=list)
    target: list[int] = field(default_factory=list)
    probe_momentum: list[tuple[float, ...]] = field(default_factory=list)
    scale: list[float] = field(default_factory=list)
    place: list[tuple[float, ...]] = field(default_factory=list)
    particles: dict[str, list[NDArray[Any]]] = field(
        default_factory=lambda: {key: [] for key in ("pdgid", "status", "px", "py", "pz", "energy")}
    )

    @property
    def events(self) -> int:
        """Number of events so far."""
        return len(self.counts)

    def add(self, other: _Columns) -> None:
        """Append the events of another piece."""
        for name in _LISTS:
            getattr(self, name).extend(getattr(other, name))
        for name, parts in self.particles.items():
            parts.extend(other.particles[name])

    def records(
        self, source: Source, run: RunInfo, done: float
    ) -> Iterator[tuple[ak.Array, float]]:
        """Give the event record of the good events, if there are any."""
        if self.events:
            record = checked(self.record(source, run), source)
            if len(record):
                yield record, done

    def record(self, source: Source, run: RunInfo) -> ak.Array:
        """Make the event record."""
        flat = {key: np.concatenate(parts) for key, parts in self.particles.items()}
        counts = np.array(self.counts)
        scale = np.array(self.scale)
        particle_scale = np.repeat(scale, counts)
        for key in ("px", "py", "pz", "energy"):
            flat[key] = flat[key] / particle_scale
        keep = flat["pdgid"] != _REMNANT
        if source.final_state_only:
            keep &= flat["status"] == events.FINAL_STATE
        offsets = np.concatenate(([0], np.cumsum(counts)))
        kept = np.concatenate(([0], np.cumsum(keep)))
        process_id = np.array(self.process_id, dtype=np.int64)
        cc, nc = _currents(process_id, run.process_names)
        more: dict[str, NDArray[Any]] = {}
        if not source.final_state_only:
            more = dict(zip(_VERTEX, np.array(self.place).T, strict=True))
        return events.build(
            offsets=kept[offsets],
            **{key: value[keep] for key, value in flat.items()},
            event=np.array(self.number, dtype=np.int64),
            entry=np.array(self.entry, dtype=np.int64),
            weight=np.array(self.weight),
            process_id=process_id,
            cc=cc,
            nc=nc,
            probe=np.array(self.probe, dtype=np.int64),
            probe_momentum=list((np.array(self.probe_momentum) / scale[:, np.newaxis]).T),
            target=np.array(self.target, dtype=np.int64),
            source=source.path,
            stream=source.stream,
            event_fields=more,
        )


def _currents(
    process_id: NDArray[np.int64], names: dict[int, str]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell the currents, masked where neither number nor name of the process says which."""
    inside = (process_id >= 100) & (process_id < 700)
    charged = inside & (process_id % 100 < 50)
    neutral = inside & ~charged
    for number in np.unique(process_id[~inside]):
        current = _CURRENT.findall(names.get(int(number), ""))
        if len(set(current)) == 1:
            (charged if current[0] == "CC" else neutral)[process_id == number] = True
    unknown = ~(charged | neutral)
    return np.ma.masked_array(charged, unknown), np.ma.masked_array(neutral, unknown)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the library from writing to the terminal: what is wrong is said by the exception."""
    setup = pyhepmc.Setup
    before = setup.print_errors, setup.print_warnings, setup.debug_level
    setup.print_errors, setup.print_warnings, setup.debug_level = False, False, 0
    try:
        yield
    finally:
        setup.print_errors, setup.print_warnings, setup.debug_level = before


def _parse(texts: list[bytes], entries: list[int], source: Source, run: RunInfo) -> _Columns:
    """Parse whole events; with one that the library refuses, one by one if bad ones may be lost."""
    try:
        return _parse_all(texts, entries, source.path, run)
    except ValueError:
        if source.damage is None:
            raise
    out = _Columns()
    for text, entry in zip(texts, entries, strict=True):
        try:
            out.add(_parse_all([text], [entry], source.path, run))
        except ValueError as error:
            source.lose(1, str(error))
    return out


def _parse_all(texts: list[bytes], entries: list[int], path: str, run: RunInfo) -> _Columns:
    """Parse whole events and take their values."""
    out = _Columns()
    three = run.kind is hepmctext.HEPMC3
    # The parser spends half its time on attributes, of which one is needed: it is taken from the
    # text.
    bare = [hepmctext.without_attributes(text) for text in texts] if three else texts
    listing = b"".join((run.prelude, *bare, run.kind.footer, b"\n\n"))
    maker = pyhepmc.io.ReaderAscii if three else pyhepmc.io.ReaderAsciiHepMC2
    with _silence(), io.BytesIO(listing) as stream:
        reader = maker(pyhepmc.io.pyiostream(stream))
        cv: int | None = None
        for entry, text in zip(entries, texts, strict=True):
            event = _next(reader, f"{path}: entry {entry}")
            words = text[:400].split(None, 7)
            number = event.event_number
            if number != int(words[1]):
                msg = f"{path}: entry {entry}: the parser lost its place (event {number})"
                raise ValueError(msg)
            if cv is None:
                names = list(event.run_info.weight_names) if event.run_info else []
                cv = names.index("CV") if "CV" in names else 0
            value = hepmctext.attribute(text, _PROCESS) if three else words[6]
            number = _process_id(value, f"{path}: entry {entry}")
            out.process_id.append(number if run.version else 0)
            out.entry.append(entry)
            out.place.append(_place(hepmctext.attribute(text, _LAB_POS) if three else None, event))
            _append(event, cv, out)
        reader.close()
    return out


def _next(reader: Any, where: str) -> Any:
    event = pyhepmc.GenEvent()
    try:
        good = reader.read_event(event) and not reader.failed()
    except RuntimeError as error:
        msg = f"{where}: {str(error).splitlines()[0]}"
        raise ValueError(msg) from error
    if not good:
        msg = f"{where}: the particles and vertices of this event do not fit together"
        raise ValueError(msg)
    return event


def _append(event: Any, cv: int, out: _Columns) -> None:
    """Take the values of one event."""
    view = event.numpy.particles
    pdgid, status = view.pid, view.status
    px, py, pz, energy = view.px, view.py, view.pz, view.e
    columns = out.particles
    columns["pdgid"].append(pdgid)
    columns["status"].append(status)
    columns["px"].append(px)
    columns["py"].append(py)
    columns["pz"].append(pz)
    columns["energy"].append(energy)
    out.counts.append(len(pdgid))
    out.number.append(event.event_number)
    out.scale.append(1000.0 if event.momentum_unit == pyhepmc.Units.MEV else 1.0)
    weights = event.weights
    out.weight.append(weights[cv] if len(weights) > cv else 1.0)
    kinds, states = pdgid.tolist(), status.tolist()
    index = _probe(event, kinds, states)
    if index is None:
        out.probe.append(0)
        out.probe_momentum.append((np.nan,) * 4)
    else:
        out.probe.append(kinds[index])
        out.probe_momentum.append((px[index], py[index], pz[index], energy[index]))
    out.target.append(_target(kinds, states))


def _target(kinds: list[int], states: list[int]) -> int:
    """Tell what was hit; a free nucleon may be marked as struck only."""
    for wanted in (_TARGET, _STRUCK):
        if wanted in states:
            return kinds[states.index(wanted)]
    return 0


def _place(value: bytes | None, event: Any) -> tuple[float, ...]:
    """Read where an event is, in m, and when, in s; NaN if the file does not say it."""
    metre = 100.0 if event.length_unit == pyhepmc.Units.CM else 1000.0
    try:
        numbers = [float(word) for word in (value or b"").split()]
    except ValueError:
        numbers = []
    if len(numbers) not in (3, 4):
        return (np.nan,) * 4
    x, y, z, time = (*numbers, np.nan)[:4]
    return x / metre, y / metre, z / metre, time


def _process_id(value: bytes | None, where: str) -> int:
    """Read the number of the process, 0 if the event has none."""
    if value is None:
        return 0
    try:
        return int(value)
    except ValueError as error:
        shown = value[:40].decode(errors="replace")
        msg = f"{where}: {' or '.join(_PROCESS)} = {shown!r}, must be a whole number"
        raise ValueError(msg) from error


def _probe(event: Any, kinds: list[int], states: list[int]) -> int | None:
    """Find the particle that interacts.

    It is the lepton that enters the primary vertex. A status-4 beam need not be it: Achilles keeps
    one of constant energy as a placeholder.
    """
    vertices = event.numpy.vertices.status.tolist()
    incoming = []
    if _PRIMARY_VERTEX in vertices:
        vertex = event.vertices[vertices.index(_PRIMARY_VERTEX)]
        incoming = [particle.id - 1 for particle in vertex.particles_in]
        for index in incoming:
            if 11 <= abs(kinds[index]) <= 18:
                return int(index)
    beams = [index for index, state in enumerate(states) if state == _BEAM]
    leptons = [index for index in beams if 11 <= abs(kinds[index]) <= 18]
    entering = [index for index in beams if index in incoming]
    return next(iter((*leptons, *entering, *beams)), None)


READER = NuHepMCReader()
