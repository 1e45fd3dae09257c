"""Raw bytes of a branch that uproot cannot interpret, entry by entry, many baskets at a time.

uproot finds the branch and its list of baskets; what lies in a basket is read here, because a basket of large objects
holds a handful of entries and the cost of an object for each would outweigh the inflating. Nothing is allocated on the
word of a length alone.
"""

from __future__ import annotations

import lzma
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = ["Batch", "Lost", "batches"]

_PACKED = (
    1 << 20
)  # bytes on disk that a batch takes at most: what is inflated should stay in the cache
_RAW = 48 << 20  # and inflated
_LARGEST = 256 << 20  # of one basket: GENIE's are 32 kB, ROOT's clusters some 10 MB
_SMALL = 1 << 16  # packed; a thousand times this is still harmless
_MANY = 512  # baskets in a batch
_GAP = 1 << 16  # baskets this close are read in one go
_KEY = struct.Struct(">ihiIhh")
_BASKET = struct.Struct(">Hiiii")
_BLOCK = struct.Struct("<2sBBHBH")
_BLOCK_SIZE = 9


@dataclass(frozen=True)
class Batch:
    """Some entries of a branch.

    Attributes
    ----------
    first : int
        Number of the first entry.
    data : ndarray of uint8, shape (n_bytes,)
        The bytes of all, and others between them.
    starts, stops : ndarray of int64, shape (n,)
        Where each entry lies in `data`.
    """

    first: int
    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]


@dataclass(frozen=True)
class Lost:
    """Entries that cannot be read, and why."""

    first: int
    count: int
    why: str


@dataclass(frozen=True)
class _Basket:
    """One basket by the branch's list: its number, first entry and entries, place and bytes in the file."""

    number: int
    first: int
    entries: int
    seek: int
    size: int


def batches(branch: Any, start: int, stop: int) -> Iterator[Batch | Lost]:
    """Read entries of a branch, in order.

    Parameters
    ----------
    branch : uproot.TBranch
        A branch whose entries have offsets.
    start, stop : int
        Range of entries.

    Yields
    ------
    Batch or Lost
        What could be read, cut to the range, and what could not.
    """
    plan = list(_groups(_listed(branch, start, stop)))
    if not plan:
        return
    # The next group is inflated, which needs no interpreter, while the last one is used.
    with ThreadPoolExecutor(max_workers=1) as ahead:
        waiting = ahead.submit(_load, branch, plan[0], start, stop)
        for following in [*plan[1:], None]:
            loaded = waiting.result()
            if following is not None:
                waiting = ahead.submit(_load, branch, following, start, stop)
            yield from loaded


def _listed(branch: Any, start: int, stop: int) -> list[_Basket]:
    """Baskets that hold the entries, by the branch's list."""
    bounds = np.asarray(branch.entry_offsets, dtype=np.int64)
    if bounds[0] != 0 or (np.diff(bounds) < 0).any() or bounds[-1] < stop:
        msg = f"its baskets hold {bounds[-1]} entries in a list that must grow from 0 to {branch.num_entries}"
        raise ValueError(msg)
    places = branch.member("fBasketSeek")
    sizes = branch.member("fBasketBytes")
    normal = min(int(branch.num_baskets), len(places), len(sizes))
    first = int(np.searchsorted(bounds, start, side="right")) - 1
    last = int(np.searchsorted(bounds, stop, side="left"))
    return [
        _Basket(
            number,
            int(bounds[number]),
            int(bounds[number + 1] - bounds[number]),
            int(places[number]) if number < normal else -1,
            int(sizes[number]) if number < normal else 0,
        )
        for number in range(first, last)
        if bounds[number + 1] > bounds[number]
    ]


def _groups(baskets: list[_Basket]) -> Iterator[list[_Basket]]:
    """Baskets that are read together: near in the file and not too much."""
    group: list[_Basket] = []
    for basket in baskets:
        if group:
            end = group[-1].seek + group[-1].size
            apart = not 0 <= basket.seek - end <= _GAP
            large = basket.seek + basket.size - group[0].seek > _PACKED
            if apart or large or len(group) >= _MANY:
                yield group
                group = []
        group.append(basket)
    if group:
        yield group


def _load(branch: Any, group: list[_Basket], start: int, stop: int) -> list[Batch | Lost]:
    """Read and inflate a group of baskets."""
    loaded: list[Batch | Lost] = []
    parts: list[tuple[_Basket, bytes, list[int]]] = []
    size = 0

    def finish() -> None:
        nonlocal size
        if parts:
            loaded.append(_joined(parts, start, stop))
            parts.clear()
            size = 0

    for basket, content in _contents(branch, group):
        try:
            data, offsets = content()
        except (MemoryError, PermissionError):
            raise
        except Exception as error:  # noqa: BLE001 - damage may raise anything in a decompressor
            finish()
            first = max(basket.first, start)
            count = min(basket.first + basket.entries, stop) - first
            loaded.append(Lost(first, count, f"basket {basket.number}: {_first_line(error)}"))
            continue
        if size + len(data) > _RAW:
            finish()
        parts.append((basket, data, offsets))
        size += len(data)
    finish()
    return loaded


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:120] if text else type(error).__name__


_Content = tuple[bytes, list[int]]


def _contents(
    branch: Any, group: list[_Basket]
) -> Iterator[tuple[_Basket, Callable[[], _Content]]]:
    """Give the means to inflate each basket of a group."""
    start, end = group[0].seek, group[-1].seek + group[-1].size
    if start < 0:  # inside the tree's own object, not in a place of its own
        for basket in group:
            yield basket, partial(_embedded, branch, basket)
        return
    try:
        if min(basket.size for basket in group) < _KEY.size or end > branch.file.fEND:
            msg = f"lies outside the file's {branch.file.fEND} bytes"
            raise ValueError(msg)
        chunk = branch.file.source.chunk(start, end)
        raw = bytes(chunk.raw_data)
    except ValueError:
        if len(group) > 1:  # one of them is wrong, not all
            for basket in group:
                yield from _contents(branch, [basket])
            return
        raw = b""
    for basket in group:
        own = raw[basket.seek - start : basket.seek - start + basket.size]
        yield basket, partial(_content, own, basket)


def _embedded(branch: Any, basket: _Basket) -> _Content:
    """Take a basket that lies within the tree's own object."""
    embedded = branch.basket(basket.number)
    offsets = embedded.byte_offsets
    if offsets is None or len(offsets) != basket.entries + 1:
        msg = f"an embedded basket without the offsets of its {basket.entries} entries"
        raise ValueError(msg)
    data = bytes(embedded.data)
    return data, _checked([int(offset) for offset in offsets], len(data))


def _content(raw: bytes, basket: _Basket) -> _Content:
    """Inflate one basket; give its bytes and the offsets of its entries."""
    if len(raw) < _KEY.size or len(raw) != basket.size:
        msg = f"{basket.size} bytes at {basket.seek}, beyond the end of the file"
        raise ValueError(msg)
    size, _, length, _, head, _ = _KEY.unpack_from(raw)
    if size != basket.size or not _KEY.size + _BASKET.size < head <= size:
        msg = f"its key says {size} bytes with a head of {head}, the tree says {basket.size}"
        raise ValueError(msg)
    _, _, _, entries, last = _BASKET.unpack_from(raw, head - _BASKET.size - 1)
    border = last - head
    if entries != basket.entries or not 0 <= border <= length <= _LARGEST:
        msg = (
            f"holds {entries} entries (the tree says {basket.entries}) "
            f"in {border} of {length} bytes (at most {_LARGEST})"
        )
        raise ValueError(msg)
    data = raw[head:] if length == size - head else _inflate(raw, head, length)
    # How many (or one more), and where each begins in a buffer that begins with the key.
    if len(data) - border < 4 * (entries + 1):
        msg = f"must end with the offsets of its {entries} entries"
        raise ValueError(msg)
    many, *starts = struct.unpack_from(f">{entries + 1}i", data, border)
    if many not in (entries, entries + 1):
        msg = f"must end with the offsets of its {entries} entries, found {many}"
        raise ValueError(msg)
    return data, _checked([start - head for start in starts] + [border], border)


def _checked(offsets: list[int], size: int) -> list[int]:
    """Refuse offsets that do not cut the bytes into pieces."""
    ordered = all(low <= high for low, high in pairwise(offsets))
    if offsets[0] != 0 or offsets[-1] > size or not ordered:
        msg = f"the offsets of its entries must grow from 0 to {size}"
        raise ValueError(msg)
    return offsets


def _inflate(raw: bytes, start: int, length: int) -> bytes:
    """Inflate the blocks of a basket, whatever each is packed with."""
    blocks = []
    view = memoryview(raw)
    done = 0
    while start < len(raw):
        if len(raw) - start < _BLOCK_SIZE:
            msg = "a compressed block is cut short"
            raise ValueError(msg)
        kind, _, low, middle_high, low_out, high_out = _BLOCK.unpack_from(raw, start)
        packed, size = low | middle_high << 8, low_out | high_out << 8
        start += _BLOCK_SIZE
        if packed > len(raw) - start or size > length - done:
            msg = f"a compressed block of {packed} bytes for {size} does not fit"
            raise ValueError(msg)
        block = _unpack(kind, view[start : start + packed], size)
        if len(block) != size:
            msg = f"a compressed block gives {len(block)} bytes, must be {size}"
            raise ValueError(msg)
        blocks.append(block)
        start += packed
        done += size
    if done != length:
        msg = f"its compressed blocks give {done} bytes, must be {length}"
        raise ValueError(msg)
    return blocks[0] if len(blocks) == 1 else b"".join(blocks)


def _unpack(kind: bytes, packed: memoryview, size: int) -> bytes:
    """Inflate a block to at most one byte more than it should give."""
    if kind == b"ZL" and len(packed) <= _SMALL:
        return bytes(_inflater().decompress(packed, bufsize=size))
    if kind == b"ZL":
        stream = zlib.decompressobj()
        block = stream.decompress(packed, size + 1)
        if not stream.eof and len(block) == size:
            block += stream.decompress(stream.unconsumed_tail, 1)
        if not stream.eof:
            msg = "a compressed block does not end where it must"
            raise ValueError(msg)
        return block
    if kind == b"XZ":
        return lzma.LZMADecompressor().decompress(packed, size + 1)
    import cramjam  # comes with uproot

    if kind == b"L4" and len(packed) >= 8:  # ROOT puts a checksum first
        return bytes(cramjam.lz4.decompress_block(packed[8:], output_len=size))
    if kind == b"ZS":
        out = bytearray(size)
        n = cramjam.zstd.decompress_into(packed, out)
        return bytes(out[:n])
    msg = f"compressed in a way that forefold does not know ({kind!r})"
    raise ValueError(msg)


@cache
def _inflater() -> Any:
    """Take isal's zlib where it is installed: the same bytes in half the time."""
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib
    return isal_zlib


def _joined(parts: list[tuple[_Basket, bytes, list[int]]], start: int, stop: int) -> Batch:
    """Put baskets together, cut to the range of entries."""
    shift = 0
    starts: list[int] = []
    stops: list[int] = []
    for _, data, offsets in parts:
        starts.extend([offset + shift for offset in offsets[:-1]])
        stops.extend([offset + shift for offset in offsets[1:]])
        shift += len(data)
    first = parts[0][0].first
    chosen = slice(max(0, start - first), stop - first)
    return Batch(
        first=max(first, start),
        data=np.frombuffer(b"".join(data for _, data, _ in parts), dtype=np.uint8),
        starts=np.array(starts[chosen], dtype=np.int64),
        stops=np.array(stops[chosen], dtype=np.int64),
    )
