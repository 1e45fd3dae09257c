"""The card that rules make; what it must hold as a whole is in `forefold.detector.check`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from numbers import Real
from typing import TYPE_CHECKING, Annotated, Any, Literal
from weakref import ReferenceType, ref

from pydantic import Field, field_validator, model_validator

from forefold.detector.check import check
from forefold.detector.identification import Identification, Parameter, TableBlock
from forefold.detector.rule import Rule
from forefold.detector.stage_blocks import Containment, StageBlock
from forefold.detector.text import shown
from forefold.detector.uncertainty import Correlation, ShiftBlock, uncertain
from forefold.detector.values import Strict, Word
from forefold.detector.vertex import VertexBlock
from forefold.events import particles as species

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from pydantic.functional_validators import ModelWrapValidatorHandler

__all__ = ["Card", "remember"]

_CHECKED: dict[int, ReferenceType[Card]] = {}
"""Cards of which all checks were made, by identity: contents may be large."""


def remember(card: Card) -> None:
    """Say that all checks were made of this card."""
    place = id(card)
    _CHECKED[place] = ref(card, lambda _: _CHECKED.pop(place, None))


Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


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
    def _remembered(cls, value: Any, handler: ModelWrapValidatorHandler[Card]) -> Card:
        card = handler(value)
        if (
            card is not value
        ):  # of an object that is a card already, the values of its keys are not looked at
            remember(card)
        return card

    @model_validator(mode="after")
    def _whole(self) -> Card:
        check(self)
        return self

    @property
    def checked(self) -> bool:
        """Whether all checks were made of this very object; not so of a copy that went around them."""
        known = _CHECKED.get(id(self))
        return known is not None and known() is self

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
