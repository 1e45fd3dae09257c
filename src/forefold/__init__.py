"""From truth to what your detector sees, and back.

>>> import forefold
>>> smeared = forefold.smear(forefold.read(forefold.sample()), "nusmear-dune-cdr", rng=1)
>>> len(smeared)
3000
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from forefold._inputs import OLD_WORDS, current_word

if TYPE_CHECKING:
    from forefold import events, io, plotting
    from forefold._about import __version__
    from forefold.detector.diff import card_diff
    from forefold.detector.load import Card, cards, load_card
    from forefold.detector.toml import card_toml
    from forefold.events import particles
    from forefold.events.observables import observables
    from forefold.inference import Experiment, Parameter
    from forefold.inference.card_fit import fit_card
    from forefold.io import iterate, read
    from forefold.io.native.smeared import iterate_smeared, read_smeared
    from forefold.kernels.fate import Fate
    from forefold.matrix import (
        ResponseMatrix,
        Summary,
        angle_matrix,
        energy_matrix,
        formats,
        varied_energy_matrix,
    )
    from forefold.matrix.fold import fold
    from forefold.matrix.formats import (
        export_matrix,
        import_matrix,
        import_spectrum,
        matrix_response,
    )
    from forefold.matrix.spectrum import spectrum
    from forefold.response import Response, distributions
    from forefold.response.smear_values import smear_values
    from forefold.smearing import variations
    from forefold.smearing.closed_form.card_response import card_response
    from forefold.smearing.reweighting import Weights, reweight, scores
    from forefold.smearing.smear import fate_counts, reconstructed, smear
    from forefold.smearing.validation import validate_card
    from forefold.smearing.variations import (
        Variation,
        smear_variations,
        standard_variations,
        universes,
    )
    from forefold.unfolding import Unfolded
    from forefold.unfolding.closure import closure
    from forefold.unfolding.unfold import unfold
    from forefold.workflows.batch import fill_files, smear_files
    from forefold.workflows.citations import cite
    from forefold.workflows.demo import sample
    from forefold.workflows.inspection import inspect
    from forefold.workflows.stream import convert

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
    "card_diff",
    "card_response",
    "card_toml",
    "cards",
    "cite",
    "closure",
    "convert",
    "distributions",
    "energy_matrix",
    "events",
    "export_matrix",
    "fate_counts",
    "fill_files",
    "fit_card",
    "fold",
    "formats",
    "import_matrix",
    "import_spectrum",
    "inspect",
    "io",
    "iterate",
    "iterate_smeared",
    "load_card",
    "matrix_response",
    "observables",
    "particles",
    "plotting",
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
    "spectrum",
    "standard_variations",
    "unfold",
    "universes",
    "validate_card",
    "variations",
    "varied_energy_matrix",
]

# where each name lives; nothing of it is imported before it is asked for
_HOMES = {
    "Card": "detector.load",
    "Experiment": "inference",
    "Fate": "kernels.fate",
    "Parameter": "inference",
    "Response": "response",
    "ResponseMatrix": "matrix",
    "Summary": "matrix",
    "Unfolded": "unfolding",
    "Variation": "smearing.variations",
    "Weights": "smearing.reweighting",
    "__version__": "_about",
    "angle_matrix": "matrix",
    "card_diff": "detector.diff",
    "card_response": "smearing.closed_form",
    "card_toml": "detector.toml",
    "cards": "detector.load",
    "cite": "workflows.citations",
    "closure": "unfolding",
    "convert": "workflows.stream",
    "energy_matrix": "matrix",
    "export_matrix": "matrix.formats",
    "fate_counts": "smearing.smear",
    "fill_files": "workflows.batch",
    "fit_card": "inference.card_fit",
    "fold": "matrix",
    "import_matrix": "matrix.formats",
    "import_spectrum": "matrix.formats",
    "inspect": "workflows.inspection",
    "iterate": "io",
    "iterate_smeared": "io.native.smeared",
    "load_card": "detector.load",
    "matrix_response": "matrix.formats",
    "observables": "events.observables",
    "read": "io",
    "read_smeared": "io.native.smeared",
    "reconstructed": "smearing.smear",
    "reweight": "smearing.reweighting",
    "sample": "workflows.demo",
    "scores": "smearing.reweighting",
    "smear": "smearing.smear",
    "smear_files": "workflows.batch",
    "smear_values": "response",
    "smear_variations": "smearing.variations",
    "spectrum": "matrix.spectrum",
    "standard_variations": "smearing.variations",
    "unfold": "unfolding",
    "universes": "smearing.variations",
    "varied_energy_matrix": "matrix",
    "validate_card": "smearing.validation",
}
_ROOMS = {
    "distributions": "response.distributions",
    "events": "events",
    "formats": "matrix.formats",
    "io": "io",
    "particles": "events.particles",
    "plotting": "plotting",
    "variations": "smearing.variations",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(f"forefold.{_HOMES[name]}"), name)
    elif name in _ROOMS:
        value = importlib.import_module(f"forefold.{_ROOMS[name]}")
    elif name in OLD_WORDS["name"]:
        return __getattr__(current_word("name", name))
    else:
        message = f"module 'forefold' has no attribute {name!r}"
        raise AttributeError(message)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
