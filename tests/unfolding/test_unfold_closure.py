"""Bias and coverage from toys."""

from __future__ import annotations

import json
from typing import Any

import hist
import numpy as np
import pytest
from scipy import stats
from spectra import spectrum

import forefold
from forefold.unfolding.closure import LEVEL

METHODS: dict[str, dict[str, Any]] = {
    "inversion": {"method": "inversion"},
    "likelihood": {"method": "likelihood"},
    "bayes 4": {"method": "bayes", "iterations": 4},
    "tikhonov": {"method": "tikhonov", "strength": 1e-5},
    "wiener": {"method": "wiener"},
}


def test_intervals_hold_what_they_promise() -> None:
    matrix, truth = spectrum(6, 12, events=1e5)
    toys = 400
    found = forefold.closure(truth, matrix, METHODS, toys=toys, prior=truth**0.9, rng=3)
    # Every bin of every method: a false alarm once in 1e4 for each of 5 x 6 binomial fractions (0.3 % in all). The
    # true level is allowed to be 2 % off, because errors are estimated from the toy.
    low = stats.binom.ppf(5e-5, toys, LEVEL - 0.02) / toys
    high = stats.binom.ppf(1.0 - 5e-5, toys, LEVEL + 0.02) / toys
    for name, study in found.studies.items():
        assert (study.smeared_coverage >= low).all(), name
        assert (study.smeared_coverage <= high).all(), name
    for name in ("inversion", "likelihood"):
        study = found.studies[name]
        assert (study.coverage >= low).all()
        # the mean of 400 toys, within 5 standard deviations, and 2 % of an error for the weights
        assert (abs(study.bias) < 5.0 * study.bias_error + 0.02 * study.error).all()
        assert study.pull_width == pytest.approx(np.ones(6), abs=0.15)
    # four iterations keep a memory of the prior
    assert abs(found.studies["bayes 4"].bias / found.studies["bayes 4"].error).max() > 0.3


def test_the_errors_of_1995_do_not_cover() -> None:
    matrix, truth = spectrum(6, 12)
    found = forefold.closure(
        truth,
        matrix,
        {"old": {"method": "bayes", "iterations": 8, "errors": "dagostini"}},
        toys=200,
        rng=1,
    )
    # 68 % would be missed by 60 % or less once in 1e2 for a bin; all bins together never
    assert np.median(found.studies["old"].coverage) < 0.6


def test_toys_are_reproducible_and_methods_share_them() -> None:
    matrix, truth = spectrum(4, 6)
    one = {"a": {"method": "inversion"}, "b": {"method": "inversion"}}
    first = forefold.closure(truth, matrix, one, toys=30, rng=5)
    again = forefold.closure(truth, matrix, one, toys=30, rng=5)
    assert np.array_equal(first.studies["a"].bias, again.studies["b"].bias)
    other = forefold.closure(truth, matrix, one, toys=30, rng=np.random.default_rng(5))
    assert not np.array_equal(first.studies["a"].bias, other.studies["a"].bias)
    repeated = forefold.closure(truth, matrix, one, toys=30, rng=other.rng)
    assert np.array_equal(other.studies["a"].bias, repeated.studies["a"].bias)


def test_background_and_normal_toys() -> None:
    matrix, truth = spectrum(4, 6)
    background = np.full(6, 50.0)
    found = forefold.closure(
        truth, matrix, {"a": {"method": "inversion"}}, toys=200, background=background, rng=2
    )
    study = found.studies["a"]
    assert (abs(study.bias) < 5.0 * study.bias_error + 0.05 * study.error).all()
    measurement = forefold.closure(
        truth,
        matrix,
        {"a": {"method": "inversion", "covariance": truth @ matrix * 9.0}},
        toys=200,
        rng=2,
    )
    # three times the standard deviation; that of 200 toys is known to 5 %, 5 sigma
    assert measurement.studies["a"].spread == pytest.approx(
        measurement.studies["a"].error, rel=0.25
    )


def test_table_and_numbers_and_picture() -> None:
    matrix, truth = spectrum(4, 6)
    found = forefold.closure(truth, matrix, METHODS, toys=20, prior=truth**0.9, rng=1)
    text = str(found)
    assert text.startswith("Closure: 20 toys (rng=1), 4 true bins")
    assert all(name in text for name in METHODS)
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert content["methods"]["bayes 4"]["strength"] == 4.0
    assert content["methods"]["inversion"]["strength"] is None
    figure = found.peek()
    figure.draw_without_rendering()
    assert len(figure.axes) == 4


def test_a_response_matrix_and_a_histogram() -> None:
    matrix, truth = spectrum(4, 6)
    axes = hist.axis.Regular(4, 0, 10, name="x_true"), hist.axis.Regular(6, 0, 10, name="x_reco")
    response = forefold.ResponseMatrix.from_array(matrix, *axes, truth=truth)
    found = forefold.closure(
        response.truth, response, {"a": {"method": "inversion"}}, toys=5, rng=1
    )
    plain = forefold.closure(truth, matrix, {"a": {"method": "inversion"}}, toys=5, rng=1)
    assert found.studies["a"].bias == pytest.approx(plain.studies["a"].bias, rel=1e-9)


def test_bad_studies_are_refused() -> None:
    matrix, truth = spectrum(4, 6)
    with pytest.raises(ValueError, match="at least one method and two toys"):
        forefold.closure(truth, matrix, {}, rng=1)
    with pytest.raises(ValueError, match="truth has 3 bins; the response has 4"):
        forefold.closure(truth[:3], matrix, METHODS, rng=1)
    axes = hist.axis.Regular(4, 0, 10, name="x"), hist.axis.Regular(6, 0, 10, name="x")
    response = forefold.ResponseMatrix.from_array(matrix, *axes)
    other: hist.Hist[Any] = hist.Hist(hist.axis.Regular(4, 0, 9, name="x"))
    with pytest.raises(ValueError, match=r"truth: axis 0 \('x_true'\) has edge 1 at 2\.25"):
        forefold.closure(other, response, METHODS, rng=1)
    with pytest.raises(ValueError, match="contents are not negative"):
        forefold.closure(-truth, matrix, METHODS, rng=1)
    with pytest.raises(ValueError, match="'methd' is not one of prior"):
        forefold.closure(truth, matrix, {"a": {"methd": "inversion"}}, rng=1)
    with pytest.raises(ValueError, match="a method without 'method'"):
        forefold.closure(truth, matrix, {"a": {"iterations": 2}}, rng=1)
