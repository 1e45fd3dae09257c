"""What is installed, and that the documentation says what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path

import pytest

import forefold
from forefold import Fate

ROOT = Path(__file__).parents[1]
HEAVY = (
    "awkward",
    "hist",
    "matplotlib",
    "mplhep",
    "numba",
    "numpy",
    "particle",
    "pyarrow",
    "pydantic",
    "pyhepmc",
    "rich",
    "uproot",
    "vector",
)


def test_version() -> None:
    assert re.match(r"\d+\.\d+", forefold.__version__)
    assert re.match(r"\d+\.\d+", metadata.version("forefold"))


@pytest.mark.parametrize(
    "name",
    [
        "py.typed",
        "data/genie_numu_Ar40_3k.gst.root",
        "data/ranges.csv",
        "detector/cards/nusmear-dune-cdr.toml",
        "detector/cards/nusmear-default.toml",
        "detector/cards/nusmear-default-genie.toml",
        "detector/cards/dune-fd-uncertainties.toml",
        "detector/cards/dune-cdr-fastmc.toml",
    ],
)
def test_packaged_file(name: str) -> None:
    assert (resources.files("forefold") / name).is_file()


def test_facade_is_complete() -> None:
    assert dir(forefold) == sorted(forefold.__all__)
    for name in forefold.__all__:
        assert getattr(forefold, name) is not None


def test_facade_names_what_it_lacks() -> None:
    with pytest.raises(AttributeError, match="no attribute 'smeer'"):
        _ = forefold.smeer


def test_import_loads_nothing_heavy() -> None:
    code = f"import sys, forefold; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_api_page_lists_the_facade() -> None:
    listed = set(
        re.findall(r"^   (\w+)$", (ROOT / "docs/api/index.md").read_text("utf-8"), re.MULTILINE)
    )
    assert listed >= set(forefold.__all__) - {"__version__"}


@pytest.mark.parametrize("page", ["README.md", "docs/fates.md"])
def test_table_of_fates(page: str) -> None:
    rows = re.findall(
        r"^\|\s*(\d+) \| `([A-Z_]+)`\s*\|", (ROOT / page).read_text("utf-8"), re.MULTILINE
    )
    assert [(int(value), name) for value, name in rows] == [(f.value, f.name) for f in Fate]


def test_card_in_the_docs_loads(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", (ROOT / "docs/cards.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    path = tmp_path / "quiet-muons.toml"
    path.write_text(found[1], encoding="utf-8")
    card = forefold.load_card(path)
    muon = next(rule for rule in card.rules if rule.name == "muon")
    assert muon.energy.constant == 0.05
    assert muon.energy.distribution == "log-normal"
