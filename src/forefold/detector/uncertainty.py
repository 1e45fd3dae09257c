"""What a card says of its own uncertainty: shifts of reconstructed energies, and correlations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator, model_validator

from forefold.detector.identification import known_particles
from forefold.detector.values import Strict, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forefold.detector.card import Card

__all__ = [
    "LEPTONS",
    "Correlation",
    "ShiftBlock",
    "factor",
    "uncertain",
]

LEPTONS = {"cc electron": (11,), "cc muon": (13,), "cc tau": (15,), "cc lepton": (11, 13, 15)}
"""Words for the lepton of a charged-current event, and its PDG identifiers without sign."""

_ROUNDING = 1e-9
_PULLS = ("p0", "p1", "p2", "resolution")

Fraction = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)]
Coefficient = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False, strict=True)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Particles = Annotated[tuple[int | str, ...], Field(max_length=1000)]


class ShiftBlock(Strict):
    """A shift of reconstructed energies, by particles or by the sum of a group, each of its terms with a pull of its own.

    A pull s0, s1, s2 of one standard deviation adds E (s0 p0 + s1 p1 sqrt(E/GeV) + s2 p2 / sqrt(E/GeV + 0.1)); a pull
    of ``resolution`` r adds r (true - E). E is the ``energy`` of each particle (``on = "each"``) or of the sum over the
    group in its event (``"sum"``), from which those that are named in ``apart`` stay out, each with a term of its own.
    ``truth``: of which particles of a sum the true energy counts, those that are ``detected``, or ``all`` that the card
    smears, if any of them is detected: what is not seen at all has no resolution.
    """

    name: Identifier
    particles: Annotated[tuple[int | str, ...], Field(min_length=1, max_length=1000)]
    exclude: Particles = ()
    apart: Particles = ()
    on: Literal["each", "sum"]
    energy: Literal["kinetic", "total", "visible"]
    p0: Fraction = 0.0
    p1: Fraction = 0.0
    p2: Fraction = 0.0
    resolution: Fraction = 0.0
    truth: Literal["detected", "all"] = "detected"
    source: Word

    @field_validator("particles", "exclude", "apart", mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        words = value if isinstance(value, (list, tuple)) else [value]
        try:
            known_particles([word for word in words if word not in LEPTONS])
        except ValueError as error:
            message = f"{error}; and {', '.join(LEPTONS)}" if "classes are" in str(error) else error
            raise ValueError(message) from None
        return value

    @model_validator(mode="after")
    def _does_something(self) -> ShiftBlock:
        if not self.pulls:
            message = f"shift {self.name!r} shifts nothing: give p0, p1, p2 or resolution above 0"
            raise ValueError(message)
        if self.apart and self.on == "each":
            message = (
                f"shift {self.name!r}: apart goes with on = 'sum'; with 'each' all stand apart"
            )
            raise ValueError(message)
        return self

    @property
    def pulls(self) -> dict[str, str]:
        """Name of each pull, and the term that it is of."""
        return {f"{self.name}_{term}": term for term in _PULLS if getattr(self, term) > 0.0}

    @property
    def asks_for_the_lepton(self) -> bool:
        """Whether it must be known which events are charged current."""
        return any(word in LEPTONS for word in (*self.particles, *self.exclude, *self.apart))

    def __str__(self) -> str:
        """One line: who, how much, on what."""
        terms = {
            "p0": "{:g} %",
            "p1": "{:g} % sqrt(E)",
            "p2": "{:g} %/sqrt(E + 0.1)",
            "resolution": "{:g} % (true - E)",
        }
        given = [
            text.format(100 * getattr(self, key))
            for key, text in terms.items()
            if getattr(self, key)
        ]
        who = ", ".join(map(str, self.particles))
        who += f" without {', '.join(map(str, self.exclude))}" if self.exclude else ""
        what = (
            f"{self.energy} energy of each"
            if self.on == "each"
            else f"{self.energy} energy, summed"
        )
        what += f", {', '.join(map(str, self.apart))} apart" if self.apart else ""
        return f"{who}: {', '.join(given)} ({what})"


class Correlation(Strict):
    """How two uncertain numbers of a card are correlated: parameters, or pulls of shifts."""

    parameters: tuple[Identifier, Identifier]
    value: Coefficient
    source: Word

    @model_validator(mode="after")
    def _two(self) -> Correlation:
        if self.parameters[0] == self.parameters[1]:
            message = f"{self.parameters[0]!r} with itself: two different names are expected"
            raise ValueError(message)
        return self


def uncertain(card: Card) -> dict[str, float]:
    """Names of what is uncertain in a card, with standard deviations; pulls of shifts have 1."""
    found = {name: p.uncertainty for name, p in card.parameters.items() if p.uncertainty > 0.0}
    return found | {pull: 1.0 for shift in card.shifts for pull in shift.pulls}


def factor(
    names: Iterable[str], pairs: Mapping[frozenset[str], float]
) -> dict[str, dict[str, float]]:
    """Cholesky factor L of a correlation matrix, rows by name: x = L z of independent z has the correlations.

    Written out in basic operations, so that universes have the same bits everywhere.

    Parameters
    ----------
    names : iterable of str
        In this order.
    pairs : mapping of two names to float
        Correlations; 0 where there is none.

    Returns
    -------
    dict of str to dict of str to float
        Row of each name; what is 0 is left out.

    Raises
    ------
    ValueError
        The matrix is not positive semi-definite.

    Examples
    --------
    >>> factor(["a", "b"], {frozenset("ab"): 0.6})
    {'a': {'a': 1.0}, 'b': {'a': 0.6, 'b': 0.8}}
    """
    rows: dict[str, dict[str, float]] = {}
    for name in names:
        row: dict[str, float] = {}
        for other, before in rows.items():
            rest = pairs.get(frozenset((name, other)), 0.0)
            for key, value in row.items():
                rest -= value * before.get(key, 0.0)
            pivot = before.get(other, 0.0)
            if pivot:
                if rest:
                    row[other] = rest / pivot
            elif abs(rest) > math.sqrt(_ROUNDING):
                _impossible(name, [*rows], 1.0)
        variance = 1.0
        for value in row.values():
            variance -= value * value
        if variance < -_ROUNDING:
            _impossible(name, [*rows], 1.0 - variance)
        if variance > _ROUNDING:
            row[name] = math.sqrt(variance)
        rows[name] = row
    return rows


def _impossible(name: str, others: list[str], explained: float) -> None:
    message = (
        f"correlations: no random numbers can have them: those of {name!r} with {', '.join(map(repr, others))} "
        f"contradict each other (together they explain {explained:.4g} of its variance; the matrix is not "
        "positive semi-definite)"
    )
    raise ValueError(message)
