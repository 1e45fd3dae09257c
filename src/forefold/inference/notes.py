"""What a reader of a fit or a limit must know: few counts, few toys, and counts where none are expected."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from forefold.folding.axes import cell_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.folding import ResponseMatrix
    from forefold.inference.problem import Problem

    Array = NDArray[np.float64]

__all__ = ["FEW", "counts_that_tell", "few_counts", "few_toys", "unexpected"]

FEW = 10.0
"""Counts below which asymptotic formulae are warned of: CLs of one bin with 10 counts is 2 to 7 % too low, with none up to 36 %."""

_FEW_TOYS = 20  # in a tail: known to a fifth
_SMALL = 1e-9  # of an expectation


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
        Expected, or observed if that is less. Bins count by their part in the derivative of the likelihood: one over the square of its skewness,
        which in one bin is the expected count, and in several the sum if all have the same share of signal.
    """
    here = problem.at(value)
    expected = problem.objective.expectation(here.x)
    slopes = abs(expected.slopes[problem.place])
    if not slopes.any():
        return math.inf
    slopes /= slopes.max()  # their scale drops out
    mean = np.maximum(expected.mean, _SMALL)
    second, third = float((slopes**2 / mean).sum()), float((slopes**3 / mean**2).sum())
    seen = float((slopes * problem.objective.data / mean).sum() / slopes.sum())
    return (second * math.sqrt(second) / third) ** 2 * min(seen, 1.0)


def few_counts(problem: Problem, value: float, other: str) -> tuple[str, ...]:
    """Warn of asymptotic formulae for fewer than `FEW` counts.

    Parameters
    ----------
    problem : Problem
    value : float
        The limit.
    other : str
        What to do.

    Returns
    -------
    tuple of str
        One note, or none.
    """
    found = counts_that_tell(problem, value)
    if found >= FEW:
        return ()
    note = (
        f"asymptotic formulae, but about {found:.2g} counts expected or observed tell of it (fewer than {FEW:g}): "
        f"the limit is likely too low, in one bin by 6 % with 8 counts and by a third with none; take {other}"
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


def unexpected(data: Array, expected: Array, matrix: ResponseMatrix) -> tuple[str, ...]:
    """Warn of counts where nothing is expected: no parameter explains them, and they decide the deviance.

    Parameters
    ----------
    data, expected : ndarray, shape (n_reco,)
    matrix : ResponseMatrix

    Returns
    -------
    tuple of str
        One note, or none.
    """
    bad = (data > 0.0) & (expected <= _SMALL)
    if not bad.any():
        return ()
    note = (
        f"{data[bad].sum():.6g} counts in {int(bad.sum())} bins where nothing is expected, the first {cell_name(matrix.reco_axes, int(np.argmax(bad)))}: "
        "they decide the deviance; fill the matrix with more events, or take wider bins, a background, or statistics 'dirichlet'"
    )
    return (note,)
