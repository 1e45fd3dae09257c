"""The compiled functions of the processor as functions of another device: the same code, with other names behind it.

A formula that is written twice is soon two formulas.  Here none is: a function is rebuilt from its own code with the
names that it uses looked up elsewhere, and so are the functions that it calls.
"""

from __future__ import annotations

import builtins
import types
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Translation"]

_HERE = __name__.rpartition(".")[0] + "."


class Translation:
    """A way to rebuild functions of these kernels; each is rebuilt once.

    Parameters
    ----------
    compiled : callable
        What is done with a rebuilt function.
    numpy : module
        What stands for numpy.
    words : mapping of str to object
        What stands for builtin functions.
    others : mapping of (str, str) to object
        What stands for a name of a module of this package: a constant, or a function that is compiled already.

    Examples
    --------
    >>> from forefold.kernels import steps
    >>> short = Translation(lambda function: function, np, {}, {("steps", "P"): 3})
    >>> short(steps.masses).__globals__["P"]
    3
    """

    def __init__(
        self,
        compiled: Callable[[Callable[..., Any]], Any],
        numpy: Any,
        words: Mapping[str, Any],
        others: Mapping[tuple[str, str], Any],
    ) -> None:
        self._compiled = compiled
        self._numpy = numpy
        self._words = words
        self._others = others
        self._made: dict[Any, Any] = {}
        self._modules: dict[str, types.ModuleType] = {}

    def __call__(self, function: Any) -> Any:
        """Rebuild a function, compiled for the processor or not, and compile it."""
        plain: types.FunctionType = getattr(function, "py_func", function)
        if plain not in self._made:
            self._made[plain] = self._compiled(self.rebuilt(plain))
        return self._made[plain]

    def rebuilt(self, plain: Any) -> types.FunctionType:
        """Rebuild a function, and compile those that it calls."""
        names, home = plain.__code__.co_names, plain.__module__
        used = {n: v for n, v in plain.__globals__.items() if n in names}
        scope = {n: self._name(home, n, v, names) for n, v in used.items()}
        scope |= {n: v for n, v in self._words.items() if n in names and n not in scope}
        scope["__builtins__"] = builtins
        function = types.FunctionType(plain.__code__, scope, plain.__name__, plain.__defaults__)
        function.__module__, function.__qualname__ = home, plain.__qualname__
        return function

    def _name(self, home: str, name: str, value: Any, names: tuple[str, ...]) -> Any:
        """Give what stands behind a name of a module."""
        other = self._others.get((home.removeprefix(_HERE), name))
        if other is not None:
            return other
        if value is np:
            return self._numpy
        if isinstance(value, types.ModuleType) and value.__name__.startswith(_HERE):
            return self._module(value, names)
        if isinstance(getattr(value, "py_func", value), types.FunctionType):
            return self(value)
        return value

    def _module(self, module: types.ModuleType, names: tuple[str, ...]) -> types.ModuleType:
        """Give a module with those of its names that are used."""
        subset = self._modules.setdefault(module.__name__, types.ModuleType(module.__name__))
        for name in set(names) & set(vars(module)) - set(vars(subset)):
            setattr(subset, name, self._name(module.__name__, name, vars(module)[name], ()))
        return subset
