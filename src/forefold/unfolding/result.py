"""What an unfolding gives."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._html import notebook
from forefold.matrix.axes import limits_of
from forefold.unfolding.json import from_json, to_json
from forefold.unfolding.methods import METHODS

if TYPE_CHECKING:
    import hist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from forefold.unfolding.solution import Scan

    Array = NDArray[np.float64]

__all__ = ["Unfolded"]


@dataclass(frozen=True, eq=False, repr=False)
class Unfolded:
    """A spectrum that was unfolded, with all that is needed to compare it with a model.

    Arrays are flattened in C order over the true (or reconstructed) axes.

    Attributes
    ----------
    values : ndarray, shape (n_true,)
    covariances : dict of str to ndarray, shape (n_true, n_true)
        By source: ``data``, ``matrix`` and the names of systematics.
    smearing : ndarray, shape (n_true, n_true)
        A_C, the additional smearing (regularisation) matrix: d values / d truth. 1 without regularisation.
    offset : ndarray, shape (n_true,)
        What a (linearised) result has without any signal; a model is compared as ``smearing @ model + offset``.
    gain : ndarray, shape (n_true, n_reco)
        d values / d data.
    data, background, refolded : ndarray, shape (n_reco,)
        Refolded: what the result predicts for the data, with the background.
    chi2, ndf : float
        Of data and refolded result (Poisson deviance of counts); ndf is the number of bins less `freedom`.
    freedom : float
        Effective degrees of freedom, the trace of `smearing`.
    method, chosen, prior : str
        What was done, how its strength was chosen, and what it began with or refers to.
    strength : float
        Number of iterations, or the strength of a penalty; NaN where a method has none.
    scan : Scan or None
        What was looked at to choose.
    prior_shift : float
        Largest shift of a bin, in its standard deviations, with another prior: flat; for a flat one the larger of the
        shifts with the result itself and with a falling line; for ``wiener`` the result itself, or the line where that is like the prior. NaN without a prior, or with one bin.
    rank : int
    condition : float
        Of the response matrix.
    shifts : dict of str to ndarray, shape (k, n_true)
        Of results with varied matrices.
    axes : tuple
        True axes, of hist; empty where only arrays were given.
    reco_axes : tuple
        Reconstructed ones, of `data` and `refolded`.
    shape : tuple of int
    blind : tuple of int
        True bins of zero efficiency that were left out: value and covariance are 0.
    notes : tuple of str
        What was done on the way.
    warnings : tuple of str
        What to look at before the numbers are used.
    """

    values: Array
    covariances: dict[str, Array]
    smearing: Array
    offset: Array
    gain: Array
    data: Array
    background: Array
    refolded: Array
    chi2: float
    ndf: float
    method: str
    strength: float
    chosen: str
    prior: str
    prior_shift: float
    rank: int
    condition: float
    shape: tuple[int, ...]
    scan: Scan | None = None
    shifts: dict[str, Array] = field(default_factory=dict)
    axes: tuple[Any, ...] = ()
    reco_axes: tuple[Any, ...] = ()
    blind: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def covariance(self) -> Array:
        """Sum over all sources, shape (n_true, n_true)."""
        return np.asarray(sum(self.covariances.values()))

    @property
    def errors(self) -> Array:
        """Standard deviations, shape (n_true,); NaN where a bin came to zero and the method has no covariance there."""
        variances = np.clip(np.diag(self.covariance), 0.0, None)
        unknown = (self.values == 0.0) & (variances == 0.0)
        unknown[list(self.blind)] = False
        return np.where(unknown, np.nan, np.sqrt(variances))

    @property
    def correlation(self) -> Array:
        """Correlation matrix, shape (n_true, n_true); 0 where a bin has no variance."""
        from forefold.matrix.statistics import correlations

        return correlations(self.covariance)

    @property
    def freedom(self) -> float:
        """Effective degrees of freedom: trace of `smearing`."""
        return float(np.trace(self.smearing))

    @property
    def p_value(self) -> float:
        """Chance of a larger chi2; NaN with less than half a degree of freedom."""
        from forefold.matrix.statistics import chi2_tail

        return chi2_tail(self.chi2, self.ndf) if self.ndf >= 0.5 else math.nan

    @property
    def histogram(self) -> hist.Hist[Any]:
        """Values and variances on the true axes."""
        import hist

        axes = self.axes or tuple(
            hist.axis.Integer(0, n, name=f"bin_true{k or ''}", flow=False)
            for k, n in enumerate(self.shape)
        )
        histogram: hist.Hist[Any] = hist.Hist(*axes, storage=hist.storage.Weight(), name="unfolded")
        view: Any = histogram.view()
        view.value = self.values.reshape(self.shape)
        view.variance = np.clip(np.diag(self.covariance), 0.0, None).reshape(self.shape)
        return histogram

    def smear(self, truth: Any) -> Array:
        """Give a model the smearing that the result has, so that both can be compared.

        Parameters
        ----------
        truth : histogram or array_like, shape (n_true,)
            A model, in true bins.

        Returns
        -------
        ndarray, shape (n_true,)

        Raises
        ------
        ValueError
            The shape is another, or axes differ.

        References
        ----------
        W. Tang et al., arXiv:1705.03568.
        """
        from forefold.matrix.axes import matching, refuse_side
        from forefold.unfolding.measurement import array

        contents = truth
        if hasattr(truth, "axes") and hasattr(truth, "values"):
            refuse_side(truth.axes, "reco", "truth")
            if self.axes:
                matching(self.axes, list(truth.axes), "truth")
            contents = truth.values()
        flat = np.asarray(contents, dtype=np.float64).ravel()
        return self.smearing @ array("truth", flat, 1, self.values.shape) + self.offset

    def peek(self, *, truth: ArrayLike | None = None, ax: Axes | None = None) -> Figure:
        """Draw spectrum, A_C, correlations, and the choice of the strength or the refolded data.

        Parameters
        ----------
        truth : array_like, shape (n_true,), optional
            A model, drawn with and without the smearing of the result.
        ax : Axes, optional
            Draw only the spectrum, there.

        Returns
        -------
        Figure
        """
        from forefold import plotting

        return plotting.unfolded_figure(self, truth=truth, ax=ax)

    def to_json(self) -> str:
        """Write it as UHI JSON: a histogram that every reader takes, with all the rest in its metadata."""
        return to_json(self)

    @staticmethod
    def from_json(text: str) -> Unfolded:
        """Read what `to_json` wrote.

        Parameters
        ----------
        text : str

        Returns
        -------
        Unfolded

        Raises
        ------
        ValueError
            It is something else.
        """
        return Unfolded(**from_json(text))

    def __repr__(self) -> str:
        """Say what was done and how well it went."""
        bins = " x ".join(str(n) for n in self.shape)
        lines = [f"Unfolded: {METHODS[self.method]}, {bins} true bins from {len(self.data)}"]
        kind = "iterations" if self.method == "bayes" else "strength"
        if math.isnan(self.strength):
            lines.append(f"  strength: {self.chosen}")
        else:
            lines.append(f"  {kind}: {self.strength:.6g}, {self.chosen}")
        if not math.isnan(self.prior_shift):
            lines.append(
                f"  prior: {self.prior}; another moves a bin by {self.prior_shift:.2g} sd at most"
            )
        elif self.method in ("bayes", "tikhonov", "wiener"):
            lines.append(f"  prior: {self.prior}; no other to compare with")
        p = "" if math.isnan(self.p_value) else f", p = {self.p_value:.2g}"
        lines.append(f"  refolded: chi2/ndf = {self.chi2:.3g}/{self.ndf:.3g}{p}")
        lines.append(f"  effective degrees of freedom: {self.freedom:.3g} of {len(self.values)}")
        lines.append(
            f"  sum {self.values.sum():.6g} +- {self._total_error():.2g} ({', '.join(self.covariances)})"
        )
        lines += [f"  note: {text}" for text in self.notes]
        lines += [f"  warning: {text}" for text in self.warnings]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Show it in a notebook, with value and error of each true bin."""
        rows = (
            (limits_of(self.axes, i) if self.axes else f"bin {i}", f"{value:.5g}", f"{error:.2g}")
            for i, (value, error) in enumerate(zip(self.values, self.errors, strict=True))
        )
        return notebook(repr(self), ("true bin", "value", "error"), rows)

    def _total_error(self) -> float:
        return math.sqrt(max(float(self.covariance.sum()), 0.0))
