"""Observables by formula: against numpy, on both sides, in conditions, and what is refused; invariant masses of decays."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from numpy.typing import NDArray
from perfect_detector import perfect

import forefold
from forefold.events import build
from forefold.events.definitions import Definitions, definitions_of
from forefold.events.observables import OBSERVABLES, Reason, observables
from forefold.events.selection import Selection, SmearedSelection
from forefold.events.values import EventValues

Array = NDArray[np.float64]
Columns = dict[str, Array]


@pytest.fixture(scope="module")
def events(gst_file: Path) -> ak.Array:
    return forefold.read(gst_file)


@pytest.fixture(scope="module")
def smeared(events: ak.Array) -> ak.Array:
    return forefold.smear(events, "nusmear-dune-cdr", rng=1)


# each formula, and the same in numpy of the columns of `observables`
FORMULAS: dict[str, tuple[str, Callable[[Columns], Array]]] = {
    "pmiss": ("sqrt(missing_pt**2 + q3**2)", lambda c: np.sqrt(c["missing_pt"] ** 2 + c["q3"] ** 2)),
    "calorimetric": ("lepton_energy + available_energy", lambda c: c["lepton_energy"] + c["available_energy"]),
    "gamma": ("lepton_energy / hypot(lepton_pt, lepton_pl)", lambda c: c["lepton_energy"] / np.hypot(c["lepton_pt"], c["lepton_pl"])),
    "degrees": ("lepton_theta * 180 / pi", lambda c: c["lepton_theta"] * 180 / np.pi),
    "logx": ("log10(max(bjorken_x, 1e-3))", lambda c: np.log10(np.maximum(c["bjorken_x"], 1e-3))),
    "inelastic": ("where(w > 1.4, 1, 0)", lambda c: np.where(np.isnan(c["w"]), np.nan, c["w"] > 1.4)),
    "dalitz": ("-delta_pt * cos(delta_alpha_t)", lambda c: -c["delta_pt"] * np.cos(c["delta_alpha_t"])),
    "nucleons": ("n_p + n_n", lambda c: c["n_p"] + c["n_n"]),
    "rapidity": ("0.5 * log((lepton_energy + lepton_pl) / (lepton_energy - lepton_pl))",
                 lambda c: 0.5 * np.log((c["lepton_energy"] + c["lepton_pl"]) / (c["lepton_energy"] - c["lepton_pl"]))),
    "share": ("abs(hadronic_energy / visible_energy - 0.5) ** 1.5", lambda c: np.abs(c["hadronic_energy"] / c["visible_energy"] - 0.5) ** 1.5),
}  # fmt: skip


def test_ten_formulas_against_numpy(events: ak.Array, smeared: ak.Array) -> None:
    """numpy computes both, in the same order of operations: the same bits."""
    define = {name: formula for name, (formula, _) in FORMULAS.items()}
    table = observables(events, smeared, define=define)
    for side in ("true", "reco"):
        columns = {name: table[f"{name}_{side}"].to_numpy().astype(float) for name in OBSERVABLES}
        for name, (_, of) in FORMULAS.items():
            with np.errstate(all="ignore"):
                wanted = of(columns)
            wanted = np.where(np.isfinite(wanted), wanted, np.nan)
            found = table[f"{name}_{side}"].to_numpy()
            np.testing.assert_array_equal(found, wanted, err_msg=name)
            assert np.isfinite(found).sum() > 50, name
            reason = table[f"{name}_reason_{side}"].to_numpy()
            np.testing.assert_array_equal(reason == 0, np.isfinite(found))


def test_sides(events: ak.Array, smeared: ak.Array) -> None:
    """A name without a side is of the column's; one with a side stays."""
    define = {
        "bias": "q0_reco / q0_true - 1",
        "share": "visible_energy / enu_true",
        "twice": "2 * share",
        "worse": "abs(bias) + 0 * share",
        "heavy": "probe > 0 and weight == 1",
        "low": "w < 1.5",
    }
    table = observables(events, smeared, names="n_p", define=define)
    numbers = ["bias", "share_true", "share_reco", "twice_true", "twice_reco", "worse_true", "worse_reco"]  # fmt: skip
    assert [f for f in table.fields[6:] if "reason" not in f] == [*numbers, "heavy", "low_true", "low_reco"]  # fmt: skip
    full = observables(events, smeared)
    true, reco = full.q0_true.to_numpy(), full.q0_reco.to_numpy()
    np.testing.assert_array_equal(table.bias, reco / true - 1)
    energy = full.enu_true.to_numpy()
    for side in ("true", "reco"):
        visible = full[f"visible_energy_{side}"].to_numpy()
        np.testing.assert_array_equal(table[f"twice_{side}"], 2 * (visible / energy))
    assert table.low_true.tolist() == [None if math.isnan(w) else w < 1.5 for w in full.w_true]
    only_true = observables(events, names="n_p", define={"share": define["share"]})
    assert only_true.fields[5:] == ["share_true", "share_reason_true"]
    with pytest.raises(ValueError, match="q0_reco is reconstructed: smeared events are needed"):
        observables(events, define={"bias": define["bias"]})


def test_reasons_are_those_of_what_a_formula_names(events: ak.Array, smeared: ak.Array) -> None:
    define = {
        "p": "proton_momentum + q0",
        "root": "sqrt(visible_energy - 1)",
        "pair": "mass(K+, K-)",
    }
    define["pp"] = "2 * p_p + p_n"
    with pytest.raises(ValueError, match="define p_p: the name is taken: it is an observable"):
        observables(events, define={"p_p": "q2"})
    table = observables(events, smeared, define=define)
    for side in ("true", "reco"):
        proton, q0 = (table[f"{n}_reason_{side}"].to_numpy() for n in ("proton_momentum", "q0"))
        first = np.where((q0 != 0) & ((proton == 0) | (q0 < proton)), q0, proton)
        np.testing.assert_array_equal(table[f"p_reason_{side}"], first)
    assert set(table.root_reason_true.tolist()) == {0, int(Reason.UNPHYSICAL)}
    assert set(table.pair_reason_true.tolist()) == {int(Reason.NO_PARTICLE)}


def decay(
    mass: float, first: float, second: float, boost: Array, cosine: float, phi: float
) -> Array:
    """Two particles of a decay in flight, rows of E, px, py, pz: an independent boost, in long double."""
    m, a, b = (np.longdouble(x) for x in (mass, first, second))
    energy = (m * m + a * a - b * b) / (2 * m)
    p = np.sqrt(energy * energy - a * a)
    sine = np.sqrt(np.longdouble(1) - np.longdouble(cosine) ** 2)
    along = p * np.array([sine * np.cos(phi), sine * np.sin(phi), np.longdouble(cosine)])
    beta = np.asarray(boost, dtype=np.longdouble)
    gamma = 1 / np.sqrt(1 - beta @ beta)
    rows = []
    for e, q in ((energy, along), (m - energy, -along)):
        push = (gamma - 1) * (beta @ q) / (beta @ beta) + gamma * e
        rows.append([gamma * (e + beta @ q), *(q + push * beta)])
    return np.array(rows, dtype=np.float64)


@pytest.mark.parametrize(
    ("names", "mass"),
    [(("mu-", "mu+"), 3.0969), (("mu-", "mu+"), 0.547862), (("pi+", "pi-"), 0.497611), (("p", "pi-"), 1.115683), (("gamma", "gamma"), 0.1349768)],
)  # fmt: skip
def test_invariant_mass_of_a_decay(names: tuple[str, str], mass: float) -> None:
    """Momenta are rounded to 1.1e-16 of themselves, which moves m by 1.1e-16 (E/m)^2 of itself for each: below 1e-12 up to E = 30 m."""
    rng = np.random.default_rng(5)
    pdgid = [forefold.particles.pdgid(name) for name in names]
    light = [forefold.particles.mass(each) for each in pdgid]
    pairs = []
    for _ in range(50):
        direction = rng.normal(size=3)
        boost = direction / np.linalg.norm(direction) * rng.uniform(0.05, 0.995)
        pairs.append(decay(mass, light[0], light[1], boost, rng.uniform(-1, 1), rng.uniform(-3, 3)))
    pair = np.array(pairs)
    # a slower one of each, which is not taken
    energy, px, py, pz = (
        np.concatenate([pair[..., k], 0.0 * pair[..., k]], axis=1) for k in range(4)
    )
    energy[:, 2:] = light
    toy = build(
        pdgid=[pdgid * 2] * 50, px=px, py=py, pz=pz, energy=energy, probe=14, probe_momentum=(0.0, 0.0, 9.0, 9.0), cc=[True] * 50
    )  # fmt: skip
    formula = f"mass({names[0]}, {names[1]})"
    table = observables(toy, perfect(toy), names=(), define={"m [GeV]": formula})
    for side in ("true", "reco"):
        np.testing.assert_allclose(table[f"m_{side}"], mass, rtol=1e-12)
    kept = Selection(f"abs({formula} - {mass}) < 1e-9").apply(toy)
    assert len(kept) == 50


def test_quantities_of_particles() -> None:
    """Two muons and a kaon; the leading of each, each particle once, classes and numbers of PDG."""
    m = {13: 0.1056583755, 321: 0.493677, 2212: 0.93827208816}
    particles = [
        (13, 0.0, 0.3, 0.4),
        (13, 0.0, 0.0, 1.0),
        (321, 0.6, 0.0, 0.0),
        (2212, 0.0, 0.0, -0.5),
    ]
    energy = [math.sqrt(sum(x * x for x in v) + m[pdg] ** 2) for pdg, *v in particles]
    pdgid, px, py, pz = (list(column) for column in zip(*particles, strict=True))
    toy = build(
        pdgid=[pdgid], px=[px], py=[py], pz=[pz], energy=[energy], probe=14, probe_momentum=(0.0, 0.0, 2.0, 2.0), cc=[True]
    )  # fmt: skip
    wanted = {
        "mass(mu-, mu-)": math.sqrt((energy[0] + energy[1]) ** 2 - 0.3**2 - 1.4**2),
        "mass(13, charged lepton, K+)": math.sqrt((sum(energy[:3])) ** 2 - 0.6**2 - 0.3**2 - 1.4**2),
        "number(mu-)": 2, "number(mu-, kaon, e-)": 3, "number(meson)": 1, "number(K-)": 0,
        "momentum(mu-)": 1.0, "energy(K+)": energy[2], "kinetic_energy(p)": energy[3] - m[2212],
        "theta(K+)": math.pi / 2, "cos_theta(p)": -1.0, "pt(kaon)": 0.6, "pl(p)": -0.5, "angle(mu-, K+)": math.pi / 2,
        "angle(mu-, p)": math.pi, "mass(mu+, mu-)": math.nan, "mass(K+, K+)": math.nan,
    }  # fmt: skip
    define = {f"x{i}": formula for i, formula in enumerate(wanted)}
    table = observables(toy, perfect(toy), define=define)
    for name, value in zip(define, wanted.values(), strict=True):
        for side in ("true", "reco"):
            found = float(table[f"{name}_{side}"][0])
            assert found == pytest.approx(value, rel=1e-14, nan_ok=True), (define[name], side)
    strict = observables(toy, define={"n": "number(mu-)"}, thresholds={"mu-": 0.6})
    assert strict.n_true.tolist() == [1.0]


def test_conditions_name_them(events: ak.Array, smeared: ak.Array) -> None:
    define = {"pmiss": "sqrt(missing_pt**2 + q3**2)", "bias": "q0_reco / q0_true - 1"}
    table = observables(events, smeared, define=define)
    cut = Selection("pmiss > 1 and momentum(p) > 0.3", define)
    wanted = (table.pmiss_true > 1) & (table.proton_momentum_true > 0.3)
    np.testing.assert_array_equal(cut.mask(events), wanted)
    values = EventValues(events, smeared, define=definitions_of({"pmiss": "w"}))
    chosen = SmearedSelection(
        "pmiss_reco > 1 and abs(bias) < 0.5 and mass_reco(mu-, p) < 2", define
    )
    mass = observables(events, smeared, define={"m": "mass(mu-, p)"}).m_reco
    wanted = (table.pmiss_reco > 1) & (abs(table.bias) < 0.5) & (mass < 2)
    # its own definitions are what it means, whatever others are called
    np.testing.assert_array_equal(chosen.passed(values), wanted)
    np.testing.assert_array_equal(np.asarray(values["pmiss_true"]), table.w_true)


@pytest.mark.parametrize(
    ("define", "said"),
    [
        ({"q2": "w"}, "define q2: the name is taken: it is an observable"),
        ({"weight": "w"}, "define weight: the name is taken: it is a quantity of the event"),
        ({"sqrt": "w"}, "define sqrt: the name is taken: it is a word of the language"),
        ({"mass": "w"}, "define mass: the name is taken: it is a quantity of particles"),
        ({"a_true": "w"}, "define a_true: a name does not end in _true or _reco"),
        ({"a b": "w"}, "define: names and formulas are texts, such as 'pmiss"),
        ({"2a": "w"}, "define '2a': a name is letters, digits and '_'"),
        ({"a": ""}, "define a: expression, character 1 (the end): the expression is empty"),
        ({"a": "W"}, "define a: expression, character 1 ('W'): unknown name 'W' (did you mean 'w'?)"),
        ({"a": "B", "B": "w"}, "character 1 ('B'): 'B' is defined after a; a formula may name those before it"),
        ({"a": "b_reco + 1", "b": "a_reco"}, "'b_reco' is defined after a"),
        ({"a": "2 * a + 1"}, "character 5 ('a + 1'): 'a' is what this formula defines"),
        ({"Q2": "w"}, "define Q2: it differs from 'q2', which there is, in upper and lower case alone"),
        ({"CC": "w > 2"}, "define CC: it differs from 'cc'"),
        ({"a": "cc + 1"}, "'+' takes numbers, this is a condition"),
        ({"a": "mass(mu-)"}, "character 6 ('mu-)'): 1 particles given: write mass(mu-, mu+)"),
        ({"a": "mass"}, "particles are needed: write mass(mu-, mu+)"),
        ({"a": "mass_reco()"}, "particles are needed: write mass_reco(mu-, mu+)"),
        ({"a": "angle(mu-, p, n)"}, "3 particles given: write angle(mu-, p)"),
        ({"a": "mass(muon, p)"}, "unknown particle 'muon' (write 'mu-' or 'mu+')"),
        ({"a": "mass(MU-, p)"}, "unknown particle 'MU-' (did you mean 'mu-'?)"),
        ({"a": "mass(mu-, p"}, "this '(' is never closed"),
        ({"a": "topology == '3pi'"}, "unknown label '3pi'"),
        ({"a": 3}, "define: names and formulas are texts"),
        (["a"], "define 'a': NAME = FORMULA is expected"),
        (["a == 3"], "define 'a == 3': NAME = FORMULA is expected"),
        (["a = w", "a = q2"], "define a: it is defined twice"),
    ],
)  # fmt: skip
def test_refused(define: Any, said: str) -> None:
    with pytest.raises(ValueError, match=r"define|particle|'") as caught:
        definitions_of(define)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_has_one_side_has_one_name() -> None:
    with pytest.raises(
        ValueError, match="'bias_reco' is called bias: all names of its formula say"
    ):
        SmearedSelection("bias_reco < 1", {"bias": "q0_reco / q0_true - 1"})


def test_ways_to_write_them() -> None:
    own = definitions_of(["a [GeV/c] = q3 ", "b=a == 2", "c [GeV^2] = where(a <= 1, q2, 0)"])
    assert own.texts == {"a [GeV/c]": "q3", "b": "a == 2", "c [GeV^2]": "where(a <= 1, q2, 0)"}
    assert definitions_of(own.texts).texts == own.texts
    assert [own[name].unit for name in own] == ["GeV/c", "", "GeV^2"]
    assert len(definitions_of(None)) == len(Definitions()) == 0
    many = {"a0": "q2"} | {f"a{i}": f"a{i - 1} + a{i - 1}" for i in range(1, 60)}
    toy = build(pdgid=[[13]], px=0.0, py=0.0, pz=1.0, energy=1.1, probe=14, probe_momentum=(0.0, 0.0, 2.0, 2.0), cc=[True])  # fmt: skip
    table = observables(toy, define=many)  # each is computed once, or this would take years
    assert float(table.a59_true[0]) == 2.0**59 * float(table.q2_true[0])


def test_axes_of_matrices(events: ak.Array, smeared: ak.Array) -> None:
    define = {"pmiss [GeV/c]": "sqrt(missing_pt**2 + q3**2)", "seen": "visible_energy_reco"}
    matrix = forefold.ResponseMatrix.from_events(
        (events, smeared),
        true="pmiss=0:4:4",
        reco=["pmiss=0:4:2", "seen=0:8:2"],
        define=define,
        signal="pmiss > 0.5",
        select="pmiss_reco > 0.4",
        background={"low": "pmiss <= 0.5"},
    )
    table = observables(events, smeared, define=define)
    true, reco = (table[f"pmiss_{side}"].to_numpy() for side in ("true", "reco"))
    signal, selected = true > 0.5, reco > 0.4
    wanted, _ = np.histogram(true[signal], np.linspace(0, 4, 5))
    np.testing.assert_array_equal(matrix.truth.values(), wanted)
    axes = [np.linspace(0, 4, 5), np.linspace(0, 4, 3), np.linspace(0, 8, 3)]
    both = signal & selected
    wanted, _ = np.histogramdd(
        np.stack([true[both], reco[both], table.seen.to_numpy()[both]], axis=1), axes
    )
    np.testing.assert_array_equal(matrix.counts.values(), wanted)
    low = (true <= 0.5) & selected
    wanted, *_ = np.histogram2d(reco[low], table.seen.to_numpy()[low], axes[1:])
    np.testing.assert_array_equal(matrix.backgrounds["low"].values(), wanted)
    assert [axis.label for axis in matrix.reco_axes] == [
        "Reconstructed pmiss [GeV/c]",
        "Reconstructed seen",
    ]
    assert matrix.provenance["define_pmiss [GeV/c]"] == define["pmiss [GeV/c]"]
    with pytest.raises(ValueError, match="seen_true: seen = 'visible_energy_reco' names its sides"):
        forefold.ResponseMatrix.from_events((events, smeared), true="seen=0:4:4", define=define)
    with pytest.raises(ValueError, match=r"no quantity 'mass\(mu-, p\)' of an event \(define it"):
        forefold.ResponseMatrix.from_events((events, smeared), true="mass(mu-, p)=0:4:4")
    with pytest.raises(
        ValueError, match=r"low is a condition, an axis is of a number: where\(low, 1"
    ):
        forefold.spectrum(events, axes="low=0:1:1", define={"low": "w < 1.4"})
