"""MARLEY's ASCII and JSON formats, and HEPEVT text as MARLEY and others write it.

MARLEY 2 writes NuHepMC instead.  The layouts are those of MARLEY 1.2's manual ("Interpreting the
output", http://www.marleygen.org/interpret_output.html):

- ASCII, MeV: a line with the flux-averaged cross section (MeV^-2 per atom); for each event a line
  ``Ni Nf Ex twoJ P``, then Ni + Nf lines ``PDG E px py pz mass charge``.
- JSON, MeV: one object; ``events`` is a list of objects with ``initial_particles`` and
  ``final_particles``, lists of ``pdg, E, px, py, pz, mass, charge``; ``gen_state`` has
  ``flux_avg_xsec`` (MeV^-2 per atom) and ``event_count``.
- HEPEVT, GeV: for each event a line ``NEVHEP NHEP``, then NHEP lines ``ISTHEP IDHEP JMOHEP(2)
  JDAHEP(2) PHEP(5) VHEP(4)``, with PHEP = px, py, pz, E, mass.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeGuard

import numpy as np

from forefold import events
from forefold.io import files
from forefold.io import source as remote
from forefold.io.cross_sections import PB_OF_PER_MEV2, CrossSection
from forefold.io.readers.tree import checked
from forefold.io.registry import Header, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader

    import awkward as ak

__all__ = ["HEPEVT", "JSON", "READER", "HepevtReader", "MarleyJsonReader", "MarleyReader"]

_NUMBER = rb"[-+]?+(?:\d++\.?+\d*+|\.\d++)(?:[eEdD][-+]?+\d++)?+"
_INT = rb"[-+]?+\d{1,10}+"
_LINE_BYTES = 1000
_MOST_PARTICLES = 100_000
_INITIAL = 0
_LEPTONS = range(11, 17)
_NUCLEONS = (2112, 2212)
_NUCLEI = range(1_000_000_000, 2_000_000_000)

# status, pdgid, px, py, pz, energy
_Row = tuple[int, int, float, float, float, float]


def _line(*parts: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"\s*+" + rb"\s++".join(parts) + rb"\s*+")


@dataclass
class _Event:
    """An event while its lines come in."""

    number: int
    lines: int
    initial: int
    rows: list[_Row] = field(default_factory=list)


class _TextReader(ABC):
    """A reader of text in which a line announces the lines of an event."""

    name: ClassVar[str]
    format: ClassVar[str]
    head: ClassVar[re.Pattern[bytes]]
    particle: ClassVar[re.Pattern[bytes]]
    preamble: ClassVar[re.Pattern[bytes] | None] = None

    @abstractmethod
    def start(self, words: list[bytes], entry: int) -> _Event:
        """Make an event of its first line."""

    @abstractmethod
    def row(self, words: list[bytes], event: _Event) -> _Row | None:
        """Make a particle of its line; None if it stands for something else."""

    def sniff(self, path: str) -> bool:
        """Tell whether the first lines are those of an event."""
        start = files.head(path, 2 * _LINE_BYTES)
        lines = [line for line in start.split(b"\n")[:4] if line.strip()]
        if lines and self.preamble is not None and self.preamble.fullmatch(lines[0]):
            lines = lines[1:]
        return (
            len(lines) > 1
            and self.head.fullmatch(lines[0]) is not None
            and self.particle.fullmatch(lines[1]) is not None
        )

    def describe(self, path: str) -> Header:
        """Say what the format records."""
        details = {"process, weight": "not recorded"}
        first = files.head(path, _LINE_BYTES).lstrip().split(b"\n", 1)[0]
        total = None
        if self.preamble is not None and self.preamble.fullmatch(first):
            details["flux-averaged cross section"] = f"{first.decode().strip()} MeV^-2 per atom"
            value = _number(first.strip()) * PB_OF_PER_MEV2
            if 0 < value < float("inf"):
                total = CrossSection(value, "pb", "PerAtom", "as the first line says")
        generator = "MARLEY" if self.preamble is not None else "unknown (HEPEVT names none)"
        return Header(self.format, (generator,), details, cross_section=total)

    def iterate(self, source: Source) -> Iterator[tuple[ak.Array, float]]:
        """Read the listing in pieces."""
        size = max(remote.size(source.path), 1)
        batch: list[tuple[int, _Event]] = []
        read = yielded = 0
        with files.decoded(source.path) as (content, raw):
            for entry, event in self._events(content, source):
                read = entry + 1
                if entry < source.start:
                    continue
                if source.stop is not None and entry >= source.stop:
                    break
                if event is None:
                    continue
                batch.append((entry, event))
                if len(batch) == source.chunk:
                    record = _record(batch, source)
                    batch = []
                    yielded += len(record)
                    if len(record):
                        yield record, min(raw.tell() / size, 1.0)
        if batch:
            record = _record(batch, source)
            if len(record):
                yield record, 1.0
        elif read == 0:
            raise files.no_events(source.path, "the listing")
        elif source.start >= read and not yielded:
            raise files.beyond(source.path, source.start, read)

    def _events(
        self, content: BufferedReader, source: Source
    ) -> Iterator[tuple[int, _Event | None]]:
        """Read event after event; one that is damaged is None."""
        lines = _Lines(content, source.path, self.preamble)
        entry = 0
        while (line := lines.next()) is not None:
            fault, event = None, None
            if self.head.fullmatch(line) is None:
                fault = f"unexpected line {_shown(line)}, must start an event"
            else:
                event = self.start(line.split(), entry)
                fault = self._fill(event, lines)
            if fault is not None:
                if self._inside(source, entry):
                    source.lose(1, f"{source.path}: entry {entry}: {fault}")
                event = None
                lines.skip_to(self.head)
            yield entry, event
            entry += 1
        if lines.fault is not None and not lines.told and self._inside(source, entry):
            source.lose(1, f"{source.path}: entry {entry}: {lines.fault}")

    @staticmethod
    def _inside(source: Source, entry: int) -> bool:
        return entry >= source.start and (source.stop is None or entry < source.stop)

    def _fill(self, event: _Event, lines: _Lines) -> str | None:
        """Read the particles; say what is wrong."""
        if event.lines > _MOST_PARTICLES:
            return f"{event.lines} particles announced, must be at most {_MOST_PARTICLES}"
        for count in range(event.lines):
            line = lines.next()
            if line is None:
                rest = f"{count} of {event.lines} particles"
                lines.told = True
                return lines.fault or f"the file is cut short in this event, after {rest}"
            if self.particle.fullmatch(line) is None:
                if self.head.fullmatch(line):
                    lines.back(line)
                    return f"{count} particles, but its first line says {event.lines}"
                return f"malformed particle line {_shown(line)}"
            row = self.row(line.split(), event)
            if row is not None:
                event.rows.append(row)
        return None


class _Lines:
    """Lines of a file, of bounded length, blank ones left out."""

    def __init__(
        self, content: BufferedReader, path: str, preamble: re.Pattern[bytes] | None
    ) -> None:
        self.content = content
        self.path = path
        self.preamble = preamble
        self.first = True
        self.fault: str | None = None
        self.told = False
        self.waiting: list[bytes] = []

    def next(self) -> bytes | None:
        """Read a line; None at the end, or where the rest cannot be read."""
        if self.waiting:
            return self.waiting.pop()
        while self.fault is None:
            try:
                line = self.content.readline(_LINE_BYTES)
            except files.DAMAGE as error:
                self.fault = str(files.damaged("", error))[2:]
                return None
            if not line:
                return None
            first, self.first = self.first, False
            if not line.strip():
                continue
            if first and self.preamble is not None and self.preamble.fullmatch(line):
                continue
            return line
        return None

    def back(self, line: bytes) -> None:
        """Read this line again."""
        self.waiting.append(line)

    def skip_to(self, head: re.Pattern[bytes]) -> None:
        """Leave out lines until one starts an event."""
        while (line := self.next()) is not None:
            if head.fullmatch(line):
                self.back(line)
                return


class MarleyReader(_TextReader):
    """Reader of MARLEY's ASCII format."""

    name = "marley"
    format = "MARLEY ASCII"
    preamble = _line(_NUMBER)
    # versions before 1.2 write neither the cross section nor spin and parity
    head = _line(rb"\d{1,19}+", rb"\d{1,19}+", _NUMBER + rb"(?:\s++" + _INT + rb"\s++[-+])?+")
    particle = _line(_INT, *[_NUMBER] * 5, _INT)

    def start(self, words: list[bytes], entry: int) -> _Event:
        """Make an event of ``Ni Nf Ex twoJ P``."""
        initial, final = int(words[0]), int(words[1])
        return _Event(entry, initial + final, initial)

    def row(self, words: list[bytes], event: _Event) -> _Row:
        """Make a particle of ``PDG E px py pz mass charge``."""
        energy, px, py, pz = (_number(word) / 1000.0 for word in words[1:5])
        state = _INITIAL if len(event.rows) < event.initial else events.FINAL_STATE
        return state, int(words[0]), px, py, pz, energy


class HepevtReader(_TextReader):
    """Reader of HEPEVT text, in GeV.

    Particles of status 1 are the final state. The probe is the first lepton that is not, the target
    the first nucleus or nucleon.
    """

    name = "hepevt"
    format = "HEPEVT text"
    head = _line(rb"\d{1,18}+", rb"\d{1,19}+")
    particle = _line(_INT, _INT, *[_INT] * 4, *[_NUMBER] * 9)

    def start(self, words: list[bytes], entry: int) -> _Event:
        """Make an event of ``NEVHEP NHEP``."""
        del entry
        return _Event(int(words[0]), int(words[1]), 0)

    def row(self, words: list[bytes], event: _Event) -> _Row | None:
        """Make a particle; MARLEY's dummy (id 0), which holds the nuclear level, is none."""
        del event
        if int(words[1]) == 0:
            return None
        px, py, pz, energy = (_number(word) for word in words[6:10])
        return int(words[0]), int(words[1]), px, py, pz, energy


class MarleyJsonReader:
    """Reader of MARLEY's JSON format.

    Events are read one after the other, so that those before damage are there.
    """

    name = "marley-json"

    def sniff(self, path: str) -> bool:
        """Tell whether the file is one object that begins as MARLEY's does."""
        start = files.head(path, 8 * _LINE_BYTES)
        return start.lstrip()[:1] == b"{" and (
            _JSON_EVENTS.search(start) is not None and b'"final_particles"' in start
        )

    def describe(self, path: str) -> Header:
        """Say what the state of the generator says."""
        details = {"process, weight": "not recorded"}
        total = None
        match = _STATE.search(_text(path))
        try:  # what is wrong with it is said when the events are read
            state = json.JSONDecoder().raw_decode(match[1])[0] if match else {}
        except (ValueError, RecursionError):
            state = {}
        state = state if isinstance(state, dict) else {}
        value = state.get("flux_avg_xsec")
        if _is_number(value):
            details["flux-averaged cross section"] = f"{value!r} MeV^-2 per atom"
            section = float(value) * PB_OF_PER_MEV2
            if 0 < section < float("inf"):
                total = CrossSection(section, "pb", "PerAtom", "as gen_state says")
        if isinstance(state.get("seed"), str | int):
            details["seed"] = str(state["seed"])[:40]
        return Header("MARLEY JSON", ("MARLEY",), details, cross_section=total)

    def iterate(self, source: Source) -> Iterator[tuple[ak.Array, float]]:
        """Read the events in pieces."""
        text = _text(source.path)
        batch: list[tuple[int, _Event]] = []
        read = yielded = 0
        for entry, event, at in self._events(text, source):
            read = entry + 1
            if entry < source.start:
                continue
            if source.stop is not None and entry >= source.stop:
                break
            if event is None:
                continue
            batch.append((entry, event))
            if len(batch) == source.chunk:
                record = _record(batch, source)
                batch = []
                yielded += len(record)
                if len(record):
                    yield record, at / len(text)
        if batch:
            record = _record(batch, source)
            if len(record):
                yield record, 1.0
        elif read == 0:
            raise files.no_events(source.path, "the list of events")
        elif source.start >= read and not yielded:
            raise files.beyond(source.path, source.start, read)

    @staticmethod
    def _events(text: str, source: Source) -> Iterator[tuple[int, _Event | None, int]]:
        """Read event after event; one that is damaged is None."""
        decode = json.JSONDecoder().raw_decode
        begin = at = _first_event(source.path, text)
        entry = 0

        def lose(what: str) -> None:
            if entry >= source.start and (source.stop is None or entry < source.stop):
                source.lose(1, f"{source.path}: entry {entry}: {what}")

        while text[at : at + 1] != "]":
            try:
                content, at = decode(text, at)
                at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
                if text[at : at + 1] not in (",", "]"):
                    raise ValueError
            except (ValueError, RecursionError):
                # what follows damage cannot be found again
                cut = at >= len(text.rstrip()) or not text.rstrip().endswith("}")
                lose("the file is cut short in this event" if cut else "not JSON")
                return
            event, fault = _of_json(content, entry)
            if fault:
                lose(fault)
            yield entry, event, at
            entry += 1
            if text[at] == ",":
                at = _SPACE.match(text, at + 1).end()  # type: ignore[union-attr]
        try:
            state = _state(source.path, text[:begin] + text[at:])
        except ValueError as error:
            lose(str(error).removeprefix(f"{source.path}: "))
            return
        claimed = state.get("event_count")
        if _is_number(claimed) and claimed != entry:
            lose(f"{entry} events, but gen_state counts {claimed}")


_JSON_EVENTS = re.compile(rb'"events"\s*+:\s*+\[')
_SPACE = re.compile(r"\s*")
_STATE = re.compile(r'"gen_state"\s*+:\s*+(.*)', re.DOTALL)


def _text(path: str) -> str:
    try:
        return remote.unpacked(path).decode("utf-8", errors="replace")
    except ValueError as error:
        message = str(error) if str(error).startswith(path) else f"{path}: {error}"
        raise ValueError(message) from None


def _first_event(path: str, text: str) -> int:
    """Find where the list of events begins."""
    match = re.search(_JSON_EVENTS.pattern.decode(), text)
    if match is None:
        message = f"{path}: the file is cut short before its events"
        raise ValueError(message)
    return _SPACE.match(text, match.end()).end()  # type: ignore[union-attr]


def _state(path: str, outside: str) -> dict[str, Any]:
    """Read the state of the generator from what is outside of the list of events."""
    try:
        content = json.loads(outside)
    except (ValueError, RecursionError):
        content = None
    state = content.get("gen_state") if isinstance(content, dict) else None
    if not isinstance(state, dict):
        message = (
            f"{path}: the file is cut short or damaged outside of its events: no whole gen_state"
        )
        raise ValueError(message)
    return state


def _of_json(content: Any, entry: int) -> tuple[_Event | None, str]:
    """Make an event of its object, or say what is wrong with it."""
    event = _Event(entry, 0, 0)
    for key, status in (("initial_particles", _INITIAL), ("final_particles", events.FINAL_STATE)):
        particles = content.get(key) if isinstance(content, dict) else None
        if not isinstance(particles, list) or len(particles) > _MOST_PARTICLES:
            return None, f"{key} must be a list of particles, at most {_MOST_PARTICLES}"
        for particle in particles:
            numbers = [particle.get(k) if isinstance(particle, dict) else None for k in _MOMENTUM]
            pdg = particle.get("pdg") if isinstance(particle, dict) else None
            momentum = [float(number) / 1000.0 for number in numbers if _is_number(number)]
            whole = isinstance(pdg, int) and _is_number(pdg) and abs(pdg) < 10**10
            if not whole or len(momentum) != len(_MOMENTUM):
                return (
                    None,
                    f"a particle of {key} must have a whole number pdg and numbers {', '.join(_MOMENTUM)}, found {str(particle)[:80]}",
                )
            px, py, pz, energy = momentum
            event.rows.append((status, int(pdg or 0), px, py, pz, energy))
    return event, ""


_MOMENTUM = ("px", "py", "pz", "E")


def _is_number(given: Any) -> TypeGuard[float]:
    return isinstance(given, int | float) and not isinstance(given, bool) and abs(given) < 1e300


def _number(word: bytes) -> float:
    """Read a number, also with Fortran's exponent."""
    return float(word.replace(b"D", b"E").replace(b"d", b"e"))


def _shown(line: bytes) -> str:
    return repr(line[:60].strip().decode("ascii", errors="backslashreplace"))


def _record(batch: list[tuple[int, _Event]], source: Source) -> ak.Array:
    """Make the event record of one piece."""
    probe, target, momentum, cc, nc = [], [], [], [], []
    for _, event in batch:
        lepton = _find(event, lambda pdgid: abs(pdgid) in _LEPTONS)
        nucleus = _find(event, lambda pdgid: pdgid in _NUCLEONS or pdgid in _NUCLEI)
        probe.append(lepton[1] if lepton else 0)
        target.append(nucleus[1] if nucleus else 0)
        momentum.append(lepton[2:] if lepton else (np.nan,) * 4)
        current = _current(event, probe[-1]) if target[-1] else 0
        cc.append(current == 1)
        nc.append(current == 2)
    unknown = ~(np.array(cc) | np.array(nc))
    if source.final_state_only:
        kept = [[row for row in event.rows if row[0] == events.FINAL_STATE] for _, event in batch]
    else:
        kept = [event.rows for _, event in batch]
    rows = [row for event_rows in kept for row in event_rows]
    status, pdgid, px, py, pz, energy = zip(*rows, strict=True) if rows else [()] * 6
    record = events.build(
        counts=[len(event_rows) for event_rows in kept],
        pdgid=np.array(pdgid, dtype=np.int64),
        status=np.array(status, dtype=np.int64),
        px=np.array(px),
        py=np.array(py),
        pz=np.array(pz),
        energy=np.array(energy),
        event=np.array([event.number for _, event in batch], dtype=np.int64),
        entry=np.array([entry for entry, _ in batch], dtype=np.int64),
        cc=np.ma.masked_array(cc, unknown),
        nc=np.ma.masked_array(nc, unknown),
        probe=np.array(probe, dtype=np.int64),
        probe_momentum=list(np.array(momentum).reshape(-1, 4).T),
        target=np.array(target, dtype=np.int64),
        source=source.path,
        stream=source.stream,
    )
    return checked(record, source)


def _find(event: _Event, wanted: Callable[[int], bool]) -> _Row | None:
    """Find the first particle of the initial state that is wanted."""
    initial = (row for row in event.rows if row[0] != events.FINAL_STATE)
    return next((row for row in initial if wanted(row[1])), None)


def _current(event: _Event, probe: int) -> int:
    """Tell charged (1) and neutral (2) current of a neutrino on a nucleus; 0 = unknown."""
    if abs(probe) not in (12, 14, 16):
        return 0
    final = {row[1] for row in event.rows if row[0] == events.FINAL_STATE}
    partner = probe - 1 if probe > 0 else probe + 1
    if (partner in final) == (probe in final):
        return 0
    return 1 if partner in final else 2


READER = MarleyReader()
HEPEVT = HepevtReader()
JSON = MarleyJsonReader()
