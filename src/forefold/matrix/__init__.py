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
"""

from __future__ import annotations

from forefold.folding.comparison import (
    Compatibility,
    InBinVariation,
    compatibility,
    in_bin_variation,
)
from forefold.folding.prediction import Prediction, fold
from forefold.folding.responsematrix import ResponseMatrix

__all__ = [
    "Compatibility",
    "InBinVariation",
    "Prediction",
    "ResponseMatrix",
    "compatibility",
    "fold",
    "in_bin_variation",
]


def __dir__() -> list[str]:
    return __all__
