"""Particles of smeared events as numpy arrays, which matrices, summaries and shifts are computed from.

The columns of the smeared output itself are made in `forefold.smearing.smear`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from forefold.detector.load import fingerprint, load_card
from forefold.events import particles as species
from forefold.kernels.fate import Fate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from forefold.detector.load import Card

__all__ = [
    "ParticleColumns",
    "card_of",
    "limits",
    "particle_column",
    "particle_columns",
    "selected",
    "type_indices",
    "warn_of_thresholds",
]

_NUCLEONS = (2212, 2112)
_NOT_SMEARED = -1
_BELOW = int(Fate.BELOW_THRESHOLD | Fate.BELOW_RECO_THRESHOLD)
_MANY = 100  # particles of a rule that say something about its threshold


@dataclass(frozen=True, slots=True)
class ParticleColumns:
    """Particles of smeared events, one element a particle; nan where nothing was reconstructed.

    ``event`` is the row of the particle's event, ``weight`` has one element an event. ``pdgid_reco`` and ``mass`` are of what a
    particle is taken for; ``mass_true`` is then that of the particle table.
    """

    events: int
    event: NDArray[np.int64]
    weight: NDArray[np.float64]
    pdgid: NDArray[np.int64]
    rule: NDArray[np.int64]
    fate: NDArray[np.int64]
    detected: NDArray[np.bool_]
    mass: NDArray[np.float64]
    pdgid_reco: NDArray[np.int64]
    mass_true: NDArray[np.float64]
    energy_true: NDArray[np.float64]
    energy_reco: NDArray[np.float64]
    theta_true: NDArray[np.float64]
    theta_reco: NDArray[np.float64]
    theta_drawn: NDArray[np.float64]

    @property
    def smeared(self) -> NDArray[np.bool_]:
        """True for particles that the card smears, lost ones included."""
        return self.rule >= 0

    def visible_true(self) -> NDArray[np.float64]:
        """Energy that counts in the event's visible energy, GeV: kinetic for p and n, total for all others."""
        nucleon = np.isin(self.pdgid, _NUCLEONS)
        return np.where(nucleon, self.energy_true - self.mass_true, self.energy_true)

    def visible_reco(self) -> NDArray[np.float64]:
        """Reconstructed part of the visible energy, GeV: kinetic for what is identified as p or n, 0 for lost particles."""
        nucleon = np.isin(self.pdgid_reco, _NUCLEONS)
        visible = np.where(nucleon, self.energy_reco - self.mass, self.energy_reco)
        return np.where(self.detected, visible, 0.0)


def particle_columns(smeared: ak.Array) -> ParticleColumns:
    """Take the particles out of smeared events.

    Parameters
    ----------
    smeared : ak.Array
        Events from `forefold.smear`.

    Returns
    -------
    ParticleColumns
        All particles, lost ones included, in their order.
    """
    if not {"particles", "visible_energy_true"} <= set(smeared.fields):
        fields = ", ".join(smeared.fields) or "none"
        message = f"these are not smeared events (fields: {fields}); pass what forefold.smear(events, card) returns"
        raise ValueError(message)
    particles = smeared["particles"]
    counts = ak.to_numpy(ak.num(particles, axis=1))
    rows = ak.flatten(particles, axis=1)

    def column(name: str, dtype: type) -> NDArray[Any]:
        return particle_column(rows, name, dtype)

    pdgid, mass = column("pdgid", np.int64), column("mass", np.float64)
    taken, mass_true = pdgid, mass
    if "pdgid_reco" in rows.fields:
        pdgid_reco = ak.to_numpy(ak.fill_none(rows["pdgid_reco"], 0)).astype(np.int64)
        taken = np.where(pdgid_reco == 0, pdgid, pdgid_reco)
        mistaken = (column("fate", np.int64) & int(Fate.MISIDENTIFIED)) != 0
        kinds, which = np.unique(pdgid, return_inverse=True)
        table = np.array([species.mass(int(kind)) for kind in kinds], dtype=np.float64)
        mass_true = np.where(mistaken, table[which], mass) if len(kinds) else mass
    return ParticleColumns(
        events=len(smeared),
        event=np.repeat(np.arange(len(smeared), dtype=np.int64), counts),
        weight=np.asarray(ak.to_numpy(smeared["weight"]), dtype=np.float64),
        pdgid=pdgid,
        rule=column("rule", np.int64),
        fate=column("fate", np.int64),
        detected=column("detected", np.bool_),
        mass=mass,
        pdgid_reco=taken,
        mass_true=mass_true,
        energy_true=column("energy_true", np.float64),
        energy_reco=column("energy_reco", np.float64),
        theta_true=column("theta_true", np.float64),
        theta_reco=column("theta_reco", np.float64),
        theta_drawn=column("theta_drawn", np.float64),
    )


def particle_column(particles: ak.Array, name: str, dtype: type) -> NDArray[Any]:
    """Values of one field of flattened particles; NaN, or 0 in a column of whole numbers, where there is none."""
    values = ak.to_numpy(particles[name])
    if isinstance(values, np.ma.MaskedArray):
        values = values.filled(np.nan if dtype is np.float64 else 0)
    return np.asarray(values, dtype=dtype)


def selected(smeared: ak.Array, cc_only: bool) -> ak.Array:
    """Charged-current events only, or all.

    Raises
    ------
    ValueError
        If `cc_only` is asked for and an event does not say whether it is charged current.
    """
    if not cc_only:
        return smeared
    unknown = int(ak.sum(ak.is_none(smeared["cc"])))
    if unknown:
        message = (
            f"cc_only: {unknown} of {len(smeared)} events do not say whether they are charged current; "
            "take all events (cc_only=False)"
        )
        raise ValueError(message)
    return smeared[ak.to_numpy(ak.fill_none(smeared["cc"], False))]


def card_of(smeared: ak.Array, card: Card | str | Path) -> Card:
    """Load the card, and refuse events that say they were smeared with another one.

    Raises
    ------
    ValueError
        If the checksums of the cards differ, or there is no such card.
    """
    loaded = load_card(card)
    about = smeared.attrs.get("forefold") or {}
    checksum = about.get("card_sha256")
    if checksum is not None and checksum != fingerprint(loaded)[1]:
        message = (
            f"the events were smeared with card '{about.get('card')}', not with this "
            f"'{loaded.name}': another card sorts their particles wrongly"
        )
        raise ValueError(message)
    return loaded


def warn_of_thresholds(smeared: ak.Array, card: Card) -> None:
    """Say which rules lose all of many particles of a generator's events to their thresholds.

    Parameters
    ----------
    smeared : ak.Array
        Events from `forefold.smear`; the words are the same for every piece of a file, so that they are said once.
    card : Card
        Detector.

    Warns
    -----
    UserWarning
        A rule's threshold is above the energies of these events.
    """
    particles = ak.flatten(smeared["particles"], axis=1)
    rule, fate = (np.asarray(ak.to_numpy(particles[name]), np.int64) for name in ("rule", "fate"))
    rule, lost = rule[rule >= 0], (fate[rule >= 0] & _BELOW) != 0
    every = np.bincount(rule, minlength=len(card.rules))
    below = np.bincount(rule[lost], minlength=len(card.rules))
    for i in np.flatnonzero((every >= _MANY) & (below == every)):
        block = card.rules[i]
        message = (
            f"card {card.name}: rule {block.name!r}: all of its particles are below its threshold ({block.threshold}), "
            "which is above the energies of these events"
        )
        warnings.warn(message, stacklevel=3)


def limits(range: Sequence[float]) -> tuple[float, float]:
    """Check the limits of an axis.

    Raises
    ------
    ValueError
        If they are not two finite numbers, the lower first.
    """
    low, high = range
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        message = f"range: two finite numbers are expected, the lower first; found ({low}, {high})"
        raise ValueError(message)
    return float(low), float(high)


def type_indices(rule: NDArray[np.int64], card: Card) -> NDArray[np.int64]:
    """Index into ``card.types`` of each particle, -1 where the particle was not smeared.

    Raises
    ------
    ValueError
        If a particle names a rule that the card does not have: the events were smeared with another card.
    """
    rules = len(card.rules)
    highest = int(rule.max(initial=_NOT_SMEARED))
    if highest >= rules:
        message = f"card '{card.name}' has {rules} rules, but a particle was smeared by rule {highest}: another card?"
        raise ValueError(message)
    types = list(card.types)
    lookup = np.array([types.index(r.type) for r in card.rules] + [_NOT_SMEARED], dtype=np.int64)
    return lookup[np.where(rule < 0, rules, rule)]
