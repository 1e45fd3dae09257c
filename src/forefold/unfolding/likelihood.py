"""Maximum likelihood with Poisson statistics, with or without a penalty; scipy solves the bounded steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.unfolding.linear import penalty
from forefold.unfolding.solution import Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.unfolding.measurement import Measurement

    Array = NDArray[np.float64]

__all__ = ["deviance", "maximum_likelihood"]

_STEPS = 500
_DONE = 1e-10
_SMALLEST = 2.0**-40
_FEW = 0.5  # counts below which a bin's curvature is not taken from them


def deviance(data: Array, expected: Array) -> float:
    """Twice the logarithm of the likelihood ratio of a perfect model to this one, for Poisson counts.

    Parameters
    ----------
    data, expected : ndarray, shape (n,)

    Returns
    -------
    float
        Infinite where something is seen that cannot be.

    References
    ----------
    S. Baker, R. Cousins, Nucl. Instrum. Meth. 221 (1984) 437.

    Examples
    --------
    >>> deviance(np.array([3.0, 0.0]), np.array([3.0, 1.0]))
    2.0
    """
    if ((expected <= 0.0) & (data > 0.0)).any() or (expected < 0.0).any():
        return np.inf
    filled = data > 0.0
    total = 2.0 * (expected - data).sum()
    return float(total + 2.0 * (data[filled] * np.log(data[filled] / expected[filled])).sum())


def maximum_likelihood(measurement: Measurement, strength: float = 0.0, order: int = 2) -> Solution:
    """Give the true contents, none negative, for which the counts are most likely.

    Parameters
    ----------
    measurement : Measurement
        A covariance of the data is propagated, but the estimator treats them as counts.
    strength : float
        Of the penalty of Tikhonov's method, beside twice the log-likelihood.
    order : {0, 1, 2}
        Of the differences in the penalty.

    Returns
    -------
    Solution
        With the expected (Fisher) information; a bin at zero has no derivatives.

    Raises
    ------
    ValueError
        There is no single answer, or data are negative.

    Notes
    -----
    Newton steps on a convex function, each a least-squares problem without negative contents.

    References
    ----------
    V. Blobel, hep-ex/0208022; for the bounded steps, C. L. Lawson, R. J. Hanson, Solving Least Squares Problems,
    SIAM 1995.
    """
    if strength == 0.0:
        measurement.require_full_rank("maximum likelihood")
    if (measurement.data < 0.0).any():
        message = f"data: {measurement.data.min():g}; a Poisson likelihood needs counts that are not negative"
        raise ValueError(message)
    solver = _nnls()
    rows = (
        np.sqrt(strength) * penalty(measurement, order)
        if strength
        else np.zeros((0, measurement.n_true))
    )
    reachable = (measurement.matrix > 0.0).any(axis=0) | (measurement.background > 0.0)
    kernel, data = measurement.matrix.T[reachable], measurement.data[reachable]
    outside = measurement.background[reachable]
    values = np.maximum(measurement.prior, _SMALLEST * measurement.prior.max())
    done = False
    for _ in range(_STEPS):
        values, done = _improved(values, kernel, data, outside, rows, solver)
        if done:
            break
    values = np.where(values > 1e-9 * max(values.max(), 1.0), values, 0.0)
    notes: tuple[str, ...] = (
        () if done else (f"the likelihood was not at its maximum after {_STEPS} steps",)
    )
    if not measurement.poisson:
        notes += ("the likelihood takes the data as counts; their covariance is propagated",)
    return _solution(measurement, values, rows, strength, notes)


def _cost(values: Array, kernel: Array, data: Array, outside: Array, rows: Array) -> float:
    return deviance(data, kernel @ values + outside) + float(np.square(rows @ values).sum())


def _improved(
    values: Array, kernel: Array, data: Array, outside: Array, rows: Array, solver: Any
) -> tuple[Array, bool]:
    """Do one step, and tell whether it was not needed."""
    expected = kernel @ values + outside
    pull = np.where(data > 0.0, data / np.maximum(expected, 1e-300), 0.0) - 1.0
    weight = np.maximum(data, _FEW) / np.square(np.maximum(expected, _FEW))
    root = np.sqrt(weight)
    target = root * (kernel @ values + pull / weight)
    matrix = np.concatenate([root[:, None] * kernel, rows])
    solution = solver(matrix, np.concatenate([target, np.zeros(len(rows))]))
    way = solution - values
    gradient = -2.0 * kernel.T @ pull + 2.0 * rows.T @ (rows @ values)
    gain = -float(gradient @ way)
    before = _cost(values, kernel, data, outside, rows)
    if gain <= _DONE * (1.0 + 1e-4 * abs(before)):
        return values, True
    size = 1.0
    while size > _SMALLEST:
        tried = values + size * way
        if _cost(tried, kernel, data, outside, rows) <= before - 1e-4 * size * gain:
            return tried, False
        size *= 0.5
    return values, gain <= 1e-6 * (1.0 + abs(before))


def _solution(
    measurement: Measurement, values: Array, rows: Array, strength: float, notes: tuple[str, ...]
) -> Solution:
    free = values > 0.0
    expected = np.maximum(values @ measurement.matrix + measurement.background, 1e-12)
    kernel = measurement.matrix.T[:, free] / np.sqrt(expected)[:, None]
    curvature = kernel.T @ kernel + rows[:, free].T @ rows[:, free]
    inverse = np.zeros((measurement.n_true, measurement.n_true))
    inverse[np.ix_(free, free)] = np.linalg.inv(curvature)
    gain = inverse @ measurement.matrix / expected
    pulled = np.where(measurement.data > 0.0, measurement.data / expected, 0.0) - 1.0

    def slopes(i: int) -> Array:
        return np.asarray(np.outer(inverse[:, i], pulled) - gain * values[i])

    offset = values - gain @ measurement.signal
    chosen = "given" if strength else "no regularisation"
    number = strength or np.nan
    return Solution(values, gain, offset, slopes, number, chosen, None, notes, expected)


def _nnls() -> Any:
    from scipy.optimize import lsq_linear, nnls

    def solved(matrix: Array, target: Array) -> Array:
        try:
            return np.asarray(nnls(matrix, target, maxiter=100 * matrix.shape[1])[0])
        except RuntimeError:  # its active set went round in circles
            return np.asarray(lsq_linear(matrix, target, (0.0, np.inf)).x)

    return solved
