"""A card as a picture: what it makes of each type of particle, from its closed forms."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold.detector.compile import compile_card
from forefold.detector.formulas import formulas_of_rule
from forefold.detector.load import load_card
from forefold.detector.rule import candidates_of
from forefold.events import particles as species
from forefold.plotting.style import PAGE, style, type_label
from forefold.response.distributions.mixture import invert
from forefold.smearing.closed_form.identification import particle_hypotheses
from forefold.smearing.validation.grid import beam

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from forefold.detector import Card, Rule
    from forefold.smearing.closed_form.identification import Hypothesis

    Array = NDArray[np.float64]

__all__ = ["WIDEST", "card_figure", "checked", "energies_of_card"]

_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "0.45"
_SCAN, _CURVE, _BINS, _NODES = 37, 97, 44, 3
_THETA = 0.5  # rad
_LEVELS = np.array([0.158655, 0.5, 0.841345])
_TITLES = ("Reconstructed / true", "Fraction seen", "Reconstructed [{unit}]", "Angle [°]")
_SMALL_UNIT = 1.0  # GeV: pictures that end below are in MeV
_SPANS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # of the ratio, to both sides of 1
_RARE = (15, -15, 111, 311, -311)  # what "other" is not shown by, if it holds something else
_LEFT, _RIGHT, _BOTTOM, _TOP, _GAP, _UP = 0.42, 0.66, 0.46, 0.62, 0.4, 1.05  # inches
_FAINTEST = 1e-3
_KINDS = 40


@dataclass(frozen=True)
class _Look:
    """What a card makes of one kind of particle; energies are the smeared quantity, in the picture's unit."""

    label: str
    particle: str
    energy: Array
    ratios: Array
    efficiency: Array
    edges: Array
    migration: Array
    angle: Array


def card_figure(
    card: Card | str | Path,
    *,
    title: str | None = None,
    energy: Sequence[float] | None = None,
    particles: Sequence[str | int] | None = None,
) -> Figure:
    """Bias and resolution, efficiency, migration and angle of every type of particle of a card.

    Parameters
    ----------
    card : Card, str or Path
        Card, or its name or file.
    title : str, optional
        The card's name and title by default.
    energy : (float, float), GeV, optional
        Range of the true energy. By default it follows from thresholds, conditions, tables and from where the resolution
        changes; what ends below 1 GeV is shown in MeV.
    particles : sequence of str or int, optional
        One row each; by default one row a type of the card.

    Returns
    -------
    Figure
        A type is shown by the first particle of its first rule that the card smears, at a polar angle of 0.5 rad. Nothing is
        drawn at random: the curves are the card's closed forms, behind its stages.

    Raises
    ------
    ValueError
        A particle is unknown or not smeared by the card, or the range is none.

    Notes
    -----
    Left: median and central 68 % of what is seen. The angle is the width of the polar angle, or of the space angle where the
    card has one.

    Examples
    --------
    >>> import forefold
    >>> figure = card_figure(forefold.load_card("nusmear-default"))
    >>> len(figure.axes)
    33
    """
    from matplotlib.figure import Figure

    card = load_card(card)
    rows_of = _subjects(card, particles)
    low, high = checked(energy) if energy is not None else _range(card, rows_of)
    unit, factor = ("MeV", 1e3) if high < _SMALL_UNIT else ("GeV", 1.0)
    looks = [_look(card, subject, low, high, factor) for subject in rows_of]
    rows = max(len(looks), 1)
    height = _BOTTOM + _TOP + rows * _UP + (rows - 1) * 0.12
    across = (PAGE - _LEFT - _RIGHT - 3 * _GAP) / 4
    with style():
        figure = Figure(figsize=(PAGE, height))
        mesh = None
        for row, look in enumerate(looks):
            y = height - _TOP - _UP - row * (_UP + 0.12)
            boxes = [
                ((_LEFT + k * (across + _GAP)) / PAGE, y / height, across / PAGE, _UP / height)
                for k in range(4)
            ]
            panels = [figure.add_axes(box) for box in boxes]
            mesh = _row(panels, look, unit, last=row == rows - 1, first=row == 0)
        name = f"{card.name}: {card.title}" if title is None else title
        figure.text(_LEFT / PAGE, 1.0 - 0.2 / height, name.replace("$", r"\$"), va="top")
        x = f"True value of the smeared quantity [{unit}]"
        figure.text(1.0 - _RIGHT / PAGE, 0.1 / height, x, ha="right", va="bottom")
        if mesh is not None:
            box = (1.0 - 0.54 / PAGE, _BOTTOM / height, 0.1 / PAGE, 1.0 - (_BOTTOM + _TOP) / height)
            bar = figure.colorbar(mesh, cax=figure.add_axes(box), extend="min")
            bar.set_label("Migration: probability / bin", loc="center")
    return figure


def _row(panels: list[Axes], look: _Look, unit: str, *, first: bool, last: bool) -> Any:
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap, LogNorm
    from matplotlib.ticker import LogLocator, MaxNLocator, MultipleLocator, StrMethodFormatter

    ratio, fraction, migration, angle = panels
    low, middle, high = look.ratios
    ratio.axhline(1.0, color=_GREY, linewidth=0.5, linestyle=(0, (6, 4)))
    ratio.fill_between(look.energy, low, high, color=_BLUE, alpha=0.25, linewidth=0.0)
    ratio.plot(look.energy, middle, color=_BLUE)
    span = _span(look.ratios)
    ratio.set(ylim=(1.0 - span, 1.0 + span))
    ratio.yaxis.set_major_locator(MultipleLocator(span))
    ratio.yaxis.set_minor_locator(MultipleLocator(0.25 * span))
    ratio.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    fraction.plot(look.energy, look.efficiency, color=_BLUE)
    fraction.set(ylim=(0.0, 1.08))
    fraction.yaxis.set_major_locator(MultipleLocator(0.5))
    fraction.yaxis.set_minor_locator(MultipleLocator(0.1))
    colours = ListedColormap(colormaps["viridis_r"](np.linspace(0.06, 1.0, 256)))
    shown = np.where(look.migration >= _FAINTEST, look.migration, np.nan)
    mesh = migration.pcolormesh(
        look.edges, look.edges, shown.T, norm=LogNorm(_FAINTEST, 1.0), cmap=colours, rasterized=True
    )
    ends = [look.edges[0], look.edges[-1]]
    migration.plot(ends, ends, color=_GREY, linewidth=0.5, linestyle=(0, (6, 4)))
    migration.set(yscale="log", ylim=ends)
    migration.yaxis.set_major_locator(LogLocator(numticks=6))
    migration.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    angle.plot(look.energy, look.angle, color=_BLUE)
    widths = look.angle[np.isfinite(look.angle)]
    angle.set_ylim(0.0, 1.25 * max(float(widths.max(initial=0.0)), 0.4))
    angle.yaxis.set_major_locator(MaxNLocator(nbins=3, steps=[1, 2, 5, 10]))
    for panel, text in zip(panels, _TITLES, strict=True):
        panel.set(xscale="log", xlim=ends)
        panel.xaxis.set_major_locator(LogLocator(numticks=6))
        panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        panel.tick_params(labelbottom=last)
        if first:
            panel.set_title(text.format(unit=unit), loc="left")
    words: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "va": "top",
    }
    ratio.annotate(look.label, xy=(0.0, 1.0), xytext=(4.0, -4.0), fontsize="large", **words)
    migration.annotate(
        look.particle, xy=(0.0, 1.0), xytext=(10.0, -4.0), color="0.35", fontsize="x-small", **words
    )
    return mesh


class _Subject(NamedTuple):
    """What a row is about."""

    label: str
    pdg: int
    rest: float
    """What is added to the energy that is shown to give the total one, GeV."""


def _subjects(card: Card, particles: Sequence[str | int] | None) -> list[_Subject]:
    if particles is not None:
        return [_of_particle(card, word) for word in particles]
    subjects = []
    for label in card.types:
        rules = [rule for rule in card.rules if rule.type == label]
        kinds = [pdg for rule in rules for pdg in _some(rule) if not card.left_out(pdg)]
        last = [
            p for p in kinds if any(card.rules[k].type == label for k in card.candidates(p)[-1:])
        ]
        if kinds:
            pdg = next((p for p in last if p not in _RARE), (last or kinds)[0])
            subjects.append(_Subject(type_label(label), pdg, _rest(rules, pdg)))
    return subjects


def _some(rule: Rule) -> Iterator[int]:
    """Particles of a rule, of classes only the commonest: the whole table is long."""
    return islice(candidates_of(rule), _KINDS)


def _of_particle(card: Card, word: str | int) -> _Subject:
    pdg = word if isinstance(word, int) else species.pdgid(word)
    if out := card.left_out(pdg):
        message = f"card {card.name}: {species.name(pdg)} is a {out}, which the card does not smear"
        raise ValueError(message)
    return _Subject(_name(pdg), pdg, _rest([card.rules[k] for k in card.candidates(pdg)], pdg))


def _rest(rules: list[Rule], pdg: int) -> float:
    of = [part.of for rule in rules for part in rule.energy.components()]
    kinetic = "kinetic" in of or (pdg in species.NUCLEONS and "visible" in of)
    return species.mass(pdg) if kinetic else 0.0


def _range(card: Card, subjects: list[_Subject]) -> tuple[float, float]:
    energy = np.geomspace(*WIDEST, _SCAN)
    widths = []
    for subject in subjects:
        _, _, ratios, _ = _curves(card, subject, energy)
        with np.errstate(invalid="ignore", divide="ignore"):
            widths.append((energy, 0.5 * (ratios[2] - ratios[0]) / ratios[1]))
    return energies_of_card(card, widths)


def _span(ratios: Array) -> float:
    """Half of the axis of ratios: a round number that holds the band."""
    finite = ratios[np.isfinite(ratios)]
    most = float(np.abs(finite - 1.0).max(initial=0.0))
    return next((span for span in _SPANS if 1.15 * most <= span), _SPANS[-1]) if most else 0.1


def _curves(card: Card, subject: _Subject, energy: Array) -> tuple[Array, Array, Array, Array]:
    """Energy (NaN below the mass), fraction seen, quantiles of reconstructed over true, width of the angle."""
    mass, rest = species.mass(subject.pdg), subject.rest
    energy = np.where(energy + rest > mass, energy, np.nan)
    true = np.where(np.isnan(energy), mass, energy + rest)
    some = particle_hypotheses(
        *beam(subject.pdg, true, _THETA, 0.3), compile_card(card), on_invalid="lose"
    )
    detected = sum(
        (hypothesis.probability * hypothesis.response.detection_probability for hypothesis in some),
        start=np.zeros(energy.size),
    )
    ratios = (_quantiles(some, detected) - rest) / energy
    return (
        energy,
        np.where(np.isnan(energy), np.nan, detected),
        np.where((detected > _FAINTEST) & (ratios > -10.0), ratios, np.nan),
        np.where(detected > 0.0, _angles(some), np.nan),
    )


def _look(card: Card, subject: _Subject, low: float, high: float, factor: float) -> _Look:
    energy, detected, ratios, angle = _curves(card, subject, np.geomspace(low, high, _CURVE))
    edges = np.geomspace(low, high, _BINS + 1)
    return _Look(
        subject.label,
        _name(subject.pdg),
        factor * energy,
        ratios,
        detected,
        factor * edges,
        _migration(card, subject.pdg, edges, subject.rest),
        angle,
    )


def _name(pdg: int) -> str:
    try:
        return type_label(species.name(pdg))
    except ValueError:
        return str(pdg)


def _quantiles(some: list[Hypothesis], detected: Array) -> Array:
    """Quantiles of the total energy of those that are seen, shape (3, n)."""
    whole = np.where(detected > 0.0, detected, 1.0)

    def cdf(energy: Array) -> Array:
        cumulative = np.zeros(energy.shape)
        for hypothesis in some:
            response = hypothesis.response
            least = np.broadcast_to(response.energy_least, energy.shape)
            inside = response.energy_between(least, np.maximum(np.nextafter(energy, np.inf), least))
            cumulative += hypothesis.probability * response.efficiency * inside
        return cumulative / whole

    shape = (_LEVELS.size, detected.size)
    ends = np.full(shape, -100.0), np.full(shape, 1e4)
    return invert(cdf, np.broadcast_to(_LEVELS[:, None], shape), *ends)


def _migration(card: Card, pdg: int, edges: Array, rest: float) -> Array:
    """Probability of each reconstructed bin, averaged over the true one, shape (bins, bins)."""
    x, w = np.polynomial.legendre.leggauss(_NODES)
    nodes = 0.5 * (edges[1:] + edges[:-1])[:, None] + 0.5 * np.diff(edges)[:, None] * x
    true = nodes.reshape(-1) + rest
    mass = species.mass(pdg)
    some = particle_hypotheses(
        *beam(pdg, np.maximum(true, mass), _THETA, 0.3), compile_card(card), on_invalid="lose"
    )
    shares = np.zeros((_BINS, true.size))
    for hypothesis in some:
        bounds = np.maximum((edges + rest)[:, None], hypothesis.response.energy_least)
        inside = hypothesis.response.energy_between(bounds[:-1], bounds[1:])
        shares += hypothesis.probability * hypothesis.response.efficiency * inside
    shares = np.where(true > mass, shares, 0.0)
    return np.asarray((shares.reshape(_BINS, _BINS, _NODES) @ (0.5 * w)).T)


def _angles(some: list[Hypothesis]) -> Array:
    """Width of the angle, degrees, of the most likely hypothesis."""
    widths = np.zeros(some[0].probability.size)
    best = np.full(widths.size, -1.0)
    for hypothesis in some:
        for rows, direction in hypothesis.response.directions:
            more = hypothesis.probability[rows] > best[rows]
            widths[rows] = np.where(more, np.rad2deg(direction.width()), widths[rows])
            best[rows] = np.where(more, hypothesis.probability[rows], best[rows])
    return widths


WIDEST = (1e-4, 100.0)
"""GeV: where a resolution is looked at to find where it changes."""

_LOW, _HIGH = 0.01, 20.0  # GeV, where nothing says more
_LEAST, _MOST = 1e-6, 1e4
_BESIDE = 3.0
_WORSE, _FALLING, _REACHED = 5.0, 3.0, 1.1  # times the width at the highest energy


def checked(energy: Iterable[float]) -> tuple[float, float]:
    """Give a range of energies that a user asked for.

    Raises
    ------
    ValueError
        Not two numbers above 0, the second one larger.
    """
    limits = tuple(float(value) for value in energy)
    if len(limits) == 2 and 0.0 < limits[0] < limits[1] < math.inf:
        return limits[0], limits[1]
    said = " ".join(f"{value:g}" for value in limits) or "nothing"
    message = f"energy: two energies in GeV above 0, the lower one first, are needed; found {said}"
    raise ValueError(message)


def energies_of_card(card: Card, widths: Iterable[tuple[Array, Array]]) -> tuple[float, float]:
    """Range of energies (GeV) in which something happens.

    Parameters
    ----------
    card : Card
    widths : iterable of (energy, width)
        Of each row of the picture: relative widths at energies of `WIDEST`, NaN where nothing is seen.

    Returns
    -------
    float, float
        Down to a third of the lowest threshold or condition, or to where a resolution is five times that of high energies; up
        to 20 GeV, or to where every resolution has come within 10 % of that of high energies.
    """
    said = [value for rule in card.rules for value in _said(card, rule)]
    falls = [_fall(*row) for row in widths if np.isfinite(row[1]).any()]
    lows = [value / _BESIDE for value in said] + [fall[0] for fall in falls if fall]
    low = max(min([_LOW, *lows]), _LEAST)
    high = _HIGH
    if falls and all(falls):
        reached = max(fall[1] for fall in falls if fall)
        high = min(_HIGH, max([reached, *(value * _BESIDE for value in said)]))
    migrations = [_axis(card, rule) for rule in card.rules]
    if migrations and all(axis is not None for axis in migrations[: max(len(migrations) - 1, 1)]):
        ends = [end for axis in migrations if axis is not None for end in axis]
        low, high = max(min(ends), low), max(ends)
    return low, max(high, _BESIDE * low)


def _said(card: Card, rule: Rule) -> Iterator[float]:
    """Kinetic energies (GeV) of thresholds, conditions and tables of a rule."""
    mass = species.mass(next(iter(candidates_of(rule)), 0))
    blocks = [rule.when, rule.threshold, rule.threshold.reco if rule.threshold else None]
    for block in blocks:
        if block is None:
            continue
        for interval, momentum in ((block.kinetic_energy, False), (block.momentum, True)):
            for value in (interval.low, interval.high) if interval is not None else ():
                kinetic = math.hypot(value, mass) - mass if momentum else value
                if _LEAST < kinetic < _MOST:
                    yield kinetic
    for formula in formulas_of_rule("", rule):
        for table, values in card.tables.items():
            if re.search(rf"\b{table}\(\s*(E|KE|p)\b", formula.text):
                yield from (edge for edge in values.axes[0][1:-1] if _LEAST < edge < _MOST)


def _fall(energy: Array, width: Array) -> tuple[float, float] | None:
    """Where a width leaves five times its last value, and where it comes to it; None if it does not fall to a limit."""
    finite = np.isfinite(width)
    last = width[finite][-1]
    if not last > 0.0 or not width[finite].max() > _FALLING * last:
        return None
    near = np.flatnonzero(finite & (width > _REACHED * last))
    wide = np.flatnonzero(finite & (width > _WORSE * last))
    return float(energy[wide[-1] if wide.size else near[0]]), float(energy[near[-1]])


def _axis(card: Card, rule: Rule) -> tuple[float, float] | None:
    """Give the ends (GeV) of the true axis of a migration matrix, if a rule draws from one only."""
    tables = [part.table for part in rule.energy.components()]
    if not tables or any(name is None for name in tables):
        return None
    axes = [card.tables[str(name)].axes[0] for name in tables]
    inner = [edge for axis in axes for edge in axis if _LEAST < edge < _MOST]
    return (min(inner), max(inner)) if len(inner) > 1 else None
