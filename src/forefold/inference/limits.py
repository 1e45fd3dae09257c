"""Upper limits of one parameter: profile likelihood, CLs, and a flat prior."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.inference.counting import root, special
from forefold.inference.intervals import _TIE, _check, crossing, crossings, width_of
from forefold.inference.minimum import Minimum
from forefold.inference.profile import Thrown
from forefold.inference.toys import Count, Toys
from forefold.inference.warnings import few_counts, few_toys, impossible, unconverged_at
from forefold.unfolding.json import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from forefold.inference.minimum import Minima
    from forefold.inference.profile import Problem
    from forefold.io.registry import Progress

    Array = NDArray[np.float64]

__all__ = [
    "Limit",
    "bayes_limit",
    "bayes_limits",
    "cls_limit",
    "cls_limit_toys",
    "one_sided",
    "profile_limit",
    "profile_limits",
    "quantile",
]

_POINTS = 201  # of the posterior
_ONE_BIN = ", or of one bin forefold.inference.poisson_upper_limit, which is exact"
_FAR = 60.0  # of twice the logarithm of the posterior


@dataclass(frozen=True)
class Limit:
    """What data exclude above.

    Attributes
    ----------
    parameter : str
    value : float
        Larger values are excluded.
    level : float
        Confidence level, or credibility.
    method : str
    best : float
        Where the likelihood is largest.
    toys : int
        At each point; 0 without toys.
    error : float
        Standard deviation of `value` from the number of toys; 0 without toys.
    notes : tuple of str
    valid : bool
        Whether the fit of the other parameters converges at `value`, and no bin expects less than 0 counts there or at the best fit; if not,
        `notes` say so.
    made_of : dict
        What `forefold.cite` goes back to.
    """

    parameter: str
    value: float
    level: float
    method: str
    best: float
    toys: int = 0
    error: float = 0.0
    notes: tuple[str, ...] = ()
    valid: bool = True
    made_of: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __float__(self) -> float:
        return self.value

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain numbers, texts and lists; an infinite error is a text."""
        fields = {name: value for name, value in vars(self).items() if name != "made_of"}
        return {**fields, "error": plain(self.error), "notes": list(self.notes)}

    def __repr__(self) -> str:
        toys = f", {self.toys} toys a point" if self.toys else ""
        error = f" +- {self.error:.2g}" if self.toys else ""
        head = (
            f"Limit of {self.parameter}: {self.value:.4g}{error} at {100 * self.level:.4g} % "
            f"({self.method}{toys}), best {self.best:.4g}"
        )
        return "\n".join([head, *(f"  note: {note}" for note in self.notes)])


def profile_limit(problem: Problem, name: str, level: float) -> Limit:
    """Use the asymptotic distribution of the one-sided likelihood ratio; see `Experiment.upper_limit`."""
    best = problem.best()
    _check(best, name)
    reach = float(special().ndtri(level)) ** 2
    limit = _walk(problem, best, lambda value: problem.ratio(value, best) - reach)
    notes = few_counts(problem, limit, "profile", f"method bayes{_ONE_BIN}")
    at = float(best.x[problem.place])
    return _settled(problem, best, Limit(name, limit, level, "profile", at, notes=notes))


def profile_limits(toys: Toys, name: str, level: float) -> Array:
    """Give the limits of toys, as `profile_limit` does; shape (n,).

    Raises
    ------
    ValueError
        As `profile_limit`, of any toy.
    """
    problem, best = toys.problem, toys.best(toys.problem.start)
    reach = float(special().ndtri(level)) ** 2

    def above(values: Array, rows: NDArray[np.intp]) -> Array:
        here = toys.of(rows).at(values, best.x[rows])
        return np.maximum(2.0 * (here.value - best.value[rows]), 0.0) - reach

    limits = crossings(above, *_begun(problem, best), problem.limits[1], -reach)
    return _one_by_one(toys, best, limits, lambda other: profile_limit(other, name, level))


def _begun(problem: Problem, best: Minima) -> tuple[Array, Array]:
    """Give the best values of the parameter of interest, and their widths."""
    place = problem.place
    widths = [width_of(Minimum(*one), place) for one in zip(*best, strict=True)]
    return best.x[:, place], np.array(widths)


def _one_by_one(
    toys: Toys, best: Minima, limits: Array, limit: Callable[[Problem], Limit]
) -> Array:
    """Bound toys alone where they could not be bounded together; that says what is wrong with them."""
    for i in np.flatnonzero(~(np.isfinite(limits) & best.valid)):
        limits[i] = limit(toys.problem.with_data(toys.thrown.of(i))).value
    return limits


def _settled(problem: Problem, best: Minimum, limit: Limit) -> Limit:
    """Say of a limit what it was made of, and where other parameters cannot be profiled at it."""
    here = problem.at(limit.value, best.x)
    odd, possible = impossible(problem, here, best)
    notes = (*problem.notes, *limit.notes, *odd)
    if not here.valid:
        notes += (unconverged_at(limit.parameter, limit.value),)
    valid = possible and here.valid
    return replace(limit, valid=valid, notes=notes, made_of=problem.made_of)


def _walk(problem: Problem, best: Minimum, function: Callable[[float], float]) -> float:
    place = problem.place
    at = float(best.x[place])
    limit = float(problem.objective.upper[place])
    return crossing(function, at, width_of(best, place), limit)


def _none(problem: Problem) -> float:
    """Value of the parameter without signal: its lower limit.

    Raises
    ------
    ValueError
        It has none.
    """
    lowest = float(problem.objective.lower[problem.place])
    if not math.isfinite(lowest):
        message = "a limit by CLs or a flat prior needs a parameter with a lower limit, where there is no signal: Parameter(..., lower=0)"
        raise ValueError(message)
    return lowest


def cls_limit(problem: Problem, name: str, level: float) -> Limit:
    """Use asymptotic formulae with the Asimov data set; see `Experiment.upper_limit`."""
    best = problem.best()
    _check(best, name)
    share = _asymptotic(problem, best)
    limit = _walk(problem, best, lambda value: (1.0 - level) - share(value))
    notes = few_counts(
        problem, limit, "cls", f"toys (toys=10000, --toys 10000), method bayes{_ONE_BIN}"
    )
    at = float(best.x[problem.place])
    return _settled(problem, best, Limit(name, limit, level, "cls", at, notes=notes))


def _asymptotic(problem: Problem, best: Minimum) -> Callable[[float], float]:
    """CLs of a value, by asymptotic formulae."""
    none = problem.at(_none(problem), best.x)
    constraint = problem.objective.constraint
    mean = problem.expected(none.x).mean
    asimov = problem.with_data(Thrown(mean, none.x[constraint.places]))
    bottom = asimov.best(none.x)
    log_normal = special().log_ndtr

    def share(value: float) -> float:
        root_q = math.sqrt(problem.ratio(value, best))
        root_a = math.sqrt(asimov.ratio(value, bottom))
        if root_a == 0.0:
            return 1.0
        # beyond the square of the Asimov value the best fit was at the bound (eq. 65)
        q = (root_q**2 + root_a**2) / (2.0 * root_a) if root_q > root_a else root_q
        # far below the background both tails are smaller than numbers can be
        return math.exp(log_normal(-q) - log_normal(root_a - q))

    return share


def cls_limit_toys(
    problem: Problem,
    name: str,
    level: float,
    toys: int,
    key: int,
    report: Progress | None = None,
) -> Limit:
    """Count toys with and without signal; see `Experiment.upper_limit`.

    Values are looked for between the limits of a few bisections; all of them use the same random numbers.

    Raises
    ------
    ValueError
        The fit does not converge, or no toy without signal is as far from it as the data are.
    """
    best = problem.best()
    _check(best, name)
    none = problem.at(_none(problem), best.x)
    count = Count(report)
    alone = Toys(problem, problem.thrown(none.x, toys, key, 1), count)
    free = alone.best(none.x)

    def shares(value: float) -> tuple[float, float]:
        here = problem.at(value, best.x)
        observed = 0.0 if best.x[problem.place] > value else 2.0 * (here.value - best.value)
        both = Toys(problem, problem.thrown(here.x, toys, key, 0), count)
        ratios = one_sided(both, value, both.best(here.x), here.x)
        without = one_sided(alone, value, free, none.x)
        more = (np.count_nonzero(q >= max(observed, 0.0) - _TIE) / toys for q in (ratios, without))
        return next(more), next(more)

    def excess(value: float) -> float:
        both, alone = shares(value)
        return (1.0 - level) - both / max(alone, 1.0 / toys)

    start = _walk_of_cls(problem, best, level)
    limit = _bisected(problem, best, excess, start)
    tails = shares(limit)
    if tails[1] == 0.0:
        message = (
            f"toys = {toys}: none without signal is as far from it as the data, so that CLs is not known; throw more, or take asymptotic "
            f"formulae (toys=0), method bayes{_ONE_BIN}"
        )
        raise ValueError(message)
    error = _error_of_toys(problem, best, limit, tails, toys)
    at = float(best.x[problem.place])
    rest = (toys, error, few_toys(*tails, toys))
    return _settled(problem, best, Limit(name, limit, level, "cls", at, *rest))


def _walk_of_cls(problem: Problem, best: Minimum, level: float) -> float:
    share = _asymptotic(problem, best)
    return _walk(problem, best, lambda value: (1.0 - level) - share(value))


def _bisected(
    problem: Problem, best: Minimum, excess: Callable[[float], float], start: float
) -> float:
    """Find where a noisy function is no longer negative, from about where it is."""
    low = high = start
    step = 0.25 * max(high - _none(problem), width_of(best, problem.place))
    end = problem.limits[1]
    while excess(high) < 0.0:
        if high >= end:
            return end
        low, high = high, min(high + step, end)
    floor = max(float(best.x[problem.place]), _none(problem))
    while low > floor and excess(low) >= 0.0:
        low, high = max(low - step, floor), low
    for _ in range(8):
        middle = 0.5 * (low + high)
        if excess(middle) < 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _error_of_toys(
    problem: Problem, best: Minimum, value: float, tails: tuple[float, float], toys: int
) -> float:
    """Binomial errors of both shares, over the slope of ln CLs that asymptotic formulae have there.

    A tail without toys counts as one of one toy.
    """
    both, alone = (max(share, 1.0 / toys) for share in tails)
    relative = math.sqrt((1.0 - both) / (toys * both) + (1.0 - alone) / (toys * alone))
    share = _asymptotic(problem, best)
    step = 0.05 * max(value - _none(problem), 1e-9)
    high, low = (max(share(value + side * step), 1e-300) for side in (1.0, -1.0))
    slope = math.log(low / high) / (2.0 * step)
    return relative / slope if slope > 0.0 else math.inf


def one_sided(toys: Toys, value: float, best: Minima, near: Array) -> Array:
    """Give twice the logarithms of the likelihood ratios of the best fits of toys to those at a value; 0 where the best is above it."""
    here = toys.at(value, near).value
    ratio = np.maximum(2.0 * (here - best.value), 0.0)
    return np.where(best.x[:, toys.problem.place] > value, 0.0, ratio)


def bayes_limit(problem: Problem, name: str, level: float) -> Limit:
    """Integrate the posterior of a flat prior; see `Experiment.upper_limit`.

    Raises
    ------
    ValueError
        The fit does not converge, the parameter has no lower limit, or data say nothing of another parameter.
    """
    best = problem.best()
    _check(best, name)
    start, place = _none(problem), problem.place
    width, at = width_of(best, place), float(best.x[place])
    near = best.x

    def log_posterior(value: float) -> float:
        nonlocal near
        minimum = problem.at(value, near)
        near = minimum.x
        if (
            minimum.value - best.value > _FAR
        ):  # as good as nothing, and shapes may have no width there
            return best.value - minimum.value
        return best.value - minimum.value - _log_width(problem, minimum, name) + base

    base = _log_width(problem, best, name)
    stop = float(problem.objective.upper[place])

    def fallen(value: float) -> float:
        return -2.0 * log_posterior(value) - _FAR

    low = crossing(fallen, at, -width, start) if at > start else start
    near = best.x
    far = crossing(fallen, at, width, stop)
    grid = np.linspace(low, far, _POINTS)
    near = problem.at(low, best.x).x
    limit = quantile(grid, np.array([log_posterior(float(v)) for v in grid]), level)
    return _settled(problem, best, Limit(name, limit, level, "bayes", at))


def bayes_limits(toys: Toys, name: str, level: float) -> Array:
    """Give the limits of toys, as `bayes_limit` does; shape (n,).

    Raises
    ------
    ValueError
        As `bayes_limit`, of any toy.
    """
    problem, best = toys.problem, toys.best(toys.problem.start)
    base, limits = _log_widths(problem, best.information), np.full(len(toys), np.nan)
    start, (at, width), near = _none(problem), _begun(problem, best), best.x.copy()

    def log_posterior(values: Array, rows: NDArray[np.intp]) -> Array:
        here = toys.of(rows).at(values, near[rows])
        near[rows] = here.x
        fallen = best.value[rows] - here.value
        narrow = base[rows] - _log_widths(problem, here.information)
        return np.where(fallen < -_FAR, fallen, fallen + narrow)

    def ends(rows: NDArray[np.intp], side: float, stop: float) -> Array:
        near[rows] = best.x[rows]
        return crossings(
            lambda values, some: -2.0 * log_posterior(values, rows[some]) - _FAR,
            at[rows],
            side * width[rows],
            stop,
            -_FAR,
        )

    rows = np.flatnonzero(best.valid & np.isfinite(base))
    low, above = np.full(len(toys), start), rows[at[rows] > start]
    low[above] = ends(above, -1.0, start)
    far = np.full(len(toys), np.nan)
    far[rows] = ends(rows, 1.0, float(problem.objective.upper[problem.place]))
    rows = np.flatnonzero(np.isfinite(low + far))
    near[rows] = toys.of(rows).at(low[rows], best.x[rows]).x
    grids = np.linspace(low[rows], far[rows], _POINTS)
    densities = np.array([log_posterior(values, rows) for values in grids])
    for k in np.flatnonzero(np.isfinite(densities).all(axis=0)):
        limits[rows[k]] = quantile(grids[:, k], densities[:, k], level)
    return _one_by_one(toys, best, limits, lambda other: bayes_limit(other, name, level))


def _log_widths(problem: Problem, information: Array) -> Array:
    """Give `_log_width` of many fits; NaN where data say nothing of another parameter."""
    others = ~problem.held
    if not others.any():
        return np.zeros(len(information))
    with np.errstate(invalid="ignore"):  # of what did not converge
        sign, size = np.linalg.slogdet(information[:, others][:, :, others])
    return np.where((sign > 0.0) & np.isfinite(size), 0.5 * size, np.nan)


def _log_width(problem: Problem, minimum: Minimum, name: str) -> float:
    """Logarithm of the volume that other parameters lose: Laplace's approximation.

    Raises
    ------
    ValueError
        Data say nothing of another parameter.
    """
    width = float(_log_widths(problem, minimum.information[None])[0])
    if math.isnan(width):
        message = f"with {name} = {minimum.x[problem.place]:g} the data say nothing of another parameter; hold it with fixed, or give it a constraint"
        raise ValueError(message)
    return width


def quantile(grid: Array, log_density: Array, level: float) -> float:
    """Give the value below which a part of a distribution is: a parabola through every three points is integrated, and a smooth line inverted."""
    from scipy.integrate import cumulative_simpson
    from scipy.interpolate import PchipInterpolator

    sums = cumulative_simpson(np.exp(log_density), x=grid, initial=0.0)
    share = PchipInterpolator(grid, sums / sums[-1])
    return root(lambda value: float(share(value)) - level, float(grid[0]), float(grid[-1]))
