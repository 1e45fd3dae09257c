"""What a picture of an unfolded spectrum shows is what its axis says."""

from __future__ import annotations

import matplotlib.figure
import numpy as np
import pytest

import forefold


@pytest.mark.parametrize(
    ("edges", "label", "shown"),
    [
        ([0.0, 0.5, 1.0, 1.5], "Events / bin", [40.0, 20.0, 10.0]),
        ([0.0, 0.5, 1.5, 3.5], "Events / unit", [80.0, 20.0, 5.0]),
    ],
)
def test_contents_are_in_the_unit_of_the_axis(
    edges: list[float], label: str, shown: list[float]
) -> None:
    response = forefold.ResponseMatrix.from_array(np.eye(3), edges, edges)
    found = forefold.unfold([40.0, 20.0, 10.0], response, method="inversion")
    axes = matplotlib.figure.Figure().subplots()
    found.peek(ax=axes)
    assert axes.get_ylabel() == label
    assert np.asarray(axes.get_lines()[0].get_ydata()) == pytest.approx(np.array(shown))
