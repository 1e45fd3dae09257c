"""A progress bar on a terminal; silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Report", "progress"]

Report = Callable[[float | None, int], None]


@contextmanager
def progress(text: str, *, quiet: bool = False) -> Iterator[Report | None]:
    """Show how far a loop over events is; gives the function to call, or None where nobody looks.

    Parameters
    ----------
    text : str
        What is being done.
    quiet : bool
        Show nothing.
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

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[events]:,} events, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=None, events=0, rate=0.0)

        def report(fraction: float | None, events: int) -> None:
            elapsed = bar.tasks[0].elapsed or 0.0
            rate = events / elapsed if elapsed else 0.0
            if fraction is None:
                bar.update(task, events=events, rate=rate)
            else:
                bar.update(task, completed=fraction, total=1.0, events=events, rate=rate)

        yield report
