"""Words to a tree: precedence as in Python, every way down counted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NoReturn

from forefold.expressions.check import known
from forefold.expressions.functions import CONSTANTS, FUNCTIONS
from forefold.expressions.tokens import Token, complaint, tokenize
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
    parts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from forefold.expressions.functions import Signature
    from forefold.expressions.tree import Node

    OfWords = Callable[[list[str]], str]

__all__ = ["MAX_HEIGHT", "MAX_NESTING", "parse_tree"]

MAX_NESTING = 40
"""How deep parentheses, functions, signs and powers may be nested: it bounds the parser's recursion."""

MAX_HEIGHT = 200
"""Nodes from the top of a tree to its deepest leaf: it bounds the recursion of all that walks trees."""

_COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
_FOREIGN = {
    "is": "equality is written ==",
    "in": "write a == 1 or a == 2",
    "if": "write where(condition, a, b)",
    "else": "write where(condition, a, b)",
    "lambda": "there are no functions of your own",
    "AND": "write 'and'",
    "OR": "write 'or'",
    "NOT": "write 'not'",
    "xor": "write (a) != (b)",
}


def parse_tree(
    text: str,
    functions: Mapping[str, Signature] = FUNCTIONS,
    labels: Mapping[str, Mapping[str, float]] | None = None,
    of_words: Mapping[str, OfWords] | None = None,
) -> Node:
    """Read an expression; names and kinds are not checked.

    Parameters
    ----------
    text : str
        Expression.
    functions : mapping of str to Signature, optional
        All functions that it may call.
    labels : mapping of str to mapping of str to float, optional
        Names whose values have labels, and the number that each label stands for.
    of_words : mapping of str to callable, optional
        Names behind which words stand in parentheses; each makes, of a list of words, the name of the quantity that is meant.

    Returns
    -------
    Node

    Raises
    ------
    ValueError
        The text is no expression; the message points at the character.

    Examples
    --------
    >>> parse_tree("-x ** 2")
    Unary(operator='-', operand=Binary(operator='**', left=Name(name='x'), right=Number(value=2.0)))
    """
    return _Parser(text, functions, labels or {}, of_words or {}).whole()


class _Parser:
    """Recursive descent; each method reads one level of precedence, loosest first."""

    def __init__(
        self,
        text: str,
        functions: Mapping[str, Signature],
        labels: Mapping[str, Mapping[str, float]],
        of_words: Mapping[str, OfWords],
    ) -> None:
        self._text = text
        self._functions = functions
        self._labels = labels
        self._of_words = of_words
        every = {label for those in labels.values() for label in those}
        self._tokens = tokenize(text, every, of_words)
        self._next = 0
        self._depth = 0
        self._heights: dict[int, int] = {}

    def whole(self) -> Node:
        if self._token.kind == "end":
            self._fail("the expression is empty")
        node = self._either()
        if self._token.text == ")":
            self._fail("')' without '('")
        if self._token.text == ",":
            self._fail("',' outside of a function's parentheses")
        if self._token.kind != "end":
            hint = _FOREIGN.get(self._token.text, "an operator is expected")
            self._fail(f"{self._token.text!r} cannot stand here: {hint}")
        return node

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _take(self, *texts: str) -> Token | None:
        """Take the next word if it is one of these."""
        token = self._token
        if token.kind in {"operator", "name"} and token.text in texts:
            self._next += 1
            return token
        return None

    def _fail(self, problem: str, token: Token | None = None) -> NoReturn:
        raise complaint(self._text, (token or self._token).start, problem)

    def _deeper(self, read: Callable[[], Node], token: Token) -> Node:
        """Go one level down, if there is one left."""
        self._depth += 1
        if self._depth > MAX_NESTING:
            self._fail(f"nested more than {MAX_NESTING} deep", token)
        node = read()
        self._depth -= 1
        return node

    def _made(self, node: Node) -> Node:
        """Take note of a node's height, by its identity: it stays alive as a part of the tree."""
        height = 1 + max(self._heights.get(id(part), 1) for part in parts(node))
        if height > MAX_HEIGHT:
            problem = f"more than {MAX_HEIGHT} operations one inside the other"
            raise complaint(self._text, node.start, problem)
        self._heights[id(node)] = height
        return node

    def _either(self) -> Node:
        return self._joined("or", self._both)

    def _both(self) -> Node:
        return self._joined("and", self._negation)

    def _joined(self, word: str, read: Callable[[], Node]) -> Node:
        start = self._token.start
        operands = [read()]
        while self._take(word):
            operands.append(read())
        if len(operands) == 1:
            return operands[0]
        return self._made(Logic(word, tuple(operands), start=start))

    def _negation(self) -> Node:
        token = self._take("not")
        if token is None:
            return self._comparison()
        return self._made(Not(self._deeper(self._negation, token), start=token.start))

    def _comparison(self) -> Node:
        start = self._token.start
        operands, operators = [self._operand()], []
        while self._token.kind == "operator" and self._token.text in _COMPARISONS:
            operators.append(self._token.text)
            self._next += 1
            operands.append(self._operand())
        nodes = tuple(self._labelled(i, operands, operators) for i in range(len(operands)))
        if not operators:
            return nodes[0]
        return self._made(Compare(tuple(operators), nodes, start=start))

    def _operand(self) -> Node | Token:
        """Read one side of a comparison: a sum, or a label, which can stand nowhere else."""
        token = self._token
        if token.kind != "label":
            return self._sum()
        self._next += 1
        return token

    def _labelled(self, i: int, operands: list[Node | Token], operators: list[str]) -> Node:
        """Turn a label into the number that it stands for beside the name it is compared with."""
        label = operands[i]
        if not isinstance(label, Token):
            return label
        beside = operands[max(i - 1, 0) : i] + operands[i + 1 : i + 2]
        named = [node for node in beside if isinstance(node, Name) and node.name in self._labels]
        if not beside or len(named) < len(beside):
            other = next((n.name for n in beside if isinstance(n, Name) and n not in named), None)
            self._fail(self._where_labels_stand(other), label)
        if not {"==", "!="}.issuperset(operators[max(i - 1, 0) : i + 1]):
            self._fail("a label is compared with == or !=", label)
        values = self._labels[named[0].name]
        if label.text not in values:
            near = known(label.text, values)
            self._fail(f"unknown label {label.text!r} of {named[0].name}{near}", label)
        return Number(float(values[label.text]), start=label.start)

    def _where_labels_stand(self, other: str | None = None) -> str:
        name, values = next(iter(self._labels.items()))
        some = " or ".join(self._labels)
        what = (
            f"a label is compared with {some}"
            if other is None
            else f"{other} has no labels, only {some}"
        )
        return f"{what}, as in {name} == {next(iter(values))!r}"

    def _sum(self) -> Node:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Node:
        return self._chain(("*", "/"), self._signed)

    def _chain(self, operators: tuple[str, str], read: Callable[[], Node]) -> Node:
        """Operators of the same rank, taken from the left."""
        node = read()
        while token := self._take(*operators):
            node = self._made(Binary(token.text, node, read(), start=token.start))
        return node

    def _signed(self) -> Node:
        token = self._take("+", "-")
        if token is None:
            return self._power()
        return self._made(Unary(token.text, self._deeper(self._signed, token), start=token.start))

    def _power(self) -> Node:
        base = self._atom()
        token = self._take("**")
        if token is None:
            return base
        power = self._deeper(self._signed, token)
        return self._made(Binary("**", base, power, start=token.start))

    def _atom(self) -> Node:
        token = self._token
        if token.kind == "number":
            return self._number()
        if token.kind == "name" and token.text not in {"and", "or", "not"}:
            return self._named()
        if token.kind == "label":
            self._fail(self._where_labels_stand())
        if not self._take("("):
            self._fail(_missing(token))
        node = self._deeper(self._either, token)
        self._close(token)
        return node

    def _close(self, opening: Token) -> None:
        if self._take(")"):
            return
        if self._token.kind == "end":
            self._fail("this '(' is never closed", opening)
        hint = _FOREIGN.get(self._token.text, "an operator or ')' is expected")
        self._fail(f"{self._token.text!r} cannot stand here: {hint}")

    def _number(self) -> Node:
        token = self._token
        value = float(token.text)
        if not math.isfinite(value):
            self._fail("this number is too large")
        self._next += 1
        return Number(value, start=token.start)

    def _named(self) -> Node:
        token = self._token
        self._next += 1
        if token.text in self._of_words:
            return self._with_words(token)
        if self._token.text == "(":
            return self._call(token)
        if token.text in CONSTANTS:
            value = CONSTANTS[token.text]
            if isinstance(value, bool):
                return Condition(value, start=token.start)
            return Number(value, start=token.start)
        if token.text in self._functions:
            usage = self._functions[token.text].usage
            self._fail(f"{token.text} is a function: write {usage}", token)
        return Name(token.text, start=token.start)

    def _with_words(self, token: Token) -> Node:
        words = self._token
        inside = words.text if words.kind == "words" else ""
        try:
            name = self._of_words[token.text]([w.strip() for w in inside.split(",") if w.strip()])
        except ValueError as error:
            self._fail(str(error), words if inside.strip() else token)
        self._next += 1
        return Name(name, start=token.start)

    def _call(self, token: Token) -> Node:
        opening = self._token
        self._next += 1
        if token.text not in self._functions:
            near = known(token.text, [*self._functions, *self._of_words])
            self._fail(f"unknown function {token.text!r}{near}", token)
        arguments: list[Node] = []
        if not self._take(")"):
            arguments.append(self._deeper(self._either, opening))
            while self._take(","):
                arguments.append(self._deeper(self._either, opening))
            self._close(opening)
        signature = self._functions[token.text]
        most = len(arguments) if signature.most is None else signature.most
        if not signature.least <= len(arguments) <= most:
            self._fail(f"{len(arguments)} arguments given: write {signature.usage}", token)
        return self._made(Call(token.text, tuple(arguments), start=token.start))


def _missing(token: Token) -> str:
    """Say what stands where a value should."""
    if token.kind == "end":
        return "the expression ends where a value is expected"
    hint = ": put 'not' and its condition in parentheses" if token.text == "not" else ""
    return f"{token.text!r} stands where a value is expected{hint}"
