"""Jobs: the bytes that one process writes, whoever does the work, in whatever order, however often it is stopped."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import awkward as ak
import pytest
import uproot
from fewer import fewer_gst, fewer_hepmc
from shuffled import Shuffled, Stopping, digest

import forefold
from forefold import io
from forefold._parallel import in_order
from forefold.io import blocks
from forefold.io.blocks import blocks as cut_again
from forefold.workflows.parallel.parts import Folder
from forefold.workflows.parallel.split import parts_of

CARD = "nusmear-dune-cdr"
SLOW = [".csv", ".csv.gz", ".h5", ".hepmc3", ".hepmc3.gz"]
"""Formats of which resumed jobs are compared in the quick run."""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks so small that a file of 60 events is six parts."""
    monkeypatch.setattr(blocks, "BLOCK", 10)


@pytest.fixture(scope="module")
def inputs(
    gst_file: Path, genie_hepmc_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """60 events as gst and as NuHepMC."""
    folder = tmp_path_factory.mktemp("inputs")
    return [
        fewer_gst(gst_file, folder / "a.gst.root", 0, 60),
        fewer_hepmc(genie_hepmc_file, folder / "b.hepmc3.gz", 60),
    ]


@pytest.fixture(scope="module")
def gst(inputs: list[Path]) -> Path:
    return inputs[0]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "kind", [".parquet", *(pytest.param(kind, marks=pytest.mark.slow) for kind in SLOW)]
)
def test_same_bytes(kind: str, inputs: list[Path], tmp_path: Path) -> None:
    """Any chunk, any parts, any order, threads: one hash."""
    options: dict[str, Any] = {"rng": 7, "entries": "15:45", "where": "enu > 1.5"}
    one = tmp_path / f"one{kind}"
    whole = forefold.smear_files(inputs, CARD, one, **options)
    found = {digest(one)}
    for chunk in (1, 7, 1000):
        forefold.smear_files(inputs, CARD, one, **options, chunk=chunk, overwrite=True)
        found.add(digest(one))
    many = tmp_path / f"many{kind}"
    for rng, partition, chunk in ((1, 10, 3), (2, 20, 1000)):
        executor = Shuffled(rng)
        tally = forefold.smear_files(
            inputs, CARD, many, **options, executor=executor, partition=partition, chunk=chunk,
            overwrite=True,
        )  # fmt: skip
        found.add(digest(many))
        assert (tally.events, tally.fates) == (whole.events, whole.fates)
        assert tally.selection is not None
        assert whole.selection is not None
        assert (tally.selection.events, tally.selection.kept) == (60, whole.selection.kept)
    with ThreadPoolExecutor(2) as pool:
        forefold.smear_files(
            inputs, CARD, many, **options, executor=pool, partition=10, overwrite=True
        )
    found.add(digest(many))
    assert len(found) == 1
    assert not Folder(many).path.exists()


@pytest.mark.usefixtures("small")
def test_root_has_the_same_columns(inputs: list[Path], tmp_path: Path) -> None:
    """ROOT files carry times; all else is the same."""
    paths = [tmp_path / "one.root", tmp_path / "many.root"]
    forefold.smear_files(inputs, CARD, paths[0], rng=7)
    forefold.smear_files(inputs, CARD, paths[1], rng=7, executor=Shuffled(1), partition=10)
    with uproot.open(paths[0]) as one, uproot.open(paths[1]) as many:
        assert str(one["forefold_provenance"]) == str(many["forefold_provenance"])
        a, b = one["forefold"].arrays(), many["forefold"].arrays()
        assert ak.array_equal(a, b, equal_nan=True)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("card", [CARD, "dune-fd-uncertainties", "super-kamiokande"])
def test_columns_that_some_cards_add(card: str, gst: Path, tmp_path: Path) -> None:
    chosen = forefold.standard_variations(card)[:2] if card.startswith("dune") else []
    out = [tmp_path / name for name in ("one.parquet", "many.parquet")]
    options: dict[str, Any] = {"rng": 3, "observables": True, "variations": chosen}
    forefold.smear_files(gst, card, out[0], **options)
    forefold.smear_files(gst, card, out[1], **options, executor=Shuffled(5), partition=20)
    assert digest(out[0]) == digest(out[1])


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("varied", [False, True])
def test_same_matrices(varied: bool, inputs: list[Path], tmp_path: Path) -> None:
    card = "dune-fd-uncertainties" if varied else CARD
    variations = forefold.standard_variations(card)[:2] if varied else None
    requests = ["energy", "angle-by-type"] if not varied else ["energy"]
    options: dict[str, Any] = {"rng": 7, "variations": variations}
    (one, *more), tally = forefold.fill_files(inputs, card, requests, **options)
    out = tmp_path / "m.json"
    for rng, chunk in ((1, 7), (2, 1000)):
        found, counted = forefold.fill_files(
            inputs, card, requests, **options, executor=Shuffled(rng), partition=20, chunk=chunk,
            out=out, write=lambda found: str(len(found)), overwrite=True,
        )  # fmt: skip
        assert found == [one, *more]
        assert (counted.events, counted.particles) == (tally.events, tally.particles)
        assert out.read_text() == str(len(requests))


@pytest.mark.filterwarnings("ignore:the selection .* keeps none:UserWarning")
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", [".parquet", ".hepmc3"])
def test_nothing_is_kept(kind: str, gst: Path, tmp_path: Path) -> None:
    """A selection may leave nothing: the file is the one that one process writes."""
    out = [tmp_path / f"{name}{kind}" for name in ("one", "many")]
    forefold.smear_files(gst, CARD, out[0], rng=1, where="enu > 1000")
    forefold.smear_files(
        gst, CARD, out[1], rng=1, where="enu > 1000", executor=Shuffled(1), partition=10
    )
    assert digest(out[0]) == digest(out[1])


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("kind", "after"),
    [(".parquet", 0), (".parquet", 4), (".csv.gz", 4), (".h5", 4), (".hepmc3", 4)],
)
def test_resume(kind: str, after: int, gst: Path, tmp_path: Path) -> None:
    whole, out = tmp_path / f"whole{kind}", tmp_path / f"out{kind}"
    options: dict[str, Any] = {"partition": 10}
    forefold.smear_files(gst, CARD, whole, rng=11)
    with pytest.raises(KeyboardInterrupt):
        forefold.smear_files(
            gst, CARD, out, rng=11, executor=Stopping(after, KeyboardInterrupt()), **options
        )
    assert not out.exists()
    assert len(list(Folder(out).path.glob("part-*.arrow"))) == after
    with pytest.raises(FileExistsError, match="--resume goes on with it, --overwrite begins anew"):
        forefold.smear_files(gst, CARD, out, rng=11, executor=Shuffled(1), **options)
    tally = forefold.smear_files(
        gst, CARD, out, executor=Shuffled(1), resume=True, chunk=7, **options
    )
    assert tally.rng == 11
    assert digest(out) == digest(whole)
    assert not Folder(out).path.exists()
    # once more: it is done
    again = forefold.smear_files(gst, CARD, out, executor=Shuffled(1), resume=True, **options)
    assert (again.events, again.fates) == (tally.events, tally.fates)


@pytest.mark.usefixtures("small")
def test_parts_that_were_damaged_are_made_again(gst: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.parquet"
    options: dict[str, Any] = {"partition": 10, "rng": 5}
    with pytest.raises(OSError, match="stop"):
        forefold.smear_files(gst, CARD, out, executor=Stopping(4, OSError("stop")), **options)
    folder = Folder(out)
    folder.part(1).write_bytes(folder.part(2).read_bytes())
    folder.part(3).unlink()
    (folder.path / "part-000002.json").write_text("{")
    forefold.smear_files(gst, CARD, out, executor=Shuffled(1), resume=True, **options)
    forefold.smear_files(gst, CARD, tmp_path / "p.parquet", rng=5)
    assert digest(out) == digest(tmp_path / "p.parquet")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rng": 6}, "begun with --rng = 5, now it is 6"),
        ({"axis": "z"}, "begun with --axis = 'probe', now it is 'z'"),
        ({"where": "cc"}, "begun with --where = None, now it is 'cc'"),
        ({"entries": "0:30"}, r"begun with --entries = \[0, None\], now it is \[0, 30\]"),
        ({"card": "nusmear-default"}, "begun with the card = 'nusmear-dune-cdr'"),
        ({"observables": True}, "begun with --observables = False"),
        ({"partition": 20}, "begun with --partition = 10"),
    ],
)
def test_resume_of_another_command(
    change: dict[str, Any], words: str, gst: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.parquet"
    given: dict[str, Any] = {"card": CARD, "rng": 5, "partition": 10}
    with pytest.raises(OSError, match="stop"):
        forefold.smear_files(gst, out=out, executor=Stopping(2, OSError("stop")), **given)
    with pytest.raises(ValueError, match=words):
        forefold.smear_files(gst, out=out, executor=Shuffled(1), resume=True, **{**given, **change})
    anew = {**given, **change, "partition": 30}
    forefold.smear_files(gst, out=out, executor=Shuffled(1), overwrite=True, **anew)
    assert not Folder(out).path.exists()


@pytest.mark.usefixtures("small")
def test_resume_with_another_input(gst: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "a.root", tmp_path / "o.parquet"
    path.write_bytes(gst.read_bytes())
    with pytest.raises(OSError, match="stop"):
        forefold.smear_files(
            path, CARD, out, rng=1, executor=Stopping(1, OSError("stop")), partition=10
        )
    path.write_bytes(gst.read_bytes() + b"\0")
    with pytest.raises(ValueError, match=r"begun with the content of .*a\.root"):
        forefold.smear_files(
            path, CARD, out, rng=1, executor=Shuffled(1), resume=True, partition=10
        )


@pytest.mark.usefixtures("small")
def test_manifest(gst: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.parquet"
    forefold.smear_files(gst, CARD, out, rng=1, executor=Shuffled(1), partition=10)
    facts = json.loads(Path(f"{out}.manifest.json").read_text())
    assert facts["output"]["sha256"] == digest(out)
    assert facts["inputs"][0]["sha256"] == digest(gst)
    assert [part["entries"] for part in facts["parts"][:2]] == [[0, 10], [10, 20]]
    assert sum(part["events"] for part in facts["parts"]) == 60
    assert all(len(part["sha256"]) == 64 for part in facts["parts"])
    assert facts["recipe"]["rng"] == 1
    assert facts["recipe"]["card"]["name"] == CARD
    again = tmp_path / "p.parquet"
    forefold.smear_files(gst, CARD, again, rng=1, executor=Shuffled(2), partition=10)
    assert json.loads(Path(f"{again}.manifest.json").read_text()) == facts
    forefold.smear_files(gst, CARD, tmp_path / "q.csv", rng=1, executor=Shuffled(2), manifest=False)
    assert not (tmp_path / "q.csv.manifest.json").exists()


def test_other_files_in_the_folder_stay(gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.parquet"
    folder = Path(f"{out}.parts")
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(OSError, match=r"holds mine\.txt, which forefold did not make"):
        forefold.smear_files(gst_file, CARD, out, rng=1, executor=Shuffled(1), overwrite=True)
    assert (folder / "mine.txt").read_text() == "mine"


def test_parts() -> None:
    assert parts_of(["a"], [60_000], None, 1) == [
        (0, 0, 20_000),
        (0, 20_000, 40_000),
        (0, 40_000, 60_000),
    ]
    assert parts_of(["a"], [60_001], "5:", 50_000) == [(0, 5, 60_000), (0, 60_000, 60_001)]
    assert parts_of(["a", "b"], [None, 10], "5:8") == [(0, 5, 8), (1, 5, 8)]
    with pytest.raises(ValueError, match="starts at 5, but the file has 3 events"):
        parts_of(["a"], [3], "5:")
    with pytest.raises(ValueError, match="holds no events"):
        parts_of(["a"], [0])


def test_blocks_do_not_depend_on_pieces(gst_file: Path, genie_hepmc_file: Path) -> None:
    paths = [gst_file, genie_hepmc_file]
    for chunk in (7, 300):
        pieces = ((piece,) for piece in io.iterate(paths, chunk=chunk, entries="50:"))
        found = [(len(b), int(b.entry[0])) for (b,) in cut_again(pieces, 100)]
        assert found == [(50, 50), (100, 100), (100, 200)] * 2


def test_in_order_cancels_what_is_not_wanted() -> None:
    with ThreadPoolExecutor(1) as pool:
        results = in_order(pool, divmod, [(7, 2)] * 1000)
        assert next(results) == (3, 1)
        results.close()  # type: ignore[attr-defined]
        assert pool.submit(int, "3").result(10) == 3
