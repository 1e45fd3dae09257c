"""What an inspection finds, piece by piece."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Beam", "Process", "Species", "Target", "Weights"]


@dataclass(frozen=True)
class Beam:
    """One kind of probe.

    Attributes
    ----------
    pdgid, name : int, str
        What it is; 0 = unknown.
    count : int
        Number of events.
    energy_min, energy_mean, energy_max : float or None
        Its energy, GeV; the mean is not weighted. None = unknown.
    """

    pdgid: int
    name: str
    count: int
    energy_min: float | None
    energy_mean: float | None
    energy_max: float | None


@dataclass(frozen=True)
class Target:
    """One kind of target; `pdgid` 0 = unknown."""

    pdgid: int
    name: str
    count: int


@dataclass(frozen=True)
class Process:
    """One process.

    Attributes
    ----------
    process_id, name : int, str
        NuHepMC number and name; 0 = unknown.
    current : str
        "CC", "NC", or empty.
    count : int
        Number of events.
    fraction : float
        Share of the sum of weights.
    """

    process_id: int
    name: str
    current: str
    count: int
    fraction: float


@dataclass(frozen=True)
class Species:
    """One kind of final-state particle; `energy_mean` is the mean total energy in GeV."""

    pdgid: int
    name: str
    count: int
    energy_mean: float


@dataclass(frozen=True)
class Weights:
    """Weights of the events."""

    sum: float
    min: float
    max: float
    equal: bool
