"""One way to compile: numba without fast-math, cached on disk where a disk can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

__all__ = ["jit", "jit_inner"]

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile `function` at its first call.

    Fast-math stays off: reordering or contracting operations would change the bits.
    Where no folder can be written for the cache, the function is compiled in every process.
    """
    return _compiled(function)


def jit_inner(function: F) -> F:
    """Compile a function that only compiled functions call: without a door for Python, in three quarters of the time."""
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _compiled(function: F, **more: bool) -> F:
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": False, **more}
    try:
        return cast("F", numba.njit(cache=True, **options)(function))
    except RuntimeError:
        # "no locator available": a read-only installation without a home folder
        return cast("F", numba.njit(**options)(function))
