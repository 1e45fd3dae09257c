"""A smeared spectrum for tests of unfolding: gamma-distributed truth, normal resolution, 90 % efficiency."""

from __future__ import annotations

from typing import Any

import hist
import numpy as np
from numpy.typing import NDArray
from scipy import stats

import forefold

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


TRUE = hist.axis.Regular(6, 0, 10, name="energy_true", label="True energy [GeV]")
RECO = hist.axis.Regular(9, 0, 10, name="energy_reco")


def known() -> forefold.ResponseMatrix:
    matrix, truth = spectrum(6, 9)
    return forefold.ResponseMatrix.from_array(matrix, TRUE, RECO, entries=truth)


def histogram(values: Array, axis: Any = RECO, variances: Array | None = None) -> hist.Hist[Any]:
    storage = hist.storage.Double() if variances is None else hist.storage.Weight()
    made: hist.Hist[Any] = hist.Hist(axis, storage=storage)
    view: Any = made.view()
    if variances is None:
        made[...] = values
    else:
        view.value, view.variance = values, variances
    return made
