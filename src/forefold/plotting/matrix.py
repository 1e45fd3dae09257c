"""Matrices of true against reconstructed quantities as pictures, and what a histogram says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

import hist
import numpy as np

from forefold.events.observables.catalogue import OBSERVABLES, parted
from forefold.matrix import provenance
from forefold.plotting.style import (
    COLUMN,
    PAGE,
    Frame,
    drawn,
    framed,
    outer_labels,
    panel_columns,
    style,
    tag,
    type_label,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.collections import QuadMesh
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from forefold.matrix import ResponseMatrix

    Array = NDArray[np.float64]
    Matrix: TypeAlias = hist.Hist[Any]
    Matrices: TypeAlias = Matrix | Sequence[Matrix]

__all__ = [
    "Matrices",
    "Matrix",
    "angle_by_type_figure",
    "angle_matrix_figure",
    "as_list",
    "by_type",
    "card_name",
    "check_axes",
    "count",
    "draw_stack",
    "energy_by_type_figure",
    "energy_matrix_figure",
    "flat_edges",
    "flat_label",
    "heading",
    "response_matrix_figure",
    "selected_figure",
    "stacked_parts",
    "unit",
]

_WEIGHTS = "sum of weights"


def as_list(matrices: Matrices) -> list[Matrix]:
    """Return one or several histograms as a list."""
    return [matrices] if isinstance(matrices, hist.Hist) else list(matrices)


def by_type(matrix: Matrix) -> dict[str, Matrix]:
    """Return a histogram for each particle type, in order."""
    labels = [str(label) for label in matrix.axes["type"]]
    return {label: cast("Matrix", matrix[{"type": index}]) for index, label in enumerate(labels)}


def check_axes(matrix: Matrix, *names: str) -> None:
    """Raise ValueError unless the histogram has exactly these axes and keeps variances."""
    axis_names = tuple(matrix.axes.name)
    if axis_names != names:
        hint = (
            "; by type, take the figure by type"
            if "type" in axis_names and "type" not in names
            else ""
        )
        message = (
            f"axes {', '.join(names)} are needed, the histogram has {', '.join(axis_names)}{hint}"
        )
        raise ValueError(message)
    if matrix.storage_type is not hist.storage.Weight:
        message = f"storage Weight is needed, the histogram has {matrix.storage_type.__name__}"
        raise ValueError(message)


def card_name(matrix: Matrix) -> str:
    """Name of the card that the events were smeared with; empty if the histogram does not say."""
    return str(provenance(matrix).get("card", ""))


def unit(matrix: Matrix) -> str:
    """Say what a bin counts: events, particles, or the sum of their weights if they have any."""
    content: Any = matrix.view(flow=True)
    plain = np.array_equal(content.value, content.variance)
    return str(matrix.label or "entries") if plain else _WEIGHTS


def count(matrix: Matrix) -> str:
    """How much is in a histogram, with what lies beyond its axes."""
    total: Any = matrix.sum(flow=True)
    weighted = unit(matrix) == _WEIGHTS
    return f"{_WEIGHTS} {total.value:,.4g}" if weighted else f"{total.value:,.0f} {unit(matrix)}"


def heading(matrix: Matrix, name: str, sample: str, *, wide: bool = True) -> str:
    """Title of a figure: the card, the sample, the selection; two lines where one is too short."""
    limit = 105 if wide else 50
    origin = provenance(matrix)
    selection = "CC events" if origin.get("cc_only") else ""
    selected = f"selected: {origin['select']}" if "select" in origin else ""
    words = [word for word in (name, sample, selection, selected) if word]
    first = next(n for n in (len(words), 2, 1) if len(", ".join(words[:n])) <= limit or n == 1)
    lines = [", ".join(words[:first]), ", ".join(words[first:])]
    return "\n".join(_shortened(text, limit).replace("$", r"\$") for text in lines if text)


def _shortened(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2 - 1]}…{text[len(text) - limit // 2 :]}"


_STRAIGHT = 180.0


def energy_matrix_figure(
    matrices: Matrices,
    *,
    titles: Sequence[str] | None = None,
    sample: str = "",
    log: bool = True,
    ax: Axes | None = None,
) -> Figure:
    """Event energy, true against reconstructed; two matrices stand side by side on one colour scale.

    Parameters
    ----------
    matrices : Hist or sequence of Hist
        From `forefold.matrix.energy_matrix` without a split by type.
    titles : sequence of str, optional
        One for each matrix; the name of its card by default.
    sample : str
        What the events are, said above the figure.
    log : bool
        Logarithmic colour scale.
    ax : Axes, optional
        Draw a single matrix there, in the style that it has.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a histogram is not such a matrix, or `ax` is given with several.

    References
    ----------
    I. Vohra, arXiv:2209.05260, Fig. 5.
    """
    return _side_by_side("energy", matrices, titles, sample, log, ax)


def angle_matrix_figure(
    matrices: Matrices,
    *,
    titles: Sequence[str] | None = None,
    sample: str = "",
    log: bool = True,
    ax: Axes | None = None,
) -> Figure:
    """Polar angle of all particles, true against reconstructed; parameters as `energy_matrix_figure`.

    A matrix by type is drawn as the sum over its types.

    Parameters
    ----------
    matrices : Hist or sequence of Hist
        From `forefold.matrix.angle_matrix`.
    titles : sequence of str, optional
    sample : str
    log : bool
    ax : Axes, optional

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a histogram is not such a matrix, or `ax` is given with several.
    """
    several = as_list(matrices)
    summed = [
        m.project("theta_true", "theta_reco") if "type" in m.axes.name else m for m in several
    ]
    names = titles if titles is not None else [card_name(m) for m in several]
    return _side_by_side("theta", summed, names, sample, log, ax)


def energy_by_type_figure(
    matrix: Matrix, *, title: str | None = None, sample: str = "", log: bool = True
) -> Figure:
    """Event energy by particle type, one panel a type, on one colour scale.

    Parameters
    ----------
    matrix : Hist
        From `forefold.matrix.energy_matrix` with a card.
    title : str, optional
        The name of the card by default.
    sample : str
        What the events are, said above the figure.
    log : bool
        Logarithmic colour scale.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the histogram is not such a matrix.

    References
    ----------
    I. Vohra, arXiv:2209.05260, Figs. 6-7.
    """
    return _by_type("energy", matrix, title, sample, log)


def angle_by_type_figure(
    matrix: Matrix, *, title: str | None = None, sample: str = "", log: bool = True
) -> Figure:
    """Polar angle by particle type, one panel a type, on one colour scale.

    Parameters
    ----------
    matrix : Hist
        From `forefold.matrix.angle_matrix` with a card.
    title : str, optional
        The name of the card by default.
    sample : str
        What the events are, said above the figure.
    log : bool
        Logarithmic colour scale.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the histogram is not such a matrix.

    References
    ----------
    I. Vohra, arXiv:2209.05260, Figs. 8-11.
    """
    return _by_type("theta", matrix, title, sample, log)


def _side_by_side(
    quantity: str,
    matrices: Matrices,
    titles: Sequence[str] | None,
    sample: str,
    log: bool,
    ax: Axes | None,
) -> Figure:
    several = as_list(matrices)
    for matrix in several:
        check_axes(matrix, f"{quantity}_true", f"{quantity}_reco")
    names = list(titles) if titles is not None else [card_name(matrix) for matrix in several]
    if not several or len(names) != len(several) or (ax is not None and len(several) > 1):
        message = (
            f"{len(several)} matrices and {len(names)} titles do not fit; ax= takes one matrix"
        )
        raise ValueError(message)
    norm = _norm(several, log)
    if len(several) == 1:
        with drawn(ax) as frame:
            mesh = _panel(frame.panels[0], several[0], norm, fine=True)
            frame.panels[0].set_title(heading(several[0], names[0], sample, wide=False), loc="left")
            _axis_labels(frame.panels[0], several[0])
            _colour_bar(frame, mesh, several[0])
        return frame.figure
    with style():
        frame = framed(len(several), min(len(several), 3), PAGE)
        for panel, matrix, name in zip(frame.panels, several, names, strict=True):
            mesh = _panel(panel, matrix, norm, fine=True)
            tag(panel, name.replace("$", r"\$"), count(matrix))
        true, reco = several[0].axes
        outer_labels(frame, heading(several[0], "", sample), true.label, reco.label)
        _colour_bar(frame, mesh, several[0])
    return frame.figure


def _by_type(quantity: str, matrix: Matrix, title: str | None, sample: str, log: bool) -> Figure:
    check_axes(matrix, "type", f"{quantity}_true", f"{quantity}_reco")
    parts = by_type(matrix)
    norm = _norm([matrix], log)
    with style():
        frame = framed(len(parts), panel_columns(len(parts)), PAGE)
        for panel, (label, part) in zip(frame.panels, parts.items(), strict=True):
            mesh = _panel(panel, part, norm, fine=False)
            tag(panel, type_label(label), count(part))
        name = card_name(matrix) if title is None else title
        true, reco = matrix.axes[1].label, matrix.axes[2].label
        outer_labels(frame, heading(matrix, name, sample), true, reco)
        _colour_bar(frame, mesh, matrix)
    return frame.figure


def _panel(axes: Axes, matrix: Matrix, norm: Normalize, *, fine: bool) -> QuadMesh:
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    x, y = matrix.axes[0].edges, matrix.axes[1].edges
    # From light to dark, so that few events stay close to the white of none, but not as pale as to vanish in print.
    colours = ListedColormap(colormaps["viridis_r"](np.linspace(0.06, 1.0, 256)))
    # A mesh of 10,000 bins is pixels also in pdf and svg: smaller, and without hairlines between the bins.
    mesh = axes.pcolormesh(x, y, _filled(matrix).T, norm=norm, cmap=colours, rasterized=True)
    low, high = max(x[0], y[0]), min(x[-1], y[-1])
    axes.plot([low, high], [low, high], color="0.45", linewidth=0.5, linestyle=(0, (6, 4)))
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    for axis, edges in ((axes.xaxis, x), (axes.yaxis, y)):
        _ticks(axis, float(edges[-1] - edges[0]), fine)
    return mesh


def _ticks(axis: Axis, span: float, fine: bool) -> None:
    from matplotlib.ticker import AutoMinorLocator, MaxNLocator, MultipleLocator

    # Ticks are most of the time that a figure takes, so small panels have few.
    if span == _STRAIGHT:
        axis.set_major_locator(MultipleLocator(30.0 if fine else 60.0))
        axis.set_minor_locator(MultipleLocator(10.0 if fine else 30.0))
    else:
        axis.set_major_locator(MaxNLocator(nbins=8 if fine else 4, steps=[1, 2, 5, 10]))
        axis.set_minor_locator(AutoMinorLocator(5 if fine else 2))


def _axis_labels(axes: Axes, matrix: Matrix) -> None:
    axes.set(xlabel=matrix.axes[0].label, ylabel=matrix.axes[1].label)


def _filled(matrix: Matrix) -> NDArray[np.float64]:
    """Contents with nan where nothing was filled, which is drawn white."""
    view: Any = matrix.view()
    return np.where(view.variance > 0.0, view.value, np.nan)


def _norm(matrices: Sequence[Matrix], log: bool) -> Normalize:
    from matplotlib.colors import LogNorm, Normalize

    values = np.concatenate([_filled(matrix).ravel() for matrix in matrices])
    values = values[values > 0.0] if log else values[~np.isnan(values)]
    if not len(values):
        return Normalize(0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if log:
        return LogNorm(low, max(high, 2.0 * low))
    return Normalize(min(low, 0.0), max(high, 0.0))


def _colour_bar(frame: Frame, mesh: QuadMesh, matrix: Matrix) -> None:
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    place: dict[str, Any] = {"ax": frame.panels} if frame.bar is None else {"cax": frame.bar}
    bar = frame.figure.colorbar(mesh, **place)
    bar.set_label(f"{unit(matrix).capitalize()} / bin", loc="center")
    low, high = mesh.get_clim()
    if isinstance(mesh.norm, LogNorm) and low >= 0.01 and high < 10_000.0:
        bar.locator = LogLocator(subs=(1.0, 2.0, 5.0) if high < 1000.0 * low else (1.0,))
        bar.formatter = StrMethodFormatter("{x:g}")
        bar.minorformatter = NullFormatter()
        bar.update_ticks()


_LEFT, _RIGHT, _BOTTOM, _TOP, _GAP, _STRIP = 0.52, 0.72, 0.46, 0.12, 0.12, 0.62  # inches
_BAR_GAP, _BAR_WIDTH = 0.1, 0.12
_BETWEEN, _END = 0.62, 0.12
_SIGNAL, _FAKES = "#0072b2", "0.65"
_COLOURS = ("#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")


def response_matrix_figure(matrix: ResponseMatrix, *, ax: Axes | None = None) -> Figure:
    """Draw a response matrix, with strips of efficiency, and of purity where both sides have the same bins.

    Of a selection, or with named backgrounds, a stack of what is reconstructed stands beside it, with the share of the signal above.

    Parameters
    ----------
    matrix : ResponseMatrix
        One with several axes is drawn by number of the bin.
    ax : Axes, optional
        Draw the matrix alone there, in the style that it has.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import forefold
    >>> response = forefold.card_response("nusmear-dune-cdr", "mu-")
    >>> matrix = forefold.ResponseMatrix.from_response(response, "kinetic_energy=0:4:20")
    >>> len(response_matrix_figure(matrix).axes)
    4
    """
    if ax is not None:
        _response_panel(ax, matrix)
        return ax.figure.figure
    with style():
        from matplotlib.figure import Figure

        strips = _strips(matrix)
        side = COLUMN - _LEFT - _RIGHT
        height = _BOTTOM + side + len(strips) * (_STRIP + _GAP) + _TOP
        parted = "select" in matrix.provenance or bool(matrix.backgrounds)
        width = PAGE if parted else COLUMN
        figure = Figure(figsize=(width, height))

        def box(bottom: float, tall: float, left: float = _LEFT, wide: float = side) -> Any:
            return (left / width, bottom / height, wide / width, tall / height)

        main = figure.add_axes(box(_BOTTOM, side))
        mesh = _response_panel(main, matrix)
        bar = figure.add_axes(box(_BOTTOM, side, COLUMN - _RIGHT + _BAR_GAP, _BAR_WIDTH))
        figure.colorbar(mesh, cax=bar, label="Probability")
        edges = flat_edges(matrix.true_axes)
        for k, (name, values) in enumerate(strips.items()):
            bottom = _BOTTOM + side + _GAP + k * (_STRIP + _GAP)
            _strip(figure.add_axes(box(bottom, _STRIP), sharex=main), name, values, edges)
        if parted:
            left, wide = COLUMN + _BETWEEN, PAGE - COLUMN - _BETWEEN - _END
            panel = figure.add_axes(box(_BOTTOM, side, left, wide))
            selected_figure(matrix, ax=panel)
            above = figure.add_axes(box(_BOTTOM + side + _GAP, _STRIP, left, wide), sharex=panel)
            fraction, bins = matrix.signal_fraction, flat_edges(matrix.reco_axes)
            _strip(above, "Signal share", fraction, bins)
        return figure


def selected_figure(matrix: ResponseMatrix, *, ax: Axes | None = None) -> Figure:
    """Draw what is reconstructed as a stack: the signal, the backgrounds that have names, and fakes.

    Parameters
    ----------
    matrix : ResponseMatrix
        One with several axes is drawn by number of the bin.
    ax : Axes, optional
        Draw there, in the style that it has.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import forefold
    >>> events = forefold.read("events.gst.root")
    >>> matrix = forefold.ResponseMatrix.from_events(
    ...     events, "nusmear-dune-cdr", true="visible_energy=0:6:6", rng=1, signal="cc", background={"nc": "nc"}
    ... )
    >>> [text.get_text() for text in selected_figure(matrix).axes[0].get_legend().get_texts()]
    ['fakes', 'nc', 'signal']
    """
    with drawn(ax, aspect=0.8, bar=False) as frame:
        panel = frame.panels[0]
        edges = flat_edges(matrix.reco_axes)
        outside = np.asarray(matrix.not_signal.values(), dtype=np.float64).reshape(-1)
        total = np.asarray(matrix.reco.values(), dtype=np.float64).reshape(-1)
        parts = {"signal": total - outside, **stacked_parts(matrix.backgrounds, matrix.fakes)}
        draw_stack(panel, parts, edges)
        weighted = not np.array_equal(total, np.asarray(matrix.reco.variances()).reshape(-1))
        panel.set(xlabel=flat_label(matrix.reco_axes), xlim=(edges[0], edges[-1]))
        panel.set(ylabel="Sum of weights / bin" if weighted else "Events / bin")
        panel.set_ylim(bottom=0.0)
        panel.legend(reverse=True)  # in the order in which they lie
    return frame.figure


def stacked_parts(backgrounds: Mapping[str, Any], fakes: Any) -> dict[str, Array]:
    """Give contents by name: of backgrounds, and of fakes, if there are any."""
    parts = {name: _flat(contents) for name, contents in {**backgrounds, "fakes": fakes}.items()}
    return {name: contents for name, contents in parts.items() if name != "fakes" or contents.any()}


def draw_stack(panel: Axes, parts: Mapping[str, Array], edges: Array) -> None:
    """Draw filled steps one on the other, the first at the bottom."""
    below = np.zeros(len(edges) - 1)
    colours = iter(_COLOURS * (1 + len(parts) // len(_COLOURS)))
    for name, part in parts.items():
        colour = _SIGNAL if name == "signal" else _FAKES if name == "fakes" else next(colours)
        panel.stairs(
            below + part, edges, baseline=below, fill=True, color=colour, label=name, linewidth=0.0
        )
        below = below + part
    if parts:
        panel.stairs(below, edges, color="black", linewidth=0.7)


def _flat(values: Any) -> Array:
    """Give the contents of a histogram, or numbers, flat."""
    contents = values.values() if hasattr(values, "axes") else values
    return np.asarray(contents, dtype=np.float64).reshape(-1)


def _strip(panel: Axes, name: str, values: Array, edges: Array) -> None:
    panel.stairs(values, edges, baseline=None)
    panel.set(ylim=(0.0, 1.05), ylabel=name)
    panel.tick_params(labelbottom=False)


def _strips(matrix: ResponseMatrix) -> dict[str, NDArray[np.float64]]:
    if matrix.signed:
        return {}
    empty = matrix.empty_rows
    strips = {"Efficiency": np.where(empty, np.nan, matrix.efficiency)}
    try:
        strips["Purity"] = matrix.purity
    except ValueError:  # other bins on the other side: there is none
        return strips
    return strips


def flat_edges(axes: tuple[Any, ...]) -> NDArray[np.float64]:
    """Give the edges of one axis; numbers of bins of several."""
    if len(axes) == 1:
        return np.asarray(axes[0].edges, dtype=np.float64)
    n = int(np.prod([len(axis) for axis in axes]))
    return np.arange(n + 1, dtype=np.float64) - 0.5


def flat_label(axes: tuple[Any, ...]) -> str:
    """Give the label of one axis; of several their symbols, as names are longer than a panel is wide."""
    if len(axes) == 1:
        return str(axes[0].label)
    names, sides = zip(*(parted(axis.name) for axis in axes), strict=True)
    symbols = [f"${OBSERVABLES[name].symbol}$" if name in OBSERVABLES else name for name in names]
    said = {"true": "True bin", "reco": "Reconstructed bin"}
    what = said.get(str(sides[0]), "Bin") if len(set(sides)) == 1 else "Bin"
    return f"{what} of ({', '.join(symbols)})"


def _response_panel(ax: Axes, matrix: ResponseMatrix) -> Any:
    shown = np.ma.masked_equal(matrix.matrix, 0.0)
    x, y = flat_edges(matrix.true_axes), flat_edges(matrix.reco_axes)
    mesh = ax.pcolormesh(x, y, shown.T, vmin=0.0, rasterized=True)
    ax.set(xlabel=flat_label(matrix.true_axes), ylabel=flat_label(matrix.reco_axes))
    ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    return mesh
