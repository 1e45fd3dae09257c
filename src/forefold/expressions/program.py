"""A compiled formula: flat arrays, and how they are run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from forefold.expressions import Kind

__all__ = ["Program", "run"]


@dataclass(frozen=True, eq=False)
class Program:
    """A formula for the kernels; made by `compile_formula`.

    Attributes
    ----------
    text : str
        The formula as it was written.
    kind : {"number", "condition"}
        What it gives.
    names : tuple of str
        Columns that it is given.
    instructions : ndarray of int32, shape (m, 6)
        See `forefold.kernels.formula.INSTRUCTION`.
    prologue : int
        So many instructions depend on constants only.
    constants : ndarray of float64, shape (k,)
        They are in the first k registers.
    loads : ndarray of int32, shape (l, 2)
        Columns that are needed, and the registers that they are copied to.
    registers : int
        How many there are.
    result : int
        Register of the result.
    layout : ndarray of int64, shape (t, 6); numbers : ndarray of float64
        Tables: see `forefold.kernels.interpolation`.
    """

    text: str
    kind: Kind
    names: tuple[str, ...]
    instructions: NDArray[np.int32]
    prologue: int
    constants: NDArray[np.float64]
    loads: NDArray[np.int32]
    registers: int
    result: int
    layout: NDArray[np.int64]
    numbers: NDArray[np.float64]

    def __post_init__(self) -> None:
        for array in (self.instructions, self.constants, self.loads, self.layout, self.numbers):
            array.setflags(write=False)

    @property
    def needed(self) -> tuple[str, ...]:
        """Names of the columns that the result depends on; those in the text that cancel nowhere."""
        return tuple(self.names[column] for column, _ in self.loads)

    def evaluate(self, columns: ArrayLike) -> NDArray[np.float64]:
        """Evaluate on columns.

        Parameters
        ----------
        columns : array of float64, shape (len(names), n)
            Numbers, NaN where they are not known; conditions as 1, 0 and NaN.

        Returns
        -------
        ndarray of float64, shape (n,)
            Numbers; conditions are 1, 0 and NaN where they are not known. Each depends on its own column of the
            input only, to the last bit.

        Raises
        ------
        ValueError
            The shape is not that.

        Examples
        --------
        >>> from forefold.expressions import parse
        >>> from forefold.expressions.compile import compile_formula
        >>> program = compile_formula(parse("a > 1", {"a": "number"}), ["a"])
        >>> program.evaluate([[0.5, 2.0, float("nan")]])
        array([ 0.,  1., nan])
        """
        given = np.asarray(columns, dtype=np.float64)
        if given.ndim != 2 or given.shape[0] != len(self.names):
            message = f"columns have shape {given.shape}, ({len(self.names)}, n) is wanted"
            raise ValueError(message)
        return run(self, given)


def run(program: Program, columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Run a program on checked columns."""
    from forefold.kernels.formula import (
        BLOCK,
        FIRST_FUNCTION,
        run_program,
        run_simple_program,
    )

    # one type for the compiler, whether the columns may be written or not
    columns = np.ascontiguousarray(columns).view()
    columns.setflags(write=False)
    out = np.empty(columns.shape[1])
    registers = np.empty((program.registers, BLOCK))
    code = (program.instructions, program.prologue, program.constants, program.loads)
    with np.errstate(all="ignore"):  # where the kernels are not compiled
        if np.all(program.instructions[:, 0] < FIRST_FUNCTION):
            run_simple_program(*code, program.result, registers, columns, out)
        else:
            tables = (program.layout, program.numbers)
            run_program(*code, program.result, *tables, registers, columns, out)
    return out
