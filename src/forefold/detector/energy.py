"""How an energy is smeared: which quantity, by which distribution, how wide."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from forefold.detector.values import (
    Amount,
    Length,
    Probability,
    Resolution,
    Scale,
    Shape,
    Strict,
    Word,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SHAPES", "Drawn", "Energy", "Part"]

SHAPES: dict[str, dict[str, float]] = {
    "crystal-ball": {"alpha_low": math.inf, "n_low": 2.0, "alpha_high": math.inf, "n_high": 2.0},
    "truncated-normal": {"low": 0.0, "high": 1e300},
    "exponential": {"tail": 1.0},
}
"""Shape parameters of the distributions that have some, with the values that stand where a card gives none."""

_ROUNDING = 1e-9  # of weights that are given as decimals
_ABSENT = ("none", "tabulated")  # distributions without a width
_KEYS = ("constant", "stochastic", "noise", "resolution", "sigma")
_SHAPE_KEYS = ("alpha_low", "n_low", "alpha_high", "n_high", "low", "high", "tail")


class Drawn(Strict):
    """One draw: of which quantity, from which distribution, how wide."""

    of: Literal["total", "kinetic", "visible", "momentum", "inverse-momentum"]
    distribution: Literal[
        "log-normal",
        "normal",
        "none",
        "truncated-normal",
        "crystal-ball",
        "exponential",
        "uniform",
        "tabulated",
    ]
    constant: Resolution = 0.0
    stochastic: Resolution = 0.0
    noise: Resolution = 0.0
    sum: Literal["quadrature", "linear"] = "quadrature"
    resolution: Resolution | None = None
    sigma: Amount | None = None
    alpha_low: Shape | None = None
    n_low: Shape | None = None
    alpha_high: Shape | None = None
    n_high: Shape | None = None
    low: Length | None = None
    high: Length | None = None
    tail: Literal["high", "low"] | None = None
    table: Word | None = None
    scale: Scale = 1.0
    offset: Length = 0.0
    below_mass: Literal["flag", "clamp"] = "flag"

    def laws(self) -> list[str]:
        """List the keys by which a width is given."""
        found = [key for key in ("constant", "stochastic", "noise") if getattr(self, key) != 0.0]
        return found + [key for key in ("resolution", "sigma") if getattr(self, key) is not None]

    def check(self) -> None:
        """Refuse keys that go with another distribution, and widths that are given twice or not at all."""
        laws = self.laws()
        if self.distribution in _ABSENT and laws:
            message = (
                "distribution 'none' has no constant and no stochastic term"
                if self.distribution == "none" and set(laws) <= {"constant", "stochastic"}
                else f"distribution {self.distribution!r} has no {laws[0]}"
            )
            raise ValueError(message)
        if self.distribution not in _ABSENT and not laws:
            message = f"distribution {self.distribution!r} needs a constant or a stochastic term"
            message += ", or noise, resolution or sigma"
            raise ValueError(message)
        whole = [key for key in laws if key in {"resolution", "sigma"}]
        if whole and len(laws) > 1:
            message = f"{whole[0]} is the whole width: give it alone, found {', '.join(laws)}"
            raise ValueError(message)
        allowed = SHAPES.get(self.distribution, {})
        for key in _SHAPE_KEYS:
            if getattr(self, key) is not None and key not in allowed:
                has = f"has {', '.join(allowed)}" if allowed else "has no shape"
                message = f"{key}: distribution {self.distribution!r} {has}"
                raise ValueError(message)
        if (self.table is not None) != (self.distribution == "tabulated"):
            message = "distribution 'tabulated' needs a table, and no other has one"
            raise ValueError(message)
        if (
            isinstance(self.low, float)
            and isinstance(self.high, float)
            and not self.low < self.high
        ):
            message = f"low {self.low:g} must be below high {self.high:g}"
            raise ValueError(message)
        self._check_tails()

    def _check_tails(self) -> None:
        """Refuse a Crystal Ball function without tails, and tails of which only the half is said."""
        for key in ("n_low", "n_high"):
            value = getattr(self, key)
            if isinstance(value, float) and value <= 1:
                message = f"{key}: above 1 is allowed, or the tail has no end, found {value:g}"
                raise ValueError(message)
        if self.distribution != "crystal-ball":
            return
        both = [
            [key for key in (f"alpha_{side}", f"n_{side}") if getattr(self, key) is not None]
            for side in ("low", "high")
        ]
        if not all(len(given) != 1 for given in both) or not any(both):
            given = ", ".join(key for side in both for key in side) or "none of them"
            message = (
                "distribution 'crystal-ball' needs alpha_low and n_low, alpha_high and n_high, or all four (a side without them "
                f"has no tail), found {given}"
            )
            raise ValueError(message)


class Part(Drawn):
    """One component of a mixture: with this weight, and a draw as in `Energy`.

    The last component takes what the weights of the others leave.
    """

    weight: Probability | None = None

    @model_validator(mode="after")
    def _checked(self) -> Part:
        self.check()
        return self


class Energy(Drawn):
    """Which energy is smeared, and how.

    Relative resolution: ``constant`` (+) ``stochastic`` / sqrt(E/GeV) (+) ``noise`` / (E/GeV), in quadrature or as a
    linear ``sum``, E being the quantity meant by ``of`` (momentum for ``inverse-momentum``); or ``resolution``
    (relative) or ``sigma`` (GeV) as a whole. ``scale`` multiplies what is drawn, then ``offset`` (GeV) is added.
    ``parts`` makes it a mixture.
    """

    of: Literal["total", "kinetic", "visible", "momentum", "inverse-momentum"] | None = None  # type: ignore[assignment]
    distribution: Literal[
        "log-normal",
        "normal",
        "none",
        "truncated-normal",
        "crystal-ball",
        "exponential",
        "uniform",
        "tabulated",
        "mixture",
    ]  # type: ignore[assignment]
    parts: Annotated[tuple[Part, ...], Field(max_length=100)] = ()
    source: Word | None = None

    @model_validator(mode="after")
    def _checked(self) -> Energy:
        if (self.distribution == "mixture") != bool(self.parts):
            message = "distribution 'mixture' needs parts, and no other has them"
            raise ValueError(message)
        if not self.parts:
            if self.of is None:
                message = "give of: total, kinetic, visible, momentum or inverse-momentum"
                raise ValueError(message)
            self.check()
            return self
        if any(part.weight is None for part in self.parts[:-1]):
            message = "every part but the last needs a weight"
            raise ValueError(message)
        weights = [part.weight for part in self.parts if part.weight is not None]
        numbers = [weight for weight in weights if not isinstance(weight, str)]
        total = math.fsum(numbers)
        whole = len(numbers) == len(self.parts)
        if total > 1 + _ROUNDING or (whole and total < 1 - _ROUNDING):
            message = f"weights add up to {total:g}, {'1' if whole else 'at most 1'} is allowed"
            raise ValueError(message)
        if self.parts[-1].weight is not None and not whole:
            message = "the last part takes what formulas leave: give it no weight"
            raise ValueError(message)
        fields = type(self).model_fields
        given = {key for key in fields if getattr(self, key) != fields[key].default}
        given -= {"distribution", "parts", "source"}
        if given:
            message = f"a mixture has its {', '.join(sorted(given))} in its parts"
            raise ValueError(message)
        return self

    def components(self) -> Iterator[Drawn]:
        """Give the parts of a mixture, or the block itself."""
        return iter(self.parts or (self,))
