"""ROOT: a tree `forefold` with the entries of the generator's tree, to be used as its friend.

Branches of events are scalars, those of particles lists with the counter `n`. What is missing is NaN, a flag
that may be unknown is 1, 0 or -1, and `source` is the place of the input in the provenance. The provenance is
JSON in the string `forefold_provenance`.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import uproot

from forefold.io import root as rootfile
from forefold.io.native.columns import Flat, Schema, file_name, nest, restored, stored_type
from forefold.io.native.metadata import About, Opened, damage, document, parsed
from forefold.io.native.sink import Checksums, FlatSink, encode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["TREE", "encode", "opened", "sink"]

TREE = "forefold"
_TEXT = "forefold_provenance"
_COUNTER = "n"


class _Sink(FlatSink):
    """A ROOT file that is being written."""

    def __init__(self, path: Path, about: About) -> None:
        super().__init__(about)
        # One name for all: what tells files apart is their content.
        self._file = uproot.recreate(
            path,
            compression=uproot.ZLIB(1),
            uuid_function=lambda: uuid.uuid5(uuid.NAMESPACE_URL, TREE),
        )
        self._tree: Any = None

    def begin(self) -> None:
        """Make the tree."""
        kinds: dict[str, Any] = {
            file_name(name): stored_type(kind) for name, kind in self.schema.event.items()
        }
        record = ak.types.RecordType(
            [ak.types.NumpyType(stored_type(k).name) for k in self.schema.particle.values()],
            list(self.schema.particle),
        )
        kinds[""] = ak.types.ArrayType(ak.types.ListType(record), 0).content
        self._tree = self._file.mktree(
            TREE,
            kinds,
            title=f"{self.about.content} events of forefold",
            counter_name=lambda _: _COUNTER,
            field_name=lambda _, inner: inner,
        )

    def put(
        self,
        event: dict[str, NDArray[Any]],
        particle: dict[str, NDArray[Any]],
        counts: NDArray[np.int64],
    ) -> None:
        """Append one basket a branch."""
        branches: dict[str, Any] = {file_name(name): values for name, values in event.items()}
        branches[""] = ak.unflatten(ak.zip(particle), counts)
        self._tree.extend(branches)

    def finish(self) -> None:
        """Write the provenance and close the file."""
        facts = self.facts | {"alignment": self._alignment()}
        self._file[_TEXT] = document(self.about, **facts)
        self._file.close()

    def abandon(self) -> None:
        """Close the file."""
        self._file.close()

    def _alignment(self) -> str:
        """Say how the entries of the tree and those of its inputs go together."""
        inputs = self.about.provenance.get("inputs") or []
        first, last = self.about.provenance.get("entries") or (0, None)
        if not self.places.whole or first or last is not None:
            return "the branch `entry` is the entry in the input: use it as an index"
        if len(inputs) > 1:
            return "entry i is entry i of the chain of the inputs in their order"
        return "entry i is entry i of the input"


def sink(path: Path, about: About) -> _Sink:
    """Start a file."""
    return _Sink(path, about)


@contextmanager
def opened(path: str) -> Iterator[Opened]:
    """Open a ROOT file that forefold wrote."""
    with rootfile.opened(path) as file:
        with rootfile.complaints(path, f"the string `{_TEXT}`"):
            text = str(file[_TEXT])
        facts = parsed(path, text)
        try:
            schema = Schema.ordered(facts)
        except ValueError as error:
            raise damage(path, error) from error
        with rootfile.complaints(path, f"the tree `{TREE}`"):
            tree = file[TREE]
            total = int(tree.num_entries)
            there = set(tree.keys())
        missing = {*map(file_name, schema.event), *schema.particle, _COUNTER} - there
        if missing:
            raise damage(path, f"the tree lacks the branches {', '.join(sorted(missing))[:200]}")
        if facts.get("events") != total:
            raise damage(path, f"the tree has {total} entries, {facts.get('events')} were written")
        yield Opened(
            path,
            facts["content"],
            facts["provenance"],
            total,
            lambda start, stop, chunk: _pieces(path, tree, schema, facts, start, stop, chunk),
            {"alignment": str(facts.get("alignment", ""))},
        )


def _pieces(
    path: str,
    tree: Any,
    schema: Schema,
    facts: dict[str, Any],
    start: int,
    stop: int | None,
    chunk: int,
) -> Iterator[tuple[ak.Array, float]]:
    total = int(tree.num_entries)
    stop = total if stop is None else min(stop, total)
    names = [*map(file_name, schema.event), *schema.particle, _COUNTER]
    words = facts.get("words")
    words = words if isinstance(words, dict) else {}
    checksums = Checksums()
    for first in range(start, stop, chunk):
        last = min(first + chunk, stop)
        with rootfile.complaints(path, f"entries {first} to {last - 1}"):
            arrays = tree.arrays(names, entry_start=first, entry_stop=last, library="ak")
            columns = {name: arrays[name] for name in names}
        try:
            flat = _flat(columns, schema, words)
        except (ValueError, TypeError) as error:
            raise damage(path, f"entries {first} to {last - 1}: {error}") from error
        checksums.add_all(flat)
        yield nest(flat, vectors=facts["content"] == "events"), (last - start) / (stop - start)
    if (start, stop) == (0, total) and checksums.to_dict() != facts.get("crc32"):
        raise damage(path, "its columns are not those that were written (CRC-32 differs)")


def _flat(columns: dict[str, ak.Array], schema: Schema, words: dict[str, Any]) -> Flat:
    counts = ak.to_numpy(columns[_COUNTER]).astype(np.int64)
    event = {}
    for name, kind in schema.event.items():
        values = columns[file_name(name)]
        if values.ndim != 1:
            msg = f"the branch {file_name(name)} holds lists"
            raise ValueError(msg)
        event[name] = restored(name, ak.to_numpy(values), kind, words.get(name))
    particle = {}
    for name, kind in schema.particle.items():
        lists = columns[name]
        if lists.ndim != 2 or not np.array_equal(ak.to_numpy(ak.num(lists)), counts):
            msg = f"the branch {name} does not hold `{_COUNTER}` values an entry"
            raise ValueError(msg)
        values = ak.to_numpy(ak.flatten(lists, axis=1))
        particle[name] = restored(name, values, kind, words.get(name))
    return Flat(event, particle, counts)
