"""Damaged copies of files, and what reading them comes to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any


def mutated(content: bytes, number: int) -> bytes:
    """Damage a file in the way of this number: cut, flip bits, overwrite, insert, remove, repeat."""
    draw = random.Random(number)
    data = bytearray(content)
    at = draw.randrange(len(data))
    kind = number % 6
    if kind == 0:
        return bytes(data[:at])
    if kind == 1:
        for _ in range(draw.choice((1, 1, 3, 30))):
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        return bytes(data)
    size = draw.choice((1, 2, 4, 8, 64))
    if kind == 2:
        data[at : at + size] = draw.choice((b"\xff", b"\x00", b"\x7f", b"9")) * size
    elif kind == 3:
        data[at:at] = draw.randbytes(size)
    elif kind == 4:
        del data[at : at + size]
    else:
        data[at:at] = data[at : at + 50 * size]
    return bytes(data)


def outcomes(
    content: bytes,
    numbers: range,
    path: Path,
    read: Callable[[Path], Any],
    good: Callable[[Any], bool],
) -> Counter[str]:
    """Count clean errors, unharmed reads and wrong ones; anything else is raised."""
    found: Counter[str] = Counter()
    for number in numbers:
        path.write_bytes(mutated(content, number))
        try:
            result = read(path)
        except (ValueError, OSError) as error:
            _check_message(number, path, error)
            found["clean error"] += 1
        else:
            found["unharmed" if good(result) else "wrong"] += 1
    return found


def _check_message(number: int, path: Path, error: Exception) -> None:
    """One line that names the file."""
    text = str(error)
    assert str(path) in text, (number, text)
    assert "\n" not in text, (number, text)
