"""Draws for arrays of any quantity: a time, a position, a cosine."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels.arrays import uniform_pairs
from forefold.kernels.philox import random_key
from forefold.response.base import Response

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["smear_values"]

_LAST = 2**64


def smear_values(
    response: Response,
    true: ArrayLike,
    *,
    rng: int | np.random.Generator | None = None,
    first: int = 0,
) -> NDArray[np.float64]:
    """Draw what is observed of each true value, whatever the quantity: times, positions, cosines, energies.

    Parameters
    ----------
    response : Response
        What is observed of a true value.
    true : array_like, shape (n,)
        In the unit of the response.
    rng : int, numpy Generator or None
        As in `forefold.smear`: an integer from 0 to 2^64 - 1 fixes every draw.
    first : int
        Place of the first value among all that are drawn with this `rng`, so that pieces give the bits of the whole.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where it is not detected.

    Raises
    ------
    ValueError
        `true` is not one-dimensional, or `rng` or `first` is not valid.
    TypeError
        `response` is none; of a card `forefold.card_response` makes one.

    Examples
    --------
    The time of a hit, in ns: a resolution of 1.5 ns, and 2 % of the hits lost.

    >>> import numpy as np
    >>> from forefold.response.distributions import Normal, TruncatedNormal
    >>> from forefold.response import Smear, smear_values
    >>> clock = Smear(Normal(), sigma=1.5, efficiency=0.98)
    >>> times = np.linspace(0.0, 100.0, 1000)
    >>> seen = smear_values(clock, times, rng=1)
    >>> bool(np.isnan(seen).any())
    True
    >>> halves = [smear_values(clock, times[:500], rng=1), smear_values(clock, times[500:], rng=1, first=500)]
    >>> np.array_equal(np.concatenate(halves), seen, equal_nan=True)
    True

    A cosine stays between -1 and 1:

    >>> cosine = Smear(TruncatedNormal(low=-1.0, high=1.0), sigma=0.1)
    >>> bool(abs(smear_values(cosine, np.full(1000, 0.99), rng=1)).max() <= 1.0)
    True
    """
    argument: object = response
    if not isinstance(argument, Response):
        message = f"a Response is expected, found {argument!r}; of a card, card_response(card, particle) makes one"
        raise TypeError(message)
    values = np.asarray(true, dtype=np.float64)
    if values.ndim != 1:
        message = f"true has {values.ndim} dimensions; a list of values is needed"
        raise ValueError(message)
    start: object = first
    if (
        isinstance(start, bool)
        or not isinstance(start, Integral)
        or not 0 <= first < _LAST - values.size
    ):
        message = f"first: a whole number from 0 on is needed, found {first!r}"
        raise ValueError(message)
    key = np.full(values.size, random_key(rng), dtype=np.uint64)
    entry = np.arange(values.size, dtype=np.uint64) + np.uint64(first)
    particle = np.zeros(values.size, dtype=np.uint64)
    rows: list[NDArray[np.float64]] = []
    for purpose in range(0, response.n_uniforms, 2):
        rows += uniform_pairs(key, entry, particle, purpose)
    uniforms = np.array(rows[: response.n_uniforms]).reshape(response.n_uniforms, values.size)
    return response.sample(values, uniforms)
