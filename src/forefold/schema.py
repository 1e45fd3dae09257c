"""What a detector card may say: the schema, and the checks that need no event.

A card is data.  Every key is named here; anything else is an error.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from forefold import species

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Angle", "Card", "Conditions", "Energy", "Interval", "Rule", "Threshold"]

Bound = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False, strict=True)]
Resolution = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)]
Scale = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False, strict=True)]
Degrees = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False, strict=True)]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
Word = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Interval(_Strict):
    """Bounds of a quantity in GeV (momentum: GeV/c): ``ge`` or ``gt`` below, ``lt`` or ``le`` above."""

    ge: Bound | None = None
    gt: Bound | None = None
    lt: Bound | None = None
    le: Bound | None = None

    @model_validator(mode="after")
    def _one_bound_a_side(self) -> Interval:
        if self.ge is not None and self.gt is not None:
            message = "give ge or gt, not both"
            raise ValueError(message)
        if self.lt is not None and self.le is not None:
            message = "give lt or le, not both"
            raise ValueError(message)
        if self == Interval.model_construct():
            message = "give a bound: ge, gt, lt or le"
            raise ValueError(message)
        if not self.low < self.high:
            message = f"holds for no value: {self}"
            raise ValueError(message)
        return self

    @property
    def low(self) -> float:
        """Smallest value inside."""
        if self.gt is not None:
            return math.nextafter(self.gt, math.inf)
        return 0.0 if self.ge is None else self.ge

    @property
    def high(self) -> float:
        """Smallest value above the interval; infinity if it is open."""
        if self.le is not None:
            return math.nextafter(self.le, math.inf)
        return math.inf if self.lt is None else self.lt

    def __str__(self) -> str:
        """Bounds as in a formula."""
        signs = {"ge": ">=", "gt": ">", "lt": "<", "le": "<="}
        bounds = ((sign, getattr(self, key)) for key, sign in signs.items())
        return " and ".join(f"{sign} {value:g}" for sign, value in bounds if value is not None)


class Conditions(_Strict):
    """When a rule holds, by true quantities; all that are given must hold."""

    kinetic_energy: Interval | None = None
    momentum: Interval | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Conditions:
        if self.kinetic_energy is None and self.momentum is None:
            message = "give kinetic_energy or momentum"
            raise ValueError(message)
        return self

    def __str__(self) -> str:
        """Conditions as in a formula."""
        parts = (("KE", self.kinetic_energy), ("p", self.momentum))
        return " and ".join(f"{symbol} {interval}" for symbol, interval in parts if interval)


class Threshold(_Strict):
    """From which true kinetic energy on a particle is seen."""

    kinetic_energy: Interval
    source: Word | None = None

    @field_validator("kinetic_energy")
    @classmethod
    def _from_below(cls, interval: Interval) -> Interval:
        if interval.high != math.inf:
            message = "a threshold has a lower bound only: ge or gt"
            raise ValueError(message)
        return interval


class Energy(_Strict):
    """Which energy is smeared, and how.

    Relative resolution: ``constant`` (+) ``stochastic`` / sqrt(E/GeV), in quadrature, E being the energy meant
    by ``of``.  ``scale`` multiplies what is drawn.
    """

    of: Literal["total", "kinetic"]
    distribution: Literal["log-normal", "normal", "none"]
    constant: Resolution = 0.0
    stochastic: Resolution = 0.0
    scale: Scale = 1.0
    source: Word | None = None

    @model_validator(mode="after")
    def _resolution_where_it_is_used(self) -> Energy:
        width = self.constant > 0 or self.stochastic > 0
        if self.distribution == "none" and width:
            message = "distribution 'none' has no constant and no stochastic term"
            raise ValueError(message)
        if self.distribution != "none" and not width:
            message = f"distribution {self.distribution!r} needs a constant or a stochastic term"
            raise ValueError(message)
        return self


class Angle(_Strict):
    """How a direction is smeared.

    ``polar``: the polar angle to the incident particle gets a one-dimensional Gaussian of ``sigma_deg`` degrees,
    the azimuth is kept; beyond the poles the direction goes over to the other side.
    """

    convention: Literal["polar"]
    distribution: Literal["normal"]
    sigma_deg: Degrees
    source: Word | None = None


class Rule(_Strict):
    """One row of a card: which particles, when, and what becomes of them."""

    name: Word
    type: Word
    particles: Annotated[tuple[int | str, ...], Field(min_length=1)]
    source: Word
    when: Conditions | None = None
    threshold: Threshold | None = None
    efficiency: Probability = 1.0
    energy: Energy
    angle: Angle

    @field_validator("particles", mode="before")
    @classmethod
    def _ids_are_not_booleans(cls, value: object) -> object:
        if isinstance(value, (list, tuple)) and any(
            isinstance(v, bool) or not isinstance(v, (int, str)) for v in value
        ):
            message = "a particle is a PDG identifier, a name or a class"
            raise ValueError(message)
        return value

    @field_validator("particles")
    @classmethod
    def _known(cls, value: tuple[int | str, ...]) -> tuple[int | str, ...]:
        for word in value:
            if isinstance(word, str) and word not in species.CLASSES:
                try:
                    species.pdgid(word)
                except ValueError as error:
                    message = f"{error}; classes are {', '.join(species.CLASSES)}"
                    raise ValueError(message) from None
        return value

    def covers(self, pdgid: int) -> bool:
        """Whether the rule names this particle, whatever its conditions."""
        return any(
            pdgid == word
            if isinstance(word, int)
            else species.in_class(pdgid, word)
            if word in species.CLASSES
            else pdgid == species.pdgid(word)
            for word in self.particles
        )

    def kinetic_range(self, mass: float) -> tuple[float, float]:
        """Kinetic energies, low <= KE < high (GeV), for which the conditions hold at this mass (GeV)."""
        low, high = 0.0, math.inf
        if self.when and self.when.kinetic_energy:
            low, high = self.when.kinetic_energy.low, self.when.kinetic_energy.high
        if self.when and self.when.momentum:
            low = max(low, _kinetic(self.when.momentum.low, mass))
            high = min(high, _kinetic(self.when.momentum.high, mass))
        return low, high


class Card(_Strict):
    """A detector: an ordered list of rules, of which the first that holds is taken.

    ``print(card)`` shows it as a table; see `forefold.load_card`.
    """

    schema_: Literal[1] = Field(alias="schema")
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    title: Word
    description: str = ""
    not_smeared: tuple[str, ...] = ("neutrino", "nucleus", "pseudo-particle")
    sources: Annotated[dict[str, Word], Field(min_length=1)]
    rules: Annotated[tuple[Rule, ...], Field(min_length=1, alias="rule")]

    @field_validator("not_smeared")
    @classmethod
    def _classes_with_a_fate(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        allowed = ["neutrino", "nucleus", "pseudo-particle"]
        for word in value:
            if word not in allowed:
                message = f"unknown class {word!r}{species.near(word, allowed)}; allowed: {allowed}"
                raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _sources_exist(self) -> Card:
        for rule in self.rules:
            blocks = (rule, rule.threshold, rule.energy, rule.angle)
            for key in (block.source for block in blocks if block is not None):
                if key is not None and key not in self.sources:
                    near = species.near(key, self.sources)
                    message = f"rule {rule.name!r}: source {key!r} is not in [sources]{near}"
                    raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _rules_are_reachable(self) -> Card:
        names = [rule.name for rule in self.rules]
        for name in names:
            if names.count(name) > 1:
                message = f"two rules are named {name!r}"
                raise ValueError(message)
        last = self.rules[-1]
        if last.particles != ("other",) or last.when is not None:
            message = (
                f'the last rule ({last.name!r}) must be for particles = ["other"], without "when"'
            )
            raise ValueError(message)
        for i, rule in enumerate(self.rules):
            if not any(self._reaches(pdgid, i) for pdgid in _candidates(rule)):
                message = (
                    f"rule {rule.name!r} can never match: its conditions exclude each other, "
                    "or earlier rules or not_smeared take all that it covers"
                )
                raise ValueError(message)
        return self

    def _reaches(self, pdgid: int, i: int) -> bool:
        """Whether some kinetic energy of this particle is left for rule `i`."""
        if self.left_out(pdgid):
            return False
        mass = species.mass(pdgid)
        low, high = self.rules[i].kinetic_range(mass)
        taken = [r.kinetic_range(mass) for r in self.rules[:i] if r.covers(pdgid)]
        for start, stop in sorted(taken):
            if start <= low < stop:
                low = stop
        return low < high

    def left_out(self, pdgid: int) -> str | None:
        """Class by which the card leaves this particle out, or None."""
        for word in self.not_smeared:
            if species.in_class(pdgid, word):
                return word
        return None

    def candidates(self, pdgid: int) -> tuple[int, ...]:
        """List the rules that name this particle, in order; the last one always holds."""
        found = []
        for i, rule in enumerate(self.rules):
            if rule.covers(pdgid):
                found.append(i)
                if rule.when is None:
                    break
        return tuple(found)

    @property
    def types(self) -> tuple[str, ...]:
        """Labels of particle types for tables and figures, in order."""
        return tuple(dict.fromkeys(rule.type for rule in self.rules))

    def __str__(self) -> str:
        """Show the card as the paper's tables do."""
        return _table(self)

    def _repr_html_(self) -> str:
        """Show the table in a notebook."""
        return f"<pre>{escape(str(self))}</pre>"

    def __dir__(self) -> list[str]:
        """Names that a card offers, without those of its base class."""
        return sorted({*type(self).model_fields, "candidates", "left_out", "types"})


def _kinetic(momentum: float, mass: float) -> float:
    return momentum if math.isinf(momentum) else math.hypot(momentum, mass) - mass


def _candidates(rule: Rule) -> Iterator[int]:
    """Particles to try a rule on: those it lists, or the members of its classes."""
    for word in rule.particles:
        if isinstance(word, int):
            yield word
        elif word in species.CLASSES:
            yield from species.members(word)
        else:
            yield species.pdgid(word)


def _table(card: Card) -> str:
    """Card as plain text, one line a rule, like the tables of arXiv:2209.05260."""
    head = (
        "particles",
        "when",
        "seen if (GeV)",
        "R_E",
        "of",
        "distribution",
        "R_A",
        "seen",
        "scale",
        "source",
    )
    rows = [head, *(_row(rule) for rule in card.rules)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    rule_off = "-" * max(map(len, lines))
    sources = [f"  [{key}] {text}" for key, text in card.sources.items()]
    left_out = f"not smeared: {', '.join(card.not_smeared) or 'nothing'}"
    about = [card.description.strip()] if card.description.strip() else []
    return "\n".join(
        [
            f"{card.name}: {card.title}",
            *about,
            "",
            lines[0],
            rule_off,
            *lines[1:],
            rule_off,
            "first matching line holds; E in GeV; (+): sum in quadrature",
            left_out,
            "sources:",
            *sources,
        ]
    )


def _row(rule: Rule) -> tuple[str, ...]:
    energy, angle = rule.energy, rule.angle
    terms = [f"{100 * energy.constant:g} %"] if energy.constant else []
    terms += [f"{100 * energy.stochastic:g} %/sqrt(E)"] if energy.stochastic else []
    keys = (rule, rule.threshold, energy, angle)
    return (
        ", ".join(str(word) for word in rule.particles),
        str(rule.when) if rule.when else "",
        f"KE {rule.threshold.kinetic_energy}" if rule.threshold else "always",
        " (+) ".join(terms) or "exact",
        "KE" if energy.of == "kinetic" else "E",
        energy.distribution,
        f"{angle.sigma_deg:g} deg {angle.convention}",
        f"{100 * rule.efficiency:g} %",
        f"{energy.scale:g}",
        ", ".join(dict.fromkeys(block.source for block in keys if block and block.source)),
    )
