"""Errors of published matrices and spectra: read, held, folded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import format_matrices
import hist
import numpy as np
import pytest
from cli_runs import Run, refused
from format_matrices import NAMES

import forefold
from forefold.matrix import to_json
from forefold.unfolding import Unfolded

EDGES = [0.0, 1.0, 3.0]
ROWS = [[0.5, 0.3], [0.1, 0.7]]


def _table(values: Any, errors: Any, bins: Any, name: str = "events") -> str:
    """Write a data table as JSON; one list of (low, high) an independent variable."""
    independent = [
        {
            "header": {"name": key, "units": "GeV"},
            "values": [{"low": a, "high": b} for a, b in column],
        }
        for key, column in bins.items()
    ]
    rows = [{"value": v, "errors": e} for v, e in zip(values, errors, strict=True)]
    dependent = [{"header": {"name": name}, "values": rows}]
    return json.dumps({"independent_variables": independent, "dependent_variables": dependent})


def _whole(found: forefold.formats.PublishedSpectrum) -> np.ndarray:
    assert found.covariance is not None
    return found.covariance


def _spectrum(folder: Path, *errors: Any) -> Path:
    path = folder / "table.json"
    path.write_text(_table([40, 60], errors, {"Enu": [(0, 1), (1, 3)]}))
    return path


STAT = [{"symerror": 6, "label": "stat"}], [{"symerror": "10%", "label": "stat"}]
BOTH = (
    [*STAT[0], {"asymerror": {"plus": 3, "minus": -1}, "label": "sys,flux"}],
    [*STAT[1], {"asymerror": {"plus": -2, "minus": -5}, "label": "sys,flux"}],
)


def test_errors_of_a_spectrum_by_label_are_a_covariance(tmp_path: Path) -> None:
    path = _spectrum(tmp_path, *BOTH)
    found = forefold.import_spectrum(path, "hepdata", correlated=["sys,flux"])
    # one label may be given alone
    again = forefold.import_spectrum(path, "hepdata", errors="sys,flux", correlated="sys,flux")
    np.testing.assert_array_equal(_whole(again), found.covariances["sys,flux"])
    np.testing.assert_allclose(found.covariances["stat"], np.diag([36.0, 36.0]))
    # (3 + 1) / 2 up, and -5 of two sides down
    np.testing.assert_allclose(found.covariances["sys,flux"], [[4.0, -10.0], [-10.0, 25.0]])
    np.testing.assert_allclose(_whole(found), [[40.0, -10.0], [-10.0, 61.0]])
    np.testing.assert_allclose(np.asarray(found.histogram.variances()), [40.0, 61.0])
    assert "2 asymmetric ones made symmetric, 1 of them with both sides of one sign" in repr(found)
    apart = forefold.import_spectrum(path, "hepdata")
    np.testing.assert_allclose(_whole(apart), np.diag([40.0, 61.0]))
    (axis,) = found.histogram.axes
    assert (axis.name, axis.label, axis.edges.tolist()) == ("enu", "Enu [GeV]", EDGES)


def test_some_labels_and_densities(tmp_path: Path) -> None:
    path = _spectrum(tmp_path, *BOTH)
    found = forefold.import_spectrum(path, "hepdata", errors=["stat"], density=True)
    np.testing.assert_allclose(found.values, [40.0, 120.0])
    np.testing.assert_allclose(_whole(found), np.diag([36.0, 144.0]))
    none = forefold.import_spectrum(path, "hepdata", errors=[])
    assert none.covariance is None
    assert "taken for counts" in none.notes[0]


def test_rows_in_any_order_land_in_their_bins(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    bins = {"x": [(1, 3), (0, 1)] * 2, "y": [(0, 1), (0, 1), (1, 2), (1, 2)]}
    errors = [[{"symerror": k + 1.0}] for k in range(4)]
    path.write_text(_table([1.0, 2.0, 3.0, 4.0], errors, bins))
    found = forefold.import_spectrum(path, "hepdata", correlated=["error"])
    assert found.histogram.values().tolist() == [[2.0, 4.0], [1.0, 3.0]]
    shift = np.array([2.0, 4.0, 1.0, 3.0])
    np.testing.assert_allclose(_whole(found), np.outer(shift, shift))


@pytest.mark.parametrize(
    ("errors", "settings", "words"),
    [
        (STAT, {"correlated": ["stta"]}, r"no errors 'stta' \(did you mean 'stat'\?\)"),
        (STAT, {"errors": ["sys"]}, "no errors 'sys'.*there are stat"),
        ([[{"symerror": "many"}], []], {}, "error 'error' is 'many'; a finite number"),
        (
            [[*STAT[0], {"symerror": 7, "label": "total"}], []],
            {},
            "errors 'total' and stat: a sum beside its parts",
        ),
        (STAT, {"densit": True}, "hepdata has no setting 'densit'"),
    ],
)
def test_errors_that_cannot_be_read(
    errors: Any, settings: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=words):
        forefold.import_spectrum(_spectrum(tmp_path, *errors), "hepdata", **settings)


def test_other_formats_have_no_spectra(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match="spectra are read from hepdata, root, uhi"):
        forefold.import_spectrum(path, "globes")


def test_a_spectrum_goes_through_uhi_json_and_into_unfold(tmp_path: Path, run: Run) -> None:
    table, stored, out = (tmp_path / f"{name}.json" for name in ("table", "data", "back"))
    _spectrum(tmp_path, *BOTH)
    correlated = ("--correlated", "sys,flux")
    read = run("import", "hepdata", str(table), "--spectrum", *correlated, "-o", str(stored))
    assert read.code == 0, read.err
    found = forefold.import_spectrum(table, "hepdata", correlated=["sys,flux"])
    back = forefold.import_spectrum(stored, "uhi")
    assert back.covariances.keys() == found.covariances.keys()
    np.testing.assert_array_equal(_whole(back), _whole(found))

    matrix = forefold.ResponseMatrix.from_array(ROWS, {"enu": EDGES}, {"enu": EDGES})
    (tmp_path / "R.json").write_text(matrix.to_json())
    unfolded = ("unfold", str(stored), str(tmp_path / "R.json"), "--method", "inversion")
    assert run(*unfolded, "-o", str(out)).code == 0
    inverse = np.linalg.inv(matrix.matrix)
    expected = inverse.T @ _whole(found) @ inverse
    for result in (
        forefold.unfold(found, matrix, method="inversion"),
        Unfolded.from_json(out.read_text()),
    ):
        np.testing.assert_allclose(result.covariance, expected, rtol=1e-10)


def test_counts_and_variances_of_uhi(tmp_path: Path) -> None:
    path = tmp_path / "seen.json"
    plain: hist.Hist[Any] = hist.Hist(hist.axis.Variable(EDGES, name="enu")).fill([0.5, 2.0, 2.5])
    path.write_text(to_json(plain))
    found = forefold.import_spectrum(path, "uhi")
    assert found.covariance is None
    assert found.values.tolist() == [1.0, 2.0]
    heavy = hist.Hist(*plain.axes, storage=hist.storage.Weight()).fill([0.5, 2.0], weight=3.0)
    path.write_text(to_json(heavy))
    np.testing.assert_allclose(_whole(forefold.import_spectrum(path, "uhi")), np.diag([9.0, 9.0]))


def test_errors_of_a_published_matrix(tmp_path: Path) -> None:
    path = tmp_path / "migration.json"
    low = [(0, 1), (0, 1), (1, 3), (1, 3)]
    sys = [{"asymerror": {"plus": "20%", "minus": "-10%"}, "label": "sys"}]
    errors = [[{"symerror": 0.03, "label": "stat"}, *sys], [], [], [{"symerror": 0.02}]]
    bins = {"true": low, "reco": [(0, 1), (1, 3)] * 2}
    path.write_text(_table(np.ravel(ROWS).tolist(), errors, bins))
    found = forefold.import_matrix(path, "hepdata")
    both = [[0.03**2 + 0.075**2, 0.0], [0.0, 0.02**2]]
    np.testing.assert_allclose(found.variance, both, rtol=1e-12)
    assert (found.exact, found.errors_given, found.knows_truth) == (False, True, False)
    assert "errors of 2 cells (stat, sys, error; 1 asymmetric one made symmetric)" in repr(found)
    folded = forefold.fold(
        hist.Hist(hist.axis.Variable(EDGES, name="enu")).fill([0.5] * 10 + [2.0] * 20), found
    )
    by_hand = np.square([10.0, 20.0]) @ np.array(both)
    np.testing.assert_allclose(folded.covariance, np.diag(by_hand), rtol=1e-12)
    assert forefold.import_matrix(path, "hepdata", errors=[]).exact
    some = forefold.import_matrix(path, "hepdata", errors=["stat"])
    np.testing.assert_allclose(some.variance, [[0.03**2, 0.0], [0.0, 0.0]])


@pytest.mark.parametrize("format", ["hepdata", "uhi", "root"])
def test_errors_come_back(format: str, tmp_path: Path) -> None:
    if format == "hepdata":
        pytest.importorskip("yaml")
    matrix = format_matrices.filled()
    first = tmp_path / NAMES[format]
    forefold.export_matrix(matrix, first, format)
    settings = {"name": "response"} if format == "root" else {}
    back = forefold.import_matrix(first, format, **settings)
    np.testing.assert_allclose(back.variance, matrix.variance, rtol=1e-13, atol=1e-300)
    assert back.errors_given
    again = tmp_path / f"again-{NAMES[format]}"
    forefold.export_matrix(back, again, format)
    twice = forefold.import_matrix(again, format)
    np.testing.assert_allclose(twice.variance, back.variance, rtol=1e-13, atol=1e-300)
    assert forefold.ResponseMatrix.from_json(back.to_json()) == back


def test_root_probabilities_without_errors_have_none(tmp_path: Path) -> None:
    uproot = pytest.importorskip("uproot")
    axes = [hist.axis.Variable(EDGES, name=name) for name in "xy"]
    plain: Any = hist.Hist(*axes, storage=hist.storage.Double())
    plain.view()[...] = ROWS
    weighted: Any = hist.Hist(*axes, storage=hist.storage.Weight())
    weighted.view()["value"] = weighted.view()["variance"] = ROWS
    for name, made in (("plain", plain), ("weighted", weighted)):
        path = tmp_path / f"{name}.root"
        with uproot.recreate(path) as file:
            file["response"] = made
        assert forefold.import_matrix(path, "root").exact


def test_given_errors_join_and_do_not_add(tmp_path: Path) -> None:
    variance = [[0.01, 0.02], [0.003, 0.0]]
    matrix = forefold.ResponseMatrix.from_array(
        ROWS, {"enu": EDGES}, {"e": EDGES}, truth=[2.0, 3.0], variance=variance
    )
    joined = matrix.rebin(enu_true=2)
    np.testing.assert_allclose(joined.variance, [[(4 * 0.01 + 9 * 0.003) / 25, 4 * 0.02 / 25]])
    np.testing.assert_allclose(matrix.rebin(e_reco=2).variance, [[0.03], [0.003]])
    np.testing.assert_allclose(np.asarray(matrix.misses.variances()), [4 * 0.03, 9 * 0.003])
    with pytest.raises(ValueError, match="with given errors and another do not add"):
        _ = matrix + matrix
    with pytest.raises(ValueError, match="variance and entries: give one"):
        forefold.ResponseMatrix.from_array(ROWS, EDGES, EDGES, entries=5, variance=variance)
    told = forefold.export_matrix(matrix, tmp_path / "r.root", "roounfold").notes
    assert "errors of the matrix are not written: they are of probabilities" in told
    assert forefold.import_matrix(tmp_path / "r.root", "roounfold").exact


def test_unfolding_counts_given_errors() -> None:
    """The covariance of an inversion by hand: the truth times the errors of the matrix, carried back."""
    variance = np.array([[0.0009, 0.0], [0.0, 0.0004]])
    matrix = forefold.ResponseMatrix.from_array(ROWS, EDGES, EDGES, variance=variance)
    truth = np.array([1000.0, 2000.0])
    found = forefold.unfold(truth @ matrix.matrix, matrix, method="inversion")
    inverse = np.linalg.inv(matrix.matrix)
    spread = inverse.T @ np.diag(np.square(truth) @ variance) @ inverse
    np.testing.assert_allclose(found.covariances["matrix"], spread, rtol=1e-9)


def test_rows_of_rounded_numbers_are_scaled(tmp_path: Path) -> None:
    path = tmp_path / "migration.json"
    bins = {"true": [(0, 1), (0, 1), (1, 3), (1, 3)], "reco": [(0, 1), (1, 3)] * 2}
    errors = [[{"symerror": 0.01}], [], [], []]
    path.write_text(_table([0.335, 0.67, 0.2, 0.7], errors, bins))
    found = forefold.import_matrix(path, "HEPData")
    np.testing.assert_allclose(found.efficiency, [1.0, 0.9], rtol=1e-14)
    np.testing.assert_allclose(found.variance[0, 0], 0.01**2 / 1.005**2, rtol=1e-12)
    assert "1 row summed to 1 + 0.005 at most, and was scaled to 1" in repr(found)
    path.write_text(_table([0.345, 0.67, 0.2, 0.7], errors, bins))
    with pytest.raises(ValueError, match=r"sums to 1\.015"):
        forefold.import_matrix(path, "hepdata")


def test_names_that_forefold_noted_are_names_of_spectra(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    matrix = format_matrices.filled()
    forefold.export_matrix(matrix, tmp_path / "out", "hepdata")
    table = tmp_path / "out" / "efficiency.yaml"
    found = forefold.import_spectrum(table, "hepdata", name="Truth")
    assert forefold.fold(found.histogram, matrix).notes == ()
    np.testing.assert_array_equal(found.histogram.values(), matrix.truth.values())


def test_a_globes_file_of_six_digits_is_read(tmp_path: Path) -> None:
    path = tmp_path / "paper.dat"
    path.write_text(
        "$bins = 2\n$emin = 0.\n$emax = 2.\n$sampling_points = 2\n$sampling_min = 0.\n$sampling_max = 2.\n"
        "energy(#paper)<\n@energy = {0,1,0.333334,0.2}:\n{0,1,0.666667,0.8};\n>\n"
        "%paper_efficiency = {0.5, 1.0}\n"
    )
    found = forefold.import_matrix(path, "globes")
    np.testing.assert_allclose(found.efficiency, [0.5, 1.0], rtol=1e-14)
    assert "1 row summed to 1 + 1e-06 at most, and was scaled to 1" in repr(found)


def test_a_row_of_zeros_beside_a_rounded_one_is_quiet(tmp_path: Path) -> None:
    """Ordinary in published files; warnings are errors here, so a division by the zero would fail."""
    path = tmp_path / "near.dat"
    path.write_text(
        "$bins = 2\n$emin = 0\n$emax = 2\nenergy(#a)<@energy = {0,1,0,0.7004}:{0,1,0,0.3};>"
    )
    found = forefold.import_matrix(path, "globes")
    np.testing.assert_allclose(
        found.matrix, [[0.0, 0.0], [0.7004 / 1.0004, 0.3 / 1.0004]], rtol=1e-14
    )
    assert "1 row summed to 1 + 0.0004 at most" in repr(found)


@pytest.mark.parametrize("small", [1e-170, 5e-324])
def test_sums_whose_squares_are_none_are_quiet(small: float) -> None:
    bins = {"e": [0.0, 1.0, 2.0]}
    rows = np.array([[0.5, 0.25], [0.1, 0.8]])
    found = forefold.ResponseMatrix.from_array(rows, bins, bins, entries=[small, 100.0])
    np.testing.assert_allclose(found.variance[1], rows[1] * (1.0 - rows[1]) / 100.0, rtol=1e-14)
    assert np.isfinite(forefold.fold(found.truth, found).covariance).all()
    nearly = forefold.ResponseMatrix.from_array(rows, bins, bins, variance=np.full((2, 2), 1e-320))
    assert np.isinf(nearly.effective_entries).all()


def test_correlated_errors_are_not_lost_without_a_word(tmp_path: Path, run: Run) -> None:
    data, matrix = tmp_path / "data.json", tmp_path / "R.json"
    table = _spectrum(tmp_path, *BOTH)
    matrix.write_text(
        forefold.ResponseMatrix.from_array(
            ROWS, {"enu": EDGES}, {"enu": EDGES}, truth=[100.0, 50.0]
        ).to_json()
    )
    found = forefold.import_spectrum(table, "hepdata", correlated=["sys,flux"])
    data.write_text(found.to_json())
    refused(run("fit", str(data), str(matrix)), "data.json: errors of this spectrum are correlated")
    seen, both = tmp_path / "seen.json", str(matrix)
    seen.write_text(to_json(hist.Hist(*found.histogram.axes, data=np.array([50.0, 70.0]))))
    for command in (["fit"], ["limit"], ["unfold", "--method", "inversion"]):
        asked = [*command, str(seen), both, "--background", str(data)]
        refused(run(*asked), "data.json: errors of this spectrum are correlated")
    refused(
        run("import", "uhi", str(data), "--spectrum", "--density"),
        "--density: not of uhi with --spectrum, which has no options",
    )
