"""Where things stand in the text of a card: lines of keys, and how deep it is nested.

Python's TOML reader gives no positions. This scanner is for messages only: where it is not sure it says nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["lines_of_keys", "too_deep"]

Path = tuple[str | int, ...]

_DEEPEST = 50
# What is open at the end ends there, and a word is taken whole: each character is looked at a few times, whatever the text.
_STRINGS = r"""
      "{3} (?: [^\\] | \\. )*? (?: "{3} | \Z ) | '{3} .*? (?: '{3} | \Z )
    | " (?: [^"\\\n] | \\. )*+ (?: " | (?=\n) | \Z | \\ ) | ' [^'\n]*+ '?
"""
_COMMENT = r" \# [^\n]* "
_NESTING = re.compile(
    rf"""(?P<dotted> (?: (?: [\w-]++ | "[^"\n]*+" | '[^'\n]*+' ) [ \t]*+ \. [ \t]*+ ){{{_DEEPEST}}} )
    | {_COMMENT} | {_STRINGS} | [\w-]++ | (?P<open> [\[{{] ) | (?P<close> [\]}}] )""",
    re.DOTALL | re.VERBOSE,
)
_TOKENS = re.compile(
    rf"""{_COMMENT} | (?P<text> {_STRINGS} ) | (?P<line> \n ) | (?P<bare> [\w+:-]+ ) | (?P<sign> [\[\]{{}}=,] ) | [^\n] """,
    re.DOTALL | re.VERBOSE,
)


def too_deep(text: str) -> int | None:
    r"""Line at which lists, tables or dotted keys are nested deeper than any card; None if nowhere.

    Examples
    --------
    >>> too_deep("a = 1")
    >>> too_deep("a = 1\nb = " + "[" * 1000)
    2
    """
    depth = 0
    for found in _NESTING.finditer(text):
        if found["open"]:
            depth += 1
        elif found["close"]:
            depth = max(depth - 1, 0)
        if depth > _DEEPEST or found["dotted"]:
            return text.count("\n", 0, found.start()) + 1
    return None


def lines_of_keys(text: str) -> dict[Path, int]:
    r"""Line of every key and of every entry of a list, by path.

    Parameters
    ----------
    text : str
        TOML that can be read.

    Returns
    -------
    dict of tuple to int
        Lists count from 0, lines from 1.

    Examples
    --------
    >>> lines_of_keys('[[rule]]\nenergy = { of = "total" }\nwhen.momentum.lt = 1')[("rule", 0, "energy", "of")]
    2
    """
    scanner = _Scanner()
    for sign, word, line in _tokens(text):
        scanner.take(sign, word, line)
    return scanner.found


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    line = 1
    for found in _TOKENS.finditer(text):
        if found["line"]:
            yield "line", "", line
        elif found["text"]:
            yield "word", found["text"][1:-1], line
        elif found["bare"]:
            yield "word", found["bare"], line
        elif found["sign"]:
            yield found["sign"], "", line
        line += found[0].count("\n")


class _Scanner:
    def __init__(self) -> None:
        self.found: dict[Path, int] = {}
        self._tables: dict[Path, int] = {}  # arrays of tables: index of the latest
        self._prefix: Path = ()
        self._key: list[str] = []
        self._opened: list[tuple[str, Path]] = []  # lists and inline tables that are open
        self._index: list[int] = []
        self._header = 0  # brackets of a header that are open, and then all of them
        self._path: Path = ()
        self._in_value = False

    def take(self, sign: str, word: str, line: int) -> None:
        if sign == "line":
            if not self._opened:
                self._end_of_line(line)
            return
        if self._in_value and self._path and sign != "]":
            self.found.setdefault(self._path, line)
        if self._in_value:
            self._value(sign)
        elif sign == "word":
            self._key.append(word)
        elif sign == "[" and not self._opened and not self._key:
            self._header += 1
        elif sign == "=":
            self._path = (*(self._opened[-1][1] if self._opened else self._prefix), *self._key)
            for end in range(len(self._path) - len(self._key) + 1, len(self._path) + 1):
                self.found.setdefault(self._path[:end], line)
            self._key, self._in_value = [], True
        elif sign == "}" and self._opened:
            self._close()

    def _value(self, sign: str) -> None:
        if sign == "{":
            self._opened.append(("{", self._path))
            self._in_value = False
        elif sign == "[":
            self._opened.append(("[", self._path))
            self._index.append(0)
            self._path = (*self._path, 0)
        elif sign in {"]", "}"} and self._opened:
            self._close()
        elif sign == "," and self._opened:
            if self._opened[-1][0] == "{":
                self._in_value = False
            else:
                self._index[-1] += 1
                self._path = (*self._opened[-1][1], self._index[-1])

    def _close(self) -> None:
        kind, self._path = self._opened.pop()
        if kind == "[":
            self._index.pop()
        self._key, self._in_value = [], True

    def _end_of_line(self, line: int) -> None:
        if self._header:
            self._prefix = self._table(line)
        self._header, self._key, self._in_value = 0, [], False

    def _table(self, line: int) -> Path:
        path: Path = ()
        for i, part in enumerate(self._key):
            path = (*path, part)
            self.found.setdefault(path, line)
            last = i == len(self._key) - 1
            if last and self._header > 1:
                self._tables[path] = self._tables.get(path, -1) + 1
            if path in self._tables:
                path = (*path, self._tables[path])
        self.found.setdefault(path, line)
        return path
