"""Flat particles and cards that the benchmarks of the kernel use."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import awkward as ak
import numpy as np

import forefold
from forefold.detector.compile import CompiledCard, compile_card, species_table
from forefold.detector.load import Card, load_card
from forefold.kernels.blocks import draw_blocks
from forefold.kernels.draw_numpy import draw_wholes
from forefold.kernels.layout import Smeared, TrueParticles
from forefold.kernels.simple_rules import SimpleRules, candidates, frames, unassigned
from forefold.kernels.threads import in_ranges

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CARD", "Beam", "Blocks", "beam", "formula_card"]

CARD = "nusmear-dune-cdr"
_FLOATS = 9
_NO_BLOCK = np.uint64(0)


class Beam(NamedTuple):
    """Particles of the packaged events, one event after the other, and a card for them."""

    truth: TrueParticles
    pdgid: NDArray[np.int64]
    compiled: CompiledCard


def beam(n: int) -> Beam:
    """Take `n` particles of the sample, again and again, with the axis of all events along z."""
    events = forefold.read(forefold.sample())
    flat = ak.flatten(events.particles)
    take = np.arange(n) % len(flat)
    numbers = {k: ak.to_numpy(flat[k])[take] for k in ("px", "py", "pz", "energy")}
    pdgid, kinds = np.unique(ak.to_numpy(flat.pdgid)[take], return_inverse=True)
    index = np.arange(n, dtype=np.uint64)
    zeros = np.zeros(n, dtype=np.uint64)
    axis = np.array([[0.0, 0.0, 1.0]])
    event = np.zeros(n, dtype=np.int64)
    truth = TrueParticles(
        zeros + np.uint64(1), index, zeros, kinds, event=event, axis=axis, **numbers
    )
    return Beam(truth, pdgid.astype(np.int64), compile_card(load_card(CARD)))


def formula_card() -> Card:
    """Make the preset card with every width written as a formula of the particle."""
    card = load_card(CARD)
    rules = []
    for rule in card.rules:
        energy = rule.energy
        if energy.distribution != "none":
            name = "KE" if energy.of == "kinetic" else "E"
            terms = f"({energy.constant})**2 + ({energy.stochastic})**2 / max({name}, 1e-9)"
            text = f"sqrt({terms})"
            bare = {"constant": 0.0, "stochastic": 0.0, "noise": 0.0, "resolution": text}
            energy = energy.model_copy(update=bare)
        rules.append(rule.model_copy(update={"energy": energy}))
    return card.model_copy(update={"rules": tuple(rules)})


class Blocks:
    """The kernel alone: blocks of particles from four-vectors to what is reconstructed, into columns that are there.

    What `forefold.smearing.engine.smear_particles` does beyond it is to make those columns.

    Attributes
    ----------
    out : Smeared
        Where it writes.
    bytes_read, bytes_written : int
        Of one particle.
    """

    def __init__(self, given: Beam) -> None:
        n = given.truth.energy.size
        rules = given.compiled.simple_rules
        assert rules is not None, "the card of the benchmark is a plain one"
        self._rules: SimpleRules = rules
        self._rays = given.truth
        self._species = species_table(given.compiled.card, given.pdgid)
        self._table = candidates(self._species)
        self._axes, self._same = frames(given.truth.axis)
        self._columns = np.zeros((_FLOATS, n))
        fate, rule = np.zeros(n, np.uint16), np.zeros(n, np.int16)
        component = np.zeros(n, np.int8)
        a, b, c, d, e, f, g, h, i = self._columns
        self.out = Smeared(a, b, c, d, e, f, g, h, i, fate, rule, component)
        read = [x for name, x in given.truth._asdict().items() if name not in {"axis", "event"}]
        self.bytes_read = sum(x.itemsize for x in read) + fate.itemsize
        self.bytes_written = sum(x.itemsize for x in self.out)

    def _range(self, start: int, stop: int) -> None:
        draw_blocks(
            self._rays, self._species, self._table, self._rules, unassigned(), self._axes, self._same,
            _NO_BLOCK, start, stop, self._columns[-7:], self.out,
        )  # fmt: skip

    def one_thread(self) -> None:
        """All particles on one core."""
        self.out.fate.fill(0)
        self._range(0, self._rays.energy.size)

    def threads(self) -> None:
        """All particles in as many threads as ``FOREFOLD_NUM_THREADS`` says."""
        self.out.fate.fill(0)
        in_ranges(self._range, self._rays.energy.size)

    def wholes(self) -> None:
        """All particles in plain numpy, as where nothing is compiled."""
        self.out.fate.fill(0)
        draw_wholes(
            self._rays, self._species, self._table, self._rules, unassigned(), self._axes, _NO_BLOCK, self.out
        )  # fmt: skip
