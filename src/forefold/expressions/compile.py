"""From a checked tree to instructions on registers.

Equal parts of a formula are computed once. What depends on constants only is computed once a run: the arithmetic here,
functions by the kernels themselves, so that their bits are the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold.expressions.program import Program
from forefold.expressions.registers import placed
from forefold.expressions.tree import (
    Binary,
    Call,
    Compare,
    Condition,
    Logic,
    Name,
    Not,
    Number,
    Unary,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from forefold.expressions import Expression, Node
    from forefold.expressions.tables import Table

__all__ = ["Step", "compile_formula"]

_SWAPPED = {">": "<", ">=": "<="}
_FOLDED: Mapping[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "negative": np.negative,
}


class Step(NamedTuple):
    """One value of a formula: a constant, a column, or an operation on values that come before it.

    Attributes
    ----------
    operation : str
        ``"constant"``, ``"column"``, or one of `forefold.kernels.formula.OPERATIONS`.
    operands : tuple of int
        Indices of values; of a column its row.
    value : float or int
        Of a constant, as its 64 bits, so that -0 is not 0 and NaN is NaN; of a look-up its table.
    """

    operation: str
    operands: tuple[int, ...] = ()
    value: int = 0


def compile_formula(
    expression: Expression,
    names: Sequence[str],
    tables: Mapping[str, Table] | None = None,
    constants: Mapping[str, float] | None = None,
) -> Program:
    """Compile an expression to a program for the kernels.

    Parameters
    ----------
    expression : Expression
        From `forefold.expressions.parse`.
    names : sequence of str
        Columns that the program will be given, in their order; it may need less.
    tables : mapping of str to Table, optional
        Functions that were announced to `parse`.
    constants : mapping of str to float, optional
        Names that stand for one number each.

    Returns
    -------
    Program

    Raises
    ------
    ValueError
        A name is neither a column nor a constant, or a table is missing or has another number of axes.

    Notes
    -----
    Where a power's exponent is the number 2, 3, 4, 1, -1, -2 or 0.5 it is computed by multiplication, division or
    the square root, as `forefold.kernels.elementary.power` does.

    Examples
    --------
    >>> from forefold.expressions import parse
    >>> resolution = parse("sqrt(0.02**2 + 0.15**2 / E)", {"E": "number"})
    >>> compile_formula(resolution, ["E"]).evaluate([[1.0, 4.0]]).round(4)
    array([0.1513, 0.0776])
    """
    tables, constants = tables or {}, constants or {}
    for name in expression.names:
        if name not in names and name not in constants:
            message = f"formula {expression.text!r}: no column and no constant is named {name!r}"
            raise ValueError(message)
    for name, count in expression.functions.items():
        if name not in tables:
            message = f"formula {expression.text!r}: there is no table {name!r}"
            raise ValueError(message)
        if len(tables[name].axes) != count:
            axes = len(tables[name].axes)
            message = f"formula {expression.text!r}: table {name!r} has {axes} axes, {count} were announced"
            raise ValueError(message)
    builder = _Builder(names, list(expression.functions), constants)
    result = builder.value(expression.tree)
    layout, numbers = _side_by_side([tables[name] for name in expression.functions])
    plan = placed(builder.steps, result)
    return Program(
        expression.text,
        expression.kind,
        tuple(names),
        *plan,
        layout=layout,
        numbers=numbers,
    )


class _Builder:
    """Values of a formula in the order of their making, each once."""

    def __init__(
        self, names: Sequence[str], tables: Sequence[str], constants: Mapping[str, float]
    ) -> None:
        self._rows = {name: row for row, name in enumerate(names)}
        self._tables = {name: row for row, name in enumerate(tables)}
        self._constants = constants
        self._known: dict[Step, int] = {}
        self.steps: list[Step] = []

    def value(self, node: Node) -> int:
        match node:
            case Number():
                return self._constant(node.value)
            case Condition():
                return self._constant(1.0 if node.value else 0.0)
            case Name():
                return self._name(node.name)
            case Unary():
                operand = self.value(node.operand)
                return operand if node.operator == "+" else self._step("negative", operand)
            case Binary():
                left, right = self.value(node.left), self.value(node.right)
                if node.operator == "**":
                    return self._power(left, right)
                return self._step(node.operator, left, right)
            case Not():
                return self._step("not", self.value(node.operand))
            case Logic():
                return self._chain(node.operator, [self.value(part) for part in node.operands])
            case Compare():
                return self._compare(node)
            case Call():
                return self._call(node)

    def _made(self, step: Step) -> int:
        if step not in self._known:
            self._known[step] = len(self.steps)
            self.steps.append(step)
        return self._known[step]

    def _constant(self, value: float) -> int:
        return self._made(Step("constant", (), int(np.float64(value).view(np.int64))))

    def _number(self, index: int) -> np.float64 | None:
        """Value of a constant; None if it is none."""
        step = self.steps[index]
        return np.int64(step.value).view(np.float64) if step.operation == "constant" else None

    def _name(self, name: str) -> int:
        if name in self._constants:
            return self._constant(self._constants[name])
        return self._made(Step("column", (self._rows[name],)))

    def _step(self, operation: str, *operands: int, value: int = 0) -> int:
        numbers = [self._number(operand) for operand in operands]
        known = [number for number in numbers if number is not None]
        if operation in _FOLDED and len(known) == len(numbers):
            with np.errstate(all="ignore"):
                return self._constant(float(_FOLDED[operation](*known)))
        return self._made(Step(operation, operands, value))

    def _chain(self, operation: str, operands: list[int]) -> int:
        """Join operands from the left."""
        result = operands[0]
        for other in operands[1:]:
            result = self._step(operation, result, other)
        return result

    def _compare(self, node: Compare) -> int:
        """Compare neighbours; the chain holds where all of its links do."""
        operands = [self.value(operand) for operand in node.operands]
        links = []
        for operator, left, right in zip(node.operators, operands, operands[1:], strict=False):
            if operator in _SWAPPED:
                links.append(self._step(_SWAPPED[operator], right, left))
            else:
                links.append(self._step(operator, left, right))
        return self._chain("and", links)

    def _power(self, base: int, exponent: int) -> int:
        """Power, by multiplication where `elementary.power` multiplies."""
        number = self._number(exponent)
        if number is not None and number in {-1.0, -2.0}:
            base = self._step("/", self._constant(1.0), base)
            number = -number
        if number == 1.0:
            return base
        if number == 0.5:
            return self._step("power_half", base)
        if number not in {2.0, 3.0, 4.0}:
            return self._step("**", base, exponent)
        square = self._step("*", base, base)
        if number == 2.0:
            return square
        return self._step("*", square, base if number == 3.0 else square)

    def _call(self, node: Call) -> int:
        arguments = [self.value(argument) for argument in node.arguments]
        if node.function in self._tables:
            return self._step("table", *arguments, value=self._tables[node.function])
        if node.function in {"min", "max"}:
            return self._chain(node.function, arguments)
        return self._step(node.function, *arguments)


def _side_by_side(tables: Sequence[Table]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Lay tables one after the other, as `forefold.kernels.interpolation` reads them: where each begins, and the numbers."""
    from forefold.kernels.interpolation import LAYOUT_COLUMNS

    layout = np.zeros((len(tables), len(LAYOUT_COLUMNS)), dtype=np.int64)
    numbers: list[NDArray[np.float64]] = []
    start = 0
    for row, table in zip(layout, tables, strict=True):
        outside = math.nan if isinstance(table.outside, str) else float(table.outside)
        parts = [*table.axes, table.values.ravel(), np.array([outside])]
        row[0] = start
        row[1 : 1 + len(table.axes)] = [axis.size for axis in table.axes]
        row[4] = table.interpolation == "linear"
        row[5] = table.outside == "clamp"
        numbers += parts
        start += sum(part.size for part in parts)
    return layout, np.concatenate(numbers) if numbers else np.zeros(0)
