"""Results as pictures; nothing is drawn or imported before it is asked for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.unfolding.study import LEVEL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from forefold.unfolding.result import Unfolded
    from forefold.unfolding.solution import Scan
    from forefold.unfolding.study import Closure

    Array = NDArray[np.float64]

__all__ = ["closure_figure", "strength_figure", "unfolded_figure"]

_SIZE = (7.0, 5.6)
_COLOURS = ("#1f4e79", "#c8641e", "#3a7d44", "#7b3f8c", "#8a6d1f", "#555555")


def unfolded_figure(
    result: Unfolded, *, truth: ArrayLike | None = None, ax: Axes | None = None
) -> Figure:
    """Draw a result: spectrum, A_C, correlations, and the choice of its strength or the refolded data.

    Parameters
    ----------
    result : Unfolded
    truth : array_like, shape (n_true,), optional
        A model.
    ax : Axes, optional
        Draw only the spectrum, there.

    Returns
    -------
    Figure
    """
    from matplotlib.figure import Figure

    from forefold.plot.style import style

    if ax is not None:
        _spectrum(ax, result, truth)
        drawn: Figure = ax.figure.figure
        return drawn
    with style():
        figure = Figure(figsize=_SIZE, layout="constrained")
        panels = figure.subplots(2, 2)
        _spectrum(panels[0, 0], result, truth)
        _matrix(panels[0, 1], result.smearing, "$A_C$: true bin", "Unfolded bin")
        _matrix(panels[1, 0], result.correlation, "Unfolded bin", "Unfolded bin", "Correlation")
        if result.scan is None:
            _refolded(panels[1, 1], result)
        else:
            _shown(panels[1, 1], result.scan, result.strength, result.scan.rule)
    return figure


def _edges(result: Unfolded) -> tuple[Array, str]:
    """Edges of the bins along one axis, and its label; numbers of bins where there are several axes."""
    if len(result.axes) == 1:
        axis = result.axes[0]
        return np.asarray(axis.edges, dtype=np.float64), str(axis.label or axis.name)
    return np.arange(len(result.values) + 1, dtype=np.float64) - 0.5, "True bin"


def _spectrum(ax: Any, result: Unfolded, truth: ArrayLike | None) -> None:
    edges, label = _edges(result)
    widths = np.diff(edges)
    several = len(result.axes) == 1 and not np.allclose(widths, widths[0])
    widths = widths if several else np.ones_like(widths)
    centres = 0.5 * (edges[1:] + edges[:-1])
    if truth is not None:
        model = np.ravel(np.asarray(truth, dtype=np.float64))
        ax.stairs(model / widths, edges, color="0.6", linestyle=":", label="Model")
        ax.stairs(result.smear(model) / widths, edges, color=_COLOURS[1], label="$A_C$ model")
    ax.errorbar(
        centres,
        result.values / widths,
        xerr=0.5 * np.diff(edges),
        yerr=result.errors / widths,
        fmt="o",
        markersize=2.5,
        linewidth=0.9,
        color=_COLOURS[0],
        label=f"Unfolded ({result.method})",
    )
    ax.set(
        xlabel=label,
        ylabel="Events / unit" if several else "Events / bin",
        xlim=(edges[0], edges[-1]),
    )
    ax.legend(frameon=True, framealpha=0.85, edgecolor="none")


def _matrix(ax: Any, matrix: Array, x: str, y: str, title: str = "") -> None:
    largest = 1.0 if title else max(float(abs(matrix).max()), 1e-300)
    shown = ax.pcolormesh(matrix, cmap="RdBu_r", vmin=-largest, vmax=largest, rasterized=True)
    ax.set(xlabel=x, ylabel=y)
    ax.figure.colorbar(shown, ax=ax, label=title or None)


def _refolded(ax: Any, result: Unfolded) -> None:
    edges = np.arange(len(result.data) + 1) - 0.5
    ax.stairs(result.refolded, edges, color=_COLOURS[1], label="Refolded")
    ax.plot(np.arange(len(result.data)), result.data, "o", markersize=2.5, color="k", label="Data")
    ax.set(xlabel="Reconstructed bin", ylabel="Events / bin")
    ax.legend(title=f"$\\chi^2$/ndf = {result.chi2:.3g}/{result.ndf:.3g}")


def _shown(ax: Any, scan: Scan, strength: float, how: str) -> None:
    """Draw what was looked at to choose a strength, and the one that was taken."""
    if np.isfinite(scan.roughness).all():
        ax.loglog(scan.residual, scan.roughness, color=_COLOURS[0])
        near = int(np.argmin(abs(np.log(scan.strengths / max(strength, 1e-300)))))
        at = (scan.residual[near], scan.roughness[near])
        ax.plot(*at, "o", color=_COLOURS[1], label=f"{how}: {strength:.3g}")
        ax.set(xlabel="Refolded $\\chi^2$", ylabel="Roughness")
    else:
        ax.plot(scan.strengths, scan.criterion, ".-", color=_COLOURS[0])
        line = {"color": _COLOURS[1], "linewidth": 0.8, "label": f"{how}: {strength:g}"}
        ax.axvline(strength, **line)
        if (scan.criterion > 0.0).all():
            ax.set_yscale("log")
        ax.set(xlabel="Iterations", ylabel=f"Criterion ({scan.rule})")
    ax.legend()


def strength_figure(scan: Scan, strength: float, how: str) -> Figure:
    """Draw the L-curve, or what a stopping rule looks at, with the strength that was taken.

    Parameters
    ----------
    scan : Scan
    strength : float
        Or the number of iterations.
    how : str
        How it was chosen, in a word.

    Returns
    -------
    Figure
    """
    from matplotlib.figure import Figure

    from forefold.plot.style import style

    with style():
        figure = Figure(figsize=(0.55 * _SIZE[0], 0.5 * _SIZE[1]), layout="constrained")
        _shown(figure.subplots(), scan, strength, how)
    return figure


def closure_figure(found: Closure) -> Figure:
    """Draw bias over error, width of pulls, and coverage of truth and of A_C truth, in bins.

    Parameters
    ----------
    found : Closure

    Returns
    -------
    Figure
    """
    from matplotlib.figure import Figure

    from forefold.plot.style import style

    bins = np.arange(len(found.truth))
    with style():
        figure = Figure(figsize=_SIZE, layout="constrained")
        panels = figure.subplots(2, 2, sharex=True)
        for k, (name, study) in enumerate(found.studies.items()):
            colour = _COLOURS[k % len(_COLOURS)]
            shown = {
                "color": colour,
                "label": name,
                "marker": ".",
                "markersize": 4,
                "linewidth": 0.9,
            }
            safe = np.where(study.error > 0.0, study.error, math.nan)
            panels[0, 0].plot(bins, study.bias / safe, **shown)
            panels[0, 1].plot(bins, study.pull_width, **shown)
            panels[1, 0].plot(bins, study.coverage, **shown)
            panels[1, 1].plot(bins, study.smeared_coverage, **shown)
        names = ("Bias / error", "Width of pulls", "Coverage of truth", "Coverage of $A_C$ truth")
        for panel, name, wanted in zip(panels.flat, names, (0.0, 1.0, LEVEL, LEVEL), strict=True):
            panel.axhline(wanted, color="0.5", linewidth=0.7, linestyle="--")
            panel.set(ylabel=name)
        for panel in panels[1]:
            panel.set(xlabel="True bin", ylim=(0.0, 1.0))
            panel.axhspan(
                LEVEL - found.coverage_error, LEVEL + found.coverage_error, color="0.9", zorder=0
            )
        handles, names = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=4)
    return figure
