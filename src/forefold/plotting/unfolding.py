"""Unfolded spectra, the choice of their strength, and closure as pictures."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold.plotting.style import style
from forefold.unfolding.closure import LEVEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from forefold.unfolding.closure import Closure
    from forefold.unfolding.result import Unfolded
    from forefold.unfolding.solution import Scan

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

    if ax is not None:
        _spectrum(ax, result, truth)
        whole: Figure = ax.figure.figure
        return whole
    with style():
        figure = Figure(figsize=_SIZE, layout="constrained")
        panels = figure.subplots(2, 2)
        _spectrum(panels[0, 0], result, truth)
        bins = _bins(result.axes, len(result.values), "True")
        unfolded_label = _unfolded_label(bins.label)
        largest = max(float(abs(result.smearing).max()), 1e-300)
        _matrix(
            panels[0, 1],
            result.smearing,
            bins.edges,
            (bins.label, unfolded_label),
            "$A_C$",
            largest,
        )
        _matrix(
            panels[1, 0],
            result.correlation,
            bins.edges,
            (unfolded_label, unfolded_label),
            "Correlation",
            1.0,
        )
        if result.scan is None:
            _refolded(panels[1, 1], result)
        else:
            _shown(panels[1, 1], result.scan, result.strength, result.scan.rule)
    return figure


class _Bins(NamedTuple):
    """Bins along one axis, with its label; numbers of bins where there are several axes."""

    edges: Array
    label: str
    widths: Array  # what contents are divided by
    height: str

    @property
    def centres(self) -> Array:
        return 0.5 * (self.edges[1:] + self.edges[:-1])


def _bins(axes: Sequence[Any], n: int, side: str) -> _Bins:
    edges, label = np.arange(n + 1, dtype=np.float64) - 0.5, f"{side} bin"
    if len(axes) == 1 and len(axes[0]) == n:
        edges = np.asarray(axes[0].edges, dtype=np.float64)
        label = str(axes[0].label or axes[0].name)
    widths = np.diff(edges)
    if np.allclose(widths, widths[0]):
        return _Bins(edges, label, np.ones(n), "Events / bin")
    unit = re.search(r"\[([^\]]+)\]\s*$", label)
    return _Bins(edges, label, widths, f"Events / {unit[1] if unit else 'unit'}")


def _unfolded_label(label: str) -> str:
    """Say of a true axis that it is of what was unfolded."""
    return f"Unfolded {label.removeprefix('True ')}"


def _spectrum(ax: Any, result: Unfolded, truth: ArrayLike | None) -> None:
    bins = _bins(result.axes, len(result.values), "True")
    edges, widths = bins.edges, bins.widths
    if truth is not None:
        model = np.ravel(np.asarray(truth, dtype=np.float64))
        # A_C may be 1: the model is seen on the line that it then lies on
        dotted: dict[str, Any] = {"color": "k", "linestyle": ":", "linewidth": 1.0, "zorder": 2.0}
        ax.stairs(model / widths, edges, label="Model", **dotted)
        smeared: dict[str, Any] = {"color": _COLOURS[1], "linewidth": 2.0, "zorder": 1.5}
        ax.stairs(result.smear(model) / widths, edges, label="$A_C$ model", **smeared)
    ax.errorbar(
        bins.centres,
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
        xlabel=bins.label,
        ylabel=bins.height,
        xlim=(edges[0], edges[-1]),
    )
    _from_zero(ax)
    ax.legend(frameon=True, framealpha=0.85, edgecolor="none")


def _from_zero(ax: Any) -> None:
    """Let contents begin at zero, unless something that is drawn is below."""
    if ax.dataLim.y0 >= 0.0:
        ax.set_ylim(bottom=0.0, auto=None)  # what is drawn there later is still seen whole


def _matrix(
    ax: Any, matrix: Array, edges: Array, labels: tuple[str, str], title: str, largest: float
) -> None:
    limits: dict[str, Any] = {"vmin": -largest, "vmax": largest}
    shown = ax.pcolormesh(edges, edges, matrix, cmap="RdBu_r", rasterized=True, **limits)
    ax.set(xlabel=labels[0], ylabel=labels[1])
    ax.figure.colorbar(shown, ax=ax, label=title)


def _refolded(ax: Any, result: Unfolded) -> None:
    bins = _bins(result.reco_axes, len(result.data), "Reconstructed")
    counts, refolded = result.data / bins.widths, result.refolded / bins.widths
    ax.stairs(refolded, bins.edges, color=_COLOURS[1], label="Refolded")
    ax.plot(bins.centres, counts, "o", markersize=2.5, color="k", label="Data")
    ax.set(xlabel=bins.label, ylabel=bins.height, xlim=(bins.edges[0], bins.edges[-1]))
    _from_zero(ax)
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

    with style():
        figure = Figure(figsize=(0.55 * _SIZE[0], 0.5 * _SIZE[1]), layout="constrained")
        _shown(figure.subplots(), scan, strength, how)
    return figure


def closure_figure(closure: Closure) -> Figure:
    """Draw bias over error, width of pulls, and coverage of truth and of A_C truth, in bins.

    Parameters
    ----------
    closure : Closure

    Returns
    -------
    Figure
    """
    from matplotlib.figure import Figure

    n = max(len(study.bias) for study in closure.studies.values())
    bins = _bins(closure.axes, n, "True")
    with style():
        figure = Figure(figsize=_SIZE, layout="constrained")
        panels = figure.subplots(2, 2, sharex=True)
        for k, (name, study) in enumerate(closure.studies.items()):
            colour = _COLOURS[k % len(_COLOURS)]
            shown = {
                "color": colour,
                "label": name,
                "marker": ".",
                "markersize": 4,
                "linewidth": 0.9,
            }
            safe = np.where(study.error > 0.0, study.error, math.nan)
            panels[0, 0].plot(bins.centres, study.bias / safe, **shown)
            panels[0, 1].plot(bins.centres, study.pull_width, **shown)
            panels[1, 0].plot(bins.centres, study.coverage, **shown)
            panels[1, 1].plot(bins.centres, study.smeared_coverage, **shown)
        names = ("Bias / error", "Width of pulls", "Coverage of truth", "Coverage of $A_C$ truth")
        for panel, name, wanted in zip(panels.flat, names, (0.0, 1.0, LEVEL, LEVEL), strict=True):
            panel.axhline(wanted, color="0.5", linewidth=0.7, linestyle="--")
            panel.set(ylabel=name)
        for panel in panels[1]:
            panel.set(xlabel=bins.label, ylim=(0.0, 1.05))
            panel.axhspan(
                LEVEL - closure.coverage_error,
                LEVEL + closure.coverage_error,
                color="0.9",
                zorder=0,
            )
        handles, names = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=4)
    return figure
