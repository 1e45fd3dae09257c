"""Histograms from files, several in one pass."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold.cli.options import job_options, job_rng
from forefold.cli.progress import progress
from forefold.detector.load import Card, fingerprint, load_card
from forefold.events.definitions import definitions_of
from forefold.io.blocks import blocks
from forefold.io.files import expand
from forefold.io.native.smeared import is_smeared, iterate_smeared, smeared_provenance
from forefold.smearing.smear import random_key
from forefold.smearing.variations import named_variations
from forefold.workflows.batch import fill_files
from forefold.workflows.histograms import added, results
from forefold.workflows.job import Recipe
from forefold.workflows.requests import Request

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    import awkward as ak

    from forefold.cli.progress import Report
    from forefold.workflows.requests import AnyRequest

__all__ = ["Request", "card_of", "fill", "fill_many"]


def fill(requests: Sequence[AnyRequest], card: Card, options: argparse.Namespace) -> list[Any]:
    """Read, smear and fill, block by block; the histograms of the blocks are added."""
    if options.card is None:
        with progress("filling", quiet=options.quiet) as report:
            return _filled_of_smeared(requests, card, options, report)
    rng = random_key(options.rng)
    with progress("filling", quiet=options.quiet) as report:
        filled, _ = fill_files(requests=requests, **_asked(card, options, rng), progress=report)
    if options.rng is None:
        sys.stderr.write(f"rng {rng}\n")  # without it the result cannot be made again
    return filled


def _filled_of_smeared(
    requests: Sequence[AnyRequest], card: Card, options: argparse.Namespace, report: Report | None
) -> list[Any]:
    """Fill histograms with events that are smeared already."""
    select = options.select
    own = definitions_of(getattr(options, "define", None)).texts
    recipe = Recipe(card, 0, select=None if select is None else select.text, define=own)
    total = added(
        [each for request in requests for each in request.fill(recipe, None, block)]
        for (block,) in blocks((piece,) for piece in _smeared(options, report))
    )
    return results(requests, recipe, total, varied=False)


def fill_many(
    request: AnyRequest,
    card: Card | None,
    options: argparse.Namespace,
    *,
    write: Callable[[Any], str],
    read: Callable[[str], Any],
) -> Any:
    """Fill what one request asks for with workers, and write it; read it where that was done before."""
    if options.card is None or card is None:
        message = (
            "--workers, --cluster, --resume: for generator events only; these are smeared already"
        )
        raise ValueError(message)
    rng = job_rng(options)
    with progress("filling", quiet=options.quiet) as report:
        filled, _ = fill_files(
            requests=[request],
            **_asked(card, options, rng),
            progress=report,
            out=options.out,
            write=lambda found: write(found[0]),
            overwrite=options.overwrite,
            **job_options(options),
        )
    if options.rng is None:
        sys.stderr.write(f"rng {rng}\n")
    return filled[0] if filled else read(Path(options.out).read_text(encoding="utf-8"))


def _asked(card: Card, options: argparse.Namespace, rng: int) -> dict[str, Any]:
    """Arguments of `fill_files` that the command says."""
    words = getattr(options, "variations", [])
    return {
        "inputs": options.inputs,
        "card": card,
        "rng": rng,
        "axis": options.axis,
        "entries": options.entries,
        "where": options.where,
        "select": options.select,
        "define": getattr(options, "define", None),
        "variations": named_variations(card, words, rng) if words else None,
        "on_invalid": options.on_invalid,
        "chunk": options.chunk,
        "damage": options.damage,
    }


def _smeared(options: argparse.Namespace, report: Report | None) -> Iterator[ak.Array]:
    """Read inputs that are smeared already."""
    if getattr(options, "variations", []):
        message = "--variations: for generator events only; these are smeared already"
        raise ValueError(message)
    given = {"--rng": options.rng, "--where": options.where, "--skip-damaged": options.damage}
    extra = [name for name, value in given.items() if value is not None]
    if extra:
        message = f"{', '.join(extra)}: for generator events only; these are smeared already"
        raise ValueError(message)
    for name in expand(options.inputs):
        yield from iterate_smeared(
            name, chunk=options.chunk, entries=options.entries, progress=report
        )


def card_of(options: argparse.Namespace) -> Card:
    """Find the card: the one that is given, or that of the smeared files that are.

    Parameters
    ----------
    options : argparse.Namespace
        What was typed: inputs, and card or None.

    Returns
    -------
    Card

    Raises
    ------
    ValueError
        If no card is given and the inputs are not smeared, or by different cards.
    """
    if options.card is not None:
        return load_card(options.card)
    names = expand(options.inputs)
    for name in names:
        if not is_smeared(name):
            message = f"{name}: not a file of smeared events: give a detector with -d CARD"
            raise ValueError(message)
    found = {name: smeared_provenance(name) for name in names}
    digests = {about.get("card_sha256") for about in found.values()}
    if len(digests) != 1:
        message = f"{', '.join(names)}: smeared by different cards; make one matrix each"
        raise ValueError(message)
    try:
        card = Card.model_validate(found[names[0]]["card_text"])
    except (KeyError, ValueError):
        message = f"{names[0]}: its provenance does not hold the card that it was smeared by"
        raise ValueError(message) from None
    if fingerprint(card)[1] not in digests:
        message = f"{names[0]}: its card and the checksum of its card do not fit"
        raise ValueError(message)
    return card
