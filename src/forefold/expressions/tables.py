"""Tables of numbers that formulas call as functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Interpolation", "Outside", "Table"]

Interpolation: TypeAlias = Literal["none", "linear"]
Outside: TypeAlias = "Literal['clamp', 'nan'] | float"

_MAX_AXES = 3


@dataclass(frozen=True, eq=False)
class Table:
    """A function of one to three numbers that is given by values on a grid.

    Attributes
    ----------
    axes : tuple of ndarray of float64
        Increasing; one to three. Without interpolation the edges of bins, which hold their lower edge and not their
        upper one, but for the last, which holds both. With it the points where the values are.
    values : ndarray of float64
        One for each bin, or for each point.
    interpolation : {"none", "linear"}
        Content of the bin, or linear along each axis.
    outside : {"clamp", "nan"} or float
        What there is outside of the axes: the value at the border, none, or this number.

    Notes
    -----
    A coordinate that is NaN gives NaN, whatever `outside` is.

    Examples
    --------
    >>> table = Table.from_lists([[0.0, 1.0, 3.0]], [0.5, 0.9], outside=0.0)
    >>> table([0.0, 1.0, 3.0, 3.1])
    array([0.5, 0.9, 0.9, 0. ])
    """

    axes: tuple[NDArray[np.float64], ...]
    values: NDArray[np.float64]
    interpolation: Interpolation = "none"
    outside: Outside = "clamp"
    name: str = field(default="table", kw_only=True)
    """For messages."""

    def __post_init__(self) -> None:
        name = self.name
        if self.interpolation not in {"none", "linear"}:
            message = f"{name}: interpolation {self.interpolation!r}, 'none' or 'linear' is allowed"
            raise ValueError(message)
        if isinstance(self.outside, str) and self.outside not in {"clamp", "nan"}:
            message = f"{name}: outside {self.outside!r}, 'clamp', 'nan' or a number is allowed"
            raise ValueError(message)
        if not 1 <= len(self.axes) <= _MAX_AXES:
            message = f"{name}: {len(self.axes)} axes, from 1 to {_MAX_AXES} are allowed"
            raise ValueError(message)
        axes = tuple(_numbers(f"{name}: axis {k}", axis) for k, axis in enumerate(self.axes))
        values = _numbers(f"{name}: values", self.values)
        linear = self.interpolation == "linear"
        for k, axis in enumerate(axes):
            _check_axis(f"{name}: axis {k}", axis, "points" if linear else "edges")
        shape = tuple(axis.size - (0 if linear else 1) for axis in axes)
        if values.shape != shape:
            what = "points" if linear else "bins"
            message = f"{name}: values have shape {values.shape}, the axes have {shape} {what}"
            raise ValueError(message)
        if not np.isfinite(values).all():
            message = f"{name}: {values[~np.isfinite(values)][0]} among the values, only finite numbers are allowed"
            raise ValueError(message)
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "values", values)

    @classmethod
    def from_lists(
        cls,
        axes: Sequence[ArrayLike],
        values: ArrayLike,
        interpolation: Interpolation = "none",
        outside: Outside = "clamp",
        *,
        name: str = "table",
    ) -> Table:
        """Make a table from nested lists.

        Parameters
        ----------
        axes : sequence of one to three lists of numbers
        values : nested list of numbers
            The first axis is the outermost list.
        interpolation : {"none", "linear"}
        outside : {"clamp", "nan"} or float
        name : str
            For messages.

        Returns
        -------
        Table

        Raises
        ------
        ValueError
            Axes do not increase, values do not fit to them, or are not finite.

        Examples
        --------
        >>> Table.from_lists([[0, 1], [0, 1]], [[0, 1], [2, 3]], "linear")(0.5, [0.0, 0.5])
        array([1. , 1.5])
        """
        return cls(tuple(axes), values, interpolation, outside, name=name)  # type: ignore[arg-type]

    @classmethod
    def from_uhi(
        cls,
        histogram: Any,
        interpolation: Interpolation = "none",
        outside: Outside = "clamp",
        *,
        name: str = "table",
    ) -> Table:
        """Make a table from a histogram; flow bins are left out.

        Parameters
        ----------
        histogram : str or UHI histogram
            The text of a UHI JSON (schema 1), or a histogram with `axes` and `values()`.
        interpolation : {"none", "linear"}
            Linear: between the centres of the bins.
        outside : {"clamp", "nan"} or float
        name : str
            For messages.

        Returns
        -------
        Table

        Raises
        ------
        ValueError
            The text is no UHI JSON, an axis is not of numbers, or see `from_lists`.

        Examples
        --------
        >>> import hist
        >>> histogram = hist.Hist.new.Reg(2, 0, 1).Double().fill([0.2, 0.3, 0.7])
        >>> Table.from_uhi(histogram)(0.1)
        array(2.)
        """
        if isinstance(histogram, str):
            histogram = _histogram(histogram, name)
        axes = [_edges(axis, f"{name}: axis {k}") for k, axis in enumerate(histogram.axes)]
        if interpolation == "linear":
            axes = [0.5 * (edges[:-1] + edges[1:]) for edges in axes]
        return cls.from_lists(axes, histogram.values(), interpolation, outside, name=name)

    def __call__(self, *coordinates: ArrayLike) -> NDArray[np.float64]:
        """Look up values; the same numbers as in a compiled formula.

        Parameters
        ----------
        coordinates : array, one for each axis
            They are broadcast against each other.

        Returns
        -------
        ndarray of float64

        Raises
        ------
        ValueError
            There are more or less coordinates than axes.
        """
        from forefold.expressions.program import run

        if len(coordinates) != len(self.axes):
            message = f"{self.name}: {len(coordinates)} arguments, it has {len(self.axes)} axes"
            raise ValueError(message)
        arrays = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in coordinates))
        columns = np.stack([array.ravel() for array in arrays])
        return run(_call_of(self), columns).reshape(arrays[0].shape)


def _call_of(table: Table) -> Any:
    """Program that only looks up a table."""
    from forefold.expressions import parse
    from forefold.expressions.compile import compile_formula

    names = ("a", "b", "c")[: len(table.axes)]
    call = parse(f"t({', '.join(names)})", dict.fromkeys(names, "number"), {"t": len(names)})
    return compile_formula(call, names, tables={"t": table})


def _numbers(where: str, given: ArrayLike) -> NDArray[np.float64]:
    """Turn lists into an array that nobody writes."""
    try:
        array = np.array(given, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        message = f"{where}: lists of numbers, of one length on each level, are wanted"
        raise ValueError(message) from None
    array.setflags(write=False)
    return array


def _check_axis(where: str, axis: NDArray[np.float64], what: str) -> None:
    if axis.ndim != 1 or axis.size < 2:
        message = f"{where}: a list of at least two {what} is wanted"
        raise ValueError(message)
    wrong = np.flatnonzero(~(axis[1:] > axis[:-1]))
    if wrong.size:
        left, right = axis[wrong[0]], axis[wrong[0] + 1]
        message = f"{where}: {what} must increase, {right:g} follows {left:g}"
        raise ValueError(message)
    if what == "points" and not np.isfinite(axis).all():
        message = f"{where}: infinite points cannot be interpolated"
        raise ValueError(message)


def _histogram(text: str, name: str) -> Any:
    import json

    import hist
    import uhi.io.json

    try:
        return hist.Hist(json.loads(text, object_hook=uhi.io.json.object_hook))
    except (KeyError, TypeError, ValueError) as error:
        message = f"{name}: not the text of a UHI histogram ({type(error).__name__})"
        raise ValueError(message) from None


def _edges(axis: Any, where: str) -> NDArray[np.float64]:
    """Edges of a histogram's axis; UHI promises intervals, most histograms have the edges too."""
    intervals = [axis[i] for i in range(len(axis))]
    if not getattr(axis.traits, "ordered", not axis.traits.discrete):
        message = f"{where}: categories have no edges, an axis of intervals is wanted"
        raise ValueError(message)
    edges = getattr(axis, "edges", None)
    if edges is None:
        edges = [intervals[0][0], *(upper for _, upper in intervals)]
    return np.array(edges, dtype=np.float64)
