"""How a complaint is put: one line."""

from __future__ import annotations

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


def text_of(error: BaseException) -> str:
    """Say what went wrong without Python's decoration."""
    if isinstance(error, MemoryError):
        return "out of memory; fewer --bins or a smaller --chunk may help"
    if isinstance(error, OSError) and error.strerror and error.filename is None:
        return f"standard output: {error.strerror}"
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


@contextmanager
def damage_told(options: argparse.Namespace) -> Iterator[None]:
    """Count events that cannot be read, where `--skip-damaged` is given, and say so at the end."""
    options.damage = None
    if getattr(options, "skip_damaged", False):
        from forefold.io.reader import Damage

        options.damage = Damage()
    yield
    if options.damage is not None and options.damage.events:
        n, why = options.damage.events, options.damage.notes[0]
        complain("warning", f"{n} event{'s' * (n > 1)} could not be read: {why}")
