"""Responses of one step: lost particles, sources of efficiency, tables, what they say of themselves."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import hist
import numpy as np
import pytest

from forefold.response import Identity, Response, Smear, registered
from forefold.response import distributions as families


def test_lost_is_nan() -> None:
    detector = Smear(families.Normal(), 0.1, efficiency=lambda true: np.where(true > 1.0, 0.5, 0.0))
    u = np.array([[0.49, 0.51, 0.0], [0.5, 0.5, 0.5]])
    assert detector.sample([2.0, 2.0, 0.5], u).tolist() == pytest.approx(
        [2.0, math.nan, math.nan], nan_ok=True
    )
    assert detector.efficiency([2.0, 0.5, math.nan]).tolist() == [0.5, 0.0, 0.0]


def test_nothing_is_seen_where_the_family_has_no_value() -> None:
    detector = Smear(families.LogNormal(), 0.1)
    assert detector.efficiency([-1.0, 0.0, 1.0]).tolist() == [0.0, 0.0, 1.0]
    assert np.isnan(detector.sample([-1.0], [[0.5], [0.5]])).all()


def test_no_efficiency_above_one() -> None:
    with pytest.raises(ValueError, match="efficiency from 1"):
        Smear(families.Normal(), 0.1, efficiency=1.5).efficiency(1.0)


def test_shape_of_uniforms() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\) is needed"):
        Smear(families.Normal(), 0.1).sample(np.ones(3), np.ones(3))


def test_location_and_laws() -> None:
    def shifted(true: Any) -> Any:
        return 0.9 * true

    detector = Smear(families.Normal(), lambda true: 0.1 * true, location=shifted)
    assert detector.cdf(1.8, 2.0) == pytest.approx(0.5, abs=1e-15)
    assert detector.ppf(0.5, 2.0) == pytest.approx(1.8, rel=1e-15)
    assert "about shifted(true)" in str(detector)
    with pytest.raises(dataclasses.FrozenInstanceError):
        detector.sigma = 1.0  # type: ignore[misc]


def test_mixture_takes_three_uniforms() -> None:
    family = families.Mixture((families.Normal(), families.Identity()), (0.5, 0.5))
    detector = Smear(family, 0.1, efficiency=0.9)
    assert detector.n_uniforms == 3
    assert detector.sample([1.0], [[0.1], [0.9], [0.01]]).tolist() == [1.0]


def test_a_matrix_comes_back_from_its_table() -> None:
    detector = registered()["log-normal"]
    true, reco = np.linspace(0.5, 3.0, 6), np.linspace(0.0, 6.0, 31)
    matrix = detector.matrix(true, reco)
    again = Smear.from_histogram(matrix)
    # the bins of the table are those asked for: nothing is lost but the overflow
    assert np.allclose(again.matrix(true, reco).values(), matrix.values(), atol=1e-14)
    assert again.efficiency([0.4, 3.0]).tolist() == [0.0, 0.0]


def test_a_table_must_be_a_response() -> None:
    axis = hist.axis.Regular(1, 0, 1)
    one: hist.Hist[Any] = hist.Hist(axis)
    two: hist.Hist[Any] = hist.Hist(axis, axis)
    two.values()[...] = 2.0
    with pytest.raises(ValueError, match="one axis"):
        Smear.from_histogram(one)
    with pytest.raises(ValueError, match="sums to 2"):
        Smear.from_histogram(two)


def test_identity() -> None:
    response = Identity()
    assert response.sample([1.0, 2.0], np.empty((0, 2))).tolist() == [1.0, 2.0]
    assert response.cdf([0.9, 1.0], 1.0).tolist() == [0.0, 1.0]
    assert response.pdf([0.9, 1.0], 1.0).tolist() == [0.0, math.inf]
    assert response.between(0.5, 1.0, [0.5, 1.0]).tolist() == [1.0, 0.0]
    assert "true value" in str(response)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda: 3, "gives a int, not a Response"),
        (Smear(families.Normal(), 0.1), None),
        (lambda: Smear(families.Normal(), 0.1), None),
    ],
)
def test_plug_ins(monkeypatch: pytest.MonkeyPatch, given: Any, message: str | None) -> None:
    class Point:
        name = "mine"

        def load(self) -> Any:
            return given

    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [Point()] if group else [])
    if message is None:
        assert isinstance(registered()["mine"], Response)
        Point.name = "normal"
        message = "the name is taken"
    with pytest.raises(ValueError, match=message):
        registered()
