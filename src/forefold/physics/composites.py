"""The stages that a detector may string together, by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from forefold.physics.particles import Particles, Stage, generated
from forefold.physics.showers import NeutralPionDecay, PhotonConversion, ShowerMerging
from forefold.physics.tracks import MichelTag, RangeConfusion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = [
    "STAGES",
    "MichelTag",
    "NeutralPionDecay",
    "Particles",
    "PhotonConversion",
    "RangeConfusion",
    "ShowerMerging",
    "Stage",
    "apply_all",
    "generated",
]

STAGES: Mapping[str, Callable[..., Stage]] = MappingProxyType(
    {
        "pi0-decay": NeutralPionDecay,
        "shower-merging": ShowerMerging,
        "photon-conversion": PhotonConversion,
        "range-confusion": RangeConfusion,
        "michel-tag": MichelTag,
    }
)
"""Stages by name, in the order in which they make sense."""


def apply_all(particles: Particles, stages: Iterable[Stage], variation: int = 0) -> Particles:
    """Send particles through stages, one after the other.

    Parameters
    ----------
    particles : Particles
    stages : iterable of Stage
    variation : int
        From 0 to 2^16 - 1; other variations draw other numbers.

    Returns
    -------
    Particles
    """
    for stage in stages:
        particles = stage.apply(particles, variation)
    return particles
