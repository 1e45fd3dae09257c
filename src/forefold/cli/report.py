"""``forefold report``: what can be typed, and what it does."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold.cli.matrix import add_axes, axes_of, named_once
from forefold.cli.options import add_events, add_output_options
from forefold.cli.unfolding import add_method

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from forefold.workflows.pipeline import How

__all__ = ["add_report"]


def _toys(text: str) -> int:
    if not text.isdecimal() or int(text) == 1:
        import argparse

        message = f"0, or a whole number above 1 is expected, found {text!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def add_report(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add ``forefold report``.

    Parameters
    ----------
    commands : argparse's subparsers
    add : callable
        Makes a parser of a command from its name, the function that it runs, and what it is for.
    """
    sub = add(
        commands,
        "report",
        _run,
        "write one HTML page of a full chain: events, card, matrix, folded, unfolded, closure",
        epilog=(
            "What to distrust stands first. Without --data one toy of the sample is unfolded.\n\n"
            "example:\n  forefold report numu.gst.root -d nusmear-dune-cdr --rng 1 --axis visible_energy=0:8:16 --method bayes --iterations 4 -o report.html"
        ),
    )
    add_events(sub, polar=False)
    add_axes(sub)
    sub.add_argument(
        "--data",
        metavar="DATA",
        help="what was seen: UHI JSON over the reconstructed axes; or events of another generator, whose matrix is compared",
    )
    add_method(sub, required=False)
    sub.add_argument(
        "--toys",
        type=_toys,
        default=200,
        metavar="N",
        help="of the closure (default: 200); 0: none",
    )
    sub.add_argument("-o", "--out", required=True, metavar="OUT", help="output .html")
    add_output_options(sub)


def _run(options: argparse.Namespace) -> int:
    """Write the report of a full chain."""
    from forefold.cli.errors import complain
    from forefold.cli.progress import progress
    from forefold.detector.load import load_card
    from forefold.io.write import replace_aside
    from forefold.smearing.smear import random_key
    from forefold.workflows.job import Recipe
    from forefold.workflows.pipeline import run_chain
    from forefold.workflows.report.page import chain_html
    from forefold.workflows.report.warnings import doubts

    if Path(options.out).suffix.lower() != ".html":
        message = f"{options.out}: a report is written as .html"
        raise ValueError(message)
    true, reco = axes_of(options)
    rng = random_key(options.rng)
    where = None if options.where is None else options.where.text
    select = None if options.select is None else options.select.text
    card = load_card(options.card)
    recipe = Recipe(card, rng, options.axis, options.on_invalid, where=where, select=select)
    with replace_aside(options.out, options.overwrite) as aside:
        chain = run_chain(
            options.inputs,
            recipe,
            true=true,
            reco=reco,
            how=_how(options),
            signal=options.signal,
            background=named_once(options.background),
            chunk=options.chunk,
            entries=options.entries,
            where=options.where,
            watch=partial(progress, quiet=options.quiet),
            damage=options.damage,
            **_data(options.data),
        )
        command = shlex.join(["forefold", *options.typed])
        aside.write_text(chain_html(chain, command=command), encoding="utf-8", newline="")
    options.used = chain.used
    for what, why in chain.failures.items():
        complain("warning", f"{what}: {why}")
    if options.rng is None:
        sys.stderr.write(f"rng {rng}\n")  # without it the page cannot be made again
    if not options.quiet:
        found = doubts(chain)
        n = len(found)
        said = (
            f"{n} thing{'s' * (n != 1)} to distrust" if n else "nothing speaks against the numbers"
        )
        sys.stderr.write("\n  ".join([f"{options.out}: {said}", *found]) + "\n")
    return 0


def _how(options: argparse.Namespace) -> How:
    from forefold.workflows.pipeline import How

    settings = {"order": options.order, "toys": options.toys}
    told = {name: getattr(options, name) for name in ("iterations", "strength")}
    if options.method is None and set(told.values()) == {None}:
        return How(**settings)
    if options.method is None:
        message = "--iterations, --strength: name the --method that they are of"
        raise ValueError(message)
    return How(options.method, **told, **settings)


def _data(name: str | None) -> dict[str, Any]:
    """Give data as the arguments of `run_chain`: a spectrum, or events of another generator."""
    if name is None:
        return {}
    if name != "-" and not name.endswith(".json"):
        return {"other": name}
    from forefold.cli.documents import counted, read_contents

    return {"data": read_contents(name, counted)}
