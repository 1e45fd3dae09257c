"""Contents of a response matrix: sums of weights, which can be added, and checks of histograms."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import hist
import numpy as np

from forefold.matrix.axes import matching

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Histogram = hist.Hist[Any]

__all__ = [
    "ERRORS",
    "NOTED",
    "SIGNED",
    "SPECTRUM",
    "UNKNOWN",
    "Contents",
    "Oversampled",
    "Replicas",
    "are_counts",
    "as_matrix",
    "check_same_meaning",
    "empty",
    "flow_content",
    "refuse_means",
    "refuse_no_counts",
    "shape_of",
    "shares",
    "warn_of_nothing",
]

SPECTRUM, UNKNOWN = (
    "spectrum",
    "unknown",
)  # of a provenance: what is true, and that nothing is known of it


ERRORS = "forefold_errors"  # of a histogram: UNKNOWN, where it has none and is of no counts
SIGNED = "signed"  # of a provenance: rows are no probabilities, as those of an additional smearing matrix
NOTED = "noted"  # of a provenance: what was done to the numbers of a file, a line each


_LEAST_COUNT = 1e-6  # sum of data that are taken for counts


class Oversampled(NamedTuple):
    """Second moments for events with several draws; an event of weight w has the fraction f_j of its draws in bin j.

    Attributes
    ----------
    draws : int
        Number of draws of each event.
    pairs : ndarray, shape (n_true, n_reco, n_reco)
        Sums of w² f_j f_k.
    linear : ndarray, shape (n_true, n_reco)
        Sums of w² f_j.
    """

    draws: int
    pairs: Array
    linear: Array


class Replicas(NamedTuple):
    """Bootstrap replicas of a matrix: the same events, each with a Poisson weight of mean 1.

    Attributes
    ----------
    rng : int
        Key of the random numbers of the weights.
    counts : ndarray, shape (replicas, n_true, n_reco)
        Sums of weights of reconstructed events.
    truth : ndarray, shape (replicas, n_true)
        Sums of weights of all true events.
    """

    rng: int
    counts: Array
    truth: Array


@dataclass(frozen=True)
class Contents:
    """Sums of weights and of their squares.

    Attributes
    ----------
    counts : hist.Hist
        Over true and reconstructed axes: what is true and reconstructed, flow bins too.
    truth : hist.Hist
        Over true axes: all that is true.
    alone : hist.Hist
        Over reconstructed axes: what is reconstructed, has no truth at all and belongs to no background.
    backgrounds : dict of str to hist.Hist
        Over reconstructed axes: what is reconstructed without truth, by the name of what it is.
    oversampled : Oversampled or None
    replicas : Replicas or None
    exact : bool
        Whether these are probabilities rather than counts of a sample.
    independent : bool
        Whether the variances of `counts` are given errors of independent elements rather than sums of squared weights.
    provenance : dict
    """

    counts: Histogram
    truth: Histogram
    alone: Histogram
    oversampled: Oversampled | None = None
    replicas: Replicas | None = None
    exact: bool = False
    independent: bool = False
    provenance: dict[str, Any] = field(default_factory=dict)
    backgrounds: dict[str, Histogram] = field(default_factory=dict)

    @property
    def true_axes(self) -> tuple[Any, ...]:
        """Axes of what is true."""
        return tuple(self.truth.axes)

    @property
    def reco_axes(self) -> tuple[Any, ...]:
        """Axes of what is reconstructed."""
        return tuple(self.alone.axes)

    def __add__(self, other: Contents) -> Contents:
        matching(self.true_axes, other.true_axes, "the other matrix")
        matching(self.reco_axes, other.reco_axes, "the other matrix")
        if self.exact or other.exact:
            message = (
                "an exact matrix and another do not add: its rows are probabilities, no counts"
            )
            raise ValueError(message)
        if self.independent or other.independent:
            message = "a matrix with given errors and another do not add: its rows are probabilities, no counts"
            raise ValueError(message)
        check_same_meaning(self.provenance, other.provenance)
        one, two = (", ".join(contents.backgrounds) or "none" for contents in (self, other))
        if one != two:
            message = f"matrices with other backgrounds do not add: {one} and {two}"
            raise ValueError(message)
        notes = self.provenance.items()
        return Contents(
            self.counts + other.counts,
            self.truth + other.truth,
            self.alone + other.alone,
            _added_draws(self.oversampled, other.oversampled),
            _added_replicas(self.replicas, other.replicas),
            provenance={k: v for k, v in notes if other.provenance.get(k) == v},
            backgrounds={
                n: background + other.backgrounds[n] for n, background in self.backgrounds.items()
            },
        )


# of a provenance: what rows depend on
_MEANING = {
    "card_sha256": "detectors",
    "axis": "polar axes",
    "signal": "signals",
    "select": "selections",
    "of": "particles",
}
_CARRIED = ("card_sha256", "axis")  # by smeared events, which may have lost it


def check_same_meaning(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """Refuse to add matrices whose events were smeared or selected differently.

    Parameters
    ----------
    one, other : mapping
        Provenances of both. Matrices that were not filled with events are not compared.

    Raises
    ------
    ValueError
        If they differ.
    """
    if not one.get("made") == other.get("made") == "events":
        return
    named = {key for key in (*one, *other) if key.startswith("background_")}
    for key, what in {**_MEANING, **dict.fromkeys(sorted(named), "backgrounds")}.items():
        first, second = one.get(key), other.get(key)
        if first == second or (key in _CARRIED and None in (first, second)):
            continue
        if key == "card_sha256":
            first, second = (
                f"{provenance.get('card')} ({str(provenance.get(key))[:8]})"
                for provenance in (one, other)
            )
        message = (
            f"events of different {what} do not add to one matrix, whose rows would mean neither: {first or 'none'} and {second or 'none'}; "
            "fold with each, and add the predictions"
        )
        raise ValueError(message)


def warn_of_nothing(held: Contents) -> None:
    """Warn if no event passes the selection, or a background has no events.

    Warns
    -----
    UserWarning
        The message names the condition that no event passes.
    """
    about = held.provenance

    def filled(histogram: Histogram) -> bool:
        return bool(np.any(histogram.variances(flow=True)))

    parts = [held.counts, held.alone, *held.backgrounds.values()]
    if "select" in about and not any(filled(part) for part in parts):
        message = f"no event is selected: select {about['select']!r} is true of none that has a reconstructed value on the axes"
        warnings.warn(message, UserWarning, stacklevel=3)
        return
    for i, (name, background) in enumerate(held.backgrounds.items()):
        if not filled(background):
            why = ""
            if "signal" not in about:
                why = ": without signal, every event with a truth on the axes is signal"
            elif i:
                before = ", ".join(map(repr, list(held.backgrounds)[:i]))
                why = (
                    f": an event goes to the first background that holds, and {before} come before"
                )
            message = f"background {name!r} takes no event{why}"
            warnings.warn(message, UserWarning, stacklevel=3)


def _added_draws(a: Oversampled | None, b: Oversampled | None) -> Oversampled | None:
    if a is None and b is None:
        return None
    if a is None or b is None or a.draws != b.draws:
        n, m = (1 if oversampled is None else oversampled.draws for oversampled in (a, b))
        message = f"matrices of {n} and of {m} draws an event do not add; fill both with as many"
        raise ValueError(message)
    return Oversampled(a.draws, a.pairs + b.pairs, a.linear + b.linear)


def _added_replicas(a: Replicas | None, b: Replicas | None) -> Replicas | None:
    if a is None and b is None:
        return None
    if a is None or b is None or len(a.truth) != len(b.truth) or a.rng != b.rng:
        n, m = (0 if replicas is None else len(replicas.truth) for replicas in (a, b))
        message = (
            f"matrices with {n} and with {m} bootstrap replicas, or of other random numbers, do not "
            "add; fill both with the same replicas and rng"
        )
        raise ValueError(message)
    return Replicas(a.rng, a.counts + b.counts, a.truth + b.truth)


def empty(axes: tuple[Any, ...], name: str) -> Histogram:
    """Make an empty weighted histogram."""
    return hist.Hist(*axes, storage=hist.storage.Weight(), name=name, label="sum of weights")


def shape_of(axes: tuple[Any, ...], *, flow: bool = False) -> tuple[int, ...]:
    """Give the number of bins of each axis, with flow bins if asked for."""
    return tuple(len(axis) + 2 * flow for axis in axes)


def as_matrix(values: Any, true_axes: tuple[Any, ...], reco_axes: tuple[Any, ...]) -> Array:
    """Flatten an array over all axes to (n_true, n_reco), without flow."""
    n, m = (math.prod(shape_of(axes)) for axes in (true_axes, reco_axes))
    return np.asarray(values, dtype=np.float64).reshape(n, m)


def flow_content(histogram: Any) -> float:
    """Sum the flow bins of a histogram; 0 for arrays, and for histograms without flow bins."""
    try:
        whole = float(np.sum(np.asarray(histogram.values(flow=True), dtype=np.float64)))
    except (AttributeError, TypeError):  # numbers; and UHI does not ask for the keyword
        return 0.0
    flow = whole - float(np.sum(histogram.values()))
    return flow if abs(flow) > 1e-12 * abs(whole) else 0.0


def are_counts(values: Any) -> bool:
    """Tell whether numbers without errors can be observed or expected counts: their sum is 0 or large enough.

    Examples
    --------
    >>> are_counts([3.0, 0.0]), are_counts([0.2, 0.1]), are_counts([5.3e-39, 7.2e-39])
    (True, True, False)
    """
    total = float(np.sum(np.abs(np.asarray(values, dtype=np.float64))))
    return total == 0.0 or total > _LEAST_COUNT


def refuse_means(histogram: Any, what: str) -> None:
    """Refuse a profile histogram, whose values are means and not contents.

    Parameters
    ----------
    histogram : UHI histogram, or anything else
    what : str
        For the message.

    Raises
    ------
    ValueError
        If the kind of the histogram is not COUNT.
    """
    kind = getattr(histogram, "kind", "COUNT")
    kind = getattr(kind, "name", kind)
    if isinstance(kind, str) and kind.upper() != "COUNT":
        message = f"{what}: a histogram of kind {kind}, whose values are means and no contents; one of sums of weights is needed"
        raise ValueError(message)


def refuse_no_counts(histogram: Any, values: Array, what: str) -> None:
    """Refuse data without errors if they cannot be counts, since Poisson errors would be wrong.

    Parameters
    ----------
    histogram : UHI histogram, or anything else
    values : ndarray
        Contents of the histogram.
    what : str
        For the message.

    Raises
    ------
    ValueError
        If it was read from a file in other units than counts, or its sum is too small for counts.
    """
    if getattr(histogram, ERRORS, None) == UNKNOWN or not are_counts(values):
        message = f"{what} without errors, and of no counts (they sum to {float(np.sum(values)):.4g}): their errors are not those of Poisson; give them with covariance=, or say that they are: 'poisson' (--poisson)"
        raise ValueError(message)


def shares(part: Array, whole: Array) -> Array:
    """Divide a part by the whole, NaN where the whole is 0.

    Parameters
    ----------
    part, whole : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (n,)
    """
    none = np.full(part.size, np.nan)
    return np.asarray(np.divide(part, whole, out=none, where=whole != 0.0))
