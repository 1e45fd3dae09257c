"""How strong a regularisation shall be: L-curve, generalised cross-validation, discrepancy, toys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.unfolding.solution import UNSETTLED, Scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from forefold.unfolding.linear import Modes
    from forefold.unfolding.measurement import Measurement

    Array = NDArray[np.float64]

__all__ = ["RULES", "chosen_strength", "mean_errors", "thrown"]

RULES = ("l-curve", "gcv", "discrepancy", "toys")
_POINTS = 161
_ZOOMS = 3
_TOYS = 200


def chosen_strength(modes: Modes, rule: str, key: int) -> tuple[float, str, Scan]:
    """Choose the strength of Tikhonov's method.

    Parameters
    ----------
    modes : Modes
    rule : {"l-curve", "gcv", "discrepancy", "toys"}
        ``l-curve``: largest curvature of log roughness against log chi2 (Hansen). ``gcv``: smallest generalised
        cross-validation error (Golub, Heath, Wahba). ``discrepancy``: the strongest whose refolded chi2 is not above
        the number of bins (Morozov). ``toys``: smallest mean squared error of toys thrown from the result of gcv.
    key : int
        Fixes the toys.

    Returns
    -------
    strength : float
    text : str
        How it was chosen.
    scan : Scan

    References
    ----------
    P. C. Hansen, SIAM Review 34 (1992) 561; G. H. Golub, M. Heath, G. Wahba, Technometrics 21 (1979) 215;
    V. A. Morozov, Soviet Math. Dokl. 7 (1966) 414.
    """
    grid = _grid(modes)
    criterion = _criterion(modes, rule, key)
    if rule == "discrepancy":
        strength, note = _discrepancy(modes, grid)
        costs = np.array([modes.residual(a) for a in grid])
    else:
        costs = criterion(grid)
        strength, note = _smallest(criterion, grid, costs)
    shown = -costs if rule == "l-curve" else costs
    scan = Scan(
        rule,
        grid,
        shown,
        np.array([modes.residual(a) for a in grid]),
        np.array([modes.roughness(a) for a in grid]),
    )
    toys = f" ({_TOYS} toys, rng={key})" if rule == "toys" else ""
    return strength, f"by {rule}{toys}{note}", scan


def _grid(modes: Modes) -> Array:
    """Strengths from where nothing is damped to where all is."""
    both = (modes.measured > 1e-14) & (modes.rough > 1e-14)
    ratio = modes.measured[both] / modes.rough[both] if both.any() else np.ones(1)
    low, high = max(1e-3 * ratio.min(), 1e-14), min(1e3 * ratio.max(), 1e14)
    return np.asarray(modes.scale * np.geomspace(low, high, _POINTS))


def _criterion(modes: Modes, rule: str, key: int) -> Callable[[Array], Array]:
    if rule == "l-curve":
        return lambda grid: np.array([-_curvature(modes, a) for a in grid])
    bins = modes.measurement.n_reco
    if rule == "gcv":
        return lambda grid: np.array(
            [bins * modes.residual(a) / max(bins - modes.freedom(a), 1e-9) ** 2 for a in grid]
        )
    if rule == "toys":
        grid = _grid(modes)
        start, _ = _smallest(_criterion(modes, "gcv", key), grid, None)
        truth = np.maximum(modes.values(start), 0.0)
        amplitudes = (
            modes.from_data
            @ (thrown(modes.measurement, truth, key) - modes.measurement.background).T
        )

        def errors(grid: Array) -> Array:
            return np.array(
                [mean_errors((modes.back * modes.damped(a) @ amplitudes).T, truth) for a in grid]
            )

        return errors
    return lambda grid: np.array([modes.residual(a) for a in grid])


def _smallest(
    criterion: Callable[[Array], Array], grid: Array, costs: Array | None
) -> tuple[float, str]:
    """Find the strength of the smallest criterion, finer and finer."""
    costs = criterion(grid) if costs is None else costs
    best = int(np.argmin(costs))
    if best in (0, len(grid) - 1):
        side = "weakest" if best == 0 else "strongest"
        text = f"{UNSETTLED}it is the {side} of all that were tried: no optimum was found"
        return float(grid[best]), text
    low, high = grid[best - 1], grid[best + 1]
    for _ in range(_ZOOMS):
        finer = np.geomspace(low, high, 21)
        finer_costs = criterion(finer)
        best = int(np.clip(np.argmin(finer_costs), 1, 19))
        low, high = finer[best - 1], finer[best + 1]
    return float(np.sqrt(low * high)), ""


def _discrepancy(modes: Modes, grid: Array) -> tuple[float, str]:
    limit = float(modes.measurement.n_reco)
    below = [modes.residual(a) <= limit for a in grid]
    if not below[0]:
        why = "it is the weakest that was tried: chi2 stays above the number of bins"
        return float(grid[0]), UNSETTLED + why
    if all(below):
        why = "it is the strongest that was tried: chi2 stays below the number of bins"
        return float(grid[-1]), UNSETTLED + why
    last = int(np.argmin(below)) - 1
    low, high = float(grid[last]), float(grid[last + 1])
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if modes.residual(middle) <= limit else (low, middle)
    return low, ""


def _curvature(modes: Modes, strength: float) -> float:
    """Curvature of (log chi2, log roughness) at a strength, from closed derivatives."""
    damped = modes.damped(strength)
    power = (
        modes.rough * np.square(damped * (modes.from_data @ modes.measurement.signal)) / modes.scale
    )
    pace = damped * modes.rough / modes.scale
    eta, rho = float(power.sum()), modes.residual(strength)
    if not (eta > 0.0 and rho > 0.0):
        return 0.0
    eta1, eta2 = -2.0 * float((power * pace).sum()), 6.0 * float((power * pace**2).sum())
    rho1, rho2 = -strength * eta1, -eta1 - strength * eta2
    x1, y1 = strength * rho1 / rho, strength * eta1 / eta
    x2 = x1 + strength**2 * rho2 / rho - x1**2
    y2 = y1 + strength**2 * eta2 / eta - y1**2
    size = x1 * x1 + y1 * y1
    return float((x1 * y2 - y1 * x2) / size**1.5) if size > 1e-20 else 0.0


def thrown(measurement: Measurement, truth: Array, key: int, toys: int = _TOYS) -> Array:
    """Throw counts from a truth; toy i has a stream of its own, so it does not depend on how many there are.

    Parameters
    ----------
    measurement : Measurement
    truth : ndarray, shape (n_true,)
    key : int
    toys : int

    Returns
    -------
    ndarray, shape (toys, n_reco)
    """
    expected = np.maximum(truth @ measurement.matrix + measurement.background, 0.0)
    if measurement.poisson:
        return np.array([_stream(key, i).poisson(expected) for i in range(toys)], dtype=np.float64)
    root = np.linalg.inv(measurement.whitener)
    return np.array(
        [expected + root @ _stream(key, i).standard_normal(len(expected)) for i in range(toys)]
    )


def _stream(key: int, i: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, i, 0]))


def mean_errors(values: Array, truth: Array) -> float:
    """Mean squared error of toys, in units of the Poisson variance of a true bin.

    Parameters
    ----------
    values : ndarray, shape (toys, n_true)
    truth : ndarray, shape (n_true,)

    Returns
    -------
    float
    """
    return float((np.square(values - truth) / np.maximum(truth, 1.0)).mean())
