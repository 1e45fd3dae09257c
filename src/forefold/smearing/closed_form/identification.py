"""Hypotheses of the identification: what a particle may be taken for, with its probability and its response."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forefold.detector.compile import species_table
from forefold.kernels.fate import OUTCOMES, Fate
from forefold.kernels.launch import describe
from forefold.smearing.closed_form.particle_response import ParticleResponse
from forefold.smearing.engine import Prepared, all_kinds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.detector.compile import CompiledCard
    from forefold.kernels.layout import Kinematics, TrueParticles
    from forefold.smearing.engine import OnInvalid

__all__ = ["Hypothesis", "particle_hypotheses"]

_OUTCOME_BITS = int(sum(OUTCOMES))
_INVALID = int(Fate.INVALID)


class Hypothesis(NamedTuple):
    """One identity that each particle may be taken for.

    Attributes
    ----------
    pdgid : ndarray of int64, shape (n,)
        What each particle is taken for.
    probability : ndarray, shape (n,)
        0 where a particle cannot be taken for it.
    response : ParticleResponse
        Of the particles as they are taken.
    """

    pdgid: NDArray[np.int64]
    probability: NDArray[np.float64]
    response: ParticleResponse


class _FixedIdentity(Prepared):
    """Particles whose identity is set, not drawn."""

    def alternatives(
        self,
    ) -> list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]]:
        """List rows of `kinds`, probabilities, and blocks of identification (-1: none), each of shape (n,)."""
        card, n = self.compiled.card, self.kind.size
        todo = self._open() & (self.table.outcome[self.kind] == 0)
        most = max((len(block.row) for block in card.identification), default=1)
        kind = np.repeat(self.kind[None], most, axis=0)
        probability, by = np.zeros((most, n)), np.full(n, -1, np.int64)
        row_of = {int(pdg): row for row, pdg in enumerate(self.kinds)}
        for b, (block, links) in enumerate(
            zip(card.identification, self.compiled.identification, strict=True)
        ):
            covered = np.array([block.covers(int(pdg)) for pdg in self.kinds], dtype=np.bool_)
            rows = np.flatnonzero(todo & covered[self.kind])
            todo[rows], by[rows] = False, b
            for j, (entry, link) in enumerate(zip(block.row, links, strict=True)):
                probability[j, rows] = self._probability(entry.probability, link, rows)
                for true in np.unique(self.kind[rows]).tolist():
                    these = rows[self.kind[rows] == true]
                    kind[j, these] = row_of[entry.pdgid(int(self.kinds[true]))]
            self._check_sum(
                f"identification of {', '.join(map(str, block.particles))}",
                rows,
                probability[:, rows].sum(axis=0),
            )
        probability[0, by < 0] = 1.0
        probability[:, (self.fate & _INVALID) != 0] = 0.0
        return [(kind[j], probability[j], by) for j in range(most)]

    def settle(
        self,
        kind: NDArray[np.int64],
        probability: NDArray[np.float64],
        by: NDArray[np.int64],
    ) -> None:
        """Set the identities, choose the rules and evaluate their formulas."""
        for b, block in enumerate(self.compiled.card.identification):
            self._retake(np.flatnonzero(by == b), kind, block.keep)
        self.kind = kind
        unlikely = (probability == 0.0) & self._open()
        self.fate[unlikely] |= np.uint16(Fate.UNIDENTIFIED)
        self.choose()
        self.fill()


def particle_hypotheses(
    truth: TrueParticles,
    pdgid: NDArray[np.int64],
    fate: NDArray[np.uint16],
    compiled: CompiledCard,
    *,
    taken: NDArray[np.int64] | None = None,
    kinematics: Kinematics | None = None,
    on_invalid: OnInvalid = "stop",
) -> list[Hypothesis]:
    """Every identity that particles may be taken for, with its probability and the card's response to it.

    Parameters
    ----------
    truth : TrueParticles
        ``species`` are rows of `pdgid`. Keys and entries do not matter: nothing is drawn.
    pdgid : ndarray of int64, shape (s,)
        Distinct PDG identifiers.
    fate : ndarray of uint16, shape (n,)
        0, flags, or an outcome that is settled already.
    compiled : CompiledCard
        The detector, from `forefold.detector.compile.compile_card`.
    taken : ndarray of int64, shape (n,), optional
        See `forefold.smearing.engine.smear_particles`.
    kinematics : Kinematics, optional
        Used instead of what follows from the four-vectors, if given.
    on_invalid : {"stop", "lose"}
        What becomes of a particle for which a formula has no value.

    Returns
    -------
    list of Hypothesis
        One without identification.

    Raises
    ------
    ValueError
        A formula has no value for a particle; with ``on_invalid="stop"``.
    """
    kinds = all_kinds(compiled, pdgid)
    table = species_table(compiled.card, kinds)

    def fresh() -> _FixedIdentity:
        copied = describe(truth, table)
        if kinematics is not None:
            for column, values in zip(copied, kinematics, strict=True):
                column[...] = values
        work = _FixedIdentity(truth, kinds, table, compiled, fate.copy(), copied, on_invalid)
        if taken is not None:
            work.take(taken)
        return work

    hypotheses = []
    for kind, probability, by in fresh().alternatives():
        work = fresh()
        work.settle(kind, probability, by)
        hypotheses.append(Hypothesis(kinds[kind], probability, ParticleResponse(work)))
    return hypotheses
