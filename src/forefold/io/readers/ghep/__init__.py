"""GENIE's native GHEP records (tree `gtree`, branch `gmcrec`), without GENIE and without ROOT.

uproot cannot interpret this branch. Its raw bytes are taken (`forefold.io.readers.ghep.baskets`) and decoded column by column, many
events at once (`forefold.io.readers.ghep.scan`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold import events
from forefold.io import files
from forefold.io import root as rootfile
from forefold.io.processes import GENIE, GENIE_NAMES
from forefold.io.registry import Header, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    import awkward as ak
    from numpy.typing import NDArray

    from forefold.io.readers.ghep.baskets import Batch

__all__ = ["READER", "GhepReader", "checked", "decode", "record_of"]

_TREE, _BRANCH, _HEADER = "gtree", "gmcrec", "header"
_INITIAL = 0

# GENIE's EScatteringType by the names that gst gives; those it has no name for are not here.
_SCATTERING = {
    1: "qel", 2: "singlek", 3: "dis", 4: "res", 5: "coh", 6: "dfr", 7: "nuel", 8: "imd",
    9: "amnugamma", 10: "mec", 14: "imdanh",
}  # fmt: skip
_ELECTROMAGNETIC, _CHARGED, _NEUTRAL = 1, 2, 3


class GhepReader:
    """Reader of GENIE's native event trees."""

    name = "ghep"

    def sniff(self, path: str) -> bool:
        """Tell whether the file is ROOT and holds the tree with the branch."""
        if files.head(path, 4) != b"root" or not rootfile.holds(path, _TREE):
            return False
        with rootfile.tree(path, _TREE) as tree:
            return _BRANCH in tree.keys()  # noqa: SIM118 - not a dict

    def describe(self, path: str) -> Header:
        """Read version, tune and seed, which stand beside the tree."""
        with rootfile.opened(path) as file:
            folder = rootfile.place_of(path, file, _TREE).rpartition("/")[0]
            version, details = _header(file, f"{folder}/{_HEADER}" if folder else _HEADER)
        return Header(
            format="GENIE GHEP",
            generator=(f"GENIE {version}" if version else "GENIE (version not recorded)",),
            details=details,
            process_names=GENIE_NAMES,
        )

    def length(self, path: str) -> int:
        """Count the entries that the tree claims."""
        with rootfile.tree(path, _TREE) as tree, rootfile.complaints(path, "its entries"):
            return int(tree.num_entries)

    def iterate(self, source: Source) -> Iterator[tuple[ak.Array, float]]:
        """Read the tree in pieces."""
        with rootfile.tree(source.path, _TREE) as tree:
            with rootfile.complaints(source.path, f"the branch `{_BRANCH}`"):
                branch = tree[_BRANCH]
                n = int(branch.num_entries)
            if n <= 0:
                raise files.no_events(source.path, f"the tree `{_TREE}`")
            if source.start >= n:
                raise files.beyond(source.path, source.start, n)
            stop = n if source.stop is None else min(source.stop, n)
            for first in range(source.start, stop, source.chunk):
                last = min(first + source.chunk, stop)
                record = _read(branch, source, first, last)
                if len(record):
                    yield record, (last - source.start) / (stop - source.start)


def _header(file: Any, name: str) -> tuple[str, dict[str, str]]:
    """Version, and what else the header says; a file may lack it."""
    try:
        members = file[name].all_members
    except Exception:  # noqa: BLE001 - what the header says is not needed to read the events
        return "", {}
    details = {}
    for label, member in (("tune", "tune"), ("run", "runnu"), ("seed", "runseed")):
        value = members.get(member)
        if value is not None and str(value):
            details[label] = str(value)
    return str(members.get("cvstag", "")), details


@dataclass(frozen=True)
class _Columns:
    """What was decoded of some entries; columns as the kernels name them.

    `entry` and `counts` have one value an event, `whole` and `real` are of the events, `particle_whole` and
    `particle_real` of the particles, each of shape (columns, rows).
    """

    entry: NDArray[np.int64]
    counts: NDArray[np.int64]
    whole: NDArray[np.int64]
    real: NDArray[np.float64]
    particle_whole: NDArray[np.int64]
    particle_real: NDArray[np.float64]
    bound: NDArray[np.bool_]


def _read(branch: Any, source: Source, first: int, last: int) -> ak.Array:
    """Read a range of entries and make the event record of them."""
    from forefold.io.readers.ghep import baskets

    parts = []
    with rootfile.complaints(source.path, f"the baskets of `{_BRANCH}`"):
        batches = baskets.batches(branch, first, last)
    while True:
        with rootfile.complaints(source.path, f"the baskets of `{_BRANCH}`"):
            batch = next(batches, None)
        if batch is None:
            break
        if isinstance(batch, baskets.Lost):
            end = batch.first + batch.count - 1
            where = f"entries {batch.first} to {end}" if batch.count > 1 else f"entry {end}"
            source.lose(batch.count, f"{source.path}: {where}: damaged or cut: {batch.why}")
        else:
            parts.append(decode(batch, source))
    columns = _stacked(parts, source.final_state_only)
    return checked(record_of(columns, source), source)


def decode(batch: Batch, source: Source) -> _Columns:
    """Decode a batch of entries; those that cannot be are given up."""
    from forefold.io.readers.ghep import columns as ghepcolumns
    from forefold.io.readers.ghep import rootbytes
    from forefold.io.readers.ghep.scan import scan

    n = len(batch.starts)
    slots = np.zeros((n, rootbytes.SLOTS), dtype=np.int64)
    reasons = np.zeros(n, dtype=np.int64)
    scan(batch.data, batch.starts, batch.stops, slots, reasons)
    for row in np.flatnonzero(reasons).tolist():
        at, size = (
            slots[row, rootbytes.AT] - batch.starts[row],
            batch.stops[row] - batch.starts[row],
        )
        source.lose(
            1,
            f"{source.path}: entry {batch.first + row}: no readable GHEP record: "
            f"{rootbytes.REASONS[reasons[row]]} (byte {at} of {size})",
        )
    good = np.flatnonzero(reasons == 0)
    slots = slots[good]
    lean = source.final_state_only
    counts = np.ascontiguousarray(slots[:, rootbytes.FINAL if lean else rootbytes.N])
    rows = int(counts.sum())
    whole = np.empty((len(ghepcolumns.EVENT_INTS), len(good)), dtype=np.int64)
    real = np.empty((len(ghepcolumns.EVENT_BITS), len(good)), dtype=np.uint64)
    wide, deep = _shape(lean)
    particle_whole = np.empty((wide, rows), dtype=np.int64)
    particle_real = np.empty((deep, rows), dtype=np.uint64)
    bound = np.empty(0 if lean else rows, dtype=np.bool_)
    ghepcolumns.fill_events(batch.data, slots, whole, real)
    ghepcolumns.fill_particles(batch.data, slots, lean, particle_whole, particle_real, bound)
    return _Columns(
        batch.first + good,
        counts,
        whole,
        real.view(np.float64),
        particle_whole,
        particle_real.view(np.float64),
        bound,
    )


def _shape(lean: bool) -> tuple[int, int]:
    """Give the number of columns of whole and of other numbers that a particle has."""
    from forefold.io.readers.ghep.columns import PARTICLE_BITS, PARTICLE_INTS

    return (2, 4) if lean else (len(PARTICLE_INTS), len(PARTICLE_BITS))


def _stacked(parts: list[_Columns], lean: bool) -> _Columns:
    """Put the columns of batches one after the other."""
    from forefold.io.readers.ghep.columns import EVENT_BITS, EVENT_INTS

    if len(parts) == 1:
        return parts[0]
    wide, deep = _shape(lean)
    nothing = _Columns(
        np.empty(0, dtype=np.int64),
        np.empty(0, dtype=np.int64),
        np.empty((len(EVENT_INTS), 0), dtype=np.int64),
        np.empty((len(EVENT_BITS), 0)),
        np.empty((wide, 0), dtype=np.int64),
        np.empty((deep, 0)),
        np.empty(0, dtype=np.bool_),
    )
    names = _Columns.__dataclass_fields__
    return _Columns(
        **{name: np.concatenate([getattr(part, name) for part in [nothing, *parts]], axis=-1)
           for name in names}
    )  # fmt: skip


def record_of(columns: _Columns, source: Source) -> ak.Array:
    """Make the event record."""
    from forefold.io.readers.ghep.columns import (
        EVENT_BITS,
        EVENT_INTS,
        PARTICLE_BITS,
        PARTICLE_INTS,
    )

    whole = dict(zip(EVENT_INTS, columns.whole, strict=True))
    real = dict(zip(EVENT_BITS, columns.real, strict=True))
    particle = dict(zip(PARTICLE_INTS, columns.particle_whole, strict=False))
    particle |= dict(zip(PARTICLE_BITS, columns.particle_real, strict=False))
    event_fields, particle_fields = {}, {}
    if not source.final_state_only:
        from forefold.io.readers.ghep import fields as ghepfields

        offsets = np.concatenate([[0], np.cumsum(columns.counts)])
        event_fields = ghepfields.event_fields(whole, real, particle, offsets)
        particle_fields = ghepfields.particle_fields(particle, columns.bound)
    initial = whole["first_status"] == _INITIAL
    on_target = whole["second_status"] == _INITIAL
    return events.build(
        counts=columns.counts,
        **{name: particle[name] for name in ("pdgid", "status", "px", "py", "pz", "energy")},
        event=whole["event"],
        entry=columns.entry,
        weight=real["weight"],
        process_id=_process_id(whole["scattering"], whole["interaction"]),
        cc=whole["interaction"] == _CHARGED,
        nc=whole["interaction"] == _NEUTRAL,
        probe=np.where(initial, whole["first_pdgid"], whole["probe"]),
        probe_momentum=[
            np.where(initial, real[name], np.nan) for name in ("px", "py", "pz", "energy")
        ],
        target=np.where(on_target, whole["second_pdgid"], whole["target"]),
        source=source.path,
        stream=source.stream,
        event_fields=event_fields,
        particle_fields=particle_fields,
    )


def _process_id(scattering: NDArray[np.int64], interaction: NDArray[np.int64]) -> NDArray[np.int32]:
    """NuHepMC number of the process, as the reader of gst gives it."""
    number = np.zeros(len(scattering), dtype=np.int32)
    for kind, name in _SCATTERING.items():
        charged, neutral = GENIE[name]
        number[scattering == kind] = charged
        number[(scattering == kind) & (interaction == _NEUTRAL)] = neutral
    return np.where(interaction == _ELECTROMAGNETIC, -number, number).astype(np.int32)


def checked(record: ak.Array, source: Source) -> ak.Array:
    """Refuse events that no detector could see, or leave them out if the user asked for that."""
    try:
        events.check(record, source.path)
    except ValueError as error:
        if source.damage is None or len(record) == 1:
            source.lose(1, str(error))
            return record[:0]
        half = len(record) // 2
        return events.concatenate([checked(record[:half], source), checked(record[half:], source)])
    return record


READER = GhepReader()
