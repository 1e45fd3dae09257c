"""The interpreter of formulas: instructions on registers, a block of particles at a time.

A register is a row of `BLOCK` numbers. Each instruction is a short loop over one, which the compiler can vectorise, so the
choice of what to do is made once a block and nothing of the size of the events is stored on the way. Conditions are
1.0, 0.0, and NaN where they are not known. Each number of a result depends on the particle's own columns only.

An instruction is never given one of its operands' registers for its result: the loops would have to be done one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels import elementary as el
from forefold.kernels import math as fm
from forefold.kernels.interpolation import look_up
from forefold.kernels.jit import jit, jit_inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "BLOCK",
    "FIRST_FUNCTION",
    "INSTRUCTION",
    "OPERATIONS",
    "run_program",
    "run_simple_program",
]

BLOCK = 1024
"""Particles of a block: the registers stay in the second-level cache, and choosing what to do costs 0.1 ns a particle."""

INSTRUCTION = ("operation", "result", "a", "b", "c", "table")
"""Columns of an instruction: index in `OPERATIONS`, registers, row of the tables' layout."""

OPERATIONS = (
    *("+", "-", "*", "/", "negative", "abs", "sqrt", "power_half", "floor", "ceil", "min", "max"),
    *("<", "<=", "==", "!=", "and", "or", "not", "isnan", "isfinite", "where"),
    *("exp", "log", "log10", "sin", "cos", "tan", "asin", "acos", "atan"),
    *("sinh", "cosh", "tanh", "atan2", "hypot", "**"),
    "table",
)
"""What instructions do; `a > b` is `b < a`."""

_FIRST_LOGIC = OPERATIONS.index("<")
FIRST_FUNCTION = OPERATIONS.index("exp")
"""Operations before this one are arithmetic and logic."""

_FIRST_OF_TWO = OPERATIONS.index("atan2")
_TABLE = OPERATIONS.index("table")


@jit_inner
def _arithmetic(
    operation: int,
    out: NDArray[np.float64],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    n: int,
) -> None:
    if operation == 0:
        for i in range(n):
            out[i] = a[i] + b[i]
    elif operation == 1:
        for i in range(n):
            out[i] = a[i] - b[i]
    elif operation == 2:
        for i in range(n):
            out[i] = a[i] * b[i]
    elif operation == 3:
        for i in range(n):
            out[i] = a[i] / b[i]
    elif operation == 4:
        for i in range(n):
            out[i] = -a[i]
    elif operation == 5:
        for i in range(n):
            out[i] = abs(a[i])
    elif operation == 6:
        for i in range(n):
            out[i] = np.sqrt(a[i])
    elif operation == 7:
        for i in range(n):
            out[i] = el.power_half(a[i])
    elif operation == 8:
        for i in range(n):
            out[i] = np.floor(a[i])
    elif operation == 9:
        for i in range(n):
            out[i] = np.ceil(a[i])
    elif operation == 10:
        for i in range(n):
            x, y = a[i], b[i]
            out[i] = x if (x < y) | np.isnan(x) else y
    else:
        for i in range(n):
            x, y = a[i], b[i]
            out[i] = x if (x > y) | np.isnan(x) else y


@jit_inner
def _logic(
    operation: int,
    out: NDArray[np.float64],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    c: NDArray[np.float64],
    n: int,
) -> None:
    """Comparisons and Kleene's logic."""
    if operation == 12:
        for i in range(n):
            x, y = a[i], b[i]
            out[i] = np.nan if np.isnan(x) | np.isnan(y) else (1.0 if x < y else 0.0)
    elif operation == 13:
        for i in range(n):
            x, y = a[i], b[i]
            out[i] = np.nan if np.isnan(x) | np.isnan(y) else (1.0 if x <= y else 0.0)
    elif operation == 14:
        for i in range(n):
            x, y = a[i], b[i]
            out[i] = np.nan if np.isnan(x) | np.isnan(y) else (1.0 if x == y else 0.0)
    elif operation == 15:
        for i in range(n):
            x, y = a[i], b[i]
            out[i] = np.nan if np.isnan(x) | np.isnan(y) else (1.0 if x != y else 0.0)
    elif operation == 16:
        for i in range(n):
            x, y = a[i], b[i]
            out[i] = 0.0 if (x == 0.0) | (y == 0.0) else x * y
    elif operation == 17:
        for i in range(n):
            x, y = a[i], b[i]
            out[i] = 1.0 if (x == 1.0) | (y == 1.0) else x + y
    elif operation == 18:
        for i in range(n):
            out[i] = 1.0 - a[i]
    elif operation == 19:
        for i in range(n):
            x = a[i]
            out[i] = 1.0 if np.isnan(x) else 0.0
    elif operation == 20:
        for i in range(n):
            out[i] = 1.0 if abs(a[i]) < np.inf else 0.0
    else:
        for i in range(n):
            x = a[i]
            out[i] = np.nan if np.isnan(x) else (b[i] if x != 0.0 else c[i])


@jit_inner
def _function(operation: int, out: NDArray[np.float64], a: NDArray[np.float64], n: int) -> None:
    for i in range(n):
        x = a[i]
        if operation == 22:
            y = fm.exponential(x)
        elif operation == 23:
            y = el.logarithm(x)
        elif operation == 24:
            y = el.logarithm10(x)
        elif operation == 25:
            y = el.sine(x)
        elif operation == 26:
            y = el.cosine(x)
        elif operation == 27:
            y = el.tangent(x)
        elif operation == 28:
            y = el.arcsine(x)
        elif operation == 29:
            y = el.arccosine(x)
        elif operation == 30:
            y = el.arctangent(x)
        elif operation == 31:
            y = el.hyperbolic_sine(x)
        elif operation == 32:
            y = el.hyperbolic_cosine(x)
        else:
            y = el.hyperbolic_tangent(x)
        out[i] = y


@jit_inner
def _function_of_two(
    operation: int,
    out: NDArray[np.float64],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    n: int,
) -> None:
    for i in range(n):
        if operation == 34:
            out[i] = el.polar_angle(a[i], b[i])
        elif operation == 35:
            out[i] = el.hypotenuse(a[i], b[i])
        else:
            out[i] = el.power(a[i], b[i])


@jit
def run_program(
    instructions: NDArray[np.int32],
    prologue: int,
    constants: NDArray[np.float64],
    loads: NDArray[np.int32],
    result: int,
    layout: NDArray[np.int64],
    numbers: NDArray[np.float64],
    registers: NDArray[np.float64],
    columns: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Evaluate a program on columns.

    Parameters
    ----------
    instructions : ndarray of int32, shape (m, len(INSTRUCTION))
    prologue : int
        So many instructions depend on constants only: they are carried out once.
    constants : ndarray of float64, shape (k,)
        They fill the first k registers.
    loads : ndarray of int32, shape (l, 2)
        Column and the register that it is copied to.
    result : int
        Register of the result.
    layout : ndarray of int64, numbers : ndarray of float64
        Tables: see `forefold.kernels.interpolation`.
    registers : ndarray of float64, shape (r, BLOCK)
        Scratch.
    columns : ndarray of float64, shape (c, n)
    out : ndarray of float64, shape (n,)
    """
    total = out.size
    for k in range(constants.size):
        for i in range(BLOCK):
            registers[k, i] = constants[k]
    values = registers[result]
    # the first turn is the prologue's; one loop, so that the instructions are compiled once
    for start in range(-BLOCK, total, BLOCK):
        n = min(BLOCK, total - max(start, 0))
        begin, end = (0, prologue) if start < 0 else (prologue, instructions.shape[0])
        for k in range(0 if start < 0 else loads.shape[0]):
            column, register = columns[loads[k, 0]], registers[loads[k, 1]]
            for i in range(n):
                register[i] = column[start + i]
        for k in range(begin, end):
            operation = instructions[k, 0]
            target, a = registers[instructions[k, 1]], registers[instructions[k, 2]]
            b, c = registers[instructions[k, 3]], registers[instructions[k, 4]]
            if operation < _FIRST_LOGIC:
                _arithmetic(operation, target, a, b, n)
            elif operation < FIRST_FUNCTION:
                _logic(operation, target, a, b, c, n)
            elif operation < _FIRST_OF_TWO:
                _function(operation, target, a, n)
            elif operation < _TABLE:
                _function_of_two(operation, target, a, b, n)
            else:
                look_up(layout[instructions[k, 5]], numbers, target, a, b, c, n)
        if start >= 0:
            for i in range(n):
                out[start + i] = values[i]


@jit
def run_simple_program(
    instructions: NDArray[np.int32],
    prologue: int,
    constants: NDArray[np.float64],
    loads: NDArray[np.int32],
    result: int,
    registers: NDArray[np.float64],
    columns: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """As `run_program`, for programs of arithmetic and logic only: they need not wait until functions are compiled."""
    total = out.size
    for k in range(constants.size):
        for i in range(BLOCK):
            registers[k, i] = constants[k]
    values = registers[result]
    # the first turn is the prologue's; one loop, so that the instructions are compiled once
    for start in range(-BLOCK, total, BLOCK):
        n = min(BLOCK, total - max(start, 0))
        begin, end = (0, prologue) if start < 0 else (prologue, instructions.shape[0])
        for k in range(0 if start < 0 else loads.shape[0]):
            column, register = columns[loads[k, 0]], registers[loads[k, 1]]
            for i in range(n):
                register[i] = column[start + i]
        for k in range(begin, end):
            operation = instructions[k, 0]
            target, a = registers[instructions[k, 1]], registers[instructions[k, 2]]
            b, c = registers[instructions[k, 3]], registers[instructions[k, 4]]
            if operation < _FIRST_LOGIC:
                _arithmetic(operation, target, a, b, n)
            else:
                _logic(operation, target, a, b, c, n)
        if start >= 0:
            for i in range(n):
                out[start + i] = values[i]
