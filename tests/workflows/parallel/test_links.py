"""Jobs beside links and changed manifests: nothing of others is overwritten, no event is lost without a word."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import forefold
from forefold.workflows.parallel.parts import Folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")

CARD = "nusmear-default"


def smear(folder: Path, gst_file: Path) -> None:
    forefold.smear_files(gst_file, CARD, folder / "o.csv", rng=1, entries="0:10", resume=True)


def to_a_file(place: Path, victim: Path) -> None:
    place.symlink_to(victim)


def to_nothing(place: Path, victim: Path) -> None:
    place.symlink_to(victim.with_name("new"))


def hard(place: Path, victim: Path) -> None:
    place.hardlink_to(victim)


@pytest.mark.parametrize("name", ["lock", "merging"])
@pytest.mark.parametrize("link", [to_a_file, to_nothing, hard])
def test_a_link_in_the_folder_of_a_job(
    name: str, link: Callable[[Path, Path], None], gst_file: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "o.csv.parts").mkdir()
    link(tmp_path / "o.csv.parts" / name, victim)
    with pytest.raises(
        OSError, match=rf"o.csv.parts/{name}: is (a link|no file of its own), .*remove it"
    ):
        smear(tmp_path, gst_file)
    assert victim.read_text() == "precious"
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize("there", [True, False])
def test_a_link_for_the_folder_of_a_job(there: bool, gst_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    if there:
        other.mkdir()
    (tmp_path / "o.csv.parts").symlink_to(other)
    with pytest.raises(OSError, match=r"o.csv.parts: is a link; .*remove the link"):
        smear(tmp_path, gst_file)
    assert not there or not list(other.iterdir())


def test_what_is_no_file_is_no_lock(gst_file: Path, tmp_path: Path) -> None:
    (tmp_path / "o.csv.parts").mkdir()
    os.mkfifo(tmp_path / "o.csv.parts" / "lock")
    with pytest.raises(OSError, match="lock: is no file of its own"):
        smear(tmp_path, gst_file)


CHANGES: dict[str, Callable[[dict[str, list[int]]], object]] = {
    "parts": lambda manifest: manifest["parts"].pop(),
    "origins": lambda manifest: manifest.update(origins=[]),
    "more": lambda manifest: manifest.update(note=[1]),
    "check": lambda manifest: manifest.pop("check"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_manifest_that_was_changed(what: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "o")
    manifest = {"parts": [[0, 0, 20], [1, 0, 20]], "origins": [{"sha256": "é"}], "scale": 0.1}
    folder.begin(manifest)
    folder.note(3, {"sha256": "", "events": 3})
    assert folder.manifest() == manifest
    place = folder.path / "manifest.json"
    facts = json.loads(place.read_text(encoding="utf-8"))
    CHANGES[what](facts)
    place.write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"manifest.json: damaged, or changed by hand; --overwrite begins"
    ):
        folder.manifest()
    folder.unlock()
