"""Intervals of one parameter: profile likelihood, and Feldman-Cousins by toys."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._parallel import in_order
from forefold.inference.counting import root, special
from forefold.inference.toys import Count, Toys
from forefold.inference.warnings import impossible
from forefold.unfolding.json import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from forefold._parallel import Executor
    from forefold.inference.minimum import Minimum
    from forefold.inference.profile import Problem
    from forefold.io.registry import Progress

    Array = NDArray[np.float64]

__all__ = ["Interval", "Unconverged", "feldman_cousins_interval", "profile_interval"]

_TIE = 1e-6
_WALK, _LINES = 34, 60  # steps to find both ends of a crossing, and between them
_MORE = 100  # points to go on with where the p-value is still large
_NUMBERS = ("lower", "upper", "level", "best", "points", "p_values", "error")


class Unconverged(ValueError):
    """There is no best fit, and so no interval and no limit: a ValueError that the command line tells from bad input."""


@dataclass(frozen=True)
class Interval:
    """What data allow for a parameter.

    Attributes
    ----------
    parameter : str
    lower, upper : float
        Ends; those at a physical limit are the limit.
    level : float
    method : str
    best : float
        Where the likelihood is largest.
    points : ndarray, shape (n,)
        Where the parameter was looked at.
    p_values : ndarray, shape (n,)
        Of toys, at `points`; or what Wilks' theorem says.
    toys : int
        At each point; 0 without toys.
    error : float
        Standard deviation of a p-value of 1 - level from the number of toys.
    notes : tuple of str
    made_of : dict
        What `forefold.cite` goes back to.
    valid : bool
        Whether no bin expects less than 0 counts at the best fit and at the ends; if not, `notes` say so.
    """

    parameter: str
    lower: float
    upper: float
    level: float
    method: str
    best: float
    points: Array
    p_values: Array
    toys: int = 0
    error: float = 0.0
    notes: tuple[str, ...] = ()
    made_of: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    valid: bool = True

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper

    def peek(self, ax: Axes | None = None) -> Figure:
        """Draw the p-values, the level and the interval; print-ready.

        Parameters
        ----------
        ax : Axes, optional
            Draw there.

        Returns
        -------
        Figure
        """
        from forefold import plotting

        return plotting.interval_figure(self, ax=ax)

    def __repr__(self) -> str:
        toys = f", {self.toys} toys a point" if self.toys else ""
        head = (
            f"Interval of {self.parameter}: {self.lower:.4g} to {self.upper:.4g} at {100 * self.level:.4g} % "
            f"({self.method}{toys}), best {self.best:.4g}"
        )
        return "\n".join([head, *(f"  note: {note}" for note in self.notes)])

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain numbers, texts and lists."""
        numbers = {name: plain(getattr(self, name)) for name in _NUMBERS}
        words = {"parameter": self.parameter, "method": self.method, "notes": list(self.notes)}
        return {**words, **numbers, "toys": self.toys, "valid": self.valid}


def profile_interval(problem: Problem, name: str, level: float) -> Interval:
    """Find where the likelihood ratio reaches what Wilks' theorem says; see `Experiment.interval`.

    Raises
    ------
    ValueError
        The fit does not converge, or there is no end.
    """
    best = problem.best()
    _check(best, name)
    reach = float(special().chdtri(1.0, 1.0 - level))
    low, high = (_end(problem, best, reach, side) for side in (-1.0, 1.0))
    points = np.linspace(low, high, 21)
    ratios = np.array([problem.ratio(float(v), best) for v in points])
    p_values = special().chdtrc(1.0, ratios)
    at = float(best.x[problem.place])
    odd, valid = impossible(problem, best, *(problem.at(end, best.x) for end in (low, high)))
    rest = (0, 0.0, (*problem.notes, *odd), problem.made_of, valid)
    return Interval(name, low, high, level, "profile", at, points, p_values, *rest)


def _check(best: Minimum, name: str) -> None:
    if not best.valid:
        message = f"{name}: the fit does not converge; give parameters limits or constraints, or begin elsewhere"
        raise Unconverged(message)


def width_of(best: Minimum, place: int) -> float:
    """Give a standard deviation from the information, of one parameter with the others free."""
    try:
        variance = float(np.linalg.inv(best.information)[place, place])
    except np.linalg.LinAlgError:
        variance = math.nan
    return math.sqrt(variance) if 0.0 < variance < 1e12 else max(abs(float(best.x[place])), 1.0)


def _end(problem: Problem, best: Minimum, reach: float, side: float) -> float:
    place = problem.place
    limit = float((problem.objective.lower if side < 0.0 else problem.objective.upper)[place])
    at, step = float(best.x[place]), side * width_of(best, place)
    return crossing(lambda v: problem.ratio(v, best) - reach, at, step, limit)


def crossing(function: Callable[[float], float], at: float, step: float, limit: float) -> float:
    """Walk from where a function is negative until it is not, and find where it is 0; stop at a limit.

    Parameters
    ----------
    function : callable
    at : float
        Where it is negative.
    step : float
        The first; they grow.
    limit : float

    Returns
    -------
    float

    Raises
    ------
    ValueError
        It stays negative all the way.
    """
    last = at
    for k in range(_WALK):
        following = last + step * 1.6**k
        if (following - limit) * math.copysign(1.0, step) >= 0.0:
            following = limit
        if following != at and function(following) >= 0.0:
            return root(function, min(last, following), max(last, following), near=1e-6 * abs(step))
        if following == limit:
            return limit
        last = following
    message = "data do not bound the parameter; give it limits, or the others constraints"
    raise ValueError(message)


def crossings(
    function: Callable[[Array, NDArray[np.intp]], Array],
    at: Array,
    step: Array,
    limit: float,
    first: float,
) -> Array:
    """Find where many functions are 0, each as `crossing` finds it for one.

    Parameters
    ----------
    function : callable
        Of places and of the rows that they are of, shapes (k,).
    at, step : ndarray, shape (n,)
        Steps are of one sign.
    limit : float
    first : float
        Its value at `at`, below 0.

    Returns
    -------
    ndarray, shape (n,)
        NaN where nothing is found.
    """
    places, near = np.full(len(at), np.nan), 1e-6 * abs(step)
    last, rows, side = at.copy(), np.arange(len(at)), float(np.sign(step[:1].sum()))
    low, high, above = (np.full(len(at), np.nan) for _ in range(3))
    below = np.full(len(at), first)
    for k in range(_WALK):
        if not rows.size:
            break
        following = last[rows] + step[rows] * 1.6**k
        following = np.where((following - limit) * side >= 0.0, limit, following)
        values = function(following, rows)
        crossed = (values >= 0.0) & (following != at[rows])
        ends = rows[crossed]
        low[ends], high[ends], above[ends] = last[ends], following[crossed], values[crossed]
        stopped = ~crossed & (following == limit)
        places[rows[stopped]] = limit
        going = ~crossed & ~stopped
        rows = rows[going]
        last[rows], below[rows] = following[going], values[going]
    # between both ends by straight lines, with the end that stays halved (Illinois)
    rows = np.flatnonzero(np.isfinite(high))
    kept = np.zeros(len(at))
    for _ in range(_LINES):
        if not rows.size:
            break
        a, b, fa, fb = low[rows], high[rows], below[rows], above[rows]
        with np.errstate(all="ignore"):  # what does not converge stays without an end
            middle = b - fb * (b - a) / (fb - fa)
        values = function(middle, rows)
        up = values >= 0.0
        moved = abs(middle - np.where(up, b, a))
        low[rows], high[rows] = np.where(up, a, middle), np.where(up, middle, b)
        now = np.where(up, 1.0, -1.0)
        again = kept[rows] == now
        below[rows] = np.where(up, np.where(again, 0.5 * fa, fa), values)
        above[rows] = np.where(up, values, np.where(again, 0.5 * fb, fb))
        kept[rows] = now
        done = (moved < near[rows]) | (values == 0.0)
        places[rows[done]] = middle[done]
        rows = rows[~done]
    return places


def feldman_cousins_interval(
    problem: Problem,
    name: str,
    level: float,
    *,
    points: Array | None,
    toys: int,
    key: int,
    executor: Executor | None = None,
    report: Progress | None = None,
) -> Interval:
    """Order toys by the likelihood ratio at each point; see `Experiment.interval`.

    Raises
    ------
    ValueError
        The fit does not converge, or a point is outside the physical limits.
    """
    best = problem.best()
    _check(best, name)
    grid = _grid(problem, name, level) if points is None else _checked(points, problem)
    tasks = [(problem, best, float(value), toys, key, k) for k, value in enumerate(grid)]
    count = Count(report, 2 * toys * len(grid))
    p_values = np.array(applied(executor, _p_value, tasks, count, 2 * toys))
    if points is None:
        count.total = None
        grid, p_values = _extended(problem, best, grid, p_values, 1.0 - level, toys, key, count)
    inside = np.flatnonzero(p_values >= 1.0 - level)
    if len(inside) == 0:
        message = f"{name}: no point from {grid[0]:g} to {grid[-1]:g} is inside; give points about {best.x[problem.place]:.4g}"
        raise ValueError(message)
    error = math.sqrt(level * (1.0 - level) / toys)
    lower, upper = (_between(grid, p_values, 1.0 - level, int(inside[k]), k) for k in (0, -1))
    low, high = problem.limits
    notes = [
        f"the points end at {end:.4g}, which is inside: the interval may go on"
        for end, limit, at in ((lower, low, inside[0]), (upper, high, inside[-1] + 1))
        if at in (0, len(grid)) and end != limit
    ]
    at = float(best.x[problem.place])
    odd, valid = impossible(problem, best)
    rest = (grid, p_values, toys, error, (*problem.notes, *notes, *odd), problem.made_of, valid)
    return Interval(name, lower, upper, level, "feldman-cousins", at, *rest)


def applied(
    executor: Executor | None,
    function: Callable[..., Any],
    tasks: list[Any],
    count: Count,
    fits: int,
) -> list[Any]:
    """Apply a function to tasks, here or by an executor, with the results in the order of the tasks; count the fits of each."""
    if executor is None:
        return [function(*task, count) for task in tasks]
    results = []
    for result in in_order(executor, function, tasks):
        results.append(result)
        count(fits)
    return results


def _extended(
    problem: Problem,
    best: Minimum,
    grid: Array,
    p_values: Array,
    wanted: float,
    toys: int,
    key: int,
    count: Count,
) -> tuple[Array, Array]:
    """Go on with points of the same distance until the p-value is small, or to the physical limit."""
    step, stream = grid[1] - grid[0], len(grid)
    points, p = list(grid), list(p_values)
    for side, limit in zip((0, -1), problem.limits, strict=True):
        way = step if side else -step
        while p[side] >= wanted and points[side] != limit and len(points) < len(grid) + _MORE:
            value = float(np.clip(points[side] + way, *problem.limits))
            place = len(points) if side else 0
            points.insert(place, value)
            p.insert(place, _p_value(problem, best, value, toys, key, stream, count))
            stream += 1
    return np.array(points), np.array(p)


def _grid(problem: Problem, name: str, level: float) -> Array:
    """Points about the profile interval, widened by a half on both sides."""
    first = profile_interval(problem, name, level)
    low, high = problem.limits
    span = 0.5 * (first.upper - first.lower)
    return np.linspace(max(first.lower - span, low), min(first.upper + span, high), 25)


def _checked(points: Array, problem: Problem) -> Array:
    values = np.unique(np.asarray(points, dtype=np.float64))
    low, high = problem.limits
    if len(values) < 2 or not np.all(np.isfinite(values)) or values[0] < low or values[-1] > high:
        message = f"points: two or more finite values from {low:g} to {high:g} are needed"
        raise ValueError(message)
    return values


def _p_value(
    problem: Problem,
    best: Minimum,
    value: float,
    toys: int,
    key: int,
    stream: int,
    count: Count | None = None,
) -> float:
    here = problem.at(value, best.x)
    observed = max(2.0 * (here.value - best.value), 0.0)
    thrown = Toys(problem, problem.thrown(here.x, toys, key, stream), count)
    conditional, free = thrown.at(value, here.x).value, thrown.best(here.x).value
    # the free fit is at least as good as the one that is held
    ratio = 2.0 * (conditional - np.minimum(free, conditional))
    return np.count_nonzero(ratio >= observed - _TIE) / toys


def _between(grid: Array, p_values: Array, wanted: float, k: int, side: int) -> float:
    other = k - 1 if side == 0 else k + 1
    if not 0 <= other < len(grid):
        return float(grid[k])
    inside, outside = p_values[k], p_values[other]
    share = (inside - wanted) / (inside - outside) if inside > outside else 0.0
    return float(grid[k] + share * (grid[other] - grid[k]))
