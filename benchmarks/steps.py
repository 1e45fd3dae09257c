"""``python -m benchmarks.steps``: where the time of the kernel goes, loop by loop, and energy and angle alone over a copy.

Blocks of real particles are stopped before every step; a step is run on them again and again, what it changed is put back in
between, and the time to put it back is taken off. The loops are those that the kernel runs, compiled into a loop over blocks.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from time import thread_time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.clock import best
from benchmarks.particles import beam
from forefold.detector.compile import species_table
from forefold.kernels import block_steps as st
from forefold.kernels import blocks as bl
from forefold.kernels.jit import inlined, jit
from forefold.kernels.layout import Smeared, Species, TrueParticles
from forefold.kernels.simple_rules import SimpleRules, candidates, frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["STEPS", "steps"]

BLOCKS = 16
COPIED = 28
STEPS = {
    "load": "four-vectors and masses of the table into rows of the block",
    "rotate": "momenta in the frame of the axis, and their sizes",
    "masses": "masses and kinetic energies",
    "angles": "true polar angles",
    "tell": "true masses and angles into columns",
    "choose": "the rule of each particle",
    "settle": "who is left out",
    "gather": "the numbers of the rules into rows",
    "uniforms": "Philox4x32-10, two uniforms of 53 bits",
    "energy quantiles": "normal quantiles",
    "angle quantiles": "normal quantiles",
    "efficiency_uniforms": "efficiencies that are not 1",
    "energies": "the log-normal: logarithm, root, exponential",
    "aim": "the drawn polar angle",
    "folds": "azimuths, and angles back to the sphere",
    "decide": "thresholds, fates, momenta",
    "vectors": "sines, cosines, momenta in the frame of the record",
    "keep": "what is seen into columns",
}
_NAMES = tuple(STEPS)
_DRAWN = tuple(
    _NAMES.index(name)
    for name in ("uniforms", "energy quantiles", "angle quantiles", "energies", "aim")
)
_load = inlined(st.momenta)


class Held(NamedTuple):
    """What every step is given."""

    truth: TrueParticles
    species: Species
    table: NDArray[np.int64]
    rules: SimpleRules
    columns: NDArray[np.float64]
    out: Smeared


@inlined
def _step(
    which: int,
    b: NDArray[np.float64],
    rows: NDArray[np.int64],
    chosen: NDArray[np.int64],
    held: Held,
    at: int,
) -> None:
    m = st.BLOCK
    block = np.uint64(0)
    truth, species, table, rules, columns, out = held
    if which == 0:
        _load(b, truth.px, truth.py, truth.pz, truth.energy, at, m)
        for i in range(m):
            b[st.MASS + i] = species.mass[truth.species[at + i]]
    elif which == 1:
        st.rotate(b, m)
    elif which == 2:
        st.masses(b, m)
    elif which == 3:
        st.angles(b, m)
    elif which == 4:
        bl._store(b, st.MASS, out.mass, at, m)
        bl._store(b, st.THETA, out.theta_true, at, m)
    elif which == 5:
        bl._choose(b, truth.species, table, rules.ranges, out.fate, chosen, at, m)
    elif which == 6:
        kind, none = truth.species, rules.ranges.shape[0]
        bl._settle(b, kind, species.outcome, chosen, none, out.fate, out.rule, at, m)
    elif which == 7:
        bl._gather(b, rules, chosen, m)
    elif which == 8:
        st.uniforms(b, truth.key, truth.entry, truth.place, block, at, m)
    elif which == 9:
        st.quantiles(b, rows, st.U_ENERGY, m)
    elif which == 10:
        st.quantiles(b, rows, st.U_THETA, m)
    elif which == 11:
        key, entry, place = truth.key, truth.entry, truth.place
        st.efficiency_uniforms(b, rows, key, entry, place, block + np.uint64(1), at, m)
    elif which == 12:
        st.energies(b, rules.noise, rules.normal, m)
    elif which == 13:
        st.aim(b, m)
    elif which == 14:
        st.folds(b, m)
    elif which == 15:
        st.decide(b, m)
    elif which == 16:
        st.vectors(b, m)
    elif which == 17:
        bl._keep(b, columns, out.fate, out.component, at, m)


@jit
def _run(
    which: int,
    times: int,
    states: NDArray[np.float64],
    before: NDArray[np.float64],
    changed: NDArray[np.int64],
    rows: NDArray[np.int64],
    chosen: NDArray[np.int64],
    ready: NDArray[np.int64],
    held: Held,
) -> None:
    """Put back what a step changed and take the step, so many times; step -1 is none."""
    m = st.BLOCK
    for _ in range(times):
        for j in range(states.shape[0]):
            b = states[j]
            for row in changed:
                for i in range(m):
                    b[row + i] = before[j, row + i]
            for i in range(m):
                chosen[i] = ready[j, i]
                held.out.fate[j * m + i] = 0
            _step(which, b, rows, chosen, held, j * m)


@jit
def _advance(
    which: int,
    states: NDArray[np.float64],
    rows: NDArray[np.int64],
    ready: NDArray[np.int64],
    held: Held,
) -> None:
    """Take a step once, of all blocks."""
    for j in range(states.shape[0]):
        _step(which, states[j], rows, ready[j], held, j * st.BLOCK)


def steps(repeats: int = 200, times: int = 20) -> dict[str, float]:
    """Time every step.

    Parameters
    ----------
    repeats : int
        Of which the shortest counts.
    times : int
        Passes over the blocks in one of these.

    Returns
    -------
    dict of str to float
        ns a particle of every step and ``sum``; ``copy``, of 28 bytes that lie in the cache as the blocks do;
        ``energy_and_angle``, of the steps that draw these two.
    """
    n = BLOCKS * st.BLOCK
    given = beam(n)
    rules = given.compiled.simple_rules
    assert rules is not None
    species = species_table(given.compiled.card, given.pdgid)
    axes, _ = frames(given.truth.axis)
    q = np.empty((9, n))
    fates, rule, parts = np.zeros(n, np.uint16), np.empty(n, np.int16), np.empty(n, np.int8)
    a, b, c, d, e, f, g, h, i = q
    out = Smeared(a, b, c, d, e, f, g, h, i, fates, rule, parts)
    states = np.zeros((BLOCKS, st.ROWS * st.STRIDE))
    for row, number in zip((st.C, st.S, st.ACROSS, st.ALONG), axes[:4], strict=True):
        states[:, row : row + st.BLOCK] = number
    for j in range(len(st.PARAMETERS)):
        row = st.MADE + j * st.STRIDE
        states[:, row : row + st.BLOCK] = rules.numbers[rules.numbers.size - len(st.PARAMETERS) + j]
    rows, chosen = np.empty(st.BLOCK + 1, np.int64), np.empty(st.BLOCK, np.int64)
    ready = np.zeros((BLOCKS, st.BLOCK), np.int64)
    held = Held(given.truth, species, candidates(species), rules, q[2:], out)
    found: dict[str, float] = {}
    for which, name in enumerate(_NAMES):
        before, was = states.copy(), ready.copy()
        _advance(which, states, rows, ready, held)
        rows_changed = [
            r for r in range(0, st.ROWS * st.STRIDE, st.STRIDE) if _differs(before, states, r)
        ]
        changed = np.array(rows_changed, np.int64)

        def run(step: int, known: tuple[Any, ...] = (before.copy(), before, changed, was)) -> None:
            work, start, rows_of, chosen_of = known
            _run(step, times, work, start, rows_of, rows, chosen, chosen_of, held)

        run(which)
        with_it, without = best([partial(run, which), partial(run, -1)], repeats, thread_time)
        found[name] = 1e9 * (with_it - without) / (n * times)
    source = np.ones(COPIED * n // 8)
    target = source.copy()

    def copying() -> None:
        for _ in range(times):
            np.copyto(target, source)

    (copy,) = best([copying], repeats, thread_time)
    drawn = sum(found[_NAMES[which]] for which in _DRAWN)
    return {
        **found,
        "sum": sum(found.values()),
        "energy_and_angle": drawn,
        "copy": 1e9 * copy / (n * times),
    }


def _differs(before: NDArray[np.float64], after: NDArray[np.float64], row: int) -> bool:
    part = slice(row, row + st.BLOCK)
    return not np.array_equal(before[:, part], after[:, part], equal_nan=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steps")
    parser.add_argument("--json", metavar="OUT", type=Path, help="add what was found to this file")
    options = parser.parse_args()
    found = steps()
    for name, value in found.items():
        print(f"{name:18s} {value:7.2f} ns  {STEPS.get(name, '')}")
    if options.json:
        known = (
            json.loads(options.json.read_text(encoding="utf-8")) if options.json.exists() else {}
        )
        text = json.dumps({**known, "steps": found}, indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
