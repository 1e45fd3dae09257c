"""Why a quantity has no value, and what an event is called by its mesons."""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TOPOLOGY_LABELS", "Reason", "Topology"]


class Reason(IntEnum):
    """Why an observable is NaN; `UNPHYSICAL` is what remains where no other holds.

    Attributes
    ----------
    DEFINED : 0
        It has a value.
    NO_PROBE : 1
        The record does not give the incident particle's momentum.
    NOT_CHARGED_CURRENT : 2
        True quantities: the event is not charged-current, so its lepton is a neutrino.
    NO_LEPTON : 3
        There is no charged lepton of the probe's flavour; reconstructed quantities: none is detected.
    NO_PROTON : 4
        There is no proton above the threshold; reconstructed quantities: none is detected.
    PROBE_ENERGY : 5
        Reconstructed quantities: the energy of an incident neutrino would be needed, and is not seen.
    UNPHYSICAL : 6
        The formula has no value here: the root of a negative number, a division by what is not positive, or the
        direction of a transverse momentum below 1 eV.
    NO_PARTICLE : 7
        There is no particle above the threshold of those that the quantity is of, protons apart; reconstructed
        quantities: none is detected.

    Examples
    --------
    >>> Reason(4).name
    'NO_PROTON'
    """

    DEFINED = 0
    NO_PROBE = 1
    NOT_CHARGED_CURRENT = 2
    NO_LEPTON = 3
    NO_PROTON = 4
    PROBE_ENERGY = 5
    UNPHYSICAL = 6
    NO_PARTICLE = 7


class Topology(IntEnum):
    """An event by the mesons that leave the nucleus; nucleons, nuclei, leptons and photons do not count.

    Attributes
    ----------
    ZERO_PI : 0
        No pion, and nothing of `OTHER`.
    ONE_PI_PLUS, ONE_PI_MINUS, ONE_PI_ZERO : 1, 2, 3
        Exactly one pion, and nothing of `OTHER`.
    MULTI_PI : 4
        Two pions or more, and nothing of `OTHER`.
    OTHER : 5
        There is a meson that is no pion, or a baryon that is neither nucleon nor antinucleon.

    Examples
    --------
    >>> Topology(1).name
    'ONE_PI_PLUS'
    """

    ZERO_PI = 0
    ONE_PI_PLUS = 1
    ONE_PI_MINUS = 2
    ONE_PI_ZERO = 3
    MULTI_PI = 4
    OTHER = 5


TOPOLOGY_LABELS: Mapping[str, int] = MappingProxyType(
    {
        "0pi": int(Topology.ZERO_PI),
        "1pi+": int(Topology.ONE_PI_PLUS),
        "1pi-": int(Topology.ONE_PI_MINUS),
        "1pi0": int(Topology.ONE_PI_ZERO),
        "multi-pi": int(Topology.MULTI_PI),
        "other": int(Topology.OTHER),
    }
)
"""What topologies are called in conditions: ``topology == '0pi'``."""
