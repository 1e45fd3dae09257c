"""Uncertain parameters, their correlations and random universes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import forefold
from forefold.detector.uncertainty import factor
from forefold.smearing.variations import (
    Variation,
    named_variations,
    parameter_values,
    standard_variations,
    universes,
)

# parameters that no formula names are pulled too, though a card that has them is doubted
pytestmark = pytest.mark.filterwarnings("ignore:.*no formula names it")

HEAD = """
schema = 1
name = "uncertain"
title = "NuSmear's model with uncertain numbers"
extends = "nusmear-dune-cdr"
[sources]
me = "a test"
[parameters.a]
value = 1.0
uncertainty = 0.5
limits = [0.2, 1.2]
[parameters.b]
value = 2.0
uncertainty = 0.1
[parameters.c]
value = 3.0
uncertainty = 2.0
[parameters.known]
value = 3.0
[[shift]]
name = "muon"
particles = ["mu-"]
on = "each"
energy = "total"
p0 = 0.02
source = "me"
"""


def pair(a: str, b: str, value: object) -> str:
    return f'[[correlation]]\nparameters = ["{a}", "{b}"]\nvalue = {value}\nsource = "me"\n'


def load(folder: Path, *blocks: str) -> forefold.Card:
    path = folder / "card.toml"
    path.write_text(HEAD + "".join(blocks), encoding="utf-8")
    return forefold.load_card(path)


def test_covariance(tmp_path: Path) -> None:
    card = load(tmp_path, pair("a", "b", 0.3), pair("c", "muon_p0", -0.5))
    names, matrix = card.covariance()
    assert names == ("a", "b", "c", "muon_p0")
    expected = np.diag([0.25, 0.01, 4.0, 1.0])
    expected[0, 1] = expected[1, 0] = 0.3 * 0.5 * 0.1
    expected[2, 3] = expected[3, 2] = -0.5 * 2.0
    np.testing.assert_allclose(matrix, expected)
    assert "correlation: a and b: 0.3" in str(card)
    assert "shift: muon: mu-: 2 % (total energy of each)" in str(card)


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([pair("a", "bb", 0.3)], "'bb' is no uncertain parameter.*did you mean 'b'"),
        ([pair("a", "known", 0.3)], "'known' has no uncertainty"),
        ([pair("a", "a", 0.3)], "'a' with itself"),
        ([pair("a", "b", 0.3), pair("b", "a", 0.2)], "given twice"),
        ([pair("a", "b", 1.2)], "less than or equal to 1, found 1.2"),
        ([pair("a", "b", '"x"')], "valid number"),
        (
            [pair("a", "b", 0.9), pair("b", "c", 0.9), pair("a", "c", -0.9)],
            "'c' with 'a', 'b' contradict each other",
        ),
        ([pair("a", "b", 1.0), pair("a", "c", 0.5)], "'c' with 'a', 'b' contradict each other"),
        ([pair("a", "b", 0.1).replace('"me"', '"you"')], "source 'you' is not in"),
        (["[[shift]]\nname='muon'\nparticles=['e-']\non='each'\nenergy='total'\np1=0.1\nsource='me'\n"], "two shifts"),
        (["[[shift]]\nname='x'\nparticles=['e-']\non='each'\nenergy='total'\nsource='me'\n"], "shifts nothing"),
        (["[[shift]]\nname='x'\nparticles=['emu']\non='each'\nenergy='total'\np0=0.1\nsource='me'\n"], "cc muon"),
        (
            ["[[shift]]\nname='x'\nparticles=['e-']\napart=['e-']\non='each'\nenergy='total'\np0=0.1\nsource='me'\n"],
            "apart goes with",
        ),
        (["[parameters.muon_p0]\nvalue = 1.0\n"], "'muon_p0' is also the name"),
    ],
)  # fmt: skip
def test_what_does_not_hold(tmp_path: Path, blocks: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        load(tmp_path, *blocks)
    assert "\n" not in str(caught.value)


def test_cards_extend_shifts_and_correlations_by_name(tmp_path: Path) -> None:
    load(tmp_path, pair("a", "b", 0.3), pair("b", "c", 0.1))
    child = tmp_path / "child.toml"
    shift = HEAD[HEAD.index("[[shift]]") :].replace("0.02", "0.04")
    child.write_text(
        'schema = 1\nname = "child"\ntitle = "t"\nextends = "card.toml"\n'
        + pair("b", "a", 0.5)
        + shift
        + shift.replace('"muon"', '"again"'),
        encoding="utf-8",
    )
    card = forefold.load_card(child)
    assert [(s.name, s.p0) for s in card.shifts] == [("muon", 0.04), ("again", 0.04)]
    assert {frozenset(c.parameters): c.value for c in card.correlations} == {
        frozenset("ab"): 0.5,
        frozenset("bc"): 0.1,
    }


@given(
    n=st.integers(2, 6),
    values=st.lists(st.floats(-1, 1), min_size=15, max_size=15),
)
def test_factor_or_refusal_agree_with_the_eigenvalues(n: int, values: list[float]) -> None:
    names = [f"x{i}" for i in range(n)]
    matrix = np.eye(n)
    pairs = {}
    numbers = iter(values)
    for i in range(n):
        for j in range(i):
            matrix[i, j] = matrix[j, i] = next(numbers)
            pairs[frozenset((names[i], names[j]))] = float(matrix[i, j])
    lowest = float(np.linalg.eigvalsh(matrix)[0])
    if lowest < -1e-4:
        with pytest.raises(ValueError, match="no random numbers"):
            factor(names, pairs)
    elif lowest > 1e-4:
        rows = factor(names, pairs)
        lower = np.array([[rows[a].get(b, 0.0) for b in names] for a in names])
        np.testing.assert_allclose(lower @ lower.T, matrix, atol=1e-9)


@given(blocks=st.lists(st.tuples(*[st.sampled_from(["a", "b", "c", "muon_p0", "known", "", "a b", "é"])] * 2, st.one_of(st.floats(), st.integers(), st.booleans(), st.text(max_size=3))), max_size=5))  # fmt: skip
def test_fuzzed_correlations_give_a_card_or_one_line(
    blocks: list[tuple[str, str, object]],
) -> None:
    import tomllib

    from pydantic import ValidationError

    from forefold.detector.cardfile import resolved
    from forefold.detector.errors import complaints
    from forefold.detector.load import Card

    raw, _ = resolved("nusmear-dune-cdr")
    own = tomllib.loads(HEAD)
    raw |= {"parameters": own["parameters"], "shift": own["shift"]}
    raw["sources"] = {**raw["sources"], "me": "a test"}
    raw["correlation"] = [{"parameters": [a, b], "value": v, "source": "me"} for a, b, v in blocks]
    message, card = "", None
    try:
        card = Card.model_validate(raw)
    except ValidationError as error:
        message, _ = complaints(error, raw)
    assert "\n" not in message
    if card is not None:
        assert np.linalg.eigvalsh(card.covariance()[1])[0] > -1e-6
        universes(card, 1, rng=1)


def test_universes_have_the_covariance(tmp_path: Path) -> None:
    card = load(tmp_path, pair("a", "b", 0.6), pair("b", "c", -0.7), pair("a", "muon_p0", 0.2))
    n = 20_000
    names, covariance = card.covariance()
    sigma = np.sqrt(np.diag(covariance))
    expected = covariance / np.outer(sigma, sigma)
    found = np.array([[t.pulls[name] for name in names] for t in universes(card, n, rng=3)])
    # standard deviation of a correlation coefficient: (1 - rho^2) / sqrt(n)
    error = (1 - expected**2 + 1e-9) / np.sqrt(n)
    assert (np.abs(np.corrcoef(found.T) - expected) < 5 * error).all()
    for column in found.T:
        assert stats.kstest(column, "norm").pvalue > 1e-4


def test_universes_can_be_made_anywhere(tmp_path: Path) -> None:
    card = load(tmp_path, pair("a", "b", 0.6))
    all_of_them = universes(card, 10, rng=5)
    assert all_of_them[4:7] == universes(card, 3, rng=5, first=4)
    other = load(tmp_path, "[parameters.more]\nvalue=1.0\nuncertainty=1.0\n", pair("a", "b", 0.6))
    for one, two in zip(all_of_them, universes(other, 10, rng=5), strict=True):
        assert one.pulls.items() <= two.pulls.items()
    assert universes(card, 1, rng=6) != universes(card, 1, rng=5)
    with pytest.raises(ValueError, match="from 0 on"):
        universes(card, -1, rng=1)
    with pytest.raises(ValueError, match="nothing is uncertain"):
        universes("nusmear-default", 1, rng=1)


def test_a_value_stops_at_its_limit(tmp_path: Path) -> None:
    card = load(tmp_path)
    up, down = (parameter_values(card, Variation("v", {"a": pull})) for pull in (1.0, -1.0))
    assert up == {"a": 1.2}
    assert down == {"a": 0.5}
    assert parameter_values(card, Variation("v", {"a": 0.0, "muon_p0": 1.0})) == {}


def test_names_of_variations(tmp_path: Path) -> None:
    card = load(tmp_path)
    assert [v.name for v in standard_variations(card)][:3] == ["a_up", "a_down", "b_up"]
    assert len(named_variations(card, ["all", "a_up"])) == 8
    assert [v.name for v in named_variations(card, ["b_down,universes:2"], 1)] == [
        "b_down",
        "universe_0",
        "universe_1",
    ]
    for word in ("a", "universes:0", "universes:x", "universes", ""):
        with pytest.raises(ValueError, match=r"no variation|universes:N with a whole number"):
            named_variations(card, [word])


def test_the_card_of_the_docs(tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "variations.md"
    found = re.search(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert found is not None
    path = tmp_path / "card.toml"
    path.write_text(found[1], encoding="utf-8")
    names, matrix = forefold.load_card(path).covariance()
    assert names == ("muon_scale", "muon_resolution", "pions_p0", "pions_p1")
    assert matrix[0, 1] == pytest.approx(-0.3 * 0.02 * 0.03)
