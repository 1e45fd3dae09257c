"""Formulas of a card that name no quantity of a particle: one number for all, which is known when the card is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.detector.allowed import allowed
from forefold.detector.formulas import formulas, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forefold.detector.card import Card
    from forefold.detector.formulas import Formula
    from forefold.expressions import Expression

__all__ = ["beyond_one_sigma", "check_constants"]


def _constants(card: Card) -> Iterator[tuple[Formula, Expression]]:
    """Find formulas of numbers that name parameters only."""
    for formula in formulas(card):
        if formula.kind == "number":
            expression = parsed(card, formula)
            if not expression.functions and set(expression.names) <= set(card.parameters):
                yield formula, expression


def _value(expression: Expression, values: dict[str, float]) -> float:
    columns = {name: np.array([values[name]]) for name in expression.names}
    with np.errstate(all="ignore"):
        return float(np.ravel(expression.evaluate(columns))[0])


def _wrong(formula: Formula, value: float) -> str:
    """Say what is wrong with a value of a formula; nothing if it is allowed."""
    limits = allowed(formula.where.rpartition(".")[2])
    if limits.holds(value):
        return ""
    found = "is not known" if np.isnan(value) else f"is {value:.6g}"
    return f"{formula.text!r} {found}, allowed: {limits}"


def check_constants(card: Card) -> None:
    """Refuse formulas that have one value for all particles, and not an allowed one.

    Parameters
    ----------
    card : Card

    Raises
    ------
    ValueError
    """
    values = {name: block.value for name, block in card.parameters.items()}
    for formula, expression in _constants(card):
        wrong = _wrong(formula, _value(expression, values))
        if wrong:
            message = f"{formula.where}: {wrong}"
            raise ValueError(message)


def beyond_one_sigma(card: Card) -> Iterator[tuple[str, str]]:
    """Find parameters whose uncertainty, within their limits, takes such a formula to a value that is not allowed.

    Parameters
    ----------
    card : Card

    Yields
    ------
    name : str
        Of the parameter.
    words : str
        Formula and value.
    """
    values = {name: block.value for name, block in card.parameters.items()}
    told: set[str] = set()
    for formula, expression in _constants(card):
        for name in expression.names:
            block = card.parameters[name]
            low, high = block.limits or (-np.inf, np.inf)
            for sigma, sign in ((block.uncertainty, "+"), (-block.uncertainty, "-")):
                there = min(max(block.value + sigma, low), high)
                wrong = _wrong(formula, _value(expression, {**values, name: there}))
                if wrong and name not in told:
                    told.add(name)
                    yield (
                        name,
                        f"{sign}1 sigma ({there:g}) is beyond what {formula.where} allows: {wrong}; give it limits",
                    )
