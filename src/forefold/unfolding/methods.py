"""The methods by their names, and what each needs to be told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from forefold._inputs import near_names
from forefold.unfolding.likelihood import maximum_likelihood
from forefold.unfolding.linear import decomposition, inversion, tikhonov, wiener
from forefold.unfolding.stopping import STOPS, iterative
from forefold.unfolding.strength import RULES, chosen_strength

if TYPE_CHECKING:
    from forefold.unfolding.measurement import Measurement
    from forefold.unfolding.solution import Solution

__all__ = ["METHODS", "Settings", "kept", "settings", "solved"]

_FEWEST = 1.0  # events: the smallest variance of a count

# names, and what a reader is told that they are
METHODS = {
    "bayes": "iterative Bayes (D'Agostini), Richardson-Lucy",
    "tikhonov": "regularised least squares (Tikhonov, SVD)",
    "wiener": "Wiener-SVD",
    "likelihood": "maximum likelihood, Poisson statistics",
    "inversion": "least squares, matrix inversion",
}


@dataclass(frozen=True)
class Settings:
    """How to unfold; one of `settings`.

    Attributes
    ----------
    method : str
    iterations : int, str or None
    strength : float, str or None
    order : int
    errors : str
    key : int
        Fixes the toys of a rule.
    """

    method: str
    iterations: int | str | None = None
    strength: float | str | None = None
    order: int = 2
    errors: str = "full"
    key: int = 0


def settings(
    method: str,
    *,
    iterations: int | str | None = None,
    strength: float | str | None = None,
    order: int = 2,
    errors: str = "full",
    key: int = 0,
) -> Settings:
    """Check what a method is told.

    Parameters
    ----------
    method : {"bayes", "tikhonov", "wiener", "likelihood", "inversion"}
    iterations : int or str
        Of ``bayes``, which needs it.
    strength : float or str
        Of ``tikhonov``, which needs it, and of ``likelihood``.
    order : {0, 1, 2}
    errors : {"full", "dagostini"}
    key : int

    Returns
    -------
    Settings

    Raises
    ------
    ValueError
        The method is unknown, or was told too little or too much.

    Examples
    --------
    >>> settings("bayes")
    Traceback (most recent call last):
    ...
    ValueError: bayes needs iterations=: a whole number, or one of chi2-change, discrepancy, gcv, toys
    """
    if method not in METHODS:
        near = near_names(str(method), METHODS, most=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        message = f"method: one of {', '.join(METHODS)} is needed, found {method!r}{hint}"
        raise ValueError(message)
    if method == "bayes" and iterations is None:
        message = f"bayes needs iterations=: a whole number, or one of {', '.join(STOPS)}"
        raise ValueError(message)
    if method == "tikhonov" and strength is None:
        message = f"tikhonov needs strength=: a number, or one of {', '.join(RULES)}"
        raise ValueError(message)
    for name, value, takers in (
        ("iterations", iterations, ("bayes",)),
        ("strength", strength, ("tikhonov", "likelihood")),
    ):
        if value is not None and method not in takers:
            message = f"{method} takes no {name}=; {' and '.join(takers)} do"
            raise ValueError(message)
    _check_iterations(iterations)
    _check_strength(method, strength)
    if errors not in ("full", "dagostini"):
        message = f"errors: 'full' or 'dagostini' is needed, found {errors!r}"
        raise ValueError(message)
    return Settings(method, iterations, strength, order, errors, key)


def _check_iterations(iterations: int | str | None) -> None:
    if isinstance(iterations, str):
        if iterations not in STOPS:
            message = f"iterations: a whole number, or one of {', '.join(STOPS)}, is needed; found {iterations!r}"
            raise ValueError(message)
    elif iterations is not None and (int(iterations) != iterations or iterations < 1):
        message = f"iterations: a whole number of 1 or more is needed, found {iterations!r}"
        raise ValueError(message)


def _check_strength(method: str, strength: float | str | None) -> None:
    if isinstance(strength, str) and method == "likelihood":
        message = f"strength of likelihood: a number of 0 or more is needed, found {strength!r}"
        raise ValueError(message)
    if isinstance(strength, str) and strength not in RULES:
        message = f"strength: a number of 0 or more, or one of {', '.join(RULES)}, is needed; found {strength!r}"
        raise ValueError(message)
    if not isinstance(strength, str | None) and not 0.0 <= strength < float("inf"):
        message = f"strength: a number of 0 or more is needed, found {strength!r}"
        raise ValueError(message)


def solved(measurement: Measurement, how: Settings) -> Solution:
    """Unfold plain arrays.

    Parameters
    ----------
    measurement : Measurement
    how : Settings

    Returns
    -------
    Solution

    Raises
    ------
    ValueError
        The problem does not suit the method.
    """
    if how.method == "bayes":
        assert how.iterations is not None
        return iterative(measurement, how.iterations, how.errors, how.key)
    if how.method == "likelihood":
        assert not isinstance(how.strength, str)
        return maximum_likelihood(measurement, how.strength or 0.0, how.order)
    return _weighted(measurement, how) if measurement.poisson else _linear(measurement, how)


def kept(how: Settings, solution: Solution) -> Settings:
    """Keep the strength that a rule has chosen."""
    if how.method == "bayes":
        return replace(how, iterations=int(solution.strength))
    if how.method == "tikhonov":
        return replace(how, strength=solution.strength)
    return how


def _weighted(measurement: Measurement, how: Settings) -> Solution:
    """Solve twice: counts weight the first time, what it predicts for them the second time.

    A count that came out low has a small variance, so weights from counts pull down; weights from the prediction do not.
    """
    first = _linear(measurement, how)
    expected = np.maximum(first.values @ measurement.matrix + measurement.background, _FEWEST)
    extra = measurement.variance - measurement.statistical
    better = replace(measurement, variance=np.diag(expected) + extra)
    return replace(_linear(better, how), expected=expected)


def _linear(measurement: Measurement, how: Settings) -> Solution:
    if how.method == "wiener":
        return wiener(measurement, how.order)
    if how.method == "inversion":
        return inversion(measurement)
    modes = decomposition(measurement, how.order)
    if not isinstance(how.strength, str):
        assert how.strength is not None
        return tikhonov(modes, float(how.strength), "given")
    strength, text, scan = chosen_strength(modes, how.strength, how.key)
    return replace(tikhonov(modes, strength, text), scan=scan)
