"""GENIE's summary tree `gst` (made by gntpc), read with uproot."""

from __future__ import annotations

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

__all__ = ["READER", "GstReader"]

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

_VERSIONS = {
    92: "as in GENIE 2.10",
    94: "as in GENIE 3.0",
    97: "as in GENIE 3.02",
    99: "as in GENIE 3.06",
}

_TREE = "gst"
_INITIAL, _IN_NUCLEUS = 0, 14


class GstReader(TreeReader):
    """Reader of GENIE `gst` trees."""

    name = "gst"
    tree = _TREE
    required: ClassVar = dict.fromkeys((*_EVENT, *_LEPTON), "one") | dict.fromkeys(_FINAL, "list")
    optional: ClassVar = dict.fromkeys(_OPTIONAL, "one")

    def describe(self, path: str) -> Header:
        """Count the branches; a gst tree does not name the version or tune that made it."""
        with rootfile.tree(path, _TREE) as tree:
            n = len(tree.keys())
        return Header(
            format="GENIE gst",
            generator=("GENIE (gst does not record its version)",),
            details={"branches": f"{n} {_VERSIONS.get(n, '')}".strip()},
            process_names=GENIE_NAMES,
        )

    def shapes(self, source: Source) -> dict[str, str]:
        """Branches; the particles in the nucleus only where they are asked for."""
        more = () if source.final_state_only else _PRIMARY
        return self.required | dict.fromkeys(more, "list")

    def groups(self, piece: Piece) -> Iterator[tuple[str, ...]]:
        """Tell the final state from the particles in the nucleus."""
        yield _FINAL
        if _PRIMARY[0] in piece:
            yield _PRIMARY

    def faults(self, piece: Piece, source: Source) -> Iterator[Fault]:
        """Refuse probes that are not numbers: the record would take NaN for unknown."""
        del source
        probe = _probe(piece)

        def say(row: int) -> str:
            values = ", ".join(f"{part[row]:.6g}" for part in probe)
            return (
                f"(event {int(piece['iev'][row])}): the probe's pxv, pyv, pzv, Ev = {values}, "
                "must be finite numbers"
            )

        good: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(np.stack(probe)))
        yield ~good, say

    def record(self, piece: Piece, source: Source) -> ak.Array:
        """Make the event record of one piece."""
        parts = [_leptons(piece), _lists(piece, _FINAL, events.FINAL_STATE)]
        if _PRIMARY[0] in piece:
            # After the final state, so that a final-state particle keeps its place, and with it
            # its random numbers.
            parts += [_probes(piece), _lists(piece, _PRIMARY, _IN_NUCLEUS)]
        counts, particles = _interleave(parts)
        flags = {name: piece[name].astype(np.bool_) for name in _FLAGS if name in piece}
        return events.build(
            counts=counts,
            **particles,
            event=piece["iev"],
            entry=piece.entry,
            weight=piece.get("wght", 1.0),
            process_id=_process_id(flags, len(piece)),
            cc=flags.get("cc"),
            nc=flags.get("nc"),
            probe=piece["neu"],
            probe_momentum=_probe(piece),
            target=piece["tgt"],
            source=source.path,
            stream=source.stream,
        )


def _probe(piece: Piece) -> list[NDArray[np.float64]]:
    """Four-momentum of the probe."""
    return [piece[name].astype(np.float64) for name in ("pxv", "pyv", "pzv", "Ev")]


_Part = tuple["NDArray[np.int64]", dict[str, "NDArray[Any]"]]


def _leptons(flat: Piece) -> _Part:
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


def _probes(piece: Piece) -> _Part:
    """Take the probe as a particle of the initial state."""
    n = len(piece)
    px, py, pz, energy = _probe(piece)
    status = np.full(n, _INITIAL)
    return np.ones(n, dtype=np.int64), {
        "pdgid": piece["neu"], "px": px, "py": py, "pz": pz, "energy": energy, "status": status,
    }  # fmt: skip


def _lists(piece: Piece, names: tuple[str, ...], status: int) -> _Part:
    """Take the particles of a jagged group of branches."""
    keys = ("pdgid", "energy", "px", "py", "pz")
    values = {key: piece[name] for key, name in zip(keys, names, strict=True)}
    values["status"] = np.full(len(values["pdgid"]), status)
    return piece.counts(names[0]), values


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
    for name, (charged_id, neutral_id) in GENIE.items():
        if name in known:
            number[known[name]] = np.where(neutral[known[name]], neutral_id, charged_id)
    return np.where(known.get("em", False), -number, number).astype(np.int32)


READER = GstReader()
