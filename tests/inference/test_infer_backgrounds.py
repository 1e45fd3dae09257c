"""Backgrounds that a response names, as templates of an experiment: expectations, norms, pulls and their statistics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest
from cc0pi import CARD, SETTINGS
from cli_runs import Run, refused

import forefold
from forefold import Experiment, Parameter, ResponseMatrix
from forefold.matrix import to_json
from forefold.matrix.variations import written_set

KNOWN = Parameter(1.0, lower=0.0, constraint=(1.0, 0.3))


@pytest.fixture(scope="module")
def matrices() -> dict[str, ResponseMatrix]:
    events = forefold.read(forefold.sample())
    varied = forefold.smear_variations(events, CARD, rng=1)
    return ResponseMatrix.from_variations(varied, **SETTINGS)


@pytest.fixture(scope="module")
def nominal(matrices: dict[str, ResponseMatrix]) -> ResponseMatrix:
    return matrices["nominal"]


def experiment(matrices: Any, **more: Any) -> Experiment:
    truth = (matrices["nominal"] if isinstance(matrices, dict) else matrices).truth
    return Experiment(truth, matrices, **more)


def test_everything_that_is_selected_is_expected(
    matrices: dict[str, ResponseMatrix], nominal: ResponseMatrix
) -> None:
    found = experiment(matrices)
    expected = found.predict()
    np.testing.assert_allclose(expected.values, nominal.reco.values(), rtol=1e-12)
    for name, each in expected.backgrounds.items():
        np.testing.assert_allclose(each, nominal.backgrounds[name].values(), rtol=1e-12)
    for pull in ("muon_efficiency", "momentum_scale"):
        for sign, way in ((1.0, "up"), (-1.0, "down")):
            moved = found.predict(**{pull: sign})
            other = matrices[f"{pull}_{way}"]
            signal = nominal.truth.values() @ other.matrix
            rest = other.not_signal.values()
            np.testing.assert_allclose(moved.values, signal + rest, rtol=1e-12)
            np.testing.assert_allclose(
                moved.backgrounds["one_pi"], other.backgrounds["one_pi"].values(), rtol=1e-12
            )
    assert experiment(matrices, fakes=False).predict().values.sum() == pytest.approx(
        nominal.counts.values().sum()
    )
    assert found.notes == ()


def test_norms_of_backgrounds(matrices: dict[str, ResponseMatrix], nominal: ResponseMatrix) -> None:
    found = experiment(matrices, parameters={"one_pi": KNOWN})
    assert list(found.parameters)[:2] == ["normalisation", "one_pi"]
    more = found.predict(one_pi=1.5).values - found.predict().values
    np.testing.assert_allclose(more, 0.5 * nominal.backgrounds["one_pi"].values(), rtol=1e-9)
    data = found.predict(one_pi=1.2, normalisation=1.1).values
    free = experiment(nominal, parameters={"one_pi": Parameter(1.0, lower=0.0)})
    fitted = free.fit(data, fixed={"normalisation": 1.1})
    assert fitted.values["one_pi"] == pytest.approx(1.2, abs=1e-3)
    assert free.upper_limit(data, "one_pi", fixed={"normalisation": 1.1}).value > 1.2
    with pytest.raises(
        ValueError, match=r"'onepi' is of nothing: .*; backgrounds of the response: on"
    ):
        experiment(matrices, parameters={"onepi": 1.0})
    with pytest.raises(ValueError, match="background 'one_pi' is of the response, too"):
        experiment(matrices, background={"one_pi": nominal.backgrounds["one_pi"]})
    beside = experiment(matrices, background={"cosmic": np.full(5, 2.0)}).predict()
    np.testing.assert_allclose(beside.values, nominal.reco.values() + 2.0, rtol=1e-12)


def test_backgrounds_are_as_many_as_the_truth_has_events(nominal: ResponseMatrix) -> None:
    ten = Experiment(nominal.truth * 10.0, nominal)
    np.testing.assert_allclose(ten.predict().values, 10.0 * nominal.reco.values(), rtol=1e-12)
    assert "are expected 10 times" in ten.notes[0]
    twice = Experiment(nominal.truth, nominal, exposure=2.0)
    np.testing.assert_allclose(twice.predict().values, 2.0 * nominal.reco.values(), rtol=1e-12)
    # a norm of the signal leaves backgrounds where they are, but not the fakes
    half = twice.predict(normalisation=0.5)
    np.testing.assert_allclose(half.backgrounds["any_cc"], twice.predict().backgrounds["any_cc"])
    with pytest.raises(ValueError, match="is nothing: begin elsewhere, or say fakes=False"):
        Experiment(nominal.truth, nominal, parameters={"normalisation": 0.0})


def test_slopes_and_statistics(
    matrices: dict[str, ResponseMatrix], nominal: ResponseMatrix
) -> None:
    found = experiment(matrices, parameters={"one_pi": KNOWN, "any_cc": KNOWN})
    alone = experiment(nominal).predict()
    spread = np.diagonal(alone.covariance)
    rest: Any = nominal.not_signal.variances()
    signal = np.diagonal(forefold.fold(nominal.truth, nominal).covariance)
    np.testing.assert_allclose(spread, signal + rest, rtol=1e-9)
    scaled = experiment(nominal, parameters={"one_pi": KNOWN}).predict(one_pi=2.0)
    own: Any = nominal.backgrounds["one_pi"].variances()
    np.testing.assert_allclose(np.diagonal(scaled.covariance), spread + 3.0 * own, rtol=1e-9)
    bare = experiment(nominal, statistics="none").predict()
    assert not bare.covariance.any()
    objective = found._problem(found.toys(1, rng=2)[0], None, 0).objective
    rng = np.random.default_rng(5)
    for _ in range(3):
        x = np.array([1.1, 0.9, 1.2, 0.4, -0.7]) * rng.normal(1.0, 0.1, 5)
        steps = 1e-6 * np.eye(5)
        slopes = [(objective.value(x + h) - objective.value(x - h)) / 2e-6 for h in steps]
        np.testing.assert_allclose(objective.all(x)[1], slopes, rtol=1e-5, atol=1e-4)


def test_on_the_command_line(
    run: Run, matrices: dict[str, ResponseMatrix], nominal: ResponseMatrix, tmp_path: Path
) -> None:
    response, data = tmp_path / "R.json", tmp_path / "data.json"
    response.write_text(written_set(matrices))
    counts: hist.Hist[Any] = hist.Hist(*nominal.reco_axes)
    counts.view()[...] = nominal.reco.values()
    data.write_text(to_json(counts))
    done = run("fit", data, response, "--constraint", "one_pi=1,0.3", "-o", tmp_path / "fit.json")
    assert done.code == 0, done.err
    fit = json.loads((tmp_path / "fit.json").read_text())
    assert fit["parameters"]["one_pi"]["value"] == pytest.approx(1.0, abs=1e-3)
    assert fit["parameters"]["normalisation"]["value"] == pytest.approx(1.0, abs=1e-3)
    done = run("fit", data, response, "--fakes", "ignore")
    assert "fakes and one_pi and neutral and any_cc of the matrix are ignored" in done.err
    refused(run("fit", data, response, "--background", f"one_pi={data}"), "is of the response, too")
    refused(run("fit", data, response, "--parameter", "onepi=1"), "'onepi' is of nothing")


def test_variations_with_other_backgrounds_are_refused(
    matrices: dict[str, ResponseMatrix], nominal: ResponseMatrix
) -> None:
    bare = ResponseMatrix.from_histograms(nominal.counts, nominal.truth)
    with pytest.raises(
        ValueError, match="has the backgrounds none, the nominal one has one_pi, neu"
    ):
        experiment({**matrices, "x_up": bare})
