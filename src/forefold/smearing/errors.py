"""Messages about particles for which a card has no value: which particle, its value, what is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.events import particles as names

if TYPE_CHECKING:
    from forefold.detector import Card
    from forefold.detector.compile import CardFormula
    from forefold.kernels.layout import Kinematics, TrueParticles

__all__ = ["above_one", "no_value", "particle", "undrawable"]

_OR_LOSE = "or let such particles be lost (on_invalid='lose', --on-invalid lose)"


def particle(pdgid: int, kinematics: Kinematics, truth: TrueParticles, i: int) -> str:
    """Name a particle with its energy, momentum, angle and entry.

    Parameters
    ----------
    pdgid : int
        PDG identifier.
    kinematics : Kinematics
        Kinematics of the particles as they are identified.
    truth : TrueParticles
        True particles, with what their random numbers depend on.
    i : int
        Row of the particle.

    Returns
    -------
    str
        One line.
    """
    try:
        name = names.name(pdgid)
    except ValueError:
        name = f"PDG {pdgid}"
    energy, p, theta = (x[i] for x in (kinematics.energy, kinematics.p, kinematics.theta))
    about = f"E = {energy:.6g} GeV, p = {p:.6g} GeV, theta = {theta:.6g}"
    return f"{name} with {about} (entry {int(truth.entry[i])})"


def no_value(card: Card, formula: CardFormula, value: float, who: str) -> str:
    """Say that a formula has no value, or one that is not allowed.

    Parameters
    ----------
    card : Card
        Detector.
    formula : CardFormula
        The formula, with its place in the card.
    value : float
        Its value for the particle.
    who : str
        The particle, in words.

    Returns
    -------
    str
        One line.
    """
    allowed = f"{'above' if formula.above else 'from'} {formula.low:g}"
    allowed += f" to {formula.high:g}" if np.isfinite(formula.high) else ""
    allowed = "true or false" if formula.condition else f"{allowed}, finite"
    problem = "is not known" if np.isnan(value) else f"is {value:.6g}"
    what = f"card {card.name}: {formula.where}: {formula.text!r} {problem} for {who}"
    return f"{what}; allowed: {allowed}; {_OR_LOSE}"


def above_one(card: Card, where: str, total: float, who: str) -> str:
    """Say that probabilities add up to more than one.

    Parameters
    ----------
    card : Card
        Detector.
    where : str
        Place in the card.
    total : float
        The sum.
    who : str
        The particle, in words.

    Returns
    -------
    str
        One line.
    """
    what = f"card {card.name}: {where}: probabilities add up to {total:.6g} for {who}"
    return f"{what}; at most 1 is allowed; {_OR_LOSE}"


def undrawable(card: Card, rule: int, who: str) -> str:
    """Say that nothing can be drawn.

    Parameters
    ----------
    card : Card
        Detector.
    rule : int
        Row of the card's rules.
    who : str
        The particle, in words.

    Returns
    -------
    str
        One line.
    """
    what = f"card {card.name}: rule[{rule + 1}] {card.rules[rule].name!r}.energy: nothing can be drawn for {who}"
    why = "it is outside the table, or in an empty row of it, or low is not below high, or the width is not finite"
    return f"{what}: {why}; {_OR_LOSE}"
