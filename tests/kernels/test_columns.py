"""Whole columns in numpy have the bits of the compiled functions, number by number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from forefold.kernels import columns as co
from forefold.kernels import math as fm
from forefold.kernels import philox as rn

N = 20_000
Column = NDArray[np.float64]


def same(a: Column, b: Column) -> bool:
    return a.tobytes() == b.tobytes()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(86)


def each(function: Callable[..., float], *x: Column) -> Column:
    return np.array([function(*values) for values in zip(*x, strict=True)], dtype=np.float64)


def test_exponential(rng: np.random.Generator) -> None:
    edges = [0.0, -0.0, 709.7, 709.79, -745.1, -745.3, 1e300, -1e300, np.inf, -np.inf]
    x = np.concatenate([rng.normal(0, 10, N), rng.uniform(-760, 720, N), edges])
    assert same(co.exponential(x), each(fm.exponential, x))


def test_logarithm1p(rng: np.random.Generator) -> None:
    # either side of where 1 + x passes the square root of 2 and powers of 2
    edges = [0.0, 1e-320, 0.41421356237309503, 0.41421356237309515, 1.0, 3.0, 1e300, np.inf]
    x = np.concatenate([np.exp(rng.uniform(-300, 700, N)), rng.random(N), edges])
    assert same(co.logarithm1p(x), each(fm.logarithm1p, x))


def test_sine_cosine(rng: np.random.Generator) -> None:
    quarters = np.arange(-9, 10) * (np.pi / 4)
    x = np.concatenate([rng.uniform(-1e4, 1e4, N), quarters])
    both = np.array([fm.sine_cosine(value) for value in x])
    sine, cosine = co.sine_cosine(x)
    assert same(sine, both[:, 0].copy())
    assert same(cosine, both[:, 1].copy())


def test_arctangent2(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(2, N))
    x[:100], y[50:150], x[150:200] = 0.0, 0.0, y[150:200]
    assert same(co.arctangent2(y, x), each(fm.arctangent2, y, x))


def test_normal_quantile(rng: np.random.Generator) -> None:
    edges = [2.0**-53, 1 - 2.0**-53, 0.5, 0.075, 0.925, 1.38e-11, 1.39e-11, 1.4e-11]
    u = np.concatenate([rng.random(N), 10 ** rng.uniform(-16, -1, N), edges])
    assert same(co.normal_quantile(u), each(fm.normal_quantile, u))


def test_uniforms(rng: np.random.Generator) -> None:
    key, entry, place = rng.integers(0, 2**64, (3, 2000), dtype=np.uint64)
    block = np.uint64(9)
    words = zip(key, entry, place, strict=True)
    both = np.array([rn.uniforms(k, e, p, block) for k, e, p in words])
    even, odd = co.uniforms(key, entry, place, block)
    assert same(even, both[:, 0].copy())
    assert same(odd, both[:, 1].copy())
    assert 0.0 < even.min() < even.max() < 1.0
