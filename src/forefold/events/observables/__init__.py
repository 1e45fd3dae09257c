"""Observables of neutrino events, true and reconstructed: one name, one formula, one source.

It sits beside the event record; kernels, cards and smearing do not know of it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from forefold.events.observables.catalogue import OBSERVABLES, Observable
from forefold.events.observables.reasons import Reason, Topology

if TYPE_CHECKING:
    from forefold.events.observables.table import observables

__all__ = ["OBSERVABLES", "Observable", "Reason", "Topology", "observables"]


def __getattr__(name: str) -> Any:
    # what needs an array library is imported when it is asked for
    if name != "observables":
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = importlib.import_module("forefold.events.observables.table").observables
    globals()[name] = value
    return value
