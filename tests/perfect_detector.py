"""A detector that errs in nothing."""

from __future__ import annotations

import awkward as ak
import numpy as np


def perfect(events: ak.Array, blind: tuple[int, ...] = (14, -14, 12, -12)) -> ak.Array:
    """What a detector without error sees; it is blind to some kinds."""
    particles = events.particles
    detected = particles.energy >= 0.0
    for pdg in blind:
        detected = detected & (particles.pdgid != pdg)
    columns = {"pdgid": particles.pdgid, "detected": detected, "mass": particles.mass}
    columns["fate"] = ak.values_astype(ak.where(detected, 1, 4), np.uint16)
    for name in ("px", "py", "pz", "energy"):
        columns[f"{name}_reco"] = ak.mask(particles[name], detected)
    same = {name: events[name] for name in ("event", "entry", "stream")}
    return ak.zip(same | {"particles": ak.zip(columns)}, depth_limit=1)
