"""What an experiment expects, and the toys that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from forefold.inference.inputs import (
    Background,
    backgrounds,
    counts,
    detector,
    share_of_truth,
    simulation,
)
from forefold.inference.inputs import truth as read_truth
from forefold.inference.model import Expectation, moved
from forefold.inference.naming import named_otherwise, names_noted
from forefold.inference.parameters import Constraint, Parameter, check_name, placed
from forefold.inference.profile import Problem
from forefold.inference.scoring import Objective
from forefold.kernels.philox import random_key
from forefold.matrix import Prediction
from forefold.matrix.axes import bin_name
from forefold.matrix.contents import empty, shape_of
from forefold.matrix.fold import check_efficiency
from forefold.matrix.json import PREDICTION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from forefold.detector.load import Card
    from forefold.inference.inputs import Detector
    from forefold.inference.model import Expected
    from forefold.matrix import ResponseMatrix
    from forefold.matrix.uncertainty import Method

    Array = NDArray[np.float64]
    Random = int | np.random.Generator | None

__all__ = ["Expecting"]

_LARGEST = 1e30  # of the exposure


class Expecting:
    """Predictions and toys of `forefold.Experiment`, where its parameters are described."""

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
            *named_otherwise(truth, begin, background, background_variance, self._matrix),
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
        """Parameters by name: of the truth, of backgrounds, pulls."""
        return dict(self._parameters)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(self._parameters)

    @property
    def pulls(self) -> tuple[str, ...]:
        """Names of the pulls of the detector."""
        return self._pulls

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of any answer must know: axes that have the bins of the response and another name."""
        return self._notes

    @property
    def finite_simulation(self) -> bool:
        """Whether the statistics of a simulation, of the response or of backgrounds, are in the likelihood."""
        return self._expectation.finite

    @property
    def provenance(self) -> dict[str, Any]:
        """What the response was made of."""
        return self._matrix.provenance

    @cached_property
    def start(self) -> Array:
        """Values where fits begin, shape (parameters,)."""
        return np.array([p.value for p in self._parameters.values()])

    def predict(self, **values: float) -> Prediction:
        """Expect counts.

        Parameters
        ----------
        **values : float
            Parameters; those left out have their first value.

        Returns
        -------
        Prediction
            Covariances ``"matrix"`` (finite simulation) and ``"detector"`` (pulls).

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
        """Throw experiments.

        Parameters
        ----------
        n : int
            How many.
        rng : int, numpy Generator or None
            Fixes them.
        **values : float
            Parameters that are true; pulls too.

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

    def peek(self, ax: Axes | None = None, **values: float) -> Figure:
        """Draw what is expected, with its uncertainties; print-ready.

        Parameters
        ----------
        ax : Axes, optional
            Draw there.
        **values : float
            Parameters.

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
