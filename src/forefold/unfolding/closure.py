"""Closure: bias and coverage of methods, from toys of a known truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.kernels.philox import random_key
from forefold.unfolding.inputs import contents_of, inputs, require_signal
from forefold.unfolding.json import plain
from forefold.unfolding.measurement import array, checked_measurement
from forefold.unfolding.methods import METHODS, settings, solved
from forefold.unfolding.strength import thrown
from forefold.unfolding.uncertainty import data_covariance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from forefold.io.registry import Progress
    from forefold.unfolding.measurement import Measurement
    from forefold.unfolding.methods import Settings

    Array = NDArray[np.float64]

__all__ = ["LEVEL", "Closure", "Study", "closure"]

LEVEL = math.erf(math.sqrt(0.5))  # of one standard deviation
_OF_METHOD = ("method", "iterations", "strength", "order", "errors")
_OF_PROBLEM = ("prior", "background", "fakes", "covariance", "blind", "shape")


@dataclass(frozen=True, eq=False)
class Study:
    """Bias, spread and coverage of one method in each true bin; all arrays have shape (n_true,).

    Attributes
    ----------
    bias : ndarray
        Mean of the results less the truth.
    bias_error : ndarray
        Statistical error of `bias` from the number of toys.
    smeared_bias : ndarray
        Mean of the results less the truth with their A_C.
    spread : ndarray
        Standard deviation of the results.
    error : ndarray
        Mean of the standard deviations that the method gives.
    pull, pull_width : ndarray
        Mean and standard deviation of (result - truth) / error; NaN where a method gave no error in any toy.
    coverage : ndarray
        Coverage: fraction of toys whose interval result +- error contains the true value.
    smeared_coverage : ndarray
        Coverage of the truth smeared with the A_C of each result, which is what a regularised result estimates.
    strength : float
        Mean number of iterations, or mean regularisation strength tau; NaN where there is none.
    """

    bias: Array
    bias_error: Array
    smeared_bias: Array
    spread: Array
    error: Array
    pull: Array
    pull_width: Array
    coverage: Array
    smeared_coverage: Array
    strength: float


@dataclass(frozen=True, eq=False)
class Closure:
    """What toys say about methods.

    Attributes
    ----------
    truth : ndarray, shape (n_true,)
    studies : dict of str to Study
        By the names of the methods.
    toys : int
    rng : int
        Makes the same toys again.
    axes : tuple
        True axes, of hist; empty where only arrays were given.
    """

    truth: Array
    studies: dict[str, Study]
    toys: int
    rng: int
    axes: tuple[Any, ...] = ()

    @property
    def coverage_error(self) -> float:
        """Statistical uncertainty of a coverage of 68.3 %."""
        return math.sqrt(LEVEL * (1.0 - LEVEL) / self.toys)

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain lists and dicts; None where there is no number."""
        return {
            "truth": self.truth.tolist(),
            "toys": self.toys,
            "rng": self.rng,
            "methods": {
                name: {key: plain(value) for key, value in vars(study).items()}
                for name, study in self.studies.items()
            },
        }

    def peek(self) -> Figure:
        """Draw bias, pulls and coverage of every method, in bins."""
        from forefold import plotting

        return plotting.closure_figure(self)

    def __str__(self) -> str:
        """Bias and coverage of every method: median and range over the true bins."""
        width = max(len(name) for name in self.studies)
        head = f"Closure: {self.toys} toys (rng={self.rng}), {len(self.truth)} true bins"
        lines = [
            f"{head}; coverage of 68.3 % intervals, +-{100.0 * self.coverage_error:.1f} a bin",
            f"  {'':<{width}}  {'|bias|/error':>12}  {'pull width':>10}  {'coverage %, median (range)':>27}  {'of A_C truth':>19}",
        ]
        for name, study in self.studies.items():
            defined = study.error > 0.0
            ratio = (
                np.median(abs(study.bias[defined]) / study.error[defined])
                if defined.any()
                else np.nan
            )
            wide = np.median(study.pull_width[defined]) if defined.any() else np.nan
            lines.append(
                f"  {name:<{width}}  {ratio:12.2f}  {wide:10.2f}  {_range(study.coverage):>27}  "
                f"{_range(study.smeared_coverage):>19}"
            )
        return "\n".join(lines)


def _range(fractions: Array) -> str:
    percent = 100.0 * fractions
    return f"{np.median(percent):.1f} ({percent.min():.1f}-{percent.max():.1f})"


def closure(
    truth: Any,
    response: Any,
    methods: Mapping[str, Mapping[str, Any]],
    *,
    toys: int = 1000,
    background: Any = None,
    rng: int | np.random.Generator | None = None,
    progress: Progress | None = None,
    **common: Any,
) -> Closure:
    """Find bias and coverage of methods: throw toys of a known truth, unfold each, compare.

    Parameters
    ----------
    truth : histogram or array_like, shape (n_true,)
        Expected true contents; need not be what the response was made with, and better is not.
    response : ResponseMatrix or array_like, shape (n_true, n_reco)
    methods : mapping of str to mapping
        By any name, what `forefold.unfold` is told: ``{"bayes 4": {"method": "bayes", "iterations": 4}}``.
    toys : int
        Poisson counts of truth times response, plus background. Toy i is the same however many there are.
    background : histogram or array_like, shape (n_reco,), optional
    rng : int, numpy Generator or None
        Fixes the toys.
    progress : callable, optional
        Is told how far it is: the part that is done, from 0 to 1, and how many toys are.
    **common
        Told to `forefold.unfold` for every method: ``prior``, ``covariance``, ``fakes``, ``blind``, ``shape``, ``order``,
        ``errors``. With a covariance, toys are normal with it.

    Returns
    -------
    Closure

    Raises
    ------
    ValueError
        As `forefold.unfold`; there are no toys or methods; the truth does not fit.

    Notes
    -----
    Errors are those of the data; the response is taken as exactly known. A rule chooses the strength anew in every toy.

    Examples
    --------
    >>> import forefold
    >>> response = [[0.8, 0.2], [0.1, 0.9]]
    >>> found = forefold.closure([400.0, 900.0], response, {"inverse": {"method": "inversion"}}, toys=200, rng=1)
    >>> bool(abs(found.studies["inverse"].coverage - 0.683).max() < 0.1)
    True
    """
    if not methods or toys < 2:
        message = (
            f"closure: at least one method and two toys are needed, found {len(methods)} and {toys}"
        )
        raise ValueError(message)
    key = random_key(rng)
    studies: dict[str, Study] = {}
    axes = tuple(getattr(response, "true_axes", ()))
    expected = _truth(truth, axes)
    for number, (name, options_of_method) in enumerate(methods.items()):
        options = {"background": background, **common, **options_of_method}
        _check_names(options)
        how = settings(**{k: v for k, v in options.items() if k not in _OF_PROBLEM}, key=key)
        measurement = _expected_measurement(expected, response, options)
        count = _counter(progress, number * toys, len(methods) * toys)
        several = thrown(measurement, expected[measurement.kept], key, toys)
        studies[name] = _study(measurement, how, expected, several, count)
    return Closure(expected, studies, toys, key, axes)


def _counter(progress: Progress | None, done: int, total: int) -> Callable[[int], object]:
    """Give what is told how many toys of a method are done."""
    if progress is None:
        return lambda _: None
    return lambda more: progress((done + more) / total, done + more)


def _check_names(options: Mapping[str, Any]) -> None:
    names = (*_OF_PROBLEM, *_OF_METHOD)
    for name in options:
        if name not in names:
            message = f"closure: {name!r} is not one of {', '.join(names)}"
            raise ValueError(message)
    if "method" not in options:
        message = f"closure: a method without 'method', which is one of {', '.join(METHODS)}"
        raise ValueError(message)


def _truth(truth: Any, axes: tuple[Any, ...]) -> Array:
    if hasattr(truth, "axes") and hasattr(truth, "values"):
        truth = contents_of("truth", truth, axes, wrong="reco")
    contents = array("truth", np.ravel(np.asarray(truth, dtype=np.float64)), 1)
    if (contents < 0.0).any():
        message = (
            f"truth: {contents.min():g} in bin {int(contents.argmin())}; contents are not negative"
        )
        raise ValueError(message)
    return contents


def _expected_measurement(truth: Array, response: Any, options: Mapping[str, Any]) -> Measurement:
    """Give the measurement whose data are what is expected."""
    matrix = array("response", getattr(response, "matrix", response), 2)
    if truth.shape != (len(matrix),):
        message = f"truth has {len(truth)} bins; the response has {len(matrix)} true bins"
        raise ValueError(message)
    picked = {
        k: v for k, v in options.items() if k in ("prior", "background", "covariance", "fakes")
    }
    expected = truth @ matrix
    if options.get("background") is not None:
        outside = options["background"]
        outside = outside.values() if hasattr(outside, "values") else outside
        expected = expected + np.ravel(np.asarray(outside, dtype=np.float64))
    read = inputs(expected, response, **picked)
    require_signal(options["method"], options.get("prior"), read.prior)
    return checked_measurement(
        read.data,
        read.matrix,
        covariance=read.covariance,
        background=read.background,
        prior=read.prior,
        prior_name=read.prior_name,
        shape=tuple(len(axis) for axis in read.true_axes) or options.get("shape"),
        blind=options.get("blind", "stop"),
    )


def _study(
    measurement: Measurement,
    how: Settings,
    truth: Array,
    toys: Array,
    count: Callable[[int], object],
) -> Study:
    aim = truth[measurement.kept]
    results, errors, smeared, strengths = [], [], [], []
    for number, toy in enumerate(toys, 1):
        one = measurement.with_data(toy)
        solution = solved(one, how)
        covariance = data_covariance(one, solution, how.errors)
        results.append(solution.values)
        errors.append(np.sqrt(np.clip(np.diag(covariance), 0.0, None)))
        smeared.append(solution.gain @ (aim @ measurement.matrix) + solution.offset)
        strengths.append(solution.strength)
        count(number)
    values, error, target = np.array(results), np.array(errors), np.array(smeared)
    away = values - aim
    defined = error > 0.0
    pulls = np.where(defined, away / np.where(defined, error, 1.0), np.nan)
    there = defined.any(axis=0)
    pull, width = np.full(len(aim), np.nan), np.full(len(aim), np.nan)
    pull[there] = np.nanmean(pulls[:, there], axis=0)
    width[there] = np.nanstd(pulls[:, there], axis=0)
    return Study(
        bias=away.mean(axis=0),
        bias_error=values.std(axis=0, ddof=1) / math.sqrt(len(values)),
        smeared_bias=(values - target).mean(axis=0),
        spread=values.std(axis=0, ddof=1),
        error=error.mean(axis=0),
        pull=pull,
        pull_width=width,
        coverage=(abs(away) <= error).mean(axis=0),
        smeared_coverage=(abs(values - target) <= error).mean(axis=0),
        strength=float(np.mean(strengths)),
    )
