"""Times of functions that are called in turn."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["best", "wall_and_work"]

LIMIT = 20.0
"""Seconds after which what was measured thrice is not repeated, so that a busy machine does not take all day."""
_LEAST = 3


def best(
    functions: Sequence[Callable[[], object]],
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Shortest time of each function, seconds; they are called in turn, so that a slow spell hits all of them.

    Parameters
    ----------
    functions : sequence of callables
    repeats : int
        Fewer, but three at least, where they have taken `LIMIT` already.
    clock : callable
        ``time.thread_time`` for what runs in one thread: it stands still while others have the processor.

    Returns
    -------
    list of float
    """
    times: list[list[float]] = [[] for _ in functions]
    begun = time.monotonic()
    for i in range(repeats):
        if i >= _LEAST and time.monotonic() - begun > LIMIT:
            break
        for function, own in zip(functions, times, strict=True):
            start = clock()
            function()
            own.append(clock() - start)
    return [min(own) for own in times]


def wall_and_work(
    functions: Sequence[Callable[[], object]], repeats: int, work: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """Shortest wall time and shortest processor time of each function, as `best` takes them.

    Parameters
    ----------
    functions : sequence of callables
    repeats : int
    work : callable
        Clock of the processor's time.

    Returns
    -------
    list of float
        Wall, seconds.
    list of float
        Processor, seconds, of all threads or processes that `work` counts.
    """
    used: list[list[float]] = [[] for _ in functions]

    def counted(i: int) -> Callable[[], object]:
        def call() -> None:
            start = work()
            functions[i]()
            used[i].append(work() - start)

        return call

    wall = best([counted(i) for i in range(len(functions))], repeats)
    return wall, [min(own) for own in used]
