"""How figures look: style, panels, names of particle types, and the same bytes for the same content."""

from __future__ import annotations

import io
import math
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold.plotting.rendering import settled

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "COLUMN",
    "FORMATS",
    "PAGE",
    "Frame",
    "check_name",
    "drawn",
    "figure_bytes",
    "framed",
    "outer_labels",
    "panel_columns",
    "save",
    "style",
    "tag",
    "type_html",
    "type_label",
]

_VECTOR = 72.0  # dots an inch of pdf and svg
FORMATS = ("png", "pdf", "svg")
# Without dates and versions the same figure gives the same bytes.
_METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "svg": {"Date": None, "Creator": None},
}
# mplhep's style is made for figures of 10 inches; these are the sizes of a printed column.
_PRINTED: dict[str, Any] = {
    "figure.facecolor": "white",
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.0,
    "axes.titlepad": 4.0,
    "axes.linewidth": 0.7,
    "axes.unicode_minus": True,
    "legend.fontsize": 7.0,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "mathtext.default": "regular",
    "mathtext.fontset": "dejavusans",
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "xtick.major.size": 4.0,
    "ytick.major.size": 4.0,
    "xtick.minor.size": 2.0,
    "ytick.minor.size": 2.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.pad": 3.0,
    "ytick.major.pad": 3.0,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "forefold",
}


@contextmanager
def style() -> Iterator[None]:
    """Context in which new figures look like forefold's: mplhep's ROOT style at the size of a printed column.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> with style():
    ...     mpl.rcParams["xtick.direction"]
    'in'
    """
    import matplotlib as mpl
    import mplhep

    settings: dict[Any, Any] = {**mplhep.style.ROOT, **_PRINTED}
    with mpl.rc_context(settings):
        yield


def figure_bytes(figure: Figure, format: str = "png", *, dpi: int = 200) -> bytes:
    """Return a figure as a file's content, the same for the same figure.

    Parameters
    ----------
    figure : Figure
    format : {"png", "pdf", "svg"}
    dpi : int
        Of png, and of the parts of pdf and svg that are pixels (the bins of a matrix).

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If the format is not one of these.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure_bytes(Figure(), "pdf")[:5]
    b'%PDF-'
    """
    if format not in FORMATS:
        message = f"figures are written as {', '.join(FORMATS)}, not as '{format}'"
        raise ValueError(message)
    buffer = io.BytesIO()
    with style(), settled(figure, dpi if format == "png" else _VECTOR):
        figure.savefig(buffer, format=format, dpi=dpi, metadata=_METADATA[format])
    return buffer.getvalue()


def save(
    figure: Figure, path: str | os.PathLike[str], *, overwrite: bool = False, dpi: int = 300
) -> None:
    """Write a figure to a file; the ending of its name says the format: .png, .pdf or .svg.

    Parameters
    ----------
    figure : Figure
    path : path
        Written aside and then renamed, so never half a file.
    overwrite : bool
        Replace an existing file.
    dpi : int
        Of png, and of the parts of pdf and svg that are pixels.

    Raises
    ------
    ValueError
        If the name has another ending.
    FileExistsError
        If the file exists and `overwrite` is False.
    OSError
        If it cannot be written.
    """
    from forefold.io.write import replace_aside

    ending = check_name(path)
    with replace_aside(path, overwrite) as aside:
        Path(aside).write_bytes(figure_bytes(figure, ending, dpi=dpi))


def check_name(path: str | os.PathLike[str]) -> str:
    """Give the format that the name of a figure says.

    Raises
    ------
    ValueError
        If it says none.
    """
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        allowed = ", ".join(f".{name}" for name in FORMATS)
        message = f"{path}: the name of a figure ends in {allowed}"
        raise ValueError(message)
    return ending


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
    panel_axes: list[Axes] = []
    for index in range(panels):
        row, column = divmod(index, columns)
        x = _LEFT + column * (across + _GAP)
        y = height - _TOP - up - row * (up + _GAP)
        shared = panel_axes[0] if panel_axes else None
        axes = figure.add_axes(
            (x / width, y / height, across / width, up / height), sharex=shared, sharey=shared
        )
        axes.tick_params(labelbottom=index + columns >= panels, labelleft=column == 0)
        panel_axes.append(axes)
    if not bar:
        return Frame(figure, panel_axes, None)
    x, y = width - right + _BAR_GAP, _BOTTOM / height
    box = (x / width, y, _BAR_WIDTH / width, 1.0 - y - _TOP / height)
    return Frame(figure, panel_axes, figure.add_axes(box))


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


_MATH = {
    "pi": r"\pi",
    "pi+-": r"\pi^{\pm}",
    "pi+": r"\pi^{+}",
    "pi-": r"\pi^{-}",
    "pi0": r"\pi^{0}",
    "K": "K",
    "K+-": r"K^{\pm}",
    "K+": r"K^{+}",
    "K-": r"K^{-}",
    "K0": r"K^{0}",
    "gamma": r"\gamma",
    "e+-": r"e^{\pm}",
    "e+": r"e^{+}",
    "e-": r"e^{-}",
    "mu+-": r"\mu^{\pm}",
    "mu+": r"\mu^{+}",
    "mu-": r"\mu^{-}",
    "tau+-": r"\tau^{\pm}",
    "tau-": r"\tau^{-}",
    "p": "p",
    "n": "n",
}
_UNICODE = {r"\pi": "π", r"\gamma": "γ", r"\mu": "μ", r"\tau": "τ", r"\pm": "±"}


def type_label(name: str) -> str:
    r"""Return a particle type for matplotlib.

    Examples
    --------
    >>> type_label("e+- gamma")
    '$e^{\\pm}$, $\\gamma$'
    >>> type_label("other")
    'other'
    """
    words = name.split()
    if not all(word in _MATH for word in words):
        return name.replace("$", r"\$")
    return ", ".join(f"${_MATH[word]}$" for word in words)


def type_html(name: str) -> str:
    """Return a particle type as plain text with the Greek letters in it (to be escaped, as any text).

    Examples
    --------
    >>> type_html("e+- gamma")
    'e±, γ'
    """
    words = name.split()
    if not all(word in _MATH for word in words):
        return name
    text = ", ".join(_MATH[word] for word in words)
    for command, letter in _UNICODE.items():
        text = text.replace(command, letter)
    return text.replace("^{", "").replace("}", "")
