"""An executor for tests of jobs."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

from forefold.workflows.parallel.tasks import run_part

__all__ = ["Shuffled", "Stopping", "digest"]


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


class Stopping(Shuffled):
    """An executor that stops after some tasks."""

    def __init__(self, after: int, error: BaseException) -> None:
        super().__init__(0)
        self.after, self.error = after, error

    def map(self, function: Any, *iterables: Any) -> Any:
        for task in zip(*iterables, strict=True):
            if function is run_part and self.calls == self.after:
                raise self.error
            self.calls += function is run_part
            yield function(*task)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
