"""Toys at once: fit by fit the minima of one at a time, and the same limits, intervals and coverage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from forefold import Experiment, Parameter, ResponseMatrix
from forefold.inference import limits, poisson_upper_limit
from forefold.inference import toys as module
from forefold.inference.minimum import Minima, minima
from forefold.inference.toys import Toys

BACKGROUND = {"b": Parameter(1.0, lower=0.0, constraint=(1.0, 0.3))}


def templates(bins: int, scale: float, seed: int) -> Experiment:
    """Two signals, one of which may be negative, and a background that is known to 30 %."""
    rng = np.random.default_rng(seed)
    signals = {name: scale * rng.gamma(1.0, 1.0, bins) for name in ("s", "t")}
    return Experiment(
        signals,
        0.8 * np.eye(bins),
        background={"b": scale * rng.gamma(1.0, 1.0, bins) + 0.1},
        parameters={"t": Parameter(1.0, lower=-0.02, upper=1.5), **BACKGROUND},
    )


def simulated() -> Experiment:
    """Bins that are smeared into themselves, of few simulated events."""
    edges = np.arange(6.0)
    matrix = ResponseMatrix.from_array(0.7 * np.eye(5), edges, edges, entries=20.0)
    truth = {"s": [1.0, 5.0, 20.0, 5.0, 1.0], "o": [9.0, 4.0, 2.0, 1.0, 1.0]}
    return Experiment(
        truth,
        matrix,
        parameters=dict(BACKGROUND),
        background={"b": np.full(5, 3.0)},
        background_variance=np.full(5, 0.4),
    )


def tilted() -> Experiment:
    """A norm and a tilt as a function, and a pull of the efficiency that is not even."""
    truth, x = np.array([40.0, 90.0, 60.0, 10.0]), np.array([-1.5, -0.5, 0.5, 1.5])
    rows = np.array([[0.6, 0.2, 0.0], [0.1, 0.6, 0.1], [0.0, 0.2, 0.6], [0.0, 0.0, 0.7]])
    edges = np.arange(5.0), np.arange(4.0)
    matrices = {
        name: ResponseMatrix.from_array(factor * rows, *edges)
        for name, factor in (("nominal", 1.0), ("seen_up", 1.08), ("seen_down", 0.95))
    }

    def contents(norm: float, tilt: float) -> Any:
        return norm * truth * np.exp(tilt * x)

    known: dict[str, float | Parameter] = {"norm": Parameter(1.0, lower=0.0), "tilt": 0.0}
    known |= BACKGROUND
    return Experiment(contents, matrices, parameters=known, background={"b": np.full(3, 4.0)})


def migrating() -> Experiment:
    """Few simulated events that go to neighbours, too; without signal, a bin has no variance."""
    edges = np.arange(5.0), np.arange(4.0)
    rows = np.array([[0.6, 0.2, 0.0], [0.1, 0.6, 0.0], [0.0, 0.3, 0.0], [0.0, 0.0, 0.7]])
    matrix = ResponseMatrix.from_array(rows, *edges, entries=30.0)
    truth = {"s": [0.0, 0.0, 4.0, 3.0], "o": [9.0, 4.0, 2.0, 0.0]}
    return Experiment(truth, matrix, parameters=dict(BACKGROUND), background={"b": np.full(3, 2.0)})


def degenerate() -> Experiment:
    """Two signals that are the same, and one that is nothing."""
    signals = {"s": [3.0, 1.0], "same": [3.0, 1.0], "none": [0.0, 0.0]}
    return Experiment(signals, np.eye(2), background=[2.0, 2.0])


KINDS: dict[str, tuple[Experiment, dict[str, float]]] = {
    "one bin": (Experiment({"s": [4.0]}, [[1.0]], background=[0.5]), {"s": 0.3}),
    "no signal": (templates(3, 3.0, 1), {"s": 0.0, "t": 0.0}),
    "few counts": (templates(8, 0.2, 2), {}),
    "many counts": (templates(5, 1e5, 3), {}),
    "function and pulls": (tilted(), {"tilt": 0.2}),
    "finite simulation": (simulated(), {"s": 0.0}),
    "simulation that migrates": (migrating(), {"s": 0.3}),
    "simulation that migrates, and no signal": (migrating(), {"s": 0.0}),
    "degenerate": (degenerate(), {}),
}


@pytest.mark.parametrize("scatter", [0.0, 0.5])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_parameters_give_what_each_gives(kind: str, scatter: float) -> None:
    """Value, derivatives and information, also where a background with a parameter has variances."""
    experiment, true = KINDS[kind]
    expectation = experiment._expectation
    spread = np.full(expectation.scaled_variance.shape, scatter)
    problem = experiment._problem(np.zeros(expectation.matrix.shape[1]), None, 0)
    thrown = problem.thrown(experiment.start, 7, 3, 0)
    objective = replace(
        problem.with_data(thrown).objective,
        expectation=replace(expectation, scaled_variance=spread),
    )
    x = experiment.start * np.random.default_rng(1).uniform(0.5, 1.5, (7, len(experiment.start)))
    x[:3, 0] = true.get(experiment.names[0], 1.0)
    several = objective.all(x)
    for i in range(7):
        for whole, one in zip(several, objective.of(i).all(x[i]), strict=True):
            assert whole[i] == pytest.approx(one, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("held", [False, True])
def test_each_toy_has_the_minimum_of_its_own(kind: str, held: bool) -> None:
    experiment, true = KINDS[kind]
    problem = experiment._problem(np.zeros(experiment._matrix.matrix.shape[1]), None, 0)
    x = np.array(
        [true.get(name, v) for name, v in zip(experiment.names, experiment.start, strict=True)]
    )
    thrown = problem.thrown(x, 60, 3, 0)
    fixed = problem.held if held else problem.fixed
    found = minima(problem.with_data(thrown).objective, np.tile(x, (60, 1)), fixed)
    assert found.valid.mean() > 0.95  # what does not converge at once is fitted alone
    for i in np.flatnonzero(found.valid):
        alone = problem.with_data(thrown.of(i)).minimum(x, fixed)
        assert alone.valid
        # both stop where a step would gain 1e-9
        assert found.value[i] == pytest.approx(alone.value, abs=2e-9, rel=1e-12)
        slope = problem.with_data(thrown.of(i)).objective.all(found.x[i])[1]
        room = np.minimum(
            found.x[i] - problem.objective.lower, problem.objective.upper - found.x[i]
        )
        width = np.sqrt(np.maximum(np.diagonal(found.information[i]), 1e-12))
        assert abs(slope / width)[(room > 1e-9) & ~fixed].max(initial=0.0) < 1e-3
        assert (room >= 0.0).all()
        if kind != "degenerate":
            assert found.information[i] == pytest.approx(alone.information, rel=1e-3)


def one_at_a_time(objective: Any, start: Any, fixed: Any) -> Minima:
    """Leave all toys to the ordinary minimum."""
    found = minima(objective, start, fixed)
    return found._replace(valid=np.zeros_like(found.valid))


SETTINGS: dict[str, Any] = {"toys": 12, "rng": 4}
ASKED: dict[str, Any] = {
    "limit": lambda e, d: e.upper_limit(d, **SETTINGS).to_dict(),
    "interval": lambda e, d: e.interval(
        d, method="feldman-cousins", points=[0.0, 0.5, 1.0, 2.0, 4.0], **SETTINGS
    ).to_dict(),
    "coverage": lambda e, _: vars(e.coverage(**SETTINGS)),
    "expected, cls": lambda e, _: e.expected_limit(toys=3, rng=4).to_dict(),
    "expected, profile": lambda e, _: e.expected_limit(method="profile", **SETTINGS).to_dict(),
    "expected, bayes": lambda e, _: e.expected_limit(method="bayes", toys=2, rng=4).to_dict(),
}


@pytest.mark.parametrize(
    "kind", ["few counts", pytest.param("simulation that migrates", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("what", ASKED)
def test_answers_are_those_of_toys_one_at_a_time(
    kind: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment, _ = KINDS[kind]
    data = np.round(experiment.predict(s=0.0).values)
    together = ASKED[what](experiment, data)
    monkeypatch.setattr(module, "minima", one_at_a_time)
    alone = ASKED[what](experiment, data)
    assert together.keys() == alone.keys()
    for name, value in together.items():
        if isinstance(value, (float, list)) and name != "notes":
            assert value == pytest.approx(alone[name], rel=1e-6, abs=1e-9, nan_ok=True), name
        else:
            assert value == alone[name]


@pytest.mark.parametrize("method", ["profile", "bayes"])
@pytest.mark.parametrize("kind", ["one bin", "no signal", "finite simulation"])
def test_limits_of_toys_are_those_of_each(method: str, kind: str) -> None:
    experiment, _ = KINDS[kind]
    problem = experiment._problem(np.zeros(experiment._matrix.matrix.shape[1]), None, 0)
    x = experiment.start.copy()
    x[0] = 0.0
    thrown = problem.thrown(x, 6, 9, 1)
    several, one = {
        "profile": (limits.profile_limits, limits.profile_limit),
        "bayes": (limits.bayes_limits, limits.bayes_limit),
    }[method]
    found = several(Toys(problem, thrown), "s", 0.9)
    for i, value in enumerate(found):
        alone = one(problem.with_data(thrown.of(i)), "s", 0.9)
        assert value == pytest.approx(alone.value, rel=1e-4)


def test_a_limit_of_a_toy_at_its_end_is_the_end() -> None:
    bounded = {"s": Parameter(0.5, lower=0.0, upper=1.0)}
    experiment = Experiment({"s": [2.0]}, [[1.0]], background=[1.0], parameters=bounded)
    found = experiment.expected_limit(method="profile", toys=50, rng=1)
    # 1.35 counts are 1 - Phi(1.64), and only fewer than that bound the parameter below 1
    assert found.limits.max() == 1.0


def test_toys_that_say_nothing_are_refused() -> None:
    nothing = Experiment({"s": [0.0]}, [[1.0]], background=[1.0])
    with pytest.raises(ValueError, match="data do not bound the parameter"):
        nothing.expected_limit(method="profile", toys=3, rng=1)
    beside = Experiment({"s": [3.0], "t": [0.0]}, [[1.0]], background=[1.0])
    with pytest.raises(ValueError, match="the data say nothing of another parameter"):
        beside.expected_limit(method="bayes", toys=3, rng=1)


def test_toys_are_the_same_as_ever() -> None:
    """Counts and measurements of a seed, as they were when toys were fitted one at a time."""
    experiment = templates(4, 3.0, 7)
    assert experiment.toys(2, rng=11).tolist() == [[5.0, 13.0, 0.0, 8.0], [4.0, 10.0, 5.0, 9.0]]
    problem = experiment._problem(np.zeros(4), None, 0)
    centre = problem.thrown(experiment.start, 2, 11, 0).centre
    assert centre.ravel().tolist() == [1.05907202575478, 0.8278037106464116]


def test_ten_thousand_toys_of_one_bin() -> None:
    """Sums of Poisson probabilities: CLs of 2 counts where 3 are expected."""
    experiment = Experiment([1.0], [[1.0]], background=[3.0])
    found = experiment.upper_limit([2.0], toys=10_000, rng=1)
    # four standard deviations: a false alarm in 16,000
    assert found.value == pytest.approx(poisson_upper_limit(2, 3.0), abs=4.0 * found.error)
    assert found.error < 0.1


def test_data_that_no_toy_is_as_far_as_have_no_limit_by_toys() -> None:
    experiment = Experiment([1.0], [[1.0]], background=[30.0])
    with pytest.raises(ValueError, match="toys = 50: none without signal is as far from it"):
        experiment.upper_limit([3.0], toys=50, rng=1)
    assert experiment.upper_limit([3.0]).value == pytest.approx(
        poisson_upper_limit(3, 30.0), rel=0.05
    )
