"""What was observed of smeared particles, and how probable a card makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import awkward as ak
import numpy as np

from forefold.detector.compile import compile_card
from forefold.detector.load import Card
from forefold.kernels.fate import Fate
from forefold.smearing.closed_form import particle_hypotheses
from forefold.smearing.particles import event_particles, particle_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.kernels.layout import TrueParticles
    from forefold.smearing.closed_form import Hypothesis
    from forefold.smearing.engine import OnInvalid

    Array = NDArray[np.float64]

__all__ = ["Likelihoods", "ObservedSample", "card_of_sample", "likelihoods", "observed_sample"]

_UNSMEARED = int(
    Fate.NEUTRINO
    | Fate.NUCLEUS
    | Fate.PSEUDO_PARTICLE
    | Fate.NOT_FINAL_STATE
    | Fate.DECAYED
    | Fate.MERGED
)
_SETTLED = int(Fate.NOT_FINAL_STATE | Fate.DECAYED | Fate.MERGED)


@dataclass(frozen=True)
class ObservedSample:
    """Particles of smeared events: true, and as they were reconstructed.

    Attributes
    ----------
    truth : TrueParticles
        True particles, with what their random numbers depend on.
    kinds : ndarray of int64, shape (s,)
        PDG identifiers that ``truth.species`` are rows of.
    settled : ndarray of uint16, shape (n,)
        Outcomes from before the rules.
    taken : ndarray of int64, shape (n,), or None
        What stages took particles for.
    smeared : ndarray of bool, shape (n,)
        The card does not leave it out.
    detected : ndarray of bool, shape (n,)
        Whether it was detected.
    pdgid : ndarray of int64, shape (n,)
        True identity, and the reconstructed one where it was detected.
    seen_as : ndarray of int64, shape (n,)
        PDG identifier that it was identified as; 0 where it was not detected.
    energy, theta, phi : ndarray, shape (n,)
        Reconstructed; 0 where it was not detected.
    counts : ndarray of int64, shape (events,)
        Particles of each event.
    invalid : bool
        Particles for which a formula has no value were lost, not refused.
    """

    truth: TrueParticles
    kinds: NDArray[np.int64]
    settled: NDArray[np.uint16]
    taken: NDArray[np.int64] | None
    smeared: NDArray[np.bool_]
    detected: NDArray[np.bool_]
    pdgid: NDArray[np.int64]
    seen_as: NDArray[np.int64]
    energy: Array
    theta: Array
    phi: Array
    counts: NDArray[np.int64]
    invalid: bool

    @property
    def event(self) -> NDArray[np.int64]:
        """Row of its event."""
        return np.repeat(np.arange(self.counts.size), self.counts)


def card_of_sample(smeared: ak.Array) -> Card:
    """Give the card that a sample says it was made with.

    Raises
    ------
    ValueError
        It does not say, or it is a variation: a pulled card is not the one that is named.
    """
    said = smeared.attrs.get("forefold", {})
    if "card_text" not in said:
        message = "the sample does not say with which card it was smeared: give card_a"
        raise ValueError(message)
    if "variation" in said:
        message = (
            f"the sample is variation {said['variation'].get('name')!r} of card {said.get('card')}, not what the card itself "
            "gives: take the nominal sample"
        )
        raise ValueError(message)
    return Card.model_validate(said["card_text"])


def observed_sample(events: ak.Array, smeared: ak.Array, card: Card) -> ObservedSample:
    """Match true events with the smeared ones.

    Parameters
    ----------
    events, smeared : ak.Array
        Row by row the same events.
    card : Card
        The card of the draws. If it has stages, they are gone through again, with the random numbers that the sample names.

    Returns
    -------
    ObservedSample
        In the order of the events.

    Raises
    ------
    ValueError
        The rows are not the same events, or the sample does not say what its draws depend on.
    """
    said = smeared.attrs.get("forefold", {})
    if "axis" not in said or "rng" not in said:
        message = "smeared: attrs['forefold'] with rng and axis is missing; use what smear or read_smeared gave"
        raise ValueError(message)
    if len(events) != len(smeared):
        message = (
            f"{len(events)} events, but {len(smeared)} smeared ones: rows must be the same events"
        )
        raise ValueError(message)
    particles = event_particles(events, card, said["rng"], said["axis"])
    truth, kinds, counts = particles.truth, particles.pdgid, particles.counts
    out = smeared.particles
    fate = particle_values(out.fate, np.int64)
    same = np.array_equal(ak.to_numpy(ak.num(out, axis=1)), counts)
    same = same and np.array_equal(particle_values(out.pdgid, np.int64), kinds[truth.species])
    same = same and bool(
        np.allclose(particle_values(out.energy_true, np.float64), truth.energy, rtol=1e-6, atol=0.0)
    )
    if not same:
        message = "events and smeared do not hold the same particles in the same order"
        raise ValueError(message)
    pdgid = kinds[truth.species]
    seen_as = out.pdgid_reco if "pdgid_reco" in out.fields else out.pdgid
    energy, theta, phi = (
        particle_values(ak.fill_none(out[f"{q}_reco"], 0.0, axis=-1), np.float64)
        for q in ("energy", "theta", "phi")
    )
    return ObservedSample(
        truth,
        kinds,
        particles.fate,
        particles.taken,
        (fate & _UNSMEARED) == 0,
        (fate & int(Fate.DETECTED)) != 0,
        pdgid,
        particle_values(ak.fill_none(seen_as, 0, axis=-1), np.int64),
        energy,
        theta,
        phi,
        counts,
        bool(((fate & int(Fate.INVALID)) != 0).any()),
    )


class Likelihoods(NamedTuple):
    """Likelihood of what was observed of each particle, given the true particle and a card; arrays of shape (n,).

    Attributes
    ----------
    density, atom : ndarray
        Of a detected particle: density of its energy and direction as what it was taken for; the same for energies that are
        exact, with a probability instead of the energy's density.
    dimension : ndarray of int64
        Of the distribution of directions, see `ParticleResponse.dimension`; -1 where the card cannot give what was observed.
    lost : ndarray
        Probability to be lost, whatever the reason.
    rule : ndarray of int64
        Rule that detects it; -1 if no rule can.
    hypotheses : list of Hypothesis
        What the particles may be identified as, with the responses.
    smeared : ndarray of bool
        The card does not leave it out.
    """

    density: Array
    atom: Array
    dimension: NDArray[np.int64]
    lost: Array
    rule: NDArray[np.int64]
    hypotheses: list[Hypothesis]
    smeared: NDArray[np.bool_]


def likelihoods(sample: ObservedSample, card: Card, on_invalid: OnInvalid = "stop") -> Likelihoods:
    """Likelihood of what was observed of each particle, given the true particle and a card.

    Parameters
    ----------
    sample : ObservedSample
        Particles, true and reconstructed.
    card : Card
        Detector.
    on_invalid : {"stop", "lose"}
        What becomes of a particle for which a formula has no value; it is lost in any case if it was lost so in the sample.

    Returns
    -------
    Likelihoods
        In the order of the sample.

    Raises
    ------
    ValueError
        A formula of the card has no value for a particle.
    """
    n = sample.energy.size
    hypotheses = particle_hypotheses(
        sample.truth,
        sample.kinds,
        sample.settled,
        compile_card(card),
        taken=sample.taken,
        on_invalid="lose" if sample.invalid else on_invalid,
    )
    density, atom, efficiency = np.zeros(n), np.zeros(n), np.zeros(n)
    dimension, rule = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    for hypothesis in hypotheses:
        response = hypothesis.response
        efficiency += hypothesis.probability * response.detection_probability
        matches = sample.detected & (hypothesis.pdgid == sample.seen_as)
        if not sample.detected.any():
            continue
        rule = np.where((rule < 0) & (matches | ~sample.detected), response.rule, rule)
        share = hypothesis.probability * response.efficiency * matches
        direction = response.direction_pdf(sample.theta, sample.phi)
        dimension = np.where(matches & (response.rule >= 0), response.dimension, dimension)
        # exact energies are compared with thresholds as the loops do, up to rounding
        enough = sample.energy >= response.energy_least * (1.0 - 1e-12)
        some = (share > 0.0) & enough
        density += np.where(some, share * response.energy_pdf(sample.energy) * direction, 0.0)
        atom += np.where(some, share * response.energy_atom(sample.energy) * direction, 0.0)
    left_out = np.array([card.left_out(int(pdg)) is not None for pdg in sample.kinds], np.bool_)
    smeared = ~left_out[sample.truth.species if sample.taken is None else sample.taken]
    smeared &= (sample.settled & _SETTLED) == 0
    lost = np.where(smeared, np.maximum(1.0 - efficiency, 0.0), 1.0)
    return Likelihoods(density, atom, dimension, lost, rule, hypotheses, smeared)
