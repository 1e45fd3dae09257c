"""``forefold unfold``, alone and at the end of a pipe."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest
from spectra import spectrum

import forefold
from forefold.cli import main
from forefold.matrix import to_json

TRUE = hist.axis.Regular(6, 0, 10, name="energy_true")
RECO = hist.axis.Regular(9, 0, 10, name="energy_reco")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    matrix, truth = spectrum(6, 9)
    response = forefold.ResponseMatrix.from_array(matrix, TRUE, RECO, entries=truth)
    (tmp_path / "R.json").write_text(response.to_json())
    flux: hist.Hist[Any] = hist.Hist(TRUE)
    flux[...] = truth
    (tmp_path / "flux.json").write_text(to_json(flux))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_folded_and_unfolded_in_a_pipe(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["fold", "flux.json", "R.json", "-q"]) == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO(capsys.readouterr().out))
    command = "unfold - R.json --method bayes --iterations 4 -o back.json --plot back.png"
    assert main(command.split()) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "back.json: Unfolded: iterative Bayes" in told.err
    back = forefold.Unfolded.from_json((folder / "back.json").read_text())
    assert back.values == pytest.approx(spectrum(6, 9)[1], rel=1e-9)
    assert set(back.covariances) == {"data", "matrix"}
    assert (folder / "back.png").read_bytes()[:4] == b"\x89PNG"
    # and what comes out goes in again as a spectrum
    assert main(["fold", "back.json", "R.json", "-q"]) == 0
    assert "prediction" in json.loads(capsys.readouterr().out)


def test_options_reach_the_method(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    matrix, truth = spectrum(6, 9)
    data: hist.Hist[Any] = hist.Hist(RECO)
    data[...] = truth @ matrix + 5.0
    (folder / "data.json").write_text(to_json(data))
    flat: hist.Hist[Any] = hist.Hist(RECO)
    flat[...] = np.full(9, 5.0)
    (folder / "background.json").write_text(to_json(flat))
    command = (
        "unfold data.json R.json --method tikhonov --strength toys --rng 3 --order 1 --poisson"
    )
    assert main([*command.split(), "--prior", "flat", "--background", "background.json"]) == 0
    told = capsys.readouterr()
    found = forefold.Unfolded.from_json(told.out)
    expected = forefold.unfold(
        data,
        forefold.ResponseMatrix.from_json((folder / "R.json").read_text()),
        method="tikhonov",
        strength="toys",
        rng=3,
        order=1,
        prior="flat",
        background=flat,
    )
    assert np.array_equal(found.values, expected.values)
    assert "rng=3" in told.err


def test_variations_in_a_file_become_systematics(folder: Path) -> None:
    from forefold.matrix.variations import written_set

    matrix, truth = spectrum(6, 9)
    several = {
        name: forefold.ResponseMatrix.from_array(rows, TRUE, RECO, entries=truth)
        for name, rows in (
            ("nominal", matrix),
            ("width_up", spectrum(6, 9, width=0.7)[0]),
            ("width_down", spectrum(6, 9, width=0.5)[0]),
        )
    }
    (folder / "set.json").write_text(written_set(several))
    command = "unfold data.json set.json --method inversion -o out.json -q"
    (folder / "data.json").write_text(
        to_json(forefold.fold(several["nominal"].truth, several).histogram)
    )
    assert main(command.split()) == 0
    found = forefold.Unfolded.from_json((folder / "out.json").read_text())
    assert set(found.covariances) == {"data", "matrix", "width"}
    assert found.shifts["width"].shape == (2, 6)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("unfold flux.json R.json --method bayes", "bayes needs iterations="),
        ("unfold flux.json R.json --method inversion", "data: axis 'energy_true', which is true"),
        ("unfold - - --method inversion", "only one of DATA and MATRIX"),
        ("unfold R.json R.json --method inversion", "R.json: this is a response matrix"),
        ("unfold flux.json flux.json --method inversion", "flux.json: not a response matrix"),
        ("unfold nothing.json R.json --method inversion", "nothing.json: no such file"),
        ("unfold flux.json R.json --method bayes --iterations many", "whole number, or one of"),
        ("unfold flux.json R.json --method tikhonov --strength best", "l-curve, gcv"),
        ("unfold flux.json R.json --method inversion -o out.txt", "written as .json"),
    ],
)
def test_bad_commands_are_one_line_and_leave_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str, message: str
) -> None:
    assert main(command.split()) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""
    assert sorted(path.name for path in folder.iterdir()) == ["R.json", "flux.json"]


def test_an_unknown_method_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["unfold", "flux.json", "R.json", "--method", "bays"])
    assert stopped.value.code == 2
    assert "did you mean 'bayes'" in capsys.readouterr().err
    assert folder.exists()
