"""The figures of arXiv:2209.05260 from histograms, and what a physicist looks at next.

Every function takes histograms of `forefold.matrix` (never events), returns a `matplotlib.figure.Figure` and
touches no global state: no style stays set, no figure is registered. Write one with `save`.
"""

from __future__ import annotations

from forefold.plotting.card import card_figure
from forefold.plotting.curves import angle_figure, log_normal_figure, resolution_figure
from forefold.plotting.matrix import (
    angle_by_type_figure,
    angle_matrix_figure,
    energy_by_type_figure,
    energy_matrix_figure,
)
from forefold.plotting.responses import response_matrix_figure
from forefold.plotting.spectra import folded_figure
from forefold.plotting.style import FORMATS, figure_bytes, save, style

__all__ = [
    "FORMATS",
    "angle_by_type_figure",
    "angle_figure",
    "angle_matrix_figure",
    "card_figure",
    "energy_by_type_figure",
    "energy_matrix_figure",
    "figure_bytes",
    "folded_figure",
    "log_normal_figure",
    "resolution_figure",
    "response_matrix_figure",
    "save",
    "style",
]


def __dir__() -> list[str]:
    return __all__
