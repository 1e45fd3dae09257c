"""What the formulas of a card may name: one column a quantity, of particles as they are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from forefold import species
from forefold.kernels.frame import azimuths

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from forefold.kernels.layout import Kinematics, Rays
    from forefold.plan import Plan

    Column = NDArray[np.float64]
    Rows = NDArray[np.int64]

__all__ = ["Described", "quantity"]


class Described(Protocol):
    """Particles of which the kinematics are known: see `forefold.passage.Prepared`."""

    rays: Rays
    plan: Plan
    kinds: NDArray[np.int64]
    kind: NDArray[np.int64]
    kinematics: Kinematics


def quantity(name: str, work: Described, rows: Rows) -> Column:
    """Look up a quantity of some of the particles.

    Parameters
    ----------
    name : str
        One of `forefold.schema.values.QUANTITIES` and `TRACK`.
    work : Described
    rows : ndarray of int64, shape (m,)

    Returns
    -------
    ndarray of float64, shape (m,)
        GeV, GeV/c, radians, cm; NaN where a particle has none.
    """
    return _QUANTITIES[name](work, rows)


def _direction(w: Described, rows: Rows) -> Column:
    """Length of the true momentum, 1 at rest."""
    k = w.kinematics
    x, y, z = k.x[rows], k.y[rows], k.z[rows]
    norm = np.sqrt(x * x + y * y + z * z)
    return np.where(norm > 0.0, norm, 1.0)


def _cos_theta(w: Described, rows: Rows) -> Column:
    k = w.kinematics
    at_rest = (k.x[rows] == 0.0) & (k.y[rows] == 0.0) & (k.z[rows] == 0.0)
    return np.where(at_rest, 1.0, np.clip(k.z[rows] / _direction(w, rows), -1.0, 1.0))


def _transverse(w: Described, rows: Rows) -> Column:
    """Momentum across the axis, of the particle as it is taken."""
    k = w.kinematics
    x, y = k.x[rows], k.y[rows]
    return np.sqrt(x * x + y * y) * (k.p[rows] / _direction(w, rows))


def _charge(w: Described, rows: Rows) -> Column:
    charges = np.array([species.charge(int(pdg)) for pdg in w.kinds])
    return charges[w.kind[rows]]


def _phi(w: Described, rows: Rows) -> Column:
    return azimuths(w.kinematics.x[rows], w.kinematics.y[rows])


def _component(which: str, w: Described, rows: Rows) -> Column:
    """Direction cosine in the record's own frame."""
    value: NDArray[np.float64] = getattr(w.rays, which)[rows]
    return np.clip(value / _direction(w, rows), -1.0, 1.0)


def _range(w: Described, rows: Rows) -> Column:
    """Range of the particle as it is taken, cm; NaN for those that have none."""
    from forefold.physics.ranges import csda_range

    containment = w.plan.card.containment
    assert containment is not None
    found = np.full(rows.size, np.nan)
    for kind in np.unique(w.kind[rows]):
        these = w.kind[rows] == kind
        kinetic = w.kinematics.kinetic[rows[these]]
        try:
            found[these] = csda_range(kinetic, int(w.kinds[kind]), containment.material)
        except ValueError:
            continue
    return found


def _contained(w: Described, rows: Rows) -> Column:
    from forefold.physics.containment import Box, contained

    block = w.plan.card.containment
    assert block is not None
    fiducial = None if block.fiducial is None else Box(block.fiducial.low, block.fiducial.high)
    return contained(
        _range(w, rows),
        *(_component(which, w, rows) for which in ("px", "py", "pz")),
        active=Box(block.active.low, block.active.high),
        fiducial=fiducial,
    )


def _gamma(w: Described, rows: Rows) -> Column:
    k = w.kinematics
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(k.energy[rows] / k.mass[rows])


def _beta(w: Described, rows: Rows) -> Column:
    k = w.kinematics
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.minimum(k.p[rows] / k.energy[rows], 1.0))


_QUANTITIES: dict[str, Callable[[Described, Rows], Column]] = {
    "E": lambda w, r: w.kinematics.energy[r],
    "KE": lambda w, r: w.kinematics.kinetic[r],
    "p": lambda w, r: w.kinematics.p[r],
    "mass": lambda w, r: w.kinematics.mass[r],
    "theta": lambda w, r: w.kinematics.theta[r],
    "pT": _transverse,
    "charge": _charge,
    "beta": _beta,
    "gamma": _gamma,
    "cos_theta": _cos_theta,
    "phi": _phi,
    "nx": lambda w, r: _component("px", w, r),
    "ny": lambda w, r: _component("py", w, r),
    "nz": lambda w, r: _component("pz", w, r),
    "range": _range,
    "contained": _contained,
}
