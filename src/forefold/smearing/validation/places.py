"""Draws of positions and times of events against their closed forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import awkward as ak
import numpy as np

from forefold import events as records
from forefold.response import distributions as families
from forefold.smearing.validation.probabilities import binomial_pull, mean_pull
from forefold.smearing.vertex import VERTEX, vertex_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from forefold.detector import Card

    Words = tuple[str, float, float, float]

__all__ = ["vertex_checks"]

_TRUE = {"vertex_x": -1.25, "vertex_y": 0.5, "vertex_z": 12.5, "vertex_t": 2.5e-6}  # m, s
_LEVELS = (0.025, 0.158655, 0.5, 0.841345, 0.975)
_FAMILIES = {"normal": families.Normal(), "uniform": families.Uniform()}


def vertex_checks(card: Card, key: int, draws: int) -> Iterator[Words]:
    """Draw one event many times, and compare its positions and times with the block ``[vertex]``.

    Parameters
    ----------
    card : Card
    key : int
    draws : int

    Yields
    ------
    (what, drawn, expected, pull)
    """
    if card.vertex is None:
        return
    toy = records.build(
        pdgid=13,
        px=0.0,
        py=0.0,
        pz=np.ones(draws),
        energy=2.0,
        event_fields={name: np.full(draws, at) for name, at in _TRUE.items()},
    )
    columns = vertex_columns(toy, card, key % 2**64)
    for name, (sigma, distribution) in card.vertex.widths().items():
        drawn = np.asarray(ak.to_numpy(columns[f"{name}_reco"]), dtype=np.float64)
        field, factor, _ = VERTEX[name]
        yield from _compared(name, drawn, _TRUE[field] * factor, sigma, distribution)


def _compared(
    name: str, drawn: NDArray[np.float64], true: float, sigma: float, distribution: str
) -> Iterator[Words]:
    n = drawn.size
    if sigma == 0.0:
        count = int((drawn == true).sum())
        yield f"exact {name}", count / n, 1.0, binomial_pull(count, n, 1.0)
        return
    family = _FAMILIES[distribution]
    at = [float(family.ppf(level, true, sigma)) for level in _LEVELS]
    below = [float(family.cdf(x, true, sigma)) for x in at]
    mean = float(drawn.mean())
    yield f"{name} mean", mean, true, mean_pull(mean, true, sigma, n)
    counts = [int((drawn <= x).sum()) for x in at]
    regions = {
        "median": (counts[2], below[2]),
        "width": (counts[3] - counts[1], below[3] - below[1]),
        "tails": (n - counts[4] + counts[0], 1.0 - below[4] + below[0]),
    }
    for what, (count, share) in regions.items():
        yield f"{name} {what}", count / n, share, binomial_pull(count, n, share)
