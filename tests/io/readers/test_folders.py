"""Trees in folders of a ROOT file, found and named as FILE:PATH."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from cli_runs import CARD, Run, refused
from handmade import write_tree
from mutations import outcomes

import forefold
from forefold import io
from forefold.io.source import absolute, parted

COLUMNS = [
    "iev",
    "neu",
    "tgt",
    "Ev",
    "pxv",
    "pyv",
    "pzv",
    "fspl",
    "El",
    "pxl",
    "pyl",
    "pzl",
    "pdgf",
    "Ef",
    "pxf",
    "pyf",
    "pzf",
    "wght",
    "cc",
    "nc",
    "qel",
    "res",
    "dis",
]


@pytest.fixture(scope="module")
def columns(gst_file: Path) -> dict[str, Any]:
    with uproot.open(gst_file) as file:
        found = file["gst"].arrays(COLUMNS, entry_stop=40)
    return {
        name: found[name] if found[name].ndim > 1 else found[name].to_numpy() for name in COLUMNS
    }


def write(path: Path, columns: dict[str, Any], *places: str) -> Path:
    """Write the tree at each place, each time with one event less."""
    with uproot.recreate(path) as file:
        for k, place in enumerate(places):
            kinds = {
                name: value.dtype
                if isinstance(value, np.ndarray)
                else f"var * {value.type.content.content}"
                for name, value in columns.items()
            }
            tree = file.mktree(place, kinds)
            tree.extend({name: value[k:] for name, value in columns.items()})
    return path


def test_a_tree_in_a_folder_is_that_outside(columns: dict[str, Any], tmp_path: Path) -> None:
    plain = write(tmp_path / "plain.root", columns, "gst")
    nested = write(tmp_path / "nested.root", columns, "DetSimPassThru/gst")
    expected = io.read(plain, stream=5)
    for name in (
        nested,
        f"{nested}:DetSimPassThru/gst",
        f"{nested}:DetSimPassThru",
        f"{nested}:/DetSimPassThru/gst/",
        f"{nested}:DetSimPassThru/gst;1",
        f"{tmp_path}/nest*.root:DetSimPassThru/gst",
    ):
        found = io.read(name, stream=5)
        assert found.particles.energy.tolist() == expected.particles.energy.tolist()
        assert io.inspect(name).events == 40
    # numbers of the file are those of its content, whatever its part is called
    inside = forefold.smear(io.read(f"{nested}:DetSimPassThru/gst"), "nusmear-default", rng=1)
    whole = forefold.smear(io.read(nested), "nusmear-default", rng=1)
    assert ak.array_equal(inside.particles.energy_reco, whole.particles.energy_reco)


def test_several_trees_must_be_named(columns: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path / "two.root", columns, "near/gst", "far/gst")
    with pytest.raises(
        ValueError,
        match=r"two\.root: 2 trees `gst`: far/gst, near/gst; say which, as in .*:far/gst",
    ):
        io.read(path)
    assert [len(io.read(f"{path}:{each}")) for each in ("near", "far/gst")] == [40, 39]
    with pytest.warns(UserWarning, match="the same content"):
        both = io.read([f"{path}:near/gst", f"{path}:far/gst"])
    assert len(both) == 79
    # that outside of folders counts first
    path = write(tmp_path / "top.root", columns, "gst", "far/gst")
    assert [len(io.read(each)) for each in (path, f"{path}:far")] == [40, 39]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("gst", r"without a tree at 'gst' \(did you mean .*it holds: run, run/gst"),
        ("run/gtree", "without a tree at 'run/gtree'"),
        ("runs/gst", r"without a tree at 'runs/gst' \(did you mean 'run/gst'"),
    ],
)
def test_a_place_that_is_none_is_said(
    place: str, words: str, columns: dict[str, Any], tmp_path: Path
) -> None:
    path = write(tmp_path / "f.root", columns, "run/gst")
    with pytest.raises(ValueError, match=words):
        io.read(f"{path}:{place}")


def test_only_root_files_have_places(tmp_path: Path, run: Run) -> None:
    table = tmp_path / "t.csv"
    table.write_text("event,pdgid,px,py,pz,energy\n1,13,0,0,1,2\n")
    with pytest.raises(FileNotFoundError, match=r"t\.csv is no ROOT file that could hold 'gst'"):
        io.read(f"{table}:gst")
    with pytest.raises(FileNotFoundError, match=r"absent\.root: no such file"):
        io.read(f"{tmp_path}/absent.root:gst")
    odd = tmp_path / "a:b.csv"  # a colon of a name is one
    odd.write_text(table.read_text())
    assert len(io.read(odd)) == 1
    refused(run("inspect", f"{table}:gst"), "no ROOT file that could hold 'gst'")


def test_names_are_parted() -> None:
    assert parted("https://host:80/a.root") == ("https://host:80/a.root", "")
    assert parted("https://host:80/a.root:b/c") == ("https://host:80/a.root", "b/c")
    assert parted("root://host//a.root:gst") == ("root://host//a.root", "gst")
    assert parted("a.root:") == ("a.root:", "")
    assert absolute("a.root:gst") == f"{Path('a.root').resolve()}:gst"
    assert absolute("root://host//a.root:gst") == "root://host//a.root:gst"


def test_commands_take_places(
    columns: dict[str, Any], tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("f.root"), columns, "run/gst")
    smear = ("smear", "f.root:run/gst", *CARD, "--rng", "1", "-q")
    assert run(*smear, "-o", "one.parquet").code == 0
    assert run(*smear, "-o", "job.parquet", "--workers", "1").code == 0
    assert Path("one.parquet").read_bytes() == Path("job.parquet").read_bytes()
    inputs = forefold.read_smeared("one.parquet").attrs["forefold"]["inputs"]
    assert inputs[0]["path"] == "f.root:run/gst"
    assert len(inputs[0]["sha256"]) == 64
    assert "GENIE" in run("cite", "f.root:run/gst").out
    refused(run(*smear, "-o", "f.root", "--overwrite"), "is also an input")


def test_gibuu_in_a_folder(tmp_path: Path) -> None:
    from handmade import columns as gibuu

    path = write_tree(tmp_path / "g.root", gibuu(), "events/RootTuple")
    assert len(io.read(path)) == len(io.read(f"{path}:events")) == 12


def test_damaged_folders_are_clean_errors(columns: dict[str, Any], tmp_path: Path) -> None:
    few = {name: value[:3] for name, value in columns.items()}
    content = write(tmp_path / "f.root", few, "a/b/gst").read_bytes()
    expected = io.read(tmp_path / "f.root").particles

    def good(found: ak.Array) -> bool:
        return bool(ak.almost_equal(found.particles, expected)) or len(found) == 3

    # a number that changed inside a basket is a number: ROOT has no sums
    found = outcomes(content, range(40), tmp_path / "bad.root", io.read, good)
    assert found["wrong"] == 0
    assert found["clean error"] > 5
