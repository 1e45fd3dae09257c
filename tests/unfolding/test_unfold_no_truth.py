"""Matrices that know no truth say so, and nobody takes ones for a spectrum."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_runs import Run, refused
from spectra import counts, spectrum

import forefold
from forefold.matrix import to_json
from forefold.matrix.formats.pyhf import workspace


def alone(n: int = 6, m: int = 9) -> forefold.ResponseMatrix:
    rows, _ = spectrum(n, m)
    true, reco = np.linspace(0.0, 6.0, n + 1), np.linspace(0.0, 6.0, m + 1)
    return forefold.ResponseMatrix.from_array(rows, {"enu": true}, {"energy": reco})


def test_the_matrix_knows_that_it_knows_none() -> None:
    matrix = alone()
    assert not matrix.knows_truth
    assert not forefold.ResponseMatrix.from_json(matrix.to_json()).knows_truth
    assert not matrix.rebin(energy_reco=3).knows_truth
    assert matrix.rebin(enu_true=2, truth=1.0).knows_truth
    assert "fakes" not in repr(matrix).replace("no fakes", "")
    assert "no true spectrum" in repr(matrix)
    bins = [0.0, 1.0, 2.0]
    known: list[dict[str, Any]] = [{"truth": [1.0, 1.0]}, {"entries": [5.0, 6.0]}]
    for told in known:
        assert forefold.ResponseMatrix.from_array(np.eye(2), bins, bins, **told).knows_truth


def test_the_prior_is_flat_and_another_one_is_another() -> None:
    matrix = alone()
    rows, truth = spectrum(6, 9)
    found = forefold.unfold(counts(rows, truth), matrix, method="bayes", iterations=2)
    assert found.prior == "flat"
    assert found.prior_shift > 0.01
    same = forefold.unfold(counts(rows, truth), rows, method="bayes", iterations=2)
    assert same.values == pytest.approx(found.values)
    with pytest.raises(ValueError, match="knows no truth that it was made with; give a spectrum"):
        forefold.unfold(counts(rows, truth), matrix, method="inversion", prior="truth")


def test_a_truth_of_ones_is_compared_with_something_else() -> None:
    rows, truth = spectrum(6, 9)
    bins = np.arange(7.0), np.arange(10.0)
    flat = forefold.ResponseMatrix.from_array(rows, *bins, truth=np.full(6, 3.0))
    found = forefold.unfold(counts(rows, truth), flat, method="bayes", iterations=2)
    assert found.prior == "truth of the response"
    assert found.prior_shift > 0.01
    # a result that is flat, too, is compared with a falling line
    even = forefold.unfold(flat.matrix.sum(axis=0) * 100.0, flat, method="bayes", iterations=2)
    assert even.prior_shift > 0.01


def test_one_bin_has_no_other_prior() -> None:
    found = forefold.unfold([9.0], [[0.9]], method="bayes", iterations=2)
    assert math.isnan(found.prior_shift)
    assert "prior: flat; no other to compare with" in repr(found)


def test_a_filter_wants_its_signal() -> None:
    rows, truth = spectrum(6, 9)
    data = counts(rows, truth)
    for response in (rows, alone()):
        with pytest.raises(ValueError, match="wiener filters by an expected signal"):
            forefold.unfold(data, response, method="wiener")
        with pytest.raises(ValueError, match="wiener filters by an expected signal"):
            forefold.closure(truth, response, {"w": {"method": "wiener"}}, toys=2)
        assert forefold.unfold(data, response, method="wiener", prior=truth).values.sum() > 0.0


def test_a_workspace_wants_its_signal() -> None:
    matrix = alone()
    with pytest.raises(ValueError, match="give the true spectrum with signal="):
        workspace(matrix)


def test_a_fit_wants_its_model(run: Run, tmp_path: Path) -> None:
    matrix = alone()
    rows, truth = spectrum(6, 9)
    made = matrix.reco.copy()
    view: Any = made.view()
    view["value"] = view["variance"] = counts(rows, truth)
    (tmp_path / "R.json").write_text(matrix.to_json())
    (tmp_path / "data.json").write_text(to_json(made))
    for command in ("fit", "limit"):
        found = run(command, tmp_path / "data.json", tmp_path / "R.json")
        refused(found, "this matrix knows no truth", "--truth FILE")
