"""What a reader should look at before using a result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from forefold.unfolding.methods import kept, solved
from forefold.unfolding.problem import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.unfolding.methods import Settings
    from forefold.unfolding.problem import Problem
    from forefold.unfolding.result import Unfolded
    from forefold.unfolding.solution import Solution

    Array = NDArray[np.float64]

__all__ = ["WIDER", "prior_shift", "warnings_of"]

WIDER = ", wider true bins help"  # advice at the end of a warning

_SAME = 0.01  # of the mean: priors that differ less have one shape
_SHIFT = 1.0  # standard deviations
_P_VALUE = 0.01
_LOUD = 3.0  # how much larger than of counts a standard deviation may be


def prior_shift(given: Problem, how: Settings, found: Solution, deviations: Array) -> float:
    """Largest shift of a bin, in its standard deviations, when the prior is another.

    Parameters
    ----------
    given : Problem
    how : Settings
    found : Solution
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
    other = _other(given, how, found)
    if other is None:
        return np.nan
    moved = solved(replace(given, prior=other), kept(how, found)).values - found.values
    known = deviations > 0.0
    return float((abs(moved[known]) / deviations[known]).max(initial=0.0))


def _other(given: Problem, how: Settings, found: Solution) -> Array | None:
    """Give a prior of another shape: flat, or the result itself, or a falling line; None of a single bin."""
    n = given.n_true
    positive = np.maximum(found.values, 0.0)
    own: Array = np.maximum(positive, 1e-3 * max(positive.mean(), 1e-300))
    several = [np.ones(n), own, np.linspace(1.5, 0.5, n)]
    # A flat signal has no curvature: a filter made for it lets nothing pass, which says nothing about the data.
    for each in several[1:] if how.method == "wiener" else several:
        shape = each / each.mean()
        if (abs(shape - given.prior / given.prior.mean()) > _SAME).any():
            return own if each is own else np.asarray(shape * given.prior.mean(), dtype=np.float64)
    return None


def warnings_of(result: Unfolded) -> list[str]:
    """Say what is doubtful about a result.

    Parameters
    ----------
    result : Unfolded

    Returns
    -------
    list of str
    """
    there = np.ones(len(result.values), dtype=bool)
    there[list(result.blind)] = False
    found = []
    negative = result.values < 0.0
    if negative.any():
        found.append(f"true {listed(negative)} a negative content")
    zero = (result.values == 0.0) & there
    if zero.any():
        found.append(f"true {listed(zero)} come to zero: the covariance says nothing there")
    if result.p_value < _P_VALUE:
        found.append(
            f"refolded, the result does not describe the data (p = {result.p_value:.1g}): regularised too much, "
            "or response or background are wrong"
        )
    if result.prior_shift > _SHIFT:
        found.append(
            f"another prior moves a bin by {result.prior_shift:.2g} standard deviations: weaker regularisation, or a "
            "systematic uncertainty, is needed"
        )
    n, m = len(there) - len(result.blind), len(result.data)
    if n > m:
        found.append(
            f"{n} true bins from {m} reconstructed ones: part of the result is the prior's"
        )
    elif result.rank < n:
        found.append(f"the matrix has rank {result.rank} of {n}: part of the result is the prior's")
    found += _loud(result)
    return found


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
