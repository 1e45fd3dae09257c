"""A card as a response: P(observed | true) of one kind of particle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from forefold.detector.compile import CompiledCard, compile_card
from forefold.detector.load import load_card
from forefold.events import particles as species
from forefold.kernels.fate import Fate
from forefold.kernels.layout import Kinematics, TrueParticles
from forefold.response import Response
from forefold.response.distributions.mixture import invert
from forefold.smearing.closed_form.discontinuities import (
    discontinuities,
    distribution_ends_on_edges,
)
from forefold.smearing.closed_form.energy import above
from forefold.smearing.closed_form.identification import particle_hypotheses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import hist
    from numpy.typing import ArrayLike, NDArray

    from forefold.detector import Rule
    from forefold.detector.load import Card
    from forefold.smearing.closed_form.identification import Hypothesis

    Array = NDArray[np.float64]

__all__ = ["CardResponse", "Observed", "card_response"]

Observed = Literal["energy", "kinetic_energy", "momentum", "theta"]

_TWO_PI = 2.0 * np.pi
_DOUBLINGS = 1100
_LEAST = 1e-300  # quantile that is given for 0


@dataclass(frozen=True, eq=False)
class CardResponse(Response):
    """Response of a card to one kind of particle; made by `card_response`.

    Attributes
    ----------
    card : Card
        Detector.
    pdgid : int
        PDG identifier of the true particle.
    of : {"energy", "kinetic_energy", "momentum", "theta"}
        The quantity that is true and observed.
    theta, phi : float, rad
        True direction; `theta` is not used where it is what is observed.
    energy : float or None, GeV
        True total energy, where theta is observed.
    taken_for : int or None
        Only particles identified as this PDG identifier count as detected; None counts all.
    breaks : tuple of float
        True values at which formulas of the card jump.
    """

    card: Card
    pdgid: int
    of: Observed
    theta: float
    phi: float
    energy: float | None
    taken_for: int | None
    breaks: tuple[float, ...]

    @cached_property
    def _compiled(self) -> CompiledCard:
        return compile_card(self.card)

    @property
    def n_uniforms(self) -> int:
        """Random numbers of a draw: identification, efficiency, component, energy; one more for the angle where it is observed."""
        return 5 if self.of == "theta" else 4

    def hypotheses(self, true: ArrayLike) -> list[Hypothesis]:
        """Hypotheses of the identification for particles with these true values.

        Parameters
        ----------
        true : array_like, shape (n,)
            True values of the observed quantity.

        Returns
        -------
        list of Hypothesis
            One for each identity that the particle may be taken for.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # a value that is too large is lost
            return self._hypotheses(np.asarray(true, dtype=np.float64))

    def _hypotheses(self, t: Array) -> list[Hypothesis]:
        n, mass = t.size, species.mass(self.pdgid)
        theta = t if self.of == "theta" else np.full(n, self.theta)
        if self.of == "theta":
            energy = np.full(n, np.nan if self.energy is None else self.energy)
        elif self.of == "momentum":
            energy = np.sqrt(t * t + mass * mass)
        else:
            energy = t if self.of == "energy" else t + mass
        good = (
            np.isfinite(np.square(energy))
            & (energy >= mass)
            & (t >= 0.0)
            & (theta >= 0.0)
            & (theta <= np.pi)
        )
        energy, theta = np.where(good, energy, mass), np.where(good, theta, 0.0)
        kinetic = t if self.of == "kinetic_energy" else energy - mass
        kinetic = np.where(good, kinetic, 0.0)
        p = np.sqrt(kinetic * (energy + mass))
        x, y, z = (
            p * np.sin(theta) * np.cos(self.phi),
            p * np.sin(theta) * np.sin(self.phi),
            p * np.cos(theta),
        )
        whole = np.zeros(n, np.uint64)
        index = np.zeros(n, np.int64)
        axis = np.array([[0.0, 0.0, 1.0]])
        truth = TrueParticles(whole, whole, whole, index, x, y, z, energy, index, axis)
        described = Kinematics(
            np.full(n, mass), energy, kinetic, p, x, y, z, theta, np.zeros(n, np.bool_)
        )
        fate = np.where(good, 0, int(Fate.NOT_FINAL_STATE)).astype(np.uint16)
        kinds = np.array([self.pdgid], np.int64)
        hypotheses = particle_hypotheses(
            truth, kinds, fate, self._compiled, kinematics=described, on_invalid="lose"
        )
        if self.taken_for is None:
            return hypotheses
        return [
            hypothesis._replace(
                probability=np.where(
                    hypothesis.pdgid == self.taken_for, hypothesis.probability, 0.0
                )
            )
            for hypothesis in hypotheses
        ]

    def matrix(
        self,
        true_edges: ArrayLike,
        reco_edges: ArrayLike,
        *,
        weights: Callable[[Any], Any] | None = None,
    ) -> hist.Hist[Any]:
        """See `Response.matrix`; true values below 0 are refused: there are no such particles."""
        edges = np.asarray(true_edges, dtype=np.float64)
        if edges.size and np.min(edges) < 0.0:
            message = f"true_edges: {self.of} is 0 or more, found {np.min(edges):g}"
            raise ValueError(message)
        return super().matrix(true_edges, reco_edges, weights=weights)

    def _efficiency(self, true: Array) -> Array:
        efficiency: Array = self._seen(self.hypotheses(true.reshape(-1))).reshape(true.shape)
        return efficiency

    def _seen(self, hypotheses: list[Hypothesis]) -> Array:
        total = sum(
            (w.probability * w.response.detection_probability for w in hypotheses), np.zeros(())
        )
        return np.asarray(np.minimum(total, 1.0))

    def observed(self, hypothesis: Hypothesis, energy: Array) -> Array:
        """Value that is observed with a reconstructed total energy."""
        m = hypothesis.response.mass
        if self.of == "momentum":
            p2 = (energy - m) * (energy + m)
            return np.asarray(np.sqrt(np.where(energy > m, p2, 0.0)))
        return energy - m if self.of == "kinetic_energy" else energy

    def _energy(self, hypothesis: Hypothesis, observed: Array) -> Array:
        """Reconstructed total energy from which on at least this value is observed."""
        m = hypothesis.response.mass
        if self.of == "momentum":
            return np.where(observed > 0.0, np.sqrt(np.square(observed) + m * m), -np.inf)
        return observed + m if self.of == "kinetic_energy" else observed

    def _inside(self, hypotheses: list[Hypothesis], low: Array, high: Array) -> Array:
        """Probability to be seen, with a value from low to high."""
        total = np.zeros(np.broadcast_shapes(low.shape, high.shape, (hypotheses[0].response.size,)))
        for hypothesis in hypotheses:
            if self.of == "theta":
                up_to, short = (hypothesis.response.theta_cdf(-above(-end)) for end in (high, low))
                share = (up_to - short) * hypothesis.response.passes
            else:
                least = hypothesis.response.energy_least
                first, last = (np.maximum(self._energy(hypothesis, e), least) for e in (low, high))
                share = hypothesis.response.energy_between(first, last)
            total += hypothesis.probability * hypothesis.response.efficiency * share
        return total

    def _given_detected(self, true: Array, value: Callable[[list[Hypothesis]], Array]) -> Array:
        hypotheses = self.hypotheses(true)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(value(hypotheses) / self._seen(hypotheses))

    def _between(self, low: Array, high: Array, true: Array) -> Array:
        ends = [end.reshape(-1) for end in (low, high)]
        probability = self._given_detected(true.reshape(-1), lambda w: self._inside(w, *ends))
        return probability.reshape(true.shape)

    def _cdf(self, observed: Array, true: Array) -> Array:
        return self._between(np.full_like(observed, -np.inf), above(observed), true)

    def bin_probabilities(self, edges: ArrayLike, true: ArrayLike) -> Array:
        """See `Response.bin_probabilities`; particles are brought through the card once for all bins."""
        e, t = (np.asarray(v, dtype=np.float64) for v in (edges, true))
        low, high = e[:-1, None], e[1:, None]
        probability = self._given_detected(t.reshape(-1), lambda w: self._inside(w, low, high))
        return np.moveaxis(probability.reshape(e.size - 1, *t.shape), 0, -1)

    def _pdf(self, observed: Array, true: Array) -> Array:
        x = observed.reshape(-1)
        return self._given_detected(true.reshape(-1), lambda w: self._density(w, x)).reshape(
            true.shape
        )

    def _density(self, hypotheses: list[Hypothesis], observed: Array) -> Array:
        total = np.zeros(observed.shape)
        for hypothesis in hypotheses:
            response = hypothesis.response
            if self.of == "theta":
                density = response.theta_pdf(observed) * response.passes
            else:
                energy = self._energy(hypothesis, observed)
                energy = np.where(np.isfinite(energy), energy, 0.0)
                density = response.energy_pdf(energy)
                if self.of == "momentum":
                    density = density * np.where(
                        observed > 0.0, observed / np.maximum(energy, 1e-300), 0.0
                    )
                density = np.where(response.energy_atom(energy) > 0.0, np.inf, density)
                density = np.where(energy >= response.energy_least, density, 0.0)
            share = hypothesis.probability * response.efficiency
            total += np.where(share > 0.0, share * density, 0.0)
        return total

    def _ppf(self, u: Array, true: Array) -> Array:
        values, level = true.reshape(-1), np.maximum(u.reshape(-1), _LEAST)
        hypotheses = self.hypotheses(values)
        efficiency = self._seen(hypotheses)
        valid = (efficiency > 0.0) & (level <= 1.0) & (u.reshape(-1) >= 0.0)
        whole = np.where(valid, efficiency, 1.0)
        bottom = np.full(values.shape, -np.inf)

        def below(x: Array) -> Array:
            up_to = self._inside(hypotheses, bottom, above(x))
            return np.where(valid, up_to / whole, 1.0)

        level = np.where(valid, level, 0.5)
        low, high = self._bracket(below, level)
        return np.where(valid, invert(below, level, low, high), np.nan).reshape(true.shape)

    def _bracket(self, below: Callable[[Array], Array], level: Array) -> tuple[Array, Array]:
        """Values between which the quantile lies."""
        low, high = np.zeros(level.shape), np.full(level.shape, np.pi)
        if self.of == "theta":
            return low, high
        for _ in range(_DOUBLINGS):
            short = (below(high) < level) & np.isfinite(high)
            if not short.any():
                break
            with np.errstate(over="ignore"):
                high = np.where(short, 2.0 * high, high)
        step = 1.0
        for _ in range(_DOUBLINGS):
            short = (below(low) >= level) & (low > -1e300)
            if not short.any() or self.of == "momentum":
                break
            low, step = np.where(short, -step, low), 2.0 * step
        return low, high

    def _sample(self, true: Array, u: Array) -> Array:
        values, rows = true.reshape(-1), u.reshape(len(u), -1)
        drawn = np.full(values.shape, np.nan)
        chosen, total = np.zeros(values.shape, dtype=np.bool_), np.zeros(values.shape)
        for hypothesis in self.hypotheses(values):
            total = total + hypothesis.probability
            here = ~chosen & (rows[0] < total)
            chosen |= here
            response = hypothesis.response
            energy = response.energy_sample(rows[2], rows[3])
            here &= (rows[1] < response.efficiency) & (energy >= response.energy_least)
            if self.of == "theta":
                value = self._theta_quantile(hypothesis, rows[4])
            else:
                value = self.observed(hypothesis, energy)
            drawn = np.where(here, value, drawn)
        return drawn.reshape(true.shape)

    def _theta_quantile(self, hypothesis: Hypothesis, u: Array) -> Array:
        ends = np.zeros(u.shape), np.full(u.shape, np.pi)
        return invert(hypothesis.response.theta_cdf, u, *ends)

    def _breaks(self, reco_edges: Array) -> Array:
        points = discontinuities(self, self._compiled, reco_edges)
        return np.concatenate([self.breaks, points, distribution_ends_on_edges(self, reco_edges)])

    def _is_point(self) -> bool:
        if self.of == "theta":
            return all(rule.angle.convention == "none" for rule in self.rules())
        parts = (part for rule in self.rules() for part in rule.energy.components())
        return all(part.distribution == "none" for part in parts)

    def rules(self) -> list[Rule]:
        """Rules that may take the particle, as what it is or what it is taken for."""
        kinds = {self.pdgid}
        for block in self.card.identification:
            if block.covers(self.pdgid):
                kinds |= {entry.pdgid(self.pdgid) for entry in block.row}
        return [
            self.card.rules[k]
            for k in sorted({k for pdg in kinds for k in self.card.candidates(pdg)})
        ]

    def __str__(self) -> str:
        kind = species.name(self.pdgid)
        taken = "" if self.taken_for is None else f", taken for {species.name(self.taken_for)}"
        return f"Response of card {self.card.name} to {kind}{taken}: {self.of}"


def _check_number(name: str, value: Any, low: float, high: float, unit: str) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= float(value) <= high:
        span = f"from {low:g} to {high:g} {unit}" if np.isfinite(high) else f"in {unit},"
        message = f"{name}: a number {span} is expected, found {value!r}"
        raise ValueError(message)


def card_response(
    card: Card | str | Path,
    particle: str | int,
    of: Observed = "kinetic_energy",
    *,
    theta: float = 0.0,
    phi: float = 0.0,
    energy: float | None = None,
    taken_for: str | int | None = None,
    stages: Literal["refuse", "ignore"] = "refuse",
    breaks: Sequence[float] = (),
) -> CardResponse:
    """Response of a card to one kind of particle, as a `Response`: density, quantiles and exact matrix without random numbers.

    Parameters
    ----------
    card : Card, str or Path
        Detector, or its name or file.
    particle : str or int
        Name or PDG identifier.
    of : {"kinetic_energy", "energy", "momentum", "theta"}
        What is true and what is observed: GeV, GeV/c; the polar angle to the axis in rad.
    theta, phi : float, rad
        True direction, for cards that look at it.
    energy : float, GeV
        True total energy, with ``of="theta"``.
    taken_for : str or int, optional
        Count only what is identified as this particle; everything that is seen, if not given.
    stages : {"refuse", "ignore"}
        What to do with a card that has stages: they see many particles at once, and are no part of a response of one.
    breaks : sequence of float
        True values at which a formula of the card jumps; integrals are split there. Thresholds, bounds of rules and rows of
        tables are known without.

    Returns
    -------
    CardResponse
        A `forefold.response.Response`. A particle for which a formula has no value is lost.

    Raises
    ------
    ValueError
        The card has stages or leaves the particle out, or `energy` is missing; an angle or an energy is not possible.

    Examples
    --------
    >>> from forefold import card_response
    >>> response = card_response("nusmear-dune-cdr", "mu-")
    >>> matrix = response.matrix([0.0, 1.0, 2.0], [0.0, 1.0, 2.0, 4.0])
    >>> matrix.values().round(3).tolist()
    [[0.915, 0.055, 0.0], [0.08, 0.816, 0.104]]
    """
    loaded = load_card(card)
    pdgid = species.pdgid(particle) if isinstance(particle, str) else particle
    if loaded.stages and stages == "refuse":
        message = (
            f"card {loaded.name} has stages ({', '.join(s.kind for s in loaded.stages)}), which see many particles at once: "
            "a response of one particle is without them; say stages='ignore'"
        )
        raise ValueError(message)
    if word := loaded.left_out(pdgid):
        message = f"card {loaded.name} leaves {species.name(pdgid)} out: it is a {word}"
        raise ValueError(message)
    if of not in {"energy", "kinetic_energy", "momentum", "theta"}:
        message = f"of: energy, kinetic_energy, momentum or theta, found {of!r}"
        raise ValueError(message)
    if (of == "theta") != (energy is not None):
        message = "give energy (GeV) with of='theta', and only with it"
        raise ValueError(message)
    mass = species.mass(pdgid)
    _check_number("theta", theta, 0.0, np.pi, "rad")
    _check_number("phi", phi, -_TWO_PI, _TWO_PI, "rad")
    if energy is not None:
        _check_number(
            "energy", energy, mass, np.inf, f"GeV, the mass of {species.name(pdgid)} or more"
        )
    taken = species.pdgid(taken_for) if isinstance(taken_for, str) else taken_for
    return CardResponse(loaded, pdgid, of, theta, phi, energy, taken, tuple(map(float, breaks)))
