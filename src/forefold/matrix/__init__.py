"""True against reconstructed: matrices, resolution and a summary, all additive over chunks.

Everything here is filled from smeared events, so that a file can be read piece by piece: fill each piece and
add (``+`` of two histograms, ``+`` of two summaries).  Matrices are ``R[true, reco]``: the true quantity is
the first of the two axes.
"""

from __future__ import annotations

from forefold.matrix.filled import angle_matrix, energy_matrix, resolution_matrix
from forefold.matrix.summary import Summary, SummaryRow, summary
from forefold.matrix.uhi import from_json, provenance, to_json
from forefold.matrix.varied import varied_energy_matrix, varied_matrix

__all__ = [
    "Summary",
    "SummaryRow",
    "angle_matrix",
    "energy_matrix",
    "from_json",
    "provenance",
    "resolution_matrix",
    "summary",
    "to_json",
    "varied_energy_matrix",
    "varied_matrix",
]


def __dir__() -> list[str]:
    return __all__
