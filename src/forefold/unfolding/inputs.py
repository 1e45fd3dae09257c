"""From histograms and response matrices to plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold._inputs import is_universe
from forefold.matrix.axes import Side, matching, other_names, refuse_side
from forefold.matrix.contents import flow_content, refuse_means, refuse_no_counts
from forefold.matrix.json import PREDICTION
from forefold.unfolding.bin_names import listed
from forefold.unfolding.measurement import array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Inputs", "contents_of", "inputs", "require_signal", "variations"]

_MOST = 50_000_000  # numbers of covariances within rows


class Inputs(NamedTuple):
    """What was given, as arrays, flattened in C order.

    Attributes
    ----------
    data : ndarray, shape (n_reco,)
    covariance : array_like or None
        None: Poisson counts.
    matrix : ndarray, shape (n_true, n_reco)
    spread : array_like or None
        Variances of the matrix.
    background : ndarray or None
    prior : ndarray or None
        None: flat.
    prior_name : str
    true_axes, reco_axes : tuple
        Empty where only arrays were given.
    notes : tuple of str
    """

    data: Array
    covariance: Any
    matrix: Array
    spread: Any
    background: Array | None
    prior: Array | None
    prior_name: str
    true_axes: tuple[Any, ...]
    reco_axes: tuple[Any, ...]
    notes: tuple[str, ...]


def inputs(
    data: Any,
    response: Any,
    *,
    covariance: Any = None,
    matrix_variance: Any = None,
    background: Any = None,
    prior: Any = None,
    fakes: float | str | None = None,
) -> Inputs:
    """Read what `forefold.unfold` is given.

    Parameters
    ----------
    data, response, covariance, matrix_variance, background, prior, fakes
        As for `forefold.unfold`.

    Returns
    -------
    Inputs

    Raises
    ------
    ValueError
        Axes do not match (the message says which), or something else does not fit.
    """
    is_response = hasattr(response, "matrix") and hasattr(response, "true_axes")
    if getattr(response, "signed", False):
        message = "this matrix smears spectra, as A_C does, and is no detector's response: fold models with it (forefold.fold), and compare them with what was unfolded"
        raise ValueError(message)
    matrix = array("response", response.matrix if is_response else response, 2)
    reco_axes = tuple(response.reco_axes) if is_response else ()
    true_axes = tuple(response.true_axes) if is_response else ()
    notes: list[str] = []
    if hasattr(data, "histogram") and hasattr(data, "fakes"):  # from `forefold.fold`
        without = not (np.any(data.fakes) or getattr(data, "backgrounds", {}))
        fakes = "ignore" if fakes is None and without else fakes
        data = data.histogram
    elif hasattr(data, "histogram") and hasattr(data, "covariances"):  # a published spectrum
        covariance = data.covariance if covariance is None else covariance
        data = data.histogram
    elif getattr(data, "name", None) == PREDICTION and fakes is None:
        fakes = "ignore"
    fakes = "scaled" if fakes is None else fakes
    counts = contents_of("data", data, reco_axes)
    if isinstance(covariance, str):
        if covariance != "poisson":
            message = f"covariance: an array, or 'poisson', is needed; found {covariance!r}"
            raise ValueError(message)
        covariance = None
    elif covariance is None:
        covariance = _of_histogram(data, counts, notes)
        if covariance is None:
            refuse_no_counts(data, counts, "data")
    if unused := flow_content(data):
        notes.append(f"{unused:.6g} events in underflow and overflow of the data are not used")
    spread = matrix_variance
    if spread is None and is_response:
        spread = _row_spread(response, notes)
    outside = None if background is None else contents_of("background", background, reco_axes)
    if is_response:
        outside = _with_fakes(response, matrix, outside, fakes, counts, notes)
    for what, source, axes in (
        ("data", data, reco_axes),
        ("background", background, reco_axes),
        ("prior", prior, true_axes),
    ):
        if axes and hasattr(source, "axes") and hasattr(source, "values"):
            notes += other_names(axes, list(source.axes), what)
    start, name = _prior(prior, response if is_response else None, true_axes, matrix)
    if start is not None and name != "given":
        signal = counts.sum() - (0.0 if outside is None else outside.sum())
        start = start * (max(signal, 1.0) / max(float((start @ matrix).sum()), 1e-300))
    return Inputs(
        counts, covariance, matrix, spread, outside, start, name, true_axes, reco_axes, tuple(notes)
    )


def require_signal(method: str, prior: Any, start: Array | None) -> None:
    """Refuse a filter that was told no signal.

    Parameters
    ----------
    method : str
    prior : object
        As it was given.
    start : ndarray or None
        What became of it.

    Raises
    ------
    ValueError
        The method is ``wiener``, and there is neither a prior nor a truth of the response.
    """
    if method == "wiener" and prior is None and start is None:
        message = (
            "wiener filters by an expected signal, and this response knows no truth: give one with prior= "
            "(--prior FILE)"
        )
        raise ValueError(message)


def variations(response: Any) -> tuple[Any, dict[str, Any]]:
    """Part a nominal response from its variations, as `forefold.ResponseMatrix.from_variations` gives them.

    Parameters
    ----------
    response : ResponseMatrix, array_like, or mapping of str to these
        With ``nominal``; ``NAME_up`` and ``NAME_down`` are a pair, all ``universe_...`` belong together.

    Returns
    -------
    nominal : ResponseMatrix or array_like
    varied : dict of str to list of array_like
        As `forefold.unfold` takes them.

    Raises
    ------
    ValueError
        There is no nominal one.
    """
    if not isinstance(response, Mapping):
        return response, {}
    if "nominal" not in response:
        message = f"response: 'nominal' is needed, found {', '.join(response) or 'nothing'}"
        raise ValueError(message)
    groups: dict[str, list[Any]] = {}
    for name, matrix in response.items():
        if name != "nominal":
            base = "universes" if is_universe(name) else name
            base = base.removesuffix("_up").removesuffix("_down")
            groups.setdefault(base, []).append(getattr(matrix, "matrix", matrix))
    return response["nominal"], groups


def contents_of(name: str, source: Any, axes: tuple[Any, ...], *, wrong: Side = "true") -> Array:
    """Contents of a histogram without its flow bins, or of an array."""
    if not (hasattr(source, "axes") and hasattr(source, "values")):
        return (
            array(name, source, 1) if np.ndim(source) < 2 or not axes else _flat(name, source, axes)
        )
    refuse_means(source, name)
    refuse_side(source.axes, wrong, name)
    if axes:
        matching(axes, list(source.axes), name)
    return np.asarray(source.values(), dtype=np.float64).ravel()


def _flat(name: str, source: Any, axes: tuple[Any, ...]) -> Array:
    return array(name, source, len(axes), tuple(len(axis) for axis in axes)).ravel()


def _of_histogram(data: Any, counts: Array, notes: list[str]) -> Array | None:
    """Variances of a weighted histogram; None of counts."""
    if not hasattr(data, "variances"):
        return None
    stored = data.variances()
    if stored is None:
        return None
    if getattr(data, "name", None) == PREDICTION:
        notes.append("data are a prediction: their variances are taken as those of counts")
        return None
    variances = np.asarray(stored, dtype=np.float64).ravel()
    if np.allclose(variances, counts, rtol=1e-9, atol=0.0):
        return None
    notes.append("data are weighted: their variances are the histogram's")
    empty = (variances <= 0.0) & (counts == 0.0)
    if empty.any() and counts.sum() > 0.0 and variances.sum() > 0.0:
        weight = variances.sum() / counts.sum()
        variances = np.where(empty, weight**2, variances)
        notes.append(
            f"reconstructed {listed(empty, tuple(data.axes))} neither content nor variance: the mean weight squared is taken"
        )
    return variances


def _row_spread(response: Any, notes: list[str]) -> Any:
    """Covariances within rows where the response knows them and they are not too many, else variances."""
    n, m = response.matrix.shape
    rows = getattr(response, "row_covariance", None)
    spread = rows() if rows is not None and n * m * m <= _MOST else response.variance
    if not np.any(spread):
        return None
    if rows is not None and n * m * m > _MOST:
        notes.append(
            "statistics of the matrix: variances only, the covariances within rows are too many"
        )
    return spread


def _with_fakes(
    response: Any,
    matrix: Array,
    outside: Array | None,
    fakes: float | str,
    counts: Array,
    notes: list[str],
) -> Array | None:
    fakes_there = getattr(response, "not_signal", getattr(response, "fakes", None))
    share = (
        None if fakes_there is None else np.asarray(fakes_there.values(), dtype=np.float64).ravel()
    )
    if fakes not in ("scaled", "ignore") and isinstance(fakes, str):
        message = f"fakes: 'scaled', 'ignore' or a factor is needed, found {fakes!r}"
        raise ValueError(message)
    if not isinstance(fakes, str) and not 0.0 <= fakes < np.inf:
        message = f"fakes: a finite factor of 0 or more is needed, found {fakes!r}"
        raise ValueError(message)
    if share is None or not share.any():
        return outside
    what = " and ".join(["fakes", *getattr(response, "backgrounds", ())])
    if fakes == "ignore":
        notes.append(f"{what} of the response are ignored")
        return outside
    factor = _scale(response, matrix, share, counts, outside) if isinstance(fakes, str) else fakes
    why = ", which scales the simulation to the data" if isinstance(fakes, str) else ""
    notes.append(f"{what}: the simulation's times {factor:.6g} are background{why}")
    scaled = share * factor
    return scaled if outside is None else outside + scaled


def _scale(
    response: Any, matrix: Array, share: Array, counts: Array, outside: Array | None
) -> float:
    """Give the factor with which the simulation, signal and fakes, has as many events as the data."""
    truth = np.asarray(response.truth.values(), dtype=np.float64).ravel()
    left = counts.sum() - (0.0 if outside is None else outside.sum())
    return float(max(left, 0.0) / ((truth @ matrix).sum() + share.sum()))


def _prior(
    prior: Any, response: Any, true_axes: tuple[Any, ...], matrix: Array
) -> tuple[Array | None, str]:
    truth = getattr(response, "truth", None) if getattr(response, "knows_truth", True) else None
    if isinstance(prior, str) and prior not in ("flat", "truth"):
        message = f"prior: 'flat', 'truth', a histogram or an array is needed, found {prior!r}"
        raise ValueError(message)
    if isinstance(prior, str) and prior == "truth" and truth is None:
        message = "prior='truth': this response knows no truth that it was made with; give a spectrum, or 'flat'"
        raise ValueError(message)
    if prior is None and truth is not None and np.any(truth.values()):
        prior = "truth"
    if prior is None or (isinstance(prior, str) and prior == "flat"):
        return None, "flat"
    if isinstance(prior, str):
        return contents_of("truth", truth, true_axes, wrong="reco"), "truth of the response"
    contents = contents_of("prior", prior, true_axes, wrong="reco")
    if contents.shape != (len(matrix),):
        message = f"prior has {len(contents)} bins; {len(matrix)} are needed, one for each true bin"
        raise ValueError(message)
    return contents, "given"
