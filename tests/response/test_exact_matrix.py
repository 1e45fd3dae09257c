"""The exact matrix against adaptive quadrature, and what goes into and out of it."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, stats

from forefold.response import Identity, Smear
from forefold.response import distributions as families

TRUE, RECO = [0.5, 1.0, 2.5], [0.0, 0.8, 1.2, 3.0]


@pytest.mark.parametrize("slope", [0.0, 1.5])
def test_against_adaptive_quadrature(slope: float) -> None:
    detector = Smear(families.Normal(), lambda t: 0.1 * np.sqrt(t), efficiency=lambda t: t / 3.0)
    weights = (lambda t: np.exp(-slope * t)) if slope else None
    matrix = detector.matrix(TRUE, RECO, weights=weights)
    assert [axis.name for axis in matrix.axes] == ["true", "reco"]
    found = matrix.values(flow=True)
    assert found.shape == (2, 5)
    edges = [-np.inf, *RECO, np.inf]
    for i, (low, high) in enumerate(itertools.pairwise(TRUE)):
        total = integrate.quad(lambda t: math.exp(-slope * t), low, high)[0]
        for j, (a, b) in enumerate(itertools.pairwise(edges)):

            def integrand(t: float, a: float = a, b: float = b) -> float:
                law = stats.norm(t, 0.1 * math.sqrt(t))
                return math.exp(-slope * t) * t / 3.0 * float(law.cdf(b) - law.cdf(a))

            exact = integrate.quad(
                integrand, low, high, points=[0.8, 1.2], epsabs=1e-13, limit=500
            )[0]
            assert found[i, j] == pytest.approx(exact / total, abs=1e-9)


def test_breaks_split_the_integral() -> None:
    def step(true: np.ndarray) -> np.ndarray:
        return np.where(true < 1.234, 0.0, 1.0)

    exact = (2.0 - 1.234) / 2.0
    split = Smear(families.Normal(), 0.3, efficiency=step, breaks=(1.234,)).matrix([0.0, 2.0], RECO)
    assert split.sum(flow=True) == pytest.approx(exact, abs=1e-13)


def test_a_point_that_is_moved() -> None:
    # without a width only panels resolve the jumps: half of a thousandth of the bin, each way
    moved = Smear(families.Identity(), location=lambda t: 1.1 * t).matrix(
        [0.0, 1.0], [0.0, 0.55, 1.1]
    )
    assert moved.values()[0].tolist() == pytest.approx([0.5, 0.5], abs=1e-3)
    plain = Smear(families.Identity(), efficiency=0.5).matrix([0.0, 1.0], [0.0, 0.3, 1.0])
    assert plain.values()[0].tolist() == pytest.approx([0.15, 0.35], abs=1e-14)


def test_weights() -> None:
    matrix = Identity().matrix(
        [0.0, 1.0, 2.0], [0.0, 0.5, 2.0], weights=lambda t: np.where(t < 1, t, 0)
    )
    assert matrix.values().tolist() == [pytest.approx([0.25, 0.75]), [0.0, 0.0]]
    with pytest.raises(ValueError, match="weights from"):
        Identity().matrix([0.0, 1.0], [0.0, 1.0], weights=lambda t: -t)


@pytest.mark.parametrize("edges", [[1.0], [0.0, 0.0], [0.0, math.inf], [[0.0, 1.0]]])
def test_edges(edges: list[float]) -> None:
    with pytest.raises(ValueError, match="true_edges"):
        Identity().matrix(edges, [0.0, 1.0])
    with pytest.raises(ValueError, match="reco_edges"):
        Identity().matrix([0.0, 1.0], edges)
