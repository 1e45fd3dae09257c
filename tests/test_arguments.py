"""Arguments that are wrong: one line of what was found and what is expected, and no warning from below."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gun import card, gun, rule

import forefold
from forefold.detector.load import Card
from forefold.plotting import card_figure
from forefold.smearing.variations import VariedCard

NORMAL = 'energy = { of = "kinetic", distribution = "normal", constant = 0.1 }'


@pytest.fixture(scope="module")
def one() -> Card:
    return card(rule(NORMAL))


Call = Callable[[Card], Any]
WRONG: list[tuple[Call, str]] = [
    (lambda c: forefold.smear(gun(13), c, rng=1, axis="z", on_invalid="x"), "on_invalid: 'stop' or 'lose', found 'x'"),  # type: ignore[arg-type]
    (lambda c: forefold.smear_variations(gun(13), c, rng=1, axis="z", variations=[], on_invalid="x"), "on_invalid: 'stop' or 'lose', found 'x'"),  # type: ignore[arg-type]
    (lambda c: forefold.reweight(gun(13), gun(13), c, uncovered="bar"), "uncovered: 'stop' or 'count', found 'bar'"),  # type: ignore[arg-type]
    (lambda c: forefold.reweight(gun(13), gun(13), c, on_invalid="bar"), "on_invalid: 'stop' or 'lose', found 'bar'"),  # type: ignore[arg-type]
    (lambda c: forefold.validate_card(c, points=0), "points: a whole number from 1 on is expected, found 0"),
    (lambda c: forefold.validate_card(c, draws=-1), "draws: a whole number from 1 on is expected, found -1"),
    (lambda c: forefold.validate_card(c, draws=10.5), "draws: a whole number from 1 on is expected, found 10.5"),  # type: ignore[arg-type]
    (lambda _: forefold.Variation("", {}), "name of a variation: a text is expected, found ''"),
    (lambda _: forefold.Variation("a", 3), "variation 'a': pulls: a mapping of names to numbers is expected, found 3"),  # type: ignore[arg-type]
    (lambda _: forefold.Variation("a", {"b": "c"}), "variation 'a': a number is expected as pull of 'b', found 'c'"),  # type: ignore[dict-item]
    (lambda _: forefold.universes("dune-fd-uncertainties", 2.5), "whole numbers from 0 on are expected, found n = 2.5"),  # type: ignore[arg-type]
    (lambda _: forefold.universes("dune-fd-uncertainties", -1), "whole numbers from 0 on are expected, found n = -1"),
    (lambda _: VariedCard("dune-fd-uncertainties", ["muon_p0_up"]), "a Variation is expected, found 'muon_p0_up'; of names, named_variations"),  # type: ignore[list-item]
    (lambda _: forefold.smear_variations(gun(13), "dune-fd-uncertainties", rng=1, variations=["muon_p0"]), "no variation 'muon_p0' (did you mean"),
    (lambda _: forefold.smear_variations(gun(13), "dune-fd-uncertainties", rng=1, variations=["universes:0"]), "'universes:0': universes:N with a whole number N from 1 on"),
    (lambda c: forefold.card_response(c, "mu-", "theta", energy=0.05), "energy: a number in GeV, the mass of mu- or more"),
    (lambda c: forefold.card_response(c, "mu-", "theta", energy=math.nan), "energy: a number in GeV"),
    (lambda c: forefold.card_response(c, "mu-", theta=9), "theta: a number from 0 to 3.14159 rad is expected, found 9"),
    (lambda c: forefold.card_response(c, "mu-", theta="x"), "theta: a number from 0 to 3.14159 rad is expected, found 'x'"),  # type: ignore[arg-type]
    (lambda c: forefold.card_response(c, "mu-", phi=math.inf), "phi: a number from"),
    (lambda c: forefold.card_response(c, "mu-").matrix([-1, 1], [0, 1]), "true_edges: kinetic_energy is 0 or more, found -1"),
    (lambda c: forefold.card_response(c, "muon"), "unknown particle 'muon' (write 'mu-' or 'mu+')"),
    (lambda _: forefold.smear_values("juno", [1.0]), "a Response is expected, found 'juno'; of a card, card_response(card, particle) makes one"),  # type: ignore[arg-type]
    (lambda _: card_figure("jnuo"), "unknown card 'jnuo' (did you mean 'juno'?)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "said"), WRONG, ids=[said[:40] for _, said in WRONG])
def test_one_line(call: Call, said: str, one: Card) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        call(one)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_of_variations_as_they_are_typed() -> None:
    events = forefold.read(forefold.sample(), entries="0:20")
    name = "dune-fd-uncertainties"
    typed = forefold.smear_variations(events, name, rng=1, variations=["muon_p0_up", "universes:2"])
    made = [*forefold.standard_variations(name), *forefold.universes(name, 2, rng=1)]
    same = [v for v in made if v.name in {"muon_p0_up", "universe_0", "universe_1"}]
    built = forefold.smear_variations(events, name, rng=1, variations=same)
    assert list(typed) == ["nominal", "muon_p0_up", "universe_0", "universe_1"]
    assert np.array_equal(typed.visible_energy_reco, built.visible_energy_reco)
    assert len(forefold.smear_variations(events, name, rng=1, variations="muon_p0_up")) == 2


def test_a_figure_of_a_card_by_name() -> None:
    assert len(card_figure("perfect").axes) > 3


def test_no_warning_from_values_that_are_too_large(one: Card) -> None:
    response = forefold.card_response(one, "mu-")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert response.efficiency([1.0, 1e200, 1e308]).tolist() == [1.0, 0.0, 0.0]
        found = response.matrix([0.0, 1e300], [0.0, 1.0]).values()
    assert np.isfinite(found).all()
