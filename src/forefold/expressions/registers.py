"""Values to registers: constants stay, the other registers are used again when their value is no longer needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from forefold.expressions.compile import Step

__all__ = ["Plan", "placed"]


class Plan(NamedTuple):
    """Parts of a `Program`; see there."""

    instructions: NDArray[np.int32]
    prologue: int
    constants: NDArray[np.float64]
    loads: NDArray[np.int32]
    registers: int
    result: int


def placed(steps: Sequence[Step], result: int) -> Plan:
    """Give each value that is needed a register.

    Parameters
    ----------
    steps : sequence of Step
        Operands come before what uses them.
    result : int
        Index of the value that is wanted.

    Returns
    -------
    Plan
        No instruction has the register of an operand for its result.
    """
    needed = _needed(steps, result)
    fixed = _fixed(steps)
    constants = [i for i in needed if steps[i].operation == "constant"]
    before = [i for i in needed if fixed[i] and steps[i].operation != "constant"]
    columns = [i for i in needed if steps[i].operation == "column"]
    after = [i for i in needed if not fixed[i] and steps[i].operation != "column"]
    # a constant's or a column's register is its place in this order
    register = {index: place for place, index in enumerate([*constants, *before, *columns])}
    last = {operand: i for i in after for operand in steps[i].operands}
    last[result] = len(steps)
    free: list[int] = []
    count = len(register)
    for i in after:
        if free:
            register[i] = free.pop()
        else:
            register[i] = count
            count += 1
        free += [register[k] for k in set(steps[i].operands) if last[k] == i and not fixed[k]]
    values = np.array([steps[i].value for i in constants], dtype=np.int64)
    rows = [(steps[i].operands[0], register[i]) for i in columns]
    return Plan(
        _instructions(steps, [*before, *after], register),
        len(before),
        values.view(np.float64),
        np.array(rows, dtype=np.int32).reshape(-1, 2),
        count,
        register[result],
    )


def _needed(steps: Sequence[Step], result: int) -> list[int]:
    """Values that the result depends on, in order."""
    wanted = {result}
    for i in range(result, -1, -1):
        if i in wanted and steps[i].operation != "column":
            wanted.update(steps[i].operands)
    return sorted(wanted)


def _fixed(steps: Sequence[Step]) -> list[bool]:
    """Tell which values depend on constants only."""
    fixed: list[bool] = []
    for step in steps:
        fixed.append(step.operation != "column" and all(fixed[k] for k in step.operands))
    return fixed


def _instructions(
    steps: Sequence[Step], order: Sequence[int], register: dict[int, int]
) -> NDArray[np.int32]:
    from forefold.kernels.formula import INSTRUCTION, OPERATIONS

    rows = np.zeros((len(order), len(INSTRUCTION)), dtype=np.int32)
    for row, i in zip(rows, order, strict=True):
        step = steps[i]
        row[0] = OPERATIONS.index(step.operation)
        row[1] = register[i]
        # an operand that an operation does not have is its first one, which is never written to
        row[2:5] = register[step.operands[0]]
        row[2 : 2 + len(step.operands)] = [register[k] for k in step.operands]
        row[5] = step.value
    return rows
