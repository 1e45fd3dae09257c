"""How likely pairs are, by a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold.detector import Angle, Energy
from forefold.detector.compile import compile_card, species_table
from forefold.kernels.launch import describe
from forefold.smearing.closed_form import ParticleResponse
from forefold.smearing.engine import Prepared
from forefold.smearing.validation.grid import beam

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

    from forefold.detector import Card
    from forefold.inference.card_fit.pairs import Pairs
    from forefold.kernels.layout import Kinematics
    from forefold.smearing.closed_form import DirectionDistribution

    Array = NDArray[np.float64]

__all__ = ["TERMS", "AngleTerm", "PairLikelihood", "Sample", "angle_terms"]

TERMS = ("seen", "energy", "angle")

_LEAST = 1e-300  # a density that rounds to 0 counts as this: far away, but not infinitely so


class Sample:
    """True particles of pairs, of which a card makes something again and again.

    Parameters
    ----------
    pairs : Pairs
    """

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs
        self.opening = pairs.opening()
        self._beam = beam(pairs.pdgid, pairs.energy_true, pairs.theta_true, pairs.phi_true)
        self._kinematics: Kinematics | None = None

    def faces(self, card: Card) -> ParticleResponse:
        """Give what a card makes of them."""
        truth, kinds, fate = self._beam
        compiled = compile_card(card)
        table = species_table(card, kinds)
        if self._kinematics is None:
            self._kinematics = describe(truth, table)
        # without stages and an identification nothing changes the kinematics
        work = Prepared(truth, kinds, table, compiled, fate.copy(), self._kinematics, "stop")
        work.choose()
        work.fill()
        return ParticleResponse(work)


class AngleTerm(NamedTuple):
    """Reconstructed angles of the particles of a heading.

    Attributes
    ----------
    heading : DirectionDistribution
    rows : ndarray of int64, shape (m,)
    angle : ndarray, shape (m,), rad
        0 where a particle was not detected.
    detected : ndarray of bool, shape (m,)
    space : bool
        Whether it is the space angle; else the polar angle.
    """

    heading: DirectionDistribution
    rows: NDArray[np.int64]
    angle: Array
    detected: NDArray[np.bool_]
    space: bool

    def pdf(self) -> Array:
        """Density (1/rad) at the angles of those that were detected."""
        density = self.heading.space_angle_pdf if self.space else self.heading.theta_pdf
        return density(self.angle)[self.detected]

    def cdf(self) -> Array:
        """Cumulative distribution there."""
        cumulative = self.heading.space_angle_cdf if self.space else self.heading.theta_cdf
        return cumulative(self.angle)[self.detected]


def angle_terms(faces: ParticleResponse, sample: Sample) -> Iterator[AngleTerm]:
    """Give the headings of a card that the columns of pairs can tell of."""
    pairs = sample.pairs
    for rows, heading in faces.directions:
        space = heading.convention == "space"
        angle = sample.opening if space else pairs.theta_reco
        usable = angle is not None and (space or heading.convention in {"polar", "cosine"})
        if usable and angle is not None and heading.sigma.any():
            detected = pairs.seen[rows] & np.isfinite(angle[rows])
            yield AngleTerm(heading, rows, np.where(detected, angle[rows], 0.0), detected, space)


class PairLikelihood:
    """Minus the logarithm of the likelihood of pairs, as a function of cards.

    Parameters
    ----------
    pairs : Pairs

    Notes
    -----
    A particle that is seen has the probability to be seen times the density of its energy, times that of its angle where the
    columns and the card have one; one that is not has the probability not to be seen. The logarithm is a sum of three terms:
    ``seen``, ``energy``, ``angle``.
    """

    def __init__(self, pairs: Pairs) -> None:
        self.whole = Sample(pairs)
        self._some = Sample(pairs.rows(np.flatnonzero(pairs.seen)))

    @property
    def size(self) -> int:
        """How many particles."""
        return len(self.whole.pairs)

    def __call__(self, card: Card, terms: Collection[str] = TERMS) -> float:
        """Minus the log-likelihood, or some terms of it."""
        total = 0.0
        card = _only(card, terms)
        if "seen" in terms:
            faces, detected = self.whole.faces(card), self.whole.pairs.seen
            cut = bool(np.any(faces.energy_least > -np.inf))
            chance = faces.detection_probability if cut else faces.efficiency
            total -= _logarithms(np.where(detected, faces.efficiency, 1.0 - chance))
        if "energy" in terms or "angle" in terms:
            faces = self._some.faces(card)
        if "energy" in terms:
            total -= _logarithms(self._density(faces))
        if "angle" in terms:
            total -= sum(_logarithms(term.pdf()) for term in angle_terms(faces, self._some))
        return float(total)

    def _density(self, faces: ParticleResponse) -> Array:
        energy = self._some.pairs.energy_reco
        density = faces.energy_pdf(energy)
        if any(part.clamp or part.exact.any() for part in faces.parts):
            density = density + faces.energy_atom(energy)
        return np.where(energy >= faces.energy_least, density, 0.0)

    def far(self, card: Card) -> int:
        """How many are where the card gives no probability."""
        faces = self._some.faces(card)
        return int((faces.efficiency * self._density(faces) < _LEAST).sum())


def _only(card: Card, terms: Collection[str]) -> Card:
    """Leave out of a card what a term does not look at, and the time that it takes."""
    less: dict[str, Any] = {}
    if "angle" not in terms:
        less["angle"] = Angle(convention="none", distribution="none")
    reco = any(rule.threshold is not None and rule.threshold.reco for rule in card.rules)
    if "energy" not in terms and not (reco and "seen" in terms):
        less["energy"] = Energy(of="total", distribution="none")
    if "seen" not in terms and not reco:
        less |= {"efficiency": 1.0, "threshold": None}
    rules = tuple(rule.unchecked(**less) for rule in card.rules)
    return card.unchecked(rules=rules)


def _logarithms(values: Array) -> float:
    return float(np.log(np.maximum(values, _LEAST)).sum())
