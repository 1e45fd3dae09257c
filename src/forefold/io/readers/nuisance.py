"""NUISANCE's flat tree (`FlatTree_VARS`), read with uproot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from forefold import events
from forefold.io import root as rootfile
from forefold.io.cross_sections import PB_OF_CM2, CrossSection, column
from forefold.io.processes import lookup
from forefold.io.provenance import UNKNOWN
from forefold.io.readers.tree import Fault, Piece, TreeReader
from forefold.io.registry import Header, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    import awkward as ak
    from numpy.typing import NDArray

__all__ = ["READER", "NuisanceReader"]

_FINAL = ("pdg", "E", "px", "py", "pz")
_INIT = ("pdg_init", "E_init", "px_init", "py_init", "pz_init")

# NEUT's modes (Y. Hayato and L. Pickering, arXiv:2106.15809), to the ranges of NuHepMC 1.0.0
# (E.C.1); antineutrinos have negative modes. 54 is what NUISANCE makes of GENIE's nu-e, 59 is
# NEUT's own.
_MODES = {
    1: 200, 2: 300, 11: 400, 12: 400, 13: 400, 15: 700, 16: 100, 17: 400, 21: 500, 22: 400,
    23: 400, 26: 600,
    31: 450, 32: 450, 33: 450, 34: 450, 35: 750, 36: 150, 38: 450, 39: 450, 41: 550, 42: 450,
    43: 450, 44: 450, 45: 450, 46: 650, 51: 250, 52: 250, 53: 350, 54: 703, 59: 703,
}  # fmt: skip
_FIRST_NEUTRAL, _NUE = 31, 703
_NAMES = {
    500: "multi-pion (1.3 < W < 2 GeV) CC",
    550: "multi-pion (1.3 < W < 2 GeV) NC",
    700: "diffractive CC",
    703: "nu-e elastic",
    750: "diffractive NC",
}
_INITIAL, _STRUCK = 0, 11


class NuisanceReader(TreeReader):
    """Reader of NUISANCE flat trees.

    Values are float32. The lepton is among the particles. The mode is NEUT's numbering whatever the
    generator; which generator made the events is not recorded.
    """

    name = "nuisance"
    tree = "FlatTree_VARS"
    required: ClassVar = {"Mode": "one", "PDGnu": "one"} | dict.fromkeys(_FINAL, "list")
    optional: ClassVar = {"tgt": "one", "Weight": "one", "fScaleFactor": "one"} | dict.fromkeys(
        _INIT, "list"
    )

    def describe(self, path: str) -> Header:
        """Read the scale factor, which is the same in every entry."""
        total = None
        with rootfile.tree(path, self.tree) as tree:
            details = {"branches": f"{len(tree.keys())}"}
            if "fScaleFactor" in tree.keys():  # noqa: SIM118 - a tree is no dictionary
                with rootfile.complaints(path, "fScaleFactor"):
                    first = tree["fScaleFactor"].array(entry_stop=1, library="np")
                if len(first):
                    details["fScaleFactor"] = f"{first[0]:g} (cm2/nucleon for an event of weight 1)"
                    total = _total(tree, path)
        return Header(
            format="NUISANCE flat tree",
            generator=("unknown (NUISANCE does not record whose events these are)",),
            details=details,
            process_names=_NAMES,
            tools=(("unknown generator", UNKNOWN, ""), ("NUISANCE", UNKNOWN, "")),
            cross_section=total,
        )

    def groups(self, piece: Piece) -> Iterator[tuple[str, ...]]:
        """Tell the final from the initial state."""
        yield _FINAL
        yield tuple(name for name in _INIT if name in piece)

    def faults(self, piece: Piece, source: Source) -> Iterator[Fault]:
        """Refuse modes that are none: a mode of 0 is an event that NUISANCE could not convert."""
        del source
        modes = piece["Mode"]
        yield np.abs(modes) > 99, lambda row: f"Mode = {modes[row]}, must be from -99 to 99"

    def record(self, piece: Piece, source: Source) -> ak.Array:
        """Make the event record of one piece."""
        mode = np.abs(piece["Mode"].astype(np.int64))
        process_id = lookup(mode, _MODES)
        # nu-e scattering is a mixture of both currents; mode 0 is unknown
        mixed, unknown = process_id == _NUE, mode == 0
        weight = piece["Weight"].astype(np.float64) if "Weight" in piece else 1.0
        counts, flat, more = piece.counts("pdg"), _particles(piece, _FINAL), {}
        flat["status"] = np.full(len(flat["pdgid"]), events.FINAL_STATE)
        if not source.final_state_only:
            counts, flat = _with_initial(piece, counts, flat)
            if "fScaleFactor" in piece:
                more["scale_factor"] = piece["fScaleFactor"]
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
            weight=weight,
            process_id=process_id,
            cc=np.ma.masked_array((mode < _FIRST_NEUTRAL) & ~mixed, unknown),
            nc=np.ma.masked_array((mode >= _FIRST_NEUTRAL) & ~mixed, unknown),
            probe=piece["PDGnu"],
            probe_momentum=_probe(piece),
            target=piece.get("tgt", 0),
            source=source.path,
            stream=source.stream,
            event_fields=more,
        )


def _total(tree: Any, path: str) -> CrossSection | None:
    """Take the scale factor times the sum of weights: so NUISANCE reads its flat trees.

    Of a tree that was cut after NUISANCE made it, this is the share of the events that stayed.
    """
    factors, weights = column(tree, "fScaleFactor", path), column(tree, "Weight", path)
    if factors is None or (weights is None and "Weight" in tree.keys()):  # noqa: SIM118
        return None
    value = float((factors if weights is None else factors * weights).sum())
    if not value > 0 or (factors != factors[0]).any():
        return None
    said = "NUISANCE's fScaleFactor times the sum of weights"
    return CrossSection(value * PB_OF_CM2, "pb", "PerNucleon", said)


def _particles(piece: Piece, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Take the columns of a group of particles."""
    keys = ("pdgid", "energy", "px", "py", "pz")
    return {key: piece[name] for key, name in zip(keys, names, strict=True)}


def _probe(piece: Piece) -> list[NDArray[np.float64]]:
    """Find the probe among the initial particles: its direction stands nowhere else."""
    n = len(piece)
    momentum = [np.full(n, np.nan) for _ in range(4)]
    if not all(name in piece for name in _INIT):
        return momentum
    counts, flat = piece.counts("pdg_init"), _particles(piece, _INIT)
    rows = np.repeat(np.arange(n), counts)
    at = np.flatnonzero(flat["pdgid"] == piece["PDGnu"][rows])[::-1]  # so that the first stays
    for part, name in zip(momentum, ("px", "py", "pz", "energy"), strict=True):
        part[rows[at]] = flat[name][at]
    return momentum


def _with_initial(
    piece: Piece, counts: NDArray[np.int64], flat: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Put the initial particles after the final state of each event."""
    if not all(name in piece for name in _INIT):
        return counts, flat
    more, n = _particles(piece, _INIT), len(piece)
    own = piece.counts("pdg_init")
    nucleus = more["pdgid"] >= 1_000_000_000
    probe = more["pdgid"] == np.repeat(piece["PDGnu"], own)
    more["status"] = np.where(probe | (nucleus & (more["pdgid"] < 2e9)), _INITIAL, _STRUCK)
    rows = np.concatenate((np.repeat(np.arange(n), counts), np.repeat(np.arange(n), own)))
    order = np.argsort(rows, kind="stable")
    return counts + own, {key: np.concatenate((flat[key], more[key]))[order] for key in flat}


READER = NuisanceReader()
