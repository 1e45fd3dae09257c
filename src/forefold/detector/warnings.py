"""What a card may say, but hardly means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forefold.detector.check import beyond_one_sigma
from forefold.detector.formulas import formulas, parsed
from forefold.events import particles as species

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forefold.detector.card import Card
    from forefold.detector.conditions import Interval
    from forefold.detector.rule import Rule

__all__ = ["doubts"]

_HIGH = 10.0
"""GeV; what a detector of neutrinos sees is mostly below, and MeV that were taken for GeV are above."""

_UNITS = {"kinetic_energy": "GeV", "momentum": "GeV/c"}
Loc = tuple[int | str, ...]


def doubts(card: Card) -> Iterator[tuple[Loc, str]]:
    """Find thresholds that hide all that a rule could see, or all but the highest energies; and parameters that do nothing, or harm.

    Parameters
    ----------
    card : Card

    Yields
    ------
    loc : tuple of int and str
        Keys and places in lists, from the outside.
    words : str
        Rule, key and value, and what is odd about them.
    """
    yield from _of_parameters(card)
    for i, rule in enumerate(card.rules):
        for word in rule.particles:
            if isinstance(word, int) and not species.is_listed(word):
                words = f"PDG {word} is not in the particle table: a mass is known where an event gives one"
                yield ("rule", i, "particles"), f"rule[{i + 1}] {rule.name!r}.particles: {words}"
        for keys, bound in _thresholds(rule):
            side = "gt" if bound.gt is not None else "ge"
            value = bound.ge if bound.gt is None else bound.gt
            assert value is not None
            words = _doubt(rule, keys, value)
            if words:
                path = ("threshold", *keys, side)
                yield ("rule", i, *path), f"rule[{i + 1}] {rule.name!r}.{'.'.join(path)}: {words}"


def _of_parameters(card: Card) -> Iterator[tuple[Loc, str]]:
    named = {name for formula in formulas(card) for name in parsed(card, formula).names}
    for name in card.parameters:
        if name not in named:
            yield ("parameters", name), f"parameters.{name}: no formula names it"
    for name, words in beyond_one_sigma(card):
        yield ("parameters", name), f"parameters.{name}: {words}"


def _thresholds(rule: Rule) -> Iterator[tuple[tuple[str, ...], Interval]]:
    """Lower bounds on what is true, and on what is reconstructed, by their keys."""
    if rule.threshold is None:
        return
    reco = rule.threshold.reco
    for quantity in _UNITS:
        for keys, block in (((quantity,), rule.threshold), (("reco", quantity), reco)):
            bound = getattr(block, quantity, None)
            if bound is not None:
                yield keys, bound


def _doubt(rule: Rule, keys: tuple[str, ...], value: float) -> str:
    quantity, unit = keys[-1], _UNITS[keys[-1]]
    when = getattr(rule.when, quantity, None)
    if "reco" not in keys and when is not None and value >= when.high:
        return f"{value:g} {unit} hides everything: the rule holds below {when.high:g} {unit} only"
    if value <= _HIGH:
        return ""
    return (
        f"{value:g} {unit} hides nearly everything; the unit is {unit}: "
        f"if M{unit[1:]} are meant, write {value / 1000:g}"
    )
