"""Axes of response matrices: how they are written, named, made and compared."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Literal

import hist
import numpy as np

from forefold.events.observables.catalogue import OBSERVABLES, unit_of, with_unit
from forefold.matrix.irregular import bin_limits, kept_bins, same_bins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Axis = Any
    Array = NDArray[np.float64]

__all__ = [
    "SIDE_WORDS",
    "AxesLike",
    "Side",
    "axis_facts",
    "axis_of",
    "bin_name",
    "label_of",
    "limits_of",
    "matching",
    "parse_axis",
    "refuse_side",
    "renamed",
    "side_axes",
    "warn_of_degrees",
    "with_units",
]

AxesLike = Any
"""An axis (of hist, edges, or text such as ``"q2=0:2:20"``), or several in a list or a mapping of names to edges."""

Side = Literal["true", "reco"]

SIDE_WORDS: dict[Side, str] = {"true": "True", "reco": "Reconstructed"}
_PARTICLE_UNITS = {"energy": "GeV", "kinetic_energy": "GeV", "momentum": "GeV/c", "theta": "rad"}
_TOLERANCE = 1e-9
_MOST_ANGLE = 3.15  # rad; pi as people round it


def label_of(name: str, side: Side) -> str:
    """Give the label of an axis, with its unit if that is known.

    Examples
    --------
    >>> label_of("visible_energy", "reco")
    'Reconstructed visible energy [GeV]'
    """
    if name in OBSERVABLES:
        return f"{SIDE_WORDS[side]} {OBSERVABLES[name].label}"
    what = with_unit(name.replace("_", " "), _PARTICLE_UNITS.get(name, ""))
    return f"{SIDE_WORDS[side]} {what}"


def parse_axis(text: str) -> hist.axis.AxesMixin:
    """Make an axis from a text.

    Parameters
    ----------
    text : str
        ``NAME=LOW:HIGH:BINS``, ``NAME=LOW:HIGH:BINS:log`` or ``NAME=EDGE,EDGE,...``.

    Returns
    -------
    hist axis

    Raises
    ------
    ValueError
        If the text has none of these forms.

    Examples
    --------
    >>> parse_axis("visible_energy=0:8:40")
    Regular(40, 0, 8, name='visible_energy')
    >>> parse_axis("q2=0,0.5,2")
    Variable([0, 0.5, 2], name='q2')
    """
    name, equals, bins = (part.strip() for part in text.partition("="))
    if not (name and equals and bins):
        message = (
            f"axis {text!r}: NAME=LOW:HIGH:BINS, NAME=LOW:HIGH:BINS:log or NAME=EDGE,EDGE,... is "
            "expected, such as 'visible_energy=0:8:40'"
        )
        raise ValueError(message)
    try:
        if "," in bins:
            return _variable([float(part) for part in bins.split(",")], name)
        low, high, count, *scale = bins.split(":")
        first, last, n = float(low), float(high), int(count)
    except ValueError as error:
        if str(error).startswith("axis"):  # of edges, and said already
            raise
        message = f"axis {text!r}: {bins!r} is not LOW:HIGH:BINS, nor EDGE,EDGE,..."
        raise ValueError(message) from None
    good = n > 0 and -math.inf < first < last < math.inf
    if not good or scale not in ([], ["log"]) or (scale and first <= 0.0):
        message = (
            f"axis {text!r}: finite limits, the lower first (above 0 for log), and a whole number of "
            "bins above 0 are expected"
        )
        raise ValueError(message)
    if scale:
        return hist.axis.Variable(np.geomspace(first, last, n + 1), name=name)
    return hist.axis.Regular(n, first, last, name=name)


def _variable(edges: ArrayLike, name: str) -> hist.axis.Variable:
    values = np.asarray(edges, dtype=np.float64)
    good = values.ndim == 1 and values.size > 1 and bool(np.all(np.isfinite(values)))
    if not (good and np.all(np.diff(values) > 0.0)):
        shown = np.array2string(values, threshold=8, precision=6, separator=", ")
        message = (
            f"axis {name!r}: two or more finite ascending edges are needed, found {shown}".replace(
                "\n", ""
            )
        )
        raise ValueError(message)
    return hist.axis.Variable(values, name=name)


def side_axes(specification: AxesLike, side: Side) -> tuple[Axis, ...]:
    """Make the axes of one side of a matrix, with names, labels, underflow and overflow.

    Parameters
    ----------
    specification : axis, text, edges, or several of them
        A mapping takes names to edges.
    side : {"true", "reco"}

    Returns
    -------
    tuple of hist axes
        Names end in ``_true`` or ``_reco``.

    Raises
    ------
    ValueError
        If an axis has no order (categories), is circular or grows, or two have one name.

    Examples
    --------
    >>> side_axes({"q2": [0.0, 1.0, 4.0]}, "true")
    (Variable([0, 1, 4], name='q2_true', label='True $Q^2$ [GeV$^2$]'),)
    """
    axes = tuple(_on_side(item, side) for item in _axis_list(specification))
    names = [axis.name for axis in axes]
    twice = [name for name in names if names.count(name) > 1]
    if twice or not axes:
        message = f"two {side} axes are named {twice[0]!r}" if twice else f"no {side} axis is given"
        raise ValueError(message)
    return axes


def with_units(axes: Sequence[Axis], units: Mapping[str, str]) -> list[Axis]:
    """Add units to labels that have none.

    Parameters
    ----------
    axes : iterable of axes
        Axes made by `side_axes`.
    units : mapping of str to str
        Unit by name of the axis without ``_true`` or ``_reco``.
    """
    own = {axis.name: units[_base(axis.name)] for axis in axes if _base(axis.name) in units}
    return [
        renamed(axis, axis.name, with_unit(axis.label, own[axis.name]))
        if axis.name in own and "[" not in axis.label
        else axis
        for axis in axes
    ]


def _axis_list(specification: AxesLike) -> list[Any]:
    if isinstance(specification, dict):
        return [_variable(edges, name) for name, edges in specification.items()]
    if isinstance(specification, str) or _is_axis(specification):
        return [specification]
    items = list(specification)
    if items and all(np.ndim(item) == 0 and not isinstance(item, str) for item in items):
        return items if all(_is_axis(item) for item in items) else [specification]
    return items


def _is_axis(item: Any) -> bool:
    return hasattr(item, "edges") and hasattr(item, "traits")


def _on_side(axis: Any, side: Side) -> Axis:
    if isinstance(axis, str):
        axis = parse_axis(axis)
    if not _is_axis(axis):
        axis = _variable(axis, "")
    traits = axis.traits
    if not traits.ordered or traits.circular or traits.growth:
        message = (
            f"axis {axis.name!r} of kind {type(axis).__name__} has no fixed order of bins; take "
            "Regular, Variable or Integer"
        )
        raise ValueError(message)
    base = _base(axis.name)
    # what the other side is called by default says nothing of this one
    plain = {"", axis.name, *(label_of(base or "value", word) for word in SIDE_WORDS)}
    label = "" if axis.label in plain else axis.label
    name, label = f"{base}_{side}" if base else side, label or label_of(base or "value", side)
    return renamed(axis, name, label)


def _base(name: str) -> str:
    if name in ("true", "reco"):
        return ""
    return name.removesuffix("_true").removesuffix("_reco")


def axis_facts(axis: Axis) -> dict[str, Any]:
    """Describe an axis in terms of JSON; `axis_of` makes the axis again.

    Examples
    --------
    >>> (axis,) = side_axes("q2=0:1:4", "true")
    >>> axis_of(axis_facts(axis)) == axis
    True
    """
    edges = np.asarray(axis.edges, dtype=np.float64).tolist()
    regular = type(axis) is hist.axis.Regular and getattr(axis, "transform", None) is None
    bins = {"regular": [len(axis), edges[0], edges[-1]]} if regular else {"edges": edges}
    return {"name": axis.name, "label": axis.label, **bins}


def axis_of(facts: Mapping[str, Any]) -> Axis:
    """Make an axis from what `axis_facts` gave."""
    words = {"name": facts["name"], "label": facts["label"]}
    if "regular" in facts:
        return hist.axis.Regular(*facts["regular"], **words)
    return hist.axis.Variable(facts["edges"], **words)


def renamed(axis: Axis, name: str, label: str) -> Axis:
    """Copy an axis under another name, with underflow and overflow; integers become bins of width 1."""
    words: dict[str, Any] = {"name": name, "label": label}
    edges = np.asarray(axis.edges, dtype=np.float64)
    renamed_axis: Axis = hist.axis.Variable(edges, **words)
    plain = isinstance(axis, hist.axis.Regular) and getattr(axis, "transform", None) is None
    if plain or isinstance(axis, hist.axis.Integer):
        renamed_axis = hist.axis.Regular(len(axis), edges[0], edges[-1], **words)
    return kept_bins(axis, renamed_axis)


def warn_of_degrees(axes: Sequence[Any]) -> None:
    """Warn if an axis of an angle in radians ends above all angles, as if it were in degrees.

    Parameters
    ----------
    axes : sequence of axes
        Named by an observable, or by a quantity of a particle.
    """
    for axis in axes:
        ends = axis.edges[[0, -1]]
        end = float(ends[np.argmax(np.abs(ends))])
        if unit_of(axis.name) == "rad" and abs(end) > _MOST_ANGLE:
            warnings.warn(
                f"axis {axis.name!r} is in rad, from 0 to pi, and ends at {end:g}: degrees times pi / 180 are radians",
                stacklevel=1,
            )


def matching(mine: Sequence[Any], other: Sequence[Any], what: str) -> None:
    """Refuse axes whose bins differ from those of a matrix; the message says which axis and which edge.

    Parameters
    ----------
    mine : sequence of axes
        Axes of the matrix, with names.
    other : sequence of axes
        Axes with ``edges``, or UHI axes of pairs of edges.
    what : str
        What the others belong to.

    Raises
    ------
    ValueError
        If the number of axes or an edge differs.
    """
    if len(mine) != len(other):
        names = ", ".join(repr(axis.name) for axis in mine)
        message = f"{what} has {len(other)} axes, the matrix has {len(mine)}: {names}"
        raise ValueError(message)
    named = [_base(getattr(axis, "name", "") or "") for axis in other]
    wanted = [_base(axis.name) for axis in mine]
    if named != wanted and sorted(named) == sorted(wanted):
        message = f"{what} has its axes in the order {named}, the matrix in the order {wanted}"
        raise ValueError(message)
    for number, (a, b) in enumerate(zip(mine, other, strict=True)):
        where = f"{what}: axis {number} ({a.name!r})"
        _same_edges(where, edges_of(a), edges_of(b))
        same_bins(a, b, where)


def other_names(mine: Sequence[Any], other: Sequence[Any], what: str) -> list[str]:
    """Note axes that have the bins of a matrix but other names, and may be of another quantity.

    Parameters
    ----------
    mine : sequence of axes
        Axes of the matrix.
    other : sequence of axes
        As many other axes.
    what : str
        What the others belong to.

    Returns
    -------
    list of str
        One note for each such axis; axes without a name, or named by the side alone, are passed over.

    Examples
    --------
    >>> energy, momentum = (side_axes({name: [0.0, 1.0]}, "true") for name in ("enu", "p"))
    >>> other_names(energy, momentum, "the spectrum")
    ["the spectrum: axis 'p_true' is taken for 'enu_true' of the matrix: same bins, another name"]
    """
    notes = []
    for a, b in zip(mine, other, strict=True):
        name = getattr(b, "name", "") or ""
        if _base(a.name) and _base(name) and _base(a.name) != _base(name):
            notes.append(
                f"{what}: axis {name!r} is taken for {a.name!r} of the matrix: same bins, another name"
            )
    return notes


def refuse_side(axes: Iterable[Any], side: Side, what: str) -> None:
    """Refuse a histogram whose axes are named as those of the wrong side.

    Parameters
    ----------
    axes : iterable of axes
    side : {"true", "reco"}
        The wrong one.
    what : str
        What the axes belong to.

    Raises
    ------
    ValueError
        If an axis is named as one of the wrong side.
    """
    for axis in axes:
        name = getattr(axis, "name", "") or ""
        if name == side or name.endswith(f"_{side}"):
            it_is, wanted = (
                ("true", "reconstructed") if side == "true" else ("reconstructed", "true")
            )
            message = f"{what}: axis {name!r}, which is {it_is}; one of what is {wanted} is needed"
            raise ValueError(message)


def edges_of(axis: Any) -> Array:
    """Edges of an axis of hist, or of any axis that UHI describes."""
    if hasattr(axis, "edges"):
        return np.asarray(axis.edges, dtype=np.float64)
    pairs = [tuple(axis[i]) if not isinstance(axis[i], str) else None for i in range(len(axis))]
    if any(pair is None for pair in pairs):
        message = "an axis of categories has no edges"
        raise ValueError(message)
    return np.array([pairs[0][0], *(pair[1] for pair in pairs if pair)], dtype=np.float64)  # type: ignore[index]


def _same_edges(where: str, mine: Array, other: Array) -> None:
    if mine.size != other.size:
        message = (
            f"{where} has {other.size - 1} bins from {other[0]:g} to {other[-1]:g}, the matrix has "
            f"{mine.size - 1} from {mine[0]:g} to {mine[-1]:g}"
        )
        raise ValueError(message)
    scale = np.abs(mine[-1] - mine[0])
    differ = np.abs(mine - other) > _TOLERANCE * scale
    if differ.any():
        k = int(np.argmax(differ))
        message = f"{where} has edge {k} at {other[k]:.9g}, the matrix has it at {mine[k]:.9g}"
        raise ValueError(message)


def bin_name(axes: Iterable[Any], index: int) -> str:
    """Give the number and the limits of a bin, counted in C order over the axes, for messages.

    Examples
    --------
    >>> bin_name(side_axes({"q2": [0.0, 1.0, 4.0]}, "true"), 1)
    'bin 1 (q2_true 1 to 4)'
    """
    return f"bin {index} ({limits_of(axes, index)})"


def limits_of(axes: Iterable[Any], index: int) -> str:
    """Give the limits of a bin on each axis, as text."""
    all_axes = list(axes)
    places = np.unravel_index(index, [len(axis) for axis in all_axes])
    words = []
    for axis, k in zip(all_axes, places, strict=True):
        limits = bin_limits(axis) or {axis.name: np.column_stack([axis.edges[:-1], axis.edges[1:]])}
        words += [f"{name} {bounds[k][0]:g} to {bounds[k][1]:g}" for name, bounds in limits.items()]
    return ", ".join(words)
