"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli_runs import Result, Run
from hypothesis import HealthCheck, settings

from benchmarks.third_party import MissingFileError
from benchmarks.third_party import third_party_file as path_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import awkward as ak

os.environ.setdefault("MPLBACKEND", "Agg")

# The first example compiles kernels, so time says nothing; CI repeats the same examples.
settings.register_profile(
    "forefold", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("ci", settings.get_profile("forefold"), derandomize=True, database=None)
settings.load_profile("ci" if "CI" in os.environ else "forefold")

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of the small real files."""
    return DATA


@pytest.fixture(scope="session")
def third_party_file() -> Callable[[str], Path]:
    """Path of a file below the folder `FOREFOLD_DATA`; without it the test is skipped, with the file's name."""

    def path_or_skip(name: str) -> Path:
        try:
            return path_of(name)
        except MissingFileError as error:
            pytest.skip(str(error))

    return path_or_skip


@pytest.fixture(scope="session")
def gst_file() -> Path:
    """300 GENIE events as a gst tree."""
    return DATA / "genie_numu_Ar40_300.gst.root"


@pytest.fixture(scope="session")
def ghep_file() -> Path:
    """The events of `gst_file` as GENIE wrote them."""
    return DATA / "genie_numu_Ar40_300.ghep.root"


@pytest.fixture(scope="session")
def genie_hepmc_file() -> Path:
    """The events of `gst_file` as NuHepMC 0.9, gzip."""
    return DATA / "genie_numu_Ar40_300.hepmc3.gz"


@pytest.fixture(scope="session")
def achilles_hepmc_file() -> Path:
    """20 Achilles events as NuHepMC 1.0, gzip, MeV, weighted."""
    return DATA / "achilles_numu_Ar40_20.hepmc3.gz"


@pytest.fixture(scope="session")
def bare(genie_hepmc_file: Path) -> bytes:
    """Text of `genie_hepmc_file`."""
    from hepmc_toys import text_of

    return text_of(genie_hepmc_file)


@pytest.fixture(scope="session")
def smeared(gst_file: Path) -> ak.Array:
    """The events of `gst_file`, smeared with the card of `written`."""
    from written_kinds import CARD

    import forefold

    return forefold.smear(forefold.read(gst_file), CARD, rng=1)


@pytest.fixture(scope="session")
def written(gst_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The events of `smeared` in each format, written in pieces."""
    from written_kinds import ALL, CARD

    from forefold.workflows.stream import smear_files

    folder = tmp_path_factory.mktemp("written")
    found = {}
    for kind in ALL:
        found[kind] = folder / f"out{kind}"
        smear_files(gst_file, CARD, found[kind], rng=1, chunk=77)
    return found


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command line in this process."""

    def call(*arguments: object) -> Result:
        from forefold import cli

        try:
            code = cli.main([str(a) for a in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Result(code, *capsys.readouterr())

    return call
