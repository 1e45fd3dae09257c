"""What the examples in docstrings and in the documentation find when they run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")

SAMPLES = Path(__file__).parent / "tests" / "data"
REPRODUCTIONS = Path(__file__).parent / "docs" / "reproductions"


@pytest.fixture(autouse=True)
def _folder_of_examples(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Run examples in a folder of their own that holds `events.gst.root`, `events.ghep.root` and the tables of papers."""
    if not isinstance(request.node, pytest.DoctestItem):
        return
    folder = tmp_path_factory.mktemp("example")
    for kind in ("gst", "ghep"):
        shutil.copy(SAMPLES / f"genie_numu_Ar40_300.{kind}.root", folder / f"events.{kind}.root")
    for table in REPRODUCTIONS.glob("*.csv"):
        shutil.copy(table, folder)
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    monkeypatch.chdir(folder)
