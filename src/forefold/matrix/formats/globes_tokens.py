"""Tokens of files in GLoBES's experiment definition language, with included files in place."""

from __future__ import annotations

import hashlib
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from forefold.events.particles import near

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Sources", "Token", "shown"]

_DEPTH, _INCLUDES = 10, 1_000  # GLoBES has 10, too; the other one stops files that multiply

_TOKEN = re.compile(
    r"""
      (?P<skip>    \s+ | //[^\n]* | /\*.*?\*/ | %!GLoBES\b )
    | (?P<text>    "[^"\n]*" )
    | (?P<numbers> \{ [\s\d.,eE+-]* \} )
    | (?P<number>  (?: \d+(?:\.\d*)? | \.\d+ ) (?: [eE][+-]?\d+ )? (?![\w.]) )
    | (?P<setting> [$@][A-Za-z]\w* )
    | (?P<list>    [%!][A-Za-z]\w* )
    | (?P<next>    \#NEXT\# )
    | (?P<name>    \#[A-Za-z]\w* )
    | (?P<word>    [A-Za-z]\w* )
    | (?P<sign>    [-+*^(){}<>,:;=@] | /(?!\*) )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)


class Token(NamedTuple):
    """A piece of a file.

    Attributes
    ----------
    kind : str
        ``text``, ``numbers``, ``number``, ``setting``, ``list``, ``next``, ``name``, ``word``, ``sign``, or ``end``.
    text : str
    place : str
        ``FILE, line N``; of the first file ``line N``.
    path : Path
    numbers : list of float
        Of ``numbers`` and ``number``.
    """

    kind: str
    text: str
    place: str
    path: Path
    numbers: list[float]


class Sources:
    """The files of a GLoBES configuration, all below one folder, as a stream of tokens.

    Parameters
    ----------
    path : Path
        The first file.
    base : Path, optional
        Folder in which included files are looked for, and outside of which none is read; that of the first file if left out.

    Attributes
    ----------
    base : Path
    digests : dict of str to str
        SHA-256 of every file that was read, by its name below `base`.
    """

    def __init__(self, path: Path, base: Path | None = None) -> None:
        self.path = path
        self.base = (path.parent if base is None else base).resolve()
        self.digests: dict[str, str] = {}
        self._includes = 0

    def name(self, path: Path) -> str:
        """Give the name of a file relative to the base."""
        place = path.resolve()
        inside = place.is_relative_to(self.base)
        return place.relative_to(self.base).as_posix() if inside else path.name

    def place(self, path: Path) -> str:
        """Begin to say where something stands; what reads files names the first one itself."""
        return "" if path == self.path else f"{self.name(path)}, "

    def text(self, path: Path) -> str:
        """Read a file.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        content = path.read_bytes()
        self.digests[self.name(path)] = hashlib.sha256(content).hexdigest()
        return content.decode("utf-8-sig", errors="replace")

    def locate(self, name: str, token: Token) -> Path:
        """Find a file that another one names: below the base, as GLoBES does, or else beside the other file.

        Parameters
        ----------
        name : str
        token : Token
            Token that includes it, for the message.

        Returns
        -------
        Path

        Raises
        ------
        ValueError
            If it would be outside the base, or there is no such file.
        """
        if not name or not name.isprintable():
            message = f"{token.place}: {name!r} is no name of a file"
            raise ValueError(message)
        try:
            for folder in (self.base, token.path.parent):
                path = (folder / name).resolve()
                if not path.is_relative_to(self.base):
                    message = (
                        f"{token.place}: {shown(name)} is outside the folder {self.base}; files are read below it "
                        "alone: base= (--base) says another one"
                    )
                    raise ValueError(message)
                if path.is_file():
                    return path
            there = [entry.name for entry in (self.base / name).parent.glob("*")]
        except OSError as error:
            message = f"{token.place}: {shown(name)} cannot be read: {error.strerror}"
            raise ValueError(message) from None
        message = (
            f"{token.place}: {shown(name)}: no such file in {self.base}{near(Path(name).name, there)}; base= (--base) "
            "says another folder"
        )
        raise ValueError(message)

    def tokens(self) -> Iterator[Token]:
        """Give the tokens of the first file, and of those that it includes.

        Yields
        ------
        Token
            The last one is of kind ``end``.

        Raises
        ------
        ValueError
            If something is no token, a file is missing, or files include each other.
        """
        yield from self._scan(self.text(self.path), [self.path])

    def tokens_of(self, text: str) -> Iterator[Token]:
        """Give the tokens of a text in place of the first file."""
        yield from self._scan(text, [self.path])

    def _scan(self, text: str, parents: list[Path]) -> Iterator[Token]:
        path = parents[-1]
        begin = self.place(path)
        at, line, including = 0, 1, False
        while at < len(text):
            match = _TOKEN.match(text, at)
            place = f"{begin}line {line}"
            if match is None or (match["text"] and not _printable(match["text"])):
                raise ValueError(_no_token(place, text, at))
            kind, piece = str(match.lastgroup), match[0]
            if kind == "numbers":
                numbers = _numbers(piece[1:-1], place)
                if numbers is None:  # one by one, which finds what is wrong
                    kind, piece, numbers = "sign", "{", []
            else:
                numbers = _numbers(piece, place) or [] if kind == "number" else []
            token = Token(kind, piece.strip('"'), place, path, numbers)
            if including and kind != "skip":
                if kind != "text":
                    message = f'{place}: include "FILE" is expected, not include {shown(piece)}'
                    raise ValueError(message)
                yield from self._included(token, parents)
                including = False
            elif kind == "word" and piece == "include":
                including = True
            elif kind != "skip":
                yield token
            at, line = at + len(piece), line + piece.count("\n")
        if including:
            message = f'{begin}line {line}: include "FILE" is expected, and the file ends'
            raise ValueError(message)
        if len(parents) == 1:
            yield Token("end", "the end of the file", f"{begin}line {line}", path, [])

    def _included(self, token: Token, parents: list[Path]) -> Iterator[Token]:
        path = self.locate(token.text, token)
        self._includes += 1
        if path in [parent.resolve() for parent in parents]:
            way = " > ".join(self.name(parent) for parent in (*parents, path))
            message = f"{token.place}: files include each other: {way}"
            raise ValueError(message)
        if len(parents) > _DEPTH or self._includes > _INCLUDES:
            limit = f"{_DEPTH} files deep" if len(parents) > _DEPTH else f"{_INCLUDES:,} files"
            message = f"{token.place}: includes go beyond {limit}"
            raise ValueError(message)
        try:
            text = self.text(path)
        except OSError as error:
            message = f"{token.place}: {shown(token.text)} cannot be read: {error.strerror}"
            raise ValueError(message) from None
        yield from self._scan(text, [*parents, path])


def shown(text: str) -> str:
    """Quote a piece of a file for a message, shortened to one line."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def _numbers(text: str, place: str) -> list[float] | None:
    """Read numbers between commas; None if they are not plain."""
    try:
        numbers = [float(part) for part in text.split(",")] if text.strip() else []
    except ValueError:
        return None
    if not all(map(math.isfinite, numbers)):
        message = f"{place}: a number is too large"
        raise ValueError(message)
    return numbers


def _printable(text: str) -> bool:
    return text.isprintable() and "\ufffd" not in text  # what no UTF-8 became


def _no_token(place: str, text: str, at: int) -> str:
    if text.startswith("/*", at):
        return f"{place}: a comment begins here and does not end"
    if text[at] == '"' and '"' not in text[at + 1 :].partition("\n")[0]:
        return f"{place}: a text begins here and does not end on its line"
    piece = re.compile(r"\S+").match(text, at)
    return f"{place}: {shown(piece[0] if piece else text[at])} is not understood"
