"""Nominal and varied detectors in one call, with common random numbers, and no more draws than differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold.detector.compile import CompiledCard, compile_card
from forefold.detector.formulas import Formula, formulas_of_rule, parsed
from forefold.detector.load import Card, load_card
from forefold.smearing.engine import OnInvalid, SmearedParticles, smear_particles
from forefold.smearing.particles import Axis, EventParticles, checked_on_invalid, event_particles
from forefold.smearing.smear import provenance, random_key, smeared_events, visible_energy
from forefold.smearing.variations.shifts import UnitShift, shifted, unit_shifts
from forefold.smearing.variations.variation import (
    NOMINAL,
    Variation,
    named_variations,
    parameter_values,
    shift_pulls,
    standard_variations,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import awkward as ak
    from numpy.typing import NDArray

__all__ = ["Variations", "VariedCard", "smear_variations"]


class _Varied(NamedTuple):
    """A variation, with what it needs beyond the nominal card."""

    variation: Variation
    pulls: dict[str, float]
    card: Card
    compiled: CompiledCard | None
    values: frozenset[str]


class VariedCard:
    """A card with its variations made ready, to be used on one piece of a file after the other.

    Parameters
    ----------
    card : Card, str or Path
        Detector, or its name or file.
    variations : sequence of Variation, optional
        By default the standard ones.

    Raises
    ------
    ValueError
        Two variations of one name, a pull of nothing that is uncertain, or a card whose formulas do not hold.
    """

    def __init__(
        self, card: Card | str | Path, variations: Sequence[Variation] | None = None
    ) -> None:
        self.card = load_card(card)
        self.compiled = compile_card(self.card)
        chosen = standard_variations(self.card) if variations is None else list(variations)
        items: list[object] = [*chosen]
        for one in items:
            if not isinstance(one, Variation):
                message = f"variations: a Variation is expected, found {one!r}; of names, named_variations makes them"
                raise TypeError(message)
        self.variations = {variation.name: variation for variation in chosen}
        names = [NOMINAL, *(variation.name for variation in chosen)]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            message = f"variations: two are named {twice[0]!r}"
            raise ValueError(message)
        self._varied = {variation.name: self._ready(variation) for variation in chosen}
        self._asked = [
            _parameters(self.card, list(formulas_of_rule(rule.name, rule)))
            for rule in self.card.rules
        ]
        self._identified = [
            _parameters(
                self.card,
                [
                    Formula("identification", entry.probability, "number")
                    for entry in block.row
                    if isinstance(entry.probability, str)
                ],
            )
            for block in self.card.identification
        ]

    def _ready(self, variation: Variation) -> _Varied:
        values = parameter_values(self.card, variation)
        pulls = shift_pulls(self.card, variation)
        if not values:
            return _Varied(variation, pulls, self.card, None, frozenset())
        card = self.card.with_parameters(values)
        return _Varied(variation, pulls, card, compile_card(card), frozenset(values))

    def smear(
        self,
        events: ak.Array,
        *,
        rng: int | np.random.Generator | None = None,
        axis: Axis = "probe",
        on_invalid: OnInvalid = "stop",
    ) -> Variations:
        """Smear events by the nominal and by each varied card; see `smear_variations`."""
        return Variations(self, events, random_key(rng), axis, on_invalid)

    def _asks(self, pdgid: int, names: frozenset[str]) -> bool:
        """Whether any rule for this particle depends on one of these parameters."""
        return any(self._asked[k] & names for k in self.card.candidates(pdgid))

    def _confuses(self, pdgid: int, names: frozenset[str]) -> bool:
        """Whether what this particle is taken for depends on one of these parameters."""
        blocks = zip(self.card.identification, self._identified, strict=True)
        return any(asked & names and block.covers(pdgid) for block, asked in blocks)

    def _affected(
        self, particles: EventParticles, nominal: SmearedParticles, names: frozenset[str]
    ) -> NDArray[np.bool_]:
        """Particles that these parameters may change."""
        start = particles.truth.species if particles.taken is None else particles.taken
        affected = _by_kind(particles.pdgid, start, lambda pdg: self._confuses(pdg, names))
        kinds, rows = np.unique(nominal.pdgid, return_inverse=True)
        return affected | _by_kind(kinds, rows, lambda pdg: self._asks(pdg, names))


class Variations(Mapping[str, "ak.Array"]):
    """Smeared events of the nominal card and of its variations, by name; the nominal ones are first.

    Events are made when they are asked for, so that many variations fit into memory; visible energies are there at once.

    Attributes
    ----------
    card : Card
        Nominal.
    visible_energy_reco : ndarray of float64, shape (1 + variations, events), GeV
        A row for each name, in order.
    """

    def __init__(
        self,
        varied: VariedCard,
        events: ak.Array,
        rng: int,
        axis: Axis,
        on_invalid: OnInvalid,
    ) -> None:
        self.card = varied.card
        self._varied = varied
        self._on_invalid = checked_on_invalid(on_invalid)
        self._particles = event_particles(events, self.card, rng, axis)
        self._nominal = self._smeared(varied.compiled, None)
        self._about = provenance(self.card, rng, axis)
        self._events = smeared_events(self._particles, self.card, self._nominal, self._about)
        self._units: dict[str, UnitShift] | None = None
        rows = [np.asarray(self._events["visible_energy_reco"].to_numpy(), dtype=np.float64)]
        rows += [self._visible(one) for one in varied._varied.values()]
        self.visible_energy_reco: NDArray[np.float64] = np.stack(rows)

    def __iter__(self) -> Iterator[str]:
        return iter((NOMINAL, *self._varied.variations))

    def __len__(self) -> int:
        return 1 + len(self._varied.variations)

    def __contains__(self, name: object) -> bool:
        return name == NOMINAL or name in self._varied.variations

    def __getitem__(self, name: str) -> ak.Array:
        """Smeared events of a variation, as `forefold.smear` gives them; their provenance tells the pulls."""
        if name == NOMINAL:
            return self._events
        varied = self._varied._varied[name]
        pulls = {key: float(pull) for key, pull in varied.variation.pulls.items()}
        events, units = self._drawn(varied)
        if varied.pulls:
            events = shifted(events, self.card, varied.pulls, units=units)
        record = {"name": name, "pulls": pulls}
        if varied.compiled is None and not varied.pulls:
            import awkward as ak

            events = ak.Array(events.layout, attrs=dict(events.attrs))
        events.attrs["forefold"] = {**self._about, "variation": record}
        return events

    @property
    def nominal(self) -> ak.Array:
        """Smeared events of the card as it is."""
        return self._events

    @property
    def events(self) -> ak.Array:
        """Event record that was smeared."""
        return self._particles.events

    def _smeared(self, compiled: CompiledCard, rows: NDArray[np.int64] | None) -> SmearedParticles:
        """Send particles through a card, all or some."""
        truth, fate, taken = self._particles.truth, self._particles.fate, self._particles.taken
        if rows is not None:
            columns = {key: getattr(truth, key)[rows] for key in truth._fields if key != "axis"}
            truth, fate = truth._replace(**columns), fate[rows]
            taken = None if taken is None else taken[rows]
        return smear_particles(
            truth, self._particles.pdgid, fate, compiled, taken=taken, on_invalid=self._on_invalid
        )

    def _varied_particles(self, varied: _Varied) -> SmearedParticles:
        """Send particles through a varied card: drawn again where it may differ, else the nominal one."""
        assert varied.compiled is not None
        affected = self._varied._affected(self._particles, self._nominal, varied.values)
        rows = np.flatnonzero(affected)
        if 2 * rows.size > affected.size:  # taking some out and putting them back costs more
            return self._smeared(varied.compiled, None)
        if not rows.size:
            return self._nominal
        part, whole = self._smeared(varied.compiled, rows), self._nominal
        out = whole.out._replace(
            **{
                key: _put(getattr(whole.out, key), rows, getattr(part.out, key))
                for key in whole.out._fields
            }
        )
        return whole._replace(
            out=out,
            pdgid=_put(whole.pdgid, rows, part.pdgid),
            mass_true=_put(whole.mass_true, rows, part.mass_true),
        )

    def _drawn(self, varied: _Varied) -> tuple[ak.Array, dict[str, UnitShift] | None]:
        """Events of a varied card before their energies are shifted, and the shifts that are known of them."""
        if varied.compiled is None:
            if varied.pulls and self._units is None:
                self._units = unit_shifts(self._events, self.card)
            return self._events, self._units
        drawn = self._varied_particles(varied)
        return smeared_events(self._particles, self.card, drawn, dict(self._about)), None

    def _visible(self, varied: _Varied) -> NDArray[np.float64]:
        if varied.compiled is not None and not varied.pulls:
            energy: Any = visible_energy(
                self._particles.truth,
                self._particles.pdgid[self._particles.truth.species],
                self._varied_particles(varied),
                len(self._particles.counts),
            )["visible_energy_reco"]
            return np.asarray(energy, dtype=np.float64)
        events, units = self._drawn(varied)
        visible = np.asarray(events["visible_energy_reco"].to_numpy(), dtype=np.float64)
        if varied.pulls and units is None:
            units = unit_shifts(events, self.card)
        for name, pull in varied.pulls.items():
            assert units is not None
            visible = visible + pull * units[name].event
        return visible


def _put(whole: NDArray[Any], rows: NDArray[np.int64], part: NDArray[Any]) -> NDArray[Any]:
    both = whole.copy()
    both[rows] = part
    return both


def _by_kind(kinds: NDArray[np.int64], rows: NDArray[np.int64], holds: Any) -> NDArray[np.bool_]:
    return np.array([holds(int(pdg)) for pdg in kinds], dtype=np.bool_)[rows]


def _parameters(card: Card, formulas: list[Formula]) -> frozenset[str]:
    """Parameters that formulas name."""
    named = {name for formula in formulas for name in parsed(card, formula).names}
    return frozenset(named & set(card.parameters))


def smear_variations(
    events: ak.Array,
    card: Card | str | Path,
    *,
    rng: int | np.random.Generator | None = None,
    variations: Sequence[Variation | str] | None = None,
    axis: Axis = "probe",
    on_invalid: OnInvalid = "stop",
) -> Variations:
    """Smear events by a card and by its variations, with common random numbers.

    Every detector uses the same uniforms, so that the difference to the nominal one is the effect of the variation, without
    noise of its own. Shifts draw nothing; a parameter draws again only the particles whose rules depend on it.

    Parameters
    ----------
    events : ak.Array
        Event record, see `forefold.smear`.
    card : Card, str or Path
        Nominal detector, with its uncertainties.
    rng, axis, on_invalid
        See `forefold.smear`.
    variations : sequence of Variation or str, optional
        By default `standard_variations` of the card; see also `universes`. Names are those of `named_variations`: ``"all"``,
        ``"universes:10"``, ``"muon_p0_up"``.

    Returns
    -------
    Variations
        A mapping of names to smeared events, ``"nominal"`` first. That of a parameter has the bits that
        ``forefold.smear(events, card.with_parameters(...), rng=rng)`` gives.

    Raises
    ------
    ValueError
        See `forefold.smear`; or a variation pulls what the card does not have.

    Examples
    --------
    >>> import forefold
    >>> events = forefold.read(forefold.sample(), entries="0:100")
    >>> varied = smear_variations(events, "dune-fd-uncertainties", rng=1)
    >>> len(varied), varied.visible_energy_reco.shape
    (39, (39, 100))
    >>> varied["neutron_p0_up"].attrs["forefold"]["variation"]
    {'name': 'neutron_p0_up', 'pulls': {'neutron_p0': 1.0}}
    """
    card, rng = load_card(card), random_key(rng)
    chosen: list[Variation] | None = None
    if variations is not None:
        words = [variations] if isinstance(variations, str) else list(variations)
        chosen = []
        for one in words:
            chosen += named_variations(card, [one], rng) if isinstance(one, str) else [one]
    return VariedCard(card, chosen).smear(events, rng=rng, axis=axis, on_invalid=on_invalid)
