"""What happens to particles beside their resolution: stages, and a box that tracks may leave."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from forefold.detector.values import Strict, Word
from forefold.events import particles as species

if TYPE_CHECKING:
    from forefold.detector.stages.base import Stage

__all__ = ["BoxBlock", "Containment", "StageBlock"]

Centimetres = Annotated[float, Field(ge=-1e7, le=1e7, allow_inf_nan=False, strict=True)]
Corner = tuple[Centimetres, Centimetres, Centimetres]


class BoxBlock(Strict):
    """Opposite corners of a box, cm, in the record's own frame."""

    low: Corner
    high: Corner

    @model_validator(mode="after")
    def _has_a_volume(self) -> BoxBlock:
        if not all(a < b for a, b in zip(self.low, self.high, strict=True)):
            message = f"low {self.low} must be below high {self.high} on every axis"
            raise ValueError(message)
        return self


class Containment(Strict):
    """Straight tracks of the range of their energy, from vertices that are uniform in the fiducial box.

    Gives formulas the names ``range`` (cm) and ``contained`` (probability that the track ends inside the active box).
    """

    material: Literal["liquid-argon", "water", "mineral-oil"]
    active: BoxBlock
    fiducial: BoxBlock | None = None
    source: Word

    @model_validator(mode="after")
    def _inside(self) -> Containment:
        if self.fiducial is None:
            return self
        inside = all(
            a <= f and g <= b
            for a, f, g, b in zip(
                self.active.low,
                self.fiducial.low,
                self.fiducial.high,
                self.active.high,
                strict=True,
            )
        )
        if not inside:
            message = "the fiducial box is not inside the active one"
            raise ValueError(message)
        return self


class StageBlock(Strict):
    """One of the stages between generator and resolution, with its parameters; see `forefold.detector.stages.registry`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: Word
    source: Word

    @model_validator(mode="before")
    @classmethod
    def _has_a_kind(cls, given: Any) -> Any:
        """Name the stages that there are, where none is named."""
        from forefold.detector.stages.registry import STAGES

        if isinstance(given, dict) and "kind" in given and not isinstance(given["kind"], str):
            message = f"kind: found {given['kind']!r}; allowed: {', '.join(STAGES)}"
            raise ValueError(message)
        if isinstance(given, dict) and "kind" not in given:
            words = [word for word in given.values() if isinstance(word, str)]
            hints = (species.near(word, list(STAGES)) for word in words if word not in STAGES)
            named = next((f" (write kind = {word!r})" for word in words if word in STAGES), None)
            hint = next(filter(None, hints), "") if named is None else named
            message = f"kind is missing{hint}; allowed: {', '.join(STAGES)}"
            raise ValueError(message)
        return given

    @model_validator(mode="after")
    def _can_be_made(self) -> StageBlock:
        self.stage()
        return self

    def stage(self) -> Stage:
        """Make the stage.

        Raises
        ------
        ValueError
            There is no such stage, or a parameter is unknown, missing or not allowed.
        """
        from forefold.detector.stages.registry import STAGES

        if self.kind not in STAGES:
            near = species.near(self.kind, list(STAGES))
            message = f"kind: found {self.kind!r}{near}; allowed: {', '.join(STAGES)}"
            raise ValueError(message)
        maker: Any = STAGES[self.kind]
        known = {field.name: field for field in fields(maker)}
        given = dict(self.__pydantic_extra__ or {})
        for key, value in given.items():
            if key not in known:
                near = species.near(key, list(known))
                message = (
                    f"unknown key {key!r}{near}; allowed: {', '.join(['kind', 'source', *known])}"
                )
                raise ValueError(message)
            wanted = str if known[key].type == "str" else (int, float)
            if isinstance(value, bool) or not isinstance(value, wanted):
                word = "a text" if wanted is str else "a number"
                message = f"{key}: {word} is expected, found {value!r}"
                raise ValueError(message)
        needed = [key for key, field in known.items() if field.default is MISSING]
        missing = [key for key in needed if key not in given]
        if missing:
            message = f"{self.kind} needs {' and '.join(missing)}"
            raise ValueError(message)
        made: Stage = maker(**given)
        return made
