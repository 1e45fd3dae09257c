"""Histograms from files, several in one pass."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forefold.batch import smear_chunks, vary_chunks
from forefold.cli.progress import progress
from forefold.detector import Card, fingerprint, load_card
from forefold.io.files import expand
from forefold.io.smeared import is_smeared, iterate_smeared, smeared_provenance
from forefold.matrix import (
    angle_matrix,
    energy_matrix,
    resolution_matrix,
    varied_energy_matrix,
    varied_matrix,
)
from forefold.smearing import random_key
from forefold.variations import named_variations

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    import awkward as ak
    import hist

    from forefold.cli.progress import Report
    from forefold.variations import Variations

__all__ = ["Request", "card_of", "fill"]


@dataclass(frozen=True)
class Request:
    """A histogram to fill: ``energy``, ``angle`` (each also ``-by-type``) or ``resolution``."""

    name: str
    cc_only: bool = False
    include_lost: bool = False
    bins: int | None = None
    range: tuple[float, float] | None = None

    def of(self, smeared: ak.Array, card: Card) -> hist.Hist[Any]:
        """Fill it with one piece."""
        given = {"bins": self.bins, "range": self.range}
        options: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        split = card if self.name.endswith("-by-type") else None
        if self.name == "resolution":
            return resolution_matrix(smeared, card, cc_only=self.cc_only, **options)
        if self.name.startswith("angle"):
            options["include_lost"] = self.include_lost
            return angle_matrix(smeared, split, cc_only=self.cc_only, **options)
        return energy_matrix(smeared, split, cc_only=self.cc_only, **options)

    def of_variations(self, varied: Variations, card: Card) -> hist.Hist[Any]:
        """Fill it with one piece, nominal and varied."""
        if self.name != "energy":
            return varied_matrix(varied, lambda smeared: self.of(smeared, card))
        given = {"bins": self.bins, "range": self.range}
        options: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        return varied_energy_matrix(varied, cc_only=self.cc_only, **options)


def fill(
    requests: Sequence[Request], card: Card, options: argparse.Namespace
) -> list[hist.Hist[Any]]:
    """Read, smear and fill, piece by piece; the histograms of the pieces are added."""
    filled: list[hist.Hist[Any]] = []
    varied = bool(getattr(options, "variations", []))
    with progress("filling", quiet=options.quiet) as report:
        for piece in (_varied if varied else _smeared)(card, options, report):
            pieces = [
                request.of_variations(piece, card) if varied else request.of(piece, card)
                for request in requests
            ]
            filled = [a + b for a, b in zip(filled, pieces, strict=True)] if filled else pieces
    return filled


def _varied(card: Card, options: argparse.Namespace, report: Report | None) -> Iterator[Any]:
    """Smear the inputs by the card and its variations."""
    if options.card is None:
        message = "--variations: for generator events only; these are smeared already"
        raise ValueError(message)
    rng = random_key(options.rng)
    yield from vary_chunks(
        options.inputs,
        card,
        variations=named_variations(card, options.variations, rng),
        rng=rng,
        axis=options.axis,
        entries=options.entries,
        where=options.where,
        on_invalid=options.on_invalid,
        chunk=options.chunk,
        progress=report,
        damage=options.damage,
    )
    if options.rng is None:
        sys.stderr.write(f"rng {rng}\n")


def _smeared(card: Card, options: argparse.Namespace, report: Report | None) -> Iterator[ak.Array]:
    """Smear the inputs, or read them if they are smeared already."""
    if options.card is not None:
        rng = random_key(options.rng)
        yield from smear_chunks(
            options.inputs,
            card,
            rng=rng,
            axis=options.axis,
            entries=options.entries,
            where=options.where,
            on_invalid=options.on_invalid,
            chunk=options.chunk,
            progress=report,
            damage=options.damage,
        )
        if options.rng is None:
            sys.stderr.write(f"rng {rng}\n")  # without it the result cannot be made again
        return
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
