"""Pieces of HTML: tables, figures, text. Every text is escaped here and nowhere else."""

from __future__ import annotations

import base64
import math
import re
from html import escape
from typing import TYPE_CHECKING

from forefold._html import table
from forefold.detector.text import angle_words, efficiency_words, energy_words, scale_words
from forefold.kernels.fate import Fate
from forefold.plotting import figure_bytes
from forefold.plotting.style import type_html

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from forefold.detector import Rule
    from forefold.detector.load import Card
    from forefold.matrix import Summary, SummaryRow

__all__ = ["card_table", "fates_table", "figure_html", "pairs_table", "summary_table", "table"]

_MIME = {"png": "image/png", "svg": "image/svg+xml"}
_NONE = "–"
_OF = {
    "total": "total energy",
    "kinetic": "kinetic energy",
    "visible": "visible energy",
    "momentum": "momentum",
    "inverse-momentum": "1/momentum",
}
_FATES = {
    Fate.DETECTED: "seen: the reconstructed fields are filled",
    Fate.BELOW_THRESHOLD: "lost: its true kinetic energy is below the card's threshold",
    Fate.INEFFICIENCY: "lost: above threshold, but missed with the card's probability",
    Fate.NEUTRINO: "not smeared: a neutrino",
    Fate.NUCLEUS: "not smeared: a nucleus",
    Fate.PSEUDO_PARTICLE: "not smeared: a generator's bookkeeping, no particle",
    Fate.NOT_FINAL_STATE: "not smeared: not a final-state particle",
    Fate.ENERGY_BELOW_MASS: (
        "also set: the energy drawn is below the mass; it is kept, and the momentum is zero"
    ),
    Fate.THETA_FOLDED: "also set: the angle drawn was beyond 0° or 180° and was folded back",
    Fate.OFF_SHELL: "also set: the input had E < |p|; the mass of the particle table was used",
    Fate.BELOW_RECO_THRESHOLD: "lost: what was reconstructed is below the card's threshold",
    Fate.MISIDENTIFIED: "also set: taken for another particle",
    Fate.UNIDENTIFIED: "lost: the card's identification leaves it without a name",
    Fate.DECAYED: "not smeared: replaced by the particles that it decays to",
    Fate.MERGED: "not smeared: its energy is in another particle's shower",
    Fate.INVALID: "lost: a formula of the card has no value for it",
}


def summary_table(summary: Summary) -> str:
    """Return what became of the particles, by type."""
    head = (
        "type", "particles", "detected", "below threshold", "missed", "not smeared", "efficiency",
        "energy bias", "energy width", "median", "68 % half-width", "angle width",
    )  # fmt: skip
    return table(head, [_summary_row(row) for row in summary], kind="numbers", total=True)


def _summary_row(row: SummaryRow) -> tuple[str, ...]:
    counts = (row.particles, row.detected, row.below_threshold, row.missed, row.not_smeared)
    energy = (row.energy_bias, row.energy_width, row.energy_median, row.energy_half_width)
    signed = (True, False, True, False)
    return (
        type_html(row.type),
        *(f"{count:,}".replace(",", "\N{NO-BREAK SPACE}") for count in counts),
        _percent(row.efficiency),
        *(_percent(value, signed=sign) for value, sign in zip(energy, signed, strict=True)),
        _NONE if math.isnan(row.angle_width) else f"{row.angle_width:.1f}°",
    )


def _percent(value: float, *, signed: bool = False) -> str:
    if math.isnan(value):
        return _NONE
    number = f"{100.0 * value:{'+' if signed else ''}.1f}".replace("-", "\N{MINUS SIGN}")
    return f"{number}\N{NO-BREAK SPACE}%"


def card_table(card: Card) -> str:
    """Return a card as the paper's tables show it, a row a rule."""
    head = (
        "particles", "when", "seen if", "energy resolution", "of", "distribution", "angle",
        "efficiency", "scale", "source",
    )  # fmt: skip
    return table(head, [_card_row(rule) for rule in card.rules], kind="words")


def _card_row(rule: Rule) -> tuple[str, ...]:
    energy = rule.energy
    parts = list(energy.components())
    words = "; ".join(energy_words(part) for part in parts)
    blocks = (rule, rule.threshold, energy, rule.angle)
    sources = dict.fromkeys(block.source for block in blocks if block and block.source)
    return (
        ", ".join(type_html(str(word)) for word in rule.particles),
        _bounds(str(rule.when)) if rule.when else "always",
        _bounds(str(rule.threshold)) if rule.threshold else "always",
        words.replace("(+)", "⊕").replace("sqrt(E)", "√E"),
        ", ".join(dict.fromkeys(_OF[part.of] for part in parts)),
        ", ".join(dict.fromkeys(part.distribution for part in parts)),
        angle_words(rule.angle).replace(" deg", "°"),
        efficiency_words(rule),
        ", ".join(dict.fromkeys(scale_words(part) for part in parts)),
        ", ".join(sources),
    )


def _bounds(text: str) -> str:
    text = re.sub(r"\bp (?=[<>])", "|p| ", text)  # a momentum, not a proton
    return f"{text.replace('>=', '≥').replace('<=', '≤')} GeV"


def fates_table() -> str:
    """Return what the bits of a fate mean."""
    rows = [
        (str(fate.name).lower().replace("_", " "), str(int(fate)), meaning)
        for fate, meaning in _FATES.items()
    ]
    return table(("fate", "bit", "meaning"), rows, kind="words")


def pairs_table(pairs: Mapping[str, object]) -> str:
    """Return names with their values."""
    return table(("", ""), [(name, str(value)) for name, value in pairs.items()], kind="pairs")


def figure_html(figure: Figure, caption: str, alt: str, *, format: str, dpi: int) -> str:
    """Return a figure with its picture inside; no file beside the report is needed."""
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    data = base64.b64encode(figure_bytes(figure, format, dpi=dpi)).decode("ascii")
    return (
        f'<figure><img width="{width}" height="{height}" alt="{escape(alt)}" '
        f'src="data:{_MIME[format]};base64,{data}">\n'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )
