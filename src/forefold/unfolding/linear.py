"""Methods that are linear in the data: least squares, Tikhonov's regularisation, and the Wiener filter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forefold.unfolding.solution import Solution

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from forefold.unfolding.measurement import Measurement

    Array = NDArray[np.float64]

__all__ = ["Modes", "decomposition", "inversion", "penalty", "roughness", "tikhonov", "wiener"]


def roughness(
    shape: tuple[int, ...],
    order: int = 2,
    *,
    kept: NDArray[np.bool_] | None = None,
    edges: bool = False,
) -> Array:
    """Differences along every axis of a histogram whose bins are flattened in C order.

    Parameters
    ----------
    shape : tuple of int
        Bins of the axes.
    order : {0, 1, 2}
        0: contents; 1: differences of neighbours; 2: second differences.
    kept : ndarray of bool, optional
        Bins there are; differences that need others are left out.
    edges : bool
        Second differences at the ends too, as first differences: what lies beyond equals the last bin.

    Returns
    -------
    ndarray, shape (differences, bins kept)

    Raises
    ------
    ValueError
        The order is another.

    Examples
    --------
    >>> roughness((4,)).tolist()
    [[1.0, -2.0, 1.0, 0.0], [0.0, 1.0, -2.0, 1.0]]
    >>> roughness((2, 2), 1).shape
    (4, 4)
    """
    if order not in (0, 1, 2):
        message = f"order of the differences: 0, 1 or 2 is allowed, found {order!r}"
        raise ValueError(message)
    bins = math.prod(shape)
    if order == 0:
        rows = np.eye(bins)
    else:
        blocks = [_along(shape, axis, order, edges) for axis in range(len(shape))]
        rows = np.concatenate(blocks) if blocks else np.zeros((0, bins))
    if kept is None or kept.all():
        return rows
    whole = ~(rows[:, ~kept] != 0.0).any(axis=1)
    return np.asarray(rows[whole][:, kept])


def _along(shape: tuple[int, ...], axis: int, order: int, edges: bool) -> Array:
    before, after = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    one = _differences(shape[axis], order, edges)
    return np.asarray(np.kron(np.kron(np.eye(before), one), np.eye(after)))


def _differences(bins: int, order: int, edges: bool) -> Array:
    rows = np.diff(np.eye(bins), order, axis=0) if bins > order else np.zeros((0, bins))
    if order == 2 and edges and bins > 1:
        first = np.diff(np.eye(bins), axis=0)
        rows = np.concatenate([first[:1], rows, -first[-1:]])
    return rows


# Singular matrices need a ridge to be inverted: the number of the Wiener-SVD paper.
_RIDGE = 1e-6


def inversion(measurement: Measurement) -> Solution:
    """Least squares: the inverse of a square matrix, the smallest chi2 where there are more reconstructed bins.

    Parameters
    ----------
    measurement : Measurement

    Returns
    -------
    Solution

    Raises
    ------
    ValueError
        There is no single answer: more true than reconstructed bins, or a singular matrix (its rank is said).
    """
    measurement.require_full_rank("inversion")
    whitener = measurement.whitener
    kernel = whitener @ measurement.matrix.T
    q, r = np.linalg.qr(kernel)
    gain = np.linalg.solve(r, q.T @ whitener)
    hessian = np.linalg.solve(r, np.linalg.inv(r).T)
    values = gain @ measurement.signal
    return Solution(
        values,
        gain,
        np.zeros_like(values),
        least_squares_slopes(measurement, values, gain, hessian),
        np.nan,
        "no regularisation",
    )


def least_squares_slopes(
    measurement: Measurement, values: Array, gain: Array, inverse_hessian: Array
) -> Callable[[int], Array]:
    """Give derivatives of a (penalised) least-squares result with respect to the matrix.

    Parameters
    ----------
    measurement : Measurement
    values : ndarray, shape (n_true,)
    gain : ndarray, shape (n_true, n_reco)
    inverse_hessian : ndarray, shape (n_true, n_true)
        Of half chi2 with its penalty.

    Returns
    -------
    callable
        As `Solution.slopes`.
    """
    rest = measurement.signal - values @ measurement.matrix
    pulled = measurement.whitener.T @ (measurement.whitener @ rest)

    def slopes(i: int) -> Array:
        return np.asarray(np.outer(inverse_hessian[:, i], pulled) - gain * values[i])

    return slopes


def penalty(measurement: Measurement, order: int) -> Array:
    """Differences of values over prior, shape (differences, n_true): what Tikhonov's method keeps small.

    Parameters
    ----------
    measurement : Measurement
    order : {0, 1, 2}

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        The prior has empty bins, or the axes are too short for such differences.
    """
    if not (measurement.prior > 0.0).all():
        message = (
            f"tikhonov compares with the prior ({measurement.prior_name}), which is empty in true bin "
            f"{int(measurement.prior.argmin())}: give another, such as prior='flat'"
        )
        raise ValueError(message)
    rows = roughness(measurement.shape, order, kept=measurement.kept)
    if not len(rows):
        message = f"order {order}: no true axis has as many as {order + 1} bins"
        raise ValueError(message)
    # a prior of another size means another strength, so its mean is divided out
    return np.asarray(rows / (measurement.prior / measurement.prior.mean()))


@dataclass(frozen=True, eq=False)
class Modes:
    """The generalised singular values of response and penalty: one decomposition serves all values of tau.

    Attributes
    ----------
    measurement : Measurement
    rows : ndarray, shape (differences, n_true)
        The penalty.
    measured, rough : ndarray, shape (n_true,)
        Squared singular values of the whitened matrix and of the penalty; their sum is 1.
    scale : float
        Strength at which both count the same.
    back : ndarray, shape (n_true, n_true)
        From the amplitudes of the modes to true bins.
    from_data : ndarray, shape (n_true, n_reco)
        From data to sqrt(measured) times amplitudes.
    """

    measurement: Measurement
    rows: Array
    measured: Array
    rough: Array
    scale: float
    back: Array
    from_data: Array

    def damped(self, strength: float) -> Array:
        """1 / (measured + rough * strength / scale), shape (n_true,)."""
        return np.asarray(1.0 / (self.measured + self.rough * (strength / self.scale)))

    def values(self, strength: float) -> Array:
        """Give the result at a strength, shape (n_true,)."""
        return np.asarray(
            self.back @ (self.damped(strength) * (self.from_data @ self.measurement.signal))
        )

    def gain(self, strength: float) -> Array:
        """Give derivatives of the values with respect to the data, shape (n_true, n_reco)."""
        return np.asarray((self.back * self.damped(strength)) @ self.from_data)

    def freedom(self, strength: float) -> float:
        """Effective degrees of freedom: trace of the matrix that takes data to the refolded result."""
        return float((self.measured * self.damped(strength)).sum())

    def residual(self, strength: float) -> float:
        """Chi2 of the refolded result."""
        rest = self.measurement.signal - self.values(strength) @ self.measurement.matrix
        return float(np.square(self.measurement.whitener @ rest).sum())

    def roughness(self, strength: float) -> float:
        """Sum of squares of what the penalty keeps small."""
        return float(np.square(self.rows @ self.values(strength)).sum())


def decomposition(measurement: Measurement, order: int = 2) -> Modes:
    """Decompose the whitened response and the penalty together.

    Parameters
    ----------
    measurement : Measurement
    order : {0, 1, 2}
        Of the differences that are kept small.

    Returns
    -------
    Modes

    Raises
    ------
    ValueError
        Matrix and penalty together leave something undetermined.

    Notes
    -----
    QR of both, stacked, then the singular values of its upper part: nothing is squared, so small singular values keep
    their digits. Equal to the SVD of A C^-1 where C has an inverse.

    References
    ----------
    A. Hoecker, V. Kartvelishvili, hep-ph/9509307; P. C. Hansen, Rank-Deficient and Discrete Ill-Posed
    Problems, SIAM 1998.
    """
    rows = penalty(measurement, order)
    kernel = measurement.whitener @ measurement.matrix.T
    scale = float(np.square(kernel).sum() / np.square(rows).sum())
    q, r = np.linalg.qr(np.concatenate([kernel, np.sqrt(scale) * rows]))
    n = measurement.n_true
    rank = int(np.linalg.matrix_rank(r)) if r.shape == (n, n) else len(r)
    if rank < n:
        message = f"tikhonov: matrix and penalty together have rank {rank} of {n}; use fewer true bins, or order=0"
        raise ValueError(message)
    u, c, vt = np.linalg.svd(q[: measurement.n_reco], full_matrices=True)
    values = np.zeros(n)
    values[: len(c)] = np.clip(c, 0.0, 1.0)
    rough = np.square(q[measurement.n_reco :] @ vt.T).sum(axis=0)
    columns = np.zeros((measurement.n_reco, n))
    used = min(n, measurement.n_reco)
    columns[:, :used] = u[:, :used]
    modes = (columns * values).T @ measurement.whitener
    return Modes(
        measurement, rows, np.square(values), rough, scale, np.linalg.solve(r, vt.T), modes
    )


def tikhonov(modes: Modes, strength: float, chosen: str) -> Solution:
    """Give the minimum of chi2 + strength * roughness.

    Parameters
    ----------
    modes : Modes
    strength : float
        0 or more.
    chosen : str
        How it was chosen.

    Returns
    -------
    Solution

    References
    ----------
    A. Hoecker, V. Kartvelishvili, hep-ph/9509307 (there tau = strength).
    """
    measurement = modes.measurement
    if strength == 0.0:
        measurement.require_full_rank("tikhonov with strength 0")
    values, gain = modes.values(strength), modes.gain(strength)
    inverse = (modes.back * modes.damped(strength)) @ modes.back.T
    slopes = least_squares_slopes(measurement, values, gain, inverse)
    return Solution(values, gain, np.zeros_like(values), slopes, strength, chosen)


def wiener(measurement: Measurement, order: int = 2) -> Solution:
    """Filter every mode by its expected signal to noise: no strength to choose, but a model to say.

    Parameters
    ----------
    measurement : Measurement
        Its prior is the expected signal, with its normalisation.
    order : {0, 1, 2}
        Of the differences in whose basis is filtered.

    Returns
    -------
    Solution

    References
    ----------
    W. Tang et al., arXiv:1705.03568.
    """
    rows = roughness(measurement.shape, order, kept=measurement.kept, edges=True)
    power, vectors = np.linalg.eigh(rows.T @ rows)
    size = np.sqrt(np.clip(power, 0.0, None)) + _RIDGE
    root, inverse = (vectors * size) @ vectors.T, (vectors / size) @ vectors.T
    kernel = measurement.whitener @ measurement.matrix.T
    u, d, vt = np.linalg.svd(kernel @ inverse, full_matrices=False)
    signal = np.square(vt @ root @ measurement.prior)
    # D^2 S^2 / (D^2 S^2 + 1), over D: written so that a mode that is not seen is not divided by
    filtered = d * signal / (np.square(d) * signal + 1.0)
    gain = (inverse @ vt.T * filtered) @ u.T @ measurement.whitener
    values = gain @ measurement.signal

    def slopes(i: int) -> Array:
        return np.asarray(-gain * values[i])

    return Solution(
        values,
        gain,
        np.zeros_like(values),
        slopes,
        np.nan,
        f"by the filter, from the expected signal ({measurement.prior_name})",
        notes=("the filter is held fixed when uncertainties are propagated",),
    )
