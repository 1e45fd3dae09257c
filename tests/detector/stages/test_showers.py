"""Neutral pions and photons against closed forms.

The draws are functions of fixed keys, so every comparison passes or fails once and for all; the stated chance is that of
a false alarm over another key.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from beams import beam
from scipy import stats

from forefold.detector.stages.base import (
    DECAYED,
    MERGED,
    MISIDENTIFIED,
    Particles,
    Stage,
    generated,
)
from forefold.detector.stages.registry import apply_all
from forefold.detector.stages.showers import (
    PION_MASS,
    NeutralPionDecay,
    PhotonConversion,
    ShowerMerging,
    conversion_probability,
    shower_fractions,
)

PIONS = 100_000
ENERGIES = (0.2, 0.5, 1.0, 2.0, 5.0)
FALSE_ALARM = 1e-4


def pions(energy: float, n: int = PIONS, **kwargs: Any) -> Particles:
    return beam(111, energy - PION_MASS, PION_MASS, n, **kwargs)


def momenta(p: Particles) -> np.ndarray:
    return np.stack([p.px, p.py, p.pz])


def chi2(found: np.ndarray, expected: np.ndarray, *, lost: int = 1) -> float:
    """Probability of a chi2 as large; bins that expect nothing must hold nothing."""
    assert np.all(found[expected == 0] == 0)
    f, e = found[expected > 0], expected[expected > 0]
    if e.size <= lost:
        return 1.0
    return float(stats.chi2.sf(np.sum((f - e) ** 2 / e), e.size - lost))


def photons(energy: float) -> tuple[np.ndarray, np.ndarray]:
    """Energies (2, n) and opening angles (n,) of the photons of pions."""
    after = NeutralPionDecay().apply(pions(energy))
    rows = np.flatnonzero(after.pdgid == 22).reshape(-1, 2)
    e = after.energy[rows].T
    p = momenta(after)[:, rows]
    cross = np.linalg.norm(np.cross(p[:, :, 0].T, p[:, :, 1].T), axis=1)
    return e, np.arctan2(cross, np.sum(p[:, :, 0] * p[:, :, 1], axis=0))


@pytest.mark.parametrize("energy", ENERGIES)
def test_decay_conserves_the_four_momentum(energy: float) -> None:
    before = pions(energy, 1000)
    after = NeutralPionDecay().apply(before)
    rows = np.flatnonzero(after.pdgid == 22)
    parent = after.parent[rows]
    sums = [
        np.bincount(parent, column[rows], after.event.size)
        for column in (*momenta(after), after.energy)
    ]
    pion = after.fate == DECAYED
    for total, column in zip(sums, (*momenta(after), after.energy), strict=True):
        assert np.allclose(total[pion], column[pion], rtol=1e-12, atol=1e-12)
    size = np.sqrt(np.sum(momenta(after)[:, rows] ** 2, axis=0))
    assert np.allclose(size, after.energy[rows], rtol=1e-15)


@pytest.mark.parametrize("energy", ENERGIES)
def test_decay_is_isotropic(energy: float) -> None:
    # a flat cosine in the rest frame: flat photon energies, and opening angles from the minimum on
    (first, second), angle = photons(energy)
    beta = np.sqrt(1 - (PION_MASS / energy) ** 2)
    flat = np.full(20, PIONS / 20)
    found = np.histogram((first - second) / (energy * beta), 20, (-1, 1))[0]
    assert chi2(found, flat) > FALSE_ALARM

    ratio = PION_MASS / energy
    assert np.all(np.sin(angle / 2) > ratio * (1 - 1e-9))
    cosine = np.sqrt(np.maximum(1 - (ratio / np.sin(angle / 2)) ** 2, 0)) / beta
    assert chi2(np.histogram(cosine, 20, (0, 1.000001))[0], flat) > FALSE_ALARM


def test_decay_has_no_favoured_azimuth() -> None:
    after = NeutralPionDecay().apply(beam(111, 0.0, PION_MASS, PIONS))
    first = np.flatnonzero(after.pdgid == 22)[::2]
    assert np.allclose(after.energy[first], PION_MASS / 2, rtol=1e-15)
    for a, b in (("px", "py"), ("py", "pz"), ("pz", "px")):
        angle = np.arctan2(getattr(after, a)[first], getattr(after, b)[first])
        found = np.histogram(angle, 20, (-np.pi, np.pi))[0]
        assert chi2(found, np.full(20, PIONS / 20)) > FALSE_ALARM


@pytest.mark.parametrize("energy", ENERGIES)
@pytest.mark.parametrize(("angle", "threshold"), [(5.0, 0.03), (10.0, 0.1), (30.0, 0.25)])
def test_numbers_of_showers(energy: float, angle: float, threshold: float) -> None:
    after = ShowerMerging(angle).apply(NeutralPionDecay().apply(pions(energy)))
    seen = (after.fate == 0) & (after.energy >= threshold)
    showers = np.bincount(after.event[seen], minlength=PIONS)
    found = np.bincount(showers, minlength=3)[::-1]
    expected = PIONS * np.array(shower_fractions(energy, angle_deg=angle, threshold=threshold))
    assert expected.sum() == pytest.approx(PIONS)
    expected[abs(expected) < 1e-9] = 0.0
    assert chi2(found, expected) > FALSE_ALARM


def test_fractions_at_the_ends() -> None:
    # the minimum opening angle of a pion at rest is 180 degrees, of a fast one nothing
    slow = shower_fractions(PION_MASS * (1 + 1e-9), angle_deg=170.0, threshold=0.0)
    assert slow.two == pytest.approx(1.0)
    fast = shower_fractions(1e4, angle_deg=1.0, threshold=0.0)
    assert fast.one == pytest.approx(1.0, abs=1e-5)
    assert shower_fractions(0.2, angle_deg=0.0, threshold=0.5).none == 1.0
    assert shower_fractions([0.2, 2.0], angle_deg=1.0, threshold=0.0).two.shape == (2,)


def test_every_particle_is_accounted_for() -> None:
    before = pions(1.0, 300, per_event=3)
    after = PhotonConversion(5.0, 0.5).apply(
        ShowerMerging(20.0).apply(NeutralPionDecay().apply(before))
    )
    assert after.event.size == 3 * 300
    assert np.sum(after.fate == DECAYED) == 300
    assert np.sum(after.fate == 0) + np.sum(after.fate == MERGED) == 600
    assert 0 < np.sum(after.fate == MERGED) < 300
    # what the pions had is in the showers that go on
    assert np.sum(after.energy[after.fate == 0]) == pytest.approx(300.0, rel=1e-12)


def test_rows_of_an_event_stay_together() -> None:
    kinds = np.array([13, 111, 111] * 4)
    after = NeutralPionDecay().apply(beam(kinds, 0.5, PION_MASS, 12, per_event=3))
    assert after.event.tolist() == [e for e in range(4) for _ in range(7)]
    assert after.pdgid.tolist() == [13, 111, 111, 22, 22, 22, 22] * 4
    assert after.parent[:7].tolist() == [0, 1, 2, 1, 1, 2, 2]
    assert after.parent[7:14].tolist() == [7, 8, 9, 8, 8, 9, 9]
    one, two = 1 << 24, 2 << 24
    assert after.place[:7].tolist() == [0, 1, 2, 1 | one, 1 | two, 2 | one, 2 | two]
    assert len(set(zip(after.entry.tolist(), after.place.tolist(), strict=True))) == 28
    # the second stage of the same kind finds nothing to do
    again = NeutralPionDecay().apply(after)
    for name in Particles._fields:
        assert np.array_equal(getattr(after, name), getattr(again, name)), name


def test_draws_do_not_depend_on_chunks() -> None:
    whole = pions(1.0, 60, per_event=3)
    stages: list[Stage] = [NeutralPionDecay(), ShowerMerging(20.0), PhotonConversion(8.0, 0.5)]

    def through(p: Particles) -> Particles:
        return apply_all(p, stages, 3)

    def cut(rows: slice) -> Particles:
        columns: list[Any] = [column[rows] for column in whole]
        return Particles(*columns)._replace(parent=np.arange(30))

    parts = [through(cut(rows)) for rows in (slice(0, 30), slice(30, 60))]
    once = through(whole)
    for name in Particles._fields:
        if name != "parent":
            joined = np.concatenate([getattr(p, name) for p in parts])
            assert joined.tobytes() == getattr(once, name).tobytes(), name


def test_a_variation_draws_other_numbers() -> None:
    a, b = (NeutralPionDecay().apply(pions(1.0, 10), v) for v in (0, 1))
    assert not np.any(a.px[a.pdgid == 22] == b.px[b.pdgid == 22])


def test_what_has_ended_is_left_alone() -> None:
    before = pions(1.0, 5)._replace(fate=np.full(5, 64, dtype=np.uint16))
    after = NeutralPionDecay().apply(before)
    assert after.event.size == 5
    assert np.all(after.fate == 64)


def test_soft_photons_are_absorbed() -> None:
    decayed = NeutralPionDecay().apply(pions(1.0, 2000))
    after = ShowerMerging(0.0, absorbed_below=0.1).apply(decayed)
    soft = (decayed.pdgid == 22) & (decayed.energy < 0.1)
    assert np.array_equal(after.fate == MERGED, soft)
    kept = np.isin(after.parent, after.parent[soft]) & (after.fate == 0)
    assert np.allclose(after.energy[kept], 1.0, rtol=1e-12)
    along = np.cross(momenta(after)[:, kept].T, momenta(after)[:, after.parent[kept]].T)
    assert np.all(abs(along) < 1e-12)
    assert np.allclose(np.linalg.norm(momenta(after)[:, kept], axis=0), 1.0, rtol=1e-12)


def test_photons_back_to_back_keep_a_direction() -> None:
    decayed = NeutralPionDecay().apply(beam(111, 0.0, PION_MASS, 10))
    after = ShowerMerging(1.0, absorbed_below=1.0).apply(decayed)
    kept = (after.fate == 0) & (after.pdgid == 22)
    assert kept.sum() == 10
    assert np.allclose(after.energy[kept], PION_MASS, rtol=1e-14)
    assert np.all(np.isfinite(momenta(after)[:, kept]))


def test_a_pion_without_mass_gets_that_of_the_table() -> None:
    before = pions(1.0, 4)
    photon = NeutralPionDecay().apply(before._replace(mass=np.zeros(4)))
    assert np.array_equal(photon.px, NeutralPionDecay().apply(before).px)


@pytest.mark.parametrize(("gap", "mistaken"), [(1.0, 1.0), (3.0, 0.3), (20.0, 0.05)])
def test_conversion(gap: float, mistaken: float) -> None:
    # binomial: five standard deviations are a false alarm of 6e-7
    before = beam(22, 1.0, 0.0, PIONS)
    after = PhotonConversion(gap, mistaken).apply(before)
    taken = after.identified == 11
    expected = mistaken * (1 - np.exp(-7 * gap / (9 * 14.0)))
    assert float(conversion_probability(gap)) * mistaken == pytest.approx(expected, rel=1e-12)
    spread = np.sqrt(PIONS * expected * (1 - expected))
    assert abs(taken.sum() - PIONS * expected) < 5 * spread
    assert np.array_equal(after.flags == MISIDENTIFIED, taken)
    assert np.all(after.pdgid == 22)
    assert np.all(after.fate == 0)
    assert np.array_equal(after.energy, before.energy)


def test_conversion_leaves_others_alone() -> None:
    after = PhotonConversion(1e9, 1.0).apply(beam(np.array([22, 11, 111]), 1.0, 0.0, 3))
    assert after.identified.tolist() == [11, 11, 111]
    assert after.flags.tolist() == [MISIDENTIFIED, 0, 0]


def test_bad_parameters() -> None:
    with pytest.raises(ValueError, match=r"angle_deg: found 181\.0; allowed from 0 to 180"):
        ShowerMerging(181.0)
    with pytest.raises(ValueError, match="mistaken: found nan"):
        PhotonConversion(1.0, float("nan"))
    with pytest.raises(ValueError, match="radiation_length"):
        PhotonConversion(1.0, 0.5, 0.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        ShowerMerging(1.0).angle_deg = 2.0  # type: ignore[misc]


def test_no_particles() -> None:
    none = beam(111, 1.0, PION_MASS, 0)
    after = PhotonConversion(1.0, 0.5).apply(
        ShowerMerging(5.0).apply(NeutralPionDecay().apply(none))
    )
    assert after.event.size == 0


def test_unsorted_events_and_large_places_are_refused() -> None:
    p = beam(13, 1.0, 0.1, 2)
    columns: dict[str, Any] = {
        "key": p.key, "entry": p.entry, "pdgid": p.pdgid, "momentum": momenta(p), "energy": p.energy, "mass": p.mass,
    }  # fmt: skip
    with pytest.raises(ValueError, match="not sorted by event"):
        generated(event=np.array([1, 0]), place=p.place, **columns)
    with pytest.raises(ValueError, match=r"at most 2\^24"):
        generated(event=p.event, place=np.array([0, 1 << 24], dtype=np.uint64), **columns)
