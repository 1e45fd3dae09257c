"""Cards that say what they hardly mean: thresholds in MeV, identifications that nothing comes to."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from gun import rule, text

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
    """One line, and the work goes on."""
    path = str(written(tmp_path, rule(extra="threshold.kinetic_energy.ge = 30.0")))
    out = ["-d", path, "-o", str(tmp_path / "o.parquet"), "--rng", "1"]
    words = ["smear", str(gst_file), *out] if command == "smear" else ["card", command, path]
    # pytest makes warnings errors; a program does not
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.warnoptions", [])
        assert main(words) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert len(said) == 1
    assert said[0].startswith(f"forefold: warning: {path}, line ")
    assert "30 GeV hides nearly everything" in said[0]


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
