"""The families without a formula: a point, and what a histogram holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.kernels.densities import fill_tabulated
from forefold.response.distributions.base import Family, apply, arrays

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from forefold.response.distributions.base import Array

__all__ = ["Identity", "Tabulated"]


@dataclass(frozen=True)
class Identity(Family):
    """A point at the location, whatever sigma is.

    Examples
    --------
    >>> Identity().bin_probabilities([0.0, 1.0, 2.0], 1.0, 0.3).tolist()
    [0.0, 1.0]
    """

    @property
    def n_uniforms(self) -> int:
        """None: nothing is drawn."""
        return 0

    def _pdf(self, x: Array, at: Array, width: Array) -> Array:
        del width
        return np.where(x == at, np.inf, 0.0)

    def _between(self, low: Array, high: Array, at: Array, width: Array) -> Array:
        del width
        return np.where((low <= at) & (at < high), 1.0, np.where(np.isnan(at), np.nan, 0.0))

    def _cdf(self, x: Array, at: Array, width: Array) -> Array:
        del width
        return np.where(np.isnan(x) | np.isnan(at), np.nan, np.where(x >= at, 1.0, 0.0))

    def _ppf(self, u: Array, at: Array, width: Array) -> Array:
        del width
        return np.where((u >= 0.0) & (u <= 1.0), at, np.nan)

    def sample(self, u: ArrayLike, location: ArrayLike, sigma: ArrayLike) -> Array:
        """Give the location; `u` is not looked at."""
        del u
        return arrays(location, sigma)[0].copy()

    def _mean(self, at: Array, width: Array) -> Array:
        del width
        return at.copy()

    def _std(self, at: Array, width: Array) -> Array:
        del width
        return np.zeros_like(at)


def _ascending(name: str, edges: Any, size: int) -> Array:
    values = np.array(edges, dtype=np.float64)
    if (
        values.shape != (size,)
        or not np.all(np.diff(values) > 0)
        or not np.all(np.isfinite(values))
    ):
        message = f"{name} have shape {values.shape}; {size} finite ascending edges are needed"
        raise ValueError(message)
    values.flags.writeable = False
    return values


@dataclass(frozen=True, eq=False)
class Tabulated(Family):
    """What a histogram holds, flat within its bins; or one row of a matrix for every range of locations.

    Parameters
    ----------
    edges : array_like, shape (k + 1,)
        Of x, or of the pull.
    values : array_like, shape (k,) or (m, k)
        Not negative; every row is normalised. A row of zeros gives NaN.
    rows : array_like, shape (m + 1,), optional
        Edges in the location, for a matrix. Outside of them everything is NaN.
    pull : bool
        The edges are those of (x - location)/sigma, not of x itself.

    Raises
    ------
    ValueError
        If shapes do not fit, edges do not ascend, or a value is negative or not finite.

    Examples
    --------
    >>> Tabulated([0.0, 1.0, 3.0], [1.0, 3.0]).ppf([0.25, 0.5], 0.0, 0.0).round(4).tolist()
    [1.0, 1.6667]
    """

    edges: Any
    values: Any
    rows: Any = None
    pull: bool = False

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        if values.ndim != (1 if self.rows is None else 2) or values.size == 0:
            message = (
                f"values have {values.ndim} dimensions; one is needed, two where rows are given"
            )
            raise ValueError(message)
        if not np.all((values >= 0.0) & (values < np.inf)):
            message = "values hold negative or infinite numbers or NaN"
            raise ValueError(message)
        values.flags.writeable = False
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "edges", _ascending("edges", self.edges, values.shape[-1] + 1))
        if self.rows is not None:
            object.__setattr__(self, "rows", _ascending("rows", self.rows, values.shape[0] + 1))
        table = np.atleast_2d(values)
        with np.errstate(invalid="ignore"):
            share = table / table.sum(axis=1, keepdims=True)
        above = np.cumsum(share[:, ::-1], axis=1)[:, ::-1]
        zero = np.zeros((len(table), 1))
        below = np.minimum(np.concatenate([zero, np.cumsum(share, axis=1)], axis=1), 1.0)
        # where nothing follows, everything is below: no draw falls behind the last filled bin
        below[:, :-1][above <= 0.0] = 1.0
        below[:, -1] = np.where(np.isnan(below[:, -1]), np.nan, 1.0)
        object.__setattr__(self, "_share", share)
        object.__setattr__(self, "_below", below)
        object.__setattr__(self, "_above", np.concatenate([above, zero], axis=1))

    @classmethod
    def from_histogram(cls, histogram: Any, *, pull: bool = False) -> Tabulated:
        """Take over a histogram; with two axes the first is the location.

        Parameters
        ----------
        histogram : UHI histogram
            Of one or two axes, such as `hist.Hist`; flow bins are left out.
        pull : bool
            See `Tabulated`.

        Returns
        -------
        Tabulated
            The distribution of the histogram's bins.

        Raises
        ------
        ValueError
            If it has other than one or two axes.
        """
        edges = [np.asarray(axis.edges, dtype=np.float64) for axis in histogram.axes]
        if len(edges) not in {1, 2}:
            message = f"the histogram has {len(edges)} axes; one or two (location, x) are needed"
            raise ValueError(message)
        rows = edges[0] if len(edges) == 2 else None
        return cls(edges[-1], histogram.values(), rows, pull)

    def __str__(self) -> str:
        of = "(x - location)/sigma" if self.pull else "x"
        rows = "" if self.rows is None else f" in {len(self.values)} rows of the location"
        return f"table of {of}: {len(self.edges) - 1} bins{rows}"

    def _row(self, location: Array) -> NDArray[np.int64]:
        """Row of each location; -1 outside and where a row is empty."""
        if self.rows is None:
            row = np.where(np.isnan(location), -1, 0)
        else:
            row = np.searchsorted(self.rows, location, side="right") - 1
            row = np.where((row >= len(self.values)) | (row < 0), -1, row)
        empty = np.append(np.isnan(self._table("_share")[:, 0]), True)
        return np.where(empty[row], -1, row).astype(np.int64)

    def _table(self, name: str) -> Array:
        table: Array = getattr(self, name)
        return table

    def _place(self, x: Array, at: Array, width: Array) -> tuple[Array, Array]:
        """Coordinate in the table, and what one unit of it is in x."""
        if not self.pull:
            return x, np.ones_like(x)
        with np.errstate(divide="ignore", invalid="ignore"):
            return (x - at) / width, np.where(width > 0.0, width, np.nan)

    def _bin(self, t: Array) -> NDArray[np.intp]:
        index = np.searchsorted(self.edges, t, side="right") - 1
        return np.clip(index, 0, len(self.edges) - 2)

    def _pdf(self, x: Array, at: Array, width: Array) -> Array:
        t, unit = self._place(x, at, width)
        k, row = self._bin(t), self._row(at)
        density = self._table("_share")[row, k] / (np.diff(self.edges)[k] * unit)
        density = np.where((t >= self.edges[0]) & (t < self.edges[-1]), density, 0.0 * unit)
        return np.where((row < 0) | np.isnan(t), np.nan, density)

    def _between(self, low: Array, high: Array, at: Array, width: Array) -> Array:
        row = self._row(at)
        (low, unit), (high, _) = self._place(low, at, width), self._place(high, at, width)
        below, above = zip(*(self._tails(t, row) for t in (low, high)), strict=True)
        # the smaller tails have the smaller rounding
        probability = np.where(below[0] < above[1], below[1] - below[0], above[0] - above[1])
        return np.where((row < 0) | np.isnan(unit), np.nan, np.maximum(probability, 0.0))

    def _tails(self, t: Array, row: NDArray[np.int64]) -> tuple[Array, Array]:
        inside = np.clip(t, self.edges[0], self.edges[-1])
        k = self._bin(inside)
        share = self._table("_share")[row, k]
        part = (inside - self.edges[k]) / np.diff(self.edges)[k]
        below = self._table("_below")[row, k] + part * share
        return below, self._table("_above")[row, k + 1] + (1.0 - part) * share

    def _ppf(self, u: Array, at: Array, width: Array) -> Array:
        row = self._row(at).reshape(-1)
        head = (self.edges, self._table("_below"), row)

        def fill(flat: Array, out: Array) -> None:
            fill_tabulated(*head, flat, out)

        t = apply(fill, np.where((u >= 0.0) & (u < 1.0), u, 0.0))
        if (u == 1.0).any():
            last = np.array(
                [np.flatnonzero(r)[-1] if r.any() else 0 for r in np.atleast_2d(self.values)]
            )
            t = np.where(u == 1.0, self.edges[last[row.reshape(at.shape)] + 1], t)
        t = np.where((u >= 0.0) & (u <= 1.0), t, np.nan)
        return at + self._place(at, at, width)[1] * t if self.pull else t

    def _moments(self, location: Array) -> tuple[Array, ...]:
        centres, width = 0.5 * (self.edges[1:] + self.edges[:-1]), np.diff(self.edges)
        share = self._table("_share")
        mean = share @ centres
        off = np.square(centres - mean[:, None]) + np.square(width) / 12.0
        spread = np.sqrt((share * off).sum(axis=1))
        row = self._row(location)
        return tuple(np.where(row < 0, np.nan, m[row]) for m in (mean, spread))

    def _mean(self, at: Array, width: Array) -> Array:
        t = self._moments(at)[0]
        return at + width * t if self.pull else t

    def _std(self, at: Array, width: Array) -> Array:
        t = self._moments(at)[1]
        return width * t if self.pull else t
