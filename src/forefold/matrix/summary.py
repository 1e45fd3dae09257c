"""What became of the particles, by type: counts by fate, bias and width."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from forefold.detector.load import load_card
from forefold.kernels.fate import OUTCOMES, Fate
from forefold.matrix.histograms import smeared_energies
from forefold.smearing.particle_columns import (
    ParticleColumns,
    card_of,
    particle_columns,
    selected,
    type_indices,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import awkward as ak
    from numpy.typing import NDArray

    from forefold.detector.load import Card

__all__ = ["MeanAndSpread", "RatioQuantiles", "Summary", "SummaryRow", "summary"]

_LIMIT = 8.0
_BINS = 8001
_EDGES = np.linspace(-_LIMIT, _LIMIT, _BINS + 1)


@dataclass(frozen=True, slots=True)
class MeanAndSpread:
    """Number, mean and sum of squared deviations; ``+`` merges two samples (Chan, Golub and LeVeque 1979).

    Unlike sums of x and x**2 this loses no digits when the mean is large against the width.

    Examples
    --------
    >>> both = MeanAndSpread.of(np.array([1.0, 2.0])) + MeanAndSpread.of(np.array([3.0]))
    >>> both.count, both.mean, both.std
    (3, 2.0, 1.0)
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> MeanAndSpread:
        """Those of a sample."""
        if not len(values):
            return cls()
        mean = float(np.mean(values))
        return cls(len(values), mean, float(np.sum((values - mean) ** 2)))

    def __add__(self, other: MeanAndSpread) -> MeanAndSpread:
        count = self.count + other.count
        if not count:
            return MeanAndSpread()
        step = other.mean - self.mean
        return MeanAndSpread(
            count,
            self.mean + step * other.count / count,
            self.squares + other.squares + step * step * self.count * other.count / count,
        )

    @property
    def std(self) -> float:
        """Standard deviation of the sample with n - 1; nan for fewer than two values."""
        return float(np.sqrt(self.squares / (self.count - 1))) if self.count > 1 else float("nan")


@dataclass(frozen=True, slots=True)
class RatioQuantiles:
    """Quantiles of a positive ratio from a fixed, fine histogram of its logarithm; ``+`` merges.

    The bins are 0.2 % wide, so a quantile is good to 0.1 % of the ratio; a sample of equal values of 1 has
    median 1. Ratios below exp(-8) or above exp(8) count at that limit.
    """

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_BINS, dtype=np.int64))

    @classmethod
    def of(cls, ratios: NDArray[np.float64]) -> RatioQuantiles:
        """Histogram of a sample of ratios >= 0."""
        lowest = np.exp(-_LIMIT)
        logs = np.log(np.clip(ratios, lowest, 1.0 / lowest))
        bins = np.floor((logs + _LIMIT) * (_BINS / (2.0 * _LIMIT))).astype(np.int64)
        return cls(np.bincount(np.clip(bins, 0, _BINS - 1), minlength=_BINS))

    def __add__(self, other: RatioQuantiles) -> RatioQuantiles:
        return RatioQuantiles(self.counts + other.counts)

    def __call__(self, probability: float) -> float:
        """Ratio below which the given part of the sample lies; nan for an empty sample."""
        cumulative = np.cumsum(self.counts)
        total = int(cumulative[-1])
        if not total:
            return float("nan")
        wanted = probability * total
        index = int(np.searchsorted(cumulative, wanted, side="left"))
        before = int(cumulative[index - 1]) if index else 0
        part = (wanted - before) / int(self.counts[index])
        return float(np.exp(_EDGES[index] + part * (_EDGES[index + 1] - _EDGES[index])))


_NAN = float("nan")
_NOT_SMEARED = {
    "neutrino": Fate.NEUTRINO,
    "nucleus": Fate.NUCLEUS,
    "pseudo-particle": Fate.PSEUDO_PARTICLE,
    "not final state": Fate.NOT_FINAL_STATE,
    "decayed": Fate.DECAYED,
    "merged": Fate.MERGED,
}
_MASK = int(sum(OUTCOMES))
_BELOW = (Fate.BELOW_THRESHOLD, Fate.BELOW_RECO_THRESHOLD)
_MISSED = (Fate.INEFFICIENCY, Fate.UNIDENTIFIED, Fate.INVALID)
_REACHED = [int(fate) for fate in (Fate.DETECTED, *_BELOW, *_MISSED)]


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One row of a summary. Counts are of particles and never weighted, nor are bias and width.

    Attributes
    ----------
    type : str
        Particle type of the card, or why the particles were not smeared, or "total".
    particles, detected, below_threshold, missed, not_smeared : int
        Particles that came in, and what became of them: the last four add up to the first.
    energy_of : str
        The energy that bias and width are of: "kinetic", "total", "kinetic or total" for a type whose
        rules differ; empty where nothing is smeared.
    energy_bias, energy_width : float
        Mean and standard deviation of (reconstructed - true) / true energy of the detected particles.
    energy_median, energy_half_width : float
        Median of the same, and half the width of its central 68.27 %; from a histogram with bins of 0.2 %,
        so good to 0.001.
    angle_bias, angle_width : float, degrees
        Mean and standard deviation of drawn - true polar angle of the detected particles, before it is
        folded back to 0 to 180 degrees: what the card's resolution speaks of.
    """

    type: str
    particles: int
    detected: int = 0
    below_threshold: int = 0
    missed: int = 0
    not_smeared: int = 0
    energy_of: str = ""
    energy_bias: float = _NAN
    energy_width: float = _NAN
    energy_median: float = _NAN
    energy_half_width: float = _NAN
    angle_bias: float = _NAN
    angle_width: float = _NAN

    @property
    def efficiency(self) -> float:
        """Detected over smeared particles; nan where none was smeared."""
        smeared = self.particles - self.not_smeared
        return self.detected / smeared if smeared else _NAN


@dataclass(frozen=True, slots=True)
class _Type:
    """The additive content of one row."""

    outcomes: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros(len(OUTCOMES), dtype=np.int64)
    )
    energy: MeanAndSpread = field(default_factory=MeanAndSpread)
    ratio: RatioQuantiles = field(default_factory=RatioQuantiles)
    angle: MeanAndSpread = field(default_factory=MeanAndSpread)

    def __add__(self, other: _Type) -> _Type:
        return _Type(
            self.outcomes + other.outcomes,
            self.energy + other.energy,
            self.ratio + other.ratio,
            self.angle + other.angle,
        )

    def row(self, label: str, energy_of: str) -> SummaryRow:
        below, middle, above = (self.ratio(p) for p in (0.158655, 0.5, 0.841345))
        has_energy = self.energy.count > 0
        return SummaryRow(
            type=label,
            particles=int(self.outcomes.sum()),
            detected=self.count(Fate.DETECTED),
            below_threshold=self.count(*_BELOW),
            missed=self.count(*_MISSED),
            energy_of=energy_of,
            energy_bias=self.energy.mean if has_energy else _NAN,
            energy_width=self.energy.std,
            energy_median=middle - 1.0,
            energy_half_width=0.5 * (above - below),
            angle_bias=self.angle.mean if self.angle.count else _NAN,
            angle_width=self.angle.std,
        )

    def count(self, *outcomes: Fate) -> int:
        return int(sum(self.outcomes[OUTCOMES.index(outcome)] for outcome in outcomes))


class Summary:
    """Counts by fate, bias and width by particle type, collected piece by piece.

    Every particle is in exactly one row, so the rows add up to the particles that came in. Counts and
    moments are not weighted: they tell about particles, not about cross-sections. Two summaries of the same
    card add with ``+``.

    Parameters
    ----------
    card : Card, str or Path
        The card that the events are smeared with.
    cc_only : bool
        Take charged-current events only.

    Examples
    --------
    >>> import forefold
    >>> events = forefold.events.build(
    ...     pdgid=[[13, 14]], px=0.0, py=[[0.0, 0.0]], pz=[[2.0, 1.0]], energy=[[2.0028, 1.0]]
    ... )
    >>> card = forefold.load_card("nusmear-dune-cdr")
    >>> found = Summary(card)
    >>> found.add(forefold.smear(events, card, rng=1, axis="z"))
    >>> [(row.type, row.particles, row.detected) for row in found if row.particles]
    [('mu+-', 1, 1), ('neutrino', 1, 0), ('total', 2, 1)]
    """

    def __init__(self, card: Card | str | Path, *, cc_only: bool = False) -> None:
        self.card = card = load_card(card)
        self.cc_only = cc_only
        self.events = 0
        self._types = {label: _Type() for label in card.types}
        self._rest = _Type()

    def add(self, smeared: ak.Array) -> None:
        """Count a piece of smeared events in.

        Parameters
        ----------
        smeared : ak.Array
            Events from `forefold.smear` with the summary's card.

        Raises
        ------
        ValueError
            If these are not smeared events, were smeared with another card, do not say what is charged
            current when that is asked, or hold a particle without a single outcome.
        """
        card_of(smeared, self.card)
        particles = particle_columns(selected(smeared, self.cc_only))
        indices = type_indices(particles.rule, self.card)
        outcome = _outcome_indices(particles)
        true, reco = smeared_energies(particles, self.card)
        turned = np.degrees(particles.theta_drawn - particles.theta_true)
        measured = particles.detected & (true > 0.0)
        for index, label in enumerate(self.card.types):
            of_type = indices == index
            chosen = of_type & measured
            ratio = reco[chosen] / true[chosen]
            self._types[label] += _Type(
                np.bincount(outcome[of_type], minlength=len(OUTCOMES)),
                MeanAndSpread.of(ratio - 1.0),
                RatioQuantiles.of(ratio),
                MeanAndSpread.of(turned[of_type & particles.detected]),
            )
        self._rest += _Type(np.bincount(outcome[indices < 0], minlength=len(OUTCOMES)))
        self.events += particles.events

    def __add__(self, other: Summary) -> Summary:
        if (list(self._types), self.cc_only) != (list(other._types), other.cc_only):
            message = (
                f"summaries of different cards or selections do not add: '{self.card.name}' "
                f"(cc_only={self.cc_only}) and '{other.card.name}' (cc_only={other.cc_only})"
            )
            raise ValueError(message)
        both = Summary(self.card, cc_only=self.cc_only)
        both.events = self.events + other.events
        both._types = {
            label: content + other._types[label] for label, content in self._types.items()
        }
        both._rest = self._rest + other._rest
        return both

    def __iter__(self) -> Iterator[SummaryRow]:
        return iter([*self.rows(), self.total()])

    def rows(self) -> list[SummaryRow]:
        """Return one row a particle type of the card, then one a reason for not smearing.

        Returns
        -------
        list of SummaryRow
            All types of the card, also those without a particle; reasons only where there are particles.
        """
        rows = [
            content.row(label, self._energy_of(label)) for label, content in self._types.items()
        ]
        for label, outcome in _NOT_SMEARED.items():
            particles = self._rest.count(outcome)
            if particles:
                rows.append(SummaryRow(type=label, particles=particles, not_smeared=particles))
        return rows

    def total(self) -> SummaryRow:
        """Return the counts of all rows together; bias and width are left out, as types differ.

        Returns
        -------
        SummaryRow
        """
        rows = self.rows()
        return SummaryRow(
            type="total",
            particles=sum(row.particles for row in rows),
            detected=sum(row.detected for row in rows),
            below_threshold=sum(row.below_threshold for row in rows),
            missed=sum(row.missed for row in rows),
            not_smeared=sum(row.not_smeared for row in rows),
        )

    def _energy_of(self, label: str) -> str:
        return " or ".join(
            sorted(
                {
                    part.of
                    for rule in self.card.rules
                    if rule.type == label
                    for part in rule.energy.components()
                }
            )
        )

    def __str__(self) -> str:
        """Table in plain text."""
        head = f"{'type':<16}{'particles':>10}{'detected':>10}{'below thr.':>11}{'missed':>9}{'left out':>10}"
        lines = [
            f"{self.card.name}: {self.events} events",
            f"{head}{'bias':>9}{'width':>9}{'angle':>9}",
        ]
        for row in self:
            counts = f"{row.particles:>10}{row.detected:>10}{row.below_threshold:>11}{row.missed:>9}{row.not_smeared:>10}"
            lines.append(
                f"{row.type:<16}{counts}{_percent(row.energy_bias, sign='+'):>9}{_percent(row.energy_width):>9}"
                f"{_angle(row.angle_width):>9}"
            )
        return "\n".join(lines)


def summary(smeared: ak.Array, card: Card | str | Path, *, cc_only: bool = False) -> Summary:
    """Count particles by type and fate, and measure bias and width.

    Parameters
    ----------
    smeared : ak.Array
        Events from `forefold.smear`.
    card : Card, str or Path
        The card they were smeared with.
    cc_only : bool
        Charged-current events only.

    Returns
    -------
    Summary
        Print it, iterate over its rows, or add more events to it.

    Raises
    ------
    ValueError
        As `Summary.add`.

    Examples
    --------
    >>> import forefold
    >>> events = forefold.events.build(
    ...     pdgid=[[13]], px=0.0, py=[[0.0]], pz=[[2.0]], energy=[[2.0028]]
    ... )
    >>> card = forefold.load_card("nusmear-dune-cdr")
    >>> summary(forefold.smear(events, card, rng=1, axis="z"), card).total().detected
    1
    """
    result = Summary(card, cc_only=cc_only)
    result.add(smeared)
    return result


def _outcome_indices(particles: ParticleColumns) -> NDArray[np.int64]:
    """Index into OUTCOMES of each particle."""
    lookup = np.full(_MASK + 1, -1, dtype=np.int64)
    for index, outcome in enumerate(OUTCOMES):
        lookup[int(outcome)] = index
    outcomes = particles.fate & _MASK
    indices: NDArray[np.int64] = lookup[outcomes]
    if np.any(indices < 0):
        message = f"fate {particles.fate[int(np.argmin(indices))]} of a particle does not hold exactly one outcome"
        raise ValueError(message)
    stray = np.isin(outcomes, _REACHED) != particles.smeared
    if np.any(stray):
        message = f"fate {particles.fate[int(np.argmax(stray))]} of a particle does not go with its rule, or no rule"
        raise ValueError(message)
    return indices


def _percent(value: float, *, sign: str = "") -> str:
    return "" if np.isnan(value) else f"{100.0 * value:{sign}.1f} %"


def _angle(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.1f}\N{DEGREE SIGN}"
