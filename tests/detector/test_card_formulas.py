"""Formulas that are not valid: for all particles, for some, or one standard deviation away."""

from __future__ import annotations

from pathlib import Path

import pytest
from gun import card, rule, text

import forefold
from forefold.cli import main
from forefold.detector.check import unlikely
from forefold.smearing.validation.invalid import invalid_of

NORMAL = 'energy = { of = "kinetic", distribution = "normal", constant = 0.1 }'


def muon(extra: str = "", energy: str = NORMAL) -> str:
    return rule(energy, name="muon", particles='["mu-"]', extra=extra)


@pytest.mark.parametrize(
    ("extra", "energy", "head", "said"),
    [
        ('efficiency = "1/0"', NORMAL, "", "rule[1] 'muon'.efficiency: '1/0' is inf, allowed: from 0 to 1, finite"),
        ('efficiency = "0/0"', NORMAL, "", "'0/0' is not known, allowed: from 0 to 1"),
        ('efficiency = "a"', NORMAL, "[parameters.a]\nvalue = 1.5", "rule[1] 'muon'.efficiency: 'a' is 1.5, allowed"),
        ("", NORMAL.replace("constant = 0.1", 'resolution = "-a"'), "[parameters.a]\nvalue = 0.1", "energy.resolution: '-a' is -0.1, allowed: from 0, finite"),
        ("", NORMAL.replace("0.1", '0.1, scale = "a - a"'), "[parameters.a]\nvalue = 0.1", "energy.scale: 'a - a' is 0, allowed: above 0, finite"),
    ],
)  # fmt: skip
def test_a_number_for_all_is_known_before_any_event(
    extra: str,
    energy: str,
    head: str,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "card.toml"
    path.write_text(text(muon(extra, energy), rule(), head=head))
    with pytest.raises(ValueError, match=r"card\.toml, line \d+: rule\[1\] 'muon'") as caught:
        forefold.load_card(path)
    assert said in str(caught.value)
    assert main(["card", "check", str(path)]) == 2
    assert said in capsys.readouterr().err


def test_a_parameter_that_is_moved_out_of_range() -> None:
    detector = card(muon('efficiency = "a"'), rule(), head="[parameters.a]\nvalue = 0.95")
    moved = detector.with_parameters({"a": 1.5})
    with pytest.raises(ValueError, match=r"card test: rule\[1\] 'muon'.efficiency: 'a' is 1\.5"):
        forefold.card_response(moved, "mu-")


def parameter(value: float, sigma: float, limits: str = "") -> str:
    return f"[parameters.a]\nvalue = {value}\nuncertainty = {sigma}\n{limits}"


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (parameter(0.95, 0.1), "parameters.a: +1 sigma (1.05) is beyond what rule[1] 'muon'.efficiency allows"),
        (parameter(0.95, 0.1, "limits = [0.0, 2.0]"), "parameters.a: +1 sigma (1.05)"),
        (parameter(0.05, 0.1), "parameters.a: -1 sigma (-0.05)"),
    ],
)  # fmt: skip
def test_uncertainties_that_go_too_far(head: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(text(muon('efficiency = "a"'), rule(), head=head))
    with pytest.warns(UserWarning, match="1 sigma") as found:
        forefold.load_card(path)
    (message,) = [str(w.message) for w in found]
    assert message.startswith(f"{path}, line ")
    assert said in message
    assert message.endswith("give it limits")


@pytest.mark.parametrize("head", [parameter(0.95, 0.1, "limits = [0.0, 1.0]"), parameter(0.5, 0.1)])
def test_uncertainties_that_do_not(head: str) -> None:
    assert not list(unlikely(card(muon('efficiency = "a"'), rule(), head=head)))


def test_parameters_that_nothing_names(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(text(head="[parameters.idle]\nvalue = 1.0"))
    with pytest.warns(UserWarning, match=r"line \d+: parameters.idle: no formula names it"):
        forefold.load_card(path)


SOME = [
    ('efficiency = "E / 2"', NORMAL, "efficiency: 'E / 2' is 1.4", 5),
    ('efficiency = "log(p - 1)"', NORMAL, "efficiency: 'log(p - 1)' is not known", 20),
    ("", NORMAL.replace("constant = 0.1", 'resolution = "0.1 - 0.01 * KE"'), "energy.resolution: '0.1 - 0.01 * KE' is -0.0", 1),
    ('when.formula = "log(p - 1) > 0"', NORMAL, "when.formula: 'log(p - 1) > 0' is not known", 10),
]  # fmt: skip


@pytest.mark.parametrize(("extra", "energy", "said", "least"), SOME)
def test_formulas_that_are_not_valid_for_some(
    extra: str,
    energy: str,
    said: str,
    least: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    detector = card(muon(extra, energy), rule())
    found = forefold.validate_card(detector, draws=100)
    assert not found.good
    one = found.invalid[0]
    assert f"FAILED rule[1] 'muon'.{said}" in str(found)
    assert "for mu- with E = " in one.example
    assert "on_invalid" not in one.example
    assert least <= one.found < one.tried
    assert found.to_dict()["invalid"][0]["found"] == one.found
    path = tmp_path / "card.toml"
    path.write_text(text(muon(extra, energy), rule()))
    assert main(["card", "check", str(path)]) == 0
    told = capsys.readouterr()
    assert said in told.err
    assert "warning" in told.err
    assert main(["card", "validate", str(path), "--draws", "100"]) == 1
    assert said in capsys.readouterr().out


def test_formulas_that_are_valid_for_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not that no particle comes to the rule."""
    path = tmp_path / "card.toml"
    path.write_text(text(muon('efficiency = "2 + 0 * E"'), rule()))
    found = forefold.validate_card(path, draws=100)
    assert not found.untried
    assert found.invalid[0].everywhere
    assert "FAILED rule[1] 'muon'.efficiency: '2 + 0 * E' is 2 for mu- " in str(found)
    assert "so for all 24 mu- that were tried" in str(found)
    assert "no particle was found" not in str(found)
    assert main(["card", "check", str(path)]) == 2
    told = capsys.readouterr()
    assert "good" not in told.out
    assert "is 2 for mu-" in told.err


def test_shipped_cards_have_valid_formulas() -> None:
    assert [name for name in forefold.cards() if invalid_of(forefold.load_card(name))] == []
