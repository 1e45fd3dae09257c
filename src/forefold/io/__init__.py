"""Files in and out.

Readers are chosen by what a file holds, not by its name. Importing this room loads no reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forefold.io import source as remote
from forefold.io.files import content_stream, expand, streams_of, window
from forefold.io.registry import Damage, Header, Reader, Source, choose, nothing_left, register

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import awkward as ak

    from forefold.events.selection import Selection
    from forefold.io.inspection import Inspection
    from forefold.io.registry import Entries, Paths, Progress

__all__ = [
    "Damage",
    "Header",
    "Reader",
    "Source",
    "expand",
    "inspect",
    "iterate",
    "read",
    "register",
]


def read(
    paths: Paths,
    *,
    entries: Entries = None,
    final_state_only: bool = True,
    stream: int | Sequence[int] | None = None,
    damage: Damage | None = None,
    where: str | Selection | None = None,
) -> ak.Array:
    """Read events of one file or many into one record.

    Parameters
    ----------
    paths : str, path, or iterable of these
        Files or patterns.
    entries : (start, stop), slice or "start:stop", optional
        Range of positions, taken in each file.
    final_state_only : bool
        Leave out particles that are not final state.
    stream : int or one int a file, optional
        Numbers that tell the files apart in the random numbers; by default they come from the
        content.
    damage : Damage, optional
        Go on without events that cannot be read, and count them here.
    where : str or Selection, optional
        Keep only events of which this condition is true, such as ``"cc and enu > 0.5"``; see
        `forefold.events.selection`.

    Returns
    -------
    ak.Array
        The event record; see `forefold.events`.

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    ValueError
        If a file is of no known format, damaged, empty, or holds what no detector could see.

    Examples
    --------
    >>> from importlib.resources import files
    >>> from forefold import io
    >>> sample = files("forefold") / "data" / "genie_numu_Ar40_3k.gst.root"
    >>> events = io.read(sample, entries="0:100")
    >>> len(events), int(events.probe[0]), int(events.target[0])
    (100, 14, 1000180400)
    """
    from forefold import events

    return events.concatenate(
        iterate(
            paths,
            entries=entries,
            final_state_only=final_state_only,
            stream=stream,
            damage=damage,
            where=where,
        )
    )


def iterate(
    paths: Paths,
    *,
    chunk: int = 50_000,
    entries: Entries = None,
    final_state_only: bool = True,
    stream: int | Sequence[int] | None = None,
    progress: Progress | None = None,
    damage: Damage | None = None,
    where: str | Selection | None = None,
) -> Iterator[ak.Array]:
    """Read events in pieces, so that memory stays bounded whatever the size of the files.

    Everything that can be checked before an event is read (paths, formats, the range) is checked by
    the call itself; damage further in is found when the reading gets there.

    Parameters
    ----------
    paths : str, path, or iterable of these
        Files or patterns.
    chunk : int
        Most events in a piece. A piece never spans two files.
    entries : (start, stop), slice or "start:stop", optional
        Range of positions, taken in each file.
    final_state_only : bool
        Leave out particles that are not final state.
    stream : int or one int a file, optional
        Numbers that tell the files apart in the random numbers; by default they come from the
        content.
    damage : Damage, optional
        Go on without events that cannot be read, and count them here.
    progress : callable, optional
        Called after each piece with the fraction done (0 to 1, or None if unknown) and the number
        of events read.
    where : str or Selection, optional
        Keep only events of which this condition is true, such as ``"cc and enu > 0.5"``; see
        `forefold.events.selection`. Pieces may come out empty.

    Returns
    -------
    iterator of ak.Array
        Pieces of the event record, in order.

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    ValueError
        If a file is of no known format, damaged, empty, or holds what no detector could see.

    Warns
    -----
    UserWarning
        If two files have the same content, because their random draws will be the same.
    """
    if chunk < 1:
        msg = f"chunk = {chunk}: must be at least one event"
        raise ValueError(msg)
    selection = None if where is None else _selection(where)
    start, stop = window(entries)
    files = expand(paths)
    plan = [
        (choose(path), Source(path, number, start, stop, chunk, final_state_only, damage))
        for path, number in zip(
            files, _streams(files, stream, lenient=damage is not None), strict=True
        )
    ]
    pieces = _pieces(plan, progress)
    return pieces if selection is None else selection.pieces(pieces)


def inspect(
    path: str | Path,
    *,
    where: str | Selection | None = None,
    damage: Damage | None = None,
) -> Inspection:
    """Find out what a file holds.

    Parameters
    ----------
    path : str or path
        File.
    where : str or Selection, optional
        Count only events of which this condition is true; see `forefold.events.selection`.
    damage : Damage, optional
        Go on without events that cannot be read, and count them here.

    Returns
    -------
    Inspection
        Generator, beam, target, processes, particles; `print` it, or take ``to_dict()``.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is of no known format, damaged or empty.

    Examples
    --------
    >>> from importlib.resources import files
    >>> from forefold import io
    >>> found = io.inspect(files("forefold") / "data" / "genie_numu_Ar40_3k.gst.root")
    >>> found.events
    3000
    """
    if where is not None:
        from forefold.io.selected import inspect_selected

        return inspect_selected(path, _selection(where), damage=damage)
    from forefold.io.inspection import inspect_file

    return inspect_file(path, damage=damage)


def _selection(where: str | Selection) -> Selection:
    """Read a condition, before any file is opened."""
    from forefold.events.selection import selection_of

    return selection_of(where)


def _streams(
    files: Sequence[str], given: int | Sequence[int] | None, *, lenient: bool
) -> list[int]:
    """One number a file for the random numbers."""
    if given is None:
        return streams_of(files, [content_stream(path, lenient=lenient) for path in files], None)
    return streams_of(files, (), [given] if isinstance(given, int) else given)


def _pieces(plan: Sequence[tuple[Reader, Source]], progress: Progress | None) -> Iterator[ak.Array]:
    """Read file after file and report how far it got."""
    sizes = [remote.size(source.path) for _, source in plan]
    total, before, count = sum(sizes), 0, 0
    for (reader, source), size in zip(plan, sizes, strict=True):
        empty = True
        for record, done in reader.iterate(source):
            count, empty = count + len(record), False
            if progress is not None:
                progress((before + done * size) / total if total else None, count)
            yield record
        if empty:
            raise nothing_left(source.path, source.damage)
        before += size
