"""The cards of `docs/coming-from.md` against the other tools' own formulas, written in numpy.

Comparisons are at five sigma, of at most some thirty numbers: they would fail without cause once in 50,000 generators,
and the generator is fixed.
"""

from __future__ import annotations

import re
from math import atanh, erf, exp, pi, sqrt, tanh
from pathlib import Path

import numpy as np
import pytest
from shots import pull, shoot

import forefold

N = 40_000
PAGE = Path(__file__).parents[1] / "docs" / "coming-from.md"
TEXTS = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
PROTON, ELECTRON = 0.93827209, 0.000510999


def card(folder: Path, name: str) -> forefold.Card:
    """Card of the page, by name."""
    (text,) = [text for text in TEXTS if f'name = "{name}"' in text]
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return forefold.load_card(path)


def towards(cos_theta: float) -> tuple[float, float, float]:
    return (sqrt(1 - cos_theta**2), 0.0, cos_theta)


def kinetic(momentum: float, mass: float) -> float:
    return sqrt(momentum**2 + mass**2) - mass


def close(seen: float, probability: float) -> bool:
    return abs(seen - probability) <= 5 * sqrt(probability * (1 - probability) / N)


@pytest.mark.parametrize("text", TEXTS)
def test_at_most_fifteen_lines(text: str) -> None:
    assert len(text.strip().split("\n")) <= 15


def test_there_are_four() -> None:
    assert len(TEXTS) == 4


@pytest.mark.parametrize(
    ("p", "cos_theta", "efficiency"),
    [(0.38, -0.5, 0.5), (0.38, 0.5, 0.6), (0.6, 0.5, 0.8), (2.0, -0.9, 0.8), (2.0, 0.9, 0.9), (11.0, 0.9, 0.0), (0.349, 0.5, 0.0)],
)  # fmt: skip
def test_nuisance(tmp_path: Path, p: float, cos_theta: float, efficiency: float) -> None:
    """Gaussian of width 0.5 KE, drawn again until it is positive; content of the bin; momentum above 350 MeV/c."""
    energy = kinetic(p, PROTON)
    shots = shoot(
        card(tmp_path, "nuisance-proton"), "p", kinetic=energy, direction=towards(cos_theta), n=N
    )
    assert close(shots.seen, efficiency)
    if not efficiency:
        return
    draws = np.random.default_rng(5)
    theirs = energy * (1 + 0.5 * draws.normal(size=2_000_000))
    theirs = theirs[theirs > 0]
    assert pull(shots.kinetic, mean=theirs.mean(), width=theirs.std()) < 5
    # the bias that drawing again makes, in closed form
    above = 0.5 * (1 + erf(2 / sqrt(2)))
    bias = 0.5 * exp(-2) / sqrt(2 * pi) / above
    assert shots.kinetic.mean() / energy - 1 == pytest.approx(
        bias, abs=5 * 0.5 / sqrt(len(shots.kinetic))
    )


@pytest.mark.parametrize(
    ("pt", "eta", "constant", "slope", "efficiency"),
    [(40.0, 0.3, 0.03, 1.3e-3, 0.95), (25.0, -1.2, 0.05, 1.7e-3, 0.95), (15.0, 2.0, 0.15, 3.1e-3, 0.85), (400.0, 2.0, 0.15, 3.1e-3, 0.85), (40.0, 2.6, 0, 0, 0.0), (9.9, 0.1, 0, 0, 0.0)],
)  # fmt: skip
def test_delphes(
    tmp_path: Path, pt: float, eta: float, constant: float, slope: float, efficiency: float
) -> None:
    """MomentumSmearing: exp(a + b z), b^2 = log(1 + R^2), a = log(pt) - b^2/2, with R cut at 1."""
    p = pt * np.cosh(eta)
    shots = shoot(
        card(tmp_path, "delphes-electron"),
        "e-",
        kinetic=kinetic(p, ELECTRON),
        direction=towards(tanh(eta)),
        n=N,
    )
    assert close(shots.seen, efficiency)
    if not efficiency:
        return
    r = min(1.0, sqrt(constant**2 + pt**2 * slope**2))
    b = sqrt(np.log(1 + r * r))
    drawn = np.log(shots.momentum / np.cosh(eta))
    assert pull(drawn, mean=np.log(pt) - 0.5 * b * b, width=b) < 5
    assert np.allclose(shots.space, 0, atol=1e-5)
    flipped = (shots.pdgid == -11).mean()
    assert abs(flipped - 0.02) < 5 * sqrt(0.02 / len(shots.pdgid))
    assert set(np.unique(shots.pdgid)) == {-11, 11}


@pytest.mark.parametrize(
    ("eta", "width"), [(-4.4, 0.02), (-2.1, 0.02), (-1.5, 0.07), (-0.9, 0.12), (4.4, 0.12)]
)
def test_eic_smear(tmp_path: Path, eta: float, width: float) -> None:
    """Device::Smear: a Gaussian of sigma = width sqrt(E) around E; zones are ranges of theta."""
    detector = card(tmp_path, "eic-calorimeter")
    energy = 9.0
    shots = shoot(detector, "gamma", kinetic=energy, direction=towards(tanh(eta)), n=N)
    assert shots.seen == 1
    assert pull(shots.energy, mean=energy, width=width * sqrt(energy)) < 5
    outside = shoot(detector, "e-", kinetic=energy, direction=towards(tanh(4.6)), n=1000)
    hadron = shoot(detector, "pi-", kinetic=energy, direction=towards(tanh(eta)), n=1000)
    assert outside.seen == hadron.seen == 0


def test_zones_are_what_they_are_in_pseudorapidity() -> None:
    for eta in (-2.0, -1.0, 4.5):
        theta = 2 * np.arctan(np.exp(-eta))
        assert np.cos(theta) == pytest.approx(tanh(eta), abs=1e-15)
        assert atanh(np.cos(theta)) == pytest.approx(eta, rel=1e-9)


@pytest.mark.parametrize("energy", [0.5, 2.0, 8.0])
def test_globes(tmp_path: Path, energy: float) -> None:
    """A bin gets (erf(high) - erf(low)) / 2 of a Gaussian of sigma = a E + b sqrt(E) + c."""
    sigma = 0.02 * energy + 0.10 * sqrt(energy) + 0.03
    shots = shoot(card(tmp_path, "globes-example"), "gamma", kinetic=energy, n=N)
    assert shots.seen == 1
    assert pull(shots.energy, mean=energy, width=sigma) < 5
    edges = energy + sigma * np.linspace(-3, 3, 25)
    cdf = np.array([0.5 * (1 + erf((edge - energy) / sigma / sqrt(2))) for edge in edges])
    expected = N * np.diff(cdf)
    found, _ = np.histogram(shots.energy, edges)
    chi2 = float(np.sum((found - expected) ** 2 / expected))
    assert chi2 < 24 + 5 * sqrt(2 * 24)
