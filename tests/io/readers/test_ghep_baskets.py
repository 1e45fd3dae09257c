"""What lies in the baskets of a GHEP tree: a key, blocks, offsets, raw entries."""

from __future__ import annotations

import lzma
import struct
import zlib
from pathlib import Path
from typing import Any

import cramjam
import numpy as np
import pytest
from ghep_fuzz import raw_entries

from forefold.io.readers import ghep
from forefold.io.readers.ghep import baskets
from forefold.io.registry import Damage, Source

# What lies in a basket: a key, blocks, offsets.

RAW = bytes(range(256)) * 8
HEAD = 80


def block(kind: bytes, packed: bytes, size: int) -> bytes:
    return kind + b"\x08" + len(packed).to_bytes(3, "little") + size.to_bytes(3, "little") + packed


def basket(
    pack: Any = None, entries: int = 2, length: int | None = None, table: Any = None
) -> tuple[bytes, Any]:
    """A basket of two entries, 1000 bytes and the rest, and what the branch says of it."""
    table = (entries + 1, HEAD, HEAD + 1000, 0) if table is None else table
    data = RAW + struct.pack(f">{len(table)}i", *table)
    packed = data if pack is None else pack(data)
    length = len(data) if length is None else length
    size = HEAD + len(packed)
    key = struct.pack(">ihiIhh", size, 4, length, 0, HEAD, 1).ljust(HEAD - 19, b"\0")
    key += struct.pack(">Hiiii", 3, 32000, 1000, entries, HEAD + len(RAW)) + b"\0"
    return key + packed, baskets._Basket(0, 0, 2, 100, size)


def halves(data: bytes) -> bytes:
    parts = data[:900], data[900:]
    return b"".join(block(b"ZL", zlib.compress(part), len(part)) for part in parts)


def lz4(data: bytes) -> bytes:
    packed = bytes(cramjam.lz4.compress_block(data, store_size=False))
    return block(b"L4", bytes(8) + packed, len(data))


@pytest.mark.parametrize(
    "pack",
    [
        None,
        halves,
        lambda data: block(b"ZL", zlib.compress(data), len(data)),
        lambda data: block(b"XZ", lzma.compress(data), len(data)),
        lambda data: block(b"ZS", bytes(cramjam.zstd.compress(data)), len(data)),
        lz4,
    ],
)
def test_compression(pack: Any) -> None:
    data, offsets = baskets._content(*basket(pack))
    assert data[: len(RAW)] == RAW
    assert offsets == [0, 1000, len(RAW)]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"pack": lambda data: block(b"CS", data, len(data))}, "does not know"),
        (
            {"pack": lambda data: block(b"ZL", zlib.compress(bytes(1 << 22)), len(data))},
            "gives",
        ),
        ({"pack": lambda data: block(b"XZ", lzma.compress(bytes(1 << 22)), len(data))}, "gives"),
        ({"pack": lambda data: block(b"ZL", zlib.compress(data[:-1]), len(data))}, "gives"),
        ({"pack": lambda data: block(b"ZL", zlib.compress(data), len(data))[:8]}, "cut short"),
        ({"pack": lambda data: block(b"ZL", zlib.compress(data), len(data))[:-9]}, "does not fit"),
        ({"pack": lambda data: block(b"ZL", zlib.compress(data), 1 << 23)}, "does not fit"),
        (
            {"pack": lambda data: block(b"ZL", zlib.compress(data[9:]), len(data) - 9)},
            "blocks give",
        ),
        ({"length": 1 << 30}, "at most"),
        ({"length": 10}, "of 10 bytes"),
        ({"entries": 3}, "holds 3 entries"),
        ({"table": (3, HEAD, 9, 0)}, "must grow"),
        ({"table": (3, HEAD, 99999, 0)}, "must grow"),
        ({"table": (3,)}, "offsets of its 2 entries"),
        ({"table": (999, 1, 1, 1)}, "offsets of its 2 entries"),
    ],
)
def test_bad_baskets(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        baskets._content(*basket(**changes))


def test_large_blocks_are_inflated_no_further_than_they_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(baskets, "_SMALL", 0)
    assert baskets._content(*basket(halves))[0][: len(RAW)] == RAW
    for bomb in (bytes(1 << 22), RAW + bytes(17)):
        pack = zlib.compress(bomb)
        with pytest.raises(ValueError, match=r"does not end|gives"):
            baskets._content(*basket(lambda data, pack=pack: block(b"ZL", pack, len(data))))
    with pytest.raises(ValueError, match="does not end"):
        baskets._content(*basket(lambda data: block(b"ZL", zlib.compress(data)[:-1], len(data))))


def test_baskets_in_wrong_places(ghep_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    listed = baskets._listed

    def moved(branch: Any, start: int, stop: int) -> list[Any]:
        good = listed(branch, start, stop)
        good[3] = replace(good[3], size=5)
        good[5] = replace(good[5], seek=1 << 40)
        good[7] = replace(good[7], seek=good[8].seek)
        return good

    monkeypatch.setattr(baskets, "_listed", moved)
    monkeypatch.setattr(baskets, "_RAW", 60_000)  # some batches
    damage = Damage()
    found = [r for r, _ in ghep.READER.iterate(Source(str(ghep_file), damage=damage))]
    assert [note.split("basket ")[1].split(":")[0] for note in damage.notes] == ["3", "5", "7"]
    assert sum(len(record) for record in found) + damage.events == 300


def test_no_entries() -> None:
    assert list(baskets.batches(Branch(entry_offsets=(0, 0)), 0, 0)) == []


def test_basket_and_its_place() -> None:
    raw, place = basket()
    with pytest.raises(ValueError, match="beyond the end of the file"):
        baskets._content(raw[:-1], place)
    with pytest.raises(ValueError, match="its key says"):
        baskets._content(b"\0" + raw[1:3] + b"\xff" + raw[4:], place)


class Branch:
    """As much of a branch as its list of baskets needs."""

    entry_offsets = (0, 2, 4)
    num_entries = 4
    num_baskets = 1

    def __init__(self, **changes: Any) -> None:
        self.__dict__.update(changes)

    def member(self, name: str) -> Any:
        return {"fBasketSeek": [100], "fBasketBytes": [50]}[name]

    def basket(self, number: int) -> Any:
        raise NotImplementedError


def test_embedded_baskets() -> None:
    class Found:
        data = np.arange(8, dtype=np.uint8)
        byte_offsets: Any = np.array([0, 3, 8])

    class Embedding(Branch):
        def basket(self, number: int) -> Found:
            assert number == 1
            return found

    found = Found()
    (batch,) = baskets.batches(Embedding(), 3, 4)
    assert isinstance(batch, baskets.Batch)
    assert batch.first == 3
    assert batch.data[batch.starts[0] : batch.stops[0]].tolist() == [3, 4, 5, 6, 7]
    found.byte_offsets = None
    (lost,) = baskets.batches(Embedding(), 2, 4)
    assert lost == baskets.Lost(
        2, 2, "basket 1: an embedded basket without the offsets of its 2 entries"
    )


def test_list_of_baskets() -> None:
    with pytest.raises(ValueError, match="must grow from 0 to 4"):
        list(baskets.batches(Branch(entry_offsets=(0, 3, 2)), 0, 2))


def test_raw_entries_are_those_of_uproot(ghep_file: Path) -> None:
    import uproot

    with uproot.open(ghep_file) as file:
        kind = uproot.AsJagged(uproot.AsDtype("u1"))
        theirs = file["gtree"]["gmcrec"].array(kind, library="np")
    ours = raw_entries(ghep_file, 300)
    assert len(ours.starts) == 300
    for row in (0, 1, 6, 7, 150, 299):
        assert ours.data[ours.starts[row] : ours.stops[row]].tolist() == theirs[row].tolist()
