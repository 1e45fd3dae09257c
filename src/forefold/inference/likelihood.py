"""Likelihoods of counts, with and without a finite simulation; pure functions of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Terms", "barlow_beeston", "correlated", "poisson"]

_LEAST = 1e-9  # counts; below it the likelihood goes on as a straight line
_KNOWN = 1e-12  # squared relative error that is none
_CLOSE = 1e-6  # relative change of means in the last step
_STEPS = 100
_EMPTY = 1e-12  # counts that hold means of empty bins above 0
_NONE = 1e-300
_MANY = 1e4  # counts that do without the difference of large numbers


class Terms(NamedTuple):
    """Terms of half a deviance, bin by bin.

    Attributes
    ----------
    value : ndarray, shape (..., n)
        Negative logarithm of the likelihood, less that of a perfect prediction.
    slope : ndarray, shape (..., n)
        Derivative with respect to what is expected.
    spread : ndarray, shape (..., n) or (..., n, n)
        Variances of counts about what is expected, the simulation's too; their covariance where bins are correlated.

    Notes
    -----
    The derivative with respect to the covariance of what is expected is minus half of ``outer(slope, slope)``.
    """

    value: Array
    slope: Array
    spread: Array

    def information(self, slopes: Array) -> Array:
        """Give expected second derivatives with respect to parameters.

        Parameters
        ----------
        slopes : ndarray, shape (..., parameters, n)
            Derivatives of what is expected; (parameters, n) where they are equal for all.

        Returns
        -------
        ndarray, shape (..., parameters, parameters)
        """
        if self.spread.ndim > self.value.ndim:
            return np.asarray(slopes @ np.linalg.solve(self.spread, slopes.swapaxes(-1, -2)))
        if self.value.ndim == 2 and slopes.ndim == 2:
            products = (slopes[:, None] * slopes).reshape(-1, slopes.shape[1])
            elements = products @ (1.0 / self.spread).T
            return elements.reshape(len(slopes), len(slopes), -1).transpose(2, 0, 1)
        return np.asarray(slopes / self.spread[..., None, :] @ slopes.swapaxes(-1, -2))


def poisson(data: Array, expected: Array) -> Terms:
    """Give half the Poisson deviance of counts.

    Parameters
    ----------
    data : ndarray, shape (..., n)
        Counts; not necessarily whole numbers.
    expected : ndarray, shape (..., n)

    Returns
    -------
    Terms

    References
    ----------
    S. Baker, R. Cousins, Nucl. Instrum. Meth. 221 (1984) 437.

    Examples
    --------
    >>> poisson(np.array([0.0, 4.0]), np.array([1.0, 4.0])).value.tolist()
    [1.0, 0.0]
    """
    safe = np.maximum(expected, _LEAST)
    slope = (safe - data) / safe
    # below the least the slope stays, so that a fit finds its way back
    return Terms(_lack(data, safe) + slope * (expected - safe), slope, safe)


def _lack(data: Array, mean: Array) -> Array:
    """Give half the deviance of counts from means above 0; where counts are many, without the difference of large numbers."""
    log = np.log(np.maximum(data / mean, _NONE))  # times 0 where there are no counts
    deviance = np.asarray(mean - data + data * log)
    many = data > _MANY
    if many.any():
        n = data[many]
        off = (mean[many] - n) / n
        close = np.abs(off) < 0.5
        exact = n * (off - np.log1p(np.where(close, off, 0.0)))
        deviance[many] = np.where(close, exact, deviance[many])
    return deviance


def barlow_beeston(data: Array, expected: Array, variance: Array) -> Terms:
    """Give the same where what is expected has a variance from a finite simulation.

    Parameters
    ----------
    data, expected : ndarray, shape (..., n)
    variance : ndarray, shape (..., n)
        Of `expected`.

    Returns
    -------
    Terms

    Notes
    -----
    One normal factor a bin ("lite"), at its best value: the mean m minimises m - n log m + (m - expected)² / (2 variance). Bins are
    independent here; for events that move between bins see `correlated`.

    References
    ----------
    R. Barlow, C. Beeston, Comput. Phys. Commun. 77 (1993) 219; J. S. Conway, arXiv:1103.0354, section 5.

    Examples
    --------
    >>> barlow_beeston(np.array([4.0]), np.array([9.0]), np.array([0.0])).value == poisson(np.array([4.0]), np.array([9.0])).value
    array([ True])
    >>> barlow_beeston(np.array([4.0]), np.array([9.0]), np.array([9.0])).value.round(3).tolist()
    [0.878]
    """
    plain = poisson(data, expected)
    uncertain = _uncertain(expected, variance)
    if not uncertain.any():
        return plain
    v = np.where(uncertain, variance, 1.0)
    mean = _alone(data, expected, v)
    off = (mean - expected) / v
    value = _lack(data, np.maximum(mean, 1e-300)) + 0.5 * off * off * v
    return Terms(
        np.where(uncertain, value, plain.value),
        np.where(uncertain, -off, plain.slope),
        plain.spread + np.where(uncertain, v, 0.0),
    )


def _alone(data: Array, expected: Array, variance: Array) -> Array:
    """Give the best mean of each bin by itself."""
    half = 0.5 * (expected - variance)
    reach = np.hypot(half, np.sqrt(data * variance))
    # the larger root, without cancellation
    return np.where(half >= 0.0, half + reach, data * variance / np.maximum(reach - half, 1e-300))


def correlated(data: Array, expected: Array, covariance: Array) -> Terms:
    """Give the same where the bins of what is expected are correlated, as those of a simulation with migrations are.

    Parameters
    ----------
    data, expected : ndarray, shape (..., n)
    covariance : ndarray, shape (..., n, n)
        Of `expected`; it may be singular.

    Returns
    -------
    Terms

    Notes
    -----
    The means m >= 0 minimise the sum of m - n log m, and half of (m - expected) C⁻¹ (m - expected): one normal factor, of several dimensions, at its
    best value. With s = n / m the minimum is where m = expected - C (1 - s), which needs no inverse of C; it is found by Newton's method for
    both, m and s above 0 (a primal-dual interior point). With a diagonal covariance it is `barlow_beeston`. Where no such means are to be had, as
    with a sum that is known and negative, it is `poisson`, which goes on below 0.

    References
    ----------
    R. Barlow, C. Beeston, Comput. Phys. Commun. 77 (1993) 219; S. Boyd, L. Vandenberghe, Convex Optimization (2004), section 11.7.

    Examples
    --------
    >>> import numpy as np
    >>> data, expected = np.array([30.0, 20.0]), np.array([25.0, 25.0])
    >>> correlated(data, expected, np.diag([9.0, 4.0])).value.round(6) == barlow_beeston(data, expected, np.array([9.0, 4.0])).value.round(6)
    array([ True,  True])
    >>> round(float(correlated(data, expected, np.array([[9.0, -9.0], [-9.0, 9.0]])).value.sum()), 4)  # the sum is known
    0.5868
    """
    if data.ndim == 1:
        one = correlated(data[None], expected[None], covariance[None])
        return Terms(*(term[0] for term in one))
    uncertain = _uncertain(expected, np.diagonal(covariance, axis1=1, axis2=2))
    if uncertain.all():
        return _profiled(data, expected, covariance)
    plain = poisson(data, expected)
    spread = _diagonal(plain.spread)
    for bins in np.unique(uncertain, axis=0):
        if not bins.any():
            continue
        rows = (uncertain == bins).all(axis=1)
        cells, blocks = np.ix_(rows, bins), np.ix_(rows, bins, bins)
        terms = _profiled(data[cells], expected[cells], covariance[blocks])
        plain.value[cells], plain.slope[cells], spread[blocks] = terms
    return plain._replace(spread=spread)


def _profiled(data: Array, expected: Array, covariance: Array) -> Terms:
    """Give terms at the best means; those of Poisson, if there are none."""
    mean, slope, good = _means(data, expected, covariance)
    pulled = slope * (covariance @ slope[:, :, None])[:, :, 0]
    spread = _diagonal(np.maximum(expected, _LEAST))
    if good.all():
        return Terms(_lack(data, mean) + 0.5 * pulled, slope, spread + covariance)
    plain, good_rows = poisson(data, expected), good[:, None]
    value = _lack(data, np.where(good_rows, mean, 1.0)) + 0.5 * pulled
    return Terms(
        np.where(good_rows, value, plain.value),
        np.where(good_rows, slope, plain.slope),
        spread + np.where(good_rows[:, :, None], covariance, 0.0),
    )


def _diagonal(values: Array) -> Array:
    """Make diagonal matrices of rows, shape (n, k, k)."""
    n, k = values.shape
    matrices = np.zeros((n, k * k))
    matrices[:, :: k + 1] = values
    return matrices.reshape(n, k, k)


def _uncertain(expected: Array, variance: Array) -> NDArray[np.bool_]:
    return np.asarray(variance > _KNOWN * np.maximum(expected, _LEAST) ** 2)


def _means(
    data: Array, expected: Array, covariance: Array
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Find the best means, and 1 less data over them, and whether there are any; shapes (n, bins), (n, bins) and (n,). See `correlated`."""
    n, k = data.shape
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    alone = _alone(data, expected, variance)
    ratio = np.maximum(1.0 - (expected - alone) / variance, 1e-3)
    slope = 1.0 - ratio  # beside it, as one of them is near 0 and must be right there
    mean = np.maximum(alone, 1e-3 * np.sqrt(variance))
    target = np.where(data > 0.0, data, 0.1 * ratio * mean)  # of the mean times its ratio
    # what would have no mean above 0 has one
    c = covariance + _diagonal(1e-10 * variance)
    rows, good = np.arange(n), np.zeros(n, np.bool_)
    best, slopes = np.zeros_like(mean), np.zeros_like(mean)
    for _ in range(_STEPS):
        off = mean - expected + (c @ slope[:, :, None])[:, :, 0]
        lines = ratio[:, :, None] * c
        lines.reshape(-1, k * k)[:, :: k + 1] += mean
        turn = np.linalg.solve(lines, (target - ratio * (mean - off))[:, :, None])
        move, turn = (c @ turn)[:, :, 0] - off, turn[:, :, 0]
        steps = np.concatenate((move / mean, turn / ratio), axis=1)
        # all stays above 0
        reach = np.minimum(1.0, 0.995 / np.maximum(-steps.min(axis=1), 0.5))[:, None]
        mean, ratio, slope = mean + reach * move, ratio + reach * turn, slope - reach * turn
        target = np.where(data > 0.0, data, np.maximum(0.1 * (1.0 - 0.9 * reach) * target, _EMPTY))
        # Newton's steps square their error: the next one would be beyond the last digit
        done = np.abs(steps).max(axis=1) < _CLOSE
        if done.any():
            here, left = rows[done], ~done
            best[here], slopes[here], good[here] = mean[done], slope[done], True
            if not left.any():
                break
            rows, data, expected, c = rows[left], data[left], expected[left], c[left]
            mean, ratio, slope, target = mean[left], ratio[left], slope[left], target[left]
    return best, slopes, good
