"""One pass over the events of a generator: what they are, what became of them, and their response matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import hist
import numpy as np

from forefold.events.selection import selection_of
from forefold.io.files import expand
from forefold.io.inspection import Counts
from forefold.io.provenance import origins
from forefold.io.registry import choose, nothing_left
from forefold.matrix import ResponseMatrix, Summary, resolution_matrix
from forefold.matrix.axes import renamed, side_axes
from forefold.matrix.compare import in_bin_variation
from forefold.workflows.stream import read_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import awkward as ak

    from forefold.events.selection import BackgroundCondition, Selection
    from forefold.io.inspection import Inspection
    from forefold.io.registry import Damage, Entries, Paths, Progress
    from forefold.matrix.compare import InBinVariation
    from forefold.workflows.job import Recipe

__all__ = ["Sample", "collect"]

_MOST = 4_000_000  # cells of the finer matrix


@dataclass(frozen=True)
class Sample:
    """Events of a generator, through a card.

    Attributes
    ----------
    names : tuple of str
        Files.
    inspection : Inspection
        What was read: of several files, what the first says of itself.
    origins : dict
        Files with their SHA-256, see `forefold.io.provenance`.
    summary : Summary
    resolution : hist.Hist
        See `forefold.matrix.resolution_matrix`.
    matrix : ResponseMatrix
    inside : dict of str to InBinVariation
        By true axis: how much rows differ between the halves of each true bin.
    """

    names: tuple[str, ...]
    inspection: Inspection
    origins: dict[str, Any]
    summary: Summary
    resolution: hist.Hist[Any]
    matrix: ResponseMatrix
    inside: dict[str, InBinVariation]


def collect(
    inputs: Paths,
    recipe: Recipe,
    *,
    true: Any,
    reco: Any,
    signal: str | Selection | None = None,
    background: Mapping[str, str | BackgroundCondition] | None = None,
    chunk: int = 20_000,
    entries: Entries = None,
    where: str | Selection | None = None,
    progress: Progress | None = None,
    damage: Damage | None = None,
) -> Sample:
    """Read files once, piece by piece, and collect what a report shows of them.

    Parameters
    ----------
    inputs : str, Path or a sequence of them
    recipe : Recipe
        How they are smeared, and what is selected for the matrix.
    true, reco : axes
        See `forefold.ResponseMatrix.from_events`.
    signal, background
        See `forefold.ResponseMatrix.from_events`.
    chunk, entries, where, progress, damage
        See `forefold.iterate`.

    Returns
    -------
    Sample

    Raises
    ------
    ValueError, OSError
        See `forefold.iterate` and `forefold.smear`; or if no event is left.
    """
    names = expand(inputs)
    first = choose(names[0])
    header = first.describe(names[0])
    cut = None if where is None else selection_of(where)
    counts, summary = Counts(), Summary(recipe.card)
    resolutions: list[hist.Hist[Any]] = []

    def pieces() -> Iterator[tuple[ak.Array, ak.Array]]:
        settings = {"chunk": chunk, "entries": entries, "damage": damage}
        for read in read_for(names, recipe.card, progress=progress, **settings):
            events = read if cut is None else cut.apply(read)
            if not len(events):
                continue
            smeared = recipe.smear(events)
            counts.add(events)
            summary.add(smeared)
            resolution = resolution_matrix(smeared, recipe.card)
            resolutions[:] = [resolutions[0] + resolution] if resolutions else [resolution]
            yield events, smeared
        if not counts.events and cut is not None and cut.events:
            message = f"{', '.join(names)}: the selection {cut.text!r} keeps none of {cut.events:,} events"
            raise ValueError(message)
        if not counts.events:
            raise nothing_left(", ".join(names), damage)

    axes, others = side_axes(true, "true"), side_axes(reco, "reco")
    halves = tuple(_halved(axis) for axis in axes)
    cells = np.prod([float(len(axis)) for axis in (*halves, *others)])
    finer = cells <= _MOST
    filled = ResponseMatrix.from_events(
        pieces(),
        true=list(halves if finer else axes),
        reco=list(others),
        signal=signal,
        select=recipe.select,
        background=background,
        rng=recipe.rng,
    )
    inside, matrix = {}, filled
    if finer:
        for axis in axes:
            rest = {other.name: 2 for other in axes if other.name != axis.name}
            inside[axis.name] = in_bin_variation(filled.rebin(**rest), axis.name)
        matrix = filled.rebin(**{axis.name: 2 for axis in axes})
    return Sample(
        tuple(names),
        counts.result(", ".join(names), header),
        origins(names, entries, lenient=damage is not None),
        summary,
        resolutions[0],
        matrix,
        inside,
    )


def _halved(axis: Any) -> Any:
    """Make an axis whose bins are halves, in the logarithm where its bins are even there."""
    edges = np.asarray(axis.edges, dtype=np.float64)
    if type(axis) is hist.axis.Regular:
        return renamed(hist.axis.Regular(2 * len(axis), edges[0], edges[-1]), axis.name, axis.label)
    middle = 0.5 * (edges[1:] + edges[:-1])
    if edges[0] > 0.0 and np.allclose(np.diff(np.log(edges)), np.log(edges[1] / edges[0])):
        middle = np.sqrt(edges[1:] * edges[:-1])
    both = np.empty(2 * edges.size - 1)
    both[::2], both[1::2] = edges, middle
    return renamed(hist.axis.Variable(both), axis.name, axis.label)
