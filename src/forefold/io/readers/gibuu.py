"""GiBUU's ROOT output (`RootTuple`) of neutrino and electron runs, read with uproot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from forefold import events
from forefold.io import root as rootfile
from forefold.io.cross_sections import CrossSection, column
from forefold.io.processes import lookup
from forefold.io.readers.tree import Fault, Piece, TreeReader
from forefold.io.registry import Header, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    import awkward as ak
    from numpy.typing import NDArray

__all__ = ["READER", "GiBUUReader"]

_FINAL = ("barcode", "E", "Px", "Py", "Pz")
_AXES = ("Px", "Py", "Pz", "E")
_LEPTONS = tuple(f"{which}_{axis}" for which in ("lepIn", "lepOut") for axis in _AXES)

# evType of GiBUU (its wiki, LesHouches) to the numbers that its own NuHepMC output gives them
# (EventOutput.f90, nuhepmc_proc_ID_from_buu).
_EVENT_TYPES = {1: 200, 2: 400} | dict.fromkeys(range(3, 32), 401) | {
    32: 500, 33: 501, 34: 600, 35: 300, 36: 301, 37: 502
}  # fmt: skip
_NAMES = {
    number + more: f"{name} {current}"
    for number, name in {
        301: "2p2h with a Delta",
        400: "Delta resonance",
        401: "other resonance",
        500: "one-pion background off a neutron",
        501: "one-pion background off a proton",
        502: "two-pion background",
    }.items()
    for more, current in ((0, "CC"), (50, "NC"))
}
_EM, _CC, _NC = 1, 2, 3

# What has less than its mass is bound, and stays inside (EventOutput.f90, NuHepMC_write_particle).
# These are GiBUU's masses in GeV, not those of the particle table.
_MASSES = {2212: 0.938, 2112: 0.938, 211: 0.138, 111: 0.138}
_INSIDE = 14


class GiBUUReader(TreeReader):
    """Reader of GiBUU's `RootTuple`.

    The outgoing lepton stands apart from the other particles; it is put before them. Which lepton
    it is follows from `flavor_ID` and `process_ID` (negative for antineutrinos).  Bound nucleons and
    pions have status 14.
    """

    name = "gibuu"
    tree = "RootTuple"
    required: ClassVar = (
        {"weight": "one", "evType": "one", "process_ID": "one", "flavor_ID": "one"}
        | dict.fromkeys(_LEPTONS, "one")
        | dict.fromkeys(_FINAL, "list")
    )
    optional: ClassVar = {"nucleus_A": "one", "nucleus_Z": "one"}
    advice = " (GiBUU writes them in neutrino runs, older releases not all of them)"

    def describe(self, path: str) -> Header:
        """Read the number of runs, by which the weights are to be divided."""
        details = {}
        with rootfile.tree(path, self.tree) as tree:
            there = set(tree.keys())
            details["branches"] = f"{len(there)}"
            for name in ("numRuns", "numEnsembles"):
                if name in there:
                    with rootfile.complaints(path, name):
                        first = tree[name].array(entry_stop=1, library="np")
                    details |= {name: f"{first[0]}"} if len(first) else {}
            total = _total(tree, path)
        generator = ("GiBUU (release not recorded)",)
        return Header("GiBUU RootTuple", generator, details, _NAMES, cross_section=total)

    def faults(self, piece: Piece, source: Source) -> Iterator[Fault]:
        """Refuse events whose lepton cannot be told."""
        del source
        flavor, process = piece["flavor_ID"], piece["process_ID"]
        yield (
            (flavor < 1) | (flavor > 3),
            lambda row: f"flavor_ID = {flavor[row]}, must be 1, 2 or 3",
        )
        yield (
            (np.abs(process) < _EM) | (np.abs(process) > _NC),
            lambda row: f"process_ID = {process[row]}, must be 1, 2, 3 or their negatives",
        )

    def record(self, piece: Piece, source: Source) -> ak.Array:
        """Make the event record of one piece."""
        process, current = piece["process_ID"], np.abs(piece["process_ID"])
        sign = np.where(process < 0, -1, 1)
        charged = (9 + 2 * piece["flavor_ID"].astype(np.int64)) * sign
        neutrino = charged + sign
        lepton = np.where(current == _NC, neutrino, charged)
        number = lookup(piece["evType"].astype(np.int64), _EVENT_TYPES)
        number[(current == _NC) & (number > 0)] += 50
        number[current == _EM] *= -1
        counts, flat = _with_lepton(piece, lepton)
        probe = np.where(current == _EM, charged, neutrino)
        if source.final_state_only:
            counts, flat = _escaped(counts, flat)
        else:
            counts, flat = _with_probe(piece, probe, counts, flat)
        return events.build(
            counts=counts,
            pdgid=flat["pdgid"],
            status=flat["status"],
            px=flat["px"],
            py=flat["py"],
            pz=flat["pz"],
            energy=flat["energy"],
            event=piece.entry,
            entry=piece.entry,
            weight=piece["weight"],
            process_id=number,
            cc=current == _CC,
            nc=current == _NC,
            probe=probe,
            probe_momentum=[piece[f"lepIn_{axis}"] for axis in _AXES],
            target=_target(piece),
            source=source.path,
            stream=source.stream,
        )


def _with_lepton(
    piece: Piece, lepton: NDArray[np.int64]
) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Put the outgoing lepton before the other particles of each event."""
    own = piece.counts("barcode")
    starts = np.cumsum(own) - own
    keys = ("pdgid", "energy", "px", "py", "pz")
    columns = [lepton, *(piece[f"lepOut_{axis}"] for axis in ("E", "Px", "Py", "Pz"))]
    flat = {
        key: np.insert(piece[name].astype(column.dtype), starts, column)
        for key, name, column in zip(keys, _FINAL, columns, strict=True)
    }
    flat["status"] = np.full(len(flat["pdgid"]), events.FINAL_STATE)
    for pdgid, mass in _MASSES.items():
        bound = (np.abs(flat["pdgid"]) == pdgid) & (flat["energy"] < mass)
        flat["status"][bound] = _INSIDE
    return own + 1, flat


def _escaped(
    counts: NDArray[np.int64], flat: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Leave out what stays inside the nucleus."""
    final = flat["status"] == events.FINAL_STATE
    rows = np.repeat(np.arange(len(counts)), counts)[final]
    return np.bincount(rows, minlength=len(counts)), {key: flat[key][final] for key in flat}


def _with_probe(
    piece: Piece, probe: NDArray[np.int64], counts: NDArray[np.int64], flat: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Put the probe after the final state of each event, with status 0."""
    ends = np.cumsum(counts)
    names = {"px": "Px", "py": "Py", "pz": "Pz", "energy": "E"}
    values = {key: piece[f"lepIn_{axis}"] for key, axis in names.items()}
    values |= {"pdgid": probe, "status": np.zeros(len(piece), dtype=np.int64)}
    return counts + 1, {key: np.insert(column, ends, values[key]) for key, column in flat.items()}


def _total(tree: Any, path: str) -> CrossSection | None:
    """Take the sum of weights, in 1e-38 cm2 per nucleon, of neutrino events of a single run.

    Of several runs GiBUU may write a file each or one for all, and the tree does not say which: there
    the total is unknown. Electrons' weights have another unit.
    """
    runs, process, weights = (
        column(tree, name, path) for name in ("numRuns", "process_ID", "weight")
    )
    if runs is None or process is None or weights is None:
        return None
    value = float(weights.sum())
    if (runs != 1).any() or (np.abs(process) == _EM).any() or not value > 0:
        return None
    return CrossSection(value, "10-38 cm2", "PerNucleon", "GiBUU's sum of weights")


def _target(piece: Piece) -> NDArray[np.int64] | int:
    """Name the nucleus; a free nucleon has its own number."""
    if "nucleus_A" not in piece or "nucleus_Z" not in piece:
        return 0
    nucleons, protons = (piece[name].astype(np.int64) for name in ("nucleus_A", "nucleus_Z"))
    good = (nucleons > 0) & (nucleons < 400) & (protons >= 0) & (protons <= nucleons)
    nucleus = np.where(good, 1_000_000_000 + 10_000 * protons + 10 * nucleons, 0)
    return np.where(good & (nucleons == 1), np.where(protons == 1, 2212, 2112), nucleus)


READER = GiBUUReader()
