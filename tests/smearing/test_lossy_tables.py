"""Migration matrices whose rows add up to less than one: the rest is lost, in draws and in closed form.

Counts fail beyond 5 sigma: with another rng once in 1.7 million each.
"""

from __future__ import annotations

import math

import awkward as ak
import numpy as np
import pytest
from gun import MASS, card, gun, rule

import forefold
from forefold import Fate
from forefold.detector.tables import kept_of_rows

N = 100_000
TABLE = """
[tables.migration]
axes = [[0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 3.0]]
values = [[0.5, 0.3, 0.1], [0.1, 0.6, 0.3], [0, 0, 0]]
"""
DRAWN = 'energy = {{ of = "{}", distribution = "tabulated", table = "migration" }}'


def at(of: str, value: float) -> float:
    """Momentum of a muon of which this quantity has a value."""
    if of.endswith("momentum"):
        return value if of == "momentum" else 1.0 / value
    energy = value + MASS[13] * (of == "kinetic")
    return math.sqrt((energy - MASS[13]) * (energy + MASS[13]))


@pytest.mark.parametrize("of", ["total", "kinetic", "visible", "momentum", "inverse-momentum"])
def test_what_a_row_leaves_is_lost(of: str) -> None:
    detector = card(rule(DRAWN.format(of), extra='efficiency = "0.5"'), head=TABLE)
    smeared = forefold.smear(gun(13, N, p=at(of, 0.5)), detector, rng=1, axis="z")
    found = forefold.fate_counts(smeared)
    assert set(found) == {Fate.DETECTED, Fate.INEFFICIENCY}
    seen = 0.5 * 0.9
    assert abs(found[Fate.DETECTED] - N * seen) < 5.0 * math.sqrt(N * seen * (1.0 - seen))
    lost = forefold.smear(gun(13, 100, p=at(of, 2.5)), detector, rng=1, axis="z")
    assert forefold.fate_counts(lost) == {Fate.INEFFICIENCY: 100}


def test_nothing_is_lost_of_a_row_that_is_whole() -> None:
    """Nor of one that misses 1 by rounding; and the draws are those of a table of counts, bit for bit."""
    third = TABLE.replace("0.1, 0.6, 0.3", "0.333333, 0.333333, 0.333334")
    counts = TABLE.replace("0.1, 0.6, 0.3", "333333, 333333, 333334") + "normalise = true\n"
    one, other = (card(rule(DRAWN.format("total")), head=head) for head in (third, counts))
    beam = gun(13, 1000, p=at("total", 1.5))
    a, b = (forefold.smear(beam, c, rng=3, axis="z") for c in (one, other))
    assert forefold.fate_counts(a) == {Fate.DETECTED: 1000}
    assert np.array_equal(a.particles.energy_reco.to_numpy(), b.particles.energy_reco.to_numpy())


def test_the_matrix_has_what_the_table_says() -> None:
    detector = card(rule(DRAWN.format("total"), extra="efficiency = 0.5"), head=TABLE)
    edges = [MASS[13], 1.0, 2.0, 3.0]
    made = forefold.card_response(detector, "mu-", "energy").matrix(edges, [0.0, 1.0, 2.0, 3.0])
    half = 0.5 * np.array([[0.5, 0.3, 0.1], [0.1, 0.6, 0.3], [0, 0, 0]])
    assert made.values() == pytest.approx(half, abs=1e-12)


PARTS = """energy = {{ distribution = "mixture", parts = [
  {{ weight = "0.2 * min(1, E)", of = "{}", distribution = "tabulated", table = "migration" }},
  {{ weight = 0.3, of = "total", distribution = "normal", constant = 0.1 }},
  {{ of = "kinetic", distribution = "tabulated", table = "migration" }},
] }}"""


def test_a_mixture_keeps_what_its_parts_keep() -> None:
    detector = card(rule(PARTS.format("momentum"), extra="efficiency = 0.8"), head=TABLE)
    smeared = forefold.smear(gun(13, N, p=0.9), detector, rng=5, axis="z")
    energy = math.hypot(0.9, MASS[13])
    kept = np.array([0.2 * energy * 0.9, 0.3, (0.7 - 0.2 * energy) * 0.9])
    seen = forefold.fate_counts(smeared)[Fate.DETECTED]
    share = 0.8 * kept.sum()
    assert abs(seen - N * share) < 5.0 * math.sqrt(N * share * (1.0 - share))
    part = smeared.particles.component[smeared.particles.detected]
    counts = np.bincount(ak.to_numpy(ak.flatten(part)), minlength=3)
    for count, each in zip(counts, kept / kept.sum(), strict=True):
        assert abs(count - seen * each) < 5.0 * math.sqrt(seen * each * (1.0 - each))


@pytest.mark.parametrize("of", ["total", "inverse-momentum"])
def test_draws_follow_the_closed_form(of: str) -> None:
    for energy in (DRAWN.format(of), PARTS.format(of)):
        found = forefold.validate_card(card(rule(energy, extra="efficiency = 0.8"), head=TABLE))
        assert not found.failed


def test_weights_know_what_is_lost() -> None:
    """A sample of a whole table, reweighted to one that loses: a particle that was seen weighs its row's sum."""
    whole = TABLE.replace("0.5, 0.3, 0.1", "0.5, 0.4, 0.1") + "normalise = true\n"
    lossy = TABLE.replace("0.5, 0.3, 0.1", "0.45, 0.36, 0.09")
    one, other = (
        card(rule(DRAWN.format("total"), extra="efficiency = 0.5"), head=h) for h in (whole, lossy)
    )
    beam = forefold.events.build(
        pdgid=np.full(500, 13), px=0.0, py=0.0, pz=0.5, energy=math.hypot(0.5, MASS[13]),
        counts=np.ones(500, np.int64), probe=14, probe_momentum=(0.0, 0.0, 3.0, 3.0),
    )  # fmt: skip
    smeared = forefold.smear(beam, one, rng=1)
    seen = smeared.particles.detected.to_numpy().ravel()
    weights = forefold.reweight(beam, smeared, other).weights
    assert weights == pytest.approx(np.where(seen, 0.9, 0.55 / 0.5))


def test_an_efficiency_that_is_none_is_refused_before_rows_are_looked_up() -> None:
    detector = card(rule(DRAWN.format("total"), extra='efficiency = "1.05 * E"'), head=TABLE)
    with pytest.raises(ValueError, match=r"'all'.efficiency: '1.05 \* E' is 1.04.* from 0 to 1"):
        forefold.smear(gun(13, p=0.99), detector, rng=1, axis="z")


@pytest.mark.parametrize("extra", ["", 'efficiency = "0.9"'])
def test_beyond_the_table_there_is_one_reason(extra: str) -> None:
    detector = card(rule(DRAWN.format("kinetic"), extra=extra), head=TABLE)
    with pytest.raises(ValueError, match=r"'all'.energy.table: 'migration\(KE\)' is not known for mu- with E = 5\.0") as caught:  # fmt: skip
        forefold.smear(gun(13, p=5.0), detector, rng=1, axis="z")
    assert "low is not below high" not in str(caught.value)
    smeared = forefold.smear(gun(13, p=5.0), detector, rng=1, axis="z", on_invalid="lose")
    assert forefold.fate_counts(smeared) == {Fate.INVALID: 1}


def test_rows_that_are_too_full() -> None:
    full = TABLE.replace("0.1, 0.6, 0.3", "10, 60, 30")
    with pytest.raises(ValueError, match=r"tables\.migration: row 2 \(true values from 1 to 2\) adds up to 100, at most 1 .* normalise = true"):  # fmt: skip
        card(rule(DRAWN.format("total")), head=full)
    detector = card(rule(DRAWN.format("total")), head=full + "normalise = true\n")
    assert np.isnan(kept_of_rows(detector.tables["migration"])).tolist() == [False, False, True]
    # a table that formulas call is no matrix to draw from
    plain = card(rule(extra='efficiency = "min(migration(E, E), 1)"'), head=full)
    assert plain.tables["migration"].values[1][1] == 60


def test_what_cannot_be_normalised() -> None:
    head = "[tables.curve]\naxes = [[0.0, 1.0]]\nvalues = [0.5]\nnormalise = true\n"
    with pytest.raises(ValueError, match=r"normalise: a matrix to draw from .* two axes"):
        card(head=head)
