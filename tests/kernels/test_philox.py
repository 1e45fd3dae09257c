"""Random numbers: known answers, independence of purposes, uniformity."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from forefold.kernels import philox as rn

# Random123 1.14, tests/kat_vectors, philox4x32 with 10 rounds: counter, key, words
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF,) * 4,
        (0xFFFFFFFF,) * 2,
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_philox_known_answers(
    counter: tuple[int, ...], key: tuple[int, ...], words: tuple[int, ...]
) -> None:
    found = rn.philox(*(np.uint64(word) for word in (*counter, *key)))
    assert tuple(int(word) & 0xFFFFFFFF for word in found) == words


def test_stream_keys() -> None:
    streams = np.array([0, 1, 2, 2**64 - 1], dtype=np.uint64)
    keys = rn.stream_keys(5, streams)
    assert int(keys[0]) == 5
    assert np.unique(np.concatenate([keys, rn.stream_keys(6, streams)])).size == 8
    # splitmix64's finaliser of 1, by whole numbers
    x, mask = 1, 2**64 - 1
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    assert int(keys[1]) == (x ^ (x >> 31)) ^ 5


def test_uniforms_stay_inside_and_are_uniform() -> None:
    """KS at 1e-4 a test, two tests."""
    one = np.uint64(1)
    draws = np.array([rn.uniforms(one, np.uint64(i), one, one) for i in range(20_000)])
    assert draws.min() > 0.0
    assert draws.max() < 1.0
    assert np.all(np.ldexp(draws, 53) % 2 == 1), "odd multiples of 2^-53, so 1 - u is exact"
    for column in draws.T:
        assert stats.kstest(column, "uniform").pvalue > 1e-4
    assert abs(np.corrcoef(draws.T)[0, 1]) < 0.04  # more than five standard deviations


def test_uniforms_use_every_word_of_the_counter() -> None:
    base = (7, 11, 13, 17)
    seen = {rn.uniforms(*(np.uint64(word) for word in base))}
    for i, step in ((0, 1), (0, 2**40), (1, 1), (1, 2**40), (2, 1), (3, 1), (3, 2**16)):
        words = list(base)
        words[i] += step
        seen.add(rn.uniforms(*(np.uint64(word) for word in words)))
    assert len(seen) == 8
