"""Files through a detector, piece by piece: memory stays bounded whatever the size of the input."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forefold import events as records
from forefold import io
from forefold._about import __version__
from forefold.detector.load import Card, load_card
from forefold.events.selection import Selection, selection_of
from forefold.io.blocks import BLOCK, blocks, gathered
from forefold.io.files import refuse_as_output
from forefold.io.native.smeared import is_smeared, iterate_smeared, smeared_provenance
from forefold.io.provenance import origins
from forefold.io.write import open_writer
from forefold.kernels.fate import Fate
from forefold.smearing.smear import Axis, fate_counts, flag_count, random_key
from forefold.smearing.variations import VariedCard
from forefold.workflows.job import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import awkward as ak
    import numpy as np

    from forefold.io.cross_sections import CrossSection
    from forefold.io.registry import Damage, Entries, Paths, Progress
    from forefold.smearing.engine import OnInvalid
    from forefold.smearing.variations import Variation, Variations

__all__ = [
    "CHUNK",
    "Tally",
    "check_columns",
    "convert",
    "read_for",
    "smear_chunks",
    "smear_files",
    "vary_chunks",
]

CHUNK = BLOCK
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
    off_shell : int
        Particles whose energy was below their momentum.
    seconds : float
        Wall time.
    selection : Selection or None
        What events had to pass, with the counts of those that were read and kept.
    """

    rng: int
    events: int = 0
    particles: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)
    off_shell: int = 0
    seconds: float = 0.0
    selection: Selection | None = None

    def add(self, smeared: ak.Array) -> None:
        """Count one piece."""
        counts = fate_counts(smeared)
        self.events += len(smeared)
        self.particles += int(smeared.n_particles.to_numpy().sum())
        self.fates.update(counts)
        self.off_shell += flag_count(smeared, Fate.OFF_SHELL)


def smear_chunks(
    inputs: Paths,
    card: Card | str | Path,
    *,
    rng: int | np.random.Generator | None = None,
    axis: Axis = "probe",
    entries: Entries = None,
    where: str | Selection | None = None,
    observables: bool = False,
    chunk: int = CHUNK,
    progress: Progress | None = None,
    damage: Damage | None = None,
    on_invalid: OnInvalid = "stop",
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
    where : str or Selection, optional
        Condition on the true events, see `forefold.events.selection`; it changes no bit of those that are kept.
    observables : bool
        Add the columns of `forefold.observables` to each event.
    chunk : int
        Events in memory at a time; it changes no bit of the result.
    progress : callable, optional
        Called with the fraction that is done (or None) and the number of events so far.
    damage : Damage, optional
        Go on without events that cannot be read, and count them here.
    on_invalid : {"stop", "lose"}
        See `forefold.smear`.

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
    >>> from forefold.workflows.demo import sample
    >>> pieces = smear_chunks(sample(), "nusmear-default", rng=1, entries="0:300", chunk=100)
    >>> [len(piece) for piece in pieces]
    [100, 100, 100]
    """
    detector = load_card(card)
    recipe = Recipe(detector, random_key(rng), axis, on_invalid, observables=observables)
    settings = {"entries": entries, "where": where, "progress": progress, "damage": damage}
    return map(recipe.smear, read_for(inputs, detector, chunk=chunk, **settings))


def vary_chunks(
    inputs: Paths,
    card: Card | str | Path,
    *,
    variations: Sequence[Variation] | None = None,
    rng: int | np.random.Generator | None = None,
    axis: Axis = "probe",
    entries: Entries = None,
    where: str | Selection | None = None,
    chunk: int = CHUNK,
    progress: Progress | None = None,
    damage: Damage | None = None,
    on_invalid: OnInvalid = "stop",
) -> Iterator[Variations]:
    """Read files and smear them by a card and its variations, piece by piece.

    Parameters
    ----------
    inputs, rng, axis, entries, where, chunk, progress, damage, on_invalid
        See `smear_chunks`.
    card, variations
        See `forefold.smear_variations`.

    Returns
    -------
    iterator of Variations

    Raises
    ------
    ValueError, OSError
        See `smear_chunks` and `forefold.smear_variations`.

    Examples
    --------
    >>> from forefold.workflows.demo import sample
    >>> pieces = vary_chunks(sample(), "dune-fd-uncertainties", rng=1, entries="0:300", chunk=100)
    >>> [piece.visible_energy_reco.shape for piece in pieces]
    [(39, 100), (39, 100), (39, 100)]
    """
    varied = VariedCard(card, variations)
    key = random_key(rng)
    settings = {"entries": entries, "where": where, "progress": progress, "damage": damage}
    pieces = read_for(inputs, varied.card, chunk=chunk, **settings)
    return (varied.smear(events, rng=key, axis=axis, on_invalid=on_invalid) for events in pieces)


def read_for(inputs: Paths, card: Card, **settings: Any) -> Iterator[ak.Array]:
    """Read events, with their vertices where the card asks for them; settings are those of `forefold.iterate`."""
    if card.vertex is None:
        return io.iterate(inputs, **settings)
    return map(records.final_state, io.iterate(inputs, final_state_only=False, **settings))


def convert(
    inputs: Paths,
    out: str | Path,
    *,
    final_state_only: bool = True,
    entries: Entries = None,
    where: str | Selection | None = None,
    chunk: int = CHUNK,
    overwrite: bool = False,
    progress: Progress | None = None,
    damage: Damage | None = None,
    cross_section: CrossSection | None = None,
) -> int:
    """Read the events of any generator and write them in another format.

    Parameters
    ----------
    inputs : str, Path or a sequence of them
        Files or glob patterns, see `forefold.iterate`; or one file of smeared events.
    out : str or Path
        Output file: ``.csv`` (``.csv.gz``), one row a particle with ``event, pdgid, status, px, py, pz, energy``
        (GeV); or ``.parquet``, ``.root``, ``.h5``, ``.hepmc3`` (``.hepmc3.gz``) with the event record.
        It appears under its name only when it is complete.
    final_state_only : bool
        Leave out particles that are not final state.
    entries : str, tuple or slice, optional
        Range of entries of each file, such as ``"0:500"``.
    where : str or Selection, optional
        Write only events of which this condition is true; see `forefold.events.selection`.
    chunk : int
        Events in memory at a time.
    overwrite : bool
        Replace an existing file.
    progress : callable, optional
        Called with the fraction that is done (or None) and the number of events so far.

    damage : Damage, optional
        Go on without events that cannot be read, and count them here.
    cross_section : CrossSection, optional
        Flux-averaged total cross-section of the events that are written, where their files do not say it; see
        `forefold.io.cross_sections`.

    Returns
    -------
    int
        Number of events.

    Raises
    ------
    ValueError, OSError
        Bad input, or an output that cannot be written; nothing half-written is left.

    Examples
    --------
    >>> import forefold
    >>> forefold.convert("events.gst.root", "events.csv", entries="0:100")
    100
    """
    names = io.expand(inputs)
    refuse_as_output(names, out)
    content = "smeared" if len(names) == 1 and is_smeared(names[0]) else "events"
    about = {"version": __version__} | origins(names, entries, lenient=damage is not None)
    if content == "smeared":
        if where is not None:
            message = f"{names[0]}: where: for generator events only; these are smeared already"
            raise ValueError(message)
        pieces = iterate_smeared(names[0], chunk=chunk, entries=entries, progress=progress)
        about = {**smeared_provenance(names[0]), "converted": about}
    else:
        about["final_state_only"] = final_state_only
        if where is not None:
            where = selection_of(where)
            about["where"] = where.text
        pieces = io.iterate(
            names,
            chunk=chunk,
            entries=entries,
            where=where,
            final_state_only=final_state_only,
            progress=progress,
            damage=damage,
        )
    if cross_section is not None:
        about["cross_section"] = cross_section.to_dict()
    count = 0
    with open_writer(out, overwrite=overwrite, provenance=about, content=content) as writer:
        for (events,) in blocks((events,) for events in pieces):
            writer.write(events)
            count += len(events)
    return count


def smear_files(
    inputs: Paths,
    card: Card | str | Path,
    out: str | Path,
    *,
    rng: int | np.random.Generator | None = None,
    axis: Axis = "probe",
    entries: Entries = None,
    where: str | Selection | None = None,
    observables: bool = False,
    variations: Sequence[Variation] = (),
    chunk: int = CHUNK,
    overwrite: bool = False,
    progress: Progress | None = None,
    also: Iterable[Callable[[ak.Array], object]] = (),
    damage: Damage | None = None,
    on_invalid: OnInvalid = "stop",
    cross_section: CrossSection | None = None,
) -> Tally:
    """Read files, smear them and write the result.

    Parameters
    ----------
    inputs, card, rng, axis, entries, where, observables, chunk, progress, damage, on_invalid
        See `smear_chunks`.
    out : str or Path
        Output file: ``.parquet``, ``.csv`` (``.csv.gz``), ``.root``, ``.h5`` or ``.hepmc3`` (``.hepmc3.gz``), see
        `forefold.io.write.open_writer`.  It appears under its name only when it is complete.
    variations : sequence of Variation
        Add to each event the visible energy in each of these, as ``visible_energy_reco_<name>``.
    overwrite : bool
        Replace an existing file.
    also : iterable of callables
        Each gets every smeared piece, to fill histograms in the same pass.
    cross_section : CrossSection, optional
        See `convert`.

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
    check_columns(out, observables, variations, detector)
    tally = Tally(random_key(rng), selection=None if where is None else selection_of(where))
    recipe = Recipe(
        detector,
        tally.rng,
        axis,
        on_invalid,
        None if tally.selection is None else tally.selection.text,
        observables,
        tuple(variations),
    )
    sinks = [tally.add, *also]
    paths = io.expand(inputs)
    refuse_as_output(paths, out)
    pieces = read_for(
        paths,
        detector,
        chunk=chunk,
        entries=entries,
        where=tally.selection,
        progress=progress,
        damage=damage,
    )
    about = recipe.about(origins(paths, entries, lenient=damage is not None), cross_section)
    if variations:
        recipe.varied  # noqa: B018 - what is wrong with them is said before a file is opened
    with open_writer(out, overwrite=overwrite, provenance=about) as writer:
        both = ((recipe.smear(events), events) for events in gathered(pieces, chunk))
        for smeared, events in blocks(both):
            writer.write(smeared, events)
            for sink in sinks:
                sink(smeared)
    tally.seconds = time.perf_counter() - start
    return tally


def check_columns(
    out: str | Path, observables: bool, variations: Sequence[Variation], card: Card
) -> None:
    """Refuse columns of events where the output has rows of particles only.

    Raises
    ------
    ValueError
        If it is a csv file.
    """
    wide = {"observables": observables, "variations": variations, "vertices": card.vertex}
    what = next((name for name, wanted in wide.items() if wanted), None)
    if what and str(out).lower().endswith((".csv", ".csv.gz")):
        message = f"{out}: a csv file has one row a particle and no room for {what}; write .parquet or .root"
        raise ValueError(message)
