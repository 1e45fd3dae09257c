"""Entries of a response matrix from events: true and reconstructed values, weights and backgrounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import awkward as ak
import numpy as np

from forefold._about import __version__
from forefold.events import particles as species
from forefold.events.completeness import check_whole
from forefold.events.definitions import definitions_of
from forefold.events.observables import OBSERVABLES
from forefold.events.observables.catalogue import parted
from forefold.events.observables.final_state import check_same
from forefold.events.repeats import SharedDraws
from forefold.events.selection import backgrounds_of, selection_of, selection_of_smeared
from forefold.events.values import EventValues
from forefold.expressions.check import known
from forefold.matrix.axes import side_axes, warn_of_degrees, with_units
from forefold.matrix.contents import check_same_meaning
from forefold.matrix.fill import Entries, Filler
from forefold.smearing.particle_columns import particle_columns, warn_of_thresholds
from forefold.smearing.smear import smear

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from forefold.detector.load import Card
    from forefold.events.definitions import Definitions
    from forefold.events.selection import BackgroundCondition, Selection, SmearedSelection
    from forefold.matrix.axes import AxesLike
    from forefold.matrix.contents import Contents

    Array = NDArray[np.float64]

__all__ = [
    "PARTICLE_QUANTITIES",
    "EntryReader",
    "Missing",
    "check_quantities",
    "event_pairs",
    "fill_from_events",
    "numbers",
    "weights_of",
]

Missing: TypeAlias = Literal["stop", "accept"]
"""Whether smeared events of which some were cut are an error."""

_KEPT = ("version", "card", "card_sha256", "rng", "axis")

PARTICLE_QUANTITIES = ("energy", "kinetic_energy", "momentum", "theta", "cos_theta")
"""Quantities of a particle that an axis can be of; GeV, GeV/c and radians."""


def event_pairs(
    events: Any,
    card: Card | None,
    *,
    draws: int = 1,
    missing: Missing = "stop",
    **settings: Any,
) -> Iterator[tuple[ak.Array | None, list[ak.Array]]]:
    """Pair event records, None where they are not known, with their smeared events, piece by piece.

    Parameters
    ----------
    events : ak.Array, pair of ak.Array, or an iterable of them
        Event records (with a card), smeared events, or pairs of both.
    card : Card or None
        Detector that event records are smeared by.
    draws : int
        How often event records are smeared.
    missing : {"stop", "accept"}
        Whether events that were cut after they were smeared are an error.
    settings
        ``rng``, ``axis`` and ``on_invalid`` of `forefold.smear`.

    Yields
    ------
    events : ak.Array or None
    smeared : list of ak.Array, one a draw
    """
    if missing not in ("stop", "accept"):
        message = f"missing = {missing!r}: 'stop' or 'accept'"
        raise ValueError(message)
    for item in [events] if _is_piece(events) else events:
        if not _is_piece(item):
            message = (
                f"{type(item).__name__} among the events; event records, smeared events, or pairs "
                "(events, smeared) are needed"
            )
            raise ValueError(message)
        if isinstance(item, tuple):
            record, smeared = item
            check_same(record, smeared)
        elif "visible_energy_true" in item.fields:
            record, smeared = None, item
        else:
            yield item, _drawn(item, card, draws, settings)
            continue
        if missing == "stop":
            check_whole(smeared)
        if draws > 1:
            message = f"draws = {draws}: for event records with a card; these are smeared already"
            raise ValueError(message)
        yield record, [smeared]


def _is_piece(item: Any) -> bool:
    if isinstance(item, tuple):
        return len(item) == 2 and all(isinstance(array, ak.Array) for array in item)
    return isinstance(item, ak.Array)


def _drawn(
    events: ak.Array, card: Card | None, draws: int, settings: dict[str, Any]
) -> list[ak.Array]:
    if card is None:
        message = "event records need a card to be smeared by; or give what forefold.smear(events, card) returns"
        raise ValueError(message)
    smeared = [smear(events, card, draw=draw, **settings) for draw in range(draws)]
    warn_of_thresholds(smeared[0], card)
    return smeared


def fill_from_events(
    pieces: Iterable[tuple[ak.Array | None, Sequence[ak.Array]]],
    *,
    true: AxesLike,
    reco: AxesLike = None,
    of: str | int | None = None,
    weight: str | None = "weight",
    signal: str | Selection | None = None,
    select: str | SmearedSelection | None = None,
    background: Mapping[str, str | BackgroundCondition] | None = None,
    define: Definitions | Mapping[str, str] | Iterable[str] | None = None,
    draws: int = 1,
    replicas: int = 0,
    rng: int | np.random.Generator | None = None,
    **options: Any,
) -> Contents:
    """Fill the contents of a matrix with pieces of events.

    Parameters
    ----------
    pieces : iterable of (ak.Array or None, sequence of ak.Array)
        Event records and their smeared events, one for each draw, as `event_pairs` gives them.
    true, reco, of, weight, signal, select, background, define, draws, replicas, rng
        See `forefold.ResponseMatrix.from_events`.
    options
        ``binding_energy`` and ``thresholds`` of `forefold.observables`.

    Returns
    -------
    Contents

    Raises
    ------
    ValueError
        If a quantity is not known or a weight is not finite, see `forefold.ResponseMatrix.from_events`.
    """
    own_names = definitions_of(define)
    named = backgrounds_of(background, own_names)
    true_axes = with_units(side_axes(true, "true"), own_names.units)
    reco_axes = with_units(side_axes(true if reco is None else reco, "reco"), own_names.units)
    filler = Filler(
        true_axes, reco_axes, draws=draws, replicas=replicas, rng=rng, backgrounds=list(named)
    )
    reader = EntryReader(
        [axis.name for axis in filler.true_axes],
        [axis.name for axis in filler.reco_axes],
        of=of,
        weight=weight,
        signal=None if signal is None else selection_of(signal, own_names),
        select=selection_of_smeared(select, own_names),
        background=named,
        options=options | {"define": own_names},
    )
    warn_of_degrees((*filler.true_axes, *filler.reco_axes))
    about: dict[str, Any] = {}
    shared = SharedDraws()
    for number, (record, smeared) in enumerate(pieces):
        filler.add(reader.entries(record, smeared))
        attributes = smeared[0].attrs.get("forefold") or {}
        own = {"made": "events"} | {
            k: attributes[k] for k in _KEPT if attributes.get(k) is not None
        }
        if number:
            check_same_meaning(about, own)
            own = {k: v for k, v in about.items() if own.get(k) == v}
        about = own
        shared.add(smeared[0])
    notes = {"made": "events", "version": __version__, **about, **reader.notes()}
    return filler.contents(notes)


class EntryReader:
    """Read the quantities of the axes, weights and conditions from events.

    Parameters
    ----------
    true, reco : sequence of str
        Names of the axes, with ``_true`` and ``_reco``.
    of : str, int or None
        Kind of particle, for one entry for each such particle; None for one entry for each event.
    weight : str or None
        Field with the weight of an event; None for weights of 1.
    signal : Selection or None
        Condition on true events; what is not signal has no truth.
    select : SmearedSelection or None
        Condition on smeared events; what is not selected is not reconstructed.
    background : mapping of str to BackgroundCondition
        Conditions by name for selected events without truth; the first that holds counts.
    options
        ``define``, ``binding_energy`` and ``thresholds`` of `forefold.observables`.

    Raises
    ------
    ValueError
        If there is no such quantity.
    """

    def __init__(
        self,
        true: Sequence[str],
        reco: Sequence[str],
        *,
        of: str | int | None = None,
        weight: str | None = "weight",
        signal: Selection | None = None,
        select: SmearedSelection | None = None,
        background: Mapping[str, BackgroundCondition] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.true = [name.removesuffix("_true") for name in true]
        self.reco = [name.removesuffix("_reco") for name in reco]
        self._of = of
        self.of = None if of is None else species.pdgid(of) if isinstance(of, str) else int(of)
        self.weight, self.signal, self.select = weight, signal, select
        self.background = dict(background or {})
        self.options = dict(options or {})
        self.definitions = definitions_of(self.options.get("define"))
        self.options["define"] = self.definitions
        check_quantities([*self.true, *self.reco], self.definitions, self.of)

    def notes(self) -> dict[str, str]:
        """Give the particle, conditions and definitions as texts, for the provenance."""
        said = {"of": self._of, "signal": self.signal, "select": self.select}
        said |= {f"background_{name}": condition for name, condition in self.background.items()}
        said |= {f"define_{name}": text for name, text in self.definitions.texts.items()}
        texts = {key: getattr(value, "text", value) for key, value in said.items()}
        return {key: str(text) for key, text in texts.items() if text is not None}

    def entries(self, events: ak.Array | None, draws: Sequence[ak.Array]) -> Entries:
        """Give the entries of one piece of events.

        Raises
        ------
        ValueError
            If a quantity needs the event record and there is none, or the true values differ between draws.
        """
        first = draws[0]
        values = [EventValues(events, smeared, **self.options) for smeared in draws]
        per_draw = [self._one(*both) for both in zip(values, draws, strict=True)]
        true, _, rows = per_draw[0]
        for other, _, _ in per_draw[1:]:
            if any(
                not np.array_equal(a, b, equal_nan=True) for a, b in zip(true, other, strict=True)
            ):
                message = "draws: the stages of this card make other particles in every draw, so that what is true differs; take draws=1"
                raise ValueError(message)
        if self.signal is not None:
            good = self.signal.passed(values[0])[rows]
            true = [np.where(good, column, np.nan) for column in true]
        columns = [draw_columns[1] for draw_columns in per_draw]
        if self.select is not None:
            kept = [self.select.passed(event_values)[rows] for event_values in values]
            columns = [
                [np.where(keep, column, np.nan) for column in own]
                for keep, own in zip(kept, columns, strict=True)
            ]
        return Entries(
            true,
            [np.stack([own[k] for own in columns]) for k in range(len(self.reco))],
            weights_of(first, self.weight)[rows],
            numbers(first["stream"], np.uint64)[rows],
            numbers(first["entry"], np.uint64)[rows],
            np.stack([self._background_numbers(event_values)[rows] for event_values in values])
            if self.background
            else None,
        )

    def _background_numbers(self, values: EventValues) -> NDArray[np.int64]:
        """Give the number of the first background of which the condition is true, -1 where there is none."""
        indices = np.full(values.events, -1, dtype=np.int64)
        for k, condition in enumerate(self.background.values()):
            indices[condition.passed(values) & (indices < 0)] = k
        return indices

    def _one(self, values: EventValues, smeared: ak.Array) -> tuple[list[Array], list[Array], Any]:
        if self.of is not None:
            return self._of_particles(smeared)
        true, reco = (
            [numbers(values[f"{name}_{side}"], np.float64) for name in names]
            for side, names in (("true", self.true), ("reco", self.reco))
        )
        nothing = numbers(smeared["n_detected"], np.int64) == 0
        reco = [np.where(nothing, np.nan, column) for column in reco]
        return true, reco, np.arange(len(smeared))

    def _of_particles(self, smeared: ak.Array) -> tuple[list[Array], list[Array], Any]:
        flat = particle_columns(smeared)
        is_true = (flat.pdgid == self.of) & flat.smeared
        taken = flat.detected & (flat.pdgid_reco == self.of)
        keep = is_true | taken
        true = [
            np.where(
                is_true, _quantity(n, flat.energy_true, flat.theta_true, flat.mass_true), np.nan
            )[keep]
            for n in self.true
        ]
        reco = [
            np.where(taken, _quantity(n, flat.energy_reco, flat.theta_reco, flat.mass), np.nan)[
                keep
            ]
            for n in self.reco
        ]
        return true, reco, flat.event[keep]


def weights_of(events: ak.Array, weight: str | None) -> Array:
    """Give the weights of events: a field of them, or 1.

    Raises
    ------
    ValueError
        There is no such field.
    """
    if weight is None:
        return np.ones(len(events))
    if weight not in events.fields:
        message = f"no field {weight!r} for the weight; there are {', '.join(events.fields)}"
        raise ValueError(message)
    return numbers(events[weight])


def check_quantities(names: Iterable[str], definitions: Definitions, of: int | None = None) -> None:
    """Refuse names of axes that are no quantity of an event, or of a particle.

    Raises
    ------
    ValueError
        If a name is no quantity, or one of a condition; the message lists near names.
    """
    allowed = PARTICLE_QUANTITIES if of is not None else (*OBSERVABLES, *definitions)
    for name in (parted(axis_name)[0] for axis_name in names):
        if name not in allowed:
            near = species.near(name, list(allowed))
            rest = "" if near else known(name, allowed)
            message = f"no quantity {name!r}{near}{_where(name, of)}{rest}"
            raise ValueError(message)
        if name in definitions and definitions[name].expression.kind == "condition":
            message = f"{name} is a condition, an axis is of a number: where({name}, 1, 0) is one"
            raise ValueError(message)


def _where(name: str, of: int | None) -> str:
    if of is None and "(" in name:
        return (
            f" of an event (define it, by a name: define={{'m': {name!r}}}, --define 'm = {name}')"
        )
    if of is None and name in PARTICLE_QUANTITIES:
        return " of an event (it is one of a particle: say of=)"
    return " of an event" if of is None else " of a particle"


def _quantity(name: str, energy: Array, theta: Array, mass: Array) -> Array:
    if name == "energy":
        return energy
    if name == "kinetic_energy":
        return energy - mass
    if name == "momentum":
        return np.asarray(np.sqrt(np.maximum((energy - mass) * (energy + mass), 0.0)))
    return theta if name == "theta" else np.asarray(np.cos(theta))


def numbers(values: Any, dtype: Any = np.float64) -> NDArray[Any]:
    """Give a column as numpy; of real numbers, what is missing is NaN."""
    if dtype is np.float64:
        values = ak.fill_none(values, np.nan)
    return np.asarray(ak.to_numpy(values), dtype=dtype)
