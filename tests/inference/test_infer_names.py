"""Axes that have the bins of the response and another name are noted, as folding does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest

from forefold import Experiment, ResponseMatrix, fold
from forefold.cli import main
from forefold.matrix import to_json

EDGES = [0.0, 1.0, 2.0]
MATRIX = ResponseMatrix.from_array(
    [[0.6, 0.2], [0.1, 0.7]], {"enu": EDGES}, {"energy": EDGES}, truth=[50.0, 80.0]
)


def over(name: str, *contents: float) -> hist.Hist[Any]:
    made: hist.Hist[Any] = hist.Hist(hist.axis.Variable(EDGES, name=name))
    made[...] = contents
    return made


def note(what: str, name: str, wanted: str) -> str:
    return f"{what}: axis {name!r} is taken for {wanted!r} of the matrix: same bins, another name"


TRUTH = note("truth 'signal'", "p", "enu_true")
BACKGROUND = note("background 'beam'", "x", "energy_reco")
VARIANCE = note("background_variance", "y", "energy_reco")
DATA = note("data", "q2", "energy_reco")


def test_everything_that_is_named_otherwise_is_noted() -> None:
    experiment = Experiment(
        {"signal": over("p", 50.0, 80.0), "other": over("enu", 1.0, 1.0)},
        MATRIX,
        background={"beam": over("x", 5.0, 5.0), "cosmic": np.ones(2)},
        background_variance=over("y", 1.0, 1.0),
    )
    own = (TRUTH, BACKGROUND, VARIANCE)
    assert experiment.notes == own
    assert repr(experiment).endswith(f"\n  note: {VARIANCE}")
    data = over("q2", 45.0, 60.0)
    held = {"other": 1.0}
    results: tuple[Any, ...] = (
        experiment.fit(data, fixed=held),
        experiment.interval(data, fixed=held),
        experiment.interval(
            data, fixed=held, method="feldman-cousins", points=[0.7, 1.0], toys=2, rng=1
        ),
        *(experiment.upper_limit(data, fixed=held, method=m) for m in ("cls", "profile", "bayes")),
        experiment.upper_limit(data, fixed=held, toys=2, rng=1),
    )
    for found in results:
        assert found.notes[:4] == (*own, DATA)
        assert f"note: {DATA}" in repr(found)
    # without data, of what there is
    for toys in (0, 2):
        expected = experiment.expected_limit(fixed=held, toys=toys, rng=1)
        assert expected.notes[:3] == own
        assert DATA not in expected.notes
    assert all("axis" not in text for text in experiment.fit([45.0, 60.0]).notes[3:])


def test_a_truth_that_is_a_function_is_looked_at_where_it_begins() -> None:
    def truth(norm: float) -> hist.Hist[Any]:
        return over("p", 50.0, 80.0) * norm

    experiment = Experiment(truth, MATRIX, parameters={"norm": 1.0})
    assert experiment.notes == (note("truth", "p", "enu_true"),)


@pytest.mark.parametrize("name", ["", "true", "enu", "enu_true"])
def test_names_of_the_response_and_none_say_nothing(name: str) -> None:
    experiment = Experiment(over(name, 50.0, 80.0), MATRIX, background=over("", 5.0, 5.0))
    assert experiment.notes == ()
    data = fold(over("enu", 50.0, 80.0), MATRIX)
    assert experiment.fit(data).notes == experiment.fit(data.values).notes
    plain = Experiment([50.0, 80.0], np.array([[0.6, 0.2], [0.1, 0.7]]))
    assert plain.fit(over("q2", 45.0, 60.0)).notes == ()
    # other bins are still an error
    with pytest.raises(ValueError, match="data has 2 axes, the matrix has 1"):
        experiment.fit(hist.Hist(*(hist.axis.Regular(2, 0, 2, name=n) for n in "ab")))


def test_commands_note_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("R.json").write_text(MATRIX.to_json())
    Path("s.json").write_text(to_json(over("p", 50.0, 80.0)))
    Path("data.json").write_text(to_json(over("q2", 45.0, 60.0)))
    for command in ("fit", "limit"):
        assert main([command, "data.json", "R.json", "--truth", "signal=s.json"]) == 0
        told = capsys.readouterr()
        assert json.loads(told.out)["notes"][:2] == [TRUTH, DATA]
        assert f"  note: {TRUTH}\n  note: {DATA}\n" in told.err
