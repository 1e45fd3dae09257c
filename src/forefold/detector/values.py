"""Values of a card: words, numbers in their ranges, and formulas in their place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forefold.expressions import Kind

__all__ = [
    "HIDDEN",
    "QUANTITIES",
    "TRACK",
    "Allowed",
    "Amount",
    "Bound",
    "Degrees",
    "Formula",
    "Length",
    "Probability",
    "Resolution",
    "Scale",
    "Scatter",
    "Shape",
    "Strict",
    "Word",
    "allowed",
    "first_complaint",
]

QUANTITIES: dict[str, Kind] = {
    "E": "number",
    "KE": "number",
    "p": "number",
    "pT": "number",
    "mass": "number",
    "charge": "number",
    "beta": "number",
    "gamma": "number",
    "theta": "number",
    "cos_theta": "number",
    "phi": "number",
    "nx": "number",
    "ny": "number",
    "nz": "number",
}
"""What formulas of a card may name beside its parameters: GeV, GeV/c, radians; angles to the axis."""

TRACK: dict[str, Kind] = {"range": "number", "contained": "number"}
"""What they may name beside in a card with containment: cm, and a probability."""


HIDDEN: dict[str, Kind] = {"_visible": "number"}
"""What only formulas of a compiled card may name: kinetic energy of nucleons, total energy of others, GeV."""


class Strict(BaseModel):
    """A block of a card: no key that is not named, nothing changes; a changed copy is checked like a new one."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy, with some values changed; what is changed is checked.

        Parameters
        ----------
        update : mapping of str to object, optional
            By names of fields.
        deep : bool

        Returns
        -------
        Strict
            Of the same class.

        Raises
        ------
        ValueError
            A value is not allowed, or there is no such field; one line.

        Examples
        --------
        >>> from forefold.detector import Parameter
        >>> Parameter(value=0.1, limits=(0.0, 1.0)).model_copy(update={"value": 2.0})
        Traceback (most recent call last):
            ...
        ValueError: Parameter: limits 0 to 1 must be in order and hold the value 2
        """
        copied = super().model_copy(deep=deep)
        if not update:
            return copied
        given = {name: getattr(copied, name) for name in copied.model_fields_set}
        try:
            return type(self).model_validate(given | dict(update))
        except ValidationError as error:
            message = f"{type(self).__name__}{_named(self)}: {first_complaint(error)}"
            raise ValueError(message) from None

    def unchecked(self, **values: Any) -> Self:
        """Copy, with values changed that are known to be right, or are to be checked later."""
        return super().model_copy(update=values)


def first_complaint(error: ValidationError) -> str:
    """Put the first complaint of pydantic in one line, and say how many more there are."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"] if part not in {"number", "formula"})
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "no such key"
    elif first["type"] not in {"missing", "value_error"}:
        message += f", found {first['input']!r}"
    more = error.error_count() - 1
    return f"{place}: " * bool(place) + message + (f" ({more} more)" if more else "")


def _named(block: Strict) -> str:
    name = getattr(block, "name", None)
    return f" {name!r}" if isinstance(name, str) else ""


def _which(value: Any) -> str:
    return "formula" if isinstance(value, str) else "number"


Word = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]
Formula = Annotated[str, Field(min_length=1, max_length=10_000)]
"""Checked when the whole card is there: its parameters and tables are names in it."""

_Bound = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False, strict=True)]
_Resolution = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)]
_Scale = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False, strict=True)]
_Degrees = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False, strict=True)]
_Scatter = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False, strict=True)]
_Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
_Length = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False, strict=True)]
_Amount = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False, strict=True)]
_Shape = Annotated[float, Field(gt=0, le=1e3, allow_inf_nan=False, strict=True)]

Bound = _Bound
_or_formula = Discriminator(_which)
Resolution = Annotated[
    Annotated[_Resolution, Tag("number")] | Annotated[Formula, Tag("formula")], _or_formula
]
Scale = Annotated[
    Annotated[_Scale, Tag("number")] | Annotated[Formula, Tag("formula")], _or_formula
]
Degrees = Annotated[
    Annotated[_Degrees, Tag("number")] | Annotated[Formula, Tag("formula")], _or_formula
]
Scatter = Annotated[
    Annotated[_Scatter, Tag("number")] | Annotated[Formula, Tag("formula")], _or_formula
]
Probability = Annotated[
    Annotated[_Probability, Tag("number")] | Annotated[Formula, Tag("formula")], _or_formula
]
Length = Annotated[
    Annotated[_Length, Tag("number")] | Annotated[Formula, Tag("formula")], _or_formula
]
Amount = Annotated[
    Annotated[_Amount, Tag("number")] | Annotated[Formula, Tag("formula")], _or_formula
]
Shape = Annotated[
    Annotated[_Shape, Tag("number")] | Annotated[Formula, Tag("formula")], _or_formula
]


class Allowed(NamedTuple):
    """A range of values.

    Attributes
    ----------
    low, high : float
    above : bool
        `low` itself is not allowed.
    """

    low: float
    high: float
    above: bool = False

    def holds(self, value: float) -> bool:
        """Whether a value is in the range, and finite."""
        enough = value > self.low if self.above else value >= self.low
        return math.isfinite(value) and enough and value <= self.high

    def __str__(self) -> str:
        text = f"{'above' if self.above else 'from'} {self.low:g}"
        return text + (f" to {self.high:g}" if math.isfinite(self.high) else "") + ", finite"


_PROBABILITY = Allowed(0.0, 1.0)
_POSITIVE = Allowed(0.0, math.inf, above=True)
_ABOVE_ONE = Allowed(1.0, math.inf, above=True)
_ANY = Allowed(-math.inf, math.inf)
_WIDTH = Allowed(0.0, math.inf)
_RANGES = {
    "weight": _PROBABILITY,
    "efficiency": _PROBABILITY,
    "probability": _PROBABILITY,
    "scale": _POSITIVE,
    "alpha_low": _POSITIVE,
    "alpha_high": _POSITIVE,
    "n_low": _ABOVE_ONE,
    "n_high": _ABOVE_ONE,
    "offset": _ANY,
    "sigma_cos_theta": Allowed(0.0, 1000.0),
    "low": _ANY,
    "high": _ANY,
}


def allowed(key: str) -> Allowed:
    """Give the range of a key of a card.

    Parameters
    ----------
    key : str
        The last word of its place, such as ``efficiency``; widths have no names of their own here.

    Returns
    -------
    Allowed

    Examples
    --------
    >>> allowed("efficiency").holds(1.5), allowed("scale").holds(0.0), str(allowed("scale"))
    (False, False, 'above 0, finite')
    """
    return _RANGES.get(key, _WIDTH)
