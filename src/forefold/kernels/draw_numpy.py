"""All particles at once through simple rules, in numpy: the bits of `blocks`, with nothing to compile.

Twenty times slower than the compiled loops, and there at once: what small inputs take on a machine that has not compiled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels import columns as co
from forefold.kernels import math as fm
from forefold.kernels.block_steps import PARAMETERS
from forefold.kernels.draw import SETTLED
from forefold.kernels.fate import Fate
from forefold.kernels.layout import Kinematics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.kernels.layout import Smeared, Species, TrueParticles
    from forefold.kernels.simple_rules import Assigned, SimpleRules

    Column = NDArray[np.float64]
    Rows = NDArray[np.int64]

__all__ = ["described", "draw_wholes"]

_TWO_PI = 2.0 * fm.PI
_ROUNDING = 1e-6
# compiled loops warn of nothing either; who draws refuses what is not finite
_quiet = np.errstate(all="ignore")


@_quiet
def draw_wholes(
    truth: TrueParticles,
    species: Species,
    table: Rows,
    rules: SimpleRules,
    assigned: Assigned,
    axes: Column,
    block: np.uint64,
    out: Smeared,
) -> None:
    """Fill `out`; parameters as for `forefold.kernels.blocks.draw_blocks`, for all particles.

    Parameters
    ----------
    truth : TrueParticles
    species : Species
    table : ndarray of int64
    rules : SimpleRules
    assigned : Assigned
    axes : ndarray of float64
    block : uint64
    out : Smeared
    """
    has_rules = assigned.chosen.size > 0
    kind = assigned.kind if has_rules else truth.species
    frame = axes.reshape(-1, 4)[truth.event].T
    if has_rules:
        true, chosen = assigned.kinematics, assigned.chosen
    else:
        true = described(truth, species.mass, axes)
        out.mass[:], out.theta_true[:] = true.mass, true.theta
        chosen = _chosen(true, table[kind], rules.ranges)
        chosen = np.where((out.fate & SETTLED) != 0, -1, chosen)
    why, before = species.outcome[kind], out.fate.copy()
    settled = (before & SETTLED) != 0
    without = (chosen < 0) | (why != 0)
    out.fate[:] |= np.where(without & ~settled, why, 0).astype(np.uint16)
    out.rule[:] = np.where(without, -1, chosen)
    live = ~(without | settled)
    rows = np.where(live, chosen, len(rules.ranges))
    _draw(truth, true, _numbers(rules, rows, assigned.dynamic), live, frame, block, out)


@_quiet
def described(truth: TrueParticles, masses: Column, axes: Column) -> Kinematics:
    """Find true kinematics in the frame of the axis.

    Parameters
    ----------
    truth : TrueParticles
    masses : ndarray of float64, shape (s,), GeV
        Of each species, where the record has none.
    axes : ndarray of float64
        See `forefold.kernels.simple_rules.frames`.

    Returns
    -------
    Kinematics
    """
    c, s, across, along = axes.reshape(-1, 4)[truth.event].T
    forward = c * truth.px + s * truth.py
    x, y = along * forward - across * truth.pz, c * truth.py - s * truth.px
    z = across * forward + along * truth.pz
    side = np.sqrt(x * x + y * y)
    p = np.sqrt(side * side + z * z)
    m2 = (truth.energy - p) * (truth.energy + p)
    mass = np.where(m2 >= 0.0, np.sqrt(np.maximum(m2, 0.0)), masses[truth.species])
    off = m2 < -_ROUNDING * truth.energy * truth.energy
    kinetic = np.maximum(truth.energy - mass, 0.0)
    theta = co.arctangent2(side, z)
    return Kinematics(mass, truth.energy.copy(), kinetic, p, x, y, z, theta, off)


def _chosen(true: Kinematics, table: Rows, ranges: Column) -> Rows:
    """Take the first rule that holds."""
    rule = table[:, -1]
    for other in table[:, -2::-1].T if table.shape[1] > 1 else ():
        low, high, p_low, p_high = ranges[other].T
        inside = (low <= true.kinetic) & (true.kinetic < high)
        inside &= (p_low <= true.p) & (true.p < p_high)
        rule = np.where(inside, other, rule)
    return rule


def _numbers(rules: SimpleRules, rows: Rows, dynamic: Column) -> dict[str, Column]:
    """Parameters of every particle: those of its rule, or its own."""
    width = len(PARAMETERS)
    numbers = rules.numbers.reshape(-1, width)[rows]
    if rules.links.size:
        links = rules.links.reshape(-1, width)[rows]
        own, column = np.nonzero(links >= 0)
        numbers[own, column] = dynamic[links[own, column], own]
    return dict(zip(PARAMETERS, numbers.T, strict=True))


def _draw(
    truth: TrueParticles,
    true: Kinematics,
    numbers: dict[str, Column],
    live: NDArray[np.bool_],
    frame: Column,
    block: np.uint64,
    out: Smeared,
) -> None:
    u_energy, u_theta = co.uniforms(truth.key, truth.entry, truth.place, block)
    z_energy, z_theta = co.normal_quantile(u_energy), co.normal_quantile(u_theta)
    reco = _energies(true, numbers, z_energy)
    drawn = true.theta + numbers["theta_sigma"] * z_theta
    theta, phi, outside = _folded(drawn, co.arctangent2(true.y, true.x))
    below = (true.kinetic < numbers["threshold_ke"]) | (true.p < numbers["threshold_p"])
    below |= numbers["seen_if"] != 1.0
    lost = _unseen(truth, numbers["efficiency"], block + np.uint64(1))
    detected = live & ~below & ~lost
    short = reco < true.mass
    p_reco = np.sqrt(np.where(short, 0.0, (reco - true.mass) * (reco + true.mass)))
    momentum = _vectors(p_reco, theta, phi, frame)
    for column, values in zip(
        (out.energy_reco, out.theta_reco, out.phi_reco, out.px_reco, out.py_reco, out.pz_reco),
        (reco, theta, phi, *momentum),
        strict=True,
    ):
        column[:] = np.where(detected, values, np.nan)
    out.theta_drawn[:] = np.where(live, drawn, np.nan)
    out.component[:] = np.where(detected, 0, -1)
    flags = np.where(true.off_shell, int(Fate.OFF_SHELL), 0)
    why = np.where(below, int(Fate.BELOW_THRESHOLD), int(Fate.INEFFICIENCY))
    how = int(Fate.DETECTED) + np.where(outside, int(Fate.THETA_FOLDED), 0)
    how += np.where(short, int(Fate.ENERGY_BELOW_MASS), 0)
    out.fate[:] |= np.where(live, flags + np.where(detected, how, why), 0).astype(np.uint16)


def _energies(true: Kinematics, numbers: dict[str, Column], z: Column) -> Column:
    """Total energies, drawn by log-normals or normals."""
    kinetic = numbers["kinetic"] == 1.0
    location = np.where(kinetic, true.kinetic, true.energy)
    safe = np.where(location > 0.0, location, 1.0)
    a, b, c = numbers["constant"], numbers["stochastic"], numbers["noise"] / safe
    v = a * a + b * b / safe + c * c
    s2 = co.logarithm1p(v)
    drawn = location * co.exponential(np.sqrt(s2) * z - 0.5 * s2)
    drawn = np.where(numbers["normal"] == 1.0, location * (1.0 + np.sqrt(v) * z), drawn)
    drawn = np.where(location > 0.0, drawn * numbers["scale"], 0.0)
    return np.where(kinetic, drawn + true.mass, drawn)


def _unseen(truth: TrueParticles, efficiency: Column, block: np.uint64) -> NDArray[np.bool_]:
    """Whether particles are missed by an efficiency."""
    missed = np.zeros(efficiency.size, np.bool_)
    rows = np.flatnonzero(efficiency != 1.0)
    u, _ = co.uniforms(truth.key[rows], truth.entry[rows], truth.place[rows], block)
    missed[rows] = u >= efficiency[rows]
    return missed


def _folded(drawn: Column, phi: Column) -> tuple[Column, Column, NDArray[np.bool_]]:
    """Polar angles on the sphere, with the azimuth turned at every crossing of a pole."""
    theta = np.where(drawn < 0.0, -drawn, drawn)
    theta = np.where(theta > _TWO_PI, theta - _TWO_PI * np.floor(theta / _TWO_PI), theta)
    beyond = theta > fm.PI
    turned = beyond != (drawn < 0.0)
    phi = np.where(turned, np.where(phi > 0.0, phi - fm.PI, phi + fm.PI), phi)
    outside = (drawn < 0.0) | (drawn > fm.PI)
    return np.where(beyond, _TWO_PI - theta, theta), phi, outside


def _vectors(p: Column, theta: Column, phi: Column, frame: Column) -> tuple[Column, ...]:
    """Momenta in the frame of the record."""
    sin_theta, cos_theta = co.sine_cosine(theta)
    sin_phi, cos_phi = co.sine_cosine(phi)
    c, s, across, along = frame
    side = p * sin_theta
    x, y, z = side * cos_phi, side * sin_phi, p * cos_theta
    forward = along * x + across * z
    return c * forward - s * y, s * forward + c * y, along * z - across * x
