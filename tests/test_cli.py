"""The command line: what it prints, what it writes, and what it says when it cannot."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import hist
import numpy as np
import pyarrow.parquet as pq
import pytest
import uhi.io.json
import uproot

import forefold
from forefold import cli
from forefold.cli.figures import FIGURES
from forefold.demo import sample

CARD = ["-d", "nusmear-dune-cdr"]
COLUMNS = [
    "event",
    "pdgid",
    "energy_true",
    "theta_true",
    "detected",
    "energy_reco",
    "theta_reco",
    "phi_reco",
    "px_reco",
    "py_reco",
    "pz_reco",
    "fate",
]


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> Result:
        try:
            code = cli.main([str(a) for a in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Result(code, *capsys.readouterr())

    return call


def refused(result: Result, *words: str) -> None:
    """One line, exit code 2, no traceback."""
    assert result.code == 2, result
    assert result.out == ""
    assert result.err.count("\n") == 1, result.err
    assert result.err.startswith("forefold")
    for word in words:
        assert word in result.err, result.err


def test_smear_csv(run: Run, gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.csv"
    result = run("smear", gst_file, *CARD, "--rng", 1, "-o", out)
    assert result.code == 0
    assert result.out == ""
    assert "2,076 particles, rng 1" in result.err
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == COLUMNS
    events = forefold.read(gst_file)
    smeared = forefold.smear(events, "nusmear-dune-cdr", rng=1)
    particles = smeared.particles
    expected = [
        (int(event), p)
        for event, lists in zip(smeared.event, particles, strict=True)
        for p in lists
    ]
    assert len(rows) == len(expected) == 2076
    for row, (event, particle) in zip(rows, expected, strict=True):
        assert int(row["event"]) == event
        assert int(row["pdgid"]) == particle.pdgid
        assert row["detected"] == str(int(particle.detected))
        assert int(row["fate"]) == particle.fate
        for name in COLUMNS[2:4] + COLUMNS[5:11]:
            value = particle[name]
            assert (row[name] == "") if value is None else (float(row[name]) == value)


def test_halves_make_the_whole(run: Run, gst_file: Path, tmp_path: Path) -> None:
    def rows(*options: object) -> list[str]:
        out = tmp_path / "part.csv"
        assert run("smear", gst_file, *CARD, "--overwrite", "-q", "-o", out, *options).code == 0
        return out.read_text(encoding="utf-8").splitlines()

    whole = rows("--rng", 1)
    first, second = (rows("--rng", 1, "--entries", e) for e in ("0:120", "120:300"))
    assert first + second[1:] == whole
    assert rows("--rng", 1, "--chunk", 7) == whole
    other = rows("--rng", 2)
    assert other != whole
    assert len(other) == len(whole)


def test_smear_several_files_and_formats(
    run: Run, gst_file: Path, genie_hepmc_file: Path, achilles_hepmc_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.parquet"
    result = run(
        "smear", gst_file, genie_hepmc_file, achilles_hepmc_file, *CARD, "--rng", 3, "-o", out
    )
    assert result.code == 0
    table = pq.read_table(out)
    assert table.num_rows == 620
    about = json.loads(table.schema.metadata[b"forefold"])
    assert about["rng"] == 3
    assert about["card"] == "nusmear-dune-cdr"
    particles = table["particles"].combine_chunks().flatten()
    fates = np.asarray(particles.field("fate"))
    detected = np.asarray(particles.field("detected").to_numpy(zero_copy_only=False))
    assert np.array_equal((fates & 1) != 0, detected)
    assert particles.field("energy_reco").null_count == (~detected).sum()
    assert len(fates) == np.asarray(table["n_particles"]).sum()


def test_smear_draws_its_rng_and_says_so(run: Run, gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.csv"
    result = run("smear", gst_file, *CARD, "-o", out)
    rng = result.err.split(" rng ")[1].split(",")[0]
    again = tmp_path / "again.csv"
    assert run("smear", gst_file, *CARD, "-o", again, "--rng", rng, "-q").err == ""
    assert out.read_bytes() == again.read_bytes()


def test_matrix(run: Run, gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.json"
    result = run("matrix", gst_file, *CARD, "--rng", 1, "--bins", 20, "--range", "0:8", "-o", out)
    assert result.code == 0
    matrix = hist.Hist(json.loads(out.read_text("utf-8"), object_hook=uhi.io.json.object_hook))
    assert tuple(matrix.axes.name) == ("energy_true", "energy_reco")
    assert matrix.shape == (20, 20)
    assert matrix.values(flow=True).sum() == 300
    smeared = forefold.smear(forefold.read(gst_file), "nusmear-dune-cdr", rng=1)
    edges = np.linspace(0, 8, 21)
    numpy = np.histogram2d(
        np.asarray(smeared.visible_energy_true),
        np.asarray(smeared.visible_energy_reco),
        [edges] * 2,
    )[0]
    assert np.array_equal(matrix.values(), numpy)
    piped = run(
        "matrix", gst_file, *CARD, "--rng", 1, "--bins", 20, "--range", "0:8", "--chunk", 11
    )
    assert hist.Hist(json.loads(piped.out, object_hook=uhi.io.json.object_hook)) == matrix


@pytest.mark.parametrize("options", [["--quantity", "angle"], ["--by-type"], ["--quantity", "angle", "--by-type", "--cc-only", "--include-lost"]])  # fmt: skip
def test_matrix_variants(run: Run, gst_file: Path, options: list[str]) -> None:
    result = run("matrix", gst_file, *CARD, "--rng", 1, *options)
    matrix = hist.Hist(json.loads(result.out, object_hook=uhi.io.json.object_hook))
    assert ("type" in matrix.axes.name) == ("--by-type" in options)
    assert matrix.values(flow=True).sum() > 300


def test_plot_without_events(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "f.svg"
    assert run("plot", "log-normal", "-o", out).code == 0
    assert out.read_text("utf-8").rstrip().endswith("</svg>")


def test_plot_one(run: Run, gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "f.png"
    assert run("plot", "energy", gst_file, *CARD, "--rng", 1, "-o", out).code == 0
    assert out.read_bytes().startswith(b"\x89PNG")
    before = out.read_bytes()
    refused(run("plot", "energy", gst_file, *CARD, "-o", out), "exists", "--overwrite")
    assert out.read_bytes() == before


def test_plot_all(run: Run, gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures"
    assert run("plot", "all", gst_file, *CARD, "--rng", 1, "-o", out).code == 0
    assert sorted(f.stem for f in out.iterdir()) == sorted(FIGURES)
    assert all(f.read_bytes().startswith(b"%PDF-") for f in out.iterdir())
    refused(run("plot", "all", gst_file, *CARD, "-o", out), "exists", "--overwrite")


def test_inspect(run: Run, gst_file: Path, achilles_hepmc_file: Path) -> None:
    result = run("inspect", gst_file)
    assert result.code == 0
    for word in ("GENIE", "300", "Ar40", "nu(mu)", "mu-"):
        assert word in result.out
    found = json.loads(run("inspect", "--json", gst_file, achilles_hepmc_file).out)
    assert [f["events"] for f in found] == [300, 20]


def test_card_commands(run: Run, tmp_path: Path) -> None:
    assert run("card", "list", "--names").out.split() == forefold.cards()
    assert "NuSmear, Default model" in run("card", "list").out
    assert run("card", "show", "nusmear-default").out.rstrip() == str(
        forefold.load_card("nusmear-default")
    )
    mine = tmp_path / "mine.toml"
    mine.write_text(run("card", "show", "nusmear-dune-cdr", "--toml").out, encoding="utf-8")
    assert run("card", "check", mine).out == f"{mine}: nusmear-dune-cdr: 8 rules, good\n"
    mine.write_text(mine.read_text("utf-8").replace("scale", "scael"), encoding="utf-8")
    refused(
        run("card", "check", mine),
        "unknown key (did you mean 'scale'?)",
        "; also rule[7] 'neutron'.energy.scael: unknown key",
    )
    refused(run("card", "show", "nusmear"), "unknown card 'nusmear'", "did you mean")
    refused(run("card", "check", tmp_path / "none.toml"), "none.toml: No such file")


def test_demo(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    result = run("demo", "-o", out)
    assert result.code == 0
    names = ["nusmear-default.parquet", "nusmear-dune-cdr.parquet", "report.html"]
    assert sorted(f.name for f in out.iterdir()) == names
    assert "try next" in result.out
    assert result.out.count("19377") == 2
    assert pq.read_metadata(out / names[0]).num_rows == 3000
    (out / "mine.txt").write_text("keep", encoding="utf-8")
    refused(run("demo", "-o", out), "exists", "--overwrite")
    report = (out / "report.html").read_bytes()
    assert run("demo", "-o", out, "--overwrite", "-q").out == ""
    assert (out / "mine.txt").read_text("utf-8") == "keep"
    assert (out / "report.html").read_bytes() == report


BAD = [
    (["smear", "{no}.root", *CARD, "-o", "{out}"], ["no.root"]),
    (["smear", "{text}", *CARD, "-o", "{out}"], ["text.root"]),
    (["smear", "{tmp}/*.hepmc3", *CARD, "-o", "{out}"], ["*.hepmc3"]),
    (["smear", "{gst}", "-d", "nusmear-dune", "-o", "{out}"], ["unknown card", "nusmear-dune-cdr"]),
    (["smear", "{gst}", *CARD, "-o", "{tmp}/none/o.csv"], ["none", "folder"]),
    (["smear", "{gst}", *CARD, "-o", "{tmp}/o.hdf"], [".hdf", ".parquet", ".csv"]),
    (["smear", "{gst}", *CARD, "-o", "{tmp}"], ["parquet"]),
    (["smear", "{gst}", *CARD, "-o", "{out}", "--rng", "-3"], ["--rng", "-3"]),
    (["smear", "{gst}", *CARD, "-o", "{out}", "--rng", "1.5"], ["whole number", "1.5"]),
    (["smear", "{gst}", *CARD, "-o", "{out}", "--entries", "5:2"], ["5"]),
    (["smear", "{gst}", *CARD, "-o", "{out}", "--entries", "400:500"], ["300"]),
    (["smear", "{gst}", *CARD, "-o", "{out}", "--entries", "a:b"], ["a:b"]),
    (["smear", "{gst}", *CARD, "-o", "{out}", "--chunk", "0"], ["--chunk"]),
    (["smear", "{gst}", "-o", "{out}"], ["-d"]),
    (["smear", "{cut}", *CARD, "-o", "{out}"], ["cut.hepmc3.gz"]),
    (["matrix", "{gst}", *CARD, "-o", "{tmp}/m.txt"], [".json"]),
    (["matrix", "{gst}", *CARD, "--range", "3:1"], ["LOW < HIGH"]),
    (["matrix", "{gst}", *CARD, "--bins", "x"], ["--bins"]),
    (["plot", "energy", "-o", "{tmp}/f.pdf"], ["INPUT", "-d CARD"]),
    (["plot", "log-normal", "{gst}", "-o", "{tmp}/f.pdf"], ["without events"]),
    (["plot", "log-normal", "-o", "{tmp}/f.gif"], [".gif", ".pdf"]),
    (["plot", "log-normal", "-o", "{tmp}/none/f.pdf"], ["none"]),
    (["plot", "all", "{gst}", *CARD, "-o", "{gst}"], ["is a file"]),
    (["plot", "all", "{gst}", *CARD, "-o", "{tmp}/no/no"], ["does not exist"]),
    (["inspect", "{text}"], ["text.root"]),
    (["inspect", ""], ["empty"]),
    (["inspect", "{folder}"], ["is a folder, must be a TTree"]),
    (["inspect", "{link}"], ["a broken link"]),
    (["matrix", "{gst}", *CARD, "--include-lost"], ["--quantity angle"]),
    (["plot", "energy", "{gst}", *CARD, "--include-lost", "-o", "{tmp}/f.pdf"], ["--include-lost"]),
    (["smeer"], ["did you mean 'smear'?"]),
    ([], ["COMMAND"]),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=lambda x: " ".join(x)[:60])
def test_bad_input(
    run: Run,
    gst_file: Path,
    genie_hepmc_file: Path,
    tmp_path: Path,
    arguments: list[str],
    words: list[str],
) -> None:
    text, cut = tmp_path / "text.root", tmp_path / "cut.hepmc3.gz"
    text.write_text("not a tree\n" * 50, encoding="utf-8")
    cut.write_bytes(gzip.compress(gzip.decompress(genie_hepmc_file.read_bytes())[:400_000]))
    with uproot.recreate(tmp_path / "folder.root") as file:
        file.mkdir("gst")
    (tmp_path / "link.root").symlink_to(tmp_path / "nowhere.root")
    places = {
        "folder": tmp_path / "folder.root",
        "link": tmp_path / "link.root",
        "tmp": tmp_path,
        "gst": gst_file,
        "text": text,
        "cut": cut,
    }
    places |= {"no": tmp_path / "no", "out": tmp_path / "o.parquet"}
    before = sorted(tmp_path.iterdir())
    refused(run(*(a.format(**places) for a in arguments)), *words)
    assert sorted(tmp_path.iterdir()) == before, "nothing half-written"


def test_existing_output_is_kept(run: Run, gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.csv"
    out.write_text("mine", encoding="utf-8")
    refused(run("smear", gst_file, *CARD, "-o", out), "exists", "--overwrite")
    refused(run("smear", gst_file, "-d", "no", "-o", out, "--overwrite"), "unknown card")
    assert out.read_text("utf-8") == "mine"
    assert run("smear", gst_file, *CARD, "-o", out, "--overwrite").code == 0
    assert out.read_text("utf-8").startswith("event,")


def test_same_file_twice_warns(run: Run, gst_file: Path, tmp_path: Path) -> None:
    result = run("smear", gst_file, gst_file, *CARD, "--rng", 1, "-o", tmp_path / "o.csv")
    assert result.code == 0
    assert "forefold: warning:" in result.err
    assert "random draws" in result.err


def test_output_is_not_an_input(run: Run, gst_file: Path, tmp_path: Path) -> None:
    same = tmp_path / "in.csv"
    same.write_bytes(gst_file.read_bytes())
    refused(run("smear", same, *CARD, "--overwrite", "-o", same), "in.csv", "is also an input")
    assert same.read_bytes() == gst_file.read_bytes()


def test_quiet_still_tells_a_drawn_rng(run: Run, gst_file: Path, tmp_path: Path) -> None:
    for command in (["smear"], ["matrix"]):
        result = run(
            *command,
            gst_file,
            *CARD,
            "-q",
            "-o",
            tmp_path / f"o{command[0]}.json".replace("osmear.json", "o.csv"),
        )
        assert result.err.startswith("rng ")


def test_file_name_that_is_not_utf8(run: Run, gst_file: Path, tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/run\xe9.root"
    Path(os.fsdecode(odd)).write_bytes(gst_file.read_bytes())
    out = tmp_path / "o.parquet"
    assert run("smear", os.fsdecode(odd), *CARD, "--rng", 1, "-o", out).code == 0
    assert pq.read_table(out)["source"][0].as_py().endswith("run\\xe9.root")


def test_termination_leaves_nothing(gst_file: Path, tmp_path: Path) -> None:
    """SIGTERM, which batch systems send, in the middle of writing."""
    code = (
        "import os, signal, sys, forefold.recipe as b; from forefold import cli; real = b.smear\n"
        "def stop(*a, **k): os.kill(os.getpid(), signal.SIGTERM); return real(*a, **k)\n"
        "b.smear = stop; sys.exit(cli.main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "smear", str(gst_file), *CARD, "-o", "o.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 143
    assert done.stderr == "forefold: error: terminated; nothing half-written is left\n"
    assert list(tmp_path.iterdir()) == []


def test_stdout_of_few_letters(gst_file: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "forefold", "card", "show", "nusmear-default"]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    card = gst_file  # any file: the message must not fail either
    done = subprocess.run(
        [*command[:-1], f"{card}\u03bd"], capture_output=True, env=environment, check=False
    )
    assert done.returncode == 2


def test_traceback_on_demand(run: Run) -> None:
    with pytest.raises(ValueError, match="unknown card"):
        run("--traceback", "card", "show", "none")


def test_help_and_version(run: Run) -> None:
    assert "demo" in run("--help").out
    assert forefold.__version__ in run("--version").out
    assert "figures 8-11" in run("plot", "--help").out


def test_interrupt(
    run: Run, gst_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("forefold.recipe.smear", stop)
    result = run("smear", gst_file, *CARD, "-o", tmp_path / "o.csv")
    assert result.code == 130
    assert list(tmp_path.iterdir()) == []


def test_module_and_pipe(gst_file: Path) -> None:
    """``python -m forefold ... | head -1`` ends quietly."""
    command = f"{sys.executable} -m forefold inspect {gst_file} --json | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_sample_is_packaged() -> None:
    assert sample().stat().st_size < 2_000_000


@pytest.mark.parametrize("kind", [".parquet", ".root"])
def test_matrix_of_smeared_events(run: Run, gst_file: Path, tmp_path: Path, kind: str) -> None:
    smeared, one, two = tmp_path / f"s{kind}", tmp_path / "one.json", tmp_path / "two.json"
    assert run("smear", gst_file, *CARD, "--rng", 1, "-o", smeared).code == 0
    for options in ([], ["--by-type"], ["--quantity", "angle", "--by-type"]):
        run("matrix", gst_file, *CARD, "--rng", 1, "-o", one, "--overwrite", *options)
        result = run("matrix", smeared, "-o", two, "--overwrite", *options)
        assert result.code == 0, result.err
        assert one.read_text() == two.read_text()
    figure = tmp_path / "figure.svg"
    assert run("plot", "resolution", smeared, "-o", figure).code == 0
    assert figure.stat().st_size > 1000


def test_matrix_needs_a_card_or_smeared_events(run: Run, gst_file: Path, tmp_path: Path) -> None:
    refused(run("matrix", gst_file), "not a file of smeared events: give a detector with -d CARD")
    files = []
    for card in ("nusmear-default", "nusmear-dune-cdr"):
        files.append(tmp_path / f"{card}.parquet")
        assert run("smear", gst_file, "-d", card, "-o", files[-1], "-q").code == 0
    refused(run("matrix", *files), "smeared by different cards")
    refused(run("matrix", files[0], "-d", "nusmear-default"), "holds smeared events")


@pytest.mark.parametrize("command", ["smear", "matrix", "plot", "inspect"])
def test_skip_damaged(run: Run, genie_hepmc_file: Path, tmp_path: Path, command: str) -> None:
    text = gzip.decompress(genie_hepmc_file.read_bytes())
    bad = tmp_path / "bad.hepmc3"
    bad.write_bytes(text.replace(b"\nE 7 ", b"\nE 7x ", 1))
    options: list[object] = [] if command == "inspect" else [*CARD, "--rng", 1]
    options += {
        "smear": ["-o", tmp_path / "o.csv"],
        "plot": ["-o", tmp_path / "o.svg"],
    }.get(command, [])
    words = [command, "energy"] if command == "plot" else [command]
    refused(run(*words, bad, *options), "entry 7: malformed event line")
    result = run(*words, bad, *options, "--skip-damaged")
    assert result.code == 0
    last = result.err.splitlines()[-1]
    assert last.startswith(
        f"forefold: warning: 1 event could not be read: {bad}: entry 7: malformed"
    )
    assert run(*words, genie_hepmc_file, *options, "--skip-damaged", *(
        ["--overwrite"] if command in ("smear", "plot") else []
    )).err.count("could not be read") == 0  # fmt: skip


def test_convert_where(run: Run, gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "cc.parquet"
    result = run("convert", gst_file, out, "--where", "cc")
    assert result.code == 0
    assert "225 of 300 events kept" in result.err
    assert len(forefold.read(out)) == 225
    smeared = tmp_path / "s.parquet"
    run("smear", gst_file, *CARD, "--rng", 1, "-o", smeared, "-q")
    refused(run("convert", smeared, tmp_path / "x.csv", "--where", "cc"), "smeared already")


def test_skip_damaged_of_a_cut_file(run: Run, genie_hepmc_file: Path, tmp_path: Path) -> None:
    """What comes before the break is smeared, to the bits that it has in the whole file."""
    cut = tmp_path / "cut.hepmc3.gz"
    cut.write_bytes(genie_hepmc_file.read_bytes()[:150_000])
    part, whole = tmp_path / "part.csv", tmp_path / "whole.csv"
    result = run("smear", cut, *CARD, "--rng", 1, "--skip-damaged", "-o", part)
    assert result.code == 0, result.err
    assert "could not be read" in result.err
    assert run("smear", genie_hepmc_file, *CARD, "--rng", 1, "-o", whole).code == 0
    lines = part.read_text("utf-8").splitlines()
    assert 500 < len(lines) < 1500
