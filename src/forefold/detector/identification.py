"""What a card may have beside its rules: identification, parameters, tables."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from forefold.detector.values import Probability, Strict, Word
from forefold.events import particles as species

__all__ = [
    "ROW_TOLERANCE",
    "Identification",
    "Identified",
    "Parameter",
    "TableBlock",
    "known_particles",
]

ROW_TOLERANCE = 1e-6
"""By which a row of rounded probabilities may miss 1, and lose nothing."""

Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Axis = Annotated[tuple[Finite, ...], Field(min_length=2, max_length=100_000)]


def known_particles(value: object) -> object:
    """Refuse what is neither a PDG identifier nor a name or class that is known."""
    words = value if isinstance(value, (list, tuple)) else [value]
    for word in words:
        if isinstance(word, bool) or not isinstance(word, (int, str)):
            message = "a particle is a PDG identifier, a name or a class"
            raise ValueError(message)
        if isinstance(word, str) and word not in species.CLASSES:
            try:
                species.pdgid(word)
            except ValueError as error:
                message = f"{error}; classes are {', '.join(species.CLASSES)}"
                raise ValueError(message) from None
        if word == 0:
            message = "PDG 0 is no particle"
            raise ValueError(message)
    named = [_resolved(word) for word in words if isinstance(word, (int, str))]
    for word, meant in zip(words, named, strict=True):
        if named.count(meant) > 1:
            message = f"{word!r} is named twice"
            raise ValueError(message)
    return value


def _resolved(word: int | str) -> int | str:
    """Give the PDG identifier of a name, and a class as it is."""
    return word if isinstance(word, int) or word in species.CLASSES else species.pdgid(word)


class Identified(Strict):
    """What a particle is taken for, and how often: a name or PDG identifier, ``same`` or ``antiparticle``."""

    as_: Annotated[int | str, Field(alias="as")]
    probability: Probability

    @field_validator("as_", mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        if isinstance(value, str) and value in {"same", "antiparticle"}:
            return value
        if isinstance(value, str) and value in species.CLASSES:
            message = f"found the class {value!r}: a particle is taken for one other particle"
            raise ValueError(message)
        if isinstance(value, (list, tuple)):
            message = "a particle is taken for one other particle"
            raise ValueError(message)
        known = known_particles(value)
        if isinstance(value, int) and not species.is_listed(value):
            message = f"PDG {value} is not in the particle table, so its mass is not known"
            raise ValueError(message)
        return known

    def pdgid(self, true: int) -> int:
        """PDG identifier of what the particle `true` is taken for."""
        if self.as_ == "same":
            return true
        if self.as_ == "antiparticle":
            return species.antiparticle(true)
        return self.as_ if isinstance(self.as_, int) else species.pdgid(self.as_)


class Identification(Strict):
    """What particles of a kind are taken for; what the probabilities leave is lost.

    The particle then goes through the card as what it is taken for, with its true ``keep`` (momentum, kinetic energy or
    total energy) and the other particle's mass.
    """

    particles: Annotated[tuple[int | str, ...], Field(min_length=1)]
    row: Annotated[tuple[Identified, ...], Field(min_length=1, max_length=50)]
    keep: Literal["momentum", "kinetic", "total"] = "momentum"
    source: Word

    @field_validator("particles", mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        return known_particles(value)

    @model_validator(mode="after")
    def _at_most_one(self) -> Identification:
        numbers = [r.probability for r in self.row if not isinstance(r.probability, str)]
        total = math.fsum(numbers)
        if total > 1 + 1e-12:
            message = f"probabilities add up to {total:g}, at most 1 is allowed"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _each_once(self) -> Identification:
        kinds = [k for k in map(_resolved, self.particles) if isinstance(k, int)]
        same = [self._same(kind) for kind in kinds or [0]]
        if len(kinds) < len(self.particles):
            same.append(self._same(0))  # of a class: only what is the same for all
        if all(same):
            first, second = same[0] or ("", "")
            message = f"row: {first!r} and {second!r} are the same particle: give it once, with the whole probability"
            raise ValueError(message)
        return self

    def _same(self, kind: int) -> tuple[int | str, int | str] | None:
        """Two entries of the row that take a particle for the same; of a kind 0 those that say the same."""
        seen: dict[int | str, int | str] = {}
        for entry in self.row:
            target = entry.pdgid(kind) if kind or isinstance(entry.as_, int) else entry.as_
            if kind == 0 and isinstance(target, str) and target not in {"same", "antiparticle"}:
                target = species.pdgid(target)
            if target in seen:
                return seen[target], entry.as_
            seen[target] = entry.as_
        return None

    def covers(self, pdgid: int) -> bool:
        """Whether this block is for the particle."""
        return any(species.is_one(pdgid, word) for word in self.particles)


class Parameter(Strict):
    """A named number that formulas use, and how well it is known."""

    value: Finite
    uncertainty: Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)] = 0.0
    limits: tuple[Finite, Finite] | None = None
    description: str = ""
    source: Word | None = None

    @model_validator(mode="after")
    def _inside(self) -> Parameter:
        if self.limits is None:
            return self
        low, high = self.limits
        if not low < high or not low <= self.value <= high:
            message = (
                f"limits {low:g} to {high:g} must be in order and hold the value {self.value:g}"
            )
            raise ValueError(message)
        return self


class TableBlock(Strict):
    """A table that formulas call as a function, or that a distribution 'tabulated' draws from.

    ``axes`` are edges of bins (interpolation ``none``) or points (``linear``); ``values`` is nested accordingly. In a card's
    file both may be in a ``file`` of their own (UHI JSON); a loaded card has them itself. A matrix to draw from has the
    probabilities of the reconstructed bins in a row for each true bin; what a row leaves to 1 is lost. ``normalise`` makes
    such rows of any contents, of counts for instance: then nothing is lost.
    """

    axes: Annotated[tuple[Axis, ...], Field(min_length=1, max_length=3)]
    values: Annotated[tuple[Any, ...], Field(min_length=1)]
    interpolation: Literal["none", "linear"] = "none"
    outside: Literal["clamp", "invalid"] | Finite = "clamp"
    normalise: Annotated[bool, Field(strict=True)] = False
    source: Word | None = None

    @model_validator(mode="after")
    def _in_order(self) -> TableBlock:
        for axis in self.axes:
            if any(b <= a for a, b in pairwise(axis)):
                message = "an axis has numbers each of which is larger than the one before"
                raise ValueError(message)
        less = 1 if self.interpolation == "none" else 0
        _check_shape(self.values, [len(axis) - less for axis in self.axes])
        if self.normalise and (wrong := self.not_a_migration()):
            message = f"normalise: a matrix to draw from is expected, which needs {wrong}"
            raise ValueError(message)
        return self

    def not_a_migration(self) -> str:
        """Say what it lacks to draw from: true bins by reconstructed bins, no content negative; nothing if it is one."""
        if len(self.axes) != 2:
            return f"two axes, true and reconstructed, found {len(self.axes)}"
        if self.interpolation != "none":
            return "bins: interpolation = 'none'"
        negative = [value for row in self.values for value in row if value < 0]
        return f"contents from 0 on, found {negative[0]:g}" if negative else ""

    def too_full(self) -> str:
        """Say which row of a migration matrix adds up to more than one; nothing if none does, or all are normalised."""
        if self.normalise:
            return ""
        for i, row in enumerate(self.values):
            total = math.fsum(row)
            if total > 1.0 + ROW_TOLERANCE:
                low, high = self.axes[0][i : i + 2]
                return (
                    f"row {i + 1} (true values from {low:g} to {high:g}) adds up to {total:g}, at most 1 is allowed: "
                    "what it leaves to 1 is lost; of counts, say normalise = true"
                )
        return ""


def _check_shape(values: Any, shape: list[int]) -> None:
    if not shape:
        number = isinstance(values, (int, float)) and not isinstance(values, bool)
        if not number or not math.isfinite(values):
            message = f"values: a finite number is expected, found {values!r}"
            raise ValueError(message)
        return
    if not isinstance(values, (tuple, list)) or len(values) != shape[0]:
        found = len(values) if isinstance(values, (tuple, list)) else repr(values)
        message = f"values: a list of {shape[0]} is expected, found {found}"
        raise ValueError(message)
    for value in values:
        _check_shape(value, shape[1:])
