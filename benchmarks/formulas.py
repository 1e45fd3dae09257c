"""Formulas of cards beside what numpy says of them, and wrong ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

RIGHT: dict[str, Callable[..., Any]] = {
    "E + p * 2 - 1": lambda E, p, **_: E + p * 2 - 1,
    "-E ** 2": lambda E, **_: -(E**2),
    "2 ** 3 ** 2": lambda **_: 2.0 ** (3.0**2),
    "1 / E": lambda E, **_: 1 / E,
    "sqrt(0.02**2 + 0.15**2 / E)": lambda E, **_: np.sqrt(0.02**2 + 0.15**2 / E),
    "0.05 + 0.3 / sqrt(E)": lambda E, **_: 0.05 + 0.3 / np.sqrt(E),
    "hypot(0.02, 0.15 / sqrt(E))": lambda E, **_: np.hypot(0.02, 0.15 / np.sqrt(E)),
    "1 - exp(-(p / 0.3)**2)": lambda p, **_: 1 - np.exp(-((p / 0.3) ** 2)),
    "0.9 / (1 + exp(-(p - 1) / 0.2))": lambda p, **_: 0.9 / (1 + np.exp(-(p - 1) / 0.2)),
    "log(E)": lambda E, **_: np.log(E),
    "log10(E)": lambda E, **_: np.log10(E),
    "exp(-p)": lambda p, **_: np.exp(-p),
    "p ** 1.5": lambda p, **_: p**1.5,
    "E ** -0.75": lambda E, **_: E**-0.75,
    "sin(theta)": lambda theta, **_: np.sin(theta),
    "cos(theta)": lambda theta, **_: np.cos(theta),
    "tan(theta / 3)": lambda theta, **_: np.tan(theta / 3),
    "asin(p / 4)": lambda p, **_: np.arcsin(p / 4),
    "acos(p / 4)": lambda p, **_: np.arccos(p / 4),
    "atan(p)": lambda p, **_: np.arctan(p),
    "atan2(p, E)": lambda E, p, **_: np.arctan2(p, E),
    "sinh(p)": lambda p, **_: np.sinh(p),
    "cosh(p)": lambda p, **_: np.cosh(p),
    "tanh(p)": lambda p, **_: np.tanh(p),
    "abs(p - 2)": lambda p, **_: np.abs(p - 2),
    "floor(p) + ceil(E)": lambda E, p, **_: np.floor(p) + np.ceil(E),
    "min(E, p, 1)": lambda E, p, **_: np.minimum(np.minimum(E, p), 1),
    "max(E, p, 1)": lambda E, p, **_: np.maximum(np.maximum(E, p), 1),
    "where(0.5 < p <= 2, 0.9, 0.1)": lambda p, **_: np.where((p > 0.5) & (p <= 2), 0.9, 0.1),
    "where(p > 1 and not theta < 1 or E > 5, E, p)": lambda E, p, theta: np.where(
        ((p > 1) & ~(theta < 1)) | (E > 5), E, p
    ),
}

WRONG = (
    "",
    "E +",
    "* E",
    "(E + p",
    "E + p)",
    "e",
    "thet",
    "energy",
    "sqr(E)",
    "sqrt(E, p)",
    "sqrt()",
    "sqrt",
    "E ^ 2",
    "E % 2",
    "E // 2",
    "E[0]",
    "E.real",
    "E if p > 1 else p",
    "where(E, 1, 2)",
    "where(E > 1, 2)",
    "where(E > 1, 2, p > 1)",
    "not E",
    "E and p > 1",
    "(E > 1) + 1",
    "(E > 1) == 1",
    "1e999",
    "2E",
    "E = 1",
    "__import__('os')",
    "lambda p",
)
