"""Bins found by the compiled loops are those of boost-histogram, to the last value on an edge."""

from __future__ import annotations

from typing import Any

import hist
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forefold.kernels.histogram import bin_indices, bins_of, joint_sums, sums

EDGES = [0.0, 0.1, 0.25, 1.0, 1.0 + 2.0**-40, 700.0]


def found(axis: Any, values: np.ndarray) -> np.ndarray:
    edges = np.asarray(axis.edges)
    return bin_indices([bins_of(edges, regular=isinstance(axis, hist.axis.Regular))], [values])


@pytest.mark.parametrize(
    "axis",
    [
        hist.axis.Regular(40, 0.0, 8.0),
        hist.axis.Regular(7, -3.0, 11.0),
        hist.axis.Regular(1, 1e-3, 1e3),
        hist.axis.Variable(EDGES),
        hist.axis.Variable(np.geomspace(1e-6, 1e3, 400)),
        hist.axis.Variable(np.linspace(-1.0, 1.0, 33)),
    ],
    ids=repr,
)
def test_bins_are_those_of_boost_histogram(axis: Any) -> None:
    rng = np.random.default_rng(1)
    edges = np.asarray(axis.edges)
    around = np.concatenate([edges, np.nextafter(edges, np.inf), np.nextafter(edges, -np.inf)])
    values = np.concatenate(
        [
            around,
            rng.uniform(edges[0] - 1.0, edges[-1] + 1.0, 10_000),
            np.exp(rng.uniform(-20.0, 8.0, 10_000)),
            [np.inf, -np.inf, 0.0, -0.0, 1e308, -1e308],
        ]
    )
    expected = axis.index(values) + 1
    np.testing.assert_array_equal(found(axis, values), expected)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30, unique=True),
    st.lists(st.floats(allow_nan=False), min_size=1, max_size=30),
)
def test_any_edges(edges: list[float], values: list[float]) -> None:
    axis: Any = hist.axis.Variable(sorted(edges))
    x = np.array([*values, *edges])
    np.testing.assert_array_equal(found(axis, x), axis.index(x) + 1)


def test_several_axes_are_in_c_order_and_nan_is_minus_one() -> None:
    a, b = bins_of([0.0, 1.0, 2.0], regular=True), bins_of([0.0, 1.0], regular=False)
    x = np.array([0.5, 1.5, np.nan, 0.5])
    y = np.array([0.5, -1.0, 0.5, np.nan])
    assert bin_indices([a, b], [x, y]).tolist() == [1 * 3 + 1, 2 * 3 + 0, -1, -1]
    assert bin_indices([b, a], [y, x]).tolist() == [1 * 4 + 1, 0 * 4 + 2, -1, -1]


def test_sums_of_weights_and_squares() -> None:
    weight = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    out = np.zeros((2, 2))
    sums(np.array([0, 1, 1, -1, 0]), weight, out)
    assert out.tolist() == [[17.0, 257.0], [6.0, 20.0]]
    both, alone = np.zeros((2, 2, 2)), np.zeros((2, 2))
    joint_sums(np.array([0, 0, 1, -1, 1]), np.array([0, 1, -1, 1, 1]), weight, both, alone)
    assert both[..., 0].tolist() == [[1.0, 2.0], [0.0, 16.0]]
    assert both[..., 1].tolist() == [[1.0, 4.0], [0.0, 256.0]]
    assert alone.tolist() == [[0.0, 0.0], [8.0, 64.0]]
