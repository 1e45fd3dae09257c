"""Cards written as text, and compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import forefold
from forefold.cli import main
from forefold.detector.diff import card_diff
from forefold.detector.toml import card_toml

EXAMPLE = r'''
schema = 1
name = "every-key"
title = 'quotes " and \ backslashes'
description = """
Two lines, a "quote", a \\ backslash,
a tab\tand \\n that is no line."""
not_smeared = []
[sources]
me = "an example"
"a key" = "of two words, with a control character \u007f"
[parameters.scale_mu]
value = 0.02
uncertainty = 0.01
limits = [-1.0, 1.0]
source = "me"
[tables.eff]
axes = [[0.0, 0.5, 1.0, 100.0]]
values = [0.5, 0.8, 1]
outside = 0.5
[tables.map]
axes = [[0.0, 0.5, 1.0], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0]]
values = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 1e-5]]
[containment]
material = "liquid-argon"
active = { low = [-695.0, -700.0, 0.0], high = [695.0, 700.0, 2530.0] }
source = "me"
[[stage]]
kind = "pi0-decay"
source = "me"
[[stage]]
kind = "shower-merging"
angle_deg = 5.0
source = "me"
[[identification]]
particles = ["mu-"]
source = "me"
row = [{ as = "same", probability = 0.9 }, { as = "pi-", probability = "0.06 * contained" }]
[[rule]]
name = "mu"
type = "mu"
particles = ["mu-", -13]
source = "me"
when.formula = "p > 0.01"
threshold.kinetic_energy.gt = 0.03
threshold.reco.kinetic_energy.ge = 0.2
threshold.source = "a key"
angle = { convention = "space", distribution = "von-mises-fisher", sigma_deg = 3.0 }
[rule.energy]
distribution = "mixture"
parts = [
  { weight = 0.7, of = "momentum", distribution = "crystal-ball", constant = 0.02, alpha_low = 1.0, n_low = 3.0, alpha_high = 2.0, n_high = 5.0 },
  { of = "inverse-momentum", distribution = "normal", constant = 0.3 },
]
[[rule]]
name = "other"
type = "rest"
particles = ["other"]
source = "me"
efficiency = "eff(p) * where(theta < 1, 1, 0.9)"
energy = { of = "visible", distribution = "log-normal", resolution = "sqrt(0.02**2 + 0.15**2/max(KE, 0.001))", scale = "1 + scale_mu" }
angle = { convention = "none", distribution = "none" }
'''


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / "every-key.toml"
    path.write_text(EXAMPLE, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", [*forefold.cards(), "example"])
def test_written_card_loads_to_an_equal_one(name: str, example: Path, tmp_path: Path) -> None:
    card = forefold.load_card(example if name == "example" else name)
    path = tmp_path / "written.toml"
    path.write_text(card_toml(card), encoding="utf-8")
    again = forefold.load_card(path)
    assert again == card
    assert again.model_dump() == card.model_dump()
    assert card_toml(again) == card_toml(card)
    assert not card_diff(card, again)
    assert max(map(len, path.read_text(encoding="utf-8").splitlines())) < 400


def test_resolved_card_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", "show", "nusmear-default-genie", "--resolved"]) == 0
    text = capsys.readouterr().out
    assert "extends" not in text
    assert 'sigma_deg = 2.0, source = "genie"' in text


def changed(path: Path, *pairs: tuple[str, str]) -> Path:
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    other = path.with_name("changed.toml")
    other.write_text(text, encoding="utf-8")
    return other


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("gt = 0.03", "ge = 0.03", "rule 'mu': threshold.kinetic_energy: > 0.03 (a key) -> >= 0.03 (a key)"),
        ("sigma_deg = 3.0", "sigma_deg = 4.0", "rule 'mu': angle.sigma_deg: 3.0 (me) -> 4.0 (me)"),
        ("weight = 0.7", "weight = 0.6", "rule 'mu': energy.parts[1].weight: 0.7 (me) -> 0.6 (me)"),
        ("value = 0.02", "value = 0.03", "parameters.scale_mu.value: 0.02 (me) -> 0.03 (me)"),
        ("values = [0.5, 0.8, 1]", "values = [0.5, 0.8, 0.9]", "tables.eff.values"),
        ("1e-5", "2e-5", "tables.map.values[2][16]: 1e-05 -> 2e-05"),
        ("angle_deg = 5.0", "angle_deg = 6.0", "stage[2].angle_deg: 5.0 (me) -> 6.0 (me)"),
        ("probability = 0.9", "probability = 0.8", "identification[1].row[1].probability: 0.9 (me) -> 0.8"),
        ("high = [695.0, 7", "high = [690.0, 7", "containment.active.high"),
        ('"p > 0.01"', '"p > 0.02"', "rule 'mu': when.formula: p > 0.01 (me) -> p > 0.02 (me)"),
    ],
)  # fmt: skip
def test_one_change_is_one_difference(example: Path, old: str, new: str, where: str) -> None:
    found = card_diff(example, changed(example, (old, new)))
    assert len(found.differences) == 1
    assert str(found.differences[0]).startswith(where)
    assert not found.same_response
    assert found.response().differences == found.differences


@pytest.mark.parametrize(
    ("old", "new"),
    [("Two lines", "2 lines"), ('type = "rest"', 'type = "all"'), ('"an example"', '"mine"')],
)
def test_words_change_no_response(example: Path, old: str, new: str) -> None:
    found = card_diff(example, changed(example, (old, new)))
    assert found
    assert found.same_response
    assert "none changes what is drawn" in str(found)
    assert not found.response()


def test_renamed_rule_is_the_same_rule(example: Path) -> None:
    found = card_diff(example, changed(example, ('name = "mu"', 'name = "muon"')))
    assert [str(d) for d in found.differences] == ["rule 'mu': name: mu -> muon"]


def test_rules_of_one_card_only() -> None:
    lines = str(card_diff("nusmear-default", "nusmear-dune-cdr"))
    assert "rule 'photon': gamma: R_E 30 %, R_A 3 deg polar (nusmear) -> not given" in lines
    assert "rule 'proton, slow': not given -> p with p < 0.4" in lines
    assert "  [cdr] DUNE CDR" in lines


def test_order_of_rules(tmp_path: Path) -> None:
    text = card_toml(forefold.load_card("nusmear-dune-cdr"))
    head, *rules = text.split("[[rule]]")
    path = tmp_path / "turned.toml"
    rules[0], rules[1] = rules[1], rules[0]
    path.write_text("[[rule]]".join([head, *rules]), encoding="utf-8")
    found = card_diff("nusmear-dune-cdr", path)
    assert [d.where for d in found.differences] == ["order of the rules"]


def test_command(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = changed(example, ("sigma_deg = 3.0", "sigma_deg = 4.0"))
    assert main(["card", "diff", str(example), str(example)]) == 0
    assert "equal" in capsys.readouterr().out
    assert main(["card", "diff", str(example), str(other), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["differences"][0]["b"] == 4.0
    assert found["sources"] == {"me": ["an example", "an example"]}
    assert main(["card", "diff", str(example), "no-card"]) == 2
    assert main(["card", "diff", "nusmear-default", "nusmear-default-genie", "--response"]) == 1
