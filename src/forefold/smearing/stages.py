"""Stages of a card: particles that decay, merge or look like others before their energies are smeared."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forefold.detector.stages.registry import apply_all, generated
from forefold.events import particles as species

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.detector import Card
    from forefold.kernels.layout import Rays

__all__ = ["Staged", "staged"]


class Staged(NamedTuple):
    """Particles behind the stages, sorted by event; products stand behind their event's own.

    Attributes
    ----------
    rays : Rays
        ``species`` are rows of `kinds`.
    kinds : ndarray of int64, shape (s,)
        Distinct PDG identifiers.
    taken : ndarray of int64, shape (n,)
        What each particle is taken for, as a row of `kinds`.
    fate : ndarray of uint16, shape (n,)
    parent : ndarray of int64, shape (n,)
        Index in its event of the particle that it comes from; its own if the generator made it.
    michel : ndarray of bool, shape (n,)
    """

    rays: Rays
    kinds: NDArray[np.int64]
    taken: NDArray[np.int64]
    fate: NDArray[np.uint16]
    parent: NDArray[np.int64]
    michel: NDArray[np.bool_]


def staged(
    rays: Rays,
    kinds: NDArray[np.int64],
    fate: NDArray[np.uint16],
    card: Card,
    *,
    variation: int = 0,
) -> Staged:
    """Send particles through the stages of a card.

    Parameters
    ----------
    rays : Rays
        Sorted by event.
    kinds : ndarray of int64, shape (s,)
        PDG identifiers that ``rays.species`` are rows of.
    fate : ndarray of uint16, shape (n,)
        Outcomes that are settled already, else 0.
    card : Card
    variation : int

    Returns
    -------
    Staged
    """
    pdgid = kinds[rays.species]
    p2 = rays.px * rays.px + rays.py * rays.py + rays.pz * rays.pz
    m2 = rays.energy * rays.energy - p2
    table = np.array([species.mass(int(pdg)) for pdg in kinds])
    before = generated(
        key=rays.key,
        entry=rays.entry,
        place=rays.place,
        event=rays.event,
        pdgid=pdgid,
        momentum=np.stack([rays.px, rays.py, rays.pz]),
        energy=rays.energy,
        mass=np.where(m2 > 0.0, np.sqrt(np.maximum(m2, 0.0)), table[rays.species]),
        fate=fate,
    )
    after = apply_all(before, [block.stage() for block in card.stages], variation)
    n = after.event.size
    both, rows = np.unique(np.concatenate([after.pdgid, after.identified]), return_inverse=True)
    first = np.searchsorted(after.event, after.event, side="left")
    return Staged(
        rays._replace(
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
