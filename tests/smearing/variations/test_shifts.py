"""Shifts of reconstructed energies against closed forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

import forefold
from forefold.events import build
from forefold.events import particles as species
from forefold.smearing.variations import Variation, group_energies, shifted, unit_shifts

DUNE = "dune-fd-uncertainties"
EXACT = """
schema = 1
name = "exact"
title = "sees everything as it is"
[sources]
me = "a test"
{shifts}
[[rule]]
name = "other"
type = "other"
particles = ["other"]
source = "me"
{threshold}
energy = {{ of = "total", distribution = "none", scale = {scale} }}
angle = {{ convention = "none", distribution = "none" }}
"""
SHIFT = """
[[shift]]
name = "it"
particles = {particles}
on = "{on}"
energy = "{energy}"
{terms}
source = "me"
"""


def card_of(
    folder: Path,
    terms: str = "p0 = 0.1",
    *,
    particles: str = '["other"]',
    on: str = "each",
    energy: str = "total",
    scale: float = 1.0,
    threshold: str = "",
    shifts: str | None = None,
) -> Any:
    if shifts is None:
        shifts = SHIFT.format(particles=particles, on=on, energy=energy, terms=terms)
    path = folder / "card.toml"
    text = EXACT.format(shifts=shifts, scale=scale, threshold=threshold)
    path.write_text(text, encoding="utf-8")
    return forefold.load_card(path)


def toy(pdgid: list[int], momenta: list[float], probe: int = 14, cc: bool | None = True) -> Any:
    """One event of particles along z, and its energies."""
    masses = np.array([species.mass(pdg) for pdg in pdgid])
    energies = np.sqrt(np.array(momenta) ** 2 + masses**2)
    events = build(
        pdgid=[pdgid], px=0.0, py=0.0, pz=[momenta], energy=[energies.tolist()], probe=probe, cc=cc
    )
    return events, energies, masses


def visible(events: ak.Array, card: Any, pulls: dict[str, float]) -> float:
    smeared = forefold.smear(events, card, rng=1, axis="z")
    return float(shifted(smeared, card, pulls).visible_energy_reco[0])


@pytest.mark.parametrize("pull", [1.0, -1.0, 2.5])
def test_a_scale_alone_is_exact(tmp_path: Path, pull: float) -> None:
    card = card_of(tmp_path, "p0 = 0.02")
    events, energies, _ = toy([13, 211, 111], [1.0, 0.5, 0.3])
    found = visible(events, card, {"it_p0": pull})
    assert found == pytest.approx((1 + 0.02 * pull) * energies.sum(), rel=1e-14)


def test_each_and_sum_differ_as_they_must(tmp_path: Path) -> None:
    """n equal particles: the square root of the sum is sqrt(n) times that of each."""
    n, pull = 4, 1.5
    events, energies, _ = toy([211] * n, [0.7] * n)
    e = energies[0]
    expected = {
        ("each", "p1"): 0.05 * n * e * np.sqrt(e),
        ("sum", "p1"): 0.05 * n * e * np.sqrt(n * e),
        ("each", "p2"): 0.05 * n * e / np.sqrt(e + 0.1),
        ("sum", "p2"): 0.05 * n * e / np.sqrt(n * e + 0.1),
        ("each", "p0"): 0.05 * n * e,
        ("sum", "p0"): 0.05 * n * e,
    }
    for (on, term), value in expected.items():
        card = card_of(tmp_path, f"{term} = 0.05", on=on)
        more = visible(events, card, {f"it_{term}": pull}) - n * e
        assert more == pytest.approx(pull * value, rel=1e-12), (on, term)


def test_pulls_add(gst_file: Path) -> None:
    card = forefold.load_card(DUNE)
    smeared = forefold.smear(forefold.read(gst_file), card, rng=1)
    names = card.covariance()[0]
    pulls = dict(zip(names, np.linspace(-2, 2, len(names)).tolist(), strict=True))
    nominal = smeared.visible_energy_reco.to_numpy()
    alone = [
        shifted(smeared, card, {name: pull}).visible_energy_reco.to_numpy() - nominal
        for name, pull in pulls.items()
    ]
    together = shifted(smeared, card, pulls).visible_energy_reco.to_numpy() - nominal
    np.testing.assert_allclose(together, np.sum(alone, axis=0), atol=1e-12)


@pytest.mark.parametrize("word", ["kinetic", "total", "visible"])
def test_which_energy_is_shifted(tmp_path: Path, word: str) -> None:
    card = card_of(tmp_path, energy=word)
    events, energies, masses = toy([2212, 211, 13], [0.9, 0.5, 1.0])
    rest = {"kinetic": masses, "total": 0 * masses, "visible": masses * [1, 0, 0]}[word]
    more = visible(events, card, {"it_p0": 1.0}) - (energies - masses * [1, 0, 0]).sum()
    assert more == pytest.approx(0.1 * (energies - rest).sum(), rel=1e-12)


def test_resolution_goes_to_the_truth(tmp_path: Path) -> None:
    """All the way at a pull of 1/r."""
    card = card_of(tmp_path, "resolution = 0.02", scale=1.3)
    events, energies, _ = toy([13, 211], [1.0, 0.5])
    assert visible(events, card, {"it_resolution": 50.0}) == pytest.approx(
        energies.sum(), rel=1e-13
    )
    expected = 1.3 * energies.sum() + 0.02 * (1 - 1.3) * energies.sum()
    assert visible(events, card, {"it_resolution": 1.0}) == pytest.approx(expected, rel=1e-13)


def test_the_lost_count_in_the_truth_of_a_sum_if_asked(tmp_path: Path) -> None:
    events, energies, _ = toy([211, 211], [1.0, 0.1])
    more = {}
    for truth in ("detected", "all"):
        card = card_of(
            tmp_path,
            f'resolution = 0.1\ntruth = "{truth}"',
            on="sum",
            threshold="threshold.kinetic_energy.ge = 0.2",
        )
        more[truth] = visible(events, card, {"it_resolution": 1.0}) - energies[0]
    assert more["detected"] == pytest.approx(0.0, abs=1e-14)
    assert more["all"] == pytest.approx(0.1 * energies[1], rel=1e-12)
    events, _, _ = toy([211, 211], [0.1, 0.1])
    assert visible(events, card, {"it_resolution": -1.0}) == 0.0  # nothing is seen of it


def test_the_lepton_of_charged_currents(tmp_path: Path) -> None:
    only = card_of(tmp_path, particles='["cc muon"]')
    events, energies, _ = toy([13, 13, 211], [1.0, 2.0, 0.5])
    more = visible(events, only, {"it_p0": 1.0}) - energies.sum()
    assert more == pytest.approx(0.1 * energies[1], rel=1e-12)  # the most energetic of two
    for probe, cc in ((14, False), (-14, True), (12, True), (11, True)):
        events, energies, _ = toy([13, 13, 211], [1.0, 2.0, 0.5], probe=probe, cc=cc)
        assert visible(events, only, {"it_p0": 1.0}) == pytest.approx(energies.sum(), rel=1e-14)


def test_all_but_the_muon_with_the_electron_apart() -> None:
    card = forefold.load_card(DUNE)
    total = card.shifts[0]
    for probe, lepton in ((14, 13), (12, 11)):
        events, _, _ = toy([lepton, 211, -211], [2.0, 0.8, 0.9], probe=probe)
        smeared = forefold.smear(events, card, rng=1, axis="z")
        e = ak.to_numpy(smeared.particles.energy_reco[0])
        hadrons = e[1] + e[2]
        expected = total.p1 * hadrons * np.sqrt(hadrons)
        expected += total.p1 * e[0] * np.sqrt(e[0]) if lepton == 11 else 0.0
        assert unit_shifts(smeared, card)["total_p1"].event[0] == pytest.approx(expected)


def test_events_that_do_not_say_whether_they_are_charged_current(tmp_path: Path) -> None:
    events, _, _ = toy([13], [1.0], cc=None)
    smeared = forefold.smear(events, DUNE, rng=1, axis="z")
    with pytest.raises(ValueError, match="1 of 1 events do not say"):
        unit_shifts(smeared, DUNE)
    card = card_of(tmp_path)  # nothing about the lepton: no question
    smeared = forefold.smear(events, card, rng=1, axis="z")
    assert unit_shifts(smeared, card)["it_p0"].event[0] > 0


def test_particles_stay_on_their_shell(gst_file: Path) -> None:
    smeared = forefold.smear(forefold.read(gst_file), DUNE, rng=1)
    pulls = {"total_p0": 2.0, "neutron_p2": -3.0, "charged_hadrons_resolution": 1.0}
    moved = forefold.reconstructed(shifted(smeared, DUNE, pulls))
    assert ak.max(abs(moved.mass2 - smeared.particles.mass[smeared.particles.detected] ** 2)) < 1e-9
    before = forefold.reconstructed(smeared)
    moving = (before.p > 1e-6) & (moved.p > 1e-6)
    assert ak.max(abs(moved.deltaangle(before))[moving]) < 1e-6


def test_visible_energy_is_that_of_the_shifted_particles(gst_file: Path) -> None:
    """Only what is lost of the truth of a sum belongs to no particle."""
    smeared = forefold.smear(forefold.read(gst_file), DUNE, rng=1)
    pulls = {"total_p1": 1.0, "muon_p0": -1.0, "charged_hadrons_p1": 1.0, "electromagnetic_p2": 2.0}
    moved = shifted(smeared, DUNE, pulls)
    more = ak.sum(ak.fill_none(moved.particles.energy_reco - smeared.particles.energy_reco, 0), 1)
    found = moved.visible_energy_reco - smeared.visible_energy_reco
    np.testing.assert_allclose(found.to_numpy(), more.to_numpy(), atol=1e-12)
    assert moved.attrs["forefold"]["variation"]["pulls"] == pulls
    groups = group_energies(moved, DUNE)
    assert (groups["muon"] <= group_energies(smeared, DUNE)["muon"]).all()


def test_an_energy_that_is_pulled_below_the_mass_is_flagged(tmp_path: Path) -> None:
    card = card_of(tmp_path, "p0 = 0.5")
    events, _, _ = toy([2212], [0.1])
    smeared = forefold.smear(events, card, rng=1, axis="z")
    low = shifted(smeared, card, {"it_p0": -1.0})
    assert low.particles.fate[0, 0] & int(forefold.Fate.ENERGY_BELOW_MASS)
    assert low.particles.pz_reco[0, 0] == 0.0
    assert low.particles.detected[0, 0]


def test_products_of_a_decay_belong_where_the_decayed_does(tmp_path: Path) -> None:
    path = tmp_path / "decays.toml"
    path.write_text(
        f'schema = 1\nname = "decays"\ntitle = "t"\nextends = "{DUNE}"\n[sources]\nme = "a test"\n'
        '[[stage]]\nkind = "pi0-decay"\nsource = "me"\n',
        encoding="utf-8",
    )
    events, _, _ = toy([13, 111], [1.0, 1.0])
    smeared = forefold.smear(events, path, rng=1, axis="z")
    photons = ak.sum(smeared.particles.energy_reco[smeared.particles.pdgid == 22])
    found = group_energies(smeared, path)["electromagnetic"][0]
    assert found == pytest.approx(photons)
    assert found > 0


def test_what_cannot_be_pulled(gst_file: Path) -> None:
    smeared = forefold.smear(forefold.read(gst_file), DUNE, rng=1)
    with pytest.raises(ValueError, match=r"no pull 'muon_p3'.*did you mean 'muon_p"):
        shifted(smeared, DUNE, {"muon_p3": 1.0})
    with pytest.raises(ValueError, match="finite pull"):
        shifted(smeared, DUNE, Variation("v", {"muon_p0": np.nan}))
    assert unit_shifts(smeared, "nusmear-dune-cdr") == {}
    assert group_energies(smeared, "nusmear-dune-cdr") == {}


def test_shifts_work_on_files(gst_file: Path, tmp_path: Path) -> None:
    """Smeared events that were written and read back are shifted to the same numbers."""
    from forefold.workflows.stream import smear_files

    out = tmp_path / "smeared.parquet"
    smear_files(gst_file, DUNE, out, rng=1)
    read = shifted(forefold.read_smeared(out), DUNE, {"total_p0": 1.0})
    here = shifted(forefold.smear(forefold.read(gst_file), DUNE, rng=1), DUNE, {"total_p0": 1.0})
    assert read.visible_energy_reco.to_list() == here.visible_energy_reco.to_list()


def test_the_table_of_the_card() -> None:
    """Numbers of CAFAna/Systs/EnergySysts.h, in per cent: p0, p1, p2, r."""
    expected = {
        "total": (2, 1, 2, 0),
        "muon": (2, 0.5, 2, 2),
        "charged_hadrons": (5, 5, 5, 2),
        "electromagnetic": (2.5, 2.5, 2.5, 2),
        "neutron": (20, 30, 30, 10),
    }
    card = forefold.load_card(DUNE)
    found = {
        s.name: tuple(round(100 * x, 9) for x in (s.p0, s.p1, s.p2, s.resolution))
        for s in card.shifts
    }
    assert found == expected
    base = forefold.load_card("nusmear-dune-cdr")
    assert card.rules == base.rules
