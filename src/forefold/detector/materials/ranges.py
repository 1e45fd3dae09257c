"""How far a charged particle goes before it stops, and what it had when it stopped there.

The table in ``data/ranges.csv`` is made once by `forefold.detector.materials.stopping_power.range_table`; between its points, ranges are
power laws of the momentum, with the kernels' own logarithm and exponential: the same bits on every machine.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forefold.detector.materials.stopping_power import MASSES, MATERIALS
from forefold.events.particles import near
from forefold.kernels.arrays import logarithms
from forefold.kernels.interpolation import log_log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["PARTICLES", "csda_range", "kinetic_energy_of_range"]

PARTICLES: Mapping[int, str] = MappingProxyType({13: "mu", 211: "pi", 321: "K", 2212: "p"})
"""Absolute PDG identifiers that have a range, and their columns in the table."""


class _Curve(NamedTuple):
    """Logarithms of p/m and of the range in cm, and the mass in GeV."""

    log_beta_gamma: NDArray[np.float64]
    log_range: NDArray[np.float64]
    mass: float


@cache
def _table() -> dict[str, NDArray[np.float64]]:
    text = files("forefold").joinpath("data/ranges.csv").read_text(encoding="utf-8")
    names, *rows = (line.split(",") for line in text.splitlines() if not line.startswith("#"))
    numbers = np.array(rows, dtype=np.float64).T
    return dict(zip(names, numbers, strict=True))


@cache
def _curve(pdgid: int, material: str) -> _Curve:
    if abs(pdgid) not in PARTICLES:
        message = f"no range of particle {pdgid}; known: {', '.join(f'+-{n}' for n in PARTICLES)}"
        raise ValueError(message)
    if material not in MATERIALS:
        message = f"unknown material {material!r}{near(material, list(MATERIALS))}; known: {', '.join(MATERIALS)}"
        raise ValueError(message)
    particle = PARTICLES[abs(pdgid)]
    table = _table()
    length = table[f"{particle}:{material}"] / MATERIALS[material].density
    return _Curve(logarithms(table["beta_gamma"]), logarithms(length), MASSES[particle])


def csda_range(
    kinetic: ArrayLike, pdgid: int, material: str = "liquid-argon"
) -> NDArray[np.float64]:
    r"""Range in the continuous-slowing-down approximation.

    Parameters
    ----------
    kinetic : array_like, GeV
        Kinetic energy; what is not positive has no range.
    pdgid : int
        Muon, charged pion, charged kaon or proton, of either charge.
    material : {"liquid-argon", "water", "mineral-oil"}

    Returns
    -------
    ndarray, cm
        In the shape of `kinetic`.

    Raises
    ------
    ValueError
        There is no range of that particle in that material.

    Notes
    -----
    Valid for :math:`\beta\gamma` from 0.2 (2 MeV for muons, 3 MeV for pions, 10 MeV for kaons, 19 MeV for protons);
    the table begins at 0.1, and power laws go on beyond its ends.  Against published tables:

    - muons in liquid argon, polyethylene and water (PDG): within 0.1 % from 20 MeV to 2 GeV, 0.25 % up to 4 GeV and 0.6 % up
      to 10 GeV.  Their
      radiative losses are not in the table, so ranges are too long above that: by 1.2 % at 20 GeV, 2.8 % at 40 GeV and
      8 % at 100 GeV in liquid argon.
    - protons (NIST PSTAR): within 0.7 % from 80 MeV on and 1.5 % from 30 MeV on in argon; in water 0.3 % from 50 MeV on
      once the same mean excitation energy is taken (75 eV instead of the PDG's 79.7 eV, which adds 0.7 %).

    Interpolation adds less than 0.02 %.  Hadrons interact before they stop: this is not their track length.  There are
    no electrons: they make showers.

    References
    ----------
    Groom, Mokhov and Striganov, ADNDT 78 (2001) 183; PDG, Atomic and nuclear properties of materials, muon tables.
    Berger, Coursey, Zucker and Chang, NIST Standard Reference Database 124 (PSTAR), doi:10.18434/T4NC7P.

    Examples
    --------
    A muon of 1 GeV kinetic energy, 616.3 g/cm2 or 441.5 cm in the PDG's table:

    >>> float(csda_range(1.0, 13).round(1))
    441.6
    """
    curve = _curve(pdgid, material)
    energy = np.asarray(kinetic, dtype=np.float64)
    beyond_rest = np.maximum(energy, 0.0)
    beta_gamma = np.sqrt(beyond_rest * (beyond_rest + 2.0 * curve.mass)) / curve.mass
    return log_log(beta_gamma, curve.log_beta_gamma, curve.log_range)


def kinetic_energy_of_range(
    length: ArrayLike, pdgid: int, material: str = "liquid-argon"
) -> NDArray[np.float64]:
    """Kinetic energy of a particle that stops after a range: inverse of `csda_range`.

    Parameters
    ----------
    length : array_like, cm
    pdgid : int
        Muon, charged pion, charged kaon or proton, of either charge.
    material : {"liquid-argon", "water", "mineral-oil"}

    Returns
    -------
    ndarray, GeV
        In the shape of `length`.

    Raises
    ------
    ValueError
        There is no range of that particle in that material.

    Examples
    --------
    >>> float(kinetic_energy_of_range(csda_range(0.3, 2212), 2212).round(12))
    0.3
    """
    curve = _curve(pdgid, material)
    lengths = np.asarray(length, dtype=np.float64)
    p = curve.mass * log_log(lengths, curve.log_range, curve.log_beta_gamma)
    energy = np.sqrt(p * p + curve.mass * curve.mass)
    # E - m = p^2 / (E + m) keeps its digits at low momenta; without an end there is no ratio to take
    share = np.divide(p, energy + curve.mass, where=np.isfinite(p), out=np.ones_like(p))
    kinetic: NDArray[np.float64] = p * share
    return kinetic
