"""Particles for the tests of the stages."""

from __future__ import annotations

import numpy as np

from forefold.detector.stages.base import Particles, generated


def beam(
    pdgid: int | np.ndarray, kinetic: float, mass: float, n: int, *, per_event: int = 1
) -> Particles:
    """Return `n` particles of one energy in random directions, `per_event` to an event."""
    directions = np.random.default_rng(11).normal(size=(3, n))
    directions /= np.sqrt(np.sum(directions**2, axis=0))
    energy = kinetic + mass
    rows = np.arange(n)
    return generated(
        key=np.full(n, 99, dtype=np.uint64),
        entry=(rows // per_event).astype(np.uint64),
        place=(rows % per_event).astype(np.uint64),
        event=rows // per_event,
        pdgid=np.full(n, pdgid, dtype=np.int64) if np.isscalar(pdgid) else np.asarray(pdgid),
        momentum=directions * np.sqrt(kinetic * (kinetic + 2 * mass)),
        energy=np.full(n, energy),
        mass=np.full(n, mass),
    )
