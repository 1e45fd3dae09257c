"""Fisher scoring inside limits: a fast minimum for profiles, and those of many toys at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

import numpy as np

from forefold.inference.likelihood import barlow_beeston, correlated
from forefold.inference.model import along

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.inference.model import Expectation
    from forefold.inference.parameters import Constraint

    Array = NDArray[np.float64]

__all__ = ["Minima", "Minimum", "Objective", "Objectives", "minima", "minimum"]

_STEPS = 200
_STEPS_AT_ONCE = 40  # what takes more is left to one at a time
_NEAR = 1e-9  # of the negative logarithm of the likelihood


@dataclass(frozen=True)
class Objective:
    """Half a deviance of data and constraints, as a function of parameters; or those of many toys, in rows.

    Attributes
    ----------
    expectation : Expectation
    data : ndarray, shape (..., n_reco)
    constraint : Constraint
    lower, upper : ndarray, shape (parameters,)
    """

    expectation: Expectation
    data: Array
    constraint: Constraint
    lower: Array
    upper: Array

    def value(self, x: Array) -> float:
        """Give its value at one set of parameters."""
        return float(self.all(x)[0])

    def all(self, x: Array) -> tuple[Array, Array, Array]:
        """Give value, derivatives and expected second derivatives.

        Parameters
        ----------
        x : ndarray, shape (..., parameters)

        Returns
        -------
        tuple of ndarray, shapes (...,), (..., parameters) and (..., parameters, parameters)
        """
        expected = self.expectation(x)
        likelihood = barlow_beeston if self.expectation.independent else correlated
        terms = likelihood(self.data, expected.mean, expected.covariance)
        value = terms.value.sum(axis=-1)
        slope = along(expected.slopes, terms.slope)
        slope += self.expectation.spread_slopes(expected, terms.slope)
        information = terms.information(expected.slopes)
        if not len(self.constraint.places):
            return value, slope, information
        information[self.constraint.cells] += self.constraint.precision
        constraint, pulled = self.constraint.value_and_slope(x)
        slope[..., self.constraint.places] += pulled
        return value + constraint, slope, information

    def of(self, rows: Any) -> Self:
        """Give those of some toys: an index or a mask of rows."""
        constraint = self.constraint.moved(self.constraint.centre[rows])
        return replace(self, data=self.data[rows], constraint=constraint)


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
    first, slope, information = objective.all(x)
    value, curvature = float(first), information
    for _ in range(_STEPS):
        low, high = objective.lower - x, objective.upper - x
        free = ~held & ~((low >= 0.0) & (slope > 0.0)) & ~((high <= 0.0) & (slope < 0.0))
        step = _step(slope, curvature, free, damping, low, high)
        gain = -float(slope @ step)
        if abs(gain) < _NEAR and damping <= 1e-3:
            return Minimum(x, value, information, True)
        new = np.where(free, np.clip(x + step, objective.lower, objective.upper), x)
        trial = objective.all(new)
        if trial[0] <= value + 1e-13 * (1.0 + abs(value)):
            # near the end, what the expected curvature leaves out decides how fast it is
            curvature = (
                trial[2] if gain > 1.0 else _updated(curvature, new - x, trial[1] - slope, free)
            )
            x, value, slope, information = new, float(trial[0]), *trial[1:]
            damping = 0.0 if damping < 0.02 else 0.1 * damping
        else:
            damping = max(4.0 * damping, 0.1)
            if damping > 1e12:
                return Minimum(x, value, information, abs(gain) < 1e-6)
    return Minimum(x, value, information, False)


def _updated(curvature: Array, step: Array, change: Array, free: NDArray[np.bool_]) -> Array:
    """Correct a curvature by what a step has shown (BFGS)."""
    change = np.where(free, change, 0.0)
    turned = curvature @ step
    old, new = float(step @ turned), float(step @ change)
    if old <= 0.0 or new <= 0.05 * old:
        return curvature
    return np.asarray(curvature - np.outer(turned, turned) / old + np.outer(change, change) / new)


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


class Objectives(Protocol):
    """Functions of one kind, one a toy, that are smallest at different places.

    What a likelihood is made of, counts or normal measurements, one experiment or several joined ones, is its own affair: it gives values with
    derivatives and information, and a part of itself.
    """

    @property
    def lower(self) -> Array:
        """Limits of the parameters, shape (parameters,)."""
        ...

    @property
    def upper(self) -> Array:
        """Limits of the parameters, shape (parameters,)."""
        ...

    def all(self, x: Array) -> tuple[Array, Array, Array]:
        """Give values (n,), derivatives (n, parameters) and expected second ones (n, parameters, parameters) at x (n, parameters)."""
        ...

    def of(self, rows: Any) -> Self:
        """Give those of some toys: an index or a mask of rows."""
        ...


class Minima(NamedTuple):
    """Where functions are smallest; see `Minimum`.

    Attributes
    ----------
    x : ndarray, shape (n, parameters)
    value : ndarray, shape (n,)
    information : ndarray, shape (n, parameters, parameters)
    valid : ndarray of bool, shape (n,)
    """

    x: Array
    value: Array
    information: Array
    valid: NDArray[np.bool_]


def minima(objective: Objectives, start: Array, fixed: NDArray[np.bool_]) -> Minima:
    """Minimise many functions at once, each as `minimum` does one.

    Parameters
    ----------
    objective : Objectives
        Of n toys.
    start : ndarray, shape (n, parameters)
    fixed : ndarray of bool, shape (parameters,)
        Parameters that stay.

    Returns
    -------
    Minima
        What did not converge in a few steps is not valid, and for `minimum` to try.
    """
    with np.errstate(all="ignore"):  # what overflows does not converge
        value, slope, information = objective.all(start)
        best = Minima(start.copy(), value, information, np.isfinite(value))
        free = np.flatnonzero(~fixed)
        if free.size:
            best.valid[:] = False
            _descend(objective, best, slope, free)
    return best


def _descend(objective: Objectives, best: Minima, slope: Array, free: NDArray[np.intp]) -> None:
    """Minimise over the free parameters, with the results in their places.

    Small matrices of many toys have the toys as their last axis here: along it, numpy is fast.
    """
    inner = np.ix_(free, free)
    rows, x, value, information = np.arange(len(best.x)), best.x, best.value, best.information
    lower, upper = objective.lower[free, None], objective.upper[free, None]
    slope, damping = slope.T[free], np.zeros(len(rows))
    curvature = information.transpose(1, 2, 0)[inner]
    for _ in range(_STEPS_AT_ONCE):
        at = x.T[free]
        low, high = lower - at, upper - at
        loose = ((low < 0.0) | (slope <= 0.0)) & ((high > 0.0) | (slope >= 0.0))
        step = _steps(slope, curvature, loose, damping, low, high)
        gain = -(slope * step).sum(axis=0)
        done = (abs(gain) < _NEAR) & (damping <= 1e-3)
        if done.any():
            (old,), (left,) = done.nonzero(), (~done).nonzero()
            here = rows[old]
            best.x[here], best.value[here] = x[old], value[old]
            best.information[here], best.valid[here] = information[old], True
            if not left.size:
                return
            objective, rows, x, value = objective.of(left), rows[left], x[left], value[left]
            information, damping, gain = information[left], damping[left], gain[left]
            slope, curvature, loose = slope[:, left], curvature[:, :, left], loose[:, left]
            at, step = at[:, left], step[:, left]
        # rounding may put a step to a limit behind it
        moved = np.where(loose, np.minimum(np.maximum(at + step, lower), upper), at)
        new = x.copy()
        new[:, free] = moved.T
        there, slopes, new_information = objective.all(new)
        slopes = slopes.T[free]
        bent = _all_updated(curvature, moved - at, np.where(loose, slopes - slope, 0.0))
        if (far := gain > 1.0).any():
            bent = np.where(far, new_information.transpose(1, 2, 0)[inner], bent)
        better = there <= value + 1e-13 * (1.0 + abs(value))
        if better.all():
            damping = np.where(damping < 0.02, 0.0, 0.1 * damping)
        else:
            eased = np.where(damping < 0.02, 0.0, 0.1 * damping)
            damping = np.where(better, eased, np.maximum(4.0 * damping, 0.1))
            new, there = np.where(better[:, None], new, x), np.where(better, there, value)
            slopes, bent = np.where(better, slopes, slope), np.where(better, bent, curvature)
            new_information = np.where(better[:, None, None], new_information, information)
        x, value, slope, curvature, information = new, there, slopes, bent, new_information


def _all_updated(curvature: Array, step: Array, change: Array) -> Array:
    """Correct curvatures by what steps have shown, toys last; see `_updated`."""
    turned = (curvature * step).sum(axis=1)
    old, new = (step * turned).sum(axis=0), (step * change).sum(axis=0)
    good = (old > 0.0) & (new > 0.05 * old)
    turned = turned / np.sqrt(np.where(good, old, np.inf))
    change = change / np.sqrt(np.where(good, new, np.inf))
    return np.asarray(curvature - turned[:, None] * turned + change[:, None] * change)


def _steps(
    slope: Array,
    information: Array,
    free: NDArray[np.bool_],
    damping: Array,
    low: Array,
    high: Array,
) -> Array:
    """Solve for steps that stay inside, toys last; see `_step`."""
    n = len(slope)
    own = np.arange(n)
    whole = information.copy()
    # what data say nothing of, or the same of, has a step, too
    whole[own, own] = whole[own, own] * (1.0 + 1e-12 + damping) + 1e-300
    step, left = np.zeros_like(slope), free
    for _ in range(n):
        tied, right = whole, -slope
        if not left.all():
            tied = np.where(left[:, None] & left, whole, np.eye(n)[:, :, None])
            right = np.where(left, right - (whole * np.where(left, 0.0, step)).sum(axis=1), 0.0)
        solved = _solved(tied, right)
        inside = np.minimum(np.maximum(solved, low), high)
        step = np.where(left, inside, step)
        beyond = left & (inside != solved)
        if n == 1 or not beyond.any():
            break
        left = left & ~beyond
    return step


def _solved(matrix: Array, right: Array) -> Array:
    """Solve small systems, shapes (k, k, n) and (k, n)."""
    if len(right) == 1:
        return np.asarray(right / matrix[0])
    if len(right) > 2:
        return np.asarray(np.linalg.solve(matrix.transpose(2, 0, 1), right.T[:, :, None]).T[0])
    (a, b), (c, d) = matrix
    first, second = right / (a * d - b * c)
    return np.array([d * first - b * second, a * second - c * first])
