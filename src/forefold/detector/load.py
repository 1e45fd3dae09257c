"""Detector cards: find, load, extend, print, and turn into the tables that the kernels read."""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from forefold.detector import (
    Angle,
    BoxBlock,
    Card,
    Conditions,
    Containment,
    Correlation,
    Energy,
    Identification,
    Identified,
    Interval,
    Parameter,
    Part,
    Position,
    RecoThreshold,
    Rule,
    ShiftBlock,
    StageBlock,
    TableBlock,
    Threshold,
    Time,
    VertexBlock,
)
from forefold.detector.card import remember
from forefold.detector.cardfile import card_source, cards, line_of, resolved
from forefold.detector.check import unlikely
from forefold.events import particles as species

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_core import ErrorDetails

__all__ = ["Card", "card_source", "cards", "fingerprint", "load_card"]

_BLOCKS: dict[str, type[BaseModel]] = {
    "rule": Rule,
    "when": Conditions,
    "threshold": Threshold,
    "energy": Energy,
    "angle": Angle,
    "kinetic_energy": Interval,
    "momentum": Interval,
    "reco": RecoThreshold,
    "parts": Part,
    "identification": Identification,
    "row": Identified,
    "parameters": Parameter,
    "tables": TableBlock,
    "containment": Containment,
    "active": BoxBlock,
    "fiducial": BoxBlock,
    "vertex": VertexBlock,
    "position": Position,
    "time": Time,
    "stage": StageBlock,
    "shift": ShiftBlock,
    "correlation": Correlation,
}
Loc = tuple[int | str, ...]

_BRANCHES = {"int", "str", "number", "formula"}
_LONGEST = 600
_MOST_TOLD = 3
_PLACE = re.compile(
    r"""rule\ '(?P<named>[^']*)': | (?P<keys> \w+ (\[\d+\])? (\ '[^']*')? ( \.\w+ (\[\d+\])? )* ) :""",
    re.VERBOSE,
)


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
        message = f"a card, its name or its file is expected, found {_brief(repr(given))}"
        raise TypeError(message)
    raw, where = resolved(name)
    try:
        card = Card.model_validate(raw)
    except ValidationError as error:
        words, places = _one_line(error, raw)
        lines = (line_of(name, loc, raw) for loc in places)
        line = next((line for line in lines if line is not None), None)
        place = where if line is None else f"{where}, line {line}"
        message = f"{place}: {_brief(words)}"
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
        message = f"card {card.name}: {_brief(_one_line(error, raw)[0])}"
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


def _one_line(error: ValidationError, raw: dict[str, Any]) -> tuple[str, list[Loc]]:
    """Put complaints of pydantic in the words of the card, a few of them, and give the keys that the first may be about."""
    found = [one for one in error.errors(include_url=False) if not _follows(one)]
    told = list(dict.fromkeys(_complaint(one, raw)[0] for one in found))
    also = [words.split("; allowed: ")[0] for words in told[1:_MOST_TOLD]]
    line = "; also ".join([told[0], *also])
    line += f" ({len(told) - _MOST_TOLD} more)" if len(told) > _MOST_TOLD else ""
    first, (_, message) = found[0], _complaint(found[0], raw)
    loc = _without_branches(first["loc"]) or _named(line, raw)
    named = re.match(r"(\w+): ", message)
    places = [(*loc, named[1]), loc] if named else [loc]
    if first["type"] == "missing" or len(loc) > 2:
        # of a key that is not there, or that a number stands for
        places.append(loc[:-1])
    return line, places


def _follows(one: ErrorDetails) -> bool:
    """Whether a list is only too short because what is in it is wrong."""
    return one["type"] == "too_short" and len(one["input"]) >= one["ctx"]["min_length"]


def _complaint(first: ErrorDetails, raw: dict[str, Any]) -> tuple[str, str]:
    """One complaint with its place, and without."""
    path, block = _path(first["loc"], raw)
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        allowed = [f.alias or key for key, f in block.model_fields.items()]
        allowed += ["extends"] if block is Card else []
        key = str(first["loc"][-1])
        message = f"unknown key{species.near(key, allowed)}; allowed: {', '.join(allowed)}"
    elif first["type"] == "literal_error":
        found = str(first["input"])
        expected = first["ctx"]["expected"]
        words = [w.strip(" '") for w in expected.replace(" or ", ",").split(",")]
        message = f"found {first['input']!r}{species.near(found, words)}; allowed: {expected}"
    elif first["type"] not in {"missing", "value_error"}:
        message = f"{message}, found {first['input']!r}"
    return f"{path}{message}", message


def _brief(words: str) -> str:
    """One line that is not too long, whatever is quoted in it."""
    line = " ".join(words.split("\n"))
    return (
        line if len(line) <= _LONGEST else f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 4 :]}"
    )


def _without_branches(loc: Loc) -> Loc:
    """Keys and places only: pydantic names the branch of a union too."""
    return tuple(
        part
        for i, part in enumerate(loc)
        if part not in _BRANCHES or (part == "formula" and loc[i - 1] in {"when", "threshold"})
    )


def _named(words: str, raw: dict[str, Any]) -> Loc:
    """Keys that a message of the whole card begins with, such as ``rule[2] 'muon'.energy.scale:``."""
    found = _PLACE.match(words)
    if found is None:
        return ()
    if found["named"]:
        names = [rule.get("name") for rule in raw["rule"]]
        return ("rule", names.index(found["named"])) if found["named"] in names else ()
    parts = re.sub(r" '[^']*'", "", found["keys"]).replace("]", "").replace("[", ".").split(".")
    return tuple(int(part) - 1 if part.isdecimal() else part for part in parts)


def _path(loc: Loc, raw: dict[str, Any]) -> tuple[str, type[BaseModel]]:
    """Where a complaint is, with a rule's number and name; and the block that it is in."""
    words: list[str] = []
    block: type[BaseModel] = Card
    for i, part in enumerate(loc):
        if isinstance(part, int):
            label = f"[{part + 1}]"
            if loc[i - 1] == "rule":
                rule = raw["rule"][part]
                label += f" {rule['name']!r}" if isinstance(rule, dict) and "name" in rule else ""
            words[-1] += label
        elif part not in _BRANCHES or (part == "formula" and loc[i - 1] in {"when", "threshold"}):
            words.append(part)
        if i < len(loc) - 1 and isinstance(part, str):
            block = _BLOCKS.get(part, block)
    return (f"{'.'.join(words)}: " if words else ""), block
