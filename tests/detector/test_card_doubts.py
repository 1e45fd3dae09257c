"""Cards that say what they hardly mean: thresholds in MeV or never reached, widths in per cent, identifications that nothing comes to."""

from __future__ import annotations

import warnings
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
from gun import gun, rule, text

import forefold
from forefold.cli import main

HEAD = "[[identification]]\nparticles = [{}]\nsource = 'test'\nrow = [{{ as = 'same', probability = 0.9 }}]\n"


def written(folder: Path, *rules: str, head: str = "") -> Path:
    path = folder / "card.toml"
    path.write_text(text(*rules, head=head))
    return path


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("threshold.kinetic_energy.ge = 30.0", "threshold.kinetic_energy.ge: 30 GeV hides nearly everything; the unit is GeV: if MeV are meant, write 0.03"),
        ("threshold.momentum.gt = 200.0", "threshold.momentum.gt: 200 GeV/c hides nearly everything; the unit is GeV/c: if MeV/c are meant, write 0.2"),
        ("threshold.reco.kinetic_energy.ge = 50.0", "threshold.reco.kinetic_energy.ge: 50 GeV hides nearly everything"),
        ("threshold.kinetic_energy.ge = 2.0\nwhen.kinetic_energy.lt = 1.5", "threshold.kinetic_energy.ge: 2 GeV hides everything: the rule holds below 1.5 GeV only"),
    ],
)  # fmt: skip
def test_thresholds(extra: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, rule(name="muon", particles='["mu-"]', extra=extra), rule())
    with pytest.warns(UserWarning, match="hides") as found:
        forefold.load_card(path)
    (said,) = [str(w.message) for w in found]
    assert said.startswith(f"{path}, line 16: rule[1] 'muon'.{message}")
    assert found[0].filename == __file__


@pytest.mark.parametrize(
    "extra",
    [
        "threshold.kinetic_energy.ge = 10.0",
        "threshold.kinetic_energy.ge = 1.0\nwhen.kinetic_energy.lt = 1.5",
        "threshold.reco.kinetic_energy.ge = 2.0\nwhen.kinetic_energy.lt = 1.5",
        "threshold.formula = 'KE > 30'",
        "",
    ],
)
def test_no_doubt(extra: str, tmp_path: Path) -> None:
    path = written(tmp_path, rule(name="muon", particles='["mu-"]', extra=extra), rule())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forefold.load_card(path)


def test_shipped_cards_raise_no_doubt() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in forefold.cards():
            forefold.load_card(name)


def test_a_threshold_that_another_card_has_is_named_without_a_line(tmp_path: Path) -> None:
    written(
        tmp_path,
        rule(name="muon", particles='["mu-"]', extra="threshold.momentum.ge = 30.0"),
        rule(),
    )
    child = tmp_path / "child.toml"
    child.write_text('schema = 1\nname = "child"\ntitle = "of a test"\nextends = "card.toml"\n')
    with pytest.warns(
        UserWarning, match=r"child\.toml: rule\[1\] 'muon'\.threshold\.momentum\.ge: 30"
    ):
        forefold.load_card(child)


@pytest.mark.parametrize("command", ["check", "show", "smear"])
def test_commands(
    command: str, tmp_path: Path, gst_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and the work goes on; smearing adds that the events have nothing above."""
    path = str(written(tmp_path, rule(extra="threshold.kinetic_energy.ge = 30.0")))
    out = ["-d", path, "-o", str(tmp_path / "o.parquet"), "--rng", "1"]
    words = ["smear", str(gst_file), *out] if command == "smear" else ["card", command, path]
    # pytest makes warnings errors; a program does not
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.warnoptions", [])
        assert main(words) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert len(said) == (2 if command == "smear" else 1)
    assert said[0].startswith(f"forefold: warning: {path}, line ")
    assert said[-1].endswith("energies of these events") == (command == "smear")
    assert "30 GeV hides nearly everything" in said[0]


def slow_protons(threshold: str) -> str:
    below = f"when.momentum.lt = 0.4\nthreshold.kinetic_energy.ge = {threshold}"
    return rule(name="slow", particles='["p"]', extra=below)


@pytest.mark.parametrize(
    ("slow", "fast", "said"),
    [
        ("0.05", "kinetic_energy.ge = 0.03", "threshold 30 MeV of 'fast' is not reached below p = 0.4 GeV/c: rule 'slow' has 50 MeV"),
        ("0.01", "kinetic_energy.gt = 0.03", "threshold 30 MeV of 'fast' is not reached below p = 0.4 GeV/c: rule 'slow' has 10 MeV"),
        ("0.0", "kinetic_energy.ge = 0.03", "threshold 30 MeV of 'fast' is not reached below p = 0.4 GeV/c: rule 'slow' has none"),
        # 0.25 GeV/c is 32.7 MeV
        ("0.05", "momentum.ge = 0.25", "threshold 0.25 GeV/c of 'fast' is not reached below p = 0.4 GeV/c: rule 'slow' has 50 MeV"),
        ("0.05", "kinetic_energy.ge = 0.05", ""),
        ("0.05", "kinetic_energy.ge = 0.1", ""),  # 0.4 GeV/c is 81.7 MeV
        ("0.05", "formula = 'KE > 0.03'", ""),
    ],
)  # fmt: skip
def test_a_threshold_that_another_rule_keeps_from_being_reached(
    slow: str, fast: str, said: str, tmp_path: Path
) -> None:
    two = (slow_protons(slow), rule(name="fast", particles='["p"]', extra=f"threshold.{fast}"))
    path = written(tmp_path, *two, rule())
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        forefold.load_card(path)
    assert len(found) == bool(said)
    for warning in found:
        assert f"rule[2] 'fast'.threshold.{fast.split(' ', maxsplit=1)[0]}: {said}" in str(
            warning.message
        )


def test_a_class_is_shadowed_by_one_of_its_particles(tmp_path: Path) -> None:
    both = "threshold.kinetic_energy.ge = 0.02"
    path = written(tmp_path, slow_protons("0.05"), rule(extra=both))
    with pytest.warns(UserWarning, match=r"'all'\.threshold.* 20 MeV .* rule 'slow' has 50 MeV"):
        forefold.load_card(path)
    # one whose particles it takes whole leaves nothing to be shadowed
    whole = rule(name="whole", particles='["p"]', extra="threshold.kinetic_energy.ge = 0.05")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forefold.load_card(written(tmp_path, whole, rule(extra=both)))


WIDE = 'energy = {{ of = "total", distribution = "normal", {} }}'
SHIFT = '[[shift]]\nname = "m"\nparticles = ["mu-"]\non = "each"\nenergy = "total"\np0 = {}\nsource = "test"\n'
TWO_PARTS = 'energy = { distribution = "mixture", parts = [{ weight = 0.5, of = "total", distribution = "normal", constant = 0.1 }, { of = "total", distribution = "normal", resolution = 3.0 }] }'
POLAR = 'angle = {{ convention = "polar", distribution = "normal", sigma_deg = {} }}'


@pytest.mark.parametrize(
    ("block", "head", "said"),
    [
        (rule(WIDE.format("constant = 15.0")), "", "rule[1] 'all'.energy.constant: 15 is 1500 %; if 15 % is meant, write 0.15"),
        (rule(WIDE.format("stochastic = 40.0")), "", "energy.stochastic: 40 is 4000 %; if 40 % is meant, write 0.4"),
        (rule(WIDE.format("sigma = 50.0")), "", "energy.sigma: 50 GeV; if MeV are meant, write 0.05"),
        (rule(TWO_PARTS), "", "energy.parts[2].resolution: 3 is 300 %"),
        (rule(angle=POLAR.format("1000.0")), "", "angle.sigma_deg: 1000 degrees leave nothing of the direction"),
        (rule(), SHIFT.format("2.0"), "shift[1] 'm'.p0: 2 is 200 %; if 2 % is meant, write 0.02"),
        (rule(WIDE.format("constant = 0.9, stochastic = 1.2")), SHIFT.format("0.5"), ""),
        (rule(angle=POLAR.format("60.0")), "", ""),
    ],
)  # fmt: skip
def test_widths_in_per_cent(block: str, head: str, said: str, tmp_path: Path) -> None:
    path = written(tmp_path, block, head=head)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        forefold.load_card(path)
    assert len(found) == bool(said)
    for warning in found:
        assert said in str(warning.message)


def test_two_rules_of_one_name_in_a_card_that_extends(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    change = '[[rule]]\nname = "muon"\nefficiency = {}\n'
    head = 'schema = 1\nname = "c"\ntitle = "t"\nextends = "nusmear-dune-cdr"\n'
    path.write_text(head + change.format(0.5) + change.format(0.6))
    with pytest.raises(ValueError, match=r"card\.toml: two rules are named 'muon'"):
        forefold.load_card(path)


def test_a_threshold_above_the_energies_at_hand(tmp_path: Path) -> None:
    high = rule(name="muon", particles='["mu-"]', extra="threshold.kinetic_energy.ge = 2.0")
    card = forefold.load_card(written(tmp_path, high, rule()))
    said = r"card test: rule 'muon': all .* threshold \(KE >= 2\), which is above the energies"
    axes = {"kinetic_energy": [0.0, 4.0]}

    def matrix(events: ak.Array) -> forefold.ResponseMatrix:
        return forefold.ResponseMatrix.from_events(events, card, true=axes, of="mu-", axis="z")

    with pytest.warns(UserWarning, match=said):
        assert matrix(gun(13, 100)).efficiency.tolist() == [0.0]
    for few in (gun(13, 99), gun(11, 200), gun(13, 200, p=np.linspace(1.0, 3.0, 200))):
        matrix(few)


@pytest.mark.parametrize(
    ("threshold", "strict", "code"),
    [(30.0, [], 0), (30.0, ["--strict"], 1), (0.1, ["--strict"], 0)],
)
def test_strict(
    threshold: float,
    strict: list[str],
    code: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = str(written(tmp_path, rule(extra=f"threshold.kinetic_energy.ge = {threshold}")))
    assert main(["card", "check", *strict, path]) == code
    said = capsys.readouterr()
    assert said.out == f"{path}: test: 1 rules, {'1 warning' if threshold > 1 else 'good'}\n"
    assert said.err.count("warning") == (threshold > 1)


def test_identification_that_nothing_comes_to(tmp_path: Path) -> None:
    blocks = ("'mu-', 'pi-'", "'e-'", "13, 11")
    path = written(tmp_path, head="".join(map(HEAD.format, blocks)))
    with pytest.raises(ValueError, match="can never be reached") as caught:
        forefold.load_card(path)
    assert str(caught.value) == (
        f"{path}, line 16: identification[3]: can never be reached: identification[1] and identification[2] take all that it covers"
    )


@pytest.mark.parametrize(
    ("blocks", "reached"),
    [
        (("'pion'", "'pi+', 'pi-'"), False),
        (("'charged pion'", "'pion'"), True),
        (("'hadron'", "'kaon', 'p', 'baryon'"), False),
        (("'other'", "'mu-'"), False),
        (("'mu-'", "'other'"), True),
        (("'mu-'", "'mu+'"), True),
        (("'mu-'", "'mu-'"), False),
    ],
)
def test_classes(blocks: tuple[str, str], reached: bool, tmp_path: Path) -> None:
    path = written(tmp_path, head="".join(map(HEAD.format, blocks)))
    if reached:
        assert len(forefold.load_card(path).identification) == 2
        return
    with pytest.raises(
        ValueError,
        match=r"identification\[2\]: can never be reached: identification\[1\] takes all",
    ):
        forefold.load_card(path)
