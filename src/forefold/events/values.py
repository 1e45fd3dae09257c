"""Quantities of events by name, true and reconstructed, each computed when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from forefold.events.definitions import FACTS, LABELS, PROCESSES, VERTEX, Definitions
from forefold.events.observables.catalogue import OBSERVABLES, SIDES, parted, sided

if TYPE_CHECKING:
    import awkward as ak
    import numpy as np
    from numpy.typing import NDArray

    from forefold.events.definitions import Definition
    from forefold.events.observables.catalogue import Side
    from forefold.events.observables.quantities import Quantities
    from forefold.expressions import Kind

__all__ = ["LABELS", "NAMES", "SMEARED_NAMES", "VERTEX", "EventValues"]

_BINDING_ENERGY = 0.034  # GeV, of `forefold.observables`

NAMES: Mapping[str, Kind] = {**FACTS, **dict.fromkeys(OBSERVABLES, "number")}
"""What a condition on true events may name; observables are true ones."""

SMEARED_NAMES: Mapping[str, Kind] = {
    **FACTS,
    **{sided(name, side): "number" for side in SIDES for name in (*OBSERVABLES, *VERTEX)},
}
"""What a selection of smeared events may name: every observable says whether it is the true or the reconstructed one."""


class EventValues(Mapping[str, Any]):
    """Quantities of events by the names of `NAMES` and `SMEARED_NAMES`, of particles (``mass(mu-, mu+)``) and of the user's own.

    Parameters
    ----------
    events : ak.Array or None
        Event record; None where only smeared events are there, which have some columns of their own.
    smeared : ak.Array, optional
        What `forefold.smear` made of these events.
    define : Definitions, optional
    binding_energy, thresholds
        See `forefold.observables`.

    Attributes
    ----------
    events : int
        How many.
    definitions : Definitions
    """

    def __init__(
        self,
        events: ak.Array | None,
        smeared: ak.Array | None = None,
        *,
        define: Definitions | None = None,
        binding_energy: float = _BINDING_ENERGY,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        self.definitions = define or Definitions()
        self._record, self._smeared = events, smeared
        self._own: dict[tuple[str, Side | None], Any] = {}
        self._binding_energy, self._thresholds = binding_energy, dict(thresholds or {})
        whole: Any = smeared if events is None else events
        self._whole, self.events = whole, len(whole)

    def __len__(self) -> int:
        return len({**NAMES, **SMEARED_NAMES})

    def __iter__(self) -> Iterator[str]:
        return iter({**NAMES, **SMEARED_NAMES})

    def __getitem__(self, name: str) -> Any:
        if name in PROCESSES:
            return self._process(name)
        if name in FACTS:
            return self._whole[name]
        base, said = parted(name)
        side = said or "true"  # a short name is of the true event
        if base in self.definitions:
            return self._by_formula(self.definitions[base], said)
        if base == "enu" and side == "true" and self._record is not None:
            # the commonest of all; no particle is looked at
            return self._record["probe_momentum"]["energy"]
        column = sided(base, side)
        if self._smeared is not None and column in self._smeared.fields and self._as_asked(base):
            return self._smeared[column]
        if base in VERTEX or self._record is None or (side == "reco" and self._smeared is None):
            self._refuse(column, base)
        if base.endswith(")"):
            return self.quantities(side).of_particles(base).value
        from forefold.events.observables.quantities import columns_of

        return columns_of(self.quantities(side), [base], side)[column]

    def having(self, definitions: Definitions) -> EventValues:
        """Give the same quantities with more definitions."""
        if all(self.definitions.get(name) is each for name, each in definitions.items()):
            return self
        other = copy(
            self
        )  # with all that is computed already, but for formulas, which may be others
        other.definitions, other._own = self.definitions.united(definitions), {}
        return other

    def quantities(self, side: Side) -> Quantities:
        """Give what observables of one side are computed of, once."""
        return self._true if side == "true" else self._reco

    def reason(self, name: str) -> NDArray[np.uint8]:
        """Tell why a number is NaN, where it is: a `forefold.events.observables.Reason` for each event.

        Parameters
        ----------
        name : str
            With its side, where it has one.
        """
        import numpy as np

        from forefold.events.observables.quantities import columns_of
        from forefold.events.observables.reasons import Reason

        base, side = parted(name)
        none = np.zeros(self.events, dtype=np.uint8)
        if base in self.definitions:
            definition = self.definitions[base]
            value = np.asarray(self[name])
            reasons = [self.reason(each) for each in self._names(definition, side).values()]
            # the first in the order of the numbers
            first = np.min([np.where(r == 0, 255, r) for r in [none, *reasons]], axis=0)
            first = np.where(first == 255, int(Reason.UNPHYSICAL), first)
            return np.where(np.isfinite(value), 0, first).astype(np.uint8)
        if side is None or self._record is None:
            return none
        if base.endswith(")"):
            return self.quantities(side).of_particles(base).reason
        if base not in OBSERVABLES:
            return none
        columns = columns_of(self.quantities(side), [base], side)
        return np.asarray(columns.get(sided(f"{base}_reason", side), none))

    def _by_formula(self, definition: Definition, side: Side | None) -> Any:
        """Evaluate a formula of the user's own, once."""
        import numpy as np

        place = (definition.name, side or ("true" if definition.sided else None))
        if place not in self._own:
            if not definition.sided and side is not None and definition.sides != {side}:
                message = f"{sided(definition.name, side)}: {definition.name} = {definition.expression.text!r} names its sides itself, and is one quantity; in names without _true and _reco it is two"
                raise ValueError(message)
            names = self._names(definition, side)
            result = definition.expression.evaluate(
                {own: self[name] for own, name in names.items()}
            )
            self._own[place] = result if np.ndim(result) else np.broadcast_to(result, self.events)
        return self._own[place]

    def _names(self, definition: Definition, side: Side | None) -> dict[str, str]:
        return self.definitions.resolved(definition, side or "true")

    def _as_asked(self, base: str) -> bool:
        """Whether a column of smeared events is what it would be with these options."""
        plain = not self._thresholds and self._binding_energy == _BINDING_ENERGY
        return plain or base == "visible_energy" or base in VERTEX

    def _refuse(self, column: str, base: str) -> NoReturn:
        if self._smeared is None:
            message = f"{column} is reconstructed: smeared events are needed"
        elif base in VERTEX:
            message = f"these smeared events have no column {column!r}: their card has no [vertex]"
        elif column in self._smeared.fields:
            message = f"column {column!r} of these smeared events was made without thresholds and binding_energy: give pairs (events, smeared)"
        elif column.endswith(")"):
            message = f"{column} needs the events, beside what was smeared of them: give pairs (events, smeared)"
        else:
            message = f"these smeared events have no column {column!r}: smear with --observables, or give pairs (events, smeared)"
        raise ValueError(message)

    @cached_property
    def _true(self) -> Quantities:
        from forefold.events.observables.final_state import made

        return self._quantities(made(self._record))

    @cached_property
    def _reco(self) -> Quantities:
        from forefold.events.observables.final_state import seen

        return self._quantities(seen(self._record, self._smeared))

    def _quantities(self, state: Any) -> Quantities:
        from forefold.events.observables.quantities import Quantities, checked_limits

        limits = checked_limits(self._binding_energy, self._thresholds)
        return Quantities(state, binding_energy=self._binding_energy, thresholds=limits)

    def _process(self, name: str) -> Any:
        """By the hundreds of the process identifier; 0 is not known, electromagnetic ones are negative."""
        import awkward as ak
        import numpy as np

        number = ak.to_numpy(self._whole["process_id"])
        return np.ma.masked_array(np.abs(number) // 100 == PROCESSES[name], number == 0)
