"""What the particles are drawn on: threads over ranges of them, or a graphics card.

The compiled loops let go of the interpreter, and no particle sees another.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RANGE", "in_ranges", "on_gpu", "thread_count"]

RANGE = 1 << 14
"""Particles that are worth a thread."""

_THREADS = "FOREFOLD_NUM_THREADS"


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
    setting = os.environ.get(_THREADS, "")
    if not setting:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if not setting.isdecimal() or int(setting) < 1:
        message = f"{_THREADS}: a whole number from 1 on, found {setting!r}"
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


_DEVICE = "FOREFOLD_DEVICE"
_DEVICES = ("cpu", "cuda")


def on_gpu() -> bool:
    """Whether ``FOREFOLD_DEVICE`` asks for a graphics card; without it there is none.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        The setting is neither ``cpu`` nor ``cuda``.

    Examples
    --------
    >>> on_gpu()
    False
    """
    setting = os.environ.get(_DEVICE, "") or "cpu"
    if setting not in _DEVICES:
        message = f"{_DEVICE}: 'cpu' or 'cuda', found {setting!r}"
        raise ValueError(message)
    return setting == "cuda"
