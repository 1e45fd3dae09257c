"""The smearing loops: one particle after the other, each on its own random numbers.

Three steps, each a door for flat arrays: `describe` (true kinematics), `choose` (which rule), `draw` (what is seen). Between
them a caller may change what a particle is taken for, and fill cells with one number a particle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels.draws import KEPT, POLAR, SETTLED, draw_general
from forefold.kernels.energies import cell, plain_energy
from forefold.kernels.fate import Fate
from forefold.kernels.frame import folded, pointing, record_mass, to_axis
from forefold.kernels.jit import jit
from forefold.kernels.layout import (
    RULE_COLUMNS,
    Cells,
    Histograms,
    Kinematics,
    Rays,
    Smeared,
    Species,
    empty_kinematics,
    empty_smeared,
)
from forefold.kernels.philox import uniforms

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["choose", "describe", "draw", "uniform_columns"]

(_KE_LOW, _KE_HIGH, _P_LOW, _P_HIGH, _WHEN, _THRESHOLD_KE, _THRESHOLD_P, _SEEN_IF) = range(8)
(_EFFICIENCY, _RECO_KE, _RECO_P, _CONVENTION, _ANGLE_DISTRIBUTION) = range(8, 13)
(_THETA_SIGMA, _PHI_SIGMA, _FIRST, _LAST) = range(13, 17)
assert len(RULE_COLUMNS) == 17

_DETECTED = int(Fate.DETECTED)
_BELOW_THRESHOLD = int(Fate.BELOW_THRESHOLD)
_ESCAPED = int(Fate.ESCAPED)
_BELOW_MASS = int(Fate.ENERGY_BELOW_MASS)
_FOLDED = int(Fate.THETA_FOLDED)
_OFF_SHELL = int(Fate.OFF_SHELL)


@jit
def describe_all(rays: Rays, species: Species, out: Kinematics) -> None:
    """Turn every particle into the frame of its axis; no particle sees another."""
    _, _, _, kind, px, py, pz, energies, event, axis = rays
    table_mass = species.mass
    o_mass, o_energy, o_kinetic, o_p, o_x, o_y, o_z, o_theta, o_off = out
    for i in range(energies.size):
        e, energy = event[i], energies[i]
        x, y, z = to_axis(px[i], py[i], pz[i], axis[e, 0], axis[e, 1], axis[e, 2])
        across = np.sqrt(x * x + y * y)
        p = np.sqrt(across * across + z * z)
        mass, off_shell = record_mass(energy, p, table_mass[kind[i]])
        o_mass[i], o_energy[i], o_kinetic[i], o_p[i] = mass, energy, max(energy - mass, 0.0), p
        o_x[i], o_y[i], o_z[i], o_theta[i] = x, y, z, fm.arctangent2(across, z)
        o_off[i] = off_shell


@jit
def choose_all(
    kind: NDArray[np.int64],
    species: Species,
    kinematics: Kinematics,
    rules: NDArray[np.float64],
    links: NDArray[np.int64],
    dynamic: NDArray[np.float64],
    out: NDArray[np.int64],
) -> None:
    """Take the first rule that holds; -1 for kinds that the card leaves out."""
    outcome, first, last, candidates = (
        species.outcome,
        species.first,
        species.last,
        species.candidates,
    )
    kinetics, momenta = kinematics.kinetic, kinematics.p
    for i in range(kind.size):
        s, kinetic, p = kind[i], kinetics[i], momenta[i]
        if outcome[s] != 0:
            out[i] = -1
            continue
        k = candidates[last[s] - 1]  # the last one always holds
        for j in range(first[s], last[s] - 1):
            k_j = candidates[j]
            inside = rules[k_j, _KE_LOW] <= kinetic < rules[k_j, _KE_HIGH]
            inside = inside and rules[k_j, _P_LOW] <= p < rules[k_j, _P_HIGH]
            if inside and cell(rules, links, k_j, _WHEN, dynamic, i) == 1.0:
                k = k_j
                break
        out[i] = k


@jit
def draw_plain(
    rays: Rays,
    kind: NDArray[np.int64],
    species: Species,
    kinematics: Kinematics,
    chosen: NDArray[np.int64],
    rules: NDArray[np.float64],
    components: NDArray[np.float64],
    block: np.uint64,
    out: Smeared,
) -> None:
    """Draw detection, energy, direction and four-vector by rules that are plain (see `is_plain`), in one loop.

    The arrays are taken out of their tuples once: handing tuples of arrays on costs more than the physics.
    """
    key, entry, place, _, _, _, _, _, event, axis = rays
    outcome = species.outcome
    masses, energies, kinetics, momenta, xs, ys, _, thetas, off_shell = kinematics
    _, _, o_energy, o_drawn, o_theta, o_phi, o_px, o_py, o_pz, o_fate, o_rule, o_part = out
    for i in range(kind.size):
        k = chosen[i]
        if k < 0:
            if (o_fate[i] & SETTLED) == 0:
                o_fate[i] |= outcome[kind[i]]
            continue
        o_rule[i] = k
        if (o_fate[i] & SETTLED) != 0:
            continue
        fate = o_fate[i] | (_OFF_SHELL if off_shell[i] else 0)
        mass, kinetic = masses[i], kinetics[i]
        u_energy, u_theta = uniforms(key[i], entry[i], place[i], block)
        drawn = thetas[i] + rules[k, _THETA_SIGMA] * fm.normal_quantile(u_theta)
        o_drawn[i] = drawn
        if kinetic < rules[k, _THRESHOLD_KE] or momenta[i] < rules[k, _THRESHOLD_P]:
            o_fate[i] = fate | _BELOW_THRESHOLD
            continue
        u_seen, _ = uniforms(key[i], entry[i], place[i], block + np.uint64(1))
        if u_seen >= rules[k, _EFFICIENCY]:
            o_fate[i] = fate | _ESCAPED
            continue
        o_part[i] = 0
        reco = plain_energy(components, int(rules[k, _FIRST]), energies[i], kinetic, mass, u_energy)
        theta, phi, outside = folded(drawn, fm.arctangent2(ys[i], xs[i]))
        fate |= _DETECTED | (_FOLDED if outside else 0)
        p_reco = 0.0
        if reco < mass:
            fate |= _BELOW_MASS
        else:
            p_reco = np.sqrt((reco - mass) * (reco + mass))
        e = event[i]
        o_px[i], o_py[i], o_pz[i] = pointing(p_reco, theta, phi, axis[e, 0], axis[e, 1], axis[e, 2])
        o_energy[i], o_theta[i], o_phi[i], o_fate[i] = reco, theta, phi, fate


@jit
def uniforms_all(
    key: NDArray[np.uint64],
    entry: NDArray[np.uint64],
    place: NDArray[np.uint64],
    block: np.uint64,
    even: NDArray[np.float64],
    odd: NDArray[np.float64],
) -> None:
    """Uniforms of both purposes of a block, for every particle."""
    for i in range(key.size):
        even[i], odd[i] = uniforms(key[i], entry[i], place[i], block)


def describe(rays: Rays, species: Species) -> Kinematics:
    """Find the true kinematics of flat particles in the frame of their axis.

    Parameters
    ----------
    rays : Rays
    species : Species

    Returns
    -------
    Kinematics
    """
    out = empty_kinematics(rays.energy.size)
    describe_all(rays, species, out)
    return out


def choose(
    kind: NDArray[np.int64], species: Species, kinematics: Kinematics, cells: Cells
) -> NDArray[np.int64]:
    """Rule of every particle.

    Parameters
    ----------
    kind : ndarray of int64, shape (n,)
        Row of `species` as which the particle is identified.
    species : Species
    kinematics : Kinematics
        As it is identified.
    cells : Cells
        The conditions in ``dynamic`` are filled.

    Returns
    -------
    ndarray of int64, shape (n,)
        -1 where the card leaves the particle out.
    """
    out = np.empty(kind.size, np.int64)
    choose_all(kind, species, kinematics, cells.rules, cells.rule_links, cells.dynamic, out)
    return out


def draw(
    rays: Rays,
    kind: NDArray[np.int64],
    species: Species,
    kinematics: Kinematics,
    chosen: NDArray[np.int64],
    cells: Cells,
    histograms: Histograms,
    *,
    fate: NDArray[np.uint16] | None = None,
    variation: int = 0,
) -> Smeared:
    """Smear flat particles by the rules that were chosen for them.

    Parameters
    ----------
    rays : Rays
    kind : ndarray of int64, shape (n,)
        Row of `species` as which the particle is identified.
    species : Species
    kinematics : Kinematics
    chosen : ndarray of int64, shape (n,)
        Rows of ``cells.rules``; -1 is left out.
    cells : Cells
    histograms : Histograms
    fate : ndarray of uint16, shape (n,), optional
        Flags that are known, and outcomes of particles that are left out.
    variation : int
        From 0 to 2^16 - 1; other variations draw other numbers.

    Returns
    -------
    Smeared
    """
    out = empty_smeared(kinematics)
    if fate is not None:
        out.fate[:] = fate
    block = np.uint64(variation << 16)
    if is_plain(cells):
        rules, parts = cells.rules, cells.components
        draw_plain(rays, kind, species, kinematics, chosen, rules, parts, block, out)
    else:
        draw_general(rays, kind, species, kinematics, chosen, cells, histograms, block, out)
    return out


def is_plain(cells: Cells) -> bool:
    """Whether one loop does it: numbers only, polar angles, one plain component a rule, no threshold after the draw.

    What `draws` does gives the same bits; it is compiled, and run, only for cards that need it.
    """
    rules = cells.rules
    numbers = not (cells.rule_links >= 0).any() and not (cells.component_links >= 0).any()
    polar = np.isin(rules[:, _CONVENTION], (POLAR, KEPT)).all()
    single = (rules[:, _LAST] == rules[:, _FIRST] + 1).all()
    after = (rules[:, _RECO_KE] > -np.inf).any() or (rules[:, _RECO_P] > -np.inf).any()
    return bool(numbers and polar and single and not after and cells.components[:, -1].all())


def uniform_columns(rays: Rays, purpose: int, *, variation: int = 0) -> NDArray[np.float64]:
    """One uniform a particle for a purpose of its own.

    Parameters
    ----------
    rays : Rays
    purpose : int
        See `forefold.kernels.philox`.
    variation : int

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    n = rays.energy.size
    even, odd = np.empty(n), np.empty(n)
    block = np.uint64(variation << 16 | purpose >> 1)
    uniforms_all(rays.key, rays.entry, rays.place, block, even, odd)
    return odd if purpose & 1 else even
