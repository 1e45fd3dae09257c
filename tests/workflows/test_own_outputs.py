"""What forefold says of files that it wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import forefold
from forefold.cli import main
from forefold.workflows.inspection import OwnInspection

CARD = "nusmear-dune-cdr"
AXIS = "--axis=visible_energy=0:8:4"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, gst_file: Path) -> Path:
    """One file of each kind."""
    place = tmp_path_factory.mktemp("outputs")
    name, out = str(gst_file), {kind: str(place / f"{kind}.json") for kind in ("R", "many", "flux", "folded", "back", "fit", "limit", "energy")}  # fmt: skip
    commands = [
        ["matrix", name, "-d", CARD, "--rng", "1", AXIS, "-o", out["R"]],
        ["matrix", name, "-d", "dune-fd-uncertainties", "--variations", "muon_p0_up", "--rng", "1", AXIS, "-o", out["many"]],
        ["matrix", name, "-d", CARD, "--rng", "1", "-o", out["energy"]],
        ["spectrum", name, AXIS, "-o", out["flux"]],
        ["fold", out["flux"], out["R"], "-o", out["folded"]],
        ["unfold", out["folded"], out["R"], "--method", "bayes", "--iterations", "2", "-o", out["back"]],
        ["fit", out["folded"], out["R"], "-o", out["fit"]],
        ["limit", out["folded"], out["R"], "--truth", f"signal={out['flux']}", "--background", out["folded"], "-o", out["limit"]],
    ]  # fmt: skip
    for command in commands:
        assert main([*command, "-q"]) == 0
    for ending in ("parquet", "csv", "root", "h5"):
        forefold.smear_files(gst_file, CARD, place / f"s.{ending}", rng=1)
    return place


@pytest.mark.parametrize(
    ("name", "format", "facts", "contents"),
    [
        ("R.json", "response matrix", {"card": CARD, "rng": "1"}, "ResponseMatrix of 4 true and 4 reco"),
        ("many.json", "response matrix", {"rng": "1"}, "and 1 variations: muon_p0_up"),
        ("energy.json", "histogram", {}, "energy_true: 100 bins from 0 to 7"),
        ("flux.json", "histogram", {}, "Histogram: sum 294, and 6 in flow bins"),
        ("folded.json", "prediction", {}, "Prediction of 288 in 4 bins"),
        ("back.json", "unfolded spectrum", {}, "iterations: 2, given"),
        ("fit.json", "fit", {"card": CARD, "valid": "True"}, "  normalisation = 1 +- 0.06"),
        ("limit.json", "limit", {"method": "cls", "parameter": "signal"}, "note: "),
        ("s.parquet", "smeared events", {"card": CARD, "events": "300", "particles": "2076"}, "visible_energy_reco"),
        ("s.csv", "smeared events", {"events": "300"}, "below threshold             863"),
        ("s.root", "smeared events", {"events": "300"}, "detected                   1116"),
        ("s.h5", "smeared events", {"events": "300"}, "detected                   1116"),
    ],
)  # fmt: skip
def test_each_kind(
    folder: Path,
    name: str,
    format: str,
    facts: dict[str, str],
    contents: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = str(folder / name)
    found = forefold.inspect(path)
    assert isinstance(found, OwnInspection)
    assert found.format == format
    assert facts.items() <= found.facts.items()
    assert contents in found.contents
    assert str(found).splitlines()[:2] == [path, f"  format      {format}"]
    assert main(["inspect", path]) == 0
    assert capsys.readouterr().out.rstrip() == str(found).rstrip()
    assert main(["inspect", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["format"] == format
    assert main(["inspect", path, "--where", "cc"]) == 2
    assert f"where: for generator events only; this is: {format}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[1, 2]",
        '{"a": 1}',
        '{"uhi_schema": 1}',
        '{"counts": 1, "truth": 2, "alone": 3}',
        '{"prediction": 3}',
    ],
)
def test_other_json_is_one_line(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "o.json"
    path.write_text(text)
    assert main(["inspect", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"forefold: error: {path}: ")
    assert said.count("\n") == 1
