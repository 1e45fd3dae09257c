"""Smeared events as flat columns: what shifts are computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import awkward as ak
import numpy as np

from forefold.events import particles as species
from forefold.kernels.fate import Fate

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Seen", "column", "seen_of"]


class Seen(NamedTuple):
    """Particles of smeared events, flat, as shifts need them; energies in GeV, NaN where nothing is reconstructed."""

    events: int
    event: NDArray[np.int64]
    pdgid: NDArray[np.int64]
    kinds: NDArray[np.int64]
    kind: NDArray[np.int64]
    parent: NDArray[np.int64] | None
    smeared: NDArray[np.bool_]
    detected: NDArray[np.bool_]
    energy_true: NDArray[np.float64]
    mass_true: NDArray[np.float64]
    nucleon: NDArray[np.bool_]
    energy_reco: NDArray[np.float64]
    mass: NDArray[np.float64]
    lepton: NDArray[np.int64]
    cc_known: NDArray[np.bool_]


def seen_of(smeared: ak.Array) -> Seen:
    """Lay the particles of smeared events flat.

    Parameters
    ----------
    smeared : ak.Array
        Events from `forefold.smear`.

    Returns
    -------
    Seen
    """
    particles = smeared["particles"]
    counts = ak.to_numpy(ak.num(particles, axis=1))
    flat = ak.flatten(particles, axis=1)
    event = np.repeat(np.arange(len(smeared), dtype=np.int64), counts)
    pdgid = column(flat, "pdgid", np.int64)
    mass = column(flat, "mass", np.float64)
    fate = column(flat, "fate", np.int64)
    smeared_ones = column(flat, "rule", np.int64) >= 0
    energy = column(flat, "energy_true", np.float64)
    kinds, kind = np.unique(pdgid, return_inverse=True)
    mistaken = (fate & int(Fate.MISIDENTIFIED)) != 0
    true = mass
    if mistaken.any():
        table = np.array([species.mass(int(pdg)) for pdg in kinds])
        true = np.where(mistaken, table[kind], mass)
    taken = column(flat, "pdgid_reco", np.int64) if "pdgid_reco" in flat.fields else pdgid
    starts = np.cumsum(counts) - counts
    parent = None
    if "parent" in flat.fields:
        parent = column(flat, "parent", np.int64) + starts[event]
    lepton, cc_known = _lepton(smeared, event, pdgid, np.where(smeared_ones, energy, -1.0))
    return Seen(
        len(smeared),
        event,
        pdgid,
        kinds,
        kind,
        parent,
        smeared_ones,
        column(flat, "detected", np.bool_),
        energy,
        true,
        np.isin(taken, species.NUCLEONS),
        column(flat, "energy_reco", np.float64),
        mass,
        lepton,
        cc_known,
    )


def column(flat: ak.Array, name: str, dtype: type) -> NDArray[Any]:
    """Give a column of flat particles; NaN, or 0, where it has no value."""
    values = ak.to_numpy(flat[name])
    if isinstance(values, np.ma.MaskedArray):
        values = values.filled(np.nan if dtype is np.float64 else 0)
    return np.asarray(values, dtype=dtype)


def _lepton(
    smeared: ak.Array,
    event: NDArray[np.int64],
    pdgid: NDArray[np.int64],
    energy: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Row of the lepton of each charged-current event, or -1: the most energetic of the kind that its neutrino makes."""
    cc = np.asarray(ak.to_numpy(ak.fill_none(smeared["cc"], False)), dtype=np.bool_)
    cc_known = ~np.asarray(ak.to_numpy(ak.is_none(smeared["cc"])), dtype=np.bool_)
    probe = np.asarray(ak.to_numpy(ak.fill_none(smeared["probe"], 0)), dtype=np.int64)
    lepton_pdgid = np.where(cc, probe - np.sign(probe), 0)
    lepton_row = np.full(len(smeared), -1, np.int64)
    neutrino = np.isin(np.abs(lepton_pdgid), (11, 13, 15))
    rows = np.flatnonzero(neutrino[event] & (pdgid == lepton_pdgid[event]) & (energy >= 0.0))
    order = np.lexsort((-rows, energy[rows], event[rows]))
    lepton_row[event[rows[order]]] = rows[order]  # the last one of an event stays
    return lepton_row, cc_known
