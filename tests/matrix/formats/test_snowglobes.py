"""SNOwGLoBES files: where their bins and their efficiencies stand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from cli_runs import Run, refused

import forefold
from forefold.matrix.formats.globes_rows import energy_environment

CHANNEL_13 = "SN_nu other_Xe 0 + e 1. 4 0.001 0.009 5 0 1e-6\nSN_nu coh_nue_Xe 1 + e 1. 3 0.0005 0.1 2 5e-12 1e-5\n"
CHANNEL_12 = "% 3 0.0005 0.1 2 5e-12 1e-5\nother_Xe 0 + e 1.\ncoh_nue_Xe 1 + e 1.\n"
ROWS = np.array([[0.5, 0.25], [0.0, 0.0], [0.125, 0.75]])
AXES = {"true": "enu=0:3:3", "reco": "erec=0:2:2"}


@pytest.fixture
def smear(tmp_path: Path) -> Path:
    """A smearing file where SNOwGLoBES 1.3 has it."""
    path = tmp_path / "smear" / "lz_he" / "smear_coh_nue_Xe_lz_he.dat"
    path.parent.mkdir(parents=True)
    path.write_text(energy_environment("coh_nue_Xe_smear", ROWS.T, full=True))
    return path


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_200_bins_prove_no_run_mode(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "smear_nue_Ar40_ar40kt.dat"
    path.write_text(energy_environment("nue_Ar40_smear", 0.5 * np.eye(200), full=True))
    done = run("import", "snowglobes", path, "--efficiencies", "none")
    words = "200 true and 200 detected bins, and does not say where they stand"
    refused(
        done, words, "--channels FILE", "--run-mode 0", "--true, --reco NAME=LOW:HIGH:BINS in GeV"
    )
    refused(run("import", "snowglobes", path, "--true", "e=0:1:200"), words)
    refused(run("import", "snowglobes", path, "--run-mode", "1"), "run_mode 1: 0 is possible")
    found = forefold.import_matrix(path, "snowglobes", run_mode=0, efficiencies="none")
    for axis in (found.true_axes[0], found.reco_axes[0]):
        np.testing.assert_allclose(axis.edges, np.linspace(5e-4, 0.1, 201), rtol=1e-14)
    # true energies of run mode 0, and detected ones of keV
    mixed = forefold.import_matrix(
        path, "snowglobes", run_mode=0, reco="recoil=0:1e-5:200", efficiencies="none"
    )
    assert mixed.reco_axes[0].edges[-1] == 1e-5
    assert mixed.true_axes[0].edges[-1] == 0.1


@pytest.mark.parametrize("text", [CHANNEL_13, CHANNEL_12], ids=["1.3", "1.2"])
def test_channel_file_says_the_bins(text: str, smear: Path, run: Run) -> None:
    channels = smear.parents[2] / "channels_xenon.dat"
    channels.write_text(text)
    arguments = ("import", "snowglobes", smear, "--channels", channels, "--efficiencies", "none")
    done = run(*arguments, "--reco", "recoil", "-o", smear.parents[2] / "R.json")
    assert done.code == 0, done.err
    found = forefold.ResponseMatrix.from_json((smear.parents[2] / "R.json").read_text())
    np.testing.assert_array_equal(found.matrix, ROWS)
    np.testing.assert_allclose(found.true_axes[0].edges, np.linspace(5e-4, 0.1, 4), rtol=1e-14)
    np.testing.assert_allclose(found.reco_axes[0].edges, np.linspace(5e-12, 1e-5, 3), rtol=1e-14)
    assert found.reco_axes[0].name == "recoil_reco"
    refused(run(*arguments, "--run-mode", "0"), "--run-mode, --channels): give one of them")
    channels.write_text(text.replace("coh_nue_Xe", "coh_numu_Xe"))
    words = (
        "no channel 'coh_nue_Xe' (did you mean 'coh_numu_Xe'",
        "there are: other_Xe, coh_numu_Xe",
    )
    refused(run(*arguments), *words)
    channels.write_text(text.replace("3 0.0005", "4 0.0005"))
    refused(run(*arguments), "the file has 3 true bins, and 4 were said, from 0.0005 to 0.1 GeV")
    channels.write_text(text.replace("3 0.0005", "3 x"))
    refused(run(*arguments), "bins are six numbers")
    channels.write_text("coh_nue_Xe 1 + e 1.\n")
    refused(
        run(*arguments), "line 1: no bins of channel 'coh_nue_Xe'; a channel file of run mode 0"
    )


@pytest.mark.parametrize(
    "place",
    [
        "smear/lz_he/effic_coh_nue_Xe_lz_he.dat",
        "smear/effic/effic_coh_nue_Xe_lz_he.dat",
        "effic/lz_he/effic_coh_nue_Xe_lz_he.dat",
    ],
)
def test_efficiencies_are_where_snowglobes_has_them(place: str, smear: Path) -> None:
    """Beside, as forefold writes; in effic/ beside smear/ (1.2); and in effic/DETECTOR/ (1.3), where they were taken as 1 in silence."""
    _put(smear.parents[2] / place, "/* thresholds */ {0.0,\n0.8}\n")
    found = forefold.import_matrix(smear, "snowglobes", **AXES)
    np.testing.assert_allclose(found.matrix, ROWS * [0.0, 0.8], rtol=1e-15)
    assert f"efficiency from {os.path.relpath(smear.parents[2] / place, smear.parent)}" in repr(
        found
    )


def test_efficiencies_that_are_not_there_are_said(smear: Path, run: Run) -> None:
    words = (
        "no efficiency file effic_coh_nue_Xe_lz_he.dat beside it, nor in effic/ or effic/lz_he/ beside smear/: "
        "efficiencies of 1 are taken"
    )
    with pytest.warns(UserWarning, match=words.replace(".", r"\.")):
        found = forefold.import_matrix(smear, "snowglobes", **AXES)
    assert words in repr(found)
    out = smear.parents[2] / "R.json"
    options = ("--true", AXES["true"], "--reco", AXES["reco"], "-o", out)
    assert words in run("import", "snowglobes", smear, *options, "-q").err
    assert words in repr(forefold.ResponseMatrix.from_json(out.read_text()))
    none = run(
        "import", "snowglobes", smear, *options, "-q", "--overwrite", "--efficiencies", "none"
    )
    assert (none.code, none.err) == (0, "")
    assert "taken" not in repr(forefold.ResponseMatrix.from_json(out.read_text()))


def test_efficiency_files_that_differ_are_refused(smear: Path) -> None:
    top = smear.parents[2]
    one, other = (
        smear.with_name("effic_coh_nue_Xe_lz_he.dat"),
        top / "effic/lz_he/effic_coh_nue_Xe_lz_he.dat",
    )
    _put(one, "{0.5,0.5}")
    _put(other, "{0.5,0.25}")
    with pytest.raises(
        ValueError, match=r"efficiency files differ: .*efficiencies= .* says which one"
    ):
        forefold.import_matrix(smear, "snowglobes", **AXES)
    found = forefold.import_matrix(smear, "snowglobes", efficiencies=other, **AXES)
    np.testing.assert_allclose(found.matrix, ROWS * [0.5, 0.25], rtol=1e-15)
    _put(one, "{0.5,0.25}")
    again = forefold.import_matrix(smear, "snowglobes", **AXES)
    np.testing.assert_array_equal(again.matrix, found.matrix)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{0.5}", "1 efficiencies for 2 bins"),
        ("{0.5,1.5}", "efficiency 1 is 1.5; 0 to 1 is possible"),
        ("{0.5,-1}", "efficiency 1 is -1; 0 to 1 is possible"),
        ("{0.5,x}", "line 1: 'x' is not defined"),
        ("{0.5,1}:{1,1}", "one list of efficiencies in braces"),
        ("", "one list of efficiencies in braces"),
        ("0.5 1", "line 1: a definition or an environment"),
    ],
)
def test_efficiencies_that_are_none_are_refused(
    text: str, words: str, smear: Path, run: Run
) -> None:
    _put(smear.with_name("effic_coh_nue_Xe_lz_he.dat"), text)
    done = run("import", "snowglobes", smear, "--true", AXES["true"], "--reco", AXES["reco"])
    refused(done, f"{smear}: effic_coh_nue_Xe_lz_he.dat", words)


def test_a_bad_column_is_named_with_its_limits(smear: Path) -> None:
    rows = ROWS.copy()
    rows[2] = [0.5, 0.75]
    smear.write_text(energy_environment("coh_nue_Xe_smear", rows.T, full=True))
    with pytest.raises(
        ValueError,
        match=r"line 3: energy\(#coh_nue_Xe_smear\), row 1: column 2 \(true bin from 2 to 3 GeV\) sums to 1\.25",
    ):
        forefold.import_matrix(smear, "snowglobes", **AXES)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    matrix = forefold.ResponseMatrix.from_array(ROWS, "enu=0:3:3", "energy=0:2:2")
    path = tmp_path / "smear_nue_Ar40_ar40kt.dat"
    forefold.export_matrix(matrix, path, "snowglobes", unit="GeV")
    back = forefold.import_matrix(
        path, "snowglobes", **AXES
    )  # without a warning: efficiencies are beside
    np.testing.assert_array_equal(back.matrix, matrix.matrix)
