"""The same bits: chunks, order of rules, and common random numbers between cards."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
from gun import card, flat, gun, rule, shoot

import forefold

EVERYTHING = Path(__file__).parent.parent / "data" / "every_key.toml"
SAME_ENERGY = ("energy_reco", "theta_reco", "phi_reco", "px_reco", "py_reco", "pz_reco")


def test_chunks_do_not_matter(gst_file: Path) -> None:
    events = forefold.read(gst_file)
    whole = flat(forefold.smear(events, EVERYTHING, rng=5))
    for cuts in ([150], [1, 2, 299], list(range(1, 300, 37))):
        bounds = pairwise([0, *cuts, 300])
        pieces = [forefold.smear(events[a:b], EVERYTHING, rng=5) for a, b in bounds]
        cut = flat(ak.concatenate(pieces))
        for name, values in whole.items():
            assert cut[name].tobytes() == values.tobytes(), name


def test_order_of_rules_and_blocks_that_does_not_matter() -> None:
    """Rules of different particles, blocks of different particles: any order gives the same."""
    energy = 'energy = { of = "momentum", distribution = "crystal-ball", sigma = "0.05 * p", alpha_low = 1.0, n_low = 2.0 }'
    angle = 'angle = { convention = "space", distribution = "rayleigh", sigma_deg = "2 / p" }'
    rules = [
        rule(energy, angle, "efficiency = '0.9'", name=name, type=name, particles=f'["{name}"]')
        for name in ("mu-", "pi-", "p")
    ]
    blocks = [
        f'[[identification]]\nparticles = ["{a}"]\nsource = "test"\n'
        f'row = [{{ as = "same", probability = "0.8" }}, {{ as = "{b}", probability = 0.1 }}]\n'
        for a, b in (("mu-", "pi-"), ("pi-", "p"), ("p", "mu-"))
    ]
    one = card(*rules, rule(), head="".join(blocks))
    two = card(*rules[::-1], rule(), head="".join(blocks[::-1]))
    for pdgid in (13, -211, 2212):
        a, b = (shoot(c, gun(pdgid, 500, p=1.3, theta=0.7)) for c in (one, two))
        assert np.array_equal(b["rule"], 2 - a["rule"])
        for name in set(a) - {"rule"}:
            assert a[name].tobytes() == b[name].tobytes(), name


ENERGY = 'energy = { of = "kinetic", distribution = "normal", resolution = "0.1 / sqrt(KE)" }'
ANGLE = 'angle = { convention = "space", distribution = "rayleigh", sigma_deg = 3.0 }'
SOME = '[[identification]]\nparticles = ["mu-"]\nsource = "test"\n'
SOME += 'row = [{ as = "same", probability = 0.6 }, { as = "pi-", probability = 0.2 }]'


@pytest.mark.parametrize(
    ("extra", "head"),
    [
        ("efficiency = 0.5", ""),
        ("efficiency = '0.5 + 0 * p'", ""),
        ("", SOME),
        ("threshold.reco.momentum.ge = 0.95", ""),
        ("threshold.formula = 'p > 0.95'", ""),
        ("efficiency = 0.7\nthreshold.reco.momentum.ge = 0.9", SOME),
    ],
)
def test_common_random_numbers(extra: str, head: str) -> None:
    """What is lost or mistaken does not move the draws of the others."""
    p = np.linspace(0.9, 1.1, 1000)
    full = shoot(card(rule(ENERGY, ANGLE)), gun(13, 1000, p=p, theta=0.4))
    some = shoot(card(rule(ENERGY, ANGLE, extra), head=head), gun(13, 1000, p=p, theta=0.4))
    kept = (some["detected"] == 1) & (some.get("pdgid_reco", some["pdgid"]) == 13)
    assert 200 < kept.sum() < 1000
    for name in SAME_ENERGY:
        assert some[name][kept].tobytes() == full[name][kept].tobytes(), name


def test_a_wider_resolution_is_the_same_draw() -> None:
    one, two = (
        shoot(
            card(rule(f'energy = {{ of = "total", distribution = "normal", sigma = {sigma} }}')),
            gun(13, 100, p=3.0),
        )
        for sigma in (0.1, 0.2)
    )
    shifts = [columns["energy_reco"] - columns["energy_true"] for columns in (one, two)]
    assert np.allclose(shifts[1], 2 * shifts[0], atol=1e-12)
