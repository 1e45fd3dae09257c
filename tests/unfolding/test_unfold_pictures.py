"""What a picture of an unfolded spectrum shows is what its axis says."""

from __future__ import annotations

from dataclasses import replace

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


ENERGY = {"visible_energy": [0.0, 0.5, 1.5, 3.5]}
SEEN = {"visible_energy": [0.0, 1.0, 2.0, 4.0]}


def _labels(panel: matplotlib.axes.Axes) -> tuple[str, str]:
    return panel.get_xlabel(), panel.get_ylabel()


def test_pictures_have_the_physical_axes() -> None:
    response = forefold.ResponseMatrix.from_array(np.eye(3), ENERGY, SEEN)
    found = forefold.unfold([40.0, 20.0, 10.0], response, method="inversion")
    for result in (found, forefold.unfolding.Unfolded.from_json(found.to_json())):
        spectrum, smearing, correlation, refolded, *bars = result.peek().axes
        true, unfolded = "True visible energy [GeV]", "Unfolded visible energy [GeV]"
        assert _labels(spectrum) == (true, "Events / GeV")
        assert _labels(smearing) == (true, unfolded)
        assert _labels(correlation) == (unfolded, unfolded)
        assert _labels(refolded) == ("Reconstructed visible energy [GeV]", "Events / GeV")
        assert [bar.get_ylabel() for bar in bars] == ["$A_C$", "Correlation"]
        for panel, edge in ((spectrum, 3.5), (smearing, 3.5), (correlation, 3.5), (refolded, 4.0)):
            assert panel.get_xlim() == (0.0, edge)
        (points,) = refolded.get_lines()
        assert np.asarray(points.get_xdata()) == pytest.approx([0.5, 1.5, 3.0])
        assert np.asarray(points.get_ydata()) == pytest.approx([40.0, 20.0, 5.0])


def test_several_axes_are_numbers_of_bins() -> None:
    axes = {"q2": [0.0, 1.0, 4.0], "w": [0.0, 1.0, 2.0]}
    response = forefold.ResponseMatrix.from_array(np.eye(4), axes, axes)
    found = forefold.unfold([40.0, 20.0, 10.0, 5.0], response, method="inversion")
    _, smearing, _, refolded, *_ = found.peek().axes
    assert _labels(smearing) == ("True bin", "Unfolded bin")
    assert _labels(refolded) == ("Reconstructed bin", "Events / bin")
    assert smearing.get_xlim() == (-0.5, 3.5)


def test_closure_has_the_physical_axis() -> None:
    response = forefold.ResponseMatrix.from_array(np.eye(3), ENERGY, SEEN)
    methods = {"inverse": {"method": "inversion"}}
    found = forefold.closure([40.0, 20.0, 10.0], response, methods, toys=3, rng=1)
    panel = found.peek().axes[2]
    assert panel.get_xlabel() == "True visible energy [GeV]"
    assert np.asarray(panel.get_lines()[0].get_xdata()) == pytest.approx([0.25, 1.0, 2.5])
    assert replace(found, axes=()).peek().axes[2].get_xlabel() == "True bin"


def _spectrum(counts: list[float], truth: list[float] | None = None) -> matplotlib.axes.Axes:
    response = forefold.ResponseMatrix.from_array(np.eye(3), ENERGY, SEEN)
    panel = matplotlib.figure.Figure().subplots()
    forefold.unfold(counts, response, method="inversion").peek(truth=truth, ax=panel)
    return panel


def test_contents_begin_at_zero() -> None:
    panel = _spectrum([900.0, 1000.0, 1600.0])
    assert panel.get_ylim()[0] == 0.0
    before = panel.get_ylim()[1]
    panel.plot([0.0, 3.5], [1.0, 2.0 * before])  # what is drawn beside is seen, too
    assert panel.get_ylim()[1] > 2.0 * before
    # an error that reaches below zero is not cut: 1 +- 1.5, of a bin of 2 GeV
    response = forefold.ResponseMatrix.from_array(np.eye(3), ENERGY, SEEN)
    low = forefold.unfold([40.0, 20.0, 2.0], response, method="inversion", covariance=[40, 20, 9])
    figure = low.peek()
    assert figure.axes[0].get_ylim()[0] < -0.25
    refolded = figure.axes[3]
    assert refolded.get_ylim()[0] == 0.0


def test_a_model_is_seen_where_its_smearing_does_nothing() -> None:
    panel = _spectrum([900.0, 1000.0, 1600.0], [900.0, 1000.0, 1600.0])
    model, smeared = panel.patches
    assert [model.get_label(), smeared.get_label()] == ["Model", "$A_C$ model"]
    assert model.get_zorder() > smeared.get_zorder()
    assert model.get_linewidth() < smeared.get_linewidth()
    assert model.get_edgecolor() != smeared.get_edgecolor()
