"""How a complaint is put: one line."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

__all__ = ["complain", "damage_told", "text_of"]


def complain(kind: str, message: str) -> None:
    """Write one line on stderr."""
    sys.stderr.write(f"forefold: {kind}: {' '.join(message.split())}\n")


_SMALLER = {"bins": "fewer --bins", "chunk": "a smaller --chunk", "draws": "fewer --draws"}
_OR_LOSE = re.compile(r"; or let such particles be lost \([^)]*\)")


def text_of(error: BaseException, options: argparse.Namespace | None = None) -> str:
    """Say what went wrong without Python's decoration, and advise only options that the command has."""
    if isinstance(error, MemoryError):
        help_ = [words for name, words in _SMALLER.items() if hasattr(options, name)]
        return "out of memory" + (f"; {' or '.join(help_)} may help" if help_ else "")
    if isinstance(error, OSError) and error.strerror and error.filename is None:
        return f"standard output: {error.strerror}"
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    text = str(error) or type(error).__name__
    return text if hasattr(options, "on_invalid") else _OR_LOSE.sub("", text)


@contextmanager
def damage_told(options: argparse.Namespace) -> Iterator[None]:
    """Count events that cannot be read, where `--skip-damaged` is given, and say so at the end."""
    options.damage = None
    if getattr(options, "skip_damaged", False):
        from forefold.io.registry import Damage

        options.damage = Damage()
    yield
    if options.damage is not None and options.damage.events:
        n, why = options.damage.events, options.damage.notes[0]
        complain("warning", f"{n} event{'s' * (n > 1)} could not be read: {why}")
