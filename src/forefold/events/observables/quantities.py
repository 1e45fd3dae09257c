"""Quantities of events, each computed when it is asked for, once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.events import particles as species
from forefold.events.observables import formulas
from forefold.events.observables.catalogue import KINDS, OBSERVABLES
from forefold.events.observables.reasons import Reason, Topology

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from forefold.events.observables.final_state import FinalState

__all__ = ["Measured", "Quantities", "checked_limits", "columns_of"]

_CHARGED_LEPTONS = (11, 13, 15)
_NO_DIRECTION = 1e-9  # GeV: a transverse momentum below it is rounding


@dataclass(frozen=True)
class Measured:
    """Values of one quantity, NaN where there is none, and why (`Reason`)."""

    value: NDArray[np.float64]
    reason: NDArray[np.uint8]


class Quantities:
    """Quantities of the events of a final state.

    Parameters
    ----------
    state : FinalState
    binding_energy : float, GeV
        See `forefold.events.observables.formulas.qe_energy`.
    thresholds : mapping of int to float, GeV
        Momentum that a particle of a PDG identifier must have to be counted, or to be the leading one of its kind.
    """

    def __init__(
        self,
        state: FinalState,
        *,
        binding_energy: float = 0.034,
        thresholds: Mapping[int, float] | None = None,
    ) -> None:
        self.state = state
        self._binding_energy = binding_energy
        self._thresholds = dict(thresholds or {})

    def measured(self, name: str) -> Measured:
        """Give one that is a real number, by its name."""
        return _MEASURED[name](self)

    def count(self, kind: str) -> NDArray[np.int64]:
        """Give the number of particles of one of `KINDS`."""
        return self.state.count(self._of_kind(kind))

    def _of_kind(self, kind: str) -> NDArray[np.bool_]:
        return np.isin(self.state.pdgid, KINDS[kind].pdgid) & self._counts

    def of_particles(self, name: str) -> Measured:
        """Give a quantity of named particles, such as ``mass(mu-, mu+)``: one of `OF_PARTICLES`."""
        what, _, inside = name.removesuffix(")").partition("(")
        kinds = [self._called(word) for word in inside.split(", ")]
        if what == "number":
            return self._always(np.any(kinds, axis=0).astype(np.float64))
        leading = self._leading_of(kinds)
        if len(leading) == 1:
            return self._of_leading(what, leading[0], Reason.NO_PARTICLE)
        reason = np.where((leading < 0).any(axis=0), int(Reason.NO_PARTICLE), 0).astype(np.uint8)
        vectors = [self._vector(index) for index in leading]
        if what == "angle":
            return _measured(formulas.angle_between(*vectors), reason)
        energy = np.sum([_taken(self.state.energy, index) for index in leading], axis=0)
        return _measured(formulas.invariant_mass(energy, np.sum(vectors, axis=0)), reason)

    def _of_leading(self, what: str, index: NDArray[np.int64], absent: Reason) -> Measured:
        """Give a quantity of one particle an event."""
        reason = np.where(index < 0, int(absent), 0).astype(np.uint8)
        vector, axis = self._vector(index), self.state.axis
        if what == "momentum":
            return _measured(formulas.norm(vector), reason)
        if what in ("energy", "kinetic_energy"):
            energy, mass = (
                _taken(column, index) for column in (self.state.energy, self.state.mass)
            )
            return _measured(energy if what == "energy" else energy - mass, reason)
        if what == "pl":
            value = formulas.dot(vector, axis)
        elif what == "pt":
            value = formulas.norm(formulas.transverse(vector, axis))
        else:
            theta = formulas.angle_between(vector, axis)
            value = theta if what == "theta" else np.cos(theta)
        return _measured(value, self._with_probe(reason))

    def _called(self, word: str) -> NDArray[np.bool_]:
        """Particles of a name, a class or a PDG identifier, above their thresholds."""
        if word in species.CLASSES:
            return self.state.is_in(word) & self._counts
        pdgid = int(word) if word.lstrip("-").isdecimal() else species.pdgid(word)
        return np.asarray(self.state.pdgid == pdgid) & self._counts

    def _leading_of(self, kinds: list[NDArray[np.bool_]]) -> NDArray[np.int64]:
        """Find the leading particle of each kind, -1 where there is none; a particle is taken once."""
        free = np.ones(len(self.state.pdgid), dtype=np.bool_)
        rows = []
        for kind in kinds:
            rows.append(self.state.leading(kind & free))
            free[rows[-1][rows[-1] >= 0]] = False
        return np.stack(rows)

    def topology(self) -> NDArray[np.int64]:
        """Give each event's `Topology`."""
        state = self.state
        plus, minus, zero = (self.count(kind) for kind in ("pip", "pim", "pi0"))
        pion = state.is_in("pion")
        nucleon = np.isin(np.abs(state.pdgid), (2212, 2112))
        other = state.count((state.is_in("hadron") & ~pion & ~nucleon) & self._counts)
        pions = plus + minus + zero
        result = np.full(state.events, int(Topology.MULTI_PI), dtype=np.int64)
        result[pions == 0] = int(Topology.ZERO_PI)
        for count, label in (
            (plus, Topology.ONE_PI_PLUS),
            (minus, Topology.ONE_PI_MINUS),
            (zero, Topology.ONE_PI_ZERO),
        ):
            result[(pions == 1) & (count == 1)] = int(label)
        result[other > 0] = int(Topology.OTHER)
        return result

    @cached_property
    def _counts(self) -> NDArray[np.bool_]:
        """Particles above their thresholds."""
        state = self.state
        above = np.ones(len(state.pdgid), dtype=np.bool_)
        for pdg, least in self._thresholds.items():
            above &= (state.pdgid != pdg) | (formulas.norm(state.momentum) >= least)
        return above

    @cached_property
    def _lepton(self) -> NDArray[np.int64]:
        """The charged lepton of the probe's flavour with the highest momentum, -1 where there is none."""
        state = self.state
        flavour = state.probe - np.where(
            np.isin(np.abs(state.probe), (12, 14, 16)), np.sign(state.probe), 0
        )
        return state.leading(
            np.isin(np.abs(state.pdgid), _CHARGED_LEPTONS) & (state.pdgid == flavour[state.event])
        )

    @cached_property
    def _proton(self) -> NDArray[np.int64]:
        """The proton with the highest momentum, -1 where there is none above the threshold."""
        return self.state.leading(self._of_kind("p"))

    @cached_property
    def _pion(self) -> NDArray[np.int64]:
        """The pion with the highest momentum, -1 where there is none above the threshold."""
        return self.state.leading(self._of_kind("pi"))

    @cached_property
    def _charged_probe(self) -> NDArray[np.bool_]:
        """Whether the probe is a charged lepton, the energy of which is known from the beam."""
        return np.isin(np.abs(self.state.probe), _CHARGED_LEPTONS)

    @cached_property
    def _without_probe(self) -> NDArray[np.bool_]:
        return ~np.isfinite(self.state.probe_momentum)

    @cached_property
    def _lepton_reason(self) -> NDArray[np.uint8]:
        """Why there is no lepton to compute with."""
        state = self.state
        reason = np.where(self._lepton < 0, int(Reason.NO_LEPTON), int(Reason.DEFINED))
        if not state.reconstructed:
            neutral = (state.charged_current == 0) & ~self._charged_probe
            reason[neutral] = int(Reason.NOT_CHARGED_CURRENT)
        return reason.astype(np.uint8)

    def _with_probe(self, reason: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.where(self._without_probe, int(Reason.NO_PROBE), reason).astype(np.uint8)

    @cached_property
    def _pair_reason(self) -> NDArray[np.uint8]:
        """Why there are not both a lepton and a proton, and a direction to refer them to."""
        reason = self._lepton_reason.copy()
        reason[(reason == 0) & (self._proton < 0)] = int(Reason.NO_PROTON)
        return self._with_probe(reason)

    def _vector(self, index: NDArray[np.int64]) -> NDArray[np.float64]:
        """Momenta of one particle an event, NaN where there is none; shape (events, 3)."""
        return _taken(self.state.momentum, index)

    @cached_property
    def lepton_energy(self) -> Measured:
        """Total energy of the lepton, GeV."""
        return _measured(_taken(self.state.energy, self._lepton), self._lepton_reason)

    @cached_property
    def lepton_momentum(self) -> Measured:
        """Momentum of the lepton, GeV."""
        return _measured(formulas.norm(self._vector(self._lepton)), self._lepton_reason)

    @cached_property
    def lepton_theta(self) -> Measured:
        """Angle of the lepton to the probe, rad."""
        angle = formulas.angle_between(self._vector(self._lepton), self.state.axis)
        return _measured(angle, self._with_probe(self._lepton_reason))

    @cached_property
    def lepton_cos_theta(self) -> Measured:
        """Cosine of the angle of the lepton to the probe."""
        return Measured(np.cos(self.lepton_theta.value), self.lepton_theta.reason)

    @cached_property
    def lepton_pt(self) -> Measured:
        """Momentum of the lepton across the probe, GeV."""
        return _measured(self._parts[2], self._with_probe(self._lepton_reason))

    @cached_property
    def lepton_pl(self) -> Measured:
        """Momentum of the lepton along the probe, GeV; negative where it goes backwards."""
        return _measured(self._parts[1], self._with_probe(self._lepton_reason))

    def leading_momentum(self, kind: str) -> Measured:
        """Momentum of the leading particle of one of `KINDS`, GeV."""
        absent = Reason.NO_PROTON if kind == "p" else Reason.NO_PARTICLE
        return self._of_leading("momentum", self.state.leading(self._of_kind(kind)), absent)

    @cached_property
    def proton_momentum(self) -> Measured:
        """Momentum of the leading proton, GeV."""
        return self._of_leading("momentum", self._proton, Reason.NO_PROTON)

    @cached_property
    def proton_theta(self) -> Measured:
        """Angle of the leading proton to the probe, rad."""
        return self._of_leading("theta", self._proton, Reason.NO_PROTON)

    @cached_property
    def proton_cos_theta(self) -> Measured:
        """Cosine of the angle of the leading proton to the probe."""
        return self._of_leading("cos_theta", self._proton, Reason.NO_PROTON)

    @cached_property
    def pion_momentum(self) -> Measured:
        """Momentum of the leading pion, GeV."""
        return self._of_leading("momentum", self._pion, Reason.NO_PARTICLE)

    @cached_property
    def pion_theta(self) -> Measured:
        """Angle of the leading pion to the probe, rad."""
        return self._of_leading("theta", self._pion, Reason.NO_PARTICLE)

    @cached_property
    def pion_cos_theta(self) -> Measured:
        """Cosine of the angle of the leading pion to the probe."""
        return self._of_leading("cos_theta", self._pion, Reason.NO_PARTICLE)

    @cached_property
    def visible_energy(self) -> Measured:
        """Calorimetric energy of the event, GeV: arXiv:1507.08560, where nucleons count with their kinetic energy."""
        return self._always(self.state.visible)

    @cached_property
    def _not_the_lepton(self) -> NDArray[np.bool_]:
        """All particles but the lepton of each event, where it has one."""
        others = np.ones(len(self.state.pdgid), dtype=np.bool_)
        others[self._lepton[self._lepton_reason == 0]] = False
        return others

    def _always(self, energy: NDArray[np.float64]) -> Measured:
        """Sum what each particle adds to its event; no event is without a sum."""
        state = self.state
        total = np.bincount(state.event, energy, state.events).astype(np.float64)
        return _measured(total, np.zeros(state.events, dtype=np.uint8))

    @cached_property
    def available_energy(self) -> Measured:
        """What a calorimeter may see of the hadrons, GeV: arXiv:1511.05944."""
        state, size = self.state, np.abs(self.state.pdgid)
        kinetic = np.where(size == 211, state.visible - state.mass, state.visible)
        counts = (state.pdgid == 2212) | np.isin(size, (211, 11)) | np.isin(state.pdgid, (22, 111))
        return self._always(np.where(counts & self._not_the_lepton, kinetic, 0.0))

    @cached_property
    def hadronic_energy(self) -> Measured:
        """Visible energy without that of the lepton, GeV."""
        return self._always(np.where(self._not_the_lepton, self.state.visible, 0.0))

    @cached_property
    def enu(self) -> Measured:
        """Energy of the probe, GeV; of a neutrino that is reconstructed, the visible energy if the lepton is seen."""
        state = self.state
        if not state.reconstructed:
            return _measured(state.probe_energy, self._with_probe(np.zeros(state.events, np.uint8)))
        value = np.where(self._charged_probe, state.probe_energy, self.visible_energy.value)
        reason = np.where(self._charged_probe, 0, self._lepton_reason)
        return _measured(value, self._with_probe(reason.astype(np.uint8)))

    @cached_property
    def _parts(self) -> tuple[NDArray[np.float64], ...]:
        """Energy of the lepton, its momentum along and across the probe, and its mass."""
        vector, energy = self._vector(self._lepton), _taken(self.state.energy, self._lepton)
        forward = formulas.dot(vector, self.state.axis)
        across = formulas.norm(formulas.transverse(vector, self.state.axis))
        mass = np.sqrt(np.maximum(energy**2 - formulas.dot(vector, vector), 0.0))
        return energy, forward, across, mass

    @cached_property
    def energy_qe(self) -> Measured:
        """Neutrino energy of quasielastic kinematics, GeV: `formulas.qe_energy`."""
        energy, forward, _, mass = self._parts
        charged, anti = self._charged_probe, self.state.probe < 0
        struck = np.where(anti | charged, formulas.PROTON_MASS, formulas.NEUTRON_MASS)
        made = np.where(anti & ~charged, formulas.NEUTRON_MASS, formulas.PROTON_MASS)
        value = formulas.qe_energy(
            energy, forward, mass, struck=struck, made=made, binding_energy=self._binding_energy
        )
        value = np.where(value > 0.0, value, np.nan)
        return _measured(value, self._with_probe(self._lepton_reason))

    @cached_property
    def q2_qe(self) -> Measured:
        """Q^2 of quasielastic kinematics, GeV^2: `formulas.qe_q2`."""
        energy, forward, _, mass = self._parts
        value = formulas.qe_q2(self.energy_qe.value, energy, forward, mass)
        return _measured(value, self.energy_qe.reason)

    @cached_property
    def _transfer(self) -> tuple[NDArray[np.float64], ...]:
        energy, forward, across, _ = self._parts
        momentum = self.state.probe_momentum
        if self.state.reconstructed:
            momentum = np.where(self._charged_probe, momentum, self.enu.value)
        return formulas.momentum_transfer(self.enu.value, momentum, energy, forward, across)

    def _of_transfer(self, value: NDArray[np.float64]) -> Measured:
        return _measured(value, self._with_probe(self._lepton_reason))

    @cached_property
    def q0(self) -> Measured:
        """Energy transfer, GeV: `formulas.momentum_transfer`."""
        return self._of_transfer(self._transfer[0])

    @cached_property
    def q3(self) -> Measured:
        """Momentum transfer, GeV: `formulas.momentum_transfer`."""
        return self._of_transfer(self._transfer[1])

    @cached_property
    def q2(self) -> Measured:
        """Squared four-momentum transfer, GeV^2: `formulas.momentum_transfer`."""
        return self._of_transfer(self._transfer[2])

    @cached_property
    def w(self) -> Measured:
        """Invariant mass of the hadrons off a nucleon at rest, GeV: `formulas.hadronic_mass`."""
        q0, _, q2 = self._transfer
        return self._of_transfer(formulas.hadronic_mass(q0, q2))

    @cached_property
    def bjorken_x(self) -> Measured:
        """Bjorken x off a nucleon at rest: `formulas.bjorken_x`."""
        q0, _, q2 = self._transfer
        return self._of_transfer(np.where(q0 > 0.0, formulas.bjorken_x(q0, q2), np.nan))

    @cached_property
    def bjorken_y(self) -> Measured:
        """Inelasticity: `formulas.bjorken_y`."""
        return self._of_transfer(formulas.bjorken_y(self._transfer[0], self.enu.value))

    @cached_property
    def _pair(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Transverse momenta of the lepton and of the leading proton, and their sum."""
        axis = self.state.axis
        lepton = formulas.transverse(self._vector(self._lepton), axis)
        proton = formulas.transverse(self._vector(self._proton), axis)
        return lepton, proton, lepton + proton

    @cached_property
    def delta_pt(self) -> Measured:
        """Transverse momentum imbalance of lepton and leading proton, GeV: arXiv:1512.05748."""
        return _measured(formulas.norm(self._pair[2]), self._pair_reason)

    @cached_property
    def delta_alpha_t(self) -> Measured:
        """Angle of the imbalance to the lepton reversed, rad: arXiv:1512.05748."""
        lepton, _, total = self._pair
        return _measured(_angle(-lepton, total), self._pair_reason)

    @cached_property
    def delta_phi_t(self) -> Measured:
        """Angle of the proton to the lepton reversed, rad: arXiv:1512.05748."""
        lepton, proton, _ = self._pair
        return _measured(_angle(-lepton, proton), self._pair_reason)

    @cached_property
    def missing_pt(self) -> Measured:
        """Size of the summed transverse momentum of all that is visible, GeV; what is missing balances it."""
        state = self.state
        dark = state.visible == 0.0
        total = np.stack(
            [
                np.bincount(state.event, np.where(dark, 0.0, p), state.events)
                for p in state.momentum.T
            ],
            axis=1,
        )
        value = formulas.norm(formulas.transverse(total.astype(np.float64), state.axis))
        return _measured(value, self._with_probe(np.zeros(state.events, dtype=np.uint8)))

    @cached_property
    def missing_energy(self) -> Measured:
        """Energy of the probe less the visible energy, GeV; a neutrino's energy is not seen."""
        state = self.state
        reason = np.zeros(state.events, dtype=np.uint8)
        if state.reconstructed:
            reason[~self._charged_probe] = int(Reason.PROBE_ENERGY)
        return _measured(state.probe_energy - self.visible_energy.value, self._with_probe(reason))


def _taken(column: NDArray[np.float64], index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Elements by index, NaN where the index is -1."""
    result = np.full((len(index), *column.shape[1:]), np.nan)
    there = index >= 0
    result[there] = column[index[there]]
    return result


def _angle(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    small = (formulas.norm(a) < _NO_DIRECTION) | (formulas.norm(b) < _NO_DIRECTION)
    return np.where(small, np.nan, formulas.angle_between(a, b))


def _measured(value: NDArray[np.float64], reason: NDArray[np.uint8]) -> Measured:
    """Put NaN where there is a reason, and a reason where there is no number."""
    good = np.isfinite(value)
    reason = np.where((reason == 0) & ~good, int(Reason.UNPHYSICAL), reason).astype(np.uint8)
    return Measured(np.where(reason == 0, value, np.nan), reason)


def _getter(name: str) -> Callable[[Quantities], Measured]:
    if name.startswith("p_"):
        return lambda quantities: quantities.leading_momentum(name.removeprefix("p_"))

    def get(quantities: Quantities) -> Measured:
        quantity: Measured = getattr(quantities, name)
        return quantity

    return get


_MEASURED: Mapping[str, Callable[[Quantities], Measured]] = {
    name: _getter(name) for name in OBSERVABLES if not name.startswith("n_") and name != "topology"
}
"""Quantities that are real numbers."""

_ALWAYS = ("visible_energy", "available_energy", "hadronic_energy")
"""Those of which no event is without a value."""


def checked_limits(
    binding_energy: float, thresholds: Mapping[str, float] | None
) -> dict[int, float]:
    """Give thresholds by PDG identifier.

    Raises
    ------
    ValueError
        There is no such particle, or a threshold or the binding energy is no energy.
    """
    _check_energy("binding_energy", binding_energy)
    limits = {species.pdgid(name): value for name, value in (thresholds or {}).items()}
    for name, value in (thresholds or {}).items():
        _check_energy(f"the threshold of {name}", value)
    return limits


def columns_of(quantities: Quantities, names: Iterable[str], suffix: str) -> dict[str, Any]:
    """Columns of some observables, under their full names."""
    return dict(_columns(quantities, names, suffix))


def _columns(
    quantities: Quantities, names: Iterable[str], suffix: str
) -> Iterator[tuple[str, Any]]:
    for name in names:
        if name in _MEASURED:
            found = quantities.measured(name)
            yield f"{name}_{suffix}", found.value
            if name not in _ALWAYS:
                yield f"{name}_reason_{suffix}", found.reason
        elif name == "topology":
            yield f"{name}_{suffix}", quantities.topology()
        elif name == "n_particles":
            yield f"{name}_{suffix}", quantities.state.total
        else:
            yield f"{name}_{suffix}", quantities.count(name.removeprefix("n_"))


def _check_energy(what: str, value: float) -> None:
    if not 0.0 <= value < float("inf"):
        message = f"{what} = {value!r}: must be a number of GeV, 0 or more"
        raise ValueError(message)
