"""Covariances of a result: data, statistics of the matrix, systematics."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.unfolding.methods import kept, solved
from forefold.unfolding.problem import array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.unfolding.methods import Settings
    from forefold.unfolding.problem import Problem
    from forefold.unfolding.solution import Solution

    Array = NDArray[np.float64]

__all__ = ["data_covariance", "matrix_covariance", "multinomial", "varied_covariance"]


def data_covariance(given: Problem, found: Solution, errors: str = "full") -> Array:
    """Covariance from the statistics of the data, shape (n_true, n_true).

    Parameters
    ----------
    given : Problem
    found : Solution
    errors : {"full", "dagostini"}
        With ``dagostini``, counts are multinomial as in the paper of 1995: their total is known.

    Returns
    -------
    ndarray
    """
    covariance = given.statistical
    if given.poisson and found.expected is not None:
        covariance = np.diag(found.expected)
    elif given.poisson and errors == "dagostini":
        total = max(float(found.values.sum()), float(given.data.sum()))
        covariance = np.diag(given.data) - np.outer(given.data, given.data) / total
    return np.asarray(found.gain @ covariance @ found.gain.T)


def multinomial(matrix: Array, entries: Array) -> Array:
    """Covariance of the elements of each row, from so many events thrown into it.

    Parameters
    ----------
    matrix : ndarray, shape (n_true, n_reco)
    entries : ndarray, shape (n_true,)
        Generated events of each true bin, effective ones if they are weighted; without any, there is no variance.

    Returns
    -------
    ndarray, shape (n_true, n_reco, n_reco)

    Examples
    --------
    >>> multinomial(np.array([[0.5, 0.5]]), np.array([100.0])).tolist()
    [[[0.0025, -0.0025], [-0.0025, 0.0025]]]
    """
    diagonal = np.eye(matrix.shape[1]) * matrix[:, None, :]
    spread = diagonal - matrix[:, :, None] * matrix[:, None, :]
    filled = np.where(entries > 0.0, entries, np.inf)
    return np.asarray(spread / filled[:, None, None])


def matrix_covariance(given: Problem, found: Solution, variance: Any) -> Array:
    """Covariance from the statistics of the matrix, shape (n_true, n_true).

    Parameters
    ----------
    given : Problem
    found : Solution
    variance : array_like, shape (n_true, n_reco) or (n_true, n_reco, n_reco)
        Variances of the elements, or covariances within rows; rows are independent of each other. True bins that were
        left out are in it.

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        The shape is another, or a variance is negative.
    """
    shape: tuple[int, ...] = (len(given.kept), given.n_reco)
    full = np.ndim(variance) == 3
    if full:
        shape = (*shape, given.n_reco)
    spread = array("variance of the response", variance, len(shape), shape)[given.kept]
    if not full and (spread < 0.0).any():
        message = f"variance of the response: {spread.min():g}; variances are not negative"
        raise ValueError(message)
    total = np.zeros((given.n_true, given.n_true))
    for i, row in enumerate(spread):
        if row.any():
            slopes = found.slopes(i)
            total += (slopes @ row if full else slopes * row) @ slopes.T
    return total


def varied_covariance(
    given: Problem, how: Settings, found: Solution, name: str, matrices: Any
) -> tuple[Array, Array]:
    """Covariance from other response matrices: the mean of the squared shifts.

    Parameters
    ----------
    given : Problem
    how : Settings
    found : Solution
        Of the nominal matrix; its strength is kept.
    name : str
        For messages.
    matrices : array_like, shape (n_true, n_reco) or (k, n_true, n_reco)
        One shifted matrix, a pair (up, down), or k of equal weight.

    Returns
    -------
    covariance : ndarray, shape (n_true, n_true)
    shifts : ndarray, shape (k, n_true)

    Raises
    ------
    ValueError
        The shape does not fit, or a matrix cannot be unfolded with.
    """
    several = np.asarray(matrices, dtype=np.float64)
    several = several[None] if several.ndim == 2 else several
    several = array(f"varied response '{name}'", several, 3)
    if several.shape[1:] != (len(given.kept), given.n_reco):
        message = (
            f"varied response '{name}' has shape {several.shape[1:]}; "
            f"{(len(given.kept), given.n_reco)} is needed, as the response"
        )
        raise ValueError(message)
    for k, matrix in enumerate(several):
        lost = given.matrix.any(axis=1) & ~matrix[given.kept].any(axis=1)
        if (matrix < 0.0).any() or lost.any():
            message = f"varied response '{name}' ({k}): has negative elements, or true bins without efficiency"
            raise ValueError(message)
    fixed = kept(how, found)
    shifts = np.array(
        [
            solved(replace(given, matrix=matrix[given.kept]), fixed).values - found.values
            for matrix in several
        ]
    )
    return shifts.T @ shifts / len(shifts), shifts
