"""Matrices of a varied detector: together in one file, and the covariance of a prediction that they give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._inputs import is_universe
from forefold.detector.load import Card
from forefold.events.particles import near
from forefold.matrix.axes import matching
from forefold.matrix.json import NOMINAL, read_documents, written_documents
from forefold.matrix.response_matrix import ResponseMatrix
from forefold.matrix.statistics import correlations

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = [
    "correlated_elsewhere",
    "detector_covariance",
    "nominal_and_varied",
    "pull_correlation",
    "read_set",
    "same_backgrounds",
    "written_set",
]


def written_set(matrices: Mapping[str, ResponseMatrix]) -> str:
    """Write a nominal matrix and its variations into one document.

    Parameters
    ----------
    matrices : mapping of str to ResponseMatrix
        The nominal matrix under ``"nominal"``, and the variations.

    Returns
    -------
    str
        UHI JSON. `forefold.ResponseMatrix.from_json` reads the nominal matrix of it, `read_set` all.
    """
    return written_documents({name: matrix._contents for name, matrix in matrices.items()})


def read_set(text: str) -> dict[str, ResponseMatrix]:
    """Read a nominal matrix, and variations if there are any.

    Parameters
    ----------
    text : str
        From `written_set`, or `forefold.ResponseMatrix.to_json`.

    Returns
    -------
    dict of str to ResponseMatrix
        ``"nominal"`` first.

    Raises
    ------
    ValueError
        See `forefold.ResponseMatrix.from_json`.
    """
    return {name: ResponseMatrix(held) for name, held in read_documents(text).items()}


def nominal_and_varied(response: Any) -> tuple[ResponseMatrix, dict[str, ResponseMatrix]]:
    """Separate the nominal matrix from its variations, and check that their axes agree.

    Parameters
    ----------
    response : ResponseMatrix, or mapping of str to ResponseMatrix

    Returns
    -------
    nominal : ResponseMatrix
    varied : dict of str to ResponseMatrix

    Raises
    ------
    ValueError
        If it is something else, there is no ``"nominal"``, or axes differ.
    """
    if isinstance(response, ResponseMatrix):
        return response, {}
    if not isinstance(response, Mapping):
        message = f"response: a ResponseMatrix, or a mapping of them, is needed, found {type(response).__name__}"
        raise ValueError(message)
    if NOMINAL not in response or not all(isinstance(v, ResponseMatrix) for v in response.values()):
        message = f"response: a mapping needs a ResponseMatrix 'nominal' and those of variations, found {', '.join(response)}"
        raise ValueError(message)
    nominal = response[NOMINAL]
    varied = {name: matrix for name, matrix in response.items() if name != NOMINAL}
    for name, matrix in varied.items():
        matching(nominal.true_axes, matrix.true_axes, f"the matrix of {name!r}")
        matching(nominal.reco_axes, matrix.reco_axes, f"the matrix of {name!r}")
        same_backgrounds(nominal, matrix, f"the matrix of {name!r}")
    return nominal, varied


def same_backgrounds(nominal: ResponseMatrix, other: ResponseMatrix, what: str) -> None:
    """Refuse a matrix that has other named backgrounds than the nominal one.

    Raises
    ------
    ValueError
        The message lists the backgrounds of both.
    """
    one, two = (", ".join(matrix.backgrounds) or "none" for matrix in (nominal, other))
    if one != two:
        message = f"{what} has the backgrounds {two}, the nominal one has {one}"
        raise ValueError(message)


def detector_covariance(
    truth: Array,
    nominal: ResponseMatrix,
    varied: Mapping[str, ResponseMatrix],
    correlation: Card | ArrayLike | None = None,
    fakes: float = 0.0,
) -> Array:
    """Give the covariance of a folded spectrum from variations of the detector; see `fold`.

    Parameters
    ----------
    truth : ndarray, shape (n_true,)
    nominal : ResponseMatrix
    varied : mapping of str to ResponseMatrix
    correlation : Card, or array_like, shape (pulls, pulls), optional
    fakes : float
        Scale of the fakes and backgrounds.

    Returns
    -------
    ndarray, shape (n_reco, n_reco)
    """

    def moved(name: str) -> Array:
        matrix = varied[name]
        shift = truth @ (matrix.matrix - nominal.matrix)
        more = np.asarray(matrix.not_signal.values()) - np.asarray(nominal.not_signal.values())
        return np.asarray(shift + fakes * more.reshape(-1))

    thrown = [name for name in varied if is_universe(name)]
    pulls: dict[str, Array] = {}
    for name in varied:
        base = name.removesuffix("_up").removesuffix("_down")
        if name in thrown or base in pulls:
            continue
        pair = [f"{base}_up", f"{base}_down"]
        if all(key in varied for key in pair):
            pulls[base] = 0.5 * (moved(pair[0]) - moved(pair[1]))
        else:
            pulls[base] = moved(name)
    n = nominal.matrix.shape[1]
    steps = np.array(list(pulls.values())).reshape(len(pulls), n)
    covariance = steps.T @ pull_correlation(correlation, list(pulls)) @ steps
    if thrown:
        rows = np.array([moved(name) for name in thrown])
        covariance = covariance + rows.T @ rows / len(thrown)
    return np.asarray(covariance)


def pull_correlation(correlation: Card | ArrayLike | None, names: list[str]) -> Array:
    """Give the correlation matrix of nuisance parameters, from a card or as an array; see `fold`.

    Parameters
    ----------
    correlation : Card, or array_like, shape (pulls, pulls), or None
    names : list of str

    Returns
    -------
    ndarray, shape (pulls, pulls)

    Raises
    ------
    ValueError
        If there are no nuisance parameters, the shape does not fit, or the card lacks one of them.
    """
    n = len(names)
    if correlation is None:
        return np.eye(n)
    if not n:
        what = f"card {correlation.name}" if isinstance(correlation, Card) else "a matrix"
        message = (
            f"correlation: {what} says it of pulls, and the response has none: give the matrices of its variations "
            "(ResponseMatrix.from_variations), or leave it out"
        )
        raise ValueError(message)
    matrix = (
        _of_card(correlation, names)
        if isinstance(correlation, Card)
        else np.asarray(correlation, np.float64)
    )
    if (
        matrix.shape != (n, n)
        or not np.allclose(matrix, matrix.T)
        or not np.allclose(np.diag(matrix), 1.0)
    ):
        message = (
            f"correlation of shape {matrix.shape}: symmetric, with 1 on the diagonal, of shape {(n, n)} for "
            f"{', '.join(names)} is needed"
        )
        raise ValueError(message)
    return matrix


def correlated_elsewhere(card: Card, names: list[str]) -> tuple[str, ...]:
    """Say which correlations of a card are not used, as the response has variations of one of the two alone.

    Parameters
    ----------
    card : Card
    names : list of str
        Pulls of the response.

    Returns
    -------
    tuple of str
        One note, or none.
    """
    halves = [
        (a, b) if a in names else (b, a)
        for a, b in (block.parameters for block in card.correlations)
        if (a in names) != (b in names)
    ]
    if not halves:
        return ()
    words = ", ".join(f"{inside} with {outside}" for inside, outside in halves[:4])
    more = ", ..." if len(halves) > 4 else ""
    return (
        f"card {card.name} correlates {words}{more}, and the response has no variations of the latter: it is taken as if there were none",
    )


def _of_card(card: Card, names: list[str]) -> Array:
    """Give the correlations of a card's pulls."""
    available, covariance = card.covariance()
    for name in names:
        if name not in available:
            message = (
                f"correlation: card {card.name} has no pull {name!r}{near(name, list(available))}"
            )
            raise ValueError(message)
    rows = [available.index(name) for name in names]
    return correlations(covariance[np.ix_(rows, rows)])
