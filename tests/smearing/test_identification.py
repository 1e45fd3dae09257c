"""Identification: confusion against its table, and what a mistaken particle is from then on.

A chi-square fails below 1e-4; with another rng that is the chance of a false alarm of each of the six.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from gun import KEPT, MASS, card, flat, gun, rule, shoot
from numpy.typing import NDArray
from scipy import stats

import forefold
from forefold import Fate
from forefold.detector.compile import compile_card
from forefold.events import particles as species
from forefold.kernels.layout import TrueParticles
from forefold.smearing.engine import smear_particles

ALARM = 1e-4
KINDS = {13: "mu-", -211: "pi-", 2212: "p"}
TABLE = {13: (0.90, 0.06, 0.01), -211: (0.15, 0.70, 0.05), 2212: (0.001, 0.099, 0.90)}
MUON = 'energy = { of = "momentum", distribution = "none", scale = 1.01 }'
PION = 'energy = { of = "kinetic", distribution = "none", scale = 1.02 }'
PROTON = 'energy = { of = "total", distribution = "none", scale = 1.03 }'
RULES = (
    rule(MUON, KEPT, "efficiency = 0.8", name="mu", type="mu", particles='["mu-"]'),
    rule(PION, KEPT, name="pi", type="pi", particles='["pi-"]'),
    rule(PROTON, KEPT, name="p", type="p", particles='["p"]'),
    rule(name="rest", type="rest"),
)


def block(particle: str, row: dict[str, float | str], keep: str = "momentum") -> str:
    """One block of a card."""
    entries = ", ".join(
        f'{{ as = "{name}", probability = {p if isinstance(p, float) else repr(p)} }}'
        for name, p in row.items()
    )
    return f'[[identification]]\nparticles = ["{particle}"]\nsource = "test"\nkeep = "{keep}"\nrow = [{entries}]\n'


CONFUSION = "\n".join(
    block(KINDS[true], dict(zip(KINDS.values(), TABLE[true], strict=True))) for true in KINDS
)


def many(
    pdgid: int, n: int, p: float
) -> tuple[TrueParticles, NDArray[np.int64], NDArray[np.uint16]]:
    """Particles along the axis, without the events around them."""
    zeros, index = np.zeros(n), np.arange(n, dtype=np.uint64)
    return (
        TrueParticles(
            np.full(n, 7, np.uint64), index, np.zeros(n, np.uint64), np.zeros(n, np.int64), zeros, zeros,
            np.full(n, p), np.full(n, math.hypot(p, MASS[pdgid])), np.zeros(n, np.int64), np.array([[0.0, 0.0, 1.0]]),
        ),
        np.array([pdgid]),
        np.zeros(n, np.uint16),
    )  # fmt: skip


@pytest.mark.parametrize("true", KINDS)
def test_confusion(true: int) -> None:
    """A million of each: the table, the assumed mass and rule of each, and lost + kept = all."""
    n, p = 1_000_000, 0.7
    passed = smear_particles(*many(true, n, p), compile_card(card(*RULES, head=CONFUSION)))
    fate, taken = passed.out.fate, passed.pdgid
    unidentified = (fate & int(Fate.UNIDENTIFIED)) != 0
    counts = [int(((taken == kind) & ~unidentified).sum()) for kind in KINDS]
    counts.append(int(unidentified.sum()))
    expected = n * np.array([*TABLE[true], 1 - sum(TABLE[true])])
    some = expected > 0.5
    assert all(np.array(counts)[~some] == 0)
    test = stats.chisquare(np.array(counts)[some], expected[some])
    print(
        f"{KINDS[true]:>4}",
        counts,
        f"chi2 {test.statistic:.2f}/{some.sum() - 1}, p {test.pvalue:.3f}",
    )
    assert test.pvalue > ALARM
    assert sum(counts) == n
    outcomes = [Fate.DETECTED, Fate.INEFFICIENCY, Fate.UNIDENTIFIED]
    assert sum(int(((fate & int(o)) != 0).sum()) for o in outcomes) == n
    wrong = (taken != true) & ~unidentified
    assert np.array_equal(wrong, (fate & int(Fate.MISIDENTIFIED)) != 0)
    detected = (fate & int(Fate.DETECTED)) != 0
    escaped = (taken == 13) & ~detected & ~unidentified
    assert abs(escaped.sum() / max(counts[0], 1) - 0.2) < 4.5 * math.sqrt(0.16 / max(counts[0], 1))
    for k, kind in enumerate(KINDS):
        these = detected & (taken == kind)
        mass = MASS[kind]
        energy = {
            13: math.hypot(1.01 * p, mass),
            -211: 1.02 * (math.hypot(p, mass) - mass) + mass,
            2212: 1.03 * math.hypot(p, mass),
        }[kind]
        # the rule of what it is taken for, with that one's mass and the true momentum
        assert np.all(passed.out.rule[these] == k)
        assert np.allclose(passed.out.mass[these], mass, rtol=1e-8)
        assert np.allclose(passed.out.energy_reco[these], energy, rtol=1e-8)
        shell = passed.out.energy_reco[these] ** 2 - passed.out.pz_reco[these] ** 2
        assert np.allclose(shell, passed.out.mass[these] ** 2, rtol=1e-9, atol=1e-12)
    assert np.allclose(passed.mass_true, MASS[true], rtol=1e-6)


@pytest.mark.parametrize("keep", ["momentum", "kinetic", "total"])
def test_keep(keep: str) -> None:
    """A pion that is taken for a proton has the pion's momentum, kinetic or total energy."""
    p, pion, proton = 1.5, MASS[-211], MASS[2212]
    detector = card(head=block("pi-", {"p": 1.0}, keep))
    columns = shoot(detector, gun(-211, 3, p=p, theta=0.5))
    true = math.hypot(p, pion)
    energy = {"momentum": math.hypot(p, proton), "kinetic": true - pion + proton, "total": true}[
        keep
    ]
    assert np.allclose(columns["energy_reco"], energy)
    assert np.allclose(columns["mass"], proton)
    momentum = np.hypot(columns["px_reco"], columns["pz_reco"])
    assert np.allclose(momentum**2, energy**2 - proton**2)
    assert np.allclose(columns["theta_reco"], 0.5)
    assert np.all(columns["pdgid"] == -211)
    assert np.all(columns["pdgid_reco"] == 2212)
    assert np.allclose(columns["energy_true"], true)


def test_too_little_energy_for_what_it_is_taken_for() -> None:
    """With the total energy kept, a slow pion has less than a proton's mass: at rest, and flagged."""
    columns = shoot(card(head=block("pi-", {"p": 1.0}, "total")), gun(-211, 3, p=0.2))
    assert np.all(columns["fate"] & int(Fate.ENERGY_BELOW_MASS))
    assert np.all(columns["pz_reco"] == 0.0)


@pytest.mark.parametrize(("pdgid", "expected"), [(13, -13), (-211, 211), (22, 22), (2212, -2212)])
def test_antiparticle(pdgid: int, expected: int) -> None:
    """The charge may be mistaken; what is its own antiparticle cannot be."""
    detector = card(head=block("other", {"antiparticle": 1.0}))
    columns = shoot(detector, gun(pdgid, 3))
    assert np.all(columns["pdgid_reco"] == expected)
    wrong = (columns["fate"] & int(Fate.MISIDENTIFIED)) != 0
    assert np.all(wrong == (expected != pdgid))


def test_probabilities_by_formula() -> None:
    """Of the true particle: mu-/pi- confusion that falls with momentum, and charge confusion of its own."""
    row: dict[str, float | str] = {"same": "0.9 - 0.4 / p", "pi-": "0.3 / p", "antiparticle": 0.05}
    n = 20_000
    for p in (1.0, 4.0):
        columns = shoot(card(head=block("mu-", row)), gun(13, n, p=p), rng=int(p))
        lost = (columns["fate"] & int(Fate.UNIDENTIFIED)) != 0
        counts = [int((columns["pdgid_reco"] == kind).sum()) for kind in (13, -211, -13)]
        shares = np.array([0.9 - 0.4 / p, 0.3 / p, 0.05])
        shares = np.append(shares, 1 - shares.sum())
        assert stats.chisquare([*counts, int(lost.sum())], n * shares).pvalue > ALARM


def test_sums_above_one() -> None:
    detector = card(head=block("mu-", {"same": "0.5 * p", "pi-": 0.3}))
    shoot(detector, gun(13, 2, p=1.0))
    with pytest.raises(
        ValueError,
        match=r"card test: identification of mu-: probabilities add up to 1.1 for mu- with E = .*p = 1.6 GeV",
    ):
        shoot(detector, gun(13, 2, p=1.6))
    smeared = forefold.smear(gun(13, 9, p=1.6), detector, rng=1, axis="z", on_invalid="lose")
    assert forefold.fate_counts(smeared) == {Fate.INVALID: 9}
    with pytest.raises(ValueError, match=r"probabilities add up to 1\.2, at most 1 is allowed"):
        card(head=block("mu-", {"same": 0.9, "pi-": 0.3}))


@pytest.mark.parametrize("order", [("same", "pi-"), ("pi-", "same")])
def test_a_probability_without_a_value_is_one_outcome(order: tuple[str, str]) -> None:
    rows: dict[str, float | str] = {"same": 0.4, "pi-": "sqrt(p - 1)"}
    detector = card(head=block("mu-", {name: rows[name] for name in order}))
    events = gun(13, 200, p=np.repeat([0.5, 1.01], 100))
    with pytest.raises(
        ValueError, match=r"identification\[1\].row\[\d\].probability: 'sqrt\(p - 1\)' is not known"
    ):
        shoot(detector, events)
    smeared = forefold.smear(events, detector, rng=1, axis="z", on_invalid="lose")
    found = forefold.fate_counts(smeared)
    assert found[Fate.INVALID] == 100
    assert sum(found.values()) == 200
    assert set(found) == {Fate.INVALID, Fate.UNIDENTIFIED, Fate.DETECTED}
    assert np.all((flat(smeared)["fate"][:100] & int(Fate.MISIDENTIFIED)) == 0)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{ as = "mu_", probability = 1.0 }', "unknown particle 'mu_'"),
        ('{ as = "pion", probability = 1.0 }', "found the class 'pion'"),
        ("{ as = true, probability = 1.0 }", "a particle is a PDG identifier"),
        ('{ as = ["mu-"], probability = 1.0 }', "taken for one other"),
        ('{ as = "nu(mu)", probability = 1.0 }', "a neutrino, which the card does not smear"),
        ('{ as = "mu-", probability = 1.5 }', "less than or equal to 1"),
        ('{ as = "mu-", probability = "p +" }', r"row\[1\].probability"),
        ('{ as = "mu-", probability = "p > 1" }', "is a condition, a number is expected"),
        ('{ as = "mu-" }', "required"),
    ],
)
def test_rows_that_are_none(row: str, message: str) -> None:
    head = f'[[identification]]\nparticles = ["mu-"]\nsource = "test"\nrow = [{row}]'
    with pytest.raises(ValueError, match=message):
        card(head=head)


def test_thresholds_and_formulas_see_the_mistaken_particle() -> None:
    """Mass, charge and kinetic energy are those of what it is taken for; the first block that covers holds."""
    head = block("mu-", {"p": 1.0}) + block("charged lepton", {"same": 1.0})
    extra = "threshold.formula = 'mass > 0.9 and charge > 0 and KE < 0.5'"
    detector = card(rule(extra=extra), head=head)
    taken = shoot(detector, gun(13, 3, p=0.9))
    assert np.all(taken["detected"])
    same = shoot(detector, gun(-13, 3, p=0.9))
    assert not np.any(same["detected"])
    assert species.mass(2212) == pytest.approx(MASS[2212])


def test_visible_energy_is_of_what_it_is_taken_for() -> None:
    """A pion of 1 GeV/c counts its energy; taken for a proton, what is reconstructed is a kinetic energy."""
    smeared = forefold.smear(gun(-211), card(head=block("pi-", {"p": 1.0})), rng=1, axis="z")
    assert smeared.visible_energy_true[0] == pytest.approx(math.hypot(1.0, MASS[-211]))
    proton = math.hypot(1.0, MASS[2212]) - MASS[2212]
    assert smeared.visible_energy_reco[0] == pytest.approx(proton)
    reco = forefold.reconstructed(smeared)[0, 0]
    assert reco.pdgid == 2212
    assert reco.mass == pytest.approx(MASS[2212])


def test_matrix_by_type_adds_up_to_the_visible_energy() -> None:
    head = block("pi-", {"p": 1.0}) + block("p", {"pi-": 1.0})
    detector = card(*RULES, head=head)
    for pdgid in (-211, 2212, 13):
        smeared = forefold.smear(gun(pdgid, 50), detector, rng=1, axis="z")
        whole = forefold.energy_matrix(smeared)
        split = forefold.energy_matrix(smeared, detector)
        seen = split.values(flow=True).sum(axis=0)
        assert np.array_equal(seen, whole.values(flow=True)), pdgid
