"""What a file holds: generator, beam, targets, processes, particles."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from forefold.io import files
from forefold.io.registry import Header, Source, choose, nothing_left

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from rich.console import Group

    from forefold.io.registry import Damage, Progress

__all__ = [
    "Beam",
    "Counts",
    "Inspection",
    "Process",
    "Species",
    "Target",
    "Weights",
    "inspect_file",
]

# NuHepMC 1.0.0, convention E.C.1.
_RANGES = {
    1: "coherent",
    2: "quasielastic",
    3: "meson exchange (2p2h)",
    4: "resonance",
    5: "shallow inelastic",
    6: "deep inelastic",
    7: "neutrino-lepton",
}


@dataclass(frozen=True)
class Inspection:
    """What a file holds.

    Attributes
    ----------
    path, format : str
        File and its format.
    generator : tuple of str
        Programs that made it.
    details : dict
        What else the file says about itself.
    events : int
        Number of events.
    beams, targets, processes, particles : tuple
        What there is of each, most frequent first.
    weights : Weights
        Weights of the events.

    Examples
    --------
    >>> from importlib.resources import files
    >>> from forefold import io
    >>> found = io.inspect(files("forefold") / "data" / "genie_numu_Ar40_3k.gst.root")
    >>> found.format, found.events, found.targets[0].name
    ('GENIE gst', 3000, 'Ar40')
    """

    path: str
    format: str
    generator: tuple[str, ...]
    details: dict[str, str]
    events: int
    beams: tuple[Beam, ...]
    targets: tuple[Target, ...]
    processes: tuple[Process, ...]
    particles: tuple[Species, ...]
    weights: Weights

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, numbers and strings, as JSON holds them."""
        return asdict(self)

    def __str__(self) -> str:
        """Lay it out as text."""
        lines = [self.path, *(f"  {key:<11} {value}" for key, value in self.facts())]
        for title, heads, rows in self.tables():
            cells = [heads, *rows]
            widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
            lines += ["", title]
            for row in cells:
                # Names stand on the left, numbers on the right.
                parts = [f"{row[0]:<{widths[0]}}"]
                parts += [
                    f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)
                ]
                lines.append("  " + "  ".join(parts).rstrip())
        return "\n".join(lines)

    def __rich__(self) -> Group:
        """Lay it out for a terminal."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        facts = Table(box=None, show_header=False, pad_edge=False)
        for key, value in self.facts():
            facts.add_row(Text(key, style="dim"), Text(value))
        parts: list[Text | Table] = [Text(self.path, style="bold"), facts]
        for title, heads, rows in self.tables():
            table = Table(title=title, title_justify="left", title_style="bold", box=None)
            for index, text in enumerate(heads):
                table.add_column(text, justify="right" if index else "left")
            for row in rows:
                table.add_row(*(Text(cell) for cell in row))
            parts += [Text(), table]
        return Group(*parts)

    def facts(self) -> Iterator[tuple[str, str]]:
        """Give what the file says of itself: names and values."""
        yield "format", self.format
        for name in self.generator:
            yield "generator", name
        yield from self.details.items()
        yield "events", f"{self.events}"
        weights = self.weights
        spread = f"all {weights.min:g}" if weights.equal else f"{weights.min:g} to {weights.max:g}"
        yield "weights", f"{spread}, sum {weights.sum:g}"

    def tables(self) -> Iterator[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
        """Give tables of what is in it: title, heads and rows."""
        rows: list[tuple[str, ...]]
        rows = [
            (
                b.name,
                str(b.pdgid),
                str(b.count),
                *map(_gev, (b.energy_min, b.energy_mean, b.energy_max)),
            )
            for b in self.beams
        ]
        yield "Beam", ("particle", "pdgid", "events", "min / GeV", "mean / GeV", "max / GeV"), rows
        rows = [(t.name, str(t.pdgid), str(t.count)) for t in self.targets]
        yield "Target", ("nucleus", "pdgid", "events"), rows
        rows = [
            (p.name, str(p.process_id), p.current or "-", str(p.count), f"{100 * p.fraction:.1f} %")
            for p in self.processes
        ]
        yield "Processes", ("process", "id", "current", "events", "of weight"), rows
        rows = [
            (
                s.name,
                str(s.pdgid),
                str(s.count),
                f"{s.count / self.events:.3f}",
                _gev(s.energy_mean),
            )
            for s in self.particles
        ]
        heads = ("particle", "pdgid", "count", "per event", "mean energy / GeV")
        yield "Final-state particles", heads, rows


def inspect_file(
    path: str | os.PathLike[str],
    progress: Progress | None = None,
    damage: Damage | None = None,
) -> Inspection:
    """Read a file through, piece by piece, and count.

    Parameters
    ----------
    path : str or path
        File.
    progress : callable, optional
        Called after each piece with the fraction done and the number of events.
    damage : Damage, optional
        Go on without events that cannot be read, and count them here.

    Returns
    -------
    Inspection
        What the file holds.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is of no known format, damaged or empty.
    """
    name = _one_file(path)
    reader = choose(name)
    header = reader.describe(name)
    tally = Counts()
    for record, done in reader.iterate(Source(name, damage=damage)):
        tally.add(record)
        if progress is not None:
            progress(done, tally.events)
    if not tally.events:
        raise nothing_left(name, damage)
    return tally.result(name, header)


def _one_file(path: str | os.PathLike[str]) -> str:
    names = files.expand(path)
    if len(names) != 1:
        msg = f"{os.fspath(path)}: matches {len(names)} files, give one"
        raise ValueError(msg)
    return names[0]


class Counts:
    """Counts that grow with the pieces: `add` each, and ask for the `result`."""

    def __init__(self) -> None:
        self.events = 0
        # count, sum of energies, least, largest
        self.beams: dict[int, list[float]] = {}
        self.species: dict[int, list[float]] = {}
        self.targets: dict[int, int] = {}
        # count, sum of weights
        self.processes: dict[tuple[int, str], list[float]] = {}
        self.weights = [0.0, math.inf, -math.inf]

    def add(self, record: ak.Array) -> None:
        """Count a piece."""
        self.events += len(record)
        weight = ak.to_numpy(record.weight)
        total, low, high = self.weights
        low, high = min(low, float(weight.min())), max(high, float(weight.max()))
        self.weights = [total + float(weight.sum()), low, high]
        _add_energies(
            self.beams, ak.to_numpy(record.probe), ak.to_numpy(record.probe_momentum.energy)
        )
        flat = ak.flatten(record.particles, axis=1)
        _add_energies(self.species, ak.to_numpy(flat.pdgid), ak.to_numpy(flat.energy))
        targets, counts = np.unique(ak.to_numpy(record.target), return_counts=True)
        for target, count in zip(targets.tolist(), counts.tolist(), strict=True):
            self.targets[target] = self.targets.get(target, 0) + count
        process_id = ak.to_numpy(record.process_id)
        charged = ak.to_numpy(ak.fill_none(record.cc, False))
        neutral = ak.to_numpy(ak.fill_none(record.nc, False))
        for current, chosen in (
            ("CC", charged),
            ("NC", neutral & ~charged),
            ("", ~charged & ~neutral),
        ):
            for number in np.unique(process_id[chosen]).tolist():
                here = chosen & (process_id == number)
                entry = self.processes.setdefault((number, current), [0, 0.0])
                entry[0] += int(here.sum())
                entry[1] += float(weight[here].sum())

    def result(self, path: str, header: Header) -> Inspection:
        """Put the counts in order."""
        from forefold.events import particles as species

        total = self.weights[0]
        beams = tuple(
            Beam(
                pdgid, _name(species.name, pdgid), int(count), *_energies(count, energy, low, high)
            )
            for pdgid, (count, energy, low, high) in _sorted(self.beams)
        )
        particles = tuple(
            Species(pdgid, _name(species.name, pdgid), int(count), energy / count)
            for pdgid, (count, energy, _, _) in _sorted(self.species)
        )
        targets = tuple(
            Target(pdgid, _name(species.name, pdgid), count)
            for pdgid, count in sorted(self.targets.items(), key=lambda item: (-item[1], item[0]))
        )
        processes = tuple(
            Process(
                number,
                header.process_names.get(number) or _process_name(number, current),
                current,
                int(count),
                weight / total if total else 0.0,
            )
            for (number, current), (count, weight) in sorted(self.processes.items())
        )
        low, high = self.weights[1:]
        weights = Weights(total, low, high, low == high)
        return Inspection(
            path=path,
            format=header.format,
            generator=header.generator,
            details=_details(header),
            events=self.events,
            beams=beams,
            targets=targets,
            processes=processes,
            particles=particles,
            weights=weights,
        )


def _details(header: Header) -> dict[str, str]:
    if header.cross_section is None:
        return header.details
    return {"flux-averaged cross section": str(header.cross_section)} | header.details


def _add_energies(
    table: dict[int, list[float]], pdgid: NDArray[np.int64], energy: NDArray[np.float64]
) -> None:
    """Add count, sum, least and largest energy by kind of particle."""
    for number in np.unique(pdgid).tolist():
        here = energy[pdgid == number]
        entry = table.setdefault(number, [0, 0.0, math.inf, -math.inf])
        entry[0] += len(here)
        entry[1] += float(here.sum())
        entry[2] = min(entry[2], float(here.min()))
        entry[3] = max(entry[3], float(here.max()))


def _sorted(table: dict[int, list[float]]) -> Iterable[tuple[int, list[float]]]:
    return sorted(table.items(), key=lambda item: (-item[1][0], item[0]))


def _energies(
    count: float, energy: float, low: float, high: float
) -> tuple[float, float, float] | tuple[None, None, None]:
    """Least, mean and largest energy; None where unknown."""
    mean = energy / count
    return (low, mean, high) if math.isfinite(mean) else (None, None, None)


def _name(names: Any, pdgid: int) -> str:
    return str(names(pdgid)) if pdgid else "unknown"


def _process_name(number: int, current: str) -> str:
    """Name of a process by the ranges of NuHepMC."""
    name = _RANGES.get(abs(number) // 100, "unknown" if number == 0 else "other")
    if number < 0:
        return f"{name} EM"
    return f"{name} {current}".strip()


def _gev(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


@dataclass(frozen=True)
class Beam:
    """One kind of probe.

    Attributes
    ----------
    pdgid, name : int, str
        What it is; 0 = unknown.
    count : int
        Number of events.
    energy_min, energy_mean, energy_max : float or None
        Its energy, GeV; the mean is not weighted. None = unknown.
    """

    pdgid: int
    name: str
    count: int
    energy_min: float | None
    energy_mean: float | None
    energy_max: float | None


@dataclass(frozen=True)
class Target:
    """One kind of target; `pdgid` 0 = unknown."""

    pdgid: int
    name: str
    count: int


@dataclass(frozen=True)
class Process:
    """One process.

    Attributes
    ----------
    process_id, name : int, str
        NuHepMC number and name; 0 = unknown.
    current : str
        "CC", "NC", or empty.
    count : int
        Number of events.
    fraction : float
        Share of the sum of weights.
    """

    process_id: int
    name: str
    current: str
    count: int
    fraction: float


@dataclass(frozen=True)
class Species:
    """One kind of final-state particle; `energy_mean` is the mean total energy in GeV."""

    pdgid: int
    name: str
    count: int
    energy_mean: float


@dataclass(frozen=True)
class Weights:
    """Weights of the events."""

    sum: float
    min: float
    max: float
    equal: bool
