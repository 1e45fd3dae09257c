"""Whether a card's draws follow its own closed forms: every rule, in pulls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold.detector.load import load_card
from forefold.smearing.smear import random_key
from forefold.smearing.validation.checks import checks_of, vertex_checks
from forefold.smearing.validation.grid import grid
from forefold.smearing.validation.invalid import Invalid, invalid_of
from forefold.smearing.validation.probabilities import family_chance

if TYPE_CHECKING:
    from pathlib import Path

    from forefold.detector import Card

__all__ = ["TOLERANCE", "Check", "Validation", "validate_card"]

TOLERANCE = 5.0
"""A pull that is as far from 0 fails; by chance alone one in 1.7 million does."""

_POINTS = 6
_VERTEX = "[vertex]"


class Check(NamedTuple):
    """One number of a rule, drawn and in closed form.

    Attributes
    ----------
    rule : str
        ``[vertex]`` for positions and times of events.
    particle : int
        PDG identifier; 0 for an event.
    energy, theta : float
        True total energy (GeV) and polar angle (rad).
    what : str
        ``taken for NAME``, ``seen``, ``energy mean``, ``energy median``, ``energy width``, ``energy tails``, ``exact energy``,
        ``part N``, ``theta median``, ``theta width``, ``space angle``; ``mean``, ``median``, ``width`` and ``tails`` of ``vertex_x``,
        ``vertex_y``, ``vertex_z`` and ``time``.
    drawn, expected : float
        Fractions, or GeV; cm and ns of the means of positions and times.
    pull : float
        Difference in standard deviations.
    """

    rule: str
    particle: int
    energy: float
    theta: float
    what: str
    drawn: float
    expected: float
    pull: float

    def subject(self) -> str:
        """Particle, energy and angle of the check, in words."""
        if self.particle == 0:
            return self.what
        return f"{self.what} of {self.particle} at {self.energy:.4g} GeV, {self.theta:.3g} rad"


@dataclass(frozen=True)
class Validation:
    """Checks of a card.

    Attributes
    ----------
    card : str
        Name of the card.
    checks : tuple of Check
        All comparisons, rule by rule.
    rng : int
        Integer that fixes the draws.
    draws : int
        Of each particle.
    untried : tuple of str
        Rules to which no particle was found to come.
    stages : tuple of str
        Stages of the card, which are not part of this.
    invalid : tuple of Invalid
        Formulas that are not valid for some particle of a rule.
    """

    card: str
    checks: tuple[Check, ...]
    rng: int
    draws: int
    untried: tuple[str, ...]
    stages: tuple[str, ...]
    invalid: tuple[Invalid, ...] = ()

    @property
    def failed(self) -> tuple[Check, ...]:
        """Checks beyond the tolerance."""
        return tuple(c for c in self.checks if not abs(c.pull) < TOLERANCE)

    @property
    def good(self) -> bool:
        """Whether all checks are within the tolerance, every rule was tried, and every formula has a value."""
        return not self.failed and not self.untried and not self.invalid

    @property
    def false_alarm(self) -> float:
        """Probability that a right card fails."""
        return family_chance(TOLERANCE, len(self.checks))

    def table(self) -> list[tuple[str, str, int, float, float]]:
        """Give rule, kind of check, how many, root mean square of the pulls, and the largest."""
        groups: dict[tuple[str, str], list[float]] = {}
        for c in self.checks:
            word = "identification" if c.what.startswith("taken") else c.what
            groups.setdefault((c.rule, word), []).append(c.pull)
        return [
            (
                rule,
                what,
                len(pulls),
                math.sqrt(sum(p * p for p in pulls) / len(pulls)),
                max(pulls, key=abs),
            )
            for (rule, what), pulls in groups.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain lists and dicts."""
        return {
            "card": self.card,
            "good": self.good,
            "rng": self.rng,
            "draws": self.draws,
            "tolerance": TOLERANCE,
            "false_alarm": self.false_alarm,
            "untried": list(self.untried),
            "invalid": [one._asdict() for one in self.invalid],
            "stages_not_validated": list(self.stages),
            "checks": [c._asdict() for c in self.checks],
        }

    def __str__(self) -> str:
        """Table of pulls."""
        rows = [("rule", "check", "n", "rms pull", "largest")]
        rows += [
            (r, w, str(n), f"{rms:.2f}", f"{most:+.2f}") for r, w, n, rms, most in self.table()
        ]
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        lines = [
            "  ".join(
                c.ljust(w) if i < 2 else c.rjust(w)
                for i, (c, w) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        most = max((abs(c.pull) for c in self.checks), default=0.0)
        lines.append(
            f"{self.card}: {len(self.checks)} checks of {self.draws:,} draws, rng {self.rng}; largest |pull| {most:.2f}, "
            f"{TOLERANCE:g} fails (by chance: {self.false_alarm:.1e})"
        )
        lines += [
            f"FAILED {c.rule!r}: {c.subject()}: drawn {c.drawn:.6g}, expected {c.expected:.6g}, pull {c.pull:+.2f}"
            for c in self.failed
        ]
        lines += [
            f"FAILED {name!r}: no particle was found that comes to it" for name in self.untried
        ]
        lines += [f"FAILED {one}" for one in self.invalid]
        lines += [f"not part of this: stages {', '.join(self.stages)}"] if self.stages else []
        return "\n".join(lines)


def validate_card(
    card: Card | str | Path,
    *,
    rng: int | np.random.Generator | None = 1,
    draws: int = 10_000,
    points: int = _POINTS,
) -> Validation:
    """Draw particles through every rule of a card and compare with the rule's own closed form.

    Parameters
    ----------
    card : Card, str or Path
        Card, or its name or file.
    rng : int, numpy Generator or None
        See `forefold.smear`.
    draws : int
        Of each particle at each energy.
    points : int
        True energies of each kind of particle, logarithmic in the kinetic energy, within the conditions of the rule.

    Returns
    -------
    Validation
        ``good`` says whether all checks passed; ``print`` shows a table.

    Raises
    ------
    ValueError
        The card does not keep to the schema, or `draws` or `points` is no number from 1 on.
    OSError
        A file cannot be read.

    Notes
    -----
    For up to three kinds of particles of each rule: what they are taken for, the fraction that is seen, mean (where it exists and
    no threshold cuts), median, central 68 % and outer 5 % of the energy, median and central 68 % of the polar angle, median
    of the space angle, and the parts of mixtures; mean, median, central 68 % and outer 5 % of positions and times of events. Counts are compared by the exact tails of the binomial distribution. Draws
    are those of the engine that `forefold.smear` uses, behind the stages. A formula without a value for some particle of a rule,
    which would stop `forefold.smear`, fails the card.

    Examples
    --------
    >>> result = validate_card("nusmear-default", draws=1000, points=2)
    >>> result.good, result.failed
    (True, ())
    """
    counts: dict[str, Any] = {"draws": draws, "points": points}
    for name, number in counts.items():
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
            message = f"{name}: a whole number from 1 on is expected, found {number!r}"
            raise ValueError(message)
    loaded = load_card(card)
    key = random_key(rng)
    checks: list[Check] = []
    untried: list[str] = []
    invalid = invalid_of(loaded)
    for k, rule in enumerate(loaded.rules):
        trial = grid(loaded, k, points)
        if trial is None:
            place = f"rule[{k + 1}] "
            if not any(one.where.startswith(place) for one in invalid):
                untried.append(rule.name)
            continue
        for row, words in checks_of(loaded, trial, key + k, draws):
            kind, energy, theta = trial.pdgid[row], trial.energy[row], trial.theta[row]
            checks.append(Check(rule.name, int(kind), float(energy), float(theta), *words))
    of_events = vertex_checks(loaded, key + len(loaded.rules), draws)
    checks += [Check(_VERTEX, 0, 0.0, 0.0, *words) for words in of_events]
    stages = tuple(block.kind for block in loaded.stages)
    return Validation(loaded.name, tuple(checks), key, draws, tuple(untried), stages, invalid)
