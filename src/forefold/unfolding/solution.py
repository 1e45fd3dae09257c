"""What every method gives: values, and how they depend on the data and on the matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["UNSETTLED", "Scan", "Solution"]

UNSETTLED = ", but "  # after the name of a rule that has not found what it looks for


@dataclass(frozen=True, eq=False)
class Scan:
    """What was looked at to choose a strength.

    Attributes
    ----------
    rule : str
    strengths : ndarray, shape (k,)
        Strengths, or numbers of iterations.
    criterion : ndarray, shape (k,)
        What the rule is about: curvature of the L-curve, GCV, chi2, error of toys.
    residual, roughness : ndarray, shape (k,)
        Chi2 of the refolded result, and the penalty without its strength (NaN where a method has none).
    """

    rule: str
    strengths: Array
    criterion: Array
    residual: Array
    roughness: Array


@dataclass(frozen=True, eq=False)
class Solution:
    """One unfolding, without its covariance.

    Attributes
    ----------
    values : ndarray, shape (n_true,)
    gain : ndarray, shape (n_true, n_reco)
        Derivatives of the values with respect to the data.
    offset : ndarray, shape (n_true,)
        What the (linearised) result would be without signal: values - gain @ (data - background).
    slopes : callable
        Of a true bin i: derivatives of the values with respect to the elements R[i, :], shape (n_true, n_reco).
    strength : float
        Of the regularisation, or the number of iterations; NaN where a method has none.
    chosen : str
        How the strength was chosen; with `UNSETTLED` and why, if the rule did not find one.
    scan : Scan or None
    notes : tuple of str
        What a reader of the result must know.
    expected : ndarray, shape (n_reco,), optional
        Variances of Poisson counts, where the method knows them better than the counts do.
    """

    values: Array
    gain: Array
    offset: Array
    slopes: Callable[[int], Array]
    strength: float
    chosen: str
    scan: Scan | None = None
    notes: tuple[str, ...] = ()
    expected: Array | None = None
