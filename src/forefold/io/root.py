"""ROOT files: opening them, finding trees, and saying in one line what is wrong with them."""

from __future__ import annotations

import gc
import struct
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import uproot

from forefold.io import source as remote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["check_baskets", "complaints", "contents", "holds", "keys", "opened", "place_of", "tree"]

_KEY = struct.Struct(">iHIIH")  # fNbytes, fVersion, fObjlen, fDatime, fKeylen
_BASKET = struct.Struct(">HIIII")  # fVersion, fBufferSize, fNevBufSize, fNevBuf, fLast
_FLAG = 1  # and a byte after them
_MOST_BYTES = 256 << 20
_MAPPED_BYTES = 256 << 20


def keys(path: str) -> list[str]:
    """Names of what a ROOT file holds outside of folders, without cycles."""
    with opened(path) as file, complaints(path, "its list of contents"):
        return [str(key) for key in file.keys(recursive=False, cycle=False)]


def contents(path: str) -> list[str]:
    """Names of what a ROOT file holds outside of folders, and of trees in folders, without cycles."""
    with opened(path) as file, complaints(path, "its list of contents"):
        names = file.keys(recursive=False, cycle=False)
        names += file.keys(filter_classname="TTree", cycle=False)
    return list(dict.fromkeys(remote.printable(str(name)) for name in names))


def holds(path: str, name: str) -> bool:
    """Tell whether a ROOT file has a tree of this name, in a folder or outside; with ``FILE:PATH`` there alone."""
    with opened(path) as file:
        return bool(_places(path, file, name))


def place_of(path: str, file: Any, name: str) -> str:
    """Give where in an open file the tree of this name is.

    Raises
    ------
    ValueError
        If it is in several folders, and in none of those that are named.
    """
    places = _places(path, file, name)
    if len(places) > 1:
        front = remote.parted(path)[0]
        listed = ", ".join(places[:5]) + (", ..." if len(places) > 5 else "")
        msg = (
            f"{path}: {len(places)} trees `{name}`: {listed}; say which, as in {front}:{places[0]}"
        )
        raise ValueError(msg)
    return places[0] if places else name


def _places(path: str, file: Any, name: str) -> list[str]:
    """List the trees of this name: that outside of folders alone, if there is one, or those at the place that is named."""
    inside = remote.parted(path)[1]
    with complaints(path, "its list of contents"):
        if not inside and name in file.keys(recursive=False, cycle=False):
            return [name]
        trees = file.keys(filter_classname="TTree", cycle=False)
    at = inside.partition(";")[0]
    places = {
        place
        for place in map(str, trees)
        if place.rpartition("/")[2] == name
        and (not at or place == at or place.startswith(f"{at}/"))
    }
    return [inside] if at in places else sorted(places)


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """Open a ROOT file; say so if it is cut.

    Nothing is kept of the arrays that are read: nothing is read twice, and what uproot keeps lives as long as the file's objects,
    which are in reference cycles.
    """
    size = remote.size(path)
    remote.need_parts(path)
    front = remote.parted(path)[0]
    with complaints(path, "its header"):
        if remote.is_remote(path):
            file = uproot.open({front: None}, array_cache=None)
        elif size > _MAPPED_BYTES:
            # Not mapped, because what is mapped and read counts as memory of the process.
            file = uproot.open(
                Path(front), handler=uproot.source.file.MultithreadedFileSource, array_cache=None
            )
        else:
            # A Path, because uproot splits strings at colons.  Mapped, because then a damaged length
            # cannot ask for more than the file holds; other sources allocate it first.
            file = uproot.open(
                Path(front), handler=uproot.source.file.MemmapSource, array_cache=None
            )
    with file:
        if 0 < size < file.file.fEND:
            msg = f"{path}: the ROOT file is cut short: {size} of {file.file.fEND} bytes"
            raise ValueError(msg)
        yield file


@contextmanager
def tree(path: str, name: str) -> Iterator[Any]:
    """Open the tree of this name, of the highest cycle, in a folder or outside."""
    with opened(path) as file:
        place = place_of(path, file, name)
        with complaints(path, f"the tree `{place}`"):
            item = file[place]
        if not isinstance(item, uproot.TTree):
            msg = f"{path}: `{name}` is a {_kind(item)}, must be a TTree"
            raise ValueError(msg)
        yield item


@contextmanager
def cycles() -> Iterator[None]:
    """Let go of the arrays that uproot leaves in reference cycles.

    They would grow old with the pieces that are read, and Python looks for old ones seldom: a process that reads many files would
    hold gigabytes. What is made here stays young until the end, where only the young are looked through.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
        gc.collect(0)


def check_baskets(path: str, branches: Iterable[Any], first: int, last: int) -> None:
    """Refuse baskets of absurd size before uproot allocates memory for them.

    Parameters
    ----------
    path : str
        File.
    branches : iterable of branches
        What is to be read.
    first, last : int
        Range of entries, `last` excluded.

    Raises
    ------
    ValueError
        If a basket holds another number of entries than its branch says, or more than 256 MiB.
    """
    wanted = []
    with complaints(path, "the places of its baskets"):
        for branch in branches:
            edges, seeks = branch.entry_offsets, branch.member("fBasketSeek")
            wanted += [
                (int(seek), int(end) - int(begin))
                for begin, end, seek in zip(edges, edges[1:], seeks, strict=False)
                if begin < last and first < end and seek > 0
            ]
    if wanted and not remote.is_remote(path):  # there, every look is a request
        with remote.local(path).open("rb") as file:
            end_of_file = remote.size(path)
            for seek, entries in wanted:
                if seek >= end_of_file:
                    msg = f"{path}: damaged ROOT file, a basket at byte {seek} of {end_of_file}"
                    raise ValueError(msg)
                file.seek(seek)
                _check_basket(path, file, entries)


def _check_basket(path: str, file: BinaryIO, entries: int) -> None:
    """Look at what one basket says of itself."""
    where, head = file.tell(), file.read(_KEY.size)
    size, keylen, claimed = 0, 0, -1
    if len(head) == _KEY.size:
        _, _, size, _, keylen = _KEY.unpack(head)
    if keylen > _BASKET.size + _FLAG:
        file.seek(where + keylen - _BASKET.size - _FLAG)
        tail = file.read(_BASKET.size)
        claimed = _BASKET.unpack(tail)[3] if len(tail) == _BASKET.size else -1
    if claimed != entries or size > _MOST_BYTES:
        msg = (
            f"{path}: damaged ROOT file, the basket at byte {where} claims {claimed} entries and "
            f"{size} bytes, must be {entries} entries and at most {_MOST_BYTES} bytes"
        )
        raise ValueError(msg)


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
