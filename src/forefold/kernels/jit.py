"""One way to compile: numba without fast-math, cached on disk where a disk can be written.

numba is imported when the first function is compiled, not before: small inputs never need it, and it takes a third of a
second.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property, update_wrapper
from importlib import import_module
from typing import Any, TypeVar, cast

__all__ = ["compiled_from", "inlined", "jit", "jit_inner", "watchers", "worth_compiling"]

F = TypeVar("F", bound=Callable[..., Any])
COMPILE_FROM = 4_000_000
"""Numbers of particles from which on compiling takes less time than doing without."""

LOAD_FROM = 800_000
"""Numbers of particles from which on loading what was compiled takes less time: it needs packages that take a second."""

SETTING = "FOREFOLD_COMPILE_FROM"
"""Environment variable: the number of particles from which on the compiled loops are taken, whatever is on the disk."""

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": False}
_NO_DOOR: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}

watchers: list[Callable[[bool], object]] = []
"""Called with True before something is compiled that is not on the disk, which takes seconds, and with False after."""

_seen: dict[str, int] = {}
_cached: dict[str, bool] = {}


class Kernel:
    """A function that is compiled when it is first called, by Python or by a function that is being compiled.

    Parameters
    ----------
    function : callable
        As it is written.
    options : dict
        Of ``numba.njit``.
    """

    py_func: Callable[..., Any]

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        update_wrapper(self, function)
        self.py_func = function
        self._options = options

    @cached_property
    def dispatcher(self) -> Any:
        """The function as numba has it, or as it is written under ``NUMBA_DISABLE_JIT=1``."""
        numba = _numba()
        try:
            return _forgiving(numba.njit(**self._options)(self.py_func))
        except RuntimeError:
            # "no locator available": a read-only installation without a home folder
            return numba.njit(**{**self._options, "cache": False})(self.py_func)

    @property
    def is_compiled(self) -> bool:
        """Whether it was compiled, or loaded, for some types of arguments in this process."""
        return "dispatcher" in vars(self) and bool(getattr(self.dispatcher, "signatures", ()))

    @property
    def kept_in(self) -> str | None:
        """Folder in which it is kept; None where no folder can be written."""
        return getattr(getattr(self.dispatcher, "stats", None), "cache_path", None)

    def __call__(self, *arguments: Any) -> Any:
        """Call it."""
        plain = not hasattr(self.dispatcher, "signatures")  # under NUMBA_DISABLE_JIT=1
        if not watchers or plain or self.is_compiled or _on_disk(self):
            return self.dispatcher(*arguments)
        for watcher in watchers:
            watcher(True)
        try:
            return self.dispatcher(*arguments)
        finally:
            for watcher in watchers:
                watcher(False)


def _forgiving(dispatcher: Any) -> Any:
    """Let numba take a cache that an older version of this package wrote for an empty one.

    numba reads the names of argument types before it looks whether the file is of date: a class that is called something else
    now would stop every run after an upgrade.
    """
    file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    read = getattr(file, "_load_index", None)
    if file is None or read is None:
        return dispatcher

    def load_index() -> Any:
        try:
            return read()
        except (AttributeError, ImportError):
            return {}

    file._load_index = load_index
    return dispatcher


@cache
def _numba() -> Any:
    """Import numba, and tell it what a kernel is where a function that it compiles calls one."""
    numba: Any = import_module("numba")
    extending: Any = import_module("numba.extending")

    extending.typeof_impl.register(Kernel)(lambda kernel, _: numba.typeof(kernel.dispatcher))
    return numba


def jit(function: F) -> F:
    """Compile `function` at its first call.

    Fast-math stays off: reordering or contracting operations would change the bits.
    Where no folder can be written for the cache, the function is compiled in every process.
    """
    return cast("F", Kernel(function, _OPTIONS | {"cache": True}))


def jit_inner(function: F) -> F:
    """Compile a function that only compiled functions call: without a door for Python, in three quarters of the time."""
    return cast("F", Kernel(function, _OPTIONS | {"cache": True} | _NO_DOOR))


def inlined(function: F) -> F:
    """Compile a function into the loops that call it, whatever its size: a call in a loop keeps it from running in vectors.

    It may be given the interpreted or an already compiled function; it has no door for Python, and no cache but its callers'.
    """
    plain = getattr(function, "py_func", function)
    return cast("F", Kernel(plain, _OPTIONS | _NO_DOOR | {"forceinline": True}))


@contextmanager
def compiled_from(particles: int) -> Iterator[None]:
    """Take compiled loops from so many particles on, within."""
    before = os.environ.get(SETTING)
    os.environ[SETTING] = str(particles)
    try:
        yield
    finally:
        if before is None:
            del os.environ[SETTING]
        else:
            os.environ[SETTING] = before


def worth_compiling(function: Callable[..., Any], n: int) -> bool:
    """Whether to take a compiled function for `n` more particles, or what does the same without being compiled.

    Parameters
    ----------
    function : callable
        Of `jit`.
    n : int
        Particles of this call; they are added up over calls.

    Returns
    -------
    bool
        True where it is compiled in this process, where there have been `COMPILE_FROM` particles, or `LOAD_FROM` and it is on
        the disk. ``FOREFOLD_COMPILE_FROM`` says otherwise.

    Raises
    ------
    ValueError
        That setting is no whole number.
    """
    if not isinstance(function, Kernel) or os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        return True
    name = function.py_func.__qualname__
    _seen[name] = _seen.get(name, 0) + n
    setting = os.environ.get(SETTING)
    if setting is not None:
        return function.is_compiled or _seen[name] >= _whole(setting)
    if function.is_compiled or _seen[name] >= COMPILE_FROM:
        return True
    return _seen[name] >= LOAD_FROM and _on_disk(function)


def _whole(setting: str) -> int:
    if not setting.isdecimal():
        message = f"{SETTING}: a whole number of particles from 0 on, found {setting!r}"
        raise ValueError(message)
    return int(setting)


def _on_disk(function: Kernel) -> bool:
    """Whether the cache has it; a look into numba's own file, and False where that has changed its ways."""
    name = function.py_func.__qualname__
    if name not in _cached:
        try:
            _cached[name] = bool(function.dispatcher._cache._cache_file._load_index())
        except (AttributeError, OSError):
            _cached[name] = False
    return _cached[name]
