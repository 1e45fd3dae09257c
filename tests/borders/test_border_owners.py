"""The files, read by the tools that they are for: skipped where a tool is not installed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import border_matrices
import hist
import numpy as np
import pytest
import spectra

import forefold
from forefold.borders import pyhf as workspaces

# other people's warnings are not ours
pytestmark = pytest.mark.filterwarnings("ignore")


def _spectrum(matrix: forefold.ResponseMatrix) -> hist.Hist[Any]:
    made: hist.Hist[Any] = hist.Hist(*matrix.true_axes, storage=hist.storage.Weight())
    made.view()["value"] = 100.0 * np.arange(1.0, 1.0 + made.size - 2)  # type: ignore[call-overload]
    return made


def _background(matrix: forefold.ResponseMatrix) -> hist.Hist[Any]:
    made: hist.Hist[Any] = hist.Hist(*matrix.reco_axes, storage=hist.storage.Weight())
    view: Any = made.view()
    view["value"], view["variance"] = 3.0, 0.25
    return made


def _model(made: dict[str, Any]) -> Any:
    pyhf = pytest.importorskip("pyhf")
    pyhf.schema.validate(made, "workspace.json")
    return pyhf.Workspace(made).model()


@pytest.mark.parametrize("per_true_bin", [False, True])
@pytest.mark.parametrize("make", [border_matrices.filled, border_matrices.exact])
def test_pyhf_expects_what_folding_predicts(
    make: Callable[[], forefold.ResponseMatrix], per_true_bin: bool, tmp_path: Path
) -> None:
    pytest.importorskip("pyhf")
    matrix = make()
    spectrum, background = _spectrum(matrix), _background(matrix)
    path = tmp_path / "workspace.json"
    forefold.export_matrix(
        matrix,
        path,
        "pyhf",
        signal=spectrum,
        background=background,
        per_true_bin=per_true_bin,
        fakes=True,
    )
    made = json.loads(path.read_text())
    model = _model(made)
    expected = forefold.fold(spectrum, matrix, fakes=True).values + 3.0
    start = model.config.suggested_init()
    np.testing.assert_allclose(model.expected_actualdata(start), expected, rtol=1e-12)
    np.testing.assert_allclose(made["observations"][0]["data"], expected, rtol=1e-12)
    name = "mu_1" if per_true_bin else "mu"
    moved = list(start)
    moved[model.config.par_slice(name).start] = 2.0
    more = np.asarray(spectrum.values()) @ matrix.matrix
    if per_true_bin:
        more = spectrum.values()[1] * matrix.matrix[1]
    np.testing.assert_allclose(model.expected_actualdata(moved), expected + more, rtol=1e-12)


@pytest.mark.parametrize("per_true_bin", [False, True])
def test_pyhf_knows_the_errors_of_matrix_and_background(per_true_bin: bool) -> None:
    pytest.importorskip("pyhf")
    matrix = border_matrices.filled()
    spectrum = _spectrum(matrix)
    made = workspaces.workspace(
        matrix, signal=spectrum, background=_background(matrix), per_true_bin=per_true_bin
    )
    model = _model(made)
    folded = forefold.fold(spectrum, matrix).covariance
    samples = made["channels"][0]["samples"][:-1]
    if per_true_bin:
        errors = np.array([each["modifiers"][1]["data"] for each in samples])
        np.testing.assert_allclose(np.square(errors).sum(axis=0), np.diagonal(folded), rtol=1e-10)
    else:
        steps = _statistics_of(model)
        np.testing.assert_allclose(steps.T @ steps, folded, rtol=1e-9, atol=1e-9)
    # a shapesys of 0.5 on 3 is a Poisson count of 36
    shape = model.config.param_set("background_forefold")
    np.testing.assert_allclose(shape.auxdata, [36.0] * 6)


def _statistics_of(model: Any) -> Any:
    """Give what each direction of the statistics moves, at a pull of 0.5 and -2 alike."""
    start = np.array(model.config.suggested_init())
    nominal = model.expected_actualdata(start)
    found = []
    for name in model.config.par_order:
        if not name.startswith("statistics_"):
            continue
        here = []
        for pull in (0.5, -2.0):
            moved = start.copy()
            moved[model.config.par_slice(name).start] = pull
            here.append((model.expected_actualdata(moved) - nominal) / pull)
        np.testing.assert_allclose(here[0], here[1], rtol=1e-9, atol=1e-9)
        found.append(here[0])
    return np.array(found)


def test_pyhf_has_the_likelihood_of_an_experiment() -> None:
    """Likelihood ratios of a norm, the statistics of a small simulation profiled, with a background."""
    pyhf = pytest.importorskip("pyhf")
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(strategy=2))
    rows, _ = spectra.spectrum(6, 9)
    edges = np.linspace(0.0, 10.0, 7), np.linspace(0.0, 10.0, 10)
    matrix = forefold.ResponseMatrix.from_array(rows, *edges, entries=60.0)
    true: hist.Hist[Any] = hist.Hist(*matrix.true_axes, data=np.linspace(30.0, 80.0, 6))
    known = np.stack([np.full(9, 4.0), np.zeros(9)], axis=-1)
    beside: hist.Hist[Any] = hist.Hist(*matrix.reco_axes, storage=hist.storage.Weight(), data=known)
    experiment = forefold.Experiment(true, matrix, background=beside)
    data = experiment.toys(1, rng=5)[0]
    counts: hist.Hist[Any] = hist.Hist(*matrix.reco_axes, data=data)
    made = workspaces.workspace(matrix, signal=true, background=beside, observed=counts)
    workspace = pyhf.Workspace(made)
    model = workspace.model()
    problem = experiment._problem(data, None, 0)
    best = problem.best()
    found, value = pyhf.infer.mle.fit(workspace.data(model), model, return_fitted_val=True)
    assert found[model.config.poi_index] == pytest.approx(best.x[0], abs=1e-3)
    for norm in (0.8, 1.0, 1.25):
        _, there = pyhf.infer.mle.fixed_poi_fit(
            norm, workspace.data(model), model, return_fitted_val=True
        )
        assert there - value == pytest.approx(problem.ratio(norm, best), abs=2e-3)
    # with bins taken as independent the ratios would be others
    assert len(_statistics_of(model)) >= 5


def test_pyhf_fits_what_was_put_in() -> None:
    pyhf = pytest.importorskip("pyhf")
    matrix = border_matrices.exact()
    spectrum = _spectrum(matrix)
    made = workspaces.workspace(matrix, signal=spectrum, per_true_bin=True)
    truth = np.array([1.2, 0.9, 1.1, 0.8, 1.3])
    counts = (truth * np.asarray(spectrum.values())) @ matrix.matrix
    made["observations"][0]["data"] = counts.tolist()
    workspace = pyhf.Workspace(made)
    model = workspace.model()
    best = pyhf.infer.mle.fit(workspace.data(model), model)
    np.testing.assert_allclose(best, truth, rtol=0.02)


def test_gammapy_folds_an_rmf_and_arf_as_forefold_does(tmp_path: Path) -> None:
    pytest.importorskip("gammapy.irf", exc_type=ImportError)
    from astropy.io import fits
    from gammapy.datasets.utils import apply_edisp
    from gammapy.irf import EDispKernel
    from gammapy.maps import RegionNDMap

    matrix = border_matrices.filled()
    forefold.export_matrix(matrix, tmp_path / "a.rmf", "ogip", area=250.0)
    with fits.open(tmp_path / "a.rmf") as rmf, fits.open(tmp_path / "a.arf") as arf:
        for each in (rmf, arf):
            each.verify("exception")
        kernel = EDispKernel.from_hdulist(rmf)
        area = RegionNDMap.from_hdulist(arf, format="ogip-arf")
    np.testing.assert_allclose(kernel.data.sum(axis=1), 1.0, rtol=1e-12)
    true, reco = kernel.axes["energy_true"], kernel.axes["energy"]
    assert (str(true.unit), str(area.unit)) == ("keV", "cm2")
    np.testing.assert_allclose(true.edges.to_value("GeV"), border_matrices.EDGES, rtol=1e-12)
    np.testing.assert_allclose(reco.edges.to_value("GeV"), border_matrices.RECO, rtol=1e-12)
    np.testing.assert_allclose(area.data.ravel(), 250.0 * matrix.efficiency, rtol=1e-12)
    # a fluence (1/cm2) in each true bin, times the area, through the energy dispersion
    truth = np.asarray(matrix.truth.values())
    events = area.copy(data=area.data * truth[:, None, None] / 250.0, unit="")
    counts = apply_edisp(events, kernel).data.ravel()
    np.testing.assert_allclose(counts, forefold.fold(matrix.truth, matrix).values, rtol=1e-12)


def test_astropy_finds_the_keywords_of_the_memo(tmp_path: Path) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    matrix = border_matrices.exact()
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

    matrix = border_matrices.filled()
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
        np.testing.assert_array_equal(file["response"].axis("x").edges(), border_matrices.EDGES)
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

    matrix = border_matrices.exact()
    made: hist.Hist[Any] = hist.Hist(
        hist.axis.Variable(border_matrices.RECO), hist.axis.Variable(border_matrices.EDGES)
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
    matrix = border_matrices.filled()
    forefold.export_matrix(matrix, tmp_path / "c.json", "correctionlib")
    found = correctionlib.CorrectionSet.from_file(str(tmp_path / "c.json"))
    assert list(found) == ["efficiency", "migration", "response"]
    middle = [
        0.5 * (np.array(e[1:]) + np.array(e[:-1]))
        for e in (border_matrices.EDGES, border_matrices.RECO)
    ]
    np.testing.assert_array_equal(found["efficiency"].evaluate(middle[0]), matrix.efficiency)
    at = [each.ravel() for each in np.meshgrid(*middle, indexing="ij")]
    for name, expected in (("migration", matrix.migration), ("response", matrix.matrix)):
        np.testing.assert_allclose(found[name].evaluate(*at), expected.ravel(), rtol=1e-15)
    assert found["efficiency"].evaluate(0.1) == found["response"].evaluate(1.2, 99.0) == 0.0


def test_correctionlib_accepts_several_axes_by_its_schema(tmp_path: Path) -> None:
    schema = pytest.importorskip("correctionlib.schemav2")
    matrix = border_matrices.flat_two()
    forefold.export_matrix(matrix, tmp_path / "c.json", "correctionlib")
    made = schema.CorrectionSet.model_validate_json((tmp_path / "c.json").read_text())
    found = made.to_evaluator()["response"].evaluate(2.0, 1.5, 1.0, 2.5)
    assert found == matrix.matrix[4, 2]  # q2 bin 1, w bin 1; q2 bin 0, w bin 2


def test_hepdata_accepts_the_submission(tmp_path: Path) -> None:
    validator = pytest.importorskip("hepdata_validator.full_submission_validator")
    yaml = pytest.importorskip("yaml")
    matrix = border_matrices.filled()
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
    assert headers[0] == {"name": "True enu", "units": "GeV"}


def test_hist_reads_the_histogram_of_probabilities(tmp_path: Path) -> None:
    import uhi.io.json
    import uhi.schema

    matrix = border_matrices.filled()
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
    matrix = border_matrices.filled()
    forefold.export_matrix(matrix, tmp_path / "r.npz", "remu", toys=toys, rng=3)
    predictor = likelihood.ResponseMatrixPredictor(tmp_path / "r.npz")
    truth = np.asarray(matrix.truth.values())
    found, weights = predictor(truth)
    rows = matrix.toys(toys, rng=3) if toys else matrix.matrix[None]
    np.testing.assert_allclose(found, truth @ rows, rtol=1e-12)
    assert np.shape(found) == (max(toys, 1), 6)
    assert np.all(np.asarray(weights) == 1.0)
    assert predictor.bounds[0][1] == pytest.approx(truth[0])


def test_pyhf_takes_bins_in_which_nothing_is() -> None:
    pytest.importorskip("pyhf")
    reco = {"energy": [*border_matrices.RECO, 50.0, 90.0]}
    of = border_matrices.filled()
    rows = np.column_stack([of.matrix, np.zeros((5, 2))])
    matrix = forefold.ResponseMatrix.from_array(
        rows, {"enu": border_matrices.EDGES}, reco, entries=[500.0] * 5
    )
    for per_true_bin in (False, True):
        made = workspaces.workspace(matrix, per_true_bin=per_true_bin)
        model = _model(made)
        found = model.expected_actualdata(model.config.suggested_init())
        np.testing.assert_allclose(found, forefold.fold(matrix.truth, matrix).values, rtol=1e-12)


def _varied(per_row: float) -> forefold.ResponseMatrix:
    of = border_matrices.exact()
    rows = of.matrix * (1.0 + per_row * np.arange(5.0)[:, None])
    return forefold.ResponseMatrix.from_array(
        rows, of.true_axes[0], of.reco_axes[0], truth=np.asarray(of.truth.values())
    )


@pytest.mark.parametrize("per_true_bin", [False, True])
def test_pyhf_moves_with_the_detector(per_true_bin: bool) -> None:
    pytest.importorskip("pyhf")
    matrix = border_matrices.exact()
    varied = {
        "nominal": matrix,
        "scale_up": _varied(0.02),
        "scale_down": _varied(-0.03),
        "tail_up": _varied(0.01),
        "throw_0": _varied(0.04),
    }
    made = workspaces.workspace(matrix, variations=varied, per_true_bin=per_true_bin)
    model = _model(made)
    start = model.config.suggested_init()
    places = {name: model.config.par_slice(name).start for name in ("scale", "tail")}
    expected = forefold.fold(matrix.truth, matrix).values
    np.testing.assert_allclose(model.expected_actualdata(start), expected, rtol=1e-12)
    for name, pull, of in (
        ("scale", 1.0, forefold.fold(matrix.truth, varied["scale_up"]).values),
        ("scale", -1.0, forefold.fold(matrix.truth, varied["scale_down"]).values),
        ("tail", 1.0, forefold.fold(matrix.truth, varied["tail_up"]).values),
        ("tail", -1.0, 2.0 * expected - forefold.fold(matrix.truth, varied["tail_up"]).values),
    ):
        moved = list(start)
        moved[places[name]] = pull
        np.testing.assert_allclose(model.expected_actualdata(moved), of, rtol=1e-12)
    assert not [each for each in model.config.par_order if each.startswith("throw")]


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
