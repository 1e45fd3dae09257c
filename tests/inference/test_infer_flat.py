"""Parameters that data do not tell apart, values outside limits, and rows that hold more than is true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest
import uhi.io.json

from forefold import Experiment, Parameter, ResponseMatrix, fold
from forefold.cli import main

ROWS = [[0.7, 0.2], [0.1, 0.8]]
DATA = [45.0, 60.0]


@pytest.mark.parametrize("limits", [{}, {"a": Parameter(1.0), "b": Parameter(0.2)}])
def test_two_of_the_same_have_no_errors(limits: dict[str, Any]) -> None:
    experiment = Experiment({"a": [50.0, 80.0], "b": [50.0, 80.0]}, ROWS, parameters=limits)
    found = experiment.fit(DATA)
    assert not found.valid
    assert found.notes[-1].startswith("data do not tell a, b from each other")
    assert np.isnan(list(found.errors.values())).all()
    assert found.ndf == 1  # what data tell is one number
    assert found.deviance == pytest.approx(Experiment([50.0, 80.0], ROWS).fit(DATA).deviance)


def test_held_or_constrained_they_are_told_apart() -> None:
    same = {"a": [50.0, 80.0], "b": [50.0, 80.0]}
    held = Experiment(same, ROWS).fit(DATA, fixed={"a": 0.5})
    assert held.valid
    assert held.errors["b"] == pytest.approx(
        Experiment([50.0, 80.0], ROWS).fit(DATA).errors["normalisation"], rel=1e-3
    )
    known = {"a": Parameter(0.5, constraint=(0.5, 0.1)), "b": Parameter(0.5)}
    found = Experiment(same, ROWS, parameters=known).fit(DATA)
    assert found.valid
    assert found.errors["a"] == pytest.approx(0.1, rel=1e-2)


def test_a_third_that_is_told_apart_keeps_its_error() -> None:
    rows = np.array([[0.7, 0.2, 0.0], [0.1, 0.8, 0.0], [0.0, 0.1, 0.8]])
    parts = {"a": [50.0, 80.0, 0.0], "b": [50.0, 80.0, 0.0], "c": [0.0, 0.0, 90.0]}
    parameters = {name: Parameter(1.0) for name in parts}
    found = Experiment(parts, rows, parameters=parameters).fit([90.0, 150.0, 72.0])
    assert not found.valid
    assert 0.08 < found.errors["c"] < 0.2
    assert np.isnan(found.errors["a"])


def test_a_derivative_of_0_at_one_point_is_not_flat() -> None:
    def mixed(angle: float, norm: float) -> Any:
        return norm * np.array([100.0, 100.0]) * np.sin(2.0 * angle) ** 2 * [1.0, 0.5] + 10.0

    parameters = {
        "angle": Parameter(0.785, lower=0.0, upper=1.57),
        "norm": Parameter(1.0, constraint=(1.0, 0.05)),
    }
    found = Experiment(mixed, ROWS, parameters=parameters).fit([90.0, 80.0])
    assert found.valid
    assert found.values["angle"] == pytest.approx(np.pi / 4.0, abs=0.05)


def test_what_is_held_is_inside_its_limits() -> None:
    experiment = Experiment({"a": [50.0, 80.0], "b": [10.0, 40.0]}, ROWS)
    for ask in (experiment.fit, experiment.upper_limit, experiment.interval):
        with pytest.raises(ValueError, match=r"b = -1: it goes from 0 to inf"):
            ask(DATA, fixed={"b": -1.0})


def test_nothing_free_is_no_fit() -> None:
    experiment = Experiment([50.0, 80.0], ROWS)
    found = experiment.fit(DATA, fixed={"normalisation": 0.0})
    assert found.valid
    assert found.errors == {"normalisation": 0.0}
    assert not any("at a limit" in note for note in found.notes)
    assert found.ndf == 2


def test_its_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    edges = np.arange(3.0)
    matrix = ResponseMatrix.from_array(ROWS, edges, edges, truth=[50.0, 80.0])
    Path("R.json").write_text(matrix.to_json())
    for name, axes, content in (
        ("d", matrix.reco_axes, DATA),
        ("s", matrix.true_axes, [50.0, 80.0]),
    ):
        made: hist.Hist[Any] = hist.Hist(*axes, data=np.array(content))
        Path(f"{name}.json").write_text(json.dumps(made, default=uhi.io.json.default))
    command = "fit d.json R.json --truth a=s.json --truth b=s.json -o fit.json -q"
    assert main(command.split()) == 1
    told = capsys.readouterr().err
    assert (
        told
        == 'forefold: error: the fit is not valid, as its notes say; it is written with "valid": false\n'
    )
    found = json.loads(Path("fit.json").read_text())
    assert found["parameters"]["a"]["error"] is None
    assert main([*command.replace("fit.json", "held.json").split(), "--fix", "a=0.5"]) == 0
    assert main([*command.replace("fit.json", "bad.json").split(), "--fix", "a=-0.5"]) == 2
    assert "a = -0.5: it goes from 0 to inf" in capsys.readouterr().err
    assert not Path("bad.json").exists()


def negative() -> ResponseMatrix:
    """Missed events of negative weight leave a row above 1, within its statistics."""
    true = np.array([0.5] * 42 + [1.5] * 50)
    reco = true.copy()
    reco[:2] = np.nan
    weight = np.ones(92)
    weight[:2] = -1.0
    return ResponseMatrix.from_columns(true, reco, true_axes="x=0:2:2", weight=weight)


def damaged() -> ResponseMatrix:
    """A cell that holds what no row can."""
    matrix = negative()
    view: Any = matrix.counts.view()
    view["value"][0, 0] *= 20.0
    return matrix


def test_rows_above_1_are_refused_or_noted() -> None:
    few, many = negative(), damaged()
    spectrum = few.truth
    for ask in (lambda m: fold(spectrum, m), lambda m: Experiment(spectrum, m)):
        with pytest.raises(
            ValueError,
            match=r"true bin 0 .x_true 0 to 1.: the row of the matrix sums to 21\.05 \+- .*1 at most",
        ):
            ask(many)
        (note,) = ask(few).notes
        assert "sums to 1.053 +- 0.04" in note
