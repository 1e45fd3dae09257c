"""Weights and scores: against fresh draws, against closed forms, and where there are none.

With a random `rng`, each of the chi2 and mean tests would fail by chance once in 10^4.
"""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import forefold
from forefold import events
from forefold.detector import Card
from forefold.events import particles as species

CHANCE = 1e-4
N = 20_000
SOURCE = {"me": "an example, no detector"}
POLAR = {"convention": "polar", "distribution": "normal", "sigma_deg": 5.0}


def card(name: str = "one", **keys: Any) -> Card:
    """A card with one rule for all particles."""
    above = {"identification", "parameters", "stage", "not_smeared"}
    more = {key: keys.pop(key) for key in list(keys) if key in above}
    rule = {
        "name": "all",
        "type": "all",
        "particles": ["other"],
        "source": "me",
        "energy": {"of": "total", "distribution": "log-normal", "constant": 0.1},
        "angle": POLAR,
    }
    head = {"schema": 1, "name": name, "title": "one rule", "sources": SOURCE}
    return Card.model_validate({**head, **more, "rule": [{**rule, **keys}]})


def beam(n: int = N, *, kind: int = 13, per_event: int = 1) -> ak.Array:
    """Particles of 0.3 to 2 GeV of kinetic energy, at 0.5 rad."""
    mass = species.mass(kind)
    kinetic = np.linspace(0.3, 2.0, n * per_event)
    p = np.sqrt(kinetic * (kinetic + 2.0 * mass))
    return events.build(
        pdgid=np.full(n * per_event, kind),
        px=p * np.sin(0.5),
        py=0.0,
        pz=p * np.cos(0.5),
        energy=kinetic + mass,
        counts=np.full(n, per_event),
        probe=14,
        probe_momentum=(0.0, 0.0, 3.0, 3.0),
    )


def column(smeared: ak.Array, name: str) -> NDArray[np.float64]:
    values = ak.fill_none(smeared.particles[name], -1.0, axis=-1)
    return np.asarray(ak.to_numpy(ak.flatten(values, axis=1)), dtype=np.float64)


def p_value(a: NDArray[Any], weights: NDArray[Any], b: NDArray[Any], bins: int = 20) -> float:
    """Chi2 of a weighted histogram against one of as many draws."""
    edges = np.unique(np.quantile(b, np.linspace(0.0, 1.0, bins + 1)))
    edges[0], edges[-1] = -np.inf, np.inf
    one, spread = (np.histogram(a, edges, weights=w)[0] for w in (weights, weights**2))
    other = np.histogram(b, edges)[0]
    chi2 = (np.square(one - other) / (spread + other)).sum()
    return float(stats.chi2.sf(chi2, other.size))


SHIFTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "resolution": ({}, {"energy": {"of": "total", "distribution": "log-normal", "constant": 0.11}}),
    "scale": ({}, {"energy": {"of": "total", "distribution": "log-normal", "constant": 0.1, "scale": 1.03}}),
    "efficiency": ({"efficiency": 0.8}, {"efficiency": "0.7 + 0.1 * min(KE, 1)"}),
    "angle": ({}, {"angle": {**POLAR, "sigma_deg": 5.5}}),
    "family": (
        {"energy": {"of": "kinetic", "distribution": "crystal-ball", "constant": 0.1, "alpha_low": 1.0, "n_low": 3.0, "alpha_high": 1.0, "n_high": 2.0}},
        {"energy": {"of": "momentum", "distribution": "normal", "constant": 0.1}},
    ),
    "higher threshold": (
        {"efficiency": 0.8, "threshold": {"reco": {"kinetic_energy": {"ge": 0.3}}}},
        {"efficiency": 0.8, "threshold": {"reco": {"kinetic_energy": {"ge": 0.5}}}},
    ),
    "space angle": (
        {"angle": {"convention": "space", "distribution": "rayleigh", "sigma_deg": 5.0}},
        {"angle": {"convention": "space", "distribution": "von-mises-fisher", "sigma_deg": 5.3}},
    ),
    "independent angles": (
        {"angle": {"convention": "independent", "distribution": "normal", "sigma_deg": 5.0, "sigma_phi_deg": 8.0}},
        {"angle": {"convention": "independent", "distribution": "normal", "sigma_deg": 5.3, "sigma_phi_deg": 7.6}},
    ),
    "exact energy": (
        {"energy": {"of": "kinetic", "distribution": "none", "scale": 0.6}, "efficiency": 0.5},
        {"energy": {"of": "kinetic", "distribution": "none", "scale": 0.6}, "efficiency": 0.6},
    ),
    "mixture": (
        {"energy": {"distribution": "mixture", "parts": [{"weight": 0.7, "of": "total", "distribution": "normal", "constant": 0.05}, {"of": "momentum", "distribution": "log-normal", "constant": 0.3}]}},
        {"energy": {"distribution": "mixture", "parts": [{"weight": 0.5, "of": "total", "distribution": "normal", "constant": 0.05}, {"of": "momentum", "distribution": "log-normal", "constant": 0.3}]}},
    ),
    "identification": (
        {"identification": [{"particles": ["mu-"], "source": "me", "row": [{"as": "same", "probability": 0.8}, {"as": "pi-", "probability": 0.1}]}]},
        {"identification": [{"particles": ["mu-"], "source": "me", "row": [{"as": "same", "probability": "0.9 - 0.1 * min(KE, 1)"}, {"as": "pi-", "probability": 0.07}]}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHIFTS)
def test_a_weighted_sample_is_like_a_fresh_one(name: str) -> None:
    first, second = (card(f"card-{i}", **keys) for i, keys in enumerate(SHIFTS[name]))
    true = beam()
    drawn, fresh = forefold.smear(true, first, rng=1), forefold.smear(true, second, rng=2)
    result = forefold.reweight(true, drawn, second)
    assert result.uncovered.mean() < 1e-6
    assert abs(result.weights.mean() - 1.0) < 4.0 * result.weights.std() / np.sqrt(N) + 1e-12
    assert result.effective_sample_size > 0.3 * N
    for quantity in ("energy_reco", "theta_reco"):
        columns = [column(s, quantity) for s in (drawn, fresh)]
        assert p_value(columns[0], result.weights, columns[1]) > CHANCE
    if "pdgid_reco" in drawn.particles.fields:
        columns = [column(s, "pdgid_reco") for s in (drawn, fresh)]
        assert p_value(columns[0], result.weights, columns[1]) > CHANCE


def test_the_other_way_round_gives_the_reciprocal() -> None:
    first, second = card("a"), card("b", angle={**POLAR, "sigma_deg": 6.0})
    true = beam(500)
    drawn = forefold.smear(true, first, rng=1)
    there = forefold.reweight(true, drawn, second).weights
    back = forefold.reweight(true, drawn, first, card_a=second).weights
    assert there * back == pytest.approx(np.ones(500))


def test_an_event_weighs_the_product_of_its_particles() -> None:
    true = beam(300, per_event=4)
    drawn = forefold.smear(true, card(efficiency=0.7), rng=1)
    other = card(efficiency=0.8)
    single = forefold.reweight(true, drawn, other, level="particle").weights
    whole = forefold.reweight(true, drawn, other).weights
    assert whole == pytest.approx(ak.to_numpy(ak.prod(single, axis=1)))
    seen = np.asarray(ak.flatten(drawn.particles.detected))
    expected = np.where(seen, 0.8 / 0.7, 0.2 / 0.3)
    assert np.asarray(ak.flatten(single)) == pytest.approx(expected)


def test_the_same_stages_are_gone_through_again() -> None:
    stage = [{"kind": "pi0-decay", "source": "me"}]
    first, second = card(stage=stage), card(stage=stage, efficiency=0.9)
    true = beam(200, kind=111)
    drawn = forefold.smear(true, first, rng=1)
    with pytest.raises(ValueError, match=r"was lost|never gives"):
        forefold.reweight(true, drawn, second)
    result = forefold.reweight(true, drawn, second, uncovered="count")
    decayed = ak.sum(drawn.particles.detected, axis=1)
    assert result.weights == pytest.approx(0.9 ** ak.to_numpy(decayed))
    with pytest.raises(ValueError, match="other stages"):
        forefold.reweight(true, drawn, card())


def test_what_is_not_covered_is_told() -> None:
    low, high = (
        card(threshold={"reco": {"kinetic_energy": {"ge": least}}}, efficiency=0.9)
        for least in (0.3, 0.8)
    )
    true = beam(2000)
    drawn = forefold.smear(true, high, rng=1)
    with pytest.raises(ValueError, match=r"rule 'all'.*card one never gives.*mu-"):
        forefold.reweight(true, drawn, low)
    counted = forefold.reweight(true, drawn, low, uncovered="count")
    lost = 1.0 - counted.uncovered.mean()
    error = counted.weights.std() / np.sqrt(2000)
    assert counted.weights.mean() == pytest.approx(lost, abs=4.0 * error)
    assert "uncovered 0.2" in str(counted)


@pytest.mark.parametrize(
    "other",
    [
        {"energy": {"of": "total", "distribution": "none", "scale": 0.9}},
        {"angle": {"convention": "space", "distribution": "rayleigh", "sigma_deg": 5.0}},
        {"angle": {"convention": "none", "distribution": "none"}},
    ],
)
def test_other_dimensions_have_no_ratio(other: dict[str, Any]) -> None:
    true = beam(100)
    drawn = forefold.smear(true, card(), rng=1)
    with pytest.raises(ValueError, match="No weight makes up"):
        forefold.reweight(true, drawn, card("other", **other))


def test_what_does_not_fit_together_is_refused() -> None:
    true = beam(50)
    drawn = forefold.smear(true, card(), rng=1)
    with pytest.raises(ValueError, match="49 events, but 50"):
        forefold.reweight(true[1:], drawn, card())
    with pytest.raises(ValueError, match="same particles"):
        forefold.reweight(true[::-1], drawn, card())
    with pytest.raises(ValueError, match="smeared by another card"):
        forefold.reweight(true, drawn, card(), card_a=card(efficiency=0.0))
    with pytest.raises(ValueError, match="found 'run'"):
        forefold.reweight(true, drawn, card(), level="run")  # type: ignore[arg-type]
    bare = ak.with_field(drawn, 1, "more")
    bare.attrs = {}
    with pytest.raises(ValueError, match="does not say"):
        forefold.reweight(true, bare, card())
    with pytest.raises(ValueError, match="rng and axis"):
        forefold.reweight(true, bare, card(), card_a=card())
    varied = ak.with_field(drawn, 1, "more")
    varied.attrs = {"forefold": {**drawn.attrs["forefold"], "variation": {"name": "up"}}}
    with pytest.raises(ValueError, match="variation 'up' of card one"):
        forefold.reweight(true, varied, card())
    neutrinos = beam(50, kind=14)
    with pytest.raises(ValueError, match="leaves nu"):
        forefold.reweight(
            neutrinos, forefold.smear(neutrinos, card(), rng=1), card(not_smeared=["nucleus"])
        )


PARAMETERS = {
    "width": {"value": 0.12, "uncertainty": 0.01, "source": "me"},
    "shift": {"value": 0.0, "uncertainty": 0.02, "source": "me"},
    "seen": {"value": 0.8, "source": "me"},
}


def floating(**values: float) -> Card:
    parameters = {
        name: {**block, "value": values.get(name, block["value"])}
        for name, block in PARAMETERS.items()
    }
    energy = {"of": "kinetic", "distribution": "normal", "resolution": "width + 0.02 / sqrt(KE)"}
    return card(
        parameters=parameters,
        energy={**energy, "scale": "1 + shift"},
        efficiency="seen * min(1, 0.5 + KE)",
        threshold={"reco": {"kinetic_energy": {"ge": 0.35}}},
    )


def test_scores_are_derivatives_of_weights() -> None:
    true = beam(400, per_event=3)
    drawn = forefold.smear(true, floating(), rng=1)
    found = forefold.scores(true, drawn)
    assert list(found) == list(PARAMETERS)
    for name, step in (("width", 1e-5), ("shift", 1e-5), ("seen", 1e-5)):
        at = float(PARAMETERS[name]["value"])  # type: ignore[arg-type]
        up, down = (
            forefold.reweight(true, drawn, floating(**{name: at + s}), uncovered="count").weights
            for s in (step, -step)
        )
        slope = np.log(up / down) / (2.0 * step)
        assert found[name] == pytest.approx(slope, rel=1e-5, abs=1e-5)
        single = forefold.scores(true, drawn, parameters=[name], level="particle")[name]
        assert found[name] == pytest.approx(ak.to_numpy(ak.sum(single, axis=1)))


@pytest.mark.parametrize("name", PARAMETERS)
def test_scores_fill_the_derivative_of_the_expected_spectrum(name: str) -> None:
    true = beam(100_000)
    drawn = forefold.smear(true, floating(), rng=1)
    score = forefold.scores(true, drawn, parameters=[name])[name]
    edges = np.linspace(0.3, 2.6, 9)
    reco = column(drawn, "energy_reco") - species.mass(13)
    found, spread = (np.histogram(reco, edges, weights=w)[0] for w in (score, score**2))
    at, h = float(PARAMETERS[name]["value"]), 1e-4  # type: ignore[arg-type]
    low, high = (
        forefold.card_response(floating(**{name: at + s}), "mu-").matrix([0.3, 2.0], edges).values()
        for s in (-h, h)
    )
    exact = 100_000 * (high - low)[0] / (2.0 * h)
    chi2 = float((np.square(found - exact) / spread).sum())
    assert stats.chi2.sf(chi2, exact.size) > CHANCE
    assert np.abs(exact).max() > 20.0 * np.sqrt(spread).min()


def test_scores_that_do_not_exist_are_refused() -> None:
    moving = card(
        parameters={"shift": {"value": 1.0, "source": "me"}},
        energy={"of": "total", "distribution": "none", "scale": "shift"},
    )
    true = beam(20)
    drawn = forefold.smear(true, moving, rng=1)
    with pytest.raises(ValueError, match=r"no derivative with respect to 'shift'.*rule 'all'"):
        forefold.scores(true, drawn)
    with pytest.raises(ValueError, match=r"no parameter 'shfit'.*shift"):
        forefold.scores(true, drawn, parameters=["shfit"])


def test_a_formula_without_a_value_is_refused_or_lost() -> None:
    """As the message advises: what card b loses weighs nothing where it was seen."""
    true = beam(500)
    drawn = forefold.smear(true, card(efficiency=0.5), rng=1)
    other = card("other", efficiency="where(KE < 1, 0.6, 0/0)")
    with pytest.raises(ValueError, match="on_invalid='lose'"):
        forefold.reweight(true, drawn, other)
    weights = forefold.reweight(true, drawn, other, on_invalid="lose").weights
    seen = np.asarray(ak.flatten(drawn.particles.detected))
    kinetic = np.linspace(0.3, 2.0, 500)
    valid = np.where(seen, 0.6 / 0.5, 0.4 / 0.5)
    assert weights == pytest.approx(np.where(kinetic < 1.0, valid, np.where(seen, 0.0, 2.0)))


@pytest.mark.parametrize(
    ("value", "limits"), [(1.0, (0.0, 1.0)), (0.5, (0.5, 1.0)), (0.9995, (0.0, 1.0))]
)
def test_scores_at_a_limit_look_inside(value: float, limits: tuple[float, float]) -> None:
    parameters = {"a": {"value": value, "uncertainty": 0.05, "limits": limits}}
    one = card(parameters=parameters, efficiency="a")
    true = beam(300)
    drawn = forefold.smear(true, one, rng=1)
    found = forefold.scores(true, drawn)["a"]
    seen = np.asarray(ak.flatten(drawn.particles.detected))
    lost = -1.0 / (1.0 - value) if value < 1.0 else 0.0
    assert found == pytest.approx(np.where(seen, 1.0 / value, lost), rel=1e-5)


def test_scores_at_a_kink_of_a_limit_are_those_inside() -> None:
    parameters = {"a": {"value": 1.0, "limits": (0.0, 1.0)}}
    one = card(parameters=parameters, efficiency="min(1, a)")
    drawn = forefold.smear(beam(100), one, rng=1)
    assert forefold.scores(beam(100), drawn)["a"] == pytest.approx(np.ones(100), rel=1e-8)


def test_scores_without_a_limit_advise_one() -> None:
    one = card(parameters={"a": {"value": 1.0}}, efficiency="a")
    drawn = forefold.smear(beam(100), one, rng=1)
    with pytest.raises(ValueError, match=r"no derivative with respect to 'a' at 1: at 1\.00[12] .*'a' is 1\.00[12].*limits of parameters\.a keep") as caught:  # fmt: skip
        forefold.scores(beam(100), drawn)
    assert "on_invalid" not in str(caught.value)
