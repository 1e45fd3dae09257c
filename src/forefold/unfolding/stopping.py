"""When to stop iterating: a number, or a rule that says what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.unfolding.bayes import (
    gain_of,
    improved,
    iterations,
    next_gain,
    slopes_of,
    trajectory,
    with_empty_bins,
)
from forefold.unfolding.likelihood import deviance
from forefold.unfolding.solution import UNSETTLED, Scan, Solution
from forefold.unfolding.strength import mean_errors, thrown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.unfolding.measurement import Measurement

    Array = NDArray[np.float64]

__all__ = ["STOPS", "iterative", "misfit"]

STOPS = ("chi2-change", "discrepancy", "gcv", "toys")
_MOST = 200
_CHANGE = 0.01
_TOYS = 200
_STILL = f"{UNSETTLED}it is still falling after {_MOST} iterations"


def misfit(measurement: Measurement, folded: Array) -> float:
    """Chi2 of a prediction of the data: Poisson deviance of counts, else with their covariance.

    Parameters
    ----------
    measurement : Measurement
    folded : ndarray, shape (n_reco,)
        With the background.

    Returns
    -------
    float
        Bins where nothing is expected do not count; the notes of a result name them.
    """
    if measurement.poisson and np.array_equal(measurement.variance, measurement.statistical):
        expected = folded > 0.0
        return deviance(measurement.data[expected], folded[expected])
    return float(np.square(measurement.whitener @ (measurement.data - folded)).sum())


def iterative(measurement: Measurement, count: int | str, errors: str, key: int) -> Solution:
    """Do iterative Bayes.

    Parameters
    ----------
    measurement : Measurement
    count : int or str
        Iterations, or a rule of `STOPS`: ``chi2-change`` stops when an iteration moves the true bins by less than 1 %
        of their Poisson variance in the mean square; ``discrepancy`` when the refolded chi2 is not above the number of
        bins; ``gcv`` at the smallest cross-validation error; ``toys`` at the smallest mean squared error of toys that
        are thrown from the result at ``discrepancy``.
    errors : {"full", "dagostini"}
    key : int
        Fixes the toys.

    Returns
    -------
    Solution
    """
    number, chosen, scan = _count(measurement, count, key)
    steps = trajectory(measurement, number)
    gain = gain_of(measurement, steps, errors)
    if errors == "full":
        gain = with_empty_bins(measurement, steps, gain)
    values = steps[-1].after
    notes = [
        "covariance: derivatives through all iterations"
        if errors == "full"
        else "covariance: D'Agostini (1995), weights of the last iteration held constant"
    ]
    # Small counts in the matrix: nothing can be said about data where nothing is expected.
    unseen = (steps[-1].folded <= 0.0) & (measurement.data > 0.0)
    if unseen.any():
        lost = measurement.data[unseen].sum()
        notes.append(
            f"{int(unseen.sum())} reconstructed bins hold {lost:g} events where the matrix expects none: left out"
        )
    return Solution(
        values,
        gain,
        values - gain @ measurement.signal,
        slopes_of(measurement, steps, errors),
        float(number),
        chosen,
        scan,
        tuple(notes),
    )


def _count(measurement: Measurement, count: int | str, key: int) -> tuple[int, str, Scan | None]:
    if not isinstance(count, str):
        return int(count), "given", None
    if count == "gcv":
        return _cross_validated(measurement)
    if count == "toys":
        return _by_toys(measurement, key)
    return _stopped(measurement, count)


def _stopped(measurement: Measurement, rule: str) -> tuple[int, str, Scan]:
    limit = _CHANGE if rule == "chi2-change" else float(measurement.n_reco)
    costs, residuals = [], []
    reached = False
    for number, step in enumerate(iterations(measurement), 1):
        residuals.append(
            misfit(measurement, step.after @ measurement.matrix + measurement.background)
        )
        change = np.square(step.after - step.before) / np.maximum(step.after, 1.0)
        costs.append(float(change.mean()) if rule == "chi2-change" else residuals[-1])
        reached = costs[-1] <= limit
        if reached or number == _MOST:
            break
    text = f"by {rule}: {costs[-1]:.3g}, limit {limit:g}"
    if not reached:
        text += f"{UNSETTLED}it is not reached in {_MOST} iterations"
    return len(costs), text, _scan(rule, costs, residuals)


def _cross_validated(measurement: Measurement) -> tuple[int, str, Scan]:
    gain: Array | None = None
    costs: list[float] = []
    residuals: list[float] = []
    source = iterations(measurement)
    while len(costs) < _MOST and (len(costs) < 2 or costs[-1] < costs[-2]):
        step = next(source)
        gain = next_gain(measurement, step, gain)
        rest = measurement.data - step.after @ measurement.matrix - measurement.background
        residuals.append(float(np.square(measurement.whitener @ rest).sum()))
        freedom = float((gain * measurement.matrix).sum())
        costs.append(
            measurement.n_reco * residuals[-1] / max(measurement.n_reco - freedom, 1e-9) ** 2
        )
    number = int(np.argmin(costs)) + 1
    edge = _STILL if number == _MOST else ""
    return number, f"by gcv{edge}", _scan("gcv", costs, residuals)


def _by_toys(measurement: Measurement, key: int) -> tuple[int, str, Scan]:
    start, _, _ = _stopped(measurement, "discrepancy")
    truth = trajectory(measurement, start)[-1].after
    toys = np.maximum(thrown(measurement, truth, key, _TOYS), 0.0)
    values = np.broadcast_to(measurement.prior, (len(toys), measurement.n_true))
    costs: list[float] = []
    best = 0
    while len(costs) < _MOST and len(costs) <= 2 * best + 5:
        values = improved(measurement, values, toys)
        costs.append(mean_errors(values, truth))
        best = int(np.argmin(costs))
    edge = _STILL if best == _MOST - 1 else ""
    text = f"by toys ({_TOYS} toys, rng={key}, thrown from iteration {start}){edge}"
    return best + 1, text, _scan("toys", costs, [np.nan] * len(costs))


def _scan(rule: str, costs: list[float], residuals: list[float]) -> Scan:
    numbers = np.arange(1.0, len(costs) + 1.0)
    return Scan(rule, numbers, np.array(costs), np.array(residuals), np.full(len(costs), np.nan))
