"""Histograms of ROOT files as others publish them: spectra, covariances, additional smearing matrices, folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hist
import mutations
import numpy as np
import pytest
import uproot
from cli_runs import Run, refused

import forefold
from forefold.matrix import Prediction

EDGES = [0.0, 0.5, 2.0, 3.0]
VALUES = np.array([12.0, 30.0, 21.0])
ERRORS = np.array([2.0, 5.0, 3.5])
WHOLE = np.array([[4.0, 1.0, -0.5], [1.0, 25.0, 2.0], [-0.5, 2.0, 12.25]])
# of a Wiener-SVD unfolding: rows are regularised, columns true
SMEARING = np.array([[0.9, 0.2, -0.05], [0.15, 0.7, 0.25], [-0.02, 0.1, 0.85]])


def axis(title: str = "p_{#mu} [GeV/c]") -> Any:
    return hist.axis.Variable(EDGES, label=title)


def th1(values: Any = VALUES, variances: Any = None, title: str = "p_{#mu} [GeV/c]") -> Any:
    storage: Any = hist.storage.Double() if variances is None else hist.storage.Weight()
    made: Any = hist.Hist(axis(title), storage=storage)
    if variances is None:
        made.view()[...] = values
    else:
        made.view()["value"], made.view()["variance"] = values, variances
    return made


def th2(values: Any) -> Any:
    made: Any = hist.Hist(axis(), axis())
    made.view()[...] = values
    return made


@pytest.fixture
def release(tmp_path: Path) -> Path:
    path = tmp_path / "release.root"
    with uproot.recreate(path) as file:
        file["plain"] = th1()
        file["counts"] = th1(VALUES, VALUES)
        file["data/spectrum"] = th1(VALUES, ERRORS**2)
        file["data/cov"] = th2(WHOLE)
        file["data/Ac"] = th2(SMEARING)
        file["xsec"] = th1(VALUES * 1e-40)
    return path


def test_errors_of_bins_are_independent(release: Path) -> None:
    for given in (
        forefold.import_spectrum(f"{release}:data/spectrum", "root"),
        forefold.import_spectrum(f"{release}:data", "root"),  # the only TH1 there
        forefold.import_spectrum(release, "root", name="data/spectrum"),
    ):
        np.testing.assert_array_equal(given.values, VALUES)
        assert given.covariance is not None
        np.testing.assert_allclose(given.covariance, np.diag(ERRORS**2))
        (found,) = given.histogram.axes
        assert (found.edges.tolist(), found.name) == (EDGES, "p_mu")
        assert found.label == "p_{#mu} [GeV/c]"
    wide = forefold.import_spectrum(f"{release}:data/spectrum", "root", density=True)
    np.testing.assert_allclose(wide.values, VALUES * [0.5, 1.5, 1.0])
    np.testing.assert_allclose(np.diag(wide.covariances["errors"]), (ERRORS * [0.5, 1.5, 1.0]) ** 2)


@pytest.mark.parametrize("name", ["plain", "counts"])
def test_counts_are_counts(name: str, release: Path) -> None:
    found = forefold.import_spectrum(f"{release}:{name}", "root")
    assert found.covariance is None
    assert "counts" in found.notes[0]
    response = forefold.ResponseMatrix.from_array(np.eye(3) * 0.8, EDGES, EDGES)
    result = forefold.unfold(found, response, method="inversion")
    np.testing.assert_allclose(np.diag(result.covariance), VALUES / 0.64)


def test_a_covariance_beside_counts_for_the_errors(release: Path) -> None:
    found = forefold.import_spectrum(f"{release}:data/spectrum", "root", covariance="cov")
    assert found.covariance is not None
    np.testing.assert_allclose(found.covariance, WHOLE)
    np.testing.assert_allclose(np.asarray(found.histogram.variances()), np.diagonal(WHOLE))
    with pytest.raises(ValueError, match="covariance 'Ac' is none: finite, symmetric"):
        forefold.import_spectrum(f"{release}:data/spectrum", "root", covariance="Ac")
    with pytest.raises(ValueError, match="no histogram 'cow'"):
        forefold.import_spectrum(f"{release}:data/spectrum", "root", covariance="cow")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("", r"3 TH1s: plain, counts, xsec; say which histogram is meant: FILE:PATH"),
        (":plane", r"no histogram 'plane' \(did you mean 'plain'"),
        (":data/spectra", r"no histogram 'spectra' \(did you mean 'spectrum'"),
    ],
)
def test_which_histogram_must_be_clear(place: str, words: str, release: Path) -> None:
    with pytest.raises(ValueError, match=words):
        forefold.import_spectrum(f"{release}{place}", "root")


def test_contents_must_be_numbers(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "a.root") as file:
        file["h"] = th1([1.0, np.nan, 2.0], [1.0, 1.0, 1.0])
        file["e"] = th1([1.0, 2.0, 2.0], [1.0, np.inf, 1.0])
    for name, words in (("h", "contents of bin 1"), ("e", "squared errors of bin 1")):
        with pytest.raises(ValueError, match=f"{words} are not finite"):
            forefold.import_spectrum(f"{tmp_path}/a.root:{name}", "root")


def test_a_cross_section_has_no_errors_of_counts(release: Path) -> None:
    found = forefold.import_spectrum(f"{release}:xsec", "root")
    assert "have none by themselves" in found.notes[0]


@pytest.mark.parametrize(("turned", "orientation"), [(False, "true-y"), (True, "true-x")])
def test_an_additional_smearing_matrix_smears_a_model(
    turned: bool, orientation: str, release: Path, tmp_path: Path, run: Run
) -> None:
    place = f"{release}:data/Ac"
    if turned:
        with uproot.recreate(tmp_path / "turned.root") as file:
            file["Ac"] = th2(SMEARING.T)
        place = f"{tmp_path}/turned.root:Ac"
    found = forefold.import_matrix(place, "root", orientation=orientation)
    model = np.array([10.0, 20.0, 30.0])
    np.testing.assert_allclose(found.matrix, SMEARING.T)
    assert found.signed
    assert "no efficiency" in repr(found)
    assert "2 cells are negative: taken for an additional smearing matrix" in repr(found)
    with pytest.raises(ValueError, match="it has no efficiency"):
        _ = found.efficiency
    back = forefold.ResponseMatrix.from_json(found.to_json())
    assert back == found
    assert back.signed
    folded = forefold.fold(th1(model), back)
    np.testing.assert_allclose(folded.values, SMEARING @ model)
    found.peek()
    stored, out = tmp_path / "Ac.json", tmp_path / "p.json"
    asked = ("import", "root", place, "--orientation", orientation, "-o", str(stored))
    assert run(*asked).code == 0
    assert run("fold", f"{release}:plain", str(stored), "-o", str(out)).code == 0
    np.testing.assert_allclose(Prediction.from_json(out.read_text()).values, SMEARING @ VALUES)


def test_a_smearing_matrix_without_negative_cells_is_said_to_be_one(tmp_path: Path) -> None:
    rows = np.abs(SMEARING).T  # rows of up to 1.17
    with uproot.recreate(tmp_path / "a.root") as file:
        file["Ac"] = th2(rows)
    with pytest.raises(ValueError, match=r"sums to 1\.15"):
        forefold.import_matrix(f"{tmp_path}/a.root:Ac", "root")
    found = forefold.import_matrix(f"{tmp_path}/a.root:Ac", "root", smearing=True)
    np.testing.assert_array_equal(found.matrix, rows)
    forefold.export_matrix(found, tmp_path / "a.json", "uhi")
    again = forefold.import_matrix(tmp_path / "a.json", "uhi", smearing=True)
    np.testing.assert_array_equal(again.matrix, rows)
    for format in ("correctionlib", "hepdata", "pyhf"):
        with pytest.raises(ValueError, match=r"smears spectra, as A_C does, and .* takes prob"):
            forefold.export_matrix(found, tmp_path / "out", format)


def test_what_smears_spectra_is_no_detector() -> None:
    smearing = forefold.ResponseMatrix.from_array(SMEARING.T, EDGES, EDGES, signed=True)
    with pytest.raises(ValueError, match="is no detector's response: fold models with it"):
        forefold.unfold(VALUES, smearing, method="inversion")
    with pytest.raises(ValueError, match=r"R\[0, 2\] is -0\.02; finite numbers of 0 or more"):
        forefold.ResponseMatrix.from_array(SMEARING.T, EDGES, EDGES)
    with pytest.raises(ValueError, match=r"R\[0, 0\] is nan; finite numbers are needed"):
        forefold.ResponseMatrix.from_array(SMEARING * np.nan, EDGES, EDGES, signed=True)


def test_the_spectrum_that_was_unfolded_smears_alike() -> None:
    """A_C of an unfolding of ours, as a matrix: the same smeared model."""
    rows = np.array([[0.6, 0.2, 0.0], [0.1, 0.5, 0.2], [0.0, 0.2, 0.6]])
    result = forefold.unfold([40.0, 70.0, 50.0], rows, method="wiener", prior=[60.0, 90.0, 70.0])
    matrix = forefold.ResponseMatrix.from_array(result.smearing.T, EDGES, EDGES, signed=True)
    model = np.array([55.0, 99.0, 61.0])
    expected = np.asarray(result.smear(model))
    np.testing.assert_allclose(forefold.fold(th1(model), matrix).values, expected, rtol=1e-12)


def test_every_command_takes_histograms_of_root_files(
    release: Path, tmp_path: Path, run: Run
) -> None:
    stored, out = tmp_path / "R.json", tmp_path / "o.json"
    rows = np.array([[0.7, 0.1, 0.0], [0.1, 0.7, 0.1], [0.0, 0.1, 0.7]])
    response = forefold.ResponseMatrix.from_array(rows, EDGES, EDGES, truth=[20.0, 40.0, 30.0])
    stored.write_text(response.to_json())
    seen, flux = f"{release}:counts", f"{release}:plain"
    for command in (
        ("fold", flux, stored),
        ("unfold", seen, stored, "--method", "inversion", "--background", flux),
        ("unfold", seen, stored, "--method", "bayes", "--iterations", "2", "--prior", flux),
        ("fit", seen, stored, "--truth", f"signal={flux}"),
        ("limit", seen, stored, "--truth", flux, "--background", flux),
        ("import", "root", seen, "--spectrum"),
        ("export", "pyhf", stored, "--signal", flux, "--observed", seen),
    ):
        done = run(*map(str, command), "-o", str(out), "--overwrite")
        assert done.code == 0, (command, done.err)
    by_file = forefold.fold(th1(), response).values
    assert run("fold", flux, str(stored), "-o", str(out), "--overwrite").code == 0
    np.testing.assert_allclose(Prediction.from_json(out.read_text()).values, by_file)
    refused(
        run("fold", flux, f"{release}:data/Ac"), "a matrix comes in with 'forefold import root'"
    )
    refused(run("fit", f"{release}:data/spectrum", str(stored)), "data are weighted")


def flowing(storage: Any) -> Any:
    """A TH2 as TUnfold takes it: rows true, with misses below and above; columns measured, with fakes."""
    made: Any = hist.Hist(
        hist.axis.Variable(EDGES, label="true q"),
        hist.axis.Regular(2, 0.0, 3.0, label="q"),
        storage=storage,
    )
    contents = np.array(
        [
            [0.0, 4.0, 2.0, 0.0],
            [10.0, 30.0, 20.0, 0.0],
            [5.0, 40.0, 10.0, 25.0],
            [0.0, 0.0, 8.0, 2.0],
            [1.0, 1.0, 0.0, 0.0],
        ]
    )
    view = made.view(flow=True)
    if isinstance(storage, hist.storage.Weight):
        view["value"], view["variance"] = contents, 2.0 * contents
    else:
        view[...] = contents
    return made


@pytest.mark.parametrize("turned", [False, True])
def test_misses_in_flow_bins_count_as_tunfold_has_them(turned: bool, tmp_path: Path) -> None:
    """By hand: truth is the sum over all measured bins, those of flow too; fakes are in the flow of the truth."""
    made = flowing(hist.storage.Weight())
    with uproot.recreate(tmp_path / "t.root") as file:
        file["dir/A"] = made.project(1, 0) if turned else made
    found = forefold.import_matrix(
        f"{tmp_path}/t.root:dir/A", "tunfold", orientation="true-y" if turned else "true-x"
    )
    np.testing.assert_allclose(np.asarray(found.truth.values()), [60.0, 80.0, 10.0])
    np.testing.assert_allclose(
        found.matrix, [[30 / 60, 20 / 60], [40 / 80, 10 / 80], [0.0, 8 / 10]]
    )
    np.testing.assert_allclose(found.efficiency, [50 / 60, 50 / 80, 8 / 10])
    np.testing.assert_allclose(np.asarray(found.fakes.values()), [5.0, 2.0])
    np.testing.assert_allclose(np.asarray(found.fakes.variances()), [10.0, 4.0])
    np.testing.assert_allclose(np.asarray(found.truth.variances()), [120.0, 160.0, 20.0])
    assert found.true_axes[0].name == "q_true"


def test_no_misses_in_flow_bins_are_said(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "t.root") as file:
        file["response"] = th2(np.diag(VALUES))
    found = forefold.import_matrix(tmp_path / "t.root", "tunfold")
    np.testing.assert_allclose(found.efficiency, 1.0)
    assert "the flow bins of the measured axis are empty: nothing is missed" in repr(found)
    with uproot.recreate(tmp_path / "n.root") as file:
        file["response"] = th2(np.diag([1.0, np.nan, 2.0]))
    with pytest.raises(ValueError, match="not finite"):
        forefold.import_matrix(tmp_path / "n.root", "tunfold")


def test_damaged_files_are_clean_errors(release: Path, tmp_path: Path) -> None:
    expected = forefold.import_spectrum(f"{release}:data/spectrum", "root")

    def good(found: Any) -> bool:
        return bool(np.all(np.isfinite(found.values))) and found.values.shape == (3,)

    found = mutations.outcomes(
        release.read_bytes(),
        range(60),
        tmp_path / "bad.root",
        lambda path: forefold.import_spectrum(f"{path}:data/spectrum", "root"),
        good,
    )
    assert found["wrong"] == 0
    assert found["clean error"] >= 10  # all that are cut
    assert good(expected)
