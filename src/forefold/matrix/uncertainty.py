"""Statistical uncertainty of a response matrix: moments of the sample that it was filled with, and covariances from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = [
    "METHODS",
    "Method",
    "Moments",
    "check_method",
    "dirichlet",
    "dirichlet_moments",
    "element_variance",
    "folded_covariance",
    "row_covariances",
    "row_variances",
]


class Moments(NamedTuple):
    """First and second moments of the weights of a sample; an event has the fraction f_j of its draws in bin j.

    Attributes
    ----------
    rows : ndarray, shape (n_true, n_reco)
        The response matrix R.
    total, square : ndarray, shape (n_true,)
        T, the sum of weights of a true bin, and the sum of w².
    linear : ndarray, shape (n_true, n_reco)
        Sums of w² f_j.
    pairs : ndarray, shape (n_true, n_reco) or (n_true, n_reco, n_reco)
        Sums of w² f_j f_k; the diagonal alone where an event has one draw.
    """

    rows: Array
    total: Array
    square: Array
    linear: Array
    pairs: Array

    @property
    def per_square(self) -> Array:
        """1 / T², 0 for rows of which nothing is true; shape (n_true,)."""
        square = np.square(self.total)  # 0 of sums below 1e-162, too
        good = (self.total > 0.0) & (square > 0.0)
        return np.divide(1.0, square, out=np.zeros_like(square), where=good)


def element_variance(moments: Moments) -> Array:
    """Give the variance of every element of R.

    Parameters
    ----------
    moments : Moments

    Returns
    -------
    ndarray, shape (n_true, n_reco)

    Notes
    -----
    That of a ratio of sums to first order: the sum of w² (f_j - R_j)² over T². With weights of 1 and one draw it
    is R (1 - R) / T, the multinomial one.
    """
    r, pairs = moments.rows, moments.pairs
    own = pairs if pairs.ndim == 2 else np.einsum("ijj->ij", pairs)
    variance = own - 2.0 * r * moments.linear + np.square(r) * moments.square[:, None]
    return np.asarray(np.maximum(variance * moments.per_square[:, None], 0.0))


def row_covariances(moments: Moments) -> Array:
    """Give the covariance of every row.

    Parameters
    ----------
    moments : Moments

    Returns
    -------
    ndarray, shape (n_true, n_reco, n_reco)
    """
    r, linear = moments.rows, moments.linear
    cross = r[:, :, None] * linear[:, None, :]
    covariances = moments.square[:, None, None] * r[:, :, None] * r[:, None, :]
    covariances -= cross + cross.transpose(0, 2, 1)
    if moments.pairs.ndim == 2:
        k = np.arange(r.shape[1])
        covariances[:, k, k] += moments.pairs
    else:
        covariances += moments.pairs
    return np.asarray(covariances * moments.per_square[:, None, None])


def folded_covariance(moments: Moments, truth: Array) -> Array:
    """Give the covariance of ``truth @ R`` that comes from the statistics of R, without the covariance of each row.

    Parameters
    ----------
    moments : Moments
    truth : ndarray, shape (n_true,)

    Returns
    -------
    ndarray, shape (n_reco, n_reco)
    """
    factor = np.square(truth) * moments.per_square
    r = moments.rows
    half = r.T @ (factor[:, None] * (0.5 * moments.square[:, None] * r - moments.linear))
    covariance = half + half.T
    if moments.pairs.ndim == 2:
        covariance[np.diag_indices_from(covariance)] += factor @ moments.pairs
    else:
        covariance += np.einsum("i,ijk->jk", factor, moments.pairs)
    return np.asarray(covariance)


def row_variances(moments: Moments, weights: Array) -> Array:
    """Give the variance of a weighted sum over the bins of each row, ``R @ weights``, without the covariance of each row.

    Parameters
    ----------
    moments : Moments
    weights : ndarray, shape (..., n_reco)

    Returns
    -------
    ndarray, shape (..., n_true)
    """
    mean, linear = weights @ moments.rows.T, weights @ moments.linear.T
    if moments.pairs.ndim == 2:
        own = np.square(weights) @ moments.pairs.T
    else:
        own = np.einsum("...j,ijk,...k->...i", weights, moments.pairs, weights, optimize=True)
    variances = own - 2.0 * mean * linear + np.square(mean) * moments.square
    return np.asarray(np.maximum(variances * moments.per_square, 0.0))


def dirichlet(rows: Array, entries: Array, prior: float) -> tuple[Array, Array]:
    """Give the parameters of the Dirichlet posterior of each row, the missed ones as the last category.

    Parameters
    ----------
    rows : ndarray, shape (n_true, n_reco)
    entries : ndarray, shape (n_true,)
        Effective entries.
    prior : float
        Pseudo-entries of each category: 1 is flat, 0.5 Jeffreys's.

    Returns
    -------
    alpha : ndarray, shape (n_true, n_reco)
    total : ndarray, shape (n_true,)
        Sum over all categories, the missed ones too.
    """
    alpha = rows * entries[:, None] + prior
    return alpha, entries + prior * (rows.shape[1] + 1)


def dirichlet_moments(alpha: Array, total: Array) -> Moments:
    """Give the moments that a Dirichlet posterior has.

    Parameters
    ----------
    alpha : ndarray, shape (n_true, n_reco)
    total : ndarray, shape (n_true,)
        As `dirichlet` gives them.

    Returns
    -------
    Moments
        Rows are its means; in units of the row's total, so that rows that are as good as exact do not overflow.
    """
    mean = alpha / total[:, None]
    square = 1.0 / (total + 1.0)
    own = mean * square[:, None]
    return Moments(mean, np.ones_like(total), square, own, own)


Method = Literal["multinomial", "dirichlet", "bootstrap"]
METHODS = ("multinomial", "dirichlet", "bootstrap")


def check_method(method: str) -> None:
    """Refuse a method that is not known.

    Parameters
    ----------
    method : str
        Name of the method.

    Raises
    ------
    ValueError
        If it is not one of `METHODS`.
    """
    if method not in METHODS:
        message = f"method {method!r}: {', '.join(METHODS)} are known"
        raise ValueError(message)
