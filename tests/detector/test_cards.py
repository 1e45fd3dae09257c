"""The cards of the library: each against the numbers of its source, typed in again, with a tolerance of five sigma.

With a fixed generator nothing is left to chance; were it not, a check would fail without cause once in a million.
"""

from __future__ import annotations

from math import exp, hypot, log, pi, sqrt

import awkward as ak
import numpy as np
import pytest
from shots import Shots, pull, shoot

import forefold
from forefold.detector.load import card_source

N = 100_000
PROTON, NEUTRON, MUON, PION, ELECTRON = 0.938272, 0.939565, 0.105658, 0.139570, 0.000510999
Z = (0.0, 0.0, 1.0)
X = (1.0, 0.0, 0.0)
CUT = sqrt(1 - 6 * exp(-4.5) / sqrt(2 * pi) / 0.9973002)
"""Standard deviation of a normal distribution that is cut at 3 sigma."""


def seen(shots: Shots, probability: float) -> bool:
    """Within five sigma of the binomial distribution, and exact at 0 and 1."""
    error = sqrt(probability * (1 - probability) / N)
    return abs(shots.seen - probability) <= 5 * error


def kinetic(momentum: float, mass: float) -> float:
    return hypot(momentum, mass) - mass


def go(card: str, particle: str, energy: float, direction: tuple[float, float, float] = X) -> Shots:
    return shoot(forefold.load_card(card), particle, kinetic=energy, direction=direction)


@pytest.mark.parametrize("name", forefold.cards())
def test_the_packaged_sample_goes_through_every_card(name: str) -> None:
    card = forefold.load_card(name)
    assert card.description, "a card says what it is"
    convention = {rule.angle.convention for rule in card.rules} - {"none"}
    if convention and "extends = " not in card_source(name):
        assert "angle" in card.description.lower(), "and what its angles mean"
    events = forefold.read(forefold.sample())[:500]
    smeared = forefold.smear(events, card, rng=1)
    total = ak.sum(smeared.n_detected) + ak.sum(smeared.n_lost) + ak.sum(smeared.n_not_smeared)
    assert total == ak.sum(smeared.n_particles) == ak.sum(ak.num(smeared.particles))
    energy = ak.drop_none(ak.flatten(smeared.particles.energy_reco))
    assert np.isfinite(ak.to_numpy(energy)).all()


def test_perfect_and_zero_efficiency() -> None:
    shots = go("perfect", "p", 0.3)
    assert shots.seen == 1
    assert np.allclose(shots.kinetic, 0.3, rtol=1e-12)
    assert np.allclose(shots.space, 0, atol=1e-6)
    assert go("zero-efficiency", "mu-", 10.0).seen == 0


def test_dune_cdr() -> None:
    """Arxiv:1512.06148, the table of the Fast MC."""
    name = "dune-cdr-fastmc"
    shots = go(name, "e-", 2.0 - ELECTRON)
    assert seen(shots, 1)
    assert pull(shots.energy, mean=2.0, width=2.0 * hypot(0.02, 0.15 / sqrt(2.0))) < 5
    assert pull(shots.polar, mean=90.0, width=1.0) < 5
    shots = go(name, "p", 0.3)
    assert pull(shots.kinetic, mean=0.3, width=0.3 * hypot(0.05, 0.30 / sqrt(0.3))) < 5
    assert pull(shots.polar, mean=90.0, width=5.0) < 5
    shots = go(name, "p", 0.06)  # 0.341 GeV/c
    assert pull(shots.kinetic, mean=0.06, width=0.006) < 5
    shots = go(name, "n", 0.3)  # 0.808 GeV/c
    assert seen(shots, 0.9)
    assert pull(shots.kinetic, mean=0.6 * 0.3, width=0.6 * 0.40 * sqrt(0.3)) < 5
    assert seen(go(name, "n", 0.6), 1)
    shots = go(name, "K+", 1.0 - 0.493677)
    assert pull(shots.energy, mean=1.0, width=hypot(0.05, 0.30)) < 5


@pytest.mark.parametrize(
    ("particle", "threshold"),
    [("mu-", 0.03), ("pi+", 0.1), ("e+", 0.03), ("gamma", 0.03), ("p", 0.05), ("n", 0.05)],
)
def test_dune_thresholds(particle: str, threshold: float) -> None:
    assert go("dune-cdr-fastmc", particle, threshold * 0.999).seen == 0
    assert go("dune-cdr-fastmc", particle, threshold * 1.001).seen > 0.89


def test_dune_tracks_that_leave() -> None:
    """A muon of 1 GeV goes 441.5 cm (PDG): inside from vertices below 2530 - 441.5 of 100 to 2280 cm, along z."""
    inside = (2530 - 441.5 - 100) / 2180
    p = sqrt(1.0 * (1.0 + 2 * MUON))
    shots = go("dune-cdr-fastmc", "mu-", 1.0, Z)
    assert (
        pull(shots.momentum, mean=p, width=p * sqrt(inside * 0.05**2 + (1 - inside) * 0.3**2)) < 5
    )
    shots = go("dune-cdr-fastmc", "mu-", 10.0, X)  # over 40 m
    p = sqrt(10.0 * (10.0 + 2 * MUON))
    assert pull(shots.momentum, mean=p, width=0.3 * p) < 5
    from forefold.detector.materials.ranges import csda_range

    stops = exp(-float(csda_range(0.2, 211)) / (149.0 / 1.396))
    p = sqrt(0.2 * (0.2 + 2 * PION))
    shots = go("dune-cdr-fastmc", "pi+", 0.2, Z)
    assert pull(shots.momentum, mean=p, width=p * sqrt(stops * 0.05**2 + (1 - stops) * 0.3**2)) < 5


def test_fast_mc_far_detector() -> None:
    """data.xml, LAr_1: mupm, pipm, pi0, n."""
    name = "dune-fastmc-fd"
    for particle, mass, p, width in (
        ("mu-", MUON, 2.0, hypot(0.01, 0.05 / sqrt(2.0))),
        ("mu+", MUON, 6.0, hypot(0.05, 0.30 / sqrt(6.0))),
        ("pi-", PION, 0.4, hypot(0.01, 0.05 / sqrt(0.4))),
        ("pi+", PION, 1.5, hypot(0.05, 0.30 / sqrt(1.5))),
    ):
        shots = go(name, particle, kinetic(p, mass))
        assert pull(shots.momentum, mean=p, width=p * width) < 5, particle
    shots = go(name, "pi0", 1.0 - 0.1349768)
    assert pull(shots.energy, mean=1.0, width=hypot(0.028, 0.28)) < 5
    assert pull(shots.polar, mean=90.0, width=3.0) < 5
    assert go(name, "pi0", 0.0419).seen == 0
    assert seen(go(name, "pi0", 0.0421), 1)
    for energy, p_low in ((0.3, 0.50), (0.6, 0.40)):
        shots = go(name, "n", energy)
        assert pull(shots.kinetic, mean=0.6 * energy, width=0.6 * p_low * sqrt(energy)) < 5


def test_fast_mc_near_detector() -> None:
    """data.xml, STT_1."""
    name = "dune-fastmc-nd"
    for particle, threshold in (("mu-", 0.2), ("e-", 0.05), ("pi+", 0.05), ("p", 0.08)):
        assert go(name, particle, threshold * 0.999).seen == 0
        shots = go(name, particle, threshold * 1.001)
        assert shots.seen == 1
        assert np.allclose(shots.kinetic, threshold * 1.001, rtol=1e-9)
    shots = go(name, "gamma", 2.0)
    assert pull(shots.energy, mean=2.0, width=0.06 * sqrt(2.0)) < 5
    shots = go(name, "n", 1.0)
    assert seen(shots, 0.1)
    assert pull(shots.kinetic, mean=0.5, width=0.25) < 5


def test_boosted_dark_matter() -> None:
    """Space angle |N(0, s)|, Gaussian cut at three widths, threshold on what is reconstructed."""
    name = "bdm-10kt"
    shots = go(name, "gamma", 2.0)
    width = 2.0 * hypot(0.02, 0.15 / sqrt(2.0))
    assert pull(shots.energy, mean=2.0, width=CUT * width) < 5
    assert np.abs(shots.energy - 2.0).max() <= 3 * width
    assert pull(shots.space, mean=sqrt(2 / pi), width=sqrt(1 - 2 / pi)) < 5
    shots = go(name, "p", 0.05)  # half of them are drawn above the threshold
    assert seen(shots, 0.5)
    assert shots.kinetic.min() > 0.05
    shots = go(name, "p", 0.3)
    assert pull(shots.space, mean=5 * sqrt(2 / pi), width=5 * sqrt(1 - 2 / pi)) < 5
    assert (shots.energy >= PROTON).all()
    shots = go(name, "mu-", 10.0)
    assert pull(shots.kinetic, mean=10.0, width=CUT * 3.0) < 5
    assert go(name, "K+", 5.0).seen == 0
    for particle, energy in (("p", 0.03), ("pi-", 0.05)):
        assert go(name, particle, energy).seen < 0.2
        assert go("bdm-10kt-optimistic", particle, energy).seen > 0.5


def test_sbn() -> None:
    """FillTrue.cxx: 2 %, -0.102 ln(0.000612 L), 5 %, 15 %/sqrt(E), 0.8, 6 %."""
    name = "sbn-pseudoreco"
    shots = go(name, "pi+", 0.4)
    assert seen(shots, 1)
    assert pull(shots.kinetic, mean=0.4, width=0.02) < 5
    assert go(name, "p", 0.0209).seen == 0
    shots = go(name, "e-", 1.0 - ELECTRON)
    assert seen(shots, 0.8)
    assert pull(shots.energy, mean=1.0, width=0.15) < 5
    assert seen(go(name, "gamma", 1.0), 0.8 * 0.06)
    assert go(name, "n", 1.0).seen == 0
    shots = go(name, "mu-", 0.2, Z)  # 76 cm: PDG 106.3 g/cm2
    assert seen(shots, 0.8)
    assert pull(shots.kinetic, mean=0.2, width=0.004) < 5
    assert go(name, "mu-", 0.14, Z).seen == 0  # 48 cm: PDG 67.3 g/cm2
    shots = go(name, "mu-", 3.0, Z)  # 13 m
    assert pull(shots.kinetic, mean=3.0, width=-3.0 * 0.102 * log(0.000612 * 250)) < 5


def test_super_kamiokande() -> None:
    """hep-ex/0501064."""
    for particle, mass, other, a, b, mistaken, angle in (
        ("e-", ELECTRON, 13, 0.006, 0.026, 0.008, 3.0),
        ("mu-", MUON, 11, 0.017, 0.007, 0.007, 1.8),
    ):
        p = 0.8
        shots = go("super-kamiokande", particle, kinetic(p, mass))
        assert seen(shots, 1)
        wrong = shots.pdgid == other
        assert abs(wrong.mean() - mistaken) < 5 * sqrt(mistaken / N)
        assert pull(shots.momentum[~wrong], mean=p, width=a * p + b * sqrt(p)) < 5
        inside = (shots.space[~wrong] < angle).mean()
        assert abs(inside - 0.68) < 5 * sqrt(0.68 * 0.32 / N) + 1e-4
        assert np.allclose(shots.mass[wrong], forefold.particles.mass(other))
    assert go("super-kamiokande", "e-", 0.05).seen < 1e-3
    assert go("super-kamiokande", "mu-", kinetic(0.18, MUON)).seen < 0.01  # as electrons


def test_juno() -> None:
    """arXiv:2405.17860: 2.95 % at 1 MeV; arXiv:2405.18008: 2.61 %, 0.64 %, 1.20 %."""
    shots = go("juno", "e-", 1e-3)
    assert shots.kinetic.std() / 1e-3 == pytest.approx(0.0295, abs=5 * 0.0295 / sqrt(2 * N) + 5e-5)
    visible = 3.0
    total = visible - 1e3 * ELECTRON
    width = visible * sqrt(0.0261**2 / visible + 0.0064**2 + (0.0120 / visible) ** 2)
    shots = go("juno", "e+", 1e-3 * total - ELECTRON)
    assert pull(1e3 * shots.energy, mean=total, width=width) < 5
    assert go("juno", "n", 0.1).seen == 0


def test_globes() -> None:
    """The manual: sigma(E) = a E + b sqrt(E) + c."""
    card = forefold.load_card("globes-sigma-e")
    shots = shoot(card, "e-", kinetic=4.0 - ELECTRON)
    assert pull(shots.energy, mean=4.0, width=0.15 * 2) < 5
    changed = card.with_parameters({"sigma_a": 0.05, "sigma_b": 0.1, "sigma_c": 0.02})
    shots = shoot(changed, "e-", kinetic=4.0 - ELECTRON)
    assert pull(shots.energy, mean=4.0, width=0.05 * 4 + 0.1 * 2 + 0.02) < 5
