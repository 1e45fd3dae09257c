"""The page: sections of cards, how to read them, where they come from."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from forefold import plotting as plot
from forefold.matrix import provenance
from forefold.workflows.report.html import page_head, whole_page
from forefold.workflows.report.html_tables import (
    card_table,
    fates_table,
    figure_html,
    pairs_table,
    summary_table,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from forefold.workflows.report.section import Section

__all__ = ["report_html", "write_report"]

_DPI = 160
_SHARED = {"version": "forefold", "rng": "rng", "axis": "axis of the polar angle"}
_READING = """\
A matrix shows the true quantity across and the reconstructed one up; the dashed line is where both are equal, \
white bins are empty, and the colour is logarithmic. What is beyond the axes counts in the numbers but is not \
drawn.
The energy of an event is the sum over its particles that are neither neutrino nor nucleus: kinetic energy of \
protons and neutrons, total energy of all others. What is not detected counts zero. By type, an event enters \
once for each type that it holds.
Counts are of particles and not weighted; the matrices carry the weights of the events. Bias and width are mean \
and standard deviation of (reconstructed − true) / true energy of the detected particles, of the energy that the \
card smears; median and half-width of the central 68 % are of the same, from bins of 0.2 %. The angle's width is \
that of drawn − true polar angle, before it is folded back to 0° to 180°."""


def write_report(
    path: str | os.PathLike[str],
    sections: Sequence[Section],
    *,
    title: str = "What the detector sees",
    sample: str = "",
    inputs: Sequence[str] = (),
    notes: Mapping[str, object] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a report as one HTML file that needs no other.

    Parameters
    ----------
    path : path
        Written aside and then renamed, so never half a file.
    sections : sequence of Section
        One a card, in the order in which they are shown.
    title : str
        Heading of the page.
    sample : str
        What the events are, in a line.
    inputs : sequence of str
        Names of the files that the events come from.
    notes : mapping, optional
        More to say under provenance.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    ValueError
        If there is no section, or one without events.
    FileExistsError
        If the file exists and `overwrite` is False.
    OSError
        If it cannot be written.
    """
    from forefold.io.write import write_text_aside

    text = report_html(sections, title=title, sample=sample, inputs=inputs, notes=notes)
    write_text_aside(path, text, overwrite=overwrite)


def report_html(
    sections: Sequence[Section],
    *,
    title: str = "What the detector sees",
    sample: str = "",
    inputs: Sequence[str] = (),
    notes: Mapping[str, object] | None = None,
) -> str:
    """Return the report as text; parameters as `write_report`.

    Parameters
    ----------
    sections : sequence of Section
    title, sample : str
    inputs : sequence of str
    notes : mapping, optional

    Returns
    -------
    str
        The same for the same content: it holds no date and no machine.

    Raises
    ------
    ValueError
        If there is no section, or one without events.
    """
    if not sections:
        message = "a report needs at least one section"
        raise ValueError(message)
    parts = [
        _head(sections, title, sample),
        _overview(sections, sample),
        *(_card(section, sample) for section in sections),
        _reading(),
        _origin(sections, inputs, notes or {}),
    ]
    return whole_page(title, parts)


def _head(sections: Sequence[Section], title: str, sample: str) -> str:
    first = sections[0].summary
    selection = " charged-current" if first.cc_only else ""
    counts = f"{first.events:,}{selection} events with {first.total().particles:,} particles"
    lead = f"{sample}. {counts}." if sample else f"{counts}."
    links = [(section.card.name, section.card.title) for section in sections]
    links += [("reading", "How to read this"), ("provenance", "Provenance")]
    return page_head(title, lead, links)


def _overview(sections: Sequence[Section], sample: str) -> str:
    names = ", ".join(section.card.name for section in sections)
    titles = [section.card.title for section in sections]
    figure = plot.energy_matrix_figure(
        [section.energy for section in sections], titles=titles, sample=sample
    )
    caption = "Event energy, true against reconstructed, all particles (paper: Fig. 5)."
    alt = f"Matrix of true against reconstructed event energy in GeV for {names}"
    return _figure(figure, caption, alt)


def _card(section: Section, sample: str) -> str:
    card = section.card
    name, title = escape(card.name), escape(card.title)
    shown: dict[str, Any] = {"title": card.title, "sample": sample}
    energy = _figure(
        plot.energy_by_type_figure(section.energy_by_type, **shown),
        "Event energy by particle type, true against reconstructed (paper: Figs. 6 and 7).",
        f"Matrices of true against reconstructed energy in GeV by particle type for {card.name}",
    )
    angle = _figure(
        plot.angle_by_type_figure(section.angle_by_type, **shown),
        "Polar angle by particle type, true against reconstructed, detected particles (paper: Figs. 8 to 11).",
        f"Matrices of true against reconstructed polar angle in degrees by particle type for {card.name}",
    )
    resolution = _figure(
        plot.resolution_figure(section.resolution, **shown),
        "Reconstructed over true energy of detected particles against true energy: the line is the median, "
        "the band the central 68 %.",
        f"Median and central 68 % of reconstructed over true energy by particle type for {card.name}",
    )
    sources = "".join(
        f"<li>{escape(key)}: {escape(text)}</li>" for key, text in card.sources.items()
    )
    left_out = ", ".join(card.not_smeared) or "nothing"
    return (
        f'<section id="{name}"><h2>{title}</h2>\n'
        f"<p>{escape(card.description.strip())}</p>\n"
        f"<h3>What became of the particles</h3>\n{summary_table(section.summary)}\n"
        f"{energy}\n{angle}\n{resolution}\n"
        f"<h3>The card <code>{name}</code></h3>\n{card_table(card)}\n"
        f'<p class="note">The first matching line holds. E in GeV; ⊕: sum in quadrature. '
        f'Not smeared: {escape(left_out)}.</p>\n<ul class="note">{sources}</ul></section>'
    )


def _reading() -> str:
    text = "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in _READING.splitlines())
    log_normal = figure_html(
        plot.log_normal_figure(),
        "Energies are drawn from a log-normal, which is never negative and keeps the mean; a Gaussian cut "
        "at zero does not (paper: Fig. 2).",
        "Densities of a log-normal and of a truncated Gaussian of the same mean and resolution",
        format="svg",
        dpi=_DPI,
    )
    angle = figure_html(
        plot.angle_figure(),
        "Polar angles are drawn from a Gaussian (paper: Fig. 4).",
        "Densities of Gaussians of the polar angle with 5 and 2 degrees",
        format="svg",
        dpi=_DPI,
    )
    return (
        f'<section id="reading"><h2>How to read this</h2>\n{text}\n'
        f'<div class="pair">{log_normal}\n{angle}</div>\n'
        f"<h3>Fates</h3>\n<p>Every particle has exactly one outcome, so the outcomes add up to the particles "
        f"that came in; the last three are set beside it.</p>\n{fates_table()}</section>"
    )


def _origin(sections: Sequence[Section], inputs: Sequence[str], notes: Mapping[str, object]) -> str:
    pairs: dict[str, object] = {}
    for section in sections:
        facts = provenance(section.energy)
        pairs |= {name: facts[key] for key, name in _SHARED.items() if key in facts}
    for section in sections:
        digest = provenance(section.energy).get("card_sha256", "unknown")
        pairs[f"card {section.card.name}"] = f"SHA-256 {digest}"
    pairs |= {f"input {number}": name for number, name in enumerate(inputs, start=1)}
    pairs |= notes
    return (
        f'<section id="provenance"><h2>Provenance</h2>\n{pairs_table(pairs)}\n'
        "<p>The models are those of I. Vohra, <cite>NuSmear: Fast Simulation of Energy Smearing and Angular "
        "Smearing for Neutrino-Nucleon Scattering Events in the GENIE Event Generator</cite>, "
        '<a href="https://arxiv.org/abs/2209.05260">arXiv:2209.05260</a>; please cite it when you use '
        "them.</p></section>"
    )


def _figure(figure: Figure, caption: str, alt: str) -> str:
    return figure_html(figure, caption, alt, format="png", dpi=_DPI)
