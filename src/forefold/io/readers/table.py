"""Tables with named columns as input: csv and parquet, forefold's own or anyone's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forefold import events
from forefold.events.table import record_of, warn_of_unused
from forefold.io import files
from forefold.io.cross_sections import passed_on
from forefold.io.native.smeared import own_format
from forefold.io.provenance import tools_of_inputs
from forefold.io.registry import Header, Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    import awkward as ak
    import pyarrow as pa

__all__ = ["READER", "TableReader", "as_record", "origin", "own_header", "without_bad"]


class TableReader:
    """Reader of csv and parquet tables."""

    name = "table"

    def sniff(self, path: str) -> bool:
        """Tell whether the file is parquet, or csv with the columns `event` and `pdgid`."""
        return own_format(path) in ("parquet", "csv")

    def describe(self, path: str) -> Header:
        """Say what made it, if that is known."""
        kind, module = _module(path)
        with module.opened(path) as file:
            return own_header(f"{kind} table", file.provenance)

    def iterate(self, source: Source) -> Iterator[tuple[ak.Array, float]]:
        """Read the table in pieces."""
        _, module = _module(source.path)
        with module.opened(source.path) as file:
            refuse_smeared(source.path, file.content)
            total, ours = file.events, "version" in file.provenance
            warn_of_unused(source.path, file.columns)
        if total == 0:
            raise files.no_events(source.path, "the table")
        rows: Iterator[tuple[pa.Table, float]]
        rows = module.batches(source.path, source.start, source.stop, source.chunk, ours=ours)
        entry = source.start
        try:
            for table, done in rows:
                record = as_record(table, source, entry)
                yield without_bad(record, source), done
                entry += len(record)
        except ValueError as error:
            if entry == source.start:
                raise
            # What follows damage in a table cannot be found again.
            lost = total if source.stop is None or total < 0 else min(source.stop, total)
            source.lose(max(lost - entry, 1), str(error))


def _module(path: str) -> tuple[str | None, ModuleType]:
    from importlib import import_module

    kind = own_format(path)
    return kind, import_module(f"forefold.io.native.{kind}")


def refuse_smeared(path: str, content: str) -> None:
    """Refuse files of smeared events as input."""
    if content == "smeared":
        msg = f"{path}: holds smeared events; forefold.read_smeared reads them"
        raise ValueError(msg)


def origin(provenance: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Say what made a file, and of what."""
    version = provenance.get("version")
    generator = (f"forefold {version}",) if isinstance(version, str) else ("not recorded",)
    inputs = provenance.get("inputs")
    inputs = inputs if isinstance(inputs, list) else []
    names = [str(one["path"]) for one in inputs if isinstance(one, dict) and "path" in one]
    return generator, {"converted from": ", ".join(names)} if names else {}


def own_header(kind: str, provenance: dict[str, Any], **details: str) -> Header:
    """Make the header of a file that forefold made of others, or of anyone's table."""
    generator, said = origin(provenance)
    version = provenance.get("version")
    tools = tools_of_inputs(provenance)
    if isinstance(version, str):
        tools.append(("forefold", version, ""))
    total, _ = passed_on(provenance)
    return Header(kind, generator, said | details, tools=tuple(tools), cross_section=total)


def as_record(table: Any, source: Source, entry: int) -> ak.Array:
    """Make the event record of one piece.

    A file that forefold made keeps the numbers `stream` and `entry` of the events' first file, so that they
    are smeared alike; `stream` given by the user counts before those.
    """
    chosen = source.stream != files.content_stream(source.path)
    has = "stream" in (table.fields if hasattr(table, "fields") else table.column_names)
    stream = source.stream if chosen or not has else None
    return record_of(table, source.path, stream, entry, piece=True)


def without_bad(record: ak.Array, source: Source) -> ak.Array:
    """Refuse bad events, or leave them out if that was asked for."""
    if source.damage is None:
        events.check(record, source.path)
        return record
    from forefold.io.readers.tree import checked  # which loads uproot

    return checked(record, source)


READER = TableReader()
