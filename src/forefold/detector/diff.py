"""What two cards say differently, in the words of the cards."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forefold.detector import Card, Rule

__all__ = ["CardDiff", "Difference", "card_diff"]

_ABOUT = ("schema", "name", "title", "description", "sources")
_WORDS = ("source", "description", "type")
_ROOMS = ("parameters", "tables")
_SIGNS = {"ge": ">=", "gt": ">", "lt": "<", "le": "<="}


@dataclass(frozen=True)
class Difference:
    """One key that differs.

    Attributes
    ----------
    where : str
        Place in the card, such as ``rule 'muon': energy.constant``.
    a, b : object
        What each card says; None where it says nothing (and the default stands).
    source_a, source_b : str or None
        Keys of the cards' ``[sources]`` that the two come from.
    response : bool
        Whether it changes what is drawn; titles, descriptions, labels and sources do not.
    """

    where: str
    a: Any
    b: Any
    source_a: str | None = None
    source_b: str | None = None
    response: bool = True

    def __str__(self) -> str:
        """Both values, with their sources."""
        return f"{self.where}: {_shown(self.a, self.source_a)} -> {_shown(self.b, self.source_b)}"


@dataclass(frozen=True)
class CardDiff:
    """What two cards say differently; true if there is something.

    Attributes
    ----------
    a, b : str
        Names of the cards.
    differences : tuple of Difference
    sources : dict of str to (str or None, str or None)
        Texts of the sources that the differences name, in each card.
    """

    a: str
    b: str
    differences: tuple[Difference, ...]
    sources: dict[str, tuple[str | None, str | None]]

    def __bool__(self) -> bool:
        return bool(self.differences)

    @property
    def same_response(self) -> bool:
        """Whether both draw the same: only titles, descriptions, labels and sources differ."""
        return not any(d.response for d in self.differences)

    def response(self) -> CardDiff:
        """Give only what changes draws."""
        kept = tuple(d for d in self.differences if d.response)
        return replace(self, differences=kept, sources=_named(kept, self.sources))

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain lists and dicts."""
        return {
            "a": self.a,
            "b": self.b,
            "same_response": self.same_response,
            "differences": [vars(d) for d in self.differences],
            "sources": {key: list(both) for key, both in self.sources.items()},
        }

    def __str__(self) -> str:
        """One line a difference."""
        if not self.differences:
            return f"{self.a} and {self.b}: equal"
        n = len(self.differences)
        more = ", none changes what is drawn" if self.same_response else ""
        lines = [f"{self.a} -> {self.b}: {n} difference{'s' * (n > 1)}{more}"]
        lines += [f"  {d}" for d in self.differences]
        lines += ["sources:"] if self.sources else []
        for key, (a, b) in self.sources.items():
            texts = dict.fromkeys(text for text in (a, b) if text is not None)
            lines += [f"  [{key}] {text}" for text in texts]
        return "\n".join(lines)


def card_diff(a: Card | str | Path, b: Card | str | Path) -> CardDiff:
    """Compare two cards, rule by rule and key by key.

    Parameters
    ----------
    a, b : Card, str or Path
        Cards, or their names or files.

    Returns
    -------
    CardDiff

    Raises
    ------
    ValueError
        A card does not keep to the schema.
    OSError
        A file cannot be read.

    Notes
    -----
    Rules are matched by their names, and those that are left by particles and conditions. What a card leaves out and
    what it says to be the default are the same.

    Examples
    --------
    >>> print(card_diff("nusmear-default", "nusmear-default-genie").differences[-1])
    rule 'electron': angle.sigma_deg: 3.0 (nusmear) -> 2.0 (genie)
    """
    from forefold.detector.load import load_card

    first, second = load_card(a), load_card(b)
    differences = tuple(_all(first, second))
    texts = {
        key: (first.sources.get(key), second.sources.get(key))
        for key in dict.fromkeys([*first.sources, *second.sources])
    }
    return CardDiff(first.name, second.name, differences, _named(differences, texts))


def _named(
    differences: tuple[Difference, ...], texts: dict[str, tuple[str | None, str | None]]
) -> dict[str, tuple[str | None, str | None]]:
    """Texts of the sources that differences name."""
    keys = {key for d in differences for key in (d.source_a, d.source_b)}
    return {key: both for key, both in texts.items() if key in keys}


def _all(a: Card, b: Card) -> Iterator[Difference]:
    one, other = _said(a), _said(b)
    for key in _ABOUT:
        for d in _values(key, one.pop(key, None), other.pop(key, None)):
            yield Difference(d.where, d.a, d.b, response=False)
    rules, others = one.pop("rule"), other.pop("rule")
    for room in _ROOMS:
        mine, yours = one.pop(room, {}), other.pop(room, {})
        for name in dict.fromkeys([*mine, *yours]):
            yield from _blocks(f"{room}.{name}", mine.get(name), yours.get(name))
    for key in dict.fromkeys([*one, *other]):
        mine, yours = one.get(key), other.get(key)
        if not isinstance(mine or yours, list):
            yield from _blocks(key, mine, yours)
            continue
        for i, pair in enumerate(zip_longest(mine or (), yours or ())):
            yield from _blocks(f"{key}[{i + 1}]", *pair)
    yield from _rules(rules, others, a.rules, b.rules)


def _said(card: Card) -> dict[str, Any]:
    found: dict[str, Any] = card.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return found


def _rules(
    mine: list[dict[str, Any]],
    yours: list[dict[str, Any]],
    a: tuple[Rule, ...],
    b: tuple[Rule, ...],
) -> Iterator[Difference]:
    pairs = _pairs(a, b)
    for i, j in pairs:
        where = f"rule {a[i].name!r}"
        yield from _blocks(where, mine[i], yours[j], joint=": ")
    for i in sorted(set(range(len(a))) - {i for i, _ in pairs}):
        yield Difference(f"rule {a[i].name!r}", _in_words(a[i]), None, a[i].source)
    for j in sorted(set(range(len(b))) - {j for _, j in pairs}):
        yield Difference(f"rule {b[j].name!r}", None, _in_words(b[j]), None, b[j].source)
    order = [j for _, j in pairs]
    if order != sorted(order):
        names = [a[i].name for i, _ in pairs]
        other = [a[i].name for i, _ in sorted(pairs, key=lambda pair: pair[1])]
        yield Difference("order of the rules", names, other)


def _pairs(a: tuple[Rule, ...], b: tuple[Rule, ...]) -> list[tuple[int, int]]:
    """Rows of rules that belong together, in the order of the first card."""
    names = {rule.name: j for j, rule in enumerate(b)}
    found = {i: names[rule.name] for i, rule in enumerate(a) if rule.name in names}
    for i, rule in enumerate(a):
        free = (j for j in range(len(b)) if j not in found.values())
        alike = (j for j in free if b[j].particles == rule.particles and b[j].when == rule.when)
        if i not in found and (j := next(alike, None)) is not None:
            found[i] = j
    return sorted(found.items())


def _in_words(rule: Rule) -> str:
    from forefold.detector.text import angle_words, energy_words

    who = ", ".join(map(str, rule.particles))
    when = f" with {rule.when}" if rule.when else ""
    widths = "; ".join(energy_words(part) for part in rule.energy.components())
    return f"{who}{when}: R_E {widths}, R_A {angle_words(rule.angle)}"


def _blocks(where: str, a: Any, b: Any, *, joint: str = ".") -> Iterator[Difference]:
    """Compare blocks; a source is said beside the values, or as a difference of its own where only it differs."""
    if not isinstance(a, dict) or not isinstance(b, dict):
        yield from _sourced(where, a, b, _source(a), _source(b))
        return
    for key in dict.fromkeys([*a, *b]):
        mine, yours = a.get(key), b.get(key)
        place = f"{where}{joint}{key}"
        if isinstance(mine, dict) or isinstance(yours, dict):
            filled = (_with_source(v, block) for v, block in ((mine, a), (yours, b)))
            yield from _nested(place, *filled)
        else:
            yield from _sourced(place, mine, yours, _source(a), _source(b))


def _nested(where: str, a: dict[str, Any], b: dict[str, Any]) -> Iterator[Difference]:
    """Compare blocks within a rule; a source that is only the rule's own is said there."""
    sources = a.pop("source", None), b.pop("source", None)
    before = {key: block for key, block in (("a", a), ("b", b)) if block}
    found = False
    for key in dict.fromkeys([*a, *b]):
        mine, yours = a.get(key), b.get(key)
        place = f"{where}.{key}"
        if _is_interval(mine) or _is_interval(yours):
            mine, yours = _bounds(mine), _bounds(yours)
        for d in _values(place, mine, yours):
            found = True
            yield Difference(d.where, d.a, d.b, *sources)
    if not found and len(before) == 2 and sources[0] != sources[1]:
        yield Difference(f"{where}.source", *sources, response=False)


def _is_interval(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and set(value) <= set(_SIGNS)


def _bounds(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    return " and ".join(f"{sign} {value[key]!r}" for key, sign in _SIGNS.items() if key in value)


def _with_source(value: Any, block: dict[str, Any]) -> dict[str, Any]:
    inner = dict(value or {})
    return {**inner, "source": inner.get("source", _source(block))} if inner else inner


def _source(block: Any) -> str | None:
    return block.get("source") if isinstance(block, dict) else None


def _sourced(
    where: str, a: Any, b: Any, source_a: str | None, source_b: str | None
) -> Iterator[Difference]:
    word = where.rsplit(".", 1)[-1].rsplit(": ", 1)[-1]
    for d in _values(where, a, b):
        if word in _WORDS or word == "name":
            yield Difference(d.where, d.a, d.b, response=False)
        else:
            yield Difference(d.where, d.a, d.b, source_a, source_b)


def _values(where: str, a: Any, b: Any) -> Iterator[Difference]:
    """Compare values; long lists only in their items, short ones as a whole."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in dict.fromkeys([*a, *b]):
            yield from _values(f"{where}.{key}", a.get(key), b.get(key))
    elif _is_long(a) and _is_long(b) and len(a) == len(b):
        for i, (mine, yours) in enumerate(zip(a, b, strict=True)):
            yield from _values(f"{where}[{i + 1}]", mine, yours)
    elif a != b and not _both_nan(a, b):
        yield Difference(where, a, b)


def _is_long(value: Any) -> bool:
    return isinstance(value, list) and (
        len(value) > 8 or any(isinstance(item, (dict, list)) for item in value)
    )


def _both_nan(a: Any, b: Any) -> bool:
    return isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b)


def _shown(value: Any, source: str | None) -> str:
    if value is None:
        return "not given"
    words = repr(value) if isinstance(value, (int, float)) else _plain(value)
    return f"{words} ({source})" if source else words


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_plain(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_plain(item)}" for key, item in value.items()) + "}"
    text = " ".join(str(value).split())
    return text if len(text) <= 100 else f"{text[:60]} … {text[-30:]}"
