"""Elementary functions of formulas against mpmath, in units of the last place, and IEEE's special cases."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from forefold.kernels import elementary as el

N = 1500


def ulp(found: float, exact: Any) -> float:
    """Error in units of the last place of the rounded exact value."""
    if exact == 0:
        return 0.0 if found == 0.0 else math.inf
    return float(abs(mpmath.mpf(found) - exact) / mpmath.mpf(float(np.spacing(abs(float(exact))))))


def worst(function: Callable[..., float], exact: Callable[..., Any], *arguments: Any) -> float:
    with mpmath.workdps(60):
        return max(
            ulp(float(function(*v)), exact(*(mpmath.mpf(x) for x in v)))
            for v in zip(*(np.asarray(x).tolist() for x in arguments), strict=True)
        )


def both_signs(x: Any) -> Any:
    return np.concatenate([x, np.negative(x)])


RNG = np.random.default_rng(20224)
SMALL = np.exp(RNG.uniform(-40, 0, N))
ANGLES = np.concatenate(
    [RNG.uniform(0, 7, N), RNG.uniform(0, 1e5, N), SMALL, np.arange(1, 200) * (math.pi / 2)]
)
UNIT = np.concatenate([RNG.uniform(0, 1, N), SMALL, 1 - SMALL, [0.0, 0.5, 1.0]])
WIDE = np.exp(RNG.uniform(-700, 700, N))
POSITIVE = np.concatenate([WIDE, RNG.uniform(0.5, 2, N), 1 + SMALL, [5e-324, 1e-310, 1.7e308]])
GROWING = np.concatenate([RNG.uniform(0, 3, N), RNG.uniform(0, 710.4, N), SMALL])

ONE: dict[str, tuple[Callable[[float], float], Callable[[Any], Any], Any, float]] = {
    "sine": (el.sine, mpmath.sin, both_signs(ANGLES), 2.0),
    "cosine": (el.cosine, mpmath.cos, both_signs(ANGLES), 2.0),
    "tangent": (el.tangent, mpmath.tan, both_signs(ANGLES), 3.0),
    "arcsine": (el.arcsine, mpmath.asin, both_signs(UNIT), 3.0),
    "arccosine": (el.arccosine, mpmath.acos, both_signs(UNIT), 3.0),
    "arctangent": (el.arctangent, mpmath.atan, both_signs(POSITIVE), 2.0),
    "sinh": (el.hyperbolic_sine, mpmath.sinh, both_signs(GROWING), 2.0),
    "cosh": (el.hyperbolic_cosine, mpmath.cosh, both_signs(GROWING), 2.0),
    "tanh": (el.hyperbolic_tangent, mpmath.tanh, both_signs(GROWING), 2.0),
    "logarithm": (el.logarithm, mpmath.log, POSITIVE, 1.0),
    "logarithm10": (el.logarithm10, mpmath.log10, POSITIVE, 0.51),
    "power_half": (el.power_half, mpmath.sqrt, POSITIVE, 0.5000001),
}


@pytest.mark.parametrize("name", ONE)
def test_error_in_ulp(name: str) -> None:
    function, exact, x, allowed = ONE[name]
    assert worst(function, exact, x) < allowed


def test_power_in_ulp() -> None:
    base, exponent = RNG.uniform(0, 10, N), RNG.uniform(-30, 30, N)
    assert worst(el.power, mpmath.power, base, exponent) < 0.6
    # the largest logarithms
    base = np.exp(RNG.uniform(-3, 3, N))
    exponent = RNG.uniform(-700, 700, N) / np.log(base)
    assert worst(el.power, mpmath.power, base, exponent) < 0.75
    whole = RNG.integers(-12, 13, N).astype(float)
    assert worst(el.power, mpmath.power, RNG.uniform(-9, 9, N), whole) < 2.0
    assert worst(el.power, mpmath.power, np.full(300, 5e-324), RNG.uniform(-0.9, 0.9, 300)) < 0.75


def test_power_is_exact_where_the_result_is_a_number() -> None:
    for base in range(-12, 13):
        for exponent in range(16):
            exact = base**exponent
            if abs(exact) < 2**53:
                assert el.power(float(base), float(exponent)) == exact
    assert el.power(2.0, -1074.0) == 5e-324
    assert el.power(4.0, 1.5) == 8.0
    assert el.power(1024.0, 0.1) == 2.0


EDGES = [0.0, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 6.0, 2.5, 1e16, 1e25, 1e300, 5e-324, math.inf, math.nan]


def same(found: float, wanted: float) -> bool:
    """Equal with the sign of zeros, or both NaN."""
    if math.isnan(wanted):
        return math.isnan(found)
    return found == wanted and math.copysign(1.0, found) == math.copysign(1.0, wanted)


@pytest.mark.parametrize("x", both_signs(EDGES))
def test_power_at_the_edges_is_that_of_c(x: float) -> None:
    for y in both_signs(EDGES):
        with np.errstate(all="ignore"):
            # arrays: for a scalar 0.5 numpy takes the square root
            wanted = float(np.power(np.array([x]), np.array([y]))[0])
        found = float(el.power(x, y))
        if math.isfinite(wanted) and wanted != 0.0:
            assert found == pytest.approx(wanted, rel=1e-15, abs=5e-324)
        else:
            assert same(found, wanted), (x, y)


def test_polar_angle_at_the_edges_is_that_of_c() -> None:
    sides = both_signs([0.0, 5e-324, 1.0, 1e308, math.inf, math.nan])
    for y in sides:
        for x in sides:
            wanted = float(np.arctan2(y, x))
            found = float(el.polar_angle(y, x))
            assert same(found, wanted) or found == pytest.approx(wanted, rel=5e-16), (y, x)


def test_polar_angle_in_ulp() -> None:
    y, x = both_signs(WIDE), both_signs(RNG.permutation(WIDE))
    assert worst(el.polar_angle, mpmath.atan2, y, RNG.permutation(x)) < 2.5


def test_hypotenuse() -> None:
    assert worst(el.hypotenuse, mpmath.hypot, WIDE, RNG.permutation(WIDE)) < 1.25
    near = RNG.uniform(0.1, 1, N)
    for size in (1.0, 1e300, 1e-300):
        assert worst(el.hypotenuse, mpmath.hypot, size * near, size * near[::-1]) < 1.25
    assert el.hypotenuse(3.0, -4.0) == 5.0
    assert el.hypotenuse(math.nan, -math.inf) == math.inf
    assert el.hypotenuse(math.inf, math.nan) == math.inf
    assert math.isnan(el.hypotenuse(math.nan, 1.0))
    assert math.isnan(el.hypotenuse(1.0, math.nan))


def test_special_values() -> None:
    for function in (el.sine, el.cosine, el.tangent):
        for x in (1e5, -1e5, 1e300, math.inf, -math.inf, math.nan):
            assert math.isnan(function(x))
    for function in (el.arcsine, el.arccosine):
        for x in (1.0000000000000002, -1.1, math.inf, math.nan):
            assert math.isnan(function(x))
    odd = (el.arcsine, el.arctangent, el.hyperbolic_sine, el.hyperbolic_tangent)
    for function in odd:
        assert same(function(-0.0), -0.0)
        assert math.isnan(el.arctangent(math.nan))
    assert el.arctangent(-math.inf) == -math.pi / 2
    assert el.hyperbolic_sine(-math.inf) == -math.inf
    assert el.hyperbolic_cosine(-math.inf) == math.inf
    assert el.hyperbolic_sine(710.5) == math.inf
    assert el.hyperbolic_tangent(-math.inf) == -1.0
    for function in (el.hyperbolic_sine, el.hyperbolic_cosine, el.hyperbolic_tangent):
        assert math.isnan(function(math.nan))
    for function in (el.logarithm, el.logarithm10):
        assert function(0.0) == -math.inf
        assert function(math.inf) == math.inf
        assert math.isnan(function(-1.0))
        assert math.isnan(function(math.nan))
    assert [el.logarithm10(10.0**n) for n in range(-20, 23)] == list(range(-20, 23))
