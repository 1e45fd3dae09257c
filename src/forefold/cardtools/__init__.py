"""Tools for cards: written as text, compared, validated."""

from __future__ import annotations

from forefold.cardtools.diff import CardDiff, Difference, card_diff
from forefold.cardtools.toml import card_toml
from forefold.cardtools.validation import Check, Validation, validate_card

__all__ = [
    "CardDiff",
    "Check",
    "Difference",
    "Validation",
    "card_diff",
    "card_toml",
    "validate_card",
]
