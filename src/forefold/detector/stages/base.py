"""Particles of many events as flat columns, and stages that turn them into what a detector sees.

A stage takes particles and gives particles back.  It never removes a row: what goes no further keeps its row with a fate,
and what takes its place comes as new rows behind the event's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from forefold.kernels.arrays import uniform_pairs
from forefold.kernels.fate import Fate

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "DECAYED",
    "MERGED",
    "MISIDENTIFIED",
    "Particles",
    "Stage",
    "draws",
    "generated",
    "with_products",
]

MISIDENTIFIED = int(Fate.MISIDENTIFIED)
DECAYED = int(Fate.DECAYED)
MERGED = int(Fate.MERGED)

CHILD_BITS = 24
"""A particle's place in its event is below 2^24; its products count in the bits above, so their draws are their own."""

PURPOSE_DECAY = 6
PURPOSE_CONVERSION = 8
PURPOSE_STOP = 10


class Particles(NamedTuple):
    """Particles of many events, sorted by event; every column has shape (n,).

    Attributes
    ----------
    key, entry, place : ndarray of uint64
        Random key of the event, entry of the event, place of the particle in its event.
    event : ndarray of int64
        Row of the event; never falls.
    pdgid : ndarray of int64
        What the particle is.
    identified : ndarray of int64
        What it is taken for, as a PDG identifier.
    px, py, pz, energy, mass : ndarray of float64, GeV
    parent : ndarray of int64
        Row of the particle that it comes from; its own row if the generator made it.
    fate : ndarray of uint16
        0: goes on.  Else the outcome that ended it: no stage touches it any more.
    flags : ndarray of uint16
        Details beside the fate, such as `forefold.Fate.MISIDENTIFIED`.
    michel : ndarray of bool
        Whether a Michel electron was seen at the end of its track.
    """

    key: NDArray[np.uint64]
    entry: NDArray[np.uint64]
    place: NDArray[np.uint64]
    event: NDArray[np.int64]
    pdgid: NDArray[np.int64]
    identified: NDArray[np.int64]
    px: NDArray[np.float64]
    py: NDArray[np.float64]
    pz: NDArray[np.float64]
    energy: NDArray[np.float64]
    mass: NDArray[np.float64]
    parent: NDArray[np.int64]
    fate: NDArray[np.uint16]
    flags: NDArray[np.uint16]
    michel: NDArray[np.bool_]


class Stage(Protocol):
    """Something that happens to particles between the generator and the detector's resolution."""

    def apply(self, particles: Particles, variation: int = 0) -> Particles:
        """Return the particles after the stage; the argument is not changed."""
        ...


def generated(
    *,
    key: NDArray[np.uint64],
    entry: NDArray[np.uint64],
    place: NDArray[np.uint64],
    event: NDArray[np.int64],
    pdgid: NDArray[np.int64],
    momentum: NDArray[np.float64],
    energy: NDArray[np.float64],
    mass: NDArray[np.float64],
    fate: NDArray[np.uint16] | None = None,
) -> Particles:
    """Particles as a generator made them, before any stage.

    Parameters
    ----------
    key, entry, place : ndarray of uint64, shape (n,)
    event, pdgid : ndarray of int64, shape (n,)
        `event` must not fall.
    momentum : ndarray of float64, shape (3, n), GeV
    energy, mass : ndarray of float64, shape (n,), GeV
    fate : ndarray of uint16, shape (n,), optional
        What is not 0 is left alone by every stage: no final state, say.

    Returns
    -------
    Particles

    Raises
    ------
    ValueError
        The rows are not sorted by event, or a place does not fit into 24 bits.

    Examples
    --------
    >>> import numpy as np
    >>> u = np.zeros(1, dtype=np.uint64)
    >>> p = np.array([[0.0], [0.0], [1.0]])
    >>> row = np.zeros(1, dtype=np.int64)
    >>> pions = generated(
    ...     key=u, entry=u, place=u, event=row, pdgid=row + 111, momentum=p, energy=np.hypot(p[2], 0.135),
    ...     mass=np.array([0.135]),
    ... )
    >>> pions.parent.tolist(), pions.fate.tolist()
    ([0], [0])
    """
    n = energy.size
    if np.any(event[1:] < event[:-1]):
        message = "particles: the rows are not sorted by event"
        raise ValueError(message)
    if n and int(place.max()) >> CHILD_BITS:
        message = f"particles: place {int(place.max())} in its event; at most 2^{CHILD_BITS} particles an event"
        raise ValueError(message)
    px, py, pz = momentum
    return Particles(
        key=key,
        entry=entry,
        place=place,
        event=event,
        pdgid=pdgid,
        identified=pdgid.copy(),
        px=px,
        py=py,
        pz=pz,
        energy=energy,
        mass=mass,
        parent=np.arange(n, dtype=np.int64),
        fate=np.zeros(n, dtype=np.uint16) if fate is None else fate,
        flags=np.zeros(n, dtype=np.uint16),
        michel=np.zeros(n, dtype=np.bool_),
    )


def draws(
    particles: Particles, rows: NDArray[np.intp], purpose: int, variation: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Uniforms of two purposes for some of the particles: see `forefold.kernels.arrays.uniform_pairs`."""
    key, entry, place = (column[rows] for column in particles[:3])
    return uniform_pairs(key, entry, place, purpose, variation)


def with_products(
    particles: Particles,
    parents: NDArray[np.intp],
    pdgid: int,
    mass: float,
    momenta: NDArray[np.float64],
) -> Particles:
    """Insert products behind the rows of their events; rows keep their order, `parent` goes on pointing at its row.

    Parameters
    ----------
    particles : Particles
    parents : ndarray of intp, shape (m,)
        Rows that the products come from, rising.
    pdgid : int
        Of every product.
    mass : float, GeV
        Of every product.
    momenta : ndarray of float64, shape (m, k, 4), GeV
        px, py, pz and energy of the k products of each parent.

    Returns
    -------
    Particles
        n + m k rows.
    """
    m, k, _ = momenta.shape
    of = np.repeat(parents, k)
    child = np.tile(np.arange(1, k + 1, dtype=np.uint64), m) << np.uint64(CHILD_BITS)
    px, py, pz, energy = momenta.reshape(m * k, 4).T
    products = particles._replace(
        key=particles.key[of],
        entry=particles.entry[of],
        place=particles.place[of] | child,
        event=particles.event[of],
        pdgid=np.full(m * k, pdgid, dtype=np.int64),
        identified=np.full(m * k, pdgid, dtype=np.int64),
        px=px,
        py=py,
        pz=pz,
        energy=energy,
        mass=np.full(m * k, mass),
        parent=of.astype(np.int64),
        fate=np.zeros(m * k, dtype=np.uint16),
        flags=np.zeros(m * k, dtype=np.uint16),
        michel=np.zeros(m * k, dtype=np.bool_),
    )
    pairs: Any = zip(particles, products, strict=True)
    together: list[Any] = [np.concatenate(pair) for pair in pairs]
    # a stable sort keeps an event's own rows before its products
    order = np.argsort(together[Particles._fields.index("event")], kind="stable")
    row = np.empty(order.size, dtype=np.int64)
    row[order] = np.arange(order.size)
    moved = Particles(*(column[order] for column in together))
    return moved._replace(parent=row[moved.parent])
