"""Tails of the normal distribution against mpmath, in units of the last place."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from forefold.kernels import math as fm
from forefold.kernels import special as fs

N = 800


def worst(function: Callable[[float], float], exact: Callable[[Any], Any], x: Any) -> float:
    """Largest error in units of the last place of the rounded exact value."""
    with mpmath.workdps(50):
        return max(
            float(
                abs(mpmath.mpf(function(float(v))) - e)
                / mpmath.mpf(float(np.spacing(abs(float(e)))))
            )
            for v in x
            for e in [exact(mpmath.mpf(float(v)))]
            if e != 0
        )


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20221)


def test_normal_cdf(rng: np.random.Generator) -> None:
    x = np.concatenate([rng.uniform(-38, 10, N), rng.uniform(-2, 2, N), rng.normal(size=N)])

    def exact(v: Any) -> Any:
        return mpmath.erfc(-v / mpmath.sqrt(2)) / 2

    assert worst(fs.normal_cdf, exact, x[x > -37.5]) < 6.0
    assert worst(fs.normal_tail, lambda v: exact(-v), -x[x > -37.5]) < 6.0
    assert fs.normal_cdf(-math.inf) == 0.0
    assert fs.normal_cdf(math.inf) == 1.0
    assert fs.normal_cdf(0.0) == pytest.approx(0.5, abs=1.2e-16)
    assert math.isnan(fs.normal_cdf(math.nan))


def test_normal_density(rng: np.random.Generator) -> None:
    x = rng.uniform(-37.5, 37.5, N)
    assert worst(fs.normal_density, mpmath.npdf, x) < 4.0
    assert fs.normal_density(math.inf) == 0.0
    assert math.isnan(fs.normal_density(math.nan))


def test_mills(rng: np.random.Generator) -> None:
    x = np.concatenate([rng.uniform(0, 40, N), np.exp(rng.uniform(-20, 4, N))])

    def exact(v: Any) -> Any:
        return mpmath.sqrt(mpmath.pi / 2) * mpmath.exp(v * v / 2) * mpmath.erfc(v / mpmath.sqrt(2))

    assert worst(fs.mills, exact, x) < 4.0
    assert fs.mills(math.inf) == 0.0
    assert math.isnan(fs.mills(math.nan))
    # far out the ratio is 1/x (1 - 1/x^2)
    assert fs.mills(1e9) == pytest.approx(1e-9, rel=1e-15)


def test_exponential_minus1(rng: np.random.Generator) -> None:
    x = np.concatenate(
        [rng.uniform(-40, 700, N), rng.normal(size=N), 10 ** -rng.uniform(0, 300, N)]
    )
    assert worst(fs.exponential_minus1, mpmath.expm1, x) < 5.0
    assert fs.exponential_minus1(-math.inf) == -1.0
    assert fs.exponential_minus1(math.inf) == math.inf


def test_logarithm1p_below_zero(rng: np.random.Generator) -> None:
    x = -np.concatenate(
        [rng.uniform(0, 1, N), 2.0 ** -rng.uniform(0, 52, N), 1 - 2.0 ** -rng.uniform(0, 52, N)]
    )
    assert worst(fm.logarithm1p, mpmath.log1p, x[x > -1]) < 3.0


def test_normal_between() -> None:
    for low in (-30.0, -5.0, -0.3, 0.0, 0.4, 20.0):
        for width in (0.1, 3.0, math.inf):
            found = fs.normal_between(low, low + width)
            with mpmath.workdps(50):
                high = mpmath.mpf(low + width)
                exact = mpmath.ncdf(-mpmath.mpf(low)) - mpmath.ncdf(-high)
            assert found == pytest.approx(float(exact), rel=3e-15)
    assert fs.normal_between(1.0, 1.0) == 0.0
    assert fs.normal_between(2.0, 1.0) == 0.0
