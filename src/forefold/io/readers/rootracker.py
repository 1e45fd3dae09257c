"""GENIE's rootracker trees (`gRooTracker`: plain, numi, t2k and mock data), read with uproot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from forefold import events
from forefold.io import root as rootfile
from forefold.io.processes import GENIE, GENIE_NAMES
from forefold.io.readers.tree import Fault, Piece, TreeReader
from forefold.io.registry import Header, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    import awkward as ak
    from numpy.typing import NDArray

__all__ = ["READER", "RooTrackerReader"]

# The class of EvtCode cannot be read whole.
_CODE = "EvtCode/fString"
_STATUS = "StdHepStatus"
_EVENT = {
    "probability": "EvtProb",
    "xsec": "EvtXSec",
    "diff_xsec": "EvtDXSec",
}
_PARTICLE = {
    "rescatter": "StdHepRescat",
    "first_mother": "StdHepFm",
    "last_mother": "StdHepLm",
    "first_daughter": "StdHepFd",
    "last_daughter": "StdHepLd",
}
_POSITION = ("vx", "vy", "vz", "vt")
_VERTEX = ("vertex_x", "vertex_y", "vertex_z", "vertex_t")

# genie::ScatteringType::AsString; COHEl, CEvNS, IBD, GLR and others have no number.
_SCATTERING = {
    "QES": "qel",
    "MEC": "mec",
    "RES": "res",
    "DIS": "dis",
    "COH": "coh",
    "DFR": "dfr",
    "IMD": "imd",
    "IMDAnh": "imdanh",
    "1Kaon": "singlek",
    "NuEEL": "nuel",
    "AMNuGamma": "amnugamma",
}
_CODE_PATTERN = re.compile(r"(?:^|;)proc:([^,;]*),([^,;]*)")
_INITIAL = 0


class RooTrackerReader(TreeReader):
    """Reader of GENIE rootracker trees.

    `StdHepStatus` and `EvtCode` are missing from mock data, which hold final states only: there the
    probe, the target and the process are unknown.
    """

    name = "rootracker"
    tree = "gRooTracker"
    required: ClassVar = {"EvtNum": "one", "StdHepPdg": "list", "StdHepP4": "four"}
    optional: ClassVar = {_STATUS: "list", _CODE: "text", "EvtWght": "one"}
    advice = " (only GENIE's rootracker is read)"

    def describe(self, path: str) -> Header:
        """Tell the variant by its branches; the tree does not name the version that made it."""
        with rootfile.tree(path, self.tree) as tree:
            names = set(tree.keys())
        variant = "plain"
        if _STATUS not in names:
            variant = "mock data: final states only; probe, target and process are unknown"
        elif any(name.startswith("NumiFlux") for name in names):
            variant = "numi"
        elif any(name.startswith(("NuParent", "NuFlux", "G2Neut")) for name in names):
            variant = "t2k"
        return Header(
            format="GENIE rootracker",
            generator=("GENIE (rootracker does not record its version)",),
            details={"variant": variant, "branches": f"{len(names)}"},
            process_names=GENIE_NAMES,
        )

    def _names(self, tree: Any, source: Source) -> dict[str, str]:
        names = super()._names(tree, source)
        if not source.final_state_only:
            there = set(tree.keys())
            more = dict.fromkeys(_EVENT.values(), "one") | dict.fromkeys(_PARTICLE.values(), "list")
            more |= {"StdHepX4": "four", "EvtVtx": "vector"}
            names |= {name: kind for name, kind in more.items() if name in there}
        return names

    def faults(self, piece: Piece, source: Source) -> Iterator[Fault]:
        """Refuse events whose process is not written as GENIE writes it."""
        del source
        if _CODE in piece:
            texts = piece.text(_CODE)
            bad = np.array([_CODE_PATTERN.search(text) is None for text in texts], dtype=np.bool_)
            yield bad, lambda row: f"EvtCode = {texts[row][:60]!r} names no process"

    def record(self, piece: Piece, source: Source) -> ak.Array:
        """Make the event record of one piece."""
        counts, flat = piece.counts("StdHepPdg"), _particles(piece)
        probe, target, momentum = _initial(counts, flat)
        process_id, current = _processes(piece)
        event_fields: dict[str, Any] = {}
        fields: dict[str, Any] = {}
        if source.final_state_only:
            counts, flat = _final(counts, flat)
        else:
            event_fields = {key: piece[name] for key, name in _EVENT.items() if name in piece}
            fields = {key: piece[name] for key, name in _PARTICLE.items() if name in piece}
            if "EvtVtx" in piece:
                event_fields |= dict(zip(_VERTEX, piece["EvtVtx"].T, strict=True))
            if "StdHepX4" in piece:
                fields |= dict(zip(_POSITION, piece["StdHepX4"].T, strict=True))
        return events.build(
            counts=counts,
            **flat,
            event=piece["EvtNum"],
            entry=piece.entry,
            weight=piece.get("EvtWght", 1.0),
            process_id=process_id,
            cc=None if current is None else current == "Weak[CC]",
            nc=None if current is None else current == "Weak[NC]",
            probe=probe,
            probe_momentum=momentum,
            target=target,
            source=source.path,
            stream=source.stream,
            event_fields=event_fields,
            particle_fields=fields,
        )


def _particles(piece: Piece) -> dict[str, NDArray[Any]]:
    """Take the columns of the particles."""
    pdgid = piece["StdHepPdg"]
    px, py, pz, energy = piece["StdHepP4"].T
    status = piece[_STATUS] if _STATUS in piece else np.full(len(pdgid), events.FINAL_STATE)
    return {"pdgid": pdgid, "status": status, "px": px, "py": py, "pz": pz, "energy": energy}


def _initial(
    counts: NDArray[np.int64], flat: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[NDArray[np.float64]]]:
    """Find probe and target: GENIE puts them first and second.

    A free nucleon as target has status 0 and no nucleus beside it.
    """
    n = len(counts)
    probe, target = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    momentum = [np.full(n, np.nan) for _ in range(4)]
    start = np.cumsum(counts) - counts
    for place, out in ((0, probe), (1, target)):
        has = np.flatnonzero(counts > place)
        at = start[has] + place
        initial = flat["status"][at] == _INITIAL
        out[has[initial]] = flat["pdgid"][at[initial]]
        if place == 0:
            for part, name in zip(momentum, ("px", "py", "pz", "energy"), strict=True):
                part[has[initial]] = flat[name][at[initial]]
    return probe, target, momentum


def _final(
    counts: NDArray[np.int64], flat: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Keep the final state."""
    keep = flat["status"] == events.FINAL_STATE
    before = np.concatenate(([0], np.cumsum(keep)))
    ends = np.cumsum(counts)
    return before[ends] - before[ends - counts], {key: part[keep] for key, part in flat.items()}


def _processes(piece: Piece) -> tuple[NDArray[np.int32] | int, NDArray[np.str_] | None]:
    """Read the numbers of the processes, and the currents."""
    if _CODE not in piece:
        return 0, None
    processes: dict[str, tuple[int, str]] = {}
    for text in set(piece.text(_CODE)):
        match = _CODE_PATTERN.search(text)
        assert match is not None, "events without are left out before"
        current, scattering = match.groups()
        charged, neutral = GENIE.get(_SCATTERING.get(scattering, ""), (0, 0))
        number = neutral if current == "Weak[NC]" else charged
        processes[text] = (-number if current == "EM" else number, current)
    per_event = [processes[text] for text in piece.text(_CODE)]
    numbers = np.array([number for number, _ in per_event], dtype=np.int32)
    return numbers, np.array([current for _, current in per_event], dtype=np.str_)


READER = RooTrackerReader()
