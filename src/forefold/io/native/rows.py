"""Rows of particles, cut into whole events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from forefold.events.repeats import Repeats, warn_of_scattered_rows
from forefold.events.table import rows_of_events
from forefold.io import files

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TYPES", "whole_events"]

TYPES = {
    **dict.fromkeys(("event", "entry", "pdgid", "probe", "target"), pa.int64()),
    **dict.fromkeys(("status", "process_id"), pa.int32()),
    **dict.fromkeys(("cc", "nc", "detected"), pa.bool_()),
    **dict.fromkeys(
        (
            "px", "py", "pz", "energy", "weight", "probe_px", "probe_py", "probe_pz", "probe_energy",
            "energy_true", "theta_true", "energy_reco", "theta_reco", "phi_reco", "px_reco", "py_reco",
            "pz_reco",
        ),
        pa.float64(),
    ),
    "stream": pa.uint64(),
    "fate": pa.uint16(),
    "pdgid_reco": pa.int64(),
    "component": pa.int8(),
    "parent": pa.int64(),
    "michel": pa.bool_(),
    "source": pa.string(),
}  # fmt: skip
"""Columns that rows of particles may have, and their types."""

_Block = tuple[pa.Table, float]
_MOST_ROWS = 5_000_000  # of one event


def whole_events(
    path: str,
    rows: Iterator[tuple[pa.Table, float]],
    start: int,
    stop: int | None,
    chunk: int,
    *,
    ours: bool = False,
) -> Iterator[tuple[pa.Table, float]]:
    """Cut rows into pieces of whole events; neighbouring rows of equal `event` are one event.

    Parameters
    ----------
    path : str
        File, for messages.
    rows : iterator of (pyarrow.Table, float)
        Rows with a column `event`, and the fraction of the file that is done.
    start, stop : int, int or None
        Range of events.
    chunk : int
        Most events in a piece.
    ours : bool
        Forefold wrote the table: events of several files may have the same numbers.

    Yields
    ------
    pyarrow.Table, float
        Rows of whole events, and the fraction that is done.

    Raises
    ------
    ValueError
        If the range holds no event, or an event is absurdly large.

    Warns
    -----
    UserWarning
        If the number of an event comes again after others.
    """
    first, done = 0, 1.0
    numbers = None if ours else Repeats()
    kept: list[pa.Table] = []
    for (table, done), last in _with_last(rows):
        if table["event"].null_count:
            msg = f"{path}: a row has no number of its event"
            raise ValueError(msg)
        whole = pa.concat_tables([*kept, table]).combine_chunks()
        event = whole["event"].to_numpy()
        bounds = rows_of_events(event).tolist()
        if bounds[-1] - bounds[-2] > _MOST_ROWS:
            msg = f"{path}: event {event[-1]} has more than {_MOST_ROWS} rows"
            raise ValueError(msg)
        if not last:  # the last event may go on in the next block
            kept = [whole.slice(bounds[-2])]
            bounds = bounds[:-1]
        again = None if numbers is None else numbers.add(event[bounds[:-1]])
        if again is not None:
            warn_of_scattered_rows(path, again)
            numbers = None
        for piece in _cut(whole, bounds, first, start, stop, chunk):
            yield piece, done
        first += len(bounds) - 1
        if stop is not None and first >= stop:
            return
    if first == 0:
        raise files.no_events(path, "the table")
    if start >= first:
        raise files.beyond(path, start, first)


def _with_last(rows: Iterator[_Block]) -> Iterator[tuple[_Block, bool]]:
    """Say of each block whether it is the last; where there is damage behind it, nobody knows."""
    block = next(rows, None)
    while block is not None:
        following, damage = None, None
        try:
            following = next(rows, None)
        except ValueError as error:
            damage = error
        yield block, following is None and damage is None
        if damage is not None:
            raise damage
        block = following


def _cut(
    table: pa.Table, bounds: list[int], first: int, start: int, stop: int | None, chunk: int
) -> Iterator[pa.Table]:
    """Cut whole events to the range and to pieces."""
    n = len(bounds) - 1
    low = max(start - first, 0)
    high = n if stop is None else min(stop - first, n)
    for at in range(low, high, chunk):
        end = min(at + chunk, high)
        yield table.slice(bounds[at], bounds[end] - bounds[at])
