"""Smearing events: the promises on random numbers, kinematics, fates and accounting."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import forefold
from forefold import Fate
from forefold.events import build
from forefold.kernels.directions import from_axis
from forefold.kernels.draw_numpy import described
from forefold.kernels.layout import TrueParticles
from forefold.kernels.simple_rules import frames

CARD = "nusmear-dune-cdr"
NUMBERS = (
    "energy_true",
    "theta_true",
    "energy_reco",
    "theta_reco",
    "phi_reco",
    "px_reco",
    "py_reco",
    "pz_reco",
    "fate",
    "mass",
    "theta_drawn",
)


def bits(smeared: ak.Array) -> bytes:
    """Every number of every particle and event."""
    particles = ak.flatten(smeared.particles)
    columns = [ak.to_numpy(ak.fill_none(particles[name], np.nan)) for name in NUMBERS]
    columns += [ak.to_numpy(smeared[f"visible_energy_{which}"]) for which in ("true", "reco")]
    return b"".join(column.tobytes() for column in columns)


@pytest.fixture(scope="module")
def events(gst_file: Path) -> ak.Array:
    return forefold.read(gst_file)


def test_same_rng_same_bits_other_rng_other_bits(events: ak.Array) -> None:
    one = bits(forefold.smear(events, CARD, rng=1))
    assert one == bits(forefold.smear(events, CARD, rng=1))
    assert one != bits(forefold.smear(events, CARD, rng=2))


@pytest.mark.parametrize("cuts", [[150], [1, 2, 299], list(range(1, 300, 7))])
def test_chunks_do_not_matter(events: ak.Array, cuts: list[int]) -> None:
    bounds = [0, *cuts, 300]
    pieces = [forefold.smear(events[a:b], CARD, rng=5) for a, b in pairwise(bounds)]
    assert bits(ak.concatenate(pieces)) == bits(forefold.smear(events, CARD, rng=5))


def test_order_does_not_matter(events: ak.Array) -> None:
    order = np.random.default_rng(3).permutation(len(events))
    shuffled = forefold.smear(events[order], CARD, rng=5)
    assert bits(shuffled[np.argsort(order)]) == bits(forefold.smear(events, CARD, rng=5))


def test_stream_tells_files_apart(events: ak.Array) -> None:
    other = ak.with_field(events, events.stream ^ np.uint64(1), "stream")
    one, two = (forefold.smear(e, CARD, rng=1) for e in (events, other))
    assert bits(one) != bits(two)


def test_an_efficiency_does_not_move_the_energies(tmp_path: Path) -> None:
    """Each effect draws from its own numbers."""
    card = tmp_path / "half.toml"
    card.write_text(
        'schema = 1\nname = "half"\ntitle = "half"\nextends = "nusmear-default"\n'
        '[[rule]]\nname = "muon"\nefficiency = 0.5\n',
        encoding="utf-8",
    )
    toy = build(pdgid=[[13]] * 2000, px=0.3, py=0.0, pz=1.0, energy=1.1)
    full = ak.flatten(forefold.smear(toy, "nusmear-default", rng=1, axis="z").particles)
    half = ak.flatten(forefold.smear(toy, card, rng=1, axis="z").particles)
    seen = half.detected
    assert 800 < ak.sum(seen) < 1200  # 1000 +- 9 standard deviations
    assert ak.all(full.energy_reco[seen] == half.energy_reco[seen])
    assert ak.all(full.theta_drawn == half.theta_drawn)


def test_particles_of_an_event_are_independent() -> None:
    """Correlation of two muons of the same event: below 4.5 standard deviations (chance 7e-6)."""
    toy = build(pdgid=np.full((20_000, 2), 13), px=0.3, py=0.0, pz=1.0, energy=1.1)
    particles = forefold.smear(toy, CARD, rng=1, axis="z").particles
    for name in ("energy_reco", "theta_drawn"):
        first, second = (ak.to_numpy(particles[name][:, i]) for i in (0, 1))
        assert abs(stats.spearmanr(first, second).statistic) < 4.5 / math.sqrt(20_000)
    both = [ak.to_numpy(ak.flatten(particles[name])) for name in ("energy_reco", "theta_drawn")]
    assert abs(stats.spearmanr(*both).statistic) < 4.5 / math.sqrt(40_000)


def test_every_particle_is_accounted_for(events: ak.Array) -> None:
    smeared = forefold.smear(events, CARD, rng=1)
    counts = forefold.fate_counts(smeared)
    assert sum(counts.values()) == ak.sum(ak.num(events.particles)) == ak.sum(smeared.n_particles)
    parts = smeared.n_detected + smeared.n_lost + smeared.n_not_smeared
    assert ak.all(parts == smeared.n_particles)
    assert ak.all(smeared.particles.detected == ((smeared.particles.fate & 1) != 0))
    lost = ~smeared.particles.detected
    for name in ("energy_reco", "theta_reco", "phi_reco", "px_reco", "py_reco", "pz_reco"):
        assert ak.all(ak.is_none(smeared.particles[name], axis=-1) == lost)


def test_visible_energy(events: ak.Array) -> None:
    smeared = forefold.smear(events, CARD, rng=1)
    particles = smeared.particles
    nucleon = (particles.pdgid == 2212) | (particles.pdgid == 2112)
    rest = ak.where(nucleon, particles.mass, 0.0)
    true = ak.sum(ak.where(particles.rule >= 0, particles.energy_true - rest, 0.0), axis=1)
    reco = ak.sum(
        ak.fill_none(particles.energy_reco, 0.0, axis=-1) - rest * particles.detected, axis=1
    )
    assert np.allclose(smeared.visible_energy_true, true, rtol=1e-14)
    assert np.allclose(smeared.visible_energy_reco, reco, rtol=1e-12)


def test_reconstructed_momenta_are_on_the_shell(events: ak.Array) -> None:
    smeared = forefold.smear(events, CARD, rng=1)
    reco = forefold.reconstructed(smeared)
    seen = smeared.particles[smeared.particles.detected]
    assert ak.sum(ak.num(reco)) == ak.sum(smeared.n_detected)
    off = ak.flatten(abs(reco.energy**2 - reco.p**2 - seen.mass**2) / reco.energy**2)
    assert ak.max(off) < 1e-12
    moving = ak.flatten(reco.p) > 0.0
    theta = [ak.to_numpy(ak.flatten(x)[moving]) for x in (reco.theta, seen.theta_reco)]
    assert np.allclose(theta[0], theta[1], atol=1e-7)


def test_energy_below_mass_is_at_rest() -> None:
    """A Lambda of small momentum, 30 % resolution: about half are drawn below the mass."""
    toy = build(pdgid=[[3122]] * 1000, px=0.0, py=0.0, pz=0.4, energy=math.hypot(0.4, 1.115683))
    smeared = forefold.smear(toy, "nusmear-default", rng=1, axis="z")
    particles = ak.flatten(smeared.particles)
    below = particles.energy_reco < particles.mass
    assert 300 < ak.sum(below) < 700
    assert ak.all(((particles.fate & int(Fate.ENERGY_BELOW_MASS)) != 0) == below)
    at_rest = ak.flatten(forefold.reconstructed(smeared))[below]
    assert ak.all(at_rest.p == 0.0)
    assert ak.all(at_rest.energy == particles.mass[below])


@pytest.mark.parametrize("theta", [0.0, 1e-3, math.pi - 1e-3, math.pi])
def test_directions_stay_on_the_sphere(theta: float) -> None:
    px, pz = math.sin(theta), math.cos(theta)
    toy = build(pdgid=np.full((4000, 1), 111), px=px, py=0.0, pz=pz, energy=math.hypot(1.0, 0.135))
    particles = ak.flatten(forefold.smear(toy, "nusmear-default", rng=1, axis="z").particles)
    drawn, reco = ak.to_numpy(particles.theta_drawn), ak.to_numpy(particles.theta_reco)
    folded = (drawn < 0) | (drawn > math.pi)
    assert folded.sum() > 1500
    assert np.array_equal(folded, (ak.to_numpy(particles.fate) & int(Fate.THETA_FOLDED)) != 0)
    assert np.allclose(
        reco, np.where(drawn < 0, -drawn, np.where(drawn > math.pi, 2 * math.pi - drawn, drawn))
    )
    phi = ak.to_numpy(particles.phi_reco)
    assert np.allclose(np.abs(phi[folded]), math.pi)
    assert np.allclose(phi[~folded], 0.0)
    # the same direction, from the components
    x = ak.to_numpy(particles.px_reco) / np.hypot(
        ak.to_numpy(particles.px_reco), ak.to_numpy(particles.pz_reco)
    )
    assert np.allclose(x, np.sin(drawn), atol=1e-12)


def test_axis_of_the_probe() -> None:
    """Turning the whole event turns the result; polar angles stay."""
    axis = np.array([0.6, 0.0, 0.8])
    turn = np.array([[0.8, 0.0, 0.6], [0.0, 1.0, 0.0], [-0.6, 0.0, 0.8]])
    rng = np.random.default_rng(4)
    p = rng.normal(size=(500, 3))
    turned = p @ turn.T
    energy = np.sqrt((p * p).sum(axis=1) + 0.1395704**2)
    straight = build(pdgid=211, px=p[:, 0], py=p[:, 1], pz=p[:, 2], energy=energy)
    tilted = build(
        pdgid=211,
        px=turned[:, 0],
        py=turned[:, 1],
        pz=turned[:, 2],
        energy=energy,
        probe_momentum=(*(5.0 * axis), 5.0),
    )
    one = ak.flatten(forefold.smear(straight, CARD, rng=1, axis="z").particles)
    two = ak.flatten(forefold.smear(tilted, CARD, rng=1).particles)
    assert np.allclose(one.theta_true, two.theta_true, atol=1e-12)
    seen = ak.to_numpy(one.detected)
    assert np.allclose(one.theta_reco[seen], two.theta_reco[seen], atol=1e-12)
    momenta = [
        np.stack([np.asarray(ak.drop_none(x[f"p{c}_reco"])) for c in "xyz"], 1) for x in (one, two)
    ]
    assert np.allclose(momenta[0] @ turn.T, momenta[1], atol=1e-12)


@pytest.mark.parametrize(
    "axis", [(0.0, 0.0, 1.0), (0.0, 0.0, -1.0), (0.6, 0.0, 0.8), (0.48, -0.6, -0.64)]
)
def test_axis_frames_are_rotations(axis: tuple[float, float, float]) -> None:
    vector, axes = (0.3, -1.2, 0.7), np.array([axis])
    px, py, pz = np.array([axis, vector]).T
    word, row = np.zeros(2, np.uint64), np.zeros(2, np.int64)
    truth = TrueParticles(word, word, word, row, px, py, pz, np.full(2, 9.0), row, axes)
    true = described(truth, np.zeros(1), frames(axes)[0])
    along, there = np.stack([true.x, true.y, true.z], axis=1)
    assert np.allclose(along, (0.0, 0.0, 1.0), atol=1e-15)
    assert np.linalg.norm(there) == pytest.approx(np.linalg.norm(vector), rel=1e-14)
    x, y, z = (float(side) for side in there)
    assert np.allclose(from_axis(x, y, z, *axis), vector, atol=1e-15)


def test_missing_probe_is_an_error() -> None:
    toy = build(pdgid=[[13]], px=0.0, py=0.0, pz=1.0, energy=1.1)
    with pytest.raises(ValueError, match=r"memory: entry 0 \(event 0\): no incident particle.*'z'"):
        forefold.smear(toy, CARD, rng=1)


def test_not_final_state_is_a_fate() -> None:
    toy = build(
        pdgid=[[14, 13, 211]],
        px=0.3,
        py=0.0,
        pz=1.0,
        energy=1.2,
        status=[[0, 1, 14]],
    )
    alone = build(pdgid=[[13]], px=0.3, py=0.0, pz=1.0, energy=1.2)
    smeared = forefold.smear(toy, CARD, rng=1, axis="z")
    assert forefold.fate_counts(smeared) == {Fate.DETECTED: 1, Fate.NOT_FINAL_STATE: 2}
    assert smeared.particles.rule.tolist()[0][0] == -1
    # the intermediate state does not shift the draws of the final state
    muon = forefold.smear(alone, CARD, rng=1, axis="z").particles[0, 0]
    assert smeared.particles[0, 1].energy_reco == muon.energy_reco


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("px", r"particle 0 \(pdgid 13\): px = nan"),
        ("energy", r"energy = nan"),
    ],
)
def test_not_a_number_is_refused(value: str, message: str) -> None:
    numbers: dict[str, Any] = {"px": 0.0, "py": 0.0, "pz": 1.0, "energy": 1.1, value: math.nan}
    with pytest.raises(ValueError, match=message):
        forefold.smear(build(pdgid=[[13]], **numbers), CARD, rng=1, axis="z")


def test_negative_energy_is_refused() -> None:
    with pytest.raises(ValueError, match="energy = -1"):
        forefold.smear(build(pdgid=13, px=0.0, py=0.0, pz=1.0, energy=-1.0), CARD, rng=1, axis="z")


@pytest.mark.parametrize("rng", [-1, 2**64, 1.5, "1", True])
def test_bad_rng(rng: object) -> None:
    toy = build(pdgid=13, px=0.0, py=0.0, pz=1.0, energy=1.1)
    with pytest.raises(ValueError, match="rng: a whole number from 0"):
        forefold.smear(toy, CARD, rng=rng, axis="z")  # type: ignore[arg-type]


def test_bad_axis() -> None:
    toy = build(pdgid=13, px=0.0, py=0.0, pz=1.0, energy=1.1)
    with pytest.raises(ValueError, match="'probe' or 'z', found 'x'"):
        forefold.smear(toy, CARD, rng=1, axis="x")  # type: ignore[arg-type]


def test_rng_none_and_generator_are_recorded() -> None:
    toy = build(pdgid=[[13]] * 50, px=0.0, py=0.0, pz=1.0, energy=1.1)
    for rng in (None, np.random.default_rng(8)):
        first = forefold.smear(toy, CARD, rng=rng, axis="z")
        key = first.attrs["forefold"]["rng"]
        assert bits(forefold.smear(toy, CARD, rng=key, axis="z")) == bits(first)
    assert forefold.smear(toy, CARD, axis="z").attrs != forefold.smear(toy, CARD, axis="z").attrs


def test_selections_of_a_notebook(events: ak.Array) -> None:
    """``events[events.cc]`` is of an option type; it is smeared like any other."""
    chosen = forefold.smear(events[events.cc], CARD, rng=1)
    everything = forefold.smear(events, CARD, rng=1)
    assert bits(chosen) == bits(everything[ak.to_numpy(ak.fill_none(events.cc, False))])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda e: e[3], "a single event; give an array"),
        (lambda e: e.mask[e.process_id == 200], r"events are missing \(None\)"),
        (lambda e: forefold.smear(e, CARD, rng=1), "not an event record .*, but smeared events"),
        (lambda _: [1, 2, 3], "not an event record .*, but list"),
        (lambda e: e.particles, "not an event record"),
    ],
)
def test_not_events(events: ak.Array, wrong: Callable[[ak.Array], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        forefold.smear(wrong(events), CARD, rng=1)


@pytest.mark.parametrize("compiled", [False, True])
def test_no_finite_result_is_an_error(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line that says so, and no warning of numpy's before it, whichever loops are taken."""
    monkeypatch.setattr("forefold.kernels.launch.worth_compiling", lambda *_: compiled)
    toy = build(pdgid=13, px=0.0, py=0.0, pz=1e300, energy=1e300)
    with pytest.raises(ValueError, match=r"entry 0 .*1e\+300 GeV gives no finite result"):
        forefold.smear(toy, CARD, rng=1, axis="z")


def test_negative_probe_energy_is_refused() -> None:
    toy = build(pdgid=13, px=0.0, py=0.0, pz=1.0, energy=1.1, probe_momentum=(0, 0, 2, -2))
    with pytest.raises(ValueError, match=r"probe momentum .* the energy not negative"):
        forefold.smear(toy, CARD, rng=1)


def test_events_without_particles() -> None:
    toy = build(counts=[0, 1, 0], pdgid=[13], px=[0.0], py=[0.0], pz=[1.0], energy=[1.1])
    smeared = forefold.smear(toy, CARD, rng=1, axis="z")
    assert smeared.n_particles.tolist() == [0, 1, 0]
    assert smeared.visible_energy_true.tolist()[::2] == [0.0, 0.0]
    assert len(forefold.smear(toy[:0], CARD, rng=1, axis="z")) == 0
    assert forefold.smear(toy[:1], CARD, rng=1, axis="z").n_particles.tolist() == [0]


IDS = st.sampled_from(
    [13, 211, 2212, 2112, 22, 11, 111, 3122, -2212, 1000180400, 2000000101, 14, 987]
)
COMPONENT = st.one_of(
    st.just(0.0), st.floats(-1e6, 1e6), st.floats(-1e-9, 1e-9), st.floats(-5.0, 5.0)
)


@pytest.mark.filterwarnings("ignore:.*seem to be")
@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(IDS, COMPONENT, COMPONENT, COMPONENT, st.floats(0.0, 1e6)), min_size=1, max_size=6
    ),
    st.sampled_from(["nusmear-dune-cdr", "nusmear-default"]),
    st.integers(0, 2**64 - 1),
    st.booleans(),
)
def test_any_kinematics(
    rows: list[tuple[int, float, float, float, float]], card: str, rng: int, on_shell: bool
) -> None:
    """At rest, massless, 1 PeV, off shell: every particle has one outcome, and what is seen is finite."""
    pdgid, px, py, pz, extra = (np.array(column) for column in zip(*rows, strict=True))
    p = np.sqrt(px**2 + py**2 + pz**2)
    mass = np.array([forefold.particles.mass(int(i)) for i in pdgid])
    energy = np.sqrt(p * p + mass * mass) if on_shell else extra
    toy = build(counts=[len(rows)], pdgid=pdgid, px=px, py=py, pz=pz, energy=energy)
    smeared = forefold.smear(toy, card, rng=rng, axis="z")
    outcomes = 1 | 2 | 4 | 8 | 16 | 32 | 64
    for particle, e, momentum in zip(smeared.particles[0], energy, p, strict=True):
        fate = Fate(int(particle.fate))
        assert (int(fate) & outcomes).bit_count() == 1
        assert (Fate.OFF_SHELL in fate) == (
            particle.rule >= 0 and (e - momentum) * (e + momentum) < -1e-6 * e * e
        )
        assert 0.0 <= particle.theta_true <= math.pi
        if not particle.detected:
            continue
        reco = [particle[f"{k}_reco"] for k in ("energy", "theta", "phi", "px", "py", "pz")]
        assert np.all(np.isfinite(reco))
        assert reco[0] > 0.0
        assert 0.0 <= reco[1] <= math.pi
        assert -math.pi <= reco[2] <= math.pi
        p_reco = math.sqrt(sum(x * x for x in reco[3:]))
        shell = particle.mass if Fate.ENERGY_BELOW_MASS in fate else reco[0]
        assert p_reco**2 + particle.mass**2 == pytest.approx(shell**2, rel=1e-9)
