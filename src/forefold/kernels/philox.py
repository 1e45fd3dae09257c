"""Counter-based random numbers: Philox4x32-10 (Salmon et al., SC'11, doi:10.1145/2063384.2063405).

A draw is a pure function of (rng, stream, entry, particle, purpose, variation):

===========  =====================================================================
word         holds
===========  =====================================================================
key          ``rng XOR mix(stream)``, 64 bits
counter 0    low 32 bits of the event's entry in its file
counter 1    high 32 bits of the entry
counter 2    index of the particle in its event
counter 3    ``variation << 16 | purpose >> 1``
===========  =====================================================================

What is drawn of an event as a whole has the particle 2^32 - 1, which no event is long enough to have.

The 128 bits of a call serve two purposes: the even one takes words 0 and 1, the odd one words 2 and 3.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels.jit import inlined, jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "NO_PARTICLE",
    "PURPOSE_AZIMUTH",
    "PURPOSE_COMPONENT",
    "PURPOSE_EFFICIENCY",
    "PURPOSE_ENERGY",
    "PURPOSE_IDENTIFICATION",
    "PURPOSE_THETA",
    "PURPOSE_TIME",
    "PURPOSE_VERTEX",
    "philox",
    "random_key",
    "stream_keys",
    "uniforms",
]

PURPOSE_ENERGY = 0
PURPOSE_THETA = 1
PURPOSE_EFFICIENCY = 2
PURPOSE_COMPONENT = 3
PURPOSE_AZIMUTH = 4
PURPOSE_IDENTIFICATION = 5
# 6 to 11 belong to the stages: forefold.detector.stages.base
PURPOSE_VERTEX = 16  # x, and y and z behind it
PURPOSE_TIME = 19

NO_PARTICLE = 0xFFFFFFFF

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_ROUNDS = 10
_ONE = np.uint64(0x3FF0000000000000)
_DROPPED = np.uint64(12)
_HALF_STEP = 2.0**-53
_RNG_LIMIT = 2**64


@jit
def philox(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Philox4x32-10: four 32-bit words from a counter and a key, each in the low half of a 64-bit integer.

    The high halves of what goes in and comes out mean nothing: to clear them in each round would cost a third of the time.
    """
    for _ in range(_ROUNDS):
        product0 = _M0 * (c0 & _LOW)
        product1 = _M1 * (c2 & _LOW)
        c0 = (product1 >> _32) ^ c1 ^ k0
        c1 = product1
        c2 = (product0 >> _32) ^ c3 ^ k1
        c3 = product0
        k0 = k0 + _W0
        k1 = k1 + _W1
    return c0, c1, c2, c3


@jit
def even_odd(w0: np.uint64, w1: np.uint64, w2: np.uint64, w3: np.uint64) -> tuple[float, float]:
    """Two uniforms from the four words."""
    even = ((w1 << _32) | (w0 & _LOW)) >> _DROPPED
    odd = ((w3 << _32) | (w2 & _LOW)) >> _DROPPED
    # 52 bits behind the bits of 1: a number from 1 to 2
    low = np.uint64(even | _ONE).view(np.float64) - 1.0
    high = np.uint64(odd | _ONE).view(np.float64) - 1.0
    return low + _HALF_STEP, high + _HALF_STEP


_philox = inlined(philox)


@jit
def uniforms(
    key: np.uint64, entry: np.uint64, particle: np.uint64, block: np.uint64
) -> tuple[float, float]:
    """Two uniforms in the open interval (0, 1), multiples of 2^-53, from one block of a particle.

    `block` is counter word 3.  52 bits are taken, so that both u and 1 - u are exact.
    """
    w0, w1, w2, w3 = _philox(entry, entry >> _32, particle, block, key, key >> _32)
    return even_odd(w0, w1, w2, w3)


def stream_keys(rng: int, stream: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Key of every event: ``rng XOR mix(stream)``, with splitmix64's finaliser as the mix (a bijection).

    Parameters
    ----------
    rng : int
        From 0 to 2^64 - 1.
    stream : ndarray of uint64, shape (n,)
        What tells the files apart; 0 maps to 0, so that the key of in-memory events is `rng` itself.

    Returns
    -------
    ndarray of uint64, shape (n,)

    References
    ----------
    Steele, Lea and Flood, OOPSLA'14, doi:10.1145/2660193.2660195.
    """
    x = stream.astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    keys: NDArray[np.uint64] = x ^ np.uint64(rng)
    return keys


def random_key(rng: int | np.random.Generator | None) -> int:
    """Turn `rng` into the integer that fixes every draw.

    Parameters
    ----------
    rng : int, numpy Generator or None
        See `forefold.smear`.

    Returns
    -------
    int
        From 0 to 2^64 - 1.

    Raises
    ------
    ValueError
        The integer is out of range, or `rng` is something else.

    Examples
    --------
    >>> random_key(7)
    7
    """
    if rng is None:
        return secrets.randbits(64)
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(0, _RNG_LIMIT - 1, dtype=np.uint64, endpoint=True))
    whole = type(rng) is int or isinstance(rng, np.integer)
    if not whole or not 0 <= rng < _RNG_LIMIT:
        message = f"rng: a whole number from 0 to 2^64 - 1, a Generator or None; found {rng!r}"
        raise ValueError(message)
    return int(rng)
