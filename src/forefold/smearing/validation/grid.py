"""Particles without events: of given energies and directions, and those that try each rule of a card."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forefold.detector.compile import compile_card
from forefold.detector.rule import candidates_of
from forefold.events import particles as species
from forefold.kernels.layout import TrueParticles
from forefold.smearing.closed_form.identification import Hypothesis, particle_hypotheses

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from forefold.detector import Card, Rule

    Array = NDArray[np.float64]

__all__ = ["Beam", "Grid", "beam", "grid", "tried"]

_LOW, _HIGH = 1e-3, 20.0  # GeV, kinetic
_SLOWEST = 1e-6
_KINDS = 3
_TRIES = 24
_MOST = 6


class Beam(NamedTuple):
    """Particles of given energies and directions, as the engine takes them.

    Attributes
    ----------
    truth : TrueParticles
        ``species`` are rows of `kinds`; polar angles are to the z axis.
    kinds : ndarray of int64, shape (s,)
        Distinct PDG identifiers.
    fate : ndarray of uint16, shape (n,)
        0.
    """

    truth: TrueParticles
    kinds: NDArray[np.int64]
    fate: NDArray[np.uint16]


def beam(
    pdgid: ArrayLike,
    energy: ArrayLike,
    theta: ArrayLike = 0.0,
    phi: ArrayLike = 0.0,
    *,
    key: int = 0,
) -> Beam:
    """Make particles on their mass shells.

    Parameters
    ----------
    pdgid : array_like of int
        PDG identifiers.
    energy : array_like, GeV
        Total energy; one below the mass counts as the mass.
    theta, phi : array_like, rad
        To the z axis. All four broadcast against each other.
    key : int
        Of the draws: a particle's depend on this and on its place among the others.

    Returns
    -------
    Beam
        In the order of the arrays.

    Examples
    --------
    >>> float(beam(13, [1.0, 2.0]).truth.pz[1].round(4))
    1.9972
    """
    pdg, e, t, f = np.broadcast_arrays(
        np.atleast_1d(np.asarray(pdgid, dtype=np.int64)),
        *(np.asarray(x, dtype=np.float64) for x in (energy, theta, phi)),
    )
    kinds, rows = np.unique(pdg, return_inverse=True)
    mass = np.array([species.mass(int(kind)) for kind in kinds])[rows]
    p = np.sqrt(np.maximum((e - mass) * (e + mass), 0.0))
    n = pdg.size
    truth = TrueParticles(
        key=np.full(n, key, np.uint64),
        entry=np.arange(n, dtype=np.uint64),
        place=np.zeros(n, np.uint64),
        species=rows.reshape(-1).astype(np.int64),
        px=p * np.sin(t) * np.cos(f),
        py=p * np.sin(t) * np.sin(f),
        pz=p * np.cos(t),
        energy=np.maximum(e, mass),
        event=np.zeros(n, np.int64),
        axis=np.array([[0.0, 0.0, 1.0]]),
    )
    return Beam(truth, kinds, np.zeros(n, np.uint16))


class Grid(NamedTuple):
    """Particles of a rule, several of each kind, and what the card makes of them in closed form.

    Attributes
    ----------
    rule : int
        Row of the card's rules.
    pdgid : ndarray of int64, shape (g,)
        PDG identifiers.
    energy : ndarray, shape (g,), GeV
        Total.
    theta, phi : ndarray, shape (g,), rad
        True direction, to the z axis.
    hypotheses : list of Hypothesis
        What the particles may be identified as, with the responses.
    """

    rule: int
    pdgid: NDArray[np.int64]
    energy: Array
    theta: Array
    phi: Array
    hypotheses: list[Hypothesis]


def grid(card: Card, rule: int, points: int) -> Grid | None:
    """Find particles that come to a rule: up to three kinds, at energies and angles for which its conditions hold.

    Parameters
    ----------
    card : Card
        Detector.
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
    hypotheses = particle_hypotheses(
        *beam(pdgid, energy, theta, phi), compile_card(card), on_invalid="lose"
    )
    comes, visible = (np.zeros(pdgid.size, dtype=np.bool_) for _ in range(2))
    for hypothesis in hypotheses:
        here = (hypothesis.response.rule == rule) & (hypothesis.probability > 0.0)
        comes |= here
        visible |= here & (hypothesis.response.detection_probability > 0.0)
    kept = _spread(comes, visible, pdgid, points)
    if not kept.size:
        return None
    columns = (pdgid[kept], energy[kept], theta[kept], phi[kept])
    again = particle_hypotheses(*beam(*columns), compile_card(card), on_invalid="lose")
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
