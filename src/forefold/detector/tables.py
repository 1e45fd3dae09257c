"""Migration matrices in a compiled card: what a row leaves to one is lost, as an efficiency.

The loops draw from rows that are normalised. What rows lose is put into the efficiency of the rule, and into the weights of a
mixture, as formulas that look sums of rows up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.detector.formulas import functions_of, names_of
from forefold.detector.identification import ROW_TOLERANCE
from forefold.detector.values import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from forefold.detector import Card, Rule, TableBlock
    from forefold.detector.energy import Drawn, Energy
    from forefold.expressions import Expression
    from forefold.expressions.tables import Table

__all__ = ["Kept", "kept_of_rows"]

_QUANTITIES = {
    "total": "E",
    "kinetic": "KE",
    "momentum": "p",
    "inverse-momentum": "1 / max(p, 1e-300)",
    "visible": "_visible",
}
_EMPTY = -1.0  # tables hold finite numbers only
_SHOWN = {**_QUANTITIES, "inverse-momentum": "1/p", "visible": "visible energy"}


def kept_of_rows(block: TableBlock) -> NDArray[np.float64]:
    """Probability that the rows of a migration matrix keep a particle.

    Parameters
    ----------
    block : TableBlock

    Returns
    -------
    ndarray of float64, shape (m,)
        NaN for rows that are to be normalised and are empty.

    Examples
    --------
    >>> from forefold.detector import TableBlock
    >>> kept_of_rows(TableBlock(axes=((0, 1, 2), (0, 1, 2)), values=((0.5, 0.3), (0.2, 0.8)))).tolist()
    [0.8, 1.0]
    """
    total = np.array(block.values, dtype=np.float64).sum(axis=1)
    if block.normalise:
        return np.where(total > 0.0, 1.0, np.nan)
    return np.where(np.abs(total - 1.0) <= ROW_TOLERANCE, 1.0, total)


class Kept:
    """What the migration matrices of a card keep, as formulas.

    Parameters
    ----------
    card : Card

    Attributes
    ----------
    tables : dict of str to Table
        By names that no table and no parameter of the card has: probability that a row keeps a particle. Beyond the matrix it is
        unknown, or 1 for those in mixtures: whether a particle is beyond is known when the part is drawn.
    """

    def __init__(self, card: Card) -> None:
        self._card = card
        self.tables: dict[str, Table] = {}
        self._names: dict[tuple[str, bool], str] = {}
        used = {
            (part.table, bool(rule.energy.parts))
            for rule in card.rules
            for part in rule.energy.components()
            if part.table is not None
        }
        for name, mixed in sorted(used):
            free = f"_{'mixed' if mixed else 'kept'}_{name}"
            while free in card.tables or free in card.parameters:
                free += "_"
            self._names[name, mixed] = free
            self.tables[free] = _table(card.tables[name], mixed=mixed)

    def _loses(self, part: Drawn) -> bool:
        if part.table is None:
            return False
        kept = kept_of_rows(self._card.tables[part.table])
        return bool(np.any(kept < 1.0))  # not so for NaN

    def _of(self, part: Drawn, *, mixed: bool) -> str:
        """Give the formula of the probability that a part keeps a particle."""
        if part.table is None:
            return "1"
        return f"{self._names[part.table, mixed]}({_QUANTITIES[part.of]})"

    def known(self, part: Drawn) -> tuple[str, str]:
        """Give what to call the row of a particle in messages, and the formula that is unknown where there is none."""
        assert part.table is not None
        kept = self._of(part, mixed=False)
        return f"{part.table}({_SHOWN[part.of]})", f"where({kept} >= 0, {kept}, 0 / 0)"

    def efficiency(self, rule: Rule) -> str | None:
        """Give the formula of a rule's efficiency with what its matrices lose; None if they lose nothing."""
        energy = rule.energy
        if not any(self._loses(part) for part in energy.components()):
            return None
        kept = self._mean(energy) if energy.parts else self._of(energy, mixed=False)
        return _checked(rule.efficiency, lambda own: f"{own} * ({kept})")

    def weight(self, energy: Energy, j: int) -> str | None:
        """Give the formula of the weight of a part among those that are kept; None if it is what the card says."""
        if not any(self._loses(part) for part in energy.parts) or j == len(energy.parts) - 1:
            return None
        weight, part = energy.parts[j].weight, self._of(energy.parts[j], mixed=True)
        assert weight is not None
        mean = self._mean(energy)
        return _checked(
            weight,
            lambda own: f"where({mean} > 0, min({own} * {part} / ({mean}), 1), {own})",
        )

    def _mean(self, energy: Energy) -> str:
        """Give the formula of the probability that a mixture keeps a particle."""
        *ahead, last = energy.parts
        weights = [f"({_text(part.weight)})" for part in ahead]
        rest = " - ".join(["1", *weights])
        terms = [f"{w} * {self._of(p, mixed=True)}" for w, p in zip(weights, ahead, strict=True)]
        return "(" + " + ".join([*terms, f"({rest}) * {self._of(last, mixed=True)}"]) + ")"

    def parsed(self, formula: str) -> Expression:
        """Read a formula that was made here."""
        from forefold.expressions import parse

        names = {**names_of(self._card), **HIDDEN}
        return parse(formula, names, {**functions_of(self._card), **dict.fromkeys(self.tables, 1)})


def _text(value: float | str | None) -> str:
    return value if isinstance(value, str) else repr(float(value or 0.0))


def _checked(value: float | str, made: Callable[[str], str]) -> str:
    """Make a formula of a value that is a probability; of one that is none, the value itself, to be refused."""
    own = f"({_text(value)})"
    return f"where({own} >= 0 and {own} <= 1, {made(own)}, {own})"


def _table(block: TableBlock, *, mixed: bool) -> Table:
    from forefold.expressions.tables import Table

    kept, empty = kept_of_rows(block), 1.0 if mixed else _EMPTY
    kept = np.where(np.isnan(kept), empty, kept)
    return Table.from_lists([block.axes[0]], kept, "none", 1.0 if mixed else "nan")
