"""JSON that an older forefold wrote loads, means the same numbers, and goes on through pipes.

The numbers here were printed by the forefold that wrote the files; `tests/data/README.md` says which and how.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import forefold
from forefold.matrix import Prediction
from forefold.matrix.json import read_spectrum
from forefold.matrix.uhi_json import provenance

if TYPE_CHECKING:
    from cli_runs import Run

OLDER = Path(__file__).parent / "data/older"
MATRIX, UNFOLDED, FIT = (OLDER / f"{name}.json" for name in ("matrix", "unfolded", "fit"))
ROWS = [
    [0.921875, 0.078125, 0.0, 0.0],
    [0.15217391304347827, 0.7760869565217391, 0.07173913043478261, 0.0],
    [0.0, 0.2562862669245648, 0.6653771760154739, 0.07833655705996131],
    [0.0, 0.0013850415512465374, 0.2146814404432133, 0.7285318559556787],
]
FOLDED = [571.0, 656.5, 597.5, 710.0]
FOLDED_VARIANCES = [413.0665760869565, 252.94639111268305, 224.21723687763114, 227.61961320638454]
VALUES = [116.01280691542873, 472.49468356823144, 497.9310159542598, 734.2441825160604]
ERRORS = [14.140030196266636, 30.428778424269662, 32.33727991992368, 36.072175619210725]
DATA = [549.0, 667.0, 580.0, 721.0]
NORMALISATION, WIDTH, DEVIANCE = 0.9945220815417163, 0.02209230533267647, 0.9800924936394595
INTERVAL = [0.9726289840198288, 1.016815550114349]


@pytest.fixture(scope="module")
def matrix() -> forefold.ResponseMatrix:
    return forefold.ResponseMatrix.from_json(MATRIX.read_text("utf-8"))


@pytest.fixture(scope="module")
def unfolded() -> forefold.Unfolded:
    return forefold.Unfolded.from_json(UNFOLDED.read_text("utf-8"))


@pytest.fixture(scope="module")
def fit() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(FIT.read_text("utf-8"))
    return read


@pytest.fixture
def data(fit: dict[str, Any], tmp_path: Path) -> Path:
    """The counts that were unfolded and fitted, as a file of their own."""
    path = tmp_path / "data.json"
    path.write_text(json.dumps(fit["data"]), encoding="utf-8")
    return path


def test_matrix_is_the_same(matrix: forefold.ResponseMatrix) -> None:
    assert matrix.matrix.tolist() == ROWS
    assert matrix.draws == 2
    assert matrix.replicas is not None
    assert matrix.replicas.shape == (10, 4, 4)
    assert matrix.effective_entries.tolist() == [128.0, 460.0, 517.0, 722.0]
    assert matrix.provenance["card"] == "nusmear-dune-cdr"
    assert matrix.provenance["signal"] == "cc"
    assert forefold.ResponseMatrix.from_json(matrix.to_json()) == matrix


def test_matrix_folds_to_the_same(matrix: forefold.ResponseMatrix) -> None:
    folded = forefold.fold(matrix.truth, matrix, fakes=True)
    assert folded.values == pytest.approx(FOLDED, rel=1e-12)
    assert np.diagonal(folded.covariance) == pytest.approx(FOLDED_VARIANCES, rel=1e-9)


def test_unfolded_is_the_same(unfolded: forefold.Unfolded) -> None:
    assert unfolded.values.tolist() == VALUES
    assert unfolded.errors == pytest.approx(ERRORS, rel=1e-12)
    assert (unfolded.method, unfolded.strength, unfolded.chosen) == ("bayes", 4.0, "given")
    assert unfolded.data.tolist() == DATA
    assert list(unfolded.covariances) == ["data", "matrix"]
    assert unfolded.warnings
    back = forefold.Unfolded.from_json(unfolded.to_json())
    assert back.values.tolist() == VALUES
    assert repr(back) == repr(unfolded)


def test_pictures(matrix: forefold.ResponseMatrix, unfolded: forefold.Unfolded) -> None:
    assert len(matrix.peek().axes) == 4  # matrix, colours, efficiency, purity
    assert unfolded.peek().axes[0].get_legend() is not None


def test_unfolds_to_the_same(run: Run, data: Path, unfolded: forefold.Unfolded) -> None:
    done = run("unfold", data, MATRIX, "--method", "bayes", "--iterations", 4, "-q")
    assert done.code == 0, done.err
    again = forefold.Unfolded.from_json(done.out)
    assert again.values == pytest.approx(VALUES, rel=1e-9)
    assert again.smearing == pytest.approx(unfolded.smearing, rel=1e-9)
    assert again.chi2 == pytest.approx(unfolded.chi2, rel=1e-9)


def test_unfolded_goes_on_through_pipes(run: Run, tmp_path: Path) -> None:
    out, picture = tmp_path / "folded.json", tmp_path / "folded.png"
    done = run("fold", UNFOLDED, MATRIX, "--plot", picture, "-o", out, "-q")
    assert done.code == 0, done.err
    assert picture.read_bytes()[1:4] == b"PNG"
    folded = Prediction.from_json(out.read_text("utf-8"))
    assert folded.values == pytest.approx(VALUES @ np.array(ROWS), rel=1e-12)


def test_fits_the_same(run: Run, data: Path, fit: dict[str, Any]) -> None:
    """The minimum is good to the tolerance of the minimiser, 1e-4 of a standard deviation."""
    assert fit["parameters"]["normalisation"]["value"] == NORMALISATION
    done = run("fit", data, MATRIX, "--interval", "normalisation", "-q")
    assert done.code == 0, done.err
    again = json.loads(done.out)
    assert set(again) >= set(fit)
    (one,) = again["parameters"].values()
    assert one["value"] == pytest.approx(NORMALISATION, abs=1e-4 * WIDTH)
    assert one["error"] == pytest.approx(WIDTH, rel=1e-3)
    assert again["deviance"] == pytest.approx(DEVIANCE, abs=1e-6)
    (interval,) = again["intervals"]
    ends = [interval["lower"], interval["upper"]]
    assert ends == pytest.approx(INTERVAL, abs=1e-3 * WIDTH)


def test_spectra_of_a_fit(fit: dict[str, Any]) -> None:
    predicted = read_spectrum(json.dumps(fit["prediction"]))
    assert read_spectrum(json.dumps(fit["data"])).values().tolist() == DATA
    assert predicted.axes[0].name == "visible_energy_reco"
    assert float(predicted.values().sum()) == pytest.approx(sum(FOLDED) * NORMALISATION, rel=1e-9)


@pytest.mark.parametrize(
    ("path", "cited"),
    [(MATRIX, "vohra"), (UNFOLDED, "dagostini1995"), (FIT, "wilks1938")],
    ids=["matrix", "unfolded", "fit"],
)
def test_is_cited(run: Run, path: Path, cited: str) -> None:
    done = run("cite", path)
    assert done.code == 0, done.err
    assert cited in done.out


def test_says_which_forefold_wrote_it(matrix: forefold.ResponseMatrix, fit: dict[str, Any]) -> None:
    spectrum = read_spectrum(UNFOLDED.read_text("utf-8"))
    versions = {matrix.provenance["version"], provenance(spectrum)["version"], fit["version"]}
    assert versions == {"0.1.0.dev405+g2d77bd24b"}
