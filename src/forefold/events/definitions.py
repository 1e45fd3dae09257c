"""Observables of the user's own, by formulas in terms of others.

A formula is written in the language of selections. Names without a side are of the true event in ``NAME_true`` and of the reconstructed one
in ``NAME_reco``; a formula all of whose names say their side is one quantity, ``NAME``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forefold.events.observables.catalogue import (
    ENDS,
    OBSERVABLES,
    OF_PARTICLES,
    SIDES,
    Side,
    of_words,
    parted,
    sided,
)
from forefold.events.observables.reasons import TOPOLOGY_LABELS
from forefold.expressions import parse
from forefold.expressions.functions import RESERVED

if TYPE_CHECKING:
    from forefold.expressions import Expression, Kind

__all__ = ["FACTS", "LABELS", "PROCESSES", "VERTEX", "Definition", "Definitions", "definitions_of"]

PROCESSES = {
    "is_coh": 1,
    "is_qe": 2,
    "is_mec": 3,
    "is_res": 4,
    "is_sis": 5,
    "is_dis": 6,
    "is_lepton": 7,
}
"""Conditions on the process, and the hundreds of its identifier: NuHepMC 1.0.0, convention E.C.1."""

FACTS: Mapping[str, Kind] = {
    **dict.fromkeys(("cc", "nc", *PROCESSES), "condition"),
    **dict.fromkeys(("event", "entry", "process_id", "probe", "target", "weight"), "number"),
}
"""What the record says of an event, which has no sides."""

VERTEX = ("vertex_x", "vertex_y", "vertex_z", "time")
"""What cards with ``[vertex]`` add."""

LABELS: Mapping[str, Mapping[str, int]] = dict.fromkeys(
    ("topology", *(sided("topology", side) for side in SIDES)), TOPOLOGY_LABELS
)
"""Names whose values have labels, and the number that each stands for."""

_WRITTEN = re.compile(r"\s*(?P<name>[^\s\[=]+)\s*(?:\[(?P<unit>[^\]]*)\]\s*)?")


@dataclass(frozen=True)
class Definition:
    """One observable by formula.

    Attributes
    ----------
    name : str
    unit : str
        Empty where none was given.
    expression : Expression
    sided : bool
        Whether there is a true and a reconstructed one.
    sides : frozenset of {"true", "reco"}
        Those that its names say, and those of what it is made of.
    """

    name: str
    unit: str
    expression: Expression
    sided: bool
    sides: frozenset[Side]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of what it gives."""
        return tuple(sided(self.name, side) for side in SIDES) if self.sided else (self.name,)


class Definitions(Mapping[str, Definition]):
    """Observables by formula, by name; each may use those before it.

    Parameters
    ----------
    texts : mapping of str to str
        Formulas by name; a unit may stand behind the name, ``"pmiss [GeV/c]"``.

    Raises
    ------
    ValueError
        A name is none, or taken; a formula is none, or names what there is not. One line.

    Examples
    --------
    >>> own = Definitions({"low [GeV]": "min(q0, q3)", "bias": "q0_reco / q0_true - 1"})
    >>> [definition.columns for definition in own.values()]
    [('low_true', 'low_reco'), ('bias',)]
    """

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self._all: dict[str, Definition] = {}
        later = [match["name"] for match in map(_WRITTEN.match, map(str, texts or {})) if match]
        for i, (written, formula) in enumerate((texts or {}).items()):
            definition = self._read(written, formula, later[i:])
            self._all[definition.name] = definition

    def __getitem__(self, name: str) -> Definition:
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def texts(self) -> dict[str, str]:
        """Give what they were made of."""
        return {
            f"{d.name} [{d.unit}]" if d.unit else d.name: d.expression.text for d in self.values()
        }

    @property
    def units(self) -> dict[str, str]:
        """Give units by name, of those that have one."""
        return {definition.name: definition.unit for definition in self.values() if definition.unit}

    def kinds_true(self) -> dict[str, Kind]:
        """Give what conditions on true events may name of them, and whether it is a number or a condition."""
        return {d.name: d.expression.kind for d in self.values() if "reco" not in d.sides}

    def kinds_smeared(self) -> dict[str, Kind]:
        """Give what conditions on smeared events may name of them."""
        return {name: d.expression.kind for d in self.values() for name in d.columns}

    def resolved(self, definition: Definition, side: Side) -> dict[str, str]:
        """Give, for each name of a formula, what it is called when the formula is evaluated for a side."""
        names = definition.expression.names
        return {name: sided(name, side) if self._has_sides(name) else name for name in names}

    def united(self, other: Definitions) -> Definitions:
        """Give these and others; of one name, the other's.

        Returns
        -------
        Definitions
        """
        both = Definitions()
        both._all = {**self._all, **other._all}
        return both

    def _read(self, written: object, formula: object, later: Sequence[str]) -> Definition:
        match = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
        if match is None or not isinstance(formula, str):
            message = f"define: names and formulas are texts, such as 'pmiss [GeV/c]' and 'missing_pt', found {written!r}: {formula!r}"
            raise ValueError(message)
        name, unit = match["name"], (match["unit"] or "").strip()
        self._check_name(name)
        known = (*OBSERVABLES, *VERTEX)
        kinds: dict[str, Kind] = {
            **FACTS,
            **dict.fromkeys(known, "number"),
            **{sided(each, side): "number" for each in known for side in SIDES},
            **self.kinds_smeared(),
            **{name: d.expression.kind for name, d in self.items()},
        }
        try:
            expression = parse(
                formula,
                kinds,
                labels=LABELS,
                elsewhere=_not_yet(name, later),
                of_words=of_words("", *ENDS),
            )
        except ValueError as error:
            message = f"define {name}: {error}"
            raise ValueError(message) from None
        sides: set[Side] = set()
        for part in expression.names:
            base, side = parted(part)
            sides |= set() if side is None else {side}
            sides |= self._all[base].sides if base in self._all else set()
        has_sides = any(map(self._has_sides, expression.names))
        return Definition(name, unit, expression, has_sides, frozenset(sides))

    def _has_sides(self, name: str) -> bool:
        """Whether a name of a formula is of the side that the formula is evaluated for."""
        if name in FACTS or parted(name)[1] is not None:
            return False
        return name not in self._all or self._all[name].sided

    def _check_name(self, name: str) -> None:
        if not (name.isascii() and name.isidentifier()):
            message = f"define {name!r}: a name is letters, digits and '_', the first no digit"
            raise ValueError(message)
        if parted(name)[1] is not None:
            message = f"define {name}: a name does not end in _true or _reco: a formula in names without them gives {parted(name)[0]}_true and {parted(name)[0]}_reco"
            raise ValueError(message)
        if name in self._all:
            message = f"define {name}: it is defined twice"
            raise ValueError(message)
        taken = {
            "an observable": OBSERVABLES,
            "a quantity of the event": (*FACTS, *VERTEX, "source", "stream", "particles"),
            "a word of the language": RESERVED,
            "a quantity of particles": OF_PARTICLES,
        }
        for what, names in taken.items():
            if name in names:
                message = f"define {name}: the name is taken: it is {what}"
                raise ValueError(message)
        for other in (*OBSERVABLES, *FACTS):
            if name.lower() == other.lower():  # one of the two would be taken for the other
                message = f"define {name}: it differs from {other!r}, which there is, in upper and lower case alone"
                raise ValueError(message)


def _not_yet(name: str, later: Iterable[str]) -> dict[str, str]:
    """Say of names that a formula cannot have yet what they are: its own, and those after it."""
    words = {
        other: "is what this formula defines"
        if other == name
        else f"is defined after {name}; a formula may name those before it"
        for other in later
    }
    return {form: text for other, text in words.items() for form in (other, f"{other}_true", f"{other}_reco")}  # fmt: skip


def definitions_of(define: Definitions | Mapping[str, str] | Iterable[str] | None) -> Definitions:
    """Make definitions of a mapping, or of texts such as ``"pmiss [GeV/c] = missing_pt"``.

    Raises
    ------
    ValueError
        See `Definitions`; or a text has no ``=``.

    Examples
    --------
    >>> definitions_of(["twice = 2 * q0"])["twice"].columns
    ('twice_true', 'twice_reco')
    """
    if define is None:
        return Definitions()
    if isinstance(define, Definitions):
        return define
    if isinstance(define, Mapping):
        pairs: Mapping[Any, Any] = define
        return Definitions(pairs)
    texts: dict[str, str] = {}
    for text in [define] if isinstance(define, str) else define:
        match = re.match(r"([^=\[]*(?:\[[^\]]*\])?\s*)=(?!=)(.*)", str(text), flags=re.DOTALL)
        if match is None:
            message = (
                f"define {text!r}: NAME = FORMULA is expected, such as 'pmiss [GeV/c] = missing_pt'"
            )
            raise ValueError(message)
        name = match[1].strip()
        if name in texts:
            message = f"define {name}: it is defined twice"
            raise ValueError(message)
        texts[name] = match[2].strip()
    return Definitions(texts)
