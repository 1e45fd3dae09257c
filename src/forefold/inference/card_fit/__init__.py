"""From data to card: parameters of cards by maximum likelihood, from pairs of a full simulation or a migration matrix."""

from __future__ import annotations

from forefold.inference.card_fit.fit import fit_card
from forefold.inference.card_fit.goodness import Goodness
from forefold.inference.card_fit.migration import Migration, read_migration
from forefold.inference.card_fit.pairs import Pairs, read_pairs
from forefold.inference.card_fit.result import Fit
from forefold.inference.card_fit.template import Template

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
