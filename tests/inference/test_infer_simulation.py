"""The statistics of a finite simulation in the likelihood, with the correlations that migrations make."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from spectra import spectrum

from forefold import Experiment, ResponseMatrix
from forefold.inference.likelihood import barlow_beeston, correlated, poisson
from forefold.matrix.uncertainty import Moments


def brute(data: Any, expected: Any, covariance: Any) -> float:
    """Minimise over a grid of means of two bins, and over a finer one about its best place: the function is convex."""
    inverse = np.linalg.inv(covariance)
    best, reach = np.array([10.0, 10.0]), 9.999
    for _ in range(4):
        axes = [np.linspace(max(x - reach, 1e-4), x + reach, 201) for x in best]
        means = np.array(np.meshgrid(*axes, indexing="ij"))
        off = means - expected[:, None, None]
        value = 0.5 * np.einsum("iab,ij,jab->ab", off, inverse, off)
        for n, m in zip(data, means, strict=True):
            value += m - n + (n * np.log(n / m) if n else 0.0)
        best = means.reshape(2, -1)[:, int(np.argmin(value))]
        reach *= 0.05
    return float(value.min())


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.6])
@pytest.mark.parametrize("data", [(7.0, 0.0), (7.0, 5.0), (0.0, 0.0)])
def test_the_best_means_against_a_grid(rho: float, data: tuple[float, float]) -> None:
    expected = np.array([4.0, 3.0])
    covariance = np.array([[4.0, 3.0 * rho], [3.0 * rho, 2.25]])
    found = correlated(np.array(data), expected, covariance).value.sum()
    # the grid stops at 1e-4 counts
    wanted = brute(data, expected, covariance)
    assert wanted - 1e-3 < found < wanted + 1e-9


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e3])
def test_without_correlations_it_is_barlow_and_beeston(scale: float) -> None:
    data = np.array([0.0, 3.0, 20.0, 2.0])
    expected, variance = np.array([2.0, 9.0, 12.0, 2.0]), scale * np.array([1.0, 4.0, 9.0, 0.0])
    ours, theirs = (
        correlated(data, expected, np.diag(variance)),
        barlow_beeston(data, expected, variance),
    )
    assert ours.value == pytest.approx(theirs.value, abs=1e-7)
    assert ours.slope == pytest.approx(theirs.slope, abs=1e-6)
    assert ours.spread == pytest.approx(np.diag(theirs.spread))
    slopes = np.array([expected, [1.0, 0.0, 2.0, 3.0]])
    assert ours.information(slopes) == pytest.approx(theirs.information(slopes))
    assert ours.value[3] == poisson(data, expected).value[3]


def singular(n: int, rank: int, rng: np.random.Generator) -> Any:
    part = rng.normal(size=(n, rank))
    return part @ part.T


def test_derivatives_of_singular_covariances_against_differences() -> None:
    rng = np.random.default_rng(7)
    for rank, empty in product((1, 3, 6), (0, 2)):
        data, expected = rng.poisson(5.0, 6).astype(float), rng.uniform(2.0, 9.0, 6)
        data[:empty] = 0.0
        covariance = singular(6, rank, rng)
        slope = correlated(data, expected, covariance).slope
        for k in range(6):
            step = 1e-5 * np.eye(6)[k]
            up, down = (
                correlated(data, expected + s * step, covariance).value.sum() for s in (1, -1)
            )
            assert slope[k] == pytest.approx((up - down) / 2e-5, abs=2e-4)


@pytest.mark.parametrize("data", [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [4.0, 3.0, 5.0]])
def test_a_sum_that_is_known_and_negative_is_that_of_poisson(data: list[float]) -> None:
    """No means of 0 or more have this sum: what is said of it leads back, and is not below what Poisson's says."""
    counts, shares = np.array(data), np.array([0.5, 0.3, 0.2])
    alone = np.diag(shares) - np.outer(shares, shares)
    for norm in (-1e-3, -1.0, -10.0):
        found = correlated(counts, norm * shares, norm**2 / 20.0 * alone)
        wanted = poisson(counts, norm * shares)
        assert found.value.tolist() == wanted.value.tolist()
        assert found.slope.tolist() == wanted.slope.tolist()


@pytest.mark.parametrize("counts", [1e2, 1e7, 1e12])
def test_many_counts_are_fitted_where_the_sum_is_known(counts: float) -> None:
    """Shares of bins that a poor simulation does not know fit anything: the deviance is near 0, whatever the number of counts."""
    rng = np.random.default_rng(2)
    rows = rng.dirichlet(np.ones(8), size=6)
    matrix = ResponseMatrix.from_array(rows, np.arange(7.0), np.arange(9.0), entries=5.0)
    experiment = Experiment(np.full(6, counts / 6.0), matrix)
    seen = rng.poisson(counts * rng.dirichlet(np.full(8, 50.0))).astype(float)
    best = experiment._problem(seen, None, 0).best()
    assert best.valid
    assert 0.0 <= best.value < 8.0
    # a tenth of a standard deviation
    assert best.x[0] == pytest.approx(seen.sum() / counts, rel=0.1 * counts**-0.5)
    assert best.information[0, 0] ** -0.5 == pytest.approx(seen.sum() ** 0.5 / counts, rel=1e-3)


def test_a_simulation_that_loses_nothing_knows_the_norm() -> None:
    """Where every true event is reconstructed, the sum of bins is exact however few events were simulated, and the norm's error is 1 / sqrt(N)."""
    edges = np.arange(4.0)
    rows = [[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]]
    matrix = ResponseMatrix.from_array(rows, edges, edges, entries=20.0)
    truth = np.array([300.0, 200.0, 400.0])
    found = Experiment(truth, matrix).fit(truth @ np.array(rows))
    assert found.errors["normalisation"] == pytest.approx(900.0**-0.5, rel=1e-3)


def pulls(toys: int, seed: int) -> Any:
    """Pulls of a norm: each toy throws the simulation that fills the matrix, and the data."""
    rng = np.random.default_rng(seed)
    rows, truth = spectrum(8, 8, events=2000.0)
    edges = np.linspace(0.0, 10.0, 9)
    total = np.floor(truth)
    shares = np.column_stack([rows, np.maximum(1.0 - rows.sum(axis=1), 0.0)])
    matrix = ResponseMatrix.from_array(rows, edges, edges, entries=total)
    problem = Experiment(truth, matrix)._problem(np.zeros(8), None, 0)
    found = []
    for _ in range(toys):
        counts = rng.multinomial(total.astype(int), shares)[:, :-1].astype(float)
        thrown = counts / total[:, None]
        known = Moments(thrown, total, total, counts, counts)
        before = problem.objective.expectation
        below = before.matrix[len(thrown) :]  # of backgrounds, of which there are none
        thrown_too = np.vstack([thrown, below])
        expectation = replace(before, matrix=thrown_too, simulation=known)
        data = rng.poisson(truth @ rows).astype(float)
        objective = replace(problem.objective, expectation=expectation, data=data)
        best = replace(problem, objective=objective).best()
        found.append((best.x[0] - 1.0) * best.information[0, 0] ** 0.5)
    return np.array(found)


def test_errors_of_a_norm_hold_when_the_simulation_is_thrown_too() -> None:
    """600 pulls have a width of 1 +- 0.029; 0.12 off is a chance of 4e-5, with bins taken as independent the width is 0.83."""
    found = pulls(600, 5)
    assert found.std() == pytest.approx(1.0, abs=0.12)
    assert abs(found.mean()) < 0.2
