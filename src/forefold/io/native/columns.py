"""Arrays as flat columns with a schema, and back: how ROOT, HDF5 and NuHepMC hold them.

A type is written as awkward writes it: ``int64``, ``?float64`` (may be missing), ``bool``, ``string``.
In a file that has numbers only, what is missing is NaN (a float or a whole number) or -1 (a flag), a flag is
0 or 1, and a string is its place in a list of strings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = [
    "Column",
    "Flat",
    "Schema",
    "arrow",
    "flatten",
    "nest",
    "restored",
    "stored",
    "stored_type",
]

_PLAIN = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
)  # fmt: skip
_TYPES = frozenset((*_PLAIN, *(f"?{name}" for name in _PLAIN), "string"))
_SEPARATOR = "_momentum."


@dataclass(frozen=True)
class Column:
    """Values, which of them are known (None: all), and the strings if they are places in a list."""

    values: NDArray[Any]
    known: NDArray[np.bool_] | None = None
    words: tuple[str, ...] | None = None

    @property
    def type(self) -> str:
        """Its type as text."""
        if self.words is not None:
            return "string"
        return f"{'' if self.known is None else '?'}{self.values.dtype.name}"


@dataclass(frozen=True)
class Schema:
    """Types of the columns of events and of particles, in order.

    A column of a nested record has a name such as ``probe_momentum.px``; files call it ``probe_px``.
    """

    event: dict[str, str] = field(default_factory=dict)
    particle: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Any) -> Schema:
        """Check what a file gives as its schema."""
        if not isinstance(given, dict) or set(given) != {"event", "particle"}:
            msg = "its schema does not name the columns of events and particles"
            raise ValueError(msg)
        for level in given.values():
            if not isinstance(level, dict) or not level:
                msg = "its schema does not name the columns of events and particles"
                raise ValueError(msg)
            for name, kind in level.items():
                if kind not in _TYPES:
                    msg = f"its schema gives the column {name[:60]} the unknown type {str(kind)[:60]!r}"
                    raise ValueError(msg)
        schema = cls(dict(given["event"]), dict(given["particle"]))
        names = [*map(file_name, schema.event), *schema.particle, "n"]
        if len(set(names)) != len(names):
            msg = "its schema names a column twice"
            raise ValueError(msg)
        return schema

    @classmethod
    def ordered(cls, facts: Mapping[str, Any]) -> Schema:
        """Take the schema of a document, with its columns in the order that they had."""
        schema = cls.of(facts.get("schema"))
        levels = []
        order = facts.get("order")
        for level, names in zip((schema.event, schema.particle), order or (), strict=False):
            if not isinstance(names, list) or {str(n) for n in names} != set(level):
                break
            levels.append({name: level[name] for name in names})
        if len(levels) != 2:
            msg = "its schema and the order of its columns do not fit"
            raise ValueError(msg)
        return cls(*levels)

    def to_dict(self) -> dict[str, dict[str, str]]:
        """As JSON would hold it."""
        return {"event": self.event, "particle": self.particle}


@dataclass(frozen=True)
class Flat:
    """Columns of events and of particles, and the number of particles of each event."""

    event: dict[str, Column]
    particle: dict[str, Column]
    counts: NDArray[np.int64]

    @property
    def schema(self) -> Schema:
        """Types of the columns."""
        return Schema(
            {name: column.type for name, column in self.event.items()},
            {name: column.type for name, column in self.particle.items()},
        )


def file_name(name: str) -> str:
    """Give the name that a column has in a file.

    Examples
    --------
    >>> file_name("probe_momentum.px"), file_name("weight")
    ('probe_px', 'weight')
    """
    return name.replace(_SEPARATOR, "_").replace(".", "_")


def flatten(array: ak.Array) -> Flat:
    """Take an array of events apart.

    Parameters
    ----------
    array : ak.Array
        Events, smeared or not: fields of one value an event, and lists of records `particles`.

    Returns
    -------
    Flat

    Raises
    ------
    ValueError
        If a field is of a type that files do not hold.
    """
    event: dict[str, Column] = {}
    for name in array.fields:
        if name == "particles":
            continue
        value = array[name]
        if value.fields:
            event |= {f"{name}.{part}": _column(name, value[part]) for part in value.fields}
        else:
            event[name] = _column(name, value)
    particles = array.particles
    inner = ak.flatten(particles, axis=1)
    particle = {name: _column(name, inner[name]) for name in inner.fields}
    counts = ak.to_numpy(ak.num(particles, axis=1)).astype(np.int64)
    return Flat(event, particle, counts)


def arrow(array: ak.Array) -> pa.Table:
    """Take an array of events as an Arrow table, without copies where that is possible."""
    return ak.to_arrow_table(
        array, extensionarray=False, list_to32=True, string_to32=True, count_nulls=False
    )


def _column(name: str, value: ak.Array) -> Column:
    kind = str(value.type.content)
    if kind == "string":
        words, codes = np.unique(np.array(ak.to_list(value), dtype=object), return_inverse=True)
        return Column(codes.astype(np.int32), words=tuple(str(word) for word in words))
    if kind not in _TYPES:
        msg = f"the field {name} holds {kind}, which files do not hold; known are numbers, flags and strings"
        raise ValueError(msg)
    masked = ak.to_numpy(value, allow_missing=True)
    if not kind.startswith("?"):
        return Column(np.ma.getdata(masked))
    return Column(np.ma.getdata(masked), ~np.ma.getmaskarray(masked))


def nest(flat: Flat, *, vectors: bool = False) -> ak.Array:
    """Put columns together to an array of events.

    Parameters
    ----------
    flat : Flat
        Columns.
    vectors : bool
        Make four-vectors of the particles and of the probe's momentum.

    Returns
    -------
    ak.Array
    """
    name = "Momentum4D" if vectors else None
    fields: dict[str, Any] = {}
    nested: dict[str, dict[str, Any]] = {}
    for key, column in flat.event.items():
        outer, dot, inner = key.partition(".")
        if dot:
            nested.setdefault(outer, {})[inner] = _content(column)
            fields[outer] = None
        else:
            fields[key] = _content(column)
    for outer, parts in nested.items():
        fields[outer] = _record(parts, len(flat.counts), name)
    bounds = np.concatenate(([0], np.cumsum(flat.counts))).astype(np.int64)
    parts = {key: _content(column) for key, column in flat.particle.items()}
    fields["particles"] = ak.contents.ListOffsetArray(
        ak.index.Index64(bounds), _record(parts, int(bounds[-1]), name)
    )
    return ak.Array(_record(fields, len(flat.counts), None))


def _record(parts: Mapping[str, Any], n: int, name: str | None) -> ak.contents.RecordArray:
    parameters = {"__record__": name} if name else None
    return ak.contents.RecordArray(
        list(parts.values()), list(parts), length=n, parameters=parameters
    )


def _content(column: Column) -> ak.contents.Content:
    if column.words is not None:
        codes = ak.index.Index64(column.values.astype(np.int64))
        return ak.contents.IndexedArray(codes, ak.to_layout(ak.Array(list(column.words) or [""])))
    content = ak.contents.NumpyArray(np.ascontiguousarray(column.values))
    if column.known is None:
        return content
    valid = np.ascontiguousarray(column.known).view(np.int8)
    return ak.contents.ByteMaskedArray(ak.index.Index8(valid), content, valid_when=True)


def stored_type(kind: str) -> np.dtype[Any]:
    """Give the type of number that a file holds for a type.

    Examples
    --------
    >>> stored_type("?float64"), stored_type("?bool"), stored_type("bool"), stored_type("string")
    (dtype('float64'), dtype('int8'), dtype('uint8'), dtype('int32'))
    """
    if kind == "string":
        return np.dtype(np.int32)
    if kind in ("bool", "?bool"):
        return np.dtype(np.int8 if kind == "?bool" else np.uint8)
    if kind.startswith("?") and "float" not in kind:
        return np.dtype(np.float64)
    return np.dtype(kind.removeprefix("?"))


def stored(column: Column) -> NDArray[Any]:
    """Turn a column into the numbers that a file holds."""
    values = column.values.astype(stored_type(column.type))
    if column.known is not None:
        values[~column.known] = -1 if column.values.dtype.kind == "b" else np.nan
    return values


def restored(name: str, values: NDArray[Any], kind: str, words: Any = None) -> Column:
    """Turn numbers of a file back into a column.

    Raises
    ------
    ValueError
        If they are no such numbers.
    """
    expected = stored_type(kind)
    if values.ndim != 1 or values.dtype.newbyteorder("=") != expected:
        msg = f"the column {name} holds {values.dtype} of {values.ndim} dimensions, must hold {expected}"
        raise ValueError(msg)
    values = np.ascontiguousarray(values, dtype=expected)
    low, high = {"string": (0, len(words or ()) - 1), "bool": (0, 1), "?bool": (-1, 1)}.get(
        kind, (None, None)
    )
    if low is not None and len(values) and (values.min() < low or values.max() > high):
        msg = f"the column {name} has values from {values.min()} to {values.max()}, allowed are {low} to {high}"
        raise ValueError(msg)
    if kind == "string":
        return Column(values, words=tuple(words or ()))
    if not kind.startswith("?"):
        return Column(values.astype(np.dtype(kind)))
    if kind == "?bool":
        return Column(values == 1, values >= 0)
    valid = ~np.isnan(values)
    target = np.dtype(kind[1:])
    return Column(
        np.where(valid, values, 0).astype(target) if target.kind in "iu" else values, valid
    )
