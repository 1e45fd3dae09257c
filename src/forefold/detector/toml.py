"""A card as TOML text that loads to an equal card."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forefold.detector import Card

__all__ = ["card_toml"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_HEAD = ("schema", "name", "title", "description", "not_smeared")
_NAMED = ("parameters", "tables")
_WIDTH = 118
_INDENT = 2


def card_toml(card: Card) -> str:
    """Write a card as TOML, with what it extends and the tables of other files in it.

    Parameters
    ----------
    card : Card

    Returns
    -------
    str
        Loads to an equal card. Keys that have their defaults are left out.

    Examples
    --------
    >>> import forefold
    >>> text = card_toml(forefold.load_card("nusmear-default-genie"))
    >>> print(text.split("[[rule]]")[6].strip())
    name = "electron"
    type = "e+-"
    particles = ["e-", "e+"]
    source = "nusmear"
    threshold.kinetic_energy.gt = 0.05
    threshold.source = "nusmear"
    energy = { of = "total", distribution = "log-normal", constant = 0.4, source = "nusmear" }
    angle = { convention = "polar", distribution = "normal", sigma_deg = 2.0, source = "genie" }
    """
    said = card.model_dump(by_alias=True, exclude_defaults=True)
    lines = [_entry(key, said[key]) for key in _HEAD if key in said]
    lines += _block("sources", said["sources"])
    for room in [key for key in said if key not in {*_HEAD, "sources", "rule"}]:
        if room in _NAMED:
            for name, block in said[room].items():
                lines += _block(f"{room}.{_key(name)}", block)
        elif isinstance(said[room], dict):
            lines += _block(room, said[room])
        else:
            for block in said[room]:
                lines += _block(room, block, listed=True)
    for rule in said["rule"]:
        lines += _rule(rule)
    return "\n".join(lines) + "\n"


def _block(name: str, entries: dict[str, Any], *, listed: bool = False) -> list[str]:
    head = f"[[{name}]]" if listed else f"[{name}]"
    return ["", head, *(_entry(key, value) for key, value in entries.items())]


def _rule(rule: dict[str, Any]) -> list[str]:
    """Write one rule; what does not fit into a line gets a block of its own."""
    lines = ["", "[[rule]]"]
    blocks = [key for key in ("energy", "angle") if len(_entry(key, rule[key])) > _WIDTH]
    for key, value in rule.items():
        if key in {"when", "threshold"}:
            lines += [f"{key}.{word}" for word in _dotted(value)]
        elif key not in blocks:
            lines.append(_entry(key, value))
    for key in blocks:
        lines += _block(f"rule.{key}", rule[key])[1:]
    return lines


def _dotted(table: dict[str, Any]) -> list[str]:
    found = []
    for key, value in table.items():
        if isinstance(value, dict):
            found += [f"{_key(key)}.{word}" for word in _dotted(value)]
        else:
            found.append(_entry(key, value))
    return found


def _entry(key: str, value: Any) -> str:
    if key == "description" and "\n" in value:
        return f"{key} = {_long_text(value)}"
    return f"{_key(key)} = {_value(value, len(key) + 3)}"


def _key(word: str) -> str:
    return word if _BARE.fullmatch(word) else _text(word)


def _value(value: Any, used: int) -> str:
    """Write a value; a list that does not fit into the rest of the line gets several lines."""
    if not isinstance(value, (list, tuple)):
        return _short(value)
    line = _short(value)
    if used + len(line) <= _WIDTH:
        return line
    inner = [_value(item, used + _INDENT) for item in value]
    if any(isinstance(item, (dict, list, tuple)) for item in value):
        return _lines("[", [f"{item}," for item in inner], "]")
    rows, row = [], ""
    for item in inner:
        if row and len(row) + len(item) + 2 > _WIDTH - _INDENT:
            rows.append(row)
            row = ""
        row += f"{' ' if row else ''}{item},"
    return _lines("[", [*rows, row], "]")


def _lines(start: str, inner: list[str], end: str) -> str:
    indented = [" " * _INDENT + line.replace("\n", "\n" + " " * _INDENT) for line in inner]
    return "\n".join([start, *indented, end])


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_short, value))}]"
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {_short(item)}" for key, item in value.items())
        return f"{{ {inner} }}"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(text: str) -> str:
    # JSON's escapes are TOML's too; TOML wants one more character escaped
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _long_text(text: str) -> str:
    inner = "\n".join(_text(line)[1:-1] for line in text.split("\n"))
    return f'"""\n{inner}"""'
