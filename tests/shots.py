"""Many particles of one kind and energy through a card, and what comes out of them."""

from __future__ import annotations

from typing import NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

import forefold

__all__ = ["Shots", "error_of_variance", "pull", "shoot"]

Column = NDArray[np.float64]
_AN_EVENT = 100


class Shots(NamedTuple):
    """What is reconstructed of the particles that are seen; angles in degrees."""

    seen: float
    energy: Column
    kinetic: Column
    momentum: Column
    space: Column
    polar: Column
    pdgid: NDArray[np.int64]
    mass: Column


def shoot(
    card: forefold.Card,
    particle: str,
    *,
    kinetic: float,
    direction: tuple[float, float, float] = (0.0, 0.0, 1.0),
    n: int = 100_000,
    rng: int = 1,
) -> Shots:
    """Shoot `n` particles of a kinetic energy (GeV) along a direction; angles refer to z."""
    pdgid = forefold.particles.pdgid(particle)
    mass = forefold.particles.mass(pdgid)
    energy = kinetic + mass
    p = np.sqrt(kinetic * (kinetic + 2 * mass))
    unit = np.array(direction) / np.sqrt(np.sum(np.square(direction)))
    shape = (n // _AN_EVENT, _AN_EVENT)
    px, py, pz = (np.full(shape, p * x) for x in unit)
    events = forefold.events.build(
        pdgid=np.full(shape, pdgid), px=px, py=py, pz=pz, energy=np.full(shape, energy)
    )
    out = ak.flatten(forefold.smear(events, card, rng=rng, axis="z").particles)
    found = out[out.detected]
    names = ("energy_reco", "px_reco", "py_reco", "pz_reco", "theta_drawn", "mass")
    e, x, y, z, drawn, masses = (
        ak.to_numpy(ak.drop_none(found[name])).astype(np.float64) for name in names
    )
    p_reco = np.sqrt(x * x + y * y + z * z)
    across = np.sqrt(np.sum(np.cross(np.stack([x, y, z], axis=1), unit) ** 2, axis=1))
    identity = found.pdgid_reco if "pdgid_reco" in found.fields else found.pdgid
    return Shots(
        len(found) / n,
        e,
        e - masses,
        p_reco,
        np.degrees(np.arctan2(across, np.stack([x, y, z], axis=1) @ unit)),
        np.degrees(drawn),
        ak.to_numpy(ak.drop_none(identity)).astype(np.int64),
        masses,
    )


def error_of_variance(sample: Column) -> float:
    """Standard error of a sample's variance, from its own fourth moment."""
    deviation = sample - sample.mean()
    return float(np.sqrt((np.mean(deviation**4) - np.mean(deviation**2) ** 2) / sample.size))


def pull(sample: Column, *, mean: float, width: float) -> float:
    """Larger of the pulls of mean and variance; beyond 5 by chance once in a million."""
    of_mean = (sample.mean() - mean) / (sample.std() / np.sqrt(sample.size))
    of_variance = (sample.var() - width**2) / error_of_variance(sample)
    return float(max(abs(of_mean), abs(of_variance)))
