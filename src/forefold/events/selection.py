"""Cuts on events, written in terms of what is true of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from forefold.events.observables import OBSERVABLES
from forefold.expressions import parse

if TYPE_CHECKING:
    import awkward as ak
    import numpy as np
    from numpy.typing import NDArray

    from forefold.events.observables.quantities import Quantities
    from forefold.expressions import Kind

__all__ = ["NAMES", "Selection", "selection_of"]

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
NAMES: Mapping[str, Kind] = {
    **dict.fromkeys(_FLAGS, "condition"),
    **dict.fromkeys(_PROCESSES, "condition"),
    **dict.fromkeys((*_WHOLE, "weight"), "number"),
    **dict.fromkeys(OBSERVABLES, "number"),
}
"""What a selection may name; observables are true ones."""


class Selection:
    """A condition on events, and a count of those that it was asked of and of those that it kept.

    Parameters
    ----------
    text : str
        Condition in terms of `NAMES`; the grammar is that of `forefold.expressions`.

    Attributes
    ----------
    text : str
    events, kept : int
        Counts so far.

    Raises
    ------
    ValueError
        The text is no condition; one line, which points at the character.

    Notes
    -----
    Where a quantity is not known, neither is the condition, and the event is not kept. What is kept keeps its
    ``entry`` and ``stream``, so its random numbers are those that it has without the selection.

    Examples
    --------
    >>> import forefold
    >>> from forefold.events.selection import Selection
    >>> events = forefold.read(forefold.sample(), entries="0:100")
    >>> cut = Selection("cc and abs(probe) == 14 and enu > 0.5")
    >>> len(cut.apply(events)) == cut.kept
    True
    >>> cut.events
    100
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._expression = parse(text, NAMES)
        if self._expression.kind != "condition":
            message = (
                f"expression {text!r} is a number, a selection is a condition such as 'enu > 0.5'"
            )
            raise ValueError(message)
        self.events = 0
        self.kept = 0

    def __repr__(self) -> str:
        return f"Selection({self.text!r})"

    def apply(self, events: ak.Array) -> ak.Array:
        """Keep the events of which the condition is true.

        Parameters
        ----------
        events : ak.Array
            Event record.

        Returns
        -------
        ak.Array
            Those that are kept, in their order.
        """
        keep = self.mask(events)
        return events if keep.all() else events[keep]

    def mask(self, events: ak.Array) -> NDArray[np.bool_]:
        """Tell of which events the condition is true; they are counted.

        Parameters
        ----------
        events : ak.Array
            Event record.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        import numpy as np

        found = self._expression.select(_Namespace(events))
        keep = np.broadcast_to(np.asarray(found, dtype=np.bool_), (len(events),))
        self.events += len(events)
        self.kept += int(keep.sum())
        return keep

    def pieces(self, events: Iterator[ak.Array]) -> Iterator[ak.Array]:
        """Apply it to piece after piece; a piece of which nothing is kept comes out empty."""
        return map(self.apply, events)


def selection_of(where: str | Selection) -> Selection:
    """Make a selection of a text; one that is a selection already stays, with its counts."""
    return where if isinstance(where, Selection) else Selection(where)


class _Namespace(Mapping[str, Any]):
    """Quantities of an event record; each is computed when it is asked for."""

    def __init__(self, events: ak.Array) -> None:
        self._events = events

    def __len__(self) -> int:
        return len(NAMES)

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __getitem__(self, name: str) -> Any:
        if name in _PROCESSES:
            return self._process(name)
        if name in _FLAGS or name in _WHOLE or name == "weight":
            return self._events[name]
        if name == "enu":
            # the commonest of all; no particle is looked at
            return self._events["probe_momentum"]["energy"]
        if name == "topology":
            return self._quantities.topology()
        if name == "n_particles":
            return self._quantities.state.total
        if name.startswith("n_"):
            return self._quantities.count(name.removeprefix("n_"))
        return self._quantities.measured(name).value

    @cached_property
    def _quantities(self) -> Quantities:
        from forefold.events.observables.final_state import made
        from forefold.events.observables.quantities import Quantities

        return Quantities(made(self._events))

    def _process(self, name: str) -> Any:
        """By the hundreds of the process identifier; 0 is not known, electromagnetic ones are negative."""
        import awkward as ak
        import numpy as np

        number = ak.to_numpy(self._events["process_id"])
        return np.ma.masked_array(np.abs(number) // 100 == _PROCESSES[name], number == 0)
