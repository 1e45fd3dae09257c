"""Calls of the command line in tests, and what a refusal looks like."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["CARD", "Result", "Run", "refused"]

CARD = ["-d", "nusmear-dune-cdr"]


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


Run = Callable[..., Result]


def refused(result: Result, *words: str) -> None:
    """One line, exit code 2, no traceback."""
    assert result.code == 2, result
    assert result.out == ""
    assert result.err.count("\n") == 1, result.err
    assert result.err.startswith("forefold")
    for word in words:
        assert word in result.err, result.err
