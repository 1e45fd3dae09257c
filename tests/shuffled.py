"""An executor for tests of jobs."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

__all__ = ["Shuffled", "digest"]


class Shuffled:
    """An executor that does tasks in a random order, some twice, in this process."""

    def __init__(self, rng: int) -> None:
        self.random = random.Random(rng)
        self.calls = 0

    def map(self, function: Any, *iterables: Any) -> list[Any]:
        tasks = list(zip(*iterables, strict=True))
        order = [*range(len(tasks)), *range(0, len(tasks), 2)]
        self.random.shuffle(order)
        found = {}
        for i in order:
            self.calls += 1
            found[i] = function(*tasks[i])
        return [found[i] for i in range(len(tasks))]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
