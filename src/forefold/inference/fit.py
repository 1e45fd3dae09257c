"""The fit that is reported: MIGRAD with our gradient, from iminuit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from forefold.inference.scoring import Objective

    Array = NDArray[np.float64]

__all__ = ["fitted"]


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
