"""What the command line says when it cannot, and what it leaves behind: one line, nothing half-written."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
import uproot
from cli_runs import CARD, Run, refused

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


def test_termination_leaves_nothing(gst_file: Path, tmp_path: Path) -> None:
    """SIGTERM, which batch systems send, in the middle of writing."""
    code = (
        "import os, signal, sys, forefold.workflows.job as b; from forefold import cli; real = b.smear\n"
        "def stop(*a, **k): os.kill(os.getpid(), signal.SIGTERM); return real(*a, **k)\n"
        "b.smear = stop; sys.exit(cli.main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "smear", str(gst_file), *CARD, "-o", "o.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 143
    assert done.stderr == "forefold: error: terminated; nothing half-written is left\n"
    assert list(tmp_path.iterdir()) == []


def test_traceback_on_demand(run: Run) -> None:
    with pytest.raises(ValueError, match="unknown card"):
        run("--traceback", "card", "show", "none")


def test_interrupt(
    run: Run, gst_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("forefold.workflows.job.smear", stop)
    result = run("smear", gst_file, *CARD, "-o", tmp_path / "o.csv")
    assert result.code == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["smear", "a", "-d", "b", "-o", "c", "--select", "cc"],
            "--select belongs to 'forefold matrix', ",
        ),
        (["plot", "energy", "a", "-o", "b", "--background=n=nc"], "--background belongs to "),
        (["matrix", "a", "--selct", "cc"], "did you mean '--select'? (see 'forefold matrix"),
        (["card", "check", "a", "--sctrict"], "did you mean '--strict'? (see 'forefold card check"),
        (["card", "list", "some"], "forefold card list: error: unrecognized arguments: some (see"),
    ],
)
def test_options_of_other_commands(run: Run, words: list[object], said: str) -> None:
    done = run(*words)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert said in done.err


@pytest.mark.parametrize(
    "command",
    [
        "convert {events}:events {events}",
        "observables {link} -o {events}",
        "fold {spectrum} {matrix} -o {matrix}",
        "fit {spectrum} {matrix} --truth all={truth} -o {truth}",
    ],
)
def test_an_input_is_never_replaced(command: str, run: Run, gst_file: Path, tmp_path: Path) -> None:
    """Whatever it is called: by a path inside, by a link, by an option."""
    names = {"events": "e.root", "link": "l.root", "spectrum": "s.json", "matrix": "m.json", "truth": "t.json"}  # fmt: skip
    paths = {name: tmp_path / file for name, file in names.items()}
    for name, path in paths.items():
        if name == "link":
            path.symlink_to(paths["events"])
        else:
            path.write_bytes(gst_file.read_bytes() if name == "events" else name.encode())
    before = {path: path.read_bytes() for path in paths.values()}
    refused(run(*command.format(**paths).split(), "--overwrite"), "is also an input")
    assert {path: path.read_bytes() for path in paths.values()} == before
