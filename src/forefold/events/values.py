"""Quantities of events by name, true and reconstructed, each computed when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from forefold.events.observables.catalogue import OBSERVABLES
from forefold.events.observables.reasons import TOPOLOGY_LABELS

if TYPE_CHECKING:
    import awkward as ak

    from forefold.events.observables.quantities import Quantities
    from forefold.expressions import Kind

__all__ = ["LABELS", "NAMES", "SMEARED_NAMES", "VERTEX", "EventValues"]

_BINDING_ENERGY = 0.034  # GeV, of `forefold.observables`
_FLAGS = ("cc", "nc")
_WHOLE = ("event", "entry", "process_id", "probe", "target")
# NuHepMC 1.0.0, convention E.C.1: hundreds of the process identifier
_PROCESSES = {
    "is_coh": 1,
    "is_qe": 2,
    "is_mec": 3,
    "is_res": 4,
    "is_sis": 5,
    "is_dis": 6,
    "is_lepton": 7,
}
VERTEX = ("vertex_x", "vertex_y", "vertex_z", "time")
_FACTS: Mapping[str, Kind] = {
    **dict.fromkeys(_FLAGS, "condition"),
    **dict.fromkeys(_PROCESSES, "condition"),
    **dict.fromkeys((*_WHOLE, "weight"), "number"),
}
_SIDES = ("true", "reco")
LABELS: Mapping[str, Mapping[str, int]] = dict.fromkeys(
    ("topology", *(f"topology_{s}" for s in _SIDES)), TOPOLOGY_LABELS
)

NAMES: Mapping[str, Kind] = {**_FACTS, **dict.fromkeys(OBSERVABLES, "number")}
"""What a condition on true events may name; observables are true ones."""

SMEARED_NAMES: Mapping[str, Kind] = {
    **_FACTS,
    **{f"{name}_{side}": "number" for side in _SIDES for name in (*OBSERVABLES, *VERTEX)},
}
"""What a selection of smeared events may name: every observable says whether it is the true or the reconstructed one."""


class EventValues(Mapping[str, Any]):
    """Quantities of events by the names of `NAMES` and `SMEARED_NAMES`.

    Parameters
    ----------
    events : ak.Array or None
        Event record; None where only smeared events are there, which have some columns of their own.
    smeared : ak.Array, optional
        What `forefold.smear` made of these events.
    binding_energy, thresholds
        See `forefold.observables`.

    Attributes
    ----------
    events : int
        How many.
    """

    def __init__(
        self,
        events: ak.Array | None,
        smeared: ak.Array | None = None,
        *,
        binding_energy: float = _BINDING_ENERGY,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        self._record, self._smeared = events, smeared
        self._binding_energy, self._thresholds = binding_energy, dict(thresholds or {})
        whole: Any = smeared if events is None else events
        self._whole, self.events = whole, len(whole)

    def __len__(self) -> int:
        return len({**NAMES, **SMEARED_NAMES})

    def __iter__(self) -> Iterator[str]:
        return iter({**NAMES, **SMEARED_NAMES})

    def __getitem__(self, name: str) -> Any:
        if name in _PROCESSES:
            return self._process(name)
        if name in _FACTS:
            return self._whole[name]
        base, side = (name, "true") if name in NAMES else name.rsplit("_", 1)
        if base == "enu" and side == "true" and self._record is not None:
            # the commonest of all; no particle is looked at
            return self._record["probe_momentum"]["energy"]
        column = f"{base}_{side}"
        if self._smeared is not None and column in self._smeared.fields and self._as_asked(base):
            return self._smeared[column]
        if base in VERTEX or self._record is None or (side == "reco" and self._smeared is None):
            self._refuse(column, base)
        from forefold.events.observables.table import columns_of

        return columns_of(self._true if side == "true" else self._reco, [base], side)[column]

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
        from forefold.events.observables.quantities import Quantities
        from forefold.events.observables.table import checked_limits

        limits = checked_limits(self._binding_energy, self._thresholds)
        return Quantities(state, binding_energy=self._binding_energy, thresholds=limits)

    def _process(self, name: str) -> Any:
        """By the hundreds of the process identifier; 0 is not known, electromagnetic ones are negative."""
        import awkward as ak
        import numpy as np

        number = ak.to_numpy(self._whole["process_id"])
        return np.ma.masked_array(np.abs(number) // 100 == _PROCESSES[name], number == 0)
