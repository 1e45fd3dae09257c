"""Inputs that fit, and those that are refused or noted."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import hist
import numpy as np
import pytest
from spectra import RECO, TRUE, Array, counts, histogram, known, spectrum

import forefold


def test_overflow_is_told() -> None:
    data: hist.Hist[Any] = hist.Hist(RECO)
    data.fill([1.0, 2.0, 11.0, -3.0])
    found = forefold.unfold(data, known(), method="bayes", iterations=1)
    assert "2 events in underflow and overflow of the data are not used" in found.notes
    assert found.smear(known().truth) == pytest.approx(found.smear(known().truth.values()))


def test_axes_in_another_order_and_those_of_the_other_side_are_refused() -> None:
    several = hist.axis.Regular(2, 0, 2, name="x"), hist.axis.Regular(2, 0, 2, name="y")
    both = forefold.ResponseMatrix.from_array(np.eye(4), several, several)
    turned: hist.Hist[Any] = hist.Hist(*several[::-1], data=np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"data has its axes in the order \['y', 'x'\]"):
        forefold.unfold(turned, both, method="inversion")
    with pytest.raises(ValueError, match="data: axis 'x_true', which is true"):
        forefold.unfold(both.truth, both, method="inversion")
    with pytest.raises(ValueError, match="prior: axis 'x_reco', which is reconstructed"):
        forefold.unfold(both.reco, both, method="bayes", iterations=1, prior=both.reco)


def test_a_model_on_other_axes_is_not_smeared() -> None:
    found = forefold.unfold(np.ones(9), known(), method="bayes", iterations=1)
    shifted: hist.Hist[Any] = hist.Hist(hist.axis.Regular(6, 0, 12, name="energy_true"))
    with pytest.raises(ValueError, match=r"truth: axis 0 \('energy_true'\) has edge 1 at 2"):
        found.smear(shifted)
    with pytest.raises(ValueError, match="truth: axis 'energy_reco', which is reconstructed"):
        found.smear(known().reco)


def test_negative_background_is_refused() -> None:
    with pytest.raises(ValueError, match="background: -1 in bin 0"):
        forefold.unfold([1.0], [[1.0]], method="inversion", background=[-1.0])


def test_a_mapping_needs_a_nominal_response() -> None:
    with pytest.raises(ValueError, match="'nominal' is needed, found up"):
        forefold.unfold([1.0], {"up": [[1.0]]}, method="inversion")


def test_several_axes_as_arrays_and_as_axes_without_edges() -> None:
    one, x = spectrum(3, 4)
    other, y = spectrum(4, 5)
    matrix, truth = np.kron(one, other), np.kron(x, y) / 1e4
    regular = hist.axis.Regular
    axes = [
        regular(n, 0, 10, name=f"{q}_{side}")
        for side, q, n in (("true", "x", 3), ("true", "y", 4), ("reco", "x", 4), ("reco", "y", 5))
    ]
    response = forefold.ResponseMatrix.from_array(matrix, axes[:2], axes[2:], entries=truth)
    flat = truth @ matrix
    told: dict[str, Any] = {"method": "bayes", "iterations": 2}
    found = forefold.unfold(flat.reshape(4, 5), response, **told)
    assert found.values == pytest.approx(truth, rel=1e-9)
    assert list(found.histogram.axes.name) == ["x_true", "y_true"]
    found.peek().draw_without_rendering()
    with pytest.raises(ValueError, match=r"data has shape \(5, 4\); \(4, 5\) is needed"):
        forefold.unfold(flat.reshape(5, 4), response, **told)

    class Pairs(list[tuple[float, float]]):
        name = "q"

    class Plain:
        """A UHI histogram that knows nothing more than it must."""

        def __init__(self) -> None:
            ends = (axis.edges for axis in axes[2:])
            self.axes = tuple(Pairs(pairwise(e)) for e in ends)

        def values(self) -> Array:
            return flat.reshape(4, 5)

    assert forefold.unfold(Plain(), response, **told).values == pytest.approx(truth, rel=1e-9)


def test_many_reconstructed_bins_bring_variances_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forefold.unfolding.inputs._MOST", 10)
    matrix, truth = spectrum(6, 9)
    found = forefold.unfold(truth @ matrix, known(), method="inversion")
    assert any("variances only" in note for note in found.notes)


def test_an_exact_matrix_has_no_covariance() -> None:
    matrix, truth = spectrum(6, 9)
    exact = forefold.ResponseMatrix.from_array(matrix, TRUE, RECO)
    assert exact.exact
    found = forefold.unfold(truth @ matrix, exact, method="inversion")
    assert set(found.covariances) == {"data"}


@pytest.mark.parametrize(
    ("data", "matrix", "told", "message"),
    [
        ([1.0, 1.0], np.zeros((2, 2)), {"blind": "drop"}, "response: all is zero"),
        ([1.0, 1.0], np.eye(2), {"method": "tikhonov", "strength": 1.0}, "no true axis has"),
        (
            [1.0, 1.0, 1.0],
            np.eye(3),
            {"method": "tikhonov", "strength": 1.0, "prior": [1.0, 0.0, 1.0]},
            "which is empty in true bin 1",
        ),
        (
            [1.0],
            np.full((4, 1), 0.5),
            {"method": "tikhonov", "strength": 1.0},
            "together have rank 3 of 4",
        ),
        (
            [-1.0, 1.0],
            np.eye(2),
            {"method": "likelihood", "covariance": [1.0, 1.0]},
            "Poisson likelihood needs counts",
        ),
    ],
)
def test_other_methods_say_what_they_cannot_do(
    data: Any, matrix: Any, told: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        forefold.unfold(data, matrix, **{"method": "inversion", **told})


def test_axes_of_another_name_are_noted() -> None:
    response = known()
    data = counts(*spectrum(6, 9))
    name = response.reco_axes[0].name
    own = forefold.unfold(histogram(data), response, method="inversion")
    assert not any("another name" in note for note in own.notes)
    made: hist.Hist[Any] = hist.Hist(hist.axis.Variable(response.reco_axes[0].edges, name="q2"))
    made.view()[...] = data
    found = forefold.unfold(made, response, method="inversion", background=made * 0.0)
    said = f"axis 'q2' is taken for '{name}' of the matrix: same bins, another name"
    assert [note for note in found.notes if "another name" in note] == [
        f"data: {said}",
        f"background: {said}",
    ]


def test_no_degrees_of_freedom_are_none() -> None:
    matrix, truth = spectrum(8, 8)
    for method in ("inversion", "likelihood"):
        found = forefold.unfold(truth @ matrix, matrix, method=method)
        assert found.ndf == 0.0
        assert "/0\n" in repr(found)
    more = forefold.unfold(
        spectrum(6, 9)[1] @ spectrum(6, 9)[0], spectrum(6, 9)[0], method="inversion"
    )
    assert more.ndf == pytest.approx(3.0)


@pytest.mark.parametrize("factor", [-3.0, math.inf, math.nan])
def test_a_factor_of_fakes_is_named_as_such(factor: float) -> None:
    data = counts(*spectrum(6, 9))
    with pytest.raises(ValueError, match="fakes: a finite factor of 0 or more is needed, found"):
        forefold.unfold(histogram(data), known(), method="inversion", fakes=factor)
