"""Particles taken out of their events, checked, behind the stages of a card and before its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import awkward as ak
import numpy as np

from forefold import events as records
from forefold.events.repeats import SharedDraws
from forefold.kernels.fate import Fate
from forefold.kernels.layout import TrueParticles
from forefold.kernels.philox import stream_keys
from forefold.smearing.engine import OnInvalid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.detector import Card

__all__ = ["Axis", "EventParticles", "checked_on_invalid", "event_particles", "particle_values"]

Axis = Literal["probe", "z"]


class EventParticles(NamedTuple):
    """Particles of events before the rules of a card: stages have acted, nothing is smeared yet.

    Attributes
    ----------
    events : ak.Array
        Event record, checked.
    counts : ndarray of int64, shape (events,)
        Particles of each event.
    truth : TrueParticles
        ``species`` are rows of `pdgid`.
    pdgid : ndarray of int64, shape (s,)
        Distinct PDG identifiers.
    fate : ndarray of uint16, shape (n,)
        Outcomes that are settled already, and flags.
    taken : ndarray of int64, shape (n,), or None
        What stages took particles for, as rows of `pdgid`.
    extra : dict of str to ndarray
        Columns of the particles that stages add.
    """

    events: ak.Array
    counts: NDArray[np.int64]
    truth: TrueParticles
    pdgid: NDArray[np.int64]
    fate: NDArray[np.uint16]
    taken: NDArray[np.int64] | None
    extra: dict[str, Any]


def event_particles(
    events: ak.Array, card: Card, rng: int, axis: Axis, *, variation: int = 0
) -> EventParticles:
    """Check events, take their particles out and send them through the stages of a card.

    Parameters
    ----------
    events : ak.Array
        Event record.
    card : Card
        Detector.
    rng : int
        Integer that fixes every draw.
    axis : {"probe", "z"}
        Polar angles are to the momentum of the incident particle (the probe), or to the z axis.
    variation : int
        Of the random numbers, see `forefold.kernels.philox`.

    Returns
    -------
    EventParticles
        In the order of the events; products of stages stand behind those of their event.

    Raises
    ------
    ValueError
        See `forefold.smear`.

    Warns
    -----
    UserWarning
        Events share their random numbers, see `forefold.events.repeats`.
    """
    events = records.plain(events)
    records.check(events)
    SharedDraws().add(events)
    particles = events.particles
    counts = ak.to_numpy(ak.num(particles, axis=1)).astype(np.int64)
    pdgid, kinds = np.unique(particle_values(particles.pdgid, np.int64), return_inverse=True)
    truth = _rays(events, counts, kinds, rng, axis)
    final = particle_values(particles.status, np.int64) == records.FINAL_STATE
    settled = np.where(final, 0, int(Fate.NOT_FINAL_STATE)).astype(np.uint16)
    if not card.stages:
        return EventParticles(events, counts, truth, pdgid, settled, None, {})
    from forefold.smearing.stages import staged

    truth, pdgid, taken, settled, parent, michel = staged(
        truth, pdgid, settled, card, variation=variation
    )
    counts = np.bincount(truth.event, minlength=len(counts))
    extra = {"parent": parent, "michel": michel}
    return EventParticles(events, counts, truth, pdgid, settled, taken, extra)


def particle_values(nested: ak.Array, dtype: Any) -> NDArray[Any]:
    """Values of the particles of all events in one array."""
    values: NDArray[Any] = ak.to_numpy(ak.flatten(nested, axis=1)).astype(dtype, copy=False)
    return values


def _numbers(array: ak.Array) -> NDArray[np.float64]:
    return np.asarray(ak.to_numpy(array), dtype=np.float64)


def _rays(
    events: ak.Array, counts: NDArray[np.int64], kinds: NDArray[np.int64], rng: int, axis: Axis
) -> TrueParticles:
    """Particles of all events with what their random draws depend on."""
    event = np.repeat(np.arange(counts.size), counts)
    starts = np.cumsum(counts) - counts
    final = particle_values(events.particles.status, np.int64) == records.FINAL_STATE
    ahead = np.concatenate(
        [[0], np.cumsum(final)]
    )  # final-state particles ahead, in the whole chunk
    place = ahead[:-1] - ahead[starts][event]
    return TrueParticles(
        key=stream_keys(rng, ak.to_numpy(events.stream))[event],
        entry=ak.to_numpy(events.entry).astype(np.uint64)[event],
        place=place.astype(np.uint64),
        species=kinds.astype(np.int64, copy=False),
        **{
            key: particle_values(events.particles[key], np.float64)
            for key in ("px", "py", "pz", "energy")
        },
        event=event,
        axis=_axes(events, axis),
    )


def checked_on_invalid(word: object) -> OnInvalid:
    """Refuse what is neither ``stop`` nor ``lose``.

    Examples
    --------
    >>> checked_on_invalid("loose")
    Traceback (most recent call last):
    ...
    ValueError: on_invalid: 'stop' or 'lose', found 'loose'
    """
    for allowed in get_args(OnInvalid):
        if word == allowed:
            choice: OnInvalid = allowed
            return choice
    message = f"on_invalid: 'stop' or 'lose', found {word!r}"
    raise ValueError(message)


def _axes(events: ak.Array, axis: Axis) -> NDArray[np.float64]:
    """Give the unit vectors to which polar angles refer, shape (events, 3)."""
    if axis not in get_args(Axis):
        message = f"axis: 'probe' or 'z', found {axis!r}"
        raise ValueError(message)
    if axis == "z":
        return np.tile([0.0, 0.0, 1.0], (len(events), 1))
    probe = events.probe_momentum
    x, y, z = (_numbers(probe[key]) for key in ("px", "py", "pz"))
    norms = np.sqrt(x * x + y * y + z * z)
    unknown = ~(norms > 0.0)
    if unknown.any():
        row = int(np.argmax(unknown))
        message = (
            f"{events.source[row]}: entry {int(events.entry[row])} (event {int(events.event[row])}): no incident "
            "particle to refer polar angles to; use axis 'z' (--axis z)"
        )
        raise ValueError(message)
    return np.stack([x / norms, y / norms, z / norms], axis=1)
