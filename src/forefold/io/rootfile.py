"""ROOT files: opening them, finding trees, and saying in one line what is wrong with them."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uproot

from forefold.io import remote

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["complaints", "keys", "opened", "tree"]


def keys(path: str) -> list[str]:
    """Names of what a ROOT file holds, without cycles."""
    with opened(path) as file, complaints(path, "its list of contents"):
        return [str(key) for key in file.keys(recursive=False, cycle=False)]


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """Open a ROOT file; say so if it is cut."""
    size = remote.size(path)
    with complaints(path, "its header"):
        # a Path, because uproot splits strings at colons, but not those of URLs
        file = uproot.open(path if remote.is_remote(path) else Path(path))
    with file:
        if 0 < size < file.file.fEND:
            msg = f"{path}: the ROOT file is cut short: {size} of {file.file.fEND} bytes"
            raise ValueError(msg)
        yield file


@contextmanager
def tree(path: str, name: str) -> Iterator[Any]:
    """Open the tree of this name, of the highest cycle."""
    with opened(path) as file:
        with complaints(path, f"the tree `{name}`"):
            found = file[name]
        if not isinstance(found, uproot.TTree):
            msg = f"{path}: `{name}` is a {_kind(found)}, must be a TTree"
            raise ValueError(msg)
        yield found


@contextmanager
def complaints(path: str, what: str) -> Iterator[None]:
    """Turn what uproot raises on damage, which may be any exception, into one line."""
    try:
        yield
    except (MemoryError, PermissionError):
        raise
    except Exception as error:
        lines = str(error).strip().splitlines()
        why = lines[0].strip(" ,:(") if lines else type(error).__name__
        msg = f"{path}: damaged or cut ROOT file, cannot read {what} ({why[:120]})"
        raise ValueError(msg) from error


def _kind(found: Any) -> str:
    return str(getattr(found, "classname", "folder"))
