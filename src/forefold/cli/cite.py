"""Citations: ``forefold cite``, and ``--cite`` of the other commands."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from forefold.workflows.citations import Used

__all__ = ["add_cite", "add_cite_option", "cited", "use_options"]


def add_cite(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add ``forefold cite``."""
    sub = add(
        commands,
        "cite",
        _run,
        "print BibTeX of what cards, files and methods go back to",
        epilog=(
            "A comment on each entry says what it was used for; sources without a paper are comments, too.\n\n"
            "example:\n  forefold cite nusmear-dune-cdr R.json back.json > used.bib"
        ),
    )
    sub.add_argument(
        "things",
        nargs="+",
        metavar="THING",
        help="a card, events of a generator, smeared events, a matrix, an unfolded spectrum, the result of a fit or a limit, or the name of a method or format",
    )


def add_cite_option(sub: argparse.ArgumentParser) -> None:
    """Let a command say what it used."""
    sub.add_argument(
        "--cite",
        action="store_true",
        help="print BibTeX of exactly what was used, at the end; on stderr, where stdout has the output",
    )


def _run(options: argparse.Namespace) -> int:
    from forefold.workflows.citations import cite

    sys.stdout.write(cite(*options.things))
    return 0


@contextmanager
def cited(options: argparse.Namespace) -> Iterator[None]:
    """Print what a command used when it is done, where ``--cite`` is given."""
    if not getattr(options, "cite", False):
        yield
        return
    from forefold.workflows.citations import Used, bibtex

    used = Used()
    if "-" in (getattr(options, name, None) for name in ("matrix", "data", "spectrum")):
        text = sys.stdin.read()  # kept: what comes through a pipe says what it was made of, too
        sys.stdin = io.StringIO(text)
    else:
        text = ""
    yield
    if hasattr(options, "used"):  # the command says it itself
        used = options.used
    else:
        use_options(used, options, text)
    free = getattr(options, "out", None) not in (None, "-")
    (sys.stdout if free else sys.stderr).write(bibtex(used))


def use_options(used: Used, options: argparse.Namespace, piped: str = "") -> None:
    """Add what the options of a command name: events, card, matrix, method, format.

    Parameters
    ----------
    used : Used
        Gets them.
    options : argparse.Namespace
        Of a command that ran.
    piped : str
        What came from standard input.
    """
    from forefold.cli.documents import read_text
    from forefold.io.files import expand
    from forefold.workflows.citations import FORMATS, use, use_document

    inputs = getattr(options, "inputs", None)
    for name in expand(inputs) if inputs else []:
        use(used, name)
    if getattr(options, "card", None) is not None:
        from forefold.detector.load import load_card

        use(used, load_card(options.card))
    for role in ("matrix", "spectrum", "data"):
        place = getattr(options, role, None)
        if place == "-":
            use_document(used, piped, "standard input", strict=False)
        elif place is not None:
            use_document(used, read_text(place), place, strict=False)
    if getattr(options, "correlation", None) is not None:
        from forefold.detector.load import load_card

        use(used, load_card(options.correlation))
    if hasattr(options, "inferred"):  # what fit and limit wrote
        used.inference(options.inferred)
    elif hasattr(options, "method"):
        chosen = [options.iterations, options.strength]
        rule = next((each for each in chosen if isinstance(each, str)), None)
        used.unfolding(options.method, rule, through=options.errors == "full")
    if getattr(options, "format", None) in FORMATS:
        used.add(FORMATS[options.format], f"format: {options.format}")
