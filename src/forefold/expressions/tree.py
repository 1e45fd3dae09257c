"""What an expression is once it is read: a tree of frozen nodes.

Whatever evaluates expressions, on numpy arrays or elsewhere, walks this tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Binary",
    "Call",
    "Compare",
    "Condition",
    "Kind",
    "Logic",
    "Name",
    "Node",
    "Not",
    "Number",
    "Unary",
    "calls",
    "names",
    "parts",
]

Kind: TypeAlias = Literal["number", "condition"]


@dataclass(frozen=True)
class _Placed:
    start: int = field(default=0, kw_only=True, compare=False, repr=False)
    """Place of the node in the text, from 0."""


@dataclass(frozen=True)
class Number(_Placed):
    """A number that is written out, or a constant."""

    value: float


@dataclass(frozen=True)
class Condition(_Placed):
    """``true`` or ``false``."""

    value: bool


@dataclass(frozen=True)
class Name(_Placed):
    """A quantity of the namespace; one that is written ``name(words)``, such as ``mass(mu-, mu+)``, is called by all of this."""

    name: str

    @property
    def words(self) -> bool:
        """Whether it is called with words in parentheses."""
        return self.name.endswith(")")


@dataclass(frozen=True)
class Unary(_Placed):
    """Sign of a number: ``+`` or ``-``."""

    operator: str
    operand: Node


@dataclass(frozen=True)
class Binary(_Placed):
    """Arithmetic: ``+ - * / **``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Compare(_Placed):
    """A chain of comparisons such as ``0 < a <= b``; there is one operator less than operands."""

    operators: tuple[str, ...]
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Not(_Placed):
    """Negation of a condition."""

    operand: Node


@dataclass(frozen=True)
class Logic(_Placed):
    """Conditions that are joined by ``and``, or by ``or``."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Call(_Placed):
    """A function, of `FUNCTIONS` or announced by the namespace, and its arguments."""

    function: str
    arguments: tuple[Node, ...]


Node: TypeAlias = Number | Condition | Name | Unary | Binary | Compare | Not | Logic | Call


def parts(node: Node) -> tuple[Node, ...]:
    """Nodes that a node is made of, in the order of the text."""
    match node:
        case Unary() | Not():
            return (node.operand,)
        case Binary():
            return (node.left, node.right)
        case Compare() | Logic():
            return node.operands
        case Call():
            return node.arguments
        case _:
            return ()


def names(node: Node) -> Iterator[Name]:
    """Quantities that a tree names, in the order of the text, repeated ones too."""
    if isinstance(node, Name):
        yield node
    for part in parts(node):
        yield from names(part)


def calls(node: Node) -> Iterator[Call]:
    """Functions that a tree calls, in the order of the text, repeated ones too."""
    if isinstance(node, Call):
        yield node
    for part in parts(node):
        yield from calls(part)
