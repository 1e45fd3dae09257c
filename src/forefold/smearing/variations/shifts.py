"""Shifts of reconstructed energies: pure functions of smeared events, nothing is drawn again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import awkward as ak
import numpy as np

from forefold.detector.load import load_card
from forefold.detector.uncertainty import LEPTONS
from forefold.events import particles as species
from forefold.kernels.fate import Fate
from forefold.smearing.particle_columns import particle_column
from forefold.smearing.variations.variation import Variation, parameter_values, shift_pulls

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from forefold.detector import ShiftBlock
    from forefold.detector.load import Card

__all__ = ["UnitShift", "group_energies", "shifted", "unit_shifts"]

_SOFT = 0.1
"""GeV, in E p2 / sqrt(E + 0.1 GeV): DUNE/lblpwgtools, CAFAna/Systs/EnergySysts.h."""

_BELOW_MASS = int(Fate.ENERGY_BELOW_MASS)


class UnitShift(NamedTuple):
    """Energy that a pull of one standard deviation adds.

    Attributes
    ----------
    particle : ndarray of float64, shape (particles,), GeV
        To the reconstructed energy of each particle; 0 for those that are not detected.
    event : ndarray of float64, shape (events,), GeV
        To the visible energy of each event: the sum over its particles, and what is lost of the truth of a sum.
    """

    particle: NDArray[np.float64]
    event: NDArray[np.float64]


class _Particles(NamedTuple):
    """Particles of smeared events as shifts need them; energies in GeV, NaN where nothing is reconstructed."""

    events: int
    event: NDArray[np.int64]
    pdgid: NDArray[np.int64]
    kinds: NDArray[np.int64]
    kind: NDArray[np.int64]
    parent: NDArray[np.int64] | None
    smeared: NDArray[np.bool_]
    detected: NDArray[np.bool_]
    energy_true: NDArray[np.float64]
    mass_true: NDArray[np.float64]
    nucleon: NDArray[np.bool_]
    energy_reco: NDArray[np.float64]
    mass: NDArray[np.float64]
    lepton: NDArray[np.int64]
    cc_known: NDArray[np.bool_]


def _particles_of(smeared: ak.Array) -> _Particles:
    """Take the particles out of their events."""
    particles = smeared["particles"]
    counts = ak.to_numpy(ak.num(particles, axis=1))
    rows = ak.flatten(particles, axis=1)
    event = np.repeat(np.arange(len(smeared), dtype=np.int64), counts)
    pdgid = particle_column(rows, "pdgid", np.int64)
    mass = particle_column(rows, "mass", np.float64)
    fate = particle_column(rows, "fate", np.int64)
    smeared_ones = particle_column(rows, "rule", np.int64) >= 0
    energy = particle_column(rows, "energy_true", np.float64)
    kinds, kind = np.unique(pdgid, return_inverse=True)
    mistaken = (fate & int(Fate.MISIDENTIFIED)) != 0
    true = mass
    if mistaken.any():
        table = np.array([species.mass(int(pdg)) for pdg in kinds])
        true = np.where(mistaken, table[kind], mass)
    taken = particle_column(rows, "pdgid_reco", np.int64) if "pdgid_reco" in rows.fields else pdgid
    starts = np.cumsum(counts) - counts
    parent = None
    if "parent" in rows.fields:
        parent = particle_column(rows, "parent", np.int64) + starts[event]
    lepton, cc_known = _lepton(smeared, event, pdgid, np.where(smeared_ones, energy, -1.0))
    return _Particles(
        len(smeared),
        event,
        pdgid,
        kinds,
        kind,
        parent,
        smeared_ones,
        particle_column(rows, "detected", np.bool_),
        energy,
        true,
        np.isin(taken, species.NUCLEONS),
        particle_column(rows, "energy_reco", np.float64),
        mass,
        lepton,
        cc_known,
    )


def _lepton(
    smeared: ak.Array,
    event: NDArray[np.int64],
    pdgid: NDArray[np.int64],
    energy: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Row of the lepton of each charged-current event, or -1: the most energetic of the kind that its neutrino makes."""
    cc = np.asarray(ak.to_numpy(ak.fill_none(smeared["cc"], False)), dtype=np.bool_)
    cc_known = ~np.asarray(ak.to_numpy(ak.is_none(smeared["cc"])), dtype=np.bool_)
    probe = np.asarray(ak.to_numpy(ak.fill_none(smeared["probe"], 0)), dtype=np.int64)
    lepton_pdgid = np.where(cc, probe - np.sign(probe), 0)
    lepton_row = np.full(len(smeared), -1, np.int64)
    neutrino = np.isin(np.abs(lepton_pdgid), (11, 13, 15))
    rows = np.flatnonzero(neutrino[event] & (pdgid == lepton_pdgid[event]) & (energy >= 0.0))
    order = np.lexsort((-rows, energy[rows], event[rows]))
    lepton_row[event[rows[order]]] = rows[order]  # the last one of an event stays
    return lepton_row, cc_known


def _sums(event: NDArray[np.int64], values: NDArray[Any], n: int) -> NDArray[np.float64]:
    """Add in input order, whatever the chunks."""
    return np.asarray(np.bincount(event, values, n), dtype=np.float64)


def _members(particles: _Particles, words: tuple[int | str, ...]) -> NDArray[np.bool_]:
    """Particles that words of a card name; products of a decay belong where the particle that decayed does."""
    plain = [word for word in words if word not in LEPTONS]
    member = np.zeros(particles.pdgid.size, dtype=np.bool_)
    if plain:
        named = [any(species.is_one(int(pdg), word) for word in plain) for pdg in particles.kinds]
        member = np.array(named, dtype=np.bool_)[particles.kind]
        if particles.parent is not None:
            member |= member[particles.parent]
    flavours = [
        flavour for word in words if isinstance(word, str) for flavour in LEPTONS.get(word, ())
    ]
    if flavours:
        rows = particles.lepton[particles.lepton >= 0]
        member[rows[np.isin(np.abs(particles.pdgid[rows]), flavours)]] = True
    return member


def _energies(
    particles: _Particles, which: str, members: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energy that a shift is of, true (of what the card smears) and reconstructed (of what is detected); else 0."""
    if which == "total":
        rest_true, rest = np.zeros_like(particles.mass), np.zeros_like(particles.mass)
    elif which == "kinetic":
        rest_true, rest = particles.mass_true, particles.mass
    else:
        rest_true = np.where(np.isin(particles.pdgid, species.NUCLEONS), particles.mass_true, 0.0)
        rest = np.where(particles.nucleon, particles.mass, 0.0)
    true = np.where(members & particles.smeared, particles.energy_true - rest_true, 0.0)
    reco = np.where(members & particles.detected, particles.energy_reco - rest, 0.0)
    return true, reco


def _group(particles: _Particles, shift: ShiftBlock) -> NDArray[np.bool_]:
    return _members(particles, shift.particles) & ~_members(particles, shift.exclude)


def _of_shift(particles: _Particles, shift: ShiftBlock) -> dict[str, UnitShift]:
    """Give the unit pulls of one shift."""
    members = _group(particles, shift)
    true, reco = _energies(particles, shift.energy, members)
    base = np.maximum(reco, 0.0)
    unit, alone = base, np.ones_like(particles.detected)
    if shift.on == "sum":
        alone = _members(particles, shift.apart)
        together = _sums(particles.event, np.where(alone, 0.0, base), particles.events)
        unit = np.where(alone, base, together[particles.event])
    units: dict[str, UnitShift] = {}
    for name, term in shift.pulls.items():
        size: float = getattr(shift, term)
        beside = np.zeros(particles.events)
        if term == "p0":
            change = size * base
        elif term == "p1":
            change = size * np.sqrt(unit) * base
        elif term == "p2":
            change = size / np.sqrt(unit + _SOFT) * base
        else:
            change = np.where(particles.detected & members, size * (true - reco), 0.0)
            if shift.truth == "all":
                summed = members & ~alone
                some = _sums(particles.event, summed & particles.detected, particles.events) > 0.0
                lost = summed & ~particles.detected & some[particles.event]
                beside = _sums(particles.event, np.where(lost, size * true, 0.0), particles.events)
        units[name] = UnitShift(change, _sums(particles.event, change, particles.events) + beside)
    return units


def unit_shifts(smeared: ak.Array, card: Card | str | Path) -> dict[str, UnitShift]:
    """Energy that one standard deviation of each pull of a card's shifts adds to smeared events.

    Pulls add: the shift of several is the sum of each pull times its unit shift.

    Parameters
    ----------
    smeared : ak.Array
        Events from `forefold.smear`.
    card : Card, str or Path
        Detector, or its name or file.

    Returns
    -------
    dict of str to UnitShift
        By name of the pull.

    Raises
    ------
    ValueError
        A shift is about the lepton of charged-current events, and an event does not say whether it is one.

    Examples
    --------
    >>> import forefold
    >>> card = forefold.load_card("dune-fd-uncertainties")
    >>> smeared = forefold.smear(forefold.read(forefold.sample()), card, rng=1)
    >>> unit = unit_shifts(smeared, card)
    >>> len(unit), unit["neutron_p0"].event.shape
    (19, (3000,))
    """
    card = load_card(card)
    return {} if not card.shifts else _all_shifts(_checked(smeared, card), card)


def _checked(smeared: ak.Array, card: Card) -> _Particles:
    particles = _particles_of(smeared)
    asking = [shift.name for shift in card.shifts if shift.asks_for_the_lepton]
    unknown = int(np.count_nonzero(~particles.cc_known))
    if asking and unknown:
        message = (
            f"card {card.name}: shift {asking[0]!r} is about the lepton of charged-current events, but {unknown} of "
            f"{particles.events} events do not say whether they are charged current"
        )
        raise ValueError(message)
    return particles


def _all_shifts(particles: _Particles, card: Card) -> dict[str, UnitShift]:
    return {
        name: unit for shift in card.shifts for name, unit in _of_shift(particles, shift).items()
    }


def shifted(
    smeared: ak.Array,
    card: Card | str | Path,
    variation: Variation | Mapping[str, float],
    *,
    units: Mapping[str, UnitShift] | None = None,
) -> ak.Array:
    """Shift the reconstructed energies of smeared events; nothing is drawn again.

    Parameters
    ----------
    smeared : ak.Array
        Events from `forefold.smear`, or read back from a file.
    card : Card, str or Path
        Detector, or its name or file.
    variation : Variation or mapping of str to float
        Pulls of the card's shifts.
    units : mapping of str to UnitShift, optional
        Result of `unit_shifts` for these events, where it is known already.

    Returns
    -------
    ak.Array
        The same events with other ``visible_energy_reco``, and other ``energy_reco``, ``px_reco``, ``py_reco``, ``pz_reco``
        of the particles, on the mass shell: a shift of a sum is shared out in proportion to their energies. Energies
        below the mass are flagged as by `forefold.smear`. What is detected stays detected.

    Raises
    ------
    ValueError
        A pull is not one of a shift of the card: parameters need other draws, see `smear_variations`.

    Examples
    --------
    >>> import forefold
    >>> card = forefold.load_card("dune-fd-uncertainties")
    >>> smeared = forefold.smear(forefold.read(forefold.sample()), card, rng=1)
    >>> moved = shifted(smeared, card, {"total_p0": 1.0, "muon_p0": 1.0})
    >>> bool((moved.visible_energy_reco.to_numpy() >= smeared.visible_energy_reco.to_numpy()).all())
    True
    """
    card = load_card(card)
    if not isinstance(variation, Variation):
        variation = Variation("shifted", dict(variation))
    if values := parameter_values(card, variation):
        message = (
            f"{next(iter(values))!r} is a parameter, which needs other draws: use smear_variations"
        )
        raise ValueError(message)
    pulls = shift_pulls(card, variation)
    if units is None:
        units = unit_shifts(smeared, card)
    result = _moved(smeared, {name: (pull, units[name]) for name, pull in pulls.items()})
    about = smeared.attrs.get("forefold")
    if about is not None:
        before = about.get("variation", {}).get("pulls", {})
        both = {name: before.get(name, 0.0) + pulls.get(name, 0.0) for name in {**before, **pulls}}
        record = {"name": variation.name, "pulls": both}
        result.attrs["forefold"] = {**about, "variation": record}
    return result


def _moved(smeared: ak.Array, pulls: Mapping[str, tuple[float, UnitShift]]) -> ak.Array:
    visible = np.asarray(ak.to_numpy(smeared["visible_energy_reco"]), dtype=np.float64)
    particles = smeared["particles"]
    counts = ak.to_numpy(ak.num(particles, axis=1))
    rows = ak.flatten(particles, axis=1)
    more = np.zeros(len(rows))
    for pull, unit in pulls.values():
        visible = visible + pull * unit.event
        more = more + pull * unit.particle
    detected = particle_column(rows, "detected", np.bool_)
    mass, fate = particle_column(rows, "mass", np.float64), particle_column(rows, "fate", np.uint16)
    energy = particle_column(rows, "energy_reco", np.float64) + more
    vector = np.stack([particle_column(rows, f"p{axis}_reco", np.float64) for axis in "xyz"])
    before = np.sqrt((vector * vector).sum(axis=0))
    below = detected & (energy < mass)
    after = np.sqrt(np.maximum((energy - mass) * (energy + mass), 0.0))
    # a particle that was at rest has no direction to go to
    factor = np.where(below, 0.0, after / np.where(before > 0.0, before, np.inf))
    factor = np.where(more == 0.0, 1.0, factor)
    flag = below | ((fate & _BELOW_MASS) != 0) & (before == 0.0)
    changed: dict[str, Any] = {
        "energy_reco": ak.mask(energy, detected),
        **{f"p{axis}_reco": ak.mask(v * factor, detected) for axis, v in zip("xyz", vector, strict=True)},
        "fate": np.where(flag, fate | _BELOW_MASS, fate & ~np.uint16(_BELOW_MASS)).astype(np.uint16),
    }  # fmt: skip
    columns = {name: changed.get(name, rows[name]) for name in rows.fields}
    fields = {name: smeared[name] for name in smeared.fields}
    fields["visible_energy_reco"] = visible
    fields["particles"] = ak.unflatten(ak.zip(columns, depth_limit=1), counts)
    result = ak.zip(fields, depth_limit=1)
    for key, value in smeared.attrs.items():
        result.attrs[key] = value
    return result


def group_energies(smeared: ak.Array, card: Card | str | Path) -> dict[str, NDArray[np.float64]]:
    """Reconstructed energy of the group of each shift of a card, event by event.

    Parameters
    ----------
    smeared : ak.Array
        Events from `forefold.smear`, or shifted ones.
    card : Card, str or Path
        Detector, or its name or file.

    Returns
    -------
    dict of str to ndarray of float64, shape (events,), GeV
        By name of the shift: sum of the energies (as its ``energy`` says) of its detected particles.

    Examples
    --------
    >>> import forefold
    >>> smeared = forefold.smear(forefold.read(forefold.sample()), "dune-fd-uncertainties", rng=1)
    >>> list(group_energies(smeared, "dune-fd-uncertainties"))
    ['total', 'muon', 'charged_hadrons', 'electromagnetic', 'neutron']
    """
    card = load_card(card)
    if not card.shifts:
        return {}
    particles = _checked(smeared, card)
    return {
        shift.name: _sums(
            particles.event,
            _energies(particles, shift.energy, _group(particles, shift))[1],
            particles.events,
        )
        for shift in card.shifts
    }
