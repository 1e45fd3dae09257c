"""Fisher scoring inside limits: a fast minimum for toys and profiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forefold.inference.likelihood import barlow_beeston, correlated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.inference.model import Expectation
    from forefold.inference.parameters import Constraint

    Array = NDArray[np.float64]

__all__ = ["Minimum", "Objective", "minimum"]

_STEPS = 200
_NEAR = 1e-9  # of the negative logarithm of the likelihood


@dataclass(frozen=True)
class Objective:
    """Half a deviance of data and constraints, as a function of parameters.

    Attributes
    ----------
    expectation : Expectation
    data : ndarray, shape (n_reco,)
    constraint : Constraint
    lower, upper : ndarray, shape (parameters,)
    """

    expectation: Expectation
    data: Array
    constraint: Constraint
    lower: Array
    upper: Array

    def value(self, x: Array) -> float:
        """Give its value at parameters."""
        return self.all(x)[0]

    def all(self, x: Array) -> tuple[float, Array, Array]:
        """Give value, derivatives and expected second derivatives.

        Parameters
        ----------
        x : ndarray, shape (parameters,)

        Returns
        -------
        tuple of (float, ndarray, ndarray)
        """
        found = self.expectation(x)
        likelihood = barlow_beeston if found.covariance.ndim == 1 else correlated
        terms = likelihood(self.data, found.mean, found.covariance)
        value = float(terms.value.sum()) + self.constraint.value(x)
        slope = found.slopes @ terms.slope + self.expectation.spread_slopes(found, terms.slope)
        information = terms.information(found.slopes)
        if not len(self.constraint.places):
            return value, slope, information
        information[self.constraint.cells] += self.constraint.precision
        return value, slope + self.constraint.slope(x), information


class Minimum(NamedTuple):
    """Where a function is smallest.

    Attributes
    ----------
    x : ndarray, shape (parameters,)
    value : float
    information : ndarray, shape (parameters, parameters)
    valid : bool
        Whether it has converged.
    """

    x: Array
    value: float
    information: Array
    valid: bool


def minimum(objective: Objective, start: Array, fixed: NDArray[np.bool_] | None = None) -> Minimum:
    """Minimise by Fisher scoring with damping, and BFGS near the end; parameters stop at their limits.

    Parameters
    ----------
    objective : Objective
    start : ndarray, shape (parameters,)
    fixed : ndarray of bool, shape (parameters,), optional
        Parameters that stay.

    Returns
    -------
    Minimum
    """
    x = np.clip(start, objective.lower, objective.upper) if fixed is None else start.copy()
    held = np.zeros(len(x), np.bool_) if fixed is None else fixed
    damping = 0.0
    value, slope, information = objective.all(x)
    curvature = information
    for _ in range(_STEPS):
        low, high = objective.lower - x, objective.upper - x
        free = ~held & ~((low >= 0.0) & (slope > 0.0)) & ~((high <= 0.0) & (slope < 0.0))
        step = _step(slope, curvature, free, damping, low, high)
        gain = -float(slope @ step)
        if abs(gain) < _NEAR and damping <= 1e-3:
            return Minimum(x, value, information, True)
        new = np.where(free, np.clip(x + step, objective.lower, objective.upper), x)
        found = objective.all(new)
        if found[0] <= value + 1e-13 * (1.0 + abs(value)):
            # near the end, what the expected curvature leaves out decides how fast it is
            curvature = (
                found[2] if gain > 1.0 else _updated(curvature, new - x, found[1] - slope, free)
            )
            x, (value, slope, information) = new, found
            damping = 0.0 if damping < 0.02 else 0.1 * damping
        else:
            damping = max(4.0 * damping, 0.1)
            if damping > 1e12:
                return Minimum(x, value, information, abs(gain) < 1e-6)
    return Minimum(x, value, information, False)


def _updated(curvature: Array, step: Array, change: Array, free: NDArray[np.bool_]) -> Array:
    """Correct a curvature by what a step has shown (BFGS)."""
    change = np.where(free, change, 0.0)
    along = curvature @ step
    old, new = float(step @ along), float(step @ change)
    if old <= 0.0 or new <= 0.05 * old:
        return curvature
    return np.asarray(curvature - np.outer(along, along) / old + np.outer(change, change) / new)


def _step(
    slope: Array,
    information: Array,
    free: NDArray[np.bool_],
    damping: float,
    low: Array,
    high: Array,
) -> Array:
    """Solve for a step; what would go beyond its limit goes to it, and the others are solved for again."""
    n = len(slope)
    step = np.zeros(n)
    scale = np.sqrt(np.maximum(np.diagonal(information), 1e-300))
    unit = information / np.outer(scale, scale)
    unit.reshape(-1)[:: n + 1] += damping + 1e-12
    left = free.copy()
    if np.count_nonzero(free) == 1:  # most fits of toys
        k = int(np.argmax(free))
        length = -slope[k] / scale[k] ** 2 / unit[k, k]
        step[k] = min(max(length, low[k]), high[k])
        return step
    while left.any():
        rows = unit[left]
        others = rows[:, ~left] @ (step * scale)[~left]
        solved = np.linalg.solve(rows[:, left], -slope[left] / scale[left] - others)
        step[left] = solved / scale[left]
        beyond = left & ((step < low) | (step > high))
        if not beyond.any():
            break
        step[beyond] = np.clip(step, low, high)[beyond]
        left &= ~beyond
    return step
