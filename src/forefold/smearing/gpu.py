"""Events on a graphics card, from four-vectors to a histogram: only counts come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.detector.compile import compile_card, species_table
from forefold.detector.load import load_card
from forefold.kernels.philox import random_key
from forefold.kernels.simple_rules import Assigned, SimpleRules, simple_rules
from forefold.smearing.engine import prepared
from forefold.smearing.particles import event_particles

if TYPE_CHECKING:
    from pathlib import Path

    import awkward as ak
    from numpy.typing import ArrayLike, NDArray

    from forefold.detector.load import Card
    from forefold.kernels.layout import Species
    from forefold.smearing.particles import Axis, EventParticles

__all__ = ["energy_counts"]


def energy_counts(
    events: ak.Array,
    card: Card | str | Path,
    true_edges: ArrayLike,
    reco_edges: ArrayLike,
    *,
    rng: int | np.random.Generator | None = None,
    axis: Axis = "probe",
    weighted: bool = False,
) -> NDArray[Any]:
    """Count detected particles in bins of true and reconstructed energy, on a graphics card.

    Parameters
    ----------
    events : ak.Array
        Event record.
    card : Card, str or Path
        Its rules are simple: one component of total or kinetic energy, log-normal, normal or none, with a law in
        quadrature, and a polar angle; numbers may be formulas.
    true_edges, reco_edges : array of float64, GeV
        Ascending edges of total energy; bins are half-open, the last one closed.
    rng : int, numpy Generator or None
        See `forefold.smear`; the same integer counts the particles that `forefold.smear` would give.
    axis : {"probe", "z"}
        Polar angles are to the momentum of the incident particle (the probe), or to the z axis.
    weighted : bool
        Count the weights of the events.

    Returns
    -------
    ndarray, shape (len(true_edges) - 1, len(reco_edges) - 1)
        int64; with weights float64, each weight rounded to a multiple of a power of two that is below 1e-18 of the
        sum of all. Neither depends on the order in which threads add.

    Raises
    ------
    ValueError
        A rule of the card is not simple, edges do not ascend, a weight is not finite; all that `forefold.smear` refuses.
    OSError
        There is no graphics card, or numba-cuda is not installed.

    Examples
    --------
    >>> import forefold
    >>> energy_counts(forefold.read(forefold.sample()), "perfect", [2.0, 1.0], [1.0, 2.0])
    Traceback (most recent call last):
    ...
    ValueError: true_edges: at least two finite numbers that ascend
    """
    x, y = _edges("true_edges", true_edges), _edges("reco_edges", reco_edges)
    card = load_card(card)
    beforehand = event_particles(events, card, random_key(rng), axis)
    table, rules, assigned, fate = _ready(beforehand, card)
    from forefold.kernels.gpu import count_on_device, smear_on_device, to_device

    particles = to_device(beforehand.truth, table, assigned=assigned, fate=fate)
    out, _ = smear_on_device(particles, rules)
    weight = None
    if weighted:
        weight = np.asarray(beforehand.events.weight, dtype=np.float64)[beforehand.truth.event]
    return count_on_device(particles, out, x, y, weight=weight)


def _edges(name: str, edges: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(edges, dtype=np.float64)
    if values.ndim != 1 or values.size < 2 or not (np.diff(values) > 0.0).all():
        message = f"{name}: at least two finite numbers that ascend"
        raise ValueError(message)
    if not np.isfinite(values).all():
        message = f"{name}: at least two finite numbers that ascend"
        raise ValueError(message)
    return values


def _ready(
    beforehand: EventParticles, card: Card
) -> tuple[Species, SimpleRules, Assigned | None, NDArray[np.uint16]]:
    """Prepare particles; of a card without formulas, identification and stages, four-vectors are enough."""
    compiled = compile_card(card)
    rules = None if beforehand.taken is not None else compiled.simple_rules
    if rules is not None:
        return species_table(card, beforehand.pdgid), rules, None, beforehand.fate
    work = prepared(
        beforehand.truth, beforehand.pdgid, beforehand.fate, compiled, taken=beforehand.taken
    )
    rules = simple_rules(work.tables)
    if rules is None:
        message = f"card {card.name!r}: a rule is not simple; it is drawn on the CPU only (forefold.smear)"
        raise ValueError(message)
    assigned = Assigned(work.kind, work.kinematics, work.chosen, work.tables.dynamic)
    return work.table, rules, assigned, work.fate
