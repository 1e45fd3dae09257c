"""An expression that is read and checked, ready to be evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.expressions.check import check_names, kind_of
from forefold.expressions.columns import Columns
from forefold.expressions.evaluate import Truth, evaluate_tree
from forefold.expressions.functions import FUNCTIONS, announced
from forefold.expressions.parser import parse_tree
from forefold.expressions.tree import Call, Compare, Name, calls, names, parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from forefold.expressions.parser import OfWords
    from forefold.expressions.tree import Kind, Node

__all__ = ["Expression", "limits", "parse"]


@dataclass(frozen=True)
class Expression:
    """A number or a condition in terms of named quantities; made by `parse`.

    Attributes
    ----------
    text : str
        As it was written.
    tree : Node
        What was read, frozen.
    kind : {"number", "condition"}
        What it gives.
    kinds : dict of str to {"number", "condition"}
        Quantities that it needs, in the order of the text, and what they are.
    functions : dict of str to int
        Functions that it needs beside those of the language, and how many arguments they take.
    """

    text: str
    tree: Node
    kind: Kind
    kinds: Mapping[str, Kind] = field(compare=False)
    functions: Mapping[str, int] = field(compare=False, default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Quantities that it needs, in the order of the text, each once."""
        return tuple(self.kinds)

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Evaluate on columns.

        Parameters
        ----------
        values : mapping of str to array or scalar
            Namespace; only what the expression names is looked up, once each. Columns are numpy arrays (masked
            ones too) or awkward arrays, of shape (n,) or of lists; one value an event goes with each element of
            its list. Whole numbers are exact up to 2^53. Functions that were announced to `parse` are looked up
            here too: callables from float64 arrays to one.

        Returns
        -------
        array of float64, or masked array of bool; awkward array where the input has lists
            Numbers that are not known are NaN, conditions that are not known are masked (None in lists).

        Raises
        ------
        ValueError
            Columns do not fit together, or do not hold what `parse` was told.

        Examples
        --------
        >>> half = parse("a / 2", {"a": "number"})
        >>> half.evaluate({"a": [1.0, 3.0]})
        array([0.5, 1.5])
        """
        columns = Columns(values, self.kinds)
        result = evaluate_tree(self.tree, columns.flat, self._callables(values))
        if isinstance(result, Truth):
            return columns.shaped_truth(result)
        return columns.shaped(result)

    def select(self, values: Mapping[str, Any]) -> Any:
        """Evaluate a condition; what is not known is not selected.

        Parameters
        ----------
        values : mapping of str to array or scalar
            See `evaluate`.

        Returns
        -------
        array of bool, or awkward array of lists of them

        Raises
        ------
        ValueError
            The expression is a number, or see `evaluate`.

        Examples
        --------
        >>> cut = parse("0 < a < 2", {"a": "number"})
        >>> cut.select({"a": [1.0, 3.0, float("nan")]})
        array([ True, False, False])
        """
        columns = Columns(values, self.kinds)
        result = evaluate_tree(self.tree, columns.flat, self._callables(values))
        if not isinstance(result, Truth):
            message = (
                f"expression {self.text!r} is a number, a selection is a condition such as 'a > 0'"
            )
            raise ValueError(message)
        return columns.shaped(result.value & result.known)

    def _callables(self, values: Mapping[str, Any]) -> dict[str, Callable[..., Any]]:
        """Functions of the namespace; it may be lazy, so one that it lacks shows when it is asked for."""
        found: dict[str, Callable[..., Any]] = {}
        for name in self.functions:
            try:
                value = values[name]
            except KeyError:
                message = (
                    f"expression {self.text!r} calls {name!r}, the values hold no such function"
                )
                raise ValueError(message) from None
            if not callable(value):
                message = f"{name!r} holds {type(value).__name__}, a function was announced"
                raise ValueError(message)
            found[name] = value
        return found


def parse(
    text: str,
    kinds: Mapping[str, Kind],
    functions: Mapping[str, int] | None = None,
    labels: Mapping[str, Mapping[str, float]] | None = None,
    elsewhere: Mapping[str, str] | None = None,
    of_words: Mapping[str, OfWords] | None = None,
) -> Expression:
    """Read and check an expression.

    Parameters
    ----------
    text : str
        At most 10,000 characters.
    kinds : mapping of str to {"number", "condition"}
        The namespace: what each name stands for.
    functions : mapping of str to int, optional
        Functions of the namespace beside those of the language, and how many numbers each takes; they give
        numbers.
    labels : mapping of str to mapping of str to float, optional
        Names whose values have labels, which are compared in quotes, and the number that each label stands for.
    elsewhere : mapping of str to str, optional
        Names that are known and mean nothing here, and what to say of each.
    of_words : mapping of str to callable, optional
        Names behind which words stand in parentheses, such as ``mass(mu-, mu+)``; each makes, of a list of words, the name of the
        number that is meant, which ends in a parenthesis, or raises ValueError.

    Returns
    -------
    Expression

    Raises
    ------
    ValueError
        The text is no expression, names something unknown, or mixes numbers and conditions. One line, which
        points at the character. Or a function has a name that is taken.

    Examples
    --------
    >>> parse("abs(probe) == 14 and cc", {"probe": "number", "cc": "condition"}).names
    ('probe', 'cc')
    >>> parse("prob == 14", {"probe": "number", "cc": "condition"})
    Traceback (most recent call last):
    ...
    ValueError: expression, character 1 ('prob == 14'): unknown name 'prob' (did you mean 'probe'?)
    >>> twice = parse("twice(a) + 1", {"a": "number"}, {"twice": 1})
    >>> twice.evaluate({"a": [1.0, 2.0], "twice": lambda a: 2 * a})
    array([3., 5.])
    >>> quiet = parse("kind == 'quiet'", {"kind": "number"}, labels={"kind": {"quiet": 0, "loud": 1}})
    >>> quiet.select({"kind": [0, 1]})
    array([ True, False])
    """
    functions = functions or {}
    signatures = announced(functions)
    if both := sorted(functions.keys() & kinds.keys()):
        message = f"{both[0]!r} is both a name and a function of the namespace"
        raise ValueError(message)
    tree = parse_tree(text, {**FUNCTIONS, **signatures}, labels, of_words)
    check_names(text, tree, kinds, elsewhere or {})
    kind = kind_of(text, tree, kinds)
    named: dict[str, Kind] = {
        node.name: "number" if node.words else kinds[node.name] for node in names(tree)
    }
    called = [call.function for call in calls(tree)]
    needed = {name: functions[name] for name in called if name in functions}
    return Expression(text, tree, kind, named, needed)


def limits(tree: Node) -> Iterator[tuple[str, float]]:
    """Find quantities that an expression compares with numbers, and the numbers.

    Parameters
    ----------
    tree : Node
        Of an expression.

    Yields
    ------
    str, float
        Name and number, in the order of the text. The quantity stands alone, or its `abs`; the number may be computed of others.

    Examples
    --------
    >>> list(limits(parse("0 < a <= 2 * 45 and abs(b) < 1", {"a": "number", "b": "number"}).tree))
    [('a', 0.0), ('a', 90.0), ('b', 1.0)]
    """
    if isinstance(tree, Compare):
        for left, right in pairwise(tree.operands):
            for quantity, number in ((left, right), (right, left)):
                if isinstance(quantity, Call) and quantity.function == "abs":
                    (quantity,) = quantity.arguments  # noqa: PLW2901 - the same quantity
                constant = not any(names(number)) and not any(calls(number))
                if isinstance(quantity, Name) and constant:
                    value = evaluate_tree(number, {})
                    if isinstance(value, np.ndarray):
                        yield quantity.name, float(value)
    for part in parts(tree):
        yield from limits(part)
