"""``forefold card``: what can be typed, and what it does."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold.cli.errors import complain, text_of
from forefold.cli.values import count, whole

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from forefold.detector import Card

    Add = Callable[..., argparse.ArgumentParser]

__all__ = ["add_card"]


def add_card(commands: Any, add: Add) -> None:
    """Add the commands about cards.

    Parameters
    ----------
    commands : argparse's subparsers
    add : callable
        Makes a parser of a command from its name, the function that it runs, and what it is for.
    """
    card = commands.add_parser(
        "card",
        help="list, show, check, compare, validate and fit detector cards",
        allow_abbrev=False,
    )
    actions = card.add_subparsers(dest="action", metavar="ACTION", required=True)
    sub = add(actions, "list", card_list, "list the cards that come with forefold")
    sub.add_argument("--names", action="store_true", help="names only, one a line")
    _add_show(actions, add)
    sub = add(
        actions,
        "check",
        card_check,
        "check cards against the schema, and for what they hardly mean",
        epilog="exit code: 0 if all are good, 1 if one has a warning and --strict is given, 2 if one is no card",
    )
    sub.add_argument("files", nargs="+", metavar="FILE", help=".toml file, or a card's name")
    sub.add_argument("--strict", action="store_true", help="exit code 1 if there is a warning")
    _add_diff(actions, add)
    _add_validate(actions, add)
    _add_fit(actions, add)


def _add_show(actions: Any, add: Add) -> None:
    sub = add(actions, "show", card_show, "show a card as a table")
    sub.add_argument("name", metavar="NAME", help="name or .toml file")
    how = sub.add_mutually_exclusive_group()
    how.add_argument(
        "--toml", action="store_true", help="print the card's own text, to start one of yours"
    )
    how.add_argument(
        "--resolved",
        action="store_true",
        help="print it as TOML with all that it extends and the tables of other files in it",
    )
    _add_picture(sub, "draw bias, resolution, efficiency and migration: .png, .pdf or .svg")
    sub.add_argument(
        "--range",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="true energies of the figure in GeV (default: where something happens)",
    )
    sub.add_argument(
        "--particles",
        nargs="+",
        metavar="P",
        help="rows of the figure, names or PDG numbers (default: one for each type)",
    )


def _add_picture(sub: argparse.ArgumentParser, text: str) -> None:
    sub.add_argument("--plot", metavar="OUT", help=text)
    sub.add_argument("--overwrite", action="store_true", help="replace an existing figure")


def _add_diff(actions: Any, add: Add) -> None:
    sub = add(
        actions,
        "diff",
        card_diff,
        "say what two cards say differently, with their sources",
        epilog="exit code: 0 if they are equal, 1 if not, 2 if one cannot be read",
    )
    sub.add_argument("a", metavar="A", help="name or .toml file")
    sub.add_argument("b", metavar="B", help="name or .toml file")
    sub.add_argument(
        "--response",
        action="store_true",
        help="only what changes draws: no titles, descriptions, labels and sources",
    )
    sub.add_argument("--json", action="store_true", help="print JSON")


def _add_validate(actions: Any, add: Add) -> None:
    sub = add(
        actions,
        "validate",
        card_validate,
        "draw particles through every rule of a card and compare with its closed forms",
        epilog="exit code: 0 if all pulls are within the tolerance, 1 if not, 2 if a card cannot be read",
    )
    sub.add_argument("names", nargs="+", metavar="NAME", help="name or .toml file")
    sub.add_argument(
        "--rng",
        type=whole,
        default=1,
        metavar="N",
        help="whole number that fixes every draw (default: 1)",
    )
    sub.add_argument(
        "--draws",
        type=count,
        default=10_000,
        metavar="N",
        help="of each particle at each energy (default: %(default)s)",
    )
    sub.add_argument("--json", action="store_true", help="print JSON, with every check")
    _add_picture(sub, "folder for a picture of each card, as 'forefold card show --plot' draws it")


def _add_fit(actions: Any, add: Add) -> None:
    sub = add(
        actions,
        "fit",
        card_fit,
        "fit a card to a full simulation or to a migration matrix",
        epilog=(
            "DATA is a table of pairs (.csv, .parquet, .npz) with the columns pdgid, energy_true, energy_reco (GeV; empty\n"
            "if not seen) and angles in rad; or a matrix: UHI .json, or .csv with true_low, true_high, reco_low, reco_high,\n"
            "value.\n\n"
            "exit code: 0; 1 if no minimum was found (no card is written), or some data are where the card gives no\n"
            "probability; 2 if data or options are wrong.\n\n"
            "example:\n  forefold card fit pairs.csv --particles mu- mu+ --free constant stochastic scale -o mine.toml"
        ),
    )
    sub.add_argument("data", metavar="DATA", help="see below")
    what = sub.add_mutually_exclusive_group(required=True)
    what.add_argument("--particles", nargs="+", metavar="P", help="names, classes or PDG numbers")
    what.add_argument(
        "--template", metavar="CARD", help="a card of yours, of which [parameters] are fitted"
    )
    sub.add_argument("--of", default="total", help="what is smeared (default: total)")
    sub.add_argument(
        "--distribution",
        default="log-normal",
        help="log-normal (default), normal, truncated-normal, crystal-ball or uniform",
    )
    sub.add_argument(
        "--free",
        nargs="+",
        default=["constant", "stochastic"],
        metavar="TERM",
        help="constant, stochastic, noise, sigma, scale, offset, ... (default: constant stochastic)",
    )
    sub.add_argument("--linear", action="store_true", help="terms add up, not in quadrature")
    sub.add_argument("--efficiency", default="none", help="none, constant or turn-on")
    sub.add_argument("--threshold", action="store_true", help="look for a sharp threshold")
    sub.add_argument(
        "--angle", default="none", help="none, polar, rayleigh, half-normal, von-mises-fisher"
    )
    sub.add_argument("--fixed", nargs="+", default=[], metavar="NAME", help="parameters that stay")
    sub.add_argument("--name", default="fitted", help="of the card")
    sub.add_argument(
        "--events",
        type=float,
        metavar="N",
        help="of a matrix of probabilities: how many particles were generated in each true bin",
    )
    sub.add_argument("--quantity", default="total", help="on the axes of a matrix (default: total)")
    sub.add_argument("-o", "--out", metavar="CARD", help="write the card; .toml")
    sub.add_argument("--overwrite", action="store_true", help="replace an existing card")
    sub.add_argument("--json", action="store_true", help="print JSON")


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
        with warnings.catch_warnings(record=True) as doubts:
            warnings.simplefilter("always")
            try:
                card = load_card(Path(name) if Path(name).exists() else name)
            except (ValueError, OSError) as error:
                complain("error", text_of(error))
                code = 2
                continue
        for doubt in doubts:
            complain("warning", str(doubt.message))
        errors, more = _formulas_checked(name, card)
        strict = options.strict and (doubts or more)
        code = max(code, 2 if errors else 1 if strict else 0)
        if not errors:
            n = len(doubts) + more
            good = f"{n} warning{'s' * (n > 1)}" if n else "good"
            print(f"{name}: {card.name}: {len(card.rules)} rules, {good}")
    return code


def _formulas_checked(name: str, card: Card) -> tuple[int, int]:
    """Say which formulas have no value for any particle, and for some; and how many."""
    from forefold.smearing.validation.invalid import invalid_of

    found = invalid_of(card)
    for one in found:
        complain("error" if one.everywhere else "warning", f"{name}: {one}")
    errors = sum(one.everywhere for one in found)
    return errors, len(found) - errors


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
            try:
                save(card_figure(card), place, overwrite=options.overwrite)
            except OSError:
                if not any(folder.iterdir()):
                    folder.rmdir()
                raise
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
