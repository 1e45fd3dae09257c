"""The way of particles through a card: what they are taken for, which rule, what is seen of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from forefold import species as names
from forefold.kernels.fate import OUTCOMES, Fate
from forefold.kernels.frame import azimuths
from forefold.kernels.layout import RULE_COLUMNS, Cells, Kinematics, Rays, Smeared, Species
from forefold.kernels.philox import PURPOSE_IDENTIFICATION
from forefold.kernels.smear import choose, describe, draw, uniform_columns
from forefold.plan import species_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from forefold.plan import Cell, Plan

__all__ = ["OnInvalid", "Passage", "pass_through"]

OnInvalid = Literal["stop", "lose"]

_OUTCOME_BITS = int(sum(OUTCOMES))
_NOT_SMEARED = int(Fate.NOT_FINAL_STATE | Fate.DECAYED | Fate.MERGED)
_INVALID = int(Fate.INVALID)
_WHEN = RULE_COLUMNS.index("when")


class Passage(NamedTuple):
    """What comes out of a card.

    Attributes
    ----------
    out : Smeared
    pdgid : ndarray of int64, shape (n,)
        What every particle was taken for.
    mass_true : ndarray of float64, shape (n,), GeV
        ``out.mass`` is that of what it was taken for.
    """

    out: Smeared
    pdgid: NDArray[np.int64]
    mass_true: NDArray[np.float64]


def pass_through(
    rays: Rays,
    pdgid: NDArray[np.int64],
    fate: NDArray[np.uint16],
    plan: Plan,
    *,
    taken: NDArray[np.int64] | None = None,
    variation: int = 0,
    on_invalid: OnInvalid = "stop",
) -> Passage:
    """Send flat particles through a card.

    Parameters
    ----------
    rays : Rays
        ``species`` are rows of `pdgid`.
    pdgid : ndarray of int64, shape (s,)
        Distinct PDG identifiers.
    fate : ndarray of uint16, shape (n,)
        0, flags, or an outcome that is settled already.
    plan : Plan
    taken : ndarray of int64, shape (n,), optional
        Rows of `pdgid`: what a stage took particles for; their momentum is kept.
    variation : int
    on_invalid : {"stop", "lose"}
        What becomes of a particle for which a formula has no value.

    Returns
    -------
    Passage

    Raises
    ------
    ValueError
        A formula has no value, or one that is not allowed, for a particle; with ``on_invalid="stop"``.
    """
    kinds = _all_kinds(plan, pdgid)
    table = species_table(plan.card, kinds)
    kinematics = describe(rays, table)
    mistaken = bool(plan.card.identification) or taken is not None
    mass_true = kinematics.mass.copy() if mistaken else kinematics.mass
    work = _Work(rays, kinds, table, plan, fate.copy(), kinematics, on_invalid)
    if taken is not None:
        work.take(taken)
    work.identify(variation)
    work.choose()
    out = work.draw(variation)
    return Passage(out, kinds[work.kind], mass_true)


def _all_kinds(plan: Plan, pdgid: NDArray[np.int64]) -> NDArray[np.int64]:
    """Kinds that are there, in their order, and then those that they can be taken for."""
    found = [int(pdg) for pdg in pdgid]
    found = list(dict.fromkeys(found))
    for block in plan.card.identification:
        for true in [pdg for pdg in pdgid if block.covers(int(pdg))]:
            found += [entry.pdgid(int(true)) for entry in block.row]
    return np.array(list(dict.fromkeys(found)), dtype=np.int64)


class _Work:
    def __init__(
        self,
        rays: Rays,
        kinds: NDArray[np.int64],
        table: Species,
        plan: Plan,
        fate: NDArray[np.uint16],
        kinematics: Kinematics,
        on_invalid: OnInvalid,
    ) -> None:
        self._rays = rays
        self._kinds = kinds
        self._table = table
        self._plan = plan
        self._fate = fate
        self._kinematics = kinematics
        self._on_invalid = on_invalid
        self.kind = rays.species
        n = rays.energy.size
        self._cells = Cells(
            plan.rules,
            plan.rule_links,
            plan.components,
            plan.component_links,
            np.zeros((len(plan.cells), n)),
        )
        self._chosen = np.full(n, -1, np.int64)

    def _open(self) -> NDArray[np.bool_]:
        """Particles of which nothing is settled yet."""
        return np.asarray((self._fate & _OUTCOME_BITS) == 0)

    def take(self, kind: NDArray[np.int64]) -> None:
        """Go on with what stages took particles for."""
        self._retake(np.arange(kind.size), kind, "momentum")
        self.kind = kind

    def identify(self, variation: int) -> None:
        """Draw what particles are taken for; the rest is lost."""
        blocks = self._plan.card.identification
        if not blocks:
            return
        u = uniform_columns(self._rays, PURPOSE_IDENTIFICATION, variation=variation)
        left_out = self._table.outcome[self.kind] != 0
        todo = self._open() & ~left_out
        kind = self.kind.copy()
        row_of = {int(pdg): row for row, pdg in enumerate(self._kinds)}
        for block, links in zip(blocks, self._plan.identification, strict=True):
            covered = np.array([block.covers(int(pdg)) for pdg in self._kinds], dtype=np.bool_)
            rows = np.flatnonzero(todo & covered[self.kind])
            todo[rows] = False
            total = np.zeros(rows.size)
            lost = np.ones(rows.size, dtype=np.bool_)
            for entry, link in zip(block.row, links, strict=True):
                probability = self._probability(entry.probability, link, rows)
                start, total = total, total + probability
                hit = lost & (start <= u[rows]) & (u[rows] < total)
                lost &= ~hit
                true = self._kinds[self.kind[rows[hit]]]
                kind[rows[hit]] = [row_of[entry.pdgid(int(pdg))] for pdg in true]
            self._check_sum(block.particles, rows, total)
            self._fate[rows[lost]] |= np.uint16(Fate.UNIDENTIFIED)
            self._retake(rows, kind, block.keep)
        self.kind = kind

    def _probability(
        self, value: float | str, link: int, rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        if isinstance(value, str):
            return np.where(self._evaluated(link, rows), self._cells.dynamic[link, rows], 0.0)
        return np.full(rows.size, value)

    def _check_sum(
        self, particles: object, rows: NDArray[np.int64], total: NDArray[np.float64]
    ) -> None:
        wrong = total > 1.0 + 1e-9
        if wrong.any():
            worst = rows[int(np.argmax(wrong))]
            message = (
                f"card {self._plan.card.name}: identification of {particles}: probabilities add up to "
                f"{total[int(np.argmax(wrong))]:.6g} for {self._words(int(worst))}; at most 1 is allowed"
            )
            raise ValueError(message)

    def _retake(self, rows: NDArray[np.int64], kind: NDArray[np.int64], keep: str) -> None:
        """Give mistaken particles the mass of what they are taken for, and keep what is measured."""
        mistaken = rows[kind[rows] != self.kind[rows]]
        if not mistaken.size:
            return
        self._fate[mistaken] |= np.uint16(Fate.MISIDENTIFIED)
        k = self._kinematics
        mass = self._table.mass[kind[mistaken]]
        if keep == "momentum":
            p = k.p[mistaken]
            energy = np.sqrt(p * p + mass * mass)
        else:
            energy = k.kinetic[mistaken] + mass if keep == "kinetic" else k.energy[mistaken]
            p = np.sqrt(np.maximum((energy - mass) * (energy + mass), 0.0))
        k.mass[mistaken], k.energy[mistaken], k.p[mistaken] = mass, energy, p
        k.kinetic[mistaken] = np.maximum(energy - mass, 0.0)

    def choose(self) -> None:
        """Find the rule of every particle; conditions that are formulas are evaluated before."""
        plan, table = self._plan, self._table
        todo = self._open()
        whens = [(k, int(link)) for k, link in enumerate(plan.rule_links[:, _WHEN]) if link >= 0]
        for k, link in whens:
            asked = np.array(
                [
                    table.outcome[s] == 0 and k in table.candidates[table.first[s] : table.last[s]]
                    for s in range(len(self._kinds))
                ],
                dtype=np.bool_,
            )
            self._evaluated(link, np.flatnonzero(todo & asked[self.kind]))
        self._chosen = choose(self.kind, table, self._kinematics, self._cells)
        gone = (self._fate & _NOT_SMEARED) != 0
        self._chosen[gone] = -1

    def draw(self, variation: int) -> Smeared:
        """Evaluate the formulas of each rule for its particles, and draw."""
        todo = self._open()
        whens = set(self._plan.rule_links[:, _WHEN].tolist())
        for link, cell in enumerate(self._plan.cells):
            if cell.rule >= 0 and link not in whens:
                self._evaluated(link, np.flatnonzero(todo & (self._chosen == cell.rule)))
        out = draw(
            self._rays,
            self.kind,
            self._table,
            self._kinematics,
            self._chosen,
            self._cells,
            self._plan.histograms,
            fate=self._fate,
            variation=variation,
        )
        undrawn = (out.fate & _INVALID) != 0
        if undrawn.any() and self._on_invalid == "stop":
            i = int(np.argmax(undrawn))
            message = (
                f"card {self._plan.card.name}: rule {self._plan.card.rules[self._chosen[i]].name!r}: nothing can be "
                f"drawn for {self._words(i)}: outside the table, or in an empty row of it"
            )
            raise ValueError(message)
        return out

    def _evaluated(self, link: int, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Fill a cell for these particles; those without a value are refused, or lost. Say who has one."""
        cell = self._plan.cells[link]
        if not rows.size:
            return np.ones(0, dtype=np.bool_)
        columns = (
            np.stack([self._column(name, rows) for name in cell.program.names])
            if (cell.program.names)
            else np.zeros((0, rows.size))
        )
        value = cell.program.evaluate(columns)
        if cell.condition:
            good = ~np.isnan(value)
        else:
            above = value > cell.low if cell.above else value >= cell.low
            good = above & (value <= cell.high) & np.isfinite(value)
        if not good.all():
            self._refuse(cell, rows, value, good)
        self._cells.dynamic[link, rows] = np.where(good, value * cell.factor, 0.0)
        return np.asarray(good)

    def _refuse(
        self,
        cell: Cell,
        rows: NDArray[np.int64],
        value: NDArray[np.float64],
        good: NDArray[np.bool_],
    ) -> None:
        if self._on_invalid == "lose":
            self._fate[rows[~good]] |= np.uint16(_INVALID)
            return
        i = int(np.argmax(~good))
        allowed = f"{'above' if cell.above else 'from'} {cell.low:g}"
        allowed += f" to {cell.high:g}" if np.isfinite(cell.high) else ""
        allowed = "true or false" if cell.condition else f"{allowed}, finite"
        found = "is not known" if np.isnan(value[i]) else f"is {value[i]:.6g}"
        message = (
            f"card {self._plan.card.name}: {cell.where}: {cell.text!r} {found} for {self._words(int(rows[i]))}; "
            f"allowed: {allowed}; or let such particles be lost (on_invalid='lose', --on-invalid lose)"
        )
        raise ValueError(message)

    def _words(self, i: int) -> str:
        k = self._kinematics
        pdg = int(self._kinds[self.kind[i]])
        try:
            name = names.name(pdg)
        except ValueError:
            name = f"PDG {pdg}"
        return (
            f"{name} with E = {k.energy[i]:.6g} GeV, p = {k.p[i]:.6g} GeV, theta = {k.theta[i]:.6g} "
            f"(entry {int(self._rays.entry[i])})"
        )

    def _column(self, name: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return _QUANTITIES[name](self, rows)

    def _direction(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Length of the true momentum, 1 at rest."""
        k = self._kinematics
        x, y, z = k.x[rows], k.y[rows], k.z[rows]
        norm = np.sqrt(x * x + y * y + z * z)
        return np.where(norm > 0.0, norm, 1.0)

    def _cos_theta(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        k = self._kinematics
        at_rest = (k.x[rows] == 0.0) & (k.y[rows] == 0.0) & (k.z[rows] == 0.0)
        return np.where(at_rest, 1.0, np.clip(k.z[rows] / self._direction(rows), -1.0, 1.0))

    def _transverse(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Momentum across the axis, of the particle as it is taken."""
        k = self._kinematics
        x, y = k.x[rows], k.y[rows]
        return np.sqrt(x * x + y * y) * (k.p[rows] / self._direction(rows))

    def _charge(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        charges = np.array([names.charge(int(pdg)) for pdg in self._kinds])
        return charges[self.kind[rows]]

    def _phi(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return azimuths(self._kinematics.x[rows], self._kinematics.y[rows])

    def _component(self, which: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Direction cosine in the record's own frame."""
        value: NDArray[np.float64] = getattr(self._rays, which)[rows]
        return np.clip(value / self._direction(rows), -1.0, 1.0)

    def _range(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Range of the particle as it is taken, cm; NaN for those that have none."""
        from forefold.physics.ranges import csda_range

        containment = self._plan.card.containment
        assert containment is not None
        found = np.full(rows.size, np.nan)
        for kind in np.unique(self.kind[rows]):
            these = self.kind[rows] == kind
            kinetic = self._kinematics.kinetic[rows[these]]
            try:
                found[these] = csda_range(kinetic, int(self._kinds[kind]), containment.material)
            except ValueError:
                continue
        return found

    def _contained(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        from forefold.physics.containment import Box, contained

        block = self._plan.card.containment
        assert block is not None
        fiducial = None if block.fiducial is None else Box(block.fiducial.low, block.fiducial.high)
        return contained(
            self._range(rows),
            *(self._component(which, rows) for which in ("px", "py", "pz")),
            active=Box(block.active.low, block.active.high),
            fiducial=fiducial,
        )

    def _gamma(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        k = self._kinematics
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(k.energy[rows] / k.mass[rows])

    def _beta(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        k = self._kinematics
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.minimum(k.p[rows] / k.energy[rows], 1.0))


_QUANTITIES: dict[str, Callable[[_Work, NDArray[np.int64]], NDArray[np.float64]]] = {
    "E": lambda w, r: w._kinematics.energy[r],
    "KE": lambda w, r: w._kinematics.kinetic[r],
    "p": lambda w, r: w._kinematics.p[r],
    "mass": lambda w, r: w._kinematics.mass[r],
    "theta": lambda w, r: w._kinematics.theta[r],
    "pT": _Work._transverse,
    "charge": _Work._charge,
    "beta": _Work._beta,
    "gamma": _Work._gamma,
    "cos_theta": _Work._cos_theta,
    "phi": _Work._phi,
    "nx": lambda w, r: w._component("px", r),
    "ny": lambda w, r: w._component("py", r),
    "nz": lambda w, r: w._component("pz", r),
    "range": _Work._range,
    "contained": _Work._contained,
}
