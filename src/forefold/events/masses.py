"""Energies and momenta against the masses of particles: other units than GeV, and kinetic energies for total ones."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from forefold.events.commonest import MASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["misfit"]

_UNITS = {"MeV": 1e3, "keV": 1e6, "eV": 1e9, "TeV": 1e-3}
_LOOKED_AT = 1000
_TOLERANCE = 0.03
"""Of what the mass adds to the momentum: digits that are lost in a table cannot look like another unit."""


def misfit(pdgid: NDArray[np.int64], momentum: Mapping[str, NDArray[np.float64]]) -> str | None:
    """Say so where the numbers of most particles fit their masses in another unit than GeV, or as kinetic energies.

    Parameters
    ----------
    pdgid : ndarray, shape (n,)
    momentum : mapping of str to ndarray, shape (n,), GeV
        ``px``, ``py``, ``pz``, and ``energy``, which should be the total energy.

    Returns
    -------
    str or None
        Words for a warning, if for at least half of the first thousand massive particles the energy is not the total energy in GeV
        that goes with momentum and mass, but is that in one other unit, or the kinetic energy.

    Examples
    --------
    >>> import numpy as np
    >>> at_300 = {"px": np.zeros(1), "py": np.zeros(1), "pz": np.array([300.0])}
    >>> misfit(np.array([13]), at_300 | {"energy": np.array([318.06])})
    'energies and momenta seem to be in MeV: sqrt(E^2 - p^2) is 1000 times the mass ...'
    """
    ids, masses = _massive()
    size = np.abs(pdgid[: 4 * _LOOKED_AT])
    at = np.minimum(np.searchsorted(ids, size), len(ids) - 1)
    rows = np.flatnonzero(ids[at] == size)[:_LOOKED_AT]
    mass, energy = masses[at[rows]], momentum["energy"][rows]
    with np.errstate(all="ignore"):  # what is not finite is refused elsewhere
        x, y, z = (np.square(momentum[name][rows]) for name in ("px", "py", "pz"))
        square = x + y + z
        right = _fits(energy, square, mass, kinetic=False)
        if 2 * np.count_nonzero(right) > len(rows) or not len(rows):
            return None
        for kinetic, units in ((False, _UNITS), (True, {"GeV": 1.0, **_UNITS})):
            for unit, factor in units.items():
                fits = _fits(energy, square, factor * mass, kinetic=kinetic)
                if 2 * np.count_nonzero(fits & ~right) >= len(rows):
                    return _words(unit, factor, kinetic=kinetic)
    return None


def _fits(
    energy: NDArray[np.float64],
    square: NDArray[np.float64],
    mass: NDArray[np.float64],
    *,
    kinetic: bool,
) -> NDArray[np.bool_]:
    """Tell which energies go with squared momenta and masses."""
    expected = np.sqrt(square + mass * mass) - (mass if kinetic else 0.0)
    effect = np.abs(expected - np.sqrt(square))
    if kinetic:  # an energy of nothing is not that of a heavy particle at rest
        effect = np.minimum(effect, expected)
    fits: NDArray[np.bool_] = np.abs(energy - expected) < _TOLERANCE * effect
    return fits


def _words(unit: str, factor: float, *, kinetic: bool) -> str:
    if kinetic:
        where = "" if unit == "GeV" else f" and in {unit}"
        return (
            f"energies seem to be kinetic{where}: E is sqrt(p^2 + m^2) - m of most particles; forefold takes total "
            "energies in GeV"
        )
    return (
        f"energies and momenta seem to be in {unit}: sqrt(E^2 - p^2) is {factor:g} times the mass of most particles; "
        f"forefold takes GeV: divide by {factor:g}"
    )


@cache
def _massive() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Give identifiers, ascending, and masses in GeV."""
    ids = np.array(sorted(pdg for pdg, mass in MASSES.items() if mass > 0.0), dtype=np.int64)
    return ids, np.array([MASSES[pdg] / 1e3 for pdg in ids.tolist()])
