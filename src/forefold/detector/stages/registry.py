"""The stages that a detector may string together, by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from forefold.detector.stages.base import Particles, Stage, generated
from forefold.detector.stages.showers import NeutralPionDecay, PhotonConversion, ShowerMerging
from forefold.detector.stages.tracks import MichelTag, RangeConfusion

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
        At least as many rows as before.

    Examples
    --------
    A neutral pion of 5 GeV and a detector that tells showers 20 degrees apart: one shower.

    >>> import numpy as np
    >>> u, row = np.zeros(1, dtype=np.uint64), np.zeros(1, dtype=np.int64)
    >>> momentum, mass = np.array([[0.0], [0.0], [5.0]]), np.array([0.1349768])
    >>> pion = generated(
    ...     key=u, entry=u, place=u, event=row, pdgid=row + 111, momentum=momentum,
    ...     energy=np.sqrt(momentum[2] ** 2 + mass**2), mass=mass,
    ... )
    >>> seen = apply_all(pion, [NeutralPionDecay(), ShowerMerging(angle_deg=20.0)])
    >>> seen.pdgid.tolist(), sorted(seen.fate.tolist())
    ([111, 22, 22], [0, 8192, 16384])
    """
    for stage in stages:
        particles = stage.apply(particles, variation)
    return particles
