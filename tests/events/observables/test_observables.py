"""Observables: closed forms on hand-made kinematics, invariances, GENIE's own numbers, reasons."""

from __future__ import annotations

import math
from typing import Any

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from perfect_detector import perfect

import forefold
from forefold.events import build
from forefold.events.observables import Reason, Topology, observables
from forefold.events.observables import formulas as f

MUON = 0.1056583755
P, N = f.PROTON_MASS, f.NEUTRON_MASS
EPSILON = np.finfo(float).eps


def event(
    particles: list[tuple[int, float, float, float, float]],
    *,
    probe: int = 14,
    beam: tuple[float, float, float] | None = (0.0, 0.0, 2.0),
    **more: Any,
) -> ak.Array:
    """One event of (pdgid, px, py, pz, mass)."""
    pdgid, px, py, pz, _ = (list(column) for column in zip(*particles, strict=True))
    energy = [math.sqrt(x * x + y * y + z * z + m * m) for _, x, y, z, m in particles]
    momentum = None if beam is None else (*beam, math.hypot(*beam))
    more = {"cc": [True], "nc": [False]} | more
    return build(
        pdgid=[pdgid], px=[px], py=[py], pz=[pz], energy=[energy],
        probe=probe, probe_momentum=momentum, **more,
    )  # fmt: skip


def row(table: ak.Array, index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = table[index].tolist()
    return found


def scattered(
    energy: float, cosine: float, phi: float, struck: float, made: float
) -> NDArray[np.float64]:
    """Lepton and nucleon of a two-body reaction off a nucleon at rest; rows of E, px, py, pz."""
    s = struck**2 + 2.0 * struck * energy
    total = math.sqrt(s)
    energy_l = (s + MUON**2 - made**2) / (2.0 * total)
    p = math.sqrt(energy_l**2 - MUON**2)
    sine = math.sqrt(1.0 - cosine**2)
    direction = np.array([sine * math.cos(phi), sine * math.sin(phi), cosine]) * p
    beta, gamma = energy / (energy + struck), (energy + struck) / total
    rows = []
    for e, (x, y, z) in ((energy_l, direction), (total - energy_l, -direction)):
        rows.append([gamma * (e + beta * z), x, y, gamma * (z + beta * e)])
    return np.array(rows)


@settings(max_examples=40)
@given(st.floats(0.2, 20.0), st.floats(-1.0, 1.0), st.floats(-math.pi, math.pi), st.booleans())
def test_quasielastic_off_a_free_nucleon_gives_the_energy_back(
    energy: float, cosine: float, phi: float, anti: bool
) -> None:
    struck, made = (P, N) if anti else (N, P)
    lepton, nucleon = scattered(energy, cosine, phi, struck, made)
    sign = -1 if anti else 1
    both = [[[one, other]] for one, other in zip(lepton, nucleon, strict=True)]
    toy = build(
        pdgid=[[sign * 13, 2112 if anti else 2212]],
        energy=both[0], px=both[1], py=both[2], pz=both[3],
        probe=sign * 14, probe_momentum=(0.0, 0.0, energy, energy), cc=[True],
    )  # fmt: skip
    found = row(observables(toy, perfect(toy), binding_energy=0.0))
    # rounding grows with the energy over the smallest denominator, M' - E_l + p_l cos(theta) > 0.1 M^2 / E
    limit = 1e3 * EPSILON * (1.0 + energy) ** 2
    for suffix in ("true", "reco"):
        assert found[f"energy_qe_{suffix}"] == pytest.approx(energy, rel=limit)
        assert found[f"q2_qe_{suffix}"] == pytest.approx(found["q2_true"], rel=limit, abs=limit)
    # Q^2 = 2 M q0 + M^2 - M'^2 for elastic recoil of a nucleon M' off M
    q0, q2 = found["q0_true"], found["q2_true"]
    assert q2 == pytest.approx(2.0 * struck * q0 + struck**2 - made**2, rel=limit, abs=limit)
    assert f.hadronic_mass(q0, q2, mass=struck) == pytest.approx(made, rel=limit)
    if anti:
        assert found["delta_pt_reason_true"] == Reason.NO_PROTON
    else:
        assert found["delta_pt_true"] < 1e-13 * (1.0 + energy)
        assert (
            found["delta_alpha_t_reason_true"] == Reason.UNPHYSICAL
        )  # nothing that could have a direction
        if 1e-3 < found["lepton_theta_true"] < math.pi - 1e-3:  # else no transverse momentum
            assert found["delta_phi_t_true"] < 1e-6


def test_binding_energy_enters_as_in_the_formula() -> None:
    toy = event([(13, 0.3, 0.0, 0.8, MUON)])
    energy = math.sqrt(0.73 + MUON**2)
    bound = N - 0.03
    wanted = (2 * bound * energy - (bound**2 + MUON**2 - P**2)) / (2 * (bound - energy + 0.8))
    found = row(observables(toy, binding_energy=0.03))
    assert found["energy_qe_true"] == pytest.approx(wanted, rel=1e-12)
    assert found["q2_qe_true"] == pytest.approx(2 * wanted * (energy - 0.8) - MUON**2, rel=1e-12)


def test_deep_inelastic_closed_forms() -> None:
    """Integers: k = 4, lepton (E 2, pz 1, pT sqrt 3) without mass."""
    toy = event([(13, math.sqrt(3.0), 0.0, 1.0, 0.0)], beam=(0.0, 0.0, 4.0))
    found = row(observables(toy))
    assert found["q0_true"] == pytest.approx(2.0)
    assert found["q3_true"] == pytest.approx(math.sqrt(9.0 + 3.0))
    assert found["q2_true"] == pytest.approx(8.0)
    mass = f.NUCLEON_MASS
    assert found["bjorken_x_true"] == pytest.approx(8.0 / (4.0 * mass))
    assert found["bjorken_y_true"] == pytest.approx(0.5)
    assert found["w_reason_true"] == Reason.UNPHYSICAL  # M^2 + 4 M - 8 < 0
    assert math.isnan(found["w_true"])
    assert found["lepton_theta_true"] == pytest.approx(math.pi / 3)


@pytest.mark.parametrize(
    ("proton", "delta_pt", "alpha", "phi"),
    [
        # the lepton has pT = (0.3, 0)
        ((-0.3, 0.4), 0.4, math.pi / 2, math.atan2(0.4, 0.3)),
        ((-0.5, 0.0), 0.2, 0.0, 0.0),
        ((-0.1, 0.0), 0.2, math.pi, 0.0),
        ((0.3, 0.0), 0.6, math.pi, math.pi),
        ((0.0, 0.3), 0.3 * math.sqrt(2.0), 3 * math.pi / 4, math.pi / 2),
        ((0.0, -0.3), 0.3 * math.sqrt(2.0), 3 * math.pi / 4, math.pi / 2),
        ((-0.3, 0.0), 0.0, None, 0.0),
    ],
)
def test_transverse_imbalance(
    proton: tuple[float, float], delta_pt: float, alpha: float | None, phi: float
) -> None:
    toy = event([(13, 0.3, 0.0, 1.0, MUON), (2212, *proton, 0.5, P), (2112, 5.0, 5.0, 5.0, N)])
    found = row(observables(toy, perfect(toy, blind=(2112,))))
    for suffix in ("true", "reco"):
        assert found[f"delta_pt_{suffix}"] == pytest.approx(delta_pt, abs=1e-15)
        assert found[f"delta_phi_t_{suffix}"] == pytest.approx(phi, abs=1e-15)
        if alpha is None:
            assert found[f"delta_alpha_t_reason_{suffix}"] == Reason.UNPHYSICAL
        else:
            assert found[f"delta_alpha_t_{suffix}"] == pytest.approx(alpha, abs=1e-14)


def test_the_leading_proton_and_the_leading_lepton_of_the_flavour_are_taken() -> None:
    particles = [
        (13, 0.1, 0.0, 0.2, MUON),
        (2212, -0.1, 0.0, 0.1, P),
        (11, 3.0, 0.0, 9.0, 0.0005),
        (-13, 3.0, 0.0, 8.0, MUON),
        (13, 0.3, 0.0, 1.0, MUON),
        (2212, -0.3, 0.0, 0.6, P),
    ]
    found = row(observables(event(particles)))
    assert found["lepton_momentum_true"] == pytest.approx(math.hypot(0.3, 1.0))
    assert found["proton_momentum_true"] == pytest.approx(math.hypot(0.3, 0.6))
    assert found["delta_pt_true"] == pytest.approx(0.0, abs=1e-15)
    found = row(observables(event(particles), thresholds={"p": 0.7}))
    assert found["delta_pt_reason_true"] == Reason.NO_PROTON
    assert found["n_p_true"] == 0
    found = row(observables(event(particles, probe=-14)))
    assert found["lepton_momentum_true"] == pytest.approx(math.hypot(3.0, 8.0))
    found = row(observables(event(particles, probe=12)))
    assert found["lepton_momentum_true"] == pytest.approx(math.hypot(3.0, 9.0))


def test_sums_of_what_is_visible() -> None:
    toy = event(
        [
            (13, 0.3, 0.0, 1.0, MUON),
            (2212, 0.0, 0.4, 0.0, P),
            (211, 0.0, 0.0, 0.5, 0.13957039),
            (14, 7.0, 7.0, 7.0, 0.0),
            (1000180400, 7.0, 0.0, 0.0, 37.2),
            (2000000101, 7.0, 0.0, 0.0, 0.0),
        ]
    )
    found = row(observables(toy, perfect(toy, blind=(14, 211, 1000180400, 2000000101))))
    muon, proton = math.sqrt(1.09 + MUON**2), math.sqrt(0.16 + P**2) - P
    pion = math.sqrt(0.25 + 0.13957039**2)
    assert found["visible_energy_true"] == pytest.approx(muon + proton + pion, rel=1e-12)
    assert found["visible_energy_reco"] == pytest.approx(muon + proton, rel=1e-12)
    assert found["enu_true"] == 2.0
    assert found["enu_reco"] == found["visible_energy_reco"]
    assert found["missing_pt_true"] == pytest.approx(0.5)
    assert found["missing_pt_reco"] == pytest.approx(0.5)
    assert found["missing_energy_true"] == pytest.approx(2.0 - found["visible_energy_true"])
    assert found["missing_energy_reason_reco"] == Reason.PROBE_ENERGY
    assert found["q0_reco"] == pytest.approx(proton, rel=1e-12)
    assert (found["n_particles_true"], found["n_particles_reco"]) == (6, 2)
    assert (found["n_pip_true"], found["n_pip_reco"]) == (1, 0)
    assert (found["topology_true"], found["topology_reco"]) == (
        Topology.ONE_PI_PLUS,
        Topology.ZERO_PI,
    )


def test_directions_of_lepton_proton_and_pion() -> None:
    toy = event(
        [
            (13, 0.3, 0.0, -0.4, MUON),
            (2212, 0.0, 0.6, 0.8, P),
            (2212, 0.0, 0.0, 0.9, P),
            (211, 0.0, 0.0, 0.2, 0.13957039),
            (111, 0.5, 0.0, 0.0, 0.1349768),
        ]
    )
    wanted = {
        "lepton_pt": 0.3, "lepton_pl": -0.4, "lepton_cos_theta": -0.8, "proton_momentum": 1.0, "proton_cos_theta": 0.8,
        "proton_theta": math.acos(0.8), "pion_momentum": 0.5, "pion_theta": math.pi / 2, "pion_cos_theta": 0.0,
        "p_mu": 0.5, "p_p": 1.0, "p_pip": 0.2, "p_pi0": 0.5, "p_pi": 0.5,
    }  # fmt: skip
    found = row(observables(toy, perfect(toy)))
    for name, value in wanted.items():
        for side in ("true", "reco"):
            assert found[f"{name}_{side}"] == pytest.approx(value, abs=1e-15), name
    assert found["p_pim_reason_true"] == Reason.NO_PARTICLE
    found = row(observables(toy, thresholds={"pi0": 0.6, "p": 2.0}))
    assert found["pion_momentum_true"] == pytest.approx(0.2)
    assert found["proton_theta_reason_true"] == Reason.NO_PROTON


def test_available_and_hadronic_energy() -> None:
    """The electron is the lepton of the second event alone; neutrons, kaons and the lepton are not available."""
    m, pi = {"pi": 0.13957039, "k": 0.493677}, 0.1349768
    particles = [
        (13, 0.3, 0.0, 0.4, MUON), (11, 0.0, 0.0, 0.7, 0.0), (2212, 0.0, 0.4, 0.0, P), (2112, 0.0, 0.0, 0.5, N),
        (211, 0.0, 0.0, 0.5, m["pi"]), (-211, 0.0, 0.1, 0.0, m["pi"]), (111, 0.2, 0.0, 0.0, pi), (22, 0.0, 0.0, 0.11, 0.0),
        (321, 0.0, 0.6, 0.0, m["k"]), (14, 0.0, 0.0, 0.9, 0.0), (1000180400, 0.1, 0.0, 0.0, 37.2),
    ]  # fmt: skip
    kinetic = math.hypot(0.4, P) - P + math.hypot(0.5, m["pi"]) + math.hypot(0.1, m["pi"])
    common = kinetic - 2 * m["pi"] + math.hypot(0.2, pi) + 0.11
    hadrons = common + 2 * m["pi"] + math.hypot(0.5, N) - N + math.hypot(0.6, m["k"])
    muon = math.hypot(0.5, MUON)
    for probe, electron, lepton in ((14, 0.7, muon), (12, 0.0, 0.7)):
        toy = event(particles, probe=probe)
        found = row(observables(toy, perfect(toy)))
        rest = muon if probe == 12 else 0.7
        for side in ("true", "reco"):
            assert found[f"available_energy_{side}"] == pytest.approx(common + electron, rel=1e-13)
            assert found[f"hadronic_energy_{side}"] == pytest.approx(hadrons + rest, rel=1e-13)
            assert found[f"visible_energy_{side}"] == pytest.approx(
                hadrons + rest + lepton, rel=1e-13
            )
    neutral = event([(14, 0.0, 0.0, 1.0, 0.0), (13, 0.0, 0.0, 0.5, MUON)], cc=[False], nc=[True])
    # a muon of a neutral-current event is not the lepton
    assert row(observables(neutral))["hadronic_energy_true"] == pytest.approx(muon)


@pytest.mark.parametrize(
    ("pdgid", "topology"),
    [
        ([13, 2212, 2112, 22, 1000180400, -2212], Topology.ZERO_PI),
        ([13, 211], Topology.ONE_PI_PLUS),
        ([13, -211], Topology.ONE_PI_MINUS),
        ([13, 111, 2212], Topology.ONE_PI_ZERO),
        ([13, 111, 111], Topology.MULTI_PI),
        ([13, 211, -211], Topology.MULTI_PI),
        ([13, 321], Topology.OTHER),
        ([13, 211, 3122], Topology.OTHER),
        ([13, 221], Topology.OTHER),
    ],
)
def test_topology(pdgid: list[int], topology: Topology) -> None:
    toy = event([(pdg, 0.0, 0.0, 0.3, 0.1) for pdg in pdgid])
    assert row(observables(toy))["topology_true"] == topology


def test_a_pion_below_the_threshold_does_not_count() -> None:
    toy = event([(13, 0.0, 0.0, 1.0, MUON), (211, 0.0, 0.05, 0.05, 0.13957)])
    assert row(observables(toy, thresholds={"pi+": 0.1}))["topology_true"] == Topology.ZERO_PI
    assert row(observables(toy, thresholds={"pi+": 0.07}))["topology_true"] == Topology.ONE_PI_PLUS


@pytest.mark.parametrize(
    ("toy", "name", "true", "reco"),
    [
        (event([(14, 0, 0, 1.0, 0.0)], cc=[False], nc=[True]), "q2", "NOT_CHARGED_CURRENT", "NO_LEPTON"),
        (event([(2212, 0, 0.1, 1.0, P)], cc=None), "q2", "NO_LEPTON", "NO_LEPTON"),
        (event([(13, 0, 0.1, 1.0, MUON)], cc=None), "q2", "DEFINED", "DEFINED"),
        (event([(13, 0, 0.1, 1.0, MUON)]), "bjorken_x", "DEFINED", "UNPHYSICAL"),
        (event([(13, 0, 0.1, 1.0, MUON)]), "delta_pt", "NO_PROTON", "NO_PROTON"),
        (event([(13, 0, 0.1, 1.0, MUON)]), "proton_momentum", "NO_PROTON", "NO_PROTON"),
        (event([(13, 0, 0.1, 1.0, MUON)], beam=None), "q2", "NO_PROBE", "NO_PROBE"),
        (event([(13, 0, 0.1, 1.0, MUON)], beam=None), "missing_pt", "NO_PROBE", "NO_PROBE"),
        (event([(13, 0, 0.1, 1.0, MUON)], beam=None), "lepton_momentum", "DEFINED", "DEFINED"),
        (event([(13, 0, 0.0, -9.0, MUON)]), "energy_qe", "UNPHYSICAL", "UNPHYSICAL"),
        (event([(11, 0, 0.1, 1.0, 0.0)], probe=11, cc=[False]), "missing_energy", "DEFINED", "DEFINED"),
        (event([(11, 0, 0.1, 1.0, 0.0)], probe=11, cc=[False]), "q2", "DEFINED", "DEFINED"),
    ],
)  # fmt: skip
def test_reasons(toy: ak.Array, name: str, true: str, reco: str) -> None:
    found = row(observables(toy, perfect(toy)))
    for suffix, reason in (("true", true), ("reco", reco)):
        assert Reason(found[f"{name}_reason_{suffix}"]).name == reason
        assert math.isnan(found[f"{name}_{suffix}"]) == (reason != "DEFINED")


def test_a_known_beam_energy_is_used_in_the_reconstruction() -> None:
    toy = event([(11, 0.3, 0.0, 1.0, 0.0), (2212, -0.3, 0.1, 0.9, P)], probe=11, cc=[False])
    found = row(observables(toy, perfect(toy)))
    for name in ("enu", "q2", "q0", "w", "energy_qe", "delta_pt", "missing_energy"):
        assert found[f"{name}_reco"] == pytest.approx(found[f"{name}_true"], rel=1e-12)


def test_an_off_shell_nucleon_takes_the_mass_of_the_table() -> None:
    toy = build(
        pdgid=[[13, 2212]], px=0.0, py=0.0, pz=[[1.0, 1.0]], energy=[[1.1, 0.99]],
        probe=14, probe_momentum=(0.0, 0.0, 2.0, 2.0), cc=[True],
    )  # fmt: skip
    found = row(observables(toy))
    assert found["visible_energy_true"] == pytest.approx(1.1 + 0.99 - forefold.particles.mass(2212))
