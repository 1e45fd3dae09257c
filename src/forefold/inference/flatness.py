"""Parameters that data do not tell from each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.inference.scoring import Objective

    Array = NDArray[np.float64]

__all__ = ["flat_directions"]

_CANDIDATE = 1e-6  # of the information of one parameter
_FAR = 3.0  # standard deviations of one parameter
_NOTHING = 1e-8  # of half a deviance; a direction of 3 standard deviations has 4.5


def flat_directions(objective: Objective, x: Array, fixed: NDArray[np.bool_]) -> Array:
    """Find directions along which the likelihood does not change.

    Parameters
    ----------
    objective : Objective
    x : ndarray, shape (parameters,)
        Where it is smallest.
    fixed : ndarray of bool, shape (parameters,)

    Returns
    -------
    ndarray, shape (directions, parameters)
        Of parameters in units of their standard deviations with the others held; none, where data tell all.

    Notes
    -----
    Where the expected information has an eigenvector of nothing, the likelihood is looked at along it, inside the limits: a derivative that is
    0 at one point, such as that of sin² 2θ at maximal mixing, does not make it flat.
    """
    value, _, information = objective.all(x)
    diagonal = np.diagonal(information)
    free = np.flatnonzero(~fixed & (diagonal > 0.0))
    if free.size < 2:
        return np.empty((0, len(x)))
    width = diagonal[free] ** -0.5
    sizes, vectors = np.linalg.eigh(information[np.ix_(free, free)] * np.outer(width, width))
    directions = []
    for k in np.flatnonzero(sizes < _CANDIDATE):
        direction = np.zeros(len(x))
        direction[free] = vectors[:, k]
        step = np.zeros(len(x))
        step[free] = _FAR * width * vectors[:, k]
        if _is_flat(objective, x, float(value), step):
            directions.append(direction)
    return np.array(directions).reshape(len(directions), len(x))


def _is_flat(objective: Objective, x: Array, value: float, step: Array) -> bool:
    """Say whether a step either way, as far as limits allow, changes nothing."""
    nothing = _NOTHING * max(1.0, abs(value))
    moved = False
    for way in (step, -step):
        reach = _inside(objective, x, way)
        if reach < 1e-3:
            continue
        moved = True
        if abs(objective.value(x + reach * way) - value) > nothing:
            return False
    return moved


def _inside(objective: Objective, x: Array, step: Array) -> float:
    """Say how much of a step, all at most, stays inside the limits."""
    room = np.where(step > 0.0, objective.upper - x, x - objective.lower)
    moving = step != 0.0
    return float(min(1.0, np.min(room[moving] / np.abs(step[moving]), initial=1.0)))
