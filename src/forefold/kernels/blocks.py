"""Particles in blocks through rules that are plain, from four-vectors to what is reconstructed.

Plain are rules with one component of total or kinetic energy, log-normal, normal or none, with a law in quadrature and a
polar angle; their numbers may be the particle's own.  For such cards this is `draws` in a tenth of the time, bit by bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold.kernels import steps as st
from forefold.kernels.draws import KEPT, POLAR, SETTLED
from forefold.kernels.jit import inlined, jit
from forefold.kernels.layout import (
    COMPONENT_COLUMNS,
    DISTRIBUTIONS,
    OF,
    RULE_COLUMNS,
    Cells,
    Kinematics,
    Rays,
    Smeared,
    Species,
)
from forefold.kernels.steps import BLOCK, MADE, PARAMETERS, ROWS, STRIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Given", "Plain", "candidates", "draw_blocks", "frames", "plain"]

_WIDTH = len(PARAMETERS)
_KINETIC = OF.index("kinetic")
_NORMAL, _NONE = DISTRIBUTIONS.index("normal"), DISTRIBUTIONS.index("none")
_SETTLED = SETTLED
_RANGE = [RULE_COLUMNS.index(name) for name in ("ke_low", "ke_high", "p_low", "p_high")]
_OF_RULES = ("threshold_ke", "threshold_p", "seen_if", "efficiency", "theta_sigma")
_OF_COMPONENTS = ("constant", "stochastic", "noise", "scale")
_KEPT = (st.RECO, st.DRAWN, st.THETA, st.PHI, st.PX, st.PY, st.PZ)


class Plain(NamedTuple):
    """Rules that are plain, as `draw_rays` and `draw_known` take them.

    Attributes
    ----------
    numbers : ndarray of float64, shape (r + 1, len(PARAMETERS)), flat
        The last row is for particles that no rule is for.
    links : ndarray of int64, in the same shape, flat
        Row of ``dynamic``, or -1; empty where every number is the rule's.
    ranges : ndarray of float64, shape (r, 4)
        Kinetic energies and momenta for which a rule holds.
    used : ndarray of int64
        Columns whose numbers are not the same for all rules, or linked.
    noise, normal : bool
        Some laws have a noise term, some energies are normal.
    """

    numbers: NDArray[np.float64]
    links: NDArray[np.int64]
    ranges: NDArray[np.float64]
    used: NDArray[np.int64]
    noise: bool
    normal: bool


def plain(cells: Cells) -> Plain | None:
    """Rules as blocks take them, or None if some are not plain.

    Parameters
    ----------
    cells : Cells

    Returns
    -------
    Plain or None
    """
    rules = _columns(cells.rules, RULE_COLUMNS)
    first = cells.rules[:, RULE_COLUMNS.index("first")].astype(np.int64)
    if not (rules["last"] == rules["first"] + 1).all():
        return None
    components = _columns(cells.components[first], COMPONENT_COLUMNS)
    links = _columns(cells.rule_links, RULE_COLUMNS)
    links |= _columns(cells.component_links[first], COMPONENT_COLUMNS)
    if not _is_plain(rules, components, links):
        return None
    made = {name: rules[name] for name in _OF_RULES}
    made |= {name: components[name] for name in _OF_COMPONENTS}
    made["kinetic"] = components["of"] == _KINETIC
    made["normal"] = components["distribution"] == _NORMAL
    linked = {name: links[name] for name in (*_OF_RULES, *_OF_COMPONENTS)}
    for whole, part in (("resolution", "constant"), ("sigma", "noise")):
        given = (components[whole] >= 0.0) | (links[whole] >= 0)
        for name in ("constant", "stochastic", "noise"):
            made[name] = np.where(given, components[whole] if name == part else 0.0, made[name])
            linked[name] = np.where(given, links[whole] if name == part else -1, linked[name])
    exact = components["distribution"] == _NONE
    for name in ("constant", "stochastic", "noise"):
        made[name] = np.where(exact, 0.0, made[name])
        linked[name] = np.where(exact, -1, linked[name])
    nothing = np.full(exact.size, -1)
    numbers = np.stack([made[name] for name in PARAMETERS], axis=1)
    rows = np.stack([linked.get(name, nothing) for name in PARAMETERS], axis=1)
    numbers = np.concatenate([numbers, [[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]]])
    rows = np.concatenate([rows, np.full((1, _WIDTH), -1)])
    noise = (made["noise"] != 0.0) | (linked["noise"] >= 0)
    return Plain(
        numbers.astype(np.float64).ravel(),
        rows.astype(np.int64).ravel() if (rows >= 0).any() else np.empty(0, np.int64),
        np.ascontiguousarray(cells.rules[:, _RANGE]),
        np.flatnonzero((numbers != numbers[-1]).any(axis=0) | (rows >= 0).any(axis=0)),
        bool(noise.any()),
        bool(made["normal"].any()),
    )


def _columns(table: NDArray[Any], names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    return {name: table[:, i] for i, name in enumerate(names)}


def _is_plain(
    rules: dict[str, NDArray[Any]],
    components: dict[str, NDArray[Any]],
    links: dict[str, NDArray[Any]],
) -> bool:
    ours = {*_OF_RULES, *_OF_COMPONENTS, "resolution", "sigma", "when"}
    good = np.isin(rules["convention"], (POLAR, KEPT))
    good &= (rules["reco_ke"] == -np.inf) & (rules["reco_p"] == -np.inf)
    good &= np.isin(components["of"], (OF.index("total"), _KINETIC))
    good &= components["distribution"] <= _NONE
    good &= (components["linear"] == 0.0) & (components["offset"] == 0.0)
    good &= components["clamp"] == 0.0
    for name, link in links.items():
        if name not in ours:
            good &= link < 0
    return bool(good.all())


def frames(axis: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Cosine and sine of azimuth, sine and cosine of polar angle of unit vectors, and whether all are the same.

    Parameters
    ----------
    axis : ndarray of float64, shape (m, 3)

    Returns
    -------
    ndarray of float64, shape (4 m,)
    bool
    """
    x, y, z = axis.T
    across = np.sqrt(x * x + y * y)
    along_z = across == 0.0
    safe = np.where(along_z, 1.0, across)
    up = np.where(z > 0.0, 1.0, -1.0)
    found = np.empty((len(axis), 4))
    found[:, 0] = np.where(along_z, up, x / safe)
    found[:, 1] = np.where(along_z, 0.0, y / safe)
    found[:, 2] = across
    found[:, 3] = np.where(along_z, up, z)
    return found.ravel(), bool((axis == axis[:1]).all())


class Given(NamedTuple):
    """What is known of particles before the draw; arrays of no length where it is not.

    Attributes
    ----------
    kind : ndarray of int64, shape (n,)
        What the particles are taken for.
    kinematics : Kinematics
    chosen : ndarray of int64, shape (n,)
        Their rules; -1 is left out.
    dynamic : ndarray of float64, shape (d, n)
        Their own numbers.
    """

    kind: NDArray[np.int64]
    kinematics: Kinematics
    chosen: NDArray[np.int64]
    dynamic: NDArray[np.float64]


def candidates(species: Species) -> NDArray[np.int64]:
    """Rules of every kind in the order in which they are tried, as a table: the last one is repeated.

    Parameters
    ----------
    species : Species

    Returns
    -------
    ndarray of int64, shape (s, w)
    """
    lengths = species.last - species.first
    steps = np.arange(max(1, int(lengths.max(initial=1))))
    place = species.first[:, None] + np.minimum(steps, np.maximum(lengths - 1, 0)[:, None])
    if not species.candidates.size:
        return np.zeros(place.shape, np.int64)
    return species.candidates[np.minimum(place, species.candidates.size - 1)]


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
        s = kind[at + i]
        kinetic, p = b[st.KE + i], b[st.P + i]
        k = table[s, last]
        for j in range(last - 1, -1, -1):
            other = table[s, j]
            inside = (ranges[other, 0] <= kinetic) & (kinetic < ranges[other, 1])
            inside = inside & (ranges[other, 2] <= p) & (p < ranges[other, 3])
            k = other if inside else k
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
def _blank(b: NDArray[np.float64], rules: Plain) -> None:
    """Fill the rows of parameters that are the same for all rules."""
    last = rules.numbers.size - _WIDTH
    for j in range(_WIDTH):
        for i in range(BLOCK):
            b[MADE + j * STRIDE + i] = rules.numbers[last + j]


@inlined
def _gather(b: NDArray[np.float64], rules: Plain, chosen: NDArray[np.int64], m: int) -> None:
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
    rays: Rays,
    noise: bool,
    normal: bool,
    block: np.uint64,
    at: int,
    m: int,
) -> None:
    """Draw what is seen of a block whose truth and parameters are there."""
    key, entry, place = rays.key, rays.entry, rays.place
    st.uniforms(b, key, entry, place, block, at, m)
    st.quantiles(b, rows, st.U_ENERGY, m)
    st.quantiles(b, rows, st.U_THETA, m)
    st.escapes(b, rows, key, entry, place, block + np.uint64(1), at, m)
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
    b: NDArray[np.float64], rays: Rays, mass: NDArray[np.float64], at: int, m: int
) -> None:
    """Find the true kinematics of a block whose axes are there."""
    kind = rays.species
    st.momenta(b, rays.px, rays.py, rays.pz, rays.energy, at, m)
    st.rotate(b, m)
    for i in range(m):
        b[st.MASS + i] = mass[kind[at + i]]
    st.masses(b, m)
    st.angles(b, m)


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
    rays: Rays,
    species: Species,
    table: NDArray[np.int64],
    rules: Plain,
    given: Given,
    axes: NDArray[np.float64],
    same: bool,
    block: np.uint64,
    start: int,
    stop: int,
    columns: NDArray[np.float64],
    out: Smeared,
) -> None:
    """Smear the particles from `start` to `stop`, from their four-vectors on or from what is given.

    Parameters
    ----------
    rays : Rays
    species : Species
    table : ndarray of int64
        See `candidates`.
    rules : Plain
    given : Given
    axes, same
        See `frames`.
    block : uint64
        Counter word 3, see `forefold.kernels.philox`.
    start, stop : int
    columns : ndarray of float64, shape (7, n)
        Filled: the floating-point columns of `out` that are reconstructed, in its order.
    out : Smeared
        Its fates are those from before; all is filled, but mass and angle only where they are not given.
    """
    b, rows = np.empty(ROWS * STRIDE), np.empty(BLOCK + 1, np.int64)
    row = np.empty(BLOCK, np.int64)
    known, none = given.chosen.size > 0, rules.ranges.shape[0]
    kind = given.kind if known else rays.species
    for i in range(BLOCK):
        b[st.C + i], b[st.S + i], b[st.ACROSS + i], b[st.ALONG + i] = axes[:4]
    _blank(b, rules)
    for at in range(start, stop, BLOCK):
        m = min(BLOCK, stop - at)
        if not same:
            st.axes(b, axes, rays.event, at, m)
        if known:
            _recall(b, given.kinematics, at, m)
            for i in range(m):
                row[i] = given.chosen[at + i]
        else:
            _describe(b, rays, species.mass, at, m)
            _store(b, st.MASS, out.mass, at, m)
            _store(b, st.THETA, out.theta_true, at, m)
            _choose(b, kind, table, rules.ranges, out.fate, row, at, m)
        _settle(b, kind, species.outcome, row, none, out.fate, out.rule, at, m)
        _gather(b, rules, row, m)
        if rules.links.size > 0:
            _gather_linked(b, rules.links, given.dynamic, row, at, m)
        _draw(b, rows, rays, rules.noise, rules.normal, block, at, m)
        _keep(b, columns, out.fate, out.component, at, m)
