"""Containment: closed form against limits and against vertices that are drawn.

The generator is fixed, so a comparison with drawn vertices passes or fails once and for all; its stated chance is
that of a false alarm had the generator not been fixed.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from forefold.detector.materials.containment import DUNE_FAR, DUNE_FAR_FIDUCIAL, Box, contained

VERTICES = 1_000_000


def directions(n: int, rng: np.random.Generator) -> np.ndarray:
    v = rng.normal(size=(n, 3))
    return np.asarray(v / np.linalg.norm(v, axis=1)[:, None])


def test_numbers_of_the_far_detector() -> None:
    assert DUNE_FAR.size == (1390.0, 1400.0, 2530.0)
    assert DUNE_FAR_FIDUCIAL.low == (-645.0, -650.0, 100.0)
    assert DUNE_FAR_FIDUCIAL.high == (645.0, 650.0, 2280.0)


@pytest.mark.parametrize("fiducial", [None, DUNE_FAR_FIDUCIAL], ids=["active", "fiducial"])
def test_against_drawn_vertices(fiducial: Box | None) -> None:
    # 16 tracks, each binomial: chi2 with 16 degrees of freedom; false alarm 1e-4
    rng = np.random.default_rng(4)
    n = directions(16, rng)
    length = rng.uniform(100.0, 1500.0, 16)
    exact = contained(length, *n.T, active=DUNE_FAR, fiducial=fiducial)
    inner = fiducial or DUNE_FAR
    vertex = rng.uniform(inner.low, inner.high, (VERTICES, 3))
    counts = []
    for r, direction in zip(length, n, strict=True):
        end = vertex + r * direction
        counts.append(np.sum(np.all((end > DUNE_FAR.low) & (end < DUNE_FAR.high), axis=1)))
    assert np.all((exact > 0.01) & (exact < 0.99))
    pulls = (np.array(counts) - VERTICES * exact) / np.sqrt(VERTICES * exact * (1 - exact))
    assert stats.chi2.sf(np.sum(pulls**2), 16) > 1e-4


def test_same_boxes_give_the_product_of_the_axes() -> None:
    n = directions(100, np.random.default_rng(5))
    found = contained(900.0, *n.T, active=DUNE_FAR)
    expected = np.prod(np.maximum(0.0, 1.0 - 900.0 * np.abs(n) / np.array(DUNE_FAR.size)), axis=1)
    assert np.allclose(found, expected, rtol=1e-13, atol=1e-15)


cosines = st.floats(-1.0, 1.0)


@given(cosines, cosines, cosines, st.floats(0.0, 5000.0), st.floats(0.0, 5000.0))
def test_longer_is_never_likelier(x: float, y: float, z: float, r: float, s: float) -> None:
    short, long = min(r, s), max(r, s)
    for fiducial in (None, DUNE_FAR_FIDUCIAL):
        at_short, at_long = (
            float(contained(v, x, y, z, active=DUNE_FAR, fiducial=fiducial)) for v in (short, long)
        )
        assert 0.0 <= at_long <= at_short <= 1.0


def test_limits() -> None:
    n = directions(1000, np.random.default_rng(6)).T
    assert np.all(contained(0.0, *n, active=DUNE_FAR, fiducial=DUNE_FAR_FIDUCIAL) == 1.0)
    diagonal = math.dist(DUNE_FAR.low, DUNE_FAR.high)
    assert np.all(contained(1.001 * diagonal, *n, active=DUNE_FAR) == 0.0)
    # shorter than the smallest margin: always inside
    assert np.all(contained(50.0, *n, active=DUNE_FAR, fiducial=DUNE_FAR_FIDUCIAL) == 1.0)
    assert contained(math.inf, 0.0, 0.0, 1.0, active=DUNE_FAR) == 0.0
    assert math.isnan(contained(math.nan, 0.0, 0.0, 1.0, active=DUNE_FAR))
    assert math.isnan(contained(1.0, math.nan, 0.0, 1.0, active=DUNE_FAR))


def test_shapes_are_broadcast() -> None:
    found = contained(np.ones((4, 1)), np.zeros(3), 0.0, 1.0, active=DUNE_FAR)
    assert found.shape == (4, 3)


def test_bad_boxes() -> None:
    with pytest.raises(ValueError, match=r"box: y from 1\.0 to 1\.0 cm"):
        Box((0.0, 1.0, 0.0), (1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="box: z from 0"):
        Box((0.0, 0.0, 0.0), (1.0, 1.0, math.inf))
    with pytest.raises(
        ValueError, match=r"fiducial box: x from -695\.0 to 695\.0 cm is not inside"
    ):
        contained(1.0, 0, 0, 1, active=DUNE_FAR_FIDUCIAL, fiducial=DUNE_FAR)
