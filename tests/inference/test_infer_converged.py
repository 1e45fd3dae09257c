"""Fits that do not converge: said in the result, on stderr and by the exit status, and nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest

import forefold
from forefold import Experiment
from forefold.cli import main
from forefold.inference import minimum
from forefold.inference.profile import Problem
from forefold.matrix import to_json

TRUE, RECO = (hist.axis.Regular(3, 0, 3, name=f"energy_{side}") for side in ("true", "reco"))
DATA = [11.0, 19.0, 38.0]
NOTHING = "--background beam=nothing.json --parameter beam=1"  # data say nothing of its scale


def over(axis: Any, contents: Any) -> str:
    made: hist.Hist[Any] = hist.Hist(axis)
    made[...] = contents
    return to_json(made)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    matrix = forefold.ResponseMatrix.from_array(np.eye(3), TRUE, RECO)
    texts = {"R": matrix.to_json(), "data": over(RECO, DATA), "s": over(TRUE, [10.0, 20.0, 30.0])}
    for name, text in (texts | {"nothing": over(RECO, 0.0)}).items():
        (tmp_path / f"{name}.json").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def experiment(**more: Any) -> Experiment:
    return Experiment({"signal": [10.0, 20.0, 30.0]}, np.eye(3), **more)


def test_a_fit_that_does_not_converge_says_so() -> None:
    found = experiment(background={"beam": np.zeros(3)}, parameters={"beam": 1.0}).fit(DATA)
    assert not found.valid
    (note,) = found.notes
    assert note.startswith("the fit did not converge: values are where it stopped")
    assert "NOT valid" in repr(found)
    assert repr(found).endswith(f"  note: {note}")
    assert experiment().fit(DATA).notes == ()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("quiet", [[], ["-q"]])
def test_its_result_is_written_and_the_exit_status_is_one(
    capsys: pytest.CaptureFixture[str], quiet: list[str]
) -> None:
    command = ["fit", "data.json", "R.json", "--truth", "signal=s.json", *NOTHING.split(), *quiet]
    asked = ["--interval", "signal", "--plot", "fit.png", "-o", "fit.json"]
    assert main([*command, *asked]) == 1
    told = capsys.readouterr()
    *summary, last = told.err.splitlines()
    assert (
        last
        == 'forefold: error: the fit is not valid, as its notes say; it is written with "valid": false'
    )
    assert bool(summary) != bool(quiet)
    found = json.loads(Path("fit.json").read_text())
    assert not found["valid"]
    assert found["parameters"]["signal"]["value"] == pytest.approx(68.0 / 60.0, rel=1e-3)
    assert found["parameters"]["signal"]["error"] is None
    assert found["intervals"] == []
    assert "no interval of signal: the fit is not valid" in found["notes"]
    assert any(note.startswith("the fit did not converge: ") for note in found["notes"])
    assert Path("fit.png").read_bytes().startswith(b"\x89PNG")
    # what is asked of no parameter is bad input, before anything else
    assert main([*command, "--interval", "signa"]) == 2
    assert main([*command, "--fix", "beam=0"]) == 0


def test_a_fit_is_not_lost_for_want_of_an_interval(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minimum, "_STEPS", 1)  # MIGRAD converges, the fast minimum does not
    command = "fit data.json R.json --truth signal=s.json --statistics none -o fit.json -q"
    assert main([*command.split(), "--interval", "signal"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("forefold: error: no interval of signal: signal: the fit does not conv")
    assert (told.count("\n"), told.endswith("; the fit is written\n")) == (1, True)
    found = json.loads((folder / "fit.json").read_text())
    assert (found["valid"], found["intervals"]) == (True, [])
    assert found["notes"][0].startswith("no interval of signal")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("method", ["cls", "bayes", "feldman-cousins"])
def test_without_a_best_fit_there_is_no_limit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(minimum, "_STEPS", 1)
    command = f"limit data.json R.json --truth signal=s.json --method {method} -o limit.json"
    more = ["--rng", "1", "--toys", "2"] if method == "feldman-cousins" else []
    assert main([*command.split(), *more]) == 1
    told = capsys.readouterr()
    assert "forefold: error: signal: the fit does not converge" in told.err
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert not Path("limit.json").exists()


def test_a_limit_says_where_other_parameters_could_not_be_profiled(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = "limit data.json R.json --truth signal=s.json --statistics none -o limit.json"
    assert main(command.split()) == 0
    assert json.loads((folder / "limit.json").read_text())["valid"]
    own = Problem.at

    def stuck(self: Problem, value: float, near: Any = None) -> Any:
        return own(self, value, near)._replace(valid=False)

    monkeypatch.setattr(Problem, "at", stuck)
    for toys in (0, 4):
        found = experiment().upper_limit(DATA, toys=toys, rng=1)
        assert not found.valid
        assert "the fit of the other parameters did not converge" in found.notes[-1]
    capsys.readouterr()
    assert main([*command.split(), "--overwrite", "-q"]) == 1
    assert (
        capsys.readouterr().err
        == 'forefold: error: the limit is not valid, as its notes say; it is written with "valid": false\n'
    )
    assert not json.loads((folder / "limit.json").read_text())["valid"]
