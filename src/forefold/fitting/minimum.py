"""The minimum of a function of cards."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from forefold.schema import Card

__all__ = ["Minimum", "minimised"]

_CALLS = 20_000
_FAR = 1e9


class Minimum(NamedTuple):
    """Where a function is smallest.

    Attributes
    ----------
    card : Card
    names : list of str
        Parameters, in the order of the covariance.
    covariance : ndarray, shape (n, n)
        The inverse of the second derivatives; NaN where they could not be found.
    valid : bool
    """

    card: Card
    names: list[str]
    covariance: NDArray[np.float64]
    valid: bool


def minimised(
    function: Callable[[Card, tuple[str, ...]], float],
    card: Card,
    groups: Sequence[tuple[tuple[str, ...], list[str]]],
) -> Minimum:
    """Find the parameters of a card for which minus the logarithm of a likelihood is smallest.

    Parameters
    ----------
    function : callable
        Of a card and of terms.
    card : Card
        With the values to begin with.
    groups : sequence of (terms, names)
        Sums of terms, and the parameters that they depend on.

    Returns
    -------
    Minimum

    Raises
    ------
    ModuleNotFoundError
        iminuit is not installed.
    """
    blocks, valid = [], True
    for terms, names in groups:
        minuit = _minimum(function, card, terms, names)
        card = card.with_parameters({name: float(minuit.values[name]) for name in names})
        known = minuit.covariance is not None
        blocks.append(np.array(minuit.covariance) if known else np.full((len(names),) * 2, np.nan))
        valid = valid and bool(minuit.valid and minuit.accurate)
    names = [name for _, group in groups for name in group]
    covariance = np.zeros((len(names), len(names)))
    start = 0
    for block in blocks:
        stop = start + len(block)
        covariance[start:stop, start:stop] = block
        start = stop
    return Minimum(card, names, covariance, valid)


def _minimum(
    function: Callable[[Card, tuple[str, ...]], float],
    card: Card,
    terms: tuple[str, ...],
    names: list[str],
) -> Any:
    first = function(card, terms)
    worst = abs(first) + _FAR

    def cost(*values: float) -> float:
        try:
            found = function(card.with_parameters(dict(zip(names, values, strict=True))), terms)
        except ValueError:
            return worst  # a formula has no value there
        return found - first if math.isfinite(found) else worst

    minuit = _minuit()(cost, *(card.parameters[name].value for name in names), name=names)
    minuit.errordef = 0.5
    for name in names:
        parameter = card.parameters[name]
        minuit.errors[name] = parameter.uncertainty or 0.1 * abs(parameter.value) or 0.01
        if parameter.limits is not None:
            minuit.limits[name] = parameter.limits
    minuit.migrad(ncall=_CALLS)
    minuit.hesse()
    return minuit


def _minuit() -> Any:
    try:
        from iminuit import Minuit
    except ModuleNotFoundError:
        message = "fitting needs iminuit: pip install 'forefold[fit]'"
        raise ModuleNotFoundError(message) from None
    return Minuit
