"""Closed forms against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from forefold.response import distributions as families

X = np.linspace(-0.5, 5.0, 111)


@pytest.mark.parametrize("resolution", [0.05, 0.4, 1.5])
@pytest.mark.parametrize("mean", [0.3, 2.0])
def test_log_normal(mean: float, resolution: float) -> None:
    variance = math.log1p(resolution**2)
    law = stats.lognorm(s=math.sqrt(variance), scale=mean * math.exp(-variance / 2))
    assert law.mean() == pytest.approx(mean)
    assert law.std() == pytest.approx(mean * resolution)
    assert np.allclose(families.log_normal_pdf(X, mean, resolution), law.pdf(X), rtol=1e-12)


@pytest.mark.parametrize("resolution", [0.05, 0.4, 1.5])
def test_truncated_normal(resolution: float) -> None:
    law = stats.truncnorm(a=-1.0 / resolution, b=np.inf, loc=2.0, scale=2.0 * resolution)
    assert np.allclose(families.truncated_normal_pdf(X, 2.0, resolution), law.pdf(X), rtol=1e-10)
    total = integrate.quad(
        lambda x: families.truncated_normal_pdf(x, 2.0, resolution), 0.0, 40.0, points=[2.0]
    )
    assert total[0] == pytest.approx(1.0, abs=1e-7)


def test_normal() -> None:
    assert np.allclose(families.normal_pdf(X, 1.0, 0.3), stats.norm.pdf(X, 1.0, 0.3), rtol=1e-13)


def test_resolution_is_a_sum_in_quadrature() -> None:
    energy = np.array([0.25, 1.0, 4.0])
    found = families.resolution(energy, constant=0.05, stochastic=0.30)
    assert np.allclose(found**2, 0.05**2 + 0.30**2 / energy)
