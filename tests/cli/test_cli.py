"""The command line: what it prints and what it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
from cli_runs import CARD, Run, refused

import forefold
from forefold.cli.events import FIGURES
from forefold.workflows.demo import sample


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


def test_stdout_of_few_letters(gst_file: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "forefold", "card", "show", "nusmear-default"]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    card = gst_file  # any file: the message must not fail either
    done = subprocess.run(
        [*command[:-1], f"{card}\u03bd"], capture_output=True, env=environment, check=False
    )
    assert done.returncode == 2


def test_help_and_version(run: Run) -> None:
    assert "demo" in run("--help").out
    assert forefold.__version__ in run("--version").out
    assert "figures 8-11" in run("plot", "--help").out


def test_module_and_pipe(gst_file: Path) -> None:
    """``python -m forefold ... | head -1`` ends quietly."""
    command = f"{sys.executable} -m forefold inspect {gst_file} --json | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_sample_is_packaged() -> None:
    assert sample().stat().st_size < 2_000_000
