"""Ranges against published tables; every tolerance is said in the documentation of `csda_range`."""

from __future__ import annotations

import dataclasses
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forefold.detector.materials import stopping_power as stopping
from forefold.detector.materials.ranges import PARTICLES, csda_range, kinetic_energy_of_range
from forefold.detector.materials.stopping_power import (
    MASSES,
    MATERIALS,
    Material,
    mass_range,
    range_table,
)

# kinetic energy in MeV, range in g/cm2
# PDG, muons in liquid argon (index 289), 2012 edition; below 40 MeV the 2018 edition, which mended its start
MUON_ARGON = {
    10: 0.9937, 14: 1.795, 20: 3.329, 30: 6.605, 40: 10.58, 80: 30.84, 100: 42.50, 140: 67.32, 200: 106.3,
    300: 172.5, 400: 238.5, 800: 493.4, 1000: 616.3, 1400: 855.2, 2000: 1202.0, 3000: 1758.0, 4000: 2297.0,
    8000: 4359.0, 10000: 5354.0, 20000: 10130.0, 40000: 19100.0, 100000: 43260.0,
}  # fmt: skip
# PDG, muons in liquid water (2020)
MUON_WATER = {200: 78.94, 400: 179.6, 800: 377.1, 1000: 473.2, 1400: 661.1, 2000: 935.3}
# ADNDT 78 (2001) 183, table III-4: muons in polyethylene, 0.890 g/cm3
MUON_POLYETHYLENE = {
    10: 0.6596, 20: 2.242, 40: 7.215, 100: 29.37, 200: 74.64, 400: 170.5, 1000: 451.2, 2000: 894.6, 4000: 1736.0,
    8000: 3340.0, 10000: 4119.0,
}  # fmt: skip
# NIST PSTAR, protons in argon and in liquid water (mean excitation energy 75 eV)
PROTON_ARGON = {
    30: 1.296, 40: 2.159, 80: 7.375, 100: 10.92, 150: 22.15, 200: 36.27, 300: 71.44, 500: 161.4, 1000: 445.4,
}  # fmt: skip
PROTON_WATER = {
    50: 2.227, 80: 5.184, 100: 7.718, 200: 25.96, 300: 51.45, 500: 117.0, 1000: 325.4, 2000: 805.4, 5000: 2297.0,
}  # fmt: skip
# ICRU 90 (mean excitation energy 78 eV), NIST's summary, table A.9
PROTON_WATER_ICRU90 = {200: 26.09, 400: 82.63, 500: 117.6, 800: 238.2, 1000: 326.8}

MATERIAL_NAMES = list(MATERIALS)


def from_table(table: dict[int, float], pdgid: int, material: str) -> np.ndarray:
    """Ratio of our range to the published one."""
    found = csda_range(np.array(list(table)) / 1000.0, pdgid, material)
    return np.asarray(found * MATERIALS[material].density / np.array(list(table.values())))


def integrated(table: dict[int, float], particle: str, material: Material) -> np.ndarray:
    """Ratio of the integral, in a material of another density or excitation energy, to the published range."""
    kinetic = np.array(list(table)) / 1000.0
    mass = MASSES[particle]
    grid = np.unique(
        [*np.geomspace(0.1, 100.0, 400), *np.sqrt(kinetic * (kinetic + 2 * mass)) / mass]
    )
    found = mass_range(grid, particle, material)
    rows = np.searchsorted(grid, np.sqrt(kinetic * (kinetic + 2 * mass)) / mass)
    return np.asarray(found[rows] / np.array(list(table.values())))


def test_muons_in_liquid_argon() -> None:
    ratio = from_table(MUON_ARGON, 13, "liquid-argon")
    energy = np.array(list(MUON_ARGON))
    assert np.all(abs(ratio - 1)[energy <= 2000] < 0.001)
    assert np.all(abs(ratio - 1)[energy <= 4000] < 0.0025)
    assert np.all(abs(ratio - 1)[energy <= 10000] < 0.006)
    # what is missing there are radiative losses: too long, and more so with energy
    assert np.all(np.diff(ratio[energy >= 4000]) > 0)
    assert ratio[-3:] == pytest.approx([1.012, 1.028, 1.079], abs=0.002)


def test_muons_in_water() -> None:
    assert np.all(abs(from_table(MUON_WATER, -13, "water") - 1) < 0.001)


def test_muons_in_polyethylene() -> None:
    material = dataclasses.replace(MATERIALS["mineral-oil"], density=0.890)
    ratio = integrated(MUON_POLYETHYLENE, "mu", material)
    assert np.all(abs(ratio - 1) < 0.0025)


def test_protons_in_argon() -> None:
    ratio = from_table(PROTON_ARGON, 2212, "liquid-argon")
    energy = np.array(list(PROTON_ARGON))
    assert np.all(abs(ratio - 1) < 0.015)
    assert np.all(abs(ratio - 1)[energy >= 80] < 0.007)


def test_protons_in_water() -> None:
    # the tables differ in the mean excitation energy: 79.7 eV (PDG), 75 eV (PSTAR), 78 eV (ICRU 90)
    water = MATERIALS["water"]
    assert np.all(abs(from_table(PROTON_WATER, 2212, "water") - 1) < 0.009)
    for excitation, table in ((75.0, PROTON_WATER), (78.0, PROTON_WATER_ICRU90)):
        ratio = integrated(table, "p", dataclasses.replace(water, excitation=excitation))
        assert np.all(abs(ratio - 1) < 0.003)


def test_sternheimer_parameters_are_consistent() -> None:
    # C = 1 + 2 ln(I / plasma energy), plasma energy = 28.816 eV sqrt(density Z/A); and delta is continuous
    for name, m in MATERIALS.items():
        excitation = 75.0 if name == "water" else m.excitation  # the parameters are those of 75 eV
        plasma = 28.816 * np.sqrt(m.reference * m.z_over_a)
        assert m.cbar == pytest.approx(1 + 2 * np.log(excitation / plasma), abs=2e-4)
        jump = 2 * np.log(10) * m.x0 - m.cbar + m.a * (m.x1 - m.x0) ** m.k
        assert abs(jump) < 1e-3


def test_table_is_what_its_maker_makes() -> None:
    packaged = files("forefold").joinpath("data/ranges.csv").read_text(encoding="utf-8")
    ours, made = packaged.splitlines(), range_table().splitlines()
    head = sum(line.startswith("#") for line in made) + 1
    assert ours[:head] == made[:head]
    numbers, again = (np.array([r.split(",") for r in t[head:]], dtype=float) for t in (ours, made))
    assert numbers.shape == (stopping.STEPS + 1, 1 + len(MASSES) * len(MATERIALS))
    # seven digits are written; another machine's logarithm may turn the last one
    assert np.allclose(numbers, again, rtol=2e-6, atol=0.0)


@pytest.mark.parametrize("material", MATERIAL_NAMES)
def test_interpolation(material: str) -> None:
    for pdgid, particle in PARTICLES.items():
        beta_gamma = np.geomspace(0.1, 1000.0, 2 * stopping.STEPS + 1)
        exact = mass_range(beta_gamma, particle, MATERIALS[material])[1::2]
        middle = beta_gamma[1::2]
        kinetic = MASSES[particle] * middle**2 / (np.sqrt(1 + middle**2) + 1)
        found = csda_range(kinetic, pdgid, material) * MATERIALS[material].density
        assert np.all(abs(found / exact - 1) < 2e-4)


energies = st.floats(1e-4, 1e3)
pdgids = st.sampled_from([13, -13, 211, -211, 321, -321, 2212, -2212])
materials = st.sampled_from(MATERIAL_NAMES)


@given(energies, energies, pdgids, materials)
def test_more_energy_goes_farther(t: float, s: float, pdgid: int, material: str) -> None:
    short, long = csda_range([min(t, s), max(t, s)], pdgid, material)
    assert 0.0 < short <= long


@given(energies, pdgids, materials)
def test_inverse(kinetic: float, pdgid: int, material: str) -> None:
    length = csda_range(kinetic, pdgid, material)
    # rounding of a logarithm of the range grows by the slope of the table, at most about 4
    assert float(kinetic_energy_of_range(length, pdgid, material)) == pytest.approx(
        kinetic, rel=1e-12
    )


def test_edges() -> None:
    found = csda_range([-1.0, 0.0, np.nan, 1e-9], 13)
    assert found[:2].tolist() == [0.0, 0.0]
    assert np.isnan(found[2])
    assert 0.0 < found[3] < 1e-9
    assert csda_range(np.ones((2, 3)), 13).shape == (2, 3)
    assert kinetic_energy_of_range([0.0, np.inf], 13).tolist() == [0.0, np.inf]
    assert np.isnan(kinetic_energy_of_range(np.nan, 13))


def test_unknown() -> None:
    with pytest.raises(ValueError, match="no range of particle 11; known: "):
        csda_range(1.0, 11)
    with pytest.raises(
        ValueError, match=r"unknown material 'liquid argon' \(did you mean 'liquid-argon'\?\)"
    ):
        csda_range(1.0, 13, "liquid argon")
