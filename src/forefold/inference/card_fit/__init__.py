"""From data to card: parameters of cards by maximum likelihood, from pairs of a full simulation or a migration matrix."""

from __future__ import annotations

from forefold.fitting.fit import fit_card
from forefold.fitting.goodness import Goodness
from forefold.fitting.migration import Migration, read_migration
from forefold.fitting.pairs import Pairs, read_pairs
from forefold.fitting.result import Fit
from forefold.fitting.template import Template

__all__ = [
    "Fit",
    "Goodness",
    "Migration",
    "Pairs",
    "Template",
    "fit_card",
    "read_migration",
    "read_pairs",
]
