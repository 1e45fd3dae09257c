"""What is done to every event of a file: all that its outcome depends on, as data that can be sent and compared."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from forefold.detector.load import Card, fingerprint
from forefold.events.selection import SmearedSelection
from forefold.smearing.particle_columns import warn_of_thresholds
from forefold.smearing.smear import Axis, provenance, smear
from forefold.smearing.variations import Variation, VariedCard

if TYPE_CHECKING:
    from collections.abc import Mapping

    import awkward as ak

    from forefold.io.cross_sections import CrossSection
    from forefold.smearing.engine import OnInvalid
    from forefold.smearing.variations import Variations

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """How events are smeared.

    Attributes
    ----------
    card : Card
    rng : int
        What fixes the draws.
    axis, on_invalid : str
        See `forefold.smear`.
    where : str or None
        Condition on the true events.
    observables : bool
        Whether observables are added.
    variations : tuple of Variation
        Detectors whose visible energy is added.
    select : str or None
        Condition on what is reconstructed, for what is filled.
    define : mapping of str to str
        Observables of the user's own, that conditions may name.

    Examples
    --------
    >>> import forefold
    >>> recipe = Recipe(forefold.load_card("nusmear-default"), 1)
    >>> Recipe.of(recipe.to_dict()) == recipe
    True
    """

    card: Card
    rng: int
    axis: Axis = "probe"
    on_invalid: OnInvalid = "stop"
    where: str | None = None
    observables: bool = False
    variations: tuple[Variation, ...] = ()
    select: str | None = None
    define: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Recipe:
        """Make it from what `to_dict` gave."""
        fields = dict(facts)
        fields["card"] = Card.model_validate(fields["card"])
        pulls = fields["variations"].items()
        fields["variations"] = tuple(Variation(name, dict(values)) for name, values in pulls)
        return cls(**fields)

    def to_dict(self) -> dict[str, Any]:
        """As JSON would hold it; the card is in it whole, so that a file that changes later changes nothing."""
        return {
            "card": json.loads(fingerprint(self.card)[0]),
            "rng": self.rng,
            "axis": self.axis,
            "on_invalid": self.on_invalid,
            "where": self.where,
            "observables": self.observables,
            "variations": {variation.name: dict(variation.pulls) for variation in self.variations},
            "select": self.select,
            "define": dict(self.define),
        }

    def about(
        self, origins: Mapping[str, Any], cross_section: CrossSection | None = None
    ) -> dict[str, Any]:
        """Say what a file of such events was made with, for its provenance.

        Parameters
        ----------
        origins : mapping
            From `forefold.io.provenance`.
        cross_section : CrossSection, optional
            Where the inputs do not say it.
        """
        facts = provenance(self.card, self.rng, self.axis) | dict(origins)
        if self.where is not None:
            facts["where"] = self.where
        if cross_section is not None:
            facts["cross_section"] = cross_section.to_dict()
        if self.variations:
            facts["variations"] = {
                variation.name: dict(variation.pulls) for variation in self.variations
            }
        return facts

    def smear(self, events: ak.Array) -> ak.Array:
        """Smear one piece, with all columns that are asked for."""
        if self.variations:
            smeared = self._with_variations(events)
        else:
            smeared = smear(
                events, self.card, rng=self.rng, axis=self.axis, on_invalid=self.on_invalid
            )
        warn_of_thresholds(smeared, self.card)
        if not self.observables:
            return smeared
        from forefold.events import observables as kinematics

        table = kinematics.observables(events, smeared)
        return _widened(smeared, {name: table[name] for name in table.fields})

    def draw(self, events: ak.Array, number: int) -> ak.Array:
        """Smear one piece another time, with another draw of the detector."""
        settings: dict[str, Any] = {"axis": self.axis, "on_invalid": self.on_invalid}
        return smear(events, self.card, rng=self.rng, draw=number, **settings)

    def selected(self, events: ak.Array, smeared: ak.Array) -> ak.Array:
        """Keep what is selected of one piece that was smeared."""
        if self.select is None:
            return smeared
        return SmearedSelection(self.select, self.define).selected(events, smeared)

    @cached_property
    def varied(self) -> VariedCard:
        """The card and its variations, made ready."""
        return VariedCard(self.card, self.variations)

    def vary(self, events: ak.Array) -> Variations:
        """Smear one piece by the card and by each of its variations."""
        return self.varied.smear(events, rng=self.rng, axis=self.axis, on_invalid=self.on_invalid)

    def _with_variations(self, events: ak.Array) -> ak.Array:
        """Smear events, with a column for the visible energy in each variation."""
        varied = self.vary(events)
        rows = dict(zip(varied, varied.visible_energy_reco, strict=True))
        names = (variation.name for variation in self.variations)
        return _widened(varied.nominal, {f"visible_energy_reco_{n}": rows[n] for n in names})


def _widened(smeared: ak.Array, more: Mapping[str, Any]) -> ak.Array:
    """Put more columns behind those of smeared events, which stay as they are."""
    import awkward as ak

    columns = {name: smeared[name] for name in smeared.fields}
    columns |= {name: column for name, column in more.items() if name not in columns}
    result = ak.zip(columns, depth_limit=1)
    result.attrs["forefold"] = smeared.attrs["forefold"]
    return result
