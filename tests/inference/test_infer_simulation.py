"""The statistics of a finite simulation in the likelihood, with the correlations that migrations make."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from spectra import spectrum

from forefold import Experiment, ResponseMatrix
from forefold.inference.likelihood import barlow_beeston, correlated, poisson


def brute(data: Any, expected: Any, covariance: Any) -> float:
    """Minimise over a grid of means of two bins."""
    axis = np.linspace(0.005, 20.0, 4000)
    a, b = np.meshgrid(axis, axis, indexing="ij")
    inverse = np.linalg.inv(covariance)
    u, v = a - expected[0], b - expected[1]
    value = 0.5 * (inverse[0, 0] * u * u + 2.0 * inverse[0, 1] * u * v + inverse[1, 1] * v * v)
    for n, m in zip(data, (a, b), strict=True):
        value += m - n + (n * np.log(n / m) if n else 0.0)
    return float(value.min())


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.6])
@pytest.mark.parametrize("data", [(7.0, 0.0), (7.0, 5.0), (0.0, 0.0)])
def test_the_best_means_against_a_grid(rho: float, data: tuple[float, float]) -> None:
    expected = np.array([4.0, 3.0])
    covariance = np.array([[4.0, 3.0 * rho], [3.0 * rho, 2.25]])
    found = correlated(np.array(data), expected, covariance).value.sum()
    assert found == pytest.approx(brute(data, expected, covariance), abs=0.02)
    assert found <= brute(data, expected, covariance) + 1e-9


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
    assert ours.information == pytest.approx(np.diag(theirs.information))
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


def test_a_simulation_that_loses_nothing_knows_the_norm() -> None:
    """Where every true event is reconstructed, the sum of bins is exact however few events were simulated, and the norm's error is 1 / sqrt(N)."""
    edges = np.arange(4.0)
    rows = [[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]]
    matrix = ResponseMatrix.from_array(rows, edges, edges, entries=20.0)
    truth = np.array([300.0, 200.0, 400.0])
    found = Experiment(truth, matrix).fit(truth @ np.array(rows))
    assert found.errors["normalisation"] == pytest.approx(900.0**-0.5, rel=1e-3)


def pulls(statistics: Any, toys: int, seed: int) -> Any:
    """Pulls of a norm: each toy throws the simulation that fills the matrix, and the data."""
    rng = np.random.default_rng(seed)
    rows, truth = spectrum(8, 8, events=2000.0)
    edges = np.linspace(0.0, 10.0, 9)
    found = []
    for _ in range(toys):
        thrown = [
            rng.multinomial(int(n), np.append(r, max(1.0 - r.sum(), 0.0)))[:-1]
            for n, r in zip(truth, rows, strict=True)
        ]
        shares = np.array(thrown) / np.floor(truth)[:, None]
        matrix = ResponseMatrix.from_array(shares, edges, edges, entries=np.floor(truth))
        experiment = Experiment(truth, matrix, statistics=statistics)
        best = experiment._problem(rng.poisson(truth @ rows).astype(float), None, 0).best()
        found.append((best.x[0] - 1.0) * best.information[0, 0] ** 0.5)
    return np.array(found)


def test_errors_of_a_norm_hold_when_the_simulation_is_thrown_too() -> None:
    """600 pulls have a width of 1 +- 0.029; 0.12 off is a chance of 4e-5, with bins taken as independent the width is 0.83."""
    found = pulls("multinomial", 600, 5)
    assert found.std() == pytest.approx(1.0, abs=0.12)
    assert abs(found.mean()) < 0.2
