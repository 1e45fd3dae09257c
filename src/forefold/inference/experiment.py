"""An experiment: what it expects, and what its data say of parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.inference import limits
from forefold.inference.counting import check_level, special
from forefold.inference.fit import fitted
from forefold.inference.flatness import flat_directions
from forefold.inference.inputs import counts
from forefold.inference.intervals import applied, feldman_cousins_interval, profile_interval
from forefold.inference.parameters import placed
from forefold.inference.result import FitResult
from forefold.inference.searching import Searching
from forefold.inference.toys import Count, Toys
from forefold.inference.warnings import TOLD, UNCONVERGED, at_limits, impossible, not_told_apart
from forefold.kernels.philox import random_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from forefold._parallel import Executor
    from forefold.inference.intervals import Interval
    from forefold.inference.limits import Limit
    from forefold.inference.profile import Problem, Thrown
    from forefold.io.registry import Progress

    Array = NDArray[np.float64]
    Random = int | np.random.Generator | None

__all__ = ["Coverage", "Experiment"]

_SIGMA = 0.6826894921370859
_BLOCK = 500  # toys of a task


@dataclass(frozen=True)
class Coverage:
    """How often intervals hold the truth.

    Attributes
    ----------
    fraction : float
    error : float
        Binomial standard deviation.
    level : float
        What is claimed.
    toys : int
    failed : int
        Toys whose fit did not converge; counted as not covered.
    """

    fraction: float
    error: float
    level: float
    toys: int
    failed: int


class Experiment(Searching):
    """Predict, throw, fit and bound: a true spectrum through a response, with backgrounds and uncertain detectors.

    Parameters
    ----------
    truth : histogram or array_like, mapping of str to these, or callable
        Over the true axes of the response. A histogram has one parameter, ``normalisation``, that scales it; a mapping has one
        of its name for each. A callable is called with its parameters by name and gives a histogram or numbers.
    response : ResponseMatrix, array_like R[true, reco], or mapping of str to ResponseMatrix
        A mapping holds ``"nominal"`` and ``NAME_up``, ``NAME_down``, as `ResponseMatrix.from_variations` gives them: each NAME is a pull, a parameter
        that is 0 +- 1.
    parameters : mapping of str to float or Parameter, optional
        Of a callable truth: all. Otherwise those that differ from ``Parameter(1.0, lower=0.0)``, and those of backgrounds.
    gradient : callable, optional
        Of a callable truth: gives a mapping of each name to the derivative of the contents; numerical if left out.
    background : histogram or array_like, mapping of str to these, optional
        Expected counts over the reconstructed axes, beside those that the response names (`ResponseMatrix.backgrounds`). One in a mapping, or of
        the response, whose name is in `parameters` is scaled by that parameter.
    background_variance : histogram or array_like, optional
        Of the sum of backgrounds, from a finite simulation.
    exposure : float
        Multiplies truth and background.
    fakes : bool
        Whether what is reconstructed of other origin is expected too: the fakes of the response, as many for each true event as it has, and its
        named backgrounds, as many as the truth has its events where parameters begin. Pulls move both.
    correlation : Card, str or array_like, optional
        Of the pulls: a card that says it, its name, or a matrix in their order. Independent if left out.
    statistics : {"multinomial", "dirichlet", "bootstrap", "none"}
        How the finite simulation of the response counts in the likelihood (Barlow and Beeston, lite, with correlations): its covariance is
        that of `forefold.fold`, see `ResponseMatrix.covariance`. With ``dirichlet`` cells without entries count too; ``none`` leaves it out.
    empty_rows : {"stop", "lose"}
        What becomes of truth in a bin of which the response knows nothing.

    Raises
    ------
    ValueError
        Axes differ (which, and where), numbers are negative or not finite, or parameters do not go together.

    Notes
    -----
    Which method when:

    - `fit`: many counts, parameters away from limits. Maximum likelihood [1]_ with MIGRAD of iminuit and the exact gradient.
    - `interval` ``"profile"``: two-sided statements; right where Wilks' theorem holds, which is where `coverage` says so. Pulls are profiled.
    - `interval` ``"feldman-cousins"`` [2]_: few counts, a physical limit near by, parameters such as mixing angles. Toys at each
      point, with other parameters at their best values there [3]_; slow.
    - `upper_limit` ``"cls"`` [4]_: searches. Never excludes what the experiment cannot see. ``toys=0`` takes asymptotic formulae [5]_: for
      10 counts or more where the signal is, observed or expected without it; with fewer a note says so.
    - `upper_limit` ``"profile"`` [5]_: covers as it says in the asymptotic region, and may exclude what cannot be seen.
    - `expected_limit`: what a search can be expected to exclude, before there are data, with its band of one and two standard deviations.
    - `upper_limit` ``"bayes"``: a statement of belief, with a flat prior that depends on the parameter chosen. Other parameters are integrated
      by Laplace's approximation.
    - One bin with a known background: `forefold.inference.feldman_cousins` and `poisson_upper_limit` are exact and fast.

    Pulls move the matrix along a parabola through both variations, and straight on beyond one standard deviation. The
    simulation's statistics [6]_ are one normal factor, at its best value: of one dimension a bin where bins are independent, of all bins together where
    events migrate between them, with the covariance that `forefold.fold` gives.

    References
    ----------
    .. [1] S. Baker, R. Cousins, Nucl. Instrum. Meth. 221 (1984) 437.
    .. [2] G. J. Feldman, R. D. Cousins, physics/9711021.
    .. [3] NOvA Collaboration, arXiv:2207.14353.
    .. [4] A. L. Read, J. Phys. G 28 (2002) 2693.
    .. [5] G. Cowan, K. Cranmer, E. Gross, O. Vitells, arXiv:1007.1727.
    .. [6] R. Barlow, C. Beeston, Comput. Phys. Commun. 77 (1993) 219; J. S. Conway, arXiv:1103.0354.

    Examples
    --------
    >>> import forefold
    >>> experiment = forefold.Experiment([50.0, 80.0], [[0.6, 0.2], [0.1, 0.7]], background=[5.0, 5.0])
    >>> experiment.predict().values.round(6).tolist()
    [43.0, 71.0]
    >>> experiment.fit([45.0, 60.0])
    FitResult: deviance/ndf = 1.115/1, p = 0.29
      normalisation = 0.9107 +- 0.098
    >>> experiment.interval([45.0, 60.0], "normalisation")
    Interval of normalisation: 0.8154 to 1.012 at 68.27 % (profile), best 0.9107
    >>> experiment.upper_limit([5.0, 6.0], level=0.9)
    Limit of normalisation: 0.06677 at 90 % (cls), best 0.01122
    """

    def fit(self, data: Any, *, fixed: Mapping[str, float] | None = None) -> FitResult:
        """Find the parameters that fit data best.

        Parameters
        ----------
        data : histogram or array_like, shape (n_reco,)
            Counts, over the reconstructed axes. A prediction is taken as expected counts (Asimov data).
        fixed : mapping of str to float, optional
            Parameters that are held.

        Returns
        -------
        FitResult

        Raises
        ------
        ValueError
            Axes differ, counts are negative, not finite or weighted, there is no such parameter, or one is held outside its limits.
        """
        observed, outside = counts(data, self._matrix)
        problem = self._of_data(data, fixed, 0)
        begin = problem.best()
        x, covariance, value, valid = fitted(problem.objective, begin.x, self.names, problem.fixed)
        flat = flat_directions(problem.objective, x, problem.fixed)
        lost = (abs(flat) > TOLD).any(axis=0)
        covariance[lost], covariance[:, lost] = np.nan, np.nan
        expected = self._expectation(x).mean
        odd, possible = impossible(problem, begin._replace(x=x))
        notes = list(problem.notes)
        notes += [f"{outside:.6g} counts in underflow and overflow are not used"] if outside else []
        notes += odd
        notes += at_limits(x, self._parameters, problem.fixed)
        notes += [] if valid else [UNCONVERGED]
        notes += not_told_apart(flat, self.names)
        free = ~problem.fixed
        free[self._constraint.places] = False
        return FitResult(
            self.names,
            x,
            covariance,
            max(2.0 * value, 0.0),
            int(len(observed) - free.sum() + len(flat)),
            valid and possible and not len(flat),
            observed,
            expected,
            self._pulls,
            tuple(notes),
            problem,
            self._matrix.reco_axes,
        )

    def interval(
        self,
        data: Any,
        parameter: str | None = None,
        *,
        level: float = _SIGMA,
        method: str = "profile",
        fixed: Mapping[str, float] | None = None,
        points: Sequence[float] | Array | None = None,
        toys: int = 1000,
        rng: Random = None,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Interval:
        """Say which values of a parameter data allow; which method when is in `Experiment`.

        Parameters
        ----------
        data : histogram or array_like, shape (n_reco,)
        parameter : str, optional
            The first one if left out.
        level : float
            Confidence level.
        method : {"profile", "feldman-cousins"}
        fixed : mapping of str to float, optional
            Parameters that are held; all others are profiled.
        points : array_like, optional
            Of ``feldman-cousins``: where toys are thrown; about the profile interval, and on as far as they are inside, if left out.
            Ends are interpolated.
        toys : int
            Of ``feldman-cousins``, at each point. Upper ends are not lengthened as those of `forefold.inference.feldman_cousins` are.
        rng : int, numpy Generator or None
            Fixes them.
        executor : object with `map`, optional
            Of ``feldman-cousins``: who throws the toys, such as an executor of `concurrent.futures` or a ``dask.distributed.Client``; the
            numbers are the same. Processes cannot be sent a truth that is a function of this session.
        progress : callable, optional
            Of ``feldman-cousins``: is told how far the toys are: the part that is done, from 0 to 1, or None where that is not known, and the fits that are.

        Returns
        -------
        Interval

        Raises
        ------
        ValueError
            As `fit`; data do not bound the parameter; or the fit does not converge.
        """
        level = check_level(level)
        name, place = self._place(parameter, fixed)
        problem = self._of_data(data, fixed, place)
        if method == "profile":
            return profile_interval(problem, name, level)
        if method != "feldman-cousins":
            message = f"method = {method!r}: 'profile' or 'feldman-cousins'"
            raise ValueError(message)
        _check_toys(toys, 1)
        grid = None if points is None else np.asarray(points, dtype=np.float64)
        key = random_key(rng)
        return feldman_cousins_interval(
            problem,
            name,
            level,
            points=grid,
            toys=toys,
            key=key,
            executor=executor,
            report=progress,
        )

    def upper_limit(
        self,
        data: Any,
        parameter: str | None = None,
        *,
        level: float = 0.95,
        method: str = "cls",
        fixed: Mapping[str, float] | None = None,
        toys: int = 0,
        rng: Random = None,
        progress: Progress | None = None,
    ) -> Limit:
        """Say above which value data exclude a parameter; which method when is in `Experiment`.

        Parameters
        ----------
        data : histogram or array_like, shape (n_reco,)
        parameter : str, optional
            The first one if left out. Its lower limit is where there is no signal.
        level : float
            Confidence level, or credibility.
        method : {"cls", "profile", "bayes"}
        fixed : mapping of str to float, optional
            Parameters that are held.
        toys : int
            Of ``cls``: how many with and without signal; 0 takes asymptotic formulae.
        rng : int, numpy Generator or None
            Fixes them.
        progress : callable, optional
            See `interval`.

        Returns
        -------
        Limit

        Raises
        ------
        ValueError
            As `interval`, the parameter has no lower limit, or toys are too few to say how improbable the data are without signal.
        """
        level = check_level(level)
        name, place = self._place(parameter, fixed)
        problem = self._of_data(data, fixed, place)
        _check_toys(toys, 0)
        if toys and method != "cls":
            message = f"toys = {toys}: for method='cls'"
            raise ValueError(message)
        functions = {
            "cls": limits.cls_limit,
            "profile": limits.profile_limit,
            "bayes": limits.bayes_limit,
        }
        if method not in functions:
            message = f"method = {method!r}: one of {', '.join(functions)}"
            raise ValueError(message)
        if toys:
            return limits.cls_limit_toys(problem, name, level, toys, random_key(rng), progress)
        return functions[method](problem, name, level)

    def coverage(
        self,
        parameter: str | None = None,
        *,
        level: float = _SIGMA,
        toys: int = 1000,
        rng: Random = None,
        fixed: Mapping[str, float] | None = None,
        executor: Executor | None = None,
        progress: Progress | None = None,
        **values: float,
    ) -> Coverage:
        """Count how often the profile interval holds the truth.

        Parameters
        ----------
        parameter : str, optional
            The first one if left out.
        level : float
        toys : int
        rng : int, numpy Generator or None
            Fixes the toys.
        fixed : mapping of str to float, optional
            Parameters that are held in fits.
        executor : object with `map`, optional
            See `interval`.
        progress : callable, optional
            See `interval`.
        **values : float
            What is true.

        Returns
        -------
        Coverage

        Raises
        ------
        ValueError
            As `predict`.
        """
        reach = float(special().chdtri(1.0, 1.0 - check_level(level)))
        _check_toys(toys, 1)
        _, place = self._place(parameter, fixed)
        x = placed(values, self.names, self.start)
        self._expected(x)
        problem = self._problem(np.zeros(self._matrix.matrix.shape[1]), fixed, place)
        thrown, count = problem.thrown(x, toys, random_key(rng), 0), Count(progress, 2 * toys)
        size = toys if executor is None else min(_BLOCK, toys)
        blocks = [thrown.of(slice(k, k + size)) for k in range(0, toys, size)]
        tasks = [(problem, x, reach, block) for block in blocks]
        held, failed = (
            sum(n) for n in zip(*applied(executor, _counted, tasks, count, 2 * size), strict=True)
        )
        share = held / toys
        return Coverage(
            share, math.sqrt(max(share * (1.0 - share), 1e-9) / toys), level, toys, failed
        )


def _counted(
    problem: Problem, x: Array, reach: float, thrown: Thrown, count: Count | None = None
) -> tuple[int, int]:
    """Count toys whose interval holds the truth, and those whose fit fails."""
    toys = Toys(problem, thrown, count)
    best, here = toys.best(x), toys.at(float(x[problem.place]), x)
    good = best.valid & here.valid
    held = good & (2.0 * (here.value - best.value) <= reach)
    return int(np.count_nonzero(held)), int(np.count_nonzero(~good))


def _check_toys(toys: int, least: int) -> None:
    if toys < least:
        message = f"toys = {toys!r}: {least} or more"
        raise ValueError(message)
