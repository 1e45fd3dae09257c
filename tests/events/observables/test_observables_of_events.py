"""Observables of a generator's events: against other programs, in other frames, in pieces."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from numpy.typing import NDArray
from perfect_detector import perfect

import forefold
from forefold.events import build
from forefold.events.observables import OBSERVABLES, observables


@pytest.fixture(scope="module")
def events(gst_file: Path) -> ak.Array:
    return forefold.read(gst_file)


def test_against_genie(events: ak.Array, gst_file: Path) -> None:
    """GENIE's gst computes Q2, W, x and y off a nucleon at rest too, so Fermi motion makes no difference.

    Its nucleon mass is that of an older table: 6e-8 GeV away, which moves W by at most ``q0 dM / W`` and x by ``dM / M``.
    Q2 and y do not depend on it: rounding only.
    """
    with uproot.open(gst_file) as file:
        theirs = file["gst"].arrays(["Q2", "W", "x", "y", "cc"])
    cc = ak.to_numpy(theirs["cc"])
    assert cc.sum() == 225
    ours = observables(events)[cc]
    tolerances = {
        "q2": ("Q2", 1e-13),
        "w": ("W", 5e-7),
        "bjorken_x": ("x", 1e-7),
        "bjorken_y": ("y", 1e-14),
    }
    for name, (branch, tolerance) in tolerances.items():
        np.testing.assert_array_equal(ours[f"{name}_reason_true"], 0)
        np.testing.assert_allclose(ours[f"{name}_true"], theirs[branch][cc], rtol=0, atol=tolerance)


def test_against_nuisance(data: Path) -> None:
    """NUISANCE's flat tree of the same GENIE events: QE energy at 34 MeV, transfer, imbalance (MeV), topology, MINERvA's available energy.

    It writes 32-bit floats: 6e-8 of a value, and as much of its inputs. Charm baryons are `OTHER` here, 0 pi there; none of
    these events has one, nor an electron pair that it takes for the lepton.
    """
    theirs = np.genfromtxt(data / "nuisance_numu_Ar40_3k_tenth.csv", delimiter=",", names=True)
    ours = observables(forefold.read(forefold.sample())[theirs["entry"].astype(int)])
    pairs = {"energy_qe": "Enu_QE", "q2_qe": "Q2_QE", "q2": "Q2", "q0": "q0", "q3": "q3"}
    for name, branch in pairs.items():
        # differences of products as large as 2 E^2 lose digits
        error = np.abs(ours[f"{name}_true"].to_numpy() - theirs[branch])
        assert (error < 1.2e-7 * 2.0 * (1.0 + ours.enu_true.to_numpy() ** 2)).all(), name
    proton = ours.delta_pt_reason_true.to_numpy() == 0
    np.testing.assert_array_equal(proton, theirs["dpt"] > -1.0)
    units = {
        "delta_pt": ("dpt", 1e-3),
        "delta_alpha_t": ("dalphat", 1.0),
        "delta_phi_t": ("dphit", 1.0),
    }
    for name, (branch, unit) in units.items():
        found, wanted = ours[f"{name}_true"].to_numpy()[proton], theirs[branch][proton] * unit
        np.testing.assert_allclose(found, wanted, rtol=2e-7, atol=2e-7)
    # kinetic energies of sums of some 10 particles of 1 GeV, from momenta of 32 bits
    available, recoil = ours.available_energy_true.to_numpy(), theirs["Erecoil_minerva"]
    np.testing.assert_allclose(available, recoil, rtol=2e-6, atol=2e-6)
    for topology, flag in enumerate(("flagCC0pi", "flagCC1pip", "flagCC1pim", "flagCC1pi0")):
        np.testing.assert_array_equal(ours.topology_true.to_numpy() == topology, theirs[flag] == 1)


def test_against_smear(events: ak.Array) -> None:
    smeared = forefold.smear(events, "nusmear-dune-cdr", rng=1)
    table = observables(events, smeared)
    np.testing.assert_array_equal(table.visible_energy_reco, smeared.visible_energy_reco)
    rest = table.hadronic_energy_reco + np.nan_to_num(table.lepton_energy_reco)
    np.testing.assert_allclose(rest, smeared.visible_energy_reco, rtol=1e-14)
    # smear takes the masses of the record by another formula
    np.testing.assert_allclose(table.visible_energy_true, smeared.visible_energy_true, atol=1e-13)
    np.testing.assert_array_equal(table.n_particles_true, smeared.n_particles)
    np.testing.assert_array_equal(table.n_particles_reco, smeared.n_detected)
    seen = forefold.reconstructed(smeared)
    muon = seen[seen.pdgid == 13]
    first = ak.max(np.sqrt(muon.px**2 + muon.py**2 + muon.pz**2), axis=1)
    np.testing.assert_allclose(
        table.lepton_momentum_reco, ak.to_numpy(ak.fill_none(first, np.nan)), rtol=1e-14
    )


def test_a_perfect_detector_reconstructs_what_does_not_need_the_neutrino(events: ak.Array) -> None:
    charged = events[ak.to_numpy(ak.fill_none(events.cc, False))]
    table = observables(charged, perfect(charged))
    for name in OBSERVABLES:
        if name in (
            "enu",
            "q2",
            "w",
            "q0",
            "q3",
            "bjorken_x",
            "bjorken_y",
            "missing_energy",
            "n_particles",
        ):
            continue  # they need the neutrino, or count nuclei
        np.testing.assert_allclose(table[f"{name}_reco"], table[f"{name}_true"], atol=1e-12)


def rotation(seed: int) -> NDArray[np.float64]:
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return np.asarray(q * np.linalg.det(q), dtype=np.float64)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_depends_on_the_frame(events: ak.Array, seed: int) -> None:
    """Turn beam and particles together."""
    turn = rotation(seed)
    particles, probe = events.particles, events.probe_momentum

    def turned(p: ak.Array) -> list[Any]:
        return [turn[i, 0] * p.px + turn[i, 1] * p.py + turn[i, 2] * p.pz for i in range(3)]

    x, y, z = turned(particles)
    other = build(
        pdgid=particles.pdgid, px=x, py=y, pz=z, energy=particles.energy, cc=ak.to_numpy(events.cc),
        probe=ak.to_numpy(events.probe),
        probe_momentum=[*(ak.to_numpy(c) for c in turned(probe)), ak.to_numpy(probe.energy)],
    )  # fmt: skip
    before, after = observables(events), observables(other)
    assert before.fields == after.fields
    for name in before.fields[4:]:
        # angles are ill-conditioned where a transverse momentum is small; W at its threshold
        np.testing.assert_allclose(after[name], before[name], rtol=1e-7, atol=1e-9, err_msg=name)


def test_rows_do_not_depend_on_each_other(events: ak.Array) -> None:
    order = np.random.default_rng(5).permutation(300)
    whole, mixed = observables(events), observables(events[order])
    for name in whole.fields:
        np.testing.assert_array_equal(mixed[name], whole[name].to_numpy()[order])


def test_columns_and_choice(events: ak.Array) -> None:
    table = observables(events, names=["w", "n_p", "topology", "w"])
    assert table.fields[4:] == ["w_true", "w_reason_true", "n_p_true", "topology_true"]
    assert observables(events, names="q2").fields[4:] == ["q2_true", "q2_reason_true"]
    everything = observables(events, forefold.smear(events, "nusmear-default", rng=1))
    for name in OBSERVABLES:
        assert f"{name}_true" in everything.fields
        assert f"{name}_reco" in everything.fields
    for name in everything.fields:
        if "_reason_" in name:
            value = everything[name.replace("_reason", "")].to_numpy()
            np.testing.assert_array_equal(np.isnan(value), everything[name].to_numpy() != 0)


def test_no_events_at_all(events: ak.Array) -> None:
    none = events[:0]
    table = observables(none, forefold.smear(none, "nusmear-default", rng=1))
    assert len(table) == 0
    assert (
        table.fields == observables(events, forefold.smear(events, "nusmear-default", rng=1)).fields
    )


def test_wrong_input(events: ak.Array) -> None:
    smeared = forefold.smear(events, "nusmear-default", rng=1)
    with pytest.raises(ValueError, match="unknown observable 'q22' \\(did you mean 'q2'"):
        observables(events, names=["q22"])
    with pytest.raises(ValueError, match="the 299 smeared events are not made from these 300"):
        observables(events, smeared[1:])
    with pytest.raises(ValueError, match="same order"):
        observables(events, smeared[::-1])
    with pytest.raises(ValueError, match="these are not smeared events"):
        observables(events, events)
    with pytest.raises(ValueError, match="binding_energy = -1"):
        observables(events, binding_energy=-1.0)
    with pytest.raises(ValueError, match="the threshold of p = nan"):
        observables(events, thresholds={"p": math.nan})
    with pytest.raises(ValueError, match="unknown particle"):
        observables(events, thresholds={"protn": 0.1})


MISTAKEN = """schema = 1
name = "mistaken"
title = "protons are taken for pi+, muons for electrons"
extends = "perfect"
sources = { mine = "a test" }
[[identification]]
particles = ["p"]
row = [{ as = "pi+", probability = 1.0 }]
keep = "momentum"
source = "mine"
[[identification]]
particles = ["mu-"]
row = [{ as = "e-", probability = 1.0 }]
keep = "momentum"
source = "mine"
"""


def test_what_is_taken_for_another_is_that_in_all_that_is_reconstructed(tmp_path: Path) -> None:
    card = tmp_path / "mistaken.toml"
    card.write_text(MISTAKEN)
    mass = forefold.particles.mass
    toy = build(
        pdgid=[[13, 2212]], px=[[0.3, 0.0]], py=0.0, pz=[[0.4, 0.6]],
        energy=[[math.hypot(0.5, mass(13)), math.hypot(0.6, mass(2212))]],
        probe=14, probe_momentum=(0.0, 0.0, 2.0, 2.0), cc=[True], nc=[False],
    )  # fmt: skip
    electron, pion = math.hypot(0.5, mass(11)), math.hypot(0.6, mass(211))
    wanted = {
        "n_e": 1, "n_mu": 0, "n_p": 0, "n_pip": 1, "n_pi": 1, "topology": 1, "p_e": 0.5, "p_pi": 0.6,
        "pion_momentum": 0.6, "pion_cos_theta": 1.0, "visible_energy": electron + pion,
        "available_energy": electron + pion - mass(211), "hadronic_energy": electron + pion,
    }  # fmt: skip
    found = observables(toy, forefold.smear(toy, card, rng=1))[0]
    for name, value in wanted.items():
        assert found[f"{name}_reco"] == pytest.approx(value, rel=1e-9), name
        reco = {name: [value - 1e-6, value + 1e-6]}
        matrix = forefold.ResponseMatrix.from_events(toy, card, true="enu=0:4:1", reco=reco, rng=1)
        assert matrix.matrix.tolist() == [[1.0]], name
    assert (found.n_mu_true, found.n_p_true, found.topology_true) == (1, 1, 0)
    assert math.isnan(found.lepton_momentum_reco)  # no muon is seen
    assert math.isnan(found.proton_momentum_reco)
