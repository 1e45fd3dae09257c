"""Commands that go over events: what they print and what they write."""

from __future__ import annotations

import csv
import gzip
import json
import os
from pathlib import Path

import hist
import numpy as np
import pyarrow.parquet as pq
import pytest
import uhi.io.json
from cli_runs import CARD, Run, refused

import forefold

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


def test_response_matrix_of_a_card_with_vertices(run: Run, data: Path, tmp_path: Path) -> None:
    card = tmp_path / "v.toml"
    card.write_text(
        'extends = "nusmear-default"\nname = "v"\ntitle = "V"\n[sources]\ntest = "t"\n'
        '[vertex]\nsource = "test"\nposition = 0.7\n'
    )
    axis = ("--axis", "visible_energy=0:8:2", "--rng", 1, "-q")
    files = [data / f"genie_numu_Ar40_300.{kind}.root" for kind in ("ghep", "gst")]
    done = run("matrix", files[0], "-d", card, *axis)
    assert done.code == 0, done.err
    plain = run("matrix", files[0], "-d", "nusmear-default", *axis)
    mine, other = (forefold.ResponseMatrix.from_json(each.out) for each in (done, plain))
    assert mine.matrix.tolist() == other.matrix.tolist()
    refused(run("matrix", files[1], "-d", card, *axis), "have no vertex_x")
