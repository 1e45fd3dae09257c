"""What a reader is, and the table of readers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    import awkward as ak

    from forefold.io.cross_sections import CrossSection

__all__ = ["Damage", "Header", "Progress", "Reader", "Source", "choose", "nothing_left", "register"]

Paths: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
Entries: TypeAlias = "tuple[int | None, int | None] | slice | str | None"
Progress: TypeAlias = Callable[[float | None, int], object]

_NOTES = 10
_GROUP = "forefold.readers"
"""Entry points by which other packages add readers, asked after forefold's own."""


@dataclass
class Damage:
    """Events that could not be read, where the user asked to go on without them.

    Attributes
    ----------
    events : int
        How many are lost, as far as that can be known.
    notes : list of str
        What was wrong, the first ten.
    """

    events: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, events: int, note: str) -> None:
        """Count events that are lost for one reason."""
        self.events += events
        if len(self.notes) < _NOTES:
            self.notes.append(note)


@dataclass(frozen=True)
class Source:
    """A file to be read, and how.

    Attributes
    ----------
    path : str
        The file, as it was given.
    stream : int
        Its number in the random numbers.
    start, stop : int, int or None
        Range of entries.
    chunk : int
        Most events in a piece.
    final_state_only : bool
        Leave out what is not final state.
    damage : Damage or None
        Where to count events that cannot be read; None stops at the first.
    """

    path: str
    stream: int = 0
    start: int = 0
    stop: int | None = None
    chunk: int = 50_000
    final_state_only: bool = True
    damage: Damage | None = None

    def lose(self, events: int, message: str) -> None:
        """Give up `events` events for the reason in `message`, which names file and entry.

        Raises
        ------
        ValueError
            With the message, unless the user asked to skip what is damaged.
        """
        if self.damage is None:
            raise ValueError(message)
        self.damage.add(events, message)


@dataclass(frozen=True)
class Header:
    """What a file says about itself, before its events.

    Attributes
    ----------
    format : str
        Format and, where known, its version.
    generator : tuple of str
        Programs that made the file, with versions.
    details : dict of str
        Other facts: tune, number of branches, conventions.
    process_names : dict of int to str
        Names of the processes, where the file or its format has them.
    tools : tuple of (str, str, str)
        Name, version and description of each of these programs, where `generator` does not say it all.
    cross_section : CrossSection or None
        Flux-averaged total cross-section of the run; None = unknown.
    """

    format: str
    generator: tuple[str, ...] = ()
    details: dict[str, str] = field(default_factory=dict)
    process_names: dict[int, str] = field(default_factory=dict)
    tools: tuple[tuple[str, str, str], ...] = ()
    cross_section: CrossSection | None = None


class Reader(Protocol):
    """One input format."""

    name: str

    def sniff(self, path: str) -> bool:
        """Tell from the content whether this reader reads the file."""
        ...

    def describe(self, path: str) -> Header:
        """Read what the file says about itself."""
        ...

    def iterate(self, source: Source) -> Iterator[tuple[ak.Array, float]]:
        """Read pieces of the event record, each with the fraction of the file that is done."""
        ...


_MODULES = {
    "gst": "forefold.io.readers.gst",
    "ghep": "forefold.io.readers.ghep",
    "rootracker": "forefold.io.readers.rootracker",
    "nuisance": "forefold.io.readers.nuisance",
    "nuwro": "forefold.io.readers.nuwro",
    "gibuu": "forefold.io.readers.gibuu",
    "nuhepmc": "forefold.io.readers.nuhepmc",
    "marley": "forefold.io.readers.marley:READER",
    "marley-json": "forefold.io.readers.marley:JSON",
    "hepevt": "forefold.io.readers.marley:HEPEVT",
    "forefold": "forefold.io.native.reader",
    "table": "forefold.io.readers.table",
}
_TREES = "GENIE `gst`, `gtree` (GHEP) and `gRooTracker`, NUISANCE `FlatTree_VARS`, NuWro `treeout`, GiBUU `RootTuple`"
_TABLES = "csv and parquet tables with event, pdgid, px, py, pz, energy; and its own outputs"
_TEXTS = "NuHepMC and HepMC text, MARLEY ASCII and JSON, and HEPEVT text (plain, gzip, xz or zstd)"
_HINTS = {
    "nRooTracker": "forefold reads GENIE's rootracker only",
    "neuttree": "convert NEUT's own tree to NuHepMC",
    "hepmc3_tree": "convert HepMC3's ROOT format to HepMC3 text",
    "MARLEY_event_tree": "let MARLEY write its ASCII or JSON format, or HepMC3",
}
_READERS: dict[str, Reader] = {}


def nothing_left(path: str, damage: Damage | None) -> ValueError:
    """Make the error for a file of which not one event is good."""
    why = f" ({damage.notes[-1]})" if damage and damage.notes else ""
    return ValueError(f"{path}: no event of this file can be read{why}")


def register(reader: Reader) -> None:
    """Add a reader; it is asked before those that were there.

    Parameters
    ----------
    reader : Reader
        The new reader. One of the same name is replaced.
    """
    _READERS[reader.name] = reader


def choose(path: str) -> Reader:
    """Find the reader of a file by its content.

    Parameters
    ----------
    path : str
        File.

    Returns
    -------
    Reader
        The first reader that recognises the file.

    Raises
    ------
    ValueError
        If none does; the message says what the file is.
    """
    for reader in reversed(list(_READERS.values())):
        if reader.sniff(path):
            return reader
    for name, module in _MODULES.items():
        if name not in _READERS:
            place, _, attribute = module.partition(":")
            candidate: Reader = getattr(import_module(place), attribute or "READER")
            if candidate.sniff(path):
                return candidate
    for plugin in entry_points(group=_GROUP):
        candidate = plugin.load()
        if candidate.sniff(path):
            return candidate
    msg = f"{path}: {_what(path)}"
    raise ValueError(msg)


def _what(path: str) -> str:
    """Say what a file is that no reader reads."""
    from forefold.io import files

    start = files.head(path)
    if not start:
        return "the file is empty"
    if start.startswith(b"root"):
        from forefold.events.particles import near
        from forefold.io.root import contents
        from forefold.io.source import parted

        names, inside = contents(path), parted(path)[1]
        last = [name.rpartition("/")[2] for name in names]
        hints = [f"; {_HINTS[name]}" for name in last if name in _HINTS]
        where = f" at {inside!r}{near(inside, names)}" if inside else ""
        return (
            f"a ROOT file without a tree{where} that forefold reads ({_TREES}); "
            f"it holds: {', '.join(names[:_NOTES]) or 'nothing'}{''.join(hints[:1])}"
        )
    if start.startswith((b"hmpb", b"HepMC3::Protobuf")):
        return "HepMC3 in protobuf, which pyhepmc cannot read; convert it to HepMC3 text"
    return f"of no known format; forefold reads ROOT files ({_TREES}), {_TEXTS}; {_TABLES}"
