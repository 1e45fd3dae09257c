"""A card as plain text, one line a rule, like the tables of arXiv:2209.05260."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forefold.detector.angle import Angle
    from forefold.detector.card import Card
    from forefold.detector.energy import Drawn
    from forefold.detector.rule import Rule

__all__ = ["angle_words", "efficiency_words", "energy_words", "scale_words", "shown"]

_HEAD = (
    "particles",
    "when",
    "seen if (GeV)",
    "R_E",
    "of",
    "distribution",
    "R_A",
    "seen",
    "scale",
    "source",
)
_OF = {"kinetic": "KE", "total": "E", "momentum": "p", "inverse-momentum": "1/p", "visible": "Evis"}


def shown(card: Card) -> str:
    """Lay a card out as text."""
    rows = [_HEAD, *(_row(rule) for rule in card.rules)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    lines = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    rule_off = "-" * max(map(len, lines))
    sources = [f"  [{key}] {text}" for key, text in card.sources.items()]
    left_out = f"not smeared: {', '.join(card.not_smeared) or 'nothing'}"
    about = [card.description.strip()] if card.description.strip() else []
    return "\n".join(
        [
            f"{card.name}: {card.title}",
            *about,
            "",
            lines[0],
            rule_off,
            *lines[1:],
            rule_off,
            "first matching line holds; E in GeV; (+): sum in quadrature",
            *_extras(card),
            left_out,
            "sources:",
            *sources,
        ]
    )


def _extras(card: Card) -> list[str]:
    """List identification, parameters and tables, where there are any."""
    lines = []
    for stage in card.stages:
        given = ", ".join(f"{k} = {v}" for k, v in (stage.model_extra or {}).items())
        lines.append(f"stage: {stage.kind}" + (f" ({given})" if given else ""))
    if card.containment is not None:
        low, high = card.containment.active.low, card.containment.active.high
        size = " x ".join(f"{(b - a) / 100:g}" for a, b in zip(low, high, strict=True))
        lines.append(f"containment: {card.containment.material}, {size} m")
    if card.vertex is not None:
        lines.append(f"vertex: {card.vertex}")
    for block in card.identification:
        row = ", ".join(f"{_number(e.probability)} {e.as_}" for e in block.row)
        who = ", ".join(map(str, block.particles))
        lines.append(f"identified: {who} as {row} (the {block.keep} is kept; the rest is lost)")
    for name, p in card.parameters.items():
        spread = f" +- {p.uncertainty:g}" if p.uncertainty else ""
        lines.append(f"parameter: {name} = {p.value:g}{spread}")
    lines += [f"table: {name}" for name in card.tables]
    lines += [f"shift: {shift.name}: {shift}" for shift in card.shifts]
    lines += [
        f"correlation: {' and '.join(pair.parameters)}: {pair.value:g}"
        for pair in card.correlations
    ]
    return lines


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{100 * value:g} %"


def energy_words(energy: Drawn) -> str:
    """Show the law of a width."""
    if energy.sigma is not None:
        return f"{energy.sigma} GeV" if isinstance(energy.sigma, str) else f"{energy.sigma:g} GeV"
    if energy.resolution is not None:
        return _number(energy.resolution)
    terms = [_number(energy.constant)] if energy.constant else []
    terms += [f"{_number(energy.stochastic)}/sqrt(E)"] if energy.stochastic else []
    terms += [f"{_number(energy.noise)}/E"] if energy.noise else []
    joint = " (+) " if energy.sum == "quadrature" else " + "
    return joint.join(terms) or "exact"


def angle_words(angle: Angle) -> str:
    """Show the width of an angle and what it means."""
    if angle.convention == "none":
        return "exact"
    if angle.sigma_cos_theta is not None:
        own = angle.sigma_cos_theta
        return f"{own if isinstance(own, str) else format(own, 'g')} of cos(theta)"
    width = angle.sigma_deg if isinstance(angle.sigma_deg, str) else f"{angle.sigma_deg:g}"
    kind = angle.convention if angle.distribution == "normal" else angle.distribution
    if angle.sigma_phi_deg is not None:
        other = angle.sigma_phi_deg
        width += f", phi {other}" if isinstance(other, str) else f", phi {other:g}"
    return f"{width} deg {kind}"


def efficiency_words(rule: Rule) -> str:
    """Show a probability, or its formula."""
    return _number(rule.efficiency)


def scale_words(energy: Drawn) -> str:
    """Show the factor, and what is added."""
    scale = energy.scale if isinstance(energy.scale, str) else f"{energy.scale:g}"
    if energy.offset == 0.0:
        return scale
    return (
        f"{scale}, + {energy.offset}"
        if isinstance(energy.offset, str)
        else f"{scale}, {energy.offset:+g}"
    )


def _row(rule: Rule) -> tuple[str, ...]:
    parts = list(rule.energy.components())
    given = [getattr(part, "weight", None) for part in parts]
    weights = ["" if weight is None else f"{_number(weight)}: " for weight in given]
    if len(parts) > 1:
        weights[-1] = weights[-1] or "rest: "
    keys = (rule, rule.threshold, rule.energy, rule.angle)
    return (
        ", ".join(str(word) for word in rule.particles),
        str(rule.when) if rule.when else "",
        str(rule.threshold) if rule.threshold else "always",
        "; ".join(w + energy_words(part) for w, part in zip(weights, parts, strict=True)),
        ", ".join(dict.fromkeys(_OF[part.of] for part in parts)),
        ", ".join(dict.fromkeys(part.distribution for part in parts)),
        angle_words(rule.angle),
        efficiency_words(rule),
        ", ".join(dict.fromkeys(scale_words(part) for part in parts)),
        ", ".join(dict.fromkeys(block.source for block in keys if block and block.source)),
    )
