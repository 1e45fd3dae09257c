"""Files through a detector, piece by piece: memory stays bounded whatever the size of the input."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forefold import io
from forefold.detector import Card, load_card
from forefold.io.writers import open_writer
from forefold.smearing import Axis, fate_counts, provenance, random_key, smear

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import awkward as ak
    import numpy as np

    from forefold.io.reader import Damage, Entries, Paths, Progress
    from forefold.kernels.fate import Fate

__all__ = ["CHUNK", "Tally", "smear_chunks", "smear_files"]

CHUNK = 20_000
"""Events that are in memory at a time."""


@dataclass
class Tally:
    """What went through: events, particles and their fates.

    Attributes
    ----------
    rng : int
        What fixed the draws.
    events, particles : int
    fates : Counter of Fate
        Particles by outcome; they add up to `particles`.
    seconds : float
        Wall time.
    """

    rng: int
    events: int = 0
    particles: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, smeared: ak.Array) -> None:
        """Count one piece."""
        found = fate_counts(smeared)
        self.events += len(smeared)
        self.particles += int(smeared.n_particles.to_numpy().sum())
        self.fates.update(found)


def smear_chunks(
    inputs: Paths,
    card: Card | str | Path,
    *,
    rng: int | np.random.Generator | None = None,
    axis: Axis = "probe",
    entries: Entries = None,
    chunk: int = CHUNK,
    progress: Progress | None = None,
    damage: Damage | None = None,
) -> Iterator[ak.Array]:
    """Read files and smear them, piece by piece.

    Parameters
    ----------
    inputs : str, Path or a sequence of them
        Files or glob patterns, see `forefold.iterate`.
    card : Card, str or Path
        Detector.
    rng, axis
        See `forefold.smear`.
    entries : str, tuple or slice, optional
        Range of entries of each file, such as ``"0:500"``.
    chunk : int
        Events in memory at a time; it changes no bit of the result.
    progress : callable, optional
        Called with the fraction that is done (or None) and the number of events so far.
    damage : Damage, optional
        Go on without events that cannot be read, and count them here.

    Returns
    -------
    iterator of ak.Array
        Smeared events, see `forefold.smear`.

    Raises
    ------
    ValueError, OSError
        See `forefold.iterate` and `forefold.smear`.

    Examples
    --------
    >>> from forefold.demo import sample
    >>> pieces = smear_chunks(sample(), "nusmear-default", rng=1, entries="0:300", chunk=100)
    >>> [len(piece) for piece in pieces]
    [100, 100, 100]
    """
    detector = load_card(card)
    key = random_key(rng)
    pieces = io.iterate(inputs, chunk=chunk, entries=entries, progress=progress, damage=damage)
    return (smear(events, detector, rng=key, axis=axis) for events in pieces)


def smear_files(
    inputs: Paths,
    card: Card | str | Path,
    out: str | Path,
    *,
    rng: int | np.random.Generator | None = None,
    axis: Axis = "probe",
    entries: Entries = None,
    chunk: int = CHUNK,
    overwrite: bool = False,
    progress: Progress | None = None,
    also: Iterable[Callable[[ak.Array], object]] = (),
    damage: Damage | None = None,
) -> Tally:
    """Read files, smear them and write the result.

    Parameters
    ----------
    inputs, card, rng, axis, entries, chunk, progress, damage
        See `smear_chunks`.
    out : str or Path
        Output file, ``.parquet`` or ``.csv``.  It appears under its name only when it is complete.
    overwrite : bool
        Replace an existing file.
    also : iterable of callables
        Each gets every smeared piece, to fill histograms in the same pass.

    Returns
    -------
    Tally

    Raises
    ------
    ValueError, OSError
        Bad input, or an output that cannot be written; nothing half-written is left.
    """
    start = time.perf_counter()
    detector = load_card(card)
    tally = Tally(rng=random_key(rng))
    sinks = [tally.add, *also]
    pieces = smear_chunks(
        inputs,
        detector,
        rng=tally.rng,
        axis=axis,
        entries=entries,
        chunk=chunk,
        progress=progress,
        damage=damage,
    )
    about = provenance(detector, tally.rng, axis)
    with open_writer(out, overwrite=overwrite, provenance=about) as writer:
        for smeared in pieces:
            writer.write(smeared)
            for sink in sinks:
                sink(smeared)
    tally.seconds = time.perf_counter() - start
    return tally
