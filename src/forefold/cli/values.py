"""What options may hold: each function reads one, or says what is expected."""

from __future__ import annotations

import argparse
import math
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forefold.events.definitions import Definitions
    from forefold.events.selection import BackgroundCondition, Selection, SmearedSelection
    from forefold.io.cross_sections import CrossSection

__all__ = [
    "bounds",
    "condition",
    "constant",
    "count",
    "cross_section",
    "definitions_in",
    "named_condition",
    "smeared_condition",
    "whole",
]


_DEFINED: ContextVar[Definitions | None] = ContextVar("defined", default=None)


@contextmanager
def definitions_in(arguments: Sequence[str]) -> Iterator[None]:
    """Let conditions that are typed name what ``--define`` says, wherever it stands among the arguments.

    Raises
    ------
    ValueError
        A definition is none.
    """
    from forefold.events.definitions import definitions_of

    texts = [
        word.partition("=")[2] if word.startswith("--define=") else following
        for word, following in zip(arguments, [*arguments, ""][1:], strict=True)
        if word.startswith("--define=") or (word == "--define" and not following.startswith("-"))
    ]
    token = _DEFINED.set(definitions_of(texts))
    try:
        yield
    finally:
        _DEFINED.reset(token)


def whole(text: str) -> int:
    """Read a whole number from 0 to 2^64 - 1."""
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not 0 <= value < 2**64:
        message = f"a whole number from 0 to 2^64 - 1 is expected, found {text!r}"
        raise argparse.ArgumentTypeError(message)
    return value


def condition(text: str) -> Selection:
    """Read a condition on events."""
    from forefold.events.selection import Selection

    try:
        return Selection(text, _DEFINED.get())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def smeared_condition(text: str) -> SmearedSelection:
    """Read a condition on what is reconstructed."""
    from forefold.events.selection import SmearedSelection

    try:
        return SmearedSelection(text, _DEFINED.get())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def named_condition(text: str) -> tuple[str, BackgroundCondition]:
    """Read a name and a condition, NAME=CONDITION."""
    from forefold.events.selection import backgrounds_of

    name, equals, condition = (part.strip() for part in text.partition("="))
    if not (name and equals and condition) or condition.startswith("="):
        message = f"NAME=CONDITION is expected, such as 'nc=nc', found {text!r}"
        raise argparse.ArgumentTypeError(message)
    try:
        return name, backgrounds_of({name: condition}, _DEFINED.get())[name]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def cross_section(text: str) -> CrossSection:
    """Read a cross-section with its unit."""
    from forefold.io.cross_sections import CrossSection

    try:
        return CrossSection.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def constant(text: str) -> tuple[str, float]:
    """Read NAME=VALUE, a finite number."""
    name, _, value = (part.strip() for part in text.partition("="))
    try:
        number = float(value)
    except ValueError:
        number = math.inf
    if not name.isidentifier() or not math.isfinite(number):
        message = f"NAME=VALUE with a number is expected, found {text!r}"
        raise argparse.ArgumentTypeError(message)
    return name, number


def count(text: str) -> int:
    """Read a whole number above 0."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        message = f"a whole number above 0 is expected, found {text!r}"
        raise argparse.ArgumentTypeError(message)
    return value


def bounds(text: str) -> tuple[float, float]:
    """Read the limits of an axis, LOW:HIGH."""
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        low, high = 0.0, 0.0
    if not low < high < float("inf") or low == -float("inf"):
        message = f"LOW:HIGH with LOW < HIGH is expected, found {text!r}"
        raise argparse.ArgumentTypeError(message)
    return low, high
