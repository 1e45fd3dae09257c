"""One command writes a result and its picture, or neither."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_runs import CARD, Run, refused

import forefold
from forefold.matrix import to_json

EDGES = {"enu": [0.0, 1.0, 2.0]}
COMMANDS = {
    "fold": ["fold", "flux.json", "R.json"],
    "unfold": ["unfold", "seen.json", "R.json", "--method", "inversion"],
    "fit": ["fit", "seen.json", "R.json"],
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = np.array([[0.7, 0.1], [0.1, 0.8]])
    matrix = forefold.ResponseMatrix.from_array(rows, EDGES, EDGES, entries=[500, 800])
    Path("R.json").write_text(matrix.to_json())
    Path("flux.json").write_text(to_json(matrix.truth))
    Path("seen.json").write_text(to_json(matrix.reco))
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_result_and_picture_in_one_step(command: str, run: Run) -> None:
    found = run(*COMMANDS[command], "-o", "out.json", "--plot", "out.svg")
    assert found.code == 0, found.err
    assert found.out == ""
    assert Path("out.json").read_text().startswith("{")
    assert "<svg" in Path("out.svg").read_text()
    assert found.err.startswith("out.json: ")
    assert found.err.endswith("out.svg: the picture\n")


def test_a_result_goes_on_in_a_pipe_and_its_picture_beside(run: Run) -> None:
    assert run(*COMMANDS["fold"], "-q", "-o", "out.json").code == 0
    piped = run(*COMMANDS["fold"], "-q", "--plot", "out.png")
    assert (piped.code, piped.err) == (0, "")
    assert piped.out.strip() == Path("out.json").read_text().strip()
    assert Path("out.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("command", COMMANDS)
def test_without_the_picture_there_is_no_result(command: str, run: Run) -> None:
    Path("there.png").write_bytes(b"mine")
    before = sorted(path.name for path in Path().iterdir())
    refused(run(*COMMANDS[command], "-o", "o.json", "--plot", "there.png"), "there.png: exists")
    refused(run(*COMMANDS[command], "-o", "o.json", "--plot", "a.gif"), "a.gif: the name of a")
    refused(run(*COMMANDS[command], "-o", "seen.json", "--plot", "a.png"), "seen.json: exists")
    assert sorted(path.name for path in Path().iterdir()) == before
    assert Path("there.png").read_bytes() == b"mine"


def test_a_matrix_with_its_picture(run: Run, gst_file: Path) -> None:
    events = ["matrix", str(gst_file), *CARD, "--rng", "1"]
    found = run(*events, "--axis", "enu=0:6:3", "-o", "M.json", "--plot", "M.png")
    assert found.code == 0, found.err
    assert Path("M.png").read_bytes().startswith(b"\x89PNG")
    assert forefold.ResponseMatrix.from_json(Path("M.json").read_text()).matrix.shape == (3, 3)
    refused(run(*events, "-o", "N.json", "--plot", "N.png"), "--plot: not without --axis")
    assert not Path("N.json").exists()
