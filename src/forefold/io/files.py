"""Input files: finding them, opening them by content, telling them apart."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from forefold._inputs import near_names
from forefold.io import source as remote
from forefold.io.source import DAMAGE, block, damaged, decoded, head

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forefold.io.registry import Entries, Paths

__all__ = [
    "DAMAGE",
    "beyond",
    "block",
    "content_stream",
    "damaged",
    "decoded",
    "expand",
    "from_home",
    "head",
    "is_full",
    "no_events",
    "refuse_as_output",
    "window",
]

STREAM_BYTES = 1 << 20

_WILD = re.compile(r"[*?\[]")


def from_home(path: str | os.PathLike[str]) -> str:
    """Put the home folder in place of ``~`` at the beginning of a path, as a shell does: for all that is read and written.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    str

    Examples
    --------
    >>> from_home("runs/~old.root")
    'runs/~old.root'
    """
    return os.path.expanduser(os.fspath(path))  # noqa: PTH111 - a Path would change URLs


def expand(paths: Paths) -> list[str]:
    """List the files that paths and patterns stand for.

    Parameters
    ----------
    paths : str, path, or iterable of these
        Files, or patterns with ``*``, ``?``, ``[...]`` and ``**``; ``FILE:PATH`` for what is in a ROOT file.

    Returns
    -------
    list of str
        The files: as they were given, those of a pattern in alphabetical order.

    Raises
    ------
    FileNotFoundError
        If a file does not exist (the message lists near names) or a pattern matches none.
    IsADirectoryError
        If a path is a directory.
    PermissionError
        If a file may not be read.
    ValueError
        If there are no paths at all.

    Examples
    --------
    >>> from forefold import io
    >>> io.expand("no_such_folder/run.gst.root")
    Traceback (most recent call last):
    ...
    FileNotFoundError: no_such_folder/run.gst.root: no such file (nor a folder no_such_folder)
    """
    patterns: Iterable[str | os.PathLike[str]]
    patterns = [paths] if isinstance(paths, str | os.PathLike) else paths
    files = [name for path in patterns for name in _expand_one(from_home(path))]
    if not files:
        msg = "no input files given"
        raise ValueError(msg)
    return files


def _expand_one(name: str) -> list[str]:
    if remote.is_remote(name):
        if "*" in name:
            msg = f"{name}: patterns work on local files only; give the URL of each file"
            raise ValueError(msg)
        return [name]
    front, inside = remote.parted(name)
    if inside:
        return [_within(file, inside) for file in _expand_one(front)]
    # A file whose own name holds a bracket is meant before a pattern is.
    if _WILD.search(name) and not Path(name).exists():
        hits = glob.glob(name, recursive=True)  # noqa: PTH207 - patterns may be absolute
        matches = sorted(hit for hit in hits if not Path(hit).is_dir())
        if not matches:
            msg = f"{name}: no file matches this pattern"
            raise FileNotFoundError(msg)
        return [hit for name in matches for hit in _expand_one(name)]
    if not name:
        msg = "the name of an input file is empty"
        raise ValueError(msg)
    path = Path(name)
    if path.is_dir():
        msg = f"{name}: is a directory; give files, or a pattern such as {Path(name, '*.root')}"
        raise IsADirectoryError(msg)
    if not path.exists():
        if path.is_symlink():
            msg = f"{name}: a broken link to {path.readlink()}"
            raise FileNotFoundError(msg)
        msg = f"{name}: no such file{_near(path)}"
        raise FileNotFoundError(msg)
    if not os.access(path, os.R_OK):
        msg = f"{name}: permission to read it is denied"
        raise PermissionError(msg)
    return [name]


def _within(file: str, inside: str) -> str:
    """Name a place in a file that can have places."""
    if not remote.is_remote(file):
        with Path(file).open("rb") as start:
            if start.read(4) != b"root":
                msg = f"{file}:{inside}: no such file, and {file} is no ROOT file that could hold {inside!r}"
                raise FileNotFoundError(msg)
    return f"{file}:{inside}"


def _near(path: Path) -> str:
    """Say what there is in place of a missing file."""
    if not path.parent.is_dir():
        return f" (nor a folder {path.parent})"
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return ""
    near = near_names(path.name, names)
    return f"; near names in {path.parent}: {', '.join(near)}" if near else ""


def refuse_as_output(inputs: Iterable[str], out: str | os.PathLike[str]) -> None:
    """Refuse an output that is one of the inputs.

    Raises
    ------
    ValueError
        If it is, by whatever name or link.
    """
    target = Path(from_home(out))
    for name in inputs:
        if remote.is_remote(name):
            continue
        file = remote.local(name)
        if target.exists() and file.exists() and target.samefile(file):
            msg = f"{os.fspath(out)}: is also an input; give the output another name"
            raise ValueError(msg)


def content_stream(path: str, *, lenient: bool = False) -> int:
    """Compute the number that tells a file from others in the random numbers.

    Parameters
    ----------
    path : str
        File.
    lenient : bool
        Take what can be read of a compressed file that is damaged.

    Returns
    -------
    int
        The first 8 bytes, little endian, of SHA-256 over the first 1 MiB of the decompressed
        content. It does not depend on the file's name, place or compression.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from forefold.io.files import content_stream
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "empty")
    ...     _ = path.write_bytes(b"")
    ...     hex(content_stream(str(path)))
    '0x141cfc9842c4b0e3'
    """
    digest = hashlib.sha256()
    with decoded(path) as (content, _):
        start, fault = block(content, STREAM_BYTES)
    if fault is not None and not lenient:
        msg = f"{path}: {fault}"
        raise ValueError(msg)
    digest.update(start)
    return int.from_bytes(digest.digest()[:8], "little")


def streams_of(
    paths: Sequence[str], found: Sequence[int], given: Sequence[int] | None
) -> list[int]:
    """Give each file its number in the random numbers: that of its content, or the one that is given.

    Raises
    ------
    ValueError
        There is not one for each file.

    Warns
    -----
    UserWarning
        If two files have the same.
    """
    numbers = list(found if given is None else given)
    if len(numbers) != len(paths):
        msg = f"{len(numbers)} stream numbers for {len(paths)} files: give one a file"
        raise ValueError(msg)
    first: dict[int, str] = {}
    for path, number in zip(paths, numbers, strict=True):
        if number in first:
            what = "the same content as" if given is None else "the same stream number as"
            who = (
                f"{path} has {what} {first[number]}"
                if path != first[number]
                else f"{path} is given twice"
            )
            warnings.warn(
                f"{who}: their random draws will be the same",
                stacklevel=4,
            )
            break
        first[number] = path
    return numbers


def window(entries: Entries) -> tuple[int, int | None]:
    """Start and stop of a range of entries.

    Parameters
    ----------
    entries : (start, stop), slice, "start:stop", or None
        Range of positions in a file, from 0, `stop` excluded; a missing bound means all on that
        side.

    Returns
    -------
    start : int
        First entry.
    stop : int or None
        The entry after the last; None = to the end.

    Raises
    ------
    ValueError
        If it is no range, or holds no entry.

    Examples
    --------
    >>> from forefold.io.files import window
    >>> window("0:500"), window((500, None)), window(slice(10)), window(None)
    ((0, 500), (500, None), (0, 10), (0, None))
    """
    start, stop = _bounds(entries)
    start = 0 if start is None else start
    if start < 0 or (stop is not None and stop < 0):
        msg = f"entries {entries!r}: bounds must not be negative"
        raise ValueError(msg)
    if stop is not None and start >= stop:
        msg = f"entries {entries!r}: the start must be below the stop"
        raise ValueError(msg)
    return start, stop


def _bounds(entries: Entries) -> tuple[int | None, int | None]:
    msg = (
        f"entries {entries!r}: must be a range of whole numbers such as '0:500', (0, 500) or "
        "slice(0, 500)"
    )
    if entries is None:
        return None, None
    if isinstance(entries, str):
        match = re.fullmatch(r"\s*(\d*)\s*:\s*(\d*)\s*", entries)
        if match is None:
            raise ValueError(msg)
        first, last = match.groups()
        return int(first) if first else None, int(last) if last else None
    if isinstance(entries, slice):
        if entries.step not in (None, 1):
            raise ValueError(msg)
        entries = (entries.start, entries.stop)
    try:
        start, stop = (None if bound is None else int(bound.__index__()) for bound in entries)
    except (TypeError, ValueError, AttributeError):
        raise ValueError(msg) from None
    return start, stop


def beyond(path: str, start: int, events: int) -> ValueError:
    """Make the error for a range that starts after the last event."""
    return ValueError(
        f"{path}: the range of entries starts at {start}, but the file has {events} events"
    )


def no_events(path: str, what: str) -> ValueError:
    """Make the error for a file without events."""
    return ValueError(f"{path}: {what} holds no events")


def is_full(error: BaseException | None) -> bool:
    """Tell whether an error, or one that it came from, means that there is no space."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False
