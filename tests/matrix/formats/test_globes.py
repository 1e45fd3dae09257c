"""Smearing matrices of GLoBES files: the language, included files, bins that stand elsewhere, and channels with their efficiencies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from cli_runs import Run, refused

import forefold
from forefold.matrix.formats import globes_aedl as aedl
from forefold.matrix.formats.globes_rows import energy_environment
from forefold.matrix.formats.globes_tokens import Sources

if TYPE_CHECKING:
    from collections.abc import Callable

BINS = "$bins = 2\n$emin = 1\n$emax = 5\n"
ROWS = "{0,1,0.5,0.25}:\n{0,1,0.375,0.7};\n"
MATRIX = [[0.5, 0.375], [0.25, 0.7]]


def _defined(text: str, folder: Path, **constants: float) -> aedl.Definitions:
    path = folder / "some.glb"
    path.write_text(text)
    return aedl.defined(Sources(path).tokens(), constants)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 3 * 4", 14.0),
        ("(2 + 3) * 4 - 1", 19.0),
        ("10 - 4 - 3", 3.0),
        ("24 / 4 / 3", 2.0),
        ("2^3^2", 512.0),
        ("-2^2", -4.0),
        ("2^-1", 0.5),
        ("--3", 3.0),
        (".5e1 + 1. + 1E-2", 6.01),
        ("sqrt(16) + log10(1000) + exp(0) + log(1)", 8.0),
        ("4 * atan(1) + sin(0) + cos(0) + tan(0) + asin(0) + acos(1)", np.pi + 1.0),
        ("1.12*NUB* 6.5", 1.12 * 1.25 * 6.5),
        ("copy(NUB)", 1.25),
    ],
)
def test_expressions(expression: str, value: float, tmp_path: Path) -> None:
    content = _defined(f"NUB = 1.25\nx = {expression}\n$norm = {expression}\n", tmp_path)
    assert content.variables["x"] == pytest.approx(value, rel=1e-15)
    assert content.settings["norm"] == content.variables["x"]


def test_lists_and_their_functions(tmp_path: Path) -> None:
    content = _defined(
        "%a = {1, 2 * 2, 3^2} // three\n%old = copy(%a)\n!b = reverse(%a)\n%c = sqrt(%a)\n%d = exp(0, 1, 2)\n%e = {}\n"
        "$bins = 4 $emin = 0 $emax = 2\n$sampling_points = 2 $sampling_min = 1 $sampling_max = 2\n"
        "%f = bincenter()\n%g = samplingbincenter()\n%h = interpolation({0, 1, 3}, {0, 2, 0}, 1, %f)\n%i = echo(%e)\n",
        tmp_path,
    )
    wanted = {
        "a": [1.0, 4.0, 9.0],
        "old": [1.0, 4.0, 9.0],
        "b": [9.0, 4.0, 1.0],
        "c": [1.0, 2.0, 3.0],
        "d": [1.0, np.e, np.e**2],
        "e": [],
        "f": [0.25, 0.75, 1.25, 1.75],
        "g": [1.25, 1.75],
        "h": [0.5, 1.5, 1.75, 1.25],
        "i": [],
    }
    assert list(content.lists) == list(wanted)
    for name, values in wanted.items():
        np.testing.assert_allclose(content.lists[name], values, rtol=1e-15)


def test_interpolation_of_order_2_is_a_natural_spline(tmp_path: Path) -> None:
    """Of three points by hand: second derivatives 0, m, 0 with 2 (h1 + h2) m = 6 (s2 - s1)."""
    pytest.importorskip("scipy")
    content = _defined("%s = interpolation({0, 1, 3}, {0, 2, 0}, 2, {0.5, 2})\n", tmp_path)
    m = 6.0 * (-1.0 - 2.0) / (2.0 * 3.0)
    first = 0.5 * (0.0 + 2.0) - m / 6.0 * (0.5 - 0.5**3)
    second = 0.5 * (2.0 + 0.0) + m / 6.0 * (1.0**3 / 2.0 - 2.0 * 1.0)
    np.testing.assert_allclose(content.lists["s"], [first, second], rtol=1e-14)


def test_constants_that_a_program_sets_are_given(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "a.glb"
    path.write_text(f"$emin = LOW\n$bins = 2\n$emax = LOW + WIDTH\nenergy(#e)<@energy = {ROWS}>")
    found = forefold.import_matrix(path, "globes", constants={"LOW": 1.5, "WIDTH": 4.0})
    assert found.true_axes[0].edges.tolist() == [1.5, 3.5, 5.5]
    out = tmp_path / "R.json"
    done = run(
        "import", "globes", path, "--constant", "LOW=1.5", "--constant", "WIDTH=4", "-o", out
    )
    assert done.code == 0
    again = forefold.ResponseMatrix.from_json(out.read_text())
    np.testing.assert_array_equal(again.matrix, MATRIX)
    refused(
        run("import", "globes", path),
        "line 1: 'LOW' is not defined; constants= (--constant NAME=VALUE)",
    )
    refused(run("import", "globes", path, "--constant", "LOW=x"), "NAME=VALUE with a number")


def test_included_files_are_below_the_first_or_beside_the_other(tmp_path: Path) -> None:
    """GLoBES knows the folder it runs in; other tutorials name files as the including one sees them."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    path = tmp_path / "main.glb"
    path.write_text('include "a/one.inc"\nenergy(#near)<@energy = include "a/rows.dat"\n>')
    (tmp_path / "a/one.inc").write_text(f'{BINS}include "./a/b/two.inc" include "b/three.inc"')
    (tmp_path / "a/b/two.inc").write_text("energy(#near)<>")
    (tmp_path / "a/b/three.inc").write_text('/* include "none.inc" */ energy(#far)<@type = 1>')
    (tmp_path / "a/rows.dat").write_text(ROWS)
    found = forefold.import_matrix(path, "globes")
    np.testing.assert_array_equal(found.matrix, MATRIX)
    assert found.reco_axes[0].edges.tolist() == [1.0, 3.0, 5.0]
    # run from the folder above, as GLoBES would: names refer to that one
    path.write_text(f'{BINS}energy(#near)<@energy = include "a/b/rows.dat">')
    (tmp_path / "a/b/rows.dat").write_text(ROWS)
    moved = tmp_path / "a" / "main.glb"
    path.rename(moved)
    with pytest.raises(ValueError, match=r"line 4: 'a/b/rows\.dat': no such file in .*base="):
        forefold.import_matrix(moved, "globes")
    found = forefold.import_matrix(moved, "globes", base=tmp_path)
    np.testing.assert_array_equal(found.matrix, MATRIX)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"m.glb": '{0}include "m.glb"'}, "files include each other: m.glb > m.glb"),
        (
            {"m.glb": 'include "a/x.inc"', "a/x.inc": '\ninclude "a/y.inc"', "a/y.inc": 'include "x.inc"'},
            "a/y.inc, line 4: files include each other: m.glb > a/x.inc > a/y.inc > a/x.inc",
        ),
        ({"m.glb": 'include "/etc/hostname"'}, "'/etc/hostname' is outside the folder"),
        ({"m.glb": 'include "../outside.inc"'}, "'../outside.inc' is outside the folder"),
        ({"m.glb": 'include "a/link.inc"', "a/": ""}, "'a/link.inc' is outside the folder"),
        ({"m.glb": 'include "a"', "a/": ""}, "'a': no such file"),
        ({"m.glb": 'include ""'}, "'' is no name of a file"),
        ({"m.glb": f'include "{"x" * 300}"'}, "cannot be read: File name too long"),
        ({"m.glb": "include x.inc"}, 'include "FILE" is expected, not include \'x\''),
        ({"m.glb": "energy(#a)<@energy = include"}, 'include "FILE" is expected, and the file ends'),
        (
            {"m.glb": 'include "0.inc"'} | {f"{k}.inc": f'include "{k + 1}.inc"' for k in range(12)},
            "9.inc, line 4: includes go beyond 10 files deep",
        ),
        ({"m.glb": "", "a": ""}, "0 smearing matrices"),
    ],
)  # fmt: skip
def test_includes_that_cannot_be_are_one_line(
    files: dict[str, str], words: str, tmp_path: Path, run: Run
) -> None:
    (tmp_path / "outside.inc").write_text("energy(#e)<@energy = {0,0,1}>")
    folder = tmp_path / "in"
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir()
        else:
            path.write_text(BINS + text.replace("{0}", ""))
    if (folder / "a").is_dir():
        (folder / "a/link.inc").symlink_to(tmp_path / "outside.inc")
    refused(run("import", "globes", folder / "m.glb"), f"{folder / 'm.glb'}: ", words)


def test_files_that_multiply_are_refused(tmp_path: Path) -> None:
    for k in range(9):
        (tmp_path / f"{k}.inc").write_text(f'include "{k + 1}.inc"\n' * 10)
    (tmp_path / "9.inc").write_text("x = 1\n")
    with pytest.raises(ValueError, match="includes go beyond 1,000 files"):
        forefold.import_matrix(tmp_path / "0.inc", "globes")


@pytest.mark.parametrize("text", [f"energy(#near)<\n@energy = {ROWS}>\n", ROWS])
def test_bins_that_stand_elsewhere_are_said(text: str, tmp_path: Path, run: Run) -> None:
    """An included file as it is, also one of rows alone."""
    path, out = tmp_path / "near.dat", tmp_path / "R.json"
    path.write_text(text)
    axes = ("--true", "enu=1:5:2", "--reco", "evis=0.5,2,8")
    done = run("import", "globes", path, *axes, "-o", out)
    assert done.code == 0, done.err
    found = forefold.ResponseMatrix.from_json(out.read_text())
    np.testing.assert_array_equal(found.matrix, MATRIX)
    assert (found.true_axes[0].name, found.reco_axes[0].name) == ("enu_true", "evis_reco")
    assert found.reco_axes[0].edges.tolist() == [0.5, 2.0, 8.0]
    refused(run("import", "globes", path), "$emin is missing", "--true, --reco NAME=LOW:HIGH:BINS")
    refused(run("import", "globes", path, *axes[:2]), "$emin is missing")
    wrong = run("import", "globes", path, *axes[:2], "--reco", "evis=0:4:3")
    refused(wrong, "energy(#near) has 2 rows for 3 bins")
    wrong = run("import", "globes", path, "--true", "enu=1:5:1", *axes[2:])
    refused(wrong, "row 0: indices 0 to 1 and 2 numbers; indices go from 0 to 0")


def test_bins_that_are_said_otherwise_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "near.dat"
    path.write_text(f"{BINS}energy(#near)<@energy = {ROWS}>")
    same = forefold.import_matrix(path, "globes", true="e=1:5:2", reco="evis")
    assert same.true_axes[0].name == "e_true"
    for axis in ("e=1:5:4", "e=0:5:2", "e=1,2,5"):
        with pytest.raises(ValueError, match=r"--true e=.*: the files say 2 bins from 1 to 5 GeV"):
            forefold.import_matrix(path, "globes", true=axis)


def test_a_transposed_matrix_is_an_error_with_file_line_and_column(tmp_path: Path) -> None:
    rows = np.array([[0.80, 0.15, 0.0], [0.10, 0.75, 0.10], [0.0, 0.20, 0.70], [0.0, 0.05, 0.85]])
    axes = {"true": "e=0.5:2.5:4", "reco": "r=0.5:2.5:3"}
    path = tmp_path / "near.dat"
    path.write_text(energy_environment("near", rows.T))
    np.testing.assert_array_equal(forefold.import_matrix(path, "globes", **axes).matrix, rows)
    path.write_text(energy_environment("near", rows))
    with pytest.raises(ValueError, match=r"line 2: energy\(#near\) has 4 rows for 3 bins"):
        forefold.import_matrix(path, "globes", **axes)
    square = np.array([[0.7, 0.6], [0.1, 0.2]])
    path.write_text(energy_environment("near", square.T))
    square_axes = {"true": "e=1:5:2", "reco": "r=1:5:2"}
    with pytest.raises(
        ValueError,
        match=r"line 3: energy\(#near\), row 1: column 0 \(true bin from 1 to 3 GeV\) sums to 1\.3 with this row",
    ):
        forefold.import_matrix(path, "globes", **square_axes)
    square[0, 0] = -0.1
    path.write_text(energy_environment("near", square.T))
    with pytest.raises(
        ValueError, match=r"line 2: .*row 0: column 0 \(.*\) holds -0\.1; 0 or more"
    ):
        forefold.import_matrix(path, "globes", **square_axes)


CHANNELS = (
    "nuflux(#f)<@norm = 2> cross(#CC)<>\n%post = {0.5, 0.25}\n"
    "channel(#plain)<@channel = #f: +: e: e: #CC: #other>\n"
    "channel(#signal)<@channel = #f: +: m: e: #CC: #near\n@pre_smearing_efficiencies = {1, 0.5}\n"
    "@post_smearing_efficiencies := %post>\n"
    f"energy(#near)<@energy = {ROWS}>\nenergy(#other)<@energy = {ROWS}>\n"
)


def test_a_channel_has_its_efficiencies_and_a_matrix_says_that_it_has_not(
    tmp_path: Path, run: Run
) -> None:
    path, out = tmp_path / "far.glb", tmp_path / "R.json"
    path.write_text(BINS + CHANNELS)
    found = forefold.import_matrix(path, "globes", channel="signal")
    wanted = [[0.25, 0.375 * 0.25], [0.25 * 0.5 * 0.5, 0.7 * 0.5 * 0.25]]
    np.testing.assert_allclose(found.matrix, wanted, rtol=1e-15)
    words = r"energy\(#near\) alone: efficiencies of channels that use it \(signal\) are taken as 1"
    with pytest.warns(UserWarning, match=words):
        alone = forefold.import_matrix(path, "globes", name="near")
    np.testing.assert_array_equal(alone.matrix, MATRIX)
    assert "taken as 1; channel= (--channel)" in repr(alone)
    quiet = forefold.import_matrix(path, "globes", name="other")
    assert "taken as" not in repr(quiet)
    done = run("import", "globes", path, "--name", "near", "-o", out)
    assert done.code == 0
    assert done.err.startswith("forefold: warning: energy(#near) alone")
    assert "taken as 1" in repr(forefold.ResponseMatrix.from_json(out.read_text()))
    refused(
        run("import", "globes", path, "--channel", "sigal"),
        "no channel 'sigal' (did you mean 'signal'?)",
    )
    both = run("import", "globes", path, "--channel", "signal", "--name", "near")
    refused(both, "--name, --channel): give one of them")
    path.write_text(BINS + CHANNELS.replace("{1, 0.5}", "{1, 1.5}"))
    with pytest.raises(
        ValueError, match=r"channel\(#signal\), before the smearing: efficiency 1 is 1\.5"
    ):
        forefold.import_matrix(path, "globes", channel="signal")
    path.write_text(
        BINS + CHANNELS.replace("@pre_smearing_efficiencies", "@post_smearing_background")
    )
    with pytest.warns(UserWarning, match="@post_smearing_background is no part of a response"):
        forefold.import_matrix(path, "globes", channel="signal")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("oscillation(#x)<@a = 1>", "line 4: 'oscillation' is no environment; there are nuflux, flux, cross"),
        ("energie(#x)<>", "'energie' is no environment (did you mean 'energy'?)"),
        ("#NEXT#\n$bins = 3", "#NEXT# begins another experiment"),
        ("/* open", "a comment begins here and does not end"),
        ('$version = "3.2', "a text begins here and does not end on its line"),
        ("x = 1 / (2 - 2)", "1 / 0 is no finite number"),
        ("x = log(-1)", "log(-1) is no finite number"),
        ("x = exp(1000)", "exp(1000) is no finite number"),
        ("x = 1e999", "a number is too large"),
        ("x = 3x", "'3x' is not understood"),
        ("x = {1} + 2", "'+' is between numbers"),
        ("%x = {1, {2}}", "a list holds numbers, or names"),
        ("%x = 3", "%x is a list of numbers, and not '3.0'"),
        ("x = {3}", "x is a number, and not '[3.]'"),
        ("sqrt = 3", "sqrt is a word of the language"),
        ("%x = copy(%y)", "'%y' is not defined"),
        ("%x = interpolation({0, 1}, {0, 1}, 1, {2})", "interpolation() at 2, outside 0 to 1"),
        ("%x = interpolation({0, 0}, {0, 1}, 1, {0})", "ascending ones in the first list"),
        ("%x = interpolation({0, 1}, {0, 1}, 3, {0})", "interpolation(%x, %y, 1 or 2, %at)"),
        ("channel(#c)<@channel = #f: *: e: m: #CC: #a>", "#FLUX: SIGN: FLAVOUR"),
        ("channel(#c)<@channel = #f: +: e: x: #CC: #a>", "not 'x'"),
        ("rule(#r)<@signal = 0.5@#a : 3>", "NUMBER@#NAME, or a list of names, between all colons"),
        ("energy(#near)<@energy = #other>", "a row of a matrix is {FIRST,LAST,NUMBERS}, not 'other'"),
        ("energy(#near)<@energy = {0}>", "two whole numbers, and then as many as they say"),
        ("energy(#near)<@energy = {0.5,1,1}>", "two whole numbers"),
        ("cross(#near)<>\nenergy(#near)<>", "#near is a name of cross already"),
        ("x = " + "(" * 60, "more than 50 brackets and signs in each other"),
        ("\x00", r"'\x00' is not understood"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_language_is_named(
    text: str, words: str, tmp_path: Path, run: Run
) -> None:
    path = tmp_path / "some.glb"
    path.write_text(BINS + text)
    refused(run("import", "globes", path), f"{path}: line ", words)


def test_format_may_stand_before_the_file_or_in_an_option(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "near.dat"
    path.write_text(f"{BINS}energy(#near)<@energy = {ROWS}>")
    calls = [
        ("globes", path),
        (path, "--format", "globes"),
        ("--format=globes", path),
        ("--format", "globes", "--name", "near", path),
        ("globes", "--name", "near", path),
    ]
    texts = {run("import", *call, "-q").out for call in calls}
    assert len(texts) == 1
    assert '"counts"' in texts.pop()
    for call in [(path,), (path, "--format"), ("globes", path, "--format", "globes")]:
        done = run("import", *call)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    refused(run("import", path, "--format", "globs"), "format 'globs' (did you mean 'globes'")


def test_dune_matrices_are_read_as_they_lie_there(
    third_party_file: Callable[[str], Path],
) -> None:
    """A file of the published configuration without its bins (arXiv:2103.04797, ancillary files)."""
    path = third_party_file("oscillation/dune_tdr/smr/app_nue_sig.txt")
    found = forefold.import_matrix(path, "globes", true="enu=0:99:99", reco="erec=0:80:80")
    rows = [
        line.strip("{}:;\n ").split(",")[2:]
        for line in path.read_text().splitlines()
        if line.startswith("{")
    ]
    cells = np.array(rows, dtype=float).T
    over = np.maximum(cells.sum(axis=1), 1.0)
    np.testing.assert_allclose(found.matrix, cells / over[:, None], rtol=1e-14)
    assert found.efficiency.max() <= 1.0 + 1e-12
