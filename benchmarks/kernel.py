"""The kernel on one core, beside a copy, numpy and correctionlib; in threads; with formulas; with variations."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from time import thread_time
from typing import TYPE_CHECKING

import numpy as np

import forefold
from benchmarks.clock import best
from benchmarks.correction import WIDTH, correction
from benchmarks.particles import Beam, Blocks, beam, formula_card
from forefold.detector.compile import compile_card
from forefold.smearing.engine import smear_particles
from forefold.smearing.variations import VariedCard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from forefold.detector.compile import CompiledCard

__all__ = ["MISSING", "formulas", "kernel", "threads", "variations", "wholes"]

COPIED = 28
"""Bytes that are read, and as many that are written, for the energy and the angle of one particle."""

MISSING = "correctionlib is not installed (pip install correctionlib)"
_VARIED = "dune-fd-uncertainties"
_ANGLE = 0.02


@contextmanager
def thread_setting(count: int) -> Iterator[None]:
    """Let the kernel run in so many threads."""
    before = os.environ.get("FOREFOLD_NUM_THREADS")
    os.environ["FOREFOLD_NUM_THREADS"] = str(count)
    try:
        yield
    finally:
        if before is None:
            del os.environ["FOREFOLD_NUM_THREADS"]
        else:
            os.environ["FOREFOLD_NUM_THREADS"] = before


def _copy(count: int) -> Callable[[], object]:
    """Make a function that copies so many bytes between arrays that have been touched."""
    source, target = np.ones(count // 8), np.ones(count // 8)
    return lambda: np.copyto(target, source)


def _passing(given: Beam, made: CompiledCard) -> Callable[[], object]:
    fate = np.zeros(given.truth.energy.size, np.uint16)
    return lambda: smear_particles(given.truth, given.pdgid, fate, made)


def _numpy(given: Beam) -> Callable[[], object]:
    """Make a function that draws energy and angle in numpy, with one width for all and no thresholds, fates or momenta."""
    truth, rng = given.truth, np.random.default_rng(1)
    n, variance = truth.energy.size, np.log1p(WIDTH**2)

    def draw() -> object:
        energy = truth.energy * rng.lognormal(-variance / 2, np.sqrt(variance), n)
        p = np.sqrt(truth.px**2 + truth.py**2 + truth.pz**2)
        return energy, np.arccos(truth.pz / np.maximum(p, 1e-300)) + rng.normal(0.0, _ANGLE, n)

    return draw


def kernel(n: int, repeats: int) -> dict[str, float | None]:
    """Time energy and angle of a preset card on one core.

    Parameters
    ----------
    n : int
        Particles.
    repeats : int

    Returns
    -------
    dict of str to float or None
        Ratios, and times of one particle; None where correctionlib is missing.
    """
    given = beam(n)
    blocks = Blocks(given)
    functions = [
        blocks.one_thread,
        _copy(COPIED * n),
        _copy((blocks.bytes_read + blocks.bytes_written) // 2 * n),
        _passing(given, given.compiled),
        _numpy(given),
    ]
    with suppress(ModuleNotFoundError):  # it is told as absent
        functions.append(correction(given.truth))
    with thread_setting(1):
        for function in functions:
            function()  # compiled, and touched, before the clock runs
        own, copy, copy_own, whole, numpy, *more = best(functions, repeats, thread_time)
    other = more[0] if more else None
    return {
        "kernel_over_copy": own / copy,
        "kernel_over_copy_of_its_bytes": own / copy_own,
        "pass_over_copy": whole / copy,
        "kernel_over_numpy": own / numpy,
        "kernel_over_correctionlib": None if other is None else own / other,
        "kernel_ns_per_particle": 1e9 * own / n,
        "copy_ns_per_particle": 1e9 * copy / n,
        "pass_ns_per_particle": 1e9 * whole / n,
        "numpy_ns_per_particle": 1e9 * numpy / n,
        "correctionlib_ns_per_particle": None if other is None else 1e9 * other / n,
    }


def formulas(n: int, repeats: int) -> dict[str, float]:
    """Time a card whose energy laws are formulas, against the preset with the same laws as numbers."""
    given = beam(n)
    functions = [_passing(given, given.compiled), _passing(given, compile_card(formula_card()))]
    with thread_setting(1):
        for function in functions:
            function()
        preset, formula = best(functions, repeats, thread_time)
    return {"formula_over_preset": formula / preset}


def threads(n: int, repeats: int) -> dict[str, float]:
    """Time the kernel in two threads against one."""
    blocks = Blocks(beam(n))

    def run(count: int) -> None:
        with thread_setting(count):
            blocks.threads()

    run(1)
    run(2)
    one, two = best([lambda: run(1), lambda: run(2)], repeats)
    return {"threads2_over_1": two / one}


def wholes(n: int, repeats: int) -> dict[str, float]:
    """Time the way of plain numpy against the compiled one, which gives the same bits."""
    blocks = Blocks(beam(n))
    blocks.one_thread()
    compiled, plain = best([blocks.one_thread, blocks.wholes], repeats, thread_time)
    return {"wholes_over_blocks": plain / compiled}


def variations(repeats: int) -> dict[str, float]:
    """Time the visible energies of all variations of a card against the nominal events alone."""
    events = forefold.read(forefold.sample())
    ready = VariedCard(_VARIED)
    functions: list[Callable[[], object]] = [
        lambda: forefold.smear(events, _VARIED, rng=1),
        lambda: ready.smear(events, rng=1),
    ]
    with thread_setting(1):
        for function in functions:
            function()
        nominal, whole = best(functions, repeats, thread_time)
    return {"variations_over_nominal": whole / nominal, "variations": float(len(ready.variations))}
