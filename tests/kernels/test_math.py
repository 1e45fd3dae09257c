"""Elementary functions against mpmath, in units of the last place."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from forefold.kernels import math as fm

N = 1500


def ulp(found: float, exact: Any) -> float:
    """Error in units of the last place of the rounded exact value."""
    if exact == 0:
        return 0.0 if found == 0.0 else math.inf
    return float(abs(mpmath.mpf(found) - exact) / mpmath.mpf(float(np.spacing(abs(float(exact))))))


def worst(function: Callable[[float], float], exact: Callable[[Any], Any], x: Any) -> float:
    with mpmath.workdps(50):
        return max(ulp(float(function(float(v))), exact(mpmath.mpf(float(v)))) for v in x)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20221)


def test_logarithm(rng: np.random.Generator) -> None:
    x: list[Any] = [
        rng.uniform(0.5, 2.0, N),
        np.exp(rng.uniform(-700, 700, N)),
        1 + rng.uniform(-1e-6, 1e-6, N),
    ]
    assert worst(fm.logarithm, mpmath.log, np.concatenate(x)) < 1.0
    assert fm.logarithm(1.0) == 0.0
    assert fm.logarithm(0.0) == -math.inf
    assert fm.logarithm(math.inf) == math.inf
    assert math.isnan(fm.logarithm(-1.0))


def test_logarithm1p(rng: np.random.Generator) -> None:
    x: list[Any] = [rng.uniform(0.0, 2.0, N), np.exp(rng.uniform(-60, 10, N)), [0.0, 1e-300]]
    assert worst(fm.logarithm1p, mpmath.log1p, np.concatenate(x)) < 2.5
    assert fm.logarithm1p(math.inf) == math.inf


def test_exponential(rng: np.random.Generator) -> None:
    x = np.concatenate([rng.uniform(-2, 2, N), rng.uniform(-700, 709, N)])
    assert worst(fm.exponential, mpmath.exp, x) < 1.0
    assert fm.exponential(0.0) == 1.0
    assert 0.0 < fm.exponential(-744.0) < 1e-322
    assert fm.exponential(-800.0) == 0.0
    assert fm.exponential(800.0) == math.inf
    assert math.isnan(fm.exponential(math.nan))


def test_sine_cosine(rng: np.random.Generator) -> None:
    points = [math.pi, math.pi / 2, -math.pi, 1.5 * math.pi, 0.0]
    x = np.concatenate([rng.uniform(-7, 7, N), rng.uniform(-1e4, 1e4, N), points])
    assert worst(lambda v: fm.sine_cosine(v)[0], mpmath.sin, x) < 2.0
    assert worst(lambda v: fm.sine_cosine(v)[1], mpmath.cos, x) < 2.0


def test_arctangent2(rng: np.random.Generator) -> None:
    angle, size = rng.uniform(-math.pi, math.pi, N), np.exp(rng.uniform(-20, 20, N))
    aspect = np.exp(rng.uniform(-20, 20, N))
    with mpmath.workdps(50):
        for y, x in zip(aspect * size * np.sin(angle), size * np.cos(angle), strict=True):
            exact = mpmath.atan2(mpmath.mpf(y), mpmath.mpf(x))
            assert ulp(fm.arctangent2(y, x), exact) < 2.5
    assert fm.arctangent2(0.0, 0.0) == 0.0
    assert fm.arctangent2(0.0, -1.0) == math.pi
    assert fm.arctangent2(-1.0, 0.0) == -math.pi / 2


def test_normal_quantile(rng: np.random.Generator) -> None:
    u = np.concatenate([rng.uniform(0, 1, 300), 2.0 ** -rng.uniform(1, 52, 300)])
    u = (np.floor(u * 2**52) + 0.5) * 2.0**-52
    with mpmath.workdps(40):
        for v in u[u < 1]:
            exact = mpmath.sqrt(2) * mpmath.erfinv(2 * mpmath.mpf(v) - 1)
            assert ulp(fm.normal_quantile(v), exact) < 8.0
    assert fm.normal_quantile(0.5) == 0.0


def test_normal_quantile_is_odd_and_increasing(rng: np.random.Generator) -> None:
    u = (np.floor(np.sort(rng.uniform(0, 1, N)) * 2**52) + 0.5) * 2.0**-52
    z = np.array([fm.normal_quantile(v) for v in u])
    assert np.all(np.diff(z)[np.diff(u) > 0] > 0)
    assert np.array_equal(z, -np.array([fm.normal_quantile(1.0 - v) for v in u]))
