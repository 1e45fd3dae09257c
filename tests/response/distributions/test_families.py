"""Every family against scipy's distribution of the same name, or its own integral; draws against probabilities."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from forefold.kernels.distributions import standard_quantile
from forefold.kernels.energies import drawn_energy
from forefold.kernels.math import normal_quantile
from forefold.response.distributions import (
    CrystalBall,
    Exponential,
    Family,
    Identity,
    LogNormal,
    Mixture,
    Normal,
    Tabulated,
    TruncatedNormal,
    Uniform,
)

LOCATION, SIGMA = 1.7, 0.4
S = math.sqrt(math.log1p((SIGMA / LOCATION) ** 2))
SCIPY = {
    "normal": (Normal(), stats.norm(LOCATION, SIGMA)),
    "log-normal": (LogNormal(), stats.lognorm(S, scale=LOCATION * math.exp(-S * S / 2))),
    "truncated": (
        TruncatedNormal(),
        stats.truncnorm(-LOCATION / SIGMA, np.inf, LOCATION, SIGMA),
    ),
    "truncated, both sides": (
        TruncatedNormal(1.5, 2.5),
        stats.truncnorm(-0.2 / SIGMA, 0.8 / SIGMA, LOCATION, SIGMA),
    ),
    "crystal ball": (CrystalBall(1.2, 5.5), stats.crystalball(1.2, 5.5, LOCATION, SIGMA)),
    "exponential": (Exponential(), stats.expon(LOCATION, SIGMA)),
    "uniform": (
        Uniform(),
        stats.uniform(LOCATION - math.sqrt(3) * SIGMA, math.sqrt(12) * SIGMA),
    ),
    "tabulated": (
        Tabulated([0.0, 1.0, 1.5, 3.0], [1.0, 0.0, 4.0]),
        stats.rv_histogram(([1.0, 0.0, 4.0], [0.0, 1.0, 1.5, 3.0]), density=False),
    ),
}
ALL: dict[str, Family] = {name: family for name, (family, _) in SCIPY.items()} | {
    "crystal ball, both sides": CrystalBall(1.5, 6.0, 0.7, 4.5),
    "exponential, downwards": Exponential(-1),
    "mixture": Mixture((Normal(), LogNormal(), Normal()), (0.5, 0.2, 0.3), (0, 0, 1), (1, 1, 3)),
    "table of pulls": Tabulated([-2.0, -1.0, 0.5, 3.0], [1.0, 3.0, 2.0], pull=True),
}
U = np.array([1e-12, 1e-6, 0.01, 0.2, 0.5, 0.77, 0.999, 1 - 1e-9])


def open_uniforms(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Uniforms such as the engine's: odd multiples of 2^-53."""
    return (rng.integers(0, 2**52, shape) + 0.5) * 2.0**-52


@pytest.mark.parametrize("name", SCIPY)
def test_against_scipy(name: str) -> None:
    family, law = SCIPY[name]
    x = np.linspace(-0.3, 4.0, 87)
    assert np.allclose(family.pdf(x, LOCATION, SIGMA), law.pdf(x), rtol=1e-11, atol=1e-300)
    assert np.allclose(family.cdf(x, LOCATION, SIGMA), law.cdf(x), rtol=1e-11, atol=1e-300)
    assert np.allclose(
        family.between(x, np.inf, LOCATION, SIGMA), law.sf(x), rtol=2e-11, atol=1e-17
    )
    assert np.allclose(family.ppf(U, LOCATION, SIGMA), law.ppf(U), rtol=1e-9)
    assert family.mean(LOCATION, SIGMA) == pytest.approx(law.mean(), rel=1e-8)
    assert family.std(LOCATION, SIGMA) == pytest.approx(law.std(), rel=1e-8)


@pytest.mark.parametrize("name", ALL)
def test_moments_are_those_of_the_density(name: str) -> None:
    family = ALL[name]
    low, high = (float(family.ppf(u, LOCATION, SIGMA)) for u in (0.0, 1.0))
    kinks = [0.0, 0.5, 0.9, 1.0, 1.1, 1.3, 1.5, 1.7, 1.9, 1.98, 2.5, 2.9, 3.0]
    edges = [low, *[k for k in kinks if low < k < high], high]

    def moment(k: int, centre: float) -> float:
        def value(x: float) -> float:
            return float((x - centre) ** k * family.pdf(x, LOCATION, SIGMA))

        pieces = itertools.pairwise(edges)
        found = [integrate.quad(value, a, b, epsabs=1e-11, limit=200)[0] for a, b in pieces]
        return float(sum(found))

    assert moment(0, 0.0) == pytest.approx(1.0, abs=1e-8)
    mean = float(family.mean(LOCATION, SIGMA))
    assert mean == pytest.approx(moment(1, 0.0), rel=1e-7)
    assert family.std(LOCATION, SIGMA) == pytest.approx(math.sqrt(moment(2, mean)), rel=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_quantile_inverts(name: str) -> None:
    family = ALL[name]
    x = family.ppf(U, LOCATION, SIGMA)
    assert np.allclose(family.cdf(x, LOCATION, SIGMA), U, rtol=1e-12, atol=1e-15)
    ends = family.ppf([0.0, 1.0], LOCATION, SIGMA)
    assert family.cdf(ends, LOCATION, SIGMA).tolist() == pytest.approx([0.0, 1.0], abs=3e-16)
    assert np.isnan(family.ppf([-0.1, 1.1, np.nan], LOCATION, SIGMA)).all()


@pytest.mark.parametrize("name", ALL)
def test_draws(name: str) -> None:
    """KS over 20 000 draws and chi2 over 10^6 draws, each of false-alarm probability 1e-4 with this fixed rng."""
    family = ALL[name]
    rng = np.random.default_rng(20221)
    shape = (10**6,) if family.n_uniforms == 1 else (family.n_uniforms, 10**6)
    x = family.sample(open_uniforms(rng, *shape), LOCATION, SIGMA)
    found = stats.kstest(x[:20_000], lambda v: family.cdf(v, LOCATION, SIGMA))
    assert found.pvalue > 1e-4
    first, last = family.ppf([0.002, 0.998], LOCATION, SIGMA)
    inner = np.linspace(first, last, 40)
    edges = np.concatenate([[-np.inf], inner, [np.inf]])
    exact = family.bin_probabilities(edges, LOCATION, SIGMA) * x.size
    assert exact.sum() == pytest.approx(x.size, rel=1e-12)
    counts = np.bincount(np.searchsorted(inner, x, side="right"), minlength=41)
    assert counts[exact == 0].sum() == 0
    used = exact > 0
    chi2 = float((np.square(counts - exact)[used] / exact[used]).sum())
    assert stats.chi2.sf(chi2, used.sum() - 1) > 1e-4


def test_bits_are_the_kernels() -> None:
    u = open_uniforms(np.random.default_rng(1), 50)
    normal = [LOCATION + SIGMA * normal_quantile(v) for v in u]
    assert Normal().sample(u, LOCATION, SIGMA).tolist() == normal
    relative = SIGMA / LOCATION
    drawn = [drawn_energy(LOCATION, relative * relative, 0.0, v) for v in u]
    assert LogNormal().sample(u, LOCATION, SIGMA).tolist() == drawn
    ball = [LOCATION + SIGMA * standard_quantile(4, v, 1.2, 5.5, 0.8, 3.0) for v in u]
    assert CrystalBall(1.2, 5.5, 0.8, 3.0).sample(u, LOCATION, SIGMA).tolist() == ball


@pytest.mark.parametrize(("low", "at"), [(0.0, -40.0), (0.0, -1e5), (2.0, 1.0), (-3.0, 0.0)])
def test_moments_of_a_far_cut(low: float, at: float) -> None:
    """Far out the excess is exponential of length 1/a, with corrections of 2/a^2 (Mills' ratio expanded)."""
    family = TruncatedNormal(low=low)
    a = low - at
    mean, std = float(family.mean(at, 1.0)), float(family.std(at, 1.0))
    if a > 10:
        assert mean - low == pytest.approx((1 - 2 / a**2) / a, rel=11 / a**4 + a * a * 2**-52)
        assert std == pytest.approx((1 - 3 / a**2) / a, rel=40 / a**4 + 1e-12)
    else:
        law = stats.truncnorm(a, np.inf, at, 1.0)
        assert mean == pytest.approx(law.mean(), rel=1e-12)
        assert std == pytest.approx(law.std(), rel=1e-12)


def test_probabilities_of_a_far_cut() -> None:
    family = TruncatedNormal()
    edges = family.ppf([0.0, 0.1, 0.5, 0.9, 1.0], -60.0, 1.0)
    found = family.bin_probabilities(edges, -60.0, 1.0)
    # an edge near 0.01 is the difference of numbers near 60: 60 * 60 * 2^-52 relative to the length of 1/60
    assert np.allclose(found, [0.1, 0.4, 0.4, 0.1], rtol=1e-11)
    assert family.pdf(edges[1], -60.0, 1.0) == pytest.approx(0.9 * 60.0, rel=1e-3)


@pytest.mark.parametrize("name", ALL)
def test_no_width_is_a_point(name: str) -> None:
    family = ALL[name]
    if name == "tabulated":
        return
    if name == "table of pulls":
        assert np.isnan(family.cdf(1.0, 1.0, 0.0))
        return
    point = 1.5 if name == "truncated, both sides" else 1.0  # the nearest that is not cut off
    assert family.bin_probabilities([0.0, point, 2.0], 1.0, 0.0).tolist() == [0.0, 1.0]
    assert family.cdf([point - 0.1, point], 1.0, 0.0).tolist() == [0.0, 1.0]
    assert family.pdf([point - 0.1, point], 1.0, 0.0).tolist() == [0.0, math.inf]
    assert float(family.mean(1.0, 0.0)) == point
    assert float(family.std(1.0, 0.0)) == 0.0
    assert float(family.ppf(0.3, 1.0, 0.0)) == point
    assert np.isnan(family.cdf(1.0, 1.0, -0.1))


def test_identity() -> None:
    family = Identity()
    assert family.sample(np.empty((0, 2)), [1.0, 2.0], 9.0).tolist() == [1.0, 2.0]
    assert family.cdf([0.9, 1.0], 1.0, 0.0).tolist() == [0.0, 1.0]
    assert family.pdf([0.9, 1.0], 1.0, 0.0).tolist() == [0.0, math.inf]
    assert family.ppf([0.0, 2.0], 1.0, 0.0).tolist()[0] == 1.0
    assert family.n_uniforms == 0
    assert float(family.mean(3.0, 1.0)) == 3.0
    assert float(family.std(3.0, 1.0)) == 0.0


def test_shapes_broadcast() -> None:
    for family in ALL.values():
        at, sigma = np.array([[1.0], [2.0]]), np.array([0.1, 0.2, 0.3])
        assert family.cdf(1.5, at, sigma).shape == (2, 3)
        assert family.bin_probabilities([0.0, 1.0, 2.0, 3.0], at, sigma).shape == (2, 3, 3)
        assert family.mean(at, sigma).shape == (2, 3)


def test_log_normal_needs_a_positive_location() -> None:
    for found in (LogNormal().cdf(1.0, -1.0, 0.1), LogNormal().mean(0.0, 0.1)):
        assert np.isnan(found)


def test_crystal_ball_without_moments() -> None:
    assert CrystalBall(1.0, 2.5).std(0.0, 1.0) == math.inf
    assert CrystalBall(1.0, 1.5).mean(0.0, 1.0) == -math.inf
    assert np.isnan(CrystalBall(1.0, 1.5, 1.0, 1.5).mean(0.0, 1.0))
    assert float(CrystalBall().std(0.0, 2.0)) == pytest.approx(2.0, rel=1e-15)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TruncatedNormal(1.0, 1.0), "must be below"),
        (lambda: CrystalBall(-1.0, 2.0), "alpha_low"),
        (lambda: CrystalBall(1.0, 1.0), "n_low"),
        (lambda: CrystalBall(1.0, 2.0, 1.0, math.inf), "n_high"),
        (lambda: Exponential(0), "direction"),
        (lambda: Tabulated([0, 1], [[1.0]]), "dimensions"),
        (lambda: Tabulated([0, 1], [-1.0]), "negative"),
        (lambda: Tabulated([1, 0], [1.0]), "ascending"),
        (lambda: Mixture((Normal(),), (-1.0,)), "negative"),
        (lambda: Mixture((Normal(),), (1.0, 2.0)), "2 weights"),
        (lambda: Normal().bin_probabilities([1.0, 0.0], 0.0, 1.0), "ascending"),
    ],
)
def test_errors(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
