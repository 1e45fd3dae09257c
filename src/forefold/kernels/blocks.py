"""Particles in blocks through simple rules, from four-vectors to what is reconstructed: the bits of `draws`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels import block_steps as st
from forefold.kernels.block_steps import BLOCK, MADE, PARAMETERS, ROWS, STRIDE
from forefold.kernels.draw import SETTLED
from forefold.kernels.jit import inlined, jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.kernels.layout import Kinematics, Smeared, Species, TrueParticles
    from forefold.kernels.simple_rules import Assigned, SimpleRules

__all__ = ["describe_blocks", "draw_blocks"]

_WIDTH = len(PARAMETERS)
_SETTLED = SETTLED
_KEPT = (st.RECO, st.DRAWN, st.THETA, st.PHI, st.PX, st.PY, st.PZ)


@inlined
def _choose(
    b: NDArray[np.float64],
    kind: NDArray[np.int64],
    table: NDArray[np.int64],
    ranges: NDArray[np.float64],
    fate: NDArray[np.uint16],
    chosen: NDArray[np.int64],
    at: int,
    m: int,
) -> None:
    """Take the first rule that holds, and none where a fate is settled; no branches, which would be guessed wrong."""
    last = table.shape[1] - 1
    for i in range(m):
        chosen[i] = table[kind[at + i], last]
    for j in range(last - 1, -1, -1):
        for i in range(m):
            kinetic, p = b[st.KE + i], b[st.P + i]
            other, before = table[kind[at + i], j], chosen[i]
            inside = (ranges[other, 0] <= kinetic) & (kinetic < ranges[other, 1])
            inside = inside & (ranges[other, 2] <= p) & (p < ranges[other, 3])
            chosen[i] = other if inside else before
    for i in range(m):
        k = chosen[i]
        chosen[i] = -1 if (fate[at + i] & _SETTLED) != 0 else k


@inlined
def _settle(
    b: NDArray[np.float64],
    kind: NDArray[np.int64],
    outcome: NDArray[np.int64],
    chosen: NDArray[np.int64],
    none: int,
    fate: NDArray[np.uint16],
    rule: NDArray[np.int16],
    at: int,
    m: int,
) -> None:
    """Say who is left out, and give those the rule `none`; a kind that is left out says why."""
    for i in range(m):
        k, before, why = chosen[i], fate[at + i], outcome[kind[at + i]]
        settled = (before & _SETTLED) != 0
        without = (k < 0) | (why != 0)
        fate[at + i] = before | np.uint16(why if without & (not settled) else 0)
        rule[at + i] = -1 if without else k
        gone = without | settled
        chosen[i] = none if gone else k
        b[st.LIVE + i] = 0.0 if gone else 1.0


@inlined
def _blank(b: NDArray[np.float64], rules: SimpleRules) -> None:
    """Fill the rows of parameters that are the same for all rules."""
    last = rules.numbers.size - _WIDTH
    for j in range(_WIDTH):
        for i in range(BLOCK):
            b[MADE + j * STRIDE + i] = rules.numbers[last + j]


@inlined
def _gather(b: NDArray[np.float64], rules: SimpleRules, chosen: NDArray[np.int64], m: int) -> None:
    """Fill the other rows with the numbers of the rules that are chosen."""
    numbers, used = rules.numbers, rules.used
    for j in used:
        row = MADE + j * STRIDE
        for i in range(m):
            b[row + i] = numbers[chosen[i] * _WIDTH + j]


@inlined
def _gather_linked(
    b: NDArray[np.float64],
    links: NDArray[np.int64],
    dynamic: NDArray[np.float64],
    chosen: NDArray[np.int64],
    at: int,
    m: int,
) -> None:
    """Put the particles' own numbers over those of their rules."""
    for i in range(m):
        k = chosen[i] * _WIDTH
        for j in range(_WIDTH):
            link = links[k + j]
            if link >= 0:
                b[MADE + j * STRIDE + i] = dynamic[link, at + i]


@inlined
def _draw(
    b: NDArray[np.float64],
    rows: NDArray[np.int64],
    truth: TrueParticles,
    noise: bool,
    normal: bool,
    block: np.uint64,
    at: int,
    m: int,
) -> None:
    """Draw what is seen of a block whose truth and parameters are there."""
    key, entry, place = truth.key, truth.entry, truth.place
    st.uniforms(b, key, entry, place, block, at, m)
    st.quantiles(b, rows, st.U_ENERGY, m)
    st.quantiles(b, rows, st.U_THETA, m)
    st.efficiency_uniforms(b, rows, key, entry, place, block + np.uint64(1), at, m)
    st.energies(b, noise, normal, m)
    st.aim(b, m)
    st.folds(b, m)
    st.decide(b, m)
    st.vectors(b, m)


@inlined
def _store(b: NDArray[np.float64], row: int, out: NDArray[np.float64], at: int, m: int) -> None:
    for i in range(m):
        out[at + i] = b[row + i]


@inlined
def _describe(
    b: NDArray[np.float64], truth: TrueParticles, mass: NDArray[np.float64], at: int, m: int
) -> None:
    """Find the true kinematics of a block whose axes are there."""
    kind = truth.species
    st.momenta(b, truth.px, truth.py, truth.pz, truth.energy, at, m)
    st.rotate(b, m)
    for i in range(m):
        b[st.MASS + i] = mass[kind[at + i]]
    st.masses(b, m)
    st.angles(b, m)


@jit
def describe_blocks(
    truth: TrueParticles,
    species: Species,
    axes: NDArray[np.float64],
    same: bool,
    start: int,
    stop: int,
    out: Kinematics,
) -> None:
    """Find the true kinematics of the particles from `start` to `stop`.

    Parameters
    ----------
    truth : TrueParticles
    species : Species
    axes, same
        See `forefold.kernels.simple_rules.frames`.
    start, stop : int
    out : Kinematics
        Filled.
    """
    b = np.empty(ROWS * STRIDE)
    for i in range(BLOCK):
        b[st.C + i], b[st.S + i], b[st.ACROSS + i], b[st.ALONG + i] = axes[:4]
    for at in range(start, stop, BLOCK):
        m = min(BLOCK, stop - at)
        if not same:
            st.axes(b, axes, truth.event, at, m)
        _describe(b, truth, species.mass, at, m)
        _store(b, st.MASS, out.mass, at, m)
        _store(b, st.E, out.energy, at, m)
        _store(b, st.KE, out.kinetic, at, m)
        _store(b, st.P, out.p, at, m)
        _store(b, st.X, out.x, at, m)
        _store(b, st.Y, out.y, at, m)
        _store(b, st.Z, out.z, at, m)
        _store(b, st.THETA, out.theta, at, m)
        for i in range(m):
            out.off_shell[at + i] = b[st.OFF + i] != 0.0


@inlined
def _load(b: NDArray[np.float64], row: int, values: NDArray[np.float64], at: int, m: int) -> None:
    for i in range(m):
        b[row + i] = values[at + i]


@inlined
def _recall(b: NDArray[np.float64], kinematics: Kinematics, at: int, m: int) -> None:
    """Load kinematics that are known."""
    masses, energies, kinetics, momenta, xs, ys, _, thetas, off = kinematics
    _load(b, st.MASS, masses, at, m)
    _load(b, st.E, energies, at, m)
    _load(b, st.KE, kinetics, at, m)
    _load(b, st.P, momenta, at, m)
    _load(b, st.X, xs, at, m)
    _load(b, st.Y, ys, at, m)
    _load(b, st.THETA, thetas, at, m)
    for i in range(m):
        b[st.OFF + i] = st.OFF_SHELL if off[at + i] else 0.0


@inlined
def _keep(
    b: NDArray[np.float64],
    columns: NDArray[np.float64],
    fate: NDArray[np.uint16],
    component: NDArray[np.int8],
    at: int,
    m: int,
) -> None:
    """Write what is reconstructed; NaN where there is nothing."""
    for j in range(len(_KEPT)):
        row = _KEPT[j]
        condition = st.LIVE if row == st.DRAWN else st.SEEN
        for i in range(m):
            columns[j, at + i] = b[row + i] if b[condition + i] == 1.0 else np.nan
    for i in range(m):
        component[at + i] = np.int8(np.int32(b[st.SEEN + i]) - 1)
    for i in range(m):
        fate[at + i] |= np.uint16(np.int32(b[st.FATE + i]))


@jit
def draw_blocks(
    truth: TrueParticles,
    species: Species,
    table: NDArray[np.int64],
    rules: SimpleRules,
    assigned: Assigned,
    axes: NDArray[np.float64],
    same: bool,
    block: np.uint64,
    start: int,
    stop: int,
    columns: NDArray[np.float64],
    out: Smeared,
) -> None:
    """Smear the particles from `start` to `stop`, from their four-vectors on, or from kinematics and rules that are assigned.

    Parameters
    ----------
    truth : TrueParticles
    species : Species
    table : ndarray of int64
        See `forefold.kernels.simple_rules.candidates`.
    rules : SimpleRules
    assigned : Assigned
    axes, same
        See `forefold.kernels.simple_rules.frames`.
    block : uint64
        Counter word 3, see `forefold.kernels.philox`.
    start, stop : int
    columns : ndarray of float64, shape (7, n)
        Filled: the floating-point columns of `out` that are reconstructed, in its order.
    out : Smeared
        Its fates are those from before; all is filled, but mass and angle only where they are not assigned.
    """
    b, rows = np.empty(ROWS * STRIDE), np.empty(BLOCK + 1, np.int64)
    row = np.empty(BLOCK, np.int64)
    has_rules, none = assigned.chosen.size > 0, rules.ranges.shape[0]
    kind = assigned.kind if has_rules else truth.species
    for i in range(BLOCK):
        b[st.C + i], b[st.S + i], b[st.ACROSS + i], b[st.ALONG + i] = axes[:4]
    _blank(b, rules)
    for at in range(start, stop, BLOCK):
        m = min(BLOCK, stop - at)
        if not same:
            st.axes(b, axes, truth.event, at, m)
        if has_rules:
            _recall(b, assigned.kinematics, at, m)
            for i in range(m):
                row[i] = assigned.chosen[at + i]
        else:
            _describe(b, truth, species.mass, at, m)
            _store(b, st.MASS, out.mass, at, m)
            _store(b, st.THETA, out.theta_true, at, m)
            _choose(b, kind, table, rules.ranges, out.fate, row, at, m)
        _settle(b, kind, species.outcome, row, none, out.fate, out.rule, at, m)
        _gather(b, rules, row, m)
        if rules.links.size > 0:
            _gather_linked(b, rules.links, assigned.dynamic, row, at, m)
        _draw(b, rows, truth, rules.noise, rules.normal, block, at, m)
        _keep(b, columns, out.fate, out.component, at, m)
