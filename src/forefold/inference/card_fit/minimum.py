"""The minimum of a function of cards."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from forefold.detector import Card

__all__ = ["Minimum", "minimised"]

_CALLS = 20_000
_FAR = 1e9
_BESIDE = 0.05  # of the range between the limits
_AS_GOOD = 1e-3  # of the logarithm of a likelihood


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
    trouble : str
        Why it is not valid; empty if it is.
    at_limit : tuple of str
        Parameters that went to one of their limits: they have no uncertainty, their covariance is NaN.
    """

    card: Card
    names: list[str]
    covariance: NDArray[np.float64]
    valid: bool
    trouble: str
    at_limit: tuple[str, ...]


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
    ValueError
        The function does not depend on a parameter.
    """
    blocks: list[NDArray[np.float64]] = []
    troubles: list[str] = []
    ends: list[str] = []
    for terms, names in groups:
        minuit = _minimum(function, card, terms, names)
        card = card.with_parameters({name: float(minuit.values[name]) for name in names})
        determined = minuit.covariance is not None
        block = np.array(minuit.covariance) if determined else np.full((len(names),) * 2, np.nan)
        if not (minuit.valid and minuit.accurate):
            _refuse_flat(minuit, card, terms)
            troubles.append(_trouble(minuit))
        at = [name for name in names if _at_limit(minuit, card, name)]
        rows = [names.index(name) for name in at]
        block[rows, :] = block[:, rows] = np.nan
        blocks.append(block)
        ends += at
    names = [name for _, group in groups for name in group]
    covariance = np.zeros((len(names), len(names)))
    start = 0
    for block in blocks:
        stop = start + len(block)
        covariance[start:stop, start:stop] = block
        start = stop
    return Minimum(card, names, covariance, not troubles, "; ".join(troubles), tuple(ends))


def _refuse_flat(minuit: Any, card: Card, terms: tuple[str, ...]) -> None:
    """Refuse a parameter that nothing depends on: it has any value, and an uncertainty without end."""
    for name in minuit.parameters:
        low, high = card.parameters[name].limits or (-math.inf, math.inf)
        value = minuit.values[name]
        step = 0.1 * abs(value) or 0.01
        there = [x for x in (value - step, value + step) if low <= x <= high]
        if there and all(_rise(minuit, name, x) == 0.0 for x in there):
            message = (
                f"card {card.name}: the data say nothing of parameter {name!r}: any value of it describes "
                f"{' and '.join(terms)} as well; fix it (--fixed), or give data that depend on it"
            )
            raise ValueError(message)


def _rise(minuit: Any, name: str, value: float) -> float:
    """By how much the function is larger where one parameter has another value."""
    values = [value if key == name else minuit.values[key] for key in minuit.parameters]
    return float(minuit.fcn(values) - minuit.fval)


def _at_limit(minuit: Any, card: Card, name: str) -> bool:
    """Whether a parameter is beside a limit that describes the data as well as its own value does."""
    limits = card.parameters[name].limits
    if limits is None:
        return False
    value, near = minuit.values[name], _BESIDE * (limits[1] - limits[0])
    return any(abs(value - end) <= near and _rise(minuit, name, end) < _AS_GOOD for end in limits)


def _trouble(minuit: Any) -> str:
    """Why a minimum is not one."""
    names = ", ".join(minuit.parameters)
    minimum = minuit.fmin
    if minimum.has_reached_call_limit:
        return f"{names}: still falling after {_CALLS} calls"
    if not minimum.is_valid:
        return f"{names}: the search stopped where the likelihood still rises"
    if minuit.covariance is None or minimum.hesse_failed:
        return f"{names}: the second derivatives could not be found"
    return f"{names}: the second derivatives are no covariance (made positive, or not accurate)"


def _minimum(
    function: Callable[[Card, tuple[str, ...]], float],
    card: Card,
    terms: tuple[str, ...],
    names: list[str],
) -> Any:
    from iminuit import Minuit

    first = function(card, terms)
    worst = abs(first) + _FAR

    def cost(*values: float) -> float:
        try:
            deviance = function(card.with_parameters(dict(zip(names, values, strict=True))), terms)
        except ValueError:
            return worst  # a formula has no value there
        return deviance - first if math.isfinite(deviance) else worst

    minuit = Minuit(cost, *(card.parameters[name].value for name in names), name=names)
    minuit.errordef = 0.5
    for name in names:
        parameter = card.parameters[name]
        minuit.errors[name] = parameter.uncertainty or 0.1 * abs(parameter.value) or 0.01
        if parameter.limits is not None:
            minuit.limits[name] = parameter.limits
    minuit.migrad(ncall=_CALLS)
    minuit.hesse()
    return minuit
