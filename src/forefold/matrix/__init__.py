"""Response matrices, and what a detector sees of a spectrum: from truth to prediction.

>>> import forefold
>>> events = forefold.read("events.gst.root")
>>> matrix = forefold.ResponseMatrix.from_events(events, "nusmear-dune-cdr", true="visible_energy=0:6:3", rng=1)
>>> print(matrix)
ResponseMatrix of 3 true and 3 reconstructed bins (277 effective entries, 63 to 113 a row)
  true visible_energy_true: 3 bins from 0 to 6 (True visible energy [GeV])
  reco visible_energy_reco: 3 bins from 0 to 6 (Reconstructed visible energy [GeV])
  efficiency 0.956 to 0.99
  fakes 5 of 275 reconstructed
  condition number 1.574, rank 3
>>> print(forefold.fold(matrix.truth, matrix))
Prediction of 270 in 3 bins
  total +- ... from the statistics of the matrix
  23 true outside the axes, not folded

True against reconstructed: matrices, resolution and a summary, all additive over chunks.

Everything here is filled from smeared events, so that a file can be read piece by piece: fill each piece and
add (``+`` of two histograms, ``+`` of two summaries).  Matrices are ``R[true, reco]``: the true quantity is
the first of the two axes.
"""

from __future__ import annotations

from forefold.matrix.compare import (
    Compatibility,
    InBinVariation,
    compatibility,
    in_bin_variation,
)
from forefold.matrix.fold import Prediction, fold
from forefold.matrix.histograms import (
    angle_matrix,
    energy_matrix,
    resolution_matrix,
    varied_energy_matrix,
    varied_matrix,
)
from forefold.matrix.response_matrix import ResponseMatrix
from forefold.matrix.summary import Summary, SummaryRow, summary
from forefold.matrix.uhi_json import from_json, provenance, to_json

__all__ = [
    "Compatibility",
    "InBinVariation",
    "Prediction",
    "ResponseMatrix",
    "Summary",
    "SummaryRow",
    "angle_matrix",
    "compatibility",
    "energy_matrix",
    "fold",
    "from_json",
    "in_bin_variation",
    "provenance",
    "resolution_matrix",
    "summary",
    "to_json",
    "varied_energy_matrix",
    "varied_matrix",
]


def __dir__() -> list[str]:
    return __all__
