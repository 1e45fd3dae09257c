"""What a detector sees of a spectrum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from forefold._inputs import refuse_masked, unmasked
from forefold.matrix.axes import bin_name, matching, other_names, refuse_side
from forefold.matrix.contents import empty, flow_content, refuse_means, shape_of
from forefold.matrix.json import PREDICTION, SPECTRUM, read_prediction, written_prediction
from forefold.matrix.statistics import correlations
from forefold.matrix.uncertainty import row_variances
from forefold.matrix.variations import detector_covariance, nominal_and_varied

if TYPE_CHECKING:
    import hist
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from forefold.detector.load import Card
    from forefold.matrix.response_matrix import ResponseMatrix
    from forefold.matrix.uncertainty import Method

    Array = NDArray[np.float64]

__all__ = ["Prediction", "check_efficiency", "fold"]

_ROUNDING = 1e-6  # of an efficiency
_DEVIATIONS = 5.0


@dataclass(frozen=True)
class Prediction:
    """A predicted reconstructed spectrum, with its covariance by source.

    Attributes
    ----------
    histogram : hist.Hist
        Spectrum over the reconstructed axes; its variances are the diagonal of `covariance`.
    covariances : dict of str to ndarray, shape (n_reco, n_reco)
        Covariance by source: ``"matrix"`` (statistics of the matrix, and of fakes and backgrounds), ``"detector"`` (variations), ``"input"`` (of
        the true spectrum); only those that were asked for.
    fakes : ndarray, shape (n_reco,)
        Fakes that were added to the prediction.
    backgrounds : dict of str to ndarray, shape (n_reco,)
        Backgrounds of the matrix that were added to the prediction, by name.
    outside : float
        Content of the flow bins of the true spectrum, which is outside the axes and not folded.
    notes : tuple of str
        Remarks, such as that an axis of the spectrum has another name than that of the matrix.
    """

    histogram: hist.Hist[Any]
    covariances: dict[str, Array]
    fakes: Array
    outside: float
    notes: tuple[str, ...] = ()
    backgrounds: dict[str, Array] = field(default_factory=dict)

    @property
    def values(self) -> Array:
        """Predicted content of each bin, in C order over the axes; shape (n_reco,)."""
        return np.asarray(self.histogram.values(), dtype=np.float64).reshape(-1)

    @property
    def covariance(self) -> Array:
        """Sum of `covariances`; shape (n_reco, n_reco)."""
        n = self.values.size
        return np.asarray(sum(self.covariances.values(), np.zeros((n, n))))

    @property
    def correlation(self) -> Array:
        """Correlations of `covariance`, 0 where there is no variance; shape (n_reco, n_reco)."""
        return correlations(self.covariance)

    def to_json(self) -> str:
        """Write it as UHI JSON, as ``forefold fold`` does: the histogram, all covariances, fakes and notes.

        Returns
        -------
        str
        """
        return written_prediction(self)

    @classmethod
    def from_json(cls, text: str) -> Prediction:
        """Read what `to_json` or ``forefold fold`` wrote.

        Parameters
        ----------
        text : str

        Returns
        -------
        Prediction

        Raises
        ------
        ValueError
            If the text is no prediction.

        Examples
        --------
        >>> import hist
        >>> import forefold
        >>> matrix = forefold.ResponseMatrix.from_array([[0.5, 0.3], [0.1, 0.7]], {"enu": [0, 1, 2]}, {"energy": [0, 1, 2]})
        >>> spectrum = hist.Hist(hist.axis.Regular(2, 0, 2, name="p")).fill([0.5] * 10)
        >>> forefold.matrix.Prediction.from_json(forefold.fold(spectrum, matrix).to_json()).notes
        ("the spectrum: axis 'p' is taken for 'enu_true' of the matrix: same bins, another name",)
        """
        return cls(**read_prediction(text))

    def peek(self) -> Figure:
        """Draw the prediction with its errors, and their correlations.

        Returns
        -------
        Figure
        """
        from forefold import plotting

        return plotting.folded_figure(self)

    def __repr__(self) -> str:
        total = self.values.sum()
        lines = [f"Prediction of {total:.6g} in {self.values.size} bins"]
        for name, covariance in self.covariances.items():
            spread = np.sqrt(max(float(covariance.sum()), 0.0))
            lines.append(f"  total +- {spread:.4g} from {_WORDS[name]}")
        lines += [
            f"  {name} {background.sum():.6g}" for name, background in self.backgrounds.items()
        ]
        if self.fakes.any():
            lines.append(f"  fakes {self.fakes.sum():.6g}")
        if self.outside:
            lines.append(f"  {self.outside:.6g} true outside the axes, not folded")
        lines += [f"  note: {text}" for text in self.notes]
        return "\n".join(lines)


_WORDS = {
    "matrix": "the statistics of the matrix",
    "detector": "variations of the detector",
    "input": "the spectrum",
}


def fold(
    histogram: Any,
    matrix: ResponseMatrix | ArrayLike | Mapping[str, ResponseMatrix | ArrayLike],
    *,
    covariance: ArrayLike | None = None,
    statistics: Method | Literal["none"] = "multinomial",
    correlation: Card | ArrayLike | None = None,
    fakes: bool | float = False,
    empty_rows: Literal["stop", "lose"] = "stop",
) -> Prediction:
    """Fold a true spectrum with a response matrix: predict the reconstructed spectrum and its covariance.

    Parameters
    ----------
    histogram : UHI histogram or array_like
        True spectrum: any object with ``axes`` and ``values()``, over the true axes of the matrix in their order; or an array of its contents, of
        the shape of these axes or one-dimensional in C order.
    matrix : ResponseMatrix, array_like of shape (n_true, n_reco), or mapping of str to these
        A mapping holds ``"nominal"`` and variations of the detector, as `ResponseMatrix.from_variations` gives them.
    covariance : array_like, optional
        Variances of the true spectrum, shape (n_true,), or its covariance, shape (n_true, n_true). Without it the spectrum is taken as exactly
        known, even if the histogram has variances.
    statistics : {"multinomial", "dirichlet", "bootstrap", "none"}
        How the statistical uncertainty of the matrix is computed, see `ResponseMatrix.covariance`.
    correlation : Card or array_like, optional
        Correlation of the nuisance parameters: a card that states it, or a matrix in the order in which they first appear among the variations;
        independent if left out.
    fakes : bool or float
        True adds the fakes and the named backgrounds, scaled by the total of the spectrum over the total of the matrix's truth; a number is
        this scale itself.
    empty_rows : {"stop", "lose"}
        Content in a true bin for which the matrix has no events is an error (``"stop"``) or is lost (``"lose"``).

    Returns
    -------
    Prediction

    Raises
    ------
    ValueError
        If axes differ (the message says which and where), contents are negative, not finite or in an empty row, or a row sums to more than 1.

    Notes
    -----
    The prediction is ``spectrum @ R``. For the detector covariance, the shift of a nuisance parameter is half the difference of its pair
    ``NAME_up`` and ``NAME_down``, or the difference to the nominal prediction if only one is there; universes (``universe_0``, ...) add the mean
    square of their differences to the nominal prediction. These differences contain statistical fluctuations of the matrices; with common random
    numbers (`forefold.smear_variations`) most of them cancel.

    Examples
    --------
    >>> import hist
    >>> import forefold
    >>> matrix = forefold.ResponseMatrix.from_array([[0.5, 0.3], [0.1, 0.7]], [0, 1, 2], [0, 1, 2], entries=100)
    >>> spectrum = hist.Hist(hist.axis.Regular(2, 0, 2)).fill([0.5] * 10 + [1.5] * 20)
    >>> folded = forefold.fold(spectrum, matrix)
    >>> folded.values.tolist()
    [7.0, 17.0]
    >>> folded.covariance.round(2).tolist()
    [[0.61, -0.43], [-0.43, 1.05]]
    >>> folded
    Prediction of 24 in 2 bins
      total +- 0.8944 from the statistics of the matrix
    """
    nominal, varied = nominal_and_varied(_with_axes(matrix))
    histogram = _on_axes(histogram, nominal)
    truth = _contents(histogram, nominal)
    above = check_efficiency(nominal)
    _check_rows(truth, nominal, empty_rows)
    scale = _fakes_scale(fakes, truth, nominal)
    added, own, *rest = (
        np.asarray(values, dtype=np.float64).reshape(-1)
        for values in (
            nominal.fakes.values(),
            nominal.not_signal.variances(),
            *(background.values() for background in nominal.backgrounds.values()),
        )
    )
    added = scale * added
    named = {
        n: scale * background
        for n, background in zip(nominal.backgrounds, rest, strict=True)
        if scale
    }
    covariances: dict[str, Array] = {}
    if statistics != "none":
        covariances["matrix"] = nominal.covariance(truth, statistics)
        if scale:
            covariances["matrix"] = covariances["matrix"] + scale**2 * np.diag(own)
    if varied or correlation is not None:
        covariances["detector"] = detector_covariance(truth, nominal, varied, correlation, scale)
    if covariance is not None:
        covariances["input"] = nominal.matrix.T @ _square(covariance, truth.size) @ nominal.matrix
    predicted = empty(nominal.reco_axes, PREDICTION)
    view: Any = predicted.view()
    shape = shape_of(nominal.reco_axes)
    view["value"] = sum(named.values(), truth @ nominal.matrix + added).reshape(shape)
    view["variance"] = sum(
        (np.diagonal(c) for c in covariances.values()), np.zeros(added.size)
    ).reshape(shape)
    notes = other_names(nominal.true_axes, list(histogram.axes), "the spectrum")
    return Prediction(
        predicted, covariances, added, flow_content(histogram), (*notes, *above), named
    )


def check_efficiency(matrix: ResponseMatrix) -> tuple[str, ...]:
    """Check that no row of a matrix sums to more than 1.

    Parameters
    ----------
    matrix : ResponseMatrix

    Returns
    -------
    tuple of str
        A note if a row is above 1 within its statistical uncertainty, as negative weights can make it; empty otherwise, and for a matrix that smears spectra.

    Raises
    ------
    ValueError
        If a row is above 1 by more than 5 standard deviations.
    """
    if matrix.signed:
        return ()
    over = matrix.efficiency - 1.0
    i = int(np.argmax(over))
    if over[i] <= _ROUNDING:
        return ()
    error = float(np.sqrt(row_variances(matrix.moments(), np.ones(matrix.matrix.shape[1]))[i]))
    where = (
        f"true {bin_name(matrix.true_axes, i)}: the row of the matrix sums to {1.0 + over[i]:.4g}"
    )
    if over[i] > _DEVIATIONS * error + _ROUNDING:
        message = f"{where} +- {error:.2g}; rows sum to the efficiency, 1 at most"
        raise ValueError(message)
    return (f"{where} +- {error:.2g}, above 1: negative weights, or few events",)


def _contents(histogram: Any, matrix: ResponseMatrix) -> Array:
    refuse_means(histogram, "the spectrum")
    matching(matrix.true_axes, list(histogram.axes), "the spectrum")
    refuse_side(histogram.axes, "reco", "the spectrum")
    values = np.asarray(histogram.values(), dtype=np.float64).reshape(-1)
    if not np.all(np.isfinite(values)):
        i = int(np.argmin(np.isfinite(values)))
        message = f"the spectrum holds {values[i]} in {bin_name(matrix.true_axes, i)}; finite contents are needed"
        raise ValueError(message)
    if np.any(values < 0.0):
        i = int(np.argmin(values))
        message = f"the spectrum holds {values[i]:g} in {bin_name(matrix.true_axes, i)}; contents are not negative"
        raise ValueError(message)
    return values


def _on_axes(spectrum: Any, matrix: ResponseMatrix) -> Any:
    """Put contents that are an array, flat or of the shape of the true axes, on these; histograms stay."""
    if hasattr(spectrum, "axes") and hasattr(spectrum, "values"):
        return spectrum
    shape = shape_of(matrix.true_axes)
    n = math.prod(shape)
    refuse_masked("the spectrum", spectrum)
    try:
        values = np.asarray(spectrum, dtype=np.float64)
    except (TypeError, ValueError):
        message = f"the spectrum: a histogram with axes and values() (UHI), or an array of {n} numbers, is needed, found {type(spectrum).__name__}"
        raise ValueError(message) from None
    if values.shape not in {(n,), shape}:
        message = f"the spectrum has shape {values.shape}, the matrix has {' x '.join(map(str, shape))} true bins"
        raise ValueError(message)
    histogram = empty(matrix.true_axes, SPECTRUM)
    view: Any = histogram.view()
    view["value"] = values.reshape(shape)
    return histogram


def _with_axes(matrix: Any) -> Any:
    """Make response matrices of arrays, with numbered bins; others stay."""
    if isinstance(matrix, Mapping):
        # arrays beside matrices with axes have no bins that could be compared, and are refused where matrices are needed
        alone = not any(hasattr(item, "true_axes") for item in matrix.values())
        return {name: _with_axes(item) for name, item in matrix.items()} if alone else matrix
    if hasattr(matrix, "true_axes"):
        return matrix
    from forefold.matrix.response_matrix import ResponseMatrix

    rows = unmasked("matrix", matrix)
    if rows.ndim != 2:
        message = f"matrix: two dimensions (true, reco) are needed, found shape {rows.shape}"
        raise ValueError(message)
    true, reco = (np.arange(n + 1.0) for n in rows.shape)
    return ResponseMatrix.from_array(rows, true, reco)


def _check_rows(truth: Array, matrix: ResponseMatrix, treatment: str) -> None:
    if treatment not in {"stop", "lose"}:
        message = f"empty_rows = {treatment!r}: 'stop' or 'lose'"
        raise ValueError(message)
    bad = matrix.empty_rows & (truth != 0.0)
    if bad.any() and treatment == "stop":
        i = int(np.argmax(bad))
        message = (
            f"the spectrum has {truth[i]:g} in true {bin_name(matrix.true_axes, i)}, of which the matrix knows nothing "
            f"({int(bad.sum())} such bins): fill it with more events, or say empty_rows='lose'"
        )
        raise ValueError(message)


def _fakes_scale(fakes: bool | float, truth: Array, matrix: ResponseMatrix) -> float:
    if fakes is False:
        return 0.0
    if fakes is not True:
        if not 0.0 <= fakes < np.inf:
            message = f"fakes = {fakes!r}: True, False or a finite scale of 0 or more"
            raise ValueError(message)
        return float(fakes)
    total = float(np.sum(matrix.truth.values()))
    if total <= 0.0:
        message = "fakes: the truth of the matrix sums to nothing, so that fakes have no scale; give a number"
        raise ValueError(message)
    return float(truth.sum()) / total


def _square(covariance: ArrayLike, n: int) -> Array:
    matrix = unmasked("covariance", covariance)
    if matrix.shape == (n,):
        matrix = np.diag(matrix)
    if (
        matrix.shape != (n, n)
        or not np.all(np.isfinite(matrix))
        or np.any(np.diagonal(matrix) < 0.0)
    ):
        message = (
            f"covariance of shape {np.shape(covariance)}: finite, of shape {(n,)} or {(n, n)}, and without negative "
            "variances is needed"
        )
        raise ValueError(message)
    return matrix
