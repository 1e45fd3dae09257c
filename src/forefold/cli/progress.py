"""A progress bar on a terminal; silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Report", "progress"]

Report = Callable[[float | None, int], None]
_COMPILING = "compiling kernels, once"


@contextmanager
def progress(text: str, *, quiet: bool = False, of: str = "events") -> Iterator[Report | None]:
    """Show how far something long is; gives the function to call with the part that is done and the number, or None where nobody looks.

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
