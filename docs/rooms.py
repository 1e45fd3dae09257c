"""Draw the rooms of the package and who imports whom, from the code: `python docs/rooms.py` writes docs/rooms.svg."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import Counter
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "forefold"


def layers() -> list[str]:
    """Rooms from the highest to the lowest, as the import contract in pyproject.toml orders them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    order = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    names = [name.strip() for layer in order for name in layer.split(":")]
    return [name.removeprefix("forefold.") for name in names]


def imports() -> Counter[tuple[str, str]]:
    """Count the files of a room that import another room, those imports left out that serve types only."""
    arrows: Counter[tuple[str, str]] = Counter()
    for file in PACKAGE.rglob("*.py"):
        room = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        tree = ast.parse(file.read_text("utf-8"))
        for_types = {
            node
            for block in ast.walk(tree)
            if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
            for node in ast.walk(block)
        }
        modules = {
            f"{node.module}.{name.name}" if node.module == "forefold" else node.module
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module and node not in for_types
            for name in node.names
        }
        targets = {m.split(".")[1] for m in modules if m.startswith("forefold.")}
        arrows.update((room, target) for target in targets if target != room)
    return arrows


def sizes() -> Counter[str]:
    """Count the files of every room."""
    return Counter(
        file.relative_to(PACKAGE).parts[0].removesuffix(".py") for file in PACKAGE.rglob("*.py")
    )


def draw(path: Path) -> None:
    """Draw the rooms as a table: how many files of a row's room import the column's room, the highest room first."""
    rooms, arrows, files = layers(), imports(), sizes()
    count = np.array([[arrows[room, target] for target in rooms] for room in rooms])
    # the same picture gives the same file: no date, fixed identifiers
    with mpl.rc_context({"svg.hashsalt": "rooms", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(7.2, 5.6), layout="constrained")
        axes = figure.add_subplot()
        shade = np.where(count > 0, np.log1p(count), np.nan)
        axes.imshow(shade, cmap="Blues", vmin=-0.5, vmax=1.6 * np.nanmax(shade))
        for row, column in zip(*np.nonzero(count), strict=True):
            # only `plot` and `peek` look up, to draw themselves
            upward = column < row
            style = {"color": "#d55e00", "weight": "bold"} if upward else {"color": "black"}
            axes.text(column, row, f"{count[row, column]}", ha="center", va="center", **style)
        axes.plot([-0.5, len(rooms) - 0.5], [-0.5, len(rooms) - 0.5], color="0.5", linewidth=0.8)
        axes.set_xticks(range(len(rooms)), rooms, rotation=45, ha="left", rotation_mode="anchor")
        axes.set_yticks(
            range(len(rooms)),
            [room if files[room] == 1 else f"{room} ({files[room]} files)" for room in rooms],
        )
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.set_xlabel("is imported")
        axes.set_ylabel("imports")
        axes.tick_params(length=0)
        axes.set_xticks(np.arange(len(rooms) + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(len(rooms) + 1) - 0.5, minor=True)
        axes.grid(which="minor", color="0.9", linewidth=0.5)
        axes.tick_params(which="minor", length=0)
        axes.spines[:].set_visible(False)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).with_name("rooms.svg"))
