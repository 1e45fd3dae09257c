"""Compressed text: opened by what it holds, read as far as it goes."""

from __future__ import annotations

import gzip
import io
import lzma
import zlib
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO

from forefold.io import source as remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["DAMAGE", "block", "damaged", "decoded", "head", "unpacked"]

GZIP_MAGIC = b"\x1f\x8b"
XZ_MAGIC = b"\xfd7zXZ\x00"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_XZ_BYTES = 256 << 20  # memory that a file may ask of the decompressor
_RAW_BYTES = 1 << 16
_MOST_BYTES = 1 << 31  # of a file that is read as a whole


class _DamagedStreamError(Exception):
    """Damage in a compressed stream, whatever the library calls it."""


DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, _DamagedStreamError)
"""What a compressed file raises when it is cut or damaged."""


class _Stepwise(io.RawIOBase):
    """A gzip file read step by step: its own way would lose what comes before damage."""

    def __init__(self, content: gzip.GzipFile) -> None:
        self.content = content

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as one step goes."""
        found = self.content.read1(min(len(buffer), _RAW_BYTES))
        buffer[: len(found)] = found
        return len(found)


class _Unpacked(io.RawIOBase):
    """A stream of one or more compressed frames, decompressed."""

    def __init__(self, raw: BinaryIO, fresh: Callable[[], Any], errors: type[Exception]) -> None:
        self.raw, self.fresh, self.errors = raw, fresh, errors
        self.unpacker = fresh()

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as one step goes."""
        while True:
            data = b""
            if self.unpacker.eof:
                data = self.unpacker.unused_data.lstrip(b"\x00")  # padding is allowed
                while not data:
                    more = self.raw.read(_RAW_BYTES)
                    if not more:
                        return 0
                    data = more.lstrip(b"\x00")
                self.unpacker = self.fresh()
            elif self.unpacker.needs_input:
                data = self.raw.read(_RAW_BYTES)
                if not data:
                    raise EOFError
            try:
                found = self.unpacker.decompress(data, len(buffer))
            except self.errors as error:
                raise _DamagedStreamError from error
            if found:
                buffer[: len(found)] = found
                return len(found)


def _zstd(path: str) -> tuple[Callable[[], Any], type[Exception]]:
    """Find a library for zstd: Python has one from 3.14 on."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            module: Any = import_module(name)
        except ImportError:
            continue
        return module.ZstdDecompressor, module.ZstdError
    msg = f"{path}: compressed with zstd; to read it, pip install 'forefold[zstd]', or unpack it"
    raise ValueError(msg)


def _xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_BYTES)


@contextmanager
def decoded(
    path: str, block: int | None = None
) -> Iterator[tuple[io.BufferedReader, io.BufferedReader]]:
    """Open a file for reading, decompressed if its content (not its name) is gzip, xz or zstd.

    Parameters
    ----------
    path : str
        File.
    block : int, optional
        Bytes to ask a server for at once.

    Yields
    ------
    content, raw : binary files
        The decompressed content, and the file itself (whose position tells the progress).

    Raises
    ------
    ValueError
        If the file is zstd and no library for it is installed.
    """
    with remote.opened(path, block) as raw:
        start = raw.read(6)
        raw.seek(0)
        if start.startswith(GZIP_MAGIC):
            with gzip.GzipFile(fileobj=raw) as content:
                yield io.BufferedReader(_Stepwise(content)), raw
        elif start == XZ_MAGIC:
            yield io.BufferedReader(_Unpacked(raw, _xz, lzma.LZMAError)), raw
        elif start.startswith(ZSTD_MAGIC):
            yield io.BufferedReader(_Unpacked(raw, *_zstd(path))), raw
        else:
            yield raw, raw


def damaged(path: str, error: Exception) -> ValueError:
    """Make the error for a compressed file that is cut or damaged."""
    kind = "cut short" if isinstance(error, EOFError) else "damaged"
    return ValueError(f"{path}: the compressed file is {kind}")


def block(content: io.BufferedReader, size: int) -> tuple[bytes, str | None]:
    """Read a block, up to the first damage.

    Parameters
    ----------
    content : binary file
        Decompressed content.
    size : int
        Most bytes to read.

    Returns
    -------
    bytes, str or None
        What there is, shorter than `size` only at the end; and what is wrong with what follows.
    """
    parts: list[bytes] = []
    left = size
    while left:
        try:
            part = content.read1(left)
        except DAMAGE as error:
            return b"".join(parts), str(damaged("", error))[2:]
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts), None


def head(path: str, size: int = 512) -> bytes:
    """Read the first bytes of a file's content, decompressed."""
    with decoded(path, _RAW_BYTES) as (content, _):
        start, fault = block(content, size)
    if fault is not None and not start:
        msg = f"{path}: {fault}"
        raise ValueError(msg)
    return start


def unpacked(path: str) -> bytes:
    """Read the whole content of a file, decompressed if it is gzip, xz or zstd.

    Raises
    ------
    ValueError
        If a compressed file is cut or damaged, or holds more than 2 GiB.
    """
    parts: list[bytes] = []
    size = 0
    with decoded(path) as (content, _):
        while size < _MOST_BYTES:
            part, fault = block(content, 1 << 20)
            if fault is not None:
                raise ValueError(fault)
            if not part:
                return b"".join(parts)
            parts.append(part)
            size += len(part)
    msg = f"more than {_MOST_BYTES >> 30} GiB; such a file is not read as a whole"
    raise ValueError(msg)
