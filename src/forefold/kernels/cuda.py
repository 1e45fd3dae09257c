"""Rules that are plain on a graphics card: one thread a particle, the bits of `blocks`.

The loops of `steps` and `blocks` are rebuilt for blocks of one particle (`translation`), so that there is one text of each
formula.  A compiler for graphics cards fuses products and sums, which changes bits: it is told not to, and what it made is
looked through before it is used.  numba-cuda is imported when something here is called.
"""

from __future__ import annotations

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

from forefold.kernels import blocks, onethread, steps
from forefold.kernels.translation import Translation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["kernels", "launch", "ready", "simulated", "translation", "uncontracted"]

THREADS = 128
"""Threads of a block."""

_FUSED = "fma.rn.f64"
_lock = threading.Lock()
_looked_through: dict[str, int] = {}  # overloads of a kernel that have no fused operation


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
        name: value // steps.STRIDE
        for name, value in vars(steps).items()
        if name.isupper() and type(value) is int and value % steps.STRIDE == 0
    }
    others: dict[tuple[str, str], Any] = {
        (module, name): row
        for module in ("steps", "blocks", "onethread")
        for name, row in rows.items()
    }
    others[("blocks", "_KEPT")] = tuple(row // steps.STRIDE for row in blocks._KEPT)
    others[("onethread", "cuda")] = cuda
    words = {} if played else {"max": device(_larger), "min": device(_smaller)}
    translate = Translation(device, np if played else _numpy(), words, others)
    for name in ("quantiles", "escapes"):
        others[("steps", name)] = translate(getattr(onethread, name))
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
        name: cuda.jit(translate.rebuilt(getattr(onethread, name)), **options)
        for name in ("smear", "count")
    }
