"""Where and when events were, as a detector sees it: draws that belong to events, not to particles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from forefold.kernels.arrays import uniform_pairs
from forefold.kernels.distributions import FAMILIES, standard_quantiles
from forefold.kernels.philox import NO_PARTICLE, PURPOSE_TIME, PURPOSE_VERTEX, stream_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.detector import Card, VertexBlock

    Array = NDArray[np.float64]

__all__ = ["VERTEX", "vertex_columns"]

VERTEX = {
    "vertex_x": ("vertex_x", 1e2, PURPOSE_VERTEX),
    "vertex_y": ("vertex_y", 1e2, PURPOSE_VERTEX + 1),
    "vertex_z": ("vertex_z", 1e2, PURPOSE_VERTEX + 2),
    "time": ("vertex_t", 1e9, PURPOSE_TIME),
}
"""By name of what is drawn: field of the record (m, s), factor to the unit of a card (cm, ns), purpose of the draw."""


def vertex_columns(events: ak.Array, card: Card, rng: int, *, variation: int = 0) -> dict[str, Any]:
    """Draw positions and times of events by a card's block ``[vertex]``.

    Parameters
    ----------
    events : ak.Array
        Event record with ``vertex_x``, ``vertex_y``, ``vertex_z`` (m) and ``vertex_t`` (s), as far as the card asks for them.
    card : Card
        Detector.
    rng : int
        Integer that fixes every draw.
    variation : int
        Which of many independent draws with the same `rng`.

    Returns
    -------
    dict of str to ak.Array, shape (events,)
        ``vertex_x_true``, ``vertex_x_reco``, ... (cm), ``time_true``, ``time_reco`` (ns); None where the record does not know it.
        Nothing for a card without the block.

    Raises
    ------
    ValueError
        The record has no such field.

    Examples
    --------
    >>> from forefold import events
    >>> from forefold.detector.load import load_card
    >>> toy = events.build(pdgid=13, px=0.0, py=0.0, pz=[1.0], energy=1.0056, event_fields={"vertex_t": [2e-6]})
    >>> from forefold.detector import VertexBlock
    >>> clock = VertexBlock(time=1.5, source="definition")
    >>> card = load_card("perfect").model_copy(update={"vertex": clock})
    >>> {name: column.tolist() for name, column in vertex_columns(toy, card, 1).items()}
    {'time_true': [2000.0], 'time_reco': [2001.5129...]}
    """
    if card.vertex is None:
        return {}
    _check(events, card)
    columns: dict[str, Any] = {}
    n = len(events)
    key = stream_keys(rng, ak.to_numpy(events.stream))
    entry = ak.to_numpy(events.entry).astype(np.uint64)
    place = np.full(n, NO_PARTICLE, dtype=np.uint64)
    for name, (sigma, distribution) in card.vertex.widths().items():
        field, factor, purpose = VERTEX[name]
        true = _numbers(events[field]) * factor
        u = uniform_pairs(key, entry, place, purpose & ~1, variation)[purpose & 1]
        finite = np.isfinite(true)
        columns[f"{name}_true"] = ak.mask(true, finite)
        columns[f"{name}_reco"] = ak.mask(_drawn(true, sigma, distribution, u), finite)
    return columns


def _drawn(true: Array, sigma: float, distribution: str, u: Array) -> Array:
    if sigma == 0.0:
        return true
    q, nothing = np.empty(u.size), np.zeros(u.size)
    standard_quantiles(FAMILIES.index(distribution), u, nothing, nothing, nothing, nothing, q)
    return np.asarray(true + sigma * q)


def _numbers(column: ak.Array) -> Array:
    """Values of a column; NaN where one is missing."""
    return np.asarray(ak.to_numpy(ak.fill_none(column, np.nan)), dtype=np.float64)


def _check(events: ak.Array, card: Card) -> None:
    block: VertexBlock | None = card.vertex
    wanted = [VERTEX[name][0] for name in block.widths()] if block else []
    lacking = [field for field in wanted if field not in events.fields]
    if lacking:
        source = f"{events.source[0]}: " if len(events) else ""
        message = (
            f"{source}card {card.name} has [vertex], but the events have no {', '.join(lacking)}: GHEP, rootracker and NuHepMC files "
            "hold them, read with final_state_only=False; a card without [vertex] does not need them"
        )
        raise ValueError(message)
