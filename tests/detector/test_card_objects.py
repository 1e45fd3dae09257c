"""Card objects that are changed in Python: a changed copy is checked, and so is one that was made around the checks."""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable
from typing import Any

import pytest
from gun import gun

import forefold
from forefold.detector import Card
from forefold.detector import card as schema_card


@pytest.fixture(scope="module")
def default() -> Card:
    return forefold.load_card("nusmear-default")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.rules[0].model_copy(update={"efficiency": -3.0}), "Rule 'charged pion': efficiency: .* 0, found -3.0"),
        (lambda c: c.rules[0].model_copy(update={"efficency": 0.3}), "Rule 'charged pion': efficency: no such key"),
        (lambda c: c.rules[0].energy.model_copy(update={"constant": -0.5}), "Energy: constant: .*found -0.5"),
        (lambda c: c.model_copy(update={"rules": c.rules[:2]}), "Card 'nusmear-default': the last rule"),
        (lambda c: c.model_copy(update={"name": "a b", "title": ""}), r"Card 'nusmear-default': name: .*found 'a b' \(1 more\)"),
    ],
)  # fmt: skip
def test_a_changed_copy_is_checked(
    default: Card, change: Callable[[Card], Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        change(default)
    assert "\n" not in str(caught.value)
    assert "pydantic" not in str(caught.value)


def test_a_good_copy_is_one(default: Card) -> None:
    rule = default.rules[0]
    changed = rule.model_copy(update={"efficiency": 0.5})
    assert changed.efficiency == 0.5
    assert changed.model_copy(update={"efficiency": 1.0}) == rule
    assert rule.model_copy() == rule
    stage = forefold.load_card("sbn-pseudoreco").model_copy(update={"name": "other"})
    assert stage.name == "other"
    assert stage.checked
    assert {"title", "rules"} <= stage.model_fields_set


def test_a_card_that_went_around_the_checks_is_checked_once(
    default: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = default.unchecked(rules=tuple(r.unchecked(efficiency=7.0) for r in default.rules))
    events = gun(13)
    for use in (
        lambda: forefold.smear(events, wrong, rng=1, axis="z"),
        lambda: forefold.card_response(wrong, "mu-"),
        lambda: forefold.validate_card(wrong, points=1, draws=10),
    ):
        with pytest.raises(ValueError, match=r"card nusmear-default: rule\[1\] 'charged pion'\.eff.* 1, found 7\.0"):  # fmt: skip
            use()
    with pytest.raises(ValueError, match=r"card x: schema: Field required"):
        forefold.smear(events, Card.model_construct(name="x"), rng=1)
    counted: list[Any] = []
    validate = Card.model_validate

    def counting(raw: Any) -> Card:
        counted.append(raw)
        return validate(raw)

    monkeypatch.setattr(Card, "model_validate", counting)
    good = copy.deepcopy(default)
    for _ in range(3):
        forefold.smear(events, good, rng=1, axis="z")
    assert len(counted) == 1
    assert forefold.load_card(good) is good
    forefold.smear(events, default, rng=1, axis="z")
    assert len(counted) == 1


def test_an_object_is_not_checked_by_being_one(default: Card) -> None:
    """Pydantic takes an object of the class as it is: its values were not looked at."""
    wrong = default.unchecked(rules=tuple(r.unchecked(efficiency=7.0) for r in default.rules))
    assert Card.model_validate(wrong) is wrong
    assert not wrong.checked
    with pytest.raises(ValueError, match=r"card nusmear-default: rule\[1\] .* 1, found 7\.0"):
        forefold.smear(gun(13), wrong, rng=1, axis="z")
    assert Card.model_validate(default).checked


def test_cards_are_not_kept_alive() -> None:
    card = copy.deepcopy(forefold.load_card("perfect"))
    forefold.load_card(card)
    place = id(card)
    assert place in schema_card._CHECKED
    del card
    gc.collect()
    assert place not in schema_card._CHECKED


def test_what_is_no_card_and_no_mapping() -> None:
    with pytest.raises(TypeError, match=r"a mapping of names .* is expected, found 3"):
        forefold.load_card("perfect").with_parameters(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a card, its name or its file is expected, found 3"):
        forefold.load_card(3)  # type: ignore[arg-type]
