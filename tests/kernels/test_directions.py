"""Space angles against their cumulative distributions in mpmath; turns against the angles they were asked for."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

from forefold.kernels import directions as fdir

U = [2.0**-52, 2.0**-20, 0.01, 0.3, 0.5, 0.75, 0.999, 1 - 2.0**-30, 1 - 2.0**-52]


@pytest.mark.parametrize("u", U)
@pytest.mark.parametrize("sigma", [1e-6, 0.02, 0.5, 3.0])
def test_plane_gaussians(u: float, sigma: float) -> None:
    with mpmath.workdps(40):
        rayleigh = sigma * mpmath.sqrt(-2 * mpmath.log1p(-mpmath.mpf(u)))
        half = sigma * mpmath.sqrt(2) * mpmath.erfinv(mpmath.mpf(u))
    assert fdir.space_angle(0, u, sigma) == pytest.approx(float(rayleigh), rel=2e-15, abs=0.0)
    assert fdir.space_angle(1, u, sigma) == pytest.approx(float(half), rel=2e-15, abs=1e-16)


@pytest.mark.parametrize("u", U)
@pytest.mark.parametrize("kappa", [1e-9, 1e-3, 0.3, 2.0, 30.0, 400.0, 1e6, 1e12])
def test_von_mises_fisher(u: float, kappa: float) -> None:
    sigma = 1.0 / math.sqrt(kappa)
    with mpmath.workdps(60):
        k = 1 / (mpmath.mpf(sigma) ** 2)
        h = -mpmath.log1p(mpmath.mpf(u) * mpmath.expm1(-2 * k)) / k
        exact = 2 * mpmath.atan2(mpmath.sqrt(h), mpmath.sqrt(2 - h))
    assert fdir.space_angle(2, u, sigma) == pytest.approx(float(exact), rel=4e-15, abs=0.0)


def test_limits() -> None:
    assert fdir.space_angle(2, 0.3, 0.0) == 0.0
    assert fdir.space_angle(2, 0.25, math.inf) == pytest.approx(math.pi / 3, rel=1e-15)  # isotropic
    assert fdir.space_angle(2, 0.75, math.inf) == pytest.approx(2 * math.pi / 3, rel=1e-15)
    assert fdir.space_angle(2, 0.3, 1e-4) == pytest.approx(fdir.space_angle(0, 0.3, 1e-4), rel=1e-8)
    assert math.isnan(fdir.space_angle(7, 0.3, 1.0))


def turned(n: NDArray[np.float64], alpha: float, beta: float) -> NDArray[np.float64]:
    return np.array(fdir.turned(n[0], n[1], n[2], alpha, beta))


def test_turned() -> None:
    rng = np.random.default_rng(20221)
    directions = [*rng.normal(size=(300, 3)), *np.eye(3), *-np.eye(3)]
    directions += [np.array([1e-9 * s, 1e-12, t]) for s in (-1, 1) for t in (-1.0, 1.0)]
    for direction in directions:
        n = direction / np.linalg.norm(direction)
        alpha, beta = rng.uniform(0, math.pi), rng.uniform(-math.pi, math.pi)
        m = turned(n, alpha, beta)
        assert np.linalg.norm(m) == pytest.approx(1.0, abs=2e-15)
        found = math.atan2(float(np.linalg.norm(np.cross(n, m))), float(n @ m))
        assert found == pytest.approx(alpha, abs=4e-15)
        # a quarter of a turn on is the other axis of a right-handed frame
        e1, e2 = (turned(n, math.pi / 2, b) for b in (0.0, math.pi / 2))
        assert np.allclose(np.cross(e1, e2), n, atol=1e-15)
        across = math.cos(beta) * e1 + math.sin(beta) * e2
        assert np.allclose(m, math.cos(alpha) * n + math.sin(alpha) * across, atol=2e-15)


def test_turned_about_z_is_polar() -> None:
    x, y, z = fdir.turned(0.0, 0.0, 1.0, 0.3, 1.2)
    assert (x, y, z) == pytest.approx(
        (math.sin(0.3) * math.cos(1.2), math.sin(0.3) * math.sin(1.2), math.cos(0.3)), abs=1e-16
    )
