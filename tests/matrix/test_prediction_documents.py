"""Predictions as documents: everything comes back, and their notes go on in pipes."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest

import forefold
from forefold import ResponseMatrix
from forefold.cli import main
from forefold.matrix import Prediction, to_json
from forefold.matrix.json import notes_of, read_spectrum

EDGES = [0.0, 1.0, 2.0]
NOTE = "the spectrum: axis 'p' is taken for 'enu_true' of the matrix: same bins, another name"


def matrices() -> dict[str, ResponseMatrix]:
    rows = {"nominal": [[0.5, 0.3], [0.1, 0.7]], "width_up": [[0.45, 0.35], [0.15, 0.65]]}
    return {
        name: ResponseMatrix.from_array(each, {"enu": EDGES}, {"energy": EDGES}, entries=100.0)
        for name, each in rows.items()
    }


def spectrum(name: str = "p") -> hist.Hist[Any]:
    return hist.Hist(hist.axis.Regular(2, 0, 2, name=name)).fill([0.5] * 30 + [1.5] * 20 + [9.0])


def test_everything_comes_back() -> None:
    found = forefold.fold(spectrum(), matrices(), covariance=[3.0, 2.0])
    back = Prediction.from_json(found.to_json())
    assert back.histogram == found.histogram
    assert list(back.covariances) == ["matrix", "detector", "input"] == list(found.covariances)
    for name, covariance in found.covariances.items():
        np.testing.assert_array_equal(back.covariances[name], covariance)
    assert (back.notes, back.outside) == ((NOTE,), 1.0) == (found.notes, found.outside)
    assert repr(back) == repr(found)
    assert back.to_json() == found.to_json()
    filled = Prediction(found.histogram, {}, np.array([0.5, 0.25]), 0.0)
    again = Prediction.from_json(filled.to_json())
    np.testing.assert_array_equal(again.fakes, filled.fakes)
    assert (again.notes, again.outside, again.covariances) == ((), 0.0, {})


def test_what_is_no_prediction_is_refused() -> None:
    text = forefold.fold(spectrum(), matrices()).to_json()
    for broken, message in (
        ("[]", "not a prediction: a histogram 'prediction' is needed"),
        (to_json(spectrum()), "not a prediction"),
        ("{", "not UHI JSON"),
        (text.replace('"[\\"the', '"{\\"the'), "forefold_notes: a list of texts is expected"),
        (text.replace('"covariance_matrix": {', '"covariance_matrix": {"a": '), "not UHI JSON"),
    ):
        with pytest.raises(ValueError, match=message):
            Prediction.from_json(broken)
    content = json.loads(text)
    content["covariance_matrix"] = content["prediction"]
    with pytest.raises(ValueError, match=r"covariance_matrix has shape \(2,\)"):
        Prediction.from_json(json.dumps(content))
    assert notes_of(spectrum()) == []


@pytest.mark.parametrize(
    "command",
    [
        "fit - R.json --fix width=0",
        "limit - R.json --fix width=0",
        "unfold - one.json --method inversion",
    ],
)
def test_notes_go_on_in_a_pipe(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    from forefold.matrix.variations import written_set

    monkeypatch.chdir(tmp_path)
    Path("R.json").write_text(written_set(matrices()))
    Path("one.json").write_text(matrices()["nominal"].to_json())
    Path("s.json").write_text(to_json(spectrum()))
    assert main(["fold", "s.json", "one.json"]) == 0
    told = capsys.readouterr()
    assert f"note: {NOTE}" in told.err
    assert Prediction.from_json(told.out).notes == (NOTE,)
    assert read_spectrum(told.out).values().sum() > 0.0
    monkeypatch.setattr(sys, "stdin", io.StringIO(told.out))
    assert main(command.split()) == 0
    told = capsys.readouterr()
    assert f"note: of the prediction: {NOTE}" in told.err
    assert f"of the prediction: {NOTE}" in told.out


def test_notes_are_no_origin(tmp_path: Path) -> None:
    path = tmp_path / "folded.json"
    path.write_text(forefold.fold(spectrum(), matrices()).to_json())
    with pytest.raises(ValueError, match="no provenance of forefold is in it"):
        forefold.cite(str(path))
