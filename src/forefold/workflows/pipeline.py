"""The full chain: events, card, matrix, folded, unfolded, and whether all that holds."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import hist
import numpy as np

from forefold.io.provenance import origins
from forefold.matrix import fold
from forefold.matrix.axes import matching, side_axes
from forefold.matrix.compare import compatibility
from forefold.unfolding import closure, unfold
from forefold.unfolding.methods import settings as check_method
from forefold.workflows.citations import Used, use
from forefold.workflows.sample import Sample, collect

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from forefold.io.registry import Paths, Progress
    from forefold.matrix import Prediction, ResponseMatrix
    from forefold.matrix.compare import Compatibility
    from forefold.unfolding import Closure, Unfolded
    from forefold.unfolding.solution import Scan
    from forefold.workflows.job import Recipe

__all__ = ["Chain", "How", "run_chain"]

_TOY = 0x64617461  # apart from the draws of the detector and the toys of the closure
_PRIORS = ("bayes", "tikhonov")  # methods that begin somewhere
_RULES = {"bayes": ("iterations", "chi2-change"), "tikhonov": ("strength", "l-curve")}


class Watch(Protocol):
    """Shows how far something is."""

    def __call__(self, text: str, *, of: str) -> AbstractContextManager[Progress | None]:
        """Begin to show something; gives the function to call, or None."""
        ...


@dataclass(frozen=True)
class How:
    """How to unfold.

    Attributes
    ----------
    method : str
    iterations, strength : number, str or None
        See `forefold.unfold`.
    order : int
    toys : int
        Of the closure; none if 0.
    """

    method: str = "bayes"
    iterations: int | str | None = "chi2-change"
    strength: float | str | None = None
    order: int = 2
    toys: int = 200

    def check(self) -> None:
        """Refuse what a method cannot be told, before anything is read.

        Raises
        ------
        ValueError
            As `forefold.unfold`.
        """
        check_method(**self.options())

    def options(self) -> dict[str, Any]:
        """Give the arguments of `forefold.unfold`."""
        names = ("method", "iterations", "strength", "order")
        return {name: getattr(self, name) for name in names}


@dataclass
class Chain:
    """What a report of the full chain shows.

    Attributes
    ----------
    recipe : Recipe
    sample : Sample
    how : How
    kind : {"toy", "spectrum", "events"}
        What the data are: Poisson counts of the folded sample, a histogram that was given, or events of another generator.
    data : hist.Hist
        What is unfolded.
    scale : float
        Data over what the sample predicts; of a toy, effective events over weights.
    prediction : Prediction
        Of the sample's truth.
    other : Sample or None
        Of the other generator.
    compatible : Compatibility or None
        Its matrix against that of the sample.
    unfolded : Unfolded or None
    scan : Scan or None
        What the rule of the method looks at, where a number was given.
    closure : Closure or None
    failures : dict of str to str
        What could not be done, and why.
    skipped : int
        Events that could not be read.
    used : Used
        For the citations.
    """

    recipe: Recipe
    sample: Sample
    how: How
    kind: str
    data: hist.Hist[Any]
    scale: float
    prediction: Prediction
    other: Sample | None = None
    compatible: Compatibility | None = None
    unfolded: Unfolded | None = None
    scan: Scan | None = None
    closure: Closure | None = None
    failures: dict[str, str] = field(default_factory=dict)
    skipped: int = 0
    used: Used = field(default_factory=Used)


def run_chain(
    inputs: Paths,
    recipe: Recipe,
    *,
    true: Any,
    reco: Any,
    data: hist.Hist[Any] | None = None,
    other: Paths | None = None,
    how: How | None = None,
    watch: Watch | None = None,
    **reading: Any,
) -> Chain:
    """Read events, fill their matrix, fold, unfold, and look whether it closes.

    Parameters
    ----------
    inputs : str, Path or a sequence of them
        Events of a generator.
    recipe : Recipe
    true, reco : axes
        See `forefold.ResponseMatrix.from_events`.
    data : hist.Hist, optional
        What was seen, over the reconstructed axes.
    other : str, Path or a sequence of them, optional
        Events of another generator: their matrix is compared, and what is reconstructed of them is unfolded. Not beside `data`.
    how : How, optional
    watch : callable, optional
        Shows how far what takes long is: of what is done and ``of=`` what is counted, gives a context with the function to call, or with None.
    **reading
        Those of `forefold.workflows.sample.collect`: ``signal``, ``background``, ``chunk``, ``entries`` (not of `other`), ``where``, ``damage``.

    Returns
    -------
    Chain
        What cannot be unfolded is said in `failures`; the rest is there.

    Raises
    ------
    ValueError
        If the method was told too little or too much, data are over other axes, or events cannot be read or smeared.
    OSError
        If a file cannot be read.
    """
    how = how or How()
    how.check()
    if data is not None and other is not None:
        message = "data and other: give one of them"
        raise ValueError(message)
    true, reco = side_axes(true, "true"), side_axes(reco, "reco")
    if data is not None:
        matching(reco, list(data.axes), "the data")
    watch = watch or _nobody
    with watch("reading", of="events") as progress:
        sample = collect(inputs, recipe, true=true, reco=reco, progress=progress, **reading)
    second = None
    if other is not None:
        _different(sample, other)
        reading["entries"] = None
        with watch("reading the others", of="events") as progress:
            second = collect(other, recipe, true=true, reco=reco, progress=progress, **reading)
    chain = _folded(recipe, sample, how, data, second)
    damage = reading.get("damage")
    chain.skipped = 0 if damage is None else damage.events
    _unfold(chain, watch)
    _cite(chain)
    return chain


def _nobody(text: str, *, of: str) -> AbstractContextManager[Progress | None]:  # noqa: ARG001
    """Show nothing."""
    return nullcontext()


def _different(sample: Sample, other: Paths) -> None:
    """Refuse the same events twice: their draws are the same, too."""
    streams = {origin["stream"] for origin in sample.origins["inputs"]}
    for origin in origins(other)["inputs"]:
        if origin["stream"] in streams:
            message = f"{origin['path']}: the same events as those of the sample; give those of another generator"
            raise ValueError(message)


def _folded(
    recipe: Recipe, sample: Sample, how: How, data: hist.Hist[Any] | None, other: Sample | None
) -> Chain:
    matrix = sample.matrix
    kind = "spectrum" if data is not None else "toy" if other is None else "events"
    prediction = fold(matrix.truth, matrix, fakes=True)
    if data is None:
        data = _toy(prediction, matrix, recipe.rng) if other is None else other.matrix.reco
    scale = _events_per_weight(matrix)
    if kind != "toy":
        total = prediction.values.sum()
        scale = float(np.sum(data.values()) / total) if total > 0.0 else 1.0
    chain = Chain(recipe, sample, how, kind, data, scale, prediction, other)
    if other is not None:
        chain.compatible = compatibility(matrix, other.matrix)
    return chain


def _events_per_weight(matrix: ResponseMatrix) -> float:
    """Give the factor from weights to effective events; 1 where weights are 1."""
    total, square = (
        float(np.sum(np.asarray(contents)))
        for contents in (matrix.truth.values(), matrix.truth.variances())
    )
    return total / square if total > 0.0 and square > 0.0 else 1.0


def _toy(prediction: Prediction, matrix: ResponseMatrix, rng: int) -> hist.Hist[Any]:
    """Throw Poisson counts of what is folded, as many as the events of the sample stand for."""
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence([rng, _TOY])))
    toy: hist.Hist[Any] = hist.Hist(*prediction.histogram.axes)
    expected = np.maximum(
        _events_per_weight(matrix) * np.asarray(prediction.histogram.values()), 0.0
    )
    toy.view()[...] = generator.poisson(expected)
    return toy


def _unfold(chain: Chain, watch: Watch) -> None:
    """Unfold the data; what cannot be done is kept in words."""
    how, matrix = chain.how, chain.sample.matrix
    rng = chain.recipe.rng
    try:
        unfolded = unfold(chain.data, matrix, **how.options(), blind="drop", rng=rng)
    except ValueError as error:
        chain.failures["unfolding"] = str(error)
        return
    chain.unfolded, chain.scan = unfolded, unfolded.scan
    option, rule = _RULES.get(how.method, ("", ""))
    fixed: dict[str, Any] = how.options()
    if option:
        fixed[option] = int(unfolded.strength) if option == "iterations" else unfolded.strength
    if option and unfolded.scan is None:
        try:
            looked = {**how.options(), option: rule}
            chain.scan = unfold(chain.data, matrix, **looked, blind="drop", rng=rng).scan
        except ValueError as error:
            chain.failures[rule] = str(error)
    if how.toys:
        with watch("closure", of="toys") as progress:
            _close(chain, fixed, progress)


def _close(chain: Chain, fixed: dict[str, Any], progress: Progress | None) -> None:
    """Throw toys of the truth, as many events as the data have; begin at the sample's truth, and flat."""
    matrix = chain.sample.matrix
    source = matrix if chain.other is None else chain.other.matrix
    scale = chain.scale if chain.other is None else 1.0
    truth = scale * np.asarray(source.truth.values(), dtype=np.float64).reshape(-1)
    other = scale * np.asarray(source.not_signal.values(), dtype=np.float64).reshape(-1)
    detectable = matrix.efficiency > 0.0
    rows: Any = matrix if detectable.all() else matrix.matrix[detectable]
    prior = np.asarray(matrix.truth.values(), dtype=np.float64).reshape(-1)[detectable]
    prior = prior * (truth[detectable].sum() / prior.sum())
    methods = {chain.how.method: {**fixed, "prior": prior}}
    if chain.how.method in _PRIORS:
        methods[f"{chain.how.method}, flat prior"] = {**fixed, "prior": "flat"}
    try:
        chain.closure = closure(
            truth[detectable],
            rows,
            methods,
            toys=chain.how.toys,
            background=other if other.any() else None,
            fakes="ignore",
            rng=chain.recipe.rng,
            progress=progress,
        )
    except ValueError as error:
        chain.failures["closure"] = str(error)


def _cite(chain: Chain) -> None:
    used = chain.used
    for sample in (chain.sample, chain.other):
        if sample is not None:
            for name in sample.names:
                use(used, name)
    used.card(chain.recipe.card)
    if chain.unfolded is not None:
        rules = [
            rule for rule in (chain.how.iterations, chain.how.strength) if isinstance(rule, str)
        ]
        used.unfolding(chain.how.method, rules[0] if rules else None)
