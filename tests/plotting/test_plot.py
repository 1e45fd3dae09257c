"""Figures: what they show, that they say it, and that they leave no trace."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, cast

import hist
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

import forefold
from forefold import plotting as plot
from forefold.detector.load import load_card
from forefold.matrix import angle_matrix, energy_matrix, from_json, resolution_matrix, to_json
from forefold.plotting.style import type_html, type_label

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import awkward as ak
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh

CARD = load_card("nusmear-dune-cdr")
Matrix = Any


@pytest.fixture(scope="module")
def smeared(gst_file: Path) -> ak.Array:
    return forefold.smear(forefold.read(gst_file), CARD, rng=1)


@pytest.fixture(scope="module")
def energy(smeared: ak.Array) -> Matrix:
    return energy_matrix(smeared)


@pytest.fixture(scope="module")
def energy_by_type(smeared: ak.Array) -> Matrix:
    return energy_matrix(smeared, CARD)


@pytest.fixture(scope="module")
def angle_by_type(smeared: ak.Array) -> Matrix:
    return angle_matrix(smeared, CARD)


def mesh(axes: Axes) -> QuadMesh:
    return cast("QuadMesh", axes.collections[0])


def texts(figure: Figure) -> list[str]:
    """Everything written outside and inside the axes, tick labels aside."""
    words = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        words += [axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")]
        words += [text.get_text() for text in axes.texts]
    return words


def readable(figure: Figure) -> bool:
    """Whether every text lies on the figure, and none on another."""
    canvas: Any = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()
    figure.draw(renderer)
    found = [*figure.texts]
    for axes in figure.axes:
        found += [axes.xaxis.label, axes.yaxis.label, *axes.texts]
        (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
        found += [t for t in axes.get_xticklabels() if left <= t.get_position()[0] <= right]
        found += [t for t in axes.get_yticklabels() if low <= t.get_position()[1] <= high]
    boxes = [t.get_window_extent(renderer) for t in found if t.get_text() and t.get_visible()]
    page = figure.bbox.padded(1.0)
    on_page = all(page.contains(b.x0, b.y0) and page.contains(b.x1, b.y1) for b in boxes)
    return on_page and not any(a.padded(-1.0).overlaps(b) for a, b in combinations(boxes, 2))


def test_energy_matrix_draws_true_across_and_reconstructed_up(energy: Matrix) -> None:
    figure = plot.energy_matrix_figure(energy, sample="GENIE")
    axes, bar = figure.axes
    drawn = mesh(axes).get_array()
    assert isinstance(drawn, np.ma.MaskedArray)
    expected = energy.values().T
    assert np.array_equal(drawn.filled(0.0).reshape(100, 100), expected)
    assert np.array_equal(np.ma.getmaskarray(drawn).reshape(100, 100), expected == 0.0)
    assert axes.get_xlabel() == "True energy [GeV]"
    assert axes.get_ylabel() == "Reconstructed energy [GeV]"
    assert axes.get_title(loc="left") == "nusmear-dune-cdr, GENIE"
    assert bar.get_ylabel() == "Events / bin"
    assert (axes.get_xlim(), axes.get_ylim()) == ((0.0, 7.0), (0.0, 7.0))
    diagonal: Any = axes.lines[0].get_xydata()
    assert diagonal.tolist() == [[0.0, 0.0], [7.0, 7.0]]


def test_colours_are_logarithmic_or_linear(energy: Matrix) -> None:
    norm = mesh(plot.energy_matrix_figure(energy).axes[0]).norm
    assert isinstance(norm, LogNorm)
    assert (norm.vmin, norm.vmax) == (1.0, energy.values().max())
    linear = mesh(plot.energy_matrix_figure(energy, log=False).axes[0]).norm
    assert not isinstance(linear, LogNorm)
    assert (linear.vmin, linear.vmax) == (0.0, energy.values().max())


def test_two_models_stand_side_by_side_on_one_scale(energy: Matrix) -> None:
    figure = plot.energy_matrix_figure([energy, 3.0 * energy], titles=["one", "two"])
    first, second, _ = figure.axes
    assert mesh(first).norm is mesh(second).norm
    assert mesh(first).norm.vmax == 3.0 * energy.values().max()
    assert {"one", "two", "300 events", "sum of weights 900"} <= set(texts(figure))
    assert readable(figure)


@pytest.mark.parametrize("which", ["energy_by_type", "angle_by_type"])
def test_figures_by_type_have_a_panel_for_each(which: str, request: pytest.FixtureRequest) -> None:
    matrix = request.getfixturevalue(which)
    make: Callable[..., Figure] = getattr(plot, f"{which}_figure")
    figure = make(matrix, sample="GENIE")
    *panels, bar = figure.axes
    assert len(panels) == len(CARD.types)
    for index, (panel, label) in enumerate(zip(panels, CARD.types, strict=True)):
        drawn: Any = mesh(panel).get_array()
        assert np.array_equal(
            drawn.filled(0.0).reshape(100, 100), matrix[{"type": index}].values().T
        )
        assert panel.texts[0].get_text() == type_label(label)
        assert mesh(panel).norm is mesh(panels[0]).norm
    said = texts(figure)
    assert matrix.axes[1].label in said
    assert matrix.axes[2].label in said
    assert "nusmear-dune-cdr, GENIE" in said
    assert bar.get_ylabel() in {"Events / bin", "Particles / bin"}
    assert readable(figure)


def test_angles_of_all_types_together(angle_by_type: Matrix) -> None:
    figure = plot.angle_matrix_figure(angle_by_type)
    summed = angle_by_type.project("theta_true", "theta_reco")
    drawn: Any = mesh(figure.axes[0]).get_array()
    assert np.array_equal(drawn.filled(0.0).reshape(100, 100), summed.values().T)
    assert figure.axes[0].get_title(loc="left") == "nusmear-dune-cdr"
    assert figure.axes[0].get_xlabel() == "True angle [°]"
    assert plot.angle_matrix_figure(summed, titles=["all"]).axes[0].get_title(loc="left") == "all"


def test_charged_current_selection_is_said(smeared: ak.Array) -> None:
    figure = plot.energy_by_type_figure(energy_matrix(smeared, CARD, cc_only=True), title="model")
    assert "model, CC events" in texts(figure)


def test_long_and_odd_titles_stay_on_the_figure(energy: Matrix) -> None:
    figure = plot.energy_matrix_figure(energy, titles=["a $card$"], sample="x" * 200)
    title = figure.axes[0].get_title(loc="left")
    assert title.startswith("a \\$card\\$\nxxx")
    assert "…" in title
    assert max(map(len, title.split("\n"))) <= 50


def test_what_is_selected_has_a_line_of_its_own(energy: Matrix) -> None:
    select = "n_mu_reco == 1 and p_mu_reco > 0.1"
    drawn = from_json(to_json(energy, {"select": select}))
    figure = plot.energy_matrix_figure(drawn, titles=["card"], sample="a_sample.root")
    assert figure.axes[0].get_title(loc="left") == f"card, a_sample.root\nselected: {select}"


def test_empty_matrices_are_drawn(smeared: ak.Array) -> None:
    none = smeared[:0]
    for log in (True, False):
        figure = plot.energy_matrix_figure(energy_matrix(none), log=log)
        assert plot.figure_bytes(figure, dpi=30)
    figure = plot.resolution_figure(resolution_matrix(none, CARD))
    assert sum("too few" in text for text in texts(figure)) == len(CARD.types)


def test_a_colour_bar_of_tiny_weights_keeps_powers_of_ten(energy: Matrix) -> None:
    figure = plot.energy_matrix_figure(energy * 1e-12)
    assert mesh(figure.axes[0]).norm.vmin == pytest.approx(1e-12)
    assert plot.figure_bytes(figure, dpi=30)


def test_axes_of_the_caller_are_drawn_on_in_their_style(energy: Matrix) -> None:
    figure = Figure()
    axes = figure.subplots()
    size = axes.xaxis.label.get_fontsize()
    assert plot.energy_matrix_figure(energy, ax=axes) is figure
    assert len(figure.axes) == 2
    assert axes.xaxis.label.get_fontsize() == size
    other = Figure().subplots()
    assert plot.log_normal_figure(ax=other) is other.figure
    assert (
        plot.angle_figure(ax=Figure().subplots()).axes[0].get_ylabel()
        == "Probability density [1/°]"
    )


def test_histograms_that_do_not_fit_are_refused(
    energy: Matrix, energy_by_type: Matrix, angle_by_type: Matrix
) -> None:
    with pytest.raises(ValueError, match="take the figure by type"):
        plot.energy_matrix_figure(energy_by_type)
    with pytest.raises(ValueError, match="axes theta_true, theta_reco are needed"):
        plot.angle_matrix_figure(energy)
    with pytest.raises(ValueError, match="axes type, energy_true, energy_reco are needed"):
        plot.energy_by_type_figure(angle_by_type)
    with pytest.raises(ValueError, match="axes type, energy_true, energy_ratio are needed"):
        plot.resolution_figure(energy)
    with pytest.raises(ValueError, match="do not fit"):
        plot.energy_matrix_figure([energy, energy], ax=Figure().subplots())
    with pytest.raises(ValueError, match="do not fit"):
        plot.energy_matrix_figure([energy], titles=["a", "b"])
    with pytest.raises(ValueError, match="do not fit"):
        plot.energy_matrix_figure([])
    plain: Matrix = hist.Hist(*energy.axes, storage=hist.storage.Double())
    with pytest.raises(ValueError, match="storage Weight is needed, the histogram has Double"):
        plot.energy_matrix_figure(plain)


def test_log_normal_figure_compares_two_normalised_curves() -> None:
    axes = plot.log_normal_figure(2.0, 0.3).axes[0]
    for line in axes.lines[:2]:
        x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        assert np.trapezoid(y, x) == pytest.approx(1.0, abs=5e-3)
    assert axes.get_title(loc="left") == "True energy 2 GeV, resolution 30 %"
    x, y = (np.asarray(v) for v in (axes.lines[1].get_xdata(), axes.lines[1].get_ydata()))
    label = str(axes.lines[1].get_label())
    assert float(label.split()[-2]) == pytest.approx(np.trapezoid(x * y, x), abs=2e-3)


def test_angle_figure_has_the_peak_of_each_gaussian() -> None:
    axes = plot.angle_figure((5.0, 2.0, 1.0)).axes[0]
    peaks = [float(np.max(np.asarray(line.get_ydata()))) for line in axes.lines]
    assert peaks == pytest.approx([1 / (s * np.sqrt(2 * np.pi)) for s in (5.0, 2.0, 1.0)])


def test_resolution_figure_shows_median_and_band() -> None:
    n, p = 4000, np.sqrt(4.0 - 0.1056583755**2)
    toy = forefold.events.build(pdgid=13, px=0.0, py=0.0, pz=[p] * n, energy=2.0)
    matrix = resolution_matrix(forefold.smear(toy, CARD, rng=1, axis="z"), CARD)
    figure = plot.resolution_figure(matrix)
    panel = figure.axes[CARD.types.index("mu+-")]
    band, median = (patch.get_data() for patch in panel.patches)  # type: ignore[attr-defined]
    at = int(np.searchsorted(band.edges, 2.0)) - 1
    # log-normal of mean 1 and width 15 %: the median is 1/sqrt(1 + v), the band a factor of exp(s) around
    middle, s = 1 / np.sqrt(1 + 0.15**2), np.sqrt(np.log1p(0.15**2))
    assert median.values[at] == pytest.approx(middle, abs=0.01)
    assert band.values[at] == pytest.approx(middle * np.exp(s), abs=0.015)
    assert band.baseline[at] == pytest.approx(middle * np.exp(-s), abs=0.015)
    assert np.isnan(median.values[at + 1])
    assert readable(figure)


def test_figures_leave_no_style_and_no_figure_behind(energy: Matrix) -> None:
    before = dict(mpl.rcParams)
    plot.figure_bytes(plot.energy_matrix_figure(energy), dpi=30)
    assert dict(mpl.rcParams) == before
    import matplotlib.pyplot as plt

    assert plt.get_fignums() == []


@pytest.mark.parametrize("ending", plot.FORMATS)
def test_the_same_figure_gives_the_same_file(ending: str, energy: Matrix, tmp_path: Path) -> None:
    one, two = (tmp_path / f"{name}.{ending}" for name in "ab")
    plot.save(plot.energy_matrix_figure(energy), one, dpi=50)
    plot.save(plot.energy_matrix_figure(energy), two, dpi=50)
    content = one.read_bytes()
    assert content == two.read_bytes()
    assert content.startswith({"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[ending])
    assert b"CreationDate" not in content
    assert b"dc:date" not in content


def test_save_keeps_an_existing_file_and_unknown_endings_out(tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    figure = plot.angle_figure()
    plot.save(figure, path)
    with pytest.raises(FileExistsError):
        plot.save(figure, path)
    plot.save(figure, path, overwrite=True)
    with pytest.raises(ValueError, match=r"the name of a figure ends in \.png, \.pdf, \.svg"):
        plot.save(figure, tmp_path / "figure.bmp")
    with pytest.raises(ValueError, match="not as 'jpg'"):
        plot.figure_bytes(figure, "jpg")
    assert [p.name for p in tmp_path.iterdir()] == ["figure.svg"]


@pytest.mark.parametrize(
    ("name", "label", "text"),
    [
        ("pi+-", r"$\pi^{\pm}$", "π±"),
        ("e+- gamma", r"$e^{\pm}$, $\gamma$", "e±, γ"),
        ("K0", "$K^{0}$", "K0"),
        ("heavy $stuff$", r"heavy \$stuff\$", "heavy $stuff$"),
    ],
)
def test_particle_types_are_printed_as_physicists_do(name: str, label: str, text: str) -> None:
    assert type_label(name) == label
    assert type_html(name) == text
    assert "type_label" not in dir(plot)
