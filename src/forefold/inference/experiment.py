"""An experiment: what it expects, and what its data say of parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from forefold.inference import expected_limit as bands
from forefold.inference import limits
from forefold.inference.counting import check_level, special
from forefold.inference.fit import fitted, undetermined_directions
from forefold.inference.inputs import (
    Background,
    axes_named_otherwise,
    backgrounds,
    counts,
    detector,
    names_noted,
    share_of_truth,
    simulation,
)
from forefold.inference.inputs import truth as read_truth
from forefold.inference.intervals import applied, feldman_cousins_interval, profile_interval
from forefold.inference.minimum import Objective
from forefold.inference.model import Expectation, moved
from forefold.inference.parameters import Constraint, Parameter, check_name, placed
from forefold.inference.profile import Problem
from forefold.inference.result import FitResult
from forefold.inference.toys import Count, Toys
from forefold.inference.warnings import TOLD, UNCONVERGED, at_limits, impossible, not_told_apart
from forefold.kernels.philox import random_key
from forefold.matrix import Prediction
from forefold.matrix.axes import bin_name
from forefold.matrix.contents import empty, shape_of
from forefold.matrix.fold import check_efficiency
from forefold.matrix.json import PREDICTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from forefold._parallel import Executor
    from forefold.detector.load import Card
    from forefold.inference.expected_limit import ExpectedLimit
    from forefold.inference.inputs import Detector
    from forefold.inference.intervals import Interval
    from forefold.inference.limits import Limit
    from forefold.inference.model import Expected
    from forefold.inference.profile import Thrown
    from forefold.io.registry import Progress
    from forefold.matrix import ResponseMatrix
    from forefold.matrix.uncertainty import Method

    Array = NDArray[np.float64]
    Random = int | np.random.Generator | None

__all__ = ["Coverage", "Experiment"]

_SIGMA = 0.6826894921370859
_BLOCK = 500  # toys of a task
_LARGEST = 1e30  # of the exposure
_LIMIT_METHODS = ("cls", "profile", "bayes")


@dataclass(frozen=True)
class Coverage:
    """Coverage of an interval: the fraction of toys whose interval contains the true value.

    Attributes
    ----------
    fraction : float
    error : float
        Binomial standard deviation.
    level : float
        Confidence level of the interval, which `fraction` should equal.
    toys : int
    failed : int
        Toys whose fit did not converge; counted as not covered.
    """

    fraction: float
    error: float
    level: float
    toys: int
    failed: int


class Experiment:
    """A counting experiment: a true spectrum folded with a response, with backgrounds and detector uncertainties.

    It predicts counts, generates toys, fits parameters, and gives intervals and limits.

    Parameters
    ----------
    truth : histogram or array_like, mapping of str to these, or callable
        Over the true axes of the response. A histogram has one parameter, ``normalisation``, that scales it; a mapping has one
        of its name for each. A callable is called with its parameters by name and gives a histogram or numbers.
    response : ResponseMatrix, array_like R[true, reco], or mapping of str to ResponseMatrix
        A mapping holds ``"nominal"`` and ``NAME_up``, ``NAME_down``, as `ResponseMatrix.from_variations` gives them: each NAME is a nuisance
        parameter, constrained to 0 +- 1.
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
        named backgrounds, as many as the truth has its events where parameters begin. Nuisance parameters move both.
    correlation : Card, str or array_like, optional
        Correlation of the nuisance parameters of the detector: a card that says it, its name, or a matrix in their order. Independent if left
        out.
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
    - `interval` ``"profile"``: two-sided statements; right where Wilks' theorem holds, which is where `coverage` says so. Nuisance parameters are profiled.
    - `interval` ``"feldman-cousins"`` [2]_: few counts, a physical limit near by, parameters such as mixing angles. Toys at each
      point, with other parameters at their best values there [3]_; slow.
    - `upper_limit` ``"cls"`` [4]_: searches. Never excludes what the experiment cannot see. ``toys=0`` takes asymptotic formulae [5]_: for
      10 counts or more where the signal is, observed or expected without it; with fewer a note says so.
    - `upper_limit` ``"profile"`` [5]_: covers as it says in the asymptotic region, and may exclude what cannot be seen.
    - `expected_limit`: what a search can be expected to exclude, before there are data, with its band of one and two standard deviations.
    - `upper_limit` ``"bayes"``: a statement of belief, with a flat prior that depends on the parameter chosen. Other parameters are integrated
      by Laplace's approximation.
    - One bin with a known background: `forefold.inference.feldman_cousins` and `poisson_upper_limit` are exact and fast.

    Nuisance parameters move the matrix along a parabola through both variations, and straight on beyond one standard deviation. The
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

    def __init__(
        self,
        truth: Any,
        response: Any,
        *,
        parameters: Mapping[str, float | Parameter] | None = None,
        gradient: Callable[..., Any] | None = None,
        background: Any = None,
        background_variance: Any = None,
        exposure: float = 1.0,
        fakes: bool = True,
        correlation: Card | str | ArrayLike | None = None,
        statistics: Method | Literal["none"] = "multinomial",
        empty_rows: str = "stop",
    ) -> None:
        if not 0.0 < exposure < _LARGEST:
            message = f"exposure = {exposure!r}: a number above 0 and below {_LARGEST:g} is needed"
            raise ValueError(message)
        measured = detector(response, correlation, fakes=fakes)
        self._matrix: ResponseMatrix = measured.nominal
        named = dict(background) if isinstance(background, Mapping) else {}
        both = [name for name in named if name in measured.backgrounds]
        if both:
            message = f"background {both[0]!r} is of the response, too: give it another name, or say fakes=False to leave out those of the response"
            raise ValueError(message)
        named |= measured.backgrounds
        own_parameters = {
            n: p if isinstance(p, Parameter) else Parameter(float(p))
            for n, p in (parameters or {}).items()
        }
        scaled = {name: own_parameters.pop(name) for name in list(own_parameters) if name in named}
        for name in own_parameters:
            if name in measured.pulls:
                message = f"parameter {name!r} is a pull of the response, 0 +- 1; hold it with fixed={{{name!r}: 0.0}}"
                raise ValueError(message)
        spectrum, own = read_truth(truth, gradient, own_parameters, self._matrix)
        clash = [name for name in own if name in scaled or name in measured.pulls]
        if clash:
            message = f"{clash[0]!r} is the name of a truth and of a background or pull"
            raise ValueError(message)
        pulls = {name: Parameter(0.0, constraint=(0.0, 1.0)) for name in measured.pulls}
        self._parameters = {**own, **scaled, **pulls}
        self._pulls = tuple(pulls)
        beside, variance = backgrounds(background, background_variance, self._matrix, len(pulls))
        begin = {name: parameter.value for name, parameter in own.items()}
        many = 1.0
        if measured.backgrounds:
            many = share_of_truth(spectrum(np.array(list(begin.values())))[0], self._matrix)
        beside |= {name: part.times(many) for name, part in measured.backgrounds.items()}
        self._backgrounds = {name: beside[name] for name in measured.backgrounds}
        norms = [beside[name] for name in scaled]
        rest = _summed([e for n, e in beside.items() if n not in scaled], measured)
        rows = (*norms, rest)
        counted = statistics != "none"
        nothing = np.zeros((0, measured.matrix.shape[1]))
        self._expectation = Expectation(
            spectrum,
            len(own),
            np.vstack([measured.matrix, *(part.values for part in rows)]),
            np.concatenate([measured.odd, *(part.odd[:, None] for part in rows)], axis=1),
            np.concatenate([measured.even, *(part.even[:, None] for part in rows)], axis=1),
            simulation(statistics, self._matrix),
            measured.fakes_spread * counted,
            np.vstack([nothing, *(part.variances * counted for part in norms)]),
            variance + rest.variances * counted,
            float(exposure),
        )
        self._constraint = Constraint.of(
            list(self._parameters.values()), len(pulls), measured.correlation
        )
        self._check_rows(empty_rows)
        self._notes = (
            *check_efficiency(self._matrix),
            *_multiplied(many, list(measured.backgrounds)),
            *measured.notes,
            *axes_named_otherwise(truth, begin, background, background_variance, self._matrix),
        )

    def _check_rows(self, treatment: str) -> None:
        if treatment not in {"stop", "lose"}:
            message = f"empty_rows = {treatment!r}: 'stop' or 'lose'"
            raise ValueError(message)
        n = self._expectation.n_truth
        contents, _ = self._expectation.spectrum(self.start[:n])
        bad = self._matrix.empty_rows & (contents != 0.0)
        if bad.any() and treatment == "stop":
            i = int(np.argmax(bad))
            message = (
                f"truth has {contents[i]:g} in {bin_name(self._matrix.true_axes, i)}, of which the response knows nothing "
                f"({int(bad.sum())} such bins): fill it with more events, or say empty_rows='lose'"
            )
            raise ValueError(message)

    @property
    def parameters(self) -> dict[str, Parameter]:
        """Parameters by name: those of the truth, of backgrounds, and nuisance parameters of the detector."""
        return dict(self._parameters)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(self._parameters)

    @property
    def pulls(self) -> tuple[str, ...]:
        """Names of the nuisance parameters of the detector."""
        return self._pulls

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings that hold for every result, such as axes named differently from those of the response."""
        return self._notes

    @property
    def finite_simulation(self) -> bool:
        """Whether the likelihood contains the finite statistics of the simulated response or backgrounds."""
        return self._expectation.finite

    @property
    def provenance(self) -> dict[str, Any]:
        """Provenance of the response, as its matrix records it."""
        return self._matrix.provenance

    @cached_property
    def start(self) -> Array:
        """Start values of fits, shape (parameters,)."""
        return np.array([p.value for p in self._parameters.values()])

    def predict(self, **values: float) -> Prediction:
        """Predict the expected counts of each reconstructed bin, with their covariance.

        Parameters
        ----------
        **values : float
            Parameters; those left out have their first value.

        Returns
        -------
        Prediction
            Covariances ``"matrix"`` (finite simulation) and ``"detector"`` (nuisance parameters).

        Raises
        ------
        ValueError
            There is no such parameter, or a bin expects less than 0.
        """
        x = placed(values, self.names, self.start)
        expected = self._expected(x)
        axes = self._matrix.reco_axes
        prediction = empty(axes, PREDICTION)
        view: Any = prediction.view()
        covariance = expected.covariance
        covariances = {"matrix": np.diag(covariance) if covariance.ndim == 1 else covariance}
        if self._pulls:
            slopes = expected.slopes[-len(self._pulls) :]
            own = self._constraint.covariance[-len(self._pulls) :, -len(self._pulls) :]
            covariances["detector"] = slopes.T @ own @ slopes
        view["value"] = expected.mean.reshape(shape_of(axes))
        total = sum((np.diagonal(c) for c in covariances.values()), np.zeros(expected.mean.size))
        view["variance"] = total.reshape(shape_of(axes))
        nothing = np.zeros(expected.mean.size)
        return Prediction(prediction, covariances, nothing, 0.0, self._notes, self._parts(x))

    def _parts(self, x: Array) -> dict[str, Array]:
        """Give what is expected of the backgrounds that the response names."""
        values = dict(zip(self.names, x, strict=True))
        pulls = x[len(x) - len(self._pulls) :]
        return {
            name: self._expectation.exposure
            * values.get(name, 1.0)
            * moved(part.values, part.odd, part.even, pulls)
            for name, part in self._backgrounds.items()
        }

    def _expected(self, x: Array) -> Expected:
        expected = self._expectation(x)
        if np.any(expected.mean < -1e-9):
            i = int(np.argmin(expected.mean))
            message = f"{bin_name(self._matrix.reco_axes, i)} expects {expected.mean[i]:g} counts with these parameters"
            raise ValueError(message)
        return expected

    def toys(self, n: int, *, rng: Random = None, **values: float) -> Array:
        """Generate toy data: counts of repeated experiments with the same true parameters.

        Parameters
        ----------
        n : int
            Number of toys.
        rng : int, numpy Generator or None
            Seed or generator; the same seed gives the same toys.
        **values : float
            True values of parameters, nuisance parameters included.

        Returns
        -------
        ndarray, shape (n, n_reco)
            Counts: Poisson, about means with the simulation's statistics where these count.

        Raises
        ------
        ValueError
            As `predict`.
        """
        if n < 1:
            message = f"n = {n!r}: one toy or more"
            raise ValueError(message)
        x = placed(values, self.names, self.start)
        self._expected(x)
        none = np.zeros(self._matrix.matrix.shape[1])
        problem = self._problem(none, None, 0)
        return problem.thrown(x, n, random_key(rng), 0).counts

    def _problem(
        self,
        data: Array,
        fixed: Mapping[str, float] | None,
        place: int,
        notes_of_data: Iterable[str] = (),
    ) -> Problem:
        lower, upper = (
            np.array([getattr(p, w) for p in self._parameters.values()]) for w in ("lower", "upper")
        )
        objective = Objective(self._expectation, data, self._constraint, lower, upper)
        held = np.array([name in (fixed or {}) for name in self.names])
        start = placed(fixed or {}, self.names, self.start)
        self._check_inside(start)
        free = [name for name, is_fixed in zip(self.names, held, strict=True) if not is_fixed]
        about = {"finite_simulation": self.finite_simulation, "provenance": self.provenance}
        notes = (*self._notes, *notes_of_data)
        axes = tuple(self._matrix.reco_axes)
        return Problem(objective, start, held, place, {"free": free, **about}, notes, axes)

    def _check_inside(self, x: Array) -> None:
        for value, (name, p) in zip(x, self._parameters.items(), strict=True):
            if not p.lower <= value <= p.upper:
                message = f"{name} = {value:g}: it goes from {p.lower:g} to {p.upper:g}"
                raise ValueError(message)

    def _of_data(self, data: Any, fixed: Mapping[str, float] | None, place: int) -> Problem:
        observed, _ = counts(data, self._matrix)
        notes = names_noted("data", data, self._matrix.reco_axes)
        return self._problem(observed, fixed, place, notes)

    def _place(self, parameter: str | None, fixed: Mapping[str, float] | None) -> tuple[str, int]:
        name = self.names[0] if parameter is None else parameter
        place = check_name(name, self.names)
        if name in (fixed or {}):
            message = f"{name!r} is fixed, and asked for"
            raise ValueError(message)
        return name, place

    def fit(self, data: Any, *, fixed: Mapping[str, float] | None = None) -> FitResult:
        """Fit the parameters to data by maximum likelihood.

        Parameters
        ----------
        data : histogram or array_like, shape (n_reco,)
            Counts, over the reconstructed axes. A prediction is taken as expected counts (Asimov data).
        fixed : mapping of str to float, optional
            Parameters to hold, with their values.

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
        flat = undetermined_directions(problem.objective, x, problem.fixed)
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
        """Give the confidence interval of a parameter; `Experiment` says when to use which method.

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
            Seed or generator; the same seed gives the same result.
        executor : object with `map`, optional
            Of ``feldman-cousins``: who throws the toys, such as an executor of `concurrent.futures` or a ``dask.distributed.Client``; the
            numbers are the same. Processes cannot be sent a truth that is a function of this session.
        progress : callable, optional
            Of ``feldman-cousins``: called with the fraction that is done (0 to 1, None where it is not known) and the number of fits done.

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
        """Give the upper limit of a parameter; `Experiment` says when to use which method.

        Parameters
        ----------
        data : histogram or array_like, shape (n_reco,)
        parameter : str, optional
            The first one if left out. Its lower limit is where there is no signal.
        level : float
            Confidence level, or credibility.
        method : {"cls", "profile", "bayes"}
        fixed : mapping of str to float, optional
            Parameters to hold, with their values.
        toys : int
            Of ``cls``: how many with and without signal; 0 takes asymptotic formulae.
        rng : int, numpy Generator or None
            Seed or generator; the same seed gives the same result.
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

    def expected_limit(
        self,
        parameter: str | None = None,
        *,
        level: float = 0.95,
        method: str = "cls",
        fixed: Mapping[str, float] | None = None,
        toys: int = 0,
        rng: Random = None,
        progress: Progress | None = None,
        **values: float,
    ) -> ExpectedLimit:
        """Give the median upper limit expected without signal, with its bands of one and two standard deviations.

        Parameters
        ----------
        parameter : str, optional
            The first one if left out. Its lower limit is where there is no signal.
        level : float
            Confidence level, or credibility.
        method : {"cls", "profile", "bayes"}
            As of `upper_limit`.
        fixed : mapping of str to float, optional
            Parameters to hold, with their values.
        toys : int
            0 takes asymptotic formulae [1]_, which ``bayes`` has none of. Of ``cls``: how many with and without signal at each value; the band
            is that of CLs for data at the quantiles of those without. Of others: how many without signal, whose limits are taken.
        rng : int, numpy Generator or None
            Seed or generator; the same seed gives the same result.
        progress : callable, optional
            Called with the progress of the toys, see `Experiment.interval`.
        **values : float
            True values of the other parameters; those left out have their first value.

        Returns
        -------
        ExpectedLimit

        Raises
        ------
        ValueError
            As `upper_limit`.

        Notes
        -----
        The Asimov data set, what is expected without signal, has a likelihood ratio q(mu); data that are N standard deviations above it have their
        limit where its square root is N + z(1 - (1 - level) Phi(N)), with the normal distribution Phi and its inverse z (eq. 89 with CLs in
        place of the p-value). q(mu) is that of the likelihood, at every value, and not a parabola through one.

        At 95 % a tenth of a percent of the toys (-2 sigma, and 5 % of them) decides the lower end: 20 000 toys hold 23 there, 1000 hold 1.

        References
        ----------
        .. [1] G. Cowan, K. Cranmer, E. Gross, O. Vitells, arXiv:1007.1727.

        Examples
        --------
        >>> import forefold
        >>> experiment = forefold.Experiment({"signal": [10.0]}, [[1.0]], background=[100.0])
        >>> experiment.expected_limit()
        Expected limit of signal: 2.09 at 95 % (cls), 1.479 to 2.981 within 1 sigma, 1.089 to 4.114 within 2
        """
        level = check_level(level)
        name, place = self._place(parameter, fixed)
        if toys < 0:
            message = f"toys = {toys!r}: 0 or more"
            raise ValueError(message)
        if method not in _LIMIT_METHODS:
            message = f"method = {method!r}: one of {', '.join(_LIMIT_METHODS)}"
            raise ValueError(message)
        if method == "bayes" and not toys:
            message = "method = 'bayes': its expected limit needs toys, such as toys=1000"
            raise ValueError(message)
        if name in values:
            message = f"{name} = {values[name]!r}: without signal it is at its lower limit; give the others"
            raise ValueError(message)
        x = placed({**(fixed or {}), **values}, self.names, self.start)
        problem = self._problem(np.zeros(self._matrix.matrix.shape[1]), fixed, place)
        if not toys:
            return bands.asymptotic_band(problem, x, name, level, method)
        key = random_key(rng)
        if method == "cls":
            return bands.cls_band_of_toys(problem, x, name, level, toys, key, progress)
        return bands.limits_of_toys(problem, x, name, level, method, toys, key, progress)

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
        """Measure the coverage of the profile interval with toys of known parameters.

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
            True values of the parameters; those left out have their first value.

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

    def peek(self, ax: Axes | None = None, **values: float) -> Figure:
        """Draw the expected counts with their uncertainties.

        Parameters
        ----------
        ax : Axes, optional
            Axes to draw in; a new figure if left out.
        **values : float
            Values of parameters; those left out have their first value.

        Returns
        -------
        Figure
        """
        from forefold import plotting

        return plotting.prediction_figure(self.predict(**values), ax=ax)

    def __repr__(self) -> str:
        n, m = self._matrix.matrix.shape
        total = float(self._expectation(self.start).mean.sum())
        lines = [f"Experiment of {n} true and {m} reconstructed bins, expecting {total:.6g} counts"]
        for name, p in self._parameters.items():
            if name in self._pulls:
                continue
            constraint = (
                ""
                if p.constraint is None
                else f", known as {p.constraint[0]:g} +- {p.constraint[1]:g}"
            )
            lines.append(f"  {name}: {p.value:g} from {p.lower:g} to {p.upper:g}{constraint}")
        if self._pulls:
            lines.append(
                f"  {len(self._pulls)} pulls: {', '.join(self._pulls[:4])}{', ...' if len(self._pulls) > 4 else ''}"
            )
        return "\n".join([*lines, *(f"  note: {note}" for note in self._notes)])


def _summed(parts: list[Background], detector: Detector) -> Background:
    """Add backgrounds that have no parameter."""
    bins = detector.matrix.shape[1]
    total = Background(
        np.zeros(bins), np.zeros(bins), *(np.zeros((len(detector.pulls), bins)) for _ in range(2))
    )
    for part in parts:
        total = Background(*(a + b for a, b in zip(total, part, strict=True)))
    return total


def _multiplied(many: float, names: list[str]) -> list[str]:
    """Note that backgrounds of a response are expected more or less often than it has them."""
    if not names or abs(many - 1.0) < 1e-9:
        return []
    return [
        f"backgrounds of the response ({', '.join(names)}) are expected {many:.6g} times, as the truth has so many times its events"
    ]


def _counted(
    problem: Problem, x: Array, reach: float, thrown: Thrown, count: Count | None = None
) -> tuple[int, int]:
    """Count toys whose interval contains the true value, and those whose fit fails."""
    toys = Toys(problem, thrown, count)
    best, here = toys.best(x), toys.at(float(x[problem.place]), x)
    good = best.valid & here.valid
    held = good & (2.0 * (here.value - best.value) <= reach)
    return int(np.count_nonzero(held)), int(np.count_nonzero(~good))


def _check_toys(toys: int, least: int) -> None:
    if toys < least:
        message = f"toys = {toys!r}: {least} or more"
        raise ValueError(message)
