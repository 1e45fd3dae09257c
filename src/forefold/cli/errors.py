"""How a complaint is put: one line."""

from __future__ import annotations

import sys

__all__ = ["complain", "text_of"]


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
