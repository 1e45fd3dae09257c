"""How well a response matrix is known: the statistics of the sample that it was filled with."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from forefold._inputs import unmasked
from forefold.kernels.philox import random_key
from forefold.matrix.contents import Contents, inside

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = [
    "METHODS",
    "Method",
    "Moments",
    "Uncertainty",
    "cell_variance",
    "dirichlet",
    "dirichlet_moments",
    "folded_covariance",
    "row_covariances",
    "row_variances",
]


class Moments(NamedTuple):
    """First and second moments.

    Attributes
    ----------
    rows : ndarray, shape (n_true, n_reco)
        R.
    total, square : ndarray, shape (n_true,)
        T, and the sum of w².
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


def cell_variance(moments: Moments) -> Array:
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


class Uncertainty:
    """Part of `forefold.ResponseMatrix`: variances, covariances and toys."""

    _contents: Contents
    matrix: Any

    @cached_property
    def _moments(self) -> Moments:
        held = self._contents
        total = np.asarray(held.truth.values(), dtype=np.float64).reshape(-1)
        square = np.asarray(held.truth.variances(), dtype=np.float64).reshape(-1)
        own = inside(held.counts.variances(), held.true_axes, held.reco_axes)
        drawn = held.oversampled
        if held.independent:
            none = np.zeros_like(own)
            return Moments(self.matrix, total, np.zeros_like(total), none, own)
        if drawn is None:
            return Moments(self.matrix, total, square, own, own)
        return Moments(self.matrix, total, square, drawn.linear, drawn.pairs)

    @property
    def variance(self) -> Array:
        """Variance of every element of `matrix`, shape (n_true, n_reco): weighted multinomial, or as given; 0 of an exact matrix."""
        return cell_variance(self._moments)

    @property
    def effective_entries(self) -> Array:
        """Entries of weight 1 that would know a row as well, (sum of w)² / sum of w²; shape (n_true,).

        Infinite for an exact matrix, 0 for an empty row. Draws of one event count once; `equivalent_entries` knows what they add. Where
        errors were given, these are the `equivalent_entries`.
        """
        entries = self._of_weights()
        return self._of_variances(entries) if self._contents.independent else entries

    def _of_weights(self) -> Array:
        square, total = self._moments.square, self._moments.total
        none: Array = np.where(total > 0.0, np.inf, 0.0)
        return np.asarray(np.divide(np.square(total), square, out=none, where=square > 0.0))

    @property
    def equivalent_entries(self) -> Array:
        """Entries of weight 1, one draw each, that would give the row's variances (summed over its cells); shape (n_true,).

        With several draws an event it is above `effective_entries`, by less than the number of draws: what an event is, is drawn once.
        """
        return self._of_variances(self._of_weights())

    def _of_variances(self, otherwise: Array) -> Array:
        of_one = (self.matrix * (1.0 - self.matrix)).sum(axis=1)
        total = self.variance.sum(axis=1)
        good = (total > 0.0) & (of_one > 0.0)
        with np.errstate(over="ignore"):  # as good as infinite
            return np.asarray(np.divide(of_one, total, out=otherwise, where=good))

    def moments(self, method: Method = "multinomial", *, prior: float = 0.5) -> Moments:
        """Give the moments of which the covariance of a spectrum of any truth is made.

        Parameters
        ----------
        method : {"multinomial", "dirichlet", "bootstrap"}
            See `covariance`.
        prior : float
            See `covariance`.

        Returns
        -------
        Moments

        Raises
        ------
        ValueError
            As `covariance`.
        """
        _checked(method)
        if method == "multinomial":
            return self._moments
        if method == "bootstrap":
            rows = self.replicas - self.replicas.mean(axis=0)
            own = np.einsum("bij,bik->ijk", rows, rows) / (len(rows) - 1)
            none = np.zeros(own.shape[:2])
            return Moments(none, np.ones(len(own)), none[:, 0], none, own)
        alpha, total = self._dirichlet(prior)
        return dirichlet_moments(alpha, total)

    def row_covariance(self, method: Method = "multinomial", *, prior: float = 0.5) -> Array:
        """Give the covariance of every row of `matrix`; rows are independent of each other.

        Parameters
        ----------
        method : {"multinomial", "dirichlet", "bootstrap"}
            See `covariance`.
        prior : float
            See `covariance`.

        Returns
        -------
        ndarray, shape (n_true, n_reco, n_reco)
        """
        return row_covariances(self.moments(method, prior=prior))

    def covariance(
        self, truth: ArrayLike, method: Method = "multinomial", *, prior: float = 0.5
    ) -> Array:
        """Give the covariance of a folded spectrum, ``truth @ matrix``, that comes from the statistics of the matrix.

        Parameters
        ----------
        truth : array_like, shape (n_true,)
        method : {"multinomial", "dirichlet", "bootstrap"}
            ``multinomial``: of ratios of weighted sums, to first order; of draws of one event, by event. A cell without
            entries has no variance. Errors that were given are taken as they are, independent of each other. ``dirichlet``: the posterior of each row with its `equivalent_entries`, so that
            cells without entries have a variance too; more than enough where entries are few. ``bootstrap``: the
            scatter of the replicas that were filled, which knows everything that the events know.
        prior : float
            For ``dirichlet``: entries that each bin, and the missed ones, are given beforehand; 0.5 is Jeffreys's prior, 1 a flat one.

        Returns
        -------
        ndarray, shape (n_reco, n_reco)

        Raises
        ------
        ValueError
            If `truth` has another length, there is no such method, or bootstrap without replicas.

        Examples
        --------
        >>> import forefold
        >>> matrix = forefold.ResponseMatrix.from_array([[0.5, 0.3]], [0, 1], [0, 1, 2], entries=100)
        >>> matrix.covariance([10.0]).round(6).tolist()
        [[0.25, -0.15], [-0.15, 0.21]]
        """
        t = unmasked("truth", truth).reshape(-1)
        if t.size != self.matrix.shape[0]:
            message = f"truth has {t.size} bins, the matrix has {self.matrix.shape[0]} true ones"
            raise ValueError(message)
        if method == "bootstrap":
            folded = np.einsum("i,bij->bj", t, self.replicas)
            return np.asarray(np.atleast_2d(np.cov(folded, rowvar=False)))
        return folded_covariance(self.moments(method, prior=prior), t)

    @property
    def replicas(self) -> Array:
        """Matrices of the bootstrap replicas, shape (replicas, n_true, n_reco).

        Raises
        ------
        ValueError
            If none were filled.
        """
        replicas = self._contents.replicas
        if replicas is None or len(replicas.truth) < 2:
            message = "bootstrap: no replicas were filled; give from_events(..., replicas=200)"
            raise ValueError(message)
        total = replicas.truth[:, :, None]
        return np.divide(
            replicas.counts, total, out=np.zeros_like(replicas.counts), where=total != 0.0
        )

    def _dirichlet(self, prior: float) -> tuple[Array, Array]:
        if not 0.0 < prior < np.inf:
            message = f"prior = {prior!r}: a finite number above 0 is needed"
            raise ValueError(message)
        if np.any(self.matrix < 0.0) or np.any(self.matrix.sum(axis=1) > 1.0 + 1e-9):
            message = "dirichlet: a cell is negative, or a row sums to more than 1; probabilities are needed: take method='multinomial'"
            raise ValueError(message)
        entries = np.minimum(self.equivalent_entries, 1e300)
        return dirichlet(self.matrix, entries, prior)

    def toys(
        self,
        n: int,
        *,
        rng: int | np.random.Generator | None = None,
        prior: float = 1e-3,
    ) -> Array:
        """Draw matrices from the Dirichlet posterior of the rows, for toys that include the statistics of the matrix.

        Parameters
        ----------
        n : int
        rng : int, numpy Generator or None
            As in `forefold.smear`.
        prior : float
            See `covariance`; near 0 by default, so that the mean of the toys is the matrix.

        Returns
        -------
        ndarray, shape (n, n_true, n_reco)
            Empty rows stay 0; an exact matrix comes out as it is.
        """
        if self._contents.exact:
            return np.repeat(self.matrix[None], n, axis=0)
        generator = np.random.Generator(np.random.Philox(random_key(rng)))
        alpha, total = self._dirichlet(prior)
        missed = np.maximum(total - alpha.sum(axis=1), prior)
        gammas = generator.standard_gamma(
            np.column_stack([alpha, missed]), (n, *missed.shape, alpha.shape[1] + 1)
        )
        rows = gammas[..., :-1] / gammas.sum(axis=-1, keepdims=True)
        rows[:, self._moments.total == 0.0] = 0.0
        return np.asarray(rows)


def _checked(method: str) -> None:
    if method not in METHODS:
        message = f"method {method!r}: {', '.join(METHODS)} are known"
        raise ValueError(message)
