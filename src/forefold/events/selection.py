"""Conditions on events, in terms of what is true and of what is reconstructed of them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, overload

from forefold.events.definitions import definitions_of
from forefold.events.observables.catalogue import (
    ENDS,
    OBSERVABLES,
    SIDES,
    of_words,
    parted,
    sided,
    unit_of,
)
from forefold.events.values import LABELS, NAMES, SMEARED_NAMES, VERTEX, EventValues
from forefold.expressions import limits, parse

if TYPE_CHECKING:
    import awkward as ak
    import numpy as np
    from numpy.typing import NDArray

    from forefold.events.definitions import Definitions
    from forefold.expressions import Kind

    Define = Definitions | Mapping[str, str] | Iterable[str] | None

__all__ = [
    "NAMES",
    "SMEARED_NAMES",
    "BackgroundCondition",
    "Selection",
    "SmearedSelection",
    "backgrounds_of",
    "check_names_of_backgrounds",
    "selection_of",
    "selection_of_smeared",
]

_TAKEN = (
    "signal",
    "fakes",
    "misses",
    "truth",
    "counts",
    "data",
    "other",
    "background",
    "normalisation",
)
_MOST_ANGLE = 3.15  # rad; pi as people round it


class Selection:
    """A condition on true events, and a count of those that it was asked of and of those that it kept.

    Parameters
    ----------
    text : str
        Condition in terms of `NAMES`; the grammar is that of `forefold.expressions`.
    define : mapping of str to str, optional
        Observables of the user's own that it may name, see `forefold.observables`.

    Attributes
    ----------
    text : str
    definitions : Definitions
    events, kept : int
        Counts so far.

    Raises
    ------
    ValueError
        The text is no condition; one line, which points at the character.

    Warns
    -----
    UserWarning
        An angle is compared with a number that none reaches in radians.

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

    _kinds: ClassVar[Mapping[str, Kind]] = NAMES
    _elsewhere: ClassVar[Mapping[str, str]] = {
        **{
            f"{name}_reco": "is reconstructed, this is a condition on true events: select= (--select) takes it"
            for name in (*OBSERVABLES, *VERTEX)
        },
        **{f"{name}_true": f"is called {name} here, where all is true" for name in OBSERVABLES},
    }

    _example: ClassVar[str] = "cc and enu > 0.5"
    _ends: ClassVar[tuple[str, ...]] = ("",)
    """How names of quantities of particles end."""

    def __init__(self, text: str, define: Define = None) -> None:
        _check_text(text, self._example)
        self.text = text
        self.definitions = definitions_of(define)
        self._expression = parse(
            text,
            {**self._kinds, **self._own_kinds()},
            labels=LABELS,
            elsewhere={**self._elsewhere, **self._own_elsewhere()},
            of_words=of_words(*self._ends),
        )
        if self._expression.kind != "condition":
            message = (
                f"expression {text!r} is a number, a selection is a condition such as 'enu > 0.5'"
            )
            raise ValueError(message)
        for name, number in limits(self._expression.tree):
            if unit_of(name) == "rad" and abs(number) > _MOST_ANGLE:
                warnings.warn(
                    f"selection {text!r}: {name} is in rad, from 0 to pi, and is compared with {number:g}: for degrees "
                    f"write {number:g} * pi / 180",
                    stacklevel=2,
                )
        self.events = 0
        self.kept = 0

    def _own_kinds(self) -> dict[str, Kind]:
        """Give what may be named of the user's own."""
        return self.definitions.kinds_true()

    def _own_elsewhere(self) -> dict[str, str]:
        """Say what the others are."""
        own = self.definitions
        said = {
            name: "is reconstructed, or made of what is; this is a condition on true events: select= (--select) takes it"
            for name in own.kinds_smeared()
            if not name.endswith("_true")
        }
        return said | {f"{name}_true": f"is called {name} here, where all is true" for name in own}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"

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
        return self.passed(EventValues(events))

    def passed(self, values: EventValues) -> NDArray[np.bool_]:
        """Tell of which events the condition is true; they are counted.

        Parameters
        ----------
        values : EventValues

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        import numpy as np

        found = self._expression.select(values.having(self.definitions))
        keep = np.broadcast_to(np.asarray(found, dtype=np.bool_), (values.events,))
        self.events += values.events
        self.kept += int(keep.sum())
        return keep

    def pieces(self, events: Iterator[ak.Array]) -> Iterator[ak.Array]:
        """Apply it to piece after piece; a piece of which nothing is kept comes out empty, and there is a warning if all are."""
        yield from map(self.apply, events)
        self.warn_of_nothing()

    def warn_of_nothing(self) -> None:
        """Say that no event was kept, of those that there were.

        Warns
        -----
        UserWarning
        """
        if self.events and not self.kept:
            message = f"the selection {self.text!r} keeps none of {self.events:,} events"
            warnings.warn(message, stacklevel=2)


class SmearedSelection(Selection):
    """A condition on what is reconstructed of events: those that it keeps are selected, the others missed.

    Parameters
    ----------
    text : str
        Condition in terms of `SMEARED_NAMES`, of which one at least is reconstructed.

    Raises
    ------
    ValueError
        As `Selection`; or nothing in it is reconstructed.

    Notes
    -----
    Where a quantity has no value, such as the momentum of a particle that was lost, a comparison with it is not true, nor is its ``not``: the event is
    not selected.

    Examples
    --------
    >>> import forefold
    >>> from forefold.events.selection import EventValues, SmearedSelection
    >>> events = forefold.read(forefold.sample(), entries="0:100")
    >>> smeared = forefold.smear(events, "nusmear-dune-cdr", rng=1)
    >>> selection = SmearedSelection("topology_reco == '0pi' and lepton_momentum_reco > 0.1")
    >>> int(selection.passed(EventValues(events, smeared)).sum()) == selection.kept
    True
    """

    _kinds = SMEARED_NAMES
    _elsewhere: ClassVar[Mapping[str, str]] = {
        name: f"is {name}_reco or {name}_true in a selection of smeared events"
        for name in (*OBSERVABLES, *VERTEX)
    }

    _example = "n_mu_reco == 1"
    _ends = ENDS

    def selected(self, events: ak.Array | None, smeared: ak.Array) -> ak.Array:
        """Keep the smeared events of which the condition is true, in their order; `events` are the records, where they are known."""
        return smeared[self.passed(EventValues(events, smeared))]

    def __init__(self, text: str, define: Define = None) -> None:
        super().__init__(text, define)
        if not any(map(self._is_reconstructed, self._expression.names)):
            message = (
                f"select {text!r}: nothing in it is reconstructed (NAME_reco); conditions on what is true are signal= (--signal) and where= "
                "(--where)"
            )
            raise ValueError(message)

    def _own_kinds(self) -> dict[str, Kind]:
        return self.definitions.kinds_smeared()

    def _own_elsewhere(self) -> dict[str, str]:
        says: dict[str, str] = {}
        for name, each in self.definitions.items():
            if each.sided:
                says[name] = f"is {name}_reco or {name}_true in a selection of smeared events"
            else:
                one = f"is called {name}: all names of its formula say their side"
                says |= {sided(name, side): one for side in SIDES}
        return says

    def _is_reconstructed(self, name: str) -> bool:
        base, side = parted(name)
        own = self.definitions.get(base)
        return side == "reco" or (own is not None and "reco" in own.sides)


class BackgroundCondition(Selection):
    """A condition that names a background among selected events that are no signal, in terms of `NAMES` and of `SMEARED_NAMES`."""

    _kinds: ClassVar[Mapping[str, Kind]] = {**NAMES, **SMEARED_NAMES}
    _elsewhere: ClassVar[Mapping[str, str]] = {}
    _ends = ("", *ENDS)

    def _own_kinds(self) -> dict[str, Kind]:
        return {**self.definitions.kinds_true(), **self.definitions.kinds_smeared()}

    def _own_elsewhere(self) -> dict[str, str]:
        return {}


def _check_text(text: object, example: str) -> None:
    if not isinstance(text, str):
        message = f"a condition is a text, such as {example!r}, found {type(text).__name__}: masks are no conditions"
        raise TypeError(message)


def selection_of(where: str | Selection, define: Define = None) -> Selection:
    """Make a selection of a text; one that is a selection already stays, with its counts."""
    return where if isinstance(where, Selection) else Selection(where, define)


@overload
def selection_of_smeared(
    select: str | SmearedSelection, define: Define = None
) -> SmearedSelection: ...


@overload
def selection_of_smeared(select: None, define: Define = None) -> None: ...


@overload
def selection_of_smeared(
    select: str | SmearedSelection | None, define: Define = None
) -> SmearedSelection | None: ...


def selection_of_smeared(
    select: str | SmearedSelection | None, define: Define = None
) -> SmearedSelection | None:
    """Make a selection of smeared events of a text; one that is there already stays, with its counts.

    Raises
    ------
    TypeError
        It is a condition on true events.
    """
    if select is None or isinstance(select, SmearedSelection):
        return select
    if isinstance(select, Selection):
        message = (
            f"select: {select!r} is a condition on true events; give its text, with _reco and _true"
        )
        raise TypeError(message)
    return SmearedSelection(select, define)


def check_names_of_backgrounds(names: Iterable[str]) -> None:
    """Refuse names that are no words, or have another meaning.

    Raises
    ------
    ValueError
    """
    for name in names:
        if not (name.isascii() and name.isidentifier()):
            message = f"background {name!r}: a name is letters, digits and '_', the first no digit"
            raise ValueError(message)
        if name in _TAKEN:
            message = f"background {name!r}: this name is taken; others are free, but for {', '.join(_TAKEN)}"
            raise ValueError(message)


def backgrounds_of(
    background: Mapping[str, str | BackgroundCondition] | None,
    define: Define = None,
) -> dict[str, BackgroundCondition]:
    """Make named conditions of texts.

    Raises
    ------
    ValueError
        A name is no word, or has another meaning.
    """
    if background is None:
        return {}
    given: object = background
    if not isinstance(given, Mapping):
        message = f"background: a mapping of names to conditions is needed, such as {{'nc': 'nc'}}, found {type(given).__name__}"
        raise TypeError(message)
    check_names_of_backgrounds(background)
    found = {}
    for name, condition in background.items():
        try:
            made = (
                condition
                if isinstance(condition, BackgroundCondition)
                else BackgroundCondition(condition, define)
            )
        except ValueError as error:
            message = f"background {name!r}: {error}"
            raise ValueError(message) from None
        found[name] = made
    return found
