"""Cards in a few lines and particles from a gun, for tests of the engine."""

from __future__ import annotations

import tomllib
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

import forefold
from forefold.detector.load import Card

__all__ = ["MASS", "card", "flat", "gun", "rule", "shoot", "text"]

MASS = {13: 0.1056583755, 211: 0.13957039, 2212: 0.93827208816, 11: 0.00051099895, 22: 0.0}
MASS |= {-pdgid: mass for pdgid, mass in MASS.items()}

HEAD = 'schema = 1\nname = "test"\ntitle = "of a test: no detector"\n'
EXACT = 'energy = { of = "total", distribution = "none" }'
KEPT = 'angle = { convention = "none", distribution = "none" }'
Columns = dict[str, NDArray[Any]]


def rule(energy: str = EXACT, angle: str = KEPT, extra: str = "", **words: str) -> str:
    """One rule; for all particles unless `particles` says otherwise."""
    given = {"name": "all", "type": "all", "particles": '["other"]', **words}
    lines = [f'{k} = "{v}"' if k != "particles" else f"particles = {v}" for k, v in given.items()]
    return "\n".join(["[[rule]]", *lines, 'source = "test"', energy, angle, extra, ""])


def text(*rules: str, head: str = "") -> str:
    """Text of a card."""
    return "\n".join([HEAD, '[sources]\ntest = "made up"\n', head, *(rules or (rule(),))])


def card(*rules: str, head: str = "") -> Card:
    """Make a card of rules, and of what stands before them."""
    return Card.model_validate(tomllib.loads(text(*rules, head=head)))


def gun(
    pdgid: int,
    n: int = 1,
    *,
    p: float | NDArray[np.float64] = 1.0,
    theta: float = 0.0,
    phi: float = 0.0,
    direction: tuple[float, float, float] | None = None,
    first: int = 0,
) -> ak.Array:
    """Shoot `n` particles of a kind, one event each: momentum in GeV, angles in radians."""
    sides = direction or (
        np.sin(theta) * np.cos(phi),
        np.sin(theta) * np.sin(phi),
        np.cos(theta),
    )
    momentum = np.broadcast_to(np.asarray(p, dtype=np.float64), n)
    x, y, z = (momentum * side for side in sides)
    events = forefold.events.build(
        counts=np.ones(n, np.int64),
        pdgid=np.full(n, pdgid),
        px=x,
        py=y,
        pz=z,
        energy=np.sqrt(x * x + y * y + z * z + MASS[pdgid] ** 2),
    )
    return ak.with_field(events, events.entry + np.uint64(first), "entry") if first else events


def flat(smeared: ak.Array) -> Columns:
    """Columns of particles as numpy; NaN where there is nothing."""
    particles = ak.flatten(smeared.particles)
    return {name: ak.to_numpy(ak.fill_none(particles[name], np.nan)) for name in particles.fields}


def shoot(detector: Card, events: ak.Array, *, rng: int = 1, **options: Any) -> Columns:
    """Smear, with angles to the z axis."""
    return flat(forefold.smear(events, detector, rng=rng, axis="z", **options))
