"""Closed forms of energies and directions against their own draws and against each other.

With a random `rng`, each of the KS tests would fail by chance once in 10^4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from families_card import ROWS, drawn, families_card
from scipy import stats

import forefold
from forefold.detector import Card
from forefold.events import particles as species
from forefold.response.contract import check_response
from forefold.smearing.closed_form import (
    CardResponse,
    DirectionDistribution,
    ParticleResponse,
    card_response,
)

CHANCE = 1e-4
SMOOTH = [name for name in ROWS if name not in {"none", "normal clamped"}]
HEAVY = {"crystal-ball": (-2.0, 4.0), "inverse momentum": (0.0, 20.0)}
"""Tails in which a mean of draws does not settle, with ends (GeV) at which they are clipped."""


def one_rule(**keys: Any) -> Card:
    rule = {
        "name": "all",
        "type": "all",
        "particles": ["other"],
        "source": "me",
        "energy": {"of": "total", "distribution": "normal", "constant": 0.1},
        "angle": {"convention": "none", "distribution": "none"},
    }
    more = {key: keys.pop(key) for key in list(keys) if key in {"identification", "parameters"}}
    card = {"schema": 1, "name": "one", "title": "one rule", "sources": {"me": "an example"}}
    return Card.model_validate({**card, **more, "rule": [{**rule, **keys}]})


def response_of(response: CardResponse, true: list[float]) -> ParticleResponse:
    (hypothesis,) = response.hypotheses(true)
    return hypothesis.response


def response_and_draws(name: str) -> tuple[ParticleResponse, Any]:
    """Closed forms of a rule at a kinetic energy of 1.2 GeV, and energies drawn without what loses particles."""
    card, particle = families_card(), ROWS[name][0]
    response = response_of(card_response(card, particle), [1.2])
    bare = [rule.model_copy(update={"threshold": None, "efficiency": 1.0}) for rule in card.rules]
    card = card.model_copy(update={"rules": tuple(bare)})
    return response, drawn(card, particle, np.full(200_000, 1.2), rng=5).out.energy_reco


@pytest.mark.parametrize("name", [name for name in ROWS if name not in HEAVY])
def test_moments_are_those_of_draws(name: str) -> None:
    response, energy = response_and_draws(name)
    mean, std = float(response.energy_mean()[0]), float(response.energy_std()[0])
    tolerance = 5.0 * std / np.sqrt(energy.size) + 1e-12
    assert abs(energy.mean() - mean) < tolerance
    assert abs(energy.std() - std) < 0.02 * std + 1e-12


@pytest.mark.parametrize("name", HEAVY)
def test_clipped_moments_are_those_of_clipped_draws(name: str) -> None:
    """By parts, the mean of E clipped to (a, b) is b less the integral of the cdf; that of its square likewise.

    With another `rng`, one in 10^6 would fail: 5 standard deviations.
    """
    response, energy = response_and_draws(name)
    low, high = HEAVY[name]
    e = np.linspace(low, high, 20_001)
    below = response.energy_cdf(e[:, None])[:, 0]
    clipped = np.clip(energy, low, high)
    for power in (1, 2):
        expected = high**power - np.trapezoid(power * e ** (power - 1) * below, e)
        values = clipped**power
        assert abs(values.mean() - expected) < 5.0 * values.std() / np.sqrt(values.size)
    assert (energy > high).any() or (energy < low).any()


def test_a_tail_of_third_power_has_a_mean_and_no_width() -> None:
    """Crystal Ball, alpha = 1.24, n = 3 and no upper tail: the mean by quadrature over its density."""
    response, _ = response_and_draws("crystal-ball")
    e = np.concatenate([-np.geomspace(1e7, 1.0, 400_000), np.linspace(-1.0, 4.0, 200_001)[1:]])
    density = response.energy_pdf(e[:, None])[:, 0]
    assert response.energy_mean()[0] == pytest.approx(np.trapezoid(e * density, e), abs=1e-5)
    assert np.isinf(response.energy_std()[0])


@pytest.mark.parametrize("name", SMOOTH)
def test_pdf_is_the_slope_of_the_cdf(name: str) -> None:
    response = response_of(card_response(families_card(), ROWS[name][0]), [0.7, 1.2, 2.3])
    mean, std = response.energy_moments()
    mean = np.minimum(mean, [1.7, 2.2, 3.3])  # a tail may have none
    e = mean + np.linspace(-0.9, 1.6, 41)[:, None] * np.minimum(std, 0.3 * mean)
    h = 1e-6
    slope = (response.energy_cdf(e + h) - response.energy_cdf(e - h)) / (2.0 * h)
    density = response.energy_pdf(e)
    smooth = np.abs(response.energy_pdf(e + h) - response.energy_pdf(e - h)) < 1e-3 * density
    assert smooth.mean() > 0.3
    assert np.abs(slope - density)[smooth].max() < 1e-4 * density.max()


def test_points_are_told_apart_from_densities() -> None:
    energy = {"of": "total", "distribution": "normal", "constant": 0.5, "below_mass": "clamp"}
    response = response_of(card_response(one_rule(energy=energy), "p", "energy"), [1.5])
    mass = species.mass(2212)
    below = stats.norm.cdf(mass, 1.5, 0.75)
    assert response.energy_atom(mass)[0] == pytest.approx(below, rel=1e-12)
    assert response.energy_cdf(mass)[0] == pytest.approx(below, rel=1e-12)
    assert response.energy_cdf(np.nextafter(mass, 0.0))[0] == 0.0
    assert response.energy_pdf(1.2)[0] == pytest.approx(stats.norm.pdf(1.2, 1.5, 0.75))
    exact = response_of(card_response(families_card(), "gamma", "energy"), [1.0])
    assert exact.energy_atom(0.7)[0] == 1.0
    assert exact.energy_pdf(0.7)[0] == 0.0
    assert exact.detection_probability[0] == 1.0


def test_identification_adds_up() -> None:
    row = [{"as": "same", "probability": 0.7}, {"as": "pi-", "probability": "0.2 * min(1, KE)"}]
    block = {"particles": ["mu-"], "row": row, "source": "me", "keep": "kinetic"}
    card = one_rule(identification=[block])
    true = [0.5, 2.0]
    every = card_response(card, "mu-")
    assert every.efficiency(true) == pytest.approx([0.8, 0.9])
    apart = [card_response(card, "mu-", taken_for=kind) for kind in ("mu-", "pi-")]
    assert apart[1].efficiency(true) == pytest.approx([0.1, 0.2])
    x = np.linspace(0.1, 2.0, 7)[:, None]
    total = sum(one.efficiency(true) * one.cdf(x, true) for one in apart)
    assert every.efficiency(true) * every.cdf(x, true) == pytest.approx(total)


@pytest.mark.parametrize(
    ("particle", "of", "true"),
    [
        ("mu-", "kinetic_energy", [0.5, 1.0, 2.0]),
        ("pi+", "momentum", [0.5, 1.0, 2.0]),
        ("e+", "energy", [0.5, 1.0, 2.0]),
        ("gamma", "energy", [0.5, 1.0, 2.0]),
    ],
)
def test_a_card_keeps_the_contract_of_responses(particle: str, of: Any, true: list[float]) -> None:
    check_response(card_response(families_card(), particle, of), true, n=20_000)


def test_samples_have_the_bits_of_the_engine() -> None:
    card = families_card()
    response = card_response(card, "e+", "energy")
    u = np.random.default_rng(4).random((4, 100))
    energies = np.linspace(0.5, 2.0, 100)
    part = response.sample(energies, u)
    sampled = response_of(response, energies.tolist())
    which = u[2] < sampled.parts[0].weight
    first, second = (p.sample(u[3]) for p in sampled.parts)
    assert np.array_equal(part, np.where(which, first, second))


ANGLES: list[dict[str, Any]] = [
    {"convention": "polar", "distribution": "normal", "sigma_deg": 5.0},
    {"convention": "polar", "distribution": "normal", "sigma_deg": 200.0},
    {"convention": "independent", "distribution": "normal", "sigma_deg": 20.0, "sigma_phi_deg": 30.0},
    {"convention": "space", "distribution": "rayleigh", "sigma_deg": 10.0},
    {"convention": "space", "distribution": "rayleigh", "sigma_deg": 150.0},
    {"convention": "space", "distribution": "half-normal", "sigma_deg": 60.0},
    {"convention": "space", "distribution": "von-mises-fisher", "sigma_deg": 40.0},
]  # fmt: skip


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("degrees", [0.0, 1.0, 90.0, 179.0, 180.0])
@pytest.mark.parametrize("n", [4_000, pytest.param(50_000, marks=pytest.mark.slow)])
def test_polar_angles_follow_their_closed_form(
    angle: dict[str, Any], degrees: float, n: int
) -> None:
    theta = np.deg2rad(degrees)
    response = card_response(one_rule(angle=angle), "mu-", "theta", energy=1.0)
    p = np.sqrt(1.0 - species.mass(13) ** 2)
    made = forefold.events.build(
        pdgid=np.full(n, 13), px=p * np.sin(theta), py=0.0, pz=p * np.cos(theta), energy=1.0
    )
    out = forefold.smear(made, one_rule(angle=angle), rng=8, axis="z").particles
    found = np.asarray(out.theta_reco[:, 0])
    cdf = response.cdf(found, np.full(n, theta))
    assert stats.kstest(cdf, "uniform").pvalue > CHANCE


@pytest.mark.parametrize("angle", ANGLES[2:])
def test_densities_on_the_sphere_are_normalised(angle: dict[str, Any]) -> None:
    sigma = np.deg2rad([angle["sigma_deg"]])
    width = np.deg2rad([angle.get("sigma_phi_deg", 0.0)])
    distribution = angle["distribution"]
    direction = DirectionDistribution(
        angle["convention"], distribution, np.array([0.8]), np.array([0.4]), sigma, width
    )
    x, w = np.polynomial.legendre.leggauss(400)
    theta = 0.5 * np.pi * (x + 1.0)
    phi = (np.arange(600) + 0.37) / 600 * 2.0 * np.pi
    t, f = np.meshgrid(theta, phi, indexing="ij")
    density = direction.density(t.reshape(-1, 1), f.reshape(-1, 1)).reshape(t.shape)
    area = 0.5 * np.pi * w * np.sin(theta) * (2.0 * np.pi / 600)
    assert (density * area[:, None]).sum() == pytest.approx(1.0, abs=2e-3)
    assert direction.dimension().tolist() == [3]


def test_what_is_no_response_is_refused() -> None:
    with pytest.raises(ValueError, match="leaves nu\\(mu\\) out: it is a neutrino"):
        card_response("nusmear-default", 14)
    with pytest.raises(ValueError, match="give energy"):
        card_response("nusmear-default", 13, "theta")
    with pytest.raises(ValueError, match="found 'time'"):
        card_response("nusmear-default", 13, "time")  # type: ignore[arg-type]
    staged = forefold.load_card("nusmear-default").model_dump(by_alias=True, exclude_defaults=True)
    staged["stage"] = [{"kind": "pi0-decay", "source": next(iter(staged["sources"]))}]
    card = Card.model_validate(staged)
    with pytest.raises(ValueError, match="pi0-decay"):
        card_response(card, "mu-")
    assert card_response(card, "mu-", stages="ignore").efficiency(1.0) == 1.0
