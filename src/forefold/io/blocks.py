"""Events cut at fixed places, so that what is made of them does not depend on the pieces in which they came."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import awkward as ak
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["BLOCK", "blocks", "gathered"]

BLOCK = 20_000
"""Entries of a file that are written, or filled into a histogram, together."""

Piece = tuple[ak.Array, ...]


def gathered(pieces: Iterable[ak.Array], size: int = BLOCK) -> Iterator[ak.Array]:
    """Put small pieces of different files together: a file of few events costs little more than its events.

    Parameters
    ----------
    pieces : iterable of ak.Array
        Event records in order.
    size : int
        Most events of what comes out; a piece that is larger stays as it is.

    Yields
    ------
    ak.Array
        The same events in the same order. `blocks` cuts them again where a file ends.

    Examples
    --------
    >>> import forefold
    >>> muons = [forefold.events.build(pdgid=13, px=0.0, py=0.0, pz=[1.0] * 30, energy=2.0, stream=k) for k in range(7)]
    >>> [len(piece) for piece in gathered(muons, 100)]
    [90, 90, 30]
    """
    waiting: list[ak.Array] = []
    streams: set[int] = set()
    total = 0
    for piece in pieces:
        if not len(piece):
            if not waiting:
                yield piece
            continue
        stream = int(piece["stream"][0])
        # a file that is given twice is not one with entries that come twice
        if waiting and (total + len(piece) > size or stream in streams):
            yield _records(waiting)
            waiting, streams, total = [], set(), 0
        waiting.append(piece)
        streams.add(stream)
        total += len(piece)
    if waiting:
        yield _records(waiting)


def blocks(pieces: Iterable[Piece], size: int | None = None) -> Iterator[Piece]:
    """Cut pieces of events again: where a file ends, and where its entries reach a multiple of `size`.

    Parameters
    ----------
    pieces : iterable of tuples of ak.Array
        Events in order, in any pieces; arrays of a tuple go together and are cut alike. The first has `entry` and
        `stream`; where it has not, the pieces stay as they are.
    size : int, optional
        Entries of a block; by default `BLOCK`.

    Yields
    ------
    tuple of ak.Array
        Events of one block. Empty pieces are left out, but for one where there is nothing else.

    Examples
    --------
    >>> import forefold
    >>> pieces = ((p,) for p in forefold.iterate(forefold.sample(), chunk=700, entries="900:"))
    >>> [len(block) for (block,) in blocks(pieces, 1000)]
    [100, 1000, 1000]
    """
    size = BLOCK if size is None else size
    waiting: list[Piece] = []
    place: tuple[int, int] | None = None
    last = -1
    empty: Piece | None = None
    for piece in pieces:
        if not len(piece[0]):
            empty = piece
            continue
        for where, part in _cut(piece, size):
            # entries that begin again are those of another file, though it may have the same content
            again = where is not None and int(part[0]["entry"][0]) <= last
            if waiting and (where is None or where != place or again):
                yield _joined(waiting)
                waiting = []
            waiting.append(part)
            place = where
            last = -1 if where is None else int(part[0]["entry"][-1])
    if waiting:
        yield _joined(waiting)
    elif empty is not None:
        yield empty


def _cut(piece: Piece, size: int) -> Iterator[tuple[tuple[int, int] | None, Piece]]:
    """Cut one piece, and say which block each part belongs to."""
    first = piece[0]
    if not {"entry", "stream"} <= set(first.fields):
        yield None, piece
        return
    stream = ak.to_numpy(first["stream"]).astype(np.uint64)
    entry = ak.to_numpy(first["entry"]).astype(np.int64)
    number = entry // size
    steps = (
        np.flatnonzero((np.diff(stream) != 0) | (np.diff(number) != 0) | (np.diff(entry) <= 0)) + 1
    )
    bounds = [0, *steps.tolist(), len(first)]
    for low, high in pairwise(bounds):
        whole = len(bounds) == 2
        part = piece if whole else tuple(array[low:high] for array in piece)
        yield (int(stream[low]), int(number[low])), part


def _joined(parts: Sequence[Piece]) -> Piece:
    return tuple(_records(arrays) for arrays in zip(*parts, strict=True))


def _records(arrays: Sequence[ak.Array]) -> ak.Array:
    return arrays[0] if len(arrays) == 1 else ak.concatenate(arrays)
