"""Tests of a response matrix: two matrices against each other, and how much the response varies inside wide bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forefold.matrix.axes import bin_name, matching
from forefold.matrix.rebin import joined_axes
from forefold.matrix.statistics import chi2_tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.matrix.response_matrix import ResponseMatrix

    Array = NDArray[np.float64]

__all__ = ["Compatibility", "InBinVariation", "compatibility", "in_bin_variation"]

_FEWEST = 5.0  # expected entries of a category, of the smaller sample


@dataclass(frozen=True)
class Compatibility:
    """Result of a chi2 test of two matrices against each other, row by row.

    Attributes
    ----------
    chi2 : ndarray, shape (n_true,)
        Chi2 of each row.
    ndf : ndarray of int, shape (n_true,)
        Degrees of freedom of each row; 0 where a row has too few entries in one of the two and was not compared.
    names : tuple of str
        Number and limits of each true bin, for messages.
    """

    chi2: Array
    ndf: NDArray[np.int64]
    names: tuple[str, ...]

    @property
    def total(self) -> float:
        """Sum of chi2 over the rows."""
        return float(self.chi2.sum())

    @property
    def p_value(self) -> float:
        """Probability of a total chi2 at least as large if both matrices have the same response; NaN if no row was compared."""
        ndf = int(self.ndf.sum())
        return chi2_tail(self.total, ndf) if ndf else float("nan")

    @property
    def row_p_values(self) -> Array:
        """Such a probability for each row, NaN where it was not compared; shape (n_true,)."""
        pairs = zip(self.chi2, self.ndf, strict=True)
        return np.array([chi2_tail(float(c), int(n)) if n else np.nan for c, n in pairs])

    def __repr__(self) -> str:
        ndf = int(self.ndf.sum())
        if not ndf:
            return "Compatibility: no row has enough entries in both"
        p = self.row_p_values
        worst = int(np.nanargmin(p))
        return (
            f"Compatibility: chi2/ndf = {self.total:.1f}/{ndf}, p = {self.p_value:.3g}, over {int((self.ndf > 0).sum())} of "
            f"{len(self.ndf)} rows; least in {self.names[worst]}, p = {p[worst]:.3g}"
        )


def compatibility(first: ResponseMatrix, second: ResponseMatrix) -> Compatibility:
    """Test whether two matrices, such as those from two generators, agree within their statistical uncertainties.

    Parameters
    ----------
    first, second : ResponseMatrix
        Matrices with the same axes from independent samples; at most one of them exact.

    Returns
    -------
    Compatibility

    Raises
    ------
    ValueError
        If axes differ, or both are exact.

    Notes
    -----
    This is Pearson's test of homogeneity of each row over the reconstructed bins and the misses, with common probabilities estimated from both
    matrices. For weighted events or several draws it uses `ResponseMatrix.equivalent_entries` in place of counts, and is approximate.
    Neighbouring bins are joined until the smaller sample expects 5 entries. True spectra, on which a matrix should not depend, and fakes are not
    compared.

    Examples
    --------
    >>> import forefold
    >>> a = forefold.ResponseMatrix.from_array([[0.5, 0.4]], [0, 1], [0, 1, 2], entries=1000)
    >>> b = forefold.ResponseMatrix.from_array([[0.4, 0.5]], [0, 1], [0, 1, 2], entries=1000)
    >>> compatibility(a, b)
    Compatibility: chi2/ndf = 22.2/2, p = 1.49e-05, over 1 of 1 rows; least in bin 0 (true 0 to 1), p = 1.49e-05
    """
    matching(first.true_axes, second.true_axes, "the second matrix")
    matching(first.reco_axes, second.reco_axes, "the second matrix")
    if first.exact and second.exact:
        message = "two exact matrices have no statistics: compare their elements"
        raise ValueError(message)
    names = tuple(bin_name(first.true_axes, i) for i in range(first.matrix.shape[0]))
    return _compared(
        first.matrix, first.equivalent_entries, second.matrix, second.equivalent_entries, names
    )


def _compared(a: Array, n_a: Array, b: Array, n_b: Array, names: tuple[str, ...]) -> Compatibility:
    chi2, ndf = np.zeros(len(names)), np.zeros(len(names), dtype=np.int64)
    for i in range(len(names)):
        if min(n_a[i], n_b[i]) >= 2.0 * _FEWEST:
            chi2[i], ndf[i] = _row(_with_missed(a[i]), n_a[i], _with_missed(b[i]), n_b[i])
    return Compatibility(chi2, ndf, names)


def _with_missed(row: Array) -> Array:
    return np.append(row, max(1.0 - row.sum(), 0.0))


def _row(a: Array, n_a: float, b: Array, n_b: float) -> tuple[float, int]:
    """Chi2 and degrees of freedom of two rows."""
    if np.isinf(n_a) or np.isinf(n_b):
        common = a if np.isinf(n_a) else b
    else:
        common = (n_a * a + n_b * b) / (n_a + n_b)
    groups = _groups(common * min(n_a, n_b))
    if len(groups) < 2:
        return 0.0, 0
    a, b, common = (np.add.reduceat(values, groups) for values in (a, b, common))
    good = common > 0.0
    if np.any(~good & (a + b > 0.0)):  # what an exact matrix says cannot be
        return float("inf"), int(good.sum())
    spread = common[good] * (1.0 / n_a + 1.0 / n_b)
    return float((np.square(a - b)[good] / spread).sum()), int(good.sum()) - 1


def _groups(expected: Array) -> list[int]:
    """Give the starts of groups of neighbours that each expect enough entries; the last takes what is left."""
    starts, total = [0], 0.0
    for k, e in enumerate(expected):
        if total >= _FEWEST:
            starts.append(k)
            total = 0.0
        total += e
    if total < _FEWEST and len(starts) > 1:
        starts.pop()
    return starts


@dataclass(frozen=True)
class InBinVariation:
    """How much the response varies inside the wider bins that `in_bin_variation` looked at.

    Attributes
    ----------
    shift : ndarray, shape (n,)
        Largest difference of the cumulative migration rows inside each wider bin: 0 if all rows are alike, 1 if they do not overlap.
    efficiency : ndarray, shape (n,)
        Largest difference of the efficiencies inside each wider bin.
    noise : ndarray, shape (n,)
        Size of `shift` that the statistical fluctuations of the matrix alone would give, as one standard deviation.
    compatible : Compatibility
        Chi2 test of the neighbouring rows inside each wider bin against each other.
    """

    shift: Array
    efficiency: Array
    noise: Array
    compatible: Compatibility

    def __repr__(self) -> str:
        if not np.any(np.isfinite(self.shift)):
            return "InBinVariation: no wider bin joins two rows that are filled"
        worst = int(np.nanargmax(self.shift))
        return (
            f"InBinVariation: rows move by up to {self.shift[worst]:.3g} (noise {self.noise[worst]:.2g}) in {self.compatible.names[worst]}, "
            f"efficiency by up to {np.nanmax(self.efficiency):.3g}\n  {self.compatible}"
        )


def in_bin_variation(
    fine: ResponseMatrix, axis: str | None = None, *, factor: int = 2
) -> InBinVariation:
    """Measure how much the response varies inside true bins that are `factor` times as wide as those of a fine matrix.

    Fill a matrix with finer true bins than needed, check it with this function, then use ``fine.rebin(...)``. Where the joined rows differ, the row
    of the wide bin depends on the spectrum inside the bin, and thus on the generator.

    Parameters
    ----------
    fine : ResponseMatrix
        Matrix with fine true bins.
    axis : str, optional
        Name of the true axis along which bins would be joined; the first one if left out.
    factor : int
        How many neighbouring bins would become one.

    Returns
    -------
    InBinVariation
        Its arrays have one element for each wide bin.

    Raises
    ------
    ValueError
        If there is no such axis, or `factor` does not divide its bins.

    Examples
    --------
    >>> import forefold
    >>> response = forefold.card_response("nusmear-dune-cdr", "mu-")
    >>> fine = forefold.ResponseMatrix.from_response(response, "kinetic_energy=0:4:8")
    >>> in_bin_variation(fine).shift.round(2).tolist()
    [0.85, 0.62, 0.45, 0.25]
    """
    names = [true_axis.name for true_axis in fine.true_axes]
    name = names[0] if axis is None else axis
    wide = joined_axes(fine.true_axes, {name: factor})
    k = names.index(name)
    shape = [len(true_axis) for true_axis in fine.true_axes]
    shape[k : k + 1] = [shape[k] // factor, factor]
    order = np.moveaxis(np.arange(np.prod(shape)).reshape(shape), k + 1, -1).reshape(-1, factor)
    filled = ~fine.empty_rows
    entries, migration, efficiency = fine.equivalent_entries, fine.migration, fine.efficiency
    shift, gap, noise = (np.full(len(order), np.nan) for _ in range(3))
    chi2, ndf = np.zeros(len(order)), np.zeros(len(order), dtype=np.int64)
    for i, group in enumerate(order):
        rows = group[filled[group]]
        if rows.size < 2:
            continue
        steps = np.cumsum(migration[rows], axis=1)
        shift[i] = float(np.max(steps.max(axis=0) - steps.min(axis=0)))
        gap[i] = float(np.ptp(efficiency[rows]))
        noise[i] = 0.5 * float(
            np.sqrt(np.sum(1.0 / np.sort(entries[rows] * np.maximum(efficiency[rows], 1e-300))[:2]))
        )
        for a, b in zip(rows[:-1:2], rows[1::2], strict=False):
            if np.isfinite(entries[a]) and min(entries[a], entries[b]) >= 2.0 * _FEWEST:
                chi2_ndf = _row(
                    _with_missed(fine.matrix[a]),
                    entries[a],
                    _with_missed(fine.matrix[b]),
                    entries[b],
                )
                chi2[i], ndf[i] = chi2[i] + chi2_ndf[0], ndf[i] + chi2_ndf[1]
    words = tuple(bin_name(wide, i) for i in range(len(order)))
    return InBinVariation(shift, gap, noise, Compatibility(chi2, ndf, words))
