"""Uncertain detectors: what a card's own uncertainties do to smeared events, with common random numbers.

A `Variation` is a set of pulls, in standard deviations: of parameters of the card, which are put into its formulas, and of its
shifts, which change reconstructed energies. Nominal and varied detectors use the same uniforms.
"""

from __future__ import annotations

from forefold.smearing.variations.shifts import group_energies, shifted, unit_shifts
from forefold.smearing.variations.smear import Variations, VariedCard, smear_variations
from forefold.smearing.variations.variation import (
    Variation,
    named_variations,
    parameter_values,
    shift_pulls,
    standard_variations,
    universes,
)

__all__ = [
    "Variation",
    "Variations",
    "VariedCard",
    "group_energies",
    "named_variations",
    "parameter_values",
    "shift_pulls",
    "shifted",
    "smear_variations",
    "standard_variations",
    "unit_shifts",
    "universes",
]


def __dir__() -> list[str]:
    return __all__
