"""Files out: the table of output formats, and anything else written aside.

Nothing is ever half-written: the bytes go to a temporary file in the same folder, which takes the
place of the output only when all went well.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold._inputs import near_names
from forefold.events.completeness import CUT, missing
from forefold.io import source as remote
from forefold.io.files import from_home, is_full
from forefold.io.native.metadata import CONTENTS, About, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import awkward as ak
    import pyarrow as pa

    from forefold.io.native.metadata import Sink

__all__ = [
    "SUFFIXES",
    "Writer",
    "check_target",
    "encoded",
    "kind_of",
    "open_writer",
    "put_together",
    "replace_aside",
    "replace_together",
    "write_text_aside",
]

_MODULES = {
    ".parquet": "forefold.io.native.parquet",
    ".csv": "forefold.io.native.csv",
    ".csv.gz": "forefold.io.native.csv",
    ".root": "forefold.io.native.root",
    ".h5": "forefold.io.native.hdf5",
    ".hdf5": "forefold.io.native.hdf5",
    ".hepmc3": "forefold.io.native.nuhepmc",
    ".hepmc3.gz": "forefold.io.native.nuhepmc",
}
SUFFIXES = tuple(_MODULES)
"""Endings of the names of files that can be written."""


@contextmanager
def open_writer(
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    provenance: Mapping[str, Any],
    content: str = "smeared",
) -> Iterator[Writer]:
    """Open a file for events, smeared or not.

    The format follows the ending of the name: ``.parquet``, ``.root``, ``.h5`` (``.hdf5``) and
    ``.hepmc3`` (``.hepmc3.gz``) have one row an event, ``.csv`` (``.csv.gz``) one row a particle and,
    beside it, a file of the same name and ``.json`` with the provenance. The same events give the
    same bytes, but for ROOT, whose files carry the time at which they were made.

    Parameters
    ----------
    path : str or path
        File to make.
    overwrite : bool
        Replace the file if there is one.
    provenance : mapping
        Where the events come from, as JSON would hold it.
    content : {"smeared", "events"}
        What is written: the result of `forefold.smear`, or event records.

    Yields
    ------
    Writer
        Its ``write`` appends a piece. NuHepMC holds true momenta, so it takes smeared events
        together with the event records that they come from: ``write(smeared, events)``.

    Raises
    ------
    ValueError
        If the ending is of no known format, or no events were written.
    ModuleNotFoundError
        If the format needs a package that is not installed; the message says how to install it.
    FileNotFoundError
        If the folder is missing.
    FileExistsError
        If there is such a file and `overwrite` is False.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> from forefold.io.write import open_writer
    >>> with open_writer("smeared.xlsx", provenance={}):
    ...     pass
    Traceback (most recent call last):
    ...
    ValueError: smeared.xlsx: unknown output format '.xlsx'; known are .parquet, .csv, ...
    """
    kind = kind_of(path)
    name = from_home(path)
    if content not in CONTENTS:
        msg = f"content = {content!r}: must be one of {', '.join(CONTENTS)}"
        raise ValueError(msg)
    make: Callable[[Path, About], Sink] = import_module(_MODULES[kind]).sink
    names = [name, f"{name}.json"] if kind.startswith(".csv") else [name]
    with replace_together(names, overwrite) as (aside, *beside):
        about = About(name, kind, content, dict(provenance))
        sink = make(aside, about)
        try:
            yield _Noted(sink, about) if content == "smeared" else sink
            if not sink.started:
                msg = f"{name}: no events were written"
                raise ValueError(msg)
        except BaseException:
            # What went wrong is said; that the unfinished file cannot be closed is no news.
            with suppress(Exception):
                sink.abandon()
            raise
        sink.finish()
        for note in beside:
            note.write_text(sink.note(), encoding="utf-8", newline="")


class _Noted:
    """A writer of smeared events that notes in their provenance how many of what was smeared are left out."""

    def __init__(self, sink: Sink, about: About) -> None:
        self._sink, self._about = sink, about
        self.append = sink.append

    def write(self, piece: ak.Array, events: ak.Array | None = None) -> None:
        """Append events."""
        lost = missing(piece)
        if lost:
            self._about.provenance[CUT] = lost + self._about.provenance.get(CUT, 0)
        self._sink.write(piece, events)


def encoded(
    path: str | os.PathLike[str],
    piece: ak.Array,
    events: ak.Array | None = None,
    *,
    content: str = "smeared",
) -> Iterator[pa.Table]:
    """Do the part of the writing that needs no file: another process may do it.

    Parameters
    ----------
    path : str or path
        File that is to be made; its ending says the format.
    piece, events : ak.Array
        What `Writer.write` takes.
    content : {"smeared", "events"}
        See `open_writer`.

    Yields
    ------
    pyarrow.Table
        For `Writer.append`, in order: the file gets the bytes that ``write(piece, events)`` gives.

    Raises
    ------
    ValueError
        See `open_writer`.

    Examples
    --------
    >>> import forefold
    >>> from forefold.io.write import encoded
    >>> events = forefold.read("events.gst.root", entries="0:2")
    >>> smeared = forefold.smear(events, "nusmear-default", rng=1)
    >>> [len(table) for table in encoded("o.parquet", smeared)]
    [2]
    """
    kind = kind_of(path)
    make = import_module(_MODULES[kind]).encode
    tables: Iterator[pa.Table] = make(About(os.fspath(path), kind, content, {}), piece, events)
    return tables


@contextmanager
def replace_aside(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary file that takes the place of `path` when all goes well.

    Parameters
    ----------
    path : str or path
        File to make.
    overwrite : bool
        Replace the file if there is one.

    Yields
    ------
    Path
        Empty temporary file in the same folder. After an exception it is removed and `path` stays
        as it was.

    Raises
    ------
    FileNotFoundError
        If the folder is missing.
    FileExistsError
        If there is such a file and `overwrite` is False.
    IsADirectoryError
        If `path` is a directory.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from forefold.io.write import replace_aside
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replace_aside(Path(folder, "table.txt")) as aside:
    ...         _ = aside.write_text("1 2 3")
    ...     Path(folder, "table.txt").read_text()
    '1 2 3'
    """
    with replace_together([path], overwrite) as (aside,):
        yield aside


@contextmanager
def replace_together(
    paths: Sequence[str | os.PathLike[str]], overwrite: bool = False
) -> Iterator[tuple[Path, ...]]:
    """Give temporary files that take the places of `paths` when all goes well: all of them, or none.

    Parameters
    ----------
    paths : sequence of str or path
        Files to make, which belong together.
    overwrite : bool
        Replace files that are there.

    Yields
    ------
    tuple of Path
        Empty temporary files in the same folders. After an exception they are removed and `paths` stay as they were, also
        where the last of them cannot be put in its place. Only a kill between two renames leaves new files beside old ones.

    Raises
    ------
    OSError
        As `replace_aside`.
    """
    names = [from_home(path) for path in paths]
    for name in names:
        check_target(name, overwrite)
    # A link stays a link: what it points to is replaced.
    targets = [Path(os.path.realpath(name)) for name in names]
    asides = tuple(target.with_name(f".{target.name}.{os.getpid()}.part") for target in targets)
    try:
        for name, aside in zip(names, asides, strict=True):
            try:
                aside.unlink(missing_ok=True)
                aside.open("xb").close()
            except OSError as error:
                raise _plain(error, name, aside.parent) from error
        yield asides
        for name, aside in zip(names, asides, strict=True):
            check_target(name, overwrite)
            with aside.open("rb+") as file:
                os.fsync(file.fileno())
        put_together(list(zip(asides, targets, strict=True)))
    except OSError as error:
        mine = [i for i, aside in enumerate(asides) if error.filename == str(aside)]
        if mine:
            raise _plain(error, names[mine[0]], targets[mine[0]].parent) from error
        if is_full(error) and names:
            raise _plain(error, " and ".join(names), targets[0].parent) from error
        raise
    finally:
        for aside in asides:
            aside.unlink(missing_ok=True)


def put_together(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Rename files to where they belong; if one cannot be, those before it are taken back.

    Parameters
    ----------
    pairs : sequence of (Path, Path)
        Files, and the places that they take; what is there is replaced.

    Raises
    ------
    OSError
        If one cannot be renamed; all places are then as they were.
    """
    if not pairs:
        return
    (aside, target), *rest = pairs
    if not rest:
        aside.replace(target)
        return
    kept = target.with_name(f".{target.name}.{os.getpid()}.old")
    kept.unlink(missing_ok=True)
    there = target.exists()
    if there:
        try:
            kept.hardlink_to(target)
        except OSError:  # a file system without such links
            shutil.copy2(target, kept)
    try:
        aside.replace(target)
        try:
            put_together(rest)
        except BaseException:
            if there:
                kept.replace(target)
            else:
                target.unlink(missing_ok=True)
            raise
    finally:
        kept.unlink(missing_ok=True)


def write_text_aside(path: str | os.PathLike[str], text: str, overwrite: bool = False) -> None:
    """Write a text file, whole or not at all.

    Parameters
    ----------
    path : str or path
        File to make.
    text : str
        Its content, written as UTF-8.
    overwrite : bool
        Replace the file if there is one.

    Raises
    ------
    OSError
        As `replace_aside`.
    """
    with replace_aside(path, overwrite=overwrite) as aside:
        aside.write_text(text, encoding="utf-8", newline="")


def kind_of(path: str | os.PathLike[str]) -> str:
    """Find the ending of the name, which says the output format."""
    name = Path(path).name
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return suffix
    ending = Path(path).suffix
    allowed = f"known are {', '.join(SUFFIXES)}"
    if not ending:
        msg = f"{os.fspath(path)}: the name must end in the output format; {allowed}"
        raise ValueError(msg)
    near = near_names(ending, SUFFIXES, most=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    msg = f"{os.fspath(path)}: unknown output format '{ending}'{hint}; {allowed}"
    raise ValueError(msg)


def check_target(name: str, overwrite: bool) -> None:
    """Refuse an output that cannot or must not be made.

    Parameters
    ----------
    name : str
        Output.
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    ValueError, OSError
        See `replace_aside`.
    """
    if remote.is_remote(name):
        msg = f"{name}: outputs are local files; copy the output there when it is made"
        raise ValueError(msg)
    path = Path(name)
    try:
        if path.is_dir():
            msg = f"{name}: is a directory; give the name of a file"
            raise IsADirectoryError(msg)
        if path.exists():
            if not path.is_file():
                msg = f"{name}: is not a regular file"
                raise OSError(msg)
            if not overwrite:
                msg = f"{name}: exists already; --overwrite (overwrite=True) replaces it"
                raise FileExistsError(msg)
        parent = Path(os.path.realpath(name)).parent
        if not parent.is_dir():
            what = "is not a folder" if parent.exists() else "does not exist"
            msg = f"{name}: the output folder {path.parent} {what}; make it first"
            raise FileNotFoundError(msg)
    except OSError as error:
        if error.errno is None:
            raise
        raise _plain(error, name, path.parent) from error


def _plain(error: OSError, name: str, folder: Path) -> OSError:
    """Say in one line why a file cannot be written."""
    if is_full(error):
        return OSError(f"{name}: no space left to write it; nothing was written")
    if isinstance(error, PermissionError):
        return PermissionError(f"{name}: permission to write in the folder {folder} is denied")
    return type(error)(f"{name}: cannot be written: {error.strerror}")
