"""Workspaces, read by pyhf: skipped where it is not installed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import format_matrices
import hist
import numpy as np
import pytest
import spectra

import forefold
from forefold.matrix.formats import pyhf as workspaces

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
@pytest.mark.parametrize("make", [format_matrices.filled, format_matrices.exact])
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
    matrix = format_matrices.filled()
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


@pytest.fixture
def minimised() -> Iterator[Any]:
    """Give pyhf with MIGRAD, and put back what minimises otherwise: the tests after this one use pyhf, too."""
    pyhf = pytest.importorskip("pyhf")
    before = pyhf.get_backend()
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(strategy=2))
    yield pyhf
    pyhf.set_backend(*before)


def test_pyhf_has_the_likelihood_of_an_experiment(minimised: Any) -> None:
    """Likelihood ratios of a norm, the statistics of a small simulation profiled, with a background."""
    pyhf = minimised
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
    matrix = format_matrices.exact()
    spectrum = _spectrum(matrix)
    made = workspaces.workspace(matrix, signal=spectrum, per_true_bin=True)
    truth = np.array([1.2, 0.9, 1.1, 0.8, 1.3])
    counts = (truth * np.asarray(spectrum.values())) @ matrix.matrix
    made["observations"][0]["data"] = counts.tolist()
    workspace = pyhf.Workspace(made)
    model = workspace.model()
    best = pyhf.infer.mle.fit(workspace.data(model), model)
    np.testing.assert_allclose(best, truth, rtol=0.02)


def test_pyhf_takes_bins_in_which_nothing_is() -> None:
    pytest.importorskip("pyhf")
    reco = {"energy": [*format_matrices.RECO, 50.0, 90.0]}
    of = format_matrices.filled()
    rows = np.column_stack([of.matrix, np.zeros((5, 2))])
    matrix = forefold.ResponseMatrix.from_array(
        rows, {"enu": format_matrices.EDGES}, reco, entries=[500.0] * 5
    )
    for per_true_bin in (False, True):
        made = workspaces.workspace(matrix, per_true_bin=per_true_bin)
        model = _model(made)
        found = model.expected_actualdata(model.config.suggested_init())
        np.testing.assert_allclose(found, forefold.fold(matrix.truth, matrix).values, rtol=1e-12)


def _varied(per_row: float) -> forefold.ResponseMatrix:
    of = format_matrices.exact()
    rows = of.matrix * (1.0 + per_row * np.arange(5.0)[:, None])
    return forefold.ResponseMatrix.from_array(
        rows, of.true_axes[0], of.reco_axes[0], truth=np.asarray(of.truth.values())
    )


@pytest.mark.parametrize("per_true_bin", [False, True])
def test_pyhf_moves_with_the_detector(per_true_bin: bool) -> None:
    pytest.importorskip("pyhf")
    matrix = format_matrices.exact()
    varied = {
        "nominal": matrix,
        "scale_up": _varied(0.02),
        "scale_down": _varied(-0.03),
        "tail_up": _varied(0.01),
        "universe_0": _varied(0.04),
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


def _modifiers(made: dict[str, Any], sample: str) -> list[str]:
    (found,) = (s for s in made["channels"][0]["samples"] if s["name"] == sample)
    return [each["type"] for each in found["modifiers"]]


def _flat(axes: Any, values: Any) -> hist.Hist[Any]:
    made: hist.Hist[Any] = hist.Hist(*axes, storage=hist.storage.Double())
    made.view()[...] = values
    return made


def test_a_background_of_plain_numbers_has_no_errors(tmp_path: Path) -> None:
    """What hist gives as variances of plain numbers are the numbers: errors that an Experiment does not have."""
    matrix = format_matrices.filled()
    plain = _flat(matrix.reco_axes, np.full(6, 12.0))
    for background, expected in ((plain, []), (_background(matrix), ["shapesys"])):
        path = tmp_path / f"{len(expected)}.json"
        written = forefold.export_matrix(
            matrix, path, "pyhf", signal=_spectrum(matrix), background=background
        )
        assert _modifiers(json.loads(path.read_text()), "background") == expected
        assert any("background_variance=" in note for note in written.notes) is bool(expected)


@pytest.mark.parametrize("weighted", [False, True])
def test_pyhf_has_the_likelihood_of_an_experiment_with_such_a_background(
    minimised: Any, weighted: bool, tmp_path: Path
) -> None:
    """An exact matrix and plain numbers: nothing is uncertain but the norm, by hand and in both."""
    pyhf = minimised
    matrix = format_matrices.exact()
    signal = _flat(matrix.true_axes, np.linspace(30.0, 70.0, 5))
    background: Any = _flat(matrix.reco_axes, np.full(6, 9.0))
    variance = None
    if weighted:
        background = hist.Hist(*matrix.reco_axes, storage=hist.storage.Weight())
        background.view()["value"], background.view()["variance"] = 9.0, 0.09
        variance = np.full(6, 0.09)
    seen = np.array([14.0, 40.0, 55.0, 68.0, 47.0, 20.0])
    written = forefold.export_matrix(
        matrix,
        tmp_path / "w.json",
        "pyhf",
        signal=signal,
        background=background,
        observed=_flat(matrix.reco_axes, seen),
    )
    assert any("moves nothing" in note for note in written.notes) is not weighted
    workspace = pyhf.Workspace(json.loads((tmp_path / "w.json").read_text()))
    model = workspace.model()
    data = workspace.data(model)
    _, best = pyhf.infer.mle.fit(data, model, return_fitted_val=True)
    experiment = forefold.Experiment(
        signal, matrix, background=background, background_variance=variance
    )
    least = experiment.fit(seen).deviance
    for norm in (0.6, 0.9, 1.4):
        _, there = pyhf.infer.mle.fixed_poi_fit(norm, data, model, return_fitted_val=True)
        own = experiment.fit(seen, fixed={"normalisation": norm}).deviance - least
        assert there - best == pytest.approx(own, abs=0.05 if weighted else 1e-5)
