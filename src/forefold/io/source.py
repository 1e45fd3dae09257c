"""Where the bytes of an input are: on this machine or behind a URL that fsspec knows; compressed text is opened by what it holds."""

from __future__ import annotations

import gzip
import io
import lzma
import re
import zlib
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

__all__ = [
    "DAMAGE",
    "absolute",
    "block",
    "damaged",
    "decoded",
    "head",
    "is_remote",
    "local",
    "need_parts",
    "opened",
    "parted",
    "printable",
    "size",
    "unpacked",
]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_WEB = re.compile(r"https?://", re.IGNORECASE)
_ABSENT = (404, 410)
_SILENCE = 60  # seconds until a server that says nothing is given up


def is_remote(path: str) -> bool:
    """Tell a URL (``https://``, ``s3://``, ``root://`` ...) from a path.

    Examples
    --------
    >>> is_remote("root://eospublic.cern.ch//eos/run.root"), is_remote("C:/run.root")
    (True, False)
    """
    return _URL.match(path) is not None


def parted(path: str) -> tuple[str, str]:
    """Part what names a place within a file, ``FILE:PATH``, from the file.

    Parameters
    ----------
    path : str
        A file of this whole name counts first; ``FILE`` ends in ``.root``, or is there.

    Returns
    -------
    file, inside : str
        `inside` is empty where the whole name is that of a file.

    Examples
    --------
    >>> parted("run.root:DetSimPassThru/gRooTracker"), parted("root://host//run.root")
    (('run.root', 'DetSimPassThru/gRooTracker'), ('root://host//run.root', ''))
    """
    front, _, inside = path.rpartition(":")
    if not front or not inside.strip("/") or inside.startswith("//"):
        return path, ""
    if not is_remote(path):
        if Path(path).exists():
            return path, ""
        if Path(front).is_file():
            return front, inside.strip("/")
    return (front, inside.strip("/")) if front.lower().endswith(".root") else (path, "")


def printable(text: str) -> str:
    """Give a text in one line: names of a damaged file may hold anything."""
    return "".join(character if character.isprintable() else "?" for character in text)


def local(path: str) -> Path:
    """Give the file on this machine that holds what a name means."""
    return Path(parted(path)[0])


def absolute(path: str) -> str:
    """Give a name that means the same wherever it is read."""
    if is_remote(path):
        return path
    file, inside = parted(path)
    return ":".join([str(Path(file).resolve()), *([inside] if inside else [])])


def opened(path: str, block: int | None = None) -> io.BufferedReader:
    """Open a file or a URL for reading.

    Parameters
    ----------
    path : str
        File or URL.
    block : int, optional
        Bytes to ask a server for at once; by default what the protocol finds good for whole files, some MB.

    Raises
    ------
    OSError
        It cannot be read; this also comes later, where the server gives up half way.
    ValueError
        The kind of URL is not known, or what reads it is not installed; the message says what is missing.
    """
    if not is_remote(path):
        return local(path).open("rb")
    return io.BufferedReader(_Remote(parted(path)[0], block))


def size(path: str) -> int:
    """Size in bytes; 0 where a server does not say."""
    if not is_remote(path):
        return local(path).stat().st_size
    path, _ = parted(path)
    system, inside = _place(path)
    with _complaints(path):
        return int(system.size(inside) or 0)


def need_parts(path: str) -> None:
    """Refuse a server that gives files only as a whole, for formats that are read in parts.

    Raises
    ------
    OSError
        It does so, or cannot be reached.
    """
    path, _ = parted(path)
    if _WEB.match(path) and not _gives_parts(path):
        message = (
            f"{path}: this server gives files only as a whole (no range requests), but the format "
            "is read in parts: download the file first"
        )
        raise OSError(message)


@lru_cache(maxsize=256)
def _gives_parts(path: str) -> bool:
    """Ask for the second byte."""
    system, inside = _place(path)
    with _complaints(path), system.open(inside, "rb", block_size=1, cache_type="none") as file:
        try:
            file.seek(1)
            file.read(1)
        except ValueError:  # fsspec's word for an answer that is not the part
            return False
    return True


class _Remote(io.RawIOBase):
    """A file behind a URL, whose errors name it.

    Servers that give a file only as a whole are read from front to end.
    """

    def __init__(self, path: str, block: int | None) -> None:
        super().__init__()
        self._path, self._at = path, 0
        self._system, self._inside = _place(path)
        with _complaints(path):
            self._file = self._system.open(self._inside, "rb", block_size=block)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that places can be asked for; a stream refuses those that it cannot reach."""
        return True

    def tell(self) -> int:
        """Tell the place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        with _complaints(self._path):
            self._at = int(self._file.seek(offset, whence) or 0)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as one request goes."""
        with _complaints(self._path):
            try:
                data = self._file.read(len(buffer))
            except ValueError:
                if not _WEB.match(self._path) or not self._at:
                    raise
                self._stream()
                data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _stream(self) -> None:
        """Open it anew as one answer, and go to where reading was."""
        self._file.close()
        self._file = self._system.open(self._inside, "rb", block_size=0)
        left = self._at
        while left:
            left -= len(self._file.read(min(left, 1 << 20))) or left

    def close(self) -> None:
        """Close it."""
        if not self.closed and hasattr(self, "_file"):
            self._file.close()
        super().close()


def _place(path: str) -> tuple[Any, str]:
    """File system of a URL, and the path in it."""
    import fsspec

    try:
        system, inside = fsspec.core.url_to_fs(path, **_options(path))
    except ImportError as error:
        message = f"{path}: what reads such URLs is not installed: {_reason(error)}"
        raise ValueError(message) from None
    except ValueError as error:
        message = f"{path}: {_reason(error)}"
        raise ValueError(message) from None
    except Exception as error:  # some protocols connect at once, each has exceptions of its own
        raise _unread(path, error) from error
    return system, str(inside)


def _options(path: str) -> dict[str, Any]:
    """Limit silence, not the whole transfer: a long file takes long."""
    if not _WEB.match(path):
        return {}
    try:
        from aiohttp import ClientTimeout
    except ImportError:  # fsspec says what is missing
        return {}
    limit = ClientTimeout(total=None, sock_connect=_SILENCE, sock_read=_SILENCE)
    return {"client_kwargs": {"timeout": limit}}


@contextmanager
def _complaints(path: str) -> Iterator[None]:
    """Turn what a protocol raises, which may be any exception, into one line that names the file."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and str(error).startswith(f"{path}: "):
            raise
        raise _unread(path, error) from error


def _unread(path: str, error: Exception) -> OSError:
    """Make the error for what cannot be read: fsspec says `FileNotFoundError` of any refusal."""
    cause = error.__cause__ if isinstance(error, FileNotFoundError) else error
    status = getattr(cause, "status", None)
    if isinstance(error, FileNotFoundError) and (cause is None or status in _ABSENT):
        return FileNotFoundError(f"{path}: no such file")
    kind = PermissionError if isinstance(error, PermissionError) else OSError
    if type(cause).__name__ == "TooManyRedirects":
        return kind(f"{path}: cannot be read: the server redirects without end")
    if isinstance(status, int):
        word = _first(str(getattr(cause, "message", "")))
        return kind(f"{path}: cannot be read: the server answers {status} {word}".rstrip())
    return kind(f"{path}: cannot be read: {_reason(cause or error)}")


def _reason(error: BaseException) -> str:
    text = str(error.strerror) if isinstance(error, OSError) and error.strerror else str(error)
    return _first(text) or type(error).__name__


def _first(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0] if lines else ""


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
        data = self.content.read1(min(len(buffer), _RAW_BYTES))
        buffer[: len(data)] = data
        return len(data)


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
                decompressed = self.unpacker.decompress(data, len(buffer))
            except self.errors as error:
                raise _DamagedStreamError from error
            if decompressed:
                buffer[: len(decompressed)] = decompressed
                return len(decompressed)


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
    with opened(path, block) as raw:
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
