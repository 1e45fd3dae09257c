"""What one worker does: one part of a job, which depends on the job's manifest and on nothing else."""

from __future__ import annotations

import platform
import warnings
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold._about import __version__
from forefold.events import final_state
from forefold.events.selection import Selection
from forefold.io.blocks import BLOCK, blocks
from forefold.io.registry import Damage, Source, choose
from forefold.io.write import encoded
from forefold.workflows.job import Recipe
from forefold.workflows.parallel.parts import Folder, digest
from forefold.workflows.requests import request_of
from forefold.workflows.stream import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    import awkward as ak
    import pyarrow as pa

__all__ = ["run_part"]


class _Job:
    """A manifest made ready."""

    def __init__(self, manifest: dict[str, Any]) -> None:
        self.manifest = manifest
        self.recipe = Recipe.of(manifest["recipe"])
        self.requests = [request_of(request) for request in manifest["requests"]]


@lru_cache(maxsize=2)
def _job(path: str, changed: int) -> _Job:
    del changed
    manifest = Folder(path).manifest()
    assert manifest is not None
    return _Job(manifest)


def _loaded(out: str) -> _Job:
    """Read the manifest once a process."""
    path = Folder(out).path / "manifest.json"
    try:
        job = _job(out, path.stat().st_mtime_ns)
    except FileNotFoundError:
        msg = (
            f"the worker on {platform.node()} does not see {path}: the files of a job must lie where all its "
            "machines see them"
        )
        raise FileNotFoundError(msg) from None
    theirs = job.manifest["version"]
    if theirs != __version__:
        msg = f"the worker on {platform.node()} has forefold {__version__}, the job was begun by {theirs}"
        raise ValueError(msg)
    return job


def run_part(out: str, number: int) -> dict[str, Any]:
    """Make one part of a job, unless it is there.

    Parameters
    ----------
    out : str
        Output of the job, as an absolute path.
    number : int
        Number of the part.

    Returns
    -------
    dict
        What the part holds, as its file says it.

    Raises
    ------
    ValueError, OSError
        See `forefold.smear`; or the worker does not see the files of the job.
    """
    job, folder = _loaded(out), Folder(out)
    before = folder.done(number)
    if before is not None:
        return before
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        facts = _make(job, folder, number)
    facts["warnings"] = [
        str(warning.message) for warning in caught if warning.category is UserWarning
    ]
    folder.note(number, facts)
    return facts


def _make(job: _Job, folder: Folder, number: int) -> dict[str, Any]:
    import pyarrow as pa

    tally = Tally(job.recipe.rng)
    cut = None if job.recipe.where is None else Selection(job.recipe.where, job.recipe.define)
    damage = Damage() if job.manifest["skip_damaged"] else None
    writer: Any = None
    with folder.aside(folder.part(number)) as aside:
        with pa.OSFile(str(aside), "wb") as file:
            events = _events(job, number, cut, damage)
            for table in (
                _filled(job, events, tally) if job.requests else _encoded(job, events, tally)
            ):
                if writer is None:
                    writer = pa.ipc.new_file(file, table.schema)
                for batch in table.combine_chunks().to_batches() or _empty(table):
                    writer.write_batch(batch)
            if writer is None:  # all of it is damaged
                writer = pa.ipc.new_file(file, pa.schema([]))
            writer.close()
        sha256 = digest(aside)
    return {
        "sha256": sha256,
        "events": tally.events,
        "particles": tally.particles,
        "fates": {str(int(fate)): count for fate, count in tally.fates.items()},
        "off_shell": tally.off_shell,
        "selection": None if cut is None else [cut.events, cut.kept],
        "damage": None if damage is None else [damage.events, damage.notes],
    }


def _empty(table: pa.Table) -> list[pa.RecordBatch]:
    """One batch without rows, which still says what columns there are."""
    import pyarrow as pa

    return [pa.RecordBatch.from_pylist([], schema=table.schema)]


def _events(
    job: _Job, number: int, cut: Selection | None, damage: Damage | None
) -> Iterator[ak.Array]:
    """Read the events of a part."""
    place, start, stop = job.manifest["parts"][number]
    file = job.manifest["inputs"][place]
    name = file["path"]
    # a worker may have another working folder
    path = (
        name
        if name == file["place"] or Path.cwd() == Path(job.manifest["folder"])
        else file["place"]
    )
    chunk = min(job.manifest["chunk"], BLOCK)
    with_vertices = job.recipe.card.vertex is not None  # they are read with the whole record
    source = Source(path, file["stream"], start, stop, chunk, not with_vertices, damage)
    for record, _ in choose(path).iterate(source):
        events = record if path == name else _named(record, path, name)
        events = events if cut is None else cut.apply(events)
        yield final_state(events) if with_vertices else events


def _named(events: ak.Array, path: str, given: str) -> ak.Array:
    """Call the source what it is called in the command."""
    import awkward as ak
    import numpy as np

    if not len(events) or events["source"][0] != path:
        return events
    name = ak.Array([given])[np.zeros(len(events), dtype=np.int64)]
    return ak.with_field(events, ak.to_packed(name), "source")


def _encoded(job: _Job, pieces: Iterator[ak.Array], tally: Tally) -> Iterator[pa.Table]:
    """Smear, and do what can be done of the writing."""
    both = ((job.recipe.smear(events), events) for events in pieces)
    for smeared, events in blocks(both):
        tally.add(smeared)
        yield from encoded(job.manifest["out"], smeared, events)


def _filled(job: _Job, pieces: Iterator[ak.Array], tally: Tally) -> Iterator[pa.Table]:
    """Smear and fill histograms, one table a block: sums of blocks are added in their order, whoever made them."""
    import awkward as ak

    from forefold.workflows.histograms import filled, table_of

    template = True
    for (events,) in blocks((events,) for events in pieces):
        tally.events += len(events)
        tally.particles += int(ak.num(events["particles"]).to_numpy().sum())
        histograms = filled(job.requests, job.recipe, events, varied=job.manifest["varied"])
        yield table_of(histograms, template=template)
        template = False
