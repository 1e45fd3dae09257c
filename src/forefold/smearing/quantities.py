"""The quantities of particles that formulas of a card may name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forefold.events import particles as names
from forefold.kernels.directions import azimuths

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from forefold.detector import Containment
    from forefold.kernels.layout import Kinematics, TrueParticles

__all__ = ["Particles", "quantity"]


class Particles(NamedTuple):
    """Particles as they are taken.

    Attributes
    ----------
    truth : TrueParticles
        True particles, with what their random numbers depend on.
    kinematics : Kinematics
        Kinematics of the particles as they are identified.
    kinds : ndarray of int64, shape (s,)
        PDG identifiers.
    kind : ndarray of int64, shape (n,)
        Row of `kinds` as which each is taken.
    containment : Containment or None
        Of the card.
    """

    truth: TrueParticles
    kinematics: Kinematics
    kinds: NDArray[np.int64]
    kind: NDArray[np.int64]
    containment: Containment | None

    def _direction(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Length of the true momentum, 1 at rest."""
        k = self.kinematics
        x, y, z = k.x[rows], k.y[rows], k.z[rows]
        norm = np.sqrt(x * x + y * y + z * z)
        return np.where(norm > 0.0, norm, 1.0)

    def _cos_theta(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        k = self.kinematics
        at_rest = (k.x[rows] == 0.0) & (k.y[rows] == 0.0) & (k.z[rows] == 0.0)
        return np.where(at_rest, 1.0, np.clip(k.z[rows] / self._direction(rows), -1.0, 1.0))

    def _transverse(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Momentum across the axis, of the particle as it is taken."""
        k = self.kinematics
        x, y = k.x[rows], k.y[rows]
        return np.sqrt(x * x + y * y) * (k.p[rows] / self._direction(rows))

    def _charge(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        charges = np.array([names.charge(int(pdg)) for pdg in self.kinds])
        return charges[self.kind[rows]]

    def _phi(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return azimuths(self.kinematics.x[rows], self.kinematics.y[rows])

    def _component(self, which: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Direction cosine in the record's own frame."""
        value: NDArray[np.float64] = getattr(self.truth, which)[rows]
        return np.clip(value / self._direction(rows), -1.0, 1.0)

    def _range(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Range of the particle as it is taken, cm; NaN for those that have none."""
        from forefold.detector.materials.ranges import csda_range

        containment = self.containment
        assert containment is not None
        ranges = np.full(rows.size, np.nan)
        for kind in np.unique(self.kind[rows]):
            these = self.kind[rows] == kind
            kinetic = self.kinematics.kinetic[rows[these]]
            try:
                ranges[these] = csda_range(kinetic, int(self.kinds[kind]), containment.material)
            except ValueError:
                continue
        return ranges

    def _contained(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        from forefold.detector.materials.containment import Box, contained

        block = self.containment
        assert block is not None
        fiducial = None if block.fiducial is None else Box(block.fiducial.low, block.fiducial.high)
        return contained(
            self._range(rows),
            *(self._component(which, rows) for which in ("px", "py", "pz")),
            active=Box(block.active.low, block.active.high),
            fiducial=fiducial,
        )

    def _visible(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        nucleon = np.isin(self.kinds, names.NUCLEONS)[self.kind[rows]]
        k = self.kinematics
        return np.where(nucleon, k.kinetic[rows], k.energy[rows])

    def _gamma(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        k = self.kinematics
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(k.energy[rows] / k.mass[rows])

    def _beta(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        k = self.kinematics
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.minimum(k.p[rows] / k.energy[rows], 1.0))


def quantity(name: str, particles: Particles, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give a quantity of some of the particles.

    Parameters
    ----------
    name : str
        One of `forefold.detector.values.QUANTITIES` or ``HIDDEN``, or of ``TRACK`` if the card has a containment.
    particles : Particles
        Of which the quantity is.
    rows : ndarray of int64, shape (m,)
        Rows of the particles that are wanted.

    Returns
    -------
    ndarray of float64, shape (m,)
        GeV, GeV/c, radians, cm; NaN where a particle has none.
    """
    return _QUANTITIES[name](particles, rows)


_QUANTITIES: dict[str, Callable[[Particles, NDArray[np.int64]], NDArray[np.float64]]] = {
    "E": lambda w, r: w.kinematics.energy[r],
    "KE": lambda w, r: w.kinematics.kinetic[r],
    "p": lambda w, r: w.kinematics.p[r],
    "mass": lambda w, r: w.kinematics.mass[r],
    "theta": lambda w, r: w.kinematics.theta[r],
    "pT": Particles._transverse,
    "charge": Particles._charge,
    "beta": Particles._beta,
    "gamma": Particles._gamma,
    "cos_theta": Particles._cos_theta,
    "phi": Particles._phi,
    "nx": lambda w, r: w._component("px", r),
    "ny": lambda w, r: w._component("py", r),
    "nz": lambda w, r: w._component("pz", r),
    "range": Particles._range,
    "contained": Particles._contained,
    "_visible": Particles._visible,
}
