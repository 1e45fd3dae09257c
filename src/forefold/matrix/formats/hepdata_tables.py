"""Tables of HEPData in YAML or JSON: their bins and numbers.

References
----------
HEPData submission documentation, "Data Files" (https://hepdata-submission.readthedocs.io).
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold.events.particles import near

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = [
    "axis_label",
    "axis_name",
    "decimal",
    "dependent",
    "gridded",
    "limits_of",
    "loaded",
    "numbers",
]

_LARGEST = 1e150  # squares must be finite
_MOST = 5_000_000  # cells of a table that are believed
# in decimals: YAML 1.1 reads 1:30 as 90, 010 as 8 and 0x1f as 31, and Python 1_000 as 1000
_DECIMAL = re.compile(r"[-+]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_SIDES = {"true": "true", "reco": "reco", "reconstructed": "reco"}


class _DuplicateKey(ValueError):
    """A key is there twice in one mapping."""


def axis_name(header: str) -> str:
    """Make the name of an axis from a header: letters, digits and _, with a word for the side moved to the end.

    Examples
    --------
    >>> axis_name("True energy"), axis_name("Energy (reconstructed)"), axis_name("E_vis")
    ('energy_true', 'energy_reco', 'e_vis')
    """
    name = re.sub(r"[\W_]+", "_", header, flags=re.ASCII).strip("_").lower()
    words = name.split("_")
    for at in (0, -1):
        if words[at] in _SIDES and len(words) > 1:
            side = _SIDES[words.pop(at)]
            return "_".join([*words, side])
    return name or "value"


def axis_label(column: Any) -> str:
    """Give the header of an independent variable with its unit, if it has one: ``name [unit]``."""
    header = column["header"]
    unit = header.get("units")
    return f"{header['name']} [{unit}]" if unit else str(header["name"])


def loaded(place: Path) -> Any:
    """Read a file of YAML, or of JSON if its name says so.

    Raises
    ------
    ValueError
        If the file is neither, or a key appears twice in one mapping.
    ModuleNotFoundError
        If PyYAML is not installed.
    """
    text = place.read_text(encoding="utf-8", errors="replace")
    if place.suffix == ".json":
        try:
            return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=str)
        except _DuplicateKey:
            raise
        except (ValueError, RecursionError) as error:
            message = f"not JSON: {error}"
            raise ValueError(message) from None
    try:
        import yaml
    except ImportError:
        message = "reading YAML needs PyYAML: pip install 'forefold[yaml]'"
        raise ModuleNotFoundError(message) from None
    try:
        return yaml.load(text, Loader=_yaml_loader(yaml))
    except _DuplicateKey:
        raise
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        message = f"not YAML: {' '.join(str(error).split())[:200]}"
        raise ValueError(message) from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        message = f"the key {twice!r} is there twice in one object"
        raise _DuplicateKey(message)
    return mapping


def _yaml_loader(yaml: Any) -> Any:
    """Give a safe loader that refuses a key that is there twice, of which others take the last."""

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = set()
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            for key in (key for key, _ in pairs if isinstance(key, yaml.ScalarNode)):
                if (key.tag, key.value) in keys:
                    line = key.start_mark.line + 1
                    message = f"line {line}: the key {key.value!r} is there twice in one mapping"
                    raise _DuplicateKey(message)
                keys.add((key.tag, key.value))
            return super().construct_mapping(node, deep)

    def number(loader: Any, node: Any) -> Any:
        """Read decimals; other spellings stay texts, which are refused as numbers."""
        text = loader.construct_scalar(node)
        if _DECIMAL.fullmatch(text) is None:
            return text
        return float(text) if any(c in text for c in ".eE") else int(text)

    def truth(loader: Any, node: Any) -> Any:
        """Read true and false alone: yes, no, on and off are texts in YAML 1.2 and in headers."""
        text = loader.construct_scalar(node)
        return text.lower() == "true" if text.lower() in ("true", "false") else text

    Loader.add_constructor("tag:yaml.org,2002:int", number)
    Loader.add_constructor("tag:yaml.org,2002:float", number)
    Loader.add_constructor("tag:yaml.org,2002:bool", truth)
    return Loader


def decimal(value: Any) -> float:
    """Read a finite number, or the decimal text of one.

    Raises
    ------
    ValueError
        If it is anything else, such as ``yes``, ``1:30``, ``.nan`` or ``.inf``.

    Examples
    --------
    >>> decimal(3), decimal("1e-05")
    (3.0, 1e-05)
    >>> decimal("1:30")
    Traceback (most recent call last):
    ...
    ValueError: '1:30' is no finite number in decimals
    """
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        value = float(value)
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not abs(value) < _LARGEST:
        message = f"{str(value)[:40]!r} is no finite number in decimals"
        raise ValueError(message)
    return float(value)


def dependent(content: Any, name: str | None) -> tuple[list[Any], str, Any]:
    """Give the independent variables of a table, and one dependent variable with its name.

    Raises
    ------
    ValueError
        If it is no data table, there is no variable of this name, or several without a name to choose. Variables with the same header are
        ``NAME #1``, ``NAME #2``.
    """
    try:
        independent = list(content["independent_variables"])
        columns = list(content["dependent_variables"])
        headers = [str(column["header"]["name"]) for column in columns]
    except (KeyError, TypeError) as error:
        message = f"not a data table of HEPData: independent_variables and dependent_variables with headers are needed ({type(error).__name__} {error})"
        raise ValueError(message) from None
    several = dict(zip(_unique_names(headers), columns, strict=True))
    listed = (
        ", ".join(f"{title}{_qualified(column)}" for title, column in several.items()) or "none"
    )
    if name is None and len(several) != 1:
        message = (
            f"{len(several)} dependent variables: {listed}; say which is meant: name= (--name)"
        )
        raise ValueError(message)
    chosen = next(iter(several)) if name is None else name
    if chosen not in several:
        message = f"no dependent variable {chosen!r}{near(chosen, several)}; there are: {listed}"
        raise ValueError(message)
    return independent, chosen, several[chosen]


def _unique_names(headers: list[str]) -> list[str]:
    """Give headers a number where they are there more than once: ``NAME #1``, ``NAME #2``."""
    return [
        header if headers.count(header) == 1 else f"{header} #{headers[: k + 1].count(header)}"
        for k, header in enumerate(headers)
    ]


def _qualified(column: Any) -> str:
    """Give the qualifiers of a dependent variable, which tell it from others of its name."""
    try:
        texts = [
            " ".join(str(qualifier[key]) for key in ("name", "value", "units") if key in qualifier)
            for qualifier in column.get("qualifiers", [])
        ]
    except (TypeError, AttributeError):
        return ""
    return f" ({'; '.join(texts)})" if texts else ""


def numbers(column: Any, name: str) -> Array:
    """Give the values of a dependent variable, shape (rows,)."""
    return _column(column, "value", f"{name}: a number as the value of every row is needed")


def _column(column: Any, key: str, needed: str) -> Array:
    """Give one number a row."""
    try:
        rows = list(column["values"])
    except (KeyError, TypeError) as error:
        message = f"{needed} ({type(error).__name__} {error})"
        raise ValueError(message) from None
    values = np.empty(len(rows))
    for i, row in enumerate(rows):
        try:
            values[i] = decimal(row[key])
        except (KeyError, TypeError):
            message = f"{needed}: row {i + 1} has no {key}"
            raise ValueError(message) from None
        except ValueError as error:
            message = f"{needed}: {key} of row {i + 1}: {error}"
            raise ValueError(message) from None
    return values


def limits_of(independent: list[Any], names: list[str], n: int) -> list[Array]:
    """Give the limits of the bins of every row, one array of shape (n, 2) for each independent variable.

    Parameters
    ----------
    independent : list
        Independent variables of the table.
    names : list of str
        Their names, for messages.
    n : int
        Number of rows of the dependent variable.

    Raises
    ------
    ValueError
        If limits are missing, or their number differs from that of the rows.
    """
    limits = []
    for name, column in zip(names, independent, strict=True):
        needed = f"{name}: every row needs the limits low and high of a bin"
        both = [_column(column, key, needed) for key in ("low", "high")]
        if both[0].size != n:
            message = f"{n} values for {both[0].size} bins"
            raise ValueError(message)
        limits.append(np.column_stack(both))
    return limits


class Grid(NamedTuple):
    """Bins that form a grid.

    Attributes
    ----------
    edges : list of ndarray
        Edges along each variable.
    places : tuple of ndarray, shape (rows,)
        Bin number of each row along each variable.
    """

    edges: list[Array]
    places: tuple[Any, ...]


def gridded(limits: dict[str, Array]) -> Grid | None:
    """Find the grid that the bins of the rows form; None if they leave gaps or overlap.

    Parameters
    ----------
    limits : dict of str to ndarray, shape (rows, 2)

    Raises
    ------
    ValueError
        If a bin has no width, or the grid would have too many bins.
    """
    edges, places = [], []
    for name, bounds in limits.items():
        low, high = bounds.T
        if np.any(high <= low):
            k = int(np.argmax(high <= low))
            message = (
                f"{name}: row {k + 1} is {low[k]:g} to {high[k]:g}; the lower limit comes first"
            )
            raise ValueError(message)
        own = np.unique(bounds)
        at = np.searchsorted(own, low)
        if np.any(np.searchsorted(own, high) != at + 1):
            return None
        if np.unique(at).size != own.size - 1:  # a gap
            return None
        edges.append(own)
        places.append(at)
    shape = [axis_edges.size - 1 for axis_edges in edges]
    if math.prod(shape) > _MOST:
        message = f"{' x '.join(map(str, shape))} cells; up to {_MOST} are read"
        raise ValueError(message)
    return Grid(edges, tuple(places))
