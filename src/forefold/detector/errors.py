"""How errors of a card are worded: which key, what was written, what is allowed, and near names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

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
from forefold.events import particles as species

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

__all__ = ["complaints", "shortened"]

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
_MOST = 3
_PLACE = re.compile(
    r"""rule\ '(?P<named>[^']*)': | (?P<keys> \w+ (\[\d+\])? (\ '[^']*')? ( \.\w+ (\[\d+\])? )* ) :""",
    re.VERBOSE,
)


def complaints(error: ValidationError, raw: dict[str, Any]) -> tuple[str, list[Loc]]:
    """Put what pydantic complains of in the words of the card.

    Parameters
    ----------
    error : pydantic.ValidationError
    raw : dict
        The card as it was written.

    Returns
    -------
    words : str
        One line: the first complaint, and a few more.
    places : list of tuples of keys and indices
        Keys that the first complaint may be about, the likeliest first.
    """
    errors = [one for one in error.errors(include_url=False) if not _follows(one)]
    lines = list(dict.fromkeys(_complaint(one, raw)[0] for one in errors))
    also = [words.split("; allowed: ")[0] for words in lines[1:_MOST]]
    line = "; also ".join([lines[0], *also])
    line += f" ({len(lines) - _MOST} more)" if len(lines) > _MOST else ""
    first, (_, message) = errors[0], _complaint(errors[0], raw)
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
        word = str(first["input"])
        expected = first["ctx"]["expected"]
        words = [w.strip(" '") for w in expected.replace(" or ", ",").split(",")]
        message = f"found {first['input']!r}{species.near(word, words)}; allowed: {expected}"
    elif first["type"] not in {"missing", "value_error"}:
        message = f"{message}, found {first['input']!r}"
    return f"{path}{message}", message


def shortened(words: str) -> str:
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
    place = _PLACE.match(words)
    if place is None:
        return ()
    if place["named"]:
        names = [rule.get("name") for rule in raw["rule"]]
        return ("rule", names.index(place["named"])) if place["named"] in names else ()
    parts = re.sub(r" '[^']*'", "", place["keys"]).replace("]", "").replace("[", ".").split(".")
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
