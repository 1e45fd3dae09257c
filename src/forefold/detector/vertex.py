"""How well a detector knows where and when an event was."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from forefold.detector.values import Strict, Word

__all__ = ["Position", "Time", "VertexBlock", "sourced_of"]

_Centimetres = Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False, strict=True)]
_Nanoseconds = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False, strict=True)]
_Distribution = Literal["normal", "uniform"]


class Position(Strict):
    """Widths (standard deviations) of the position along each axis of the record's own frame, cm."""

    x: _Centimetres
    y: _Centimetres
    z: _Centimetres
    distribution: _Distribution = "normal"
    source: Word | None = None


class Time(Strict):
    """Width (standard deviation) of the time, ns."""

    sigma: _Nanoseconds
    distribution: _Distribution = "normal"
    source: Word | None = None


class VertexBlock(Strict):
    """Position and time of each event; a number for a position is the width along every axis.

    A number alone is a normal distribution of this width. Nothing of a particle depends on it.
    """

    position: Position | None = None
    time: Time | None = None
    source: Word

    @field_validator("position", mode="before")
    @classmethod
    def _every_axis(cls, value: object) -> object:
        if _is_number(value):
            return {"x": value, "y": value, "z": value}
        return _table(value, "one number (cm), or a table with x, y and z")

    @field_validator("time", mode="before")
    @classmethod
    def _width(cls, value: object) -> object:
        if _is_number(value):
            return {"sigma": value}
        return _table(value, "a number (ns), or a table with sigma")

    @model_validator(mode="after")
    def _not_empty(self) -> VertexBlock:
        if self.position is None and self.time is None:
            message = "give position or time"
            raise ValueError(message)
        return self

    def widths(self) -> dict[str, tuple[float, str]]:
        """Width (cm, ns) and distribution of each quantity that is drawn: ``vertex_x``, ``vertex_y``, ``vertex_z``, ``time``."""
        found: dict[str, tuple[float, str]] = {}
        if (at := self.position) is not None:
            for axis, width in (("x", at.x), ("y", at.y), ("z", at.z)):
                found[f"vertex_{axis}"] = width, at.distribution
        if self.time is not None:
            found["time"] = self.time.sigma, self.time.distribution
        return found

    def __str__(self) -> str:
        """Widths with their units."""
        words = []
        if (at := self.position) is not None:
            words.append(f"x, y, z {at.x:g}, {at.y:g}, {at.z:g} cm {at.distribution}")
        if self.time is not None:
            words.append(f"time {self.time.sigma:g} ns {self.time.distribution}")
        return "; ".join(words)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _table(value: object, wanted: str) -> object:
    if value is None or isinstance(value, (dict, Strict)):
        return value
    message = f"{wanted}, is expected, found {value!r}"
    raise ValueError(message)


def sourced_of(block: VertexBlock | None) -> dict[str, VertexBlock | Position | Time]:
    """Parts of the block that may name a source, by what they are called in messages."""
    if block is None:
        return {}
    parts = {"vertex.position": block.position, "vertex.time": block.time}
    return {"vertex": block, **{name: part for name, part in parts.items() if part is not None}}
