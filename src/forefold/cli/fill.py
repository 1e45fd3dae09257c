"""Histograms from files, several in one pass."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forefold.batch import smear_chunks
from forefold.cli.progress import progress
from forefold.matrix import angle_matrix, energy_matrix, resolution_matrix
from forefold.smearing import random_key

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    import awkward as ak
    import hist

    from forefold.detector import Card

__all__ = ["Request", "fill"]


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


def fill(
    requests: Sequence[Request], card: Card, options: argparse.Namespace
) -> list[hist.Hist[Any]]:
    """Read, smear and fill, piece by piece; the histograms of the pieces are added."""
    rng = random_key(options.rng)
    if options.rng is None:
        sys.stderr.write(f"rng {rng}\n")  # without it the result cannot be made again
    filled: list[hist.Hist[Any]] = []
    with progress("filling", quiet=options.quiet) as report:
        for smeared in smear_chunks(
            options.inputs,
            card,
            rng=rng,
            axis=options.axis,
            entries=options.entries,
            where=options.where,
            chunk=options.chunk,
            progress=report,
            damage=options.damage,
        ):
            pieces = [request.of(smeared, card) for request in requests]
            filled = [a + b for a, b in zip(filled, pieces, strict=True)] if filled else pieces
    return filled
