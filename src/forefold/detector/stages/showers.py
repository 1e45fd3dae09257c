"""Neutral pions and photons: how many showers are seen, and which look like electrons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forefold.detector.stages.base import (
    DECAYED,
    MERGED,
    MISIDENTIFIED,
    PURPOSE_CONVERSION,
    PURPOSE_DECAY,
    Particles,
    draws,
    with_products,
)
from forefold.kernels.arrays import exponentials, logarithms, sines_cosines
from forefold.kernels.math import sine_cosine

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "PION_MASS",
    "NeutralPionDecay",
    "PhotonConversion",
    "ShowerFractions",
    "ShowerMerging",
    "conversion_probability",
    "shower_fractions",
]

PION_MASS = 0.1349768
"""Mass of the neutral pion in GeV (Particle Data Group, 2024)."""

_ELECTRON, _PHOTON, _PION = 11, 22, 111
_TWO_PI = 2.0 * math.pi


@dataclass(frozen=True)
class NeutralPionDecay:
    """Neutral pions decay into two photons, isotropically in their rest frame.

    The pion's fate becomes ``DECAYED``, the photons are new rows.  Every decay is one into two photons; Dalitz decays,
    1.174 % (Particle Data Group, 2024), are counted among them.

    Notes
    -----
    A photon of direction n and energy k = m/2 in the rest frame is boosted by u = p/m: its energy is
    k (gamma + n u) and its momentum k n + k u (1 + n u / (gamma + 1)).

    Examples
    --------
    >>> from forefold.detector.stages.base import generated
    >>> u, row = np.zeros(1, dtype=np.uint64), np.zeros(1, dtype=np.int64)
    >>> p = np.array([[0.0], [0.0], [1.0]])
    >>> energy = np.sqrt(p[2] ** 2 + PION_MASS**2)
    >>> pion = generated(
    ...     key=u, entry=u, place=u, event=row, pdgid=row + 111, momentum=p, energy=energy,
    ...     mass=np.array([PION_MASS]),
    ... )
    >>> seen = NeutralPionDecay().apply(pion)
    >>> seen.pdgid.tolist(), seen.fate.tolist(), seen.parent.tolist()
    ([111, 22, 22], [8192, 0, 0], [0, 0, 0])
    >>> bool(np.isclose(seen.energy[1:].sum(), energy[0]))
    True
    """

    def apply(self, particles: Particles, variation: int = 0) -> Particles:
        """Return the particles with every neutral pion replaced by its photons."""
        rows = np.flatnonzero((particles.fate == 0) & (particles.pdgid == _PION))
        fate = particles.fate.copy()
        fate[rows] = DECAYED
        photons = _photons(particles, rows, variation)
        return with_products(particles._replace(fate=fate), rows, _PHOTON, 0.0, photons)


def _photons(particles: Particles, rows: NDArray[np.intp], variation: int) -> NDArray[np.float64]:
    """Four-vectors of the photons of pions, shape (m, 2, 4)."""
    u, v = draws(particles, rows, PURPOSE_DECAY, variation)
    across = 2.0 * np.sqrt(u * (1.0 - u))
    sine, cosine = sines_cosines(_TWO_PI * v)
    n = (across * cosine, across * sine, 2.0 * u - 1.0)
    mass = np.where(particles.mass[rows] > 0.0, particles.mass[rows], PION_MASS)
    boost = tuple(p[rows] / mass for p in (particles.px, particles.py, particles.pz))
    bx, by, bz = boost
    gamma = np.sqrt(1.0 + (bx * bx + by * by + bz * bz))
    out = np.empty((rows.size, 2, 4))
    for k, sign in enumerate((1.0, -1.0)):
        along = sign * (n[0] * bx + n[1] * by + n[2] * bz)
        pull = 1.0 + along / (gamma + 1.0)
        x, y, z = (0.5 * mass * (sign * a + b * pull) for a, b in zip(n, boost, strict=True))
        out[:, k, 0], out[:, k, 1], out[:, k, 2] = x, y, z
        # from the momentum, so that it is a photon to the last bit
        out[:, k, 3] = np.sqrt(x * x + y * y + z * z)
    return out


@dataclass(frozen=True)
class ShowerMerging:
    """Two photons of one pion that cannot be told apart are one shower.

    The harder photon takes the sum of both energies and the direction of both momenta; the softer one's fate becomes
    ``MERGED``.

    Parameters
    ----------
    angle_deg : float
        Photons closer than this merge.  A free parameter: the reconstruction decides it.
    absorbed_below : float, GeV
        A photon below this energy goes into the other's shower at any angle.  A free parameter; 0 for none.

    Raises
    ------
    ValueError
        The angle is not between 0 and 180 degrees, or the energy is negative.

    See Also
    --------
    shower_fractions : what comes out, in closed form.

    Examples
    --------
    >>> ShowerMerging(angle_deg=5.0)
    ShowerMerging(angle_deg=5.0, absorbed_below=0.0)
    """

    angle_deg: float
    absorbed_below: float = 0.0

    def __post_init__(self) -> None:
        """Check the parameters."""
        _check("angle_deg", self.angle_deg, 0.0, 180.0)
        _check("absorbed_below", self.absorbed_below, 0.0, math.inf)

    def apply(self, particles: Particles, variation: int = 0) -> Particles:
        """Return the particles with photons merged; nothing is drawn."""
        del variation
        first, second = _pairs(particles)
        e1, e2 = particles.energy[first], particles.energy[second]
        momenta = (particles.px, particles.py, particles.pz)
        dot = sum((p[first] * p[second] for p in momenta), start=np.zeros(first.size))
        # sin^2(a/2) = (1 - cos a)/2, also right for small angles
        sine, _ = sine_cosine(0.5 * self.angle_deg * (math.pi / 180.0))
        close = e1 * e2 - dot < 2.0 * e1 * e2 * (sine * sine)
        merged = close | (np.minimum(e1, e2) < self.absorbed_below)
        first, second = first[merged], second[merged]
        harder = particles.energy[first] >= particles.energy[second]
        kept, gone = np.where(harder, first, second), np.where(harder, second, first)
        return _merged(particles, kept, gone)


def _pairs(particles: Particles) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of both photons of every pion that still has both."""
    product = particles.parent != np.arange(particles.parent.size)
    photon = (particles.fate == 0) & (particles.pdgid == _PHOTON) & product
    rows = np.flatnonzero(photon & (particles.pdgid[particles.parent] == _PION))
    rows = rows[np.argsort(particles.parent[rows], kind="stable")]
    same = particles.parent[rows][1:] == particles.parent[rows][:-1]
    return rows[:-1][same], rows[1:][same]


def _merged(particles: Particles, kept: NDArray[np.intp], gone: NDArray[np.intp]) -> Particles:
    """Give one photon the energy and the direction of both."""
    columns = [c.copy() for c in (particles.px, particles.py, particles.pz)]
    fate, total = particles.fate.copy(), particles.energy.copy()
    x, y, z = (c[kept] + c[gone] for c in columns)
    size = np.sqrt(x * x + y * y + z * z)
    total[kept] += particles.energy[gone]
    for column, p in zip(columns, (x, y, z), strict=True):
        # photons back to back have no direction in common: the harder one keeps its own
        column[kept] = np.where(
            size > 0.0, p * (total[kept] / np.where(size > 0.0, size, 1.0)), column[kept]
        )
    fate[gone] = MERGED
    px, py, pz = columns
    return particles._replace(px=px, py=py, pz=pz, energy=total, fate=fate)


class ShowerFractions(NamedTuple):
    """Fractions of neutral pions by the number of showers that are seen; they add up to 1."""

    two: NDArray[np.float64]
    one: NDArray[np.float64]
    none: NDArray[np.float64]


def shower_fractions(energy: ArrayLike, *, angle_deg: float, threshold: float) -> ShowerFractions:
    r"""Fractions of neutral pions that are seen as two showers, as one, and not at all.

    Parameters
    ----------
    energy : array_like, GeV
        Total energy of the pion.
    angle_deg : float
        Photons closer than this are one shower (`ShowerMerging` with ``absorbed_below`` 0).
    threshold : float, GeV
        Showers below this energy are not seen.

    Returns
    -------
    ShowerFractions

    Notes
    -----
    With c, the cosine of the decay angle in the rest frame, flat in [0, 1], the photons have the energies
    :math:`E(1 \pm \beta c)/2` and the opening angle :math:`\sin(\alpha/2) = (m/E) / \sqrt{1 - \beta^2 c^2}`, at least
    :math:`2\arcsin(m/E)`.  They merge for c below :math:`c_A = \sqrt{1 - (m / (E \sin(A/2)))^2} / \beta`, and then are
    seen if E is above the threshold t.  Apart, the softer is seen for c up to :math:`(1 - 2t/E)/\beta` and the harder
    for c from :math:`(2t/E - 1)/\beta` on.

    Examples
    --------
    >>> [round(float(f), 3) for f in shower_fractions(2.0, angle_deg=10.0, threshold=0.03)]
    [0.338, 0.662, 0.0]
    """
    e = np.asarray(energy, dtype=np.float64)
    ratio = PION_MASS / e
    beta = np.sqrt(np.maximum(1.0 - ratio * ratio, 1e-300))
    sine = math.sin(0.5 * math.radians(angle_deg))
    reach = ratio / sine if sine > 0.0 else np.full_like(e, np.inf)
    merged = np.where(reach < 1.0, np.sqrt(np.maximum(1.0 - reach * reach, 0.0)) / beta, 0.0)
    merged = np.minimum(merged, 1.0)
    both = np.clip((1.0 - 2.0 * threshold / e) / beta, merged, 1.0)
    dark = np.clip((2.0 * threshold / e - 1.0) / beta, merged, 1.0)
    two = both - merged
    none = np.where(e < threshold, merged, 0.0) + (dark - merged)
    return ShowerFractions(two, 1.0 - two - none, none)


@dataclass(frozen=True)
class PhotonConversion:
    """Photons that convert near the vertex may be taken for electrons.

    A photon shows by the gap between the vertex and its conversion; without a visible gap only the ionisation at the
    start of the shower tells one electron from two.  What is mistaken is identified as an electron and gets the flag
    ``MISIDENTIFIED``; its energy and direction stay.

    Parameters
    ----------
    gap : float, cm
        Gaps shorter than this are not seen.  A free parameter: wire pitch and activity at the vertex decide it.
    mistaken : float
        Probability that a photon without a visible gap passes the cut on dE/dx.  A free parameter.
    radiation_length : float, cm
        14.0 in liquid argon (Particle Data Group, Atomic and nuclear properties).

    Raises
    ------
    ValueError
        A length is negative, or a probability is not one.

    Notes
    -----
    The distance is exponential with mean 9/7 of the radiation length, the high-energy limit of pair production (PDG 2024,
    Passage of particles through matter, eq. (34.32)); below some 100 MeV photons go farther.

    Examples
    --------
    >>> PhotonConversion(gap=2.0, mistaken=0.1)
    PhotonConversion(gap=2.0, mistaken=0.1, radiation_length=14.0)
    """

    gap: float
    mistaken: float
    radiation_length: float = 14.0

    def __post_init__(self) -> None:
        """Check the parameters."""
        _check("gap", self.gap, 0.0, math.inf)
        _check("mistaken", self.mistaken, 0.0, 1.0)
        _check("radiation_length", self.radiation_length, 1e-9, math.inf)

    def apply(self, particles: Particles, variation: int = 0) -> Particles:
        """Return the particles with some photons identified as electrons."""
        rows = np.flatnonzero((particles.fate == 0) & (particles.pdgid == _PHOTON))
        u, v = draws(particles, rows, PURPOSE_CONVERSION, variation)
        distance = -(9.0 / 7.0 * self.radiation_length) * logarithms(u)
        taken = rows[(distance < self.gap) & (v < self.mistaken)]
        identified, flags = particles.identified.copy(), particles.flags.copy()
        identified[taken] = _ELECTRON
        flags[taken] |= MISIDENTIFIED
        return particles._replace(identified=identified, flags=flags)


def conversion_probability(
    distance: ArrayLike, *, radiation_length: float = 14.0
) -> NDArray[np.float64]:
    """Probability that a photon converts within a distance: 1 - exp(-7 d / (9 X0)).

    Parameters
    ----------
    distance : array_like, cm
    radiation_length : float, cm
        14.0 in liquid argon (Particle Data Group).

    Returns
    -------
    ndarray

    Examples
    --------
    >>> float(conversion_probability(2.0).round(4))
    0.1052
    """
    d = np.asarray(distance, dtype=np.float64)
    return 1.0 - exponentials(-d * (7.0 / (9.0 * radiation_length)))


def _check(name: str, value: float, low: float, high: float) -> None:
    """Refuse a parameter outside its limits."""
    if not low <= value <= high:
        message = f"{name}: found {value!r}; allowed from {low:g} to {high:g}"
        raise ValueError(message)
