"""How figures look, and how they are written: the same bytes for the same content."""

from __future__ import annotations

import io
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold.plotting.rendering import settled

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from matplotlib.figure import Figure

__all__ = ["FORMATS", "check_name", "figure_bytes", "save", "style"]

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
