"""``forefold fit`` and ``forefold limit``, alone and in pipes."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest
from spectra import spectrum

import forefold
from forefold import Experiment, Parameter
from forefold.cli import main
from forefold.inference import poisson_upper_limit
from forefold.matrix import to_json
from forefold.matrix.json import read_spectrum
from forefold.matrix.variations import written_set

TRUE = hist.axis.Regular(4, 0, 10, name="energy_true")
RECO = hist.axis.Regular(6, 0, 10, name="energy_reco")
COUNTS = np.array([3.0, 60.0, 130.0, 90.0, 30.0, 4.0])


def over(axis: Any, contents: Any) -> hist.Hist[Any]:
    made: hist.Hist[Any] = hist.Hist(axis)
    made[...] = contents
    return made


def matrices() -> dict[str, forefold.ResponseMatrix]:
    _, truth = spectrum(4, 6, events=400.0)
    return {
        name: forefold.ResponseMatrix.from_array(
            spectrum(4, 6, width=width)[0], TRUE, RECO, entries=10.0 * truth
        )
        for name, width in (("nominal", 0.8), ("width_up", 1.0), ("width_down", 0.6))
    }


def experiment(**more: Any) -> Experiment:
    _, truth = spectrum(4, 6, events=400.0)
    settings: dict[str, Any] = {"background": {"cosmic": np.full(6, 2.0)}}
    return Experiment({"signal": truth}, matrices(), **(settings | more))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = matrices()
    _, truth = spectrum(4, 6, events=400.0)
    for name, text in {
        "R.json": written_set(found),
        "one.json": found["nominal"].to_json(),
        "data.json": to_json(over(RECO, COUNTS)),
        "s.json": to_json(over(TRUE, truth)),
        "b.json": to_json(over(RECO, 2.0)),
        "other.json": to_json(over(hist.axis.Regular(6, 0, 9, name="energy_reco"), 2.0)),
        "minus.json": to_json(over(RECO, [1.0, -2.0, 1.0, 1.0, 1.0, 1.0])),
        "nan.json": to_json(over(RECO, [1.0, np.nan, 1.0, 1.0, 1.0, 1.0])),
        "empty.json": "",
        "note.json": to_json(over(RECO, COUNTS), {"x": 1}).replace("forefold_x", "values"),
        "huge.json": to_json(over(RECO, COUNTS)).replace("130.0", "1e308"),
        "name.json": to_json(over(RECO, COUNTS)).replace('"energy_reco"', "3"),
    }.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_fit_is_that_of_python(capsys: pytest.CaptureFixture[str]) -> None:
    command = "fit data.json R.json --truth signal=s.json --background cosmic=b.json --constraint cosmic=1,0.5"
    assert main([*command.split(), "--interval", "signal", "--cl", "0.9"]) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    wanted = experiment(parameters={"cosmic": Parameter(1.0, lower=0.0, constraint=(1.0, 0.5))})
    result = wanted.fit(COUNTS)
    assert found["valid"]
    assert found["names"] == ["signal", "cosmic", "width"]
    for name, each in found["parameters"].items():
        assert each["value"] == pytest.approx(result.values[name], rel=1e-6)
        assert each["error"] == pytest.approx(result.errors[name], rel=1e-6)
        assert each["pull"] == (name == "width")
    assert np.array(found["covariance"]) == pytest.approx(result.covariance, rel=1e-6)
    interval = wanted.interval(COUNTS, "signal", level=0.9)
    (own,) = found["intervals"]
    assert (own["lower"], own["upper"]) == pytest.approx((interval.lower, interval.upper))
    assert repr(result).splitlines()[1] in told.err
    # the document is a spectrum for the next command
    prediction = read_spectrum(told.out)
    assert prediction.values() == pytest.approx(result.prediction)
    assert prediction.variances() == pytest.approx(_spread(wanted, result), rel=1e-3)


def _spread(wanted: Experiment, result: Any) -> Any:
    """Variances of what is expected, by differences along the parameters."""
    steps = []
    for name in result.names:
        up, down = (
            wanted.predict(**{**result.values, name: result.values[name] + s})
            for s in (1e-4, -1e-4)
        )
        steps.append((up.values - down.values) / 2e-4)
    slopes = np.array(steps)
    return np.diagonal(slopes.T @ result.covariance @ slopes)


@pytest.mark.usefixtures("folder")
def test_held_and_without_names(capsys: pytest.CaptureFixture[str]) -> None:
    command = "fit data.json R.json --background b.json --fix width=0.5 --exposure 1.1 --statistics none -q"
    assert main(command.split()) == 0
    told = capsys.readouterr()
    assert told.err == ""
    found = json.loads(told.out)
    truth = matrices()["nominal"].truth
    plain = Experiment(
        truth, matrices(), background=np.full(6, 2.0), exposure=1.1, statistics="none"
    ).fit(COUNTS, fixed={"width": 0.5})
    assert found["parameters"]["normalisation"]["value"] == pytest.approx(
        plain.values["normalisation"]
    )
    assert found["parameters"]["width"] == {"value": 0.5, "error": 0.0, "fixed": True, "pull": True}
    assert "truth is that of the matrix, scaled by 'normalisation'" in found["notes"]


def test_folded_and_fitted_in_a_pipe(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["fold", "s.json", "one.json", "-q"]) == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO(capsys.readouterr().out))
    command = "fit - one.json --truth signal=s.json -o fit.json --plot corner.pdf"
    assert main(command.split()) == 0
    found = json.loads((folder / "fit.json").read_text())
    assert found["parameters"]["signal"]["value"] == pytest.approx(1.0, abs=1e-3)
    assert found["notes"][0] == "data are a prediction, taken as expected counts"
    assert (folder / "corner.pdf").read_bytes().startswith(b"%PDF")
    assert capsys.readouterr().err.startswith("fit.json: FitResult: deviance/ndf = ")
    # what a fit expects goes on like what is folded
    assert main(["fit", "fit.json", "one.json", "--truth", "signal=s.json", "-q"]) == 0


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("method", ["cls", "profile", "bayes"])
def test_a_limit_is_that_of_python(capsys: pytest.CaptureFixture[str], method: str) -> None:
    command = f"limit b.json R.json --truth signal=s.json --background cosmic=b.json --cl 0.9 --method {method}"
    band = method != "bayes"  # whose band needs toys
    assert main([*command.split(), *["--expected"] * band]) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    wanted = experiment()
    limit = wanted.upper_limit(np.full(6, 2.0), level=0.9, method=method)
    assert found["limit"] == pytest.approx(limit.value, rel=1e-6)
    assert (found["parameter"], found["method"], found["level"]) == ("signal", method, 0.9)
    # these data are what is expected without signal
    assert not band or found["expected"] == pytest.approx(found["limit"], rel=1e-4)
    assert told.err.startswith(f"{limit!r}\n")
    assert found["notes"] == list(limit.notes)
    assert bool(limit.notes) == (method != "bayes")  # 8 counts where the signal is


@pytest.mark.usefixtures("folder")
def test_limits_by_toys_say_what_fixes_them(capsys: pytest.CaptureFixture[str]) -> None:
    command = "limit b.json one.json --truth s.json --background b.json --statistics none --toys 8"
    for method in ("cls", "feldman-cousins"):
        assert main([*command.split(), "--method", method]) == 0
        told = capsys.readouterr()
        rng = re.match(r"rng (\d+)\n", told.err)
        assert rng is not None
        found = json.loads(told.out)
        assert (found["rng"], found["toys"], found["valid"]) == (rng[1], 8, True)
        assert main([*command.split(), "--method", method, "--rng", rng[1]]) == 0
        assert json.loads(capsys.readouterr().out) == found
    assert 0.0 == found["lower"] < found["upper"] == found["limit"]


def test_a_counting_experiment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    true, reco = (hist.axis.Regular(1, 0, 1, name=f"x_{side}") for side in ("true", "reco"))
    one = forefold.ResponseMatrix.from_array([[1.0]], true, reco, truth=[1.0])
    paths = [str(tmp_path / f"{name}.json") for name in ("n", "R", "b")]
    texts = to_json(over(reco, 3.0)), one.to_json(), to_json(over(reco, 0.5))
    for path, text in zip(paths, texts, strict=True):
        Path(path).write_text(text)
    assert main(["limit", *paths[:2], "--background", paths[2], "--method", "bayes"]) == 0
    assert json.loads(capsys.readouterr().out)["limit"] == pytest.approx(
        poisson_upper_limit(3, 0.5, method="bayes"), abs=1e-4
    )


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("fit minus.json R.json", "data holds -2 in bin 1"),
        ("fit nan.json R.json", "data holds nan in bin 1"),
        ("fit other.json R.json", "has edge 1 at 1.5, the matrix has it at 1.66666667"),
        ("fit s.json R.json", "data: axis 'energy_true', which is true"),
        ("fit empty.json R.json", "empty.json: not UHI JSON"),
        ("fit name.json R.json", "name.json: not a UHI histogram (schema 1): the name of an axis"),
        ("fit note.json R.json", "note.json: not a UHI histogram (schema 1): a note is named 'val"),
        ("fit huge.json R.json", "data holds 1e+308 in bin 2"),
        ("fit data.json data.json", "data.json: not a response matrix"),
        ("fit R.json R.json", "R.json: this is a response matrix"),
        ("fit nothing.json R.json", "nothing.json: no such file"),
        ("fit - -", "only one of DATA, MATRIX and the files of options can come from stdin"),
        ("fit data.json R.json --truth signal=", "FILE or NAME=FILE is expected"),
        ("fit data.json R.json --truth a=s.json --truth s.json", "one of several needs a name"),
        ("fit data.json R.json --truth a=s.json --truth a=s.json", "'a' is given twice"),
        ("fit data.json R.json --truth b.json", "axis 'energy_reco', which is reconstructed"),
        ("fit data.json R.json --truth width=s.json", "'width' is the name of a truth and"),
        ("fit data.json R.json --background s.json", "background: axis 'energy_true'"),
        ("fit data.json R.json --fix widt=0", "no parameter 'widt' (did you mean 'width'?)"),
        ("fit data.json R.json --fix width=inf", "width = inf: a finite number is needed"),
        ("fit data.json R.json --fix width", "NAME=VALUE is expected, found 'width'"),
        ("fit data.json R.json --parameter beam=1", "parameter 'beam' is of nothing"),
        ("fit data.json R.json --parameter normalisation=2,3", "normalisation: value = 2.0"),
        ("fit data.json R.json --constraint normalisation=1,0", "standard deviation"),
        ("fit data.json R.json --constraint normalisation=1", "NAME=MEAN,SIGMA is expected"),
        ("fit data.json R.json --exposure 0", "exposure = 0.0"),
        ("fit data.json R.json --correlation dune-fd-uncertainties", "has no pull 'width'"),
        ("fit data.json R.json --correlation dune", "unknown card 'dune'"),
        ("fit data.json R.json --interval signal", "no parameter 'signal'"),
        ("fit data.json R.json --interval normalisation --fix normalisation=1", "is fixed"),
        ("fit data.json R.json --method feldman-cousins", "--method: not without --interval"),
        ("fit data.json R.json --cl 0.9", "--cl: not without --interval"),
        (
            "fit data.json one.json --correlation dune-fd-uncertainties",
            "--correlation: not without variations, and one.json has none",
        ),
        (
            "limit data.json one.json --correlation dune-fd-uncertainties",
            "--correlation: not without variations, and one.json has none",
        ),
        (
            "fit data.json R.json --background-variance b.json",
            "--background-variance: not without --background",
        ),
        ("fit data.json R.json --truth a", "a: no such file; --truth takes NAME=FILE, or FILE"),
        ("fit data.json R.json --background a", "no such file; --background takes NAME=FILE"),
        (
            "fit data.json R.json --parameter normalisation=1,3,2",
            "--parameter normalisation: LOWER,UPPER are 3,2; the lower limit comes first",
        ),
        ("fit data.json R.json --parameter normalisation=1,1,1", "LOWER,UPPER are 1,1"),
        (
            "limit data.json R.json --expected --method feldman-cousins",
            "--expected: not with --method feldman-cousins",
        ),
        (
            "fit data.json R.json --interval normalisation --toys 5",
            "--toys: not with --method prof",
        ),
        ("fit data.json R.json --cl 90", "between 0 and 1 is expected, such as 0.9, found '90'"),
        ("fit data.json R.json --plot corner.txt", "corner.txt"),
        ("limit data.json R.json -o limit.txt", "written as .json"),
        ("limit data.json R.json --toys 5 --method bayes", "--toys: not with --method bayes"),
        ("limit data.json R.json --rng 5", "--rng: not without toys"),
        ("limit data.json R.json --of normalization", "did you mean 'normalisation'"),
        ("limit data.json R.json --method clz", "did you mean 'cls'"),
        ("limit data.json R.json --of width", "needs a parameter with a lower limit"),
        ("limit data.json R.json --of width --method profile --expected", "no lower limit"),
    ],
)
def test_bad_commands_are_one_line_and_leave_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str, message: str
) -> None:
    before = sorted(path.name for path in folder.iterdir())
    try:
        code = main(command.split())
    except SystemExit as stopped:
        code = int(str(stopped.code))
    told = capsys.readouterr()
    assert code == 2, told
    assert message in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""
    assert sorted(path.name for path in folder.iterdir()) == before


def test_an_output_is_not_replaced_unasked(folder: Path) -> None:
    (folder / "fit.json").write_text("mine")
    assert main(["fit", "data.json", "R.json", "-o", "fit.json"]) == 2
    assert (folder / "fit.json").read_text() == "mine"
    assert main(["fit", "data.json", "R.json", "-o", "fit.json", "--overwrite"]) == 0
    assert json.loads((folder / "fit.json").read_text())["forefold"] == "fit"
