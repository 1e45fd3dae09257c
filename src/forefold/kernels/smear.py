"""The smearing loop: one particle after the other, each on its own random numbers.

The door is `smear_particles`: flat arrays in, flat arrays out.  What the rules mean is said in `RULE_COLUMNS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels.fate import Fate
from forefold.kernels.jit import jit
from forefold.kernels.philox import uniforms

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RULE_COLUMNS", "Rays", "Smeared", "Species", "smear_particles"]

RULE_COLUMNS = (
    "ke_low",  # GeV; the rule holds for ke_low <= kinetic energy < ke_high ...
    "ke_high",
    "p_low",  # GeV; ... and p_low <= |p| < p_high
    "p_high",
    "threshold",  # GeV; seen from this kinetic energy on
    "kinetic",  # 1: the kinetic energy is smeared; 0: the total energy
    "distribution",  # index into DISTRIBUTIONS
    "constant",  # relative resolution = constant (+) stochastic / sqrt(E / GeV), in quadrature
    "stochastic",
    "scale",  # factor on the drawn energy
    "efficiency",
    "theta_sigma",  # rad
)
DISTRIBUTIONS = ("log-normal", "normal", "none")

(_KE_LOW, _KE_HIGH, _P_LOW, _P_HIGH, _THRESHOLD, _KINETIC) = range(6)
(_DISTRIBUTION, _CONSTANT, _STOCHASTIC, _SCALE, _EFFICIENCY, _THETA_SIGMA) = range(6, 12)

_DETECTED = int(Fate.DETECTED)
_BELOW_THRESHOLD = int(Fate.BELOW_THRESHOLD)
_ESCAPED = int(Fate.ESCAPED)
_BELOW_MASS = int(Fate.ENERGY_BELOW_MASS)
_FOLDED = int(Fate.THETA_FOLDED)
_OFF_SHELL = int(Fate.OFF_SHELL)

_TWO_PI = 2.0 * fm.PI
_ROUNDING = 1e-6  # E and p of single precision can differ by this from the light cone


class Rays(NamedTuple):
    """Particles of many events, flat; everything that a particle's fate depends on.

    Attributes
    ----------
    key, entry, place : ndarray of uint64, shape (n,)
        Random key of the event, entry of the event, index of the particle among the event's final state.
    species : ndarray of int64, shape (n,)
        Row of `Species`.
    px, py, pz, energy : ndarray of float64, shape (n,), GeV
    event : ndarray of int64, shape (n,)
        Row of `axis`.
    axis : ndarray of float64, shape (m, 3)
        Unit vector per event, to which polar angles refer.
    """

    key: NDArray[np.uint64]
    entry: NDArray[np.uint64]
    place: NDArray[np.uint64]
    species: NDArray[np.int64]
    px: NDArray[np.float64]
    py: NDArray[np.float64]
    pz: NDArray[np.float64]
    energy: NDArray[np.float64]
    event: NDArray[np.int64]
    axis: NDArray[np.float64]


class Species(NamedTuple):
    """What the card says of each kind of particle.

    Attributes
    ----------
    outcome : ndarray of int64, shape (s,)
        0: smeared; else the fate of a kind that the card leaves out.
    mass : ndarray of float64, shape (s,), GeV
        Mass where the record has none (E < |p|).
    first, last : ndarray of int64, shape (s,)
        Range of `candidates`.
    candidates : ndarray of int64
        Rules in the order in which they are tried; the last one of a kind always holds.
    """

    outcome: NDArray[np.int64]
    mass: NDArray[np.float64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    candidates: NDArray[np.int64]


class Smeared(NamedTuple):
    """What the loop gives back, each of shape (n,); NaN where there is nothing to give."""

    mass: NDArray[np.float64]
    theta_true: NDArray[np.float64]
    energy_reco: NDArray[np.float64]
    theta_drawn: NDArray[np.float64]
    theta_reco: NDArray[np.float64]
    phi_reco: NDArray[np.float64]
    px_reco: NDArray[np.float64]
    py_reco: NDArray[np.float64]
    pz_reco: NDArray[np.float64]
    fate: NDArray[np.uint16]
    rule: NDArray[np.int16]


@jit
def record_mass(energy: float, p: float, table_mass: float) -> tuple[float, bool]:
    """Mass from the record where E >= |p|, else the table's; and whether E is short of |p| beyond rounding."""
    m2 = (energy - p) * (energy + p)
    if m2 >= 0.0:
        return np.sqrt(m2), False
    return table_mass, m2 < -_ROUNDING * energy * energy


@jit
def to_axis(
    x: float, y: float, z: float, ax: float, ay: float, az: float
) -> tuple[float, float, float]:
    """Components of a vector in the frame whose z is the unit vector (ax, ay, az)."""
    across = np.sqrt(ax * ax + ay * ay)
    if across == 0.0:
        return (x, y, z) if az > 0.0 else (x, -y, -z)
    c, s = ax / across, ay / across
    forward = c * x + s * y
    return az * forward - across * z, c * y - s * x, across * forward + az * z


@jit
def from_axis(
    x: float, y: float, z: float, ax: float, ay: float, az: float
) -> tuple[float, float, float]:
    """Inverse of `to_axis`."""
    across = np.sqrt(ax * ax + ay * ay)
    if across == 0.0:
        return (x, y, z) if az > 0.0 else (x, -y, -z)
    c, s = ax / across, ay / across
    forward = az * x + across * z
    return c * forward - s * y, s * forward + c * y, az * z - across * x


@jit
def drawn_energy(energy: float, variance: float, distribution: float, u: float) -> float:
    """Energy (GeV) drawn around `energy` with a relative `variance`: log-normal of that mean, or normal.

    Notes
    -----
    With v = R^2 and s^2 = log(1 + v), the log-normal of mean E and variance v E^2 is
    E exp(s z - s^2/2), z standard normal (arXiv:2209.05260, section 3).
    """
    if distribution == 2.0:
        return energy
    z = fm.normal_quantile(u)
    if distribution == 1.0:
        return energy * (1.0 + np.sqrt(variance) * z)
    s2 = fm.logarithm1p(variance)
    return energy * fm.exponential(np.sqrt(s2) * z - 0.5 * s2)


@jit
def folded(theta: float, phi: float) -> tuple[float, float, bool]:
    """Bring a polar angle back to 0..pi; every passage of a pole turns the azimuth by pi."""
    turned = False
    outside = theta < 0.0 or theta > fm.PI
    if theta < 0.0:
        theta = -theta
        turned = True
    if theta > _TWO_PI:
        theta -= _TWO_PI * np.floor(theta / _TWO_PI)
    if theta > fm.PI:
        theta = _TWO_PI - theta
        turned = not turned
    if turned:
        phi = phi - fm.PI if phi > 0.0 else phi + fm.PI
    return theta, phi, outside


@jit
def smear_all(
    rays: Rays, species: Species, rules: NDArray[np.float64], block: np.uint64, out: Smeared
) -> None:
    """Smear every particle: rule, detection, energy, angle, four-vector; no particle sees another.

    The arrays are taken out of their tuples once: handing tuples of arrays on costs more than the physics.
    """
    key, entry, place, kind, px, py, pz, energies, event, axis = rays
    outcome, table_mass, first, last, candidates = species
    o_mass, o_true, o_energy, o_drawn, o_theta, o_phi, o_px, o_py, o_pz, o_fate, o_rule = out
    for i in range(energies.size):
        s, e, energy = kind[i], event[i], energies[i]
        ax, ay, az = axis[e, 0], axis[e, 1], axis[e, 2]
        x, y, z = to_axis(px[i], py[i], pz[i], ax, ay, az)
        across = np.sqrt(x * x + y * y)
        p = np.sqrt(across * across + z * z)
        mass, off_shell = record_mass(energy, p, table_mass[s])
        theta = fm.arctangent2(across, z)
        o_mass[i], o_true[i] = mass, theta
        if outcome[s] != 0:
            o_fate[i] = outcome[s]
            continue
        kinetic = max(energy - mass, 0.0)
        k = candidates[last[s] - 1]  # the last one always holds
        for j in range(first[s], last[s] - 1):
            k_j = candidates[j]
            inside = rules[k_j, _KE_LOW] <= kinetic < rules[k_j, _KE_HIGH]
            if inside and rules[k_j, _P_LOW] <= p < rules[k_j, _P_HIGH]:
                k = k_j
                break
        fate = _OFF_SHELL if off_shell else 0

        u_energy, u_theta = uniforms(key[i], entry[i], place[i], block)
        drawn = theta + rules[k, _THETA_SIGMA] * fm.normal_quantile(u_theta)
        o_rule[i], o_drawn[i] = k, drawn
        if kinetic < rules[k, _THRESHOLD]:
            o_fate[i] = fate | _BELOW_THRESHOLD
            continue
        u_seen, _ = uniforms(key[i], entry[i], place[i], block + np.uint64(1))
        if u_seen >= rules[k, _EFFICIENCY]:
            o_fate[i] = fate | _ESCAPED
            continue

        is_kinetic = rules[k, _KINETIC] == 1.0
        meant = kinetic if is_kinetic else energy
        reco = 0.0
        if meant > 0.0:
            a, b = rules[k, _CONSTANT], rules[k, _STOCHASTIC]
            reco = drawn_energy(meant, a * a + b * b / meant, rules[k, _DISTRIBUTION], u_energy)
            reco *= rules[k, _SCALE]
        if is_kinetic:
            reco += mass
        theta, phi, outside = folded(drawn, fm.arctangent2(y, x))
        fate |= _DETECTED | (_FOLDED if outside else 0)
        p_reco = 0.0
        if reco < mass:
            fate |= _BELOW_MASS
        else:
            p_reco = np.sqrt((reco - mass) * (reco + mass))
        sin_theta, cos_theta = fm.sine_cosine(theta)
        sin_phi, cos_phi = fm.sine_cosine(phi)
        p_across = p_reco * sin_theta
        o_px[i], o_py[i], o_pz[i] = from_axis(
            p_across * cos_phi, p_across * sin_phi, p_reco * cos_theta, ax, ay, az
        )
        o_energy[i], o_theta[i], o_phi[i], o_fate[i] = reco, theta, phi, fate


def smear_particles(
    rays: Rays, species: Species, rules: NDArray[np.float64], *, variation: int = 0
) -> Smeared:
    """Smear flat particles by a table of rules.

    Parameters
    ----------
    rays : Rays
    species : Species
    rules : ndarray of float64, shape (r, len(RULE_COLUMNS))
    variation : int
        From 0 to 2^16 - 1; other variations draw other numbers.

    Returns
    -------
    Smeared
    """
    n = rays.energy.size
    a, b, c, d, e, f, g, h, k = (np.full(n, np.nan) for _ in range(9))
    out = Smeared(a, b, c, d, e, f, g, h, k, np.zeros(n, np.uint16), np.full(n, -1, np.int16))
    smear_all(rays, species, rules, np.uint64(variation << 16), out)
    return out
