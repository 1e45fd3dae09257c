"""Upper limits of one parameter: profile likelihood, CLs, and a flat prior."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forefold.inference.counting import special
from forefold.inference.intervals import _TIE, _check, crossing, width_of
from forefold.inference.problem import Thrown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.inference.problem import Problem
    from forefold.inference.scoring import Minimum

    Array = NDArray[np.float64]

__all__ = ["Limit", "bayes_limit", "cls_limit", "cls_limit_toys", "profile_limit"]

_POINTS = 201  # of the posterior
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
    """

    parameter: str
    value: float
    level: float
    method: str
    best: float
    toys: int = 0

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        toys = f", {self.toys} toys a point" if self.toys else ""
        return f"Limit of {self.parameter}: {self.value:.4g} at {100 * self.level:.4g} % ({self.method}{toys}), best {self.best:.4g}"


def profile_limit(problem: Problem, name: str, level: float) -> Limit:
    """Use the asymptotic distribution of the one-sided likelihood ratio; see `Experiment.upper_limit`."""
    best = problem.best()
    _check(best, name)
    reach = float(special().ndtri(level)) ** 2
    found = _walk(problem, best, lambda value: problem.ratio(value, best) - reach)
    return Limit(name, found, level, "profile", float(best.x[problem.place]))


def _walk(problem: Problem, best: Minimum, function: object) -> float:
    place = problem.place
    at = float(best.x[place])
    limit = float(problem.objective.upper[place])
    return crossing(function, at, width_of(best, place), limit)  # type: ignore[arg-type]


def _none(problem: Problem) -> float:
    """Value of the parameter without signal: its lower limit.

    Raises
    ------
    ValueError
        It has none.
    """
    found = float(problem.objective.lower[problem.place])
    if not math.isfinite(found):
        message = "a limit by CLs or a flat prior needs a parameter with a lower limit, where there is no signal: Parameter(..., lower=0)"
        raise ValueError(message)
    return found


def cls_limit(problem: Problem, name: str, level: float) -> Limit:
    """Use asymptotic formulae with the Asimov data set; see `Experiment.upper_limit`."""
    best = problem.best()
    _check(best, name)
    none = problem.at(_none(problem), best.x)
    constraint = problem.objective.constraint
    mean = problem.objective.expectation(none.x).mean
    asimov = problem.with_data(Thrown(mean, none.x[constraint.places]))
    bottom = asimov.best(none.x)
    normal = special().ndtr

    def excess(value: float) -> float:
        root_q = math.sqrt(problem.ratio(value, best))
        root_a = math.sqrt(asimov.ratio(value, bottom))
        if root_a == 0.0:
            return level - 1.0
        # beyond the square of the Asimov value the best fit was at the bound (eq. 65)
        if root_q > root_a:
            q = (root_q**2 + root_a**2) / (2.0 * root_a)
            both, alone = normal(-q), normal(root_a - q)
        else:
            both, alone = normal(-root_q), normal(root_a - root_q)
        return (1.0 - level) - float(both / max(alone, 1e-300))

    found = _walk(problem, best, excess)
    return Limit(name, found, level, "cls", float(best.x[problem.place]))


def cls_limit_toys(problem: Problem, name: str, level: float, toys: int, key: int) -> Limit:
    """Count toys with and without signal; see `Experiment.upper_limit`.

    Values are looked for between the limits of a few bisections; all of them use the same random numbers.
    """
    best = problem.best()
    _check(best, name)
    none = problem.at(_none(problem), best.x)

    def excess(value: float) -> float:
        here = problem.at(value, best.x)
        seen = _one_sided(problem, value, best, here)
        both = _share(problem, here, value, seen, toys, key, 0)
        alone = _share(problem, none, value, seen, toys, key, 1)
        return (1.0 - level) - both / max(alone, 1.0 / toys)

    low = high = float(cls_limit(problem, name, level).value)
    step = 0.25 * max(high - _none(problem), width_of(best, problem.place))
    while excess(high) < 0.0:
        low, high = high, high + step
    floor = max(float(best.x[problem.place]), _none(problem))
    while low > floor and excess(low) >= 0.0:
        low, high = max(low - step, floor), low
    for _ in range(8):
        middle = 0.5 * (low + high)
        if excess(middle) < 0.0:
            low = middle
        else:
            high = middle
    return Limit(name, 0.5 * (low + high), level, "cls", float(best.x[problem.place]), toys)


def _one_sided(problem: Problem, value: float, best: Minimum, here: Minimum) -> float:
    if best.x[problem.place] > value:
        return 0.0
    return max(2.0 * (here.value - best.value), 0.0)


def _share(
    problem: Problem, truth: Minimum, value: float, seen: float, toys: int, key: int, stream: int
) -> float:
    """Share of toys of a truth that look no more like the signal than the data do."""
    more = 0
    for toy in problem.thrown(truth.x, toys, key, stream):
        other = problem.with_data(toy)
        here = other.at(value, truth.x)
        more += _one_sided(other, value, other.best(truth.x), here) >= seen - _TIE
    return more / toys


def bayes_limit(problem: Problem, name: str, level: float) -> Limit:
    """Integrate the posterior of a flat prior; see `Experiment.upper_limit`."""
    best = problem.best()
    _check(best, name)
    start = _none(problem)
    place = problem.place
    others = ~problem.fixed
    others[place] = False
    width = width_of(best, place)

    def log_posterior(value: float) -> float:
        found = problem.at(value, best.x)
        part = found.information[np.ix_(others, others)]
        shrink = 0.5 * float(np.linalg.slogdet(part)[1]) if others.any() else 0.0
        return -found.value - shrink

    top = log_posterior(float(best.x[place]))
    stop = float(problem.objective.upper[place])
    far = crossing(
        lambda v: 2.0 * (top - log_posterior(v)) - _FAR, float(best.x[place]), width, stop
    )
    limit = far
    for _ in range(2):  # the second time with all points where the posterior is
        grid = np.linspace(start, far, _POINTS)
        density = np.exp(np.array([log_posterior(float(v)) for v in grid]) - top)
        sums = _cumulative(grid, density)
        limit = float(np.interp(level, sums / sums[-1], grid))
        far = min(far, start + 4.0 * (limit - start))
    return Limit(name, limit, level, "bayes", float(best.x[place]))


def _cumulative(grid: Array, density: Array) -> Array:
    """Integral up to each point, with a parabola through every three."""
    from scipy.integrate import cumulative_simpson

    return np.asarray(cumulative_simpson(density, x=grid, initial=0.0))
