"""The polar angle where its cosine is drawn from a normal that is cut to -1..1, in closed form.

All is in terms of h = 1 - cos(theta) = 2 sin^2(theta/2), which has its digits near the forward pole, where the cosine has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.response.distributions import TruncatedNormal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["cosine_cdf", "cosine_pdf", "cosine_span"]

_WHOLE = TruncatedNormal(0.0, 2.0)
_LEAST = 2.0**-53


def _h(theta: Array) -> Array:
    return np.asarray(2.0 * np.square(np.sin(0.5 * theta)))


def cosine_cdf(theta: Array, location: Array, sigma: Array) -> Array:
    """Probability of a polar angle of at most theta.

    Parameters
    ----------
    theta, location : ndarray, rad
        They broadcast; the location is the true angle.
    sigma : ndarray
        Width of the cosine before the cut, above 0.

    Returns
    -------
    ndarray
    """
    t = np.clip(theta, 0.0, np.pi)
    probability = _WHOLE.cdf(_h(t), _h(location), sigma)
    return np.where(theta < 0.0, 0.0, np.where(theta >= np.pi, 1.0, probability))


def cosine_pdf(theta: Array, location: Array, sigma: Array) -> Array:
    """Density (1/rad) of the polar angle between 0 and pi; parameters as for `cosine_cdf`.

    Notes
    -----
    Exactly on a pole it is not zero but tiny: a drawn cosine may round to there, and likelihood ratios go on.
    """
    inside = (theta >= 0.0) & (theta <= np.pi)
    density = _WHOLE.pdf(_h(theta), _h(location), sigma) * np.maximum(np.sin(theta), _LEAST)
    return np.where(inside, density, 0.0)


def cosine_span(location: Array, sigma: Array, reach: float) -> tuple[Array, Array]:
    """Polar angles (rad) at which the cosine is `reach` sigma above and below the true one, on the sphere."""
    h = _h(location)
    low, high = (np.clip(h + way * reach * sigma, 0.0, 2.0) for way in (-1.0, 1.0))
    return 2.0 * np.arcsin(np.sqrt(0.5 * low)), 2.0 * np.arcsin(np.sqrt(0.5 * high))
