"""Particles for which a formula of a card has no value, or one that is not allowed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forefold.detector.compile import compile_card
from forefold.detector.formulas import formulas
from forefold.events import particles as species
from forefold.smearing.closed_form.identification import particle_hypotheses
from forefold.smearing.validation.grid import beam, tried

if TYPE_CHECKING:
    from forefold.detector import Card
    from forefold.detector.compile import CompiledCard
    from forefold.smearing.validation.grid import Beam

__all__ = ["Invalid", "invalid_of"]

_ADVICE = re.compile(r" \(entry \d+\)|; or let such particles.*")


class Invalid(NamedTuple):
    """A formula, or a sum of probabilities, that is not valid for some of the particles that were tried.

    Attributes
    ----------
    where : str
        Place in the card.
    particle : int
        PDG identifier.
    example : str
        Place, formula, value, particle and what is allowed.
    found, tried : int
        Of particles of this kind that came there, and of all that were tried.
    low, high : float, GeV
        Kinetic energies between which it is not valid.
    """

    where: str
    particle: int
    example: str
    found: int
    tried: int
    low: float
    high: float

    @property
    def everywhere(self) -> bool:
        """Whether no particle of this kind has a value."""
        return self.found == self.tried

    def __str__(self) -> str:
        name = species.name(self.particle)
        if self.everywhere:
            return f"{self.example}; so for all {self.tried} {name} that were tried"
        return (
            f"{self.example}; so for {self.found} of {self.tried} {name} that were tried, with kinetic energies from "
            f"{self.low:.3g} to {self.high:.3g} GeV"
        )


def invalid_of(card: Card) -> tuple[Invalid, ...]:
    """Try the formulas of a card on particles of each rule, from 1 MeV to 20 GeV or where the rule holds.

    Parameters
    ----------
    card : Card
        Detector.

    Returns
    -------
    tuple of Invalid
        One for each place and kind of particle. Nothing is drawn.

    Examples
    --------
    >>> import forefold
    >>> invalid_of(forefold.load_card("super-kamiokande"))
    ()
    """
    if not any(True for _ in formulas(card)) and not card.tables:
        return ()
    compiled = compile_card(card)
    reasons: dict[tuple[str, int], list[tuple[str, float]]] = {}
    counts: dict[tuple[str, int], int] = {}
    for rule in card.rules:
        pdgid, energy, theta = tried(card, rule)
        if not pdgid.size:
            continue
        phi = np.linspace(-3.0, 3.0, pdgid.size)
        some = particle_hypotheses(*beam(pdgid, energy, theta, phi), compiled, on_invalid="lose")
        bad = np.any([hypothesis.response.invalid for hypothesis in some], axis=0)
        mine: set[tuple[str, int]] = set()
        for row in np.flatnonzero(bad).tolist():
            one = slice(row, row + 1)
            where, words = _reason(
                card, compiled, beam(pdgid[one], energy[one], theta[one], phi[one])
            )
            kind = int(pdgid[row])
            mine.add((where, kind))
            kinetic = float(energy[row]) - species.mass(kind)
            reasons.setdefault((where, kind), []).append((words, kinetic))
        for where, kind in mine:
            before = counts.get((where, kind), 0)
            counts[where, kind] = before + int(np.count_nonzero(pdgid == kind))
    return tuple(
        Invalid(
            where,
            kind,
            entries[0][0],
            len(entries),
            counts[where, kind],
            min(kinetic for _, kinetic in entries),
            max(kinetic for _, kinetic in entries),
        )
        for (where, kind), entries in reasons.items()
    )


def _reason(card: Card, compiled: CompiledCard, particle: Beam) -> tuple[str, str]:
    """Give the place in the card at which a particle is refused, and why."""
    try:
        particle_hypotheses(*particle, compiled, on_invalid="stop")
    except ValueError as error:
        words = _ADVICE.sub("", str(error).removeprefix(f"card {card.name}: "))
    else:
        words = "no value"
    for formula in formulas(card):
        if words.startswith(f"{formula.where}: "):
            return formula.where, words
    return words.split(": ")[0], words
