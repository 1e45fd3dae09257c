"""Events through a detector: every particle gets a fate, and the seen ones what is reconstructed of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from forefold._about import __version__
from forefold.detector.compile import compile_card
from forefold.detector.load import Card, fingerprint, load_card
from forefold.events import particles as species
from forefold.events.completeness import smeared_here
from forefold.kernels.fate import OUTCOMES, Fate, particle_counts
from forefold.kernels.philox import random_key
from forefold.smearing.engine import OnInvalid, SmearedParticles, smear_particles
from forefold.smearing.particles import Axis, checked_on_invalid, event_particles, particle_values
from forefold.smearing.vertex import vertex_columns

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from forefold.kernels.layout import Smeared, TrueParticles
    from forefold.smearing.particles import EventParticles

__all__ = [
    "Axis",
    "fate_counts",
    "flag_count",
    "provenance",
    "random_key",
    "reconstructed",
    "smear",
    "smeared_events",
    "visible_energy",
]

_OUTCOME_BITS = int(sum(OUTCOMES))
_KEPT = (
    "event",
    "entry",
    "stream",
    "process_id",
    "cc",
    "nc",
    "weight",
    "probe",
    "target",
    "source",
)
_DRAWS = 2**16
_RECO = ("energy_reco", "theta_reco", "phi_reco", "px_reco", "py_reco", "pz_reco")


def smear(
    events: ak.Array,
    card: Card | str | Path,
    *,
    rng: int | np.random.Generator | None = None,
    axis: Axis = "probe",
    on_invalid: OnInvalid = "stop",
    draw: int = 0,
) -> ak.Array:
    """Smear events by a detector card: what would be reconstructed of them.

    Parameters
    ----------
    events : ak.Array
        Event record of `forefold.read` or `forefold.events.build`, one row per event.
    card : Card, str or Path
        Detector, or its name or file (see `forefold.load_card`).
    rng : int, numpy Generator or None
        An integer from 0 to 2^64 - 1 fixes every draw: the draws of a particle depend on `rng`, on its file, on
        its event's entry and on its place in the event, and on nothing else, so any chunks give the same bits.
        A Generator gives one such integer.  None takes one from the operating system.  The integer is kept in
        the result's ``attrs["forefold"]["rng"]``.
    axis : {"probe", "z"}
        Direction to which polar angles refer: that of the incident particle (the probe) of each event, or the z axis.
    on_invalid : {"stop", "lose"}
        What becomes of a particle for which a formula of the card has no value, or one that is not allowed.
    draw : int
        Which of many independent draws of the same events with the same `rng`, from 0 to 65535.

    Returns
    -------
    ak.Array
        One row per event: identification, weight, ``visible_energy_true`` and ``visible_energy_reco`` (GeV;
        kinetic energy of protons and neutrons, total energy of all others, over the particles that the card
        smears), ``n_particles``, ``n_detected``, ``n_lost``, ``n_not_smeared``, and ``particles`` in input order:
        ``pdgid``, ``energy_true``, ``theta_true``, ``detected``, ``energy_reco``, ``theta_reco``, ``phi_reco``,
        ``px_reco``, ``py_reco``, ``pz_reco``, ``fate`` (see `forefold.Fate`), ``mass``, ``theta_drawn``, ``rule``.
        Energies are total energies in GeV, angles in radians.  What is not seen is None, not zero. A card that
        identifies particles adds ``pdgid_reco`` (and ``mass`` is that particle's), one with mixtures ``component``, one
        with stages ``parent`` (index of the particle that this one comes from; products stand behind the event's own)
        and ``michel``. A card with ``[vertex]`` adds to the events ``vertex_x_true``, ``vertex_x_reco``, ... (cm, of the record's frame),
        ``time_true`` and ``time_reco`` (ns).

    Raises
    ------
    ValueError
        A final-state particle has an energy that is negative or not finite; an event has no incident particle
        to refer angles to; the card or `rng` is not valid; a formula has no value for a particle; the card has
        ``[vertex]`` and the events have none.

    Notes
    -----
    The mass is the record's own where E is at least p, else the particle table's (and the fate has ``OFF_SHELL``);
    a kinetic energy that this leaves negative counts as zero.  Thresholds are on true kinetic energy.
    ``theta_drawn`` is the angle before it is brought back to the sphere; it is given for lost particles too.

    References
    ----------
    arXiv:2209.05260.

    Examples
    --------
    >>> import forefold
    >>> toy = forefold.events.build(
    ...     pdgid=[[13, 2212, 14]],
    ...     px=0.0,
    ...     py=0.0,
    ...     pz=[[1.0, 0.1, 2.0]],
    ...     energy=[[1.0056, 0.9436, 2.0]],
    ... )
    >>> smeared = forefold.smear(toy, "nusmear-dune-cdr", rng=1, axis="z")
    >>> [str(forefold.Fate(f).name) for f in smeared.particles.fate[0]]
    ['DETECTED', 'BELOW_THRESHOLD', 'NEUTRINO']
    """
    card = load_card(card)
    rng = random_key(rng)
    on_invalid = checked_on_invalid(on_invalid)
    if not 0 <= draw < _DRAWS:
        message = f"draw: a whole number from 0 to {_DRAWS - 1}, found {draw!r}"
        raise ValueError(message)
    particles = event_particles(events, card, rng, axis, variation=draw)
    drawn = smear_particles(
        particles.truth,
        particles.pdgid,
        particles.fate,
        compile_card(card),
        taken=particles.taken,
        variation=draw,
        on_invalid=on_invalid,
    )
    about = provenance(card, rng, axis) | ({"draw": draw} if draw else {})
    return smeared_events(particles, card, drawn, about)


def smeared_events(
    particles: EventParticles, card: Card, drawn: SmearedParticles, about: dict[str, Any]
) -> ak.Array:
    """Build the smeared events from smeared particles; the columns are those that `smear` describes.

    Parameters
    ----------
    particles : EventParticles
        What went in.
    card : Card
        Detector.
    drawn : SmearedParticles
        The particles after smearing.
    about : dict
        Where it comes from.

    Returns
    -------
    ak.Array
        See `smear`.

    Raises
    ------
    ValueError
        An energy or a width was so large that nothing finite came out.
    """
    truth, out, n = particles.truth, drawn.out, len(particles.counts)
    _check_finite(particles.events, truth, out)
    columns = _columns(truth, particles.pdgid[truth.species], out)
    columns |= _optional_columns(card, drawn) | particles.extra
    result: dict[str, Any] = {name: particles.events[name] for name in _KEPT}
    result |= vertex_columns(particles.events, card, about["rng"])
    result |= visible_energy(truth, particles.pdgid[truth.species], drawn, n)
    result |= particle_counts(out.fate, truth.event, n)
    nested = ak.zip(
        {name: ak.unflatten(column, particles.counts) for name, column in columns.items()}
    )
    result["particles"] = nested
    array = ak.zip(result, depth_limit=1)
    array.attrs = {"forefold": about, **smeared_here(array)}
    return array


def provenance(card: Card, rng: int, axis: str) -> dict[str, Any]:
    """Say what a smeared sample was made with: version, card, its text and SHA-256, rng, axis."""
    text, digest = fingerprint(card)
    return {
        "version": __version__,
        "card": card.name,
        "card_text": json.loads(text),
        "card_sha256": digest,
        "rng": rng,
        "axis": axis,
    }


def reconstructed(smeared: ak.Array) -> ak.Array:
    """Four-vectors of the detected particles, on the mass shell.

    Parameters
    ----------
    smeared : ak.Array
        Result of `smear`.

    Returns
    -------
    ak.Array
        ``var * Momentum4D`` with ``pdgid`` (of what the particle was taken for), ``px``, ``py``, ``pz`` and ``energy`` (GeV); a particle whose drawn
        energy is below its mass is at rest.

    Examples
    --------
    >>> import forefold
    >>> toy = forefold.events.build(pdgid=13, px=0.0, py=0.0, pz=[2.0], energy=2.0028)
    >>> reco = forefold.reconstructed(forefold.smear(toy, "nusmear-default", rng=1, axis="z"))
    >>> bool(abs(reco.mass[0, 0] - toy.particles.mass[0, 0]) < 1e-7)
    True
    """
    detected = smeared.particles[smeared.particles.detected]
    at_rest = (detected.fate & int(Fate.ENERGY_BELOW_MASS)) != 0
    columns = {
        "pdgid": _known(detected.pdgid_reco, 0)
        if "pdgid_reco" in detected.fields
        else detected.pdgid,
        **{key: _known(detected[f"{key}_reco"]) for key in ("px", "py", "pz")},
        "energy": ak.where(at_rest, detected.mass, _known(detected.energy_reco)),
    }
    return ak.zip(columns, with_name="Momentum4D")


def fate_counts(smeared: ak.Array) -> dict[Fate, int]:
    """Count the particles of each outcome; the counts add up to the particles that came in.

    Parameters
    ----------
    smeared : ak.Array
        Result of `smear`.

    Returns
    -------
    dict of Fate to int
        In the order of the bits; outcomes that did not occur are left out.

    Examples
    --------
    >>> import forefold
    >>> toy = forefold.events.build(pdgid=[[13, 14]], px=0.0, py=0.0, pz=2.0, energy=2.0028)
    >>> forefold.fate_counts(forefold.smear(toy, "nusmear-default", rng=1, axis="z"))
    {<Fate.DETECTED: 1>: 1, <Fate.NEUTRINO: 8>: 1}
    """
    outcomes = particle_values(smeared.particles.fate, np.int64) & _OUTCOME_BITS
    fates, counts = np.unique(outcomes, return_counts=True)
    return {Fate(int(f)): int(n) for f, n in zip(fates, counts, strict=True)}


def flag_count(smeared: ak.Array, flag: Fate) -> int:
    """Count the particles that have a flag.

    Parameters
    ----------
    smeared : ak.Array
        Result of `smear`.
    flag : Fate
        Such as ``Fate.OFF_SHELL``.

    Returns
    -------
    int
        Number of particles whose fate has the flag.

    Examples
    --------
    >>> import forefold
    >>> toy = forefold.events.build(pdgid=13, px=0.0, py=0.0, pz=2.0, energy=[2.0028, 1.8])
    >>> flag_count(forefold.smear(toy, "nusmear-default", rng=1, axis="z"), forefold.Fate.OFF_SHELL)
    1
    """
    return int(np.count_nonzero(particle_values(smeared.particles.fate, np.int64) & int(flag)))


def _known(option: ak.Array, absent: float = np.nan) -> ak.Array:
    """Values of an option type of which none is missing."""
    return ak.fill_none(option, absent, axis=-1)


def _check_finite(events: ak.Array, truth: TrueParticles, out: Smeared) -> None:
    """Refuse energies and widths so large that nothing finite comes out."""
    detected = (out.fate & int(Fate.DETECTED)) != 0
    good = np.isfinite(out.px_reco) & np.isfinite(out.py_reco) & np.isfinite(out.pz_reco)
    bad = detected & ~(good & np.isfinite(out.energy_reco))
    if bad.any():
        i = int(np.argmax(bad))
        row = int(truth.event[i])
        message = (
            f"{events.source[row]}: entry {int(events.entry[row])} (event {int(events.event[row])}): "
            f"a particle of {truth.energy[i]:.6g} GeV gives no finite result "
            f"(energy {out.energy_reco[i]:.6g} GeV): the energy or the card's resolution is too large"
        )
        raise ValueError(message)


def _columns(truth: TrueParticles, pdgid: NDArray[np.int64], out: Smeared) -> dict[str, Any]:
    """Columns of the particles in their order; None where nothing was detected."""
    detected = (out.fate & int(Fate.DETECTED)) != 0
    columns: dict[str, Any] = {
        "pdgid": pdgid,
        "energy_true": truth.energy,
        "theta_true": out.theta_true,
        "detected": detected,
    }
    columns |= {name: ak.mask(getattr(out, name), detected) for name in _RECO}
    columns |= {
        "fate": out.fate,
        "mass": out.mass,
        "theta_drawn": ak.mask(out.theta_drawn, ~np.isnan(out.theta_drawn)),
        "rule": out.rule,
    }
    return columns


def _optional_columns(card: Card, drawn: SmearedParticles) -> dict[str, Any]:
    """Columns that only some cards need."""
    out = drawn.out
    detected = (out.fate & int(Fate.DETECTED)) != 0
    columns: dict[str, Any] = {}
    if card.identification or card.stages:
        columns["pdgid_reco"] = ak.mask(drawn.pdgid, detected)
    if any(rule.energy.parts for rule in card.rules):
        columns["component"] = ak.mask(out.component, detected)
    return columns


def visible_energy(
    truth: TrueParticles, pdgid: NDArray[np.int64], drawn: SmearedParticles, n: int
) -> dict[str, NDArray[np.float64]]:
    """Sum of what a calorimeter counts: kinetic energy of nucleons, total energy of all others.

    Parameters
    ----------
    truth : TrueParticles
        True particles, with what their random numbers depend on.
    pdgid : ndarray of int64, shape (p,)
        True identifiers.
    drawn : SmearedParticles
        The particles after smearing.
    n : int
        Number of events.

    Returns
    -------
    dict of str to ndarray of float64, shape (n,), GeV
        ``visible_energy_true`` and ``visible_energy_reco``.
    """
    out = drawn.out
    rest = np.where(np.isin(pdgid, species.NUCLEONS), drawn.mass_true, 0.0)
    smeared = out.rule >= 0
    detected = (out.fate & int(Fate.DETECTED)) != 0
    true = np.where(smeared, truth.energy - rest, 0.0)
    rest = np.where(np.isin(drawn.pdgid, species.NUCLEONS), out.mass, 0.0)
    reco = np.where(detected, out.energy_reco - rest, 0.0)
    # bincount adds in input order: the sum does not depend on how events are cut into chunks
    return {
        "visible_energy_true": np.asarray(np.bincount(truth.event, true, n), dtype=np.float64),
        "visible_energy_reco": np.asarray(np.bincount(truth.event, reco, n), dtype=np.float64),
    }
