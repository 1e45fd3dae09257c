"""Inversion, Tikhonov and Wiener against their formulas, written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import linalg
from spectra import counts, spectrum

import forefold
from forefold.unfolding.linear import decomposition, roughness, wiener
from forefold.unfolding.measurement import checked_measurement


def test_inversion_of_a_square_matrix_is_its_inverse() -> None:
    matrix, truth = spectrum(6, 6)
    data = counts(matrix, truth)
    found = forefold.unfold(data, matrix, method="inversion")
    inverse = np.linalg.inv(matrix.T)
    assert found.values == pytest.approx(inverse @ data, rel=1e-9)
    # refolded counts are the counts, so weights and variances are these
    assert found.covariance == pytest.approx(inverse @ np.diag(data) @ inverse.T, rel=1e-8)
    assert found.smearing == pytest.approx(np.eye(6), abs=1e-10)
    assert found.chi2 == pytest.approx(0.0, abs=1e-12)


def test_least_squares_with_correlated_data() -> None:
    matrix, truth = spectrum(6, 11)
    data = counts(matrix, truth)
    covariance = np.diag(data + 1.0) + 0.0004 * np.outer(data, data)
    found = forefold.unfold(data, matrix, method="inversion", covariance=covariance)
    weight = np.linalg.inv(covariance)
    fisher = matrix @ weight @ matrix.T
    assert found.values == pytest.approx(np.linalg.solve(fisher, matrix @ weight @ data), rel=1e-8)
    assert found.covariance == pytest.approx(np.linalg.inv(fisher), rel=1e-8)
    rest = data - found.values @ matrix
    assert found.chi2 == pytest.approx(rest @ weight @ rest, rel=1e-8)
    assert found.ndf == pytest.approx(5.0)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("bins", [(8, 12), (10, 7)])
def test_tikhonov_solves_the_penalised_equations(order: int, bins: tuple[int, int]) -> None:
    matrix, truth = spectrum(*bins)
    data = counts(matrix, truth) + 4.0
    prior = np.linspace(1.0, 2.0, bins[0])
    found = forefold.unfold(
        data, matrix, method="tikhonov", strength=0.3, order=order, prior=prior, covariance=data
    )
    rows = roughness((bins[0],), order) / (prior / prior.mean())
    hessian = matrix / data @ matrix.T + 0.3 * rows.T @ rows
    assert found.values == pytest.approx(np.linalg.solve(hessian, matrix @ (data / data)), rel=1e-7)
    assert found.smearing == pytest.approx(
        np.linalg.solve(hessian, matrix / data @ matrix.T), abs=1e-8
    )


def test_small_singular_values_keep_their_digits() -> None:
    # Whitened to a condition number of 1e11, the normal equations would have none left.
    n = 8
    rotated = linalg.qr(np.vander(np.linspace(0.1, 1.0, n)))[0]
    matrix = 0.1 * np.abs(rotated) / n
    matrix[:, -1] = matrix[:, -2] * (1.0 + 1e-10 * np.arange(n))
    truth = np.full(n, 1e6)
    measurement = checked_measurement(
        truth @ matrix, matrix, covariance=np.ones(n), prior=np.ones(n)
    )
    found = decomposition(measurement, 0)
    assert measurement.rank == n
    expected = linalg.svdvals(matrix)
    ratio = np.sqrt(np.sort(found.measured / found.rough)[::-1] * found.scale)
    assert ratio == pytest.approx(expected, rel=1e-4)


def test_no_penalty_is_least_squares_and_much_of_it_a_straight_line() -> None:
    matrix, truth = spectrum(6, 11)
    data = counts(matrix, truth)
    free = forefold.unfold(data, matrix, method="inversion")
    weak = forefold.unfold(data, matrix, method="tikhonov", strength=0.0)
    assert weak.values == pytest.approx(free.values, rel=1e-7)
    strong = forefold.unfold(data, matrix, method="tikhonov", strength=1e9)
    assert strong.freedom == pytest.approx(2.0, abs=1e-3)
    assert np.diff(strong.values, 2) == pytest.approx(np.zeros(4), abs=1e-3)


def test_curvature_along_every_axis() -> None:
    x, y = np.arange(4.0), np.arange(5.0)
    rows = roughness((4, 5))
    plane = (2.0 * x[:, None] - 3.0 * y[None, :] + x[:, None] * y[None, :]).ravel()
    assert rows @ plane == pytest.approx(np.zeros(len(rows)), abs=1e-12)
    bent = (x[:, None] ** 2 + 0.0 * y[None, :]).ravel()
    assert np.square(rows @ bent).sum() == pytest.approx(4.0 * 2 * 5)
    assert rows.shape == (2 * 5 + 4 * 3, 20)
    kept = np.ones(20, dtype=bool)
    kept[7] = False
    fewer = roughness((4, 5), kept=kept)
    assert fewer.shape[1] == 19
    assert fewer @ plane[kept] == pytest.approx(np.zeros(len(fewer)), abs=1e-12)


def test_two_dimensions_are_smoothed_as_two() -> None:
    one, x = spectrum(4, 6)
    other, y = spectrum(5, 8)
    matrix, truth = np.kron(one, other), np.kron(x, y) / 1e4
    found = forefold.unfold(
        truth @ matrix, matrix, method="tikhonov", strength=1e-6, prior=truth, shape=(4, 5)
    )
    # What is the prior times a plane is not bent.
    assert found.values == pytest.approx(truth, rel=1e-6)
    assert found.histogram.shape == (4, 5)


def test_the_wiener_filter_of_the_paper() -> None:
    matrix, truth = spectrum(8, 12)
    data = counts(matrix, truth) + 1.0
    measurement = checked_measurement(data, matrix, covariance=data, prior=truth)
    found = wiener(measurement, 2)
    # Sect. 3.3 of the paper, step by step, with its C2
    c = -2.0 * np.eye(8) + np.eye(8, k=1) + np.eye(8, k=-1)
    c[0, 0] = c[-1, -1] = -1.0
    kernel = np.diag(data**-0.5) @ matrix.T
    # c is symmetric with the same squares of its eigenvalues; the ridge goes to their sizes, as 1e-6 does in the paper
    size, vectors = np.linalg.eigh(c)
    c = vectors @ np.diag(abs(size) + 1e-6) @ vectors.T
    u, d, vt = np.linalg.svd(kernel @ np.linalg.inv(c), full_matrices=False)
    signal = np.square(d * (vt @ c @ truth))
    smearing = np.linalg.inv(c) @ vt.T @ np.diag(signal / (signal + 1.0)) @ vt @ c
    free = np.linalg.solve(kernel.T @ kernel, kernel.T @ (data**0.5))
    assert found.values == pytest.approx(smearing @ free, rel=1e-5)
    assert found.gain @ matrix.T == pytest.approx(smearing, abs=1e-5)
    assert u.shape == (12, 8)


@pytest.mark.parametrize("method", ["inversion", "tikhonov", "likelihood"])
def test_derivatives_with_respect_to_the_matrix(method: str) -> None:
    matrix, truth = spectrum(5, 5 if method == "likelihood" else 8)
    data = counts(matrix, truth)
    told: dict[str, Any] = {
        "method": method,
        "covariance": None if method == "likelihood" else data + 1.0,
    }
    if method == "tikhonov":
        told["strength"] = 1e-3
    spread = np.zeros_like(matrix)
    spread[2, 3] = 1e-8
    found = forefold.unfold(data, matrix, matrix_variance=spread, **told)
    change = np.zeros_like(matrix)
    change[2, 3] = 1e-5
    up, down = (forefold.unfold(data, matrix + s * change, **told).values for s in (1.0, -1.0))
    slope = (up - down) / 2e-5
    expected = 1e-8 * np.outer(slope, slope)
    assert found.covariances["matrix"] == pytest.approx(expected, abs=1e-3 * abs(expected).max())


def test_shifted_matrices_are_unfolded_with() -> None:
    matrix, truth = spectrum(5, 8)
    data = counts(matrix, truth)
    wider, narrower = spectrum(5, 8, width=0.7)[0], spectrum(5, 8, width=0.5)[0]
    found = forefold.unfold(data, matrix, method="inversion", varied={"width": [wider, narrower]})
    nominal = found.values
    moved = [
        forefold.unfold(data, r, method="inversion").values - nominal for r in (wider, narrower)
    ]
    expected = sum(np.outer(shift, shift) for shift in moved) / 2.0
    assert found.covariances["width"] == pytest.approx(expected, rel=1e-9)
    assert found.shifts["width"].shape == (2, 5)
    assert found.covariance == pytest.approx(
        found.covariances["data"] + found.covariances["width"], rel=1e-12
    )


def test_systematic_covariances_go_through_and_weight() -> None:
    matrix, truth = spectrum(5, 8)
    data = counts(matrix, truth)
    scale = 0.01 * np.outer(data, data)
    found = forefold.unfold(data, matrix, method="inversion", covariances={"scale": scale})
    assert found.covariances["scale"] == pytest.approx(found.gain @ scale @ found.gain.T)
    assert set(found.covariances) == {"data", "scale"}
    with pytest.raises(ValueError, match="'data' is given twice"):
        forefold.unfold(data, matrix, method="inversion", covariances={"data": scale})
