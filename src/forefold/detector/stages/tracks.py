"""Tracks that stop: pions that look like muons, and the electrons at the ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forefold.detector.materials.ranges import csda_range
from forefold.detector.materials.stopping_power import MATERIALS
from forefold.detector.stages.base import MISIDENTIFIED, PURPOSE_STOP, Particles, draws
from forefold.events.particles import near
from forefold.kernels.arrays import exponentials

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["MichelTag", "RangeConfusion", "stop_probability"]

_MUON, _PION = 13, 211
PION_INTERACTION_LENGTH = 106.7
"""In liquid argon, cm: 149.0 g/cm2 (Particle Data Group, Atomic and nuclear properties) at 1.396 g/cm3.

The high-energy value; near the Delta resonance, at kinetic energies of 100 to 300 MeV, pions interact sooner.
"""

ARGON_CAPTURE = 0.742
"""Fraction of stopped mu- that argon captures, +-0.010.

Capture at (1.273 +- 0.065) per microsecond, the mean of the two best measurements in the table of Suzuki, Measday and
Roalsvig, Phys. Rev. C 35 (1987) 2212, as Geant4 takes it; decay in the 1s orbit at 0.442 per microsecond (Mukhopadhyay,
Phys. Rep. 30 (1977) 1, eq. (2.9)).  The lifetime in that table, 537 +- 32 ns, alone would give 0.76.
"""


def stop_probability(
    kinetic: ArrayLike,
    *,
    material: str = "liquid-argon",
    interaction_length: float = PION_INTERACTION_LENGTH,
) -> NDArray[np.float64]:
    """Probability that a charged pion reaches the end of its range without a nuclear interaction.

    Parameters
    ----------
    kinetic : array_like, GeV
    material : str
        See `forefold.detector.materials.ranges.csda_range`.
    interaction_length : float, cm

    Returns
    -------
    ndarray
        exp(-R / interaction length), in the shape of `kinetic`.

    Notes
    -----
    Decays in flight are left out; the interaction length is that of all energies.

    Examples
    --------
    >>> stop_probability([0.1, 0.3]).round(2).tolist()
    [0.78, 0.33]
    """
    length = csda_range(kinetic, _PION, material)
    return exponentials(-length / interaction_length)


def _kinetic(particles: Particles, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.maximum(particles.energy[rows] - particles.mass[rows], 0.0)


@dataclass(frozen=True)
class RangeConfusion:
    """Charged pions that stop without an interaction look like muons of the same charge.

    They are identified as muons and get the flag ``MISIDENTIFIED``; energy and direction stay.  Muons do not interact:
    they are never taken for pions.

    Parameters
    ----------
    material : str
        See `forefold.detector.materials.ranges.csda_range`.
    interaction_length : float, cm
        Of pions in the material; the value for liquid argon is that of the PDG.

    Raises
    ------
    ValueError
        The material is unknown or the length is not positive.

    See Also
    --------
    stop_probability : the exact probability.

    Examples
    --------
    >>> RangeConfusion()
    RangeConfusion(material='liquid-argon', interaction_length=106.7)
    """

    material: str = "liquid-argon"
    interaction_length: float = PION_INTERACTION_LENGTH

    def __post_init__(self) -> None:
        """Check the parameters."""
        _check(self.material, self.interaction_length)

    def apply(self, particles: Particles, variation: int = 0) -> Particles:
        """Return the particles with some pions identified as muons."""
        rows = np.flatnonzero((particles.fate == 0) & (abs(particles.pdgid) == _PION))
        _, u = draws(particles, rows, PURPOSE_STOP, variation)
        stops = u < stop_probability(
            _kinetic(particles, rows),
            material=self.material,
            interaction_length=self.interaction_length,
        )
        taken = rows[stops]
        identified, flags = particles.identified.copy(), particles.flags.copy()
        # pi+ is 211 and mu+ is -13
        identified[taken] = np.where(particles.pdgid[taken] > 0, -_MUON, _MUON)
        flags[taken] |= MISIDENTIFIED
        return particles._replace(identified=identified, flags=flags)


@dataclass(frozen=True)
class MichelTag:
    """Whether the electron of a decay at rest is seen at the end of a track.

    mu+ decay; mu- decay unless a nucleus captures them; pi+ that stop decay into a mu+ that decays; pi- that stop are
    captured.  The tag is a column of its own: no energy is added.

    Parameters
    ----------
    efficiency : float
        Probability that a Michel electron is seen.  A free parameter.
    capture : float
        Fraction of stopped mu- that are captured; the value is that of argon.
    material, interaction_length : str and float, cm
        Decide which pi+ stop, with the same draw as `RangeConfusion`: the pions that stop there are those that stop here.

    Raises
    ------
    ValueError
        A parameter is outside its limits or the material is unknown.

    Notes
    -----
    Every muon counts as stopped inside the detector; containment is another matter (`forefold.detector.materials.containment`).

    Examples
    --------
    >>> MichelTag(efficiency=0.9).capture
    0.742
    """

    efficiency: float
    capture: float = ARGON_CAPTURE
    material: str = "liquid-argon"
    interaction_length: float = PION_INTERACTION_LENGTH

    def __post_init__(self) -> None:
        """Check the parameters."""
        for name, value in (("efficiency", self.efficiency), ("capture", self.capture)):
            if not 0.0 <= value <= 1.0:
                message = f"{name}: found {value!r}; allowed from 0 to 1"
                raise ValueError(message)
        _check(self.material, self.interaction_length)

    def apply(self, particles: Particles, variation: int = 0) -> Particles:
        """Return the particles with tags."""
        kinds = np.isin(particles.pdgid, (_MUON, -_MUON, _PION))
        rows = np.flatnonzero((particles.fate == 0) & kinds)
        seen, stop = draws(particles, rows, PURPOSE_STOP, variation)
        pdgid = particles.pdgid[rows]
        stops = stop < stop_probability(
            _kinetic(particles, rows),
            material=self.material,
            interaction_length=self.interaction_length,
        )
        free = self.efficiency
        probability = np.where(pdgid == _MUON, free * (1.0 - self.capture), free)
        michel = particles.michel.copy()
        michel[rows] = (seen < probability) & (stops | (pdgid != _PION))
        return particles._replace(michel=michel)


def _check(material: str, interaction_length: float) -> None:
    """Refuse an unknown material or a length that is not positive."""
    if material not in MATERIALS:
        message = f"unknown material {material!r}{near(material, list(MATERIALS))}; known: {', '.join(MATERIALS)}"
        raise ValueError(message)
    if not 0.0 < interaction_length <= math.inf:
        message = (
            f"interaction_length: found {interaction_length!r}; a positive number of cm is needed"
        )
        raise ValueError(message)
