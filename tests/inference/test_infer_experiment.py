"""Experiments: expectations, derivatives, fits, toys, intervals and limits."""

from __future__ import annotations

import math
from typing import Any

import hist
import numpy as np
import pytest
from spectra import spectrum

import forefold
from forefold import Experiment, Parameter
from forefold.inference import feldman_cousins, poisson_upper_limit
from forefold.inference.fit import fitted
from forefold.inference.likelihood import barlow_beeston, poisson

N, M = 6, 9


def matrices(entries: float = 4000.0) -> dict[str, forefold.ResponseMatrix]:
    """A nominal detector, one with a wider and a narrower resolution, and one with another efficiency."""
    found = {}
    for name, width, factor in (
        ("nominal", 0.8, 1.0),
        ("width_up", 1.1, 1.0),
        ("width_down", 0.6, 1.0),
        ("seen_up", 0.8, 1.05),
        ("seen_down", 0.8, 0.95),
    ):
        matrix, _ = spectrum(N, M, width=width)
        edges = np.linspace(0.0, 10.0, N + 1), np.linspace(0.0, 10.0, M + 1)
        found[name] = forefold.ResponseMatrix.from_array(factor * matrix, *edges, entries=entries)
    return found


def tilted(**more: Any) -> Experiment:
    """A norm and a tilt, with two pulls, a background and a finite simulation."""
    _, truth = spectrum(N, M, events=600.0)
    x = (np.arange(N) - 0.5 * N) / N

    def contents(norm: float, tilt: float) -> Any:
        return norm * truth * np.exp(tilt * x)

    settings: dict[str, Any] = {
        "parameters": {
            "norm": Parameter(1.0, lower=0.0),
            "tilt": 0.0,
            "beam": Parameter(1.0, lower=0.0, constraint=(1.0, 0.2)),
        },
        "background": {"beam": np.full(M, 4.0), "cosmic": np.full(M, 1.0)},
        "correlation": [[1.0, 0.3], [0.3, 1.0]],
        "exposure": 1.5,
    }
    return Experiment(contents, matrices(), **(settings | more))


@pytest.mark.parametrize("pulls", [(0.4, -0.7), (1.6, -2.2)])
def test_derivatives_against_differences(pulls: tuple[float, float]) -> None:
    experiment = tilted()
    problem = experiment._problem(np.linspace(20.0, 30.0, M), None, 0)
    x = np.array([1.1, 0.3, 0.9, *pulls])
    _, slope, _ = problem.objective.all(x)
    for k in range(len(x)):
        step = np.zeros(len(x))
        step[k] = 1e-5
        up, down = (problem.objective.value(x + s * step) for s in (1.0, -1.0))
        assert slope[k] == pytest.approx((up - down) / 2e-5, rel=1e-5, abs=1e-5)


def test_at_a_pull_of_one_the_varied_matrix_predicts() -> None:
    found = matrices()
    _, truth = spectrum(N, M)
    experiment = Experiment(truth, found)
    for name, pull in (("width_up", 1.0), ("width_down", -1.0)):
        wanted = truth @ found[name].matrix
        assert experiment.predict(width=pull).values == pytest.approx(wanted, rel=1e-12)
    assert experiment.predict().values == pytest.approx(truth @ found["nominal"].matrix)


def test_covariance_of_a_prediction_is_that_of_fold() -> None:
    found = matrices()
    made = hist.Hist(*found["nominal"].true_axes, data=spectrum(N, M)[1])
    correlation = [[1.0, 0.3], [0.3, 1.0]]
    ours = Experiment(made, found, correlation=correlation).predict()
    folded = forefold.fold(made, found, correlation=correlation)
    assert ours.values == pytest.approx(folded.values)
    assert ours.covariances["detector"] == pytest.approx(folded.covariances["detector"], rel=1e-9)
    own = folded.covariances["matrix"]
    assert ours.covariances["matrix"] == pytest.approx(own, rel=1e-9, abs=1e-12)
    assert abs(own - np.diag(np.diagonal(own))).max() > 0.1  # migrations correlate bins


def test_asimov_data_give_back_what_they_were_made_of() -> None:
    experiment = tilted()
    found = experiment.fit(experiment.predict(norm=1.2, tilt=-0.4), fixed={"beam": 1.0})
    assert found.valid
    assert found.values["norm"] == pytest.approx(1.2, abs=2e-3)
    assert found.values["tilt"] == pytest.approx(-0.4, abs=5e-3)
    assert found.deviance == pytest.approx(0.0, abs=1e-3)


def test_scoring_and_migrad_find_the_same_minimum() -> None:
    experiment = tilted()
    problem = experiment._problem(np.zeros(M), None, 0)
    thrown = problem.thrown(experiment.start, 10, 3, 0)
    for i in range(10):
        other = problem.with_data(thrown.of(i))
        ours = other.best()
        x, _, value, valid = fitted(other.objective, other.start, experiment.names, other.fixed)
        assert ours.valid
        assert valid
        assert ours.value == pytest.approx(value, abs=1e-4)
        assert ours.x == pytest.approx(x, abs=0.02)


def test_barlow_beeston_is_the_minimum_over_the_factor() -> None:
    data, mean, variance = (
        np.array([0.0, 3.0, 20.0]),
        np.array([2.0, 9.0, 12.0]),
        np.array([1.0, 4.0, 9.0]),
    )
    for k in range(3):
        fine = np.linspace(1e-6, 40.0, 400_001)
        log = np.log(np.where(data[k] > 0.0, data[k] / fine, 1.0))
        all_of_it = fine - data[k] + data[k] * log + 0.5 * (fine - mean[k]) ** 2 / variance[k]
        assert barlow_beeston(data, mean, variance).value[k] == pytest.approx(
            all_of_it.min(), abs=1e-7
        )
    tiny = barlow_beeston(data, mean, 1e-9 * variance)
    assert tiny.value == pytest.approx(poisson(data, mean).value, rel=1e-6)


def test_a_finite_simulation_widens_errors() -> None:
    _, truth = spectrum(N, M)
    response = matrices(entries=50.0)["nominal"]
    data = truth @ response.matrix
    known, finite = (
        Experiment(truth, response, statistics=counted).fit(data).errors["normalisation"]
        for counted in ("none", "multinomial")
    )
    assert finite > 1.5 * known


def test_toys_are_reproducible_and_poisson() -> None:
    experiment = tilted(statistics="none")
    some = experiment.toys(4000, rng=5, norm=1.1)
    assert np.array_equal(some, experiment.toys(4000, rng=5, norm=1.1))
    assert not np.array_equal(some, experiment.toys(4000, rng=6, norm=1.1))
    mean = experiment.predict(norm=1.1).values
    # 9 bins, 4.5 standard deviations: false alarms once in 16,000
    assert abs(some.mean(axis=0) - mean).max() < 4.5 * np.sqrt(mean.max() / 4000)


def test_the_profile_interval_covers() -> None:
    # 68.27 % of 600 toys, +-4 standard deviations of 1.9 %: false alarm once in 16,000; Wilks' theorem within 1.5 %
    found = tilted(statistics="none").coverage("tilt", toys=600, rng=11)
    assert found.failed == 0
    assert found.fraction == pytest.approx(found.level, abs=4.0 * found.error + 0.015)


def test_coverage_counts_what_intervals_do() -> None:
    experiment = Experiment([40.0, 50.0], [[0.6, 0.2], [0.1, 0.7]])
    problem = experiment._problem(np.zeros(2), None, 0)
    held = [
        1.0 in experiment.interval(counts)
        for counts in problem.thrown(experiment.start, 60, 2, 0).counts
    ]
    assert experiment.coverage(toys=60, rng=2).fraction == pytest.approx(np.mean(held))


@pytest.mark.parametrize(("n", "b"), [(0, 0.0), (0, 3.0), (3, 3.0), (6, 3.0)])
def test_one_bin_with_a_flat_prior_is_the_closed_form(n: int, b: float) -> None:
    one = Experiment([1.0], [[1.0]], background=[b])
    limit = one.upper_limit([n], method="bayes")
    assert limit.value == pytest.approx(poisson_upper_limit(n, b, method="bayes"), abs=1e-4)


def test_one_bin_with_cls_toys_is_the_closed_form() -> None:
    one = Experiment([1.0], [[1.0]], background=[3.0])
    limit = one.upper_limit([3], level=0.9, toys=400, rng=4)
    exact = poisson_upper_limit(3, 3.0, level=0.9)
    # CLs is known to sqrt(0.065 0.935 / 400) / 0.647 = 0.019 and falls by 0.05 for each count: 4 sd, false alarm once in 16,000
    assert float(limit) == pytest.approx(exact, abs=4.0 * 0.38)


def test_one_bin_with_many_counts_by_asymptotic_cls() -> None:
    one = Experiment([1.0], [[1.0]], background=[400.0])
    limit = one.upper_limit([400.0])
    assert limit.value == pytest.approx(poisson_upper_limit(400, 400.0), rel=0.03)


def test_one_bin_feldman_cousins_by_toys_is_the_exact_construction() -> None:
    one = Experiment([1.0], [[1.0]], background=[3.0])
    found = one.interval(
        [6], level=0.9, method="feldman-cousins", points=np.arange(0.05, 10.0, 0.9), toys=400, rng=1
    )
    lower, upper = feldman_cousins(6, 3.0, monotone=False)
    # steps of 0.9, and p known to 0.015, which is a tenth of what it falls in a step
    assert found.lower == pytest.approx(lower, abs=0.9)
    assert found.upper == pytest.approx(upper, abs=0.9)
    assert found.error == pytest.approx(0.015)


def test_bayes_integrates_a_nuisance() -> None:
    one = Experiment(
        [1.0],
        [[1.0]],
        background={"b": [20.0]},
        parameters={"b": Parameter(1.0, lower=0.0, constraint=(1.0, 0.15))},
    )
    limit = float(one.upper_limit([24], method="bayes"))
    s, b = np.meshgrid(np.linspace(0.0, 60.0, 3001), np.linspace(0.2, 1.8, 801), indexing="ij")
    mean = s + 20.0 * b
    posterior = np.exp(24.0 * np.log(mean) - mean - 0.5 * ((b - 1.0) / 0.15) ** 2).sum(axis=1)
    exact = np.interp(0.95, np.cumsum(posterior) / posterior.sum(), s[:, 0])
    assert limit == pytest.approx(exact, rel=0.01)


def test_profile_interval_of_a_single_count_solves_its_equation() -> None:
    found = Experiment([1.0], [[1.0]]).interval([9])
    for end in (found.lower, found.upper):
        assert 2.0 * (end - 9.0 + 9.0 * math.log(9.0 / end)) == pytest.approx(1.0, abs=1e-4)
    assert found.best == pytest.approx(9.0)


def test_fakes_come_with_every_true_event() -> None:
    edges = [0.0, 1.0, 2.0]
    counts = hist.Hist(
        hist.axis.Variable(edges), hist.axis.Variable(edges), storage=hist.storage.Weight()
    )
    truth = hist.Hist(hist.axis.Variable(edges), storage=hist.storage.Weight())
    fakes = hist.Hist(hist.axis.Variable(edges), storage=hist.storage.Weight())
    counts.fill([0.5] * 6 + [1.5] * 8, [0.5] * 6 + [1.5] * 8)
    truth.fill([0.5] * 10 + [1.5] * 10)
    fakes.fill([0.5] * 4)
    matrix = forefold.ResponseMatrix.from_histograms(counts, truth, fakes)
    both = Experiment([100.0, 100.0], matrix).predict().values
    assert both.tolist() == pytest.approx([60.0 + 40.0, 80.0])
    assert Experiment([100.0, 100.0], matrix, fakes=False).predict().values[0] == pytest.approx(
        60.0
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"truth": [1.0, math.nan]}, "holds nan in bin 1"),
        ({"truth": [1.0, -2.0]}, "holds -2 in bin 1"),
        ({"truth": [1.0, 2.0, 3.0]}, r"has shape \(3,\); \(2,\) is needed"),
        ({"truth": hist.Hist(hist.axis.Regular(2, 0, 3))}, "edge 1 at 1.5, the matrix has it at 1"),
        ({"background": [1.0, math.inf]}, "background holds inf"),
        ({"exposure": 0.0}, "exposure = 0.0"),
        ({"parameters": {"normalization": 1.0}}, "is of nothing: the truth has normalisation"),
        ({"response": {"up": 1}}, "needs a ResponseMatrix 'nominal'"),
        ({"response": [1.0]}, "found list"),
        ({"empty_rows": "x"}, "'stop' or 'lose'"),
    ],
)
def test_bad_input_is_one_line(settings: dict[str, Any], said: str) -> None:
    good: dict[str, Any] = {"truth": [50.0, 80.0], "response": [[0.6, 0.2], [0.1, 0.7]]}
    with pytest.raises(ValueError, match=said) as error:
        Experiment(**(good | settings))
    assert "\n" not in str(error.value)


def test_bad_questions_are_one_line() -> None:
    experiment = Experiment([50.0, 80.0], [[0.6, 0.2], [0.1, 0.7]])
    with pytest.raises(ValueError, match=r"no parameter 'normalization' .*normalisation"):
        experiment.predict(normalization=1.0)
    with pytest.raises(ValueError, match="holds -1 in bin 0"):
        experiment.fit([-1.0, 2.0])
    with pytest.raises(ValueError, match="data are weighted"):
        experiment.fit(
            hist.Hist(hist.axis.Regular(2, 0, 2), storage=hist.storage.Weight()).fill(
                [0.5], weight=3.0
            )
        )
    turned: hist.Hist[Any] = hist.Hist(hist.axis.Regular(2, 0, 2, name="reco"))
    with pytest.raises(ValueError, match="truth 'normalisation': axis 'reco', which is reconst"):
        Experiment(turned, [[0.6, 0.2], [0.1, 0.7]])
    with pytest.raises(ValueError, match="'profile' or 'feldman-cousins'"):
        experiment.interval([1.0, 2.0], method="minos")
    with pytest.raises(ValueError, match="toys = 5: for method='cls'"):
        experiment.upper_limit([1.0, 2.0], method="bayes", toys=5)
    with pytest.raises(ValueError, match="is fixed, and asked for"):
        experiment.interval([1.0, 2.0], fixed={"normalisation": 1.0})
    with pytest.raises(ValueError, match="is a pull"):
        Experiment([1.0] * N, matrices(), parameters={"width": 0.0})
    with pytest.raises(ValueError, match="no NAME_up or NAME_down"):
        Experiment([1.0] * N, {**matrices(), "universe_0": matrices()["nominal"]})
    with pytest.raises(ValueError, match="singular"):
        Experiment([1.0] * N, matrices(), correlation=[[1.0, 1.0], [1.0, 1.0]])


def test_a_parameter_that_is_held_prints_as_fixed() -> None:
    experiment = Experiment(
        {"signal": [50.0, 80.0], "<rock>": [5.0, 4.0]}, [[0.6, 0.2], [0.1, 0.7]]
    )
    found = experiment.fit([45.0, 60.0], fixed={"<rock>": 1.0})
    assert found.fixed == ("<rock>",)
    said = repr(found).splitlines()
    assert said[2] == "  <rock> = 1 (fixed)"
    assert said[1].startswith("  signal = 0.9")
    assert " +- " in said[1]
    page = found._repr_html_()
    assert '<th scope="row">&lt;rock&gt;</th><td></td><td>1 (fixed)</td>' in page
    assert experiment.fit([45.0, 60.0]).fixed == ()


def test_pulls_that_are_held_are_counted() -> None:
    experiment = tilted(statistics="none")
    data = experiment.toys(1, rng=1)[0]
    free = experiment.fit(data)
    held = experiment.fit(data, fixed=dict.fromkeys(free.pulls, 0.0))
    assert "fixed" not in repr(free)
    assert " pulls, " in repr(held)
    assert f"{len(held.pulls)} fixed" in repr(held)
    assert "the largest" not in repr(held)


def test_pictures() -> None:
    experiment = tilted(statistics="none")
    found = experiment.fit(experiment.toys(1, rng=1)[0], fixed={"beam": 1.0})
    figure = found.peek()
    assert len(figure.axes) == 6
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert "deviance/ndf" in legend.get_title().get_text()
    assert found.peek(figure.axes[0]) is figure
    assert experiment.peek(norm=1.2).axes[0].get_ylabel() == "Events / bin"
    interval = experiment.interval(found.data, "tilt")
    assert interval.peek().axes[0].get_xlabel() == "tilt"


@pytest.mark.slow
def test_from_the_packaged_sample_to_a_result() -> None:
    events = forefold.read(forefold.sample())
    varied = forefold.smear_variations(events, "dune-fd-uncertainties", rng=1)
    found = forefold.ResponseMatrix.from_variations(
        varied, true="enu=0:6:12", reco="visible_energy=0:6:12", signal="cc"
    )
    truth = found["nominal"].truth.values()
    x = np.log(found["nominal"].true_axes[0].centers / 3.0)

    def contents(norm: float, tilt: float) -> Any:
        return norm * truth * np.exp(tilt * x)

    card = "dune-fd-uncertainties"
    parameters = {"norm": Parameter(1.0, lower=0.0), "tilt": Parameter(0.0, lower=-3.0, upper=3.0)}
    experiment = Experiment(contents, found, parameters=parameters, correlation=card)
    assert len(experiment.pulls) == 19
    true = {"norm": 1.1, "tilt": 0.2}
    data = experiment.toys(1, rng=3, **true)[0]
    result = experiment.fit(data)
    assert result.valid
    for name, value in true.items():
        # 4 standard deviations, twice: false alarm once in 8,000
        assert result.values[name] == pytest.approx(value, abs=4.0 * result.errors[name])
    without = experiment.fit(data, fixed=dict.fromkeys(experiment.pulls, 0.0))
    assert without.errors["tilt"] < result.errors["tilt"]
    interval = experiment.interval(data, "tilt")
    half = 0.5 * (interval.upper - interval.lower)
    assert half == pytest.approx(result.errors["tilt"], rel=0.1)
    limit = experiment.upper_limit(data, "norm", method="bayes")
    one_sided = result.values["norm"] + 1.645 * result.errors["norm"]
    assert limit.value == pytest.approx(one_sided, abs=0.3 * result.errors["norm"])
