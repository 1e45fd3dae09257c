"""Uncertainties of response matrices, against closed forms and against repeated experiments."""

from __future__ import annotations

import numpy as np
import pytest

from forefold import ResponseMatrix
from forefold.matrix.fill import Entries, Filler, poisson_weights

P = np.array([[0.5, 0.2, 0.1], [0.1, 0.3, 0.4]])
AXES = ([0.0, 1.0, 2.0], [0.0, 1.0, 2.0, 3.0])


def drawn(rng: np.random.Generator, shares: np.ndarray) -> np.ndarray:
    """Draw a reconstructed bin for each row of shares; NaN is missed."""
    u = rng.random(len(shares))
    cell = (u[:, None] > np.cumsum(shares, axis=1)).sum(axis=1)
    return np.where(cell < shares.shape[1], cell + 0.5, np.nan)


def filled(true: np.ndarray, reco: np.ndarray, weight: np.ndarray) -> ResponseMatrix:
    filler = Filler({"x": AXES[0]}, {"y": AXES[1]}, draws=len(reco))
    zeros = np.zeros(true.size, np.uint64)
    filler.add(Entries([true], [reco], weight, zeros, zeros))
    return ResponseMatrix(filler.contents())


def test_unit_weights_give_the_multinomial_covariance() -> None:
    n = np.array([100.0, 400.0])
    matrix = ResponseMatrix.from_array(P, *AXES, entries=n)
    np.testing.assert_allclose(matrix.variance, P * (1 - P) / n[:, None], rtol=1e-12)
    rows = matrix.row_covariance()
    for p, size, row in zip(P, n, rows, strict=True):
        np.testing.assert_allclose(row, (np.diag(p) - np.outer(p, p)) / size, atol=1e-15)
    truth = np.array([30.0, 50.0])
    expected = np.einsum("i,ijk->jk", truth**2, rows)
    np.testing.assert_allclose(matrix.covariance(truth), expected, rtol=1e-9)
    np.testing.assert_allclose(matrix.effective_entries, n)
    np.testing.assert_allclose(matrix.equivalent_entries, n, rtol=1e-12)


def test_scaled_weights_change_nothing() -> None:
    rng = np.random.default_rng(1)
    true = rng.uniform(0, 2, 500)
    reco = drawn(rng, P[true.astype(int)])
    one, ten = (filled(true, reco[None], np.full(500, w)) for w in (1.0, 10.0))
    np.testing.assert_allclose(one.variance, ten.variance, rtol=1e-12)
    np.testing.assert_allclose(one.effective_entries, ten.effective_entries, rtol=1e-12)


def test_dirichlet_is_its_closed_form_and_knows_empty_cells() -> None:
    matrix = ResponseMatrix.from_array([[1.0, 0.0]], [0, 1], [0, 1, 2], entries=10)
    assert matrix.variance[0].tolist() == [0.0, 0.0]
    # alpha = 10.5, 0.5 and 0.5 for the missed ones
    mean = np.array([10.5, 0.5]) / 11.5
    expected = (np.diag(mean) - np.outer(mean, mean)) / 12.5
    np.testing.assert_allclose(matrix.row_covariance("dirichlet")[0], expected, rtol=1e-12)
    np.testing.assert_allclose(matrix.covariance([3.0], "dirichlet"), 9.0 * expected, rtol=1e-12)
    with pytest.raises(ValueError, match="prior = 0"):
        matrix.covariance([1.0], "dirichlet", prior=0)


def test_rows_that_are_exact_have_no_dirichlet_covariance() -> None:
    """The posterior of endless entries is a point: nothing overflows, and other rows count as alone."""
    edges, rows = np.arange(3.0), [[0.5, 0.3], [0.2, 0.3]]
    exact = ResponseMatrix.from_array(rows, edges, edges)
    assert exact.covariance([1.0, 2.0], "dirichlet") == pytest.approx(np.zeros((2, 2)), abs=1e-12)
    half = ResponseMatrix.from_array(rows, edges, edges, variance=[[0.01, 0.0], [0.0, 0.0]])
    alone = half.row_covariance("dirichlet")
    assert alone[0, 0, 0] > 1e-3
    assert half.covariance([1.0, 2.0], "dirichlet") == pytest.approx(alone[0])


def test_toys_have_the_mean_and_the_covariance() -> None:
    matrix = ResponseMatrix.from_array(P, *AXES, entries=[200, 300])
    toys = matrix.toys(20_000, rng=5)
    spread = np.sqrt(matrix.variance / 20_000)
    # 6 means, 5 standard deviations: 4e-6 by chance, but the numbers are fixed
    assert np.abs((toys.mean(axis=0) - matrix.matrix) / spread).max() < 5.0
    found = np.einsum("bij,bik->ijk", toys - toys.mean(0), toys - toys.mean(0)) / 20_000
    np.testing.assert_allclose(found, matrix.row_covariance(), rtol=0.08, atol=2e-5)


@pytest.mark.parametrize("draws", [1, 6])
@pytest.mark.parametrize("weighted", [False, True])
def test_covariance_is_the_scatter_of_repeated_experiments(draws: int, weighted: bool) -> None:
    """In-bin variation makes draws of one event alike; counting by draw would be wrong by factors."""
    rng = np.random.default_rng(11)
    truth, n, repeats = np.array([3.0, 2.0]), 300, 600
    folded, said = [], []
    for _ in range(repeats):
        true = rng.uniform(0, 2, n)
        # an event's response depends on where in its bin it is
        inside = (true % 1.0)[:, None]
        shares = P[true.astype(int)] * inside + P[::-1][true.astype(int)][:, ::-1] * (1 - inside)
        reco = np.stack([drawn(rng, shares) for _ in range(draws)])
        weight = rng.exponential(1.0, n) if weighted else np.ones(n)
        matrix = filled(true, reco, weight)
        folded.append(truth @ matrix.matrix)
        said.append(matrix.covariance(truth))
    scatter, mean = np.cov(np.array(folded), rowvar=False), np.mean(said, axis=0)
    # a variance of 600 is known to 6 %: 25 % is 4 standard deviations, of 3; numbers are fixed
    np.testing.assert_allclose(np.diag(mean), np.diag(scatter), rtol=0.25)
    size = np.sqrt(np.outer(np.diag(scatter), np.diag(scatter)))
    assert np.abs((mean - scatter) / size).max() < 0.25


def test_draws_help_only_as_far_as_the_detector_scatters() -> None:
    rng = np.random.default_rng(3)
    true = rng.uniform(0, 2, 4000)
    alike = np.stack([drawn(rng, P[true.astype(int)]) for _ in range(5)])
    matrix = filled(true, alike, np.ones(4000))
    gain = matrix.equivalent_entries / matrix.effective_entries
    assert np.all(
        (gain > 4.0) & (gain < 6.0)
    )  # every event of a bin responds alike: five times as many
    fixed = np.repeat(np.where(true % 1 < 0.5, 0.5, 1.5)[None], 5, axis=0)
    matrix = filled(true, fixed, np.ones(4000))
    np.testing.assert_allclose(matrix.equivalent_entries, matrix.effective_entries, rtol=1e-9)


def test_variance_of_draws_is_by_event() -> None:
    # one event, both draws in one bin: one count with variance 1, not two halves with 1/2
    matrix = filled(np.array([0.5]), np.array([[0.5], [0.5]]), np.ones(1))
    assert matrix.counts.variances()[0].tolist() == [1.0, 0.0, 0.0]  # type: ignore[index]
    matrix = filled(np.array([0.5]), np.array([[0.5], [1.5]]), np.ones(1))
    assert matrix.counts.variances()[0].tolist() == [0.25, 0.25, 0.0]  # type: ignore[index]
    lone = filled(np.array([np.nan]), np.array([[0.5], [0.5]]), np.ones(1))
    assert lone.fakes.variances().tolist() == [1.0, 0.0, 0.0]  # type: ignore[union-attr]


def test_rebinned_draws_are_those_of_wider_bins() -> None:
    rng = np.random.default_rng(8)
    true, weight = rng.uniform(0, 2, 300), rng.exponential(1.0, 300)
    reco = rng.uniform(-0.5, 4.5, (3, 300))
    zeros = np.zeros(300, np.uint64)
    made = []
    for bins in (4, 2):
        filler = Filler(f"x=0:2:{bins}", f"y=0:4:{2 * bins}", draws=3, replicas=4, rng=2)
        filler.add(Entries([true], [reco], weight, zeros, np.arange(300, dtype=np.uint64)))
        made.append(ResponseMatrix(filler.contents()))
    coarse = made[0].rebin(x_true=2, y_reco=2)
    np.testing.assert_allclose(coarse.row_covariance(), made[1].row_covariance(), atol=1e-15)
    np.testing.assert_allclose(coarse.replicas, made[1].replicas, rtol=1e-12)
    with pytest.raises(ValueError, match="does not project"):
        made[0].project()


def test_bootstrap_agrees_with_the_closed_form() -> None:
    rng = np.random.default_rng(6)
    true = rng.uniform(0, 2, 4000)
    reco = drawn(rng, P[true.astype(int)])
    matrix = ResponseMatrix.from_columns(
        true, reco, true_axes={"x": AXES[0]}, reco_axes={"y": AXES[1]}, replicas=800, rng=4
    )
    truth = np.array([10.0, 5.0])
    found, expected = matrix.covariance(truth, "bootstrap"), matrix.covariance(truth)
    # a variance of 800 replicas is known to 5 %
    np.testing.assert_allclose(np.diag(found), np.diag(expected), rtol=0.2)
    assert matrix.row_covariance("bootstrap").shape == (2, 3, 3)


def test_poisson_weights_are_poisson_and_reproducible() -> None:
    entry = np.arange(50_000, dtype=np.uint64)
    weights = poisson_weights(9, 0 * entry, entry, 3)
    counts = np.bincount(weights[2].astype(int), minlength=8)[:8] / entry.size
    expected = np.exp(-1.0) / np.array([1, 1, 2, 6, 24, 120, 720, 5040])
    assert np.abs(counts - expected).max() < 5 * np.sqrt(0.37 * 0.63 / entry.size)
    assert np.abs(np.corrcoef(weights) - np.eye(3)).max() < 5 / np.sqrt(entry.size)
    part = poisson_weights(9, 0 * entry[100:200], entry[100:200], 2)
    np.testing.assert_array_equal(part, weights[:2, 100:200])


def test_what_cannot_be_asked() -> None:
    matrix = ResponseMatrix.from_array(P, *AXES, entries=10)
    with pytest.raises(ValueError, match="truth has 3 bins, the matrix has 2"):
        matrix.covariance([1, 2, 3])
    with pytest.raises(ValueError, match="method 'gauss'"):
        matrix.covariance([1, 2], "gauss")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no replicas were filled"):
        matrix.covariance([1, 2], "bootstrap")
    with pytest.raises(ValueError, match="draws = 0"):
        Filler("x=0:1:2", draws=0)
    with pytest.raises(ValueError, match="take fewer bins, or draws=1"):
        Filler("x=0:1:400", draws=2)
    with pytest.raises(ValueError, match="cells, more than"):
        Filler("x=0:1:20000")
    with pytest.raises(ValueError, match="replicas = 1000"):
        Filler("x=0:1:300", replicas=1000)
