"""Particles through the rules of a card, each on its own random numbers.

Three steps, each taking arrays: `describe` (true kinematics), `choose` (which rule), `draw` (what is seen). Between
them a caller may change what a particle is taken for, and fill tables with one number a particle; who needs neither takes
`draw_directly`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels.blocks import describe_blocks, draw_blocks
from forefold.kernels.draw import draw_general
from forefold.kernels.draw_numpy import described, draw_wholes
from forefold.kernels.jit import jit, worth_compiling
from forefold.kernels.layout import (
    RULE_COLUMNS,
    Histograms,
    Kinematics,
    RuleTables,
    Smeared,
    Species,
    TrueParticles,
    empty_kinematics,
    empty_smeared,
)
from forefold.kernels.philox import uniforms
from forefold.kernels.simple_rules import (
    Assigned,
    SimpleRules,
    candidates,
    frames,
    simple_rules,
    unassigned,
)
from forefold.kernels.threads import in_ranges, on_gpu

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["choose", "describe", "draw", "draw_directly", "uniform_columns"]

(_KE_LOW, _KE_HIGH, _P_LOW, _P_HIGH, _WHEN) = (
    RULE_COLUMNS.index(name) for name in ("ke_low", "ke_high", "p_low", "p_high", "when")
)


@jit
def choose_all(
    kind: NDArray[np.int64],
    outcome: NDArray[np.int64],
    table: NDArray[np.int64],
    kinematics: Kinematics,
    rules: NDArray[np.float64],
    links: NDArray[np.int64],
    dynamic: NDArray[np.float64],
    out: NDArray[np.int64],
) -> None:
    """Take the first rule that holds; -1 for kinds that the card leaves out. The last one of `table` always holds."""
    kinetics, momenta = kinematics.kinetic, kinematics.p
    last = table.shape[1] - 1
    for i in range(kind.size):
        s, kinetic, p = kind[i], kinetics[i], momenta[i]
        k = table[s, last]
        for j in range(last - 1, -1, -1):
            other = table[s, j]
            inside = (rules[other, _KE_LOW] <= kinetic) & (kinetic < rules[other, _KE_HIGH])
            inside = inside & (rules[other, _P_LOW] <= p) & (p < rules[other, _P_HIGH])
            if links[other, _WHEN] >= 0:
                inside = inside & (dynamic[links[other, _WHEN], i] == 1.0)
            k = other if inside else k
        out[i] = -1 if outcome[s] != 0 else k


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


def describe(truth: TrueParticles, species: Species) -> Kinematics:
    """Find the true kinematics of particles in the frame of their axis.

    Parameters
    ----------
    truth : TrueParticles
    species : Species

    Returns
    -------
    Kinematics
    """
    n = truth.energy.size
    axes, same = frames(truth.axis)
    if not worth_compiling(describe_blocks, n):
        return described(truth, species.mass, axes)
    out = empty_kinematics(n)
    if n:
        in_ranges(
            lambda start, stop: describe_blocks(truth, species, axes, same, start, stop, out), n
        )
    return out


def choose(
    kind: NDArray[np.int64], species: Species, kinematics: Kinematics, tables: RuleTables
) -> NDArray[np.int64]:
    """Rule of every particle.

    Parameters
    ----------
    kind : ndarray of int64, shape (n,)
        Row of `species` as which the particle is identified.
    species : Species
    kinematics : Kinematics
        As it is identified.
    tables : RuleTables
        The conditions in ``dynamic`` are filled.

    Returns
    -------
    ndarray of int64, shape (n,)
        -1 where the card leaves the particle out.
    """
    out = np.empty(kind.size, np.int64)
    table, cards = candidates(species), (tables.rules, tables.rule_links, tables.dynamic)
    choose_all(kind, species.outcome, table, kinematics, *cards, out)
    return out


def draw(
    truth: TrueParticles,
    kind: NDArray[np.int64],
    species: Species,
    kinematics: Kinematics,
    chosen: NDArray[np.int64],
    tables: RuleTables,
    histograms: Histograms,
    *,
    fate: NDArray[np.uint16] | None = None,
    variation: int = 0,
) -> Smeared:
    """Smear particles by the rules that were chosen for them.

    Parameters
    ----------
    truth : TrueParticles
    kind : ndarray of int64, shape (n,)
        Row of `species` as which the particle is identified.
    species : Species
    kinematics : Kinematics
    chosen : ndarray of int64, shape (n,)
        Rows of ``tables.rules``; -1 is left out.
    tables : RuleTables
    histograms : Histograms
    fate : ndarray of uint16, shape (n,), optional
        Flags that are set already, and outcomes of particles that are left out.
    variation : int
        From 0 to 2^16 - 1; other variations draw other numbers.

    Returns
    -------
    Smeared
    """
    block = np.uint64(variation << 16)
    rules = simple_rules(tables)
    if rules is not None:
        assigned = Assigned(kind, kinematics, chosen, tables.dynamic)
        return _draw_simple(truth, species, rules, assigned, fate, block)
    out = empty_smeared(kinematics)
    if fate is not None:
        out.fate[:] = fate

    def part(start: int, stop: int) -> None:
        """Draw for a range: everything but the rules is cut to it."""
        s = slice(start, stop)
        own = tables._replace(dynamic=np.ascontiguousarray(tables.dynamic[:, s]))
        some = TrueParticles._make(x if x is truth.axis else x[s] for x in truth)
        true, target = Kinematics._make(x[s] for x in kinematics), Smeared._make(x[s] for x in out)
        draw_general(some, kind[s], species, true, chosen[s], own, histograms, block, target)

    in_ranges(part, kind.size)
    return out


def draw_directly(
    truth: TrueParticles,
    species: Species,
    rules: SimpleRules,
    *,
    fate: NDArray[np.uint16] | None = None,
    variation: int = 0,
) -> Smeared:
    """Smear particles by simple rules, from four-vectors on: `describe`, `choose` and `draw` at once.

    Parameters
    ----------
    truth : TrueParticles
    species : Species
    rules : SimpleRules
        See `forefold.kernels.simple_rules.simple_rules`; no condition of them is a formula.
    fate : ndarray of uint16, shape (n,), optional
        Flags that are set already, and outcomes of particles that are left out.
    variation : int

    Returns
    -------
    Smeared
    """
    return _draw_simple(truth, species, rules, unassigned(), fate, np.uint64(variation << 16))


def _draw_simple(
    truth: TrueParticles,
    species: Species,
    rules: SimpleRules,
    assigned: Assigned,
    fate: NDArray[np.uint16] | None,
    block: np.uint64,
) -> Smeared:
    """Draw in compiled blocks, or in numpy where compiling would take longer: the bits are the same."""
    n = truth.energy.size
    has_rules = assigned.chosen.size > 0
    table, (axes, same) = candidates(species), frames(truth.axis)
    columns = np.empty((7 if has_rules else 9, n))
    true = assigned.kinematics
    mass, theta = (true.mass, true.theta) if has_rules else (columns[0], columns[1])
    a, b, c, d, e, f, g = columns[-7:]
    out = Smeared(
        mass,
        theta,
        *(a, b, c, d, e, f, g),
        np.zeros(n, np.uint16) if fate is None else fate.copy(),
        np.empty(n, np.int16),
        np.empty(n, np.int8),
    )
    if not n:
        return out
    if on_gpu():
        from forefold.kernels.gpu import draw_on_gpu

        draw_on_gpu(truth, species, rules, assigned, block, columns, out)
        return out
    if not worth_compiling(draw_blocks, n):
        draw_wholes(truth, species, table, rules, assigned, axes, block, out)
        return out

    def run(start: int, stop: int) -> None:
        draw_blocks(
            truth,
            species,
            table,
            rules,
            assigned,
            axes,
            same,
            block,
            start,
            stop,
            columns[-7:],
            out,
        )

    in_ranges(run, n)
    return out


def uniform_columns(
    truth: TrueParticles, purpose: int, *, variation: int = 0
) -> NDArray[np.float64]:
    """One uniform a particle for a purpose of its own.

    Parameters
    ----------
    truth : TrueParticles
    purpose : int
        See `forefold.kernels.philox`.
    variation : int

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    n = truth.energy.size
    even, odd = np.empty(n), np.empty(n)
    block = np.uint64(variation << 16 | purpose >> 1)
    uniforms_all(truth.key, truth.entry, truth.place, block, even, odd)
    return odd if purpose & 1 else even
