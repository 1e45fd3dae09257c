"""Event records from the ROOT and HDF5 files that `forefold convert` writes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from forefold.io import files
from forefold.io.native.smeared import own_format
from forefold.io.readers.table import as_record, own_header, refuse_smeared, without_bad

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import awkward as ak

    from forefold.io.native.metadata import Opened
    from forefold.io.registry import Header, Source

__all__ = ["READER", "OwnReader"]

_NAMES = {"root": "ROOT tree `forefold`", "hdf5": "HDF5 of forefold"}


class OwnReader:
    """Reader of forefold's own ROOT and HDF5 files."""

    name = "forefold"

    def sniff(self, path: str) -> bool:
        """Tell whether the file is HDF5, or ROOT with the tree `forefold`."""
        return own_format(path) in _NAMES

    def describe(self, path: str) -> Header:
        """Say what made it."""
        with _opened(path) as file:
            return own_header(_NAMES[str(own_format(path))], file.provenance, **file.details)

    def iterate(self, source: Source) -> Iterator[tuple[ak.Array, float]]:
        """Read the columns in pieces."""
        entry = source.start
        with _opened(source.path) as file:
            refuse_smeared(source.path, file.content)
            if source.start >= file.events:
                raise files.beyond(source.path, source.start, file.events)
            stop = file.events if source.stop is None else min(source.stop, file.events)
            try:
                for piece, done in file.pieces(source.start, stop, source.chunk):
                    record = as_record(piece, source, entry)
                    yield without_bad(record, source), done
                    entry += len(record)
            except ValueError as error:
                source.lose(stop - entry, str(error))


def _opened(path: str) -> AbstractContextManager[Opened]:
    module = import_module(f"forefold.io.native.{own_format(path)}")
    file: AbstractContextManager[Opened] = module.opened(path)
    return file


READER = OwnReader()
