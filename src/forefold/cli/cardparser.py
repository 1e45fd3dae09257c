"""What can be typed after ``forefold card``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
        "card", help="list, show, check and compare detector cards", allow_abbrev=False
    )
    actions = card.add_subparsers(dest="action", metavar="ACTION", required=True)
    sub = add(actions, "list", "card_list", "list the cards that come with forefold")
    sub.add_argument("--names", action="store_true", help="names only, one a line")
    _add_show(actions, add)
    sub = add(actions, "check", "card_check", "check card files against the schema")
    sub.add_argument("files", nargs="+", metavar="FILE", help=".toml file")
    _add_diff(actions, add)


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
