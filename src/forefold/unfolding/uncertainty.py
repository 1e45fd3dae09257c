"""Covariances of a result: data, statistics of the matrix, systematics."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.unfolding.measurement import array
from forefold.unfolding.methods import kept, solved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.unfolding.measurement import Measurement
    from forefold.unfolding.methods import Settings
    from forefold.unfolding.solution import Solution

    Array = NDArray[np.float64]

__all__ = ["data_covariance", "matrix_covariance", "multinomial", "varied_covariance"]


def data_covariance(measurement: Measurement, solution: Solution, errors: str = "full") -> Array:
    """Covariance from the statistics of the data, shape (n_true, n_true).

    Parameters
    ----------
    measurement : Measurement
    solution : Solution
    errors : {"full", "dagostini"}
        With ``dagostini``, counts are multinomial as in the paper of 1995: their total is known.

    Returns
    -------
    ndarray
    """
    covariance = measurement.statistical
    if measurement.poisson and solution.expected is not None:
        covariance = np.diag(solution.expected)
    elif measurement.poisson and errors == "dagostini":
        total = max(float(solution.values.sum()), float(measurement.data.sum()))
        covariance = (
            np.diag(measurement.data) - np.outer(measurement.data, measurement.data) / total
        )
    return np.asarray(solution.gain @ covariance @ solution.gain.T)


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


def matrix_covariance(measurement: Measurement, solution: Solution, variance: Any) -> Array:
    """Covariance from the statistics of the matrix, shape (n_true, n_true).

    Parameters
    ----------
    measurement : Measurement
    solution : Solution
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
    shape: tuple[int, ...] = (len(measurement.kept), measurement.n_reco)
    full = np.ndim(variance) == 3
    if full:
        shape = (*shape, measurement.n_reco)
    spread = array("variance of the response", variance, len(shape), shape)[measurement.kept]
    if not full and (spread < 0.0).any():
        message = f"variance of the response: {spread.min():g}; variances are not negative"
        raise ValueError(message)
    total = np.zeros((measurement.n_true, measurement.n_true))
    for i, row in enumerate(spread):
        if row.any():
            slopes = solution.slopes(i)
            total += (slopes @ row if full else slopes * row) @ slopes.T
    return total


def varied_covariance(
    measurement: Measurement, how: Settings, solution: Solution, name: str, matrices: Any
) -> tuple[Array, Array]:
    """Covariance from other response matrices: the mean of the squared shifts.

    Parameters
    ----------
    measurement : Measurement
    how : Settings
    solution : Solution
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
    if several.shape[1:] != (len(measurement.kept), measurement.n_reco):
        message = (
            f"varied response '{name}' has shape {several.shape[1:]}; "
            f"{(len(measurement.kept), measurement.n_reco)} is needed, as the response"
        )
        raise ValueError(message)
    for k, matrix in enumerate(several):
        lost = measurement.matrix.any(axis=1) & ~matrix[measurement.kept].any(axis=1)
        if (matrix < 0.0).any() or lost.any():
            message = f"varied response '{name}' ({k}): has negative elements, or true bins without efficiency"
            raise ValueError(message)
    fixed = kept(how, solution)
    shifts = np.array(
        [
            solved(replace(measurement, matrix=matrix[measurement.kept]), fixed).values
            - solution.values
            for matrix in several
        ]
    )
    return shifts.T @ shifts / len(shifts), shifts
