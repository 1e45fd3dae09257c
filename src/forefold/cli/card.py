"""What the commands about cards do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from forefold.cli.errors import complain, text_of

if TYPE_CHECKING:
    import argparse

    from forefold.detector import Card

__all__ = ["card_check", "card_diff", "card_fit", "card_list", "card_show", "card_validate"]


def card_list(options: argparse.Namespace) -> int:
    """List the cards."""
    from forefold.detector.load import cards, load_card

    names = cards()
    width = max(map(len, names))
    for name in names:
        print(name if options.names else f"{name:<{width}}  {load_card(name).title}")
    return 0


def card_show(options: argparse.Namespace) -> int:
    """Show a card."""
    from forefold.detector.load import card_source, load_card

    card = load_card(options.name)
    if options.plot:
        from forefold.plotting import card_figure, save

        figure = card_figure(
            card,
            energy=options.range,
            particles=options.particles and [_particle(word) for word in options.particles],
        )
        save(figure, options.plot, overwrite=options.overwrite)
        return 0
    if options.range or options.particles:
        message = "--range and --particles are for --plot OUT"
        raise ValueError(message)
    if options.resolved:
        from forefold.detector.toml import card_toml

        print(card_toml(card), end="")
    else:
        print(card_source(options.name) if options.toml else card, end="" if options.toml else "\n")
    return 0


def card_check(options: argparse.Namespace) -> int:
    """Check cards; every file is checked before the exit code is known."""
    from forefold.detector.load import load_card

    code = 0
    for name in options.files:
        try:
            card = load_card(Path(name))
        except (ValueError, OSError) as error:
            complain("error", text_of(error))
            code = 2
        else:
            code = max(code, _formulas_checked(name, card))
    return code


def _formulas_checked(name: str, card: Card) -> int:
    """Say which formulas have no value for some particles; of those that have none for any, the card is no good."""
    from forefold.smearing.validation.invalid import invalid_of

    found = invalid_of(card)
    never = [one for one in found if one.everywhere]
    for one in found:
        complain("error" if one.everywhere else "warning", f"{name}: {one}")
    if not never:
        print(f"{name}: {card.name}: {len(card.rules)} rules, good")
    return 2 if never else 0


def card_diff(options: argparse.Namespace) -> int:
    """Compare two cards."""
    from forefold.detector.diff import card_diff as compare

    found = compare(options.a, options.b)
    found = found.response() if options.response else found
    print(json.dumps(found.to_dict(), indent=2) if options.json else found)
    return 1 if found else 0


def card_validate(options: argparse.Namespace) -> int:
    """Validate cards; every card is validated before the exit code is known."""
    from forefold.detector.load import load_card
    from forefold.smearing.validation import validate_card

    found = []
    for name in options.names:
        card = load_card(name)
        found.append(validate_card(card, rng=options.rng, draws=options.draws))
        if not options.json:
            print(found[-1], flush=True)
        if options.plot:
            from forefold.plotting import card_figure, save

            folder = Path(options.plot)
            folder.mkdir(parents=True, exist_ok=True)
            place = folder / f"{card.name}.png"
            save(card_figure(card), place, overwrite=options.overwrite)
    if options.json:
        said = [one.to_dict() for one in found]
        print(json.dumps(said[0] if len(said) == 1 else said, indent=2))
    return 0 if all(one.good for one in found) else 1


def card_fit(options: argparse.Namespace) -> int:
    """Fit a card."""
    from forefold.inference.card_fit import Template, fit_card
    from forefold.io.write import replace_aside

    if options.out and Path(options.out).suffix != ".toml":
        message = f"{options.out}: a card is written as .toml"
        raise ValueError(message)
    template = options.template
    if template is None:
        template = Template(
            tuple(_particle(word) for word in options.particles),
            of=options.of,
            distribution=options.distribution,
            free=tuple(options.free),
            sum="linear" if options.linear else "quadrature",
            efficiency=options.efficiency,
            threshold=options.threshold,
            angle=options.angle,
            name=options.name,
        )
    settings = {"quantity": options.quantity}
    settings |= {} if options.events is None else {"events": options.events}
    if options.particles:
        settings["particle"] = _first_kind(options.particles[0])
    found = fit_card(options.data, template, fixed=options.fixed, **settings)
    if options.out and found.valid:
        with replace_aside(options.out, options.overwrite) as aside:
            aside.write_text(found.toml, encoding="utf-8")
    print(json.dumps(found.to_dict(), indent=2) if options.json else found)
    for text in found.warnings if options.json else []:
        complain("warning", text)
    return 0 if found.good else 1


def _particle(word: str) -> str | int:
    return int(word) if word.lstrip("-").isdigit() else word


def _first_kind(word: str) -> int:
    """Give the particle of which a matrix is taken to be."""
    from forefold.events import particles as species

    kind = _particle(word)
    if isinstance(kind, int):
        return kind
    return next(species.members(kind)) if kind in species.CLASSES else species.pdgid(kind)
