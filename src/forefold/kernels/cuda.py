"""Simple rules on a graphics card: one thread a particle, the bits of `blocks`.

The loops of `block_steps` and `blocks` are rebuilt for blocks of one particle (`Translation`), so that there is one text of each
formula: a formula that is written twice is soon two formulas.  A compiler for graphics cards fuses products and sums, which changes bits: it is told not to, and what it made is
looked through before it is used.  numba-cuda is imported when something here is called.
"""

from __future__ import annotations

import builtins
import math
import threading
import types
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np

from forefold.kernels import block_steps, blocks, cuda_kernels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Translation", "kernels", "launch", "ready", "simulated", "translation", "uncontracted"]

THREADS = 128
"""Threads of a block."""

_FUSED = "fma.rn.f64"
_lock = threading.Lock()
_looked_through: dict[str, int] = {}  # overloads of a kernel that have no fused operation
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
    >>> from forefold.kernels import block_steps
    >>> short = Translation(lambda function: function, np, {}, {("block_steps", "P"): 3})
    >>> short(block_steps.masses).__globals__["P"]
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


def ready() -> Any:
    """Give numba's module for graphics cards.

    Returns
    -------
    module

    Raises
    ------
    OSError
        numba-cuda is not installed, or there is no graphics card.
    """
    if find_spec("numba_cuda") is None:
        message = "cuda: numba-cuda is not installed; pip install 'forefold[cuda]'"
        raise OSError(message)
    cuda: Any = import_module("numba.cuda")
    if not cuda.is_available():
        message = "cuda: no GPU with a driver was found; the device cpu gives the same bits"
        raise OSError(message)
    return cuda


def simulated() -> bool:
    """Whether numba plays the graphics card in Python (``NUMBA_ENABLE_CUDASIM=1``)."""
    numba: Any = import_module("numba")
    return bool(numba.config.ENABLE_CUDASIM)


@contextmanager
def uncontracted() -> Iterator[None]:
    """Tell the compiler to fuse no product with a sum; numba-cuda has no option for it."""
    if simulated():
        yield
        return
    nvvm: Any = import_module("numba.cuda.cudadrv.nvvm")
    whole = nvvm.compile_ir

    def compile_ir(code: Any, **options: Any) -> Any:
        return whole(code, **{**options, "fma": False, "prec_div": True, "prec_sqrt": True})

    with _lock, mock.patch.object(nvvm, "compile_ir", compile_ir):
        yield


def translation() -> Translation:
    """Give the way to rebuild the processor's functions for blocks of one particle.

    Returns
    -------
    Translation
    """
    cuda: Any = import_module("numba.cuda")
    played = simulated()

    def device(function: Callable[..., Any]) -> Any:
        return function if played else cuda.jit(function, device=True, lto=False, forceinline=True)

    rows = {
        name: value // block_steps.STRIDE
        for name, value in vars(block_steps).items()
        if name.isupper() and type(value) is int and value % block_steps.STRIDE == 0
    }
    others: dict[tuple[str, str], Any] = {
        (module, name): row
        for module in ("block_steps", "blocks", "cuda_kernels")
        for name, row in rows.items()
    }
    others[("blocks", "_KEPT")] = tuple(row // block_steps.STRIDE for row in blocks._KEPT)
    others[("cuda_kernels", "cuda")] = cuda
    words = {} if played else {"max": device(_larger), "min": device(_smaller)}
    translate = Translation(device, np if played else _numpy(), words, others)
    for name in ("quantiles", "efficiency_uniforms"):
        others[("block_steps", name)] = translate(getattr(cuda_kernels, name))
    return translate


def _numpy() -> types.ModuleType:
    """Give what stands for numpy on the device: numba-cuda knows few of its functions."""
    libdevice: Any = import_module("numba.cuda.libdevice")
    module = types.ModuleType("numpy")
    for name in ("int8", "int16", "int32", "int64", "uint16", "uint64", "float64", "nan", "inf"):
        setattr(module, name, getattr(np, name))
    for name in ("sqrt", "isnan", "isinf", "copysign"):
        setattr(module, name, getattr(math, name))
    module.floor, module.ceil = libdevice.floor, libdevice.ceil  # type: ignore[attr-defined]
    return module


def _larger(a: Any, b: Any) -> Any:
    """Python's ``max`` of two: the device's own chooses otherwise between equal ones."""
    return b if b > a else a  # noqa: FURB136 - this is max


def _smaller(a: Any, b: Any) -> Any:
    return b if b < a else a  # noqa: FURB136


def launch(name: str, n: int, *arguments: Any) -> None:
    """Run a kernel with a thread for each of `n` particles.

    Parameters
    ----------
    name : str
        Of `kernels`.
    n : int
    *arguments
        Device arrays, tuples of them, and numbers.

    Raises
    ------
    RuntimeError
        The compiler fused products with sums although it was told not to.
    """
    kernel = kernels()[name]
    with uncontracted():
        kernel[-(-n // THREADS), THREADS](*arguments)
    if simulated() or len(kernel.overloads) == _looked_through.get(name):
        return
    if any(_FUSED in text for text in kernel.inspect_asm().values()):
        message = "cuda: this numba-cuda fuses products with sums, which changes bits; use FOREFOLD_DEVICE=cpu"
        raise RuntimeError(message)
    _looked_through[name] = len(kernel.overloads)


@cache
def kernels() -> dict[str, Any]:
    """Give the kernels ``smear`` and ``count``; they are compiled when they are first called.

    Returns
    -------
    dict
    """
    cuda: Any = import_module("numba.cuda")
    translate, options = translation(), {} if simulated() else {"lto": False}
    return {
        name: cuda.jit(translate.rebuilt(getattr(cuda_kernels, name)), **options)
        for name in ("smear", "count")
    }
