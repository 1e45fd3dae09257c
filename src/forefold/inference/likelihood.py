"""Likelihoods of counts, with and without a finite simulation; pure functions of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Terms", "barlow_beeston", "poisson"]

_LEAST = 1e-9  # counts; below it the likelihood goes on as a straight line


class Terms(NamedTuple):
    """Terms of half a deviance, bin by bin.

    Attributes
    ----------
    value : ndarray, shape (n,)
        Negative logarithm of the likelihood, less that of a perfect prediction.
    slope : ndarray, shape (n,)
        Derivative with respect to what is expected.
    spread_slope : ndarray, shape (n,)
        Derivative with respect to the variance of what is expected.
    information : ndarray, shape (n,)
        Expected second derivative.
    """

    value: Array
    slope: Array
    spread_slope: Array
    information: Array


def poisson(data: Array, expected: Array) -> Terms:
    """Give half the Poisson deviance of counts.

    Parameters
    ----------
    data : ndarray, shape (n,)
        Counts; not necessarily whole numbers.
    expected : ndarray, shape (n,)

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
    full = data > 0.0
    log = np.log(np.where(full, data / safe, 1.0))
    slope = 1.0 - data / safe
    # below the least the slope stays, so that a fit finds its way back
    value = safe - data + data * log + slope * (expected - safe)
    return Terms(value, slope, np.zeros_like(slope), 1.0 / safe)


def barlow_beeston(data: Array, expected: Array, variance: Array) -> Terms:
    """Give the same where what is expected has a variance from a finite simulation.

    Parameters
    ----------
    data, expected : ndarray, shape (n,)
    variance : ndarray, shape (n,)
        Of `expected`.

    Returns
    -------
    Terms

    Notes
    -----
    One normal factor a bin ("lite"), at its best value: the mean m minimises m - n log m + (m - expected)² / (2 variance). Bins are taken as independent,
    which events that move between bins are not quite.

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
    known = variance > 1e-12 * np.maximum(expected, _LEAST) ** 2
    if not known.any():
        return plain
    v = np.where(known, variance, 1.0)
    half = 0.5 * (expected - v)
    reach = np.hypot(half, np.sqrt(data * v))
    # the larger root, without cancellation
    mean = np.where(half >= 0.0, half + reach, data * v / np.maximum(reach - half, 1e-300))
    safe = np.maximum(mean, _LEAST)
    full = data > 0.0
    log = np.log(np.where(full, data / safe, 1.0))
    off = (mean - expected) / v
    value = mean - data + data * log + 0.5 * off * off * v
    return Terms(
        np.where(known, value, plain.value),
        np.where(known, -off, plain.slope),
        np.where(known, -0.5 * off * off, 0.0),
        np.where(known, 1.0 / (np.maximum(expected, _LEAST) + v), plain.information),
    )
