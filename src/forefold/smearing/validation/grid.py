"""Particles to try each rule of a card on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forefold.detector.compile import plan
from forefold.detector.rule import candidates_of
from forefold.events import particles as species
from forefold.smearing.closed_form.identification import Way, ways
from forefold.smearing.validation.beam import beam

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.detector import Card, Rule

    Array = NDArray[np.float64]

__all__ = ["Grid", "grid", "tried"]

_LOW, _HIGH = 1e-3, 20.0  # GeV, kinetic
_SLOWEST = 1e-6
_KINDS = 3
_TRIES = 24
_MOST = 6


class Grid(NamedTuple):
    """Particles of a rule, several of each kind, and what the card makes of them in closed form.

    Attributes
    ----------
    rule : int
    pdgid : ndarray of int64, shape (g,)
    energy : ndarray, shape (g,), GeV
        Total.
    theta, phi : ndarray, shape (g,), rad
    ways : list of Way
    """

    rule: int
    pdgid: NDArray[np.int64]
    energy: Array
    theta: Array
    phi: Array
    ways: list[Way]


def grid(card: Card, rule: int, points: int) -> Grid | None:
    """Find particles that come to a rule: up to three kinds, at energies and angles for which its conditions hold.

    Parameters
    ----------
    card : Card
    rule : int
        Row of the card's rules.
    points : int
        Energies of each kind, at most.

    Returns
    -------
    Grid or None
        None where no particle was found that comes to the rule.
    """
    pdgid, energy, theta = tried(card, card.rules[rule])
    if not pdgid.size:
        return None
    phi = np.linspace(-3.0, 3.0, pdgid.size)
    hypotheses = ways(*beam(pdgid, energy, theta, phi), plan(card), on_invalid="lose")
    comes, visible = (np.zeros(pdgid.size, dtype=np.bool_) for _ in range(2))
    for way in hypotheses:
        here = (way.faces.rule == rule) & (way.probability > 0.0)
        comes |= here
        visible |= here & (way.faces.seen > 0.0)
    kept = _spread(comes, visible, pdgid, points)
    if not kept.size:
        return None
    columns = (pdgid[kept], energy[kept], theta[kept], phi[kept])
    again = ways(*beam(*columns), plan(card), on_invalid="lose")
    return Grid(rule, *columns, again)


def tried(card: Card, rule: Rule) -> tuple[NDArray[np.int64], Array, Array]:
    """Give particles to try a rule on: identifiers, total energies (GeV) and polar angles (rad), each of shape (n,)."""
    kinds: list[int] = []
    place = card.rules.index(rule)
    for pdg in candidates_of(rule):
        if place in card.candidates(pdg) and not card.left_out(pdg) and pdg not in kinds:
            kinds.append(pdg)
        if len(kinds) == _MOST:
            break
    pdgid: list[int] = []
    energy: list[float] = []
    for pdg in kinds:
        mass = species.mass(pdg)
        low, high = rule.kinetic_range(mass)
        low, high = max(low, min(_LOW, 0.5 * high), _SLOWEST), min(high, max(_HIGH, 20.0 * low))
        if not low < high:
            continue
        at = np.exp(np.linspace(math.log(low), math.log(high), _TRIES + 2))[1:-1]
        pdgid += [pdg] * _TRIES
        energy += (mass + at).tolist()
    theta = np.resize([0.4, 1.3, 2.6, 0.05], len(pdgid)).astype(np.float64)
    return np.array(pdgid, dtype=np.int64), np.array(energy), theta


def _spread(
    comes: NDArray[np.bool_], visible: NDArray[np.bool_], pdgid: NDArray[np.int64], points: int
) -> NDArray[np.int64]:
    """Choose rows of three kinds, evenly among those that may be seen; and the last one below, if there is one."""
    chosen: list[NDArray[np.int64]] = []
    for pdg in dict.fromkeys(pdgid[comes].tolist()):
        if len(chosen) == _KINDS:
            break
        mine = np.flatnonzero(comes & visible & (pdgid == pdg))
        places = np.linspace(0, mine.size - 1, min(points, mine.size)).round().astype(np.int64)
        below = np.flatnonzero(comes & ~visible & (pdgid == pdg))[-1:]
        chosen.append(np.concatenate([below, mine[np.unique(places)]]))
    return np.concatenate(chosen) if chosen else np.zeros(0, np.int64)
