"""The summary: every particle counted once, bias and width as numpy gives them, merged or not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import awkward as ak
import numpy as np
import pytest

import forefold
from forefold.detector.load import load_card
from forefold.events import build
from forefold.kernels import Fate
from forefold.matrix import Summary, summary
from forefold.matrix.summary import MeanAndSpread, RatioQuantiles

if TYPE_CHECKING:
    from pathlib import Path

    from forefold.matrix import SummaryRow

CARD = load_card("nusmear-dune-cdr")
M_MU, M_P = 0.1056583755, 0.93827208816


def rows(found: Summary) -> dict[str, SummaryRow]:
    return {row.type: row for row in found}


def muons(n: int) -> ak.Array:
    """Muons of 2 GeV, across the axis so that no angle is folded."""
    p = math.sqrt(4.0 - M_MU**2)
    toy = build(pdgid=13, px=p, py=0.0, pz=[0.0] * n, energy=2.0, cc=[True] * n)
    return forefold.smear(toy, CARD, rng=1, axis="z")


def mixed() -> ak.Array:
    """A slow proton with a neutrino, then a nucleus with a GENIE bindino and a muon that has decayed."""
    toy = build(
        pdgid=[[2212, 14], [1000180400, 2000000101, 13]],
        px=0.0,
        py=0.0,
        pz=[[0.1, 1.0], [0.0, 0.0, 1.0]],
        energy=[[math.hypot(0.1, M_P), 1.0], [37.2, 0.01, math.hypot(1.0, M_MU)]],
        status=[[1, 1], [1, 1, 3]],
        cc=[False, True],
    )
    return forefold.smear(toy, CARD, rng=1, axis="z")


@pytest.fixture(scope="module")
def smeared(gst_file: Path) -> ak.Array:
    return forefold.smear(forefold.read(gst_file), CARD, rng=1)


def test_every_particle_of_a_file_is_counted_once(smeared: ak.Array) -> None:
    found = summary(smeared, CARD)
    total = found.total()
    assert found.events == 300
    assert total.particles == int(ak.sum(smeared.n_particles))
    assert total.detected == int(ak.sum(smeared.n_detected))
    assert total.below_threshold + total.missed == int(ak.sum(smeared.n_lost))
    assert total.not_smeared == int(ak.sum(smeared.n_not_smeared))
    for row in found:
        parts = (row.detected, row.below_threshold, row.missed, row.not_smeared)
        assert sum(parts) == row.particles


def test_counts_by_type_agree_with_a_loop(smeared: ak.Array) -> None:
    found = rows(summary(smeared, CARD))
    flat = ak.flatten(smeared.particles).to_list()
    for label in CARD.types:
        mine = [p for p in flat if p["rule"] >= 0 and CARD.rules[p["rule"]].type == label]
        row = found[label]
        assert row.particles == len(mine)
        assert row.detected == sum(p["detected"] for p in mine)
        assert row.missed == sum(bool(p["fate"] & Fate.INEFFICIENCY) for p in mine)
        assert row.efficiency == pytest.approx(row.detected / row.particles)


def test_energy_of_protons_is_kinetic_and_of_pions_total(smeared: ak.Array) -> None:
    found = rows(summary(smeared, CARD))
    flat = ak.flatten(smeared.particles).to_list()
    for label, kind in (("p", "kinetic"), ("pi+-", "total")):
        differences = []
        for p in flat:
            if p["detected"] and CARD.rules[p["rule"]].type == label:
                offset = p["mass"] if kind == "kinetic" else 0.0
                differences.append((p["energy_reco"] - offset) / (p["energy_true"] - offset) - 1.0)
        row = found[label]
        assert row.energy_of == kind
        assert row.energy_bias == pytest.approx(np.mean(differences), rel=1e-9, abs=1e-12)
        assert row.energy_width == pytest.approx(np.std(differences, ddof=1), rel=1e-9)


def test_summary_is_additive_and_agrees_with_numpy() -> None:
    events = muons(600)
    flat = ak.flatten(events.particles)
    differences = ak.to_numpy(ak.drop_none(flat.energy_reco)) / 2.0 - 1.0
    angles = np.degrees(ak.to_numpy(ak.drop_none(flat.theta_drawn)) - np.pi / 2)
    low, middle, high = np.quantile(differences, [0.158655, 0.5, 0.841345])
    pieces = Summary(CARD)
    for start in range(0, 600, 90):
        pieces.add(events[start : start + 90])
    joined = summary(events[:200], CARD) + summary(events[200:], CARD)
    for found in (summary(events, CARD), pieces, joined):
        row = rows(found)["mu+-"]
        assert (found.events, row.detected) == (600, 600)
        assert row.energy_bias == pytest.approx(differences.mean(), rel=1e-9)
        assert row.energy_width == pytest.approx(differences.std(ddof=1), rel=1e-9)
        assert row.energy_median == pytest.approx(middle, abs=3e-3)
        assert row.energy_half_width == pytest.approx((high - low) / 2, abs=3e-3)
        assert row.angle_bias == pytest.approx(angles.mean(), rel=1e-6)
        assert row.angle_width == pytest.approx(angles.std(ddof=1), rel=1e-9)
    # the card says 15 % and 1 degree
    assert row.energy_width == pytest.approx(0.15, rel=0.15)
    assert row.angle_width == pytest.approx(1.0, rel=0.15)


def test_every_reason_for_leaving_a_particle_out_has_a_row() -> None:
    found = summary(mixed(), CARD)
    left_out = {row.type: row.particles for row in found.rows() if row.not_smeared}
    expected = {"neutrino": 1, "nucleus": 1, "pseudo-particle": 1, "not final state": 1}
    assert left_out == expected
    assert rows(found)["p"].below_threshold == 1
    assert math.isnan(rows(found)["neutrino"].efficiency)
    assert found.total().efficiency == 0.0


def test_what_is_not_measured_is_nan() -> None:
    one = rows(summary(muons(1), CARD))
    assert math.isnan(one["mu+-"].energy_width)
    assert math.isnan(one["n"].energy_bias)
    assert math.isnan(one["n"].energy_median)
    assert math.isnan(one["n"].angle_bias)


def test_charged_currents_only() -> None:
    found = summary(mixed(), CARD, cc_only=True)
    assert (found.events, found.total().particles) == (1, 3)


def test_summaries_of_different_cards_or_selections_do_not_add() -> None:
    with pytest.raises(ValueError, match="do not add"):
        Summary(CARD) + Summary(load_card("nusmear-default"))
    with pytest.raises(ValueError, match="do not add"):
        Summary(CARD) + Summary(CARD, cc_only=True)


def changed(events: ak.Array, **columns: object) -> ak.Array:
    """Smeared events with some fields of their particles set to one value."""
    particles = events.particles
    for name, value in columns.items():
        particles = ak.with_field(particles, ak.full_like(particles["fate"], value), name)
    return ak.with_field(events, particles, "particles")


@pytest.mark.parametrize("fate", [0, int(Fate.DETECTED | Fate.INEFFICIENCY), int(Fate.OFF_SHELL)])
def test_a_particle_without_a_single_outcome_is_refused(fate: int) -> None:
    with pytest.raises(ValueError, match=f"fate {fate} of a particle"):
        summary(changed(muons(2), fate=fate), CARD)


def test_a_fate_that_does_not_go_with_its_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="fate 8 of a particle does not go with its rule"):
        summary(changed(muons(2), fate=int(Fate.NEUTRINO)), CARD)


def test_summary_prints_a_table() -> None:
    lines = str(summary(muons(50), CARD)).splitlines()
    assert lines[0] == "nusmear-dune-cdr: 50 events"
    assert len({len(line) for line in lines[1:]}) == 1
    muon = next(line for line in lines if line.startswith("mu+-")).split()
    assert muon[1:6] == ["50", "50", "0", "0", "0"]


def test_merged_moments_keep_their_digits() -> None:
    values = 1e9 + np.array([4.0, 7.0, 13.0, 16.0])
    both = MeanAndSpread.of(values[:1]) + MeanAndSpread.of(values[1:])
    assert both.mean == 1e9 + 10.0
    assert both.std == pytest.approx(math.sqrt(30.0), rel=1e-12)
    assert MeanAndSpread() + MeanAndSpread() == MeanAndSpread()
    assert math.isnan(MeanAndSpread.of(values[:1]).std)


def test_quantiles_of_extreme_and_equal_ratios() -> None:
    assert RatioQuantiles.of(np.ones(10))(0.5) == pytest.approx(1.0, rel=1e-14)
    assert RatioQuantiles.of(np.zeros(3))(0.5) == pytest.approx(0.0, abs=4e-4)
    assert RatioQuantiles.of(np.full(3, 1e9))(0.5) == pytest.approx(math.exp(8.0), rel=2e-3)
    assert math.isnan(RatioQuantiles()(0.5))
