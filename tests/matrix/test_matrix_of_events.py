"""Response matrices from events: what is true, what is missed, what is a fake, and that parts add."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from gun import card, gun, rule

import forefold
from forefold import ResponseMatrix
from forefold.matrix import compatibility
from forefold.workflows.stream import smear_chunks, smear_files, vary_chunks

CARD = "nusmear-dune-cdr"
AXIS = "visible_energy=0:6:6"


@pytest.fixture(scope="module")
def events(gst_file: Path) -> ak.Array:
    return forefold.read(gst_file)


def test_chunks_give_the_matrix_of_the_whole(events: ak.Array, gst_file: Path) -> None:
    options: dict[str, Any] = {"true": ["enu=0:6:3"], "reco": [AXIS], "rng": 1, "replicas": 3}
    whole = ResponseMatrix.from_events(events, CARD, **options)
    chunks = ResponseMatrix.from_events(forefold.iterate(gst_file, chunk=70), CARD, **options)
    np.testing.assert_array_equal(whole.counts.values(flow=True), chunks.counts.values(flow=True))
    np.testing.assert_array_equal(whole.replicas, chunks.replicas)
    halves = [
        ResponseMatrix.from_events(events[h], CARD, **options)
        for h in (slice(0, 99), slice(99, None))
    ]
    np.testing.assert_array_equal((halves[0] + halves[1]).replicas, whole.replicas)
    smeared = forefold.smear(events, CARD, rng=1)
    pair = ResponseMatrix.from_events((events, smeared), **options)
    np.testing.assert_array_equal(pair.matrix, whole.matrix)
    assert pair.provenance == whole.provenance
    assert whole.provenance["card"] == CARD


def test_matrix_is_that_of_the_observables(events: ak.Array) -> None:
    smeared = forefold.smear(events, CARD, rng=1)
    table = forefold.observables(events, smeared, names=["q2"])
    matrix = ResponseMatrix.from_events(events, CARD, true="q2=0:2:4", rng=1)
    true, reco = (ak.to_numpy(table[f"q2_{side}"]) for side in ("true", "reco"))
    made = ResponseMatrix.from_columns(true, reco, true_axes="q2=0:2:4")
    np.testing.assert_array_equal(matrix.counts.values(flow=True), made.counts.values(flow=True))
    np.testing.assert_array_equal(matrix.fakes.values(), made.fakes.values())
    energies = ResponseMatrix.from_events(smeared, true=AXIS)
    old = forefold.energy_matrix(smeared, bins=6, range=(0, 6))
    seen = ak.to_numpy(smeared.n_detected) > 0
    assert (
        np.sum(energies.counts.values(flow=True)) == np.sum(old.values(flow=True)) - (~seen).sum()
    )
    np.testing.assert_array_equal(energies.counts.values()[1:], old.values()[1:])


def test_signal_and_background(events: ak.Array) -> None:
    matrix = ResponseMatrix.from_events(
        events, CARD, true="enu=0:6:3", reco=AXIS, rng=1, signal="cc"
    )
    everything = ResponseMatrix.from_events(events, CARD, true="enu=0:6:3", reco=AXIS, rng=1)
    cc = ak.to_numpy(ak.fill_none(events.cc, False))
    assert np.sum(matrix.truth.values(flow=True)) == cc.sum()
    np.testing.assert_array_equal(matrix.reco.values(), everything.reco.values())
    nc = ResponseMatrix.from_events(events[~cc], CARD, true="enu=0:6:3", reco=AXIS, rng=1)
    fakes = (
        matrix.fakes.values()
        - ResponseMatrix.from_events(
            events[cc], CARD, true="enu=0:6:3", reco=AXIS, rng=1
        ).fakes.values()
    )
    np.testing.assert_array_equal(fakes, nc.reco.values())
    assert matrix.provenance["signal"] == "cc"
    alone = forefold.smear(events, CARD, rng=1)  # which knows currents, and no neutrino energies
    made = ResponseMatrix.from_events(alone, true=AXIS, signal="cc")
    pairs = ResponseMatrix.from_events((events, alone), true=AXIS, signal="cc")
    np.testing.assert_array_equal(made.matrix, pairs.matrix)
    with pytest.raises(ValueError, match="no column 'enu_true': smear with --observables, or give"):
        ResponseMatrix.from_events(alone, true=AXIS, signal="enu > 1")


def test_an_event_of_which_nothing_is_seen_is_missed() -> None:
    blind = card(rule(extra="efficiency = 0.0"))
    matrix = ResponseMatrix.from_events(
        gun(13, 5), blind, true="visible_energy=0:2:2", rng=1, axis="z"
    )
    assert matrix.efficiency.tolist() == [0.0, 0.0]
    assert np.sum(matrix.truth.values()) == 5.0


def test_draws_are_other_draws_of_the_same_events(events: ak.Array) -> None:
    first = ResponseMatrix.from_events(events, CARD, true=AXIS, rng=1)
    many = ResponseMatrix.from_events(events, CARD, true=AXIS, rng=1, draws=8)
    np.testing.assert_array_equal(many.truth.values(), first.truth.values())
    single = [
        ResponseMatrix.from_events(forefold.smear(events, CARD, rng=1, draw=d), true=AXIS).matrix
        for d in range(8)
    ]
    np.testing.assert_allclose(many.matrix, np.mean(single, axis=0), atol=1e-12)
    assert many.variance.sum() < first.variance.sum()
    assert many.draws == 8
    assert "8 draws of each event" in repr(many)
    with pytest.raises(ValueError, match="these are smeared already"):
        ResponseMatrix.from_events(forefold.smear(events, CARD, rng=1), true=AXIS, draws=2)
    with pytest.raises(ValueError, match="matrices of 1 and of 8 draws an event do not add"):
        _ = first + many


def test_draw_of_smear(events: ak.Array) -> None:
    zero, one = (forefold.smear(events, CARD, rng=1, draw=d) for d in (0, 1))
    plain = forefold.smear(events, CARD, rng=1)
    assert ak.array_equal(plain.visible_energy_reco, zero.visible_energy_reco)
    assert not ak.array_equal(plain.visible_energy_reco, one.visible_energy_reco)
    assert one.attrs["forefold"]["draw"] == 1
    assert "draw" not in zero.attrs["forefold"]
    with pytest.raises(ValueError, match="draw: a whole number from 0 to 65535, found 65536"):
        forefold.smear(events, CARD, rng=1, draw=65536)


def test_particles_and_those_that_are_taken_for_them() -> None:
    detector = card(
        rule(),
        head='[[identification]]\nparticles = ["pi+"]\nsource = "test"\nkeep = "momentum"\n'
        'row = [{ as = "mu+", probability = 0.25 }, { as = "pi+", probability = 0.75 }]\n',
    )
    shots = [gun(211, 4000, p=1.0), gun(-13, 1000, p=1.0, first=5000)]
    made = [
        ResponseMatrix.from_events(shot, detector, true="momentum=0:2:2", of="mu+", rng=1, axis="z")
        for shot in shots
    ]
    matrix = made[0] + made[1]
    assert np.sum(matrix.truth.values()) == 1000.0
    assert matrix.efficiency[1] == 1.0
    fakes = np.sum(matrix.fakes.values())
    assert abs(fakes - 1000.0) < 5 * np.sqrt(750.0)
    pions = ResponseMatrix.from_events(
        shots[0], detector, true="cos_theta=-1:1.5:5", of=211, rng=1, axis="z"
    )
    assert pions.efficiency[-1] == pytest.approx(1.0 - fakes / 4000.0)


def test_matrix_of_events_is_that_of_the_closed_forms() -> None:
    """Smearing and the card's closed forms agree: chi2 of all cells, 1e-6 by chance; the numbers are fixed."""
    n = 200_000
    kinetic = np.random.default_rng(5).uniform(0.0, 3.2, n)
    shots = gun(13, n, p=np.sqrt(kinetic * (kinetic + 2 * 0.1056583755)))
    options: dict[str, Any] = {"true": "kinetic_energy=0:3:10", "of": "mu-", "rng": 1, "axis": "z"}
    large, small = (
        ResponseMatrix.from_events(part, CARD, **options) for part in (shots, shots[: n // 16])
    )
    exact = ResponseMatrix.from_response(
        forefold.card_response(CARD, "mu-"), "kinetic_energy=0:3:10"
    )
    found = compatibility(large, exact)
    assert found.ndf.sum() > 40
    assert found.p_value > 1e-6
    rms = [np.sqrt(np.mean(np.square(m.matrix - exact.matrix))) for m in (small, large)]
    # 16 times the events: a quarter; 100 cells scatter the ratio by about a tenth
    assert 2.8 < rms[0] / rms[1] < 5.7


def test_variations_of_the_detector(events: ak.Array, gst_file: Path) -> None:
    chosen = [forefold.Variation("muon_p0_up", {"muon_p0": 1.0})]
    varied = forefold.smear_variations(events, "dune-fd-uncertainties", rng=1, variations=chosen)
    found = ResponseMatrix.from_variations(varied, true="enu=0:6:3", reco=AXIS)
    assert list(found) == ["nominal", "muon_p0_up"]
    made = ResponseMatrix.from_events((events, varied["muon_p0_up"]), true="enu=0:6:3", reco=AXIS)
    np.testing.assert_array_equal(found["muon_p0_up"].matrix, made.matrix)
    chunks = vary_chunks(gst_file, "dune-fd-uncertainties", rng=1, variations=chosen, chunk=100)
    parts = ResponseMatrix.from_variations(chunks, true="enu=0:6:3", reco=AXIS)
    np.testing.assert_array_equal(parts["muon_p0_up"].matrix, made.matrix)
    with pytest.raises(ValueError, match="no events were given"):
        ResponseMatrix.from_variations([], true=AXIS)


def test_smeared_files_with_observables(gst_file: Path, tmp_path: Path, events: ak.Array) -> None:
    out = tmp_path / "s.parquet"
    smear_files(gst_file, CARD, out, rng=1, observables=True)
    back = ResponseMatrix.from_events(forefold.iterate_smeared(out, chunk=100), true="q2=0:2:4")
    made = ResponseMatrix.from_events(events, CARD, true="q2=0:2:4", rng=1)
    np.testing.assert_array_equal(back.matrix, made.matrix)
    bare = smear_chunks(gst_file, CARD, rng=1)
    with pytest.raises(ValueError, match="these smeared events have no column 'q2_true'"):
        ResponseMatrix.from_events(bare, true="q2=0:2:4")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"true": "enuu=0:1:2"}, r"no quantity 'enuu' .did you mean 'enu'.* of an event"),
        ({"true": "momentum=0:1:2"}, "it is one of a particle: say of="),
        ({"true": "enu=0:1:2", "of": "mu-"}, "no quantity 'enu' of a particle"),
        ({"true": AXIS, "weight": "wght"}, "no field 'wght' for the weight"),
        ({"true": AXIS, "draws": 0}, "draws = 0"),
    ],
)
def test_what_cannot_be_filled(events: ak.Array, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ResponseMatrix.from_events(events, CARD, rng=1, **options)


def test_what_is_no_sample(events: ak.Array) -> None:
    with pytest.raises(ValueError, match="event records need a card"):
        ResponseMatrix.from_events(events, true=AXIS)
    with pytest.raises(ValueError, match="str among the events"):
        ResponseMatrix.from_events(["events.root"], CARD, true=AXIS)
    with pytest.raises(ValueError, match="1 flat columns"):
        ResponseMatrix.from_columns([[1.0]] * 2, [1.0], true_axes="x=0:1:2")
    with pytest.raises(ValueError, match="do not go with 2 weights"):
        ResponseMatrix.from_columns([1.0], [1.0], true_axes="x=0:1:2", weight=[1.0, 1.0])


def test_unweighted(events: ak.Array) -> None:
    heavy = ak.with_field(events, 2.0, "weight")
    matrix = ResponseMatrix.from_events(heavy, CARD, true=AXIS, rng=1, weight=None)
    assert np.sum(matrix.truth.values(flow=True)) == len(events)
    assert (
        np.sum(ResponseMatrix.from_events(heavy, CARD, true=AXIS, rng=1).truth.values(flow=True))
        == 600.0
    )
