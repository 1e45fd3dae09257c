"""Where the bytes of an input are: on this machine, or behind a URL that fsspec knows."""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["is_remote", "need_parts", "opened", "size"]

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
        return Path(path).open("rb")
    return io.BufferedReader(_Remote(path, block))


def size(path: str) -> int:
    """Size in bytes; 0 where a server does not say."""
    if not is_remote(path):
        return Path(path).stat().st_size
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
                found = self._file.read(len(buffer))
            except ValueError:
                if not _WEB.match(self._path) or not self._at:
                    raise
                self._stream()
                found = self._file.read(len(buffer))
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

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
