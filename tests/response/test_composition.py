"""Responses one behind the other, against sums of Gaussians and products of efficiencies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from forefold.response import Composition, Identity, Response, Smear
from forefold.response import distributions as families

X = np.linspace(-4.0, 4.0, 41)


def gaussian(sigma: float, efficiency: float = 1.0) -> Response:
    return Smear(families.Normal(), sigma, efficiency=efficiency)


@pytest.mark.parametrize(
    ("ratio", "nodes", "allowed"),
    [(1.0, 96, 1e-14), (0.2, 96, 1e-12), (0.1, 96, 3e-5), (0.1, 192, 1e-12), (0.05, 384, 1e-12)],
)
def test_widths_add_in_quadrature(ratio: float, nodes: int, allowed: float) -> None:
    composed = Composition((gaussian(1.0), gaussian(ratio)), nodes)
    law = stats.norm(0.0, math.hypot(1.0, ratio))
    assert np.abs(composed.cdf(X, 0.0) - law.cdf(X)).max() < allowed
    if allowed < 1e-10:
        assert np.abs(composed.pdf(X, 0.0) - law.pdf(X)).max() < 1e-9
        u = [0.001, 0.3, 0.5, 0.99]
        assert np.allclose(composed.ppf(u, 0.0), law.ppf(u), atol=1e-9)


def test_three_widths() -> None:
    composed = gaussian(0.3).then(gaussian(0.4)).then(gaussian(1.2))
    assert np.allclose(composed.cdf(X, 0.0), stats.norm.cdf(X / 1.3), atol=1e-13)
    assert composed.n_uniforms == 6


def test_efficiency_is_that_of_both() -> None:
    # the second sees above 2 only: the first carries half of what is at 2 above it
    second = Smear(
        families.Normal(), 0.5, efficiency=lambda y: 1.0 / (1.0 + np.exp(-4.0 * (y - 2.0)))
    )
    composed = gaussian(0.3, 0.8).then(second)
    assert composed.efficiency(2.0) == pytest.approx(0.4, abs=1e-12)
    assert composed.cdf(np.inf, 2.0) == pytest.approx(1.0, abs=1e-12)
    never = gaussian(0.3).then(Smear(families.Normal(), 0.1, efficiency=0.0))
    assert never.efficiency(1.0) == 0.0
    assert np.isnan(never.ppf(0.5, 1.0))
    assert never.matrix([0, 1], [0, 1]).sum(flow=True) == 0.0


def test_identity_changes_nothing() -> None:
    alone = gaussian(0.7, 0.9)
    for composed in (Identity().then(alone), alone.then(Identity())):
        assert np.allclose(composed.efficiency(1.0), 0.9)
    before = Identity().then(alone)
    assert np.allclose(before.cdf(X, 1.0), alone.cdf(X, 1.0), atol=1e-15)
    assert np.allclose(
        before.bin_probabilities(X, 1.0), alone.bin_probabilities(X, 1.0), atol=1e-15
    )
    both = Identity().then(Identity())
    assert both.matrix([0.0, 1.0], [0.0, 0.25, 1.0]).values().tolist() == [
        pytest.approx([0.25, 0.75])
    ]


def test_samples_pass_through() -> None:
    composed = gaussian(1.0, 0.5).then(gaussian(1.0))
    u = np.array([[0.4, 0.6], [0.5, 0.5], [0.2, 0.2], [0.5, 0.5]])
    assert composed.sample([3.0, 3.0], u).tolist() == pytest.approx([3.0, math.nan], nan_ok=True)


def test_chains_dissolve() -> None:
    a, b, c = gaussian(1.0), gaussian(2.0), gaussian(3.0)
    assert a.then(b).then(c) == a.then(b.then(c))
    assert str(a.then(b)).count("Response") == 2
    with pytest.raises(ValueError, match="at least 2 parts"):
        Composition((a,))
    assert Composition((Composition((a, b), 200), c)).nodes == 200
