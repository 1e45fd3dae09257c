"""Making and joining event records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import vector

from forefold.events.checks import FINAL_STATE
from forefold.events.columns import column, flatten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["build", "concatenate"]

vector.register_awkward()

_MOMENTUM = ("px", "py", "pz", "energy")


def build(
    *,
    pdgid: Any,
    px: Any,
    py: Any,
    pz: Any,
    energy: Any,
    counts: ArrayLike | None = None,
    offsets: ArrayLike | None = None,
    status: Any = FINAL_STATE,
    event: ArrayLike | None = None,
    entry: ArrayLike | None = None,
    weight: ArrayLike = 1.0,
    process_id: ArrayLike = 0,
    cc: ArrayLike | None = None,
    nc: ArrayLike | None = None,
    probe: ArrayLike = 0,
    probe_momentum: Sequence[ArrayLike] | None = None,
    target: ArrayLike = 0,
    source: str = "memory",
    stream: ArrayLike = 0,
    event_fields: Mapping[str, ArrayLike] | None = None,
    particle_fields: Mapping[str, ArrayLike] | None = None,
) -> ak.Array:
    """Make an event record from flat or nested arrays.

    The particles come as flat arrays with `counts` or `offsets`, or as nested lists (one list an
    event), or as flat arrays alone, which means one particle an event. Scalars are repeated.

    Parameters
    ----------
    pdgid : int or array, shape (n_particles,), or nested
        PDG id of every particle.
    px, py, pz, energy : float or array, shape (n_particles,), GeV, or nested
        Four-momentum of every particle; `energy` is the total energy.
    counts : array, shape (n_events,), optional
        Number of particles of each event.
    offsets : array, shape (n_events + 1,), optional
        Where each event's particles start in the flat arrays; instead of `counts`.
    status : int or array, shape (n_particles,), or nested
        Status of every particle; 1 is final state.
    event, entry : int array, shape (n_events,), optional
        Number of the event and position in its file; counted from 0 if left out.
    weight : float or array, shape (n_events,)
        Weight of each event.
    process_id : int or array, shape (n_events,)
        Process in the numbering of NuHepMC.
    cc, nc : bool or array, shape (n_events,), optional
        Charged and neutral current; a masked array says which are unknown, None that all are.
    probe, target : int or array, shape (n_events,)
        PDG ids of the incoming lepton and of the target.
    probe_momentum : four of float or array, shape (n_events,), GeV, optional
        px, py, pz and energy of the probe.
    source : str
        Where the events come from.
    stream : int or array, shape (n_events,)
        Number that tells one source from another in the random numbers.
    event_fields : mapping of str to array, shape (n_events,), optional
        More that the generator says of each event.
    particle_fields : mapping of str to array, shape (n_particles,), optional
        More that it says of each particle, such as mothers and positions; flat.

    Returns
    -------
    ak.Array
        The record; see `forefold.events`.

    Raises
    ------
    ValueError
        If lengths or types do not fit together.

    Examples
    --------
    Two events, a muon with a proton and a lone pion:

    >>> from forefold import events
    >>> toy = events.build(
    ...     pdgid=[[13, 2212], [211]],
    ...     px=0.0, py=0.0,
    ...     pz=[[1.0, 0.4], [0.5]],
    ...     energy=[[1.0056, 1.0199], [0.5191]],
    ... )
    >>> toy.particles.pdgid.tolist()
    [[13, 2212], [211]]
    >>> round(float(toy.particles.mass[0, 0]), 3)
    0.106

    A thousand muons of 2 GeV, one an event:

    >>> beam = events.build(pdgid=13, px=0.0, py=0.0, pz=[2.0] * 1000, energy=2.0028)
    >>> len(beam)
    1000
    """
    given = {"pdgid": pdgid, "status": status, "px": px, "py": py, "pz": pz, "energy": energy}
    flat, bounds = flatten(given, counts, offsets)
    n = len(bounds) - 1
    more = _more(particle_fields, int(bounds[-1]), given)
    particles = ak.contents.ListOffsetArray(
        ak.index.Index64(bounds), _momentum({key: flat[key] for key in given} | more)
    )
    fields = {
        "event": np.arange(n, dtype=np.int64) if event is None else column("event", event, n, "i8"),
        "entry": np.arange(n, dtype=np.int64) if entry is None else column("entry", entry, n, "i8"),
        "stream": column("stream", stream, n, "u8"),
        "process_id": column("process_id", process_id, n, "i4"),
        "cc": _flag("cc", cc, n),
        "nc": _flag("nc", nc, n),
        "weight": column("weight", weight, n, "f8"),
        "probe": column("probe", probe, n, "i8"),
        "target": column("target", target, n, "i8"),
        "probe_momentum": _probe_momentum(probe_momentum, n),
        "source": _source(source, n),
    }
    fields |= _more(event_fields, n, {**fields, "particles": particles})
    fields["particles"] = particles
    contents = [_content(value) for value in fields.values()]
    return ak.Array(ak.contents.RecordArray(contents, list(fields), length=n))


def concatenate(records: Iterable[ak.Array]) -> ak.Array:
    """Put event records one after the other.

    Parameters
    ----------
    records : iterable of ak.Array
        Records made by `build` or by a reader.

    Returns
    -------
    ak.Array
        One record with the events of all, in order.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> from forefold import events
    >>> one = events.build(pdgid=13, px=0.0, py=0.0, pz=1.0, energy=1.0056)
    >>> len(events.concatenate([one, one]))
    2
    """
    pieces = list(records)
    if not pieces:
        msg = "no event records to concatenate"
        raise ValueError(msg)
    return pieces[0] if len(pieces) == 1 else ak.concatenate(pieces)


def _more(
    given: Mapping[str, ArrayLike] | None, n: int, taken: Mapping[str, object]
) -> dict[str, NDArray[Any]]:
    """Columns under names of their own."""
    more = {}
    for name, value in (given or {}).items():
        if name in taken:
            msg = f"{name} is a field of every record; give the additional one another name"
            raise ValueError(msg)
        kind = np.asarray(value).dtype.kind
        more[name] = column(name, value, n, {"b": "?", "i": "i8", "u": "u8"}.get(kind, "f8"))
    return more


def _flag(name: str, value: ArrayLike | None, n: int) -> ak.contents.Content:
    """Booleans that may be unknown."""
    if value is None:
        known = np.zeros(n, dtype=np.bool_)
        data = np.zeros(n, dtype=np.bool_)
    else:
        if isinstance(value, list | tuple | ak.Array):
            value = ak.to_numpy(ak.values_astype(ak.Array(value), np.bool_))
        masked: Any = np.ma.masked_array(value)
        if masked.size == 0:
            masked = masked.astype(np.bool_)
        if masked.dtype.kind != "b" or masked.ndim > 1 or (masked.ndim == 1 and len(masked) != n):
            msg = (
                f"{name} has shape {masked.shape} and type {masked.dtype}, must be booleans, "
                f"one or of shape ({n},)"
            )
            raise ValueError(msg)
        data = np.ascontiguousarray(np.broadcast_to(masked.filled(False), n))
        known = np.ascontiguousarray(np.broadcast_to(~np.ma.getmaskarray(masked), n))
    return ak.contents.ByteMaskedArray(
        ak.index.Index8(known.view(np.int8)), ak.contents.NumpyArray(data), valid_when=True
    )


def _probe_momentum(value: Sequence[ArrayLike] | None, n: int) -> ak.contents.Content:
    """Four-momentum of the probe."""
    four = (np.nan,) * 4 if value is None else tuple(value)
    if len(four) != 4:
        msg = f"probe_momentum has {len(four)} components, must be px, py, pz, energy"
        raise ValueError(msg)
    names = [f"probe_momentum's {name}" for name in _MOMENTUM]
    columns = [column(name, part, n, "f8") for name, part in zip(names, four, strict=True)]
    return _momentum(dict(zip(_MOMENTUM, columns, strict=True)))


def _momentum(columns: dict[str, NDArray[Any]]) -> ak.contents.Content:
    """Give columns the behaviour of four-vectors."""
    contents = [ak.contents.NumpyArray(column) for column in columns.values()]
    return ak.contents.RecordArray(contents, list(columns), parameters={"__record__": "Momentum4D"})


def _source(source: str, n: int) -> ak.contents.Content:
    """One string that all events point to."""
    return ak.contents.IndexedArray(
        ak.index.Index64(np.zeros(n, dtype=np.int64)), ak.to_layout(ak.Array([_text(source)]))
    )


def _text(source: str) -> str:
    """Name of a file as text, also where it is not UTF-8."""
    return source.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _content(value: Any) -> ak.contents.Content:
    return ak.contents.NumpyArray(value) if isinstance(value, np.ndarray) else value
