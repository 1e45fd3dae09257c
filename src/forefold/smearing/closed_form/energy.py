"""One component of an energy draw, for many particles at once: where the reconstructed total energy is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from forefold.kernels.special import normal_cdf, normal_density
from forefold.response.distributions import Identity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.response.distributions import Family

    Array = NDArray[np.float64]

__all__ = ["EnergyPart", "above"]

_NEAR = 1e-12  # relative: a stored energy is this near to the point that it was drawn at
_REACH, _NODES = 8.0, 257  # normal scores between which moments are taken, and points there


@dataclass(frozen=True)
class EnergyPart:
    """One component, for the particles of one rule; the total energy E (GeV) follows from what is drawn, x.

    Attributes
    ----------
    rows : ndarray of int64, shape (m,)
        Which particles.
    index : int
        Place of the component in its rule.
    weight : ndarray, shape (m,)
        Its probability.
    family : Family
        Distribution of x.
    of : {"sum", "momentum", "inverse"}
        E = scale x + offset + rest; or the momentum is scale x + offset, or scale/|x| + offset.
    location, sigma : ndarray, shape (m,)
        Of x: GeV, or 1/GeV.
    scale, offset, mass, rest : ndarray, shape (m,)
        `rest` is the mass where x is a kinetic energy, else 0.
    clamp : bool
        An energy below the mass becomes the mass.
    exact : ndarray of bool, shape (m,)
        Nothing is drawn: the energy is `point`.

    Notes
    -----
    Arguments are energies of shape (..., m). A component that has no value for a particle (a row that a table does not have)
    has probability 0 everywhere.
    """

    rows: NDArray[np.int64]
    index: int
    weight: Array
    family: Family
    of: Literal["sum", "momentum", "inverse"]
    location: Array
    sigma: Array
    scale: Array
    offset: Array
    mass: Array
    rest: Array
    clamp: bool
    exact: NDArray[np.bool_]

    @property
    def point(self) -> Array:
        """Energy without smearing, GeV."""
        return self.energy(self.location)

    def energy(self, x: Array) -> Array:
        """Total energy (GeV) that follows from a draw, step by step as the loops do it."""
        drawn = x
        if self.of == "inverse":
            with np.errstate(divide="ignore"):
                drawn = np.where(np.asarray(self.location) > 0.0, np.abs(1.0 / drawn), 0.0)
        drawn = drawn * self.scale
        drawn = np.where(self.offset != 0.0, drawn + self.offset, drawn)
        if self.of == "sum":
            drawn = drawn + self.rest
        else:
            drawn = np.sqrt(drawn * drawn + self.mass * self.mass)
        return np.maximum(drawn, self.mass) if self.clamp else drawn

    def between(self, low: Array, high: Array) -> Array:
        """Probability of low <= E < high."""
        m = self.mass
        if not self.clamp:
            return self._between(low, high)
        probability = self._between(np.maximum(low, m), np.maximum(high, m))
        smooth = np.where(self.exact, 0.0, self._between(np.full_like(m, -np.inf), m))
        return probability + np.where((low <= m) & (m < high), smooth, 0.0)

    def cdf(self, energy: Array) -> Array:
        """Probability of E <= energy."""
        probability = self.between(np.full_like(energy, -np.inf), above(energy))
        return np.where(self.exact, energy >= self.point, probability)

    def pdf(self, energy: Array) -> Array:
        """Density per GeV of what is not a point; see `atom`."""
        e = np.asarray(energy, dtype=np.float64)
        if self.of == "sum":
            density = self._x_pdf((e - self.rest - self.offset) / self.scale) / self.scale
        else:
            above = e > self.mass
            e = np.where(above, e, self.mass + 1.0)
            q = np.sqrt((e - self.mass) * (e + self.mass))
            density = np.where(above, (self._p_pdf(q) + self._p_pdf(-q)) * (e / q), 0.0)
        if self.clamp:
            density = np.where(np.asarray(energy) > self.mass, density, 0.0)
        return np.where(self.exact, 0.0, density)

    def atom(self, energy: Array) -> Array:
        """Probability of exactly this energy."""
        probability = np.where(self.exact & _same(energy, self.point), 1.0, 0.0)
        if self.clamp:
            pile = np.where(
                self.exact, 0.0, self._between(np.full_like(self.mass, -np.inf), self.mass)
            )
            probability = probability + np.where(_same(energy, self.mass), pile, 0.0)
        return probability

    def moments(self) -> tuple[Array, Array]:
        """Mean and standard deviation of E, GeV.

        Notes
        -----
        In closed form where E is linear in x. Otherwise by quantiles, of which the outer 1e-15 are left out: the
        mean of 1/|x| has no value where x may be zero.
        """
        at, width = self._safe()
        if self.of == "sum" and not self.clamp:
            mean = self.scale * self.family.mean(at, width) + self.offset + self.rest
            std = self.scale * self.family.std(at, width)
        else:
            score = np.linspace(-_REACH, _REACH, _NODES)
            share = np.array([normal_density(s) for s in score])
            u = np.array([normal_cdf(s) for s in score])[:, None]
            share = (share / share.sum())[:, None]
            drawn = self.energy(self.family.ppf(u, at, width))
            mean = (share * drawn).sum(axis=0)
            std = np.sqrt((share * np.square(drawn - mean)).sum(axis=0))
        return np.where(self.exact, self.point, mean), np.where(self.exact, 0.0, std)

    def support(self) -> tuple[Array, Array]:
        """Lowest and highest energy that can be drawn, shape (m,); for momenta, the mass and infinity."""
        if self.of != "sum":
            return self.mass, np.full(self.mass.shape, np.inf)
        return self.end(0.0), self.end(1.0)

    def end(self, u: float) -> Array:
        """Energy at the quantile u of what is drawn, shape (m,); NaN where nothing is drawn."""
        return np.where(self.exact, np.nan, self.energy(self.family.ppf(u, *self._safe())))

    def sample(self, u: Array) -> Array:
        """Energies drawn with uniforms u, with the bits of the engine."""
        if isinstance(self.family, Identity):
            return np.broadcast_to(self.point, u.shape)
        drawn = self.family.sample(u, *self._safe())
        return np.where(self.exact, self.point, self.energy(drawn))

    def _safe(self) -> tuple[Array, Array]:
        """Location and width, with harmless ones where nothing is drawn."""
        at = np.where(self.exact, 1.0, self.location)
        return at, np.where(self.exact, 1.0, self.sigma)

    def _x_pdf(self, x: Array) -> Array:
        if isinstance(self.family, Identity):
            return np.zeros(np.broadcast_shapes(x.shape, self.location.shape))
        return np.nan_to_num(self.family.pdf(x, *self._safe()), nan=0.0, posinf=np.inf)

    def _x_between(self, low: Array, high: Array) -> Array:
        if isinstance(self.family, Identity):
            return np.zeros(np.broadcast_shapes(low.shape, self.location.shape))
        return np.nan_to_num(self.family.between(low, high, *self._safe()), nan=0.0)

    def _between(self, low: Array, high: Array) -> Array:
        """Probability of low <= E < high, before anything is clamped."""
        if self.of == "sum":
            shift = self.rest + self.offset
            probability = self._x_between((low - shift) / self.scale, (high - shift) / self.scale)
        else:
            ends = [np.maximum(end, self.mass) for end in (low, high)]
            q, r = (np.sqrt((end - self.mass) * (end + self.mass)) for end in ends)
            probability = np.where(q < r, self._p_between(q, r) + self._p_between(-r, -q), 0.0)
        point = np.where((low <= self.point) & (self.point < high), 1.0, 0.0)
        return np.where(self.exact, point, probability)

    def _p_between(self, low: Array, high: Array) -> Array:
        """Probability of low <= p < high, where p is the signed momentum."""
        low, high = (low - self.offset) / self.scale, (high - self.offset) / self.scale
        if self.of == "momentum":
            return self._x_between(low, high)
        with np.errstate(divide="ignore"):
            low, high = 1.0 / np.maximum(high, 0.0), 1.0 / np.maximum(low, 0.0)
        return self._x_between(low, high) + self._x_between(-high, -low)

    def _p_pdf(self, p: Array) -> Array:
        """Density of the signed momentum."""
        y = (p - self.offset) / self.scale
        if self.of == "momentum":
            return self._x_pdf(y) / self.scale
        some = y > 0.0
        x = 1.0 / np.where(some, y, 1.0)
        both = self._x_pdf(x) + self._x_pdf(-x)
        return np.where(some, both * (x * x) / self.scale, 0.0)


def above(x: Array) -> Array:
    """Give the next number above; infinities stay."""
    return np.where(np.isfinite(x), np.nextafter(np.where(np.isfinite(x), x, 0.0), np.inf), x)


def _same(energy: Array, point: Array) -> NDArray[np.bool_]:
    return np.asarray(np.abs(energy - point) <= _NEAR * np.abs(point))
