"""The particles of many events as flat columns: those that were made, or those that were detected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from forefold import events as records
from forefold.events import particles as species

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FinalState", "check_same", "made", "seen"]

_ENERGY_BELOW_MASS = 128  # bit of `forefold.Fate`
_UNKNOWN = -1


@dataclass(frozen=True)
class FinalState:
    """Particles of events, one element a particle, and the probe of each event.

    Attributes
    ----------
    events : int
    reconstructed : bool
        Whether these are the detected particles; then nothing that only the generator knows is used.
    event : ndarray of int64, shape (n,)
        Row of the particle's event.
    pdgid : ndarray of int64, shape (n,)
        Of detected particles, what each is taken for.
    momentum : ndarray, shape (n, 3), GeV
    energy, mass : ndarray, shape (n,), GeV
    visible : ndarray, shape (n,), GeV
        What a calorimeter counts: the kinetic energy of protons and neutrons, the total energy of all others; 0 of
        neutrinos, nuclei and pseudo-particles.
    probe : ndarray of int64, shape (events,)
    probe_energy, probe_momentum : ndarray, shape (events,), GeV
        NaN = unknown.
    axis : ndarray, shape (events, 3)
        Direction of the probe.
    charged_current : ndarray of int64, shape (events,)
        1 yes, 0 no, -1 unknown.
    """

    events: int
    reconstructed: bool
    event: NDArray[np.int64]
    pdgid: NDArray[np.int64]
    momentum: NDArray[np.float64]
    energy: NDArray[np.float64]
    mass: NDArray[np.float64]
    visible: NDArray[np.float64]
    probe: NDArray[np.int64]
    probe_energy: NDArray[np.float64]
    probe_momentum: NDArray[np.float64]
    axis: NDArray[np.float64]
    charged_current: NDArray[np.int64]

    def is_in(self, word: str) -> NDArray[np.bool_]:
        """Tell which particles belong to a class of `forefold.particles`."""
        kinds, which = np.unique(self.pdgid, return_inverse=True)
        member = np.array([species.in_class(int(pdg), word) for pdg in kinds], dtype=np.bool_)
        return np.asarray(member[which], dtype=np.bool_)

    def count(self, which: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count particles of each event."""
        return np.asarray(np.bincount(self.event[which], minlength=self.events), dtype=np.int64)

    @property
    def total(self) -> NDArray[np.int64]:
        """Number of particles of each event."""
        return self.count(np.ones(len(self.pdgid), dtype=np.bool_))

    def leading(self, which: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Find the particle of highest momentum in each event, -1 where there is none; of equals, the first."""
        index = np.flatnonzero(which)
        size = np.einsum("ij,ij->i", self.momentum[index], self.momentum[index])
        order = index[np.lexsort((-index, size, self.event[index]))]
        result = np.full(self.events, _UNKNOWN, dtype=np.int64)
        # of several of one event, the last assignment stays
        result[self.event[order]] = order
        return result


def made(events: ak.Array) -> FinalState:
    """Take the final-state particles as the generator made them.

    Parameters
    ----------
    events : ak.Array
        Event record.
    """
    final = events.particles[events.particles.status == records.FINAL_STATE]
    counts, flat = _flattened(final)
    pdgid = _column(flat.pdgid, np.int64)
    momentum = np.stack([_column(flat[key], np.float64) for key in ("px", "py", "pz")], axis=1)
    energy = _column(flat.energy, np.float64)
    squared = energy**2 - np.einsum("ij,ij->i", momentum, momentum)
    mass = np.sqrt(np.maximum(squared, 0.0))
    for pdg in species.NUCLEONS:
        mass[(pdgid == pdg) & (squared < 0.0)] = species.mass(pdg)
    particles = {"pdgid": pdgid, "momentum": momentum, "energy": energy, "mass": mass}
    return _final_state(events, counts, **particles, calorimetric=energy, reconstructed=False)


def seen(events: ak.Array, smeared: ak.Array) -> FinalState:
    """Take the detected particles, as they were reconstructed.

    Parameters
    ----------
    events, smeared : ak.Array
        Event record and what `forefold.smear` made of it.

    Raises
    ------
    ValueError
        `smeared` is not made from these events, in their order.
    """
    check_same(events, smeared)
    counts, flat = _flattened(smeared.particles[smeared.particles.detected])
    taken = "pdgid_reco" if "pdgid_reco" in flat.fields else "pdgid"
    mass, drawn = _column(flat["mass"], np.float64), _column(flat.energy_reco, np.float64)
    at_rest = (_column(flat.fate, np.int64) & _ENERGY_BELOW_MASS) != 0
    columns = [_column(flat[f"{key}_reco"], np.float64) for key in ("px", "py", "pz")]
    particles = {
        "pdgid": _column(flat[taken], np.int64),
        "momentum": np.stack(columns, axis=1),
        # a drawn energy below the mass is what the calorimeter shows; the four-vector is that of a particle at rest
        "energy": np.where(at_rest, mass, drawn),
        "mass": mass,
    }
    return _final_state(events, counts, **particles, calorimetric=drawn, reconstructed=True)


def _final_state(
    events: ak.Array,
    counts: NDArray[np.int64],
    *,
    pdgid: NDArray[np.int64],
    momentum: NDArray[np.float64],
    energy: NDArray[np.float64],
    mass: NDArray[np.float64],
    calorimetric: NDArray[np.float64],
    reconstructed: bool,
) -> FinalState:
    nucleon = np.isin(pdgid, species.NUCLEONS)
    visible = np.where(nucleon, calorimetric - mass, calorimetric)
    size = np.abs(pdgid)
    dark = (size >= 1_000_000_000) | np.isin(size, (12, 14, 16, 18))
    dark |= records.is_pseudo_particle(pdgid)
    probe = np.stack(
        [_column(events.probe_momentum[key], np.float64) for key in ("px", "py", "pz")], axis=1
    )
    length = np.sqrt(np.einsum("ij,ij->i", probe, probe))
    length[~(length > 0.0)] = np.nan
    return FinalState(
        events=len(events),
        reconstructed=reconstructed,
        event=np.repeat(np.arange(len(events), dtype=np.int64), counts),
        pdgid=pdgid,
        momentum=momentum,
        energy=energy,
        mass=mass,
        visible=np.where(dark, 0.0, visible),
        probe=_column(events.probe, np.int64),
        probe_energy=_column(events.probe_momentum.energy, np.float64),
        probe_momentum=length,
        axis=probe / length[:, None],
        charged_current=_column(ak.fill_none(ak.values_astype(events.cc, np.int64), -1), np.int64),
    )


def _flattened(particles: ak.Array) -> tuple[NDArray[np.int64], ak.Array]:
    counts = np.asarray(ak.to_numpy(ak.num(particles, axis=1)), dtype=np.int64)
    return counts, ak.flatten(particles, axis=1)


def _column(array: ak.Array, dtype: Any) -> NDArray[Any]:
    if dtype is np.float64:
        array = ak.fill_none(array, np.nan)
    return np.asarray(ak.to_numpy(array, allow_missing=False), dtype=dtype)


def check_same(events: ak.Array, smeared: ak.Array) -> None:
    """Refuse smeared events that are not made from these, in their order.

    Raises
    ------
    ValueError
        Entries or files differ, or the others are not smeared.
    """
    if "particles" not in smeared.fields or "energy_reco" not in smeared.particles.fields:
        found = ", ".join(smeared.fields) or "none"
        message = f"these are not smeared events (fields: {found}); pass what forefold.smear(events, card) returns"
        raise ValueError(message)
    same = len(events) == len(smeared) and all(
        np.array_equal(ak.to_numpy(events[key]), ak.to_numpy(smeared[key]))
        for key in ("entry", "stream")
    )
    if not same:
        message = (
            f"the {len(smeared)} smeared events are not made from these {len(events)} events: both must have the same "
            "entries of the same files, in the same order"
        )
        raise ValueError(message)
