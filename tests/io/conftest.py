"""Files that several tests of reading and writing start from."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import pytest
from hepmc_toys import text_of
from written_kinds import ALL, CARD

import forefold
from forefold.batch import smear_files


@pytest.fixture(scope="session")
def bare(genie_hepmc_file: Path) -> bytes:
    """Text of the GENIE file."""
    return text_of(genie_hepmc_file)


@pytest.fixture(scope="session")
def smeared(gst_file: Path) -> ak.Array:
    """The events of `gst_file`, smeared."""
    return forefold.smear(forefold.read(gst_file), CARD, rng=1)


@pytest.fixture(scope="session")
def written(gst_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The events of `smeared` in each format, written in pieces."""
    folder = tmp_path_factory.mktemp("written")
    found = {}
    for kind in ALL:
        found[kind] = folder / f"out{kind}"
        smear_files(gst_file, CARD, found[kind], rng=1, chunk=77)
    return found
