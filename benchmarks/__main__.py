"""Run the benchmarks and print each ratio; absolute times say more of the machine than of the code."""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import awkward as ak
import numpy as np
import uproot

import forefold
from forefold.batch import smear_files
from forefold.detector import Card, load_card
from forefold.kernels.layout import Rays
from forefold.passage import pass_through
from forefold.plan import plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CARD = "nusmear-dune-cdr"
READ = ["iev", "neu", "tgt", "Ev", "pxv", "pyv", "pzv", "fspl", "El", "pxl", "pyl", "pzl"]
READ += ["pdgf", "Ef", "pxf", "pyf", "pzf", "wght", "qel", "mec", "res", "dis", "coh", "cc", "nc"]


def best(functions: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Shortest time of each, seconds, called in turn so that a slow spell hits all of them."""
    times = [[0.0] * repeats for _ in functions]
    for i in range(repeats):
        for function, own in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            own[i] = time.perf_counter() - start
    return [min(own) for own in times]


def rays(n: int) -> tuple[Rays, np.ndarray]:
    """Particles of the sample, repeated to `n`."""
    events = forefold.read(forefold.sample())
    flat = ak.flatten(events.particles)
    take = np.arange(n) % len(flat)
    numbers = {k: ak.to_numpy(flat[k])[take] for k in ("px", "py", "pz", "energy")}
    pdgid, kinds = np.unique(ak.to_numpy(flat.pdgid)[take], return_inverse=True)
    index = np.arange(n, dtype=np.uint64)
    zeros = np.zeros(n, dtype=np.uint64)
    axis = np.array([[0.0, 0.0, 1.0]])
    event = np.zeros(n, dtype=np.int64)
    return Rays(zeros + np.uint64(1), index, zeros, kinds, event=event, axis=axis, **numbers), pdgid


def kernel(n: int, repeats: int) -> dict[str, float]:
    """Energy and angle of a preset card on one core, against a copy and against plain numpy."""
    inputs, pdgid = rays(n)
    card = load_card(CARD)
    made, fate = plan(card), np.zeros(n, np.uint16)
    source, target = np.ones(7 * n // 2), np.empty(7 * n // 2)  # 28 bytes a particle
    rng = np.random.default_rng(1)

    def numpy_draws() -> object:
        variance = np.log1p(0.15**2)
        energy = inputs.energy * rng.lognormal(-variance / 2, np.sqrt(variance), n)
        p = np.sqrt(inputs.px**2 + inputs.py**2 + inputs.pz**2)
        return energy, np.arccos(inputs.pz / np.maximum(p, 1e-300)) + rng.normal(0.0, 0.02, n)

    own, copy, numpy = best(
        [
            lambda: pass_through(inputs, pdgid, fate, made),
            lambda: np.copyto(target, source),
            numpy_draws,
        ],
        repeats,
    )
    return {
        "kernel_ns_per_particle": 1e9 * own / n,
        "kernel_over_copy": own / copy,
        "kernel_over_numpy": own / numpy,
    }


def formula_card() -> Card:
    """Make the preset card with every width written as a formula of the particle."""
    card = load_card(CARD)
    rules = []
    for rule in card.rules:
        energy = rule.energy
        if energy.distribution != "none":
            name = "KE" if energy.of == "kinetic" else "E"
            terms = f"({energy.constant})**2 + ({energy.stochastic})**2 / max({name}, 1e-9)"
            text = f"sqrt({terms})"
            bare = {"constant": 0.0, "stochastic": 0.0, "noise": 0.0, "resolution": text}
            energy = energy.model_copy(update=bare)
        rules.append(rule.model_copy(update={"energy": energy}))
    return card.model_copy(update={"rules": tuple(rules)})


def formulas(n: int, repeats: int) -> dict[str, float]:
    """Time a card whose energy laws are formulas, against the preset with the same laws as numbers."""
    inputs, pdgid = rays(n)
    plans = [plan(load_card(CARD)), plan(formula_card())]
    fate = np.zeros(n, np.uint16)
    preset, formula = best(
        [lambda made=made: pass_through(inputs, pdgid, fate, made) for made in plans], repeats
    )
    return {"formula_over_preset": formula / preset}


def files(repeats: int) -> dict[str, float]:
    """File to file, against uproot reading the branches alone."""

    def read() -> None:
        with uproot.open(forefold.sample()) as file:
            file["gst"].arrays(READ)

    with tempfile.TemporaryDirectory() as folder:
        own, reading = best(
            [
                lambda: smear_files(
                    forefold.sample(), CARD, Path(folder, "o.parquet"), rng=1, overwrite=True
                ),
                read,
            ],
            repeats,
        )
    return {"file_over_read": own / reading}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--json", metavar="OUT", help="write the ratios there too")
    parser.add_argument("--particles", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    kernel(1000, 1)  # compiled before the clock runs
    formulas(1000, 1)
    found = kernel(options.particles, options.repeats)
    found |= formulas(min(options.particles, 300_000), options.repeats)
    found |= files(options.repeats)
    found = {name: round(value, 3) for name, value in found.items()}
    about = {"machine": platform.machine(), "python": platform.python_version()}
    text = json.dumps({**found, "about": about}, indent=2)
    print(text)
    if options.json:
        Path(options.json).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
