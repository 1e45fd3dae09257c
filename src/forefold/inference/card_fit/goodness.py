"""How well a card describes pairs or a matrix: chi2 of binned residuals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forefold.inference.card_fit.likelihood import angle_terms
from forefold.matrix.statistics import chi2_tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.detector import Card
    from forefold.inference.card_fit.likelihood import Sample
    from forefold.inference.card_fit.migration import MigrationLikelihood

    Array = NDArray[np.float64]

__all__ = ["Goodness", "of_matrix", "of_pairs"]

_FEWEST = 5.0  # expected entries of a bin
_TRUE_BINS, _BINS = 10, 20


@dataclass(frozen=True)
class Goodness:
    """Pearson's chi2 of counts against what is expected.

    Attributes
    ----------
    chi2 : float
    ndf : int
        Bins less the sums that are given, less the parameters that were fitted to these counts.
    """

    chi2: float
    ndf: int

    @property
    def p_value(self) -> float:
        """Probability of a chi2 that is as large or larger; NaN without degrees of freedom."""
        return chi2_tail(self.chi2, self.ndf) if self.ndf > 0 else float("nan")

    def __str__(self) -> str:
        """Chi2, degrees of freedom, p-value."""
        return f"chi2/ndf = {self.chi2:.1f}/{self.ndf}, p = {self.p_value:.3g}"


def _joined(counts: Array, expected: Array) -> tuple[Array, Array]:
    """Join neighbouring bins until each is expected to have enough entries; the last takes what is left."""
    bins: list[tuple[float, float]] = []
    n = e = 0.0
    for c, x in zip(counts, expected, strict=True):
        n, e = n + c, e + x
        if e >= _FEWEST:
            bins.append((n, e))
            n = e = 0.0
    if (n or e) and bins:
        bins[-1] = (bins[-1][0] + n, bins[-1][1] + e)
    elif n or e:
        bins.append((n, e))
    array = np.array(bins).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def of_matrix(likelihood: MigrationLikelihood, card: Card, free: int) -> dict[str, Goodness]:
    """Chi2 of the cells of a matrix, row by row."""
    counts, chance = likelihood.cells(card)
    chi2, ndf = 0.0, -free
    for row, p in zip(counts, chance, strict=True):
        total = row.sum()
        if total < _FEWEST or not p.any():
            continue
        n, e = _joined(row, total * p)
        chi2 += float((np.square(n - e) / e).sum())
        ndf += n.size - 1
    return {"matrix": Goodness(chi2, ndf)}


def of_pairs(sample: Sample, card: Card, free: dict[str, int]) -> dict[str, Goodness]:
    """Chi2 of the fraction that is seen, of energies and of angles, each in bins of true energy.

    Notes
    -----
    Energies and angles are counted in 20 bins of equal probability: u = cdf(reconstructed | true) is even if the card is
    right, whatever its distributions are.
    """
    faces, pairs = sample.faces(card), sample.pairs
    detected = pairs.seen
    tests: dict[str, Goodness] = {}
    fraction = faces.detection_probability
    if np.any((fraction > 0.0) & (fraction < 1.0)):
        tests["seen"] = _seen(pairs.energy_true, detected, fraction, free.get("seen", 0))
    below = faces.energy_cdf(np.maximum(faces.energy_least, 0.0))
    energy = np.where(detected, pairs.energy_reco, pairs.energy_true)
    with np.errstate(invalid="ignore", divide="ignore"):
        u = (faces.energy_cdf(energy) - below) / (1.0 - below)
    drawn = detected & np.isfinite(u) & (faces.energy_atom(energy) == 0.0)
    if drawn.any():
        tests["energy"] = _even(pairs.energy_true[drawn], u[drawn], free.get("energy", 0))
    terms = list(angle_terms(faces, sample))
    if terms:
        true = np.concatenate([pairs.energy_true[t.rows][t.detected] for t in terms])
        cdf = np.concatenate([t.cdf() for t in terms])
        tests["angle"] = _even(true, cdf, free.get("angle", 0))
    return tests


def _slices(true: Array, bins: int) -> NDArray[np.int64]:
    edges = np.quantile(true, np.linspace(0.0, 1.0, bins + 1)[1:-1])
    return np.searchsorted(edges, true, side="right")


def _even(true: Array, u: Array, free: int) -> Goodness:
    bins = max(1, min(_TRUE_BINS, int(true.size / (_BINS * _FEWEST))))
    rows = _slices(true, bins)
    chi2, ndf = 0.0, -free
    for row in range(bins):
        mine = u[rows == row]
        if mine.size < _BINS * _FEWEST:
            continue
        counts = np.bincount(
            np.minimum((mine * _BINS).astype(np.int64), _BINS - 1), minlength=_BINS
        )
        expected = mine.size / _BINS
        chi2 += float((np.square(counts - expected) / expected).sum())
        ndf += _BINS - 1
    return Goodness(chi2, ndf)


def _seen(true: Array, detected: NDArray[np.bool_], fraction: Array, free: int) -> Goodness:
    rows = _slices(true, _TRUE_BINS)
    chi2, ndf = 0.0, -free
    for row in range(_TRUE_BINS):
        mine = rows == row
        variance = float((fraction[mine] * (1.0 - fraction[mine])).sum())
        if variance > 0.0:
            chi2 += float(np.square(detected[mine].sum() - fraction[mine].sum()) / variance)
            ndf += 1
    return Goodness(chi2, ndf)
