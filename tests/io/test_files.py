"""Finding, opening and telling files apart, whatever their format."""

from __future__ import annotations

import gzip
import hashlib
import io as stdio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import awkward as ak
import pytest

import forefold
from forefold import events, io
from forefold.io import registry as readers
from forefold.io.files import content_stream, window
from forefold.io.registry import Header, Source


def put(path: Path, content: bytes) -> str:
    """Write a file and give its name."""
    path.write_bytes(content)
    return str(path)


def test_expand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.root", "a.root", "c[1].root", "sub/d.root"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    assert io.expand("a.root") == ["a.root"]
    assert io.expand(Path("a.root")) == ["a.root"]
    assert io.expand(["b.root", Path("a.root")]) == ["b.root", "a.root"]
    assert io.expand("[ab].root") == ["a.root", "b.root"]
    assert io.expand("c[1].root") == ["c[1].root"]
    assert io.expand("**/*.root") == ["a.root", "b.root", "c[1].root", str(Path("sub/d.root"))]
    assert io.expand("*") == ["a.root", "b.root", "c[1].root"]


def test_expand_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("run_1.root", "run_2.root", "other.txt"):
        (tmp_path / name).touch()
    with pytest.raises(
        FileNotFoundError, match=r"run_3\.root: no such file; near names in .*: run_"
    ):
        io.expand(tmp_path / "run_3.root")
    with pytest.raises(FileNotFoundError, match=r"zzz: no such file$"):
        io.expand(tmp_path / "zzz")
    with pytest.raises(FileNotFoundError, match=r"no such file \(nor a folder .*nowhere\)"):
        io.expand(tmp_path / "nowhere" / "run.root")
    with pytest.raises(FileNotFoundError, match=r"\*\.gst: no file matches this pattern"):
        io.expand(str(tmp_path / "*.gst"))
    with pytest.raises(IsADirectoryError, match=r"is a directory; give files, or a pattern"):
        io.expand(tmp_path)
    with pytest.raises(ValueError, match="no input files given"):
        io.expand([])
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match=r"other\.txt: permission to read it is denied"):
        io.expand(tmp_path / "other.txt")


def test_unreadable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> Iterator[Path]:
        raise PermissionError

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(FileNotFoundError, match=r"run: no such file$"):
        io.expand(tmp_path / "run")


@pytest.mark.parametrize(
    ("entries", "bounds"),
    [
        (None, (0, None)),
        ("0:5", (0, 5)),
        (" 3 : ", (3, None)),
        (":7", (0, 7)),
        (":", (0, None)),
        ((2, 4), (2, 4)),
        ((2, None), (2, None)),
        (slice(9), (0, 9)),
        (slice(1, 2, 1), (1, 2)),
    ],
)
def test_window(entries: Any, bounds: tuple[int, int | None]) -> None:
    assert window(entries) == bounds


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("5", "entries '5': must be a range of whole numbers such as '0:500'"),
        ("a:b", "must be a range"),
        ("0:5:2", "must be a range"),
        (7, "must be a range"),
        ((1, 2, 3), "must be a range"),
        ((0.5, 2), "must be a range"),
        (slice(0, 9, 2), "must be a range"),
        ((-1, 5), "bounds must not be negative"),
        (slice(0, -5), "bounds must not be negative"),
        ("5:5", "the start must be below the stop"),
        ((9, 3), "the start must be below the stop"),
    ],
)
def test_window_refuses(entries: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        window(entries)


@pytest.fixture(params=["gst_file", "genie_hepmc_file"])
def either(request: pytest.FixtureRequest) -> Path:
    """A file of each format."""
    path: Path = request.getfixturevalue(request.param)
    return path


def test_ranges_are_absolute(either: Path) -> None:
    whole, part = io.read(either), io.read(either, entries="100:140")
    assert part.entry.tolist() == list(range(100, 140))
    assert part.tolist() == whole[100:140].tolist()
    halves = events.concatenate([io.read(either, entries=cut) for cut in ((0, 150), (150, None))])
    assert halves.tolist() == whole.tolist()
    assert len(io.read(either, entries=(290, 10**9))) == 10


def test_range_beyond_the_end(either: Path) -> None:
    with pytest.raises(ValueError, match=r"the range of entries starts at 300, but .* 300 events"):
        io.read(either, entries="300:")


def test_bad_chunk(either: Path) -> None:
    with pytest.raises(ValueError, match="chunk = 0: must be at least one event"):
        io.iterate(either, chunk=0)


def test_progress(gst_file: Path, achilles_hepmc_file: Path) -> None:
    seen: list[tuple[float | None, int]] = []
    files = [gst_file, achilles_hepmc_file]
    list(io.iterate(files, chunk=100, progress=lambda *now: seen.append(now)))
    fractions = [done for done, _ in seen]
    assert [count for _, count in seen] == [100, 200, 300, 320]
    assert fractions == sorted(fractions, key=lambda done: done or 0.0)
    assert fractions[-1] == 1.0


def test_many_files(gst_file: Path, achilles_hepmc_file: Path) -> None:
    record = io.read([gst_file, achilles_hepmc_file], entries="5:10")
    assert record.entry.tolist() == [5, 6, 7, 8, 9] * 2
    assert record.source.tolist() == [str(gst_file)] * 5 + [str(achilles_hepmc_file)] * 5
    assert len(set(record.stream.tolist())) == 2


def test_stream_is_of_the_content(genie_hepmc_file: Path, tmp_path: Path) -> None:
    content = gzip.decompress(genie_hepmc_file.read_bytes())
    assert len(content) > 1 << 20
    wanted = int.from_bytes(hashlib.sha256(content[: 1 << 20]).digest()[:8], "little")
    plain = put(tmp_path / "plain", content)
    assert content_stream(str(genie_hepmc_file)) == content_stream(plain) == wanted
    assert set(io.read(plain, entries="0:5").stream.tolist()) == {wanted}


def test_same_content_warns_once(gst_file: Path, tmp_path: Path) -> None:
    copies = [shutil.copy(gst_file, tmp_path / f"{n}.root") for n in range(3)]
    with pytest.warns(
        UserWarning, match="has the same content as .*their random draws will"
    ) as all_:
        io.read(copies, entries="0:2")
    assert len(all_) == 1


def test_given_streams(gst_file: Path, tmp_path: Path) -> None:
    assert set(io.read(gst_file, entries="0:2", stream=7).stream.tolist()) == {7}
    copy = shutil.copy(gst_file, tmp_path / "copy.root")
    both = io.read([gst_file, copy], entries="0:2", stream=[7, 8])
    assert both.stream.tolist() == [7, 7, 8, 8]
    with pytest.warns(UserWarning, match="has the same stream number as"):
        io.read([gst_file, copy], entries="0:2", stream=[7, 7])
    with pytest.raises(ValueError, match="1 stream numbers for 2 files: give one a file"):
        io.read([gst_file, copy], stream=7)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (gzip.compress(b"", mtime=0), "the file is empty"),
        (b"a,b\n1,13\n", "of no known format; forefold reads ROOT files .GENIE `gst`"),
        (gzip.compress(b"some text", mtime=0), "of no known format"),
        (b"HepMC::Version 3.0\nand something else\n", "of no known format"),
        (b"\x1f\x8b", "the compressed file is cut short"),
        (b"\x1f\x8bxxxxxxxxxxxxxxxx", "the compressed file is damaged"),
        (b"root", "damaged or cut ROOT file, cannot read its"),
    ],
)
def test_other_files(tmp_path: Path, content: bytes, message: str) -> None:
    path = put(tmp_path / "run.gst.root", content)
    for call in (io.read, io.iterate, io.inspect):
        with pytest.raises(ValueError, match=message) as caught:
            call(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


def test_damage_is_found_before_an_event_is_read(gst_file: Path, tmp_path: Path) -> None:
    bad = put(tmp_path / "bad", b"nothing")
    with pytest.raises(ValueError, match="bad: of no known format"):
        io.iterate([gst_file, bad])


def test_damage_beyond_the_first_bytes(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(os.urandom(1 << 16)))
    content[40_000:40_100] = bytes(100)
    path = put(tmp_path / "bad.gz", bytes(content[:-20]))
    with pytest.raises(ValueError, match=r"bad\.gz: the compressed file is"):
        content_stream(path)


def test_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Lines:
        name = "lines"

        def sniff(self, path: str) -> bool:
            return Path(path).read_bytes().startswith(b"lines")

        def describe(self, path: str) -> Header:
            return Header(format="lines", details={"name": Path(path).name})

        def iterate(self, source: Source) -> Iterator[tuple[ak.Array, float]]:
            for entry, text in enumerate(stdio.StringIO(Path(source.path).read_text())):
                if text != "lines\n":
                    energy = float(text)
                    yield (
                        events.build(pdgid=22, px=0, py=0, pz=energy, energy=energy, entry=[entry]),
                        1.0,
                    )

    monkeypatch.setattr(readers, "_READERS", {})
    io.register(Lines())
    path = put(tmp_path / "x", b"lines\n1.5\n2.5\n")
    assert io.read(path).particles.energy.tolist() == [[1.5], [2.5]]
    assert io.inspect(path).beams[0].energy_mean is None


def test_home(tmp_path: Path, gst_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde is the home folder in all that is read and written, as in a shell."""
    monkeypatch.setenv("HOME", str(tmp_path))
    copy = tmp_path / "runs" / "copy.gst.root"
    copy.parent.mkdir()
    copy.write_bytes(gst_file.read_bytes())
    (tmp_path / "mine.toml").write_text(
        'schema = 1\nname = "mine"\ntitle = "t"\nextends = "nusmear-default"\n'
    )
    name = "~/runs/copy.gst.root"
    assert io.expand("~/runs/*.root") == [str(copy)]
    assert len(forefold.read(name)) == io.inspect(name).events == 300
    for workers in (None, 1):
        out = f"~/smeared{workers or 0}.parquet"
        forefold.smear_files(name, "~/mine.toml", out, rng=1, workers=workers)
        assert len(forefold.read_smeared(out)) == 300
    assert forefold.convert(name, "~/events.csv") == 300
    matrix = forefold.ResponseMatrix.from_array([[0.5]], {"enu": [0, 1]}, {"enu": [0, 1]})
    forefold.export_matrix(matrix, "~/R.dat", "globes")
    assert forefold.import_matrix("~/R.dat", "globes").matrix.tolist() == [[0.5]]
    forefold.plotting.save(matrix.peek(), "~/R.png")
    here = sorted(path.name for path in tmp_path.glob("[!.]*"))
    assert here == ["R.dat", "R.png", "events.csv", "events.csv.json", "mine.toml", "runs", "smeared0.parquet", "smeared1.parquet", "smeared1.parquet.manifest.json"]  # fmt: skip
    with pytest.raises(
        FileNotFoundError, match=r"copy\.gst\.rot: no such file; near names in .*copy"
    ):
        forefold.read("~/runs/copy.gst.rot")
