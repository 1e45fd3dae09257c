"""The draws of cards whose rules are not simple: formulas, mixtures, other families, other conventions of angles.

Each loop does one thing, so that a card compiles only what it needs; the bits are those of the one loop in `smear`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels.directions import drawn_cosine, drawn_space, pointing, polar_direction
from forefold.kernels.distributions import standard_quantiles
from forefold.kernels.energies import (
    chosen_component,
    drawn_energy,
    from_histogram,
    located,
    parameter,
    reconstructed_energy,
    variance_of,
)
from forefold.kernels.fate import OUTCOMES, Fate
from forefold.kernels.jit import jit
from forefold.kernels.layout import (
    COMPONENT_COLUMNS,
    CONVENTIONS,
    DISTRIBUTIONS,
    RULE_COLUMNS,
    Histograms,
    Kinematics,
    RuleTables,
    Smeared,
    Species,
    TrueParticles,
)
from forefold.kernels.philox import uniforms

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KEPT", "POLAR", "SETTLED", "draw_general"]

(_THRESHOLD_KE, _THRESHOLD_P, _SEEN_IF, _EFFICIENCY, _RECO_KE, _RECO_P) = range(5, 11)
(_CONVENTION, _ANGLE_DISTRIBUTION, _THETA_SIGMA, _PHI_SIGMA, _FIRST, _LAST) = range(11, 17)
assert len(RULE_COLUMNS) == 17
_OF, _DISTRIBUTION = COMPONENT_COLUMNS.index("of"), COMPONENT_COLUMNS.index("distribution")
_TABLE = COMPONENT_COLUMNS.index("table")
_SHAPES = [COMPONENT_COLUMNS.index(f"shape_{letter}") for letter in "abcd"]

POLAR, _INDEPENDENT, _SPACE, KEPT, _COSINE = (float(i) for i in range(len(CONVENTIONS)))
_NONE = DISTRIBUTIONS.index("none")
_TRUNCATED = DISTRIBUTIONS.index("truncated-normal")
_TABULATED = DISTRIBUTIONS.index("tabulated")

SETTLED = int(sum(OUTCOMES))
"""Fates that end a particle's way."""
_DETECTED = int(Fate.DETECTED)
_BELOW_THRESHOLD = int(Fate.BELOW_THRESHOLD)
_BELOW_RECO_THRESHOLD = int(Fate.BELOW_RECO_THRESHOLD)
_INEFFICIENCY = int(Fate.INEFFICIENCY)
_BELOW_MASS = int(Fate.ENERGY_BELOW_MASS)
_FOLDED = int(Fate.THETA_FOLDED)
_OFF_SHELL = int(Fate.OFF_SHELL)
_INVALID = int(Fate.INVALID)


class _Draws(NamedTuple):
    """Columns between the loops, each of shape (n,)."""

    part: NDArray[np.int64]  # component of a particle that is seen so far, else -1
    u_energy: NDArray[np.float64]
    u_theta: NDArray[np.float64]
    location: NDArray[np.float64]
    variance: NDArray[np.float64]
    drawn: NDArray[np.float64]  # value of what is smeared
    phi: NDArray[np.float64]  # azimuth, or its shift, by the convention


def draw_general(
    truth: TrueParticles,
    kind: NDArray[np.int64],
    species: Species,
    kinematics: Kinematics,
    chosen: NDArray[np.int64],
    tables: RuleTables,
    histograms: Histograms,
    block: np.uint64,
    out: Smeared,
) -> None:
    """Fill `out`; parameters as for `forefold.kernels.launch.draw`."""
    n = kind.size
    a, b, c, d, e, f = (np.zeros(n) for _ in range(6))
    draws = _Draws(np.full(n, -1, np.int64), a, b, c, d, e, f)
    detect_all(truth, kind, species, kinematics, chosen, tables, block, draws, out)
    locate_all(kind, species, kinematics, tables, draws)
    normal_all(tables.components, draws)
    _other_families(tables, histograms, draws)
    aim_all(truth, kinematics, chosen, tables, block, draws, out.theta_drawn)
    conventions = np.unique(tables.rules[chosen[chosen >= 0], _CONVENTION])
    if _SPACE in conventions:
        space_all(truth, kinematics, chosen, tables, block, draws, out.theta_drawn)
    if _COSINE in conventions:
        cosine_all(kinematics.theta, chosen, tables, draws.u_theta, out.theta_drawn)
    finish_all(truth, kind, species, kinematics, chosen, tables, draws, out)


@jit
def detect_all(
    truth: TrueParticles,
    kind: NDArray[np.int64],
    species: Species,
    kinematics: Kinematics,
    chosen: NDArray[np.int64],
    tables: RuleTables,
    block: np.uint64,
    draws: _Draws,
    out: Smeared,
) -> None:
    """Thresholds on truth, efficiency, component; what is lost gets its fate."""
    key, entry, place = truth.key, truth.entry, truth.place
    outcome, kinetics, momenta = species.outcome, kinematics.kinetic, kinematics.p
    off_shell = kinematics.off_shell
    rules, links, components, component_links, dynamic = tables
    part, u_energies, u_thetas, fates, chosen_rules = (
        draws.part,
        draws.u_energy,
        draws.u_theta,
        out.fate,
        out.rule,
    )
    o_part = out.component
    for i in range(kind.size):
        k = chosen[i]
        if k < 0:
            if (fates[i] & SETTLED) == 0:
                fates[i] |= outcome[kind[i]]
            continue
        chosen_rules[i] = k
        if (fates[i] & SETTLED) != 0:
            continue
        u_energies[i], u_thetas[i] = uniforms(key[i], entry[i], place[i], block)
        fates[i] |= _OFF_SHELL if off_shell[i] else 0
        above_threshold = (
            kinetics[i] >= rules[k, _THRESHOLD_KE] and momenta[i] >= rules[k, _THRESHOLD_P]
        )
        if not above_threshold or parameter(rules, links, k, _SEEN_IF, dynamic, i) != 1.0:
            fates[i] |= _BELOW_THRESHOLD
            continue
        u_seen, u_part = uniforms(key[i], entry[i], place[i], block + np.uint64(1))
        if u_seen >= parameter(rules, links, k, _EFFICIENCY, dynamic, i):
            fates[i] |= _INEFFICIENCY
            continue
        first, last = int(rules[k, _FIRST]), int(rules[k, _LAST])
        part[i] = first
        if last > first + 1:
            part[i] = chosen_component(components, component_links, first, last, dynamic, i, u_part)
        o_part[i] = part[i] - first


@jit
def locate_all(
    kind: NDArray[np.int64],
    species: Species,
    kinematics: Kinematics,
    tables: RuleTables,
    draws: _Draws,
) -> None:
    """Find the smeared quantity and its relative variance."""
    energies, kinetics, momenta = kinematics.energy, kinematics.kinetic, kinematics.p
    nucleon, part, locations, variances = (
        species.nucleon,
        draws.part,
        draws.location,
        draws.variance,
    )
    numbers, links, dynamic = tables.components, tables.component_links, tables.dynamic
    for i in range(kind.size):
        k = part[i]
        if k < 0:
            continue
        location, argument = located(
            numbers[k, _OF], energies[i], kinetics[i], momenta[i], nucleon[kind[i]]
        )
        locations[i] = location
        distribution = numbers[k, _DISTRIBUTION]
        exact = distribution == _NONE or distribution == _TABULATED  # noqa: PLR1714 - for the compiler
        if location > 0.0 and not exact:
            variances[i] = variance_of(numbers, links, k, dynamic, i, location, argument)


@jit
def normal_all(numbers: NDArray[np.float64], draws: _Draws) -> None:
    """Draw log-normal and normal values; the exact ones are what they are."""
    part, u, location, variance, drawn = (
        draws.part,
        draws.u_energy,
        draws.location,
        draws.variance,
        draws.drawn,
    )
    for i in range(part.size):
        k = part[i]
        if k < 0 or not location[i] > 0.0:
            continue
        if numbers[k, _DISTRIBUTION] <= _NONE:
            drawn[i] = drawn_energy(location[i], variance[i], numbers[k, _DISTRIBUTION], u[i])


def _other_families(tables: RuleTables, histograms: Histograms, draws: _Draws) -> None:
    """Draw from the families that some cards have, each for its particles."""
    codes = tables.components[:, _DISTRIBUTION].astype(np.int64)
    if not (codes > _NONE).any():
        return
    code = np.where(draws.part >= 0, codes[draws.part], -1)
    for family in np.unique(code[code > _NONE]).tolist():
        rows = np.flatnonzero((code == family) & (draws.location > 0.0))
        if family == _TABULATED:
            tabulated_all(rows, tables.components[:, _TABLE].astype(np.int64), histograms, draws)
            continue
        location = draws.location[rows]
        sigma = location * np.sqrt(draws.variance[rows])
        shape = [_column(tables, draws.part[rows], rows, column) for column in _SHAPES]
        with np.errstate(divide="ignore", invalid="ignore"):
            if family == _TRUNCATED:
                shape[0] = (shape[0] - location) / sigma
                shape[1] = (shape[1] - location) / sigma
            q = np.empty(rows.size)
            a, b, c, d = shape
            standard_quantiles(int(family), draws.u_energy[rows], a, b, c, d, q)
            draws.drawn[rows] = np.where(sigma > 0.0, location + sigma * q, location)


def _column(
    tables: RuleTables, part: NDArray[np.int64], rows: NDArray[np.int64], column: int
) -> NDArray[np.float64]:
    """Numbers of a column, or the particles' own where it is linked."""
    values: NDArray[Any] = tables.components[part, column]
    links = tables.component_links[part, column]
    linked = links >= 0
    if linked.any():
        values[linked] = tables.dynamic[links[linked], rows[linked]]
    return values


@jit
def tabulated_all(
    rows: NDArray[np.int64], tables: NDArray[np.int64], histograms: Histograms, draws: _Draws
) -> None:
    """Draw from migration matrices; NaN outside of them."""
    part, u, location, drawn = draws.part, draws.u_energy, draws.location, draws.drawn
    for i in rows:
        drawn[i] = from_histogram(histograms, tables[part[i]], location[i], u[i])


@jit
def aim_all(
    truth: TrueParticles,
    kinematics: Kinematics,
    chosen: NDArray[np.int64],
    tables: RuleTables,
    block: np.uint64,
    draws: _Draws,
    theta_drawn: NDArray[np.float64],
) -> None:
    """Draw polar angles, also of particles that are lost at the detector, and shifts of azimuths."""
    key, entry, place, thetas = truth.key, truth.entry, truth.place, kinematics.theta
    rules, links, dynamic = tables.rules, tables.rule_links, tables.dynamic
    u_thetas, phi = draws.u_theta, draws.phi
    for i in range(chosen.size):
        k = chosen[i]
        # what was settled before any draw has no uniform
        if k < 0 or u_thetas[i] == 0.0:
            continue
        if rules[k, _CONVENTION] == _SPACE or rules[k, _CONVENTION] == _COSINE:
            continue
        sigma = parameter(rules, links, k, _THETA_SIGMA, dynamic, i)
        theta_drawn[i] = thetas[i] + sigma * fm.normal_quantile(u_thetas[i])
        if rules[k, _CONVENTION] == _INDEPENDENT:
            u_phi, _ = uniforms(key[i], entry[i], place[i], block + np.uint64(2))
            width = parameter(rules, links, k, _PHI_SIGMA, dynamic, i)
            phi[i] = width * fm.normal_quantile(u_phi)


@jit
def space_all(
    truth: TrueParticles,
    kinematics: Kinematics,
    chosen: NDArray[np.int64],
    tables: RuleTables,
    block: np.uint64,
    draws: _Draws,
    theta_drawn: NDArray[np.float64],
) -> None:
    """Turn directions by space angles."""
    key, entry, place = truth.key, truth.entry, truth.place
    xs, ys, zs = kinematics.x, kinematics.y, kinematics.z
    rules, links, dynamic = tables.rules, tables.rule_links, tables.dynamic
    u_thetas, phi = draws.u_theta, draws.phi
    for i in range(chosen.size):
        k = chosen[i]
        if k < 0 or u_thetas[i] == 0.0 or rules[k, _CONVENTION] != _SPACE:
            continue
        u_phi, _ = uniforms(key[i], entry[i], place[i], block + np.uint64(2))
        sigma = parameter(rules, links, k, _THETA_SIGMA, dynamic, i)
        code = int(rules[k, _ANGLE_DISTRIBUTION])
        theta_drawn[i], phi[i] = drawn_space(xs[i], ys[i], zs[i], code, sigma, u_thetas[i], u_phi)


@jit
def cosine_all(
    thetas: NDArray[np.float64],
    chosen: NDArray[np.int64],
    tables: RuleTables,
    u_thetas: NDArray[np.float64],
    theta_drawn: NDArray[np.float64],
) -> None:
    """Draw cosines of polar angles, within -1 and 1."""
    rules, links, dynamic = tables.rules, tables.rule_links, tables.dynamic
    for i in range(chosen.size):
        k = chosen[i]
        if k < 0 or u_thetas[i] == 0.0 or rules[k, _CONVENTION] != _COSINE:
            continue
        sigma = parameter(rules, links, k, _THETA_SIGMA, dynamic, i)
        theta_drawn[i] = drawn_cosine(thetas[i], sigma, u_thetas[i])


@jit
def finish_all(
    truth: TrueParticles,
    kind: NDArray[np.int64],
    species: Species,
    kinematics: Kinematics,
    chosen: NDArray[np.int64],
    tables: RuleTables,
    draws: _Draws,
    out: Smeared,
) -> None:
    """Total energy, threshold on what is reconstructed, direction on the sphere, four-vector."""
    event, axis, nucleon = truth.event, truth.axis, species.nucleon
    masses, xs, ys = kinematics.mass, kinematics.x, kinematics.y
    rules, _, components, links, dynamic = tables
    part, phis, values = draws.part, draws.phi, draws.drawn
    _, _, o_energy, o_drawn, o_theta, o_phi, o_px, o_py, o_pz, o_fate, _, _ = out
    for i in range(kind.size):
        if part[i] < 0:
            continue
        k, mass = chosen[i], masses[i]
        reco = reconstructed_energy(
            components, links, part[i], dynamic, i, values[i], mass, nucleon[kind[i]]
        )
        if np.isnan(reco):
            o_fate[i] |= _INVALID
            continue
        below = reco < mass
        p_reco = 0.0 if below else np.sqrt((reco - mass) * (reco + mass))
        if reco - mass < rules[k, _RECO_KE] or p_reco < rules[k, _RECO_P]:
            o_fate[i] |= _BELOW_RECO_THRESHOLD
            continue
        theta, phi, outside = o_drawn[i], phis[i], False
        if rules[k, _CONVENTION] != _SPACE:
            theta, phi, outside = polar_direction(theta, fm.arctangent2(ys[i], xs[i]), phi)
        e = event[i]
        o_px[i], o_py[i], o_pz[i] = pointing(p_reco, theta, phi, axis[e, 0], axis[e, 1], axis[e, 2])
        o_energy[i], o_theta[i], o_phi[i] = reco, theta, phi
        o_fate[i] |= _DETECTED | (_FOLDED if outside else 0) | (_BELOW_MASS if below else 0)
