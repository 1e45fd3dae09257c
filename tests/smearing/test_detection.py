"""Detection: thresholds on what is true and on what is reconstructed, efficiencies, conditions of rules.

Fractions are allowed 4.5 standard deviations (7e-6 each); another rng raises a false alarm in one of ten thousand runs.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import hist
import numpy as np
import pytest
from gun import KEPT, MASS, card, flat, gun, rule, shoot, text
from scipy import stats

import forefold
from forefold import Fate
from forefold.matrix import to_json

N = 20_000
EXACT = 'energy = { of = "total", distribution = "none" }'


def fraction(values: np.ndarray, expected: float) -> None:
    """As many as expected, within 4.5 standard deviations."""
    error = math.sqrt(expected * (1 - expected) / values.size)
    assert abs(values.mean() - expected) <= 4.5 * error


@pytest.mark.parametrize(
    ("bound", "cut"),
    [
        ("threshold.momentum.ge = 0.5", lambda p: p >= 0.5),
        ("threshold.momentum.gt = 0.5", lambda p: p > 0.5),
        ("threshold.kinetic_energy.ge = 0.5", lambda p: np.hypot(p, MASS[13]) - MASS[13] >= 0.5),
        ("threshold.formula = 'KE >= 0.2 and p < 1 or p > 2'", lambda p: (p > 2) | (p < 1) & (np.hypot(p, MASS[13]) - MASS[13] >= 0.2)),
        ("threshold.kinetic_energy.ge = 0.2\nthreshold.momentum.ge = 0.5\nthreshold.formula = 'p < 2'", lambda p: (p >= 0.5) & (p < 2)),
    ],
)  # fmt: skip
def test_thresholds_on_the_truth(bound: str, cut: object) -> None:
    assert callable(cut)
    p = np.array([0.1, 0.3, np.nextafter(0.5, 0), 0.5, np.nextafter(0.5, 1), 0.7, 1.5, 3.0])
    columns = shoot(card(rule(extra=bound)), gun(13, p.size, p=p))
    expected = cut(p)
    assert columns["detected"].tolist() == expected.tolist()
    below = columns["fate"][~expected]
    assert np.all(below == int(Fate.BELOW_THRESHOLD))
    assert np.all(np.isnan(columns["energy_reco"][~expected]))


@pytest.mark.parametrize(("of", "key"), [("kinetic", "kinetic_energy"), ("momentum", "momentum")])
def test_thresholds_on_what_is_reconstructed(of: str, key: str) -> None:
    """Drawn as without the threshold; what is below is lost, however high the truth."""
    energy = f'energy = {{ of = "{of}", distribution = "normal", sigma = 0.2 }}'
    p = 0.6
    x = p if of == "momentum" else math.hypot(p, MASS[13]) - MASS[13]
    plain = shoot(card(rule(energy)), gun(13, N, p=p))
    cut = shoot(card(rule(energy, extra=f"threshold.reco.{key}.ge = {x - 0.1}")), gun(13, N, p=p))
    fraction(cut["detected"] == 1, float(stats.norm.sf(-0.5)))
    seen = cut["detected"] == 1
    assert np.all(cut["energy_reco"][seen] == plain["energy_reco"][seen])
    lost = cut["fate"][~seen]
    assert np.all(lost == int(Fate.BELOW_RECO_THRESHOLD))
    kinetic = plain["energy_reco"] - MASS[13]
    quantity = kinetic if of == "kinetic" else plain["pz_reco"]
    assert np.array_equal(seen, quantity >= x - 0.1)


@pytest.mark.parametrize(
    "extra",
    [
        "threshold.reco.momentum.lt = 1.0",
        "threshold.momentum.lt = 1.0",
        "threshold.reco = {}",
        "threshold = {}",
        "when = {}",
        "when.momentum = {}",
        "when.momentum = { ge = 2.0, lt = 1.0 }",
        "when.momentum = { ge = 2.0, gt = 1.0 }",
        "when.momentum = { le = 2.0, lt = 1.0 }",
    ],
)
def test_bounds_that_are_none(extra: str) -> None:
    with pytest.raises(ValueError, match=r"lower bound only|give |holds for no value|at least"):
        card(rule(extra=extra, name="first"), rule())


TABLES = """
[tables.one]
axes = [[0.0, 1.0, 2.0]]
values = [0.2, 0.7]
[tables.two]
axes = [[0.0, 1.0, 2.0], [0.0, 0.5, 3.2]]
values = [[0.1, 0.4], [0.6, 0.9]]
[tables.three]
axes = [[0.0, 2.0], [-1.0, 1.0], [1.0, 3.2]]
values = [[[0.15, 0.25], [0.35, 0.45]], [[0.55, 0.65], [0.75, 0.85]]]
interpolation = "linear"
"""


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("one(p)", 0.7),
        ("two(p, theta)", 0.9),
        ("two(p / 2, theta - 0.5)", 0.1),
        ("0.5 * one(p) + 0.1", 0.45),
    ],
)
def test_efficiency_of_tables(formula: str, expected: float) -> None:
    detector = card(rule(extra=f"efficiency = '{formula}'"), head=TABLES)
    columns = shoot(detector, gun(13, N, p=1.5, theta=0.8))
    fraction(columns["detected"] == 1, expected)
    assert set(columns["fate"]) == {int(Fate.DETECTED), int(Fate.INEFFICIENCY)}


def test_efficiency_of_three_dimensions() -> None:
    """Interpolated on a straight line in each of momentum, cosine and azimuth."""
    detector = card(rule(extra="efficiency = 'three(p, cos_theta, abs(phi))'"), head=TABLES)
    columns = shoot(detector, gun(13, N, p=1.5, theta=math.pi / 3, phi=-2.1))
    p, c, a = 0.75, 0.75, 0.5  # places between the points
    expected = 0.15 + 0.4 * p + 0.2 * c + 0.1 * a
    fraction(columns["detected"] == 1, expected)


def test_efficiency_of_a_histogram_file(tmp_path: Path) -> None:
    histogram = hist.Hist(
        hist.axis.Variable([0.0, 1.0, 4.0], name="p"), storage=hist.storage.Double()
    )
    histogram.view()[:] = [0.3, 0.8]
    (tmp_path / "eff.json").write_text(to_json(histogram), encoding="utf-8")
    head = '[tables.eff]\nfile = "eff.json"\nsource = "test"'
    path = tmp_path / "card.toml"
    path.write_text(text(rule(extra="efficiency = 'eff(p)'"), head=head), encoding="utf-8")
    for p, expected in ((0.5, 0.3), (2.0, 0.8), (9.0, 0.8)):
        smeared = forefold.smear(gun(13, N, p=p), path, rng=2, axis="z")
        fraction(flat(smeared)["detected"] == 1, expected)
    # the card that is kept holds the numbers, not the name of a file
    kept = smeared.attrs["forefold"]["card_text"]["tables"]["eff"]
    assert kept["values"] == [0.3, 0.8]
    broken = json.dumps({"axes": []})
    (tmp_path / "eff.json").write_text(broken, encoding="utf-8")
    with pytest.raises(ValueError, match=r"tables.eff"):
        forefold.load_card(path)
    (tmp_path / "eff.json").unlink()
    with pytest.raises(ValueError, match=r"tables.eff: .*eff.json: No such file"):
        forefold.load_card(path)


def test_when_by_formula() -> None:
    """The first rule that holds is taken; a condition is asked of those that come to it, and of no others."""
    first = rule(
        'energy = { of = "total", distribution = "none", scale = 2.0 }',
        name="slow",
        extra="when.momentum.lt = 1.0",
    )
    second = rule(
        'energy = { of = "total", distribution = "none", scale = 3.0 }',
        name="side",
        extra="when.formula = 'sqrt(p - 1) < 2 and theta > 0.5'",
    )
    detector = card(first, second, rule())
    p = np.array([0.5, 2.0, 9.0])
    for theta, expected in ((1.0, [0, 1, 2]), (0.2, [0, 2, 2])):
        columns = shoot(detector, gun(13, 3, p=p, theta=theta))
        assert columns["rule"].tolist() == expected
        ratio = columns["energy_reco"] / columns["energy_true"]
        assert np.allclose(ratio, np.array([2.0, 3.0, 1.0])[columns["rule"]])  # fmt: skip


def test_both_parts_of_when_must_hold() -> None:
    extra = "when.formula = 'sqrt(p - 1) > 0'\nwhen.kinetic_energy.ge = 1.0"
    columns = shoot(
        card(rule(name="high", extra=extra), rule()), gun(13, 2, p=np.array([0.3, 2.0]))
    )
    assert columns["rule"].tolist() == [1, 0]


def test_formulas_are_asked_of_those_that_need_them() -> None:
    """A width or an efficiency that has no value below the threshold is not needed there; an angle is."""
    energy = (
        'energy = { of = "kinetic", distribution = "normal", resolution = "0.1 / sqrt(KE - 0.2)" }'
    )
    extra = "threshold.kinetic_energy.ge = 0.3\nefficiency = 'min(1, sqrt(KE - 0.25))'"
    shoot(card(rule(energy, extra=extra)), gun(13, 2, p=np.array([0.0, 2.0])))
    with pytest.raises(ValueError, match=r"energy.resolution|efficiency"):
        shoot(card(rule(energy)), gun(13, 2, p=np.array([0.0, 2.0])))
    angle = (
        'angle = { convention = "polar", distribution = "normal", sigma_deg = "sqrt(KE - 0.2)" }'
    )
    with pytest.raises(ValueError, match=r"angle\.sigma_deg"):
        shoot(card(rule(energy, angle, extra)), gun(13, 2, p=np.array([0.0, 2.0])))


PLACES = [
    (rule("energy = { of = 'total', distribution = 'normal', resolution = 'KE - 2' }"), r"rule\[1\] 'all'.energy.resolution", "-1.1"),
    (rule("energy = { of = 'total', distribution = 'normal', sigma = 'log(-KE)' }"), r"energy.sigma", "not known"),
    (rule("energy = { of = 'total', distribution = 'none', scale = 'KE - 2' }"), r"energy.scale", "-1.1"),
    (rule("energy = { of = 'total', distribution = 'none', offset = '1 / (KE - KE)' }"), r"energy.offset", "inf"),
    (rule("energy = { of = 'total', distribution = 'crystal-ball', sigma = 0.1, alpha_low = 1.0, n_low = 'KE - KE + 1' }"), r"energy.n_low", "1"),
    (rule("energy.distribution = 'mixture'\nenergy.parts = [{ weight = 'KE + 1', of = 'total', distribution = 'none' }, { of = 'total', distribution = 'none' }]"), r"energy.parts\[1\].weight", "1.89"),
    (rule(extra="efficiency = 'KE + 1'"), r"rule\[1\] 'all'.efficiency", "1.89"),
    (rule(extra="efficiency = 'KE - 1.5'"), r"rule\[1\] 'all'.efficiency", "-0.6"),
    (rule(angle="angle = { convention = 'polar', distribution = 'normal', sigma_deg = '-KE' }"), r"angle.sigma_deg", "-0.89"),
    (rule(angle="angle = { convention = 'independent', distribution = 'normal', sigma_deg = 1.0, sigma_phi_deg = '-KE' }"), r"angle.sigma_phi_deg", "-0.89"),
    (rule(extra="threshold.formula = 'sqrt(-KE) > 1'"), r"threshold.formula", "not known"),
    (rule(name="first", extra="when.formula = 'sqrt(-KE) > 1'") + rule(), r"rule\[1\] 'first'.when.formula", "not known"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "place", "value"), PLACES, ids=[place for _, place, _ in PLACES])
def test_formulas_without_a_value(rules: str, place: str, value: str) -> None:
    """Card, rule, key, formula, value, particle with its numbers, and a way out; or lost, and counted."""
    detector = card(rules)
    pattern = (
        rf"card test: .*{place}: '.*' is {value}.* for mu- with E = 1.00557 GeV, p = 1 GeV, "
        r"theta = 0.3 \(entry 0\); allowed: .*on_invalid='lose'"
    )
    with pytest.raises(ValueError, match=pattern):
        shoot(detector, gun(13, 3, theta=0.3))
    smeared = forefold.smear(gun(13, 3, theta=0.3), detector, rng=1, axis="z", on_invalid="lose")
    assert forefold.fate_counts(smeared) == {Fate.INVALID: 3}
    assert smeared.n_lost.tolist() == [1, 1, 1]
    assert smeared.visible_energy_true[0] > 1.0
    assert smeared.visible_energy_reco[0] == 0.0


def test_fates_add_up() -> None:
    """Of every particle one outcome, whatever happens to it."""
    head = '[[identification]]\nparticles = ["other"]\nsource = "test"\n'
    head += 'row = [{ as = "same", probability = "0.9 - 0.1 * sqrt(p - 0.2)" }, { as = "p", probability = 0.05 }]'
    energy = "energy = { of = 'kinetic', distribution = 'normal', resolution = '0.5 - 0.3 * p' }"
    extra = (
        "efficiency = 'p / 2'\nthreshold.kinetic_energy.ge = 0.1\nthreshold.reco.momentum.ge = 0.5"
    )
    p = np.random.default_rng(5).uniform(0.0, 3.0, 5000)
    smeared = forefold.smear(
        gun(13, 5000, p=p),
        card(rule(energy, KEPT, extra), head=head),
        rng=1,
        axis="z",
        on_invalid="lose",
    )
    found = forefold.fate_counts(smeared)
    assert sum(found.values()) == 5000
    single = {
        Fate.DETECTED,
        Fate.BELOW_THRESHOLD,
        Fate.INEFFICIENCY,
        Fate.BELOW_RECO_THRESHOLD,
        Fate.UNIDENTIFIED,
        Fate.INVALID,
    }
    assert set(found) == single
    total = smeared.n_detected + smeared.n_lost + smeared.n_not_smeared
    assert total.tolist() == [1] * 5000
