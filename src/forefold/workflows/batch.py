"""Files smeared, or filled into histograms, by one process or by many."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from forefold._parallel import Executor, crew
from forefold.detector.load import Card, load_card
from forefold.events.definitions import definitions_of
from forefold.events.selection import selection_of, selection_of_smeared
from forefold.io.blocks import blocks
from forefold.io.files import from_home, window
from forefold.io.write import open_writer, replace_aside
from forefold.smearing.smear import Axis, random_key
from forefold.workflows import stream as batch
from forefold.workflows.histograms import added, filled, results, sums
from forefold.workflows.job import Recipe
from forefold.workflows.parallel.run import (
    Job,
    Plan,
    add_up,
    finished,
    forget_manifest,
    rng_of,
    take_totals,
    told_where,
)
from forefold.workflows.parallel.split import PART
from forefold.workflows.requests import AnyRequest, MatrixRequest, Request
from forefold.workflows.stream import CHUNK, Tally, check_columns, read_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import awkward as ak
    import numpy as np

    from forefold._parallel import Crew
    from forefold.events.definitions import Definitions
    from forefold.events.selection import Selection, SmearedSelection
    from forefold.io.cross_sections import CrossSection
    from forefold.io.registry import Damage, Entries, Paths, Progress
    from forefold.smearing.engine import OnInvalid
    from forefold.smearing.variations import Variation

__all__ = ["fill_files", "smear_files"]


def smear_files(
    inputs: Paths,
    card: Card | str | Path,
    out: str | Path,
    *,
    rng: int | np.random.Generator | None = None,
    axis: Axis = "probe",
    entries: Entries = None,
    where: str | Selection | None = None,
    observables: bool = False,
    variations: Sequence[Variation] = (),
    chunk: int = CHUNK,
    overwrite: bool = False,
    progress: Progress | None = None,
    also: Iterable[Callable[[ak.Array], object]] = (),
    damage: Damage | None = None,
    on_invalid: OnInvalid = "stop",
    cross_section: CrossSection | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    partition: int = PART,
    resume: bool = False,
    manifest: bool = True,
) -> Tally:
    """Read files, smear them and write the result, in this process or with many.

    Parameters
    ----------
    inputs, card, out, rng, axis, entries, where, observables, variations, chunk, overwrite, progress, damage, \
    on_invalid, cross_section
        See `forefold.workflows.stream.smear_files`.
    also : iterable of callables
        In this process only: each gets every smeared piece.
    executor : object with `map`, optional
        Who does the work: an executor of `concurrent.futures`, a ``dask.distributed.Client``, one of
        `mpi4py.futures`, or one like these. The output has the bytes that one process writes.
    workers : int, optional
        Start so many processes on this machine for it.
    cluster : str, optional
        Address of the scheduler of a Dask cluster for it. Inputs and output must lie where all its machines see them.
    partition : int
        Events of a part that are aimed at; rounded up to a multiple of 20 000.
    resume : bool
        Go on with a job that was stopped; without one, begin.
    manifest : bool
        Leave ``OUT.manifest.json``, which says what was done, with hashes.

    Returns
    -------
    Tally

    Raises
    ------
    ValueError, OSError
        Bad input; an output that cannot be written; a job that was begun as something else. What is done stays in
        the folder ``OUT.parts``, nothing half-written is left under the name of the output.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> import forefold
    >>> with ThreadPoolExecutor(2) as pool:
    ...     tally = forefold.smear_files(
    ...         "events.gst.root", "nusmear-default", "many.parquet", rng=1, executor=pool
    ...     )
    >>> tally.events
    300
    """
    if executor is None and workers is None and cluster is None and not resume:
        tally = batch.smear_files(
            inputs, card, out, rng=rng, axis=axis, entries=entries, where=where, observables=observables,
            variations=variations, chunk=chunk, overwrite=overwrite, progress=progress, also=also,
            damage=damage, on_invalid=on_invalid, cross_section=cross_section,
        )  # fmt: skip
        forget_manifest(from_home(out))
        return tally
    if list(also):
        msg = "also: in one process only, workers cannot call it"
        raise ValueError(msg)
    detector = load_card(card)
    check_columns(out, observables, variations, detector)
    start, name = time.perf_counter(), from_home(out)
    tally = Tally(_key(rng, name, resume), selection=None if where is None else selection_of(where))
    text = None if tally.selection is None else tally.selection.text
    recipe = Recipe(detector, tally.rng, axis, on_invalid, text, observables, tuple(variations))
    plan = Plan(
        inputs, name, recipe, entries=entries, chunk=chunk, cross_section=cross_section,
        skip_damaged=damage is not None, partition=partition,
    )  # fmt: skip
    who = crew(executor, _one(executor, workers, cluster), cluster)
    with _job(plan, who, tally, resume=resume, overwrite=overwrite, manifest=manifest) as job:
        if job is None:
            return tally
        origins = {"inputs": job.manifest["origins"], "entries": job.manifest["entries"]}
        about = recipe.about(origins, cross_section)
        with open_writer(out, overwrite=_replaces(job, overwrite), provenance=about) as writer:
            for table in job.tables(progress, damage):
                if table.num_columns:
                    writer.append(table)
    tally.seconds = time.perf_counter() - start
    return tally


def fill_files(
    inputs: Paths,
    card: Card | str | Path,
    requests: Sequence[str | AnyRequest],
    *,
    out: str | Path | None = None,
    write: Callable[[list[Any]], str] | None = None,
    rng: int | np.random.Generator | None = None,
    axis: Axis = "probe",
    entries: Entries = None,
    where: str | Selection | None = None,
    select: str | SmearedSelection | None = None,
    define: Definitions | Mapping[str, str] | Iterable[str] | None = None,
    variations: Sequence[Variation] | None = None,
    chunk: int = CHUNK,
    overwrite: bool = False,
    progress: Progress | None = None,
    damage: Damage | None = None,
    on_invalid: OnInvalid = "stop",
    stream: Sequence[int] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    partition: int = PART,
    resume: bool = False,
    manifest: bool = True,
) -> tuple[list[Any], Tally]:
    """Read files, smear them and fill histograms, in this process or with many.

    Parameters
    ----------
    inputs, card, rng, axis, entries, where, chunk, progress, damage, on_invalid
        See `forefold.workflows.stream.smear_chunks`.
    requests : sequence of str, Request or MatrixRequest
        What is filled: ``energy``, ``angle`` (each also ``-by-type``), ``resolution``, or one of these with its axes, see
        `forefold.workflows.requests.Request`; response matrices by `forefold.workflows.requests.MatrixRequest.made`.
    select : str or SmearedSelection, optional
        Condition on what is reconstructed, see `forefold.ResponseMatrix.from_events`: histograms hold what is selected, in response matrices
        what is not selected is missed. Each variation selects anew.
    out : str or Path, optional
        File that `write` is for; with workers needed, because the parts lie beside it.
    write : callable, optional
        Makes the text of that file from the histograms.
    define : mapping of str to str, optional
        Observables of the user's own that conditions may name, see `forefold.observables`; those of response matrices are said by their requests.
    variations : sequence of Variation, optional
        Put an axis of these in front; of a response matrix, fill one for each.
    stream : one int a file, optional
        See `forefold.iterate`.
    overwrite, executor, workers, cluster, partition, resume, manifest
        See `smear_files`.

    Returns
    -------
    list of hist.Hist, or dict of str to ResponseMatrix
        One a request: the same bits, whoever fills them. Matrices are by variation, ``"nominal"`` first. An empty list where `resume` finds that the
        job is done.
    Tally
        Events and particles.

    Raises
    ------
    ValueError, OSError
        See `smear_files`.

    Examples
    --------
    >>> import forefold
    >>> (matrix,), _ = forefold.fill_files(
    ...     "events.gst.root", "nusmear-default", ["energy"], rng=1
    ... )
    >>> matrix.sum(flow=True).value
    300.0
    >>> from forefold.workflows.requests import MatrixRequest
    >>> request = MatrixRequest.made("enu=0:6:3", signal="cc")
    >>> (matrices,), _ = forefold.fill_files(
    ...     "events.gst.root", "nusmear-default", [request], rng=1, select="n_mu_reco == 1"
    ... )
    >>> matrices["nominal"].efficiency.round(2).tolist()
    [0.96, 0.98, 0.92]
    """
    wanted = [Request.named(request) for request in requests]
    start, name = time.perf_counter(), None if out is None else from_home(out)
    own = definitions_of(define)
    cut = None if where is None else selection_of(where, own)
    tally = Tally(_key(rng, name, resume), selection=cut)
    recipe = Recipe(
        load_card(card), tally.rng, axis, on_invalid, None if cut is None else cut.text,
        variations=tuple(variations or ()), select=None if select is None else selection_of_smeared(select, own).text,
        define=own.texts,
    )  # fmt: skip
    varied = variations is not None
    if varied and any(
        isinstance(request, MatrixRequest) and request.draws > 1 for request in wanted
    ):
        msg = "draws: of one detector; varied ones have the draws of the nominal one"
        raise ValueError(msg)
    if executor is None and workers is None and cluster is None and not resume:
        pieces = read_for(
            inputs, recipe.card, chunk=chunk, entries=entries, where=cut, progress=progress, damage=damage, stream=stream
        )  # fmt: skip
        total = added(
            filled(wanted, recipe, events, varied=varied) for events in _counted(pieces, tally)
        )
        products = results(wanted, recipe, total, varied=varied)
        if name is not None and write is not None:
            with replace_aside(name, overwrite) as aside:
                aside.write_text(write(products), encoding="utf-8")
            forget_manifest(name)
        tally.seconds = time.perf_counter() - start
        return products, tally
    if name is None or write is None:
        msg = "workers need an output, the parts lie beside it: give out and write (on the command line: -o OUT)"
        raise ValueError(msg)
    plan = Plan(
        inputs, name, recipe, tuple(wanted), varied=varied, entries=entries, chunk=chunk, stream=stream,
        skip_damaged=damage is not None, partition=partition,
    )  # fmt: skip
    who = crew(executor, _one(executor, workers, cluster), cluster)
    with _job(plan, who, tally, resume=resume, overwrite=overwrite, manifest=manifest) as job:
        if job is None:
            return [], tally
        with replace_aside(name, _replaces(job, overwrite)) as aside:
            total = sums(table for table in job.tables(progress, damage) if table.num_columns)
            products = results(wanted, recipe, total, varied=varied)
            aside.write_text(write(products), encoding="utf-8")
    tally.seconds = time.perf_counter() - start
    return products, tally


@contextmanager
def _job(
    plan: Plan,
    who: AbstractContextManager[Crew],
    tally: Tally,
    *,
    resume: bool,
    overwrite: bool,
    manifest: bool,
) -> Iterator[Job | None]:
    """Begin a job, or go on with it, and finish it when its output is written; None where that was done before."""
    with who as running_crew:
        _check(plan)
        before = finished(plan, running_crew) if resume else None
        if before is not None:
            take_totals(tally, before)
            yield None
            return
        job = Job.begin(plan, running_crew, resume=resume, overwrite=overwrite)
        with told_where(job.folder):
            yield job
        add_up(tally, job.done)
        if tally.selection is not None:
            tally.selection.warn_of_nothing()
        job.finish(manifest=manifest)


def _replaces(job: Job, overwrite: bool) -> bool:
    """Whether an output may be there: it is this job's own where that was stopped while it put the parts together."""
    return overwrite or job.folder.merges()


def _counted(pieces: Iterator[ak.Array], tally: Tally) -> Iterator[ak.Array]:
    """Cut pieces to blocks, and count what is in them."""
    import awkward as ak

    for (events,) in blocks((events,) for events in pieces):
        tally.events += len(events)
        tally.particles += int(ak.num(events["particles"]).to_numpy().sum())
        yield events


def _key(rng: int | np.random.Generator | None, out: str | None, resume: bool) -> int:
    """Take what fixes the draws, once: from the job that goes on, where the command does not say it."""
    stored_rng = rng_of(out) if resume and rng is None and out is not None else None
    return random_key(rng) if stored_rng is None else stored_rng


def _one(executor: Executor | None, workers: int | None, cluster: str | None) -> int | None:
    """Go on with one process, where nobody says how many."""
    return 1 if executor is None and workers is None and cluster is None else workers


def _check(plan: Plan) -> None:
    """Say what is wrong with a command before anything is begun."""
    if plan.chunk < 1:
        msg = f"chunk = {plan.chunk}: must be at least one event"
        raise ValueError(msg)
    window(plan.entries)
    if plan.recipe.variations:
        plan.recipe.varied  # noqa: B018 - what is wrong with the variations is said here
