"""Trees made by hand, for tests of readers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import awkward as ak
import numpy as np
import uproot

__all__ = ["Tree", "columns", "jagged", "write_tree"]


def jagged(lists: list[list[Any]], kind: str = "f8") -> ak.Array:
    """Lists of one type."""
    counts = [len(row) for row in lists]
    return ak.unflatten(np.array([x for row in lists for x in row], dtype=kind), counts)


def _kind(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.dtype if value.ndim == 1 else (value.dtype, value.shape[1:])
    inner = str(value.type.content).removeprefix("var * ")
    return f"var * {inner}"


def write_tree(
    path: Path, columns: dict[str, Any], name: str, *, counter: str | None = None, pieces: int = 1
) -> str:
    """Write one tree with uproot, in as many baskets as there are pieces."""
    naming = {} if counter is None else {"counter_name": lambda _: counter}
    with uproot.recreate(path) as file:
        tree = file.mktree(name, {key: _kind(value) for key, value in columns.items()}, **naming)
        n = len(next(iter(columns.values())))
        edges = np.linspace(0, n, pieces + 1).astype(int)
        for first, last in pairwise(edges):
            if last > first:
                tree.extend({key: value[first:last] for key, value in columns.items()})
    return str(path)


class Tree:
    """What a reader sees of a tree, for what uproot does not write: lists of vectors, texts, damage.

    Patch `forefold.io.root.tree` with `opened`.
    """

    def __init__(
        self, columns: dict[str, Any], *, edges: list[int] | None = None, bad: tuple[int, ...] = ()
    ) -> None:
        self.columns = columns
        self.num_entries = len(next(iter(columns.values())))
        self.edges = [0, self.num_entries] if edges is None else edges
        self.bad = bad  # entries in baskets that cannot be read
        self.calls = 0

    def keys(self) -> list[str]:
        return list(self.columns)

    def __getitem__(self, name: str) -> Any:
        assert name in self.columns
        return SimpleNamespace(entry_offsets=self.edges, member=lambda _: [])

    def arrays(
        self,
        names: list[str],
        entry_start: int,
        entry_stop: int,
        library: str,
        decompression_executor: object = None,
    ) -> dict[str, ak.Array]:
        assert library == "ak"
        del decompression_executor
        self.calls += 1
        for first, last in pairwise(self.edges):
            hit = any(first <= entry < last for entry in self.bad)
            if hit and first < entry_stop and entry_start < last:
                message = f"basket from {first} is damaged"
                raise OSError(message)
        return {name: ak.Array(self.columns[name])[entry_start:entry_stop] for name in names}

    @contextmanager
    def opened(self, *_: object) -> Iterator[Tree]:
        """Stand for `rootfile.tree`."""
        yield self


def columns(n: int = 12, **changes: Any) -> dict[str, Any]:
    names = [f"{which}_{axis}" for which in ("lepIn", "lepOut") for axis in ("Px", "Py", "Pz", "E")]
    found: dict[str, Any] = {name: np.ones(n) for name in names}
    found |= {name: jagged([[1.0]] * n) for name in ("E", "Px", "Py", "Pz")}
    found |= {name: np.full(n, 2, "i4") for name in ("process_ID", "flavor_ID", "evType")}
    return found | {"weight": np.ones(n), "barcode": jagged([[2212]] * n, "i4")} | changes
