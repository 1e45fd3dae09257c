"""What a reader of a fit or a limit must know: few counts, few toys, and counts where none are expected."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.matrix.axes import bin_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from forefold.inference.minimum import Minimum
    from forefold.inference.parameters import Parameter
    from forefold.inference.profile import Problem

    Array = NDArray[np.float64]

__all__ = [
    "FEW",
    "TOLD",
    "UNCONVERGED",
    "at_limits",
    "counts_that_tell",
    "few_counts",
    "few_expected",
    "few_toys",
    "impossible",
    "not_told_apart",
    "unconverged_at",
]

UNCONVERGED = (
    "the fit did not converge: values are where it stopped, and errors do not hold; hold what data say nothing of with fixed (--fix), give "
    "parameters limits or constraints, or begin elsewhere"
)
"""Said of a fit that is none."""

TOLD = 1e-3
"""Part of a direction along which a likelihood is flat, above which a parameter is on it."""

FEW = 10.0
"""Counts below which asymptotic formulae are warned of: CLs of one bin with 10, observed or expected, is 5 to 8 % too low, with none 36 %."""

_FEW_TOYS = 20  # in a tail: known to a fifth
_SMALL = 1e-9  # of an expectation
_ALMOST = 1.0 - 1e-6  # of ten, which comes out of sums


def counts_that_tell(problem: Problem, value: float) -> float:
    """Count the events that tell of the parameter of interest.

    Parameters
    ----------
    problem : Problem
    value : float
        Of the parameter, where the formulae are used.

    Returns
    -------
    float
        Observed, or expected without signal if that is more: where many are expected, formulae hold for few observed, too. Bins count by
        their part in the derivative of the likelihood: one over the square of its skewness, which in one bin is the expected count, and in
        several the sum if all have the same share of signal.
    """
    here = problem.at(value)
    expected = problem.objective.expectation(here.x)
    slopes = abs(expected.slopes[problem.place])
    if not slopes.any():
        return math.inf
    slopes /= slopes.max()  # their scale drops out
    mean = np.maximum(expected.mean, _SMALL)
    second, third = float((slopes**2 / mean).sum()), float((slopes**3 / mean**2).sum())
    counts = [problem.objective.data]
    if math.isfinite(start := problem.limits[0]):
        without = here.x.copy()
        without[problem.place] = start
        counts.append(problem.objective.expectation(without).mean)
    most = max(float((slopes * histogram / mean).sum() / slopes.sum()) for histogram in counts)
    return (second * math.sqrt(second) / third) ** 2 * min(most, 1.0)


_TOO_LOW = {
    "cls": "in one bin by 6 to 9 % with 8 counts, and by a third with none",
    "profile": "unless data are below what is expected: in one bin one of 95 % is one of 92 % with 8 counts, and of 74 % with none",
}


def few_counts(problem: Problem, value: float, method: str, other: str) -> tuple[str, ...]:
    """Warn of asymptotic formulae for fewer than `FEW` counts.

    Parameters
    ----------
    problem : Problem
    value : float
        The limit.
    method : {"cls", "profile"}
    other : str
        What to do.

    Returns
    -------
    tuple of str
        One note, or none.
    """
    counts = counts_that_tell(problem, value)
    if counts >= FEW * _ALMOST:
        return ()
    note = (
        f"asymptotic formulae, but about {counts:.2g} counts, observed or expected without signal, tell of it (fewer than {FEW:g}): "
        f"the limit is likely too low, {_TOO_LOW[method]}; take {other}"
    )
    return (note,)


def few_expected(problem: Problem, value: float, other: str) -> tuple[str, ...]:
    """Warn of asymptotic bands for fewer than `FEW` counts.

    Parameters
    ----------
    problem : Problem
        With what is expected without signal for data.
    value : float
        The median limit.
    other : str
        What to do.

    Returns
    -------
    tuple of str
        One note, or none.
    """
    counts = counts_that_tell(problem, value)
    if counts >= FEW * _ALMOST:
        return ()
    note = (
        f"asymptotic formulae, but about {counts:.2g} counts without signal tell of it (fewer than {FEW:g}): in one bin with 3 the median is too low by "
        f"11 %, the lower end by 26 %, and the upper end too high by 12 %; take {other}"
    )
    return (note,)


def few_toys(both: float, alone: float, toys: int) -> tuple[str, ...]:
    """Warn of tails that hold few toys.

    Parameters
    ----------
    both, alone : float
        Shares of toys with and without signal.
    toys : int

    Returns
    -------
    tuple of str
        One note, or none.
    """
    least = round(min(both, alone) * toys)
    if least >= _FEW_TOYS:
        return ()
    return (f"{least} of {toys} toys are in the tail that decides: throw more",)


def at_limits(x: Array, parameters: Mapping[str, Parameter], fixed: NDArray[np.bool_]) -> list[str]:
    """Warn of errors of parameters that stopped at a limit.

    Parameters
    ----------
    x : ndarray, shape (parameters,)
    parameters : mapping of str to Parameter
    fixed : ndarray of bool, shape (parameters,)

    Returns
    -------
    list of str
        One note, or none.
    """
    at = []
    for value, held, (name, p) in zip(x, fixed, parameters.items(), strict=True):
        near = 1e-6 * max(abs(value), 1.0)
        if not held and (value - p.lower < near or p.upper - value < near):
            at.append(name)
    return [f"at a limit: {', '.join(at)}; errors do not hold, see interval"] if at else []


def not_told_apart(directions: Array, names: Sequence[str]) -> tuple[str, ...]:
    """Say which parameters data do not tell from each other.

    Parameters
    ----------
    directions : ndarray, shape (directions, parameters)
        Along which the likelihood is flat.
    names : sequence of str

    Returns
    -------
    tuple of str
        One note a direction.
    """
    return tuple(
        f"data do not tell {', '.join(n for n, d in zip(names, direction, strict=True) if abs(d) > TOLD)} from each other: the likelihood is flat along a "
        "line of them, values are one point of it, and they have no errors; hold one with fixed (--fix), or constrain it"
        for direction in directions
    )


def unconverged_at(parameter: str, value: float) -> str:
    """Say that other parameters could not be profiled where a limit is.

    Parameters
    ----------
    parameter : str
    value : float

    Returns
    -------
    str
    """
    return f"with {parameter} = {value:.4g} the fit of the other parameters did not converge: the limit may be elsewhere"


def impossible(problem: Problem, *fits: Minimum) -> tuple[tuple[str, ...], bool]:
    """Say of fits what no parameter explains: counts where nothing is expected, and counts below 0 that are expected.

    Parameters
    ----------
    problem : Problem
    *fits : Minimum
        What an answer stands on. Counts where nothing is expected are looked for in the first.

    Returns
    -------
    notes : tuple of str
    valid : bool
        Whether none expects less than 0.
    """
    first, *others = (problem.objective.expectation(fit.x).mean for fit in fits)
    below = [note for mean in (first, *others) for note in _negative(mean, problem.axes)][:1]
    return (*_unexpected(problem.objective.data, first, problem.axes), *below), not below


def _unexpected(data: Array, expected: Array, axes: tuple[Any, ...]) -> tuple[str, ...]:
    """Warn of counts where nothing is expected: they decide the deviance."""
    bad = (data > 0.0) & (abs(expected) <= _SMALL)
    if not bad.any():
        return ()
    note = (
        f"{data[bad].sum():.6g} counts in {int(bad.sum())} bins where nothing is expected, the first {bin_name(axes, int(np.argmax(bad)))}: "
        "they decide the deviance; fill the matrix with more events, or take wider bins, a background, or statistics 'dirichlet'"
    )
    return (note,)


def _negative(expected: Array, axes: tuple[Any, ...]) -> tuple[str, ...]:
    """Warn of expectations that are none."""
    bad = expected < -_SMALL
    if not bad.any():
        return ()
    i = int(np.argmin(expected))
    note = (
        f"{bin_name(axes, i)} expects {expected[i]:.4g} counts ({int(bad.sum())} such bins), which is no mean of a Poisson variable: the likelihood "
        "goes on there as a straight line, and nothing follows from it; give parameters limits that keep expectations at 0 or more"
    )
    return (note,)
