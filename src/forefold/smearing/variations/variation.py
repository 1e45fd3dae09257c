"""Variations of a card: which of its uncertain numbers are pulled, and by how much."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._inputs import UNIVERSE, current_word
from forefold.detector.load import load_card
from forefold.detector.uncertainty import factor, uncertain
from forefold.events import particles as species
from forefold.kernels.arrays import uniform_pairs
from forefold.kernels.distributions import NORMAL, standard_quantiles
from forefold.kernels.philox import stream_keys
from forefold.smearing.smear import random_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from forefold.detector.load import Card

__all__ = [
    "NOMINAL",
    "Variation",
    "named_variations",
    "parameter_values",
    "shift_pulls",
    "standard_variations",
    "universes",
]

NOMINAL = "nominal"
"""Name of the card as it is."""

_PURPOSE_UNIVERSE = 12


@dataclass(frozen=True)
class Variation:
    """A detector that differs from its card by some pulls.

    Attributes
    ----------
    name : str
        Name of the variation, as columns and files have it.
    pulls : mapping of str to float
        Standard deviations by which uncertain numbers differ from the card: names of its parameters, and of the pulls
        of its shifts (``<shift>_p0``, ``_p1``, ``_p2``, ``_resolution``).

    Examples
    --------
    >>> Variation("low", {"muon_p0": -1.0, "neutron_p0": -2.0}).pulls["neutron_p0"]
    -2.0
    """

    name: str
    pulls: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fields: tuple[object, object] = (self.name, self.pulls)
        if not isinstance(fields[0], str) or not fields[0]:
            message = f"name of a variation: a text is expected, found {fields[0]!r}"
            raise ValueError(message)
        if not isinstance(fields[1], Mapping):
            message = f"variation {self.name!r}: pulls: a mapping of names to numbers is expected, found {fields[1]!r}"
            raise TypeError(message)
        for name, pull in fields[1].items():
            if isinstance(pull, bool) or not isinstance(pull, Real):
                message = f"variation {self.name!r}: a number is expected as pull of {name!r}, found {pull!r}"
                raise TypeError(message)


def standard_variations(card: Card | str | Path) -> list[Variation]:
    """Every uncertain number of a card, one standard deviation up and down.

    Parameters
    ----------
    card : Card, str or Path
        Detector, or its name or file.

    Returns
    -------
    list of Variation
        ``<name>_up`` and ``<name>_down`` for each name of `Card.covariance`.

    Examples
    --------
    >>> [v.name for v in standard_variations("dune-fd-uncertainties")][:4]
    ['total_p0_up', 'total_p0_down', 'total_p1_up', 'total_p1_down']
    """
    return [
        Variation(f"{name}_{word}", {name: pull})
        for name in uncertain(load_card(card))
        for word, pull in (("up", 1.0), ("down", -1.0))
    ]


def named_variations(
    card: Card | str | Path, words: Sequence[str], rng: int | np.random.Generator | None = None
) -> list[Variation]:
    """Variations by name, as they are typed on the command line.

    Parameters
    ----------
    card : Card, str or Path
        Detector, or its name or file.
    words : sequence of str
        ``"all"`` for the standard ones, ``"universes:N"`` for N random ones, or names of standard ones; each may be a list
        with commas. What is named twice is there once.
    rng : int, numpy Generator or None
        Of the random ones.

    Returns
    -------
    list of Variation
        In the order of the words.

    Raises
    ------
    ValueError
        No variation has this name, or the card has no uncertain numbers.

    Examples
    --------
    >>> [v.name for v in named_variations("dune-fd-uncertainties", ["muon_p0_up", "universes:2"], 1)]
    ['muon_p0_up', 'universe_0', 'universe_1']
    """
    card = load_card(card)
    standard = {variation.name: variation for variation in standard_variations(card)}
    if not standard:
        message = f"card {card.name}: nothing is uncertain: it has no shifts and no parameter with an uncertainty"
        raise ValueError(message)
    chosen: dict[str, Variation] = {}
    for word in [part.strip() for text in words for part in text.split(",")]:
        kind, _, number = word.partition(":")
        kind = current_word("variations", kind)
        if word == "all":
            chosen |= standard
        elif kind == "universes" and number.isdecimal() and int(number) > 0:
            chosen |= {v.name: v for v in universes(card, int(number), rng)}
        elif kind == "universes":
            message = f"card {card.name}: {word!r}: universes:N with a whole number N from 1 on is expected"
            raise ValueError(message)
        elif word in standard:
            chosen[word] = standard[word]
        else:
            hint = species.near(word, ["all", "universes:100", *standard])
            message = f"card {card.name}: no variation {word!r}{hint}; 'all', 'universes:N' or a name with _up or _down"
            raise ValueError(message)
    return list(chosen.values())


def universes(
    card: Card | str | Path,
    n: int,
    rng: int | np.random.Generator | None = None,
    *,
    first: int = 0,
) -> list[Variation]:
    """Draw universes: detectors whose uncertain numbers are all pulled at random, Gaussian and correlated as the card says.

    Parameters
    ----------
    card : Card, str or Path
        Detector, or its name or file.
    n : int
        How many.
    rng : int, numpy Generator or None
        As in `forefold.smear`. A universe depends on `rng`, its number and the names of what is pulled: neither on `n`, nor on
        the order or presence of uncorrelated others, so universes `first` to `first` + `n` may be made anywhere.
    first : int
        Number of the first one.

    Returns
    -------
    list of Variation
        ``universe_<number>``.

    Raises
    ------
    ValueError
        Nothing is uncertain in the card, or a number is below 0.

    Examples
    --------
    >>> two = universes("dune-fd-uncertainties", 2, rng=1)
    >>> two[1] == universes("dune-fd-uncertainties", 1, rng=1, first=1)[0]
    True
    """
    card = load_card(card)
    names = list(uncertain(card))
    if not names:
        message = f"card {card.name}: nothing is uncertain: it has no shifts and no parameter with an uncertainty"
        raise ValueError(message)
    numbers: tuple[Any, Any] = (n, first)
    if not all(
        isinstance(x, (int, np.integer)) and not isinstance(x, bool) and x >= 0 for x in numbers
    ):
        message = f"universes: whole numbers from 0 on are expected, found n = {n!r} and first = {first!r}"
        raise ValueError(message)
    pairs = {frozenset(block.parameters): block.value for block in card.correlations}
    rows = factor(names, pairs)
    key = random_key(rng)
    normal = {name: _normals(key, name, n, first) for name in names}
    pulls: dict[str, NDArray[np.float64]] = {}
    for name, row in rows.items():
        pulls[name] = np.zeros(n)
        for other, weight in row.items():
            pulls[name] = pulls[name] + weight * normal[other]
    return [
        Variation(f"{UNIVERSE}{first + k}", {name: float(pulls[name][k]) for name in names})
        for k in range(n)
    ]


def _normals(rng: int, name: str, n: int, first: int) -> NDArray[np.float64]:
    """Independent standard normal numbers of a name; its stream is made of the name, as a file's is of its content."""
    # "throw" is the word of the first version: another one would change the bits
    digest = hashlib.sha256(f"forefold throw {name}".encode()).digest()
    stream = np.full(n, int.from_bytes(digest[:8], "little"), np.uint64)
    entry = np.arange(first, first + n, dtype=np.uint64)
    place = np.zeros(n, np.uint64)
    u, _ = uniform_pairs(stream_keys(rng, stream), entry, place, _PURPOSE_UNIVERSE)
    out, none = np.empty(n), np.zeros(n)
    standard_quantiles(NORMAL, u, none, none, none, none, out)
    return out


def parameter_values(card: Card, variation: Variation) -> dict[str, float]:
    """Values of the parameters that a variation pulls; a value stops at the limits of its parameter.

    Parameters
    ----------
    card : Card
        Detector.
    variation : Variation
        The varied detector.

    Returns
    -------
    dict of str to float
        By name of the parameter; those that stay at the card's value are left out.

    Raises
    ------
    ValueError
        A pull is of nothing that is uncertain in the card, or not finite.
    """
    names = uncertain(card)
    values: dict[str, float] = {}
    for name, pull in variation.pulls.items():
        if name not in names:
            hint = species.near(name, list(names))
            there = f"there are {', '.join(names)}" if names else "nothing is uncertain there"
            message = f"variation {variation.name!r}: card {card.name} has no pull {name!r}{hint}; {there}"
            raise ValueError(message)
        if not np.isfinite(pull):
            message = f"variation {variation.name!r}: a finite pull of {name!r} is expected, found {pull!r}"
            raise ValueError(message)
        parameter = card.parameters.get(name)
        if parameter is None or pull == 0.0:
            continue
        value = parameter.value + pull * parameter.uncertainty
        if parameter.limits is not None:
            value = min(max(value, parameter.limits[0]), parameter.limits[1])
        if value != parameter.value:
            values[name] = value
    return values


def shift_pulls(card: Card, variation: Variation) -> dict[str, float]:
    """Give the pulls of the card's shifts that are not 0.

    Parameters
    ----------
    card : Card
        Detector.
    variation : Variation
        The varied detector.

    Returns
    -------
    dict of str to float
        Pulls in standard deviations, by name.
    """
    names = {name for shift in card.shifts for name in shift.pulls}
    return {name: float(p) for name, p in variation.pulls.items() if name in names and p != 0.0}
