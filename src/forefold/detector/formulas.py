"""Formulas of a card: where they stand, what they may name, and whether they are numbers or conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from forefold.detector.values import QUANTITIES, TRACK
from forefold.expressions import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forefold.detector.card import Card
    from forefold.detector.rule import Rule
    from forefold.detector.values import Strict
    from forefold.expressions import Expression, Kind

__all__ = [
    "Formula",
    "formulas",
    "formulas_of_rule",
    "functions_of",
    "names_of",
    "parsed",
]

_CONDITIONS = ("formula",)


class Formula(NamedTuple):
    """A formula and its place.

    Attributes
    ----------
    where : str
        For messages, such as ``rule[2] 'muon'.energy.resolution``.
    text : str
    kind : {"number", "condition"}
        What it must give.
    """

    where: str
    text: str
    kind: Kind


def names_of(card: Card) -> Mapping[str, Kind]:
    """Names that the card's formulas may use."""
    track: dict[str, Kind] = {} if card.containment is None else dict(TRACK)
    return {**QUANTITIES, **track, **dict.fromkeys(card.parameters, "number")}


def functions_of(card: Card) -> Mapping[str, int]:
    """Give the card's tables as functions, with their number of arguments."""
    return {name: len(table.axes) for name, table in card.tables.items()}


def formulas(card: Card) -> Iterator[Formula]:
    """Find all formulas of a card, in its order."""
    for i, block in enumerate(card.identification):
        for j, entry in enumerate(block.row):
            if isinstance(entry.probability, str):
                where = f"identification[{i + 1}].row[{j + 1}].probability"
                yield Formula(where, entry.probability, "number")
    for i, rule in enumerate(card.rules):
        yield from formulas_of_rule(f"rule[{i + 1}] {rule.name!r}", rule)


def formulas_of_rule(where: str, rule: Rule) -> Iterator[Formula]:
    """Find all formulas of a rule; `where` is what it is called in messages."""
    yield from _of_block(where, rule, ("efficiency",))
    for name, block in (("when", rule.when), ("threshold", rule.threshold), ("angle", rule.angle)):
        if block is not None:
            yield from _of_block(f"{where}.{name}", block, _keys(block))
    if rule.energy.parts:
        for j, part in enumerate(rule.energy.parts):
            yield from _of_block(f"{where}.energy.parts[{j + 1}]", part, _keys(part))
    else:
        yield from _of_block(f"{where}.energy", rule.energy, _keys(rule.energy))


def _keys(block: Strict) -> tuple[str, ...]:
    words = {"of", "distribution", "sum", "table", "tail", "below_mass", "convention", "source"}
    return tuple(key for key in type(block).model_fields if key not in words)


def _of_block(where: str, block: Strict, keys: tuple[str, ...]) -> Iterator[Formula]:
    for key in keys:
        value = getattr(block, key)
        if isinstance(value, str):
            yield Formula(f"{where}.{key}", value, "condition" if key in _CONDITIONS else "number")


def parsed(card: Card, formula: Formula) -> Expression:
    """Read a formula of a card.

    Raises
    ------
    ValueError
        It is no expression, names something unknown, or is a number where a condition belongs; the message says
        where in the card and at which character.
    """
    try:
        expression = parse(formula.text, names_of(card), functions_of(card))
    except ValueError as error:
        message = f"{formula.where}: {error}"
        if card.containment is None and any(f"unknown name {w!r}" in message for w in TRACK):
            message += "; range and contained need a block [containment]"
        raise ValueError(message) from None
    if expression.kind != formula.kind:
        is_condition = expression.kind == "condition"
        hint = "write where(condition, 1, 0)" if is_condition else "compare it with something"
        message = f"{formula.where}: {formula.text!r} is a {expression.kind}, a {formula.kind} is expected: {hint}"
        raise ValueError(message)
    return expression
