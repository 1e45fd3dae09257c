"""How the strength is chosen, where the best one is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import optimize
from spectra import counts, spectrum

import forefold
from forefold.unfolding.linear import decomposition
from forefold.unfolding.measurement import checked_measurement
from forefold.unfolding.strength import chosen_strength, thrown


def test_gcv_finds_the_strength_of_least_predictive_error() -> None:
    # Diagonal response s, unit variances, order 0: bins are shrunk by s² / (s² + strength), and the expected error of what
    # is predicted is known. For 150 bins GCV is within some per cent of its minimum (Golub, Heath, Wahba, theorem 1).
    n = 150
    scale = np.geomspace(1.0, 0.01, n)
    truth = 3.0 * np.cos(np.arange(n) / 7.0) ** 2

    def error(strength: float) -> float:
        keep = scale**2 / (scale**2 + strength)
        return float(((1.0 - keep) ** 2 * (scale * truth) ** 2 + keep**2).sum())

    best = optimize.minimize_scalar(
        lambda t: error(np.exp(t)), bounds=(-9.0, 5.0), method="bounded"
    )
    assert -6.0 < best.x < 2.0
    ratios, strengths = [], []
    for rng in range(10):
        noise = np.random.default_rng(rng).standard_normal(n)
        measurement = checked_measurement(
            scale * truth + noise, np.diag(scale), covariance=np.ones(n), prior=np.ones(n)
        )
        strength, _, _ = chosen_strength(decomposition(measurement, 0), "gcv", 0)
        ratios.append(error(strength) / best.fun)
        strengths.append(np.log(strength))
    assert np.median(ratios) < 1.1
    assert np.median(strengths) == pytest.approx(best.x, abs=0.5)


@pytest.mark.parametrize("rng", [1, 2, 3])
def test_gcv_agrees_with_its_formula(rng: int) -> None:
    matrix, truth = spectrum(10, 16)
    data = counts(matrix, truth, rng) + 1.0
    measurement = checked_measurement(data, matrix, covariance=data, prior=np.ones(10))
    found = decomposition(measurement, 2)
    strength, text, scan = chosen_strength(found, "gcv", 0)
    rows = np.diff(np.eye(10), 2, axis=0)

    def cost(log: float) -> float:
        hessian = matrix / data @ matrix.T + np.exp(log) * rows.T @ rows
        hat = matrix.T @ np.linalg.solve(hessian, matrix / data)
        rest = data - hat @ data
        return float(16.0 * (rest**2 / data).sum() / (16.0 - np.trace(hat)) ** 2)

    best = optimize.minimize_scalar(
        cost, bounds=(np.log(strength) - 3.0, np.log(strength) + 3.0), method="bounded"
    )
    assert np.log(strength) == pytest.approx(best.x, abs=0.02)
    assert cost(np.log(strength)) <= min(cost(np.log(a)) for a in scan.strengths) + 1e-12
    assert text == "by gcv"


def test_the_corner_of_an_l_curve() -> None:
    matrix, truth = spectrum(12, 20, events=1e5)
    data = counts(matrix, truth)
    measurement = checked_measurement(data, matrix, prior=np.ones(12))
    found = decomposition(measurement, 2)
    strength, _, scan = chosen_strength(found, "l-curve", 0)
    # numerical curvature on a dense grid
    log = np.linspace(np.log(scan.strengths[0]), np.log(scan.strengths[-1]), 4001)
    x = np.log([found.residual(a) for a in np.exp(log)])
    y = np.log([found.roughness(a) for a in np.exp(log)])
    x1, y1 = np.gradient(x, log), np.gradient(y, log)
    bend = (x1 * np.gradient(y1, log) - y1 * np.gradient(x1, log)) / (x1**2 + y1**2) ** 1.5
    inner = slice(50, -50)
    assert np.log(strength) == pytest.approx(log[inner][np.argmax(bend[inner])], abs=0.05)
    assert scan.criterion.max() == pytest.approx(bend[inner].max(), rel=0.02)


def test_discrepancy_makes_chi2_the_number_of_bins() -> None:
    matrix, truth = spectrum(10, 16)
    data = counts(matrix, truth)
    found = forefold.unfold(
        data, matrix, method="tikhonov", strength="discrepancy", covariance=data + 1.0
    )
    assert found.chi2 == pytest.approx(16.0, rel=1e-6)
    iterated = forefold.unfold(data, matrix, method="bayes", iterations="discrepancy")
    before = forefold.unfold(data, matrix, method="bayes", iterations=int(iterated.strength) - 1)
    assert iterated.chi2 <= 16.0 < before.chi2


def test_toys_find_about_the_best_strength() -> None:
    # The expected error is known in closed form when the truth is; the rule only has an estimate of it.
    matrix, truth = spectrum(10, 16)
    measurement = checked_measurement(
        truth @ matrix, matrix, covariance=truth @ matrix + 1.0, prior=np.ones(10)
    )
    found = decomposition(measurement, 2)

    def error(strength: float) -> float:
        gain = found.gain(strength)
        bias = gain @ (truth @ matrix) - truth
        spread = np.square(gain) @ np.diag(measurement.variance)
        return float(((bias**2 + spread) / np.maximum(truth, 1.0)).mean())

    strength, text, scan = chosen_strength(found, "toys", 1)
    assert error(strength) <= 1.3 * min(error(a) for a in scan.strengths)
    assert "200 toys, rng=1" in text


@pytest.mark.parametrize("rule", ["chi2-change", "discrepancy", "gcv", "toys"])
def test_iterations_by_a_rule(rule: str) -> None:
    matrix, truth = spectrum()
    data = counts(matrix, truth)
    found = forefold.unfold(data, matrix, method="bayes", iterations=rule, rng=1)
    again = forefold.unfold(data, matrix, method="bayes", iterations=int(found.strength))
    assert found.values.tolist() == again.values.tolist()
    assert found.chosen.startswith(f"by {rule}")
    assert found.scan is not None
    assert found.scan.rule == rule
    assert 1 < found.strength < 60
    if rule in ("gcv", "toys"):
        assert found.strength == 1 + np.argmin(found.scan.criterion)
        return
    # the first iteration that is below the limit, by the rule's own formula
    steps = [
        forefold.unfold(data, matrix, method="bayes", iterations=k, rng=1)
        for k in range(1, int(found.strength) + 1)
    ]
    moved = [
        float((np.square(b.values - a.values) / np.maximum(b.values, 1.0)).mean())
        for a, b in pairwise(steps)
    ]
    if rule == "discrepancy":
        below = [one.chi2 <= len(data) for one in steps]
    else:
        below = [False, *(change <= 0.01 for change in moved)]
    assert below == [False] * (len(steps) - 1) + [True]


def test_a_rule_without_optimum_says_so() -> None:
    matrix, _ = spectrum(8, 8)
    straight = np.full(8, 1e3)
    found = forefold.unfold(
        straight @ matrix, matrix, method="tikhonov", strength="discrepancy", prior=np.ones(8)
    )
    assert "the strongest that was tried" in found.chosen


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"method": "bayes"}, "bayes needs iterations="),
        ({"method": "tikhonov"}, "tikhonov needs strength="),
        ({"method": "bayes", "iterations": 0}, "whole number of 1 or more"),
        ({"method": "bayes", "iterations": 2.5}, "whole number of 1 or more"),
        ({"method": "bayes", "iterations": "never"}, "chi2-change, discrepancy, gcv, toys"),
        ({"method": "bayes", "iterations": 2, "errors": "none"}, "'full' or 'dagostini'"),
        ({"method": "tikhonov", "strength": "best"}, "l-curve, gcv, discrepancy, toys"),
        ({"method": "tikhonov", "strength": -1.0}, "a number of 0 or more"),
        ({"method": "tikhonov", "strength": float("nan")}, "a number of 0 or more"),
        ({"method": "tikhonov", "strength": 1.0, "order": 3}, "0, 1 or 2"),
        ({"method": "tikhonov", "strength": 1.0, "iterations": 2}, "takes no iterations="),
        ({"method": "inversion", "strength": 1.0}, "inversion takes no strength="),
        ({"method": "likelihood", "strength": "gcv"}, "strength of likelihood"),
        ({"method": "bays", "iterations": 1}, "did you mean 'bayes'"),
    ],
)
def test_what_a_method_is_told_is_checked(told: dict[str, object], message: str) -> None:
    matrix, truth = spectrum(4, 6)
    with pytest.raises(ValueError, match=message):
        forefold.unfold(truth @ matrix, matrix, **told)  # type: ignore[arg-type]


def test_a_toy_does_not_depend_on_how_many_there_are() -> None:
    matrix, truth = spectrum(4, 6)
    measurement = checked_measurement(truth @ matrix, matrix)
    many, few = thrown(measurement, truth, 7, 20), thrown(measurement, truth, 7, 5)
    assert np.array_equal(many[:5], few)
    assert not np.array_equal(many[0], many[1])
    assert not np.array_equal(thrown(measurement, truth, 8, 5), few)
