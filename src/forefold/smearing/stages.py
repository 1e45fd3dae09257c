"""Stages of a card: particles that decay, merge or look like others before their energies are smeared."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forefold.detector.stages.registry import apply_all, generated
from forefold.events import particles as species

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.detector import Card
    from forefold.kernels.layout import TrueParticles

__all__ = ["Staged", "staged"]


class Staged(NamedTuple):
    """Particles behind the stages, sorted by event; products stand behind their event's own.

    Attributes
    ----------
    truth : TrueParticles
        ``species`` are rows of `kinds`.
    kinds : ndarray of int64, shape (s,)
        Distinct PDG identifiers.
    taken : ndarray of int64, shape (n,)
        What each particle is taken for, as a row of `kinds`.
    fate : ndarray of uint16, shape (n,)
        Outcomes so far, and flags.
    parent : ndarray of int64, shape (n,)
        Index in its event of the particle that it comes from; its own if the generator made it.
    michel : ndarray of bool, shape (n,)
        Whether it is the electron of a muon that decayed.
    """

    truth: TrueParticles
    kinds: NDArray[np.int64]
    taken: NDArray[np.int64]
    fate: NDArray[np.uint16]
    parent: NDArray[np.int64]
    michel: NDArray[np.bool_]


def staged(
    truth: TrueParticles,
    kinds: NDArray[np.int64],
    fate: NDArray[np.uint16],
    card: Card,
    *,
    variation: int = 0,
) -> Staged:
    """Send particles through the stages of a card.

    Parameters
    ----------
    truth : TrueParticles
        Sorted by event.
    kinds : ndarray of int64, shape (s,)
        PDG identifiers that ``truth.species`` are rows of.
    fate : ndarray of uint16, shape (n,)
        Outcomes that are settled already, else 0.
    card : Card
        Detector.
    variation : int
        Which of many independent draws with the same `rng`.

    Returns
    -------
    Staged
        The particles that are left, and those that decays and showers made.
    """
    pdgid = kinds[truth.species]
    p2 = truth.px * truth.px + truth.py * truth.py + truth.pz * truth.pz
    m2 = truth.energy * truth.energy - p2
    table = np.array([species.mass(int(pdg)) for pdg in kinds])
    before = generated(
        key=truth.key,
        entry=truth.entry,
        place=truth.place,
        event=truth.event,
        pdgid=pdgid,
        momentum=np.stack([truth.px, truth.py, truth.pz]),
        energy=truth.energy,
        mass=np.where(m2 > 0.0, np.sqrt(np.maximum(m2, 0.0)), table[truth.species]),
        fate=fate,
    )
    after = apply_all(before, [block.stage() for block in card.stages], variation)
    n = after.event.size
    both, rows = np.unique(np.concatenate([after.pdgid, after.identified]), return_inverse=True)
    first = np.searchsorted(after.event, after.event, side="left")
    return Staged(
        truth._replace(
            key=after.key,
            entry=after.entry,
            place=after.place,
            species=rows[:n].astype(np.int64),
            px=after.px,
            py=after.py,
            pz=after.pz,
            energy=after.energy,
            event=after.event,
        ),
        both,
        rows[n:].astype(np.int64),
        after.fate | after.flags,
        after.parent - first,
        after.michel,
    )
