"""Cards on the device that `FOREFOLD_DEVICE` names, for a child process: ``python device_run.py OUT``.

In numba's simulator (NUMBA_ENABLE_CUDASIM=1) the kernels run as Python, so that a warning of numpy's scalars is nothing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from gun import card, rule

import forefold
from forefold.detector.compile import compile_card
from forefold.detector.load import Card, load_card
from forefold.events import particles as species
from forefold.kernels.fate import Fate
from forefold.kernels.layout import TrueParticles
from forefold.smearing.engine import smear_particles
from forefold.smearing.gpu import energy_counts

KINDS = np.array([13, -13, 11, 22, 211, 2212, 2112, 14, 1000180400, 3112])
NUMBERS = [
    rule(
        'energy = { of = "kinetic", distribution = "normal", constant = 0.6, noise = 0.02 }',
        'angle = { convention = "polar", distribution = "normal", sigma_deg = 200.0 }',
        "threshold = { kinetic_energy = { ge = 0.05 }, momentum = { ge = 0.2 } }\nefficiency = 0.7",
        name="p",
        particles='["p"]',
    ),
    rule(
        'energy = { of = "total", distribution = "log-normal", sigma = 0.2 }',
        particles='["mu-"]',
        name="slow",
        extra="when = { momentum = { lt = 1.0 } }",
    ),
    rule(),
]
FORMULAS = [
    rule(
        'energy = { of = "kinetic", distribution = "normal", resolution = "0.1 / sqrt(E)" }',
        'angle = { convention = "polar", distribution = "normal", sigma_deg = "20 / (1 + p)" }',
        "efficiency = '0.9 - 0.1 * cos_theta'",
        name="p",
        particles='["p"]',
    ),
    rule('energy = { of = "total", distribution = "log-normal", constant = "0.02 * E" }'),
]
CARDS = {"nusmear-dune-cdr": None, "numbers": NUMBERS, "formulas": FORMULAS}
EDGES = np.array([0.0, 0.5, 1.0, 1.5, 3.0])
N = 300


def named(which: str) -> Card:
    """Give a card of `CARDS`."""
    rules = CARDS[which]
    return load_card(which) if rules is None else card(*rules)


def truth(n: int) -> TrueParticles:
    """Particles of all kinds about many axes: some at rest, some with E < p."""
    rng = np.random.default_rng(5)
    kind = rng.integers(0, KINDS.size, n)
    p = rng.exponential(1.0, n) * (rng.random(n) > 0.02)
    direction = rng.normal(size=(3, n))
    direction /= np.sqrt((direction**2).sum(axis=0))
    mass = np.array([species.mass(int(pdgid)) for pdgid in KINDS])[kind]
    energy = np.sqrt(p * p + mass * mass) * np.where(rng.random(n) < 0.02, 0.9, 1.0)
    axes = rng.normal(size=(7, 3))
    axes[0], axes[1] = [0.0, 0.0, 1.0], [0.0, 0.0, -1.0]
    axes /= np.sqrt((axes**2).sum(axis=1))[:, None]
    words = rng.integers(0, 2**64, (2, n), dtype=np.uint64)
    px, py, pz = p * direction
    place, event = np.arange(n, dtype=np.uint64), np.sort(rng.integers(0, 7, n))
    return TrueParticles(words[0], words[1], place, kind, px, py, pz, energy, event, axes)


def fates(n: int) -> Any:
    """Mostly nothing yet, some settled."""
    fate = np.zeros(n, np.uint16)
    fate[::17] = int(Fate.NOT_FINAL_STATE)
    return fate


def drawn(which: str, n: int = N) -> dict[str, Any]:
    """Columns of one card, by name; the sign of a NaN is the processor's business."""
    out = smear_particles(truth(n), KINDS, fates(n), compile_card(named(which)), variation=3).out
    found: dict[str, Any] = {f"{which}/{name}": getattr(out, name) for name in out._fields}
    for name, column in found.items():
        if column.dtype == np.float64:
            found[name] = np.where(np.isnan(column), np.nan, column)
    return found


def sample() -> Any:
    """The first events of the sample, with weights that are no round numbers."""
    events = forefold.read(forefold.sample(), entries=(0, 25))
    events["weight"] = 0.1 + np.arange(len(events)) / 3.0
    return events


def main() -> None:
    """Write the columns of all cards, and histograms."""
    from forefold.kernels.cuda import simulated

    assert simulated()
    found: dict[str, Any] = {}
    for which in CARDS:
        found |= drawn(which)
    for name, weighted in (("counts", False), ("sums", True)):
        found[name] = energy_counts(
            sample(), "nusmear-dune-cdr", EDGES, EDGES, rng=4, weighted=weighted
        )
    np.savez(Path(sys.argv[1]), **found)


if __name__ == "__main__":
    assert os.environ["FOREFOLD_DEVICE"] == "cuda"
    main()
