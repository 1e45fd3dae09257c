"""Where panels stand: fixed margins in inches, so that figures are quick, stable and line up on a page."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forefold.plotting.style import style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLUMN", "PAGE", "Frame", "drawn", "framed", "outer_labels", "panel_columns", "tag"]

COLUMN = 3.4  # inches, one column of a two-column journal
PAGE = 7.0  # inches, both columns

_LEFT, _RIGHT, _BAR_ROOM, _BOTTOM, _TOP, _GAP = 0.52, 0.12, 0.72, 0.46, 0.34, 0.2
_BAR_GAP, _BAR_WIDTH = 0.1, 0.12


@dataclass(frozen=True, slots=True)
class Frame:
    """A figure with its panels in reading order, and the axes of the colour bar if there is one."""

    figure: Figure
    panels: list[Axes]
    bar: Axes | None


def framed(
    panels: int, columns: int, width: float, *, aspect: float = 1.0, bar: bool = True
) -> Frame:
    """Return an empty figure `width` inches wide; `aspect` is a panel's height over its width.

    Panels share their axes and only the outer ones have tick labels. No global state knows of the figure.
    """
    from matplotlib.figure import Figure

    rows = math.ceil(panels / columns)
    right = _BAR_ROOM if bar else _RIGHT
    across = (width - _LEFT - right - (columns - 1) * _GAP) / columns
    up = aspect * across
    height = _BOTTOM + rows * up + (rows - 1) * _GAP + _TOP
    figure = Figure(figsize=(width, height))
    made: list[Axes] = []
    for index in range(panels):
        row, column = divmod(index, columns)
        x = _LEFT + column * (across + _GAP)
        y = height - _TOP - up - row * (up + _GAP)
        shared = made[0] if made else None
        axes = figure.add_axes(
            (x / width, y / height, across / width, up / height), sharex=shared, sharey=shared
        )
        axes.tick_params(labelbottom=index + columns >= panels, labelleft=column == 0)
        made.append(axes)
    if not bar:
        return Frame(figure, made, None)
    x, y = width - right + _BAR_GAP, _BOTTOM / height
    box = (x / width, y, _BAR_WIDTH / width, 1.0 - y - _TOP / height)
    return Frame(figure, made, figure.add_axes(box))


@contextmanager
def drawn(ax: Axes | None, *, aspect: float = 1.0, bar: bool = True) -> Iterator[Frame]:
    """Give the axes to draw on: the caller's, in the caller's style, or a new column in ours."""
    if ax is not None:
        yield Frame(ax.figure.figure, [ax], None)
        return
    with style():
        yield framed(1, 1, COLUMN, aspect=aspect, bar=bar)


def panel_columns(panels: int) -> int:
    """Return how many panels stand in a row: at most four, and full rows where that is possible."""
    return min(panels, 3 if panels in {5, 6, 9} else 4)


def outer_labels(frame: Frame, heading: str, x: str, y: str) -> None:
    """Write a heading over all panels, and one label for all axes of a kind, at the ends as HEP does."""
    width, height = frame.figure.get_size_inches()
    left, right = _LEFT / width, max(axes.get_position().x1 for axes in frame.panels)
    top = 1.0 - _TOP / height
    frame.figure.text(left, top + 0.06 / height, heading, ha="left", va="bottom")
    frame.figure.text(right, 0.1 / height, x, ha="right", va="bottom")
    frame.figure.text(0.14 / width, top, y, ha="left", va="top", rotation=90)


def tag(panel: Axes, name: str, note: str) -> None:
    """Write a particle type and how many of it in the upper left corner."""
    corner: dict[str, Any] = {
        "xy": (0.0, 1.0),
        "xycoords": "axes fraction",
        "textcoords": "offset points",
    }
    panel.annotate(name, xytext=(5.0, -5.0), va="top", fontsize="large", **corner)
    panel.annotate(note, xytext=(5.0, -19.0), va="top", fontsize="x-small", color="0.35", **corner)
