"""What a record must hold to be smeared."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from forefold.events.masses import misfit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["FINAL_STATE", "check", "faulty", "final_state", "is_pseudo_particle", "plain"]

FINAL_STATE = 1
"""Status of a particle that leaves the nucleus undecayed."""

_NEEDED = ("event", "entry", "stream", "source", "probe_momentum", "particles")
_MOST = 2_999_999_999
_MOMENTUM = ("px", "py", "pz", "energy")


def is_pseudo_particle(pdgid: ArrayLike) -> NDArray[np.bool_]:
    """Tell a generator's bookkeeping from particles.

    Parameters
    ----------
    pdgid : int or array, shape (n,)
        PDG ids.

    Returns
    -------
    ndarray of bool, shape (n,)
        True for 81 to 100 (strings and clusters) and from 2000000000 (GENIE's bindino, hadronic
        blob and the like; NuHepMC's 2009900000), of either sign.

    Examples
    --------
    >>> from forefold import events
    >>> events.is_pseudo_particle([13, 92, 2000000101, 1000180400]).tolist()
    [False, True, True, False]
    """
    size = np.abs(np.asarray(pdgid, dtype=np.int64))
    result: NDArray[np.bool_] = (size >= 2_000_000_000) | ((size >= 81) & (size <= 100))
    return result


def plain(record: ak.Array) -> ak.Array:
    """Give an event record without the wrapping that selections leave behind.

    Parameters
    ----------
    record : ak.Array
        Event record, perhaps of an option type such as ``events[events.cc]``.

    Returns
    -------
    ak.Array
        The same events.

    Raises
    ------
    ValueError
        If it is no event record, a single event, or some events are missing (None).

    Examples
    --------
    >>> import numpy as np
    >>> from forefold import events
    >>> three = events.build(pdgid=13, px=0.0, py=0.0, pz=[1.0, 2.0, 3.0], energy=3.1, cc=True)
    >>> len(events.plain(three[three.cc]))
    3
    """
    if isinstance(record, ak.Record):
        msg = "a single event; give an array of events, such as events[3:4]"
        raise ValueError(msg)
    lacking = [name for name in _NEEDED if name not in getattr(record, "fields", ())]
    if not isinstance(record, ak.Array) or lacking or "status" not in record.particles.fields:
        what = "smeared events" if "fate" in _inner(record) else type(record).__name__
        msg = f"not an event record of forefold.read or forefold.events.build, but {what}"
        raise ValueError(msg)
    if not isinstance(record.type.content, ak.types.OptionType):
        return record
    missing = int(ak.sum(ak.is_none(record, axis=0)))
    if missing:
        msg = f"{missing} of {len(record)} events are missing (None): select with events[...], not a mask"
        raise ValueError(msg)
    return ak.drop_none(record, axis=0)


def final_state(record: ak.Array) -> ak.Array:
    """Give the same events with their final-state particles only.

    Parameters
    ----------
    record : ak.Array
        Event record, such as that of a whole file (``final_state_only=False``).

    Returns
    -------
    ak.Array
        What the generator says of the events, such as their places, is kept.

    Examples
    --------
    >>> from forefold import events
    >>> two = events.build(pdgid=[[14, 13]], px=0.0, py=0.0, pz=2.0, energy=2.1, status=[[0, 1]])
    >>> events.final_state(two).particles.pdgid.tolist()
    [[13]]
    """
    final = record.particles[record.particles.status == FINAL_STATE]
    return ak.with_field(record, final, "particles")


def _inner(record: Any) -> list[str]:
    """Fields of the particles, if there are any."""
    particles = record["particles"] if "particles" in getattr(record, "fields", ()) else record
    return list(getattr(particles, "fields", ()))


def check(record: ak.Array, where: str | None = None) -> None:
    """Refuse events that no detector could see.

    Final-state particles must have finite momenta and energies that are not negative; weights must
    be finite; a probe's momentum must be finite, or unknown (NaN in all four components).
    Pseudo-particles may be odd.

    Parameters
    ----------
    record : ak.Array
        Event record.
    where : str, optional
        Name of the input for the message; the event's own `source` if left out.

    Raises
    ------
    ValueError
        On the first event that is wrong, with its place and value.

    Warns
    -----
    UserWarning
        The masses say that energies are in another unit than GeV, or kinetic; see `forefold.events.masses`.

    Examples
    --------
    >>> from forefold import events
    >>> bad = events.build(pdgid=13, px=0.0, py=float("nan"), pz=1.0, energy=1.0)
    >>> events.check(bad)
    Traceback (most recent call last):
    ...
    ValueError: memory: entry 0 (event 0), particle 0 (pdgid 13): py = nan, must be a finite number
    """
    particles = record.particles
    flat = ak.flatten(particles, axis=1)
    pdgid, status = ak.to_numpy(flat.pdgid), ak.to_numpy(flat.status)
    momentum = {name: ak.to_numpy(flat[name]) for name in _MOMENTUM}
    _check_ids(record, pdgid, where)
    # Adding zeros first is cheap and finds almost every good record at once.
    odd = momentum["energy"] < 0.0
    for value in momentum.values():
        odd |= ~np.isfinite(value)
    if odd.any():
        odd &= (status == FINAL_STATE) & ~is_pseudo_particle(pdgid)
        if odd.any():
            _complain_particle(record, where, int(np.argmax(odd)), momentum, pdgid)
    _check_events(record, where)
    words = misfit(pdgid, momentum)
    if words is not None:
        source = str(record.source[0]) if where is None else where
        warnings.warn(f"{source}: {words}", stacklevel=1)  # one place, so that chunks say it once


def faulty(record: ak.Array) -> NDArray[np.bool_]:
    """Tell which events `check` would refuse.

    Parameters
    ----------
    record : ak.Array
        Event record.

    Returns
    -------
    ndarray of bool, shape (n_events,)
        True where an event is wrong.

    Examples
    --------
    >>> from forefold import events
    >>> two = events.build(pdgid=13, px=0.0, py=[0.0, float("inf")], pz=1.0, energy=2.0)
    >>> events.faulty(two).tolist()
    [False, True]
    """
    flat = ak.flatten(record.particles, axis=1)
    momentum = {name: ak.to_numpy(flat[name]) for name in _MOMENTUM}
    odd = momentum["energy"] < 0.0
    for value in momentum.values():
        odd |= ~np.isfinite(value)
    pdgid = ak.to_numpy(flat.pdgid)
    odd &= (ak.to_numpy(flat.status) == FINAL_STATE) & ~is_pseudo_particle(pdgid)
    odd |= _wrong_ids(pdgid)
    counts = ak.to_numpy(ak.num(record.particles, axis=1))
    rows = np.repeat(np.arange(len(counts)), counts)[odd]
    bad: NDArray[np.bool_] = ~np.isfinite(ak.to_numpy(record.weight))
    bad[rows] = True
    probe = np.stack([ak.to_numpy(record.probe_momentum[name]) for name in _MOMENTUM])
    bad |= _wrong_probes(probe)
    return bad


def _complain_particle(
    record: ak.Array,
    where: str | None,
    first: int,
    momentum: dict[str, NDArray[np.float64]],
    pdgid: NDArray[np.int64],
) -> None:
    """Raise for the flat particle `first`."""
    ends = np.cumsum(ak.to_numpy(ak.num(record.particles, axis=1)))
    row = int(np.searchsorted(ends, first, side="right"))
    index = first - (int(ends[row - 1]) if row else 0)
    found = {name: float(values[first]) for name, values in momentum.items()}
    # The energy is the culprit if all are finite: it is negative.
    name = next((key for key, value in found.items() if not np.isfinite(value)), "energy")
    value = found[name]
    wanted = "not be negative" if np.isfinite(value) else "be a finite number"
    msg = (
        f"{_place(record, row, where)}, particle {index} (pdgid {int(pdgid[first])}): "
        f"{name} = {value:.6g}{' GeV' if np.isfinite(value) else ''}, must {wanted}"
    )
    raise ValueError(msg)


def _check_events(record: ak.Array, where: str | None) -> None:
    """Check what belongs to the events: weights and probes."""
    weight = ak.to_numpy(record.weight)
    if not np.isfinite(weight).all():
        row = int(np.argmax(~np.isfinite(weight)))
        msg = f"{_place(record, row, where)}: weight = {weight[row]}, must be a finite number"
        raise ValueError(msg)
    probe = np.stack([ak.to_numpy(record.probe_momentum[name]) for name in _MOMENTUM])
    odd = _wrong_probes(probe)
    if odd.any():
        row = int(np.argmax(odd))
        values = ", ".join(f"{value:.6g}" for value in probe[:, row])
        msg = (
            f"{_place(record, row, where)}: probe momentum (px, py, pz, energy) = ({values}), "
            "must be four finite numbers, the energy not negative"
        )
        raise ValueError(msg)


def _wrong_probes(probe: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which probes are neither numbers nor unknown (all NaN), or have a negative energy."""
    known = np.isfinite(probe).all(axis=0) & (probe[-1] >= 0.0)
    unknown = np.isnan(probe).all(axis=0)
    return np.asarray(~(known | unknown))


def _wrong_ids(pdgid: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell what is no PDG id: they have ten digits at most, of which the first is 1 or 2."""
    return np.asarray((pdgid > _MOST) | (pdgid < -_MOST))


def _check_ids(record: ak.Array, pdgid: NDArray[np.int64], where: str | None) -> None:
    """Refuse numbers that are no PDG id: without this they would count as pseudo-particles."""
    wrong = _wrong_ids(pdgid)
    if not wrong.any():
        return
    first = int(np.argmax(wrong))
    ends = np.cumsum(ak.to_numpy(ak.num(record.particles, axis=1)))
    row = int(np.searchsorted(ends, first, side="right"))
    index = first - (int(ends[row - 1]) if row else 0)
    msg = (
        f"{_place(record, row, where)}, particle {index}: pdgid = {int(pdgid[first])}, "
        f"must be from -{_MOST} to {_MOST}"
    )
    raise ValueError(msg)


def _place(record: ak.Array, row: int, where: str | None) -> str:
    """Say which event of which input a row is."""
    source = str(record.source[row]) if where is None else where
    return f"{source}: entry {int(record.entry[row])} (event {int(record.event[row])})"
