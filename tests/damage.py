"""Damage done to files, for tests of readers: cuts, flipped bits, lost bytes, absurd counts."""

from __future__ import annotations

import random

__all__ = ["damaged"]

_HUGE = ("7fffffff", "ffffffff", "40000000", "000f4240", "7fffffffffffffff", "000000e8d4a51000")


def _cut(data: bytearray, draw: random.Random) -> bytearray:
    return data[: draw.randrange(len(data))]


def _flip(data: bytearray, draw: random.Random) -> bytearray:
    for _ in range(draw.choice((1, 1, 1, 2, 8))):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return data


def _lose(data: bytearray, draw: random.Random) -> bytearray:
    at = draw.randrange(len(data))
    del data[at : at + draw.choice((1, 1, 2, 16, 1000))]
    return data


def _inflate(data: bytearray, draw: random.Random) -> bytearray:
    """Put a huge number in place of another, in binary or in text."""
    at = draw.randrange(len(data))
    number = bytes.fromhex(draw.choice(_HUGE))
    if draw.random() < 0.5:
        number = str(int.from_bytes(number, "big")).encode()
    data[at : at + len(number)] = number
    return data


def damaged(content: bytes, seed: int) -> bytes:
    """Damage a file in one of four ways, the same way for the same seed.

    Half of the damage falls on the first and last two kilobytes, where the structure is.
    """
    draw = random.Random(seed)
    change = draw.choice((_cut, _flip, _lose, _inflate))
    if change is _cut or draw.random() < 0.5 or len(content) < 8000:
        return bytes(change(bytearray(content), draw))
    if draw.random() < 0.5:
        return bytes(change(bytearray(content[:2000]), draw)) + content[2000:]
    return content[:-6000] + bytes(change(bytearray(content[-6000:]), draw))
