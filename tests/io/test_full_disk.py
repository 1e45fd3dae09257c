"""A file system without space: one line that names the output, and nothing left behind."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from cli_runs import Run

import forefold
from forefold.io.files import is_full
from forefold.io.folders import folder_aside
from forefold.io.native import hdf5
from forefold.workflows.parallel.parts import Folder

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("space", [0, 100, 2_000, 5_000, 20_000, 50_000])
def test_hdf5(space: int, gst_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full after some bytes, at the start, among the data or where the file is closed."""
    pytest.importorskip("h5py")
    whole = tmp_path / "whole.h5"
    forefold.smear_files(gst_file, "nusmear-default", whole, rng=1)
    assert whole.stat().st_size > 50_000

    class Raw:
        def __init__(self, raw: Any) -> None:
            self.raw, self.left = raw, space

        def __getattr__(self, name: str) -> Any:
            return getattr(self.raw, name)

        def write(self, data: Any) -> int:
            if self.left == 0:
                raise FULL
            n = int(self.raw.write(data[: self.left]))
            self.left -= n
            return n

    begin = hdf5._Disk.__init__

    def limited(self: Any, path: Path) -> None:
        begin(self, path)
        self._raw = Raw(self._raw)

    monkeypatch.setattr(hdf5._Disk, "__init__", limited)
    out = tmp_path / "out.h5"
    with pytest.raises(OSError, match=r"out\.h5: no space left to write it; nothing was written"):
        forefold.smear_files(gst_file, "nusmear-default", out, rng=1)
    assert [path.name for path in tmp_path.iterdir()] == ["whole.h5"]


def test_folders(tmp_path: Path) -> None:
    words = r"plots: no space left to write it; nothing was written"
    with pytest.raises(OSError, match=words), folder_aside(tmp_path / "plots"):
        raise FULL
    assert list(tmp_path.iterdir()) == []


def test_parts_of_a_job(tmp_path: Path) -> None:
    words = r"part\.json: no space left to write it"
    parts = Folder(tmp_path / "o.csv")
    with pytest.raises(OSError, match=words), parts.aside(tmp_path / "part.json"):
        raise FULL
    assert list(tmp_path.iterdir()) == []


def test_an_error_that_comes_from_no_space() -> None:
    """Libraries raise their own errors while they handle that of the system."""
    other = OSError("Not enough space on disk: requested 464, available 0")
    assert not is_full(other)
    other.__context__ = FULL
    assert is_full(other)


def test_pictures_of_a_card(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise FULL

    monkeypatch.setattr("forefold.plotting.save", full)
    words = ["card", "validate", "zero-efficiency", "--draws", 100, "--plot", tmp_path / "pictures"]
    assert run(*words).code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_cannot_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise FULL

    monkeypatch.setattr(Folder, "_write", full)
    with pytest.raises(OSError, match=r"o\.csv\.parts: no space left to write it"):
        Folder(tmp_path / "o.csv").begin({})
    assert list(tmp_path.iterdir()) == []
