"""Files out: whole or not at all, and the same bytes for the same events."""

from __future__ import annotations

import csv
import errno
import gzip
import json
import os
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import pytest

from forefold.io.native.csv import COLUMNS
from forefold.io.write import open_writer, replace_aside, replace_together, write_text_aside

CSV_COLUMNS = COLUMNS["smeared"]

PROVENANCE = {"version": "0", "rng": 1, "card": "nusmear-dune-cdr", "card_text": 'a = "β"\n'}
RECONSTRUCTED = ("energy_reco", "theta_reco", "phi_reco", "px_reco", "py_reco", "pz_reco")
AWKWARD_FLOATS = [0.1 + 0.2, 1 / 3, 1e-300, 5e-324, 1.7976931348623157e307, -0.0, 1e22, 123456.0]


def smeared(n: int = 3, first: int = 10) -> ak.Array:
    """Smeared events made by hand: one detected muon and one neutrino an event, the last event empty."""
    counts = np.full(n, 2)
    counts[-1] = 0
    total = int(counts.sum())
    seen = np.arange(total) % 2 == 0
    values = np.resize(AWKWARD_FLOATS, total)
    optional = {
        name: ak.mask(ak.Array(values * (i + 1)), seen)
        for i, name in enumerate((*RECONSTRUCTED, "theta_drawn"))
    }
    particles = ak.zip(
        {
            "pdgid": np.where(seen, 13, 14),
            "energy_true": values,
            "theta_true": np.linspace(0.0, 3.0, total),
            "detected": seen,
            **optional,
            "fate": np.where(seen, 1, 8).astype(np.uint16),
            "mass": np.full(total, 0.10566),
            "rule": np.where(seen, 0, -1).astype(np.int16),
        }
    )
    return ak.zip(
        {
            "event": np.arange(first, first + n),
            "stream": np.full(n, 2**64 - 1, dtype=np.uint64),
            "cc": ak.Array([True, None, False] * n)[:n],
            "weight": np.full(n, 0.5),
            "source": ["a.root"] * n,
            "visible_energy_true": np.full(n, 1.5),
            "particles": ak.unflatten(particles, counts),
        },
        depth_limit=1,
    )


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def write(path: Path, *pieces: ak.Array, **options: Any) -> Path:
    """Write pieces to a file."""
    with open_writer(path, provenance=PROVENANCE, **options) as writer:
        for piece in pieces:
            writer.write(piece)
    return path


def test_parquet(tmp_path: Path) -> None:
    first, second = smeared(), smeared(5, first=20)
    path = write(tmp_path / "out.parquet", first, first[:0], second)
    back = ak.from_parquet(path)
    assert back.tolist() == ak.concatenate([first, second]).tolist()
    file = pq.ParquetFile(path)
    assert file.num_row_groups == 2
    schema = file.schema_arrow
    assert json.loads(schema.metadata[b"forefold"]) == PROVENANCE
    assert set(schema.metadata) == {b"forefold"}
    kinds = {field.name: str(field.type) for field in schema.field("particles").type.value_type}
    assert kinds["fate"] == "uint16"
    assert kinds["rule"] == "int16"
    assert kinds["energy_reco"] == "double"
    assert str(schema.field("stream").type) == "uint64"


def test_parquet_pieces_of_other_option_layouts(tmp_path: Path) -> None:
    known = smeared()
    known["cc"] = ak.Array([True, True, False])
    path = write(tmp_path / "out.parquet", smeared(), known)
    assert ak.from_parquet(path).cc.tolist() == [True, None, False, True, True, False]


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "OUT.CSV"])
def test_csv(tmp_path: Path, name: str) -> None:
    first, second = smeared(), smeared(7, first=20)
    content = write(tmp_path / name, first, first[:0], second).read_bytes()
    text = (gzip.decompress(content) if name.endswith("gz") else content).decode()
    lines = text.split("\n")
    assert lines[0] == ",".join(CSV_COLUMNS)
    assert lines[-1] == ""
    assert '"' not in text
    rows = list(csv.DictReader(lines))
    joined = ak.concatenate([first, second])
    particles = ak.flatten(joined.particles)
    assert len(rows) == len(particles)
    assert [int(row["event"]) for row in rows] == ak.flatten(
        ak.broadcast_arrays(joined.event, joined.particles.pdgid)[0]
    ).tolist()
    for column in ("energy_true", "theta_true", *RECONSTRUCTED):
        found = [float(row[column]) if row[column] else None for row in rows]
        assert found == particles[column].tolist()
    assert [row["detected"] for row in rows] == ["1" if d else "0" for d in particles.detected]
    assert [int(row["fate"]) for row in rows] == particles.fate.tolist()


@pytest.mark.parametrize("name", ["out.parquet", "out.csv", "out.csv.gz"])
def test_same_bytes(tmp_path: Path, name: str) -> None:
    paths = [tmp_path / folder / name for folder in "ab"]
    for path in paths:
        path.parent.mkdir()
        write(path, smeared(), smeared(4))
    assert paths[0].read_bytes() == paths[1].read_bytes()
    beside = [f"{name}.json"] if ".csv" in name else []
    assert names(tmp_path / "a") == [name, *beside]
    for extra in beside:
        assert (tmp_path / "a" / extra).read_bytes() == (tmp_path / "b" / extra).read_bytes()


def test_csv_of_pieces_is_csv_of_all(tmp_path: Path) -> None:
    whole = smeared(9)
    write(tmp_path / "one.csv", whole)
    write(tmp_path / "two.csv", whole[:4], whole[4:])
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out.parqet", r"unknown output format '\.parqet' \(did you mean \.parquet\?\); known are"),
        (
            "out.xlsx",
            r"unknown output format '\.xlsx'; known are \.parquet, \.csv, \.csv\.gz, \.root",
        ),
        ("out", "the name must end in the output format; known are"),
        (".csv", "the name must end in the output format"),
    ],
)
def test_unknown_format(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write(tmp_path / name)
    assert names(tmp_path) == []


def test_output_that_exists(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match=r"out\.csv: exists already; --overwrite"):
        write(path, smeared())
    assert path.read_text() == "precious"
    write(path, smeared(), overwrite=True)
    assert path.read_text().startswith("event,")
    assert names(tmp_path) == ["out.csv", "out.csv.json"]


def test_output_that_appears_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"

    def write_late() -> None:
        with open_writer(path, provenance={}) as writer:
            writer.write(smeared())
            path.write_text("precious")

    with pytest.raises(FileExistsError):
        write_late()
    assert path.read_text() == "precious"
    assert names(tmp_path) == ["out.csv"]


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"the output folder .*nowhere does not exist; make it"
    ):
        write(tmp_path / "nowhere" / "out.csv")
    (tmp_path / "file").touch()
    with pytest.raises(FileNotFoundError, match=r"the output folder .*file is not a folder"):
        write(tmp_path / "file" / "out.csv")
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(
        IsADirectoryError, match=r"out\.csv: is a directory; give the name of a file"
    ):
        write(tmp_path / "out.csv", overwrite=True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_not_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.csv")
    with pytest.raises(OSError, match=r"out\.csv: is not a regular file"):
        write(tmp_path / "out.csv", overwrite=True)


def test_name_too_long(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot be written: File name too long"):
        write(tmp_path / f"{'x' * 300}.csv", smeared())


def test_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    target.write_text("old")
    link.symlink_to(target)
    write(link, smeared(), overwrite=True)
    assert link.is_symlink()
    assert target.read_text().startswith("event,")


@pytest.mark.parametrize("name", ["out.parquet", "out.csv", "out.csv.gz"])
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, MemoryError])
def test_nothing_half_written(tmp_path: Path, name: str, kind: type[BaseException]) -> None:
    path = tmp_path / name
    path.write_text("precious")

    def fail() -> None:
        with open_writer(path, overwrite=True, provenance={}) as writer:
            writer.write(smeared())
            raise kind

    with pytest.raises(kind):
        fail()
    assert path.read_text() == "precious"
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("name", ["out.parquet", "out.csv"])
def test_no_events(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no events were written"):
        write(tmp_path / name)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, r"out\.txt: no space left to write it; nothing was written"),
        (errno.EACCES, r"out\.txt: permission to write in the folder .* is denied"),
        (errno.EROFS, r"out\.txt: cannot be written: Read-only file system"),
    ],
)
def test_system_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, message: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OSError, match=message):
        write_text_aside(tmp_path / "out.txt", "text")
    assert names(tmp_path) == []


def test_full_disk_while_writing(tmp_path: Path) -> None:
    def fill() -> None:
        with replace_aside(tmp_path / "out.txt"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="no space left to write it"):
        fill()
    assert names(tmp_path) == []


def test_other_errors_pass(tmp_path: Path) -> None:
    def fail() -> None:
        with replace_aside(tmp_path / "out.txt"):
            raise FileNotFoundError(errno.ENOENT, "gone", "input.root")

    with pytest.raises(FileNotFoundError, match=r"input\.root"):
        fail()


def test_text(tmp_path: Path) -> None:
    write_text_aside(tmp_path / "out.txt", "β\r\n")
    assert (tmp_path / "out.txt").read_bytes() == "β\r\n".encode()
    with pytest.raises(FileExistsError):
        write_text_aside(tmp_path / "out.txt", "other")
    write_text_aside(tmp_path / "out.txt", "other", overwrite=True)
    assert names(tmp_path) == ["out.txt"]


def test_relative_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_text_aside("out.txt", "text")
    assert Path("out.txt").read_text() == "text"


def test_left_over_of_a_killed_run(tmp_path: Path) -> None:
    (tmp_path / f".out.txt.{os.getpid()}.part").write_text("left over")
    write_text_aside(tmp_path / "out.txt", "text")
    assert names(tmp_path) == ["out.txt"]


@pytest.mark.parametrize("before", ["old", None])
def test_files_that_belong_together_come_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    paths = [tmp_path / name for name in ("a.rmf", "a.arf", "a.txt")]
    for path in paths if before else []:
        path.write_text(before or "")
    real = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if target.name == "a.txt" and self.name.endswith(".part"):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(self))
        return real(self, target)

    def put() -> None:
        with replace_together(paths, overwrite=True) as asides:
            for aside in asides:
                aside.write_text("new")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        with pytest.raises(OSError, match=r"a\.txt: cannot be written"):
            put()
    assert {path.read_text() for path in tmp_path.iterdir()} == ({before} if before else set())
    assert len(names(tmp_path)) == (3 if before else 0)
    put()
    assert [path.read_text() for path in paths] == ["new"] * 3
    assert len(names(tmp_path)) == 3


def test_together_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    (tmp_path / "a").write_text("old")
    with replace_together([tmp_path / "a", tmp_path / "b"], overwrite=True) as asides:
        for aside in asides:
            aside.write_text("new")
    assert [(tmp_path / name).read_text() for name in names(tmp_path)] == ["new", "new"]
