"""Observables of neutrino events, true and reconstructed: one name, one formula, one source.

It sits beside the event record; kernels, cards and smearing do not know of it.
"""

from __future__ import annotations

from forefold.events.observables.reasons import Reason, Topology
from forefold.events.observables.table import OBSERVABLES, observables

__all__ = ["OBSERVABLES", "Reason", "Topology", "observables"]
