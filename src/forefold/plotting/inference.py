"""Fits, intervals and expected limits as pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.plotting.style import drawn, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from forefold.inference.expected_limit import ExpectedLimit
    from forefold.inference.intervals import Interval
    from forefold.inference.result import FitResult
    from forefold.matrix import Prediction

    Array = NDArray[np.float64]

__all__ = ["band_figure", "fit_figure", "interval_figure", "prediction_figure"]

_COLOURS = ("#1f4e79", "#c8641e", "0.6")
_MOST = 3  # parameters in the corner
_REACH = 3.0  # standard deviations
_CURVE, _FIELD = 25, 15  # points of a profile, and along each side of a contour
_LEVELS = (2.2957, 5.9915)  # 68.27 % and 95 % of two parameters


def fit_figure(result: FitResult, *, ax: Axes | None = None) -> Figure:
    """Draw data with the fit, a corner of profile likelihoods, and pulls.

    Parameters
    ----------
    result : FitResult
    ax : Axes, optional
        Draw only data and fit, there.

    Returns
    -------
    Figure

    Notes
    -----
    The corner has the first three parameters that are no pulls; in each panel all others are profiled. Contours are at 68.27 % and
    95 % for two parameters by Wilks' theorem.
    """
    from matplotlib.figure import Figure

    if ax is not None:
        _spectrum(ax, result)
        whole: Figure = ax.figure.figure
        return whole
    held = result.problem.fixed
    shown = [k for k, n in enumerate(result.names) if n not in result.pulls and not held[k]][:_MOST]
    n = max(len(shown), 1)
    with style():
        rows = 1 + bool(result.pulls)
        figure = Figure(figsize=(7.0, 2.9 * rows + 0.6 * (n > 1)), layout="constrained")
        parts = figure.subfigures(rows, 1, squeeze=False, height_ratios=[1.0, 0.75][:rows])
        left, right = parts[0, 0].subfigures(1, 2)
        _spectrum(left.subplots(), result)
        if shown:
            _corner(right, result, shown)
        if result.pulls:
            _pulls(parts[1, 0].subplots(), result)
    return figure


def interval_figure(interval: Interval, *, ax: Axes | None = None) -> Figure:
    """Draw the p-values of an interval.

    Parameters
    ----------
    interval : Interval
    ax : Axes, optional

    Returns
    -------
    Figure
    """
    with drawn(ax, aspect=0.75, bar=False) as frame:
        panel = frame.panels[0]
        marker = ".-" if interval.toys else "-"
        panel.plot(interval.points, interval.p_values, marker, color=_COLOURS[0])
        panel.axhline(1.0 - interval.level, color=_COLOURS[2], linewidth=0.7, linestyle="--")
        panel.axvspan(interval.lower, interval.upper, color="0.92", zorder=0)
        panel.set(
            xlabel=_words(interval.parameter),
            ylabel=f"p-value ({interval.method})",
            ylim=(0.0, 1.05),
        )
    return frame.figure


def prediction_figure(prediction: Prediction, *, ax: Axes | None = None) -> Figure:
    """Draw what is expected, with one standard deviation of simulation and detector.

    Parameters
    ----------
    prediction : Prediction
    ax : Axes, optional

    Returns
    -------
    Figure
    """
    axes = tuple(prediction.histogram.axes)
    edges, per, label, unit = _bins(axes, len(prediction.values))
    width = np.sqrt(np.maximum(np.diagonal(prediction.covariance), 0.0)) / per
    mean = prediction.values / per
    with drawn(ax, aspect=0.75, bar=False) as frame:
        panel = frame.panels[0]
        panel.stairs(
            mean + width, edges, baseline=mean - width, fill=True, color="0.85", label="±1 sd"
        )
        panel.stairs(mean, edges, color=_COLOURS[0], label="Expected")
        panel.set(xlabel=label, ylabel=unit, xlim=(edges[0], edges[-1]))
        panel.set_ylim(bottom=0.0)
        panel.legend()
    return frame.figure


def _bins(axes: tuple[Any, ...], n: int) -> tuple[Array, Array, str, str]:
    """Edges, widths to divide by, and labels; numbers of bins where there are several axes."""
    if len(axes) != 1:
        edges = np.arange(n + 1, dtype=np.float64) - 0.5
        return edges, np.ones(n), "Reconstructed bin", "Events / bin"
    edges = np.asarray(axes[0].edges, dtype=np.float64)
    widths, label = np.diff(edges), str(axes[0].label or axes[0].name)
    if np.allclose(widths, widths[0]):
        return edges, np.ones(n), label, "Events / bin"
    return edges, widths, label, "Events / unit"


def _spectrum(ax: Any, result: FitResult) -> None:
    edges, per, label, unit = _bins(result.axes, len(result.data))
    ax.stairs(result.prediction / per, edges, color=_COLOURS[1], label="Fit")
    middle = 0.5 * (edges[1:] + edges[:-1])
    ax.errorbar(
        middle,
        result.data / per,
        yerr=np.sqrt(result.data) / per,
        fmt="o",
        color="k",
        markersize=2.5,
        linewidth=0.8,
        label="Data",
    )
    ax.set(xlabel=label, ylabel=unit)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(bottom=0.0)
    ax.legend(title=f"deviance/ndf = {result.deviance:.3g}/{result.ndf}")


def _range(result: FitResult, k: int, points: int) -> Array:
    name = result.names[k]
    width = result.errors[name]
    width = width if np.isfinite(width) and width > 0.0 else max(abs(result.x[k]), 1.0)
    low, high = result.problem.objective.lower[k], result.problem.objective.upper[k]
    return np.linspace(
        max(result.x[k] - _REACH * width, low), min(result.x[k] + _REACH * width, high), points
    )


def _corner(figure: Any, result: FitResult, shown: list[int]) -> None:
    from matplotlib.ticker import MaxNLocator

    panels = figure.subplots(len(shown), len(shown), squeeze=False)
    for i, row in enumerate(shown):
        for j, column in enumerate(shown):
            panel = panels[i, j]
            if j > i:
                panel.set_axis_off()
            elif i == j:
                x = _range(result, row, _CURVE)
                panel.plot(x, result.profile(result.names[row], x), color=_COLOURS[0])
                panel.axhline(1.0, color=_COLOURS[2], linewidth=0.7, linestyle="--")
                panel.set(ylim=(0.0, _REACH**2), xlim=(x[0], x[-1]))
                panel.yaxis.set_label_position("right")
                panel.yaxis.tick_right()
                panel.set_ylabel("$-2\\Delta\\ln L$")
            else:
                _contour(panel, result, column, row)
                panel.yaxis.set_major_locator(MaxNLocator(3))
                panel.tick_params(labelleft=j == 0)
                if j == 0:
                    panel.set_ylabel(_words(result.names[row]))
            panel.xaxis.set_major_locator(MaxNLocator(2 if len(shown) > 1 else 5))
            panel.tick_params(labelbottom=i == len(shown) - 1)
            if i == len(shown) - 1:
                panel.set_xlabel(_words(result.names[column]))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _contour(panel: Any, result: FitResult, column: int, row: int) -> None:
    x, y = _range(result, column, _FIELD), _range(result, row, _FIELD)
    fixed = result.problem.fixed.copy()
    fixed[column] = True
    best = result.problem.best(result.x)
    field = np.empty((len(y), len(x)))
    for j, value in enumerate(x):
        near = np.array(best.x)
        near[column] = value
        part = replace(result.problem, fixed=fixed, place=row)
        for i, other in enumerate(y):
            field[i, j] = part.ratio(float(other), best, near)
    panel.contour(x, y, field, levels=_LEVELS, colors=[_COLOURS[0], _COLOURS[2]], linewidths=1.0)
    panel.plot(best.x[column], best.x[row], "+", color=_COLOURS[1])


def _pulls(ax: Any, result: FitResult) -> None:
    place = np.arange(len(result.pulls))
    values = [result.values[name] for name in result.pulls]
    errors = [result.errors[name] for name in result.pulls]
    ax.axhspan(-1.0, 1.0, color="0.92", zorder=0)
    ax.axhline(0.0, color="0.5", linewidth=0.7)
    ax.errorbar(
        place, values, yerr=errors, fmt="o", markersize=2.5, linewidth=0.9, color=_COLOURS[0]
    )
    ax.set_xticks(place, [_words(name) for name in result.pulls], rotation=60, ha="right")
    ax.tick_params(axis="x", which="minor", bottom=False, top=False)
    ax.set(ylabel="Pull", xlim=(-0.7, len(place) - 0.3))
    top = max(2.0, *(abs(v) + e for v, e in zip(values, errors, strict=True)))
    ax.set_ylim(-top, top)


_YELLOW, _GREEN = "#f5d547", "#5ab45a"
_WORDS = {"cls": "$\\mathrm{CL_s}$", "profile": "p-value", "bayes": ""}


def band_figure(
    expected: ExpectedLimit, observed: float | None = None, *, ax: Axes | None = None
) -> Figure:
    """Draw CLs of data without signal against the parameter, or the limits of toys.

    Parameters
    ----------
    expected : ExpectedLimit
    observed : float, optional
        Limit of data.
    ax : Axes, optional

    Returns
    -------
    Figure
    """
    with drawn(ax, aspect=0.75, bar=False) as frame:
        panel: Any = frame.panels[0]
        (_curves if expected.points.size else _limits)(panel, expected)
        if observed is not None:
            panel.axvline(observed, color="k", linewidth=1.2, label="Observed")
        panel.set_xlabel(expected.parameter.replace("_", " "))
        panel.legend()
    return frame.figure


def _curves(panel: Any, expected: ExpectedLimit) -> None:
    two, one, middle, up, far = expected.shares
    panel.fill_between(expected.points, two, far, color=_YELLOW, linewidth=0.0, label="±2 sd")
    panel.fill_between(expected.points, one, up, color=_GREEN, linewidth=0.0, label="±1 sd")
    panel.plot(expected.points, middle, "--", color="k", label="Expected")
    excluded = 1.0 - expected.level
    panel.axhline(excluded, color="0.4", linewidth=0.7, label=f"{100.0 * excluded:.3g} %")
    panel.set(ylabel=_WORDS[expected.method], xlim=(expected.points[0], expected.points[-1]))
    panel.set_ylim(0.0, 1.0 if expected.points[0] <= 0.0 else None)


def _limits(panel: Any, expected: ExpectedLimit) -> None:
    two, one, middle, up, far = expected.band
    panel.axvspan(two, far, color=_YELLOW, linewidth=0.0, label="±2 sd")
    panel.axvspan(one, up, color=_GREEN, linewidth=0.0, label="±1 sd")
    panel.axvline(middle, color="k", linestyle="--", label="Expected")
    panel.hist(expected.limits, bins=30, histtype="step", color="0.3")
    panel.set(ylabel="Toys / bin")
    panel.set_ylim(bottom=0.0)
