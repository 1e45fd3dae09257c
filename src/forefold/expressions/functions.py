"""Functions and constants that expressions may use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONDITIONS", "CONSTANTS", "FUNCTIONS", "RESERVED", "Signature", "announced"]


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

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def announced(functions: Mapping[str, int]) -> dict[str, Signature]:
    """Signatures of functions that a namespace adds to `FUNCTIONS`.

    Parameters
    ----------
    functions : mapping of str to int
        How many numbers each takes; it gives one.

    Returns
    -------
    dict of str to Signature

    Raises
    ------
    ValueError
        A name is reserved or no word, or a function takes no argument.

    Examples
    --------
    >>> announced({"eff_mu": 2})["eff_mu"].usage
    'eff_mu(a, b)'
    """
    signatures = {}
    for name, count in functions.items():
        if not (name.isascii() and name.isidentifier()):
            message = f"function {name!r}: a name is letters, digits and '_', the first no digit"
            raise ValueError(message)
        if name in RESERVED:
            message = f"function {name!r}: the name is taken by the language"
            raise ValueError(message)
        if not 1 <= count <= len(_LETTERS):
            message = f"function {name!r}: {count} arguments, from 1 to {len(_LETTERS)} are allowed"
            raise ValueError(message)
        usage = f"{name}({', '.join(_LETTERS[:count])})"
        signatures[name] = Signature(count, count, usage)
    return signatures
