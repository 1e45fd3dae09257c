"""Counting experiments against closed forms, and tables without background; `test_unified_tables` has those of Feldman and Cousins."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from scipy import integrate, optimize, stats

from forefold.inference import (
    bounded_normal_interval,
    feldman_cousins,
    poisson_interval,
    poisson_upper_limit,
)

# Particle Data Group, Review of Particle Physics, Statistics: lower and upper one-sided limits of a Poisson mean, without background
PDG = {
    0.90: [2.30, 3.89, 5.32, 6.68, 7.99, 9.27, 10.53, 11.77, 12.99, 14.21, 15.41],
    0.95: [3.00, 4.74, 6.30, 7.75, 9.15, 10.51, 11.84, 13.15, 14.43, 15.71, 16.96],
}
PDG_LOWER = {
    0.90: [0.105, 0.532, 1.10, 1.74, 2.43, 3.15, 3.89, 4.66, 5.43, 6.22],
    0.95: [0.051, 0.355, 0.818, 1.37, 1.97, 2.61, 3.29, 3.98, 4.70, 5.43],
}


def test_no_events_without_background() -> None:
    for method in ("classical", "cls", "bayes"):
        assert poisson_upper_limit(0, method=method) == pytest.approx(-math.log(0.05), rel=1e-12)
        assert poisson_upper_limit(0, level=0.9, method=method) == pytest.approx(2.302585, abs=1e-6)


@pytest.mark.parametrize("level", [0.90, 0.95])
def test_limits_without_background_are_those_of_the_pdg(level: float) -> None:
    for n, limit in enumerate(PDG[level]):
        assert poisson_upper_limit(n, level=level) == pytest.approx(limit, abs=0.0051)
    for n, limit in enumerate(PDG_LOWER[level], start=1):
        lower, _ = poisson_interval(n, 2.0 * level - 1.0)
        assert lower == pytest.approx(limit, abs=0.0051)


@pytest.mark.parametrize("background", [0.3, 3.0, 12.0])
def test_cls_and_bayes_do_not_depend_on_the_background_without_events(background: float) -> None:
    assert poisson_upper_limit(0, background) == pytest.approx(2.995732, abs=1e-6)


@pytest.mark.parametrize("background", [740.0, 1e4, 1e9, 1e15])
@pytest.mark.parametrize("level", [0.68, 0.95, 1.0 - 1e-12])
def test_cls_where_the_counts_are_as_good_as_impossible(background: float, level: float) -> None:
    # P(N = 0; s + b) / P(N = 0; b) is exp(-s); of one count it is (1 + s / (1 + b)) exp(-s)
    assert poisson_upper_limit(0, background, level=level) == pytest.approx(
        -math.log(1.0 - level), rel=1e-12
    )
    one = optimize.brentq(
        lambda s: math.log1p(s / (1.0 + background)) - s - math.log(1.0 - level), 0.0, 50.0
    )
    assert poisson_upper_limit(1, background, level=level) == pytest.approx(one, rel=1e-9)


@pytest.mark.parametrize(
    ("n", "b"),
    [(3, 760.0), (50, 600.0), (50, 1000.0), (2.5, 800.0), (1000, 2300.0), (10**6, 1.031e6)],
)
def test_cls_far_below_the_background_in_many_digits(n: float, b: float) -> None:
    limit = poisson_upper_limit(n, b)
    with mpmath.workdps(40):
        both, alone = (mpmath.gammainc(n + 1, x) for x in (mpmath.mpf(b) + limit, b))
        assert float(both / alone) == pytest.approx(0.05, rel=1e-9)


def test_cls_goes_on_without_a_step() -> None:
    # from about 520 on, logarithms are taken
    at = np.arange(500.0, 540.0)
    limits = np.array([poisson_upper_limit(3, b) for b in at])
    assert (np.diff(limits) < 0.0).all()
    assert np.diff(limits, 2) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(("n", "b"), [(1, 0.5), (3, 3.0), (7, 2.0), (4, 10.0)])
def test_limits_with_background_against_integrals_and_sums(n: int, b: float) -> None:
    # Helene's definition: the integral of the posterior
    limit = poisson_upper_limit(n, b, level=0.9, method="bayes")
    below, above = (
        integrate.quad(lambda s: stats.poisson.pmf(n, s + b), 0.0, end, epsabs=1e-13)[0]
        for end in (limit, limit + 60.0)
    )
    assert below / above == pytest.approx(0.9, abs=1e-7)
    # Read's definition: a ratio of two sums
    cls = poisson_upper_limit(n, b, level=0.9, method="cls")
    ratio = stats.poisson.cdf(n, cls + b) / stats.poisson.cdf(n, b)
    assert ratio == pytest.approx(0.1, rel=1e-9)
    classical = poisson_upper_limit(n, b, level=0.9, method="classical")
    assert classical <= cls
    assert classical == 0.0 or stats.poisson.cdf(n, classical + b) == pytest.approx(0.1, rel=1e-9)


def test_a_central_interval_covers() -> None:
    for mean in (0.5, 3.0, 8.3):
        n = np.arange(60)
        ends = [poisson_interval(int(k), 0.9) for k in n]
        holds = np.array([low <= mean <= high for low, high in ends])
        assert stats.poisson.pmf(n, mean)[holds].sum() >= 0.9


@pytest.mark.parametrize("level", [0.6827, 0.9, 0.95])
@pytest.mark.parametrize("x", [-3.0, -1.0, 0.0, 1.0, 2.0, 3.0])
def test_bounded_normal_scales(x: float, level: float) -> None:
    assert bounded_normal_interval(3.0 * x, 3.0, level=level) == pytest.approx(
        [3.0 * end for end in bounded_normal_interval(x, level=level)], rel=1e-6
    )


def test_unified_intervals_cover_exactly() -> None:
    b, level = 1.3, 0.9
    ends = [feldman_cousins(n, b, level=level, monotone=False) for n in range(25)]
    for mu in (0.2, 1.7, 5.05):
        chance = stats.poisson.pmf(np.arange(25), mu + b)
        covered = sum(c for c, (low, high) in zip(chance, ends, strict=True) if low <= mu <= high)
        assert covered >= level - 1e-9


@pytest.mark.parametrize("bad", [-1, math.nan, math.inf])
def test_what_are_no_counts_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite number of counts, 0 or more"):
        poisson_upper_limit(bad)
    with pytest.raises(ValueError, match="background"):
        feldman_cousins(1, bad)
    with pytest.raises(ValueError, match="level"):
        poisson_interval(1, bad)


def test_other_bad_input_is_one_line() -> None:
    with pytest.raises(ValueError, match="whole number"):
        feldman_cousins(1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one of classical, cls, bayes"):
        poisson_upper_limit(1, method="clz")
    with pytest.raises(ValueError, match="sigma above 0"):
        bounded_normal_interval(1.0, 0.0)
