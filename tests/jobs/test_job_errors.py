"""What stops a job is said as one process says it; nothing half-written is left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from handmade import columns, write_tree
from shuffled import Shuffled, digest

import forefold
from forefold import io
from forefold.jobs.tasks import run_part

CARD = "nusmear-dune-cdr"


def test_errors_of_workers_are_those_of_one_process(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    rows = "event,pdgid,px,py,pz,energy\n1,13,0,0,1,1.1\n2,13,0,0,1,-1.1\n"
    bad.write_text(rows)
    with pytest.raises(ValueError, match=r"bad\.csv") as one:
        forefold.smear_files(bad, CARD, tmp_path / "o.parquet", rng=1, axis="z")
    with pytest.raises(ValueError, match=r"bad\.csv") as many:
        forefold.smear_files(
            bad, CARD, tmp_path / "o.parquet", rng=1, axis="z", executor=Shuffled(1)
        )
    assert str(one.value) == str(many.value)
    assert "--resume goes on" in many.value.__notes__[0]
    assert not (tmp_path / "o.parquet").exists()


def test_skip_damaged(gst_file: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("event,pdgid,px,py,pz,energy\n1,13,0,0,1,1.1\n2,13,0,0,1,-1.1\n")
    lost = [io.Damage(), io.Damage()]
    paths = [bad, gst_file]
    one = forefold.smear_files(paths, CARD, tmp_path / "o.parquet", rng=1, axis="z", damage=lost[0])
    many = forefold.smear_files(
        paths, CARD, tmp_path / "p.parquet", rng=1, axis="z", damage=lost[1], executor=Shuffled(1)
    )
    assert (one.events, many.events) == (301, 301)
    assert lost[0] == lost[1]
    assert digest(tmp_path / "o.parquet") == digest(tmp_path / "p.parquet")


def test_a_file_of_which_nothing_is_left(gst_file: Path, tmp_path: Path) -> None:
    """It stops a job as it stops one process, though other files are good; a condition that nothing passes does not."""
    bad = write_tree(tmp_path / "bad", columns(2, weight=np.full(2, np.nan)), "RootTuple")
    said = []
    for executor in (None, Shuffled(1)):
        with pytest.raises(ValueError, match=r"bad: no event of this file can be read") as found:
            forefold.smear_files(
                [gst_file, bad],
                CARD,
                tmp_path / "o.parquet",
                rng=1,
                axis="z",
                damage=io.Damage(),
                executor=executor,
            )
        said.append(str(found.value))
        assert not (tmp_path / "o.parquet").exists()
    assert said[0] == said[1]
    none = forefold.smear_files(
        [gst_file],
        CARD,
        tmp_path / "n.parquet",
        rng=1,
        where="enu > 1e6",
        damage=io.Damage(),
        executor=Shuffled(1),
    )
    assert none.events == 0


def test_same_content_twice_is_told(gst_file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.root"
    copy.write_bytes(gst_file.read_bytes())
    with pytest.warns(UserWarning, match="their random draws will be the same"):
        forefold.smear_files(
            [gst_file, copy], CARD, tmp_path / "o.csv", rng=1, executor=Shuffled(1)
        )


def test_what_cannot_be(gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.parquet"
    for given, words in (
        ({"executor": Shuffled(1), "workers": 2}, "one of executor, workers and cluster"),
        ({"executor": object()}, "executor: an object with map is expected, found object"),
        ({"workers": 0}, "workers = 0: must be at least one"),
        ({"executor": Shuffled(1), "partition": 0}, "partition = 0: must be at least one"),
        ({"executor": Shuffled(1), "chunk": 0}, "chunk = 0: must be at least one"),
        ({"executor": Shuffled(1), "also": [print]}, "also: in one process only"),
    ):
        with pytest.raises(ValueError, match=words):
            forefold.smear_files(gst_file, CARD, out, rng=1, **given)
    with pytest.raises(ValueError, match="workers need an output"):
        forefold.fill_files(gst_file, CARD, ["energy"], executor=Shuffled(1))
    with pytest.raises(ValueError, match="unknown histogram 'energie'"):
        forefold.fill_files(gst_file, CARD, ["energie"])
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_sees_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="must lie where all its machines see them"):
        run_part(str(tmp_path / "elsewhere.parquet"), 0)
