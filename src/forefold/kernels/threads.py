"""Threads over ranges of particles: the compiled loops let go of the interpreter, and no particle sees another."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RANGE", "in_ranges", "thread_count"]

RANGE = 1 << 14
"""Particles that are worth a thread."""

_SETTING = "FOREFOLD_NUM_THREADS"


def thread_count() -> int:
    """Threads to use: ``FOREFOLD_NUM_THREADS``, or as many as the process may run on.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        The setting is no whole number above 0.
    """
    setting = os.environ.get(_SETTING, "")
    if not setting:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if not setting.isdecimal() or int(setting) < 1:
        message = f"{_SETTING}: a whole number from 1 on, found {setting!r}"
        raise ValueError(message)
    return int(setting)


def in_ranges(function: Callable[[int, int], None], n: int) -> None:
    """Call a function on ranges that make up 0 to `n`, in threads where there is enough to do.

    Parameters
    ----------
    function : callable
        Of start and stop; it lets go of the interpreter.
    n : int
    """
    threads = min(thread_count(), n // RANGE)
    if threads <= 1:
        function(0, n)
        return
    size = -(-n // threads)
    with ThreadPoolExecutor(threads) as pool:
        starts = range(0, n, size)
        list(pool.map(function, starts, [min(start + size, n) for start in starts]))
