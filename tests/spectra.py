"""A smeared spectrum for tests of unfolding: gamma-distributed truth, normal resolution, 90 % efficiency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

END = 10.0
FINE = 50


def spectrum(
    n: int = 10, m: int = 20, *, events: float = 1e4, width: float = 0.6
) -> tuple[Array, Array]:
    """Give R[true, reco] (uniform within true bins) and the true contents."""
    true, reco = np.linspace(0.0, END, n + 1), np.linspace(0.0, END, m + 1)
    fine = np.linspace(0.0, END, n * FINE + 1)
    middle = 0.5 * (fine[1:] + fine[:-1])
    kernel = np.array([np.diff(stats.norm.cdf(reco, x, width)) for x in middle])
    matrix = 0.9 * kernel.reshape(n, FINE, m).mean(axis=1)
    return matrix, events * np.diff(stats.gamma.cdf(true, 4.0))


def counts(matrix: Array, truth: Array, rng: int = 1) -> Array:
    """Throw a spectrum."""
    return np.random.default_rng(rng).poisson(truth @ matrix).astype(np.float64)
