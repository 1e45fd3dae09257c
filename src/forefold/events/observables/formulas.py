"""Formulas of kinematics, each as it stands in its source; energies, momenta and masses in GeV, c = 1.

Nothing is checked here: where a formula has no real value, the result is NaN or infinite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "NEUTRON_MASS",
    "NUCLEON_MASS",
    "PROTON_MASS",
    "angle_between",
    "bjorken_x",
    "bjorken_y",
    "dot",
    "hadronic_mass",
    "invariant_mass",
    "momentum_transfer",
    "norm",
    "qe_energy",
    "qe_q2",
    "transverse",
]

PROTON_MASS = 0.93827208816
"""CODATA 2018, GeV."""

NEUTRON_MASS = 0.93956542052
"""CODATA 2018, GeV."""

_ROUNDING = 1e-14
"""Of a squared mass, relative to the squared energy."""

NUCLEON_MASS = 0.5 * (PROTON_MASS + NEUTRON_MASS)
"""Mean of the two, GeV: the target at rest of W and Bjorken x."""


def qe_energy(
    energy: ArrayLike,
    forward: ArrayLike,
    mass: ArrayLike,
    *,
    struck: ArrayLike = NEUTRON_MASS,
    made: ArrayLike = PROTON_MASS,
    binding_energy: float = 0.034,
) -> Any:
    """Neutrino energy of a quasielastic event on a nucleon at rest, from its charged lepton alone.

    Parameters
    ----------
    energy : array, shape (n,), GeV
        Total energy of the lepton.
    forward : array, shape (n,), GeV
        Its momentum along the neutrino, ``p cos(theta)``.
    mass : array, shape (n,), GeV
        Its mass.
    struck, made : array, shape (n,), GeV
        Masses of the nucleon that is struck and of the one that is made: neutron and proton for neutrinos, the
        reverse for antineutrinos.
    binding_energy : float, GeV
        What it takes to free the nucleon; MiniBooNE takes 0.034 for neutrinos and 0.030 for antineutrinos on carbon.

    Returns
    -------
    ndarray, shape (n,), GeV

    Notes
    -----
    With M' the struck nucleon's mass less the binding energy, and M the other's,
    ``E = (2 M' E_l - (M'^2 + m_l^2 - M^2)) / (2 (M' - E_l + p_l cos(theta)))``. It is exact for a free nucleon
    at rest and no binding energy.

    References
    ----------
    MiniBooNE, arXiv:1002.2680 (neutrinos) and arXiv:1301.7067 (antineutrinos).

    Examples
    --------
    A lepton with no mass, scattered at 90 degrees by equal nucleons, has E' = E / (1 + E / M):

    >>> round(float(qe_energy(0.5, 0.0, 0.0, struck=1.0, made=1.0, binding_energy=0.0)), 12)
    1.0
    """
    energy, forward, mass = (np.asarray(a, dtype=np.float64) for a in (energy, forward, mass))
    bound = np.asarray(struck, dtype=np.float64) - binding_energy
    top = 2.0 * bound * energy - (bound**2 + mass**2 - np.asarray(made) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return top / (2.0 * (bound - energy + forward))


def qe_q2(neutrino: ArrayLike, energy: ArrayLike, forward: ArrayLike, mass: ArrayLike) -> Any:
    """Squared four-momentum transfer that goes with `qe_energy`.

    Parameters
    ----------
    neutrino : array, shape (n,), GeV
        Energy of the neutrino, from `qe_energy`.
    energy, forward, mass : array, shape (n,), GeV
        See `qe_energy`.

    Returns
    -------
    ndarray, shape (n,), GeV^2
        ``-m_l^2 + 2 E (E_l - p_l cos(theta))``.

    References
    ----------
    MiniBooNE, arXiv:1002.2680.

    Examples
    --------
    >>> float(qe_q2(1.0, 0.5, 0.0, 0.0))
    1.0
    """
    energy, forward, mass = (np.asarray(a, dtype=np.float64) for a in (energy, forward, mass))
    return 2.0 * np.asarray(neutrino) * (energy - forward) - mass**2


def momentum_transfer(
    probe_energy: ArrayLike,
    probe_momentum: ArrayLike,
    energy: ArrayLike,
    forward: ArrayLike,
    across: ArrayLike,
) -> tuple[Any, Any, Any]:
    """Energy, momentum and invariant size of the transfer q = k - k' from probe k to lepton k'.

    Parameters
    ----------
    probe_energy, probe_momentum : array, shape (n,), GeV
        Energy of the probe and size of its momentum; the same for a neutrino.
    energy, forward, across : array, shape (n,), GeV
        The lepton's energy, and its momentum along and across the probe.

    Returns
    -------
    q0, q3, q2 : ndarray, shape (n,), GeV, GeV, GeV^2
        ``q0 = E_k - E_k'``, ``q3 = |k - k'|`` and ``Q^2 = q3^2 - q0^2 = -(k - k')^2``.

    References
    ----------
    Review of Particle Physics, "Structure Functions".

    Examples
    --------
    >>> q0, q3, q2 = momentum_transfer(2.0, 2.0, 1.0, 1.0, 0.0)
    >>> float(q0), float(q3), float(q2)
    (1.0, 1.0, 0.0)
    """
    q0 = np.asarray(probe_energy) - np.asarray(energy)
    along = np.asarray(probe_momentum) - np.asarray(forward)
    squared = along**2 + np.asarray(across) ** 2
    return q0, np.sqrt(squared), squared - q0**2


def hadronic_mass(q0: ArrayLike, q2: ArrayLike, mass: float = NUCLEON_MASS) -> Any:
    """Invariant mass of what recoils against the lepton, off a nucleon at rest.

    Parameters
    ----------
    q0, q2 : array, shape (n,), GeV, GeV^2
        See `momentum_transfer`.
    mass : float, GeV
        Of the nucleon.

    Returns
    -------
    ndarray, shape (n,), GeV
        ``W = sqrt(M^2 + 2 M q0 - Q^2)``; NaN where the square is negative.

    References
    ----------
    Review of Particle Physics, "Structure Functions".

    Examples
    --------
    >>> float(hadronic_mass(1.0, 2.0, mass=1.0))
    1.0
    """
    with np.errstate(invalid="ignore"):
        return np.sqrt(mass**2 + 2.0 * mass * np.asarray(q0) - np.asarray(q2))


def invariant_mass(energy: ArrayLike, momentum: NDArray[np.float64]) -> Any:
    """Invariant mass of a system.

    Parameters
    ----------
    energy : array, shape (n,), GeV
        Summed energy.
    momentum : ndarray, shape (n, 3), GeV
        Summed momentum.

    Returns
    -------
    ndarray, shape (n,), GeV
        ``sqrt(E^2 - p^2)``, as a product that keeps its digits; 0 where rounding makes the square negative, NaN where it is negative.

    References
    ----------
    Review of Particle Physics, "Kinematics".

    Examples
    --------
    >>> invariant_mass([5.0, 1.0], np.array([[0.0, 3.0, 0.0], [0.0, 0.0, 2.0]])).tolist()
    [4.0, nan]
    """
    energy, size = np.asarray(energy, dtype=np.float64), norm(momentum)
    squared = (energy - size) * (energy + size)
    squared = np.where(np.abs(squared) <= _ROUNDING * energy**2, np.maximum(squared, 0.0), squared)
    with np.errstate(invalid="ignore"):
        return np.sqrt(squared)


def bjorken_x(q0: ArrayLike, q2: ArrayLike, mass: float = NUCLEON_MASS) -> Any:
    """Bjorken's scaling variable, ``x = Q^2 / (2 M q0)``, off a nucleon at rest.

    Parameters
    ----------
    q0, q2, mass
        See `hadronic_mass`.

    Returns
    -------
    ndarray, shape (n,)

    References
    ----------
    Review of Particle Physics, "Structure Functions".

    Examples
    --------
    >>> float(bjorken_x(1.0, 2.0, mass=1.0))
    1.0
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(q2) / (2.0 * mass * np.asarray(q0))


def bjorken_y(q0: ArrayLike, probe_energy: ArrayLike) -> Any:
    """Inelasticity, ``y = q0 / E``, off a nucleon at rest.

    Parameters
    ----------
    q0, probe_energy : array, shape (n,), GeV

    Returns
    -------
    ndarray, shape (n,)

    References
    ----------
    Review of Particle Physics, "Structure Functions".

    Examples
    --------
    >>> float(bjorken_y(1.0, 4.0))
    0.25
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(q0) / np.asarray(probe_energy)


def dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> Any:
    """Scalar product of vectors, shape (n, 3)."""
    return np.einsum("ij,ij->i", a, b)


def norm(a: NDArray[np.float64]) -> Any:
    """Length of vectors, shape (n, 3)."""
    return np.sqrt(dot(a, a))


def transverse(vector: NDArray[np.float64], axis: NDArray[np.float64]) -> Any:
    """Part of vectors that is across an axis.

    Parameters
    ----------
    vector : ndarray, shape (n, 3)
    axis : ndarray, shape (n, 3)
        Unit vectors.

    Returns
    -------
    ndarray, shape (n, 3)

    Examples
    --------
    >>> transverse(np.array([[3.0, 4.0, 5.0]]), np.array([[0.0, 0.0, 1.0]])).tolist()
    [[3.0, 4.0, 0.0]]
    """
    return vector - dot(vector, axis)[:, None] * axis


def angle_between(a: NDArray[np.float64], b: NDArray[np.float64]) -> Any:
    """Angle between vectors, 0 to pi; ``arccos(a.b / |a||b|)``, but exact near 0 and pi too.

    Parameters
    ----------
    a, b : ndarray, shape (n, 3)

    Returns
    -------
    ndarray, shape (n,), rad

    Notes
    -----
    With the transverse momenta of lepton l and proton p, and their sum ``delta_pT = l + p``, the single-transverse
    kinematic imbalances are ``delta_alphaT = angle(-l, delta_pT)`` and ``delta_phiT = angle(-l, p)``.

    References
    ----------
    X.-G. Lu et al., Phys. Rev. C 94 (2016) 015503, arXiv:1512.05748.

    Examples
    --------
    >>> float(angle_between(np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 2.0, 0.0]]))[0] / np.pi)
    0.5
    """
    return np.arctan2(norm(np.cross(a, b)), dot(a, b))
