"""Response matrices as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.plotting.layout import COLUMN
from forefold.plotting.style import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from forefold.matrix import ResponseMatrix

__all__ = ["flat_edges", "flat_label", "response_matrix_figure"]

_LEFT, _RIGHT, _BOTTOM, _TOP, _GAP, _STRIP = 0.52, 0.72, 0.46, 0.12, 0.12, 0.62  # inches
_BAR_GAP, _BAR_WIDTH = 0.1, 0.12


def response_matrix_figure(matrix: ResponseMatrix, *, ax: Axes | None = None) -> Figure:
    """Draw a response matrix, with strips of efficiency, and of purity where both sides have the same bins.

    Parameters
    ----------
    matrix : ResponseMatrix
        One with several axes is drawn by number of the bin.
    ax : Axes, optional
        Draw the matrix alone there, in the style that it has.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import forefold
    >>> response = forefold.card_response("nusmear-dune-cdr", "mu-")
    >>> matrix = forefold.ResponseMatrix.from_response(response, "kinetic_energy=0:4:20")
    >>> len(response_matrix_figure(matrix).axes)
    4
    """
    if ax is not None:
        _panel(ax, matrix)
        return ax.figure.figure
    with style():
        from matplotlib.figure import Figure

        strips = _strips(matrix)
        side = COLUMN - _LEFT - _RIGHT
        height = _BOTTOM + side + len(strips) * (_STRIP + _GAP) + _TOP
        figure = Figure(figsize=(COLUMN, height))

        def box(bottom: float, tall: float, left: float = _LEFT, wide: float = side) -> Any:
            return (left / COLUMN, bottom / height, wide / COLUMN, tall / height)

        main = figure.add_axes(box(_BOTTOM, side))
        mesh = _panel(main, matrix)
        bar = figure.add_axes(box(_BOTTOM, side, COLUMN - _RIGHT + _BAR_GAP, _BAR_WIDTH))
        figure.colorbar(mesh, cax=bar, label="Probability")
        edges = flat_edges(matrix.true_axes)
        for k, (name, values) in enumerate(strips.items()):
            bottom = _BOTTOM + side + _GAP + k * (_STRIP + _GAP)
            strip = figure.add_axes(box(bottom, _STRIP), sharex=main)
            strip.stairs(values, edges, baseline=None)
            strip.set(ylim=(0.0, 1.05), ylabel=name)
            strip.tick_params(labelbottom=False)
        return figure


def _strips(matrix: ResponseMatrix) -> dict[str, NDArray[np.float64]]:
    empty = matrix.empty_rows
    found = {"Efficiency": np.where(empty, np.nan, matrix.efficiency)}
    try:
        found["Purity"] = matrix.purity
    except ValueError:  # other bins on the other side: there is none
        return found
    return found


def flat_edges(axes: tuple[Any, ...]) -> NDArray[np.float64]:
    """Give the edges of one axis; numbers of bins of several."""
    if len(axes) == 1:
        return np.asarray(axes[0].edges, dtype=np.float64)
    n = int(np.prod([len(axis) for axis in axes]))
    return np.arange(n + 1, dtype=np.float64) - 0.5


def flat_label(axes: tuple[Any, ...]) -> str:
    """Give the label of one axis, the names of several."""
    if len(axes) == 1:
        return str(axes[0].label)
    return f"Bin of ({', '.join(axis.name for axis in axes)})"


def _panel(ax: Axes, matrix: ResponseMatrix) -> Any:
    shown = np.ma.masked_equal(matrix.matrix, 0.0)
    x, y = flat_edges(matrix.true_axes), flat_edges(matrix.reco_axes)
    mesh = ax.pcolormesh(x, y, shown.T, vmin=0.0, rasterized=True)
    ax.set(xlabel=flat_label(matrix.true_axes), ylabel=flat_label(matrix.reco_axes))
    ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    return mesh
