"""What an experiment refuses to say, and what it says at the edges."""

from __future__ import annotations

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import hist
import numpy as np
import pytest

from forefold import Experiment, Parameter, ResponseMatrix
from forefold.inference import feldman_cousins

RESPONSE = [[0.6, 0.2], [0.1, 0.7]]


def test_two_templates_have_a_parameter_each() -> None:
    experiment = Experiment({"signal": [100.0, 0.0], "other": [0.0, 100.0]}, RESPONSE)
    data = experiment.predict(signal=1.3, other=0.8)
    assert data.values.tolist() == pytest.approx([86.0, 82.0])
    found = experiment.fit(data)
    assert found.values == pytest.approx({"signal": 1.3, "other": 0.8}, abs=1e-3)
    assert found.ndf == 0
    assert np.isnan(found.p_value)
    # an inverted matrix gives the same covariance
    inverse = np.linalg.inv(100.0 * np.array(RESPONSE))
    assert found.covariance == pytest.approx(inverse.T @ np.diag(data.values) @ inverse, rel=1e-2)
    assert found.correlation[0, 0] == pytest.approx(1.0)


def test_at_a_limit_the_note_says_so() -> None:
    found = Experiment([50.0, 80.0], RESPONSE, background=[30.0, 30.0]).fit([20.0, 20.0])
    assert found.values["normalisation"] == pytest.approx(0.0, abs=1e-6)
    assert any("at a limit: normalisation" in note for note in found.notes)
    assert "note: at a limit" in repr(found)


def test_counts_outside_the_axes_are_noted() -> None:
    data: hist.Hist[Any] = hist.Hist(hist.axis.Regular(2, 0, 2))
    data.fill([0.5] * 40 + [1.5] * 60 + [7.0] * 3)
    found = Experiment([50.0, 80.0], RESPONSE).fit(data)
    assert found.notes == ("3 counts in underflow and overflow are not used",)


def test_what_is_degenerate_is_said_and_not_made_up() -> None:
    free = Parameter(1.0)
    same = {"a": [50.0, 80.0], "b": [50.0, 80.0]}
    experiment = Experiment(same, RESPONSE, parameters={"a": free, "b": free})
    with pytest.raises(ValueError, match=r"do not bound|does not converge"):
        experiment.interval([40.0, 60.0], "a")
    below = Experiment([50.0, 80.0], RESPONSE, parameters={"normalisation": Parameter(1.0, -3.0)})
    with pytest.raises(ValueError, match=r"bin 1 expects -198 counts .* is -3"):
        below.upper_limit([40.0, 60.0])
    # held, there is an answer
    assert 0.5 in experiment.interval([38.0, 66.0], "a", fixed={"b": 0.5})
    with pytest.raises(ValueError, match="needs a parameter with a lower limit"):
        experiment.upper_limit([40.0, 60.0], "a", fixed={"b": 0.5}, method="bayes")


def test_feldman_cousins_keeps_to_its_points() -> None:
    experiment = Experiment([50.0, 80.0], RESPONSE)
    told: dict[str, Any] = {"method": "feldman-cousins", "toys": 20, "rng": 1}
    with pytest.raises(ValueError, match="finite values from 0 to inf"):
        experiment.interval([40.0, 60.0], points=[-1.0, 2.0], **told)
    with pytest.raises(ValueError, match="no point from 8 to 9 is inside; give points about"):
        experiment.interval([40.0, 60.0], points=[8.0, 9.0], **told)
    with pytest.raises(ValueError, match="toys = 0"):
        experiment.interval([40.0, 60.0], **(told | {"toys": 0}))
    first, second = (experiment.interval([40.0, 60.0], **told) for _ in range(2))
    assert first.p_values.tolist() == second.p_values.tolist()
    assert (first.lower, first.upper) == (second.lower, second.upper)
    assert "20 toys a point" in repr(first)


def test_feldman_cousins_goes_on_as_far_as_points_are_inside() -> None:
    # no counts: the profile interval ends at 1.35, and half of it more is 2.03; the unified one at 2.44
    one = Experiment([1.0], [[1.0]])
    told: dict[str, Any] = {"level": 0.9, "method": "feldman-cousins", "toys": 60, "rng": 1}
    found = one.interval([0.0], **told)
    # p is 0.15 at 2.03 and 0.05 at 3, known to 0.04: 60 toys are few, but fixed
    assert found.upper == pytest.approx(feldman_cousins(0)[1], abs=0.6)
    assert found.points[-1] > 2.03
    assert found.p_values[-1] < 0.1
    assert found.notes == ()
    cut = one.interval([0.0], points=[0.0, 0.5, 1.0], **told)
    assert (cut.lower, cut.upper) == (0.0, 1.0)
    assert cut.notes == ("the points end at 1, which is inside: the interval may go on",)
    assert "note: the points end at 1" in repr(cut)
    assert json.dumps(cut.to_dict(), allow_nan=False)


def test_an_executor_gives_the_same_numbers() -> None:
    experiment = Experiment([50.0, 80.0], RESPONSE)
    told: dict[str, Any] = {"method": "feldman-cousins", "toys": 20, "rng": 1}
    with ThreadPoolExecutor(3) as pool:
        spread = experiment.interval([40.0, 60.0], executor=pool, **told)
        coverage = experiment.coverage(toys=250, rng=2, executor=pool)
    alone = experiment.interval([40.0, 60.0], **told)
    assert spread.p_values.tolist() == alone.p_values.tolist()
    assert (spread.lower, spread.upper) == (alone.lower, alone.upper)
    assert coverage == experiment.coverage(toys=250, rng=2)
    # what is sent to processes
    problem = experiment._problem(np.array([40.0, 60.0]), None, 0)
    again = pickle.loads(pickle.dumps(problem))
    assert again.best().x.tolist() == problem.best().x.tolist()


def test_a_card_of_another_detector_is_refused() -> None:
    varied = {
        name: ResponseMatrix.from_array(RESPONSE, [0, 1, 2], [0, 1, 2])
        for name in ("nominal", "glow_up")
    }
    with pytest.raises(ValueError, match="dune-fd-uncertainties has no pull 'glow'"):
        Experiment([1.0, 1.0], varied, correlation="dune-fd-uncertainties")
    with pytest.raises(ValueError, match="glow_down without glow_up"):
        Experiment([1.0, 1.0], {"nominal": varied["nominal"], "glow_down": varied["glow_up"]})


def test_negative_expectations_are_no_prediction() -> None:
    varied = {
        "nominal": ResponseMatrix.from_array(RESPONSE, [0, 1, 2], [0, 1, 2]),
        "glow_up": ResponseMatrix.from_array([[0.9, 0.1], [0.1, 0.7]], [0, 1, 2], [0, 1, 2]),
    }
    experiment = Experiment([50.0, 80.0], varied)
    assert experiment.predict(glow=-1.0).values.tolist() == pytest.approx([23.0, 71.0])
    for ask in (experiment.predict, lambda **v: experiment.toys(3, rng=1, **v)):
        with pytest.raises(ValueError, match=r"bin 0 \(reco 0 to 1\) expects -37 counts"):
            ask(glow=-5.0)


def test_functions_are_asked_for_what_they_need() -> None:
    def flat(level: float) -> list[float]:
        return [level, level]

    with pytest.raises(ValueError, match="name its parameters"):
        Experiment(flat, RESPONSE)
    with pytest.raises(ValueError, match="no derivative with respect to 'level'"):
        Experiment(
            flat, RESPONSE, parameters={"level": 1.0}, gradient=lambda level: {"x": level}
        ).fit([1.0, 2.0])
    with pytest.raises(ValueError, match="gradient: for a truth that is a function"):
        Experiment([1.0, 2.0], RESPONSE, gradient=flat)
    numerical = Experiment(flat, RESPONSE, parameters={"level": 10.0}).fit([9.0, 12.0])
    exact = Experiment(
        flat,
        RESPONSE,
        parameters={"level": 10.0},
        gradient=lambda level: {"level": [1.0, 1.0 + 0.0 * level]},
    ).fit([9.0, 12.0])
    assert numerical.values == pytest.approx(exact.values, rel=1e-6)
    assert numerical.errors == pytest.approx(exact.errors, rel=1e-4)


def test_empty_rows_stop_or_lose() -> None:
    axis = hist.axis.Regular(2, 0, 2)
    counts = hist.Hist(axis, axis, storage=hist.storage.Weight())
    truth = hist.Hist(axis, storage=hist.storage.Weight())
    counts.fill([0.5] * 6, [0.5] * 6)
    truth.fill([0.5] * 10)
    matrix = ResponseMatrix.from_histograms(counts, truth)
    with pytest.raises(ValueError, match="of which the response knows nothing"):
        Experiment([10.0, 10.0], matrix)
    lost = Experiment([10.0, 10.0], matrix, empty_rows="lose")
    assert lost.predict().values.tolist() == [6.0, 0.0]


@pytest.mark.parametrize(
    "bad",
    [{"value": np.nan}, {"value": 2.0, "upper": 1.0}, {"value": 1.0, "constraint": (1.0, 0.0)}],
)
def test_parameters_make_sense(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"finite|lower"):
        Parameter(**bad)
