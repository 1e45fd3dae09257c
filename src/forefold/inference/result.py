"""What a fit gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._html import notebook
from forefold.inference.counting import special
from forefold.inference.parameters import check_name
from forefold.matrix.contents import empty
from forefold.matrix.json import PREDICTION
from forefold.matrix.statistics import correlations
from forefold.unfolding.json import plain

if TYPE_CHECKING:
    import hist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from forefold.inference.profile import Problem

    Array = NDArray[np.float64]

__all__ = ["FitResult"]


@dataclass(frozen=True, eq=False, repr=False)
class FitResult:
    """Parameters that fit data best.

    Attributes
    ----------
    names : tuple of str
        Of the truth, of backgrounds, and of pulls.
    x : ndarray, shape (parameters,)
        In this order.
    covariance : ndarray, shape (parameters, parameters)
        From the second derivatives; 0 for what was fixed. Not for parameters at a limit: `Experiment.interval`.
    deviance : float
        Twice the negative logarithm of the likelihood, less that of a perfect prediction; with the terms of constraints.
    ndf : int
        Bins less free parameters without constraint.
    valid : bool
        Whether the minimiser says that it has converged, and data tell all parameters apart; if not, `notes` say so, and errors do not hold.
    data, prediction : ndarray, shape (n_reco,)
    pulls : tuple of str
        Names of pulls of the detector.
    notes : tuple of str
    problem : Problem
        What was minimised.
    axes : tuple
        Reconstructed axes, of hist.
    """

    names: tuple[str, ...]
    x: Array
    covariance: Array
    deviance: float
    ndf: int
    valid: bool
    data: Array
    prediction: Array
    pulls: tuple[str, ...]
    notes: tuple[str, ...]
    problem: Problem = field(repr=False)
    axes: tuple[Any, ...] = ()

    @property
    def values(self) -> dict[str, float]:
        """Best values by name."""
        return dict(zip(self.names, map(float, self.x), strict=True))

    @property
    def errors(self) -> dict[str, float]:
        """Standard deviations by name."""
        width = np.sqrt(np.maximum(np.diagonal(self.covariance), 0.0))
        return dict(zip(self.names, map(float, width), strict=True))

    @property
    def correlation(self) -> Array:
        """Correlations, 0 where a parameter was fixed; shape (parameters, parameters)."""
        return correlations(self.covariance)

    @property
    def histogram(self) -> hist.Hist[Any]:
        """What the fit expects on the reconstructed axes; variances are those of the parameters, 0 where they are not known."""
        slopes = self.problem.objective.expectation(self.x).slopes
        variances = np.einsum("kj,kl,lj->j", slopes, np.nan_to_num(self.covariance), slopes)
        histogram = empty(self.axes, PREDICTION)
        view: Any = histogram.view()
        view["value"] = self.prediction.reshape(view.shape)
        view["variance"] = np.maximum(variances, 0.0).reshape(view.shape)
        return histogram

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain numbers, texts and lists; None where there is no number."""
        fixed = self.problem.fixed
        return {
            "valid": self.valid,
            "deviance": plain(self.deviance),
            "ndf": self.ndf,
            "p_value": plain(self.p_value),
            "parameters": {
                name: {
                    "value": float(self.x[k]),
                    "error": plain(self.errors[name]),
                    "fixed": bool(fixed[k]),
                    "pull": name in self.pulls,
                }
                for k, name in enumerate(self.names)
            },
            "names": list(self.names),
            "covariance": plain(self.covariance),
            "notes": list(self.notes),
        }

    @property
    def p_value(self) -> float:
        """Probability of a larger deviance, as of chi2: for bins with more than a few counts; NaN without degrees of freedom."""
        if self.ndf <= 0:
            return float("nan")
        return float(special().chdtrc(float(self.ndf), max(self.deviance, 0.0)))

    def profile(self, parameter: str, points: Array) -> Array:
        """Give twice the logarithm of the likelihood ratio of the best fit to that with a parameter held.

        Parameters
        ----------
        parameter : str
        points : array_like, shape (n,)

        Returns
        -------
        ndarray, shape (n,)
            From 0 on; 1 is one standard deviation.

        Raises
        ------
        ValueError
            There is no such parameter.
        """
        from dataclasses import replace

        problem = replace(self.problem, place=check_name(parameter, self.names))
        best = problem.best(self.x)
        return np.array([problem.ratio(float(v), best) for v in np.ravel(points)])

    def peek(self, ax: Axes | None = None) -> Figure:
        """Draw data with the fit, profiles and contours of the parameters of the truth, and pulls; print-ready.

        Parameters
        ----------
        ax : Axes, optional
            Draw data and fit alone there.

        Returns
        -------
        Figure
        """
        from forefold import plotting

        return plotting.fit_figure(self, ax=ax)

    @property
    def fixed(self) -> tuple[str, ...]:
        """Parameters that were held."""
        return tuple(np.array(self.names)[np.asarray(self.problem.fixed)].tolist())

    def _said(self, name: str) -> str:
        """Value and error of a parameter, in words."""
        value = f"{self.values[name]:.4g}"
        return f"{value} (fixed)" if name in self.fixed else f"{value} +- {self.errors[name]:.2g}"

    def _repr_html_(self) -> str:
        """Show it in a notebook, with every parameter."""
        kinds = dict.fromkeys(self.pulls, "pull")
        rows = ((name, kinds.get(name, ""), self._said(name)) for name in self.names)
        return notebook(repr(self), ("parameter", "", "value"), rows)

    def __repr__(self) -> str:
        state = "" if self.valid else ", NOT valid"
        p = f", p = {self.p_value:.2g}" if self.ndf > 0 else ""
        lines = [f"FitResult: deviance/ndf = {self.deviance:.4g}/{self.ndf}{p}{state}"]
        lines += [f"  {name} = {self._said(name)}" for name in self.names if name not in self.pulls]
        free = [name for name in self.pulls if name not in self.fixed]
        if self.pulls:
            held = len(self.pulls) - len(free)
            lines.append(f"  {len(self.pulls)} pulls" + (f", {held} fixed" if held else ""))
        if free:
            large = max(free, key=lambda name: abs(self.values[name]))
            lines[-1] += (
                f", the largest {large} = {self.values[large]:.2g} +- {self.errors[large]:.2g}"
            )
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])
