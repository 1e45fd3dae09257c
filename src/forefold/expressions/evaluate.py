"""A tree on columns of numbers, with a third truth value for what is not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

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
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from forefold.expressions.tree import Node

__all__ = ["Truth", "evaluate_tree"]


@dataclass(frozen=True)
class Truth:
    """Conditions; `value` is False where `known` is."""

    value: NDArray[np.bool_]
    known: NDArray[np.bool_]

    def __invert__(self) -> Truth:
        return Truth(~self.value & self.known, self.known)

    def __and__(self, other: Truth) -> Truth:
        """Kleene's: false if one is false, even if the other is unknown."""
        false = ~self.value & self.known | ~other.value & other.known
        return Truth(self.value & other.value, self.known & other.known | false)

    def __or__(self, other: Truth) -> Truth:
        """Kleene's: true if one is true, even if the other is unknown."""
        true = self.value | other.value
        return Truth(true, self.known & other.known | true)


Value: TypeAlias = "NDArray[np.float64] | Truth"

_ARITHMETIC: Mapping[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
}
_COMPARISONS: Mapping[str, Callable[..., Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": np.abs,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "log10": np.log10,
    "floor": np.floor,
    "ceil": np.ceil,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "atan2": np.arctan2,
    "hypot": np.hypot,
    "min": np.minimum,
    "max": np.maximum,
}


def evaluate_tree(
    tree: Node,
    values: Mapping[str, Value],
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> Value:
    """Evaluate a checked tree on flat columns.

    Parameters
    ----------
    tree : Node
    values : mapping of str to float64 array or Truth
        Columns; only those that are named are looked up, each as often as it is named.
    functions : mapping of str to callable, optional
        Functions beside those of the language, from float64 arrays to one.

    Returns
    -------
    float64 array or Truth
        IEEE arithmetic; NaN is "not known".
    """
    with np.errstate(all="ignore"):
        return _Evaluator(values, functions or {}).value(tree)


class _Evaluator:
    def __init__(
        self, values: Mapping[str, Value], functions: Mapping[str, Callable[..., Any]]
    ) -> None:
        self._values = values
        self._functions = functions

    def value(self, node: Node) -> Value:
        match node:
            case Number():
                return np.asarray(node.value, dtype=np.float64)
            case Condition():
                return Truth(np.asarray(node.value), np.asarray(True))
            case Name():
                return self._values[node.name]
            case Unary():
                operand = self._number(node.operand)
                return np.asarray(-operand) if node.operator == "-" else operand
            case Binary():
                left, right = self._number(node.left), self._number(node.right)
                return np.asarray(_ARITHMETIC[node.operator](left, right))
            case Not() | Logic() | Compare():
                return self._truth(node)
            case Call():
                return self._call(node)

    def _number(self, node: Node) -> NDArray[np.float64]:
        value = self.value(node)
        assert isinstance(value, np.ndarray)
        return value

    def _truth(self, node: Node) -> Truth:
        match node:
            case Not():
                return ~self._truth(node.operand)
            case Logic():
                result = self._truth(node.operands[0])
                for operand in node.operands[1:]:
                    other = self._truth(operand)
                    result = result & other if node.operator == "and" else result | other
                return result
            case Compare():
                return self._compare(node)
            case _:
                value = self.value(node)
                assert isinstance(value, Truth)
                return value

    def _compare(self, node: Compare) -> Truth:
        """Compare neighbours; the chain holds where all of its links do."""
        values = [self.value(operand) for operand in node.operands]
        links = [
            _link(operator, values[i], values[i + 1]) for i, operator in enumerate(node.operators)
        ]
        result = links[0]
        for link in links[1:]:
            result &= link
        return result

    def _call(self, node: Call) -> Value:
        if node.function == "where":
            return self._where(node)
        arguments = [self._number(argument) for argument in node.arguments]
        if node.function in {"isnan", "isfinite"}:
            test = np.isnan if node.function == "isnan" else np.isfinite
            found = np.asarray(test(arguments[0]))
            return Truth(found, np.ones_like(found))
        if node.function not in _FUNCTIONS:
            return np.asarray(self._functions[node.function](*arguments), dtype=np.float64)
        function = _FUNCTIONS[node.function]
        result = arguments[0]
        if len(arguments) == 1:
            return np.asarray(function(result))
        for other in arguments[1:]:
            result = np.asarray(function(result, other))
        return result

    def _where(self, node: Call) -> Value:
        condition = self._truth(node.arguments[0])
        yes, no = self.value(node.arguments[1]), self.value(node.arguments[2])
        if isinstance(yes, Truth) and isinstance(no, Truth):
            value = np.where(condition.value, yes.value, no.value) & condition.known
            known = np.where(condition.value, yes.known, no.known) & condition.known
            return Truth(value, known)
        chosen = np.where(condition.value, yes, no)  # type: ignore[arg-type]
        return np.where(condition.known, chosen, np.nan)


def _link(operator: str, left: Value, right: Value) -> Truth:
    """Compare; what is not known on one side makes the outcome unknown."""
    if isinstance(left, Truth) and isinstance(right, Truth):
        known = left.known & right.known
        value = _COMPARISONS[operator](left.value, right.value)
    else:
        known = ~(np.isnan(left) | np.isnan(right))  # type: ignore[arg-type]
        value = _COMPARISONS[operator](left, right)
    return Truth(np.asarray(value & known), np.asarray(known))
