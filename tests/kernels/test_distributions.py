"""Quantiles of the standard forms against mpmath and scipy; the standard form of each family is written out."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy import stats

from forefold.kernels import distributions as fd

U = [
    2.0**-52,
    1e-9,
    0.001,
    0.1,
    0.25,
    0.5 - 2.0**-52,
    0.5,
    0.500001,
    0.75,
    0.99,
    1 - 2.0**-20,
    1 - 2.0**-52,
]
CODE = {name: code for code, name in enumerate(fd.FAMILIES)}


def quantile(family: str, u: float, *shape: float) -> float:
    a, b, c, d = (*shape, 0.0, 0.0, 0.0, 0.0)[:4]
    return float(fd.standard_quantile(CODE[family], u, a, b, c, d))


def test_normal_and_uniform() -> None:
    assert quantile("normal", 0.3) == pytest.approx(stats.norm.ppf(0.3), rel=1e-15)
    x = np.array([quantile("uniform", u) for u in (np.arange(10_000) + 0.5) / 10_000])
    assert x.std() == pytest.approx(
        1.0, rel=1e-8
    )  # less by 1/(2 n^2), as the points are no continuum
    assert quantile("uniform", 0.75) == pytest.approx(math.sqrt(0.75), rel=1e-15)
    assert quantile("none", 0.2) == 0.0


@pytest.mark.parametrize("family", ["log-normal", "tabulated"])
def test_no_standard_form(family: str) -> None:
    assert math.isnan(quantile(family, 0.3))
    assert math.isnan(fd.standard_quantile(99, 0.3, 0.0, 0.0, 0.0, 0.0))


@pytest.mark.parametrize("u", U)
def test_exponential(u: float) -> None:
    with mpmath.workdps(40):
        up, down = -mpmath.log1p(-mpmath.mpf(u)), mpmath.log(mpmath.mpf(u))
    assert quantile("exponential", u, 1.0) == pytest.approx(float(up), rel=1e-15, abs=0.0)
    assert quantile("exponential", u, -1.0) == pytest.approx(float(down), rel=1e-15, abs=0.0)


BOUNDS = [
    (-1.0, 2.0), (0.0, math.inf), (-math.inf, 0.0), (-math.inf, math.inf), (-3.0, -2.0), (5.0, math.inf),
    (29.9, 30.1), (30.1, math.inf), (40.0, 40.5), (-math.inf, -50.0), (-1e6, 5.0), (1e3, 2e3), (1e6, math.inf),
    (-0.5, 40.0), (12.0, 12.0 + 1e-6),
]  # fmt: skip


def normal_tail(x: Any) -> Any:
    return mpmath.erfc(x / mpmath.sqrt(2)) / 2


def truncated(a: float, b: float, u: float, start: float) -> float:
    """Quantile of the truncated normal in 60 digits: Newton's method on the logarithm of the nearer tail."""
    if b <= 0:
        return -truncated(-b, -a, 1 - u, -start)
    with mpmath.workdps(60):
        aim = (1 - mpmath.mpf(u)) * normal_tail(mpmath.mpf(a)) + u * normal_tail(mpmath.mpf(b))
        x = mpmath.mpf(start)
        for _ in range(6):
            tail = normal_tail(x)
            step = tail - aim if aim > 0.1 else mpmath.log(tail / aim) * tail
            x += step / mpmath.npdf(x)
        return float(x)


@pytest.mark.parametrize(("a", "b"), BOUNDS)
def test_truncated_normal(a: float, b: float) -> None:
    for u in U:
        found = quantile("truncated-normal", u, a, b)
        assert a <= found <= b
        exact = truncated(a, b, u, found)
        assert found == pytest.approx(exact, abs=5e-15 * max(1.0, abs(exact)), rel=0.0)


def test_truncated_normal_far_out_is_exponential() -> None:
    # beyond a: (x - a) a follows the exponential law up to terms in 1/a^2
    for u in (0.1, 0.5, 0.99):
        excess = (quantile("truncated-normal", u, 1e4, math.inf) - 1e4) * 1e4
        assert excess == pytest.approx(-math.log1p(-u), rel=1e-7)


def test_truncated_normal_needs_ascending_bounds() -> None:
    assert math.isnan(quantile("truncated-normal", 0.5, 2.0, 1.0))


def crystal_ball(t: Any, a: float, b: float, c: float, d: float) -> Any:
    """Integral of the Crystal Ball function below t, before it is normalised, in mpmath's digits."""
    root = mpmath.sqrt(2 * mpmath.pi)
    ends = [
        mpmath.mpf(n) / k / (n - 1) * mpmath.exp(-(mpmath.mpf(k) ** 2) / 2)
        for k, n in ((a, b), (c, d))
    ]
    core = root * (mpmath.ncdf(c) - mpmath.ncdf(-a))
    if t <= -a:
        return ends[0] * (1 + (-t - a) * mpmath.mpf(a) / b) ** (1 - mpmath.mpf(b))
    if t <= c:
        return ends[0] + root * (mpmath.ncdf(t) - mpmath.ncdf(-a))
    beyond = ends[1] * (1 + (t - c) * mpmath.mpf(c) / d) ** (1 - mpmath.mpf(d))
    return ends[0] + core + ends[1] - beyond


@pytest.mark.parametrize(
    "shape", [(1.0, 2.0, 1.5, 3.0), (0.5, 1.2, 4.0, 20.0), (3.0, 400.0, 0.2, 5.0)]
)
def test_crystal_ball(shape: tuple[float, float, float, float]) -> None:
    with mpmath.workdps(60):
        a, b, c, d = shape
        total = crystal_ball(mpmath.mpf(c), *shape)
        total += mpmath.mpf(d) / c / (d - 1) * mpmath.exp(-(mpmath.mpf(c) ** 2) / 2)
        for u in U:
            found = quantile("crystal-ball", u, *shape)
            x = mpmath.mpf(found)
            below = crystal_ball(x, *shape)
            core = mpmath.exp(-x * x / 2)
            if x < -a:
                core = mpmath.exp(-(mpmath.mpf(a) ** 2) / 2) * (
                    1 + (-x - a) * mpmath.mpf(a) / b
                ) ** (-b)
            elif x > c:
                core = mpmath.exp(-(mpmath.mpf(c) ** 2) / 2) * (
                    1 + (x - c) * mpmath.mpf(c) / d
                ) ** (-d)
            off = (below - mpmath.mpf(u) * total) / core  # first-order error of the quantile
            assert abs(off) < 2e-14 * max(1.0, abs(found))


def test_crystal_ball_of_infinite_alpha_has_no_tail() -> None:
    for u in (1e-6, 0.3, 0.9):
        assert quantile("crystal-ball", u, math.inf, 2.0, math.inf, 2.0) == pytest.approx(
            stats.norm.ppf(u), rel=1e-13
        )


@pytest.mark.parametrize(
    ("family", "shape"),
    [
        ("truncated-normal", (-1.0, 2.0)),
        ("truncated-normal", (33.0, 35.0)),
        ("crystal-ball", (1.0, 2.0, 1.5, 3.0)),
        ("exponential", (1.0,)),
        ("exponential", (-1.0,)),
        ("uniform", ()),
    ],
)
def test_quantiles_ascend(family: str, shape: tuple[float, ...]) -> None:
    u = (np.arange(4000) + 0.5) / 4000
    assert np.all(np.diff([quantile(family, v, *shape) for v in u]) > 0)


def test_arrays() -> None:
    u = np.array([0.2, 0.7])
    a, b, out = np.array([-1.0, 0.0]), np.array([1.0, 2.0]), np.empty(2)
    fd.standard_quantiles(CODE["truncated-normal"], u, a, b, a, a, out)
    assert out.tolist() == [
        quantile("truncated-normal", 0.2, -1.0, 1.0),
        quantile("truncated-normal", 0.7, 0.0, 2.0),
    ]


def test_tabulated() -> None:
    edges = np.array([0.0, 1.0, 2.0, 4.0])
    cumulative = np.array([[0.0, 0.5, 0.5, 1.0], [0.0, 0.25, 0.75, 1.0]])
    assert fd.tabulated_quantile(edges, cumulative, 0, 0.25) == 0.5
    assert fd.tabulated_quantile(edges, cumulative, 0, 0.5) == 2.0
    assert fd.tabulated_quantile(edges, cumulative, 0, 0.75) == 3.0
    assert fd.tabulated_quantile(edges, cumulative, 1, 0.5) == 1.5
    assert fd.tabulated_quantile(edges, np.zeros((1, 4)), 0, 0.5) == 2.0
