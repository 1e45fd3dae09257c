"""Iterative Bayes (D'Agostini), which is Richardson-Lucy: iterations, and their dependence on data and matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from forefold.unfolding.measurement import Measurement

    Array = NDArray[np.float64]

__all__ = [
    "Step",
    "gain_of",
    "improved",
    "iterations",
    "next_gain",
    "slopes_of",
    "trajectory",
    "with_empty_bins",
]


class Step(NamedTuple):
    """One iteration: what it began with, what it gave, and what lies between.

    Attributes
    ----------
    before, after : ndarray, shape (n_true,)
    folded : ndarray, shape (n_reco,)
        What `before` predicts, with the background.
    weights : ndarray, shape (n_true, n_reco)
        Probabilities of the causes over the efficiency: after = weights @ data.
    """

    before: Array
    after: Array
    folded: Array
    weights: Array


def iterations(measurement: Measurement) -> Iterator[Step]:
    """Iterate without end.

    Parameters
    ----------
    measurement : Measurement

    Yields
    ------
    Step

    Raises
    ------
    ValueError
        Data are negative.

    References
    ----------
    G. D'Agostini, Nucl. Instrum. Meth. A 362 (1995) 487; W. H. Richardson, J. Opt. Soc. Am. 62 (1972) 55;
    L. B. Lucy, Astron. J. 79 (1974) 745.
    """
    if (measurement.data < 0.0).any():
        worst = int(measurement.data.argmin())
        message = (
            f"data: {measurement.data[worst]:g} in bin {worst}; iterative Bayes needs counts that are not negative: "
            "give the background apart, with background="
        )
        raise ValueError(message)
    efficiency = measurement.matrix.sum(axis=1)
    values = measurement.prior
    while True:
        folded = values @ measurement.matrix + measurement.background
        weights = (values / efficiency)[:, None] * measurement.matrix * _inverse(folded)
        after = weights @ measurement.data
        yield Step(values, after, folded, weights)
        values = after


def trajectory(measurement: Measurement, count: int) -> list[Step]:
    """Do so many iterations.

    Parameters
    ----------
    measurement : Measurement
    count : int
        1 or more.

    Returns
    -------
    list of Step
    """
    steps = iterations(measurement)
    return [next(steps) for _ in range(count)]


def improved(measurement: Measurement, values: Array, data: Array) -> Array:
    """Do an iteration for several sets of data at once.

    Parameters
    ----------
    measurement : Measurement
    values : ndarray, shape (k, n_true)
    data : ndarray, shape (k, n_reco)

    Returns
    -------
    ndarray, shape (k, n_true)
    """
    ratio = data * _inverse(values @ measurement.matrix + measurement.background)
    return np.asarray(values * (ratio @ measurement.matrix.T) / measurement.matrix.sum(axis=1))


def _inverse(folded: Array) -> Array:
    """1 / folded; 0 where nothing is expected, and nothing can be said about data that are there."""
    expected = folded > 0.0
    return np.where(expected, 1.0 / np.where(expected, folded, 1.0), 0.0)


def _carried(measurement: Measurement, step: Step) -> Array:
    """Give derivatives of what an iteration gives with respect to what it began with, shape (n_true, n_true)."""
    efficiency = measurement.matrix.sum(axis=1)
    inverse = _inverse(step.folded)
    ratio = measurement.matrix @ (measurement.data * inverse) / efficiency
    return np.asarray(
        np.diag(ratio) - step.weights * (measurement.data * inverse) @ measurement.matrix.T
    )


def gain_of(measurement: Measurement, steps: list[Step], errors: str = "full") -> Array:
    """Give derivatives of the last iteration with respect to the data.

    Parameters
    ----------
    measurement : Measurement
    steps : list of Step
        From `trajectory`.
    errors : {"full", "dagostini"}
        ``full`` follows the data through all iterations; ``dagostini`` takes the weights of the last one as
        constants, as the paper of 1995 does, which is too small from the second iteration on.

    Returns
    -------
    ndarray, shape (n_true, n_reco)

    References
    ----------
    T. Adye, arXiv:1105.1160; for the chain rule in full, arXiv:1806.03350, Eq. 20.
    """
    if errors == "dagostini":
        return steps[-1].weights
    gain = next_gain(measurement, steps[0], None)
    for step in steps[1:]:
        gain = next_gain(measurement, step, gain)
    return gain


def with_empty_bins(measurement: Measurement, steps: list[Step], gain: Array) -> Array:
    """Take for derivatives with respect to empty bins what one standard deviation more, one count, makes of the result.

    Parameters
    ----------
    measurement : Measurement
    steps : list of Step
        From `trajectory`.
    gain : ndarray, shape (n_true, n_reco)
        From `gain_of`.

    Returns
    -------
    ndarray, shape (n_true, n_reco)

    Notes
    -----
    A true bin of which nothing is seen is 0 after one iteration, and its derivative is a ratio of zeros after the next, or 0 where a neighbour has
    counts: the result grows with the square of the first hundredth of a count, and then as it should. Data that are 0 +- 1 have an error that is
    the slope as far as 1. Where the result is linear in the data, as after one iteration, nothing changes.
    """
    deviations = np.sqrt(np.diagonal(measurement.statistical))
    empty = np.flatnonzero((measurement.data == 0.0) & (deviations > 0.0))
    if len(steps) == 1 or not empty.size:
        return gain
    data = np.tile(measurement.data, (len(empty), 1))
    data[np.arange(len(empty)), empty] = deviations[empty]
    values = np.broadcast_to(steps[0].before, (len(empty), measurement.n_true))
    for _ in steps:
        values = improved(measurement, values, data)
    completed = gain.copy()
    completed[:, empty] = (values - steps[-1].after).T / deviations[empty]
    return completed


def next_gain(measurement: Measurement, step: Step, before: Array | None) -> Array:
    """Give derivatives after an iteration from those before it.

    Parameters
    ----------
    measurement : Measurement
    step : Step
    before : ndarray, shape (n_true, n_reco), or None
        None: the iteration begins with the prior, which knows nothing of the data.

    Returns
    -------
    ndarray, shape (n_true, n_reco)
    """
    if before is None:
        return step.weights
    return np.asarray(_carried(measurement, step) @ before + step.weights)


def slopes_of(
    measurement: Measurement, steps: list[Step], errors: str = "full"
) -> Callable[[int], Array]:
    """Give derivatives of the last iteration with respect to the elements of the matrix.

    Parameters
    ----------
    measurement : Measurement
    steps : list of Step
    errors : {"full", "dagostini"}
        As for `gain_of`.

    Returns
    -------
    callable
        Of a true bin i: shape (n_true, n_reco), for the elements R[i, :]. The efficiency is the sum of the row, so it
        changes with them.
    """
    chain = steps if errors == "full" else steps[-1:]
    n = measurement.n_true
    # What an iteration adds reaches the end through all later ones: `later` is the product of their derivatives. It adds
    # before[i] times a matrix that is the same for all rows, and something in row i alone.
    later, common = np.empty((len(chain), n, n)), np.empty((len(chain), *measurement.matrix.shape))
    passed = np.eye(n)
    for k in range(len(chain) - 1, -1, -1):
        ratio = measurement.data * _inverse(chain[k].folded)
        later[k], common[k] = passed, -passed @ (chain[k].weights * ratio)
        passed = passed @ _carried(measurement, chain[k])
    before = np.array([step.before for step in chain])
    ratios = np.array([measurement.data * _inverse(step.folded) for step in chain])
    after = np.array([step.after for step in chain])
    efficiency = measurement.matrix.sum(axis=1)

    def slopes(i: int) -> Array:
        alone = (before[:, i, None] * ratios - after[:, i, None]) / efficiency[i]
        return np.asarray(np.tensordot(before[:, i], common, 1) + later[:, :, i].T @ alone)

    return slopes
