"""The page of a full chain: what to distrust first, then every step with its numbers and pictures."""

from __future__ import annotations

import math
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold import plotting as plot
from forefold._about import __version__
from forefold.detector.load import fingerprint
from forefold.plotting.unfolding import strength_figure
from forefold.unfolding.methods import METHODS
from forefold.workflows.citations import bibtex
from forefold.workflows.report.html import page_head, whole_page
from forefold.workflows.report.html_tables import (
    card_table,
    fates_table,
    figure_html,
    pairs_table,
    summary_table,
)
from forefold.workflows.report.page_tables import (
    composition_table,
    diagnostics_table,
    inspection_tables,
    rows_table,
    spectrum_table,
)
from forefold.workflows.report.warnings import doubts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from forefold.matrix.compare import Compatibility
    from forefold.workflows.pipeline import Chain

__all__ = ["chain_html"]

_DPI = 150
_PARTED = " On the right what is reconstructed: signal, backgrounds by name and fakes, and the share of the signal."
_DATA = {
    "toy": "No data were given: what is unfolded is one toy, Poisson counts of what the sample predicts. Prior and truth are the same, so "
    "that a bias by the prior is seen only in the closure.",
    "spectrum": "The data are a spectrum that was given.",
    "events": "The data are the reconstructed events of the other generator; its truth is known, and shown.",
}
_SECTIONS = {
    "summary": "Summary",
    "events": "Events",
    "card": "Detector",
    "fates": "Particles",
    "resolution": "Resolution",
    "matrix": "Response matrix",
    "other": "Other generator",
    "folded": "Folded",
    "unfolded": "Unfolded",
    "closure": "Closure",
    "strength": "Strength",
    "citations": "Citations",
    "provenance": "Provenance",
}


def chain_html(chain: Chain, *, command: str = "") -> str:
    """Return the report of a full chain, one page that needs no other file.

    Parameters
    ----------
    chain : Chain
        From `forefold.workflows.pipeline.run_chain`.
    command : str
        What was typed, for the provenance.

    Returns
    -------
    str
        The same for the same content: it holds no date and no machine.
    """
    makers = {
        "summary": _summary,
        "events": _events,
        "card": _card,
        "fates": _fates,
        "resolution": _resolution,
        "matrix": _matrix,
        "other": _other,
        "folded": _folded,
        "unfolded": _unfolded,
        "closure": _closure,
        "strength": _strength,
        "citations": _citations,
    }
    bodies = {name: make(chain) for name, make in makers.items()}
    bodies["provenance"] = _provenance(chain, command)
    shown = {name: body for name, body in bodies.items() if body}
    sample = chain.sample
    title = f"{chain.recipe.card.title}: {_names(sample.names)}"
    lead = (
        f"{sample.inspection.events:,} events with {sample.summary.total().particles:,} particles through the card "
        f"{chain.recipe.card.name}, to the matrix of {_axes(chain)}, and back."
    )
    links = [(name, _SECTIONS[name]) for name in shown]
    parts = [
        f'<section id="{name}"><h2>{escape(_SECTIONS[name])}</h2>\n{body}</section>'
        for name, body in shown.items()
    ]
    return whole_page(title, [page_head(title, lead, links), *parts])


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(Path(name).name for name in names[:2])
    return shown + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _axes(chain: Chain) -> str:
    matrix = chain.sample.matrix
    true, reco = (
        ", ".join(axis.name.removesuffix(f"_{side}").replace("_", " ") for axis in axes)
        for side, axes in (("true", matrix.true_axes), ("reco", matrix.reco_axes))
    )
    return true if true == reco else f"true {true} and reconstructed {reco}"


def _text(*paragraphs: str) -> str:
    return "\n".join(f"<p>{escape(text)}</p>" for text in paragraphs if text)


def _sentence(text: str) -> str:
    """Begin with a capital letter, and leave the others."""
    return text[:1].upper() + text[1:]


def _picture(figure: Figure, caption: str, alt: str, *, narrow: bool = False) -> str:
    picture = figure_html(figure, caption, alt, format="png", dpi=_DPI)
    return f'<div class="narrow">{picture}</div>' if narrow else picture


def _summary(chain: Chain) -> str:
    cautions = doubts(chain)
    if cautions:
        items = "".join(f"<li>{escape(text)}</li>" for text in cautions)
        said = f'<h3>What to distrust</h3>\n<ul class="doubts">{items}</ul>'
    else:
        said = _text("None of the checks on this page speaks against the numbers.")
    total, matrix, result = chain.sample.summary.total(), chain.sample.matrix, chain.unfolded
    smeared = total.particles - total.not_smeared
    lines = [
        f"Of {smeared:,} particles that the detector could see, {total.detected:,} are detected "
        f"({100.0 * total.efficiency:.1f} %)."
        if smeared
        else "The detector can see none of the particles.",
        (
            f"The response matrix has {matrix.matrix.shape[0]} true and {matrix.matrix.shape[1]} reconstructed bins; its condition "
            f"number is {matrix.condition_number:.3g}."
        ),
    ]
    if result is not None:
        p = "" if result.p_value != result.p_value else f", p = {result.p_value:.2g}"
        lines.append(
            f"Unfolded by {METHODS[result.method]} ({_strength_words(chain)}); refolded, chi2/ndf = {result.chi2:.3g}/{result.ndf:.3g}{p}."
        )
    return f"{said}\n<h3>In short</h3>\n{_text(*lines, _DATA[chain.kind])}"


def _strength_words(chain: Chain) -> str:
    result = chain.unfolded
    assert result is not None
    if result.strength != result.strength:
        return "no strength to choose"
    kind = "iterations" if result.method == "bayes" else "strength"
    return f"{kind} {result.strength:.4g}, {result.chosen}"


def _events(chain: Chain) -> str:
    cut = chain.recipe.where
    kept = _text(f"Only events of which this is true: {cut}.") if cut is not None else ""
    return kept + inspection_tables(chain.sample.inspection)


def _card(chain: Chain) -> str:
    card = chain.recipe.card
    left_out = ", ".join(card.not_smeared) or "nothing"
    sources = "".join(f"<li>{escape(k)}: {escape(v)}</li>" for k, v in card.sources.items())
    figure = _picture(
        card.peek(),
        "What the card says, in closed form: median and central 68 % of what is reconstructed, efficiency, migration and "
        "angle against true energy, a row a type.",
        f"Bias, resolution, efficiency, migration and angle of the card {card.name}",
    )
    return (
        f"{_text(card.description.strip())}\n{card_table(card)}\n"
        f'<p class="note">The first matching line holds. E in GeV; ⊕: sum in quadrature. Not smeared: {escape(left_out)}.</p>\n'
        f'<ul class="note">{sources}</ul>\n{figure}'
    )


def _fates(chain: Chain) -> str:
    note = (
        "Bias and width are mean and standard deviation of (reconstructed − true) / true energy of the detected particles, of the energy that "
        "the card smears; median and half-width of the central 68 % are of the same. Counts are of particles and not weighted."
    )
    return (
        f'{summary_table(chain.sample.summary)}\n<p class="note">{escape(note)}</p>\n'
        f"<details><summary>What the fates mean</summary>\n{fates_table()}</details>"
    )


def _resolution(chain: Chain) -> str:
    return _picture(
        plot.resolution_figure(chain.sample.resolution),
        "Reconstructed over true energy of detected particles against true energy, from these events: the line is the median, the band "
        "the central 68 %; 1 is no bias.",
        f"Median and central 68 % of reconstructed over true energy by particle type for {chain.recipe.card.name}",
    )


def _selected(chain: Chain) -> str:
    """Say what was selected, and what it is."""
    matrix = chain.sample.matrix
    if not _parted(chain):
        return ""
    select = chain.recipe.select
    said = (
        "All that is reconstructed."
        if select is None
        else f"Selected is, of what is reconstructed: {select}. Other events are missed."
    )
    return f"{_text(said)}\n{composition_table(matrix)}\n"


def _parted(chain: Chain) -> bool:
    return chain.recipe.select is not None or bool(chain.sample.matrix.backgrounds)


def _matrix(chain: Chain) -> str:
    matrix = chain.sample.matrix
    parts = " and a stack of what is reconstructed" if _parted(chain) else ""
    figure = _picture(
        matrix.peek(),
        "R[true, reco]: the probability to be reconstructed in a bin, of what is true in a bin; above, the efficiency of each true bin "
        "and, where both sides have the same bins, the purity." + (_PARTED if parts else ""),
        f"Response matrix of {_axes(chain)} with strips of efficiency and purity{parts}",
        narrow=not parts,
    )
    return (
        f"{_selected(chain)}{figure}\n<h3>Diagnostics</h3>\n{diagnostics_table(chain.sample)}\n"
        f"<details><summary>Row by row</summary>\n{rows_table(chain.sample)}</details>"
    )


def _other(chain: Chain) -> str:
    if chain.other is None or chain.compatible is None:
        return ""
    comparison = chain.compatible
    lines = [
        f"{chain.other.inspection.events:,} events of {_names(chain.other.names)}, through the same card.",
        _compared(comparison),
    ]
    figure = _picture(
        chain.other.matrix.peek(),
        "Response matrix of the other generator.",
        "Response matrix of the other generator with strips of efficiency and purity",
        narrow=True,
    )
    return (
        f"{_text(*lines)}\n{figure}\n<details><summary>Row by row</summary>\n"
        f"{rows_table(chain.other, comparison)}</details>\n{inspection_tables(chain.other.inspection)}"
    )


def _compared(found: Compatibility) -> str:
    rows = f"{int((found.ndf > 0).sum())} of {len(found.ndf)} rows"
    if not found.ndf.any():
        return "No row of the matrices has enough events in both to be compared."
    return (
        f"Are both matrices of one response? chi2/ndf = {found.total:.1f}/{int(found.ndf.sum())}, p = {found.p_value:.3g}, "
        f"over {rows}. The true spectra do not enter, on which a matrix should not depend."
    )


def _folded(chain: Chain) -> str:
    scaled = (
        ""
        if math.isclose(chain.scale, 1.0)
        else f" Prediction and truth are scaled by {chain.scale:.4g} to the data."
    )
    figure = plot.folded_figure(
        chain.prediction,
        truth=chain.sample.matrix.truth,
        data=chain.data,
        scale=chain.scale,
    )
    caption = (
        "What is reconstructed of the truth of the sample, with fakes and backgrounds: the band is the statistics of the matrix, whose correlations are on the right."
        + scaled
    )
    return _picture(figure, caption, f"Folded spectrum of {_axes(chain)} and its correlations")


def _unfolded(chain: Chain) -> str:
    result = chain.unfolded
    if result is None:
        return _text(f"Not unfolded: {chain.failures['unfolding']}.")
    model: Any = None
    if chain.other is not None:
        model = chain.other.matrix.truth.values()
    elif chain.kind == "toy":
        model = chain.scale * np.asarray(chain.sample.matrix.truth.values())
    figure = _picture(
        result.peek(truth=model),
        "Unfolded spectrum; A_C, the smearing that the regularisation leaves; correlations of the result; and how the strength was chosen, or "
        "the refolded data. A regularised result is to be compared with a model times A_C, not with the model.",
        "Unfolded spectrum, A_C, correlations and refolded data",
    )
    notes = "".join(f"<li>{escape(text)}</li>" for text in result.notes)
    covariances = ", ".join(result.covariances)
    lead = (
        f"{_sentence(METHODS[result.method])}; {_strength_words(chain)}; prior: {result.prior}; {result.freedom:.3g} of {len(result.values)} effective degrees of "
        f"freedom. Covariance: {covariances}."
    )
    return f'{_text(lead)}\n{figure}\n<ul class="note">{notes}</ul>\n{spectrum_table(chain, model)}'


def _closure(chain: Chain) -> str:
    closure = chain.closure
    if closure is None:
        why = chain.failures.get("closure")
        return _text(f"Not done: {why}.") if why else ""
    figure = _picture(
        closure.peek(),
        "Toys, unfolded one by one with the same strength: bias over error, width of pulls, and how often the intervals "
        "hold the truth, and the truth with A_C. Dashed: as it should be; the band is the statistics of the toys.",
        "Bias, width of pulls and coverage in true bins",
    )
    text = (
        f"{closure.toys} toys of the truth of the {'sample' if chain.other is None else 'other generator'}, with as many events as the data, fakes and "
        "backgrounds among them; the matrix is taken as exactly known. A regularised result covers the truth with A_C, not the truth. "
    ) + (
        "Where the prior is the truth of the toys, there is no bias by construction: look at the flat prior beside."
        if chain.other is None and len(closure.studies) > 1
        else ""
    )
    return f"{_text(text)}\n{figure}"


def _strength(chain: Chain) -> str:
    scan, result = chain.scan, chain.unfolded
    if scan is None or result is None:
        return ""
    fixed = not isinstance(
        getattr(chain.how, "iterations" if result.method == "bayes" else "strength"), str
    )
    figure = _picture(
        strength_figure(scan, result.strength, "given" if fixed else scan.rule),
        f"What the rule {scan.rule} looks at, and the strength that was taken.",
        f"Choice of the strength by {scan.rule}",
        narrow=True,
    )
    text = (
        f"The strength was given; the rule {scan.rule} is drawn to compare."
        if fixed
        else f"The rule {scan.rule} chose: {result.chosen}."
    )
    return f"{_text(text)}\n{figure}"


def _citations(chain: Chain) -> str:
    items = []
    for key, why in chain.used.reasons.items():
        entry = chain.used.entries[key]
        link = (
            f' <a href="{escape(entry.link)}">{escape(entry.identifier)}</a>' if entry.link else ""
        )
        words = "" if entry.words == entry.identifier else escape(entry.words)
        items.append(f'<li>{words}{link} <span class="note">({escape("; ".join(why))})</span></li>')
    remarks = "".join(f"<li>{escape(text)}</li>" for text in chain.used.remarks)
    beside = f'<h3>Without a paper</h3>\n<ul class="note">{remarks}</ul>' if remarks else ""
    return (
        f"{_text('Please cite what was used.')}\n<ul>{''.join(items)}</ul>\n{beside}\n"
        f"<details><summary>BibTeX</summary>\n<pre>{escape(bibtex(chain.used))}</pre></details>"
    )


def _provenance(chain: Chain, command: str) -> str:
    recipe = chain.recipe
    pairs: dict[str, object] = {
        "forefold": __version__,
        "card": f"{recipe.card.name}, SHA-256 {fingerprint(recipe.card)[1]}",
        "rng": recipe.rng,
        "axis of angles": recipe.axis,
    }
    if recipe.where is not None:
        pairs["selection"] = recipe.where
    recorded = chain.sample.matrix.provenance
    named = {f"background_{name}": f"background {name}" for name in chain.sample.matrix.backgrounds}
    words = {"signal": "signal", "select": "selected", **named}
    pairs |= {what: recorded[key] for key, what in words.items() if key in recorded}
    for who, sample in (("input", chain.sample), ("other generator", chain.other)):
        for number, origin in enumerate(sample.origins["inputs"] if sample else (), start=1):
            digest = f", SHA-256 {origin['sha256']}" if "sha256" in origin else ""
            pairs[f"{who} {number}"] = f"{origin['path']}, {origin['bytes']:,} bytes{digest}"
    pairs |= {"command": command} if command else {}
    return pairs_table(pairs)
