"""NuWro's own tree (`treeout`, branch `e` of class `event`), read with uproot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from forefold import events
from forefold.io import root as rootfile
from forefold.io.cross_sections import PB_OF_CM2, CrossSection, column
from forefold.io.readers.tree import Piece, TreeReader
from forefold.io.registry import Header, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    import awkward as ak
    from numpy.typing import NDArray

__all__ = ["READER", "NuWroReader"]

# Numbers as NuHepMC/nuwro2hepmc3 gives them; 50 is added for neutral currents.
_NUMBERS = {
    "qel": 200,
    "res": 500,
    "dis": 600,
    "coh": 100,
    "mec": 300,
    "hip": 201,
    "hyp": 201,
    "lep": 700,
}
_LATER = ("hip", "hyp", "lep")  # not in files of all releases
_DELTA = 400
_NAMES = {
    201: "hyperon production CC",
    251: "hyperon production NC",
    500: "single pion, not from the Delta, CC",
    550: "single pion, not from the Delta, NC",
    700: "neutrino-lepton CC",
    750: "neutrino-lepton NC",
}
_LISTS = {"post": events.FINAL_STATE, "in": 0, "out": 14}
_KEYS = {"pdgid": "pdg", "px": "x", "py": "y", "pz": "z", "energy": "t"}
_MEV = 1000.0


def _names(group: str) -> tuple[str, ...]:
    """Branches of a list of particles."""
    return tuple(f"e/{group}/{group}.{name}" for name in _KEYS.values())


def _flag(name: str) -> str:
    return f"e/flag/flag.{name}"


_PROTONS, _NEUTRONS = "e/par/par.nucleus_p", "e/par/par.nucleus_n"


class NuWroReader(TreeReader):
    """Reader of NuWro's `event1` trees.

    The final state is `post`, after the cascade; `out` is what the interaction makes, and comes
    with status 14 where all particles are asked for. NuWro counts in MeV.
    """

    name = "nuwro"
    tree = "treeout"
    required: ClassVar = (
        {"e/weight": "one"}
        | dict.fromkeys(
            (_flag(name) for name in (*_NUMBERS, "cc", "nc") if name not in _LATER), "one"
        )
        | dict.fromkeys((*_names("post"), *_names("in")), "list")
    )
    optional: ClassVar = dict.fromkeys(
        (_PROTONS, _NEUTRONS, _flag("res_delta"), *(_flag(name) for name in _LATER)), "one"
    )
    advice = (
        "; uproot cannot read this file's class `event`: convert it with nuwro2hepmc3 to NuHepMC, "
        "which forefold reads"
    )

    def describe(self, path: str) -> Header:
        """Say what NuWro's files do not record."""
        with rootfile.tree(path, self.tree) as tree:
            n = len(tree.keys())
            weights = column(tree, "e/weight", path)
        return Header(
            format="NuWro event1",
            generator=("NuWro (the tree does not record its version)",),
            details={"branches": f"{n}", "final state": "post, after the cascade"},
            process_names=_NAMES,
            cross_section=_total(weights),
        )

    def shapes(self, source: Source) -> dict[str, str]:
        """Branches; what the interaction makes only where it is asked for."""
        more = () if source.final_state_only else _names("out")
        return self.required | dict.fromkeys(more, "list")

    def groups(self, piece: Piece) -> Iterator[tuple[str, ...]]:
        """Tell the lists of particles apart."""
        yield from (_names(group) for group in _LISTS if _names(group)[0] in piece)

    def record(self, piece: Piece, source: Source) -> ak.Array:
        """Make the event record of one piece."""
        wanted = ["post"] if source.final_state_only else list(_LISTS)
        parts = [_particles(piece, group) for group in wanted]
        rows = np.concatenate([rows for rows, _ in parts])
        order = np.argsort(rows, kind="stable")
        flat = {key: np.concatenate([part[key] for _, part in parts])[order] for key in parts[0][1]}
        probe, momentum = _probe(piece)
        flags = {
            name: piece[_flag(name)].astype(np.bool_)
            for name in (*_NUMBERS, "cc", "nc")
            if _flag(name) in piece
        }
        return events.build(
            counts=np.bincount(rows, minlength=len(piece)),
            pdgid=flat["pdgid"],
            status=flat["status"],
            px=flat["px"],
            py=flat["py"],
            pz=flat["pz"],
            energy=flat["energy"],
            event=piece.entry,
            entry=piece.entry,
            weight=piece["e/weight"],
            process_id=_process_id(piece, flags, probe),
            cc=flags["cc"],
            nc=flags["nc"] & ~_charged(probe),
            probe=probe,
            probe_momentum=momentum,
            target=_target(piece),
            source=source.path,
            stream=source.stream,
        )


def _total(weights: NDArray[np.float64] | None) -> CrossSection | None:
    """Take the mean weight, which is the flux-averaged total cross-section in cm2 per nucleon.

    All weights are that one, if the events are not weighted; NuHepMC/nuwro2hepmc3 takes the first.
    """
    if weights is None or not weights.mean() > 0:
        return None
    total, spread = float(weights[0]), None
    if (weights != weights[0]).any():
        total = float(weights.mean())
        spread = float(weights.std() / np.sqrt(len(weights))) * PB_OF_CM2
    return CrossSection(total * PB_OF_CM2, "pb", "PerNucleon", "NuWro's mean weight", spread)


def _particles(piece: Piece, group: str) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Take a list of particles, and the event of each."""
    names = dict(zip(_KEYS, _names(group), strict=True))
    rows = np.repeat(np.arange(len(piece)), piece.counts(names["pdgid"]))
    flat = {key: piece[name] for key, name in names.items()}
    flat |= {key: flat[key] / _MEV for key in ("px", "py", "pz", "energy")}
    status = np.full(len(rows), _LISTS[group])
    if group == "in":
        status[np.abs(flat["pdgid"]) > 100] = 11  # the struck nucleon
    return rows, flat | {"status": status}


def _probe(piece: Piece) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
    """Take the first incoming particle."""
    names = dict(zip(_KEYS, _names("in"), strict=True))
    counts = piece.counts(names["pdgid"])
    has = counts > 0
    at = (np.cumsum(counts) - counts)[has]
    probe = np.zeros(len(piece), dtype=np.int64)
    probe[has] = piece[names["pdgid"]][at]
    momentum = [np.full(len(piece), np.nan) for _ in range(4)]
    for part, key in zip(momentum, ("px", "py", "pz", "energy"), strict=True):
        part[has] = piece[names[key]][at] / _MEV
    return probe, momentum


def _charged(probe: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell charged leptons, which scatter electromagnetically."""
    charged: NDArray[np.bool_] = (np.abs(probe) >= 11) & (probe % 2 == 1) & (np.abs(probe) <= 15)
    return charged


def _process_id(
    piece: Piece, flags: dict[str, NDArray[np.bool_]], probe: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Give the number of each process; electromagnetic ones are negative."""
    number = np.zeros(len(piece), dtype=np.int32)
    for name, value in _NUMBERS.items():
        if name in flags:
            number[flags[name]] = value
    delta = _flag("res_delta")
    # Old files do not say what the pion comes from.
    from_delta = piece[delta].astype(np.bool_) if delta in piece else np.ones(len(piece), np.bool_)
    number[flags["res"] & from_delta] = _DELTA
    electromagnetic = _charged(probe)
    number[flags["nc"] & ~electromagnetic & (number > 0)] += 50
    return np.where(electromagnetic, -number, number).astype(np.int32)


def _target(piece: Piece) -> NDArray[np.int64] | int:
    """Name the nucleus by its protons and neutrons; a free nucleon has its own number."""
    if _PROTONS not in piece or _NEUTRONS not in piece:
        return 0
    protons, neutrons = (piece[name].astype(np.int64) for name in (_PROTONS, _NEUTRONS))
    nucleus = 1_000_000_000 + 10_000 * protons + 10 * (protons + neutrons)
    good = (protons >= 0) & (neutrons >= 0) & (protons < 200) & (neutrons < 300)
    nucleus = np.where(good & (protons + neutrons > 0), nucleus, 0)
    single = (protons + neutrons == 1) & good
    return np.where(single, np.where(protons == 1, 2212, 2112), nucleus)


READER = NuWroReader()
