"""Inputs looked at before a job: what they are, how many entries they have, and how they are cut into parts."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from forefold.io import blocks
from forefold.io import source as remote
from forefold.io.files import beyond, content_stream, no_events, window
from forefold.io.provenance import origins
from forefold.io.registry import choose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forefold.io.registry import Entries

__all__ = ["PART", "content", "identity", "parts_of", "survey"]

PART = 100_000
"""Events of a part that are aimed at."""


def survey(path: str, lenient: bool) -> dict[str, Any]:
    """Say what a file is: its origin for the provenance, and its number of entries where that is cheap to know.

    Parameters
    ----------
    path : str
        File.
    lenient : bool
        Take what can be read of a compressed file that is damaged.

    Returns
    -------
    dict
        ``origin`` as in `forefold.io.provenance`; ``changed``, see `identity`; ``length`` or None.

    Raises
    ------
    OSError, ValueError
        If the file cannot be read or is of no known format.
    """
    reader = choose(path)
    length = getattr(reader, "length", None)
    (origin,) = origins(path, lenient=lenient)["inputs"]
    return {
        "origin": origin,
        "changed": _changed(path),
        "length": None if length is None else length(path),
    }


def identity(path: str, lenient: bool) -> dict[str, int | None]:
    """Say what tells a file from others without reading it all: its size, its stream, and when it was changed last."""
    size, stream = remote.size(path), content_stream(path, lenient=lenient)
    return {"bytes": size, "stream": stream, "changed": _changed(path)}


def _changed(path: str) -> int | None:
    """Time of the last change, ns; None where a server has the file."""
    return None if remote.is_remote(path) else remote.local(path).stat().st_mtime_ns


def content(path: str) -> str:
    """SHA-256 of a local file, all of it."""
    with remote.local(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parts_of(
    paths: Sequence[str],
    lengths: Sequence[int | None],
    entries: Entries = None,
    target: int = PART,
) -> list[tuple[int, int, int | None]]:
    """Cut files into parts, at multiples of the block of entries that is written together.

    Parameters
    ----------
    paths : sequence of str
        Files.
    lengths : sequence of int or None
        Entries of each; None is not known, and makes the file one part.
    entries : (start, stop), slice or "start:stop", optional
        Range of positions, taken in each file.
    target : int
        Events of a part that are aimed at.

    Returns
    -------
    list of (int, int, int or None)
        Place of the file, first entry, and the entry after the last (None: to the end), in order.

    Raises
    ------
    ValueError
        If a file has no entries, or none in the range.

    Examples
    --------
    >>> parts_of(["a", "b"], [90_000, None], "100:", 40_000)
    [(0, 100, 40000), (0, 40000, 80000), (0, 80000, 90000), (1, 100, None)]
    """
    if target < 1:
        msg = f"partition = {target}: must be at least one event"
        raise ValueError(msg)
    step = -(-target // blocks.BLOCK) * blocks.BLOCK
    start, stop = window(entries)
    parts: list[tuple[int, int, int | None]] = []
    for place, (path, length) in enumerate(zip(paths, lengths, strict=True)):
        if length is None:
            parts.append((place, start, stop))
            continue
        if length <= 0:
            raise no_events(path, "the tree")
        if start >= length:
            raise beyond(path, start, length)
        last = length if stop is None else min(stop, length)
        edges = [start, *range((start // step + 1) * step, last, step), last]
        parts += [(place, low, high) for low, high in pairwise(edges)]
    return parts
