"""What the commands about cards do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from forefold.cli.errors import complain, text_of

if TYPE_CHECKING:
    import argparse

__all__ = ["card_check", "card_diff", "card_list", "card_show"]


def card_list(options: argparse.Namespace) -> int:
    """List the cards."""
    from forefold.detector import cards, load_card

    names = cards()
    width = max(map(len, names))
    for name in names:
        print(name if options.names else f"{name:<{width}}  {load_card(name).title}")
    return 0


def card_show(options: argparse.Namespace) -> int:
    """Show a card."""
    from forefold.detector import card_source, load_card

    card = load_card(options.name)
    if options.resolved:
        from forefold.cardtools import card_toml

        print(card_toml(card), end="")
    else:
        print(card_source(options.name) if options.toml else card, end="" if options.toml else "\n")
    return 0


def card_check(options: argparse.Namespace) -> int:
    """Check cards; every file is checked before the exit code is known."""
    from forefold.detector import load_card

    code = 0
    for name in options.files:
        try:
            card = load_card(Path(name))
        except (ValueError, OSError) as error:
            complain("error", text_of(error))
            code = 2
        else:
            print(f"{name}: {card.name}: {len(card.rules)} rules, good")
    return code


def card_diff(options: argparse.Namespace) -> int:
    """Compare two cards."""
    from forefold.cardtools import card_diff as compare

    found = compare(options.a, options.b)
    found = found.response() if options.response else found
    print(json.dumps(found.to_dict(), indent=2) if options.json else found)
    return 1 if found else 0
