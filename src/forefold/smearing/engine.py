"""Particles through a card: what they are identified as, which rule they get, what is reconstructed of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from forefold.detector.compile import species_table
from forefold.kernels.fate import OUTCOMES, Fate
from forefold.kernels.launch import choose, describe, draw, draw_directly, uniform_columns
from forefold.kernels.layout import (
    COMPONENT_COLUMNS,
    RULE_COLUMNS,
    Kinematics,
    RuleTables,
    Smeared,
    Species,
    TrueParticles,
)
from forefold.kernels.philox import PURPOSE_IDENTIFICATION
from forefold.smearing.errors import above_one, no_value, particle, undrawable
from forefold.smearing.quantities import Particles, quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.detector.compile import CompiledCard

__all__ = ["OnInvalid", "Prepared", "SmearedParticles", "all_kinds", "prepared", "smear_particles"]

OnInvalid = Literal["stop", "lose"]

_OUTCOME_BITS = int(sum(OUTCOMES))
_NOT_SMEARED = int(Fate.NOT_FINAL_STATE | Fate.DECAYED | Fate.MERGED)
_INVALID = int(Fate.INVALID)
_WHEN = RULE_COLUMNS.index("when")
_THRESHOLD_KE = RULE_COLUMNS.index("threshold_ke")
_THRESHOLD_P = RULE_COLUMNS.index("threshold_p")
_ANGLES = [RULE_COLUMNS.index(name) for name in ("theta_sigma", "phi_sigma")]
_PARTS = [RULE_COLUMNS.index(name) for name in ("first", "last")]
_SEEN_IF = RULE_COLUMNS.index("seen_if")
_WEIGHT = COMPONENT_COLUMNS.index("weight")


class SmearedParticles(NamedTuple):
    """Particles after a card has smeared them.

    Attributes
    ----------
    out : Smeared
        Reconstructed energies, directions and momenta, with fates.
    pdgid : ndarray of int64, shape (n,)
        What every particle was taken for.
    mass_true : ndarray of float64, shape (n,), GeV
        ``out.mass`` is that of what it was taken for.
    """

    out: Smeared
    pdgid: NDArray[np.int64]
    mass_true: NDArray[np.float64]


def smear_particles(
    truth: TrueParticles,
    pdgid: NDArray[np.int64],
    fate: NDArray[np.uint16],
    compiled: CompiledCard,
    *,
    taken: NDArray[np.int64] | None = None,
    variation: int = 0,
    on_invalid: OnInvalid = "stop",
) -> SmearedParticles:
    """Smear particles by the rules of a card: identify, choose the rule, draw.

    Parameters
    ----------
    truth : TrueParticles
        ``species`` are rows of `pdgid`.
    pdgid : ndarray of int64, shape (s,)
        Distinct PDG identifiers.
    fate : ndarray of uint16, shape (n,)
        0, flags, or an outcome that is settled already.
    compiled : CompiledCard
        The detector, from `forefold.detector.compile.compile_card`.
    taken : ndarray of int64, shape (n,), optional
        Rows of `pdgid`: what a stage took particles for; their momentum is kept.
    variation : int
        Which of many independent draws with the same `rng`.
    on_invalid : {"stop", "lose"}
        What becomes of a particle for which a formula has no value.

    Returns
    -------
    SmearedParticles
        In the order of `truth`.

    Raises
    ------
    ValueError
        A formula has no value, or one that is not allowed, for a particle; with ``on_invalid="stop"``.
    """
    rules = None if taken is not None else compiled.simple_rules
    if rules is not None:
        out = draw_directly(
            truth, species_table(compiled.card, pdgid), rules, fate=fate, variation=variation
        )
        return SmearedParticles(out, pdgid[truth.species], out.mass)
    work = prepared(
        truth, pdgid, fate, compiled, taken=taken, variation=variation, on_invalid=on_invalid
    )
    return SmearedParticles(work.draw(variation), work.kinds[work.kind], work.mass_true)


def prepared(
    truth: TrueParticles,
    pdgid: NDArray[np.int64],
    fate: NDArray[np.uint16],
    compiled: CompiledCard,
    *,
    taken: NDArray[np.int64] | None = None,
    variation: int = 0,
    on_invalid: OnInvalid = "stop",
) -> Prepared:
    """Prepare particles for the draw: identify them, choose their rules and evaluate the formulas of these rules.

    Parameters and errors are those of `smear_particles`.

    Returns
    -------
    Prepared
        Ready for the draw, or for the closed form.
    """
    kinds = all_kinds(compiled, pdgid)
    table = species_table(compiled.card, kinds)
    work = Prepared(truth, kinds, table, compiled, fate.copy(), describe(truth, table), on_invalid)
    if taken is not None:
        work.take(taken)
    work.identify(variation)
    work.choose()
    work.fill()
    return work


def all_kinds(compiled: CompiledCard, pdgid: NDArray[np.int64]) -> NDArray[np.int64]:
    """PDG identifiers of the particles in their order, then those that they can be misidentified as."""
    kinds = [int(pdg) for pdg in pdgid]
    kinds = list(dict.fromkeys(kinds))
    for block in compiled.card.identification:
        for true in [pdg for pdg in pdgid if block.covers(int(pdg))]:
            kinds += [entry.pdgid(int(true)) for entry in block.row]
    return np.array(list(dict.fromkeys(kinds)), dtype=np.int64)


class Prepared:
    """Particles that are identified and have a rule, before random numbers smear them.

    Attributes
    ----------
    truth : TrueParticles
        True particles, with what their random numbers depend on.
    compiled : CompiledCard
        The detector, from `forefold.detector.compile.compile_card`.
    kinds : ndarray of int64, shape (s,)
        PDG identifiers; `kind` are rows of it: what each particle is taken for.
    table : Species
        Masses and rules of `kinds`.
    kinematics : Kinematics
        As the particles are taken.
    fate : ndarray of uint16, shape (n,)
        Outcomes so far, and flags.
    chosen : ndarray of int64, shape (n,)
        Rules; -1 is left out.
    tables : RuleTables
        Filled for the particles of each rule that need it.
    mass_true : ndarray of float64, shape (n,), GeV
        Mass of the true particle; `kinematics` has that of the identified one.
    """

    def __init__(
        self,
        truth: TrueParticles,
        kinds: NDArray[np.int64],
        table: Species,
        compiled: CompiledCard,
        fate: NDArray[np.uint16],
        kinematics: Kinematics,
        on_invalid: OnInvalid,
    ) -> None:
        self.truth = truth
        self.kinds = kinds
        self.table = table
        self.compiled = compiled
        self.fate = fate
        self.kinematics = kinematics
        self._on_invalid = on_invalid
        self.kind = truth.species
        mistaken = bool(compiled.card.identification) or bool(compiled.card.stages)
        self.mass_true = kinematics.mass.copy() if mistaken else kinematics.mass
        n = truth.energy.size
        self.tables = RuleTables(
            compiled.rules,
            compiled.rule_links,
            compiled.components,
            compiled.component_links,
            np.zeros((len(compiled.formulas), n)),
        )
        self.chosen = np.full(n, -1, np.int64)
        self._order, self._bounds = np.empty(0, np.int64), np.empty(0, np.int64)

    def _open(self) -> NDArray[np.bool_]:
        """Particles of which nothing is settled yet."""
        return np.asarray((self.fate & _OUTCOME_BITS) == 0)

    def take(self, kind: NDArray[np.int64]) -> None:
        """Take over the identities that the stages of the card gave."""
        self._retake(np.arange(kind.size), kind, "momentum")
        self.kind = kind

    def identify(self, variation: int) -> None:
        """Draw the identity of each particle; one that gets none is lost."""
        blocks = self.compiled.card.identification
        if not blocks:
            return
        u = uniform_columns(self.truth, PURPOSE_IDENTIFICATION, variation=variation)
        left_out = self.table.outcome[self.kind] != 0
        todo = self._open() & ~left_out
        kind = self.kind.copy()
        row_of = {int(pdg): row for row, pdg in enumerate(self.kinds)}
        for block, links in zip(blocks, self.compiled.identification, strict=True):
            covered = np.array([block.covers(int(pdg)) for pdg in self.kinds], dtype=np.bool_)
            rows = np.flatnonzero(todo & covered[self.kind])
            todo[rows] = False
            total = np.zeros(rows.size)
            lost = np.ones(rows.size, dtype=np.bool_)
            for entry, link in zip(block.row, links, strict=True):
                probability = self._probability(entry.probability, link, rows)
                start, total = total, total + probability
                hit = lost & (start <= u[rows]) & (u[rows] < total)
                lost &= ~hit
                true = self.kinds[self.kind[rows[hit]]]
                kind[rows[hit]] = [row_of[entry.pdgid(int(pdg))] for pdg in true]
            self._check_sum(
                f"identification of {', '.join(map(str, block.particles))}", rows, total
            )
            valid = (self.fate[rows] & _INVALID) == 0
            kind[rows[~valid]] = self.kind[rows[~valid]]
            self.fate[rows[lost & valid]] |= np.uint16(Fate.UNIDENTIFIED)
            self._retake(rows, kind, block.keep)
        self.kind = kind

    def _probability(
        self, value: float | str, link: int, rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        if isinstance(value, str):
            return np.where(self._evaluated(link, rows), self.tables.dynamic[link, rows], 0.0)
        return np.full(rows.size, value)

    def _check_sum(self, where: str, rows: NDArray[np.int64], total: NDArray[np.float64]) -> None:
        """Refuse particles whose probabilities add up to more than one, or lose them."""
        wrong = total > 1.0 + 1e-9
        if self._on_invalid == "lose":
            self.fate[rows[wrong]] |= np.uint16(_INVALID)
        elif wrong.any():
            i = int(np.argmax(wrong))
            who = self._words(int(rows[i]))
            raise ValueError(above_one(self.compiled.card, where, float(total[i]), who))

    def _retake(self, rows: NDArray[np.int64], kind: NDArray[np.int64], keep: str) -> None:
        """Give mistaken particles the mass of what they are taken for, and keep what is measured."""
        mistaken = rows[kind[rows] != self.kind[rows]]
        if not mistaken.size:
            return
        self.fate[mistaken] |= np.uint16(Fate.MISIDENTIFIED)
        k = self.kinematics
        mass = self.table.mass[kind[mistaken]]
        if keep == "momentum":
            p = k.p[mistaken]
            energy = np.sqrt(p * p + mass * mass)
        else:
            energy = k.kinetic[mistaken] + mass if keep == "kinetic" else k.energy[mistaken]
            p = np.sqrt(np.maximum((energy - mass) * (energy + mass), 0.0))
        k.mass[mistaken], k.energy[mistaken], k.p[mistaken] = mass, energy, p
        k.kinetic[mistaken] = np.maximum(energy - mass, 0.0)

    def choose(self) -> None:
        """Find the rule of every particle; a condition is evaluated only for particles that no earlier rule took."""
        compiled, table = self.compiled, self.table
        todo = self._open()
        for k, link in enumerate(compiled.rule_links[:, _WHEN].tolist()):
            if link >= 0:
                # if it held for all, who would be taken by it?
                self.tables.dynamic[link] = 1.0
                reached = choose(self.kind, table, self.kinematics, self.tables) == k
                self.tables.dynamic[link] = 0.0
                self._evaluated(link, np.flatnonzero(todo & reached))
        self.chosen = choose(self.kind, table, self.kinematics, self.tables)
        gone = (self.fate & _NOT_SMEARED) != 0
        self.chosen[gone] = -1

    def fill(self) -> None:
        """Evaluate the formulas of each rule for its particles."""
        compiled = self.compiled
        if not compiled.formulas:
            return
        self._sort()
        done = set(compiled.rule_links[:, _WHEN].tolist())
        todo = self._open()
        for link in compiled.rule_links[:, _SEEN_IF].tolist():
            if link >= 0:
                self._of_rule(link, todo)
        done |= set(compiled.rule_links[:, _SEEN_IF].tolist())
        above = self._open() & self._above_threshold()
        angles = set(compiled.rule_links[:, _ANGLES].ravel().tolist())
        for link, formula in enumerate(compiled.formulas):
            if formula.rule >= 0 and link not in done:
                # angles are drawn for lost particles too, as a column of the output
                self._of_rule(link, todo if link in angles else above)
        self._check_weights(above)

    def draw(self, variation: int) -> Smeared:
        """Draw the reconstructed energies and directions."""
        compiled = self.compiled
        out = draw(
            self.truth,
            self.kind,
            self.table,
            self.kinematics,
            self.chosen,
            self.tables,
            compiled.histograms,
            fate=self.fate,
            variation=variation,
        )
        undrawn = (out.fate & _INVALID) != 0
        if undrawn.any() and self._on_invalid == "stop":
            i = int(np.argmax(undrawn))
            raise ValueError(undrawable(compiled.card, int(self.chosen[i]), self._words(i)))
        return out

    def _sort(self) -> None:
        """Put the particles of each rule together, so that no formula searches all of them."""
        chosen = self.chosen.astype(np.int16)  # this wide it sorts in one pass
        self._order = np.argsort(chosen, kind="stable")
        rules = np.arange(len(self.compiled.card.rules) + 1)
        self._bounds = np.searchsorted(chosen[self._order], rules)

    def _rows(self, rule: int) -> NDArray[np.int64]:
        return self._order[self._bounds[rule] : self._bounds[rule + 1]]

    def _of_rule(self, link: int, which: NDArray[np.bool_]) -> None:
        """Evaluate a formula for those particles of its rule that need it."""
        rows = self._rows(self.compiled.formulas[link].rule)
        self._evaluated(link, rows[which[rows]])

    def _above_threshold(self) -> NDArray[np.bool_]:
        """Particles that are seen if the efficiency lets them: for others, efficiency and energy need no value."""
        k, rules, chosen = self.kinematics, self.compiled.rules, self.chosen
        above = k.kinetic >= np.ascontiguousarray(rules[:, _THRESHOLD_KE])[chosen]
        if rules[:, _THRESHOLD_P].any():
            above &= k.p >= np.ascontiguousarray(rules[:, _THRESHOLD_P])[chosen]
        for rule, link in enumerate(self.compiled.rule_links[:, _SEEN_IF].tolist()):
            if link >= 0:
                above &= (chosen != rule) | (self.tables.dynamic[link] == 1.0)
        return np.asarray(above)

    def _check_weights(self, which: NDArray[np.bool_]) -> None:
        """Refuse particles whose weights add up to more than one, or lose them."""
        numbers, links = (
            x[:, _WEIGHT] for x in (self.compiled.components, self.compiled.component_links)
        )
        for rule, (first, last) in enumerate(
            self.compiled.rules[:, _PARTS].astype(np.int64).tolist()
        ):
            ahead = range(first, last - 1)
            if any(links[k] >= 0 for k in ahead):
                rows = self._rows(rule)
                rows = rows[which[rows]]
                total = np.zeros(rows.size)
                for k in ahead:
                    total += numbers[k] if links[k] < 0 else self.tables.dynamic[links[k], rows]
                name = self.compiled.card.rules[rule].name
                self._check_sum(f"rule[{rule + 1}] {name!r}.energy.parts", rows, total)

    def _evaluated(self, link: int, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Evaluate a formula for these particles; without a value they are refused, or lost. Say which ones have a value."""
        compiled, formula = self.compiled, self.compiled.formulas[link]
        if not rows.size:
            return np.ones(0, dtype=np.bool_)
        particles = Particles(
            self.truth, self.kinematics, self.kinds, self.kind, compiled.card.containment
        )
        columns = (
            np.stack([quantity(name, particles, rows) for name in formula.program.names])
            if (formula.program.names)
            else np.zeros((0, rows.size))
        )
        value = formula.program.evaluate(columns)
        if formula.condition:
            good = ~np.isnan(value)
        else:
            above = value > formula.low if formula.above else value >= formula.low
            good = above & (value <= formula.high) & np.isfinite(value)
        if not good.all():
            if self._on_invalid == "stop":
                i = int(np.argmax(~good))
                raise ValueError(
                    no_value(compiled.card, formula, value[i], self._words(int(rows[i])))
                )
            self.fate[rows[~good]] |= np.uint16(_INVALID)
            value = np.where(good, value, 0.0)
        self.tables.dynamic[link, rows] = value if formula.factor == 1.0 else value * formula.factor
        return np.asarray(good)

    def _words(self, i: int) -> str:
        return particle(int(self.kinds[self.kind[i]]), self.kinematics, self.truth, i)
