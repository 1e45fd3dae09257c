"""Values of a card: words, numbers in their ranges, and formulas in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

if TYPE_CHECKING:
    from forefold.expression import Kind

__all__ = [
    "HIDDEN",
    "QUANTITIES",
    "TRACK",
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
"""What only formulas that a plan makes may name: kinetic energy of nucleons, total energy of others, GeV."""


class Strict(BaseModel):
    """A block of a card: no key that is not named, nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


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
