"""Mean electronic energy loss of heavy charged particles, and the ranges that follow from it.

This is where the table of `forefold.detector.materials.ranges` comes from: `range_table` writes its text.  Nothing here is called
when events are smeared, so numpy's own logarithms are good enough.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["MASSES", "MATERIALS", "Material", "mass_range", "range_table", "stopping_power"]

MASSES: Mapping[str, float] = MappingProxyType(
    {"mu": 0.1056583755, "pi": 0.13957039, "K": 0.493677, "p": 0.93827208816}
)
"""Masses in GeV (Particle Data Group, 2024)."""

_ELECTRON_MASS = 0.51099895  # MeV (PDG 2024)
_K = 0.307075  # 4 pi N_A r_e^2 m_e c^2, MeV cm^2 / mol (PDG 2024)
_ALPHA = 1.0 / 137.035999084

BETA_GAMMA_LOW = 0.1
BETA_GAMMA_HIGH = 1000.0
STEPS = 400
_NODES = 8


@dataclass(frozen=True)
class Material:
    """What the Bethe formula needs to know of a material.

    Parameters
    ----------
    density : float, g/cm3
    z_over_a : float, mol/g
        Mean ratio of charge to mass number.
    excitation : float, eV
        Mean excitation energy.
    a, k, x0, x1, cbar : float
        Sternheimer's parameters of the density effect, valid at `reference`.
    reference : float, g/cm3
        Density that the parameters were fitted for.
    source : str
        Where the numbers are from.
    """

    density: float
    z_over_a: float
    excitation: float
    a: float
    k: float
    x0: float
    x1: float
    cbar: float
    reference: float
    source: str


MATERIALS: Mapping[str, Material] = MappingProxyType(
    {
        "liquid-argon": Material(
            density=1.396,
            z_over_a=0.45059,
            excitation=188.0,
            a=0.19559,
            k=3.0,
            x0=0.2,
            x1=3.0,
            cbar=5.2146,
            reference=1.396,
            source="PDG, Atomic and nuclear properties of materials, muon table of liquid argon (index 289)",
        ),
        "water": Material(
            density=1.0,
            z_over_a=0.55509,
            excitation=79.7,
            a=0.09116,
            k=3.4773,
            x0=0.24,
            x1=2.8004,
            cbar=3.5017,
            reference=1.0,
            source="PDG, muon table of liquid water (2020); density effect of ADNDT 30 (1984) 261",
        ),
        "mineral-oil": Material(
            density=0.845,
            z_over_a=0.57034,
            excitation=57.4,
            a=0.12108,
            k=3.4292,
            x0=0.1370,
            x1=2.5177,
            cbar=3.0016,
            reference=0.94,
            source="polyethylene, (CH2)n, of ADNDT 30 (1984) 261 at the density of MiniBooNE's oil (arXiv:0806.4201)",
        ),
    }
)
"""Liquid argon, water, and a scintillator of mineral oil taken as CH2.

Measurements of liquid argon since 2022 favour a mean excitation energy of 197 to 203 eV (arXiv:2212.06286,
arXiv:2501.10550) over the 188 eV of the PDG tables, which are followed here; ranges would grow by 0.5 to 1 %.
"""


def _density_effect(log_beta_gamma: NDArray[np.float64], m: Material) -> NDArray[np.float64]:
    """Sternheimer's delta; a denser material shifts the curve (ADNDT 30 (1984) 261, section on scaling)."""
    ratio = m.density / m.reference
    shift = 0.5 * math.log10(ratio)
    x0, x1, cbar = m.x0 - shift, m.x1 - shift, m.cbar - math.log(ratio)
    linear = 2.0 * math.log(10.0) * log_beta_gamma - cbar
    bent = linear + m.a * np.maximum(x1 - log_beta_gamma, 0.0) ** m.k
    return np.where(log_beta_gamma < x0, 0.0, bent)


def stopping_power(beta_gamma: ArrayLike, particle: str, material: Material) -> NDArray[np.float64]:
    r"""Mean electronic energy loss per mass thickness.

    Parameters
    ----------
    beta_gamma : array_like
        p/m, from 0.1 to 1000.
    particle : str
        Key of `MASSES`.
    material : Material

    Returns
    -------
    ndarray
        -dE/dx in MeV cm2/g, in the shape of `beta_gamma`.

    Notes
    -----
    Bethe's formula with the density effect, for unit charge.  Muons have the spin-1/2 term and the bremsstrahlung of
    atomic electrons on top.  Shell, Barkas and Bloch corrections are left out: they are below 1 % from a
    :math:`\beta\gamma` of 0.2 on.  Radiative losses of the muon itself are left out: see `forefold.detector.materials.ranges`.

    References
    ----------
    Particle Data Group (2024), Passage of particles through matter, eq. (34.5).
    Groom, Mokhov and Striganov, ADNDT 78 (2001) 183, eqs. (2) to (8).

    Examples
    --------
    The minimum of a muon in liquid argon, 1.508 MeV cm2/g in the PDG's table:

    >>> beta_gamma = np.geomspace(1.0, 10.0, 500)
    >>> float(stopping_power(beta_gamma, "mu", MATERIALS["liquid-argon"]).min().round(2))
    1.51
    """
    bg = np.asarray(beta_gamma, dtype=np.float64)
    mass = 1000.0 * MASSES[particle]
    gamma = np.sqrt(1.0 + bg * bg)
    beta2 = (bg / gamma) ** 2
    ratio = _ELECTRON_MASS / mass
    kick = 2.0 * _ELECTRON_MASS * bg * bg  # twice the electron mass times (beta gamma)^2
    most = kick / (1.0 + 2.0 * gamma * ratio + ratio * ratio)
    excitation = 1e-6 * material.excitation
    bracket = 0.5 * np.log(kick * most / excitation**2) - beta2
    bracket -= 0.5 * _density_effect(np.log10(bg), material)
    extra = np.zeros_like(bg)
    if particle == "mu":
        bracket += 0.125 * (most / (gamma * mass)) ** 2
        inner = np.log(2.0 * gamma) - np.log(2.0 * most / _ELECTRON_MASS) / 3.0
        extra = inner * np.log(2.0 * most / _ELECTRON_MASS) ** 2 * _ALPHA / (4.0 * math.pi)
        extra = np.where(gamma > 2.0, extra, 0.0)  # an asymptotic formula; below 0.05 % there
    return _K * material.z_over_a * (bracket / beta2 + extra)


def mass_range(
    beta_gamma: NDArray[np.float64], particle: str, material: Material
) -> NDArray[np.float64]:
    r"""Range in the continuous-slowing-down approximation, by integration.

    Parameters
    ----------
    beta_gamma : ndarray, shape (n,)
        p/m, rising; the first is where the integration starts.
    particle : str
        Key of `MASSES`.
    material : Material

    Returns
    -------
    ndarray, shape (n,), g/cm2

    Notes
    -----
    Gauss-Legendre in :math:`\ln\beta\gamma`, eight nodes an interval.  What remains at the first point is that of a
    power law :math:`S \propto T^{-q}`: :math:`T / ((1 + q) S)`.

    Examples
    --------
    >>> import numpy as np
    >>> grid = np.geomspace(0.1, 10.0, 50)
    >>> float(mass_range(grid, "mu", MATERIALS["water"])[-1].round(1))
    452.4
    """
    mass = 1000.0 * MASSES[particle]
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    edges = np.log(beta_gamma)
    half = 0.5 * np.diff(edges)
    middle = 0.5 * (edges[1:] + edges[:-1])
    bg = np.exp(middle[:, None] + half[:, None] * nodes)
    # dT = m beta d(beta gamma) = m beta (beta gamma) d ln(beta gamma)
    energy = mass * bg * bg / np.sqrt(1.0 + bg * bg)
    steps = half * np.sum(weights * energy / stopping_power(bg, particle, material), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)]) + _rest(beta_gamma[0], particle, material)


def _rest(beta_gamma: float, particle: str, material: Material) -> float:
    """Range that is left at a low momentum, g/cm2."""
    mass = 1000.0 * MASSES[particle]
    bg = beta_gamma * np.array([1.0, 1.001])
    kinetic = mass * bg * bg / (np.sqrt(1.0 + bg * bg) + 1.0)
    power = stopping_power(bg, particle, material)
    q = -np.log(power[1] / power[0]) / np.log(kinetic[1] / kinetic[0])
    return float(kinetic[0] / ((1.0 + q) * power[0]))


def range_table() -> str:
    """Text of ``data/ranges.csv``: ranges of every particle in every material against p/m.

    Returns
    -------
    str
        Lines of provenance that begin with ``#``, a header, and rows of comma-separated numbers.

    Examples
    --------
    >>> print(range_table().splitlines()[0])
    # Ranges in the continuous-slowing-down approximation, in g/cm2, against beta gamma = p/m.
    """
    grid = np.geomspace(BETA_GAMMA_LOW, BETA_GAMMA_HIGH, STEPS + 1)
    columns = {"beta_gamma": grid}
    for name, material in MATERIALS.items():
        for particle in MASSES:
            columns[f"{particle}:{name}"] = mass_range(grid, particle, material)
    rows = zip(*columns.values(), strict=True)
    lines = [*_head(), ",".join(columns)]
    lines += [",".join(f"{x:.7g}" for x in row) for row in rows]
    return "\n".join(lines) + "\n"


def _head() -> list[str]:
    masses = ", ".join(f"{particle} {mass} GeV" for particle, mass in MASSES.items())
    lines = [
        "# Ranges in the continuous-slowing-down approximation, in g/cm2, against beta gamma = p/m.",
        "# Made by forefold.detector.materials.stopping_power.range_table(), 2026-11-22; not to be edited by hand.",
        "# Bethe's formula (PDG 2024, eq. 34.5) with Sternheimer's density effect (ADNDT 30 (1984) 261; ADNDT 78 (2001) 183);",
        "# electronic losses only. Masses (PDG 2024): " + masses + ".",
    ]
    for name, m in MATERIALS.items():
        lines.append(
            f"# {name}: {m.density} g/cm3, Z/A {m.z_over_a}, I {m.excitation} eV, a {m.a}, k {m.k}, "
            f"x0 {m.x0}, x1 {m.x1}, C {m.cbar} at {m.reference} g/cm3. {m.source}."
        )
    return lines
