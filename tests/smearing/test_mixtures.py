"""Mixtures and migration tables: fractions, components, and what the card may not say.

Fractions are allowed 4.5 standard deviations (7e-6 each), Kolmogorov-Smirnov tests fail below 1e-4: another rng raises a
false alarm in one of a thousand runs.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from gun import MASS, card, gun, rule, shoot
from scipy import stats

import forefold
from forefold import Fate

N = 20_000
ALARM = 1e-4
CORE = 'of = "kinetic", distribution = "normal", sigma = 0.05'
TAIL = 'of = "kinetic", distribution = "exponential", sigma = 0.3, tail = "low"'


def mixture(*parts: str) -> str:
    """An energy of these parts."""
    words = ",\n".join(f"{{ {part} }}" for part in parts)
    return f'energy.distribution = "mixture"\nenergy.parts = [{words}]'


def fraction(values: np.ndarray, expected: float) -> None:
    """As many as expected, within 4.5 standard deviations."""
    error = math.sqrt(expected * (1 - expected) / values.size)
    assert abs(values.mean() - expected) <= 4.5 * error


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (["weight = 0.7", "weight = 0.2", ""], [0.7, 0.2, 0.1]),
        (["weight = 0.7", "weight = 0.2", "weight = 0.1"], [0.7, 0.2, 0.1]),
        (['weight = "0.35 * p"', 'weight = "where(p > 1, 0.2, 9)"', ""], [0.7, 0.2, 0.1]),
        (["weight = 0.0", "weight = 1.0", ""], [0.0, 1.0, 0.0]),
    ],
)
def test_fractions_and_shapes(weights: list[str], expected: list[float]) -> None:
    laws = [CORE, TAIL, 'of = "momentum", distribution = "none", scale = 0.5']
    parts = [", ".join(filter(None, pair)) for pair in zip(weights, laws, strict=True)]
    columns = shoot(card(rule(mixture(*parts))), gun(2212, N, p=2.0))
    component = columns["component"]
    for j, share in enumerate(expected):
        fraction(component == j, share)
    kinetic = columns["energy_reco"] - MASS[2212]
    x = math.hypot(2.0, MASS[2212]) - MASS[2212]
    for j, cdf in ((0, stats.norm(x, 0.05).cdf), (1, lambda e: 1 - stats.expon(0, 0.3).cdf(x - e))):
        if expected[j]:
            assert stats.kstest(kinetic[component == j], cdf).pvalue > ALARM
    assert np.allclose(columns["pz_reco"][component == 2], 1.0)


def test_component_is_of_detected_particles_only() -> None:
    parts = mixture(f"weight = 0.5, {CORE}", TAIL)
    detector = card(rule(parts, extra="efficiency = 0.5"))
    smeared = forefold.smear(gun(13, 500, p=2.0), detector, rng=1, axis="z")
    particles = smeared.particles
    assert forefold.fate_counts(smeared)[Fate.INEFFICIENCY] > 200
    lost = ~np.array([p[0] for p in particles.detected.tolist()])
    assert [p[0] is None for p in particles.component.tolist()] == lost.tolist()
    assert "component" not in forefold.smear(gun(13), card(), rng=1, axis="z").particles.fields


def test_the_component_has_numbers_of_its_own() -> None:
    """A mixture of equal parts is the part, to the bit."""
    alone = shoot(card(rule(f"energy = {{ {CORE} }}")), gun(13, 500, p=2.0))
    mixed = shoot(card(rule(mixture(f"weight = 0.3, {CORE}", CORE))), gun(13, 500, p=2.0))
    assert 80 < (mixed["component"] == 0).sum() < 220
    for name, values in alone.items():
        assert values.tobytes() == mixed[name].tobytes(), name


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([CORE, TAIL], "every part but the last needs a weight"),
        (
            [f"weight = 0.7, {CORE}", f"weight = 0.4, {TAIL}", CORE],
            "weights add up to 1.1, at most 1",
        ),
        ([f"weight = 0.7, {CORE}", f"weight = 0.2, {TAIL}"], "weights add up to 0.9, 1 is allowed"),
        ([f'weight = "0.7", {CORE}', f"weight = 0.3, {TAIL}"], "give it no weight"),
    ],
)
def test_weights_that_do_not_add_up(parts: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        card(rule(mixture(*parts)))


def test_weights_that_add_up_to_more_for_a_particle() -> None:
    parts = mixture(f'weight = "p / 2", {CORE}', f"weight = 0.3, {TAIL}", CORE)
    detector = card(rule(parts))
    good, bad = gun(13, 3, p=1.0), gun(13, 3, p=np.array([1.0, 1.6, 1.2]))
    shoot(detector, good)
    with pytest.raises(
        ValueError,
        match=r"card test: rule\[1\] 'all'.energy.parts: probabilities add up to 1.1 for mu- with E = 1.6.* p = 1.6 GeV",
    ):
        shoot(detector, bad)
    smeared = forefold.smear(bad, detector, rng=1, axis="z", on_invalid="lose")
    assert forefold.fate_counts(smeared) == {Fate.DETECTED: 2, Fate.INVALID: 1}


TABLE = """
[tables.migration]
axes = [[0.0, 1.0, 3.0, 4.0], [0.0, 0.5, 1.0, 2.0, 5.0]]
values = [[1, 1, 0, 0], [0, 1, 2, 1], [0, 0, 0, 0]]
normalise = true
"""
DRAWN = 'energy = { of = "kinetic", distribution = "tabulated", table = "migration" }'


def kinetic(value: float) -> float:
    """Momentum of a muon of this kinetic energy."""
    return math.sqrt(value * (value + 2 * MASS[13]))


def test_tabulated() -> None:
    """Drawn from the row of the true energy, flat within bins."""
    detector = card(rule(DRAWN), head=TABLE)
    low = shoot(detector, gun(13, N, p=kinetic(0.4)))["energy_reco"] - MASS[13]
    assert stats.kstest(low, stats.uniform(0.0, 1.0).cdf).pvalue > ALARM
    high = shoot(detector, gun(13, N, p=kinetic(2.9)))["energy_reco"] - MASS[13]
    edges, sums = [0.0, 0.5, 1.0, 2.0, 5.0], [0.0, 0.0, 0.25, 0.75, 1.0]
    assert stats.kstest(high, lambda x: np.interp(x, edges, sums)).pvalue > ALARM


@pytest.mark.parametrize("energy", [3.5, 4.5])
def test_an_empty_row_or_none_gives_nothing(energy: float) -> None:
    detector = card(rule(DRAWN), head=TABLE)
    with pytest.raises(
        ValueError,
        match=r"rule\[1\] 'all'.energy.table: 'migration\(KE\)' is not known for mu- ",
    ):
        shoot(detector, gun(13, 3, p=kinetic(energy)))
    smeared = forefold.smear(
        gun(13, 3, p=kinetic(energy)), detector, rng=1, axis="z", on_invalid="lose"
    )
    assert forefold.fate_counts(smeared) == {Fate.INVALID: 3}
    assert smeared.n_lost.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("axes = [[0.0, 1.0]]\nvalues = [1]", "needs two axes"),
        (
            'axes = [[0.0, 1.0], [0.0, 1.0]]\nvalues = [[1, 1], [1, 1]]\ninterpolation = "linear"',
            "needs bins",
        ),
        ("axes = [[0.0, 1.0], [0.0, 1.0, 2.0]]\nvalues = [[1, -0.5]]", "found -0.5"),
        (
            "axes = [[0.0, 1.0], [0.0, 1.0, 2.0]]\nvalues = [[1]]",
            "a list of 2 is expected, found 1",
        ),
        ("axes = [[0.0, 1.0], [2.0, 1.0]]\nvalues = [[1]]", "larger than the one before"),
        ("axes = [[0.0, 1.0]]\nvalues = [true]", "a finite number is expected, found True"),
    ],
)
def test_tables_that_are_none(table: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        card(rule(DRAWN), head=f"[tables.migration]\n{table}")


@pytest.mark.parametrize(
    ("energy", "message"),
    [
        ('of = "total", distribution = "tabulated"', "needs a table"),
        ('of = "total", distribution = "normal", constant = 0.1, table = "x"', "no other has one"),
        ('of = "total", distribution = "tabulated", table = "y"', "table 'y' is not in"),
        ('of = "total", distribution = "normal"', "needs a constant or a stochastic term"),
        ('of = "total", distribution = "none", noise = 0.1', "'none' has no noise"),
        (
            'of = "total", distribution = "normal", constant = 0.1, sigma = 0.1',
            "sigma is the whole",
        ),
        ('of = "total", distribution = "normal", constant = 0.1, low = 0.1', "has no shape"),
        ('of = "total", distribution = "exponential", sigma = 0.1, low = 0.1', "low: .* has tail"),
        (
            'of = "total", distribution = "truncated-normal", sigma = 0.1, low = 2.0, high = 1.0',
            "low 2 must be below high 1",
        ),
        ('of = "total", distribution = "crystal-ball", sigma = 0.1, n_low = 1.0', "above 1"),
        ('distribution = "normal", constant = 0.1', "give of"),
        ('of = "total", distribution = "mixture"', "needs parts"),
        (
            f'distribution = "mixture", of = "total", parts = [{{ {CORE} }}]',
            "has its of in its parts",
        ),
    ],
)
def test_energies_that_are_none(energy: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        card(rule(f"energy = {{ {energy} }}"))
