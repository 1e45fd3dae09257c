"""What goes out comes in again: every format that is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import format_matrices
import numpy as np
import pytest
from format_matrices import AXES, NAMES

import forefold
from forefold.matrix.formats import FORMATS, READABLE

COUNTS = ("root", "roounfold", "tunfold")
ERRORS = ("hepdata", "uhi")


def _skip(format: str) -> None:
    if format == "hepdata":
        pytest.importorskip("yaml")


def _over(matrix: forefold.ResponseMatrix, format: str, folder: Path) -> forefold.ResponseMatrix:
    _skip(format)
    path = folder / NAMES[format]
    settings: dict[str, Any] = {"entries": 1e6} if format == "remu" and matrix.exact else {}
    forefold.export_matrix(matrix, path, format, **settings)
    return forefold.import_matrix(path, format, **AXES.get(format, {}))


def _edges(matrix: forefold.ResponseMatrix) -> list[np.ndarray]:
    return [np.asarray(axis.edges) for axis in (*matrix.true_axes, *matrix.reco_axes)]


@pytest.mark.parametrize("format", READABLE)
@pytest.mark.parametrize("make", [format_matrices.filled, format_matrices.exact])
def test_the_matrix_comes_back(
    make: Callable[..., forefold.ResponseMatrix], format: str, tmp_path: Path
) -> None:
    matrix = make(even=True)
    back = _over(matrix, format, tmp_path)
    np.testing.assert_allclose(back.matrix, matrix.matrix, rtol=1e-14, atol=1e-16)
    for mine, other in zip(_edges(back), _edges(matrix), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-14)
    assert back.exact == (matrix.exact or format not in (*COUNTS, *ERRORS))


@pytest.mark.parametrize("format", [name for name in READABLE if name != "snowglobes"])
def test_bins_of_several_widths_come_back(format: str, tmp_path: Path) -> None:
    matrix = format_matrices.exact()
    back = _over(matrix, format, tmp_path)
    np.testing.assert_allclose(back.matrix, matrix.matrix, rtol=1e-14, atol=1e-16)
    for mine, other in zip(_edges(back), _edges(matrix), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-14)


@pytest.mark.parametrize("format", READABLE)
def test_what_came_back_folds_as_what_went(format: str, tmp_path: Path) -> None:
    matrix = format_matrices.filled(even=True)
    back = _over(matrix, format, tmp_path)
    went, came = (forefold.fold(matrix.truth, each) for each in (matrix, back))
    np.testing.assert_allclose(came.values, went.values, rtol=1e-13)


@pytest.mark.parametrize("format", COUNTS)
def test_statistics_and_fakes_of_counts_come_back(format: str, tmp_path: Path) -> None:
    matrix = format_matrices.filled()
    back = _over(matrix, format, tmp_path)
    assert np.sum(matrix.fakes.values()) > 100.0  # overflow of the truth is among them
    for name in ("values", "variances"):
        for histogram in ("fakes", "truth", "reco"):
            mine, other = (getattr(getattr(m, histogram), name)() for m in (back, matrix))
            np.testing.assert_allclose(mine, other, rtol=1e-11, err_msg=f"{histogram} {name}")
    np.testing.assert_allclose(back.variance, matrix.variance, rtol=1e-13)
    assert [a.name for a in (*back.true_axes, *back.reco_axes)] == [
        "enu_true",
        "visible_energy_reco",
    ]


@pytest.mark.parametrize("format", ["remu", "correctionlib", "hepdata", "uhi"])
def test_several_axes_come_back(format: str, tmp_path: Path) -> None:
    matrix = format_matrices.flat_two()
    back = _over(matrix, format, tmp_path)
    np.testing.assert_array_equal(back.matrix, matrix.matrix)
    for mine, other in zip(_edges(back), _edges(matrix), strict=True):
        np.testing.assert_array_equal(mine, other)
    names = [a.name for a in (*back.true_axes, *back.reco_axes)]
    assert names == ["q2_true", "w_true", "q2_reco", "w_reco"]


@pytest.mark.parametrize("format", ["globes", "snowglobes", "root", "roounfold", "tunfold", "ogip"])
def test_several_axes_are_refused_where_there_is_one(format: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has one true and one reconstructed axis"):
        forefold.export_matrix(format_matrices.flat_two(), tmp_path / NAMES[format], format)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("format", list(FORMATS))
def test_nothing_is_replaced_unasked_and_nothing_is_left_of_a_failure(
    format: str, tmp_path: Path
) -> None:
    matrix = format_matrices.filled(even=True)
    path = tmp_path / NAMES[format]
    found = forefold.export_matrix(matrix, path, format)
    before = {file: file.read_bytes() for file in found.files}
    assert all(file.exists() for file in found.files)
    with pytest.raises(FileExistsError):
        forefold.export_matrix(matrix, path, format)
    assert before == {file: file.read_bytes() for file in found.files}
    forefold.export_matrix(matrix, path, format, overwrite=True)
    assert not [file for file in tmp_path.rglob("*") if file.name.endswith(".part")]


@pytest.mark.parametrize(
    "format", ["globes", "snowglobes", "ogip", "pyhf", "correctionlib", "hepdata"]
)
def test_empty_rows_stop_unless_they_are_to_be_lost(format: str, tmp_path: Path) -> None:
    true, reco = np.array([0.7, 0.8, 2.6]), np.array([0.6, 0.9, 2.7])
    matrix = forefold.ResponseMatrix.from_columns(true, reco, true_axes="energy=0.5:3.5:3")
    with pytest.raises(
        ValueError, match=r"1 true bins are empty, the first is bin 1 .*1\.5 to 2\.5"
    ):
        forefold.export_matrix(matrix, tmp_path / NAMES[format], format)
    assert not list(tmp_path.iterdir())
    forefold.export_matrix(matrix, tmp_path / NAMES[format], format, empty_rows="lose")
    if format in READABLE:
        _skip(format)
        axes = {"true": "e=0.5:3.5:3", "reco": "e=0.5:3.5:3"} if format == "snowglobes" else {}
        back = forefold.import_matrix(tmp_path / NAMES[format], format, **axes)
        np.testing.assert_allclose(back.matrix, matrix.matrix)


def test_a_published_matrix_becomes_a_response() -> None:
    matrix = format_matrices.exact()
    response = forefold.matrix_response(matrix)
    at = np.array([0.4, 0.7, 1.2, 4.9, 5.5])
    seen = matrix.efficiency
    np.testing.assert_allclose(response.efficiency(at), [0.0, seen[0], seen[1], seen[-1], 0.0])
    again = forefold.ResponseMatrix.from_response(
        response, matrix.true_axes[0], matrix.reco_axes[0]
    )
    np.testing.assert_allclose(again.matrix, matrix.matrix, atol=1e-12)
    wide = forefold.ResponseMatrix.from_response(response, {"enu": [0.5, 1.0]}, {"e": [0.5, 6.0]})
    np.testing.assert_allclose(wide.matrix, [[seen[0]]], rtol=1e-12)


def test_a_response_draws_as_the_matrix_says() -> None:
    """Chi2 of 100,000 draws in each of two rows; the chance that a good one fails is 1e-6."""
    matrix = format_matrices.exact()
    response = forefold.matrix_response(matrix)
    rng, n = np.random.default_rng(5), 100_000
    for row, at in ((1, 1.3), (4, 4.0)):
        uniforms = rng.random((response.n_uniforms, n))
        drawn = response.sample(np.full(n, at), uniforms)
        counts, _ = np.histogram(drawn[~np.isnan(drawn)], format_matrices.RECO)
        lost = n - counts.sum()
        observed = np.append(counts, lost)
        expected = n * np.append(matrix.matrix[row], 1.0 - matrix.efficiency[row])
        some = expected > 0.0
        assert not observed[~some].any()
        chi2 = float((np.square(observed - expected)[some] / expected[some]).sum())
        assert chi2 < 38.3  # of 6 degrees of freedom: 1e-6


@pytest.mark.parametrize("format", READABLE)
def test_a_matrix_knows_its_file(format: str, tmp_path: Path) -> None:
    back = _over(format_matrices.exact(even=True), format, tmp_path)
    assert back.provenance["imported"] == format
    assert back.provenance["source"] == NAMES[format]
    assert (len(back.provenance.get("source_sha256", "")) == 64) == (format != "hepdata")
    assert forefold.ResponseMatrix.from_json(back.to_json()) == back


def test_matrices_of_closed_forms_cross_too(tmp_path: Path) -> None:
    card = forefold.card_response("nusmear-dune-cdr", "mu-")
    matrix = forefold.ResponseMatrix.from_response(card, "kinetic_energy=0.5:4:7")
    for format in ("globes", "ogip", "root", "uhi"):
        back = _over(matrix, format, tmp_path)
        np.testing.assert_allclose(back.matrix, matrix.matrix, rtol=1e-14, atol=1e-18)


def test_variations_of_bin_widths_in_mev_and_kev_come_back_in_gev(tmp_path: Path) -> None:
    edges = np.array([0.3, 0.7, 1.9, 3.3])
    rows = np.array([[0.7, 0.1, 0.0], [0.05, 0.6, 0.1], [0.0, 0.1, 0.8]])
    for unit, scale in (("MeV", 1e3), ("keV", 1e6), ("TeV", 1e-3), ("eV", 1e9)):
        matrix = forefold.ResponseMatrix.from_array(
            rows, {"e": edges * scale}, {"e": edges * scale}
        )
        for format in ("globes", "ogip"):
            path = tmp_path / f"{unit}{NAMES[format]}"
            forefold.export_matrix(matrix, path, format, unit=unit)
            back = forefold.import_matrix(path, format)
            np.testing.assert_allclose(back.true_axes[0].edges, edges, rtol=1e-14)


@pytest.mark.parametrize("format", [name for name in READABLE if name != "snowglobes"])
def test_random_rows_come_back_though_they_sum_to_one(format: str, tmp_path: Path) -> None:
    """Rows whose sum of rounded numbers may be above 1, rows of nothing, and everything between."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        n, m = rng.integers(1, 9, size=2)
        rows = rng.dirichlet(np.full(m, 0.5), size=n)
        rows *= rng.choice([0.0, 0.5, 1.0, 1.0], size=n)[:, None]
        edges = [np.cumsum(rng.uniform(0.01, 2.0, size=k + 1)) for k in (n, m)]
        matrix = forefold.ResponseMatrix.from_array(rows, {"enu": edges[0]}, {"energy": edges[1]})
        folder = tmp_path / str(seed)
        folder.mkdir()
        back = _over(matrix, format, folder)
        np.testing.assert_allclose(back.matrix, rows, rtol=1e-14, atol=1e-16)
