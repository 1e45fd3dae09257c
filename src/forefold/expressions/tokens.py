"""Words of an expression, each with its place in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["MAX_LENGTH", "Token", "complaint", "tokenize"]

MAX_LENGTH = 10_000
"""Characters of the longest expression."""

_EXCERPT = 24
_WORDS = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<label>'[^'\"\r\n]*'|\"[^'\"\r\n]*\")"
    r"|(?P<operator>\*\*|//|<=|>=|==|!=|<>|&&|\|\||<<|>>|[-+*/()<>,^=&|!~%@:;.?\[\]{}$#\\'\"`])"
)
_OPENED = re.compile(r"[ \t\r\n]*\(")
_HINTS = {
    "^": "a power is written **",
    "=": "equality is written ==",
    "<>": "'not equal' is written !=",
    "&&": "write 'and'",
    "&": "write 'and'",
    "||": "write 'or'",
    "|": "write 'or'",
    "!": "write 'not'",
    "~": "write 'not'",
    "//": "division is written /",
    "%": "there is no remainder",
    "'": "there are no strings",
    '"': "there are no strings",
    "[": "there is no indexing",
    ".": "there are no attributes",
    "?": "write where(condition, a, b)",
}
_KNOWN = frozenset({"**", "<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "(", ")", ","})


@dataclass(frozen=True, slots=True)
class Token:
    """One word.

    Attributes
    ----------
    kind : {"number", "name", "label", "words", "operator", "end"}
    text : str
        Of a label, what stands between the quotes; of words, what stands between the parentheses.
    start : int
        Place of its first character, from 0.
    """

    kind: str
    text: str
    start: int


def complaint(text: str, start: int, problem: str) -> ValueError:
    """Make the error that points at a character; it is one line, whatever the text holds.

    Examples
    --------
    >>> print(complaint("enu > > 2", 6, "a value is expected"))
    expression, character 7 ('> 2'): a value is expected
    """
    rest = text[start : start + _EXCERPT]
    if not rest.strip():
        return ValueError(f"expression, character {start + 1} (the end): {problem}")
    more = "..." if len(text) > start + _EXCERPT else ""
    return ValueError(f"expression, character {start + 1} ({rest + more!a}): {problem}")


def tokenize(
    text: str, labels: Collection[str] = (), of_words: Collection[str] = ()
) -> list[Token]:
    """Cut a text into words; the last one is the end.

    Parameters
    ----------
    text : str
        Expression.
    labels : collection of str
        Labels that may stand in quotes; without any, quotes are not allowed.
    of_words : collection of str
        Names behind which words stand in parentheses, which are no expressions: ``mass(mu-, mu+)``.

    Returns
    -------
    list of Token

    Raises
    ------
    ValueError
        A character or an operator that expressions do not have, a malformed number, or too long a text.

    Examples
    --------
    >>> [token.text for token in tokenize("enu>.5")]
    ['enu', '>', '.5', '']
    """
    if len(text) > MAX_LENGTH:
        message = f"expression: {len(text)} characters, at most {MAX_LENGTH} are allowed"
        raise ValueError(message)
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        match = _WORDS.match(text, place)
        if match is None or match.lastgroup is None:
            raise complaint(text, place, "a character that expressions do not have")
        kind, word = match.lastgroup, match.group()
        if kind == "label" and not labels:
            kind, word = "operator", word[0]
        if kind == "operator" and word not in _KNOWN:
            hint = _HINTS.get(word, "operators are + - * / ** == != < <= > >=")
            hint = "it is never closed" if labels and word in {"'", '"'} else hint
            raise complaint(text, place, f"{word!a} is not allowed: {hint}")
        if kind != "space":
            _check_apart(text, place, kind, tokens, labels)
            tokens.append(Token(kind, word[1:-1] if kind == "label" else word, place))
        place = match.end()
        if kind == "name" and word in of_words and (opened := _OPENED.match(text, place)):
            closed = _closed(text, opened.end() - 1)
            tokens.append(Token("words", text[opened.end() : closed], opened.end()))
            place = closed + 1
    tokens.append(Token("end", "", len(text)))
    return tokens


def _closed(text: str, place: int) -> int:
    """Place of the parenthesis that closes the one at a place; words such as K(S)0 have some of their own."""
    depth = 0
    for i in range(place, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            return i
    raise complaint(text, place, "this '(' is never closed")


def _check_apart(
    text: str, place: int, kind: str, tokens: list[Token], labels: Collection[str]
) -> None:
    """Refuse `2x`, `1.2.3` and `0x10`, which could be read in two ways."""
    if not tokens or kind not in {"number", "name"}:
        return
    last = tokens[-1]
    if last.kind == "number" and last.start + len(last.text) == place:
        bare = next((label for label in labels if text.startswith(label, last.start)), None)
        problem = (
            "a malformed number, or an operator is missing after it"
            if bare is None
            else f"a label stands in quotes: {bare!r}"
        )
        raise complaint(text, last.start, problem)
