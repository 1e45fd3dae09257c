"""A card made ready for the loops: rules and components as tables of numbers, formulas as programs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold.detector.energy import SHAPES
from forefold.detector.formulas import Formula, parsed
from forefold.detector.tables import Kept
from forefold.detector.values import allowed
from forefold.events import particles as species
from forefold.kernels.fate import Fate
from forefold.kernels.layout import (
    COMPONENT_COLUMNS,
    CONVENTIONS,
    DISTRIBUTIONS,
    OF,
    RULE_COLUMNS,
    SPACE_DISTRIBUTIONS,
    Histograms,
    RuleTables,
    Species,
)
from forefold.kernels.simple_rules import SimpleRules, simple_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from forefold.detector import Angle, Card, Rule
    from forefold.detector.energy import Drawn
    from forefold.expressions import Kind
    from forefold.expressions.program import Program
    from forefold.expressions.tables import Table

__all__ = ["CardFormula", "CompiledCard", "compile_card", "species_table"]

_LEFT_OUT = {
    "neutrino": Fate.NEUTRINO,
    "nucleus": Fate.NUCLEUS,
    "pseudo-particle": Fate.PSEUDO_PARTICLE,
}
_ABSENT = -1.0
_SHAPE_COLUMNS = ("shape_a", "shape_b", "shape_c", "shape_d")


class CardFormula(NamedTuple):
    """A formula of a card, compiled, and what it is for.

    Attributes
    ----------
    where, text : str
        For messages.
    rule : int
        Rule whose particles need it; -1: those of `kinds`.
    condition : bool
    program : Program
    factor : float
        What its value is multiplied by to be in the unit of the loops.
    low, high : float
        Allowed values.
    above : bool
        `low` itself is not allowed.
    """

    where: str
    text: str
    rule: int
    condition: bool
    program: Program
    factor: float
    low: float
    high: float
    above: bool


@dataclass(frozen=True)
class CompiledCard:
    """A card as the loops take it.

    Attributes
    ----------
    card : Card
    rules, components : ndarray of float64
        See `forefold.kernels.layout`.
    rule_links, component_links : ndarray of int64, of the same shapes
        Row of `formulas`, or -1.
    formulas : tuple of CardFormula
    histograms : Histograms
    identification : tuple of tuple of (object, int)
        A block of the card after the other: what is taken for, and its row of `formulas` or -1 with a number.
    """

    card: Card
    rules: NDArray[np.float64]
    rule_links: NDArray[np.int64]
    components: NDArray[np.float64]
    component_links: NDArray[np.int64]
    formulas: tuple[CardFormula, ...]
    histograms: Histograms
    identification: tuple[tuple[int, ...], ...]

    @cached_property
    def simple_rules(self) -> SimpleRules | None:
        """Rules that one loop from four-vectors on can do: no formula, no identification, nothing that is not plain."""
        if self.formulas or self.card.identification:
            return None
        tables = (self.rules, self.rule_links, self.components, self.component_links)
        return simple_rules(RuleTables(*tables, np.empty((0, 0))))


def compile_card(card: Card) -> CompiledCard:
    """Make a card ready for the loops.

    Parameters
    ----------
    card : Card

    Returns
    -------
    CompiledCard

    Examples
    --------
    >>> from forefold import load_card
    >>> compile_card(load_card("nusmear-dune-cdr")).rules.shape
    (8, 17)
    """
    return _Compiler(card).whole()


class _Compiler:
    def __init__(self, card: Card) -> None:
        self._card = card
        self._constants = {name: p.value for name, p in card.parameters.items()}
        self._kept = Kept(card)
        self._tables = {name: _table(block) for name, block in card.tables.items()}
        self._tables |= self._kept.tables
        self._used: list[str] = []
        self._formulas: list[CardFormula] = []

    def whole(self) -> CompiledCard:
        card = self._card
        identification = tuple(
            tuple(
                self._linked(
                    f"identification[{i + 1}].row[{j + 1}]", -1, "probability", e.probability
                )
                for j, e in enumerate(block.row)
            )
            for i, block in enumerate(card.identification)
        )
        rules = np.zeros((len(card.rules), len(RULE_COLUMNS)))
        links = np.full(rules.shape, -1, np.int64)
        parts: list[tuple[dict[str, float], dict[str, int]]] = []
        for k, rule in enumerate(card.rules):
            first = len(parts)
            parts += self._components(k, rule)
            numbers, linked = self._rule(k, rule)
            numbers |= {"first": first, "last": len(parts)}
            _fill(rules[k], links[k], RULE_COLUMNS, numbers, linked)
        components = np.zeros((len(parts), len(COMPONENT_COLUMNS)))
        part_links = np.full(components.shape, -1, np.int64)
        for k, (numbers, linked) in enumerate(parts):
            _fill(components[k], part_links[k], COMPONENT_COLUMNS, numbers, linked)
        return CompiledCard(
            card,
            rules,
            links,
            components,
            part_links,
            tuple(self._formulas),
            _histograms([card.tables[name] for name in self._used]),
            identification,
        )

    def _rule(self, k: int, rule: Rule) -> tuple[dict[str, float], dict[str, int]]:
        where = f"rule[{k + 1}] {rule.name!r}"
        when, threshold, angle = rule.when, rule.threshold, rule.angle
        kinetic = when.kinetic_energy if when else None
        momentum = when.momentum if when else None
        reco = threshold.reco if threshold else None
        numbers = {
            "ke_low": kinetic.low if kinetic else 0.0,
            "ke_high": kinetic.high if kinetic else np.inf,
            "p_low": momentum.low if momentum else 0.0,
            "p_high": momentum.high if momentum else np.inf,
            "when": 1.0,
            "threshold_ke": _low(threshold.kinetic_energy if threshold else None, 0.0),
            "threshold_p": _low(threshold.momentum if threshold else None, 0.0),
            "seen_if": 1.0,
            "reco_ke": _low(reco.kinetic_energy if reco else None, -np.inf),
            "reco_p": _low(reco.momentum if reco else None, -np.inf),
            "convention": CONVENTIONS.index(angle.convention),
        }
        links: dict[str, int] = {}
        if when and when.formula:
            links["when"] = self._compiled(f"{where}.when.formula", k, when.formula, condition=True)
        if threshold and threshold.formula:
            place = f"{where}.threshold.formula"
            links["seen_if"] = self._compiled(place, k, threshold.formula, condition=True)
        self._put(numbers, links, where, k, "efficiency", rule.efficiency)
        lossy = self._kept.efficiency(rule)
        if lossy is not None:
            place = f"{where}.efficiency"
            links["efficiency"] = self._compiled(
                place, k, str(rule.efficiency), "efficiency", formula=lossy
            )
        self._angle(numbers, links, f"{where}.angle", k, angle)
        return numbers, links

    def _angle(
        self, numbers: dict[str, float], links: dict[str, int], where: str, k: int, angle: Angle
    ) -> None:
        if angle.convention == "space":
            numbers["angle_distribution"] = SPACE_DISTRIBUTIONS.index(angle.distribution)
        if angle.sigma_cos_theta is not None:
            own, column = angle.sigma_cos_theta, "theta_sigma"
            self._put(numbers, links, where, k, "sigma_cos_theta", own, column=column)
        widths = {}
        if angle.sigma_deg is not None:
            widths["theta_sigma"] = ("sigma_deg", angle.sigma_deg)
        if angle.sigma_phi_deg is not None:
            widths["phi_sigma"] = ("sigma_phi_deg", angle.sigma_phi_deg)
        for column, (key, value) in widths.items():
            if isinstance(value, str):
                factor = float(np.deg2rad(1.0))
                links[column] = self._compiled(f"{where}.{key}", k, value, factor=factor)
            else:
                numbers[column] = float(np.deg2rad(value))

    def _components(self, k: int, rule: Rule) -> list[tuple[dict[str, float], dict[str, int]]]:
        where = f"rule[{k + 1}] {rule.name!r}.energy"
        energy = rule.energy
        if not energy.parts:
            if energy.table is not None:
                text, formula = self._kept.known(energy)
                self._compiled(f"{where}.table", k, text, formula=formula)
            return [self._component(where, k, energy)]
        found = []
        for j, part in enumerate(energy.parts):
            numbers, links = self._component(f"{where}.parts[{j + 1}]", k, part)
            lossy = self._kept.weight(energy, j)
            if lossy is not None:
                place, own = f"{where}.parts[{j + 1}].weight", str(part.weight)
                links["weight"] = self._compiled(place, k, own, "weight", formula=lossy)
            found.append((numbers, links))
        return found

    def _component(
        self, where: str, k: int, part: Drawn
    ) -> tuple[dict[str, float], dict[str, int]]:
        numbers = {
            "weight": 1.0,
            "of": OF.index(part.of),
            "distribution": DISTRIBUTIONS.index(part.distribution),
            "linear": part.sum == "linear",
            "resolution": _ABSENT,
            "sigma": _ABSENT,
            "clamp": part.below_mass == "clamp",
        }
        links: dict[str, int] = {}
        for key in ("constant", "stochastic", "noise", "scale", "offset"):
            self._put(numbers, links, where, k, key, getattr(part, key))
        for key in ("resolution", "sigma", "weight"):
            value = getattr(part, key, None)
            if value is not None:
                self._put(numbers, links, where, k, key, value)
        for column, (key, default) in zip(
            _SHAPE_COLUMNS, SHAPES.get(part.distribution, {}).items(), strict=False
        ):
            value = getattr(part, key)
            if key == "tail":
                value = -1.0 if value == "low" else 1.0
            given = default if value is None else value
            self._put(numbers, links, where, k, key, given, column=column)
        if part.table is not None:
            if part.table not in self._used:
                self._used.append(part.table)
            numbers["table"] = self._used.index(part.table)
        return numbers, links

    def _put(
        self,
        numbers: dict[str, float],
        links: dict[str, int],
        where: str,
        k: int,
        key: str,
        value: float | str,
        *,
        column: str | None = None,
    ) -> None:
        if isinstance(value, str):
            links[column or key] = self._linked(where, k, key, value)
        else:
            numbers[column or key] = value

    def _linked(self, where: str, k: int, key: str, value: float | str) -> int:
        """Row of the cell of a formula; a number is no cell, and gives -1."""
        return self._compiled(f"{where}.{key}", k, value, key) if isinstance(value, str) else -1

    def _compiled(
        self,
        where: str,
        rule: int,
        text: str,
        key: str = "",
        *,
        condition: bool = False,
        factor: float = 1.0,
        formula: str | None = None,
    ) -> int:
        """Compile a formula, or one that stands for what the card says, and give the row of its cell."""
        from forefold.expressions.compile import compile_formula

        kind: Kind = "condition" if condition else "number"
        expression = (
            parsed(self._card, Formula(where, text, kind))
            if formula is None
            else self._kept.parsed(formula)
        )
        names = [name for name in expression.names if name not in self._constants]
        program = compile_formula(expression, names, tables=self._tables, constants=self._constants)
        limits = allowed("offset" if condition else key)
        self._formulas.append(CardFormula(where, text, rule, condition, program, factor, *limits))
        return len(self._formulas) - 1


def _low(bound: Any, otherwise: float) -> float:
    return otherwise if bound is None else float(bound.low)


def _fill(
    row: NDArray[np.float64],
    link: NDArray[np.int64],
    columns: tuple[str, ...],
    numbers: Mapping[str, float],
    links: Mapping[str, int],
) -> None:
    for name, number in numbers.items():
        row[columns.index(name)] = number
    for name, cell in links.items():
        link[columns.index(name)] = cell


def _table(block: Any) -> Table:
    from forefold.expressions.tables import Table

    outside: Any = "nan" if block.outside == "invalid" else block.outside
    return Table.from_lists(block.axes, block.values, block.interpolation, outside)


def _histograms(blocks: list[Any]) -> Histograms:
    """Pack migration matrices: edges of the true and of the reconstructed axis, cumulative rows."""
    first, bins = np.zeros((len(blocks), 4), np.int64), np.zeros(len(blocks), np.int64)
    edges: list[NDArray[np.float64]] = []
    sums: list[NDArray[np.float64]] = []
    for i, block in enumerate(blocks):
        true, reco = (np.array(axis, dtype=np.float64) for axis in block.axes)
        content = np.array(block.values, dtype=np.float64)
        # rows are normalised here: what they lose is an efficiency, see `forefold.detector.tables`
        total = np.concatenate([np.zeros((len(content), 1)), np.cumsum(content, axis=1)], axis=1)
        whole = np.where(total[:, -1:] > 0.0, total[:, -1:], 1.0)
        start = sum(map(len, edges))
        first[i] = start, start + len(true), sum(map(len, sums)), len(true) - 1
        bins[i] = len(reco) - 1
        edges += [true, reco]
        sums.append((total / whole).ravel())
    return Histograms(
        first,
        bins,
        np.concatenate(edges) if edges else np.zeros(0),
        np.concatenate(sums) if sums else np.zeros(0),
    )


def species_table(card: Card, pdgid: NDArray[np.int64]) -> Species:
    """Collect what the card says of each of these kinds of particle (distinct PDG identifiers)."""
    found = [_of_species(card, int(pdg)) for pdg in pdgid]
    counts = [len(rules) for _, _, rules in found]
    last = np.cumsum(counts, dtype=np.int64)
    return Species(
        outcome=np.array([outcome for outcome, _, _ in found], dtype=np.int64),
        mass=np.array([mass for _, mass, _ in found], dtype=np.float64),
        nucleon=np.isin(pdgid, species.NUCLEONS),
        first=last - np.array(counts, dtype=np.int64),
        last=last,
        candidates=np.array([k for _, _, rules in found for k in rules], dtype=np.int64),
    )


def _of_species(card: Card, pdgid: int) -> tuple[int, float, tuple[int, ...]]:
    word = card.left_out(pdgid)
    outcome = int(_LEFT_OUT[word]) if word else 0
    return outcome, species.mass(pdgid), card.candidates(pdgid)
