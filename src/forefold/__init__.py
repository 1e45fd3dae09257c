"""From truth to what your detector sees, and back.

>>> import forefold
>>> smeared = forefold.smear(forefold.read(forefold.sample()), "nusmear-dune-cdr", rng=1)
>>> len(smeared)
3000
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forefold import borders, events, families, io, plot, species, variations
    from forefold._version import __version__
    from forefold.batch import convert
    from forefold.borders import (
        export_matrix,
        import_matrix,
        import_spectrum,
        matrix_response,
    )
    from forefold.cardtools import card_diff, card_toml, validate_card
    from forefold.citations import cite
    from forefold.demo import sample
    from forefold.detector import Card, cards, load_card
    from forefold.faces import card_response
    from forefold.fitting import fit_card
    from forefold.folding import ResponseMatrix, fold
    from forefold.inference import Experiment, Parameter
    from forefold.io import inspect, iterate, read
    from forefold.io.smeared import iterate_smeared, read_smeared
    from forefold.jobs.files import fill_files, smear_files
    from forefold.kernels.fate import Fate
    from forefold.kinematics import observables
    from forefold.matrix import Summary, angle_matrix, energy_matrix, varied_energy_matrix
    from forefold.response import Response, smear_values
    from forefold.reweighting import Weights, reweight, scores
    from forefold.smearing import fate_counts, reconstructed, smear
    from forefold.unfolding import Unfolded, closure, unfold
    from forefold.variations import Variation, smear_variations, standard_variations, throws

__all__ = [
    "Card",
    "Experiment",
    "Fate",
    "Parameter",
    "Response",
    "ResponseMatrix",
    "Summary",
    "Unfolded",
    "Variation",
    "Weights",
    "__version__",
    "angle_matrix",
    "borders",
    "card_diff",
    "card_response",
    "card_toml",
    "cards",
    "cite",
    "closure",
    "convert",
    "energy_matrix",
    "events",
    "export_matrix",
    "families",
    "fate_counts",
    "fill_files",
    "fit_card",
    "fold",
    "import_matrix",
    "import_spectrum",
    "inspect",
    "io",
    "iterate",
    "iterate_smeared",
    "load_card",
    "matrix_response",
    "observables",
    "plot",
    "read",
    "read_smeared",
    "reconstructed",
    "reweight",
    "sample",
    "scores",
    "smear",
    "smear_files",
    "smear_values",
    "smear_variations",
    "species",
    "standard_variations",
    "throws",
    "unfold",
    "validate_card",
    "variations",
    "varied_energy_matrix",
]

# where each name lives; nothing of it is imported before it is asked for
_HOMES = {
    "Card": "detector",
    "Experiment": "inference",
    "Fate": "kernels.fate",
    "Parameter": "inference",
    "Response": "response",
    "ResponseMatrix": "folding",
    "Summary": "matrix",
    "Unfolded": "unfolding",
    "Variation": "variations",
    "Weights": "reweighting",
    "__version__": "_version",
    "angle_matrix": "matrix",
    "card_diff": "cardtools",
    "card_response": "faces",
    "card_toml": "cardtools",
    "cards": "detector",
    "cite": "citations",
    "closure": "unfolding",
    "convert": "batch",
    "energy_matrix": "matrix",
    "export_matrix": "borders",
    "fate_counts": "smearing",
    "fill_files": "jobs.files",
    "fit_card": "fitting",
    "fold": "folding",
    "import_matrix": "borders",
    "import_spectrum": "borders",
    "inspect": "io",
    "iterate": "io",
    "iterate_smeared": "io.smeared",
    "load_card": "detector",
    "matrix_response": "borders",
    "observables": "kinematics",
    "read": "io",
    "read_smeared": "io.smeared",
    "reconstructed": "smearing",
    "reweight": "reweighting",
    "sample": "demo",
    "scores": "reweighting",
    "smear": "smearing",
    "smear_files": "jobs.files",
    "smear_values": "response",
    "smear_variations": "variations",
    "standard_variations": "variations",
    "throws": "variations",
    "unfold": "unfolding",
    "varied_energy_matrix": "matrix",
    "validate_card": "cardtools",
}
_ROOMS = ("borders", "events", "families", "io", "plot", "species", "variations")


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(f"forefold.{_HOMES[name]}"), name)
    elif name in _ROOMS:
        value = importlib.import_module(f"forefold.{name}")
    else:
        message = f"module 'forefold' has no attribute {name!r}"
        raise AttributeError(message)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
