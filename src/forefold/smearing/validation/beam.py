"""Particles without events, up to the draw of a card: for tools that look at what a card does to given particles."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forefold.events import particles as species
from forefold.kernels.layout import Rays

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["Beam", "beam"]


class Beam(NamedTuple):
    """Particles of given energies and directions, as the loops take them.

    Attributes
    ----------
    rays : Rays
        ``species`` are rows of `kinds`; polar angles are to the z axis.
    kinds : ndarray of int64, shape (s,)
    fate : ndarray of uint16, shape (n,)
        0.
    """

    rays: Rays
    kinds: NDArray[np.int64]
    fate: NDArray[np.uint16]


def beam(
    pdgid: ArrayLike,
    energy: ArrayLike,
    theta: ArrayLike = 0.0,
    phi: ArrayLike = 0.0,
    *,
    key: int = 0,
) -> Beam:
    """Make particles on their mass shells.

    Parameters
    ----------
    pdgid : array_like of int
    energy : array_like, GeV
        Total energy; one below the mass counts as the mass.
    theta, phi : array_like, rad
        To the z axis. All four broadcast against each other.
    key : int
        Of the draws: a particle's depend on this and on its place among the others.

    Returns
    -------
    Beam

    Examples
    --------
    >>> float(beam(13, [1.0, 2.0]).rays.pz[1].round(4))
    1.9972
    """
    pdg, e, t, f = np.broadcast_arrays(
        np.atleast_1d(np.asarray(pdgid, dtype=np.int64)),
        *(np.asarray(x, dtype=np.float64) for x in (energy, theta, phi)),
    )
    kinds, rows = np.unique(pdg, return_inverse=True)
    mass = np.array([species.mass(int(kind)) for kind in kinds])[rows]
    p = np.sqrt(np.maximum((e - mass) * (e + mass), 0.0))
    n = pdg.size
    rays = Rays(
        key=np.full(n, key, np.uint64),
        entry=np.arange(n, dtype=np.uint64),
        place=np.zeros(n, np.uint64),
        species=rows.reshape(-1).astype(np.int64),
        px=p * np.sin(t) * np.cos(f),
        py=p * np.sin(t) * np.sin(f),
        pz=p * np.cos(t),
        energy=np.maximum(e, mass),
        event=np.zeros(n, np.int64),
        axis=np.array([[0.0, 0.0, 1.0]]),
    )
    return Beam(rays, kinds, np.zeros(n, np.uint16))
