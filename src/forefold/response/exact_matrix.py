"""The exact matrix of a response in a binning."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import hist
    from numpy.typing import ArrayLike

    from forefold.response.base import Array, Response

__all__ = ["exact_matrix"]

_POINTS = 8  # of Gauss-Legendre quadrature in a panel
_PANEL = 0.5  # of the response's width
_MOST_PANELS = 1000
_VALUES = 2_000_000  # held in memory at once
_ONE_SIGMA = (0.15865525393145707, 0.8413447460685429)  # Phi(-1), Phi(1)


def _edges(name: str, edges: ArrayLike) -> Array:
    values = np.asarray(edges, dtype=np.float64)
    good = values.ndim == 1 and values.size > 1 and np.all(np.isfinite(values))
    if not (good and np.all(np.diff(values) > 0)):
        message = f"{name} are {values.tolist()}; two or more finite ascending numbers are needed"
        raise ValueError(message)
    return values


def exact_matrix(
    response: Response,
    true_edges: ArrayLike,
    reco_edges: ArrayLike,
    weights: Callable[[Any], Any] | None,
) -> hist.Hist[Any]:
    """Exact matrix ``R[true, reco]``; see `forefold.response.Response.matrix`.

    Parameters
    ----------
    response : Response
        The response whose matrix is wanted.
    true_edges, reco_edges : array_like
        Finite and ascending.
    weights : callable, optional
        Density of the true values; uniform in each bin if not given.

    Returns
    -------
    hist.Hist
        Axes ``true`` and ``reco``; a row sums to its efficiency, with under- and overflow.
    """
    import hist

    true, reco = _edges("true_edges", true_edges), _edges("reco_edges", reco_edges)
    breaks = np.unique(response._breaks(reco))
    matrix: hist.Hist[Any] = hist.Hist(
        hist.axis.Variable(true, name="true", flow=False),
        hist.axis.Variable(reco, name="reco"),
    )
    content = matrix.values(flow=True)  # a view
    for i, (low, high) in enumerate(itertools.pairwise(true)):
        inside = breaks[(breaks > low) & (breaks < high)]
        at, share = _quadrature(response, np.concatenate([[low], inside, [high]]))
        content[i] = _row(response, at, _weighted(at, share, weights), reco)
    return matrix


def _quadrature(response: Response, pieces: Array) -> tuple[Array, Array]:
    """Points and weights of panels that are narrow beside the response's width."""
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    ends = [pieces[:1]]
    for low, high in itertools.pairwise(pieces):
        n = 1
        if not response._is_point():
            at = np.linspace(low, high, 7)[1:-1]
            quantiles = response.ppf(np.array(_ONE_SIGMA)[:, None], at)
            width = 0.5 * (quantiles[1] - quantiles[0])
            width = width[width > 0.0]
            n = (
                int(min((high - low) / (_PANEL * width.min()) + 1, _MOST_PANELS))
                if width.size
                else 1
            )
        elif not response._breaks(pieces).size:
            n = _MOST_PANELS
        ends.append(np.linspace(low, high, n + 1)[1:])
    edges = np.concatenate(ends)
    half, middle = 0.5 * np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
    at = (middle[:, None] + half[:, None] * nodes).reshape(-1)
    return at, (half[:, None] * weights).reshape(-1)


def _weighted(at: Array, share: Array, weights: Callable[[Any], Any] | None) -> Array:
    if weights is not None:
        weight = np.broadcast_to(np.asarray(weights(at), dtype=np.float64), at.shape)
        if not np.all((weight >= 0.0) & (weight < np.inf)):
            message = f"weights from {weight.min():g} to {weight.max():g}; finite ones of 0 or more are needed"
            raise ValueError(message)
        share = share * weight
    total = share.sum()
    return share / total if total > 0.0 else np.zeros_like(share)


def _row(response: Response, at: Array, share: Array, reco: Array) -> Array:
    """Average of the bins' probabilities over the points, under- and overflow included."""
    edges = np.concatenate([[-np.inf], reco, [np.inf]])
    step = max(_VALUES // ((len(edges) - 1) * response._cost()), 1)
    row = np.zeros(len(edges) - 1)
    for first in range(0, at.size, step):
        here = slice(first, first + step)
        detected = share[here] * response.efficiency(at[here])
        probabilities = response.bin_probabilities(edges, at[here])
        row += np.where(detected[:, None] > 0.0, probabilities * detected[:, None], 0.0).sum(axis=0)
    return row
