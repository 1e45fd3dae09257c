"""What a reader should look at before using a result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from forefold.unfolding.bin_names import listed
from forefold.unfolding.methods import kept, solved
from forefold.unfolding.solution import UNSETTLED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from forefold.unfolding.measurement import Measurement
    from forefold.unfolding.methods import Settings
    from forefold.unfolding.result import Unfolded
    from forefold.unfolding.solution import Solution

    Array = NDArray[np.float64]

__all__ = ["WIDER", "prior_shift", "warnings_of"]

WIDER = ", wider true bins help"  # advice at the end of a warning

_SAME = 0.01  # of the mean: priors that differ less have one shape
_SHIFT = 1.0  # standard deviations
_P_VALUE = 0.01
_FREE = 0.002  # of the degrees of freedom: a result that lacks no more is not regularised
_LOUD = 3.0  # how much larger than of counts a standard deviation may be


def prior_shift(
    measurement: Measurement, how: Settings, solution: Solution, deviations: Array
) -> float:
    """Largest shift of a bin, in its standard deviations, when the prior is another.

    Parameters
    ----------
    measurement : Measurement
    how : Settings
    solution : Solution
    deviations : ndarray, shape (n_true,)

    Returns
    -------
    float
        NaN for a method without prior, or where no other prior can be made (one bin).
    """
    uses = how.method in ("bayes", "tikhonov", "wiener") or (
        how.method == "likelihood" and bool(how.strength)
    )
    if not uses:
        return np.nan
    defined = deviations > 0.0
    shifts = []
    for other in _others(measurement, how, solution):
        moved = (
            solved(replace(measurement, prior=other), kept(how, solution)).values - solution.values
        )
        shifts.append(float((abs(moved[defined]) / deviations[defined]).max(initial=0.0)))
    return max(shifts, default=np.nan)


def _others(measurement: Measurement, how: Settings, solution: Solution) -> list[Array]:
    """Give priors of other shapes: flat, or the result itself and a falling line; none of a single bin.

    What data do not fix stays as it is if a result is its own prior, so that the line is needed beside it.
    """
    n = measurement.n_true
    positive = np.maximum(solution.values, 0.0)
    own: Array = np.maximum(positive, 1e-3 * max(positive.mean(), 1e-300))
    flat, line = np.ones(n), np.linspace(1.5, 0.5, n)
    mean = measurement.prior.mean()
    shape = measurement.prior / mean
    away = {
        name: prior
        for name, prior in (("flat", flat), ("own", own), ("line", line))
        if (abs(prior / prior.mean() - shape) > _SAME).any()
    }
    # A flat signal has no curvature: a filter made for it lets nothing pass, which says nothing about the data.
    filtered = how.method == "wiener"
    if filtered:
        away.pop("flat", None)
    several = [prior if prior is own else prior * mean for prior in away.values()]
    return several[:1] if filtered or "flat" in away else several


def warnings_of(result: Unfolded) -> list[str]:
    """Say what is doubtful about a result.

    Parameters
    ----------
    result : Unfolded

    Returns
    -------
    list of str
    """
    return [
        *_contents(result),
        *_misfit(result),
        *_chosen(result),
        *_leaning(result),
        *_loud(result),
    ]


def _contents(result: Unfolded) -> Iterator[str]:
    negative = result.values < 0.0
    if negative.any():
        yield f"true {listed(negative, result.axes)} a negative content"
    unknown = np.isnan(result.errors)
    if unknown.any():
        yield f"true {listed(unknown, result.axes)} come to zero: the covariance says nothing there"


def _misfit(result: Unfolded) -> Iterator[str]:
    """Tell of data that are not described, and of what that can come from."""
    if not result.p_value < _P_VALUE:
        return
    text = f"refolded, the result does not describe the data (p = {result.p_value:.1g})"
    # chi2 has no errors of the matrix
    aside = ", whose statistics do not count here," if "matrix" in result.covariances else ""
    wrong = f"response{aside} or background are wrong"
    full = min(_bins(result), result.rank)
    if full - result.freedom > _FREE * full:
        yield f"{text}: regularised too much, or {wrong}"
    else:
        yield f"{text}, and it is hardly regularised: {wrong}"


def _chosen(result: Unfolded) -> Iterator[str]:
    """Tell of a rule that did not find what it looks for."""
    if UNSETTLED in result.chosen:
        kind = "iterations" if result.method == "bayes" else "strength"
        yield f"{kind} {result.strength:.4g}, {result.chosen}"


def _leaning(result: Unfolded) -> Iterator[str]:
    """Tell of what comes from the prior."""
    n, m = _bins(result), len(result.data)
    if result.prior_shift > _SHIFT:
        # weaker regularisation does not fix what the data do not
        way_out = "a systematic uncertainty is needed"
        if result.rank == n:
            way_out = "weaker regularisation, or a systematic uncertainty, is needed"
        yield f"another prior moves a bin by {result.prior_shift:.2g} standard deviations: {way_out}"
    if n > m:
        yield f"{n} true bins from {m} reconstructed ones: part of the result is the prior's"
    elif result.rank < n:
        yield f"the matrix has rank {result.rank} of {n}: part of the result is the prior's"


def _bins(result: Unfolded) -> int:
    """Count the true bins that were unfolded."""
    return len(result.values) - len(result.blind)


def _loud(result: Unfolded) -> list[str]:
    """Tell of noise that was amplified."""
    if result.method not in ("inversion", "likelihood"):
        return []
    deviations = np.sqrt(np.clip(np.diag(result.covariances["data"]), 0.0, None))
    size = np.sqrt(np.maximum(result.values, 1.0))
    ratio = (
        float(np.median(deviations[deviations > 0.0] / size[deviations > 0.0]))
        if deviations.any()
        else 0.0
    )
    if ratio <= _LOUD:
        return []
    text = (
        f"standard deviations are {ratio:.2g} times those of counts in the median (condition number "
        f"{result.condition:.2g}): neighbours are strongly anticorrelated{WIDER}"
    )
    return [text]
