"""Files out: smeared events as parquet or csv, and anything else written aside.

Nothing is ever half-written: the bytes go to a temporary file in the same folder, which takes the
place of the output only when all went well.
"""

from __future__ import annotations

import difflib
import gzip
import io
import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

from forefold.io.files import is_full

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import awkward as ak
    import pyarrow as pa

__all__ = ["CSV_COLUMNS", "SUFFIXES", "Writer", "open_writer", "replace_aside", "write_text_aside"]

SUFFIXES = (".parquet", ".csv", ".csv.gz")
"""Endings of the names of files that can be written."""

CSV_COLUMNS = (
    "event", "pdgid", "energy_true", "theta_true", "detected", "energy_reco", "theta_reco",
    "phi_reco", "px_reco", "py_reco", "pz_reco", "fate",
)  # fmt: skip
"""Columns of a csv file, in order."""


class Writer(Protocol):
    """What `open_writer` gives."""

    def write(self, smeared: ak.Array) -> None:
        """Append smeared events."""
        ...


@contextmanager
def open_writer(
    path: str | os.PathLike[str], *, overwrite: bool = False, provenance: Mapping[str, Any]
) -> Iterator[Writer]:
    """Open a file for smeared events.

    The format follows the ending of the name: ``.parquet`` has one row an event, ``.csv`` (or
    ``.csv.gz``) one row a particle. The same events give the same bytes.

    Parameters
    ----------
    path : str or path
        File to make.
    overwrite : bool
        Replace the file if there is one.
    provenance : mapping
        Where the events come from, as JSON would hold it; parquet keeps it under the metadata key
        ``forefold``.

    Yields
    ------
    Writer
        Its ``write`` appends a piece of smeared events.

    Raises
    ------
    ValueError
        If the ending is of no known format, or no events were written.
    FileNotFoundError
        If the folder is missing.
    FileExistsError
        If there is such a file and `overwrite` is False.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> from forefold.io.writers import open_writer
    >>> with open_writer("smeared.hdf5", provenance={}):
    ...     pass
    Traceback (most recent call last):
    ...
    ValueError: smeared.hdf5: unknown output format '.hdf5'; known are .parquet, .csv, .csv.gz
    """
    kind = _kind(path)
    with replace_aside(path, overwrite=overwrite) as aside, aside.open("wb") as file:
        writer: _Parquet | _Csv
        writer = _Parquet(file, provenance) if kind == ".parquet" else _Csv(file, kind == ".csv.gz")
        try:
            yield writer
            if not writer.started:
                msg = f"{os.fspath(path)}: no events were written"
                raise ValueError(msg)
        finally:
            writer.close()


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
    >>> from forefold.io.writers import replace_aside
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replace_aside(Path(folder, "table.txt")) as aside:
    ...         _ = aside.write_text("1 2 3")
    ...     Path(folder, "table.txt").read_text()
    '1 2 3'
    """
    name = os.fspath(path)
    _check_target(name, overwrite)
    # A link stays a link: what it points to is replaced.
    target = Path(os.path.realpath(name))
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        aside.unlink(missing_ok=True)
        aside.open("xb").close()
    except OSError as error:
        raise _plain(error, name, target.parent) from error
    try:
        yield aside
        _check_target(name, overwrite)
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
        aside.replace(target)
    except OSError as error:
        if is_full(error) or error.filename == str(aside):
            raise _plain(error, name, target.parent) from error
        raise
    finally:
        aside.unlink(missing_ok=True)


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


def _kind(path: str | os.PathLike[str]) -> str:
    """Find the ending of the name, which says the format."""
    name = Path(path).name
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return suffix
    ending = Path(path).suffix
    known = f"known are {', '.join(SUFFIXES)}"
    if not ending:
        msg = f"{os.fspath(path)}: the name must end in the output format; {known}"
        raise ValueError(msg)
    near = difflib.get_close_matches(ending.lower(), SUFFIXES, n=1, cutoff=0.5)
    hint = f" (did you mean {near[0]}?)" if near else ""
    msg = f"{os.fspath(path)}: unknown output format '{ending}'{hint}; {known}"
    raise ValueError(msg)


def _check_target(name: str, overwrite: bool) -> None:
    """Refuse an output that cannot or must not be made."""
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


class _Parquet:
    """One row an event, one row group a piece."""

    def __init__(self, file: BinaryIO, provenance: Mapping[str, Any]) -> None:
        self._file = file
        text = json.dumps(dict(provenance), sort_keys=True, ensure_ascii=False)
        self._metadata = {b"forefold": text.encode()}
        self._writer: Any = None

    @property
    def started(self) -> bool:
        """Whether anything was written."""
        return self._writer is not None

    def write(self, smeared: ak.Array) -> None:
        """Append smeared events."""
        import awkward as ak
        import pyarrow.parquet as pq

        table = ak.to_arrow_table(
            smeared, extensionarray=False, list_to32=True, string_to32=True, count_nulls=False
        )
        table = table.replace_schema_metadata(self._metadata)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, table.schema, compression="zstd")
        else:
            table = table.cast(self._writer.schema)
        if len(table):
            self._writer.write_table(table, row_group_size=len(table))

    def close(self) -> None:
        """Write the footer."""
        if self._writer is not None:
            self._writer.close()


class _Csv:
    """One row a particle."""

    def __init__(self, file: BinaryIO, zipped: bool) -> None:
        # No name and no time in the gzip header: the same events give the same bytes.
        self._gzip = (
            gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) if zipped else None
        )
        self._file = file if self._gzip is None else cast("BinaryIO", self._gzip)
        self.started = False

    def write(self, smeared: ak.Array) -> None:
        """Append smeared events."""
        from pyarrow import csv

        if not self.started:
            self._file.write(",".join(CSV_COLUMNS).encode() + b"\n")
            self.started = True
        sink = io.BytesIO()
        options = csv.WriteOptions(include_header=False, quoting_style="none")
        csv.write_csv(_rows(smeared), sink, options)
        self._file.write(sink.getbuffer())

    def close(self) -> None:
        """Finish the compressed stream."""
        if self._gzip is not None:
            self._gzip.close()


def _rows(smeared: ak.Array) -> pa.Table:
    """One row a particle: the columns of a csv file."""
    import awkward as ak
    import numpy as np
    import pyarrow as pa

    particles = smeared.particles
    event, _ = ak.broadcast_arrays(smeared.event, particles.pdgid)
    columns: dict[str, Any] = {}
    for name in CSV_COLUMNS:
        value = ak.flatten(event if name == "event" else particles[name], axis=1)
        if name == "detected":
            value = ak.values_astype(value, np.uint8)
        flat = ak.to_numpy(value)
        mask = np.ma.getmaskarray(flat) if np.ma.isMaskedArray(flat) else None
        columns[name] = pa.array(np.ma.getdata(flat), mask=mask)
    return pa.table(columns)
