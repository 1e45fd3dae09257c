"""A progress bar on a terminal; silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Report", "Watched", "progress", "watched"]

Report = Callable[[float | None, int], None]
_COMPILING = "compiling kernels, once"


@contextmanager
def progress(text: str, *, quiet: bool = False, of: str = "events") -> Iterator[Report | None]:
    """Show how far a loop over events is; gives the function to call, or None where nobody looks.

    Parameters
    ----------
    text : str
        What is being done.
    quiet : bool
        Show nothing.
    of : str
        What is counted.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    from forefold.kernels.jit import watchers

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn(f"{{task.fields[events]:,}} {of}, {{task.fields[rate]}}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=None, events=0, rate="0")

        def compiling(begins: bool) -> None:
            # minutes without an event would look as if nothing went on
            bar.update(task, description=_COMPILING if begins else text, refresh=True)

        def report(fraction: float | None, events: int) -> None:
            elapsed = bar.tasks[0].elapsed or 0.0
            speed = events / elapsed if elapsed else 0.0
            rate = f"{speed:,.0f}" if speed >= 10.0 else f"{speed:.2g}"
            if fraction is None:
                bar.update(task, events=events, rate=rate)
            else:
                bar.update(task, completed=fraction, total=1.0, events=events, rate=rate)

        watchers.append(compiling)
        try:
            yield report
        finally:
            watchers.remove(compiling)


class Watched:
    """An executor that does one task after the other, here, and reports how far it is.

    Parameters
    ----------
    report : callable
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._done = 0

    def map(self, function: Callable[..., Any], /, *iterables: Any) -> Iterator[Any]:
        """Apply a function to each."""
        tasks = list(zip(*iterables, strict=True))
        for k, task in enumerate(tasks):
            yield function(*task)
            self._done += 1
            self._report((k + 1) / len(tasks), self._done)


@contextmanager
def watched(text: str, *, quiet: bool = False, of: str = "points") -> Iterator[Watched | None]:
    """Show how far toys are; gives the executor to throw them with, or None where nobody looks."""
    with progress(text, quiet=quiet, of=of) as report:
        yield None if report is None else Watched(report)
