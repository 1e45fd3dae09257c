"""What a user says of the cross-section, from the command line into NuHepMC."""

from __future__ import annotations

from pathlib import Path

import pyhepmc
import pytest

from forefold.cli import main
from forefold.io.cross_sections import CrossSection

TOTAL = "NuHepMC.FluxAveragedTotalCrossSection"


@pytest.mark.parametrize(
    ("text", "value", "spread", "unit", "target"),
    [
        ("1.18 pb PerAtom", 1.18, None, "pb", "PerAtom"),
        ("1.18+-0.02 10-38 cm2 PerNucleon", 1.18, 0.02, "10-38 cm2", "PerNucleon"),
        ("4.6e-38 +- 1e-40  cm2 PerAtom", 4.6e-38, 1e-40, "cm2", "PerAtom"),
    ],
)
def test_texts(text: str, value: float, spread: float | None, unit: str, target: str) -> None:
    found = CrossSection.parse(text)
    assert (found.value, found.uncertainty) == (value, spread)
    assert (found.unit, found.target_scale) == (unit, target)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.18", "VALUE .* UNIT TARGET is expected"),
        ("1.18 fb PerAtom", "with UNIT pb, cm2, 10-38 cm2"),
        ("1.18 pb PerMole", "TARGET PerAtom, PerNucleon"),
        ("0 pb PerAtom", "above 0 is expected, found '0'"),
        ("1e999 pb PerAtom", "finite number above 0"),
        ("e pb PerAtom", "finite number above 0"),
    ],
)
def test_wrong_texts(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        CrossSection.parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("command", ["smear", "convert"])
def test_requirement_is_met(command: str, gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.hepmc3"
    options = ["--entries", "0:5", "--cross-section", "1.18 +- 0.01 pb PerAtom", "-q"]
    if command == "smear":
        options += ["-d", "nusmear-default", "--rng", "1", "-o", str(out)]
    else:
        options += [str(out)]
    assert main([command, str(gst_file), *options]) == 0
    with pyhepmc.open(str(out)) as file:
        run = next(iter(file)).run_info
    said = {name: str(value) for name, value in run.attributes.items()}
    assert float(said[TOTAL]) == 1.18
    assert float(said[f"{TOTAL}Uncertainty"]) == 0.01
    assert said["NuHepMC.Units.CrossSection.Unit"] == "pb"
    assert said["NuHepMC.Units.CrossSection.TargetScale"] == "PerAtom"
    assert "G.C.2" in said["NuHepMC.Conventions"].split()
    assert said["forefold.cross_section"] == "as the user said"


def test_wrong_option(gst_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.hepmc3"
    with pytest.raises(SystemExit) as caught:
        main(["convert", str(gst_file), str(out), "--cross-section", "much"])
    assert caught.value.code == 2
    assert "VALUE [+- UNCERTAINTY] UNIT TARGET is expected" in capsys.readouterr().err
    assert not out.exists()
