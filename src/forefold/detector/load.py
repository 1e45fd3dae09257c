"""Detector cards: find, load, extend, print, and turn into the tables that the kernels read."""

from __future__ import annotations

import hashlib
import os
import warnings
from typing import TYPE_CHECKING

from pydantic import ValidationError

from forefold.detector import Card
from forefold.detector.card import remember
from forefold.detector.cardfile import card_source, cards, line_of, resolved
from forefold.detector.check import unlikely
from forefold.detector.errors import complaints, shortened

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Card", "card_source", "cards", "fingerprint", "load_card"]


def load_card(name: str | Path | Card) -> Card:
    """Load a detector card.

    Parameters
    ----------
    name : str, Path or Card
        A name of `cards()`, or a TOML file (anything with a slash or the suffix ``.toml``). A card that was made around the
        checks, as by ``model_construct``, is checked here, once.

    Returns
    -------
    Card

    Raises
    ------
    ValueError
        No such card, or the card does not keep to the schema; one line says file, key, what was found and what
        is allowed.
    OSError
        The file cannot be read.
    TypeError
        Neither a card nor a name.

    Warns
    -----
    UserWarning
        What the card hardly means: a threshold that hides everything that a rule could see, is so high that MeV may have been
        taken for GeV, or is never reached because another rule takes what is there; a resolution above 1.

    Examples
    --------
    >>> load_card("nusmear-dune-cdr").types
    ('pi+-', 'e+- gamma', 'p', 'mu+-', 'n', 'other')
    """
    if isinstance(name, Card):
        return name if name.checked else _checked(name)
    given: object = name
    if not isinstance(given, (str, os.PathLike)):
        message = f"a card, its name or its file is expected, found {shortened(repr(given))}"
        raise TypeError(message)
    raw, where = resolved(name)
    try:
        card = Card.model_validate(raw)
    except ValidationError as error:
        words, places = complaints(error, raw)
        lines = (line_of(name, loc, raw) for loc in places)
        line = next((line for line in lines if line is not None), None)
        place = where if line is None else f"{where}, line {line}"
        message = f"{place}: {shortened(words)}"
        raise ValueError(message) from None
    for loc, words in unlikely(card):
        line = line_of(name, loc, raw)
        place = where if line is None else f"{where}, line {line}"
        warnings.warn(f"{place}: {words}", stacklevel=2)
    return card


def _checked(card: Card) -> Card:
    """Check a card that was put together around the checks."""
    raw = card.model_dump(by_alias=True, exclude_unset=True, warnings=False)
    try:
        Card.model_validate(raw)
    except ValidationError as error:
        message = f"card {card.name}: {shortened(complaints(error, raw)[0])}"
        raise ValueError(message) from None
    remember(card)
    return card


def fingerprint(card: Card) -> tuple[str, str]:
    """Give the resolved card as JSON, and its SHA-256: cards that say the same have the same.

    Examples
    --------
    >>> len(fingerprint(load_card("nusmear-default"))[1])
    64
    """
    text = card.model_dump_json(by_alias=True, exclude_defaults=True)
    return text, hashlib.sha256(text.encode()).hexdigest()
