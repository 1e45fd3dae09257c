"""The card that rules make, with the checks that need the whole of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from numbers import Real
from typing import TYPE_CHECKING, Annotated, Any, Literal
from weakref import ReferenceType, ref

from pydantic import Field, ModelWrapValidatorHandler, field_validator, model_validator

from forefold.detector.check import check_constants
from forefold.detector.formulas import check_formulas
from forefold.detector.identification import Identification, Parameter, TableBlock
from forefold.detector.rule import Rule, candidates_of
from forefold.detector.stage_blocks import Containment, StageBlock, check_stages
from forefold.detector.text import shown
from forefold.detector.uncertainty import (
    Correlation,
    ShiftBlock,
    check_uncertainty,
    uncertain,
)
from forefold.detector.values import Strict, Word
from forefold.detector.vertex import Position, Time, VertexBlock, sourced_of
from forefold.events import particles as species

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["Card", "remember"]

_CHECKED: dict[int, ReferenceType[Card]] = {}
"""Cards of which all checks were made, by identity: contents may be large."""


def remember(card: Card) -> None:
    """Say that all checks were made of this card."""
    place = id(card)
    _CHECKED[place] = ref(card, lambda _: _CHECKED.pop(place, None))


Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


Sourced = (
    Identification | Parameter | TableBlock | StageBlock | Containment | ShiftBlock | Correlation
)


class Card(Strict):
    """A detector: an ordered list of rules, of which the first that holds is taken.

    ``print(card)`` shows it as a table; see `forefold.load_card`.
    """

    schema_: Literal[1] = Field(alias="schema")
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    title: Word
    description: str = ""
    not_smeared: tuple[str, ...] = ("neutrino", "nucleus", "pseudo-particle")
    sources: Annotated[dict[str, Word], Field(min_length=1)]
    parameters: dict[Identifier, Parameter] = Field(default_factory=dict)
    tables: dict[Identifier, TableBlock] = Field(default_factory=dict)
    containment: Containment | None = None
    vertex: VertexBlock | None = None
    stages: Annotated[tuple[StageBlock, ...], Field(alias="stage", max_length=100)] = ()
    identification: Annotated[tuple[Identification, ...], Field(max_length=100)] = ()
    shifts: Annotated[tuple[ShiftBlock, ...], Field(alias="shift", max_length=1000)] = ()
    correlations: Annotated[
        tuple[Correlation, ...], Field(alias="correlation", max_length=10_000)
    ] = ()
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

    @model_validator(mode="wrap")
    @classmethod
    def _remembered(cls, value: Any, check: ModelWrapValidatorHandler[Card]) -> Card:
        card = check(value)
        if (
            card is not value
        ):  # of an object that is a card already, the values of its keys are not looked at
            remember(card)
        return card

    @property
    def checked(self) -> bool:
        """Whether all checks were made of this very object; not so of a copy that went around them."""
        known = _CHECKED.get(id(self))
        return known is not None and known() is self

    @model_validator(mode="after")
    def _sources_exist(self) -> Card:
        for rule in self.rules:
            blocks = (rule, rule.threshold, rule.energy, rule.angle)
            for key in (block.source for block in blocks if block is not None):
                if key is not None and key not in self.sources:
                    near = species.near(key, self.sources)
                    message = f"rule {rule.name!r}: source {key!r} is not in [sources]{near}"
                    raise ValueError(message)
        extras: dict[str, Sourced | VertexBlock | Position | Time] = {
            **({"containment": self.containment} if self.containment else {}),
            **sourced_of(self.vertex),
            **{f"stage[{i + 1}]": block for i, block in enumerate(self.stages)},
            **{f"identification[{i + 1}]": block for i, block in enumerate(self.identification)},
            **{f"parameters.{name}": block for name, block in self.parameters.items()},
            **{f"tables.{name}": block for name, block in self.tables.items()},
            **{f"shift[{i + 1}]": block for i, block in enumerate(self.shifts)},
            **{f"correlation[{i + 1}]": block for i, block in enumerate(self.correlations)},
        }
        for where, extra in extras.items():
            if extra.source is not None and extra.source not in self.sources:
                near = species.near(extra.source, self.sources)
                message = f"{where}: source {extra.source!r} is not in [sources]{near}"
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _formulas_hold(self) -> Card:
        check_formulas(self)
        check_constants(self)
        return self

    @model_validator(mode="after")
    def _stages_do_something(self) -> Card:
        check_stages(self.stages)
        return self

    @model_validator(mode="after")
    def _uncertainty_holds(self) -> Card:
        check_uncertainty(self)
        return self

    @model_validator(mode="after")
    def _taken_for_what_is_smeared(self) -> Card:
        for i, block in enumerate(self.identification):
            if all(self.left_out(pdgid) for pdgid in candidates_of(block)):
                first = next(candidates_of(block))
                message = (
                    f"identification[{i + 1}]: particles: {species.name(first)} is a {self.left_out(first)}, which the card "
                    "does not smear"
                )
                raise ValueError(message)
            for entry in block.row:
                if isinstance(entry.as_, str) and entry.as_ in {"same", "antiparticle"}:
                    continue
                if word := self.left_out(entry.pdgid(0)):
                    message = f"identification[{i + 1}]: {entry.as_!r} is a {word}, which the card does not smear"
                    raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _identifications_are_reachable(self) -> Card:
        for i, block in enumerate(self.identification):
            takers: set[int] = set()
            for pdgid in candidates_of(block):
                earlier = (j for j in range(i) if self.identification[j].covers(pdgid))
                taker = next(earlier, None)
                if taker is None:
                    break
                takers.add(taker + 1)
            else:
                who = " and ".join(f"identification[{j}]" for j in sorted(takers))
                verb = "takes" if len(takers) == 1 else "take"
                message = f"identification[{i + 1}]: can never be reached: {who} {verb} all that it covers"
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
            if not any(self._reaches(pdgid, i) for pdgid in candidates_of(rule)):
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
        taken = [
            r.kinetic_range(mass)
            for r in self.rules[:i]
            if r.covers(pdgid) and (r.when is None or r.when.formula is None)
        ]
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

    def with_parameters(self, values: Mapping[str, float]) -> Card:
        """Give the same card with other values of its parameters.

        Parameters
        ----------
        values : mapping of str to float
            By name of the parameter.

        Returns
        -------
        Card

        Raises
        ------
        ValueError
            The card has no such parameter, or the value is beyond its limits.
        TypeError
            `values` is no mapping.
        """
        given: object = values
        if not isinstance(given, Mapping):
            message = f"card {self.name}: values: a mapping of names of parameters to numbers is expected, found {given!r}"
            raise TypeError(message)
        for name, value in values.items():
            if name not in self.parameters:
                near = species.near(name, list(self.parameters))
                known = ", ".join(self.parameters) or "none"
                message = f"card {self.name}: no parameter {name!r}{near}; there are: {known}"
                raise ValueError(message)
            if not _is_finite(value):
                message = f"card {self.name}: parameter {name}: a finite number is expected, found {value!r}"
                raise ValueError(message)
            limits = self.parameters[name].limits
            if limits is not None and not limits[0] <= value <= limits[1]:
                message = f"card {self.name}: parameter {name}: {limits[0]:g} to {limits[1]:g} is allowed, found {value:g}"
                raise ValueError(message)
        changed = {
            name: p.unchecked(value=float(values.get(name, p.value)))
            for name, p in self.parameters.items()
        }
        return self.unchecked(parameters=changed)

    def peek(
        self,
        *,
        energy: Sequence[float] | None = None,
        particles: Sequence[str | int] | None = None,
    ) -> Figure:
        """Draw what the card does: bias and resolution, efficiency, migration and angle against energy.

        Parameters
        ----------
        energy : (float, float), GeV, optional
            Range of the true energy; by default that in which something happens.
        particles : sequence of str or int, optional
            One row each; by default one row a type.

        Returns
        -------
        matplotlib.figure.Figure
            See `forefold.plotting.card_figure`; `forefold.plotting.save` writes it.

        Raises
        ------
        ValueError
            A particle is unknown or not smeared, or the range is none.

        Examples
        --------
        >>> import forefold
        >>> figure = forefold.load_card("juno").peek(energy=(0.001, 0.01), particles=["e+"])
        >>> len(figure.axes)
        5
        """
        from forefold import plotting

        return plotting.card_figure(self, energy=energy, particles=particles)

    def covariance(self) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """Give what is uncertain in the card, and its covariance matrix.

        Returns
        -------
        names : tuple of str
            Parameters with an uncertainty, then the pulls of shifts.
        matrix : ndarray of float64, shape (n, n)
            In the units of the parameters; pulls have variance 1.
        """
        import numpy as np

        sigma = uncertain(self)
        names = tuple(sigma)
        matrix = np.diag([width * width for width in sigma.values()])
        for block in self.correlations:
            a, b = block.parameters
            i, j = names.index(a), names.index(b)
            matrix[i, j] = matrix[j, i] = block.value * sigma[a] * sigma[b]
        return names, matrix

    @property
    def types(self) -> tuple[str, ...]:
        """Labels of particle types for tables and figures, in order."""
        return tuple(dict.fromkeys(rule.type for rule in self.rules))

    def __str__(self) -> str:
        """Show the card as the paper's tables do."""
        return shown(self)

    def _repr_html_(self) -> str:
        """Show the table in a notebook."""
        return f"<pre>{escape(str(self))}</pre>"

    def __dir__(self) -> list[str]:
        """Names that a card offers, without those of its base class."""
        return sorted(
            {
                *type(self).model_fields,
                "candidates",
                "covariance",
                "left_out",
                "peek",
                "types",
                "with_parameters",
            }
        )


def _is_finite(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)
