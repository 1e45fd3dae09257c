"""Tools for cards: written as text, compared, validated, and fitted to data."""

from __future__ import annotations

from forefold.cardtools.diff import CardDiff, Difference, card_diff
from forefold.cardtools.toml import card_toml

__all__ = ["CardDiff", "Difference", "card_diff", "card_toml"]
