"""Helpers of all formats: rows and axes of a matrix to write, matrices made from numbers that were read, and notes on what is lost."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import boost_histogram
import numpy as np

from forefold.matrix.axes import bin_name
from forefold.matrix.contents import NOTED, refuse_means, shape_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from forefold.matrix import ResponseMatrix

    Array = NDArray[np.float64]

__all__ = [
    "GEV",
    "PRINTED",
    "EmptyRows",
    "Exported",
    "energies",
    "has_variances",
    "how_many_true",
    "in_gev",
    "left_out",
    "named_edges",
    "named_sides",
    "one_axis",
    "positive_rows",
    "published_matrix",
    "regular",
    "shares",
    "spectrum",
    "unit_truth_note",
    "with_notes",
]

EmptyRows = Literal["stop", "lose"]

GEV = {"TeV": 1e3, "GeV": 1.0, "MeV": 1e-3, "keV": 1e-6, "eV": 1e-9}
"""Units of energy that are known, GeV."""
_EVEN = 1e-12  # of the range
_ROUNDING = 1e-9  # of sums of rows, by computing
PRINTED = 0.01
"""How far the sum of a row of probabilities may be above 1 because its numbers were printed."""


@dataclass(frozen=True)
class Exported:
    """Files that were written, with notes on what the format cannot hold.

    Attributes
    ----------
    files : tuple of Path
        The files.
    notes : tuple of str
        What the files do not hold, and what a user of them must know.
    """

    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        lines = [", ".join(str(file) for file in self.files), *self.notes]
        return "\n  ".join(lines)


def one_axis(matrix: ResponseMatrix, what: str) -> tuple[Any, Any]:
    """Give the true and the reconstructed axis of a matrix that has one of each.

    Raises
    ------
    ValueError
        If there are more axes on a side.
    """
    true, reco = matrix.true_axes, matrix.reco_axes
    if len(true) != 1 or len(reco) != 1:
        message = (
            f"{what} has one true and one reconstructed axis; this matrix has {len(true)} and {len(reco)}: "
            "sum over the others with ResponseMatrix.project, or fill one with 'forefold matrix' and one axis a side"
        )
        raise ValueError(message)
    return true[0], reco[0]


def positive_rows(matrix: ResponseMatrix, what: str, empty_rows: EmptyRows) -> Array:
    """Give R[true, reco] for a format of probabilities.

    Parameters
    ----------
    matrix : ResponseMatrix
    what : str
        Name of the format, for messages.
    empty_rows : {"stop", "lose"}
        True bins without events are an error, or get an efficiency of 0.

    Returns
    -------
    ndarray, shape (n_true, n_reco)

    Raises
    ------
    ValueError
        If there are empty rows or negative elements.
    """
    if empty_rows not in ("stop", "lose"):
        message = f"empty_rows {empty_rows!r}: stop or lose is possible"
        raise ValueError(message)
    rows = np.array(matrix.matrix, dtype=np.float64)
    if matrix.signed:
        message = f"this matrix smears spectra, as A_C does, and {what} takes probabilities: root and uhi hold it"
        raise ValueError(message)
    if (rows < 0.0).any():
        i, j = (int(k) for k in np.unravel_index(int(np.argmin(rows)), rows.shape))
        message = (
            f"R[{i}, {j}] is {rows[i, j]:g}, true {bin_name(matrix.true_axes, i)}; {what} takes 0 or more: "
            "wider bins or more events are needed"
        )
        raise ValueError(message)
    if empty_rows == "stop" and matrix.empty_rows.any():
        i = int(np.argmax(matrix.empty_rows))
        message = (
            f"{int(matrix.empty_rows.sum())} true bins are empty, the first is {bin_name(matrix.true_axes, i)}; {what} cannot say "
            "that a row is not known: rebin, or lose what is there (empty_rows='lose', --lose-empty)"
        )
        raise ValueError(message)
    return rows


def shares(rows: Array) -> tuple[Array, Array]:
    """Split rows of R into migration, whose rows sum to 1 (or 0), and efficiency.

    Parameters
    ----------
    rows : ndarray, shape (n_true, n_reco)

    Returns
    -------
    migration : ndarray, shape (n_true, n_reco)
        Rows that sum to 1, or to 0 where the efficiency is 0.
    efficiency : ndarray, shape (n_true,)
        At most 1; excess by rounding is removed.
    """
    sums = rows.sum(axis=1)
    return rows / np.where(sums > 0.0, sums, 1.0)[:, None], np.minimum(sums, 1.0)


def fakes_of(matrix: ResponseMatrix) -> list[str]:
    """Say how many fakes and background events a matrix has; an empty list if it has none."""
    total = float(np.sum(matrix.not_signal.values()))
    named = ", ".join(matrix.backgrounds)
    words = f"fakes and backgrounds ({named})" if named else "fakes"
    return [f"{total:.6g} {words}"] if total else []


def left_out(matrix: ResponseMatrix, what: str, *, statistics: bool = True) -> list[str]:
    """List what of a matrix is lost in a format that holds probabilities alone."""
    notes = [f"{said} are not written: {what} has no place for them" for said in fakes_of(matrix)]
    if statistics and not matrix.exact:
        notes.append(f"the statistics of the matrix are not written: {what} has no place for them")
    empty = int(matrix.empty_rows.sum())
    if empty:
        notes.append(f"{empty} true bins are empty: nothing is reconstructed of them in the file")
    return notes


def unit_truth_note(matrix: ResponseMatrix) -> list[str]:
    """Note that the truth in a file is 1 in every bin, if the matrix has no true spectrum."""
    if matrix.knows_truth:
        return []
    return ["truth is 1 in every bin: this matrix knows none"]


def published_matrix(
    rows: ArrayLike,
    true: Any,
    reco: Any,
    variance: ArrayLike | None = None,
    words: str = "",
    efficiency: ArrayLike | None = None,
    notes: Sequence[str] = (),
    smearing: bool | None = None,
) -> ResponseMatrix:
    """Make a matrix from the numbers of a file, which may be rounded, and note which errors it has.

    Parameters
    ----------
    rows : array_like
        Probabilities, over all axes.
    true, reco : axes
        As `ResponseMatrix.from_array` takes them.
    variance : array_like or None
        Squared errors of the elements.
    words : str
        Where the errors come from, for the summary.
    efficiency : array_like, shape (n_true,), optional
        Multiplies the rows.
    notes : sequence of str
        What was changed in the numbers of the file, for the summary.
    smearing : bool, optional
        True for an additional smearing matrix, whose rows are no probabilities; False takes a matrix with negative elements for one, and notes it. If left out,
        negative elements are an error.

    Returns
    -------
    ResponseMatrix
        Rows that sum to more than 1 by up to 1 % are scaled to 1, with their errors, and its summary says so.
    """
    from forefold.matrix import ResponseMatrix
    from forefold.matrix.axes import side_axes

    values = np.asarray(rows, dtype=np.float64)
    n = math.prod(shape_of(side_axes(true, "true")))
    sums = values.reshape(n, -1).sum(axis=1) if values.size and values.size % n == 0 else np.ones(1)
    negative = int((values < 0.0).sum())
    signed = bool(smearing) or (smearing is False and negative > 0)
    if signed and smearing is False:
        some = "1 cell is negative" if negative == 1 else f"{negative} cells are negative"
        notes = (*notes, f"{some}: taken for an additional smearing matrix")
    over = (sums > 1.0 + _ROUNDING) & (sums <= 1.0 + PRINTED) & (not signed)
    said = list(notes)
    if over.any():
        factor = 1.0 / np.where(over, sums, 1.0)
        shape = values.shape
        values = (values.reshape(n, -1) * factor[:, None]).reshape(shape)
        if variance is not None:
            squares = np.asarray(variance, dtype=np.float64).reshape(n, -1)
            variance = (squares * np.square(factor)[:, None]).reshape(shape)
        said.append(
            f"{int(over.sum())} row{'s' if over.sum() > 1 else ''} summed to 1 + {sums[over].max() - 1.0:.2g} at most, and {'were' if over.sum() > 1 else 'was'} scaled to 1"
        )
    matrix = ResponseMatrix.from_array(
        values, true, reco, variance=variance, efficiency=efficiency, signed=signed
    )
    return with_notes(matrix, "" if matrix.exact else words, said)


def with_notes(matrix: ResponseMatrix, words: str, said: Sequence[str]) -> ResponseMatrix:
    """Add notes on the errors of a matrix and on what was changed in it; without any, give the same matrix."""
    notes = {"errors": words} if words else {}
    notes |= {NOTED: "\n".join(said)} if said else {}
    if not notes:
        return matrix
    return type(matrix)(replace(matrix._contents, provenance={**matrix.provenance, **notes}))


def energies(axis: Any, unit: str | None, to: str, what: str) -> Array:
    """Give the edges of an axis as energies in the unit of a format.

    Parameters
    ----------
    axis : hist axis
        Its label ends in ``[unit]``, unless `unit` is there.
    unit : {"TeV", "GeV", "MeV", "keV", "eV"}, optional
        Unit of the edges.
    to : str
        Unit of the format, one of the same.
    what : str
        Name of the format, for messages.

    Returns
    -------
    ndarray, shape (bins + 1,)

    Raises
    ------
    ValueError
        If the unit is not known, or an edge is negative.
    """
    bracketed = re.search(r"\[([^\]]*)\]\s*$", axis.label or "")
    own = unit or (bracketed[1] if bracketed else "")
    if own not in GEV:
        said = f"its unit is {own!r}" if own else "its label says no unit"
        message = (
            f"axis {axis.name!r}: {what} holds energies, and {said}; say which with unit= (--unit): "
            f"{', '.join(GEV)}"
        )
        raise ValueError(message)
    edges = np.asarray(axis.edges, dtype=np.float64)
    if edges[0] < 0.0:
        message = (
            f"axis {axis.name!r} starts at {edges[0]:g}; {what} holds energies, which start at 0"
        )
        raise ValueError(message)
    return edges if own == to else edges * (GEV[own] / GEV[to])


def in_gev(edges: ArrayLike, unit: str) -> Array:
    """Convert energies of a file to GeV.

    Raises
    ------
    ValueError
        If the unit is not known.
    """
    if unit not in GEV:
        message = f"energies in {unit!r}; {', '.join(GEV)} are known"
        raise ValueError(message)
    values = np.asarray(edges, dtype=np.float64)
    # a division by a whole number brings back what a multiplication made
    return values * GEV[unit] if GEV[unit] >= 1.0 else values / round(1.0 / GEV[unit])


def regular(edges: Array) -> bool:
    """Tell whether all bins have the same width."""
    even = np.linspace(edges[0], edges[-1], edges.size)
    return bool(np.all(np.abs(edges - even) <= _EVEN * (edges[-1] - edges[0])))


def named_edges(name: str, edges: ArrayLike) -> dict[str, Any]:
    """Give edges with the name of their axis, as `ResponseMatrix.from_array` takes them."""
    return {name: np.asarray(edges, dtype=np.float64)}


def how_many_true(names: Sequence[str], true_axes: int | None, what: str = "the axes are") -> int:
    """Give the number of true axes among the axes of a file; true axes come first.

    Parameters
    ----------
    names : sequence of str
        Names of all axes.
    true_axes : int, optional
        The number that a user asked for. If left out, axes whose name ends in ``_true`` are true, or all but those in ``_reco``, or else half of them.
    what : str
        How the message of an error begins.

    Raises
    ------
    ValueError
        If none or all would be true, or the names show that true axes do not come first.
    """
    sides = [name.rpartition("_")[2] for name in names]
    n = _true_by_names(sides) if true_axes is None else true_axes
    if not 0 < n < len(names):
        message = (
            f"{what} {', '.join(names)}; say how many of them are true: true_axes= (--true-axes)"
        )
        raise ValueError(message)
    if true_axes is None and ("reco" in sides[:n] or "true" in sides[n:]):
        message = f"{what} {', '.join(names)}: true ones are needed first, then reconstructed ones"
        raise ValueError(message)
    return n


def _true_by_names(sides: Sequence[str]) -> int:
    """Count true axes by the ends of their names; half of all, where these say too little."""
    true, reco = sides.count("true"), sides.count("reco")
    if true and reco in (0, len(sides) - true):
        return true
    return len(sides) - reco if reco and not true else len(sides) // 2


def named_sides(
    names: Sequence[str], edges: Sequence[ArrayLike], n: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split the axes of a file into the first `n`, which are true, and the reconstructed ones, as `ResponseMatrix.from_array` takes them."""
    both = list(zip(names, edges, strict=True))
    true = {name.removesuffix("_true"): bins for name, bins in both[:n]}
    return true, {name.removesuffix("_reco"): bins for name, bins in both[n:]}


def spectrum(histogram: Any, axes: tuple[Any, ...], what: str) -> tuple[Array, Array]:
    """Give contents and variances of a histogram over given axes, one-dimensional in C order.

    Parameters
    ----------
    histogram : UHI histogram
    axes : tuple of axes
        Axes that it must have.
    what : str
        Name of the histogram, for messages.

    Returns
    -------
    values, variances : ndarray, shape (n,)
        Variances are NaN for a histogram of plain numbers, which gives its contents as variances.

    Raises
    ------
    ValueError
        If the axes differ, or contents are negative or not finite.
    """
    from forefold.matrix.axes import matching

    refuse_means(histogram, what)
    matching(axes, list(histogram.axes), what)
    n = math.prod(shape_of(axes))
    values = np.asarray(histogram.values(), dtype=np.float64).reshape(n)
    stored = histogram.variances() if has_variances(histogram) else None
    variances = (
        np.full(n, np.nan) if stored is None else np.asarray(stored, dtype=np.float64).reshape(n)
    )
    if not np.all(np.isfinite(values) & (values >= 0.0)):
        i = int(np.argmin(np.where(np.isfinite(values), values, -np.inf)))
        message = f"{what}: {bin_name(axes, i)} holds {values[i]:g}; finite contents of 0 or more are needed"
        raise ValueError(message)
    return values, variances


def has_variances(histogram: Any) -> bool:
    """Tell whether a histogram holds variances; one of plain numbers gives its contents instead.

    Examples
    --------
    >>> import hist
    >>> axis = hist.axis.Regular(2, 0, 2)
    >>> has_variances(hist.Hist(axis)), has_variances(hist.Hist(axis, storage=hist.storage.Weight()))
    (False, True)
    """
    storage = getattr(histogram, "storage_type", None)
    if storage is not None:  # of boost-histogram and hist
        return issubclass(storage, boost_histogram.storage.Weight)
    if hasattr(histogram, "weighted"):  # of uproot
        return bool(histogram.weighted)
    variances = histogram.variances()
    return variances is not None and not np.array_equal(variances, histogram.values())
