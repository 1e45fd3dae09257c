"""The files, read by the tools that they are for: skipped where a tool is not installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import format_matrices
import hist
import numpy as np
import pytest

import forefold

# other people's warnings are not ours
pytestmark = pytest.mark.filterwarnings("ignore")


def test_gammapy_folds_an_rmf_and_arf_as_forefold_does(tmp_path: Path) -> None:
    pytest.importorskip("gammapy.irf", exc_type=ImportError)
    from astropy.io import fits
    from gammapy.datasets.utils import apply_edisp
    from gammapy.irf import EDispKernel
    from gammapy.maps import RegionNDMap

    matrix = format_matrices.filled()
    forefold.export_matrix(matrix, tmp_path / "a.rmf", "ogip", area=250.0)
    with fits.open(tmp_path / "a.rmf") as rmf, fits.open(tmp_path / "a.arf") as arf:
        for each in (rmf, arf):
            each.verify("exception")
        kernel = EDispKernel.from_hdulist(rmf)
        area = RegionNDMap.from_hdulist(arf, format="ogip-arf")
    np.testing.assert_allclose(kernel.data.sum(axis=1), 1.0, rtol=1e-12)
    true, reco = kernel.axes["energy_true"], kernel.axes["energy"]
    assert (str(true.unit), str(area.unit)) == ("keV", "cm2")
    np.testing.assert_allclose(true.edges.to_value("GeV"), format_matrices.EDGES, rtol=1e-12)
    np.testing.assert_allclose(reco.edges.to_value("GeV"), format_matrices.RECO, rtol=1e-12)
    np.testing.assert_allclose(area.data.ravel(), 250.0 * matrix.efficiency, rtol=1e-12)
    # a fluence (1/cm2) in each true bin, times the area, through the energy dispersion
    truth = np.asarray(matrix.truth.values())
    events = area.copy(data=area.data * truth[:, None, None] / 250.0, unit="")
    counts = apply_edisp(events, kernel).data.ravel()
    np.testing.assert_allclose(counts, forefold.fold(matrix.truth, matrix).values, rtol=1e-12)


def test_astropy_finds_the_keywords_of_the_memo(tmp_path: Path) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    matrix = format_matrices.exact()
    forefold.export_matrix(matrix, tmp_path / "a.rmf", "ogip")
    with fits.open(tmp_path / "a.rmf") as rmf:
        table, bounds = rmf["MATRIX"], rmf["EBOUNDS"]
        words = {key: table.header[key] for key in ("HDUCLASS", "HDUCLAS1", "HDUCLAS2", "HDUCLAS3")}
        assert list(words.values()) == ["OGIP", "RESPONSE", "RSP_MATRIX", "REDIST"]
        assert table.columns.names.index("F_CHAN") + 1 == 4  # TLMIN4 is of F_CHAN
        assert (table.header["TLMIN4"], table.header["DETCHANS"]) == (0, 6)
        assert table.columns["ENERG_LO"].unit == bounds.columns["E_MIN"].unit == "keV"
        first = bounds.data["CHANNEL"]
        assert first.tolist() == list(range(6))
        row, lead = table.data["MATRIX"][4], int(table.data["F_CHAN"][4][0])
        assert len(row) == table.data["N_CHAN"][4][0]
        np.testing.assert_array_equal(row, matrix.migration[4][lead : lead + len(row)])


def test_an_rmf_that_gammapy_wrote_is_read(tmp_path: Path) -> None:
    pytest.importorskip("gammapy.irf", exc_type=ImportError)
    from gammapy.irf import EDispKernel
    from gammapy.maps import MapAxis

    true = MapAxis.from_energy_edges([1.0, 2.0, 4.0, 8.0], unit="TeV", name="energy_true")
    reco = MapAxis.from_energy_edges([0.5, 1.0, 2.0, 4.0, 8.0], unit="TeV")
    made = EDispKernel.from_gauss(true, reco, sigma=0.2, bias=0.0)
    made.write(tmp_path / "g.rmf", format="ogip")
    found = forefold.import_matrix(tmp_path / "g.rmf", "ogip")
    np.testing.assert_allclose(found.matrix, made.pdf_matrix, atol=1e-7)
    np.testing.assert_allclose(found.true_axes[0].edges, [1e3, 2e3, 4e3, 8e3], rtol=1e-6)


def test_uproot_reads_the_th2s_as_they_are_said_to_be(tmp_path: Path) -> None:
    import uproot

    matrix = format_matrices.filled()
    forefold.export_matrix(matrix, tmp_path / "a.root", "root")
    forefold.export_matrix(matrix, tmp_path / "b.root", "roounfold")
    inside = np.asarray(matrix.counts.values())
    with uproot.open(tmp_path / "a.root") as file:
        assert file.classnames(cycle=False) == {
            "response": "TH2D",
            "counts": "TH2D",
            "truth": "TH1D",
            "fakes": "TH1D",
        }
        np.testing.assert_array_equal(file["response"].values(), matrix.matrix)
        np.testing.assert_allclose(file["response"].variances(), matrix.variance, rtol=1e-12)
        assert file["response"].axis("x").member("fTitle") == "enu_true [GeV]"
        np.testing.assert_array_equal(file["response"].axis("x").edges(), format_matrices.EDGES)
    with uproot.open(tmp_path / "b.root") as file:
        response, measured, truth = (file[key] for key in ("response", "measured", "truth"))
        np.testing.assert_array_equal(response.values(), inside.T)
        assert response.axis("x").member("fTitle") == "visible_energy_reco [GeV]"
        flow = response.values(flow=True)
        assert flow.sum() == pytest.approx(inside.sum(), rel=1e-12)  # empty flow bins
        # as RooUnfoldResponse::Setup does: fakes and missed ones are what is left
        fakes = measured.values() - response.values().sum(axis=1)
        missed = truth.values() - response.values().sum(axis=0)
        np.testing.assert_allclose(fakes, matrix.fakes.values(), atol=1e-10)
        np.testing.assert_allclose(missed, matrix.misses.values(), atol=1e-10)
        np.testing.assert_allclose(
            measured.errors(), np.sqrt(np.asarray(matrix.reco.variances())), rtol=1e-12
        )


def test_a_th2_with_the_truth_upwards_is_turned(tmp_path: Path) -> None:
    import uproot

    matrix = format_matrices.exact()
    made: hist.Hist[Any] = hist.Hist(
        hist.axis.Variable(format_matrices.RECO), hist.axis.Variable(format_matrices.EDGES)
    )
    made.view()[...] = matrix.matrix.T
    with uproot.recreate(tmp_path / "p.root") as file:
        file["migration"] = made
    found = forefold.import_matrix(
        tmp_path / "p.root", "root", name="migration", orientation="true-y", true="enu", reco="evis"
    )
    np.testing.assert_array_equal(found.matrix, matrix.matrix)
    assert [found.true_axes[0].name, found.reco_axes[0].name] == ["enu_true", "evis_reco"]


def test_correctionlib_evaluates_efficiency_and_migration(tmp_path: Path) -> None:
    correctionlib = pytest.importorskip("correctionlib")
    matrix = format_matrices.filled()
    forefold.export_matrix(matrix, tmp_path / "c.json", "correctionlib")
    found = correctionlib.CorrectionSet.from_file(str(tmp_path / "c.json"))
    assert list(found) == ["efficiency", "migration", "response"]
    middle = [
        0.5 * (np.array(e[1:]) + np.array(e[:-1]))
        for e in (format_matrices.EDGES, format_matrices.RECO)
    ]
    np.testing.assert_array_equal(found["efficiency"].evaluate(middle[0]), matrix.efficiency)
    at = [each.ravel() for each in np.meshgrid(*middle, indexing="ij")]
    for name, expected in (("migration", matrix.migration), ("response", matrix.matrix)):
        np.testing.assert_allclose(found[name].evaluate(*at), expected.ravel(), rtol=1e-15)
    assert found["efficiency"].evaluate(0.1) == found["response"].evaluate(1.2, 99.0) == 0.0


def test_correctionlib_accepts_several_axes_by_its_schema(tmp_path: Path) -> None:
    schema = pytest.importorskip("correctionlib.schemav2")
    matrix = format_matrices.flat_two()
    forefold.export_matrix(matrix, tmp_path / "c.json", "correctionlib")
    made = schema.CorrectionSet.model_validate_json((tmp_path / "c.json").read_text())
    found = made.to_evaluator()["response"].evaluate(2.0, 1.5, 1.0, 2.5)
    assert found == matrix.matrix[4, 2]  # q2 bin 1, w bin 1; q2 bin 0, w bin 2


def test_hepdata_accepts_the_submission(tmp_path: Path) -> None:
    validator = pytest.importorskip("hepdata_validator.full_submission_validator")
    yaml = pytest.importorskip("yaml")
    matrix = format_matrices.filled()
    folder = tmp_path / "submission"
    forefold.export_matrix(matrix, folder, "hepdata")
    checked = validator.FullSubmissionValidator()
    assert checked.validate(directory=str(folder)), checked.get_messages()
    table = yaml.safe_load((folder / "response.yaml").read_text())
    column = table["dependent_variables"][0]["values"]
    assert all(isinstance(each["value"], float) for each in column)  # 1e-05 is a word in YAML 1.1
    errors = [each.get("errors", [{"symerror": 0.0}])[0]["symerror"] for each in column]
    np.testing.assert_allclose(np.square(errors), matrix.variance.ravel(), rtol=1e-12)
    headers = [each["header"] for each in table["independent_variables"]]
    assert headers[0] == {"name": r"True $E_\nu$", "units": "GeV"}


def test_hist_reads_the_histogram_of_probabilities(tmp_path: Path) -> None:
    import uhi.io.json
    import uhi.schema

    matrix = format_matrices.filled()
    forefold.export_matrix(matrix, tmp_path / "u.json", "uhi")
    text = (tmp_path / "u.json").read_text()
    uhi.schema.validate({"response": json.loads(text)})
    found = hist.Hist(json.loads(text, object_hook=uhi.io.json.object_hook))
    np.testing.assert_array_equal(found.values(), matrix.matrix)
    np.testing.assert_allclose(np.asarray(found.variances(), dtype=float), matrix.variance)
    assert [axis.name for axis in found.axes] == ["enu_true", "visible_energy_reco"]


@pytest.mark.parametrize("toys", [0, 7])
def test_remu_predicts_what_folding_predicts(
    toys: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("remu")
    # ReMU 0.8 wants functions that scipy and numpy no longer have; predicting does not call the first
    monkeypatch.setattr("scipy.misc.derivative", None, raising=False)
    monkeypatch.setattr(np, "asfarray", lambda a: np.asarray(a, dtype=float), raising=False)
    likelihood = pytest.importorskip("remu.likelihood")
    matrix = format_matrices.filled()
    forefold.export_matrix(matrix, tmp_path / "r.npz", "remu", toys=toys, rng=3)
    predictor = likelihood.ResponseMatrixPredictor(tmp_path / "r.npz")
    truth = np.asarray(matrix.truth.values())
    found, weights = predictor(truth)
    rows = matrix.toys(toys, rng=3) if toys else matrix.matrix[None]
    np.testing.assert_allclose(found, truth @ rows, rtol=1e-12)
    assert np.shape(found) == (max(toys, 1), 6)
    assert np.all(np.asarray(weights) == 1.0)
    assert predictor.bounds[0][1] == pytest.approx(truth[0])


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("said", [True, False])
def test_an_rmf_with_groups_and_32_bits_is_read(first: int, said: bool, tmp_path: Path) -> None:
    """Channels from 0 or 1, which TLMIN or EBOUNDS says; two groups a row; fixed cells; unsigned counts."""
    fits = pytest.importorskip("astropy.io.fits")
    rows = np.array([[0.5, 0.2, 0.0, 0.3], [0.0, 0.25, 0.25, 0.5]])
    column = fits.Column
    matrix = fits.BinTableHDU.from_columns(
        [
            column("ENERG_LO", "E", array=[1.0, 2.0], unit="MeV"),
            column("ENERG_HI", "E", array=[2.0, 4.0], unit="MeV"),
            column("N_GRP", "I", array=[2, 1]),
            column("F_CHAN", "2I", array=[[first, first + 3], [first + 1, 0]]),
            column("N_CHAN", "2I", bzero=2**15, array=np.array([[2, 1], [3, 0]], dtype=np.uint16)),
            column("MATRIX", "4E", array=[[0.5, 0.2, 0.3, 0.0], [0.25, 0.25, 0.5, 0.0]]),
        ],
        name="MATRIX",
    )
    if said:
        matrix.header["TLMIN4"] = first
    bounds = fits.BinTableHDU.from_columns(
        [
            column("CHANNEL", "I", array=first + np.arange(4)),
            column("E_MIN", "E", array=[0.0, 1.0, 2.0, 3.0], unit="MeV"),
            column("E_MAX", "E", array=[1.0, 2.0, 3.0, 4.0], unit="MeV"),
        ],
        name="EBOUNDS",
    )
    fits.HDUList([fits.PrimaryHDU(), matrix, bounds]).writeto(tmp_path / "a.rmf")
    found = forefold.import_matrix(tmp_path / "a.rmf", "ogip")
    np.testing.assert_allclose(found.matrix, rows, rtol=1e-6)
    np.testing.assert_allclose(found.true_axes[0].edges, [0.001, 0.002, 0.004], rtol=1e-6)
