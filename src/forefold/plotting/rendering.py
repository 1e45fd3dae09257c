"""Figures laid out once, with ticks that have no text as one line a side: most of the time of a picture goes into these."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["settled"]

_SIDES = ("tick1line", "tick2line")


@contextmanager
def settled(figure: Figure, dpi: float) -> Iterator[None]:
    """Context in which a figure is quick to write and looks the same; afterwards it is as it was.

    matplotlib makes an object of three lines and two texts of every tick, and draws a figure with a layout twice.

    Parameters
    ----------
    figure : Figure
    dpi : float
        That it is written with: 72 for pdf and svg.
    """
    from matplotlib.axis import Ticker
    from matplotlib.ticker import NullFormatter, NullLocator

    before, engine = figure.dpi, figure.get_layout_engine()
    bare = [label for panel in figure.axes for label in _bare(panel)]
    kept = [getattr(axis, which) for axis, which, _ in bare]
    none = Ticker()
    none.locator, none.formatter = NullLocator(), NullFormatter()
    lines: list[Any] = []

    def put(tickers: list[Any]) -> None:
        for (axis, which, _), ticker in zip(bare, tickers, strict=True):
            setattr(axis, which, ticker)

    figure.dpi = dpi
    put([none] * len(bare))
    try:
        if engine is not None:
            engine.execute(figure)
            figure.set_layout_engine(None)
        put(kept)
        places = [_places(axis, which) for axis, which, _ in bare]  # minor ones look at major ones
        put([none] * len(bare))
        for (axis, _, tick), at in zip(bare, places, strict=True):
            lines += _marks(axis, tick, at)
        yield
    finally:
        put(kept)
        for line in lines:
            line.remove()
        if engine is not None:
            figure.set_layout_engine(engine)
        figure.dpi = before


def _bare(panel: Any) -> Iterator[tuple[Any, str, Any]]:
    """Give the ticks without texts and grid of a panel: axis, ``major`` or ``minor``, and one of them as an example."""
    if not (panel.get_visible() and panel.axison):
        return
    for axis in (panel.xaxis, panel.yaxis):
        for which in ("major", "minor") if axis.get_visible() else ():
            (tick,) = getattr(axis, f"get_{which}_ticks")(1)
            if not (tick.gridline.get_visible() or _words(axis, which, tick)):
                yield axis, which, tick


def _words(axis: Any, which: str, tick: Any) -> bool:
    """Tell whether ticks have texts: minor ones do where a logarithmic axis is short."""
    if not (tick.label1.get_visible() or tick.label2.get_visible()):
        return False
    at = getattr(axis, f"get_{which}ticklocs")()
    return any(getattr(axis, which).formatter.format_ticks(at))


def _places(axis: Any, which: str) -> NDArray[np.float64]:
    """Give where ticks are within the limits."""
    low, high = sorted(axis.get_view_interval())
    at = np.asarray(getattr(axis, f"get_{which}ticklocs")(), dtype=np.float64)
    inside: NDArray[np.float64] = at[(at >= low) & (at <= high)]
    return inside


def _marks(axis: Any, tick: Any, at: NDArray[np.float64]) -> Iterator[Any]:
    """Draw ticks of an axis as lines of markers, one a side."""
    from matplotlib.lines import Line2D

    along = axis.axis_name == "x"
    for line in (getattr(tick, side) for side in _SIDES):
        if not (at.size and line.get_visible()):
            continue
        across = np.full(at.size, np.ravel(line.get_data()[along])[0])
        copy = Line2D(
            *((at, across) if along else (across, at)),
            linestyle="none",
            marker=line.get_marker(),
            markersize=line.get_markersize(),
            markeredgewidth=line.get_markeredgewidth(),
            color=line.get_color(),
            zorder=axis.get_zorder(),
            transform=line.get_transform(),
            clip_on=False,
        )
        copy.set_in_layout(False)
        yield axis.axes.add_artist(copy)
