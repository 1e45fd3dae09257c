"""Efficiency, energy and direction that a card gives to particles, as probabilities instead of random draws."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from forefold.kernels.directions import azimuths
from forefold.kernels.fate import OUTCOMES, Fate
from forefold.kernels.layout import COMPONENT_COLUMNS, RULE_COLUMNS
from forefold.response import distributions as families
from forefold.smearing.closed_form.direction import DirectionDistribution
from forefold.smearing.closed_form.energy import EnergyPart

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from forefold.detector.energy import Drawn
    from forefold.smearing.engine import Prepared

    Array = NDArray[np.float64]
    Rows = NDArray[np.int64]

__all__ = ["ParticleResponse"]

_OUTCOME_BITS = int(sum(OUTCOMES))
_UNBOUNDED = 1e300  # what a card's cut has where it gives none
_NEAR = 1e-12


class ParticleResponse:
    """Response of a card to prepared particles: efficiency, and densities of the reconstructed energy and direction.

    Parameters
    ----------
    work : Prepared
        Particles that are identified and have a rule; `forefold.smearing.engine.prepared` makes them.

    Attributes
    ----------
    rule : ndarray of int64, shape (n,)
        Rows of the card's rules; -1 for particles that are left out, or lost before a rule.
    efficiency : ndarray, shape (n,)
        Probability to pass the threshold on truth (0 or 1) and the efficiency.
    energy_least : ndarray, shape (n,), GeV
        Total energy from which on a particle passes the thresholds on what is reconstructed; -inf without any.
    mass : ndarray, shape (n,), GeV
        As the particle is taken.
    parts : tuple of EnergyPart
        Components of energy, of all rules; `EnergyPart.rows` says of which particles.
    directions : tuple of (ndarray of int64, DirectionDistribution)
        Directions: rows, and how they are smeared.

    Notes
    -----
    Energies given to the methods have shape (..., n). They are total ones in GeV; below `energy_least` nothing is seen, but the
    distributions are those before that threshold. Energy and direction are independent for a given particle.
    """

    def __init__(self, work: Prepared) -> None:
        self._work = work
        k = work.kinematics
        open_ = (work.fate & _OUTCOME_BITS) == 0
        self.rule = np.where(open_, work.chosen, -1)
        self.mass = k.mass
        n = k.mass.size
        self.efficiency, self.energy_least = np.zeros(n), np.full(n, -np.inf)
        parts: list[EnergyPart] = []
        directions: list[tuple[Rows, DirectionDistribution]] = []
        for rule in np.unique(self.rule[self.rule >= 0]).tolist():
            rows = np.flatnonzero(self.rule == rule)
            directions.append((rows, self._direction(rule, rows)))
            rows = rows[self._above(rule, rows)]
            self.efficiency[rows] = self._of_rule("efficiency", rule, rows)
            self.energy_least[rows] = self._least(rule, rows)
            parts += self._parts(rule, rows)
        self.parts, self.directions = tuple(parts), tuple(directions)

    @property
    def size(self) -> int:
        """Number of particles."""
        return int(self.mass.size)

    @property
    def invalid(self) -> NDArray[np.bool_]:
        """Whether a formula has no value, shape (n,): such particles are lost."""
        return np.asarray((self._work.fate & int(Fate.INVALID)) != 0)

    @cached_property
    def passes(self) -> Array:
        """Probability to pass the thresholds on what is reconstructed, shape (n,), for a particle that the efficiency keeps."""
        return self.energy_between(self.energy_least, np.inf)

    @property
    def detection_probability(self) -> Array:
        """Probability to be detected, shape (n,): thresholds and efficiency together."""
        return self.efficiency * self.passes

    def energy_between(self, low: ArrayLike, high: ArrayLike) -> Array:
        """Probability of low <= E < high, of shape (..., n)."""
        low, high = (np.asarray(end, dtype=np.float64) for end in (low, high))
        shape = np.broadcast_shapes(low.shape, high.shape, (self.size,))
        low, high = (np.broadcast_to(end, shape) for end in (low, high))
        return self._sum(shape, lambda p: p.between(low[..., p.rows], high[..., p.rows]))

    def energy_cdf(self, energy_reco: ArrayLike) -> Array:
        """Probability of E <= energy_reco, of shape (..., n)."""
        e = self._energies(energy_reco)
        return self._sum(e.shape, lambda part: part.cdf(e[..., part.rows]))

    def energy_pdf(self, energy_reco: ArrayLike) -> Array:
        """Density per GeV, of shape (..., n), of what is not a point; see `energy_atom`."""
        e = self._energies(energy_reco)
        return self._sum(e.shape, lambda part: part.pdf(e[..., part.rows]))

    def energy_atom(self, energy_reco: ArrayLike) -> Array:
        """Probability of exactly this energy, of shape (..., n): exact energies, and those that are clamped to the mass."""
        e = self._energies(energy_reco)
        return self._sum(e.shape, lambda part: part.atom(e[..., part.rows]))

    def support(self) -> tuple[Array, Array]:
        """Lowest and highest energy with a density, shape (n,), GeV; exact energies do not count. inf and -inf where there is none."""
        low, high = np.full(self.size, np.inf), np.full(self.size, -np.inf)
        for part in self.parts:
            first, last = part.support()
            some = ~part.exact & (part.weight > 0.0)
            low[part.rows] = np.where(some, np.minimum(low[part.rows], first), low[part.rows])
            high[part.rows] = np.where(some, np.maximum(high[part.rows], last), high[part.rows])
        return np.maximum(low, self.energy_least), high

    def energy_moments(self) -> tuple[Array, Array]:
        """Mean and standard deviation of E, shape (n,), GeV, before any threshold; see `EnergyPart.moments`."""
        mean, square = np.zeros(self.size), np.zeros(self.size)
        moments = [(part, *part.moments()) for part in self.parts]
        for part, mean_part, _ in moments:
            mean[part.rows] += _weighed(part.weight, mean_part)
        for part, mean_part, std in moments:
            with np.errstate(invalid="ignore"):
                off = np.square(std) + np.square(mean_part - mean[part.rows])
            # a tail without a mean has no variance either
            square[part.rows] += _weighed(part.weight, np.where(np.isfinite(off), off, np.inf))
        possible = self.efficiency > 0.0
        return np.where(possible, mean, np.nan), np.where(possible, np.sqrt(square), np.nan)

    def energy_mean(self) -> Array:
        """Mean of E, shape (n,), GeV."""
        return self.energy_moments()[0]

    def energy_std(self) -> Array:
        """Width of E as its standard deviation, shape (n,), GeV."""
        return self.energy_moments()[1]

    def energy_sample(self, u_part: Array, u_energy: Array) -> Array:
        """Energies drawn with given uniforms, shape (n,), with the bits of the engine; NaN where nothing can be seen."""
        energy, total = np.full(self.size, np.nan), np.zeros(self.size)
        for part in self.parts:
            rows = part.rows
            start = total[rows].copy()
            total[rows] += part.weight
            here = (start <= u_part[rows]) & (u_part[rows] < total[rows])
            energy[rows] = np.where(here, part.sample(u_energy[rows]), energy[rows])
        return energy

    def theta_cdf(self, theta: ArrayLike) -> Array:
        """Probability of a polar angle (rad) of at most theta, of shape (..., n)."""
        t = self._energies(theta)
        probability = np.zeros(t.shape)
        for rows, direction in self.directions:
            probability[..., rows] = direction.theta_cdf(t[..., rows])
        return probability

    def theta_pdf(self, theta: ArrayLike) -> Array:
        """Density (1/rad) of the polar angle on the sphere, of shape (..., n)."""
        t = self._energies(theta)
        density = np.zeros(t.shape)
        for rows, direction in self.directions:
            density[..., rows] = direction.theta_pdf(t[..., rows])
        return density

    @cached_property
    def dimension(self) -> NDArray[np.int64]:
        """Whether the direction is a point, a line or an area, shape (n,); see `DirectionDistribution.dimension`. -1 without a rule."""
        dimension = np.full(self.size, -1, np.int64)
        for rows, direction in self.directions:
            dimension[rows] = direction.dimension()
        return dimension

    def direction_pdf(self, theta: Array, phi: Array) -> Array:
        """Density of directions (rad, shape (n,)); see `DirectionDistribution.density`."""
        density = np.zeros(self.size)
        for rows, direction in self.directions:
            density[rows] = direction.density(theta[rows], phi[rows])
        return density

    @cached_property
    def crossing(self) -> Array:
        """Probability that the direction goes beyond a pole, shape (n,); see `DirectionDistribution.crossing`."""
        return self._of_directions(lambda direction: direction.crossing())

    @cached_property
    def crosses(self) -> NDArray[np.bool_]:
        """Whether directions beyond a pole have a density, shape (n,)."""
        polar = self._of_directions(lambda h: np.full(h.theta.size, float(h.convention == "polar")))
        return np.asarray(polar > 0.0)

    def _of_directions(self, value: Callable[[DirectionDistribution], Array]) -> Array:
        values = np.zeros(self.size)
        for rows, direction in self.directions:
            values[rows] = value(direction)
        return values

    def _energies(self, values: ArrayLike) -> Array:
        e = np.asarray(values, dtype=np.float64)
        return np.broadcast_to(e, np.broadcast_shapes(e.shape, (self.size,)))

    def _sum(self, shape: tuple[int, ...], value: Any) -> Array:
        total = np.zeros(shape)
        for part in self.parts:
            total[..., part.rows] += _weighed(part.weight, value(part))
        return total

    def _of_rule(self, name: str, rule: int, rows: Rows) -> Array:
        compiled, column = self._work.compiled, RULE_COLUMNS.index(name)
        return self._cell(compiled.rules, compiled.rule_links, rule, column, rows)

    def _of_part(self, name: str, part: int, rows: Rows) -> Array:
        compiled, column = self._work.compiled, COMPONENT_COLUMNS.index(name)
        return self._cell(compiled.components, compiled.component_links, part, column, rows)

    def _cell(
        self, numbers: Array, links: NDArray[np.int64], row: int, column: int, rows: Rows
    ) -> Array:
        link = links[row, column]
        if link < 0:
            return np.full(rows.size, numbers[row, column])
        values: Array = self._work.tables.dynamic[link, rows]
        return values

    def _above(self, rule: int, rows: Rows) -> NDArray[np.bool_]:
        """Whether particles pass the threshold on truth."""
        k = self._work.kinematics
        above = k.kinetic[rows] >= self._of_rule("threshold_ke", rule, rows)
        above &= k.p[rows] >= self._of_rule("threshold_p", rule, rows)
        return np.asarray(above & (self._of_rule("seen_if", rule, rows) == 1.0))

    def _least(self, rule: int, rows: Rows) -> Array:
        m = self.mass[rows]
        momentum = self._of_rule("reco_p", rule, rows)
        needed = np.sqrt(m * m + np.square(np.maximum(momentum, 0.0)))
        needed = np.where(momentum > 0.0, needed, -np.inf)
        return np.maximum(m + self._of_rule("reco_ke", rule, rows), needed)

    def _direction(self, rule: int, rows: Rows) -> DirectionDistribution:
        angle, k = self._work.compiled.card.rules[rule].angle, self._work.kinematics
        return DirectionDistribution(
            angle.convention,
            angle.distribution,
            k.theta[rows],
            azimuths(k.x[rows], k.y[rows]),
            self._of_rule("theta_sigma", rule, rows),
            self._of_rule("phi_sigma", rule, rows),
        )

    def _parts(self, rule: int, rows: Rows) -> list[EnergyPart]:
        drawn = list(self._work.compiled.card.rules[rule].energy.components())
        first = int(self._work.compiled.rules[rule, RULE_COLUMNS.index("first")])
        left, parts = np.ones(rows.size), []
        for j, one in enumerate(drawn):
            last = j == len(drawn) - 1
            weight = left if last else np.minimum(self._of_part("weight", first + j, rows), left)
            left = left - weight
            parts.append(self._part(first + j, j, one, rows, weight))
        return parts

    def _part(self, row: int, index: int, drawn: Drawn, rows: Rows, weight: Array) -> EnergyPart:
        work, k = self._work, self._work.kinematics
        kinetic = np.full(rows.size, drawn.of == "kinetic")
        if drawn.of == "visible":
            kinetic = work.table.nucleon[work.kind[rows]]
        of = {"momentum": "momentum", "inverse-momentum": "inverse"}.get(drawn.of, "sum")
        argument = np.where(kinetic, k.kinetic[rows], k.energy[rows])
        argument = argument if of == "sum" else k.p[rows]
        some = argument > 0.0
        argument = np.where(some, argument, 1.0)
        location = 1.0 / argument if of == "inverse" else argument
        family = self._family(row, drawn, rows)
        free = isinstance(family, families.Identity | families.Tabulated)
        sigma = np.zeros(rows.size) if free else self._sigma(row, drawn, rows, location, argument)
        exact = ~some | ((sigma == 0.0) & (not isinstance(family, families.Tabulated)))
        if isinstance(family, families.Tabulated):
            # the last edge belongs to the last bin
            end = family.rows[-1]
            location = np.where(location == end, np.nextafter(end, -np.inf), location)
        return EnergyPart(
            rows,
            index,
            weight,
            family,
            cast("Literal['sum', 'momentum', 'inverse']", of),
            np.where(some, location, 0.0),
            sigma,
            self._of_part("scale", row, rows),
            self._of_part("offset", row, rows),
            self.mass[rows],
            np.where(kinetic, self.mass[rows], 0.0),
            drawn.below_mass == "clamp",
            exact,
        )

    def _sigma(self, row: int, drawn: Drawn, rows: Rows, location: Array, argument: Array) -> Array:
        """Width in the unit of what is drawn."""
        if drawn.sigma is not None:
            return self._of_part("sigma", row, rows)
        if drawn.resolution is not None:
            return location * self._of_part("resolution", row, rows)
        a, b, c = (self._of_part(name, row, rows) for name in ("constant", "stochastic", "noise"))
        b, c = b / np.sqrt(argument), c / argument
        return location * (a + b + c if drawn.sum == "linear" else np.sqrt(a * a + b * b + c * c))

    def _family(self, row: int, drawn: Drawn, rows: Rows) -> families.Family:
        a, b, c, d = (self._shape(row, rows, name) for name in ("a", "b", "c", "d"))
        if drawn.distribution == "tabulated":
            assert drawn.table is not None
            table = self._work.compiled.card.tables[drawn.table]
            values = np.array(table.values, dtype=np.float64)
            if not table.normalise:
                # nothing of an empty row is seen: its efficiency is 0, whatever its shape
                values[~values.any(axis=1)] = 1.0
            return families.Tabulated(table.axes[1], values, table.axes[0])
        if drawn.distribution == "truncated-normal":
            low, high = (
                np.where(np.abs(x) >= _UNBOUNDED, np.copysign(np.inf, x), x) for x in (a, b)
            )
            return families.TruncatedNormal(cast("float", low), cast("float", high))
        if drawn.distribution == "crystal-ball":
            return families.CrystalBall(*(cast("float", x) for x in (a, b, c, d)))
        if drawn.distribution == "exponential":
            return families.Exponential(-1 if np.all(a < 0.0) else 1)
        plain: dict[str, families.Family] = {
            "log-normal": families.LogNormal(),
            "normal": families.Normal(),
            "uniform": families.Uniform(),
        }
        return plain.get(drawn.distribution, families.Identity())

    def _shape(self, row: int, rows: Rows, name: str) -> Array:
        """Shape of a distribution: a number, or an array where it is a formula."""
        column = COMPONENT_COLUMNS.index(f"shape_{name}")
        compiled = self._work.compiled
        if compiled.component_links[row, column] < 0:
            return np.asarray(compiled.components[row, column])
        return self._of_part(f"shape_{name}", row, rows)


def _weighed(weight: Array, value: Array) -> Array:
    """Weight times value; nothing without weight, even where the value is infinite or unknown."""
    with np.errstate(invalid="ignore"):
        return np.where(weight > 0.0, weight * value, 0.0)
