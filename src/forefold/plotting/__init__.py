"""The figures of arXiv:2209.05260 from histograms, and what a physicist looks at next.

Every function takes histograms of `forefold.matrix` (never events), or what a fit or an unfolding gave, returns a
`matplotlib.figure.Figure` and touches no global state: no style stays set, no figure is registered. Write one with `save`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from forefold.plotting.style import FORMATS, figure_bytes, save, style

if TYPE_CHECKING:
    from forefold.plotting.card import card_figure
    from forefold.plotting.curves import angle_figure, log_normal_figure, resolution_figure
    from forefold.plotting.inference import (
        band_figure,
        fit_figure,
        interval_figure,
        prediction_figure,
    )
    from forefold.plotting.matrix import (
        angle_by_type_figure,
        angle_matrix_figure,
        energy_by_type_figure,
        energy_matrix_figure,
        response_matrix_figure,
        selected_figure,
    )
    from forefold.plotting.spectra import folded_figure
    from forefold.plotting.unfolding import closure_figure, strength_figure, unfolded_figure

__all__ = [
    "FORMATS",
    "angle_by_type_figure",
    "angle_figure",
    "angle_matrix_figure",
    "band_figure",
    "card_figure",
    "closure_figure",
    "energy_by_type_figure",
    "energy_matrix_figure",
    "figure_bytes",
    "fit_figure",
    "folded_figure",
    "interval_figure",
    "log_normal_figure",
    "prediction_figure",
    "resolution_figure",
    "response_matrix_figure",
    "save",
    "selected_figure",
    "strength_figure",
    "style",
    "unfolded_figure",
]

# where each figure is drawn; `peek` of what stands below this room imports nothing of it before it is asked for
_HOMES = {
    "angle_by_type_figure": "matrix",
    "angle_figure": "curves",
    "angle_matrix_figure": "matrix",
    "band_figure": "inference",
    "card_figure": "card",
    "closure_figure": "unfolding",
    "energy_by_type_figure": "matrix",
    "energy_matrix_figure": "matrix",
    "fit_figure": "inference",
    "folded_figure": "spectra",
    "interval_figure": "inference",
    "log_normal_figure": "curves",
    "prediction_figure": "inference",
    "resolution_figure": "curves",
    "response_matrix_figure": "matrix",
    "selected_figure": "matrix",
    "strength_figure": "unfolding",
    "unfolded_figure": "unfolding",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
