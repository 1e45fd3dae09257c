"""What is installed, and that the documentation says what the code does."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
import tomllib
from importlib import metadata, resources
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

import forefold
from forefold import Fate
from forefold.cli.command_line import parser
from forefold.matrix.formats.registry import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator

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
EVENTS = ("awkward", "numba", "pyarrow", "vector")


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


def test_a_card_loads_nothing_that_events_need() -> None:
    code = (
        "import sys; from forefold import load_card; load_card('dune-fd-uncertainties'); "
        f"print([m for m in {EVENTS} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_pictures_are_asked_for_by_plot_and_peek_alone() -> None:
    """The one import that goes up; the layers contract names the modules, but no functions."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    layers = next(one["layers"] for one in contracts["contracts"] if one["type"] == "layers")
    upper = [layer.split(".")[-1] for layer in layers[: layers.index("forefold.plotting") + 1]]
    source = Path(forefold.__file__).parent
    asked = []
    for path in sorted(source.rglob("*.py")):
        place = path.relative_to(source)
        if place.parts[0] not in upper:
            tree = ast.parse(path.read_text("utf-8"))
            asked += [(str(place), name) for name in _drawing(tree)]
    assert len(asked) >= 9
    assert [one for one in asked if one[1] not in {"plot", "peek"}] == []


def _drawing(node: ast.AST, inside: str = "") -> Iterator[str]:
    """Functions that import of `forefold.plotting`: the innermost name, or none; not what type checkers alone read."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        inside = node.name
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    if isinstance(node, ast.ImportFrom):
        names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    if any(name == "forefold.plotting" or name.startswith("forefold.plotting.") for name in names):
        yield inside
    for child in ast.iter_child_nodes(node):
        yield from _drawing(child, inside)


def test_api_page_lists_the_facade() -> None:
    page = (ROOT / "docs/api/index.md").read_text("utf-8")
    listed = set(re.findall(r"^   ([\w.]+)$", page, re.MULTILINE))
    for name in set(forefold.__all__) - {"__version__"}:
        value = getattr(forefold, name)  # modules are listed by their rooms
        own = value.__name__.removeprefix("forefold.") if isinstance(value, ModuleType) else name
        assert own in listed


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


@pytest.mark.skipif(not (ROOT / ".ci").is_dir(), reason="a source distribution has no .ci")
def test_smoke_runs_every_command_and_format() -> None:
    path = ROOT / ".ci/smoke.py"
    started = set(re.findall(r'run\(\s*"([a-z]+)', path.read_text("utf-8")))
    commands = next(action for action in parser()._actions if action.dest == "command").choices
    assert commands is not None
    assert started == set(commands)
    assert set(runpy.run_path(str(path))["EXPORTS"]) == set(FORMATS)
