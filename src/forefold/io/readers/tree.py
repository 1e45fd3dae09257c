"""What readers of ROOT trees share: columns of the right shape, in pieces, damage left out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import awkward as ak
import numpy as np
import uproot

from forefold import events
from forefold.io import files
from forefold.io import root as rootfile
from forefold.kernels.threads import thread_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from forefold.io.registry import Header, Source

__all__ = ["Fault", "Piece", "TreeReader", "checked"]

Fault: TypeAlias = "tuple[NDArray[np.bool_], Callable[[int], str]]"
"""Which rows are bad, and what to say of one."""

_SHAPES = {
    "one": "one number",
    "list": "a list",
    "four": "a list of four-vectors",
    "vector": "four numbers",
}
_TEXT = "text"
_RECTANGULAR = (ak.contents.NumpyArray, ak.contents.RegularArray)


@dataclass(frozen=True)
class Piece:
    """Some events, as the tree has them.

    Attributes
    ----------
    entry : ndarray, shape (n,)
        Positions in the file.
    columns : dict of str to ak.Array
        What each branch holds.
    """

    entry: NDArray[np.int64]
    columns: dict[str, ak.Array]

    def __len__(self) -> int:
        return len(self.entry)

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def __getitem__(self, name: str) -> NDArray[Any]:
        """One number an event, or all numbers of a list one after the other."""
        column = self.columns[name]
        rectangular = column.ndim == 1 or isinstance(column.layout, _RECTANGULAR)
        flat = column if rectangular else ak.flatten(column, axis=1)
        values: NDArray[Any] = ak.to_numpy(flat)
        return values

    def get(self, name: str, default: float) -> NDArray[Any] | float:
        """Numbers of a branch, or what stands for them in trees without it."""
        if name not in self:
            return default
        return self[name]

    def counts(self, name: str) -> NDArray[np.int64]:
        """Lengths of the lists of a branch, shape (n,)."""
        return np.asarray(ak.num(self.columns[name], axis=1), dtype=np.int64)

    def text(self, name: str) -> list[str]:
        """One text an event."""
        texts: list[str] = self.columns[name].tolist()
        return texts

    def take(self, good: NDArray[np.bool_]) -> Piece:
        """Leave out the other rows."""
        columns = {name: column[good] for name, column in self.columns.items()}
        return Piece(self.entry[good], columns)


class TreeReader(ABC):
    """A reader of a format that is a tree in a ROOT file.

    A subclass names the tree, says which branches it needs, and makes records of them.
    """

    name: ClassVar[str]
    tree: ClassVar[str]
    required: ClassVar[dict[str, str]]
    """Branches and their shapes: one number, a list, a list of four-vectors, a text."""
    optional: ClassVar[dict[str, str]] = {}

    def sniff(self, path: str) -> bool:
        """Tell whether the file is ROOT and holds the tree."""
        return files.head(path, 4) == b"root" and rootfile.holds(path, self.tree)

    def length(self, path: str) -> int:
        """Count the entries that the tree claims."""
        with rootfile.tree(path, self.tree) as tree, rootfile.complaints(path, "its entries"):
            return int(tree.num_entries)

    @abstractmethod
    def describe(self, path: str) -> Header:
        """Read what the file says about itself."""

    @abstractmethod
    def record(self, piece: Piece, source: Source) -> ak.Array:
        """Make the event record of one piece."""

    def shapes(self, source: Source) -> dict[str, str]:
        """Branches that the user's wish needs, and their shapes."""
        del source
        return self.required

    def faults(self, piece: Piece, source: Source) -> Iterable[Fault]:
        """Tell which events are bad, before they are made a record."""
        del piece, source
        return ()

    def groups(self, piece: Piece) -> Iterable[tuple[str, ...]]:
        """Branches whose lists must be of the same lengths."""
        yield tuple(
            name
            for name, column in piece.columns.items()
            if column.ndim > 1 and not isinstance(column.layout, _RECTANGULAR)
        )

    def iterate(self, source: Source) -> Iterator[tuple[ak.Array, float]]:
        """Read the tree in pieces."""
        with rootfile.tree(source.path, self.tree) as tree:
            names = self._names(tree, source)
            n = _length(tree, list(names), source)
            if n == 0:
                raise files.no_events(source.path, f"the tree `{self.tree}`")
            if source.start >= n:
                raise files.beyond(source.path, source.start, n)
            stop = n if source.stop is None else min(source.stop, n)
            for first, arrays in _arrays(tree, list(names), source, stop):
                piece = self._piece(arrays, names, first, source)
                last = first + len(piece)
                with _named(source.path):
                    piece = self._sift(piece, source)
                    record = self.record(piece, source)
                record = checked(record, source)
                if len(record):
                    yield record, (last - source.start) / (stop - source.start)

    def _names(self, tree: Any, source: Source) -> dict[str, str]:
        """Branches to read, and their shapes."""
        there = set(tree.keys())
        wanted = self.shapes(source)
        missing = [name for name in wanted if name not in there]
        if missing:
            msg = (
                f"{source.path}: the tree `{self.tree}` lacks the branches "
                f"{', '.join(_short(name) for name in missing)}{self.advice}"
            )
            raise ValueError(msg)
        return wanted | {name: kind for name, kind in self.optional.items() if name in there}

    advice: ClassVar[str] = ""
    """What to do where branches are missing, for the message."""

    def _piece(
        self, arrays: dict[str, ak.Array], shapes: dict[str, str], first: int, source: Source
    ) -> Piece:
        for name, kind in shapes.items():
            if not _has_shape(arrays[name], kind):
                msg = (
                    f"{source.path}: the branch {_short(name)} of `{self.tree}` must hold "
                    f"{_SHAPES.get(kind, 'a text')} per event"
                )
                raise ValueError(msg)
        n = len(next(iter(arrays.values())))
        return Piece(np.arange(first, first + n, dtype=np.int64), arrays)

    def _sift(self, piece: Piece, source: Source) -> Piece:
        """Leave out bad events, or raise for the first."""
        for names in self.groups(piece):
            if names:
                piece = _without(piece, _unequal(piece, names, self.tree), source)
        return _without(piece, self.faults(piece, source), source)


def checked(record: ak.Array, source: Source) -> ak.Array:
    """Refuse events that no detector could see, or leave them out if the user asked for that.

    Parameters
    ----------
    record : ak.Array
        Event record.
    source : Source
        Where it comes from.

    Returns
    -------
    ak.Array
        The good events.

    Raises
    ------
    ValueError
        On the first bad event, unless `source` counts damage.
    """
    if source.damage is None:
        events.check(record, source.path)
        return record
    bad = events.faulty(record)
    if bad.any():
        try:
            events.check(record, source.path)
        except ValueError as error:
            source.lose(int(bad.sum()), str(error))
        record = record[~bad]
    return record


def _without(piece: Piece, faults: Iterable[Fault], source: Source) -> Piece:
    """Take bad rows out of a piece, or raise for the first of them."""
    good = np.ones(len(piece), dtype=np.bool_)
    for mask, say in faults:
        new = mask & good
        if new.any():
            row = int(np.argmax(new))
            what = say(row)
            colon = "" if what.startswith("(") else ":"
            where = f"{source.path}: entry {int(piece.entry[row])}{colon}"
            source.lose(int(new.sum()), f"{where} {what}")
            good &= ~mask
    return piece if good.all() else piece.take(good)


def _unequal(piece: Piece, names: tuple[str, ...], tree: str) -> Iterator[Fault]:
    """Find events whose lists are of unequal length."""
    first = piece.counts(names[0])
    for name in names[1:]:
        other = piece.counts(name)
        yield (
            first != other,
            lambda row, name=name, other=other: (  # type: ignore[misc]
                f"the branches {_short(names[0])} and {_short(name)} of `{tree}` differ in length "
                f"({first[row]} and {other[row]})"
            ),
        )


def _has_shape(column: ak.Array, kind: str) -> bool:
    """Tell whether a branch holds what it must."""
    layout = column.layout
    if kind == _TEXT:
        return bool(layout.parameter("__array__") == "string")
    dimensions = {"one": 1, "list": 2, "four": 3, "vector": 2}[kind]
    if column.ndim != dimensions or layout.parameter("__array__") is not None:
        return False
    while not isinstance(layout, ak.contents.NumpyArray):
        if not hasattr(layout, "content"):
            return False
        layout = layout.content
    data = layout.data
    good = data.dtype.kind in "biuf"
    if kind in ("four", "vector"):
        lists = column if kind == "vector" else ak.flatten(column, axis=1)
        good = good and str(lists.type).split(" * ")[1] == "4"
    return bool(good)


def _length(tree: Any, names: list[str], source: Source) -> int:
    """Count the entries that all branches have."""
    claimed = int(tree.num_entries)
    with rootfile.complaints(source.path, "the lengths of its branches"):
        ends = [int(tree[name].entry_offsets[-1]) for name in names]
        fewest, most = min(ends), max(ends)
    if claimed < 0 or fewest < 0:
        msg = f"{source.path}: damaged ROOT file, the tree claims {claimed} entries"
        raise ValueError(msg)
    if not fewest == claimed == most:
        other = fewest if fewest < claimed else most
        what = f"the tree claims {claimed} entries, but a branch has {other}"
        source.lose(
            max(claimed, most) - min(claimed, fewest), f"{source.path}: damaged ROOT file, {what}"
        )
    return min(claimed, fewest)


def _arrays(
    tree: Any, names: list[str], source: Source, stop: int
) -> Iterator[tuple[int, dict[str, ak.Array]]]:
    """Read pieces; where one cannot be read, go from basket to basket and leave out the bad ones."""
    threads = thread_count()
    executor = uproot.ThreadPoolExecutor(threads) if threads > 1 else uproot.TrivialExecutor()
    try:
        yield from _pieces_of(tree, names, source, stop, executor)
    finally:
        executor.shutdown()


def _pieces_of(
    tree: Any, names: list[str], source: Source, stop: int, executor: Any
) -> Iterator[tuple[int, dict[str, ak.Array]]]:
    first, careful_until, edges = source.start, -1, np.empty(0, dtype=np.int64)
    while first < stop:
        last = min(first + source.chunk, stop)
        if first < careful_until:
            last = min(last, int(edges[np.searchsorted(edges, first, side="right")]))
        try:
            branches = (tree[name] for name in names)
            rootfile.check_baskets(source.path, branches, first, last)
            with (
                rootfile.complaints(source.path, f"entries {first} to {last - 1}"),
                rootfile.cycles(),
            ):
                arrays = tree.arrays(
                    names,
                    entry_start=first,
                    entry_stop=last,
                    library="ak",
                    # one after the other where it goes from basket to basket: a failure stays with its own
                    decompression_executor=executor if first >= careful_until else None,
                )
                columns = {name: arrays[name] for name in names}
                if any(len(column) != last - first for column in columns.values()):
                    msg = "fewer entries than the tree claims"
                    raise ValueError(msg)
        except ValueError as error:
            if source.damage is None:
                raise
            if first >= careful_until:
                edges, careful_until = _edges(tree, names, source, stop), last
                if int(edges[np.searchsorted(edges, first, side="right")]) < last:
                    continue
            # All of this basket is lost, also what is beyond this piece.
            end = int(edges[np.searchsorted(edges, first, side="right")])
            source.lose(end - first, str(error))
            first = end
            continue
        yield first, columns
        first = last


def _edges(tree: Any, names: list[str], source: Source, stop: int) -> NDArray[np.int64]:
    """Where baskets start and end."""
    with rootfile.complaints(source.path, "the places of its baskets"):
        edges = np.unique(np.concatenate([tree[name].entry_offsets for name in names]))
    return np.append(edges[(edges >= 0) & (edges < stop)].astype(np.int64), stop)


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Name the file in what the record says of its columns."""
    try:
        yield
    except ValueError as error:
        text = str(error)
        msg = text if text.startswith(f"{path}: ") else f"{path}: {text}"
        raise ValueError(msg) from error


def _short(name: str) -> str:
    """Name of a branch without those above it."""
    return name.rsplit("/", 1)[-1]
