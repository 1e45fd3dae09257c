"""Figures laid out once, with their minor ticks as one line an axis: most of the time of a picture goes into these."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

__all__ = ["settled"]


@contextmanager
def settled(figure: Figure, dpi: float) -> Iterator[None]:
    """Context in which a figure is quick to write and looks the same; afterwards it is as it was.

    matplotlib makes an object of three lines and two texts of every minor tick, and draws a figure with a layout twice.

    Parameters
    ----------
    figure : Figure
    dpi : float
        That it is written with: 72 for pdf and svg.
    """
    from matplotlib.ticker import NullLocator

    before, engine = figure.dpi, figure.get_layout_engine()
    minor = [
        (axis, axis.get_minor_locator())
        for panel in figure.axes
        for axis in (panel.xaxis, panel.yaxis)
        if not isinstance(axis.get_minor_locator(), NullLocator)
    ]
    lines: list[Any] = []
    figure.dpi = dpi
    for axis, _ in minor:
        axis.minor.locator = NullLocator()
    try:
        if engine is not None:
            engine.execute(figure)
            figure.set_layout_engine(None)
        for axis, locator in minor:
            axis.minor.locator = locator
            lines += _marks(axis)
            axis.minor.locator = NullLocator()
        yield
    finally:
        for line in lines:
            line.remove()
        for axis, locator in minor:
            axis.minor.locator = locator
        if engine is not None:
            figure.set_layout_engine(engine)
        figure.dpi = before


def _marks(axis: Any) -> list[Any]:
    """Draw the minor ticks of an axis as lines of markers, one a side."""
    from matplotlib.lines import Line2D

    panel = axis.axes
    if not (panel.get_visible() and panel.axison and axis.get_visible()):
        return []
    low, high = sorted(axis.get_view_interval())
    at = np.asarray(axis.get_minorticklocs(), dtype=np.float64)
    at = at[(at >= low) & (at <= high)]
    if not at.size:
        return []
    (tick,) = axis.get_minor_ticks(1)
    made = []
    for line in (tick.tick1line, tick.tick2line):
        if not line.get_visible():
            continue
        side = np.full(at.size, np.ravel(line.get_data()[axis.axis_name == "x"])[0])
        both = (at, side) if axis.axis_name == "x" else (side, at)
        copy = Line2D(
            *both,
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
        made.append(panel.add_artist(copy))
    return made
