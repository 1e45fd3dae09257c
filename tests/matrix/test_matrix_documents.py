"""Response matrices and predictions as UHI JSON, and as commands that pipe."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest
import uhi.io.json
import uhi.schema

import forefold
from forefold import ResponseMatrix, cli
from forefold.matrix import from_json, to_json
from forefold.matrix.json import read_spectrum, written_prediction
from forefold.matrix.variations import read_set, written_set

CARD = ["-d", "nusmear-dune-cdr", "--rng", "1"]
AXIS = ["--axis", "visible_energy=0:6:3"]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def call(*arguments: object, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        try:
            code = cli.main([str(a) for a in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, *capsys.readouterr()

    return call


def matrix() -> ResponseMatrix:
    rng = np.random.default_rng(1)
    true = rng.uniform(-1, 5, 500)
    return ResponseMatrix.from_columns(
        true,
        true + rng.normal(0, 0.3, 500),
        true_axes="x=0:4:4",
        reco_axes={"y": [0.0, 1.0, 3.0]},
        replicas=3,
        rng=2**64 - 1,
    )


def flux() -> str:
    made: hist.Hist[Any] = hist.Hist(hist.axis.Regular(3, 0, 6, name="visible_energy"))
    return to_json(made.fill([1, 1, 3, 5]))


def test_matrices_come_back_as_they_were(gst_file: Path) -> None:
    events = forefold.read(gst_file)
    drawn = ResponseMatrix.from_events(events, "nusmear-dune-cdr", true="q2=0:2:4", rng=1, draws=3)
    exact = ResponseMatrix.from_array(np.eye(2), [0, 1, 2], [0, 1, 2])
    for each in (matrix(), drawn, exact):
        back = ResponseMatrix.from_json(each.to_json())
        assert back == each
        np.testing.assert_array_equal(back.matrix, each.matrix)
        np.testing.assert_array_equal(back.row_covariance(), each.row_covariance())
        np.testing.assert_array_equal(back.fakes.values(flow=True), each.fakes.values(flow=True))
        assert (back.exact, back.draws) == (each.exact, each.draws)
    np.testing.assert_array_equal(
        ResponseMatrix.from_json(matrix().to_json()).replicas, matrix().replicas
    )
    assert ResponseMatrix.from_json(drawn.to_json()).provenance["card"] == "nusmear-dune-cdr"


def test_every_part_is_uhi() -> None:
    content = json.loads(matrix().to_json(), object_hook=uhi.io.json.object_hook)
    assert {"counts", "truth", "alone", "replica_counts", "replica_truth"} == set(content)
    assert [a.name for a in hist.Hist(content["counts"]).axes] == ["x_true", "y_reco"]
    uhi.schema.validate(json.loads(matrix().to_json()))


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    content = json.loads(matrix().to_json())
    change(content)
    return json.dumps(content)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not UHI JSON"),
        (changed(lambda c: c["counts"]["axes"][0].update(lower=None)), "incompatible constructor"),
        (changed(lambda c: c["truth"]["storage"]["values"].__setitem__(1, 1e308)), "absurd"),
        ("[]", "histograms counts, truth, alone are needed, found list"),
        ("{}", "found nothing"),
        (flux(), "this is one histogram"),
        (changed(lambda c: c.pop("truth")), "are needed, found counts, alone"),
        (changed(lambda c: c["truth"].pop("storage")), "'storage' is missing"),
        (
            changed(lambda c: c["counts"]["metadata"].update(forefold_response_matrix=9)),
            "version 9, of which",
        ),
        (
            changed(lambda c: c["counts"]["metadata"].pop("forefold_response_matrix")),
            "version none",
        ),
        (
            changed(lambda c: c["truth"]["axes"][0].update(upper=5.0)),
            "counts: axis 0 .'x_true'. has edge",
        ),
        (changed(lambda c: c["truth"].update(c["alone"])), "has 2 bins from|has 4 bins from"),
        (
            changed(lambda c: c["truth"]["storage"]["values"].__setitem__(0, float("nan"))),
            "NaN, infinite",
        ),
        (
            changed(lambda c: c["truth"]["storage"]["variances"].__setitem__(0, -1)),
            "negative variance",
        ),
        (
            changed(lambda c: c["truth"].update(storage={"type": "double", "values": [0.0] * 6})),
            "Weight is needed",
        ),
        (changed(lambda c: c.update(replica_counts=c["truth"])), "replica_counts has shape"),
    ],
)
def test_texts_that_are_no_matrix(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        ResponseMatrix.from_json(text)
    assert "\n" not in str(caught.value)


def test_sets_of_variations() -> None:
    both = {"nominal": matrix(), "a_up": matrix().rebin(x_true=1)}
    back = read_set(written_set(both))
    assert list(back) == ["nominal", "a_up"]
    assert back["a_up"] == both["a_up"]
    assert ResponseMatrix.from_json(written_set(both)) == both["nominal"]


def test_spectra_and_predictions() -> None:
    made = matrix()
    found = forefold.fold(made.truth, made)
    text = written_prediction(found)
    assert read_spectrum(text) == found.histogram
    parts = json.loads(text, object_hook=uhi.io.json.object_hook)
    np.testing.assert_array_equal(
        hist.Hist(parts["covariance_matrix"]).values(), found.covariances["matrix"]
    )
    assert read_spectrum(flux()) == from_json(flux())
    assert read_spectrum(json.dumps({"only": json.loads(flux())})) == from_json(flux())
    with pytest.raises(ValueError, match="several histograms"):
        read_spectrum(json.dumps({"a": json.loads(flux()), "b": json.loads(flux())}))
    with pytest.raises(ValueError, match="this is a response matrix"):
        read_spectrum(made.to_json())


def test_matrix_and_fold_as_commands(run: Run, gst_file: Path, tmp_path: Path) -> None:
    out, spectrum = tmp_path / "R.json", tmp_path / "flux.json"
    spectrum.write_text(flux())
    code, _, err = run("matrix", gst_file, *CARD, *AXIS, "-o", out)
    assert (code, "efficiency" in err) == (0, True)
    made = ResponseMatrix.from_events(
        forefold.read(gst_file), "nusmear-dune-cdr", true="visible_energy=0:6:3", rng=1
    )
    assert ResponseMatrix.from_json(out.read_text()).matrix.tolist() == made.matrix.tolist()
    code, text, err = run("fold", spectrum, out)
    assert (code, "Prediction of" in err) == (0, True)
    expected = forefold.fold(from_json(flux()), made)
    np.testing.assert_allclose(
        read_spectrum(text).values().reshape(-1), expected.values, rtol=1e-12
    )
    assert run("fold", "-", out, "-q", stdin=flux()) == (0, text, "")
    assert run("fold", spectrum, "-", "-q", stdin=out.read_text()) == (0, text, "")
    folded = tmp_path / "P.json"
    assert run("fold", spectrum, out, "-q", "--fakes", "-o", folded)[0] == 0
    assert np.sum(read_spectrum(folded.read_text()).values()) > expected.values.sum()
    # chunks and pipes change nothing
    code, piped, _ = run("matrix", gst_file, *CARD, *AXIS, "-q", "--chunk", 70)
    assert json.loads(piped) == json.loads(out.read_text())


def test_matrix_options(run: Run, gst_file: Path, tmp_path: Path) -> None:
    sides = ["--true-axis", "enu=0:6:3", "--reco-axis", "visible_energy=0:6:4"]
    code, text, err = run(
        "matrix",
        gst_file,
        "-d",
        "dune-fd-uncertainties",
        "--rng",
        1,
        *sides,
        "--signal",
        "cc",
        "--variations",
        "muon_p0_up",
    )
    assert code == 0
    assert "and 1 variations" in err
    assert list(read_set(text)) == ["nominal", "muon_p0_up"]
    code, text, _ = run(
        "matrix",
        gst_file,
        *CARD,
        "-q",
        "--axis",
        "momentum=0:4:4",
        "--of",
        "mu-",
        "--draws",
        2,
        "--replicas",
        3,
    )
    found = ResponseMatrix.from_json(text)
    assert (found.draws, len(found.replicas), found.provenance["of"]) == (2, 3, "mu-")
    smeared = tmp_path / "s.parquet"
    assert run("smear", gst_file, *CARD, "-q", "-o", smeared)[0] == 0
    assert run("matrix", smeared, *AXIS, "-q")[0] == 0
    # what it did before is what it does
    old = from_json(run("matrix", gst_file, *CARD, "--axis", "z", "-q")[1])
    assert [a.name for a in old.axes] == ["energy_true", "energy_reco"]
    assert run("matrix", gst_file, "-d", "nusmear-default", *AXIS)[2].endswith("\n")
    assert "rng " in run("matrix", gst_file, "-d", "nusmear-default", *AXIS, "-q")[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["matrix", "GST", *CARD, "--axis", "y"], "argument --axis"),
        (["matrix", "GST", *CARD, "--true-axis", "enu=0:6:3"], "no reco axis: give --reco-axis"),
        (["matrix", "GST", *CARD, *AXIS, "--by-type"], "--by-type: not with --axis"),
        (["matrix", "GST", *CARD, *AXIS, "--bins", "5"], "--bins: not with --axis"),
        (["matrix", "GST", *CARD, "--draws", "5"], "--draws: not without --axis"),
        (["matrix", "GST", *AXIS], "not a file of smeared events"),
        (["matrix", "GST", "--rng", "1", *AXIS], "--rng: not for events that are smeared"),
        (["matrix", "GST", *CARD, *AXIS, "-o", "x.txt"], "written as .json"),
        (
            ["matrix", "GST", *CARD, *AXIS, "--variations", "all", "--draws", "2"],
            "--draws: not with --variations",
        ),
        (["fold", "-", "-"], "only one of SPECTRUM and MATRIX"),
        (["fold", "GST", "GST"], "0 TH1s: none; say which histogram is meant"),
        (["fold", "-", "GST"], "a ROOT file, where JSON is needed"),
        (["fold", "-", "none.json"], "none.json: no such file"),
    ],
)
def test_commands_that_cannot_be_done(
    run: Run, gst_file: Path, arguments: list[str], said: str
) -> None:
    code, out, err = run(*[str(gst_file) if a == "GST" else a for a in arguments], stdin=flux())
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


def test_a_refused_fold_leaves_no_file(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "P.json"
    (tmp_path / "R.json").write_text(matrix().to_json())
    code, _, err = run("fold", "-", tmp_path / "R.json", "-o", out, stdin=flux())
    assert code == 2
    assert (
        "the spectrum: axis 0 ('x_true') has 3 bins from 0 to 6, the matrix has 4 from 0 to 4"
        in err
    )
    assert not out.exists()
    code, _, err = run("fold", "-", tmp_path / "R.json", stdin="nonsense")
    assert "standard input: not UHI JSON" in err
