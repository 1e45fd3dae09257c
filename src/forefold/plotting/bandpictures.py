"""Expected limits as pictures, in green and yellow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from forefold.inference.expected_limit import ExpectedLimit

__all__ = ["band_figure"]

_YELLOW, _GREEN = "#f5d547", "#5ab45a"
_WORDS = {"cls": "$\\mathrm{CL_s}$", "profile": "p-value", "bayes": ""}


def band_figure(
    found: ExpectedLimit, observed: float | None = None, *, ax: Axes | None = None
) -> Figure:
    """Draw CLs of data without signal against the parameter, or the limits of toys.

    Parameters
    ----------
    found : ExpectedLimit
    observed : float, optional
        Limit of data.
    ax : Axes, optional

    Returns
    -------
    Figure
    """
    from forefold.plotting.layout import drawn

    with drawn(ax, aspect=0.75, bar=False) as frame:
        panel: Any = frame.panels[0]
        (_curves if found.points.size else _limits)(panel, found)
        if observed is not None:
            panel.axvline(observed, color="k", linewidth=1.2, label="Observed")
        panel.set_xlabel(found.parameter.replace("_", " "))
        panel.legend()
    return frame.figure


def _curves(panel: Any, found: ExpectedLimit) -> None:
    two, one, middle, up, far = found.shares
    panel.fill_between(found.points, two, far, color=_YELLOW, linewidth=0.0, label="±2 sd")
    panel.fill_between(found.points, one, up, color=_GREEN, linewidth=0.0, label="±1 sd")
    panel.plot(found.points, middle, "--", color="k", label="Expected")
    excluded = 1.0 - found.level
    panel.axhline(excluded, color="0.4", linewidth=0.7, label=f"{100.0 * excluded:.3g} %")
    panel.set(ylabel=_WORDS[found.method], xlim=(found.points[0], found.points[-1]))
    panel.set_ylim(0.0, 1.0 if found.points[0] <= 0.0 else None)


def _limits(panel: Any, found: ExpectedLimit) -> None:
    two, one, middle, up, far = found.band
    panel.axvspan(two, far, color=_YELLOW, linewidth=0.0, label="±2 sd")
    panel.axvspan(one, up, color=_GREEN, linewidth=0.0, label="±1 sd")
    panel.axvline(middle, color="k", linestyle="--", label="Expected")
    panel.hist(found.limits, bins=30, histtype="step", color="0.3")
    panel.set(ylabel="Toys / bin")
    panel.set_ylim(bottom=0.0)
