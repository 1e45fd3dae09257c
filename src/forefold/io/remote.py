"""Where the bytes of an input are: on this machine, or behind a URL that fsspec knows."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from typing import Any

__all__ = ["is_remote", "opened", "size"]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def is_remote(path: str) -> bool:
    """Tell a URL (``https://``, ``s3://``, ``root://`` ...) from a path.

    Examples
    --------
    >>> is_remote("root://eospublic.cern.ch//eos/run.root"), is_remote("C:/run.root")
    (True, False)
    """
    return _URL.match(path) is not None


def opened(path: str) -> io.BufferedReader:
    """Open a file or a URL for reading.

    Raises
    ------
    OSError
        It cannot be read.
    ValueError
        The kind of URL is not known, or what reads it is not installed; the message says what is missing.
    """
    if not is_remote(path):
        return Path(path).open("rb")
    system, inside = _place(path)
    try:
        file = system.open(inside, "rb")
        return cast(
            "io.BufferedReader", file if hasattr(file, "read1") else io.BufferedReader(file)
        )
    except FileNotFoundError:
        message = f"{path}: no such file"
        raise FileNotFoundError(message) from None
    except OSError:
        raise
    except Exception as error:  # each protocol has exceptions of its own
        message = f"{path}: cannot be read: {_reason(error)}"
        raise OSError(message) from error


def size(path: str) -> int:
    """Size in bytes; 0 where a server does not say."""
    if not is_remote(path):
        return Path(path).stat().st_size
    system, inside = _place(path)
    try:
        return int(system.size(inside) or 0)
    except FileNotFoundError:
        message = f"{path}: no such file"
        raise FileNotFoundError(message) from None
    except OSError:
        raise
    except Exception as error:  # each protocol has exceptions of its own
        message = f"{path}: cannot be read: {_reason(error)}"
        raise OSError(message) from error


def _place(path: str) -> tuple[Any, str]:
    """File system of a URL, and the path in it."""
    import fsspec

    try:
        system, inside = fsspec.core.url_to_fs(path)
    except ImportError as error:
        message = f"{path}: what reads such URLs is not installed: {_reason(error)}"
        raise ValueError(message) from None
    except ValueError as error:
        message = f"{path}: {_reason(error)}"
        raise ValueError(message) from None
    return system, str(inside)


def _reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
