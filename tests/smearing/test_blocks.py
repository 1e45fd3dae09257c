"""Three ways through a simple card, the same bits: compiled blocks, numpy, and the loops for any card."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest
from device_run import KINDS, NUMBERS
from gun import card, rule

from forefold.detector.compile import CompiledCard, compile_card, species_table
from forefold.detector.load import load_card
from forefold.events import particles as species
from forefold.kernels import jit
from forefold.kernels.block_steps import BLOCK
from forefold.kernels.blocks import draw_blocks
from forefold.kernels.draw import draw_general
from forefold.kernels.draw_numpy import draw_wholes
from forefold.kernels.fate import Fate
from forefold.kernels.launch import choose, describe
from forefold.kernels.layout import RuleTables, Smeared, TrueParticles, empty_smeared
from forefold.kernels.simple_rules import SimpleRules, candidates, frames, simple_rules, unassigned
from forefold.kernels.threads import RANGE, in_ranges, thread_count
from forefold.smearing.engine import prepared, smear_particles

RECORD = [
    *NUMBERS[:2],
    rule(
        'energy = { of = "total", distribution = "log-normal", resolution = 0.2, scale = 0.9 }',
        particles='["mu-"]',
        name="mu",
        extra="efficiency = 0.0",
    ),
    rule(),
]
OWN = [
    rule(
        'energy = { of = "kinetic", distribution = "normal", resolution = "0.1 / sqrt(E)" }',
        'angle = { convention = "polar", distribution = "normal", sigma_deg = "20 / (1 + p)" }',
        "efficiency = '0.9 - 0.1 * cos_theta'",
        name="p",
        particles='["p"]',
    ),
    rule(
        'energy = { of = "total", distribution = "log-normal", sigma = "0.1 * KE" }',
        name="seen",
        particles='["mu-"]',
        extra="threshold = { formula = 'cos_theta > 0' }",
    ),
    rule('energy = { of = "total", distribution = "log-normal", constant = "0.02 * E" }'),
]


def truth(n: int, *, axis: Any = None, seed: int = 3) -> TrueParticles:
    """Particles of all kinds: most on their shell, some at rest, some with E < p."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, KINDS.size, n)
    p = rng.exponential(1.0, n) * (rng.random(n) > 0.02)
    direction = rng.normal(size=(3, n))
    direction /= np.sqrt((direction**2).sum(axis=0))
    mass = np.array([species.mass(int(pdgid)) for pdgid in KINDS])[kind]
    energy = np.sqrt(p * p + mass * mass) * np.where(rng.random(n) < 0.02, 0.9, 1.0)
    event = np.sort(rng.integers(0, 7, n))
    axes = rng.normal(size=(7, 3))
    axes[0], axes[1] = [0.0, 0.0, 1.0], [0.0, 0.0, -1.0]
    axes /= np.sqrt((axes**2).sum(axis=1))[:, None]
    words = rng.integers(0, 2**64, (2, n), dtype=np.uint64)
    px, py, pz = p * direction
    place = np.arange(n, dtype=np.uint64)
    axes = axes if axis is None else np.tile(np.asarray(axis, dtype=np.float64), (7, 1))
    return TrueParticles(words[0], words[1], place, kind, px, py, pz, energy, event, axes)


def fates(n: int) -> Any:
    """Mostly nothing yet, some settled."""
    fate = np.zeros(n, np.uint16)
    fate[::17] = int(Fate.NOT_FINAL_STATE)
    return fate


def empty(n: int) -> tuple[Any, Smeared]:
    columns = np.full((9, n), 7.0)
    rule_of, part = np.full(n, 5, np.int16), np.full(n, 5, np.int8)
    a, b, c, d, e, f, g, h, i = columns
    return columns[2:], Smeared(a, b, c, d, e, f, g, h, i, fates(n), rule_of, part)


NOTHING = unassigned()


def by_blocks(
    given: TrueParticles, made: CompiledCard, rules: SimpleRules, cut: int = 0
) -> Smeared:
    """Compiled, in two pieces."""
    table, (axes, same) = species_table(made.card, KINDS), frames(given.axis)
    columns, out = empty(given.energy.size)
    for start, stop in ((0, cut), (cut, given.energy.size)):
        draw_blocks(
            given,
            table,
            candidates(table),
            rules,
            NOTHING,
            axes,
            same,
            np.uint64(0),
            start,
            stop,
            columns,
            out,
        )
    return out


def by_wholes(given: TrueParticles, made: CompiledCard, rules: SimpleRules) -> Smeared:
    table, (axes, _) = species_table(made.card, KINDS), frames(given.axis)
    _, out = empty(given.energy.size)
    draw_wholes(given, table, candidates(table), rules, NOTHING, axes, np.uint64(0), out)
    return out


def by_any(given: TrueParticles, made: CompiledCard) -> Smeared:
    """Draw as for cards whose rules are not simple."""
    n = given.energy.size
    table = species_table(made.card, KINDS)
    true = describe(given, table)
    tables = RuleTables(
        made.rules, made.rule_links, made.components, made.component_links, np.empty((0, n))
    )
    chosen = choose(given.species, table, true, tables)
    chosen[fates(n) != 0] = -1
    out = empty_smeared(true)
    out.fate[:] = fates(n)
    draw_general(
        given, given.species, table, true, chosen, tables, made.histograms, np.uint64(0), out
    )
    return out


def agree(one: Smeared, two: Smeared, n: int) -> None:
    for name in Smeared._fields:
        assert bits(getattr(one, name)[:n]) == bits(getattr(two, name)[:n]), name


def bits(column: Any) -> bytes:
    """Bytes of a column; the sign of a NaN is the processor's business."""
    if column.dtype == np.float64:
        column = np.where(np.isnan(column), np.nan, column)
    found: bytes = column.tobytes()
    return found


CARDS = {
    "nusmear-dune-cdr": load_card("nusmear-dune-cdr"),
    "nusmear-default": load_card("nusmear-default"),
    "record": card(*RECORD),
}


@pytest.mark.parametrize("axis", [None, [0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [0.6, 0.0, 0.8]])
@pytest.mark.parametrize("which", list(CARDS))
def test_three_ways(which: str, axis: Any) -> None:
    made = compile_card(CARDS[which])
    rules, n = made.simple_rules, 5000
    assert rules is not None
    given = truth(n, axis=axis)
    found = by_blocks(given, made, rules, 1234)
    seen = (found.fate & int(Fate.DETECTED)) != 0
    assert 0.1 < seen.mean() < 0.9
    agree(found, by_wholes(given, made, rules), n)
    agree(found, by_any(given, made), n)


@pytest.mark.parametrize("n", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_any_number(n: int) -> None:
    made = compile_card(CARDS["record"])
    rules, given = made.simple_rules, truth(n)
    assert rules is not None
    agree(by_blocks(given, made, rules), by_any(given, made), n)


def test_where_a_tail_is_far() -> None:
    """Uniforms that come once in 10^11 draws: the second half of the quantile's tail."""
    from forefold.kernels import block_steps as st
    from forefold.kernels import math as fm
    from forefold.kernels.jit import jit as compiled

    @compiled
    def quantiles(b: Any, rows: Any) -> None:
        st.quantiles(b, rows, st.U_ENERGY, BLOCK)

    u = np.random.default_rng(8).random(BLOCK)
    u[[3, 70]] = 2.0**-50, 1 - 2.0**-51
    b = np.zeros(st.ROWS * st.STRIDE)
    b[st.U_ENERGY : st.U_ENERGY + BLOCK] = u
    quantiles(b, np.empty(BLOCK + 1, np.int64))
    found = b[st.U_ENERGY : st.U_ENERGY + BLOCK]
    assert found.tolist() == [fm.normal_quantile(value) for value in u]


@pytest.mark.parametrize("compiled", [True, False])
def test_numbers_of_their_own(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    """Formulas: what is linked is taken from the particles."""
    monkeypatch.setattr("forefold.kernels.launch.worth_compiling", lambda *_: compiled)
    n, made = 3000, compile_card(card(*OWN))
    given = truth(n)
    work = prepared(given, KINDS, fates(n), made)
    assert simple_rules(work.tables) is not None
    found = work.draw(0)
    out = empty_smeared(work.kinematics)
    out.fate[:] = work.fate
    draw_general(
        given,
        work.kind,
        work.table,
        work.kinematics,
        work.chosen,
        work.tables,
        made.histograms,
        np.uint64(0),
        out,
    )
    assert 0.1 < ((found.fate & int(Fate.DETECTED)) != 0).mean() < 0.9
    agree(found, out, n)


@pytest.mark.parametrize(
    "changed",
    [
        'energy = { of = "momentum", distribution = "normal", constant = 0.1 }',
        'energy = { of = "total", distribution = "uniform", constant = 0.1 }',
        'energy = { of = "total", distribution = "normal", constant = 0.1, sum = "linear" }',
        'energy = { of = "total", distribution = "normal", constant = 0.1, offset = 0.1 }',
        'energy = { of = "total", distribution = "normal", constant = 0.1, below_mass = "clamp" }',
    ],
)
def test_what_is_not_plain(changed: str) -> None:
    assert compile_card(card(rule(changed))).simple_rules is None


@pytest.mark.parametrize(
    "angle",
    [
        'angle = { convention = "space", distribution = "rayleigh", sigma_deg = 3.0 }',
        'angle = { convention = "independent", distribution = "normal", sigma_deg = 3.0, sigma_phi_deg = 2.0 }',
    ],
)
def test_directions_that_are_not_plain(angle: str) -> None:
    assert compile_card(card(rule(angle=angle))).simple_rules is None


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREFOLD_NUM_THREADS", "3")
    assert thread_count() == 3
    found: list[tuple[int, int]] = []
    in_ranges(lambda a, b: found.append((a, b)), 3 * RANGE + 1)
    bounds = sorted(found)
    assert len(bounds) == 3
    assert [a for a, _ in bounds[1:]] == [b for _, b in bounds[:-1]]
    assert (bounds[0][0], bounds[-1][1]) == (0, 3 * RANGE + 1)
    found.clear()
    in_ranges(lambda a, b: found.append((a, b)), RANGE)
    assert found == [(0, RANGE)]
    for wrong in ("0", "-1", "two", "1.5"):
        monkeypatch.setenv("FOREFOLD_NUM_THREADS", wrong)
        with pytest.raises(ValueError, match="FOREFOLD_NUM_THREADS: a whole number"):
            thread_count()


def test_a_failure_in_a_thread_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREFOLD_NUM_THREADS", "2")

    def fails(start: int, stop: int) -> None:
        if start:
            message = f"{start} to {stop}"
            raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="to"):
        in_ranges(fails, 2 * RANGE)


@pytest.mark.slow
def test_vectors() -> None:
    """The loops run in vectors: the machine code multiplies packed numbers, and 32-bit words for Philox."""
    import platform

    if platform.machine() not in {"x86_64", "AMD64"} or not hasattr(
        draw_blocks.dispatcher,  # type: ignore[attr-defined]
        "inspect_asm",
    ):
        pytest.skip("knows the names of instructions of one kind of processor")
    made = compile_card(CARDS["record"])
    rules = made.simple_rules
    assert rules is not None
    # what comes from the cache has no text: compiled once more
    fresh = numba.njit(**jit._OPTIONS)(draw_blocks.py_func)  # type: ignore[attr-defined]
    given, (axes, same) = truth(300), frames(truth(300).axis)
    table = species_table(made.card, KINDS)
    columns, out = empty(300)
    fresh(
        given,
        table,
        candidates(table),
        rules,
        NOTHING,
        axes,
        same,
        np.uint64(0),
        0,
        300,
        columns,
        out,
    )
    (text,) = fresh.inspect_asm().values()
    lines = [line.split() for line in text.splitlines() if line.strip()]
    packed = [words[0] for words in lines if any("ymm" in w or "zmm" in w for w in words[1:])]
    if not packed:
        packed = [words[0] for words in lines if words[0].rstrip("bwdq").endswith("p")]
    names = {name.removeprefix("v") for name in packed}
    assert {"pmuludq", "mulpd", "divpd", "sqrtpd"} <= names


def test_cards_that_are_plain() -> None:
    """Both models of NuSmear, and what else is shipped as numbers, take the fast way."""
    found = {
        name: compile_card(load_card(name)).simple_rules is not None
        for name in ("nusmear-default", "perfect")
    }
    assert found == {"nusmear-default": True, "perfect": True}


def test_general_cards_have_the_same_bits_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those whose loops are not the blocks of plain cards, with numbers of the particles' own too."""
    of = 'energy = { of = "kinetic", distribution = "uniform", constant = "0.1 + 0.01 * KE" }'
    angle = 'angle = { convention = "space", distribution = "rayleigh", sigma_deg = 3.0 }'
    made = compile_card(card(rule(of, angle)))
    assert made.simple_rules is None
    n, found = 3 * RANGE + 17, []
    given = truth(n)
    for threads in ("1", "3"):
        monkeypatch.setenv("FOREFOLD_NUM_THREADS", threads)
        found.append(smear_particles(given, KINDS, np.zeros(n, np.uint16), made, on_invalid="lose"))
    assert (found[0].out.fate & int(Fate.DETECTED)).any()
    agree(found[0].out, found[1].out, n)
