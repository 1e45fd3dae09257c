"""Limits that are expected without signal, and how far they scatter."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.inference.counting import special
from forefold.inference.intervals import _TIE, _check, crossing, width_of
from forefold.inference.limits import (
    _ONE_BIN,
    _none,
    bayes_limits,
    one_sided,
    profile_limits,
)
from forefold.inference.profile import Thrown
from forefold.inference.toys import Count, Toys
from forefold.inference.warnings import few_expected, few_toys
from forefold.unfolding.json import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from forefold.inference.limits import Limit
    from forefold.inference.minimum import Minimum
    from forefold.inference.profile import Problem
    from forefold.io.registry import Progress

    Array = NDArray[np.float64]

__all__ = ["ExpectedLimit", "asymptotic_band", "cls_band_of_toys", "limits_of_toys"]

_SIGMAS = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
_POINTS = 41  # of the curves
_GRID = 13  # of values that toys are thrown at
_WIDER = (0.8, 1.25)  # than the asymptotic band
_MORE = 30  # points to go on with
_BLOCK = 500  # toys whose limits are taken at once


@dataclass(frozen=True, repr=False)
class ExpectedLimit:
    """The limit that data without signal give: its median, and its scatter.

    Attributes
    ----------
    parameter : str
    band : ndarray, shape (5,)
        Limits where data are at -2, -1, 0, 1 and 2 standard deviations of what they scatter; the one in the middle is the median.
    level : float
        Confidence level, or credibility.
    method : str
    toys : int
        0 without toys.
    errors : ndarray, shape (5,)
        Standard deviations of `band` from the number of toys; 0 without toys.
    points, shares : ndarray, shapes (n,) and (5, n)
        Values of the parameter, and CLs (p-values of ``profile``) of those five data there; empty where limits of toys were taken.
    limits : ndarray, shape (toys,)
        Limits of toys, ascending; empty where none were taken.
    notes : tuple of str
    made_of : dict
        What `forefold.cite` goes back to.
    """

    parameter: str
    band: Array
    level: float
    method: str
    toys: int = 0
    errors: Array = field(default_factory=lambda: np.zeros(5))
    points: Array = field(default_factory=lambda: np.zeros(0))
    shares: Array = field(default_factory=lambda: np.zeros((5, 0)))
    limits: Array = field(default_factory=lambda: np.zeros(0))
    notes: tuple[str, ...] = ()
    made_of: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def median(self) -> float:
        """The limit that half of the data without signal are below."""
        return float(self.band[2])

    def __float__(self) -> float:
        return self.median

    def peek(self, observed: Limit | float | None = None, ax: Axes | None = None) -> Figure:
        """Draw CLs (or the limits of toys) with one and two standard deviations in green and yellow; print-ready.

        Parameters
        ----------
        observed : Limit or float, optional
            Of data, drawn too.
        ax : Axes, optional
            Draw there.

        Returns
        -------
        Figure
        """
        from forefold import plotting

        return plotting.band_figure(self, None if observed is None else float(observed), ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain numbers, texts and lists."""
        return {
            "parameter": self.parameter,
            "median": self.median,
            "band": plain(self.band),
            "errors": plain(self.errors),
            "level": self.level,
            "method": self.method,
            "toys": self.toys,
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        toys = f", {self.toys} toys" if self.toys else ""
        error = f" +- {self.errors[2]:.2g}" if self.toys else ""
        two, one, _, up, far = self.band
        head = (
            f"Expected limit of {self.parameter}: {self.median:.4g}{error} at {100 * self.level:.4g} % ({self.method}{toys}), "
            f"{one:.4g} to {up:.4g} within 1 sigma, {two:.4g} to {far:.4g} within 2"
        )
        return "\n".join([head, *(f"  note: {note}" for note in self.notes)])


@dataclass(frozen=True)
class _Background:
    """What is expected without signal: a truth of toys, and data (Asimov) with their best fit."""

    truth: Array
    problem: Problem
    best: Minimum

    @classmethod
    def of(cls, problem: Problem, x: Array, name: str) -> _Background:
        truth = np.array(x)
        truth[problem.place] = _none(problem)
        centre = truth[problem.objective.constraint.places]
        asimov = problem.with_data(Thrown(problem.expected(truth).mean, centre))
        best = asimov.best(truth)
        _check(best, name)
        return cls(truth, asimov, best)

    @property
    def start(self) -> float:
        """Value without signal."""
        return float(self.truth[self.problem.place])

    @property
    def end(self) -> float:
        """Largest value that the parameter may have."""
        return self.problem.limits[1]

    def reached(self, root: float) -> float:
        """Value where the square root of the Asimov likelihood ratio is this."""
        step = width_of(self.best, self.problem.place)
        return crossing(
            lambda v: self.problem.ratio(v, self.best) - root**2, self.start, step, self.end
        )

    def roots(self, points: Array) -> Array:
        """Square roots of the Asimov likelihood ratio."""
        return np.sqrt([self.problem.ratio(float(v), self.best) for v in points])


def _reach(method: str, level: float) -> Array:
    """Square roots of the Asimov likelihood ratio at the limits of the band.

    The best value is N standard deviations where data scatter by N; `cls` is eq. 89 of arXiv:1007.1727 with CLs for its p-value, and
    `profile` has its best value at the bound where N is negative.
    """
    ndtr, ndtri = special().ndtr, special().ndtri
    if method == "cls":
        return np.asarray(_SIGMAS + ndtri(1.0 - (1.0 - level) * ndtr(_SIGMAS)))
    z = float(ndtri(level))
    return np.where(_SIGMAS < 0.0, _SIGMAS + np.hypot(_SIGMAS, z), _SIGMAS + z)


def _shares(method: str, roots: Array) -> Array:
    """CLs, or p-values, where the Asimov likelihood ratio has these square roots; shape (5, n)."""
    ndtr = special().ndtr
    observed = np.maximum(roots - _SIGMAS[:, None], 0.0)
    if method == "cls":
        return np.asarray(ndtr(-observed) / ndtr(roots - observed))
    bound = np.sqrt(roots**2 - 2.0 * roots * np.minimum(_SIGMAS, 0.0)[:, None])
    return np.asarray(ndtr(-np.where(_SIGMAS[:, None] < 0.0, bound, observed)))


def asymptotic_band(
    problem: Problem, x: Array, name: str, level: float, method: str
) -> ExpectedLimit:
    """Use asymptotic formulae with the Asimov data set; see `Experiment.expected_limit`.

    Parameters
    ----------
    problem : Problem
    x : ndarray, shape (parameters,)
        What is true; there is no signal.
    name : str
        Of the parameter of interest.
    level : float
    method : {"cls", "profile"}

    Returns
    -------
    ExpectedLimit
    """
    none = _Background.of(problem, x, name)
    band = np.array([none.reached(float(root)) for root in _reach(method, level)])
    far = min(none.start + 1.3 * (band[-1] - none.start), none.end)
    points = np.linspace(none.start, far, _POINTS)
    shares = _shares(method, none.roots(points))
    what = f"toys (toys=10000, --toys 10000){_ONE_BIN if method == 'cls' else ''}"
    notes = problem.notes + few_expected(none.problem, float(band[2]), what)
    return ExpectedLimit(
        name,
        band,
        level,
        method,
        points=points,
        shares=shares,
        notes=notes,
        made_of=problem.made_of,
    )


def cls_band_of_toys(
    problem: Problem,
    x: Array,
    name: str,
    level: float,
    toys: int,
    key: int,
    report: Progress | None = None,
) -> ExpectedLimit:
    """Count toys with and without signal for data at five quantiles of those without; see `Experiment.expected_limit`.

    Values are those of a grid, with the same random numbers for all; CLs is interpolated in its logarithm.
    """
    none = _Background.of(problem, x, name)
    # each value takes a fit of the toys without signal, and two of those with it
    count = Count(report, (3 * _GRID + 1) * toys)
    alone = Toys(problem, problem.thrown(none.truth, toys, key, 1), count)
    free = alone.best(none.truth)

    def tails(value: float) -> Array:
        here = none.problem.at(value, none.truth).x
        without = one_sided(alone, value, free, here)
        mixed = Toys(problem, problem.thrown(here, toys, key, 0), count)
        return _tails(one_sided(mixed, value, mixed.best(here), here), without)

    rough = np.array([none.reached(float(root)) for root in _reach("cls", level)])
    low, high = (
        none.start + w * (rough[k] - none.start) for w, k in zip(_WIDER, (0, -1), strict=True)
    )
    grid = np.linspace(low, min(high, none.end), _GRID)
    points, tail_shares = _scanned(tails, grid, 1.0 - level, none.start, none.end)
    crossed = [
        _crossed(points, tail_shares[:, 0, k], tail_shares[:, 1, k], 1.0 - level, toys)
        for k in range(5)
    ]
    # few toys may have two of them the wrong way round
    band = np.sort([value for value, _ in crossed])
    shares_alone = np.array([share for _, share in crossed])
    counted = _counted(none, band, (1.0 - level) * shares_alone, shares_alone, toys)
    errors = np.hypot(counted, _quantile_errors(band, toys))
    notes = problem.notes + few_toys((1.0 - level) * float(shares_alone.min()), 1.0, toys)
    shares = (tail_shares[:, 0] / tail_shares[:, 1]).T
    return ExpectedLimit(
        name, band, level, "cls", toys, errors, points, shares, notes=notes, made_of=problem.made_of
    )


def _tails(both: Array, without: Array) -> Array:
    """Shares of toys with and without signal that look no more like it than five data without; shape (2, 5)."""
    descending = np.sort(without)[::-1]
    ranks = np.ceil(special().ndtr(_SIGMAS) * len(without)).astype(int) - 1
    quantiles = descending[np.clip(ranks, 0, len(without) - 1)] - _TIE
    return np.array([[np.mean(q >= quantile) for quantile in quantiles] for q in (both, without)])


def _scanned(
    tails: Callable[[float], Array], grid: Array, wanted: float, floor: float, end: float
) -> tuple[Array, Array]:
    """Go through a grid, and on until all of CLs are above what is wanted at one end, and below at the other.

    Returns
    -------
    points : ndarray, shape (n,)
    tails : ndarray, shape (n, 2, 5)
    """
    step = grid[1] - grid[0]
    points = [float(v) for v in grid]
    shares = [tails(v) for v in points]

    def cls(k: int) -> Array:
        return np.asarray(shares[k][0] / shares[k][1])

    while np.any(cls(-1) >= wanted) and points[-1] < end and len(points) < _GRID + _MORE:
        points.append(min(points[-1] + step, end))
        shares.append(tails(points[-1]))
    while np.any(cls(0) < wanted) and points[0] > floor:
        points.insert(0, max(points[0] - step, floor))
        shares.insert(0, tails(points[0]))
    return np.array(points), np.array(shares)


def _crossed(
    points: Array, both: Array, alone: Array, wanted: float, toys: int
) -> tuple[float, float]:
    """Find where CLs falls below what is wanted; gives the value, and the share of toys without signal there."""
    above = np.flatnonzero(both >= wanted * alone)
    i = min(int(above[-1]) if len(above) else 0, len(points) - 2)
    here = slice(i, i + 2)
    # a tail without toys counts as one of half a toy, or less where that is more than is wanted
    least = np.minimum(0.5 / toys, 0.5 * wanted * alone[here])
    first, second = np.log(np.maximum(both[here], least) / alone[here])
    part = (first - math.log(wanted)) / (first - second) if first > second else 1.0
    value = points[i] + min(max(part, 0.0), 1.0) * (points[i + 1] - points[i])
    return float(value), float(alone[i])


def _counted(none: _Background, band: Array, both: Array, alone: Array, toys: int) -> Array:
    """Give binomial errors of both shares, over the slopes of ln CLs that asymptotic formulae have there."""
    relative = np.sqrt((1.0 - both) / (toys * both) + (1.0 - alone) / (toys * alone))
    step = 0.05 * np.maximum(band - none.start, 1e-9)
    places = [band - step, np.minimum(band + step, none.end)]
    low, high = (np.diagonal(_shares("cls", none.roots(values))) for values in places)
    slopes = np.log(low / high) / (places[1] - places[0])
    return np.where(slopes > 0.0, relative / np.where(slopes > 0.0, slopes, 1.0), np.inf)


def _quantile_errors(band: Array, toys: int) -> Array:
    """Give standard deviations of quantiles from the number of toys, over the density that the band has there."""
    below = special().ndtr(_SIGMAS)
    density = np.exp(-0.5 * _SIGMAS**2) / math.sqrt(2.0 * math.pi)
    return np.asarray(np.sqrt(below * (1.0 - below) / toys) / density * np.gradient(band))


def limits_of_toys(
    problem: Problem,
    x: Array,
    name: str,
    level: float,
    method: str,
    toys: int,
    key: int,
    report: Progress | None = None,
) -> ExpectedLimit:
    """Take the limits of toys without signal; see `Experiment.expected_limit`."""
    none = _Background.of(problem, x, name)
    bound = {"profile": profile_limits, "bayes": bayes_limits}[method]
    thrown, count = problem.thrown(none.truth, toys, key, 1), Count(report, toys)
    parts = []
    for first in range(0, toys, _BLOCK):
        some = Toys(problem, thrown.of(slice(first, first + _BLOCK)))
        parts.append(bound(some, name, level))
        count(len(some))
    limits = np.sort(np.concatenate(parts))
    band = np.quantile(limits, special().ndtr(_SIGMAS))
    least = float(special().ndtr(_SIGMAS[0]))
    errors = _quantile_errors(band, toys)
    notes = problem.notes + few_toys(least, least, toys)
    return ExpectedLimit(
        name, band, level, method, toys, errors, limits=limits, notes=notes, made_of=problem.made_of
    )
