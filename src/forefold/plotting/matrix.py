"""Matrices of true against reconstructed quantities as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.plotting.content import as_list, by_type, card_name, check_axes, count, heading, unit
from forefold.plotting.labels import type_label
from forefold.plotting.layout import PAGE, Frame, drawn, framed, outer_labels, panel_columns, tag
from forefold.plotting.style import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.collections import QuadMesh
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from forefold.plotting.content import Matrices, Matrix

__all__ = [
    "angle_by_type_figure",
    "angle_matrix_figure",
    "energy_by_type_figure",
    "energy_matrix_figure",
]

_STRAIGHT = 180.0


def energy_matrix_figure(
    matrices: Matrices,
    *,
    titles: Sequence[str] | None = None,
    sample: str = "",
    log: bool = True,
    ax: Axes | None = None,
) -> Figure:
    """Event energy, true against reconstructed; two matrices stand side by side on one colour scale.

    Parameters
    ----------
    matrices : Hist or sequence of Hist
        From `forefold.matrix.energy_matrix` without a split by type.
    titles : sequence of str, optional
        One for each matrix; the name of its card by default.
    sample : str
        What the events are, said above the figure.
    log : bool
        Logarithmic colour scale.
    ax : Axes, optional
        Draw a single matrix there, in the style that it has.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a histogram is not such a matrix, or `ax` is given with several.

    References
    ----------
    I. Vohra, arXiv:2209.05260, Fig. 5.
    """
    return _side_by_side("energy", matrices, titles, sample, log, ax)


def angle_matrix_figure(
    matrices: Matrices,
    *,
    titles: Sequence[str] | None = None,
    sample: str = "",
    log: bool = True,
    ax: Axes | None = None,
) -> Figure:
    """Polar angle of all particles, true against reconstructed; parameters as `energy_matrix_figure`.

    A matrix by type is drawn as the sum over its types.

    Parameters
    ----------
    matrices : Hist or sequence of Hist
        From `forefold.matrix.angle_matrix`.
    titles : sequence of str, optional
    sample : str
    log : bool
    ax : Axes, optional

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a histogram is not such a matrix, or `ax` is given with several.
    """
    several = as_list(matrices)
    summed = [
        m.project("theta_true", "theta_reco") if "type" in m.axes.name else m for m in several
    ]
    names = titles if titles is not None else [card_name(m) for m in several]
    return _side_by_side("theta", summed, names, sample, log, ax)


def energy_by_type_figure(
    matrix: Matrix, *, title: str | None = None, sample: str = "", log: bool = True
) -> Figure:
    """Event energy by particle type, one panel a type, on one colour scale.

    Parameters
    ----------
    matrix : Hist
        From `forefold.matrix.energy_matrix` with a card.
    title : str, optional
        The name of the card by default.
    sample : str
        What the events are, said above the figure.
    log : bool
        Logarithmic colour scale.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the histogram is not such a matrix.

    References
    ----------
    I. Vohra, arXiv:2209.05260, Figs. 6-7.
    """
    return _by_type("energy", matrix, title, sample, log)


def angle_by_type_figure(
    matrix: Matrix, *, title: str | None = None, sample: str = "", log: bool = True
) -> Figure:
    """Polar angle by particle type, one panel a type, on one colour scale.

    Parameters
    ----------
    matrix : Hist
        From `forefold.matrix.angle_matrix` with a card.
    title : str, optional
        The name of the card by default.
    sample : str
        What the events are, said above the figure.
    log : bool
        Logarithmic colour scale.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the histogram is not such a matrix.

    References
    ----------
    I. Vohra, arXiv:2209.05260, Figs. 8-11.
    """
    return _by_type("theta", matrix, title, sample, log)


def _side_by_side(
    quantity: str,
    matrices: Matrices,
    titles: Sequence[str] | None,
    sample: str,
    log: bool,
    ax: Axes | None,
) -> Figure:
    several = as_list(matrices)
    for matrix in several:
        check_axes(matrix, f"{quantity}_true", f"{quantity}_reco")
    names = list(titles) if titles is not None else [card_name(matrix) for matrix in several]
    if not several or len(names) != len(several) or (ax is not None and len(several) > 1):
        message = (
            f"{len(several)} matrices and {len(names)} titles do not fit; ax= takes one matrix"
        )
        raise ValueError(message)
    norm = _norm(several, log)
    if len(several) == 1:
        with drawn(ax) as frame:
            mesh = _panel(frame.panels[0], several[0], norm, fine=True)
            frame.panels[0].set_title(heading(several[0], names[0], sample, wide=False), loc="left")
            _axis_labels(frame.panels[0], several[0])
            _colour_bar(frame, mesh, several[0])
        return frame.figure
    with style():
        frame = framed(len(several), min(len(several), 3), PAGE)
        for panel, matrix, name in zip(frame.panels, several, names, strict=True):
            mesh = _panel(panel, matrix, norm, fine=True)
            tag(panel, name.replace("$", r"\$"), count(matrix))
        true, reco = several[0].axes
        outer_labels(frame, heading(several[0], "", sample), true.label, reco.label)
        _colour_bar(frame, mesh, several[0])
    return frame.figure


def _by_type(quantity: str, matrix: Matrix, title: str | None, sample: str, log: bool) -> Figure:
    check_axes(matrix, "type", f"{quantity}_true", f"{quantity}_reco")
    parts = by_type(matrix)
    norm = _norm([matrix], log)
    with style():
        frame = framed(len(parts), panel_columns(len(parts)), PAGE)
        for panel, (label, part) in zip(frame.panels, parts.items(), strict=True):
            mesh = _panel(panel, part, norm, fine=False)
            tag(panel, type_label(label), count(part))
        name = card_name(matrix) if title is None else title
        true, reco = matrix.axes[1].label, matrix.axes[2].label
        outer_labels(frame, heading(matrix, name, sample), true, reco)
        _colour_bar(frame, mesh, matrix)
    return frame.figure


def _panel(axes: Axes, matrix: Matrix, norm: Normalize, *, fine: bool) -> QuadMesh:
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    x, y = matrix.axes[0].edges, matrix.axes[1].edges
    # From light to dark, so that few events stay close to the white of none, but not as pale as to vanish in print.
    colours = ListedColormap(colormaps["viridis_r"](np.linspace(0.06, 1.0, 256)))
    # A mesh of 10,000 bins is pixels also in pdf and svg: smaller, and without hairlines between the bins.
    mesh = axes.pcolormesh(x, y, _filled(matrix).T, norm=norm, cmap=colours, rasterized=True)
    low, high = max(x[0], y[0]), min(x[-1], y[-1])
    axes.plot([low, high], [low, high], color="0.45", linewidth=0.5, linestyle=(0, (6, 4)))
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    for axis, edges in ((axes.xaxis, x), (axes.yaxis, y)):
        _ticks(axis, float(edges[-1] - edges[0]), fine)
    return mesh


def _ticks(axis: Axis, span: float, fine: bool) -> None:
    from matplotlib.ticker import AutoMinorLocator, MaxNLocator, MultipleLocator

    # Ticks are most of the time that a figure takes, so small panels have few.
    if span == _STRAIGHT:
        axis.set_major_locator(MultipleLocator(30.0 if fine else 60.0))
        axis.set_minor_locator(MultipleLocator(10.0 if fine else 30.0))
    else:
        axis.set_major_locator(MaxNLocator(nbins=8 if fine else 4, steps=[1, 2, 5, 10]))
        axis.set_minor_locator(AutoMinorLocator(5 if fine else 2))


def _axis_labels(axes: Axes, matrix: Matrix) -> None:
    axes.set(xlabel=matrix.axes[0].label, ylabel=matrix.axes[1].label)


def _filled(matrix: Matrix) -> NDArray[np.float64]:
    """Contents with nan where nothing was filled, which is drawn white."""
    view: Any = matrix.view()
    return np.where(view.variance > 0.0, view.value, np.nan)


def _norm(matrices: Sequence[Matrix], log: bool) -> Normalize:
    from matplotlib.colors import LogNorm, Normalize

    values = np.concatenate([_filled(matrix).ravel() for matrix in matrices])
    values = values[values > 0.0] if log else values[~np.isnan(values)]
    if not len(values):
        return Normalize(0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if log:
        return LogNorm(low, max(high, 2.0 * low))
    return Normalize(min(low, 0.0), max(high, 0.0))


def _colour_bar(frame: Frame, mesh: QuadMesh, matrix: Matrix) -> None:
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    place: dict[str, Any] = {"ax": frame.panels} if frame.bar is None else {"cax": frame.bar}
    bar = frame.figure.colorbar(mesh, **place)
    bar.set_label(f"{unit(matrix).capitalize()} / bin", loc="center")
    low, high = mesh.get_clim()
    if isinstance(mesh.norm, LogNorm) and low >= 0.01 and high < 10_000.0:
        bar.locator = LogLocator(subs=(1.0, 2.0, 5.0) if high < 1000.0 * low else (1.0,))
        bar.formatter = StrMethodFormatter("{x:g}")
        bar.minorformatter = NullFormatter()
        bar.update_ticks()
