"""Figures made of lines: the distributions, and bias and resolution against energy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.plotting.matrix import by_type, card_name, check_axes, count, heading
from forefold.plotting.style import (
    PAGE,
    drawn,
    framed,
    outer_labels,
    panel_columns,
    style,
    tag,
    type_label,
)
from forefold.response.distributions import log_normal_pdf, normal_pdf, truncated_normal_pdf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from forefold.plotting.matrix import Matrix

__all__ = ["angle_figure", "log_normal_figure", "resolution_figure"]

_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "0.45"  # told apart by all eyes (Okabe and Ito)
_FEWEST = 10.0


def log_normal_figure(
    mean: float = 1.0, resolution: float = 0.5, *, ax: Axes | None = None
) -> Figure:
    """Log-normal against truncated Gaussian of the same mean and resolution.

    Parameters
    ----------
    mean : float, GeV
        True energy.
    resolution : float
        Relative; 0.5 is the neutron of the Default model.
    ax : Axes, optional
        Draw there, in the style that it has.

    Returns
    -------
    Figure

    Notes
    -----
    The cut at zero moves the Gaussian's mean up; the log-normal keeps it. Both means are in the legend.

    References
    ----------
    I. Vohra, arXiv:2209.05260, Fig. 2.

    Examples
    --------
    >>> [text.get_text() for text in log_normal_figure().axes[0].get_legend().get_texts()]
    ['log-normal, mean 1.000 GeV', 'truncated Gaussian, mean 1.028 GeV', 'true energy']
    """
    energy = np.linspace(0.0, mean * (1.0 + 4.0 * resolution), 801)
    sigma = resolution * mean
    kept = 0.5 * math.erfc(-1.0 / (resolution * math.sqrt(2.0)))
    shifted = mean + sigma**2 * float(normal_pdf(0.0, mean, sigma)) / kept
    with drawn(ax, aspect=0.72, bar=False) as frame:
        axes = frame.panels[0]
        axes.plot(
            energy,
            log_normal_pdf(energy, mean, resolution),
            color=_BLUE,
            label=f"log-normal, mean {mean:.3f} GeV",
        )
        axes.plot(
            energy,
            truncated_normal_pdf(energy, mean, resolution),
            color=_ORANGE,
            linestyle="--",
            label=f"truncated Gaussian, mean {shifted:.3f} GeV",
        )
        axes.axvline(mean, color=_GREY, linewidth=0.7, linestyle=":", label="true energy")
        axes.set_xlim(0.0, energy[-1])
        axes.set_ylim(0.0, 1.45 * axes.dataLim.y1)
        axes.set(xlabel="Reconstructed energy [GeV]", ylabel="Probability density [1/GeV]")
        axes.set_title(f"True energy {mean:g} GeV, resolution {100 * resolution:g} %", loc="left")
        axes.legend(loc="upper right")
    return frame.figure


def angle_figure(resolutions: Sequence[float] = (5.0, 2.0), *, ax: Axes | None = None) -> Figure:
    """Gaussians of the polar angle about its true value.

    Parameters
    ----------
    resolutions : sequence of float, degrees
        Standard deviations; 5 and 2 are those of the proton in the DUNE-CDR and of the muon in the Default
        model.
    ax : Axes, optional
        Draw there, in the style that it has.

    Returns
    -------
    Figure

    References
    ----------
    I. Vohra, arXiv:2209.05260, Fig. 4.

    Examples
    --------
    >>> [text.get_text() for text in angle_figure().axes[0].get_legend().get_texts()]
    ['σ = 5°', 'σ = 2°']
    """
    reach = 4.0 * max(resolutions)
    angle = np.linspace(-reach, reach, 801)
    strokes = ((_BLUE, "-"), (_ORANGE, "--"), ("#009E73", "-."), ("#CC79A7", ":"))
    with drawn(ax, aspect=0.72, bar=False) as frame:
        axes = frame.panels[0]
        for index, sigma in enumerate(resolutions):
            colour, dashes = strokes[index % len(strokes)]
            density = normal_pdf(angle, 0.0, sigma)
            axes.plot(angle, density, color=colour, linestyle=dashes, label=f"σ = {sigma:g}°")
        axes.set_xlim(-reach, reach)
        axes.set_ylim(0.0, 1.1 * axes.dataLim.y1)
        axes.set(xlabel="Reconstructed − true angle [°]", ylabel="Probability density [1/°]")
        axes.set_title("Polar angle", loc="left")
        axes.legend(loc="upper right")
    return frame.figure


def resolution_figure(matrix: Matrix, *, title: str | None = None, sample: str = "") -> Figure:
    """Bias and resolution against true energy: median and central 68 % of reconstructed over true, by type.

    Parameters
    ----------
    matrix : Hist
        From `forefold.matrix.resolution_matrix`.
    title : str, optional
        The name of the card by default.
    sample : str
        What the events are, said above the figure.

    Returns
    -------
    Figure
        Bins with fewer than 10 effective entries are left out.

    Raises
    ------
    ValueError
        If the histogram is not such a matrix.
    """
    from matplotlib.ticker import LogLocator, MultipleLocator

    check_axes(matrix, "type", "energy_true", "energy_ratio")
    edges = matrix.axes["energy_true"].edges
    parts = by_type(matrix)
    with style():
        frame = framed(len(parts), panel_columns(len(parts)), PAGE, aspect=0.8, bar=False)
        for panel, (label, part) in zip(frame.panels, parts.items(), strict=True):
            low, middle, high = (_quantiles(part, p) for p in (0.158655, 0.5, 0.841345))
            panel.axhline(1.0, color=_GREY, linewidth=0.5, linestyle=(0, (6, 4)))
            panel.stairs(
                high, edges, baseline=low, fill=True, color=_BLUE, alpha=0.25, label="central 68 %"
            )
            panel.stairs(middle, edges, baseline=None, color=_BLUE, label="median")
            few = " (too few per bin)" if np.isnan(middle).all() else ""
            tag(panel, type_label(label), count(part) + few)
        first = frame.panels[0]
        first.set(xscale="log", xlim=(edges[0], edges[-1]), ylim=(0.0, 2.5))
        first.xaxis.set_minor_locator(LogLocator(subs=(2.0, 5.0)))
        first.yaxis.set_major_locator(MultipleLocator(1.0))
        first.yaxis.set_minor_locator(MultipleLocator(0.5))
        x = f"{matrix.axes['energy_true'].label}, of the kind that the card smears"
        name = card_name(matrix) if title is None else title
        outer_labels(frame, heading(matrix, name, sample), x, matrix.axes["energy_ratio"].label)
        handles, labels = first.get_legend_handles_labels()
        frame.figure.legend(
            handles, labels, loc="upper right", ncols=2, borderaxespad=0.0, borderpad=0.6
        )
    return frame.figure


def _quantiles(matrix: Matrix, probability: float) -> NDArray[np.float64]:
    """Quantile of the ratio in each bin of true energy; nan where there are too few entries."""
    edges = matrix.axes["energy_ratio"].edges
    view: Any = matrix.view(flow=True)
    value, variance = view.value[1:-1], view.variance[1:-1]
    total, squares = value.sum(axis=1), variance.sum(axis=1)
    cumulative = np.cumsum(value, axis=1)[:, :-1]  # below each edge, the underflow included
    quantiles = np.full(len(total), np.nan)
    for row in np.flatnonzero((total > 0.0) & (total**2 >= _FEWEST * squares)):
        quantiles[row] = np.interp(probability * total[row], cumulative[row], edges)
    return quantiles
