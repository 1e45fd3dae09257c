"""Maximum likelihood with Poisson statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize
from spectra import counts, spectrum

import forefold
from forefold.unfolding.likelihood import deviance


def test_inside_the_bounds_a_square_problem_is_inverted() -> None:
    matrix, truth = spectrum(6, 6)
    data = counts(matrix, truth)
    inverse = forefold.unfold(data, matrix, method="inversion")
    found = forefold.unfold(data, matrix, method="likelihood")
    assert found.values == pytest.approx(inverse.values, rel=1e-6)
    assert found.covariance == pytest.approx(inverse.covariance, rel=1e-5)
    assert found.chi2 == pytest.approx(0.0, abs=1e-8)


@pytest.mark.parametrize("rng", range(8))
def test_few_counts_against_another_minimiser(rng: int) -> None:
    matrix, truth = spectrum(6, 9, events=60.0, width=0.8)
    background = np.full(9, 0.3)
    data = np.random.default_rng(rng).poisson(truth @ matrix + background).astype(float)
    found = forefold.unfold(data, matrix, method="likelihood", background=background)

    def cost(values: np.ndarray) -> float:
        return deviance(data, values @ matrix + background)

    other = optimize.minimize(
        cost, np.full(6, 10.0), bounds=[(0.0, None)] * 6, method="L-BFGS-B", options={"ftol": 1e-15}
    )
    assert cost(found.values) <= other.fun + 1e-6
    # Kuhn and Tucker: no slope inside, none downhill at the bound
    expected = found.values @ matrix + background
    slope = matrix @ (1.0 - data / expected)
    assert abs(slope[found.values > 0.0]).max(initial=0.0) < 1e-4
    assert slope[found.values == 0.0].min(initial=0.0) > -1e-4


def test_bins_at_zero_are_named() -> None:
    matrix = np.array([[0.6, 0.3, 0.1], [0.3, 0.4, 0.3], [0.1, 0.3, 0.6]])
    found = forefold.unfold([100.0, 20.0, 100.0], matrix, method="likelihood")
    assert found.values[1] == 0.0
    assert found.covariance[1].tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(found.errors).tolist() == [False, True, False]
    assert any("bin 1 has come to zero" in text for text in found.warnings)


def test_with_many_counts_a_penalty_does_what_tikhonov_does() -> None:
    matrix, truth = spectrum(8, 12, events=1e8)
    data = counts(matrix, truth)
    told: dict[str, Any] = {"strength": 1e-12, "prior": np.ones(8)}
    found = forefold.unfold(data, matrix, method="likelihood", **told)
    other = forefold.unfold(data, matrix, method="tikhonov", **told)
    assert (abs(found.values - other.values) < 0.02 * other.errors).all()
    assert found.smearing == pytest.approx(other.smearing, abs=1e-3)


def test_the_smearing_matrix_without_penalty_is_the_unit_matrix() -> None:
    matrix, truth = spectrum(5, 8, width=0.5)
    found = forefold.unfold(counts(matrix, truth), matrix, method="likelihood")
    assert found.smearing == pytest.approx(np.eye(5), abs=1e-9)


def test_another_solver_helps_where_the_first_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, truth = spectrum(5, 8)
    data = counts(matrix, truth)
    usual = forefold.unfold(data, matrix, method="likelihood")

    def gives_up(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("scipy.optimize.nnls", gives_up)
    found = forefold.unfold(data, matrix, method="likelihood")
    assert found.values == pytest.approx(usual.values, rel=1e-6)


def test_weighted_data_are_taken_as_counts_and_said_to_be() -> None:
    matrix, truth = spectrum(5, 8)
    data = counts(matrix, truth)
    found = forefold.unfold(data, matrix, method="likelihood", covariance=4.0 * data + 1.0)
    assert any("as counts" in note for note in found.notes)
    plain = forefold.unfold(data, matrix, method="likelihood")
    assert (found.errors > 1.8 * plain.errors).all()
