"""Functions and constants that expressions may use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONDITIONS", "CONSTANTS", "FUNCTIONS", "RESERVED", "Signature"]


@dataclass(frozen=True)
class Signature:
    """How many arguments a function takes, and in words which.

    Attributes
    ----------
    least, most : int, int or None
        Numbers of arguments; None = any.
    usage : str
    """

    least: int
    most: int | None
    usage: str


def _plain(*names: str) -> dict[str, Signature]:
    return {name: Signature(1, 1, f"{name}(a)") for name in names}


FUNCTIONS: Mapping[str, Signature] = MappingProxyType(
    {
        **_plain("abs", "sqrt", "exp", "log", "log10", "floor", "ceil"),
        **_plain("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"),
        **_plain("isnan", "isfinite"),
        "atan2": Signature(2, 2, "atan2(y, x)"),
        "hypot": Signature(2, 2, "hypot(a, b)"),
        "min": Signature(2, None, "min(a, b, ...)"),
        "max": Signature(2, None, "max(a, b, ...)"),
        "where": Signature(3, 3, "where(condition, a, b)"),
    }
)
"""Functions; those that give a condition are `CONDITIONS`."""

CONDITIONS = frozenset({"isnan", "isfinite"})

CONSTANTS: Mapping[str, float | bool] = MappingProxyType(
    {"pi": math.pi, "true": True, "false": False, "True": True, "False": False}
)

RESERVED = frozenset({"and", "or", "not", *FUNCTIONS, *CONSTANTS})
"""Words that cannot name a quantity."""
