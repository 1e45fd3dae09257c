"""Migration matrices: how often a true value in one bin was reconstructed in another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._inputs import unmasked
from forefold.detector.compile import compile_card
from forefold.events import particles as species
from forefold.smearing.closed_form import ParticleResponse
from forefold.smearing.engine import prepared
from forefold.smearing.validation.grid import beam

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import ArrayLike, NDArray

    from forefold.detector import Card

    Array = NDArray[np.float64]

__all__ = ["Migration", "MigrationLikelihood", "read_migration"]

_COLUMNS = ("true_low", "true_high", "reco_low", "reco_high", "value")
_LEAST = 1e-300
_ROUNDED, _ROUNDED_SUM = 1e-9, 1e-3


@dataclass(frozen=True, eq=False)
class Migration:
    """Counts by true and reconstructed energy.

    Parameters
    ----------
    true_edges : array_like, shape (m + 1,), GeV
    reco_edges : array_like, shape (k + 1,), GeV
        The outer ones may be infinite: bins for what is beyond the axis.
    counts : array_like, shape (m, k)
        Numbers of particles, or of what weighs as much as one. Of probabilities, give `events`.
    generated : array_like, shape (m,), optional
        Particles that were there, seen or not. Without it the efficiency stays open: each row is compared with what is within
        the edges.
    events : array_like, optional
        What every row is multiplied by to make counts of it: one number, or one a row. What a row of probabilities lacks to 1
        is not looked at, unless it is counted with `with_missing`.
    quantity : {"total", "kinetic", "momentum"}
        What is on both axes.
    particle : int
        PDG identifier.
    source : str

    Raises
    ------
    ValueError
        Shapes do not fit, edges do not ascend, contents are negative, or a row has more particles than were generated.
    """

    true_edges: Any
    reco_edges: Any
    counts: Any
    generated: Any = None
    events: ArrayLike | None = None
    quantity: str = "total"
    particle: int = 13
    source: str = "a matrix in memory"

    def __post_init__(self) -> None:
        for name in ("true_edges", "reco_edges"):
            edges = np.array(getattr(self, name), dtype=np.float64)
            if edges.ndim != 1 or edges.size < 2 or not np.all(np.diff(edges) > 0.0):
                message = f"{self.source}: {name}: two or more ascending numbers are needed"
                raise ValueError(message)
            object.__setattr__(self, name, edges)
        counts = np.array(unmasked(f"{self.source}: contents", self.counts))
        shape = (self.true_edges.size - 1, self.reco_edges.size - 1)
        if counts.shape != shape:
            message = (
                f"{self.source}: contents of shape {shape} are needed; found shape {counts.shape}"
            )
            raise ValueError(message)
        wrong = counts[~((counts >= 0.0) & np.isfinite(counts))]
        if wrong.size:
            message = f"{self.source}: contents from 0 on are needed; found {wrong[0]:g}"
            raise ValueError(message)
        if self.quantity not in {"total", "kinetic", "momentum"}:
            near = species.near(self.quantity, ["total", "kinetic", "momentum"])
            message = f"quantity: found {self.quantity!r}{near}; allowed: total, kinetic, momentum"
            raise ValueError(message)
        per_row = np.ones(shape[0]) if self.events is None else self.events
        weight = self._weights(per_row, shape[0])
        object.__setattr__(self, "counts", counts * weight[:, None])
        if self.events is None and counts.max(initial=0.0) <= 1.0 and counts.any():
            message = (
                f"{self.source}: no content is above 1: these are probabilities, not counts; say how many "
                "events a row stands for (events=, --events)"
            )
            raise ValueError(message)
        if self.generated is not None:
            object.__setattr__(self, "generated", self._generated(weight))

    def _weights(self, events: Any, rows: int) -> Array:
        """Give what each row is multiplied by."""
        weight = unmasked("events", events)
        if (
            weight.ndim > 1
            or weight.size not in {1, rows}
            or not np.all((weight > 0.0) & np.isfinite(weight))
        ):
            message = f"events: a number above 0, or one for each of {rows} rows, is needed; found {events!r}"
            raise ValueError(message)
        return np.broadcast_to(weight.reshape(-1), (rows,))

    def _generated(self, weight: Array) -> Array:
        """Numbers of generated particles, none below what the row holds."""
        generated = np.array(unmasked(f"{self.source}: generated", self.generated))
        if generated.shape != weight.shape:
            message = f"{self.source}: generated: {weight.size} numbers are needed, one a row; found shape {generated.shape}"
            raise ValueError(message)
        generated = generated * weight
        held = self.counts.sum(axis=1)
        bad = ~(generated >= held * (1.0 - _ROUNDED))
        if bad.any():
            row = int(np.argmax(bad))
            low, high = self.true_edges[row : row + 2]
            message = (
                f"{self.source}: row {row + 1} (true {low:g} to {high:g}): {generated[row]:g} generated, but its cells hold "
                f"{held[row]:g}: no more than were generated is allowed"
            )
            raise ValueError(message)
        return np.asarray(np.maximum(generated, held))

    @property
    def _name(self) -> str:
        """The file, without its checksum."""
        return self.source.partition(", SHA-256 ")[0]

    def with_missing(self) -> Migration:
        """Count what rows of probabilities lack to 1 as not seen, or reconstructed beyond the edges.

        Returns
        -------
        Migration
            With `generated`: the events of each row.

        Raises
        ------
        ValueError
            It cannot be known: contents are counts without `generated`, or a row of probabilities sums to more than 1.

        Examples
        --------
        >>> matrix = Migration([0.0, 1.0], [0.0, 1.0, 2.0], [[0.5, 0.3]], events=1000.0)
        >>> matrix.with_missing().generated.tolist()
        [1000.0]
        """
        if self.generated is not None:
            return self
        if self.events is None:
            message = (
                f"{self._name}: an efficiency is to be fitted, but nothing says how many particles there were: give a column "
                "generated (csv), or probabilities with --events (events=)"
            )
            raise ValueError(message)
        weight = self._weights(self.events, self.true_edges.size - 1)
        sums = self.counts.sum(axis=1) / weight
        if sums.max() > 1.0 + _ROUNDED_SUM:
            row = int(np.argmax(sums))
            low, high = self.true_edges[row : row + 2]
            message = (
                f"{self._name}: an efficiency is to be fitted, but row {row + 1} (true {low:g} to {high:g}) sums to "
                f"{sums[row]:g}: probabilities sum to at most 1"
            )
            raise ValueError(message)
        return replace(
            self,
            counts=self.counts / np.maximum(sums, 1.0)[:, None],
            generated=np.array(weight),
            events=1.0,
        )

    def total(self, values: Array, mass: float) -> Array:
        """Total energy (GeV) of values on an axis."""
        if self.quantity == "total":
            return values
        if self.quantity == "kinetic":
            return values + mass
        return np.sign(values) * np.hypot(values, mass)


class MigrationLikelihood:
    """Minus the logarithm of the likelihood of a migration matrix, as a function of cards.

    Parameters
    ----------
    matrix : Migration
    nodes : int
        Of the Gauss-Legendre rule by which the true energy is averaged over its bins; it is taken to be even there.

    Notes
    -----
    Each row is multinomial: with a bin of those that are not seen if `Migration.generated` is known, else over the bins that
    there are. Rows without entries do not count.
    """

    def __init__(self, matrix: Migration, nodes: int = 8) -> None:
        self.matrix = matrix
        x, w = np.polynomial.legendre.leggauss(nodes)
        low, high = matrix.true_edges[:-1, None], matrix.true_edges[1:, None]
        self._weight = 0.5 * w
        mass = species.mass(matrix.particle)
        true = matrix.total(0.5 * (high + low) + 0.5 * (high - low) * x, mass)
        particles = beam(matrix.particle, true.reshape(-1))
        self._beam = particles
        self._edges = matrix.total(matrix.reco_edges, mass)

    @property
    def size(self) -> int:
        """How many particles."""
        m = self.matrix
        return int(m.counts.sum() if m.generated is None else m.generated.sum())

    def cells(self, card: Card) -> tuple[Array, Array]:
        """Give counts and the probability of each cell: shapes (m, k), or (m, k + 1) with those that are not seen."""
        m = self.matrix
        faces = ParticleResponse(prepared(*self._beam, compile_card(card)))
        edges = np.maximum(self._edges[:, None], faces.energy_least)
        inside = faces.energy_between(edges[:-1], edges[1:]) * faces.efficiency
        rows = inside.reshape(inside.shape[0], m.true_edges.size - 1, -1)
        chance = (rows @ self._weight).T
        if m.generated is None:
            total = chance.sum(axis=1, keepdims=True)
            return m.counts, np.divide(chance, total, out=np.zeros_like(chance), where=total > 0.0)
        lost = m.generated - m.counts.sum(axis=1)
        counts = np.concatenate([m.counts, lost[:, None]], axis=1)
        rest = np.maximum(1.0 - chance.sum(axis=1, keepdims=True), 0.0)
        return counts, np.concatenate([chance, rest], axis=1)

    def __call__(self, card: Card, terms: Collection[str] = ()) -> float:
        """Minus the log-likelihood, without what does not depend on the card; it has no `terms` of its own."""
        del terms
        counts, chance = self.cells(card)
        some = counts > 0.0
        return float(-(counts[some] * np.log(np.maximum(chance[some], _LEAST))).sum())

    def far(self, card: Card) -> int:
        """How many cells have entries where the card gives no probability."""
        counts, chance = self.cells(card)
        return int(((counts > 0.0) & (chance < _LEAST)).sum())


def read_migration(path: str | Path, **settings: Any) -> Migration:
    """Read a migration matrix: a UHI JSON of two axes, true and reconstructed, or a csv of its cells.

    Parameters
    ----------
    path : str or Path
        ``.json``; or ``.csv`` with the columns ``true_low``, ``true_high``, ``reco_low``, ``reco_high`` (GeV) and ``value``,
        one row a cell, and optionally ``generated``: how many particles there were in the true bin. Cells that are not
        there are empty. Flow bins of a histogram's reconstructed axis are kept.
    **settings
        ``events``, ``quantity``, ``particle``: see `Migration`.

    Returns
    -------
    Migration

    Raises
    ------
    ValueError
        Not such a file.
    OSError
        It cannot be read.
    """
    place = Path(path)
    digest = hashlib.sha256(place.read_bytes()).hexdigest()
    try:
        if place.suffix == ".json":
            axes, counts, generated = _from_uhi(place)
        else:
            axes, counts, generated = _from_csv(place)
        migration = Migration(
            axes[0],
            axes[1],
            counts,
            generated,
            source=f"{place.name}, SHA-256 {digest}",
            **settings,
        )
    except ValueError as error:
        message = f"{place}: {str(error).removeprefix(f'{place.name}, SHA-256 {digest}: ')}"
        raise ValueError(message) from None
    return migration


def _from_uhi(place: Path) -> tuple[list[Array], Array, None]:
    from forefold.matrix import from_json

    histogram = from_json(place.read_text(encoding="utf-8"))
    if len(histogram.axes) != 2:
        message = (
            f"two axes are needed, true and reconstructed; the histogram has {len(histogram.axes)}"
        )
        raise ValueError(message)
    edges = [np.asarray(axis.edges, dtype=np.float64) for axis in histogram.axes]
    values = np.asarray(histogram.values(flow=True), dtype=np.float64)
    first, second = (axis.traits for axis in histogram.axes)
    values = values[1 if first.underflow else 0 :][: edges[0].size - 1]
    reco = [[-np.inf]] * second.underflow + [edges[1]] + [[np.inf]] * second.overflow
    return [edges[0], np.concatenate(reco)], values, None


def _from_csv(place: Path) -> tuple[list[Array], Array, Array | None]:
    from pyarrow import ArrowInvalid, csv

    try:
        table = csv.read_csv(place)
    except ArrowInvalid as error:
        message = f"not a csv: {' '.join(str(error).split())}"
        raise ValueError(message) from None
    for name in _COLUMNS:
        if name not in table.column_names:
            message = f"no column {name}{species.near(name, table.column_names)}; there are {', '.join(table.column_names)}"
            raise ValueError(message)
    low, high, reco_low, reco_high, value = (
        np.asarray(table[name].to_numpy(), dtype=np.float64) for name in _COLUMNS
    )
    true, reco = _edges("true", low, high), _edges("reco", reco_low, reco_high)
    rows = np.searchsorted(true, low)
    counts = np.zeros((true.size - 1, reco.size - 1))
    np.add.at(counts, (rows, np.searchsorted(reco, reco_low)), value)
    if "generated" not in table.column_names:
        return [true, reco], counts, None
    numbers = np.asarray(table["generated"].to_numpy(), dtype=np.float64)
    generated = np.zeros(true.size - 1)
    generated[rows] = numbers
    other = ~(generated[rows] == numbers)
    if other.any():
        line = int(np.argmax(other))
        message = (
            f"line {line + 2}: generated is {numbers[line]:g}, and {generated[rows[line]]:g} in another line of the same "
            "true bin"
        )
        raise ValueError(message)
    return [true, reco], counts, generated


def _edges(name: str, low: Array, high: Array) -> Array:
    edges = np.unique(np.concatenate([low, high]))
    if not np.array_equal(np.unique(low), edges[:-1]) or not np.array_equal(
        np.unique(high), edges[1:]
    ):
        message = f"{name}_low and {name}_high: the bins leave gaps or overlap"
        raise ValueError(message)
    return edges
