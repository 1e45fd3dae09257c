"""Derivatives of what is observed with respect to the named parameters of a card."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from forefold.detector.load import Card, load_card
from forefold.events.particles import near
from forefold.smearing.particles import checked_on_invalid
from forefold.smearing.reweighting.likelihood import (
    ObservedSample,
    card_of_sample,
    likelihoods,
    observed_sample,
)
from forefold.smearing.reweighting.weights import log_ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from forefold.detector import Parameter
    from forefold.smearing.engine import OnInvalid
    from forefold.smearing.reweighting.likelihood import Likelihoods
    from forefold.smearing.reweighting.weights import Level

    Array = NDArray[np.float64]

__all__ = ["scores"]

_OF_UNCERTAINTY, _OF_VALUE, _SMALL = 1e-2, 1e-3, 1e-4
_APART, _NOISE = 1e-3, 1e-9  # of a derivative; of a logarithm
_CENTRAL = {-2: 1, -1: -8, 1: 8, 2: -1}
_ONE_SIDED = {0: -25, 1: 48, 2: -36, 3: 16, 4: -3}


def scores(
    events: ak.Array,
    smeared: ak.Array,
    card: Card | str | Path | None = None,
    *,
    parameters: Sequence[str] | None = None,
    level: Level = "event",
    on_invalid: OnInvalid = "stop",
) -> dict[str, Any]:
    """Give the derivative of log p(observed | true) with respect to each parameter of a card.

    A histogram that is filled with an event's weight times its score is the derivative of the histogram's expectation with respect
    to the parameter: gradients of spectra, from one sample, without another draw.

    Parameters
    ----------
    events : ak.Array
        True events, as they were given to `forefold.smear`.
    smeared : ak.Array
        The smeared events that `forefold.smear` returned for them.
    card : Card, str or Path, optional
        The detector of the draws, with ``[parameters]``; the sample's own if not given.
    parameters : sequence of str, optional
        All, if not given.
    level : {"event", "particle"}
        The score of an event is the sum over its particles.
    on_invalid : {"stop", "lose"}
        What becomes of a particle for which a formula of the card has no value, as in `forefold.smear`.

    Returns
    -------
    dict of str to ndarray of shape (events,), or to ak.Array of events and particles
        In the inverse unit of the parameter.

    Raises
    ------
    ValueError
        The card has no such parameter, or what is observed has no derivative: an exact energy that the parameter moves.

    Warns
    -----
    UserWarning
        The derivatives from both sides are not the same: a formula has a kink at the parameter's value, such as that of
        ``min(1, a * p)``. The score is then about the mean of both.

    Notes
    -----
    Central differences of the exact log-density in four points, of which the error is of fourth order in the step: 1 % of the
    parameter's uncertainty, or 0.1 % of its value (1e-4 if both are zero). Relative errors are of the order of 1e-8. At a limit of
    the parameter the differences are to the inner side, in five points and of the same order. Where the derivatives from below and from above
    differ, a warning says so, and what is given is between them. Jumps do not count: where a parameter moves a threshold on true quantities or the bound of
    a rule, the particles that cross it are left out.

    References
    ----------
    J. Brehmer, G. Louppe, J. Pavez, K. Cranmer, PNAS 117 (2020) 5242, arXiv:1805.12244, section on the joint score.

    Examples
    --------
    >>> import forefold
    >>> events = forefold.read(forefold.sample())
    >>> smeared = forefold.smear(events, "nusmear-default", rng=1)
    >>> forefold.scores(events, smeared)
    {}
    """
    loaded = card_of_sample(smeared) if card is None else load_card(card)
    names = list(loaded.parameters) if parameters is None else list(parameters)
    for name in names:
        if name not in loaded.parameters:
            message = f"card {loaded.name} has no parameter {name!r}{near(name, loaded.parameters)}"
            raise ValueError(message)
    if level not in {"event", "particle"}:
        message = f"level: 'event' or 'particle', found {level!r}"
        raise ValueError(message)
    on_invalid = checked_on_invalid(on_invalid)
    sample = observed_sample(events, smeared, loaded)
    middle = likelihoods(sample, loaded, on_invalid) if names else None
    by_parameter = {}
    for name in names:
        assert middle is not None
        score = _score(sample, middle, loaded, name, on_invalid)
        if level == "particle":
            by_parameter[name] = ak.unflatten(score, sample.counts)
        else:
            by_parameter[name] = np.bincount(sample.event, score, sample.counts.size)
    return by_parameter


def _stencil(parameter: Parameter) -> tuple[float, dict[int, int]]:
    """Step, and twelve times the weights of the points: to both sides, or to the inner one at a limit."""
    step = _OF_UNCERTAINTY * parameter.uncertainty or _OF_VALUE * abs(parameter.value) or _SMALL
    if parameter.limits is None:
        return step, _CENTRAL
    below, above = parameter.value - parameter.limits[0], parameter.limits[1] - parameter.value
    if min(below, above) >= 2.0 * step:
        return step, _CENTRAL
    sign = 1 if above >= below else -1
    step = min(step, max(below, above) / 4.0)
    return step, {sign * steps: sign * weight for steps, weight in _ONE_SIDED.items()}


def _score(
    sample: ObservedSample, middle: Likelihoods, card: Card, name: str, on_invalid: OnInvalid
) -> Array:
    parameter = card.parameters[name]
    step, stencil = _stencil(parameter)

    def moved(steps: int) -> Array:
        there = parameter.unchecked(value=parameter.value + steps * step)
        other = card.unchecked(parameters={**card.parameters, name: there})
        try:
            return log_ratio(sample, middle, likelihoods(sample, other, on_invalid), card, other)
        except ValueError as error:
            reason = str(error).split("; or let such")[0].removeprefix(f"card {card.name}: ")
            message = (
                f"card {card.name}: no derivative with respect to {name!r} at {parameter.value:g}: at {there.value:.6g} {reason}; "
                f"limits of parameters.{name} keep the step inside"
            )
            raise ValueError(message) from None

    ends = {steps: moved(steps) for steps in stencil}
    gone = ~np.all(np.isfinite(list(ends.values())), axis=0)
    if gone.any():
        i = int(np.argmax(gone))
        rule = card.rules[middle.rule[i]].name if middle.rule[i] >= 0 else "none"
        message = (
            f"card {card.name}: no derivative with respect to {name!r}: the parameter makes impossible what was observed of a "
            f"particle of rule {rule!r} (event {int(sample.event[i])}): an exact energy or an edge that it moves"
        )
        raise ValueError(message)
    if stencil is _CENTRAL:
        _tell_of_kinks(ends, step, f"card {card.name}: parameter {name} = {parameter.value:g}")
    total = sum((weight * ends[steps] for steps, weight in stencil.items()), np.zeros(()))
    return np.asarray(total / (12.0 * step))


def _tell_of_kinks(ends: Mapping[int, Array], step: float, where: str) -> None:
    """Warn where the derivatives from below and from above are not the same."""
    below = (ends[-2] - 4.0 * ends[-1]) / (2.0 * step)
    above = (4.0 * ends[1] - ends[2]) / (2.0 * step)
    apart = np.abs(above - below)
    apart[apart * step < _NOISE] = 0.0
    whole = float(np.maximum(np.abs(above), np.abs(below)).sum())
    if not apart.sum() > _APART * whole:
        return
    at = apart > _APART * np.maximum(np.abs(above), np.abs(below))
    message = (
        f"{where}: the derivative of log p is not the same from both sides for {int(at.sum())} of {at.size} particles "
        f"(sums {below[at].sum():.4g} from below, {above[at].sum():.4g} from above): a kink of a formula, or an edge; the score "
        "is about the mean of both"
    )
    warnings.warn(message, stacklevel=4)
