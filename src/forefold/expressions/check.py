"""What is known, and numbers where numbers belong: an expression is checked before any event is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forefold._inputs import did_you_mean
from forefold.expressions.functions import CONDITIONS
from forefold.expressions.tokens import complaint
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
    names,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forefold.expressions.tree import Kind, Node

__all__ = ["check_names", "kind_of", "known"]


_SHOWN = 30  # names


def known(word: str, allowed: Iterable[str]) -> str:
    """Names that are near, or else those that there are, as many as a line holds; begins with the joint to what precedes."""
    everything = sorted(allowed)
    more = f" and {len(everything) - _SHOWN} more" if len(everything) > _SHOWN else ""
    shown = ", ".join(everything[:_SHOWN]) or "none"
    return did_you_mean(word, everything) or f"; known: {shown}{more}"


def check_names(
    text: str, tree: Node, allowed: Iterable[str], elsewhere: Mapping[str, str]
) -> None:
    """Refuse names that are not in the namespace; of some, `elsewhere` says what they are.

    Raises
    ------
    ValueError
        At the first unknown one, with near names.
    """
    allowed = frozenset(allowed)
    for node in names(tree):
        if node.name not in allowed and not node.words:
            problem = f"unknown name {node.name!r}{known(node.name, allowed)}"
            if node.name in elsewhere:
                problem = f"{node.name!r} {elsewhere[node.name]}"
            raise complaint(text, node.start, problem)


def kind_of(text: str, tree: Node, kinds: Mapping[str, Kind]) -> Kind:
    """Find whether an expression is a number or a condition, and refuse what mixes them.

    Parameters
    ----------
    text : str
        The expression, for messages.
    tree : Node
        What was read of it.
    kinds : mapping of str to {"number", "condition"}
        The names' kinds.

    Returns
    -------
    {"number", "condition"}

    Raises
    ------
    ValueError
        A number stands where a condition belongs, or the reverse.
    """
    return _Checker(text, kinds).kind(tree)


class _Checker:
    def __init__(self, text: str, kinds: Mapping[str, Kind]) -> None:
        self._text = text
        self._kinds = kinds

    def kind(self, node: Node) -> Kind:
        match node:
            case Number():
                return "number"
            case Condition():
                return "condition"
            case Name():
                return "number" if node.words else self._kinds[node.name]
            case Unary():
                return self._must(node.operand, "number", f"'{node.operator}'")
            case Binary():
                self._must(node.left, "number", f"'{node.operator}'")
                return self._must(node.right, "number", f"'{node.operator}'")
            case Not():
                return self._must(node.operand, "condition", "'not'")
            case Logic():
                for operand in node.operands:
                    self._must(operand, "condition", f"'{node.operator}'")
                return "condition"
            case Compare():
                return self._compare(node)
            case Call():
                return self._call(node)

    def _must(self, node: Node, wanted: Kind, where: str) -> Kind:
        if self.kind(node) == wanted:
            return wanted
        problem = (
            f"{where} takes conditions, this is a number: compare it with something"
            if wanted == "condition"
            else f"{where} takes numbers, this is a condition: where(condition, 1, 0) makes it one"
        )
        raise complaint(self._text, node.start, problem)

    def _compare(self, node: Compare) -> Kind:
        first = self.kind(node.operands[0])
        for operator, operand in zip(node.operators, node.operands[1:], strict=True):
            if first == "condition" and operator not in {"==", "!="}:
                problem = f"'{operator}' takes numbers, this is a condition"
                raise complaint(self._text, node.operands[0].start, problem)
            if self.kind(operand) != first:
                problem = "a condition is compared with a number: write the condition alone, or 'not' and the condition"
                raise complaint(self._text, operand.start, problem)
        return "condition"

    def _call(self, node: Call) -> Kind:
        if node.function != "where":
            for argument in node.arguments:
                self._must(argument, "number", node.function)
            return "condition" if node.function in CONDITIONS else "number"
        condition, yes, no = node.arguments
        self._must(condition, "condition", "where's first argument")
        kind = self.kind(yes)
        if self.kind(no) != kind:
            problem = "where's second and third argument must both be numbers or both be conditions"
            raise complaint(self._text, no.start, problem)
        return kind
