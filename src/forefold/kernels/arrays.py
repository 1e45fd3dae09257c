"""Elementary functions and uniforms of whole arrays, with the same bits on every machine.

Together with numpy's own +, -, x, / and square root they are all that a draw outside the smearing loop may use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels.jit import jit
from forefold.kernels.philox import uniforms

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["exponentials", "logarithms", "sines_cosines", "uniform_pairs"]


@jit
def _exponentials(x: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    for i in range(x.size):
        out[i] = fm.exponential(x[i])


@jit
def _logarithms(x: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    for i in range(x.size):
        out[i] = fm.logarithm(x[i])


@jit
def _sines_cosines(
    x: NDArray[np.float64], sine: NDArray[np.float64], cosine: NDArray[np.float64]
) -> None:
    for i in range(x.size):
        sine[i], cosine[i] = fm.sine_cosine(x[i])


@jit
def _uniform_pairs(
    key: NDArray[np.uint64],
    entry: NDArray[np.uint64],
    place: NDArray[np.uint64],
    block: np.uint64,
    even: NDArray[np.float64],
    odd: NDArray[np.float64],
) -> None:
    for i in range(key.size):
        even[i], odd[i] = uniforms(key[i], entry[i], place[i], block)


def _flat(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.ascontiguousarray(x, dtype=np.float64).ravel()


def _of_each(
    loop: Callable[[NDArray[np.float64], NDArray[np.float64]], None], x: NDArray[np.float64]
) -> NDArray[np.float64]:
    flat = _flat(x)
    out = np.empty(flat.size)
    loop(flat, out)
    return out.reshape(np.shape(x))


def exponentials(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exponential function of every element.

    Parameters
    ----------
    x : ndarray of float64

    Returns
    -------
    ndarray of float64
        In the shape of `x`.

    Examples
    --------
    >>> import numpy as np
    >>> exponentials(np.array([0.0, 1.0])).round(6).tolist()
    [1.0, 2.718282]
    """
    return _of_each(_exponentials, x)


def logarithms(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Natural logarithm of every element.

    Parameters
    ----------
    x : ndarray of float64

    Returns
    -------
    ndarray of float64
        In the shape of `x`.

    Examples
    --------
    >>> import numpy as np
    >>> logarithms(np.array([1.0, 2.0])).round(6).tolist()
    [0.0, 0.693147]
    """
    return _of_each(_logarithms, x)


def sines_cosines(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sine and cosine of every element.

    Parameters
    ----------
    x : ndarray of float64, rad
        Below 1e5 in size.

    Returns
    -------
    sine, cosine : ndarray of float64
        In the shape of `x`.

    Examples
    --------
    >>> import numpy as np
    >>> [v.round(6).tolist() for v in sines_cosines(np.array([0.0, np.pi / 6]))]
    [[0.0, 0.5], [1.0, 0.866025]]
    """
    flat = _flat(x)
    sine, cosine = np.empty(flat.size), np.empty(flat.size)
    _sines_cosines(flat, sine, cosine)
    return sine.reshape(np.shape(x)), cosine.reshape(np.shape(x))


def uniform_pairs(
    key: NDArray[np.uint64],
    entry: NDArray[np.uint64],
    place: NDArray[np.uint64],
    purpose: int,
    variation: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Uniforms of two purposes for every particle.

    Parameters
    ----------
    key, entry, place : ndarray of uint64, shape (n,)
        As in `forefold.kernels.layout.TrueParticles`.
    purpose : int
        The even one of the two.
    variation : int
        From 0 to 2^16 - 1.

    Returns
    -------
    even, odd : ndarray of float64, shape (n,)
        In the open interval (0, 1), for `purpose` and `purpose` + 1.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones(1, dtype=np.uint64)
    >>> [u.round(4).tolist() for u in uniform_pairs(one, one, one, purpose=6)]
    [[0.5846], [0.6305]]
    """
    even, odd = np.empty(key.size), np.empty(key.size)
    block = np.uint64(variation << 16 | purpose >> 1)
    _uniform_pairs(key, entry, place, block, even, odd)
    return even, odd
