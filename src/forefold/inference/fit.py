"""The fit that is reported: MIGRAD of iminuit with the exact gradient, and parameters that data do not determine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from forefold.inference.minimum import Objective

    Array = NDArray[np.float64]

__all__ = ["fitted", "undetermined_directions"]

_CANDIDATE = 1e-6  # of the information of one parameter
_FAR = 3.0  # standard deviations of one parameter
_NOTHING = 1e-8  # of half a deviance; a direction of 3 standard deviations has 4.5


def fitted(
    objective: Objective, start: Array, names: Sequence[str], fixed: NDArray[np.bool_]
) -> tuple[Array, Array, float, bool]:
    """Minimise with iminuit.

    Parameters
    ----------
    objective : Objective
    start : ndarray, shape (parameters,)
    names : sequence of str
    fixed : ndarray of bool, shape (parameters,)

    Returns
    -------
    x : ndarray, shape (parameters,)
    covariance : ndarray, shape (parameters, parameters)
        0 for fixed parameters, NaN if it is not known.
    value : float
    valid : bool
    """
    from iminuit import Minuit

    if fixed.all():
        return start, np.zeros((len(names),) * 2), objective.value(start), True
    last: dict[bytes, tuple[float, Array, Array]] = {}

    def here(x: Array) -> tuple[float, Array, Array]:
        """Value and gradient are asked for one after the other, at the same place."""
        key = np.asarray(x).tobytes()
        if key not in last:
            last.clear()
            value, slope, information = objective.all(np.asarray(x))
            last[key] = float(value), slope, information
        return last[key]

    minuit = Minuit(lambda x: here(x)[0], start, grad=lambda x: here(x)[1], name=list(names))
    minuit.errordef = 0.5
    minuit.tol = 0.01
    _, _, information = objective.all(start)
    for k, name in enumerate(names):
        width = information[k, k]
        minuit.errors[name] = width**-0.5 if width > 0.0 else 0.1
        minuit.limits[name] = (objective.lower[k], objective.upper[k])
        minuit.fixed[name] = bool(fixed[k])
    minuit.migrad(ncall=20_000)
    minuit.hesse()
    matrix = minuit.covariance
    covariance = np.full((len(names),) * 2, np.nan) if matrix is None else np.array(matrix)
    return np.array(minuit.values), covariance, float(minuit.fval), bool(minuit.valid)


def undetermined_directions(objective: Objective, x: Array, fixed: NDArray[np.bool_]) -> Array:
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
