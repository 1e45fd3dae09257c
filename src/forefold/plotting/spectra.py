"""What a detector sees of a spectrum, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.plotting.matrix import draw_stack, flat_edges, flat_label, stacked_parts
from forefold.plotting.style import PAGE, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from forefold.matrix import Prediction

    Array = NDArray[np.float64]

__all__ = ["folded_figure"]

_INK, _BLUE, _RED = "black", "#0072b2", "#d55e00"


def folded_figure(
    prediction: Prediction, *, truth: Any = None, data: Any = None, scale: float = 1.0
) -> Figure:
    """Draw a folded spectrum with its errors and, of what was added to the signal, backgrounds and fakes, and its correlations.

    Parameters
    ----------
    prediction : Prediction
        From `forefold.fold`.
    truth : UHI histogram, optional
        What was folded, drawn where it has the same bins.
    data : UHI histogram, optional
        What was seen, over the reconstructed axes.
    scale : float
        Of prediction and truth, such as that of the exposure.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import forefold
    >>> matrix = forefold.ResponseMatrix.from_array([[0.5, 0.3], [0.1, 0.7]], [0, 1, 2], [0, 1, 2], entries=100)
    >>> len(folded_figure(forefold.fold(matrix.truth, matrix)).axes)
    3
    """
    from matplotlib.figure import Figure

    axes = tuple(prediction.histogram.axes)
    edges = flat_edges(axes)
    with style():
        figure = Figure(figsize=(PAGE, 0.42 * PAGE), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1.0))
        values = scale * prediction.values
        error = scale * np.sqrt(np.maximum(np.diagonal(prediction.covariance), 0.0))
        if truth is not None:
            true = scale * np.asarray(truth.values(), dtype=np.float64).reshape(-1)
            if true.size == values.size:
                left.stairs(true, edges, color="0.55", linestyle=":", label="True")
        beside = stacked_parts(prediction.backgrounds, prediction.fakes)
        draw_stack(left, {name: scale * contents for name, contents in beside.items()}, edges)
        left.stairs(values, edges, color=_BLUE, label="Folded")
        if error.any():
            left.stairs(
                values + error, edges, baseline=values - error, fill=True, color=_BLUE, alpha=0.25
            )
        if data is not None:
            _points(left, data, edges)
        left.set(xlabel=flat_label(axes), ylabel="Events / bin", xlim=(edges[0], edges[-1]))
        left.set_ylim(bottom=0.0)
        left.legend()
        mesh = right.pcolormesh(
            edges,
            edges,
            prediction.correlation,
            cmap="RdBu_r",
            vmin=-1.0,
            vmax=1.0,
            rasterized=True,
        )
        right.set(xlabel=flat_label(axes), ylabel=flat_label(axes))
        figure.colorbar(mesh, ax=right, label="Correlation of the prediction")
    return figure


def _points(panel: Any, data: Any, edges: Array) -> None:
    counts = np.asarray(data.values(), dtype=np.float64).reshape(-1)
    variances = data.variances()
    spread = np.sqrt(
        np.maximum(counts if variances is None else np.asarray(variances).reshape(-1), 0.0)
    )
    panel.errorbar(
        0.5 * (edges[1:] + edges[:-1]), counts, yerr=spread, fmt="o", markersize=2.5, linewidth=0.9,
        color=_INK, label="Data",
    )  # fmt: skip
