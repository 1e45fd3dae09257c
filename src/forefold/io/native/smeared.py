"""Smeared events read back from the files that forefold writes."""

from __future__ import annotations

import os
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from forefold.events.completeness import smeared_here
from forefold.io import files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import awkward as ak

    from forefold.io.native.metadata import Opened
    from forefold.io.registry import Entries, Progress

__all__ = ["is_smeared", "iterate_smeared", "own_format", "read_smeared", "smeared_provenance"]

_CHUNK = 50_000
_HEAD = 1 << 16


def own_format(path: str) -> str | None:
    """Tell from the content which of the formats that forefold writes a file has, if any.

    Parameters
    ----------
    path : str
        File.

    Returns
    -------
    str or None
        ``parquet``, ``csv``, ``root``, ``hdf5`` or ``nuhepmc``. A parquet, HDF5 or csv file need not be one of
        forefold's.
    """
    start = files.head(path, _HEAD)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return "hdf5"
    if start.startswith(b"root"):
        from forefold.io.root import keys

        return "root" if "forefold" in keys(path) else None
    if start.startswith(b"HepMC::"):
        return "nuhepmc" if b"\nA forefold.content smeared" in start else None
    names = start.split(b"\n", 1)[0].rstrip(b"\r").split(b",")
    return "csv" if {b"event", b"pdgid"} <= {name.strip(b' "') for name in names} else None


@contextmanager
def _opened(path: str) -> Iterator[Opened]:
    """Open a file of smeared events."""
    kind = own_format(path)
    if kind is None:
        msg = f"{path}: not a file of smeared events; forefold.read reads the files of generators"
        raise ValueError(msg)
    with import_module(f"forefold.io.native.{kind}").opened(path) as file:
        if file.content != "smeared":
            msg = f"{path}: holds events that are not smeared; forefold.read reads them"
            raise ValueError(msg)
        yield file


def is_smeared(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file holds smeared events.

    Parameters
    ----------
    path : str or path
        File.

    Returns
    -------
    bool
        False also for what is no file of forefold's.
    """
    name = files.from_home(path)
    if own_format(name) is None:
        return False
    try:
        with _opened(name):
            return True
    except (ValueError, ModuleNotFoundError):
        return False


def smeared_provenance(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read how the events of a file were smeared.

    Parameters
    ----------
    path : str or path
        File of smeared events.

    Returns
    -------
    dict
        What `read_smeared` puts into ``attrs["forefold"]``.

    Raises
    ------
    OSError, ValueError
        See `read_smeared`.
    """
    with _opened(files.from_home(path)) as file:
        return _copy(file.provenance)


def read_smeared(path: str | Path, *, entries: Entries = None) -> ak.Array:
    """Read smeared events that forefold wrote, into the array that `forefold.smear` gave.

    Parameters
    ----------
    path : str or path
        File: parquet, ROOT, HDF5, NuHepMC, or csv.
    entries : (start, stop), slice or "start:stop", optional
        Range of positions in the file.

    Returns
    -------
    ak.Array
        What `forefold.smear` gave, bit for bit. From csv: the columns that csv has, the number of the event
        and the counts; events without particles are not there. The provenance is in ``attrs["forefold"]``: what
        `forefold.smear` says, and the inputs.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If the file is damaged, or does not hold smeared events.

    Examples
    --------
    >>> import forefold
    >>> from forefold.workflows.stream import smear_files
    >>> tally = smear_files("events.gst.root", "nusmear-default", "smeared.parquet", rng=1)
    >>> back = forefold.read_smeared("smeared.parquet")
    >>> len(back), back.attrs["forefold"]["card"]
    (300, 'nusmear-default')
    """
    import awkward as ak

    pieces = list(iterate_smeared(path, entries=entries))
    array = pieces[0] if len(pieces) == 1 else ak.concatenate(pieces)
    array.attrs["forefold"] = pieces[0].attrs["forefold"]
    return array


def iterate_smeared(
    path: str | Path,
    *,
    chunk: int = _CHUNK,
    entries: Entries = None,
    progress: Progress | None = None,
) -> Iterator[ak.Array]:
    """Read smeared events in pieces.

    Parameters
    ----------
    path : str or path
        File, see `read_smeared`.
    chunk : int
        Most events in a piece.
    entries : (start, stop), slice or "start:stop", optional
        Range of positions in the file.
    progress : callable, optional
        Called after each piece with the fraction done and the number of events.

    Yields
    ------
    ak.Array
        Pieces of the array of `read_smeared`.

    Raises
    ------
    OSError, ValueError
        See `read_smeared`.
    """
    if chunk < 1:
        msg = f"chunk = {chunk}: must be at least one event"
        raise ValueError(msg)
    start, stop = files.window(entries)
    (name,) = files.expand(os.fspath(path))
    count = 0
    with _opened(name) as file:
        if file.events == 0:
            raise files.no_events(name, "the file")
        if 0 <= file.events <= start:
            raise files.beyond(name, start, file.events)
        for piece, done in file.pieces(start, stop, chunk):
            about = piece.attrs.get("forefold")
            about = _copy(file.provenance) if about is None else about
            piece.attrs = {"forefold": about, **smeared_here(piece)}
            count += len(piece)
            if progress is not None:
                progress(done, count)
            yield piece
    if not count:
        raise files.no_events(name, "the file")


def _copy(provenance: dict[str, Any]) -> dict[str, Any]:
    return dict(provenance)
