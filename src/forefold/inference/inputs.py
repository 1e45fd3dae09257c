"""From histograms, matrices and functions to the arrays of an expectation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import numpy as np

from forefold._inputs import refuse_masked
from forefold.detector.load import Card, load_card
from forefold.inference.model import Function, Templates
from forefold.inference.parameters import Parameter
from forefold.matrix import ResponseMatrix
from forefold.matrix.axes import bin_name, matching, other_names, refuse_side
from forefold.matrix.contents import flow_content, refuse_means, refuse_no_counts
from forefold.matrix.json import PREDICTION
from forefold.matrix.uncertainty import METHODS
from forefold.matrix.variations import (
    correlated_elsewhere,
    nominal_and_varied,
    pull_correlation,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from forefold.inference.model import Spectrum
    from forefold.matrix.uncertainty import Method, Moments

    Array = NDArray[np.float64]

__all__ = [
    "Background",
    "Detector",
    "axes_named_otherwise",
    "backgrounds",
    "contents",
    "counts",
    "detector",
    "names_noted",
    "share_of_truth",
    "simulation",
    "truth",
]

_LARGEST = 1e100  # of contents: squares, and products with parameters, must be finite
_STEP = 1e-4  # of numerical derivatives, relative


class Detector(NamedTuple):
    """A response with its pulls.

    Attributes
    ----------
    nominal : ResponseMatrix
    matrix : ndarray, shape (n_true, n_reco)
    pulls : list of str
    odd, even : ndarray, shape (pulls, n_true, n_reco)
    correlation : ndarray, shape (pulls, pulls)
    fakes_spread : ndarray, shape (n_reco,)
    notes : tuple of str
        Correlations that are not used.
    backgrounds : dict of str to Background
        Those that the response names, as many as it has.
    """

    nominal: ResponseMatrix
    matrix: Array
    pulls: list[str]
    odd: Array
    even: Array
    correlation: Array
    fakes_spread: Array
    notes: tuple[str, ...]
    backgrounds: dict[str, Background]


class Background(NamedTuple):
    """A background with its pulls.

    Attributes
    ----------
    values, variances : ndarray, shape (n_reco,)
    odd, even : ndarray, shape (pulls, n_reco)
    """

    values: Array
    variances: Array
    odd: Array
    even: Array

    def times(self, factor: float) -> Background:
        """Scale it."""
        return Background(
            factor * self.values, factor**2 * self.variances, factor * self.odd, factor * self.even
        )


def detector(response: Any, correlation: Card | str | ArrayLike | None, *, fakes: bool) -> Detector:
    """Read a response, or a nominal one with variations.

    Parameters
    ----------
    response : ResponseMatrix, array_like, or mapping of str to ResponseMatrix
    correlation : Card, str, array_like or None
    fakes : bool
        Whether fakes come with every true event, and backgrounds that the response names are expected.

    Returns
    -------
    Detector

    Raises
    ------
    ValueError
        Something is no matrix, axes differ, or a variation is none that can be interpolated.
    """
    nominal, varied = _matrices(response)
    pairs_by_name = {name: _shift(name, varied) for name in _pulls(varied)}
    pairs = list(pairs_by_name.values())
    base, odd, even = _parabola(nominal, pairs, lambda matrix: _with_fakes(matrix, fakes=fakes))
    card = load_card(correlation) if isinstance(correlation, str) else correlation
    correlations = pull_correlation(card, list(pairs_by_name))
    notes = correlated_elsewhere(card, list(pairs_by_name)) if isinstance(card, Card) else ()
    spread = np.zeros(base.shape[1])
    if fakes and (total := _total(nominal)) > 0.0:
        spread = np.asarray(nominal.fakes.variances(), dtype=np.float64).reshape(-1) / total**2
    named = {name: _background(name, nominal, pairs) for name in nominal.backgrounds if fakes}
    return Detector(
        nominal, base, list(pairs_by_name), odd, even, correlations, spread, notes, named
    )


Pairs: TypeAlias = "list[tuple[ResponseMatrix, ResponseMatrix | None]]"


def _parabola(
    nominal: ResponseMatrix, pairs: Pairs, of: Callable[[ResponseMatrix], Array]
) -> tuple[Array, Array, Array]:
    """Give something of a matrix, and half the difference and half the sum of its shifts up and down."""
    base = of(nominal)
    odd, even = (np.zeros((len(pairs), *base.shape)) for _ in range(2))
    for k, (up, down) in enumerate(pairs):
        above = of(up) - base
        below = -above if down is None else of(down) - base
        odd[k], even[k] = 0.5 * (above - below), 0.5 * (above + below)
    return base, odd, even


def _background(name: str, nominal: ResponseMatrix, pairs: Pairs) -> Background:
    def contents_of(matrix: ResponseMatrix) -> Array:
        return np.asarray(matrix.backgrounds[name].values(), dtype=np.float64).reshape(-1)

    base, odd, even = _parabola(nominal, pairs, contents_of)
    variances = np.asarray(nominal.backgrounds[name].variances(), dtype=np.float64).reshape(-1)
    return Background(base, variances, odd, even)


def share_of_truth(truth: Array, matrix: ResponseMatrix) -> float:
    """Give how many times the events of a response a truth has: its backgrounds are expected as many times.

    Raises
    ------
    ValueError
        One of them has none.
    """
    total = _total(matrix)
    if not (truth.sum() > 0.0 and total > 0.0):
        message = (
            "backgrounds of the response are expected as many times as the truth has its events, and where parameters begin the truth, or that of the "
            "response, is nothing: begin elsewhere, or say fakes=False and give them as background="
        )
        raise ValueError(message)
    return float(truth.sum()) / total


def _matrices(response: Any) -> tuple[ResponseMatrix, dict[str, ResponseMatrix]]:
    if isinstance(response, ResponseMatrix | Mapping):
        return nominal_and_varied(response)
    try:
        refuse_masked("response", response)
        numbers = np.asarray(response, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.zeros(0)
    if numbers.ndim != 2:
        message = f"response: a ResponseMatrix, a mapping of them, or R[true, reco] is needed, found {type(response).__name__}"
        raise ValueError(message)
    n, m = numbers.shape
    return ResponseMatrix.from_array(numbers, np.arange(n + 1.0), np.arange(m + 1.0)), {}


def _pulls(varied: Mapping[str, ResponseMatrix]) -> list[str]:
    names = []
    for name in varied:
        base = name.removesuffix("_up").removesuffix("_down")
        if base == name:
            message = f"response: {name!r} is no NAME_up or NAME_down, which a pull is interpolated between; leave it out (universes go with forefold.fold)"
            raise ValueError(message)
        if base not in names:
            names.append(base)
    return names


def _shift(
    base: str, varied: Mapping[str, ResponseMatrix]
) -> tuple[ResponseMatrix, ResponseMatrix | None]:
    up, down = varied.get(f"{base}_up"), varied.get(f"{base}_down")
    if up is None:
        message = f"response: {base}_down without {base}_up; one sign alone must be the one up"
        raise ValueError(message)
    return up, down


def _total(matrix: ResponseMatrix) -> float:
    return float(np.sum(matrix.truth.values()))


def _with_fakes(matrix: ResponseMatrix, *, fakes: bool) -> Array:
    """Matrix, with what is reconstructed of other origin for each true event."""
    if not fakes:
        return matrix.matrix
    fakes_of_bins = np.asarray(matrix.fakes.values(), dtype=np.float64).reshape(-1)
    if not fakes_of_bins.any():
        return matrix.matrix
    total = _total(matrix)
    if total <= 0.0:
        message = "fakes: the truth of the matrix sums to nothing, so that fakes have no scale; say fakes=False and give them as background"
        raise ValueError(message)
    return np.asarray(matrix.matrix + fakes_of_bins / total)


def truth(
    spectra: Any,
    gradient: Callable[..., Any] | None,
    parameters: Mapping[str, Parameter],
    matrix: ResponseMatrix,
) -> tuple[Spectrum, dict[str, Parameter]]:
    """Read what is true: histograms with a scale each, or a function.

    Parameters
    ----------
    spectra : histogram, array_like, mapping of str to these, or callable
    gradient : callable or None
    parameters : mapping of str to Parameter
        All that were given and are of no background.
    matrix : ResponseMatrix

    Returns
    -------
    spectrum : Spectrum
    parameters : dict of str to Parameter
        Of the truth, in order.

    Raises
    ------
    ValueError
        Axes differ, contents are negative or not finite, or parameters are missing.
    """
    if callable(spectra):
        return _function(spectra, gradient, parameters, matrix), dict(parameters)
    if gradient is not None:
        message = "gradient: for a truth that is a function; histograms have theirs"
        raise ValueError(message)
    several = spectra if isinstance(spectra, Mapping) else {"normalisation": spectra}
    if not several:
        message = "truth: no histogram is given"
        raise ValueError(message)
    rows = np.array([contents(f"truth {n!r}", h, matrix, "true") for n, h in several.items()])
    unknown = [name for name in parameters if name not in several]
    if unknown:
        others = f"; backgrounds of the response: {', '.join(matrix.backgrounds)}" * bool(
            matrix.backgrounds
        )
        message = (
            f"parameter {unknown[0]!r} is of nothing: the truth has {', '.join(several)}{others}"
        )
        raise ValueError(message)
    return Templates(rows), {n: parameters.get(n, Parameter(1.0, lower=0.0)) for n in several}


def _function(
    spectrum: Callable[..., Any],
    gradient: Callable[..., Any] | None,
    parameters: Mapping[str, Parameter],
    matrix: ResponseMatrix,
) -> Function:
    names = list(parameters)
    if not names:
        message = "truth is a function: name its parameters, such as parameters={'norm': 1.0}"
        raise ValueError(message)

    def function(x: Array) -> Array:
        values = dict(zip(names, (float(v) for v in x), strict=True))
        return contents("truth", spectrum(**values), matrix, "true", sign=False)

    def slopes(x: Array) -> Array:
        assert gradient is not None
        derivatives = gradient(**dict(zip(names, (float(v) for v in x), strict=True)))
        lacking = [name for name in names if name not in derivatives]
        if lacking:
            message = f"gradient: no derivative with respect to {lacking[0]!r}"
            raise ValueError(message)
        return np.array(
            [contents(f"gradient {n!r}", derivatives[n], matrix, "true", sign=False) for n in names]
        )

    steps = np.array([_STEP * max(abs(p.value), 0.1) for p in parameters.values()])
    return Function(function, None if gradient is None else slopes, steps)


def backgrounds(
    background: Any, variance: Any, matrix: ResponseMatrix, pulls: int
) -> tuple[dict[str, Background], Array]:
    """Read backgrounds over the reconstructed axes, which no pull moves.

    Parameters
    ----------
    background : histogram, array_like, mapping of str to these, or None
    variance : histogram, array_like or None
        Of all of it, from a finite simulation.
    matrix : ResponseMatrix
    pulls : int
        How many there are.

    Returns
    -------
    rows : dict of str to Background
        By name; one without a name is ``""``.
    variance : ndarray, shape (n_reco,)

    Raises
    ------
    ValueError
        Axes differ, or contents are negative or not finite.
    """
    bins = matrix.matrix.shape[1]
    several = (
        background
        if isinstance(background, Mapping)
        else {}
        if background is None
        else {"": background}
    )
    rows = {
        name: contents(f"background {name!r}" if name else "background", h, matrix, "reco")
        for name, h in several.items()
    }
    still = np.zeros((pulls, bins))
    spread = (
        np.zeros(bins)
        if variance is None
        else contents("background_variance", variance, matrix, "reco")
    )
    return {n: Background(row, np.zeros(bins), still, still) for n, row in rows.items()}, spread


def contents(
    what: str, source: Any, matrix: ResponseMatrix, side: str, *, sign: bool = True
) -> Array:
    """Read a histogram on the axes of one side, or numbers; flat in C order.

    Parameters
    ----------
    what : str
        For messages.
    source : UHI histogram or array_like
    matrix : ResponseMatrix
    side : {"true", "reco"}
    sign : bool
        Whether negative contents are refused.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    ValueError
        Axes differ (which, and where), or contents are negative or not finite.
    """
    axes = matrix.true_axes if side == "true" else matrix.reco_axes
    if hasattr(source, "axes") and hasattr(source, "values"):
        refuse_means(source, what)
        refuse_side(source.axes, "reco" if side == "true" else "true", what)
        matching(axes, list(source.axes), what)
        source = source.values()
    refuse_masked(what, source)
    try:
        numbers = np.asarray(source, dtype=np.float64)
    except (TypeError, ValueError):
        message = f"{what}: a histogram (UHI) or numbers are needed, found {type(source).__name__}"
        raise ValueError(message) from None
    shape = tuple(len(axis) for axis in axes)
    if numbers.shape not in (shape, (math.prod(shape),)):
        message = f"{what} has shape {numbers.shape}; {shape} is needed, the bins of {', '.join(repr(a.name) for a in axes)}"
        raise ValueError(message)
    numbers = numbers.reshape(-1)
    bad = ~(abs(numbers) < _LARGEST) | ((numbers < 0.0) if sign else False)
    if bad.any():
        i = int(np.argmax(bad))
        kind = "from 0" if sign else f"from {-_LARGEST:g}"
        message = f"{what} holds {numbers[i]:g} in {bin_name(axes, i)}; contents {kind} to {_LARGEST:g} are needed"
        raise ValueError(message)
    return numbers


def counts(data: Any, matrix: ResponseMatrix) -> tuple[Array, float]:
    """Read data.

    Parameters
    ----------
    data : UHI histogram, prediction or array_like
    matrix : ResponseMatrix

    Returns
    -------
    counts : ndarray, shape (n_reco,)
    outside : float
        Counts of flow bins, which are not used.

    Raises
    ------
    ValueError
        Axes differ, counts are negative or not finite, or data are weighted.
    """
    data = getattr(data, "histogram", data)
    numbers = contents("data", data, matrix, "reco")
    variances = data.variances() if hasattr(data, "variances") else None
    if variances is not None and getattr(data, "name", "") != PREDICTION:
        flat = np.asarray(variances, dtype=np.float64).reshape(-1)
        if not np.allclose(flat, numbers, rtol=1e-6, atol=1e-9):
            i = int(np.argmax(abs(flat - numbers)))
            message = (
                f"data are weighted ({numbers[i]:g} with variance {flat[i]:g} in {bin_name(matrix.reco_axes, i)}), so that they "
                "have no Poisson likelihood; give counts, or .values() to take them as expected ones"
            )
            raise ValueError(message)
    refuse_no_counts(data, numbers, "data")
    return numbers, flow_content(data)


def simulation(statistics: str, matrix: ResponseMatrix) -> Moments | None:
    """Read how the statistics of a response count.

    Parameters
    ----------
    statistics : {"multinomial", "dirichlet", "bootstrap", "none"}
    matrix : ResponseMatrix

    Returns
    -------
    Moments or None
        None where they do not count, or there are none.

    Raises
    ------
    ValueError
        There is no such way, or the matrix cannot be counted so.
    """
    if statistics not in (*METHODS, "none"):
        message = f"statistics = {statistics!r}: {', '.join(METHODS)} or none"
        raise ValueError(message)
    if statistics == "none" or matrix.exact:
        return None
    return matrix.moments(cast("Method", statistics))


def axes_named_otherwise(
    truth: Any,
    begin: Mapping[str, float],
    background: Any,
    variance: Any,
    matrix: ResponseMatrix,
) -> list[str]:
    """Note axes that have the bins of the matrix and another name, as `forefold.fold` does.

    Parameters
    ----------
    truth : histogram, array_like, mapping of str to these, or callable
    begin : mapping of str to float
        Parameters of a callable truth.
    background, variance : histogram, array_like, mapping of str to these, or None
    matrix : ResponseMatrix

    Returns
    -------
    list of str
        One note an axis.
    """
    spectra = truth(**begin) if callable(truth) else truth
    notes = []
    for what, source, axes in (
        ("truth", spectra, matrix.true_axes),
        ("background", background, matrix.reco_axes),
        ("background_variance", variance, matrix.reco_axes),
    ):
        several = source if isinstance(source, Mapping) else {"": source}
        for name, histogram in several.items():
            notes += names_noted(f"{what} {name!r}" if name else what, histogram, axes)
    return notes


def names_noted(what: str, source: Any, axes: tuple[Any, ...]) -> list[str]:
    """Note axes of a histogram or a prediction that are named otherwise than these; none of numbers."""
    source = getattr(source, "histogram", source)
    if not (hasattr(source, "axes") and hasattr(source, "values")):
        return []
    return other_names(axes, list(source.axes), what)
