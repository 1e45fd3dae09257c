"""The exact likelihood ratio of two cards, for events that were smeared by one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import awkward as ak
import numpy as np

from forefold.detector.load import Card, load_card
from forefold.events import particles as species
from forefold.smearing.particles import checked_on_invalid
from forefold.smearing.reweighting.likelihood import (
    Likelihoods,
    ObservedSample,
    card_of_sample,
    likelihoods,
    observed_sample,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from forefold.smearing.closed_form import ParticleResponse
    from forefold.smearing.engine import OnInvalid

    Array = NDArray[np.float64]

__all__ = ["Weights", "reweight"]

Level = Literal["event", "particle"]

_ALLOWED = 1e-3


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights that turn a sample smeared by card a into one of card b.

    Attributes
    ----------
    weights : ndarray, shape (events,), or ak.Array of events and particles
        p_b(observed | true) / p_a(observed | true). Multiply by the events' own weights.
    uncovered : ndarray, shape (n,)
        Probability, for each particle of the sample, that card b gives a result that card a never gives; no weight can make
        up for it.
    card_a, card_b : str
        Names.
    """

    weights: Any
    uncovered: Array
    card_a: str
    card_b: str

    @property
    def all_weights(self) -> Array:
        """Weights of all events, or of all particles, as one array."""
        if isinstance(self.weights, ak.Array):
            return np.asarray(ak.to_numpy(ak.flatten(self.weights, axis=1)), dtype=np.float64)
        return np.asarray(self.weights)

    @property
    def effective_sample_size(self) -> float:
        """Number of unweighted events with the same statistical power: (sum w)^2 / sum w^2."""
        w = self.all_weights
        return float(w.sum() ** 2 / max(np.square(w).sum(), 1e-300))

    def __str__(self) -> str:
        w = self.all_weights
        what = "particles" if isinstance(self.weights, ak.Array) else "events"
        mean, error = float(w.mean()), float(w.std() / np.sqrt(max(w.size, 1)))
        return (
            f"Weights from card {self.card_a} to card {self.card_b}\n"
            f"  {w.size} {what}, effective sample size {self.effective_sample_size:.0f} "
            f"({self.effective_sample_size / max(w.size, 1):.1%})\n"
            f"  mean {mean:.4f} +- {error:.4f}, largest {float(w.max(initial=0.0)):.4g}\n"
            f"  uncovered {float(self.uncovered.mean()):.3g} of a particle's probability"
        )


def reweight(
    events: ak.Array,
    smeared: ak.Array,
    card_b: Card | str | Path,
    *,
    card_a: Card | str | Path | None = None,
    level: Level = "event",
    uncovered: Literal["stop", "count"] = "stop",
    on_invalid: OnInvalid = "stop",
) -> Weights:
    """Reweight a smeared sample to another detector, without smearing again.

    The weight of an event is the product over its particles of the exact likelihood ratio p_b(observed | true) / p_a(observed | true).
    Of a detected particle it is the ratio of probability to be identified as what it was taken for, times efficiency, density
    of the energy and density of the direction; of a lost one, that of the probability to be lost, in any way.

    Parameters
    ----------
    events : ak.Array
        True events, as they were given to `forefold.smear`.
    smeared : ak.Array
        The smeared events that `forefold.smear` returned for them.
    card_b : Card, str or Path
        The detector that is wanted.
    card_a : Card, str or Path, optional
        The detector of the draws; the sample's own if not given.
    level : {"event", "particle"}
        Particles' own weights serve spectra of single particles, with a far larger effective sample size: an event's weight is a
        product over some six of them.
    uncovered : {"stop", "count"}
        What to do where card b often gives what card a never gives, such as below a threshold that was lowered: refuse if it is
        more than 0.1 % for the particles of a rule, or only tell.
    on_invalid : {"stop", "lose"}
        What becomes of a particle for which a formula of a card has no value, as in `forefold.smear`.

    Returns
    -------
    Weights
        ``print`` tells the effective sample size.

    Raises
    ------
    ValueError
        The cards have other stages, or other ``[vertex]`` blocks, or leave out other particles; the rows are not the same events; a particle is not as card a
        could have given it; something is not covered.

    Notes
    -----
    A weighted histogram has the expectation of card b's, whatever it is a histogram of. Its errors are those of the weights: see
    the effective sample size. Energies are exact where a distribution is "none": such particles only get a weight if card b has
    the same exact energy.

    Examples
    --------
    >>> import forefold
    >>> events = forefold.read(forefold.sample())
    >>> smeared = forefold.smear(events, "nusmear-default", rng=1)
    >>> same = forefold.reweight(events, smeared, "nusmear-default")
    >>> float(same.weights.min().round(12)), float(same.weights.max().round(12))
    (1.0, 1.0)
    """
    if level not in {"event", "particle"}:
        message = f"level: 'event' or 'particle', found {level!r}"
        raise ValueError(message)
    if uncovered not in {"stop", "count"}:
        message = f"uncovered: 'stop' or 'count', found {uncovered!r}"
        raise ValueError(message)
    on_invalid = checked_on_invalid(on_invalid)
    first = card_of_sample(smeared) if card_a is None else load_card(card_a)
    second = load_card(card_b)
    if first.stages != second.stages:
        names = [[stage.kind for stage in card.stages] or "none" for card in (first, second)]
        message = (
            f"cards {first.name} and {second.name} have other stages ({names[0]}, {names[1]}, or other numbers in them): stages "
            "act on many particles at once, and have no likelihood ratio; smear again"
        )
        raise ValueError(message)
    if second.vertex is not None and first.vertex != second.vertex:
        message = (
            f"cards {first.name} and {second.name} have other [vertex] blocks: weights are of particles, not of positions and times; "
            "smear again"
        )
        raise ValueError(message)
    sample = observed_sample(events, smeared, first)
    a, b = (likelihoods(sample, card, on_invalid) for card in (first, second))
    logs = log_ratio(sample, a, b, first, second)
    missing = np.clip(_missing(sample, a, b), 0.0, 1.0)
    if uncovered == "stop":
        _check_covered(sample, b, missing, first, second)
    if level == "particle":
        weights: Any = ak.unflatten(np.exp(logs), sample.counts)
    else:
        # an event with a particle of weight zero has weight zero
        with np.errstate(invalid="ignore"):
            weights = np.exp(np.bincount(sample.event, logs, sample.counts.size))
    return Weights(weights, missing[sample.smeared], first.name, second.name)


def log_ratio(
    sample: ObservedSample, a: Likelihoods, b: Likelihoods, first: Card, second: Card
) -> Array:
    """Logarithm of each particle's likelihood ratio; 0 for those that are not smeared.

    Raises
    ------
    ValueError
        A particle is not as card a could have given it, or only one of the cards leaves it out.
    """
    other = (a.smeared != b.smeared) & (sample.settled == 0)
    if other.any():
        i = int(np.argmax(other))
        message = f"one of the cards {first.name} and {second.name} leaves {_name(sample, i)} out, the other does not"
        raise ValueError(message)
    exact = a.atom > 0.0
    before = np.where(exact, a.atom, a.density)
    after = np.where(exact, b.atom, b.density)
    after = np.where(a.dimension == b.dimension, after, 0.0)
    before = np.where(sample.detected, before, a.lost)
    after = np.where(sample.detected, after, b.lost)
    impossible = sample.smeared & ~(before > 0.0)
    if impossible.any():
        i = int(np.argmax(impossible))
        outcome = f"seen with {sample.energy[i]:.6g} GeV" if sample.detected[i] else "lost"
        rule = f", rule {first.rules[a.rule[i]].name!r}" if a.rule[i] >= 0 else ""
        message = (
            f"card {first.name}{rule}: {_name(sample, i)} of {sample.truth.energy[i]:.6g} GeV (event {int(sample.event[i])}) was "
            f"{outcome}, which this card cannot give: the sample was smeared by another card"
        )
        raise ValueError(message)
    with np.errstate(divide="ignore"):
        ratio = np.log(np.where(sample.smeared, after, 1.0))
        ratio = ratio - np.log(np.where(sample.smeared, before, 1.0))
    return np.asarray(ratio)


def _missing(sample: ObservedSample, a: Likelihoods, b: Likelihoods) -> Array:
    """Probability of what card b gives and card a does not, for each particle."""
    covered = np.where(a.lost > 0.0, b.lost, 0.0)
    for hypothesis in b.hypotheses:
        most = np.zeros(covered.size)
        for from_a in a.hypotheses:
            same = (from_a.pdgid == hypothesis.pdgid) & (
                from_a.probability * from_a.response.detection_probability > 0.0
            )
            same &= from_a.response.dimension == hypothesis.response.dimension
            share = covered_by(hypothesis.response, from_a.response)
            # what is on a meridian may go beyond a pole with one convention, and never with another
            one_side = (hypothesis.response.dimension == 1) & ~from_a.response.crosses
            share = share * np.where(one_side, 1.0 - hypothesis.response.crossing, 1.0)
            most = np.maximum(most, np.where(same, share, 0.0))
        covered = covered + hypothesis.probability * hypothesis.response.efficiency * most
    return np.where(sample.smeared, np.clip(1.0 - covered, 0.0, 1.0), 0.0)


def covered_by(response: ParticleResponse, other: ParticleResponse) -> Array:
    """Probability to be detected with an energy that the other response can give too, shape (n,)."""
    low, high = other.support()
    least = response.energy_least
    probability = np.zeros(response.size)
    for part in response.parts:
        rows = part.rows
        first, last = np.maximum(low, least)[rows], high[rows]
        smooth = np.where(first < last, part.between(first, np.maximum(first, last)), 0.0)
        where, points = part.point.copy(), np.full(response.size, np.nan)
        if part.clamp:
            # what is clamped is a point too, and no part of the density
            smooth = smooth - np.where(
                (first <= part.mass) & (part.mass < last), part.atom(part.mass), 0.0
            )
            where = np.where(part.exact, where, part.mass)
        points[rows] = where
        shared = (other.energy_atom(points)[rows] > 0.0) & (where >= least[rows])
        point = np.where(shared, part.atom(where), 0.0)
        probability[rows] += part.weight * np.where(part.exact, point, smooth + point)
    return probability


def _check_covered(
    sample: ObservedSample, b: Likelihoods, missing: Array, first: Card, second: Card
) -> None:
    """Refuse to go on where a rule's particles often are what the first card never gives."""
    for rule in np.unique(b.rule).tolist():
        rows = np.flatnonzero(sample.smeared & (b.rule == rule))
        if rows.size and missing[rows].mean() > _ALLOWED:
            i = int(rows[np.argmax(missing[rows])])
            name = f"rule {second.rules[rule].name!r}" if rule >= 0 else "a rule of its own"
            message = (
                f"card {second.name}, {name}: {missing[rows].mean():.2%} of what it gives, card {first.name} never gives (such as "
                f"{missing[i]:.2%} for {_name(sample, i)} of {sample.truth.energy[i]:.6g} GeV): a threshold, an exact energy or the "
                "way of smearing directions differs. No weight makes up for it: smear again, or say uncovered='count'"
            )
            raise ValueError(message)


def _name(sample: ObservedSample, i: int) -> str:
    return species.name(int(sample.pdgid[i]))
