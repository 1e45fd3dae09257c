"""What can be typed after ``forefold card``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forefold.cli.values import count, whole

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

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
    sub = add(actions, "list", "card_list", "list the cards that come with forefold")
    sub.add_argument("--names", action="store_true", help="names only, one a line")
    _add_show(actions, add)
    sub = add(actions, "check", "card_check", "check card files against the schema")
    sub.add_argument("files", nargs="+", metavar="FILE", help=".toml file")
    _add_diff(actions, add)
    _add_validate(actions, add)
    _add_fit(actions, add)


def _add_show(actions: Any, add: Add) -> None:
    sub = add(actions, "show", "card_show", "show a card as a table")
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
        "card_diff",
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
        "card_validate",
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
        "card_fit",
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
