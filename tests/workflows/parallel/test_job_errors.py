"""What stops a job is said as one process says it; nothing half-written is left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from handmade import columns, write_tree
from shuffled import Shuffled, Stopping, digest

import forefold
from forefold import io
from forefold.workflows.parallel.parts import Folder
from forefold.workflows.parallel.tasks import run_part

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


@pytest.mark.filterwarnings("ignore:the selection .* keeps none:UserWarning")
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


@pytest.mark.filterwarnings("ignore:.*random draws will be the same")
@pytest.mark.parametrize("kind", [".parquet", ".csv"])
def test_files_of_the_same_content_have_the_same_bytes(
    kind: str, gst_file: Path, tmp_path: Path
) -> None:
    """A block ends where a file does, also where the next one has the same random numbers."""
    copy = tmp_path / "copy.root"
    copy.write_bytes(gst_file.read_bytes())
    paths = [gst_file, copy, gst_file]
    forefold.smear_files(paths, CARD, tmp_path / f"one{kind}", rng=1)
    forefold.smear_files(paths, CARD, tmp_path / f"many{kind}", rng=1, executor=Shuffled(1))
    assert digest(tmp_path / f"one{kind}") == digest(tmp_path / f"many{kind}")


def test_the_manifest_of_another_output_does_not_stay(gst_file: Path, tmp_path: Path) -> None:
    out, told = tmp_path / "o.parquet", tmp_path / "o.parquet.manifest.json"
    forefold.smear_files(gst_file, CARD, out, rng=1, executor=Shuffled(1))
    assert told.exists()
    forefold.smear_files(gst_file, CARD, out, rng=2, overwrite=True)
    assert not told.exists()
    forefold.smear_files(gst_file, CARD, out, rng=1, executor=Shuffled(1), overwrite=True)
    again: dict[str, Any] = {"executor": Shuffled(1), "overwrite": True, "manifest": False}
    forefold.smear_files(gst_file, CARD, out, rng=2, **again)
    assert not told.exists()


def test_two_jobs_at_one_output(gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.parquet"
    other = Folder(out)
    other.path.mkdir()
    other.lock()
    ways: list[dict[str, Any]] = [{"resume": True}, {"overwrite": True}]
    for options in ways:
        with pytest.raises(
            OSError, match=r"o\.parquet\.parts: another job is at work here \(process \d+ on"
        ):
            forefold.smear_files(gst_file, CARD, out, rng=1, executor=Shuffled(1), **options)
    assert not out.exists()
    other.unlock()
    forefold.smear_files(gst_file, CARD, out, rng=1, executor=Shuffled(1), resume=True)
    assert out.exists()
    assert not other.path.exists()


def test_an_input_that_changed_behind_its_beginning(gst_file: Path, tmp_path: Path) -> None:
    """Its size, and the MiB that its random numbers come from, are what they were."""
    path, out = tmp_path / "large.csv", tmp_path / "o.parquet"
    row = "{},13,0.0,0.0,1.0,1.005600000000000000\n"
    text = "event,pdgid,px,py,pz,energy\n" + "".join(row.format(i) for i in range(1, 30_001))
    path.write_text(text)
    assert len(text) > 1 << 20
    job: dict[str, Any] = {"rng": 1, "axis": "z"}
    with pytest.raises(KeyboardInterrupt):
        forefold.smear_files(
            [gst_file, path], CARD, out, executor=Stopping(1, KeyboardInterrupt()), **job
        )
    path.write_text(text[:-3] + "1" + text[-2:])
    with pytest.raises(ValueError, match=r"large\.csv has changed since \(its SHA-256 was"):
        forefold.smear_files([gst_file, path], CARD, out, executor=Shuffled(1), resume=True, **job)
    path.write_text(text)  # touched, and the same
    forefold.smear_files([gst_file, path], CARD, out, executor=Shuffled(1), resume=True, **job)
    path.write_text(text[:-3] + "1" + text[-2:])
    with pytest.raises(ValueError, match=r"manifest\.json: .*large\.csv has changed since"):
        forefold.smear_files([gst_file, path], CARD, out, executor=Shuffled(1), resume=True, **job)


class Pool:
    """Like `multiprocessing.Pool`, whose `map` takes one list."""

    def map(self, function: Any, tasks: Any, chunksize: int | None = None) -> Any:
        raise NotImplementedError(function, tasks, chunksize)

    def starmap(self, function: Any, tasks: Any, chunksize: int) -> Any:
        assert chunksize == 1
        return [function(*task) for task in tasks]


def test_a_pool_of_multiprocessing(gst_file: Path, tmp_path: Path) -> None:
    tally = forefold.smear_files(gst_file, CARD, tmp_path / "o.parquet", rng=1, executor=Pool())
    assert tally.events == 300


def test_what_differs_is_named(gst_file: Path, tmp_path: Path) -> None:
    out, card = tmp_path / "o.parquet", forefold.load_card(CARD)
    with pytest.raises(KeyboardInterrupt):
        forefold.smear_files(gst_file, card, out, rng=1, executor=Stopping(0, KeyboardInterrupt()))
    facts = card.model_dump()
    facts["rules"][0]["efficiency"] = 0.5
    other = card.model_validate(facts)
    again: dict[str, Any] = {"rng": 1, "executor": Shuffled(1), "resume": True}
    with pytest.raises(
        ValueError, match=r"begun with the card's \w+\.0\.\w+.* = .*, now it is"
    ) as found:
        forefold.smear_files(gst_file, other, out, **again)
    assert len(str(found.value)) < 400
    with pytest.raises(
        ValueError, match=r"begun with other inputs = \[\], now it is \['.*b\.csv'\]"
    ):
        forefold.smear_files([gst_file, bad_file(tmp_path)], card, out, **again)


def bad_file(folder: Path) -> Path:
    path = folder / "b.csv"
    path.write_text("event,pdgid,px,py,pz,energy\n1,13,0,0,1,1.1\n2,13,0,0,1,-1.1\n")
    return path


def test_the_manifest_says_what_was_lost(tmp_path: Path) -> None:
    out, lost = tmp_path / "o.parquet", io.Damage()
    forefold.smear_files(
        bad_file(tmp_path), CARD, out, rng=1, axis="z", damage=lost, executor=Shuffled(1)
    )
    facts = json.loads(Path(f"{out}.manifest.json").read_text())
    assert facts["lost"]["events"] == lost.events == 1
    assert "energy = -1.1" in facts["lost"]["notes"][0]
