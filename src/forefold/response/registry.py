"""The responses that are there to be looked at, tested and copied."""

from __future__ import annotations

from importlib import metadata

import numpy as np

from forefold.response import distributions as families
from forefold.response.base import Response
from forefold.response.smear import Identity, Smear

__all__ = ["registered"]

_GROUP = "forefold.responses"


def _stochastic(true: families.base.Array) -> families.base.Array:
    return 0.2 * np.sqrt(np.abs(true))


def _rising(true: families.base.Array) -> families.base.Array:
    return 1.0 - np.exp(-np.abs(true))


def _built_in() -> dict[str, Response]:
    """One response of every family. The numbers are examples, those of no detector."""
    of = families
    table = of.Tabulated([-2.0, -1.0, 0.0, 2.0], [1.0, 3.0, 2.0], pull=True)
    mixture = of.Mixture(
        (of.Normal(), of.Normal()), (0.8, 0.2), shifts=(0.0, -1.0), widths=(1.0, 3.0)
    )
    examples: dict[str, of.Family] = {
        "log-normal": of.LogNormal(),
        "normal": of.Normal(),
        "truncated-normal": of.TruncatedNormal(),
        "crystal-ball": of.CrystalBall(1.5, 3.0, 2.0, 5.0),
        "exponential": of.Exponential(-1),
        "uniform": of.Uniform(),
        "tabulated": table,
        "mixture": mixture,
    }
    responses: dict[str, Response] = {"identity": Identity()}
    responses |= {name: Smear(f, _stochastic, efficiency=_rising) for name, f in examples.items()}
    responses["composition"] = responses["normal"].then(Smear(of.LogNormal(), 0.2, efficiency=0.9))
    return responses


def registered() -> dict[str, Response]:
    """Give every registered response: one of each family, and those of plug-ins.

    Returns
    -------
    dict of str to Response
        By name; the contract in `forefold.response.contract` is tested on each.

    Raises
    ------
    ValueError
        If a plug-in gives something else, or a name that is taken.

    Notes
    -----
    A plug-in is an entry point in the group ``forefold.responses``: a `Response`, or a function without arguments
    that gives one.

    Examples
    --------
    >>> sorted(registered())[:3]
    ['composition', 'crystal-ball', 'exponential']
    """
    responses = _built_in()
    for point in metadata.entry_points(group=_GROUP):
        loaded = point.load()
        response = loaded() if callable(loaded) else loaded
        if not isinstance(response, Response):
            message = f"entry point '{point.name}' of {_GROUP} gives a {type(response).__name__}, not a Response"
            raise ValueError(message)
        if point.name in responses:
            message = f"entry point '{point.name}' of {_GROUP}: the name is taken"
            raise ValueError(message)
        responses[point.name] = response
    return responses
