"""What is to be unfolded, as plain arrays, and what is wrong with it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.unfolding.bin_names import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Measurement", "array", "blind_bins", "checked_measurement"]

_SLACK = 1e-6


@dataclass(frozen=True, eq=False)
class Measurement:
    """Data, response and what else an unfolding needs; made by `checked_measurement`.

    Attributes
    ----------
    data : ndarray, shape (n_reco,)
        Counts, with the background in them.
    variance : ndarray, shape (n_reco, n_reco)
        Covariance of the data that weights the methods that use chi2; with what `extra` adds.
    statistical : ndarray, shape (n_reco, n_reco)
        Covariance of the data alone.
    poisson : bool
        Whether the data are counts, so that their variances are not given but follow from them.
    matrix : ndarray, shape (n_true, n_reco)
        R[true, reco].
    background : ndarray, shape (n_reco,)
        Expected counts that come from no true bin.
    prior : ndarray, shape (n_true,)
        Where iterations begin, and what curvature and filters refer to; its name is `prior_name`.
    prior_name : str
    shape : tuple of int
        Bins of the true axes; their product is n_true, unless true bins were left out.
    kept : ndarray of bool
        Which of the bins of `shape` these n_true are.
    """

    data: Array
    variance: Array
    statistical: Array
    poisson: bool
    matrix: Array
    background: Array
    prior: Array
    prior_name: str
    shape: tuple[int, ...]
    kept: NDArray[np.bool_]

    @property
    def n_true(self) -> int:
        """Number of true bins."""
        return int(self.matrix.shape[0])

    @property
    def n_reco(self) -> int:
        """Number of reconstructed bins."""
        return int(self.matrix.shape[1])

    @property
    def signal(self) -> Array:
        """Data less background, shape (n_reco,)."""
        return self.data - self.background

    @cached_property
    def rank(self) -> int:
        """Rank of the matrix, at numpy's tolerance."""
        return int(np.linalg.matrix_rank(self.matrix))

    @cached_property
    def condition(self) -> float:
        """Largest over smallest singular value; infinite where the rank is not full."""
        values = np.linalg.svd(self.matrix, compute_uv=False)
        full = self.rank == min(self.matrix.shape)
        return float(values[0] / values[-1]) if full else math.inf

    @cached_property
    def whitener(self) -> Array:
        """Q with Q V Q^T = 1, shape (n_reco, n_reco).

        Raises
        ------
        ValueError
            The covariance is not positive definite.
        """
        diagonal = np.diag(self.variance)
        if np.array_equal(self.variance, np.diag(diagonal)) and (diagonal > 0.0).all():
            return np.diag(1.0 / np.sqrt(diagonal))
        try:
            factor = np.linalg.cholesky(self.variance)
        except np.linalg.LinAlgError:
            rank = np.linalg.matrix_rank(self.variance, hermitian=True)
            message = (
                f"the covariance of the data is not positive definite: rank {rank} of {self.n_reco}; "
                "join bins, or add the statistical variances"
            )
            raise ValueError(message) from None
        return np.asarray(np.linalg.inv(factor))

    def require_full_rank(self, method: str) -> None:
        """Refuse what has no single answer.

        Raises
        ------
        ValueError
            There are more true than reconstructed bins, or the matrix is singular.
        """
        n, m = self.matrix.shape
        way_out = "use fewer true bins, or a method with regularisation (bayes, tikhonov, wiener)"
        if n > m:
            message = f"{method} cannot find {n} true bins from {m} reconstructed ones: {way_out}"
            raise ValueError(message)
        if self.rank < n:
            message = f"{method}: the matrix is singular, rank {self.rank} of {n}: {way_out}"
            raise ValueError(message)

    def with_data(self, data: Array) -> Measurement:
        """Give the same measurement with other data: a toy of the same experiment, with its own Poisson variances."""
        if not self.poisson:
            return replace(self, data=data)
        variance = np.diag(poisson_variances(data))
        extra = self.variance - self.statistical
        return replace(self, data=data, statistical=variance, variance=variance + extra)


def checked_measurement(
    data: Any,
    matrix: Any,
    *,
    covariance: Any = None,
    extra: Any = None,
    background: Any = None,
    prior: Any = None,
    prior_name: str = "given",
    shape: tuple[int, ...] | None = None,
    blind: str = "stop",
) -> Measurement:
    """Check arrays and put them together.

    Parameters
    ----------
    data : array_like, shape (n_reco,)
    matrix : array_like, shape (n_true, n_reco)
        R[true, reco]; rows sum to the efficiency.
    covariance : array_like, shape (n_reco, n_reco) or (n_reco,), optional
        Of the data; left out, they are Poisson counts (variance = content, 1 where there is none).
    extra : array_like, shape (n_reco, n_reco), optional
        Systematic covariance, added for the weights.
    background : array_like, shape (n_reco,), optional
    prior : array_like, shape (n_true,), optional
        Left out: the same content in every bin.
    prior_name : str
        Where the prior comes from.
    shape : tuple of int, optional
        Bins of the true axes.
    blind : {"stop", "drop"}
        What to do with true bins of zero efficiency.

    Returns
    -------
    Measurement

    Raises
    ------
    ValueError
        Shapes do not fit, something is not finite or negative, or a true bin has no efficiency.

    Examples
    --------
    >>> checked_measurement([1.0, 2.0], [[0.9, 0.1], [0.0, 0.0]])
    Traceback (most recent call last):
    ...
    ValueError: true bin 1 has zero efficiency and cannot be unfolded: leave such bins out of the matrix, or say blind='drop' (--drop-blind)
    """
    response = array("response", matrix, 2)
    n, m = response.shape
    counts = array("data", data, 1, (m,), "one for each reconstructed bin")
    _check_response(response)
    empty = np.zeros(m)
    outside = (
        empty if background is None else array("background", background, 1, (m,), "as the data")
    )
    if (outside < 0.0).any():
        message = (
            f"background: {outside.min():g} in bin {int(outside.argmin())}; it is not negative"
        )
        raise ValueError(message)
    statistical = _covariance(covariance, counts, m)
    added = np.zeros((m, m)) if extra is None else array("extra covariance", extra, 2, (m, m))
    bins = (n,) if shape is None else tuple(int(k) for k in shape)
    if math.prod(bins) != n:
        message = (
            f"true axes of {' x '.join(map(str, bins))} bins do not fit a response of {n} true bins"
        )
        raise ValueError(message)
    kept = _seen(response, blind)
    flat = prior is None
    start = np.ones(n) if flat else array("prior", prior, 1, (n,), "one for each true bin")
    if (start < 0.0).any() or not start[kept].any():
        message = "prior: no bin may be negative and not all may be empty"
        raise ValueError(message)
    start = start[kept]
    if flat:
        start = start * max((counts - outside).sum(), 1.0) / (start @ response[kept]).sum()
    return Measurement(
        counts,
        statistical + added,
        statistical,
        covariance is None,
        response[kept],
        outside,
        start,
        "flat" if flat else prior_name,
        bins,
        kept,
    )


def poisson_variances(data: Array) -> Array:
    """Variances of counts: the content, and 1 where there is none."""
    return np.where(data > 0.0, data, 1.0)


def array(
    name: str, values: Any, ndim: int, shape: tuple[int, ...] | None = None, why: str = ""
) -> Array:
    """Give numbers as an array, checked.

    Raises
    ------
    ValueError
        They have another shape, or one is not finite.
    """
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        message = f"{name}: numbers are needed, found {type(values).__name__}"
        raise ValueError(message) from None
    if numbers.ndim != ndim or (shape is not None and numbers.shape != shape) or not numbers.size:
        wanted = str(shape) if shape is not None else f"{ndim} dimensions"
        message = f"{name} has shape {numbers.shape}; {wanted} is needed{', ' + why if why else ''}"
        raise ValueError(message)
    if not np.isfinite(numbers).all():
        where = [int(k) for k in np.argwhere(~np.isfinite(numbers))[0]]
        message = f"{name}: {numbers[tuple(where)]} in bin {where[0] if ndim == 1 else where}; numbers must be finite"
        raise ValueError(message)
    return numbers


def _covariance(covariance: Any, counts: Array, m: int) -> Array:
    if covariance is None:
        if (counts < 0.0).any():
            message = (
                f"data: {counts.min():g} in bin {int(counts.argmin())}; counts are not negative: give background apart "
                "with background=, or the covariance of the data"
            )
            raise ValueError(message)
        return np.diag(poisson_variances(counts))
    matrix = np.asarray(covariance, dtype=np.float64)
    if matrix.ndim == 1:
        matrix = np.diag(array("variances of the data", covariance, 1, (m,)))
    matrix = array("covariance of the data", matrix, 2, (m, m))
    if not np.allclose(matrix, matrix.T, rtol=1e-8, atol=1e-12 * abs(matrix).max()):
        message = "covariance of the data: is not symmetric"
        raise ValueError(message)
    return matrix


def _check_response(response: Array) -> None:
    if (response < 0.0).any():
        i, j = (int(k) for k in np.argwhere(response < 0.0)[0])
        message = f"response: {response[i, j]:g} at true bin {i}, reconstructed bin {j}; probabilities are not negative"
        raise ValueError(message)
    efficiency = response.sum(axis=1)
    if (efficiency > 1.0 + _SLACK).any():
        i = int(efficiency.argmax())
        message = f"response: row {i} sums to {efficiency[i]:g}; rows are true bins and sum to the efficiency, 1 at most"
        raise ValueError(message)


def _seen(response: Array, blind: str) -> NDArray[np.bool_]:
    if blind not in ("stop", "drop"):
        message = f"blind: 'stop' or 'drop' is needed, found {blind!r}"
        raise ValueError(message)
    kept: NDArray[np.bool_] = response.sum(axis=1) > 0.0
    if blind == "stop" and not kept.all():
        message = (
            f"true {listed(~kept)} zero efficiency and cannot be unfolded: leave such bins out of the matrix, "
            "or say blind='drop' (--drop-blind)"
        )
        raise ValueError(message)
    if not kept.any():
        message = "response: all is zero"
        raise ValueError(message)
    return kept


def blind_bins(measurement: Measurement) -> list[int]:
    """List the true bins that were left out, counted over all."""
    return [int(k) for k in np.flatnonzero(~measurement.kept)]
