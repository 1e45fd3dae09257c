"""Contents of response matrices from closed forms, arrays of numbers and histograms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._about import __version__
from forefold._inputs import refuse_masked, unmasked
from forefold.events.selection import check_names_of_backgrounds
from forefold.matrix.axes import bin_name, matching, side_axes
from forefold.matrix.contents import (
    SIGNED,
    SPECTRUM,
    UNKNOWN,
    Contents,
    empty,
    refuse_means,
    shape_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import hist
    from numpy.typing import ArrayLike, NDArray

    from forefold.matrix.axes import AxesLike
    from forefold.response import Response

    Array = NDArray[np.float64]

__all__ = ["axis_columns", "of_array", "of_histograms", "of_response", "per_row"]

_POINTS = 64
_ROUNDING = 1e-9


def of_histograms(
    counts: hist.Hist[Any],
    truth: hist.Hist[Any],
    fakes: hist.Hist[Any] | None = None,
    backgrounds: Mapping[str, hist.Hist[Any]] | None = None,
) -> Contents:
    """See `forefold.ResponseMatrix.from_histograms`."""
    n = len(truth.axes)
    if not 0 < n < len(counts.axes):
        message = (
            f"counts has {len(counts.axes)} axes and truth {n}; counts needs those of truth, and then "
            "reconstructed ones"
        )
        raise ValueError(message)
    true = side_axes(list(truth.axes), "true")
    reco = side_axes(list(counts.axes)[n:], "reco")
    matching(true, list(counts.axes)[:n], "counts")
    named = dict(backgrounds or {})
    check_names_of_backgrounds(named)
    for what, histogram in (named if fakes is None else {"fakes": fakes, **named}).items():
        matching(reco, list(histogram.axes), what)
    contents = Contents(
        _weighted(counts, (*true, *reco), "counts"),
        _weighted(truth, true, "truth"),
        empty(reco, "alone") if fakes is None else _weighted(fakes, reco, "alone"),
        provenance={"version": __version__, "made": "histograms"},
        backgrounds={name: _weighted(background, reco, name) for name, background in named.items()},
    )
    _check_rows(contents)
    return contents


def _weighted(source: hist.Hist[Any], axes: tuple[Any, ...], name: str) -> hist.Hist[Any]:
    """Copy a histogram into one with weighted storage, flow bins too where it has them."""
    weighted = empty(axes, name)
    refuse_means(source, name)
    variances = source.variances(flow=True)
    if variances is None:
        message = f"{name}: the variances are not known (storage {source.storage_type.__name__}); take storage Weight"
        raise ValueError(message)
    values = np.asarray(source.values(flow=True), dtype=np.float64)
    if not (np.all(np.isfinite(values)) and np.all(np.isfinite(variances))):
        message = f"{name}: NaN or infinite contents"
        raise ValueError(message)
    view: Any = weighted.view(flow=True)
    target = tuple(
        slice(0 if a.traits.underflow else 1, None if a.traits.overflow else -1)
        for a in source.axes
    )
    view["value"][target] = values
    view["variance"][target] = variances
    return weighted


def _check_rows(contents: Contents) -> None:
    """Refuse rows that hold more than is true."""
    n = math.prod(shape_of(contents.true_axes))
    total = np.asarray(contents.truth.values()).reshape(n)
    sums = np.asarray(contents.counts.values()).reshape(n, -1).sum(axis=1)
    over = sums > total * (1.0 + _ROUNDING) + 1e-300
    if np.any(over & (total >= 0.0)):
        i = int(np.argmax(over))
        message = (
            f"true {bin_name(contents.true_axes, i)}: {sums[i]:g} reconstructed of {total[i]:g}; what is "
            "reconstructed cannot be more than what is true"
        )
        raise ValueError(message)


def of_array(
    matrix: ArrayLike,
    true: AxesLike,
    reco: AxesLike,
    *,
    efficiency: ArrayLike | None = None,
    truth: ArrayLike | None = None,
    entries: ArrayLike | None = None,
    variance: ArrayLike | None = None,
    signed: bool = False,
) -> Contents:
    """See `forefold.ResponseMatrix.from_array`."""
    true_axes, reco_axes = side_axes(true, "true"), side_axes(reco, "reco")
    n = math.prod(shape_of(true_axes))
    rows = _checked_elements("R", matrix, true_axes, reco_axes, signed=signed)
    spread = np.zeros_like(rows)
    if variance is not None:
        spread = _checked_elements("variance", variance, true_axes, reco_axes)
    if efficiency is not None:
        efficiencies = per_row("efficiency", efficiency, n)
        if efficiencies.max(initial=0.0) > 1.0:
            message = f"efficiency up to {efficiencies.max():g}; 0 to 1 is possible"
            raise ValueError(message)
        rows, spread = rows * efficiencies[:, None], spread * np.square(efficiencies)[:, None]
    sums = rows.sum(axis=1)
    if sums.max() > 1.0 + _ROUNDING and not signed:
        i = int(np.argmax(sums))
        message = (
            f"true {bin_name(true_axes, i)} sums to {sums[i]:.9g}; rows of R[true, reco] sum to at most "
            "1: is the matrix the other way round, or are these counts (see from_histograms)?"
        )
        raise ValueError(message)
    if truth is not None and entries is not None:
        message = "truth and entries: give one of them"
        raise ValueError(message)
    if variance is not None and entries is not None:
        message = "variance and entries: give one of them"
        raise ValueError(message)
    independent = bool(spread.any())
    true_contents = truth if entries is None else entries
    total = (
        np.ones(n)
        if true_contents is None
        else per_row("entries" if entries is not None else "truth", true_contents, n)
    )
    contents = Contents(
        empty((*true_axes, *reco_axes), "counts"),
        empty(true_axes, "truth"),
        empty(reco_axes, "alone"),
        exact=entries is None and not independent,
        independent=independent,
        provenance=_from_numbers(true_contents is None) | ({SIGNED: True} if signed else {}),
    )
    counts = (rows * total[:, None]).reshape(shape_of((*true_axes, *reco_axes)))
    total = total.reshape(shape_of(true_axes))
    contents.counts.view()["value"], contents.truth.view()["value"] = counts, total  # type: ignore[call-overload]
    if independent:
        moved = (spread * np.square(total.reshape(-1))[:, None]).reshape(counts.shape)
        contents.counts.view()["variance"] = moved  # type: ignore[call-overload]
    if entries is not None:
        contents.counts.view()["variance"], contents.truth.view()["variance"] = counts, total  # type: ignore[call-overload]
    return contents


def _from_numbers(alone: bool) -> dict[str, Any]:
    """Say where a matrix of numbers comes from, and that nothing is known of a truth where none was given."""
    notes: dict[str, Any] = {"version": __version__, "made": "array"}
    return notes | {SPECTRUM: UNKNOWN} if alone else notes


def _checked_elements(
    name: str,
    values: ArrayLike,
    true_axes: tuple[Any, ...],
    reco_axes: tuple[Any, ...],
    *,
    signed: bool = False,
) -> Array:
    elements = unmasked(name, values)
    matrix_shape = tuple(math.prod(shape_of(axes)) for axes in (true_axes, reco_axes))
    full = shape_of((*true_axes, *reco_axes))
    if elements.shape not in {matrix_shape, full}:
        words = f"{matrix_shape}" if matrix_shape == full else f"{matrix_shape} or {full}"
        what = "a matrix" if name == "R" else name
        message = f"{what} of shape {elements.shape}; {words} (true, reco) goes with the axes"
        raise ValueError(message)
    elements = elements.reshape(matrix_shape)
    bad = ~(np.isfinite(elements) & ((elements >= 0.0) | signed))
    if bad.any():
        i, j = np.unravel_index(int(np.argmax(bad)), matrix_shape)
        which = "finite numbers" if signed else "finite numbers of 0 or more"
        message = f"{name}[{i}, {j}] is {elements[i, j]:g}; {which} are needed"
        raise ValueError(message)
    return elements


def per_row(name: str, values: ArrayLike, n: int) -> Array:
    """Read a number for each true bin, or one for all of them.

    Parameters
    ----------
    name : str
        For messages.
    values : array_like
        One number, or one for each true bin.
    n : int
        Number of true bins.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    ValueError
        If their number does not fit, or one is negative or not finite.
    """
    row_values = unmasked(name, values).reshape(-1)
    if row_values.size == 1:
        row_values = np.full(n, row_values[0])
    if row_values.size != n or not np.all(np.isfinite(row_values) & (row_values >= 0.0)):
        message = f"{name}: {n} finite numbers of 0 or more are needed, one a true bin"
        raise ValueError(message)
    return row_values


def of_response(
    response: Response,
    true: AxesLike,
    reco: AxesLike = None,
    *,
    true_spectrum: Callable[[Any], Any] | None = None,
) -> Contents:
    """See `forefold.ResponseMatrix.from_response`."""
    true_axes = side_axes(true, "true")
    reco_axes = side_axes(true_axes if reco is None else reco, "reco")
    if len(true_axes) != 1 or len(reco_axes) != 1:
        message = (
            f"{len(true_axes)} true and {len(reco_axes)} reconstructed axes; a response has one of each: "
            "use from_events for more"
        )
        raise ValueError(message)
    edges = np.asarray(true_axes[0].edges)
    histogram = response.matrix(edges, reco_axes[0].edges, weights=true_spectrum)
    rows = np.asarray(histogram.values(flow=True), dtype=np.float64)
    truth = np.diff(edges) if true_spectrum is None else _integrals(true_spectrum, edges)
    contents = Contents(
        empty((*true_axes, *reco_axes), "counts"),
        empty(true_axes, "truth"),
        empty(reco_axes, "alone"),
        exact=True,
        provenance={
            "version": __version__,
            "made": "response",
            SPECTRUM: "flat" if true_spectrum is None else "given",
        },
    )
    contents.counts.view(flow=True)["value"][1:-1] = rows * truth[:, None]  # type: ignore[call-overload]
    contents.truth.view()["value"] = truth  # type: ignore[call-overload]
    return contents


def _integrals(density: Callable[[Any], Any], edges: Array) -> Array:
    """Integrate over each bin."""
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    half, middle = 0.5 * np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
    at = middle[:, None] + half[:, None] * nodes
    values = np.broadcast_to(np.asarray(density(at), dtype=np.float64), at.shape)
    return np.asarray((values * weights).sum(axis=1) * half)


def axis_columns(values: Any, n: int) -> list[NDArray[np.float64]]:
    """Give one column of numbers for each axis.

    Raises
    ------
    ValueError
        If they are no numbers, or their number or shape does not fit.
    """
    if isinstance(values, Mapping):
        message = f"{n} flat columns are needed, one an axis, in the order of the axes; found a mapping of {', '.join(map(repr, values))}"
        raise ValueError(message)
    listed = [values] if np.ndim(values) == 1 and n == 1 else list(values)
    for column in listed:
        refuse_masked("a column", column)
    try:
        columns = [np.asarray(column, dtype=np.float64) for column in listed]
    except (TypeError, ValueError) as error:
        message = f"{n} flat columns of numbers are needed, one an axis: {error}"
        raise ValueError(message) from None
    if any(column.ndim != 1 for column in columns) or len(columns) != n:
        shapes = [column.shape for column in columns]
        message = f"{n} flat columns are needed, one an axis; found shapes {shapes}"
        raise ValueError(message)
    return columns
