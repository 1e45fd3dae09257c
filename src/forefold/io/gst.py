"""GENIE's summary tree `gst` (made by gntpc), read with uproot."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from forefold import events
from forefold.io import files, rootfile
from forefold.io.reader import Header, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["PROCESSES", "PROCESS_NAMES", "READER", "GstReader"]

# Files of GENIE 2 to 3.06 have 92, 94, 97 or 99 branches: those in OPTIONAL come and go.
_EVENT = ("iev", "neu", "tgt", "Ev", "pxv", "pyv", "pzv")
_LEPTON = ("fspl", "El", "pxl", "pyl", "pzl")
_FINAL = ("pdgf", "Ef", "pxf", "pyf", "pzf")
_PRIMARY = ("pdgi", "Ei", "pxi", "pyi", "pzi")
_REQUIRED = (*_EVENT, *_LEPTON, *_FINAL)
_FLAGS = (
    "qel", "mec", "res", "dis", "coh", "dfr", "imd", "imdanh", "singlek", "nuel", "em", "amnugamma",
    "cc", "nc",
)  # fmt: skip
_OPTIONAL = ("wght", *_FLAGS)

# The numbers that GENIE's own NuHepMC converter gives: CC first, NC second.
PROCESSES = {
    "coh": (100, 150),
    "qel": (200, 250),
    "mec": (300, 350),
    "res": (400, 450),
    "dis": (600, 650),
    "singlek": (601, 601),
    "dfr": (700, 750),
    "imd": (701, 701),
    "imdanh": (702, 702),
    "nuel": (703, 703),
    "amnugamma": (751, 751),
}
PROCESS_NAMES = {
    601: "single kaon CC",
    700: "diffractive CC",
    701: "inverse muon decay",
    702: "inverse muon decay by annihilation",
    703: "nu-e elastic",
    750: "diffractive NC",
    751: "anomaly-mediated nu-gamma",
}
_VERSIONS = {
    92: "as in GENIE 2.10",
    94: "as in GENIE 3.0",
    97: "as in GENIE 3.02",
    99: "as in GENIE 3.06",
}

_TREE = "gst"
_INITIAL, _IN_NUCLEUS = 0, 14


class GstReader:
    """Reader of GENIE `gst` trees."""

    name = "gst"

    def sniff(self, path: str) -> bool:
        """Tell whether the file is ROOT and holds the tree."""
        return files.head(path, 4) == b"root" and _TREE in rootfile.keys(path)

    def describe(self, path: str) -> Header:
        """Count the branches; a gst tree does not name the version or tune that made it."""
        with rootfile.tree(path, _TREE) as tree:
            n = len(tree.keys())
        return Header(
            format="GENIE gst",
            generator=("GENIE (gst does not record its version)",),
            details={"branches": f"{n} {_VERSIONS.get(n, '')}".strip()},
            process_names=PROCESS_NAMES,
        )

    def iterate(self, source: Source) -> Iterator[tuple[ak.Array, float]]:
        """Read the tree in pieces."""
        with rootfile.tree(source.path, _TREE) as tree:
            n = int(tree.num_entries)
            if n == 0:
                raise files.no_events(source.path, "the tree `gst`")
            if source.start >= n:
                raise files.beyond(source.path, source.start, n)
            names = _branches(tree, source)
            stop = n if source.stop is None else min(source.stop, n)
            for first in range(source.start, stop, source.chunk):
                last = min(first + source.chunk, stop)
                where = f"entries {first} to {last - 1}"
                with rootfile.complaints(source.path, where):
                    arrays = tree.arrays(names, entry_start=first, entry_stop=last, library="ak")
                    columns = {name: arrays[name] for name in names}
                with _named(source.path):
                    record = _record(columns, source, first)
                events.check(record, source.path)
                yield record, (last - source.start) / (stop - source.start)


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Name the file in what the record says of its columns."""
    try:
        yield
    except ValueError as error:
        text = str(error)
        msg = text if text.startswith(f"{path}: ") else f"{path}: {text}"
        raise ValueError(msg) from error


def _branches(tree: Any, source: Source) -> list[str]:
    """Names of the branches to read."""
    there = set(tree.keys())
    wanted = list(_REQUIRED)
    if not source.final_state_only:
        wanted += _PRIMARY
    missing = [name for name in wanted if name not in there]
    if missing:
        msg = f"{source.path}: the tree `gst` lacks the branches {', '.join(missing)}"
        raise ValueError(msg)
    return wanted + [name for name in _OPTIONAL if name in there]


def _record(columns: dict[str, ak.Array], source: Source, first: int) -> ak.Array:
    """Make the event record of one piece."""
    for name, column in columns.items():
        wanted = 2 if name in (*_FINAL, *_PRIMARY) else 1
        if column.ndim != wanted:
            what = "one number" if wanted == 1 else "a list"
            msg = f"{source.path}: the branch {name} of `gst` must hold {what} per event"
            raise ValueError(msg)
    flat = {name: ak.to_numpy(column) for name, column in columns.items() if column.ndim == 1}
    n = len(flat["iev"])
    probe = [flat[name].astype(np.float64) for name in ("pxv", "pyv", "pzv", "Ev")]
    _check_probe(probe, flat["iev"], source.path, first)
    parts = [_leptons(flat), _lists(columns, _FINAL, events.FINAL_STATE, source.path)]
    if not source.final_state_only:
        # After the final state, so that a final-state particle keeps its place, and with it its
        # random numbers.
        parts += [_probes(flat, probe), _lists(columns, _PRIMARY, _IN_NUCLEUS, source.path)]
    counts, particles = _interleave(parts)
    known = {name: flat[name].astype(np.bool_) for name in _FLAGS if name in flat}
    return events.build(
        counts=counts,
        **particles,
        event=flat["iev"],
        entry=np.arange(first, first + n, dtype=np.int64),
        weight=flat.get("wght", 1.0),
        process_id=_process_id(known, n),
        cc=known.get("cc"),
        nc=known.get("nc"),
        probe=flat["neu"],
        probe_momentum=probe,
        target=flat["tgt"],
        source=source.path,
        stream=source.stream,
    )


def _check_probe(
    probe: list[NDArray[np.float64]], number: NDArray[Any], path: str, first: int
) -> None:
    """Refuse probes that are not numbers: the record would take NaN for unknown."""
    bad = ~np.isfinite(probe).all(axis=0)
    if bad.any():
        row = int(np.argmax(bad))
        msg = (
            f"{path}: entry {first + row} (event {int(number[row])}): "
            f"the probe's pxv, pyv, pzv, Ev = {', '.join(f'{part[row]:.6g}' for part in probe)}, "
            "must be finite numbers"
        )
        raise ValueError(msg)


_Part = tuple["NDArray[np.int64]", dict[str, "NDArray[Any]"]]


def _leptons(flat: dict[str, NDArray[Any]]) -> _Part:
    """Take the primary lepton, which `pdgf` leaves out; fspl = 0 where there is none."""
    there = flat["fspl"] != 0
    return there.astype(np.int64), {
        "pdgid": flat["fspl"][there],
        "px": flat["pxl"][there],
        "py": flat["pyl"][there],
        "pz": flat["pzl"][there],
        "energy": flat["El"][there],
        "status": np.full(int(there.sum()), events.FINAL_STATE),
    }


def _probes(flat: dict[str, NDArray[Any]], probe: list[NDArray[np.float64]]) -> _Part:
    """Take the probe as a particle of the initial state."""
    n = len(flat["neu"])
    px, py, pz, energy = probe
    status = np.full(n, _INITIAL)
    return np.ones(n, dtype=np.int64), {
        "pdgid": flat["neu"], "px": px, "py": py, "pz": pz, "energy": energy, "status": status,
    }  # fmt: skip


def _lists(columns: dict[str, ak.Array], names: tuple[str, ...], status: int, path: str) -> _Part:
    """Take the particles of a jagged group of branches."""
    pdgid, energy, px, py, pz = (columns[name] for name in names)
    counts = ak.to_numpy(ak.num(pdgid, axis=1))
    for name in names:
        if not np.array_equal(counts, ak.to_numpy(ak.num(columns[name], axis=1))):
            msg = f"{path}: the branches {names[0]} and {name} of `gst` differ in length"
            raise ValueError(msg)
    flat = {"pdgid": pdgid, "px": px, "py": py, "pz": pz, "energy": energy}
    values = {name: ak.to_numpy(ak.flatten(value, axis=1)) for name, value in flat.items()}
    values["status"] = np.full(len(values["pdgid"]), status)
    return counts, values


def _interleave(parts: list[_Part]) -> tuple[NDArray[np.int64], dict[str, Any]]:
    """Put groups of particles one after the other within each event."""
    total = np.sum([counts for counts, _ in parts], axis=0)
    start = np.cumsum(total) - total
    out = {
        name: np.empty(int(total.sum()), dtype=value.dtype) for name, value in parts[1][1].items()
    }
    for counts, values in parts:
        own = np.cumsum(counts) - counts
        place = np.arange(int(counts.sum())) + np.repeat(start - own, counts)
        for name, value in values.items():
            out[name][place] = value
        start = start + counts
    return total, out


def _process_id(known: dict[str, NDArray[np.bool_]], n: int) -> NDArray[np.int32]:
    """NuHepMC number of the process; electromagnetic ones are negative, as the standard has it."""
    number = np.zeros(n, dtype=np.int32)
    neutral = known.get("nc", np.zeros(n, dtype=np.bool_))
    for name, (charged_id, neutral_id) in PROCESSES.items():
        if name in known:
            number[known[name]] = np.where(neutral[known[name]], neutral_id, charged_id)
    return np.where(known.get("em", False), -number, number).astype(np.int32)


READER = GstReader()
