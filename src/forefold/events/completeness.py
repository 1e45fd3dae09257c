"""Whether smeared events are all of those that were smeared.

An efficiency needs the events that were lost. Whoever cuts smeared events by what is reconstructed of them, ``smeared[passed]``, has thrown these away, and
every efficiency comes out too high without a word. So smeared events carry which events were smeared, in attributes of the array that slices, masks,
concatenations, pickles and forefold's own files keep, and what fills response matrices looks whether some are missing in between.
"""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import awkward as ak
    from numpy.typing import NDArray

    Whole = NDArray[np.uint64]

__all__ = ["CUT", "check_whole", "missing", "smeared_here"]

CUT = "cut"
"""Of a provenance: how many events a file was written without."""

_KEY = "forefold_smeared:"
_ODD = np.uint64(0x9E3779B97F4A7C15)


def smeared_here(array: ak.Array) -> dict[str, str]:
    """Describe which events an array holds, as attributes of it: all events of it count as smeared.

    Parameters
    ----------
    array : ak.Array
        Smeared events.

    Returns
    -------
    dict of str to str
        One attribute, whose key tells events apart, so that a concatenation has the attributes of all of its parts; none for
        events that have no ``stream`` and ``entry``.
    """
    if not {"stream", "entry"} <= set(array.fields):
        return {}
    stream, entry = _columns(array)
    # runs of neighbouring entries: few of a file that was read whole; differences are shorter when compressed
    first = np.flatnonzero(np.concatenate([[True], _new_run(stream, entry)]))[: len(entry)]
    starts = np.diff(entry[first], prepend=np.uint64(0))
    runs = np.stack([stream[first], starts, np.diff(first, append=len(entry)).astype(np.uint64)])
    text = base64.b64encode(zlib.compress(runs.astype("<u8").tobytes(), 1)).decode()
    return {f"{_KEY}{zlib.crc32(text.encode()):08x}": text}


def missing(array: ak.Array) -> int:
    """Count the events that were smeared and are missing between those that are there.

    Parameters
    ----------
    array : ak.Array
        Smeared events.

    Returns
    -------
    int
        0 for a slice of neighbours, which is a part like any other, and where nothing is known of what was smeared.

    Examples
    --------
    >>> import forefold
    >>> from forefold.events.completeness import missing
    >>> smeared = forefold.smear(forefold.read("events.gst.root"), "nusmear-dune-cdr", rng=1)
    >>> missing(smeared), missing(smeared[100:200]), missing(smeared[smeared.n_detected > 2]) > 0
    (0, 0, True)
    """
    about: Any = array.attrs.get("forefold")
    before = about.get(CUT, 0) if isinstance(about, dict) else 0
    return int(before) + _between(array)


def _between(array: ak.Array) -> int:
    records = [_runs(text) for key, text in array.attrs.items() if key.startswith(_KEY)]
    if not records or not {"stream", "entry"} <= set(array.fields):
        return 0
    if sum(int(runs[2].sum()) for runs in records) == len(array):
        return 0
    here = np.sort(_identity(*_columns(array)))
    lost = 0
    for runs in records:
        everything = _identity(*_expanded(runs))
        place = np.minimum(np.searchsorted(here, everything), max(len(here) - 1, 0))
        there = np.flatnonzero(here[place] == everything) if len(here) else np.zeros(0, np.int64)
        lost += int(there[-1] - there[0] + 1 - there.size) if there.size else 0
    return lost


def check_whole(array: ak.Array) -> None:
    """Refuse smeared events of which some were cut.

    Raises
    ------
    ValueError
        Events that were smeared are missing between those that are there.
    """
    lost = missing(array)
    if lost:
        message = (
            f"{lost:,} events that were smeared are missing between the {len(array):,} that are here: without events that a cut removed, "
            "efficiencies are too high. Give all events and the cut as select='...' (--select), which counts the others as missed; if the cut was on "
            "what is true, as where= or signal= are, say missing='accept'"
        )
        raise ValueError(message)


def _columns(array: ak.Array) -> tuple[Whole, Whole]:
    stream, entry = (np.asarray(array[name].to_numpy()) for name in ("stream", "entry"))
    return stream.astype(np.uint64), entry.astype(np.uint64)


def _new_run(stream: Whole, entry: Whole) -> NDArray[np.bool_]:
    """Tell where an event does not follow the one before it in its file."""
    return np.asarray((stream[1:] != stream[:-1]) | (entry[1:] != entry[:-1] + np.uint64(1)))


def _runs(text: str) -> Whole:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype="<u8").reshape(3, -1)


def _expanded(runs: Whole) -> tuple[Whole, Whole]:
    stream, starts, count = runs
    first, sizes = np.cumsum(starts, dtype=np.uint64), count.astype(np.int64)
    steps = np.arange(int(sizes.sum()), dtype=np.uint64)
    before = np.repeat((np.cumsum(sizes) - sizes).astype(np.uint64), sizes)
    return np.repeat(stream, sizes), np.repeat(first, sizes) + steps - before


def _identity(stream: Whole, entry: Whole) -> Whole:
    """One number for an event: streams differ in all of their bits."""
    return np.asarray(stream * _ODD + entry)
