"""Figures that are written quickly look as matplotlib alone would have drawn them, and stay as they were."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from forefold.plotting.style import figure_bytes, style


def _figure(left_edge: float = 0.03) -> Figure:
    with style():
        figure = Figure(figsize=(4.0, 3.0), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot([left_edge, 4.0, 9.7], [1.0, 40.0, 3.0])
        left.set(xscale="log", xlabel="Energy [GeV]", ylabel="Events")
        mesh = right.pcolormesh(np.arange(12.0).reshape(3, 4))
        right.tick_params(labelleft=False)
        figure.colorbar(mesh, ax=right, label="Probability")
    return figure


def _pixels(figure: Figure) -> np.ndarray:
    return np.asarray(imread(io.BytesIO(figure_bytes(figure, "png", dpi=120))))


@pytest.mark.parametrize("left", [0.03, 3.0])  # minor ticks of less than a decade have texts
def test_pixels_are_those_of_matplotlib(left: float) -> None:
    plain = io.BytesIO()
    figure = _figure(left)
    with style():
        figure.savefig(plain, format="png", dpi=120)
    plain.seek(0)
    np.testing.assert_allclose(_pixels(_figure(left)), imread(plain), atol=2.0 / 255.0)


def test_minor_ticks_are_marks_of_one_line_a_side() -> None:
    text = figure_bytes(_figure(), "svg").decode()
    bare = _figure()
    for panel in bare.axes:
        panel.minorticks_off()
    assert text.count("<use") > figure_bytes(bare, "svg").decode().count("<use") + 40


@pytest.mark.parametrize("format", ["png", "svg", "pdf"])
def test_a_figure_stays_as_it_was(format: str) -> None:
    figure = _figure()
    engine, dpi = figure.get_layout_engine(), figure.dpi
    locators = [axis.get_minor_locator() for p in figure.axes for axis in (p.xaxis, p.yaxis)]
    artists = [len(panel.get_children()) for panel in figure.axes]
    figure_bytes(figure, format)
    assert (figure.get_layout_engine(), figure.dpi) == (engine, dpi)
    after = [axis.get_minor_locator() for p in figure.axes for axis in (p.xaxis, p.yaxis)]
    assert all(a is b for a, b in zip(after, locators, strict=True))
    assert [len(panel.get_children()) for panel in figure.axes] == artists
    figure.set_layout_engine(None)  # a layout moves on a little from where it was, matplotlib's too
    assert figure_bytes(figure, format) == figure_bytes(figure, format)
