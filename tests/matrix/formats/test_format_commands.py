"""``forefold export`` and ``forefold import``."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import format_matrices
import numpy as np
import pytest
from format_matrices import AXES, NAMES

import forefold
from forefold import cli
from forefold.matrix import to_json
from forefold.matrix.formats import FORMATS, READABLE

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


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "R.json"
    path.write_text(format_matrices.filled(even=True).to_json())
    return path


@pytest.mark.parametrize("format", READABLE)
def test_out_and_in_again(format: str, run: Run, stored: Path, tmp_path: Path) -> None:
    if format == "hepdata":
        pytest.importorskip("yaml")
    out = tmp_path / NAMES[format]
    assert run("export", format, stored, "-o", out, "-q") == (0, "", "")
    given = [f"--{side}={axis}" for side, axis in AXES.get(format, {}).items()]
    code, text, told = run("import", format, out, *given)
    assert code == 0
    assert told.startswith("ResponseMatrix of 8 true and 9 reconstructed bins")
    back = forefold.ResponseMatrix.from_json(text)
    np.testing.assert_allclose(
        back.matrix, format_matrices.filled(even=True).matrix, rtol=1e-14, atol=1e-16
    )


def test_what_is_left_out_is_said(run: Run, stored: Path, tmp_path: Path) -> None:
    out = tmp_path / "dune.dat"
    code, text, told = run("export", "globes", stored, "--name", "dune", "-o", out)
    assert (code, text) == (0, "")
    lines = told.splitlines()
    assert lines[0] == str(out)
    assert "@pre_smearing_efficiencies = copy(%dune_efficiency)" in lines[1]
    assert "fakes are not written" in lines[2]


def test_a_matrix_comes_through_a_pipe(run: Run, stored: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.rmf"
    code, *_ = run("export", "ogip", "-", "--area", 10, "-o", out, stdin=stored.read_text())
    assert code == 0
    assert run("import", "ogip", out, "-o", tmp_path / "back.json", "-q") == (0, "", "")
    assert (tmp_path / "back.json").exists()


def test_spectra_make_a_workspace(run: Run, stored: Path, tmp_path: Path) -> None:
    matrix = format_matrices.filled(even=True)
    (tmp_path / "flux.json").write_text(to_json(matrix.truth * 2.0))
    (tmp_path / "seen.json").write_text(to_json(matrix.reco))
    out = tmp_path / "ws.json"
    spectra = ("--signal", tmp_path / "flux.json", "--observed", tmp_path / "seen.json")
    code, _, told = run("export", "pyhf", stored, *spectra, "--per-true-bin", "--fakes", "-o", out)
    assert code == 0, told
    assert '"mu_7"' in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("export", "glob", "{}", "-o", "a.dat"), "format 'glob'"),
        (
            ("export", "ogip", "{}", "--name", "x", "-o", "a.rmf"),
            "--name: not of ogip, which has --unit",
        ),
        (("export", "globes", "{}", "--area", "1", "-o", "a.dat"), "--lose-empty\n"),
        (
            ("import", "uhi", "{}", "--spectrum", "--density"),
            "--density: not of uhi with --spectrum, which has no options\n",
        ),
        (
            ("import", "hepdata", "{}", "--correlated", "stat"),
            "--correlated: not of hepdata, which has --name, --true-axes, --error, --smearing; hepdata with --spectrum has it\n",
        ),
        (
            ("import", "hepdata", "{}", "--spectrum", "--true-axes", "1"),
            "--correlated, --density; hepdata without --spectrum has it\n",
        ),
        (("export", "globes", "absent.json", "-o", "a.dat"), "absent.json: no such file"),
        (("import", "pyhf", "{}", "-o", "b.json"), "format 'pyhf'"),
        (("import", "root", "{}", "-o", "b.json"), "not a ROOT file that can be read"),
        (("import", "globes", "{}", "-o", "b.txt"), "written as .json"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: tuple[str, ...], words: str, run: Run, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stored.parent)
    code, text, told = run(*(each.replace("{}", stored.name) for each in arguments))
    assert (code, text) == (2, "")
    assert told.startswith("forefold: error: ")
    assert words in told
    assert told.count("\n") == 1
    assert [file.name for file in stored.parent.iterdir()] == [stored.name]


def test_help_lists_every_format(run: Run) -> None:
    code, text, _ = run("export", "--help")
    assert code == 0
    assert all(name in text for name in FORMATS)
    code, text, _ = run("import", "--help")
    assert all(name in text for name in READABLE)


@pytest.mark.parametrize("format", ["hepdata", "uhi"])
def test_errors_that_are_read_are_said(format: str, run: Run, stored: Path, tmp_path: Path) -> None:
    if format == "hepdata":
        pytest.importorskip("yaml")
    out = tmp_path / NAMES[format]
    assert run("export", format, stored, "-o", out, "-q") == (0, "", "")
    code, _, told = run("import", format, out)
    assert code == 0
    cells = int((format_matrices.filled(even=True).variance > 0.0).sum())
    assert f"(errors of {cells} cells (" in told
    assert "no true spectrum" in told
    assert "fakes 0 of" not in told
    exact = tmp_path / "exact.json"
    exact.write_text(format_matrices.exact(even=True).to_json())
    assert run("export", format, exact, "-o", out, "-q", "--overwrite") == (0, "", "")
    assert "(exact, without statistics)" in run("import", format, out)[2]


@pytest.mark.parametrize("format", ["root", "roounfold", "tunfold"])
def test_a_truth_of_ones_is_said(format: str, run: Run, tmp_path: Path) -> None:
    stored, out = tmp_path / "R.json", tmp_path / NAMES[format]
    matrix = forefold.ResponseMatrix.from_array(np.eye(2), {"enu": [0, 1, 2]}, {"e": [0, 1, 2]})
    stored.write_text(matrix.to_json())
    code, _, told = run("export", format, stored, "-o", out)
    assert code == 0
    assert "truth is 1 in every bin: this matrix knows none" in told
