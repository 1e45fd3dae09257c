"""Damage to GHEP, at random: raw entries and whole files."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from forefold.io import root as rootfile
from forefold.io.readers import ghep
from forefold.io.readers.ghep import baskets
from forefold.io.registry import Damage, Source

ERROR, SAME, OTHER = "clean error", "good and the same", "good but different"
REST = "the rest is the same"


def raw_entries(path: str | Path, stop: int) -> baskets.Batch:
    """Take the bytes of a file's first entries."""
    with rootfile.tree(str(path), "gtree") as tree:
        found = [
            b for b in baskets.batches(tree["gmcrec"], 0, stop) if isinstance(b, baskets.Batch)
        ]
    return found[0]


def mutate(content: bytearray, chance: random.Random, first: int = 0) -> None:
    """Flip a bit, change a byte, or put in a few extreme ones."""
    at = chance.randrange(first, len(content))
    kind = chance.randrange(3)
    if kind == 0:
        content[at] ^= 1 << chance.randrange(8)
    elif kind == 1:
        content[at] = chance.randrange(256)
    else:
        extreme = chance.choice(
            [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x40\0\0\x08"]
        )
        content[at : at + 4] = extreme[: len(content) - at]


def decoded(data: bytes, lean: bool = False) -> ak.Array:
    """Decode one entry."""
    batch = baskets.Batch(
        0, np.frombuffer(data, dtype=np.uint8), np.array([0]), np.array([len(data)])
    )
    source = Source("fuzz.root", final_state_only=lean)
    return ghep.checked(ghep.record_of(ghep.decode(batch, source), source), source)


def fuzz_entries(path: str | Path, times: int, seed: int = 1) -> Counter[str]:
    """Damage raw entries: count clean errors, and good reads that are the same or not."""
    chance = random.Random(seed)
    batch = raw_entries(path, 100)
    counts: Counter[str] = Counter()
    for _ in range(times):
        i = chance.randrange(len(batch.starts))
        good = batch.data[batch.starts[i] : batch.stops[i]].tobytes()
        bad = bytearray(good)
        if chance.random() < 0.1:
            del bad[chance.randrange(len(bad)) :]
        else:
            mutate(bad, chance)
        counts[_outcome(lambda good=good: decoded(good), lambda bad=bad: decoded(bytes(bad)))] += 1
    return counts


def fuzz_file(path: str | Path, times: int, seed: int = 1, skip: bool = False) -> Counter[str]:
    """Damage a file: count clean errors, and good reads that are the same or not."""
    chance = random.Random(seed)
    good = Path(path).read_bytes()
    whole = _all(str(path), None)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        name = Path(folder, "fuzz.root")
        for _ in range(times):
            bad = bytearray(good)
            if chance.random() < 0.1:
                del bad[chance.randrange(len(bad)) :]
            else:
                for _ in range(chance.choice([1, 1, 4])):
                    mutate(bad, chance)
            name.write_bytes(bad)
            damage = Damage() if skip else None
            counts[_outcome(lambda: whole, lambda damage=damage: _all(str(name), damage))] += 1
            if damage is not None:
                assert damage.events <= len(whole), damage
    return counts


def _all(path: str, damage: Damage | None) -> ak.Array:
    if not ghep.READER.sniff(path):
        msg = "not recognised"
        raise ValueError(msg)
    ghep.READER.describe(path)
    source = Source(path, final_state_only=False, damage=damage)
    found = [record for record, _ in ghep.READER.iterate(source)]
    return ak.concatenate(found) if found else ak.Array([])


def _outcome(good: Any, bad: Any) -> str:
    start = time.perf_counter()
    try:
        found = bad()
    except (ValueError, OSError) as error:
        found, message = None, str(error)
    else:
        message = ""
    assert "\n" not in message, message
    assert time.perf_counter() - start < 20, "it hangs"
    if found is None:
        return ERROR
    expected = good()
    names = [name for name in expected.fields if name not in ("source", "stream")]
    rest = len(found) < len(expected)
    if rest and len(found):
        expected = expected[found.entry]
    same = len(found) == 0 or all(_equal(found[n], expected[n]) for n in names)
    return OTHER if not same else REST if rest else SAME


def _equal(a: ak.Array, b: ak.Array) -> bool:
    same = ak.array_equal(ak.fill_none(a, False), ak.fill_none(b, False), equal_nan=True)
    return bool(same)


if __name__ == "__main__":
    sample, number = sys.argv[1], int(sys.argv[2])
    print("entries", dict(fuzz_entries(sample, number)))
    print("file", dict(fuzz_file(sample, number)))
    print("file, skipping", dict(fuzz_file(sample, number, seed=2, skip=True)))
