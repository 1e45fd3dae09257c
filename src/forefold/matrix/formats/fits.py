"""Binary tables of FITS, as far as response files use them: written and read without another package.

References
----------
FITS standard 4.0, sections 3, 4 and 7.3 (https://fits.gsfc.nasa.gov/fits_standard.html).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Column", "Table", "read_tables", "table_bytes"]

_BLOCK = 2880
_CARD = 80
_KINDS = {"L": "u1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}
_OF_DTYPE = {"i": ("J", ">i4"), "f": ("D", ">f8")}
_FORM = re.compile(r"(\d*)([LXBIJKAEDCMPQ])(?:([LXBIJKAEDCM])(?:\(\d*\))?)?")
_HEADER_BLOCKS = 200  # of one header that are believed


@dataclass(frozen=True)
class Column:
    """A column to write.

    Attributes
    ----------
    name : str
    values : ndarray, or list of ndarray
        Whole numbers (32 bits) or floats (64 bits); a list makes cells of any length.
    unit : str
    """

    name: str
    values: Any
    unit: str = ""


@dataclass
class Table:
    """A binary table that was read.

    Attributes
    ----------
    name : str
    header : dict of str to str, float, int or bool
    columns : dict of str to ndarray, or list of ndarray
        Names in capitals; a list where cells are arrays.
    """

    name: str
    header: dict[str, Any]
    columns: dict[str, Any] = field(default_factory=dict)

    def unit(self, column: str) -> str:
        """Give the unit of a column, an empty string if there is none."""
        place = list(self.columns).index(column) + 1
        return str(self.header.get(f"TUNIT{place}", ""))


def _card(key: str, value: Any, comment: str = "") -> bytes:
    if isinstance(value, bool):
        text = f"{'T' if value else 'F':>20}"
    elif isinstance(value, str):
        text = "'" + value.replace("'", "''").ljust(8) + "'"
        text = text.ljust(20)
    else:
        text = f"{value!r:>20}"
    line = f"{key:<8}= {text}" + (f" / {comment}" if comment else "")
    return line[:_CARD].ljust(_CARD).encode("ascii", "replace")


def _header(cards: Sequence[tuple[Any, ...]]) -> bytes:
    text = b"".join(_card(*each) for each in cards) + b"END".ljust(_CARD)
    return text.ljust(-(-len(text) // _BLOCK) * _BLOCK)


def table_bytes(tables: Mapping[str, tuple[Sequence[Column], Mapping[str, Any]]]) -> bytes:
    """Write tables.

    Parameters
    ----------
    tables : mapping of str to (columns, header)
        By name of the extension.

    Returns
    -------
    bytes
        A whole file, with an empty primary array.
    """
    primary = [
        ("SIMPLE", True, "FITS standard"),
        ("BITPIX", 8),
        ("NAXIS", 0),
        ("EXTEND", True),
    ]
    return _header(primary) + b"".join(_table(name, *each) for name, each in tables.items())


def _table(name: str, columns: Sequence[Column], keywords: Mapping[str, Any]) -> bytes:
    rows = len(columns[0].values)
    heap = b""
    made, forms = [], []
    for column in columns:
        if isinstance(column.values, list):
            letter, kind = _OF_DTYPE[np.asarray(column.values[0]).dtype.kind]
            cells = [np.asarray(each).astype(kind).tobytes() for each in column.values]
            places = np.cumsum([len(heap), *(len(each) for each in cells)])[:-1]
            counts = [len(each) for each in column.values]
            heap += b"".join(cells)
            made.append(np.column_stack([counts, places]).astype(">i4"))
            forms.append(f"1P{letter}({max(counts)})")
        else:
            letter, kind = _OF_DTYPE[np.asarray(column.values).dtype.kind]
            made.append(np.asarray(column.values).astype(kind)[:, None])
            forms.append(f"1{letter}")
    body = b"".join(b"".join(each[i].tobytes() for each in made) for i in range(rows))
    width = sum(each.itemsize * each.shape[1] for each in made)
    cards: list[tuple[Any, ...]] = [
        ("XTENSION", "BINTABLE", "binary table"),
        ("BITPIX", 8),
        ("NAXIS", 2),
        ("NAXIS1", width),
        ("NAXIS2", rows),
        ("PCOUNT", len(heap)),
        ("GCOUNT", 1),
        ("TFIELDS", len(columns)),
        ("EXTNAME", name),
    ]
    for i, (column, form) in enumerate(zip(columns, forms, strict=True), 1):
        cards += [(f"TTYPE{i}", column.name), (f"TFORM{i}", form)]
        cards += [(f"TUNIT{i}", column.unit)] if column.unit else []
    data = body + heap
    return _header([*cards, *keywords.items()]) + data.ljust(
        -(-len(data) // _BLOCK) * _BLOCK, b"\0"
    )


def read_tables(content: bytes) -> list[Table]:
    """Read the binary tables of a file.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    list of Table

    Raises
    ------
    ValueError
        If it is no FITS file, or a damaged one.
    """
    if not content.startswith(b"SIMPLE  ="):
        message = "not a FITS file: it does not start with SIMPLE"
        raise ValueError(message)
    at, tables = 0, []
    while at < len(content) and content[at : at + _BLOCK].strip(b"\0 "):
        header, start = _read_header(content, at)
        size = _data_size(header)
        if start + size > len(content):
            message = f"damaged FITS file: it ends within the data of {header.get('EXTNAME', 'the primary array')}"
            raise ValueError(message)
        if str(header.get("XTENSION", "")).strip() == "BINTABLE":
            tables.append(_read_table(header, content[start : start + size]))
        at = start + -(-size // _BLOCK) * _BLOCK
    return tables


def _read_header(content: bytes, at: int) -> tuple[dict[str, Any], int]:
    header: dict[str, Any] = {}
    for block in range(_HEADER_BLOCKS):
        start = at + block * _BLOCK
        text = content[start : start + _BLOCK].decode("ascii", "replace")
        for k in range(0, len(text), _CARD):
            card = text[k : k + _CARD]
            if card[:8].strip() == "END":
                return header, start + _BLOCK
            if card[8:10] == "= ":
                header.setdefault(card[:8].strip(), _value(card[10:]))
        if len(text) < _BLOCK:
            break
    message = "damaged FITS file: a header has no END"
    raise ValueError(message)


def _value(text: str) -> Any:
    text = text.strip()
    if text.startswith("'"):
        found = re.match(r"'((?:[^']|'')*)'", text)
        return found[1].replace("''", "'").rstrip() if found else text
    word = text.partition("/")[0].strip()
    if word in ("T", "F"):
        return word == "T"
    for kind in (int, float):
        try:
            return kind(word.replace("D", "E"))
        except ValueError:
            continue
    return word


def _whole(header: dict[str, Any], key: str, default: int | None = None) -> int:
    value = header.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        message = f"damaged FITS file: {key} is {value!r}; a whole number is needed"
        raise ValueError(message)
    return value


def _data_size(header: dict[str, Any]) -> int:
    axes = [_whole(header, f"NAXIS{i}") for i in range(1, 1 + min(_whole(header, "NAXIS", 0), 999))]
    bits = header.get("BITPIX", 8)
    if bits not in (8, 16, 32, 64, -32, -64):
        message = f"damaged FITS file: BITPIX is {bits!r}"
        raise ValueError(message)
    if not axes:
        return 0
    return abs(int(bits)) // 8 * (_whole(header, "PCOUNT", 0) + math.prod(axes))


def _read_table(header: dict[str, Any], data: bytes) -> Table:
    name = str(header.get("EXTNAME", "")).strip()
    width, rows = _whole(header, "NAXIS1"), _whole(header, "NAXIS2")
    table = Table(name, header)
    raw = np.frombuffer(data, dtype=np.uint8, count=width * rows).reshape(rows, width)
    heap = data[_whole(header, "THEAP", width * rows) :]
    at = 0
    for i in range(1, 1 + _whole(header, "TFIELDS")):
        form = _FORM.match(str(header.get(f"TFORM{i}", "")).strip())
        if form is None:
            message = f"damaged FITS file: {name} has TFORM{i} = {header.get(f'TFORM{i}')!r}"
            raise ValueError(message)
        repeat, letter = int(form[1] or 1), form[2]
        size = _bytes(repeat, letter)
        if at + size > width:
            message = f"damaged FITS file: the columns of {name} are wider than its rows"
            raise ValueError(message)
        key = str(header.get(f"TTYPE{i}", f"COLUMN{i}")).strip().upper()
        scale = float(header.get(f"TSCAL{i}", 1.0)), float(header.get(f"TZERO{i}", 0.0))
        table.columns[key] = _cells(
            np.ascontiguousarray(raw[:, at : at + size]), repeat, letter, form[3] or "", heap, scale
        )
        at += size
    return table


def _bytes(repeat: int, letter: str) -> int:
    if letter == "X":
        return -(-repeat // 8)
    wide = {"P": 8, "Q": 16, "C": 8, "M": 16, "A": 1}
    return repeat * (wide[letter] if letter in wide else np.dtype(_KINDS[letter]).itemsize)


def _cells(
    raw: NDArray[np.uint8],
    repeat: int,
    letter: str,
    inner: str,
    heap: bytes,
    scale: tuple[float, float],
) -> Any:
    if letter in ("P", "Q") and inner in _KINDS:
        kind = np.dtype(_KINDS[inner])
        places = raw.view(">i4" if letter == "P" else ">i8").astype(np.int64)
        if np.any(places < 0) or np.any(places[:, 0] * kind.itemsize + places[:, 1] > len(heap)):
            message = "damaged FITS file: a cell lies outside the heap"
            raise ValueError(message)
        return [
            _scaled(np.frombuffer(heap, dtype=kind, count=n, offset=start if n else 0), scale)
            for n, start in places
        ]
    if letter not in _KINDS:
        return [bytes(row) for row in raw]  # texts and bits, which responses have no use for
    values = _scaled(raw.view(_KINDS[letter]), scale)
    return values[:, 0] if repeat == 1 else list(values)


def _scaled(values: NDArray[Any], scale: tuple[float, float]) -> NDArray[np.float64]:
    return np.asarray(values.astype(np.float64) * scale[0] + scale[1])
