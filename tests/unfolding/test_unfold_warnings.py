"""What a result says against itself: each sentence where it is true, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from spectra import counts, spectrum

import forefold

WIDE = [[0.6, 0.3], [0.3, 0.5], [0.1, 0.7]]
WEAK: dict[str, Any] = {"method": "tikhonov", "strength": 1e-3}


@pytest.mark.parametrize("told", [WEAK, {"method": "bayes", "iterations": 2000}])
def test_what_the_data_do_not_fix_is_moved_by_another_prior(told: dict[str, Any]) -> None:
    """A result from a flat prior, taken as the prior, gives itself: nothing is learnt from that."""
    data = np.array([120.0, 130.0])
    found = forefold.unfold(data, WIDE, prior="flat", **told)
    again = forefold.unfold(data, WIDE, prior=np.maximum(found.values, 1e-3), **told)
    # Bayes is still on its way by a little
    assert again.values == pytest.approx(found.values, rel=2e-2)
    falling = forefold.unfold(data, WIDE, prior=[1.5, 1.0, 0.5], **told)
    shift = float((abs(falling.values - found.values) / found.errors).max())
    assert shift > 0.3
    # normalised as the flat prior, which bayes forgets and tikhonov divides out
    assert found.prior_shift == pytest.approx(shift, rel=1e-2)


def test_weaker_regularisation_is_no_way_out_of_a_null_space() -> None:
    data = np.array([1.2e4, 1.3e4])
    said = " ".join(forefold.unfold(data, WIDE, prior="flat", **WEAK).warnings)
    assert "standard deviations: a systematic uncertainty is needed" in said
    assert "3 true bins from 2 reconstructed ones" in said


def bumpy() -> tuple[Any, Any]:
    """Give a matrix, and data that no truth has."""
    matrix, truth = spectrum(6, 12)
    data = truth @ matrix
    data[5] += 10.0 * data[5] ** 0.5
    data[6] -= 10.0 * data[6] ** 0.5
    return matrix, data


@pytest.mark.parametrize(
    ("told", "free"),
    [
        ({"method": "inversion"}, True),
        ({"method": "likelihood"}, True),
        ({"method": "tikhonov", "strength": 1e-9}, True),
        ({"method": "tikhonov", "strength": 1e9}, False),
        ({"method": "bayes", "iterations": 1}, False),
    ],
)
def test_only_what_is_regularised_is_regularised_too_much(told: dict[str, Any], free: bool) -> None:
    matrix, data = bumpy()
    (said,) = (s for s in forefold.unfold(data, matrix, **told).warnings if "refolded" in s)
    assert ("regularised too much" in said) != free
    assert ("it is hardly regularised: response or background are wrong" in said) == free
    few = forefold.unfold(data, matrix, matrix_variance=1e-4 * matrix, **told)
    assert "response, whose statistics do not count here, or background" in " ".join(few.warnings)


def test_a_rule_that_found_nothing_is_a_warning() -> None:
    matrix, data = bumpy()

    def said(**told: Any) -> str:
        return " ".join(forefold.unfold(data, matrix, rng=1, **told).warnings)

    weakest = said(method="tikhonov", strength="discrepancy")
    assert ", by discrepancy, but it is the weakest that was tried: chi2 stays above" in weakest
    endless = said(method="bayes", iterations="discrepancy")
    assert "iterations 200, by discrepancy: " in endless
    assert ", but it is not reached in 200 iterations" in endless
    assert ", but it is" not in said(method="tikhonov", strength="gcv")
    assert ", but it is" not in said(method="bayes", iterations="chi2-change")


@pytest.mark.parametrize("rule", ["gcv", "l-curve"])
def test_an_optimum_at_the_edge_is_a_warning(rule: str) -> None:
    # only noise is left of what is not a straight line: the more it is damped the better
    data = 1000.0 + 10.0 * np.array([1, -1, 1, -1, 1, -1, 1, -1])
    found = forefold.unfold(data, np.eye(8), method="tikhonov", strength=rule)
    text = f"strength {found.strength:.4g}, by {rule}, but it is the strongest of all that were tried: no optimum was found"
    assert text in found.warnings


def test_bins_are_named_by_their_limits() -> None:
    rows = np.array([[0.5, 0.5], [0.3, 0.7]])
    edges = {"e": [0.0, 1.0, 2.5]}
    matrix = forefold.ResponseMatrix.from_array(rows, edges, edges)
    found = forefold.unfold([10.0, 90.0], matrix, method="inversion")
    assert found.values[0] < 0.0
    assert "true bin 0 to 1 of e_true has a negative content" in found.warnings
    both = {"q2": [0.0, 1.0, 2.0], "w": [0.0, 3.0]}
    matrix = forefold.ResponseMatrix.from_array(rows, both, both)
    found = forefold.unfold([10.0, 90.0], matrix, method="inversion")
    assert "true bin q2_true 0 to 1, w_true 0 to 3 has a negative content" in found.warnings
    plain = forefold.unfold([10.0, 90.0], rows, method="inversion")
    assert "true bin 0 has a negative content" in plain.warnings


def test_errors_of_a_good_fit_are_no_warning() -> None:
    matrix, truth = spectrum(6, 12)
    found = forefold.unfold(counts(matrix, truth), matrix, method="tikhonov", strength=1e-6)
    assert not [text for text in found.warnings if "refolded" in text or "rule" in text]
