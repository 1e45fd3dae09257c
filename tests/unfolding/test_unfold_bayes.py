"""Iterative Bayes: against PyUnfold, against its own derivatives, against what is known of Richardson-Lucy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies
from spectra import Array, counts, spectrum

import forefold
from forefold.unfolding import multinomial
from forefold.unfolding.bayes import gain_of, slopes_of, trajectory
from forefold.unfolding.likelihood import deviance
from forefold.unfolding.measurement import Measurement, checked_measurement

# PyUnfold 0.5.0 (PyPI, 2018): the example in the docstring of `iterative_unfold`, which it also prints on numpy 2.
_DATA, _RESPONSE = np.array([100.0, 150.0]), np.array([[0.9, 0.1], [0.1, 0.9]])
_UNFOLDED = [94.32086967, 155.67913033]
_STATISTICAL = [11.16853268, 13.65488168]
_OF_MATRIX = [0.65570621, 0.65570621]


def pyunfold_gain(measurement: Measurement, count: int) -> Array:
    """Give the derivatives as PyUnfold 0.5.0 chains them: the last factor on the wrong side."""
    steps = trajectory(measurement, count)
    efficiency = measurement.matrix.sum(axis=1)
    gain = steps[0].weights
    for step in steps[1:]:
        ratio = (step.after / step.before)[:, None]
        scaled = step.weights * (efficiency / step.before)[:, None]
        gain = step.weights + ratio * gain - (gain * measurement.data) @ scaled.T @ step.weights
    return gain


def test_pyunfolds_documented_example() -> None:
    spread = multinomial(_RESPONSE, np.full(2, 1e4))
    found = forefold.unfold(
        _DATA,
        _RESPONSE,
        method="bayes",
        iterations=4,
        covariance=np.square([10.0, 12.2]),
        matrix_variance=spread,
    )
    assert found.values == pytest.approx(_UNFOLDED, rel=1e-9)
    of_matrix = np.sqrt(np.diag(found.covariances["matrix"]))
    assert of_matrix == pytest.approx(_OF_MATRIX, rel=1e-7)
    # Its errors of the data are off by 0.2 % here, because of the order of its chain rule; with its order they are these.
    theirs = pyunfold_gain(
        checked_measurement(_DATA, _RESPONSE, covariance=np.square([10.0, 12.2])), 4
    )
    statistical = np.sqrt(np.diag(theirs @ np.diag(np.square([10.0, 12.2])) @ theirs.T))
    assert statistical == pytest.approx(_STATISTICAL, rel=1e-8)
    ours = np.sqrt(np.diag(found.covariances["data"]))
    assert ours == pytest.approx(_STATISTICAL, rel=4e-3)
    assert ours != pytest.approx(_STATISTICAL, rel=1e-3)


@pytest.mark.parametrize("count", [1, 2, 4, 10])
def test_derivatives_are_those_of_the_iteration(count: int) -> None:
    matrix, truth = spectrum(6, 9)
    background = np.full(9, 30.0)
    data = counts(matrix, truth) + background
    measurement = checked_measurement(data, matrix, background=background)
    steps = trajectory(measurement, count)
    gain, slopes = gain_of(measurement, steps), slopes_of(measurement, steps)

    def last(values: Array, response: Array) -> Array:
        # the prior is held fixed: a flat one would change with the data
        moved = checked_measurement(
            values, response, background=background, prior=measurement.prior
        )
        return trajectory(moved, count)[-1].after

    # Central differences: their error is of the order of the squared relative step.
    for j in (0, 4, 8):
        step = np.zeros(9)
        step[j] = 1e-4 * data[j]
        slope = (last(data + step, matrix) - last(data - step, matrix)) / (2.0 * step[j])
        assert gain[:, j] == pytest.approx(slope, rel=1e-5, abs=1e-7 * abs(gain).max())
    for i, j in ((0, 0), (2, 3), (5, 8)):
        change = np.zeros_like(matrix)
        change[i, j] = 1e-4 * matrix[i, j]
        up, down = last(data, matrix + change), last(data, matrix - change)
        slope = (up - down) / (2.0 * change[i, j])
        found = slopes(i)[:, j]
        assert found == pytest.approx(slope, rel=1e-4, abs=1e-6 * abs(slopes(i)).max())


def test_every_iteration_is_more_likely() -> None:
    matrix, truth = spectrum(8, 12)
    measurement = checked_measurement(counts(matrix, truth), matrix)
    costs = [
        deviance(measurement.data, step.after @ matrix) for step in trajectory(measurement, 60)
    ]
    assert (np.diff(costs) < 0.0).all()


def test_richardson_lucy_ends_at_the_maximum_of_the_likelihood() -> None:
    matrix, truth = spectrum(5, 8, width=0.5)
    data = counts(matrix, truth)
    end = trajectory(checked_measurement(data, matrix), 4000)[-1].after
    best = forefold.unfold(data, matrix, method="likelihood")
    assert end == pytest.approx(best.values, rel=1e-5)


def test_what_was_folded_with_the_prior_comes_back_at_once() -> None:
    matrix, truth = spectrum(7, 7)
    found = forefold.unfold(truth @ matrix, matrix, method="bayes", iterations=1, prior=truth)
    assert found.values == pytest.approx(truth, rel=1e-12)


def test_a_known_background_is_not_unfolded() -> None:
    matrix, truth = spectrum(7, 7)
    background = np.linspace(5.0, 500.0, 7)
    data = truth @ matrix + background
    found = forefold.unfold(
        data, matrix, method="bayes", iterations=3, prior=truth, background=background
    )
    assert found.values == pytest.approx(truth, rel=1e-12)
    assert found.smear(truth) == pytest.approx(truth, rel=1e-10)


def test_the_covariance_of_1995_is_too_small() -> None:
    matrix, truth = spectrum()
    data = counts(matrix, truth)
    kept: dict[str, Any] = {"method": "bayes", "iterations": 4}
    full = forefold.unfold(data, matrix, **kept)
    old = forefold.unfold(data, matrix, **kept, errors="dagostini")
    assert old.values.tolist() == full.values.tolist()
    assert (old.errors < full.errors).all()
    assert any("1995" in note for note in old.notes)


def test_a_smearing_matrix_is_the_unit_matrix_in_the_end() -> None:
    matrix, truth = spectrum(5, 8, width=0.5)
    # Where counts fluctuate it is not, for more reconstructed than true bins: the likelihood weights with them.
    found = forefold.unfold(truth @ matrix, matrix, method="bayes", iterations=3000)
    assert found.smearing == pytest.approx(np.eye(5), abs=1e-3)


@pytest.mark.parametrize("count", [1, 2, 5, 50])
def test_an_empty_bin_has_the_error_of_a_count(count: int) -> None:
    # without migrations the result is the data over the efficiency, whatever the iterations
    efficiency, data = np.array([0.4, 0.8, 0.5]), np.array([0.0, 12.0, 0.0])
    found = forefold.unfold(data, np.diag(efficiency), method="bayes", iterations=count)
    assert found.values == pytest.approx(data / efficiency, abs=1e-12)
    assert found.errors == pytest.approx([2.5, math.sqrt(12.0) / 0.8, 2.0], rel=1e-9)
    assert found.smearing == pytest.approx(np.eye(3), abs=1e-9)
    assert not found.warnings
    assert any("2 reconstructed bins without a count" in note for note in found.notes)
    # with variances that are given, over their standard deviations
    known = forefold.unfold(
        data, np.diag(efficiency), method="bayes", iterations=count, covariance=[0.25, 9.0, 4.0]
    )
    assert known.errors == pytest.approx([0.5 / 0.4, 3.0 / 0.8, 2.0 / 0.5], rel=1e-9)


def test_derivatives_of_empty_bins_are_those_over_a_count() -> None:
    matrix, truth = spectrum(6, 9, events=30.0)
    data = np.random.default_rng(4).poisson(truth @ matrix).astype(float)
    empty = np.flatnonzero(data == 0.0)
    assert empty.size > 1
    told: dict[str, Any] = {"method": "bayes", "iterations": 6}
    prior = checked_measurement(data, matrix).prior
    found = forefold.unfold(data, matrix, **told, prior=prior)
    for j in range(9):
        step = np.eye(9)[j]
        if j in empty:
            more = forefold.unfold(data + step, matrix, **told, prior=prior).values
            slope = more - found.values
        else:
            up, down = (
                forefold.unfold(data + s * 1e-5 * step, matrix, **told, prior=prior).values
                for s in (1.0, -1.0)
            )
            slope = (up - down) / 2e-5
        assert found.gain[:, j] == pytest.approx(slope, rel=1e-4, abs=1e-6)
    # every count more is given to some true bin
    assert found.gain.T @ matrix.sum(axis=1) == pytest.approx(1.0, rel=1e-9)


def test_bins_of_few_counts_are_covered() -> None:
    matrix = 0.7 * np.eye(6) + 0.1 * (np.eye(6, k=1) + np.eye(6, k=-1))
    truth = np.array([0.3, 1.0, 4.0, 6.0, 1.0, 0.5])
    told = {"full": {"method": "bayes", "iterations": 8}}
    found = forefold.closure(truth, matrix, told, toys=200, rng=5).studies["full"]
    # the derivative at zero counts covers 20 to 30 % at the ends; 68 % of 200 toys falls below 55 % once in 10,000 times
    assert (found.coverage > 0.55).all()
    assert found.error == pytest.approx(found.spread, rel=1.5)


def test_the_covariance_of_1995_says_nothing_of_an_empty_bin() -> None:
    told: dict[str, Any] = {"method": "bayes", "iterations": 3, "errors": "dagostini"}
    found = forefold.unfold([0.0, 8.0], np.diag([0.5, 0.5]), **told)
    assert math.isnan(found.errors[0])
    assert found.errors[1] > 0.0
    assert any("bin 0 has come to zero: the covariance says nothing" in w for w in found.warnings)
    assert np.asarray(found.histogram.variances())[0] == 0.0


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match=r"data: -1 in bin 1; .* background="):
        forefold.unfold([3.0, -1.0], _RESPONSE, method="bayes", iterations=1, covariance=[3.0, 2.0])


def test_data_where_nothing_is_expected_are_named() -> None:
    matrix = np.array([[0.9, 0.1, 0.0], [0.1, 0.8, 0.0]])
    found = forefold.unfold([9.0, 9.0, 5.0], matrix, method="bayes", iterations=2)
    assert any("1 reconstructed bins hold 5 events" in note for note in found.notes)


def test_pyunfold_itself() -> None:
    mix = pytest.importorskip("pyunfold.mix")
    matrix, truth = spectrum(12, 24)
    data = np.maximum(counts(matrix, truth), 1.0)
    efficiency = matrix.sum(axis=1)
    mixer = mix.Mixer(
        data=data,
        data_err=np.sqrt(data),
        efficiencies=efficiency,
        efficiencies_err=efficiency / 100.0,
        response=matrix.T,
        response_err=np.zeros_like(matrix.T),
    )
    values = np.full(12, data.sum() / 12.0)
    for _ in range(4):
        values = mixer.smear(values)
    spread = multinomial(matrix, np.full(12, 1e4))
    found = forefold.unfold(data, matrix, method="bayes", iterations=4, matrix_variance=spread)
    assert found.values == pytest.approx(values, rel=1e-12)
    theirs = mixer.cov.getVc1()
    assert found.covariances["matrix"] == pytest.approx(theirs, abs=1e-12 * abs(theirs).max())
    gain = pyunfold_gain(checked_measurement(data, matrix), 4)
    statistical = gain @ np.diag(data) @ gain.T
    wrong = mixer.cov.getVc0()
    assert statistical == pytest.approx(wrong, abs=1e-12 * abs(wrong).max())


@given(
    factor=strategies.floats(1e-2, 1e3),
    count=strategies.integers(1, 8),
    rng=strategies.integers(0, 10),
)
def test_more_of_the_same_is_more_of_the_same(factor: float, count: int, rng: int) -> None:
    # An iteration is homogeneous in the data, so its derivatives times the data are the result (Euler).
    matrix, truth = spectrum(5, 7)
    data = counts(matrix, truth, rng)
    one = forefold.unfold(data, matrix, method="bayes", iterations=count)
    scaled = forefold.unfold(factor * data, matrix, method="bayes", iterations=count)
    assert scaled.values == pytest.approx(factor * one.values, rel=1e-9)
    assert one.gain @ data == pytest.approx(one.values, rel=1e-9)
    assert (one.values >= 0.0).all()
    efficiency = matrix.sum(axis=1)
    # every count is given to some true bin
    assert one.values @ efficiency == pytest.approx(data.sum(), rel=1e-9)
