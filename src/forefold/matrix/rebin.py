"""Response matrices with fewer bins or fewer axes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.events import particles as species
from forefold.matrix.axes import matching, renamed
from forefold.matrix.build import per_row
from forefold.matrix.contents import (
    SPECTRUM,
    UNKNOWN,
    Contents,
    Oversampled,
    Replicas,
    empty,
    shape_of,
)
from forefold.matrix.irregular import bin_limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import hist
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["joined_axes", "projected", "rebinned"]


def joined_axes(axes: Sequence[Any], factors: Mapping[str, int]) -> list[Any]:
    """Join neighbouring bins of axes.

    Parameters
    ----------
    axes : sequence of hist axes
    factors : mapping of str to int
        How many neighbouring bins are joined, by name of the axis.

    Returns
    -------
    list of hist axes

    Raises
    ------
    ValueError
        If there is no such axis, or its bins are no multiple of the factor.
    """
    names = [axis.name for axis in axes]
    for name, factor in factors.items():
        if name not in names:
            message = f"no axis {name!r}{species.near(name, names)}; there are {', '.join(names)}"
            raise ValueError(message)
        axis = axes[names.index(name)]
        if factor != 1 and bin_limits(axis):
            message = f"axis {name!r} has irregular bins, of which neighbours in number need not be neighbours: none are joined"
            raise ValueError(message)
        bins = len(axis)
        if factor < 1 or bins % factor:
            message = f"axis {name!r} has {bins} bins, which {factor} does not divide"
            raise ValueError(message)
    return [_coarse_axis(axis, factors.get(axis.name, 1)) for axis in axes]


def rebinned(held: Contents, factors: Mapping[str, int], truth: Any = None) -> Contents:
    """See `forefold.ResponseMatrix.rebin`."""
    joined_axes((*held.true_axes, *held.reco_axes), factors)
    true = [factors.get(axis.name, 1) for axis in held.true_axes]
    reco = [factors.get(axis.name, 1) for axis in held.reco_axes]
    held = _weighted(held, truth, joins=max(true) > 1)
    return replace(
        held,
        counts=_coarse(held.counts, [*true, *reco]),
        truth=_coarse(held.truth, true),
        alone=_coarse(held.alone, reco),
        backgrounds={
            name: _coarse(background, reco) for name, background in held.backgrounds.items()
        },
        oversampled=_coarse_moments(held, true, reco),
        replicas=_coarse_replicas(held, true, reco),
    )


def _weighted(held: Contents, truth: Any, *, joins: bool) -> Contents:
    """Weight rows of probabilities by a true spectrum, so that joined rows are averaged with it.

    Raises
    ------
    ValueError
        If rows are joined and there is no spectrum, it does not fit, or the matrix was filled and has its own.
    """
    if truth is None:
        if joins and held.provenance.get(SPECTRUM) == UNKNOWN:
            message = (
                "joined true bins have the mean of their rows over the true spectrum, and this matrix knows none: give it with truth=, a "
                "histogram or numbers over its true axes (truth=1 for as much in every bin)"
            )
            raise ValueError(message)
        return held
    if not (held.exact or held.independent):
        message = "truth: of matrices of probabilities; this one was filled with events, which are its true spectrum"
        raise ValueError(message)
    if hasattr(truth, "axes") and hasattr(truth, "values"):
        matching(held.true_axes, list(truth.axes), "truth")
        truth = truth.values()
    shape = shape_of(held.true_axes)
    wanted = per_row("truth", truth, math.prod(shape)).reshape(shape)
    old = np.asarray(held.truth.values(), dtype=np.float64)
    scale = np.divide(wanted, old, out=np.zeros(shape), where=old > 0.0)
    counts, total = held.counts.copy(), held.truth.copy()
    inside = (slice(1, -1),) * len(shape)
    view: Any = counts.view(flow=True)
    rows = scale.reshape(shape + (1,) * len(held.reco_axes))
    view["value"][inside] *= rows
    view["variance"][inside] *= np.square(rows)
    # a row of which nothing is known stays so
    total.view()["value"] = np.where(old > 0.0, wanted, 0.0)  # type: ignore[call-overload]
    notes = {**held.provenance, SPECTRUM: "given"}
    return replace(held, counts=counts, truth=total, provenance=notes)


def _coarse(histogram: hist.Hist[Any], factors: Sequence[int]) -> hist.Hist[Any]:
    axes = tuple(_coarse_axis(a, f) for a, f in zip(histogram.axes, factors, strict=True))
    coarse = empty(axes, str(histogram.name))
    view: Any = coarse.view(flow=True)
    old: Any = histogram.view(flow=True)
    for key in ("value", "variance"):
        content = old[key]
        for k, (axis, factor) in enumerate(zip(histogram.axes, factors, strict=True)):
            starts = [0, *range(1, len(axis) + 1, factor), len(axis) + 1]
            content = np.add.reduceat(content, starts, axis=k)
        view[key] = content
    return coarse


def _coarse_axis(axis: Any, factor: int) -> Any:
    import hist

    if factor == 1:
        return axis
    edges = np.asarray(axis.edges)[::factor]
    words = {"name": axis.name, "label": axis.label}
    if type(axis) is hist.axis.Regular:
        return renamed(hist.axis.Regular(len(edges) - 1, edges[0], edges[-1]), **words)
    return renamed(hist.axis.Variable(edges), **words)


def _grouped(array: Array, first: int, axes: tuple[Any, ...], factors: Sequence[int]) -> Array:
    """Sum over groups of bins along one flattened side, which is dimension `first` of the array."""
    shape = array.shape
    split = [n for a, f in zip(axes, factors, strict=True) for n in (len(a) // f, f)]
    full = array.reshape(*shape[:first], *split, *shape[first + 1 :])
    over = tuple(first + 2 * k + 1 for k in range(len(axes)))
    kept = math.prod(len(a) // f for a, f in zip(axes, factors, strict=True))
    return np.asarray(full.sum(axis=over).reshape(*shape[:first], kept, *shape[first + 1 :]))


def _coarse_moments(held: Contents, true: list[int], reco: list[int]) -> Oversampled | None:
    if held.oversampled is None:
        return None
    draws, pairs, linear = held.oversampled
    pairs = _grouped(pairs, 0, held.true_axes, true)
    for k in (1, 2):
        pairs = _grouped(pairs, k, held.reco_axes, reco)
    linear = _grouped(_grouped(linear, 0, held.true_axes, true), 1, held.reco_axes, reco)
    return Oversampled(draws, pairs, linear)


def _coarse_replicas(held: Contents, true: list[int], reco: list[int]) -> Replicas | None:
    if held.replicas is None:
        return None
    rng, counts, truth = held.replicas
    counts = _grouped(_grouped(counts, 1, held.true_axes, true), 2, held.reco_axes, reco)
    return Replicas(rng, counts, _grouped(truth, 1, held.true_axes, true))


def projected(
    held: Contents,
    true: Sequence[str] | None,
    reco: Sequence[str] | None,
    truth: Any = None,
) -> Contents:
    """See `forefold.ResponseMatrix.project`."""
    if held.oversampled is not None or held.replicas is not None:
        message = "a matrix with several draws an event or replicas does not project; fill it with the axes that are wanted"
        raise ValueError(message)
    kept = []
    for axes, names in ((held.true_axes, true), (held.reco_axes, reco)):
        available = [axis.name for axis in axes]
        wanted = available if names is None else [names] if isinstance(names, str) else list(names)
        for name in wanted:
            if name not in available:
                message = f"no axis {name!r}{species.near(name, available)}; there are {', '.join(available)}"
                raise ValueError(message)
        if not wanted:
            message = f"at least one of {', '.join(available)} must stay"
            raise ValueError(message)
        kept.append(wanted)
    both = [*kept[0], *kept[1]]
    held = _weighted(held, truth, joins=len(kept[0]) < len(held.true_axes))
    return replace(
        held,
        counts=held.counts.project(*both),
        truth=held.truth.project(*kept[0]),
        alone=held.alone.project(*kept[1]),
        backgrounds={
            name: background.project(*kept[1]) for name, background in held.backgrounds.items()
        },
    )
