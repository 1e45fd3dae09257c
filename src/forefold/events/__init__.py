"""The event record: one form for the events of every generator.

A record is an awkward array with one row an event. Its fields:

============================ ================== ==================================================
field                        type               meaning
============================ ================== ==================================================
``event``                    int64              number that the input gives the event
``entry``                    int64              position in the input file, from 0
``stream``                   uint64             tells files apart in the random numbers
``process_id``               int32              NuHepMC numbering; 0 = unknown
``cc``, ``nc``               ?bool              charged, neutral current; None = unknown
``weight``                   float64            weight of the event
``probe``                    int64              PDG id of the incoming lepton
``target``                   int64              PDG id of the target; 2212 = free proton
``probe_momentum``           Momentum4D         px, py, pz, energy of the probe, GeV; NaN = unknown
``source``                   string             path of the file, as it was given
``particles``                var * Momentum4D   pdgid, status, px, py, pz, energy (GeV)
============================ ================== ==================================================

More that the generator says of an event follows under names of its own, such as ``vertex_x``, ``vertex_y``, ``vertex_z`` (m) and
``vertex_t`` (s): where and when it is in the detector.

The four-vectors are those of the `vector` library: ``events.particles.pt``, ``.theta``, ``.mass``
work.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forefold.events.checks import (
        FINAL_STATE,
        check,
        faulty,
        final_state,
        is_pseudo_particle,
        plain,
    )
    from forefold.events.record import build, concatenate
    from forefold.events.table import from_table


__all__ = [
    "FINAL_STATE",
    "build",
    "check",
    "concatenate",
    "faulty",
    "final_state",
    "from_table",
    "is_pseudo_particle",
    "plain",
]

# where each name lives; nothing of it is imported before it is asked for
_HOMES = {
    "FINAL_STATE": "forefold.events.checks",
    "build": "forefold.events.record",
    "check": "forefold.events.checks",
    "concatenate": "forefold.events.record",
    "faulty": "forefold.events.checks",
    "final_state": "forefold.events.checks",
    "from_table": "forefold.events.table",
    "is_pseudo_particle": "forefold.events.checks",
    "plain": "forefold.events.checks",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
