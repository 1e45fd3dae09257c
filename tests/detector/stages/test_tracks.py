"""Tracks that stop, against the exact probabilities.

The draws are functions of fixed keys; five standard deviations are a false alarm of 6e-7 over another key.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from beams import beam

from forefold.detector.materials.ranges import csda_range
from forefold.detector.materials.stopping_power import MASSES
from forefold.detector.stages.base import MISIDENTIFIED
from forefold.detector.stages.registry import STAGES, apply_all
from forefold.detector.stages.tracks import (
    ARGON_CAPTURE,
    MichelTag,
    RangeConfusion,
    stop_probability,
)

TRACKS = 100_000


def agree(count: int, probability: float) -> bool:
    spread = math.sqrt(TRACKS * probability * (1 - probability))
    return abs(count - TRACKS * probability) <= 5 * spread


@pytest.mark.parametrize(("pdgid", "muon"), [(211, -13), (-211, 13)])
@pytest.mark.parametrize("kinetic", [0.05, 0.2, 0.6])
def test_pions_taken_for_muons(pdgid: int, muon: int, kinetic: float) -> None:
    after = RangeConfusion().apply(beam(pdgid, kinetic, MASSES["pi"], TRACKS))
    taken = after.identified == muon
    exact = math.exp(-float(csda_range(kinetic, 211)) / 106.7)
    assert float(stop_probability(kinetic)) == pytest.approx(exact, rel=1e-14)
    assert agree(taken.sum(), exact)
    assert np.all(after.identified[~taken] == pdgid)
    assert np.array_equal(after.flags == MISIDENTIFIED, taken)
    assert np.all(after.pdgid == pdgid)


def test_only_pions_are_confused() -> None:
    kinds = np.array([13, -13, 2212, 321, 111, 22])
    after = RangeConfusion(interaction_length=math.inf).apply(beam(kinds, 0.2, 0.1, 6))
    assert np.array_equal(after.identified, kinds)
    pion = RangeConfusion(interaction_length=math.inf).apply(beam(211, 0.2, MASSES["pi"], 6))
    assert np.all(pion.identified == -13)


@pytest.mark.parametrize(
    ("pdgid", "share"), [(-13, 1.0), (13, 1 - ARGON_CAPTURE), (-211, 0.0), (2212, 0.0)]
)
def test_michel_electrons(pdgid: int, share: float) -> None:
    before = beam(pdgid, 0.2, 0.1, TRACKS)
    after = MichelTag(efficiency=0.9).apply(before)
    assert agree(after.michel.sum(), 0.9 * share)
    for name in ("energy", "fate", "flags", "identified"):
        assert np.array_equal(getattr(after, name), getattr(before, name))


def test_pions_with_a_michel_electron_are_those_that_stop() -> None:
    before = beam(211, 0.2, MASSES["pi"], TRACKS)
    after = MichelTag(efficiency=0.6).apply(RangeConfusion().apply(before))
    stopped = after.identified == -13
    assert not np.any(after.michel & ~stopped)
    assert agree(after.michel.sum(), 0.6 * float(stop_probability(0.2)))


def test_capture_follows_from_the_rates() -> None:
    # a bound muon decays more slowly: 1 - 2.5 (Z_eff alpha)^2, Z_eff = 14.89
    decay = (1 - 2.5 * (14.89 / 137.036) ** 2) / 2.1969811
    assert pytest.approx(1.2727 / (1.2727 + decay), abs=5e-4) == ARGON_CAPTURE


def test_stages_by_name() -> None:
    needed = {
        "shower-merging": {"angle_deg": 15.0},
        "photon-conversion": {"gap": 2.0, "mistaken": 0.1},
        "michel-tag": {"efficiency": 0.9},
    }
    stages = [stage(**needed.get(name, {})) for name, stage in STAGES.items()]
    kinds = np.array([111, 211, -13, 2212] * 250)
    after = apply_all(beam(kinds, 1.0, 0.135, 1000, per_event=4), stages)
    assert after.event.size == 1500
    assert sorted(np.unique(after.fate).tolist()) == [0, 8192, 16384]


def test_bad_parameters() -> None:
    with pytest.raises(ValueError, match=r"unknown material 'argon'.*; known: liquid-argon"):
        RangeConfusion(material="argon")
    with pytest.raises(ValueError, match=r"interaction_length: found -1\.0"):
        RangeConfusion(interaction_length=-1.0)
    with pytest.raises(ValueError, match=r"capture: found 1\.5; allowed from 0 to 1"):
        MichelTag(efficiency=1.0, capture=1.5)
