"""Parser of GLoBES's experiment definition language (AEDL).

The language is that of the GLoBES manual: constants, expressions, lists and their functions, environments, included files. What is not of it
is an error that names the piece, its file and line. Nothing of Python is evaluated.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np

from forefold.events.particles import near
from forefold.matrix.formats.globes_tokens import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from forefold.matrix.formats.globes_tokens import Token

    Array = NDArray[np.float64]

__all__ = [
    "KINDS",
    "LARGEST",
    "Definitions",
    "Row",
    "bin_edges",
    "defined",
    "sampling_edges",
]

LARGEST = 100_000  # bins of a file that is believed
KINDS = ("nuflux", "flux", "cross", "energy", "channel", "rule", "sys")
"""Environments of the language."""

_NESTED = 50  # brackets in each other
_FLAVOUR = re.compile(r"(NOSC_)?(e[lectron]*|m[uon]*|t[au]*)", re.IGNORECASE)
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "log": math.log,
    "log10": math.log10,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "copy": float,
}
_PRINTING = ("echo", "echon", "line")
_OF_LISTS = ("reverse", "interpolation", "bincenter", "samplingbincenter", *_PRINTING)

Value = Any
"""A number, a text, an array of numbers, or a list of these: what stands between colons, and texts in braces."""


class Row(NamedTuple):
    """A row of a smearing matrix: first and last index, and the numbers between them."""

    values: Array
    place: str


@dataclass
class Definitions:
    """All that files define, by name without ``$``, ``%``, ``@`` and ``#``.

    Attributes
    ----------
    settings : dict of str to Value
        ``$name``.
    variables : dict of str to float
        Constants.
    lists : dict of str to ndarray
        ``%name``.
    environments : dict of str to dict of str to dict of str to Value
        ``@name`` by kind and name of the environment. Terms such as ``0.5@#name`` are ``[0.5, "name"]``, always in a list of terms; so are lists of names.
    matrices : dict of str to list of Row
        ``@energy`` of each `energy` environment that has it.
    tokens : dict of (kind, name, attribute) to Token
        Place of each attribute in the files.
    notes : list of str
        Remarks on what has no meaning or is defined twice.
    """

    settings: dict[str, Value] = field(default_factory=dict)
    variables: dict[str, float] = field(default_factory=dict)
    lists: dict[str, Array] = field(default_factory=dict)
    environments: dict[str, dict[str, dict[str, Value]]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    matrices: dict[str, list[Row]] = field(default_factory=dict)
    tokens: dict[tuple[str, str, str], Token] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def defined(
    tokens: Iterator[Token], variables: Mapping[str, float] | None = None, *, bare: str = ""
) -> Definitions:
    """Parse tokens and collect all that the files define.

    Parameters
    ----------
    tokens : iterator of Token
        From `globes_tokens.Sources`.
    variables : mapping of str to float, optional
        Values of constants that the files use but do not define.
    bare : str
        Name for a matrix whose rows are in no environment; if empty, such rows are an error.

    Returns
    -------
    Definitions

    Raises
    ------
    ValueError
        If the syntax is wrong or a name is not defined; the message says file and line.
    """
    return _Parser(tokens, dict(variables or {}), bare).run()


class _Parser:
    """A parser that looks one token ahead, and evaluates as it goes."""

    def __init__(self, tokens: Iterator[Token], variables: dict[str, float], bare: str) -> None:
        self._tokens = tokens
        self._now = next(tokens)
        self._bare = bare
        self._depth = 0
        self.content = Definitions(variables=variables)

    def run(self) -> Definitions:
        while self._now.kind != "end":
            self._statement()
        return self.content

    def _next(self) -> Token:
        token = self._now
        if token.kind != "end":
            self._now = next(self._tokens)
        return token

    def _at(self, sign: str) -> bool:
        return self._now.kind == "sign" and self._now.text == sign

    def _take(self, sign: str, after: str) -> Token:
        if not self._at(sign):
            self._refuse(f"{sign!r} after {after}")
        return self._next()

    def _refuse(self, wanted: str) -> NoReturn:
        token = self._now
        text = token.text if token.kind == "end" else shown(token.text)
        message = f"{token.place}: {wanted} is expected, not {text}"
        raise ValueError(message)

    def _statement(self) -> None:
        token = self._now
        if self._at("{") or token.kind == "numbers":
            self._bare_rows()
            return
        if token.kind == "next":
            message = f"{token.place}: #NEXT# begins another experiment: write each into a file of its own"
            raise ValueError(message)
        if token.kind not in ("word", "setting", "list") or token.text.startswith("@"):
            self._refuse(f"a definition or an environment ({', '.join(KINDS)}(#NAME)<...>)")
        self._next()
        if token.kind == "word" and self._at("("):
            if token.text in KINDS:
                self._environment(token)
            elif token.text in _PRINTING:
                self._call(token)
                self.content.notes.append(
                    f"{token.place}: {token.text}() prints in GLoBES, and defines nothing"
                )
            else:
                message = (
                    f"{token.place}: {shown(token.text)} is no environment"
                    f"{near(token.text, list(KINDS))}; there are {', '.join(KINDS)}"
                )
                raise ValueError(message)
        elif token.kind == "setting":
            self._set(self.content.settings, token)
        else:
            self._define(token)

    def _define(self, token: Token) -> None:
        """Read a variable or a list."""
        self._take("=", token.text)
        value = self._expression()
        if token.kind == "word" and token.text in (*KINDS, *_FUNCTIONS, *_OF_LISTS):
            message = (
                f"{token.place}: {token.text} is a word of the language, and no name that is free"
            )
            raise ValueError(message)
        if token.kind == "word" and isinstance(value, float):
            self._keep(self.content.variables, token, value)
        elif token.kind == "list" and isinstance(value, np.ndarray):
            self._keep(self.content.lists, token, value)
        else:
            what = "a number" if token.kind == "word" else "a list of numbers"
            message = f"{token.place}: {token.text} is {what}, and not {shown(str(value))}; lists are %NAME"
            raise ValueError(message)

    def _environment(self, kind: Token) -> None:
        self._take("(", kind.text)
        if self._now.kind != "name":
            self._refuse(f"#NAME after {kind.text}(")
        name = self._next().text
        self._take(")", f"{kind.text}({name}")
        self._take("<", f"{kind.text}({name})")
        for other in KINDS:
            if other != kind.text and name[1:] in self.content.environments[other]:
                message = f"{kind.place}: {name} is a name of {other} already, and {kind.text} asks for it again"
                raise ValueError(message)
        content = self.content.environments[kind.text].setdefault(name[1:], {})
        while not self._at(">"):
            token = self._now
            if token.kind == "setting" and token.text.startswith("@"):
                self._next()
                self._attribute(content, kind.text, name[1:], token)
            elif token.kind in ("word", "list"):
                self._define(self._next())
            else:
                self._refuse(f"@NAME = ..., or '>', in {kind.text}({name})")
        self._next()

    def _attribute(self, content: dict[str, Value], kind: str, name: str, token: Token) -> None:
        if (kind, token.text) == ("energy", "@energy"):
            self._take("=", token.text)
            rows = self._rows()
            before = [row.values for row in self.content.matrices.get(name, ())]
            self._keep(
                {"energy": before} if before else {},
                token,
                [row.values for row in rows],
                (kind, name),
            )
            self.content.matrices[name] = rows
        elif (kind, token.text) == ("channel", "@channel"):
            self._take("=", token.text)
            self._keep(content, token, self._channel(), (kind, name))
        else:
            self._set(content, token, (kind, name))

    def _set(self, content: dict[str, Value], token: Token, of: tuple[str, str] = ("", "")) -> None:
        """Read a value under a name: ``$name = ...``, or in an environment ``@name = ...``; ``:=`` copies."""
        if self._at(":"):
            self._next()
        self._take("=", token.text)
        self._keep(content, token, self._value(), of)

    def _keep(
        self, content: dict[str, Value], token: Token, value: Value, of: tuple[str, str] = ("", "")
    ) -> None:
        """Keep a value under a name; another one that is there already is noted."""
        name = token.text.lstrip("$@%!")
        if name in content and not _same(content[name], value):
            where = f"{of[0]}(#{of[1]}): " if of[0] else ""
            self.content.notes.append(
                f"{token.place}: {where}{token.text} is defined again; the last one counts"
            )
        content[name] = value
        self.content.tokens[*of, name] = token

    def _bare_rows(self) -> None:
        """Read rows that stand in no environment, as the files have them that `@energy = include "FILE"` takes."""
        if not self._bare or self._bare in self.content.matrices:
            self._refuse("a definition")
        self.content.environments["energy"][self._bare] = {}
        self.content.matrices[self._bare] = self._rows()

    def _rows(self) -> list[Row]:
        rows = []
        while True:
            place = self._now.place
            values = self._expression()
            if not isinstance(values, np.ndarray):
                message = f"{place}: a row of a matrix is {{FIRST,LAST,NUMBERS}}, not {shown(str(values))}"
                raise ValueError(message)
            rows.append(Row(values, place))
            if not self._at(":"):
                break
            self._next()
        if self._at(";"):
            self._next()
        return rows

    def _channel(self) -> list[str]:
        """Read flux, sign, initial and final flavour, cross-section and energy resolution."""
        fields: list[str] = []
        for number in range(6):
            if number:
                self._take(":", f"{fields[-1]!r} of @channel")
            token = self._now
            good = token.kind == "name"
            if number == 1:
                good = self._at("+") or self._at("-")
            elif number in (2, 3):
                good = token.kind == "word" and bool(_FLAVOUR.fullmatch(token.text))
            if not good:
                self._refuse(
                    "#FLUX: SIGN: FLAVOUR: FLAVOUR: #CROSS: #ENERGY, with flavours e, m, t, or NOSC_ before one,"
                )
            fields.append(self._next().text.removeprefix("#"))
        return fields

    def _value(self) -> Value:
        """Read what stands between colons."""
        parts, several = [], False
        while True:
            part = self._part()
            several |= isinstance(part, list)
            parts.append(part)
            if not self._at(":"):
                break
            self._next()
        if several and not all(isinstance(part, list) for part in parts):
            self._refuse("NUMBER@#NAME, or a list of names, between all colons")
        if len(parts) == 1 and not several:
            return parts[0]
        return np.array(parts) if all(isinstance(part, float) for part in parts) else parts

    def _part(self) -> Value:
        if self._now.kind == "text":
            return self._next().text
        value = self._expression()
        if not self._at("@"):
            return value
        self._next()
        if self._now.kind != "name" or not isinstance(value, float):
            self._refuse("NUMBER@#NAME")
        return [value, self._next().text[1:]]

    def _expression(self) -> Value:
        """Read a sum."""
        value = self._product()
        while self._at("+") or self._at("-"):
            sign = self._next()
            value = self._joined(sign, value, self._product())
        return value

    def _product(self) -> Value:
        value = self._signed()
        while self._at("*") or self._at("/"):
            sign = self._next()
            value = self._joined(sign, value, self._signed())
        return value

    def _signed(self) -> Value:
        if self._at("-") or self._at("+"):
            sign = self._next()
            with_sign = self._inside(self._signed)
            return self._joined(sign, 0.0, with_sign) if sign.text == "-" else with_sign
        base = self._atom()
        if not self._at("^"):
            return base
        sign = self._next()
        return self._joined(sign, base, self._inside(self._signed))

    def _inside(self, read: Callable[[], Value]) -> Value:
        """Read what is nested, not without end."""
        self._depth += 1
        if self._depth > _NESTED:
            message = f"{self._now.place}: more than {_NESTED} brackets and signs in each other"
            raise ValueError(message)
        value = read()
        self._depth -= 1
        return value

    def _joined(self, sign: Token, a: Value, b: Value) -> float:
        if not (isinstance(a, float) and isinstance(b, float)):
            message = f"{sign.place}: {sign.text!r} is between numbers, not lists or names"
            raise ValueError(message)
        operations: dict[str, Callable[[], float]] = {
            "+": lambda: a + b,
            "-": lambda: a - b,
            "*": lambda: a * b,
            "/": lambda: a / b,
            "^": lambda: math.pow(a, b),
        }
        return _computed(sign, operations[sign.text], f"{a:g} {sign.text} {b:g}")

    def _atom(self) -> Value:
        token = self._now
        if self._at("("):
            self._next()
            value = self._inside(self._expression)
            self._take(")", "an expression in brackets")
            return value
        if self._at("{"):
            return self._inside(self._braces)
        if token.kind not in ("number", "numbers", "list", "name", "word"):
            self._refuse("a number, a list or a name")
        self._next()
        if token.kind == "number":
            return token.numbers[0]
        if token.kind == "numbers":
            return np.array(token.numbers)
        if token.kind == "name":
            return token.text[1:]
        if token.kind == "list":
            return self._looked_up(self.content.lists, token, token.text[1:])
        if self._at("("):
            return self._inside(lambda: self._call(token))
        return self._looked_up(self.content.variables, token, token.text)

    def _looked_up(self, names: dict[str, Any], token: Token, name: str) -> Value:
        if name not in names:
            how = "" if token.kind == "list" else "; constants= (--constant NAME=VALUE) gives it"
            message = (
                f"{token.place}: {shown(token.text)} is not defined{near(name, list(names))}{how}"
            )
            raise ValueError(message)
        return names[name]

    def _braces(self) -> Value:
        """Read a list that is not of plain numbers alone: of expressions, or of names."""
        opening = self._next()
        values: list[Value] = []
        while not self._at("}"):
            if values:
                self._take(",", f"{shown(str(values[-1]))} in {{...}}")
            values.append(self._expression())
        self._next()
        if all(isinstance(value, float) for value in values):
            return np.array(values, dtype=np.float64)
        if all(isinstance(value, str) for value in values):
            return values
        message = f"{opening.place}: a list holds numbers, or names, not both, and no lists"
        raise ValueError(message)

    def _call(self, token: Token) -> Value:
        """Call a function; those of numbers go through lists number by number."""
        self._take("(", token.text)
        values: list[Value] = []
        while not self._at(")"):
            if values:
                self._take(",", f"an argument of {token.text}()")
            values.append(self._expression())
        self._next()
        name, one = token.text, values[0] if len(values) == 1 else None
        if name in ("bincenter", "samplingbincenter") and not values:
            of = bin_edges if name == "bincenter" else sampling_edges
            try:
                edges = of(self.content.settings)
            except ValueError as error:
                message = f"{token.place}: {error}"
                raise ValueError(message) from None
            return 0.5 * (edges[1:] + edges[:-1])
        if name == "interpolation":
            return _interpolated(token, values)
        if name not in (*_FUNCTIONS, *_OF_LISTS):
            names = [*_FUNCTIONS, *_OF_LISTS]
            message = f"{token.place}: no function {shown(name)}{near(name, names)}; there are {', '.join(names)}"
            raise ValueError(message)
        numbers = one if isinstance(one, np.ndarray) else values
        if not values or not all(isinstance(value, float) for value in numbers):
            message = f"{token.place}: {name}() takes numbers, or one list of them"
            raise ValueError(message)
        if name == "reverse":
            return np.array(numbers[::-1], dtype=np.float64)
        function = _FUNCTIONS.get(name, float)
        done = [
            _computed(token, lambda x=float(x): function(x), f"{name}({x:g})")  # type: ignore[misc]
            for x in numbers
        ]
        return done[0] if isinstance(one, float) else np.array(done, dtype=np.float64)


def _same(a: Value, b: Value) -> bool:
    """Tell whether two values are one."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return type(a) is type(b) and np.array_equal(a, b)


def _computed(token: Token, compute: Callable[[], float], words: str) -> float:
    """Compute a number, or say why there is none."""
    try:
        value = compute()
    except (ArithmeticError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        message = f"{token.place}: {words} is no finite number"
        raise ValueError(message)
    return value


def _interpolated(token: Token, values: list[Value]) -> Array:
    """Interpolate between points as GSL does: straight (1), or by a natural cubic spline (2)."""
    if (
        len(values) != 4
        or not all(isinstance(values[k], np.ndarray) for k in (0, 1, 3))
        or values[2] not in (1.0, 2.0)
    ):
        message = f"{token.place}: interpolation(%x, %y, 1 or 2, %at) is expected"
        raise ValueError(message)
    x, y, order, at = values
    fewest = 2 if order == 1.0 else 3
    if not (x.size == y.size >= fewest and np.all(np.diff(x) > 0.0)):
        message = (
            f"{token.place}: interpolation() of {x.size} and {y.size} numbers; as many of each, {fewest} or more, and "
            "ascending ones in the first list are needed"
        )
        raise ValueError(message)
    outside = (at < x[0]) | (at > x[-1])
    if outside.any():
        message = (
            f"{token.place}: interpolation() at {at[outside][0]:g}, outside {x[0]:g} to {x[-1]:g}"
        )
        raise ValueError(message)
    if order == 1.0:
        return np.asarray(np.interp(at, x, y))
    from scipy.interpolate import CubicSpline

    return np.asarray(CubicSpline(x, y, bc_type="natural")(at))


def bin_edges(settings: Mapping[str, Value]) -> Array:
    """Give the edges of reconstructed bins, in GeV.

    Parameters
    ----------
    settings : mapping of str to Value
        With ``bins`` or ``binsize``, ``emin`` and ``emax``.

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        If these settings are missing, or give no valid bins.
    """
    return _edges(settings, "bins", "binsize", "emin", "emax", None)


def sampling_edges(settings: Mapping[str, Value]) -> Array:
    """Give the edges of sampling points, which are the true bins, in GeV; see `bin_edges`.

    They equal the reconstructed bins if the settings do not define them.
    """
    bins = None
    if not {"sampling_points", "sampling_stepsize"} & set(settings):
        bins = bin_edges(settings)
    return _edges(
        settings, "sampling_points", "sampling_stepsize", "sampling_min", "sampling_max", bins
    )


def _edges(
    settings: Mapping[str, Value],
    count: str,
    widths: str,
    low: str,
    high: str,
    default: Array | None,
) -> Array:
    if default is not None and not {low, high} & set(settings):
        return default
    first = _number(settings, low, "emin")
    if widths in settings:
        steps = settings[widths]
        if not (isinstance(steps, np.ndarray) and steps.size and np.all(steps > 0.0)):
            message = f"${widths}: widths above 0 are needed"
            raise ValueError(message)
        return np.asarray(first + np.concatenate([[0.0], np.cumsum(steps)]))
    last = _number(settings, high, "emax")
    n = _number(settings, count) if default is None else float(default.size - 1)
    if not (0 < n <= LARGEST and n == int(n) and first < last):
        message = f"${count} = {n:g} from ${low} = {first:g} to ${high} = {last:g}: 1 to {LARGEST} bins, the lower limit first, are needed"
        raise ValueError(message)
    return np.linspace(first, last, int(n) + 1)


def _number(settings: Mapping[str, Value], name: str, instead: str = "") -> float:
    value = settings.get(name, settings.get(instead))
    if isinstance(value, float):
        return value
    if value is not None:
        message = f"${name}: a number is needed"
        raise ValueError(message)
    names = ", ".join(f"${key}" for key in settings) or "none"
    message = f"${name} is missing (there are: {names}); bins are $bins or $binsize with $emin and $emax, or true= and reco= (--true, --reco NAME=LOW:HIGH:BINS)"
    raise ValueError(message)
