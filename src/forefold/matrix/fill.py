"""Filling of a response matrix from arrays of entries, piece by piece."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import hist
import numpy as np

from forefold.kernels.arrays import uniform_pairs
from forefold.kernels.histogram import Bins, bin_indices, bins_of, joint_sums, sums
from forefold.kernels.philox import random_key, stream_keys
from forefold.matrix.axes import side_axes
from forefold.matrix.contents import Contents, Oversampled, Replicas, empty, shape_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from forefold.matrix.axes import AxesLike
    from forefold.matrix.contents import Histogram

    Array = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["Entries", "Filler", "poisson_weights"]

_PURPOSE_BOOTSTRAP = 14
_MOST_ELEMENTS = 64_000_000
_MOST_PAIRS = 32_000_000  # values of the second moments: 256 MB
_MOST_REPLICAS = 64_000_000
# cumulative Poisson distribution of mean 1
_CUMULATIVE = np.cumsum([math.exp(-1.0) / math.factorial(k) for k in range(20)])


class Entries(NamedTuple):
    """A piece of a sample, as arrays with one element for each entry.

    Attributes
    ----------
    true : list of ndarray of float64, shape (n,)
        One for each true axis; NaN where there is no truth.
    reco : list of ndarray of float64, shape (draws, n)
        One for each reconstructed axis; NaN where it is missed.
    weight : ndarray of float64, shape (n,)
        Weight of each entry.
    stream, entry : ndarray of uint64, shape (n,)
        Numbers that identify the event, which fix the weights of replicas.
    background : ndarray of int64, shape (draws, n), or None
        Number of the background of an entry without truth, -1 for none.
    """

    true: list[Array]
    reco: list[Array]
    weight: Array
    stream: NDArray[np.uint64]
    entry: NDArray[np.uint64]
    background: Whole | None = None


def poisson_weights(
    rng: int, stream: NDArray[np.uint64], entry: NDArray[np.uint64], replicas: int
) -> Array:
    """Give Poisson weights of mean 1, which depend on `rng`, the event and the replica, and on nothing else.

    Parameters
    ----------
    rng : int
    stream, entry : ndarray of uint64, shape (n,)
    replicas : int

    Returns
    -------
    ndarray of float64, shape (replicas, n)

    Examples
    --------
    >>> import numpy as np
    >>> entry = np.arange(6, dtype=np.uint64)
    >>> poisson_weights(1, 0 * entry, entry, 2).tolist()
    [[2.0, 1.0, 0.0, 1.0, 1.0, 0.0], [2.0, 1.0, 0.0, 1.0, 1.0, 2.0]]
    """
    key = stream_keys(rng, stream)
    rows: list[Array] = []
    for number in range(0, replicas, 2):
        place = np.full(entry.size, number >> 1, dtype=np.uint64)
        rows += uniform_pairs(key, entry, place, _PURPOSE_BOOTSTRAP)
    uniforms = np.array(rows[:replicas]).reshape(replicas, entry.size)
    return np.searchsorted(_CUMULATIVE, uniforms, side="right").astype(np.float64)


class Filler:
    """Fill a response matrix piece by piece: `add` adds a piece, `contents` gives the sums so far.

    Parameters
    ----------
    true, reco : axes
        See `forefold.ResponseMatrix.from_events`.
    draws : int
        Draws of each event.
    replicas : int
        Bootstrap replicas.
    rng : int, numpy Generator or None
        Fixes the weights of the replicas.
    backgrounds : sequence of str
        Names of backgrounds, into which reconstructed entries without truth are sorted.

    Raises
    ------
    ValueError
        If axes, draws or replicas are not valid, or need too much memory.
    """

    def __init__(
        self,
        true: AxesLike,
        reco: AxesLike = None,
        *,
        draws: int = 1,
        replicas: int = 0,
        rng: int | np.random.Generator | None = None,
        backgrounds: Sequence[str] = (),
    ) -> None:
        self.true_axes = side_axes(true, "true")
        self.reco_axes = side_axes(self.true_axes if reco is None else reco, "reco")
        if draws < 1 or replicas < 0:
            message = f"draws = {draws}, replicas = {replicas}: at least 1 and 0 are needed"
            raise ValueError(message)
        self.draws, self.replicas = draws, replicas
        self.rng = random_key(rng) if replicas else 0
        n, m = (math.prod(shape_of(axes)) for axes in (self.true_axes, self.reco_axes))
        self._check_memory(n, m)
        self._true_bins, self._reco_bins = _bins(self.true_axes), _bins(self.reco_axes)
        whole = [math.prod(shape_of(a, flow=True)) for a in (self.true_axes, self.reco_axes)]
        self._counts = np.zeros((*whole, 2))
        self._truth, self._alone = (np.zeros((k, 2)) for k in whole)
        self._backgrounds = {name: np.zeros((whole[1], 2)) for name in backgrounds}
        self._pairs = np.zeros((n, m, m)) if draws > 1 else None
        self._linear = np.zeros((n, m)) if draws > 1 else None
        self._rep_counts = np.zeros((replicas, n * m))
        self._rep_truth = np.zeros((replicas, n))

    def _check_memory(self, n: int, m: int) -> None:
        if n * m > _MOST_ELEMENTS:
            message = f"{n:,} true and {m:,} reconstructed bins: {n * m:,} cells, more than {_MOST_ELEMENTS:,}; take fewer bins"
            raise ValueError(message)
        if self.draws > 1 and n * m * m > _MOST_PAIRS:
            message = (
                f"draws = {self.draws}: the covariance of {n} x {m} bins needs {n * m * m:,} numbers, "
                f"more than {_MOST_PAIRS:,}; take fewer bins, or draws=1"
            )
            raise ValueError(message)
        if self.replicas * n * m > _MOST_REPLICAS:
            message = (
                f"replicas = {self.replicas}: {self.replicas * n * m:,} numbers for {n} x {m} bins, "
                f"more than {_MOST_REPLICAS:,}; take fewer"
            )
            raise ValueError(message)

    def add(self, piece: Entries) -> None:
        """Add the entries of a piece to the sums.

        Raises
        ------
        ValueError
            If a weight is not finite, or columns differ in length.
        """
        weight = np.asarray(piece.weight, dtype=np.float64)
        _check(piece, weight, self.draws, len(self.true_axes), len(self.reco_axes))
        true = bin_indices(self._true_bins, piece.true)
        sums(true, weight, self._truth)
        reco_bins = [
            bin_indices(self._reco_bins, [column[draw] for column in piece.reco])
            for draw in range(self.draws)
        ]
        share = weight if self.draws == 1 else weight / self.draws
        parted = [self._parted(true, reco, piece.background, k) for k, reco in enumerate(reco_bins)]
        for k, (rest, *named) in enumerate(parted):
            joint_sums(true, rest, share, self._counts, self._alone)
            for reco, out in zip(named, self._backgrounds.values(), strict=True):
                sums(reco, share, out)
            for others in parted[:k]:
                self._repeated(true, [rest, *named], others, share)
        if self._pairs is not None or self.replicas:
            self._moments(true, reco_bins, weight, piece)

    def _parted(self, true: Whole, reco: Whole, background: Whole | None, draw: int) -> list[Whole]:
        """Part what belongs to no background, and what belongs to each of them; -1 where an entry does not."""
        if background is None:
            return [reco]
        own = np.where(true < 0, background[draw], -1)
        return [np.where(own == k, reco, -1) for k in range(-1, len(self._backgrounds))]

    def _repeated(self, true: Whole, mine: list[Whole], others: list[Whole], share: Array) -> None:
        """Add to the variances what two draws of one event in one bin share: they are not independent."""
        with_truth = [np.where(true >= 0, bins[0], -1) for bins in (mine, others)]
        at = true * self._counts.shape[1]
        _add_pairs(self._counts, with_truth[0], with_truth[1], share, at)
        outs = [self._alone, *self._backgrounds.values()]
        for out, one, two in zip(outs, mine, others, strict=True):
            _add_pairs(out, np.where(true < 0, one, -1), two, share, 0 * at)

    def _moments(self, true: Whole, reco_bins: list[Whole], weight: Array, piece: Entries) -> None:
        """Sum what only the bins inside need: moments of draws and bootstrap replicas."""
        k = len(reco_bins)
        # the last element serves -1
        row = np.append(_unflowed(self.true_axes), -1)[true]
        reco_inside = np.append(_unflowed(self.reco_axes), -1)
        columns = [reco_inside[reco] for reco in reco_bins]
        if self._pairs is not None and self._linear is not None:
            n, m, _ = self._pairs.shape
            square = np.square(weight)
            for a, one in enumerate(columns):
                good = (row >= 0) & (one >= 0)
                at = (row * m + one)[good]
                self._linear += np.bincount(at, square[good] / k, n * m).reshape(n, m)
                for b, other in enumerate(columns[: a + 1]):
                    both = good & (other >= 0)
                    at = ((row * m + one) * m + other)[both]
                    share = square[both] / k**2 * (0.5 if a == b else 1.0)
                    moments = np.bincount(at, share, n * m * m).reshape(n, m, m)
                    self._pairs += moments + moments.transpose(0, 2, 1)
        if self.replicas:
            self._replicate(row, columns, weight, piece)

    def _replicate(self, row: Whole, columns: list[Whole], weight: Array, piece: Entries) -> None:
        n = self._rep_truth.shape[1]
        m = self._rep_counts.shape[1] // n
        there = row >= 0
        factors = poisson_weights(self.rng, piece.stream[there], piece.entry[there], self.replicas)
        row, own = row[there], weight[there]
        columns = [column[there] for column in columns]
        for number, factor in enumerate(factors):
            w = own * factor
            self._rep_truth[number] += np.bincount(row, w, n)
            for column in columns:
                good = column >= 0
                at = (row * m + column)[good]
                self._rep_counts[number] += np.bincount(at, w[good] / len(columns), n * m)

    def contents(self, provenance: dict[str, Any] | None = None) -> Contents:
        """Give the sums so far as histograms."""
        n, m = (math.prod(shape_of(axes)) for axes in (self.true_axes, self.reco_axes))
        drawn = None
        if self._pairs is not None and self._linear is not None:
            drawn = Oversampled(self.draws, self._pairs.copy(), self._linear.copy())
        replicas = None
        if self.replicas:
            counts = self._rep_counts.reshape(self.replicas, n, m).copy()
            replicas = Replicas(self.rng, counts, self._rep_truth.copy())
        return Contents(
            self._histogram("counts", (*self.true_axes, *self.reco_axes)),
            self._histogram("truth", self.true_axes),
            self._histogram("alone", self.reco_axes),
            drawn,
            replicas,
            provenance=dict(provenance or {}),
            backgrounds={
                name: self._histogram(name, self.reco_axes, filled)
                for name, filled in self._backgrounds.items()
            },
        )

    def _histogram(
        self, name: str, axes: tuple[Any, ...], filled: Array | None = None
    ) -> Histogram:
        histogram = empty(axes, name)
        view: Any = histogram.view(flow=True)
        filled = getattr(self, f"_{name}") if filled is None else filled
        for k, key in enumerate(("value", "variance")):
            view[key] = filled[..., k].reshape(view.shape)
        return histogram


def _add_pairs(out: Array, one: Whole, two: Whole, share: Array, first: Whole) -> None:
    """Add twice the product of the shares of entries that are in one bin twice to its variance."""
    good = (one == two) & (one >= 0)
    flat = out.reshape(-1, 2)
    flat[:, 1] += np.bincount((first + one)[good], 2.0 * np.square(share[good]), len(flat))


def _check(piece: Entries, weight: Array, draws: int, n_true: int, n_reco: int) -> None:
    if (len(piece.true), len(piece.reco)) != (n_true, n_reco):
        message = (
            f"{len(piece.true)} true and {len(piece.reco)} reconstructed columns for {n_true} true and "
            f"{n_reco} reconstructed axes"
        )
        raise ValueError(message)
    sizes: list[tuple[int, ...]] = [np.shape(column) for column in piece.true]
    wanted = [(weight.size,)] * n_true
    if sizes != wanted or any(np.shape(c) != (draws, weight.size) for c in piece.reco):
        shapes = [*sizes, *(np.shape(column) for column in piece.reco)]
        message = (
            f"columns of shapes {shapes} do not go with {weight.size} weights and {draws} draws"
        )
        raise ValueError(message)
    if not np.all(np.isfinite(weight)):
        i = int(np.argmin(np.isfinite(weight)))
        message = f"weight {weight[i]} of entry {i}: weights must be finite"
        raise ValueError(message)


def _bins(axes: Sequence[Any]) -> list[Bins]:
    return [bins_of(a.edges, regular=isinstance(a, hist.axis.Regular)) for a in axes]


def _unflowed(axes: Sequence[Any]) -> Whole:
    """Give the number without flow of each bin with flow; -1 for flow bins."""
    shape = shape_of(tuple(axes))
    table = np.full(shape_of(tuple(axes), flow=True), -1, dtype=np.int64)
    table[(slice(1, -1),) * len(shape)] = np.arange(math.prod(shape)).reshape(shape)
    return table.reshape(-1)
