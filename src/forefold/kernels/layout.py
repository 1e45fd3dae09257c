"""What goes into the loops and what comes out: one-dimensional arrays, and tables of numbers for rules and components.

A cell of a table is a number that holds for all particles, or, where `RuleTables.link` is not -1, one number a particle, in that
row of `dynamic`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "COMPONENT_COLUMNS",
    "CONVENTIONS",
    "DISTRIBUTIONS",
    "OF",
    "RULE_COLUMNS",
    "SPACE_DISTRIBUTIONS",
    "Histograms",
    "Kinematics",
    "RuleTables",
    "Smeared",
    "Species",
    "TrueParticles",
    "empty_kinematics",
    "empty_smeared",
]

RULE_COLUMNS = (
    "ke_low",  # GeV; the rule holds for ke_low <= kinetic energy < ke_high ...
    "ke_high",
    "p_low",  # GeV; ... and p_low <= |p| < p_high ...
    "p_high",
    "when",  # ... where this is 1
    "threshold_ke",  # GeV; seen from this kinetic energy on ...
    "threshold_p",  # GeV; ... and this momentum ...
    "seen_if",  # ... where this is 1
    "efficiency",
    "reco_ke",  # GeV; what is reconstructed below is lost
    "reco_p",  # GeV
    "convention",  # index into CONVENTIONS
    "angle_distribution",  # index into SPACE_DISTRIBUTIONS
    "theta_sigma",  # rad; of cos(theta) where the convention is cosine
    "phi_sigma",  # rad
    "first",  # range of components
    "last",
)
COMPONENT_COLUMNS = (
    "weight",  # probability of this component; the last one of a rule takes the rest
    "of",  # index into OF: what is smeared
    "distribution",  # index into DISTRIBUTIONS
    "constant",  # relative resolution = constant (+) stochastic / sqrt(E/GeV) (+) noise / (E/GeV)
    "stochastic",
    "noise",
    "linear",  # 1: (+) is the linear sum; 0: in quadrature
    "resolution",  # relative, instead of the law, unless negative
    "sigma",  # GeV, instead of the law, unless negative
    "scale",  # factor on what is drawn
    "offset",  # GeV, added last
    "clamp",  # 1: an energy below the mass becomes the mass
    "shape_a",  # shape of the distribution
    "shape_b",
    "shape_c",
    "shape_d",
    "table",  # index of a histogram to draw from
)
DISTRIBUTIONS = (
    "log-normal",
    "normal",
    "none",
    "truncated-normal",
    "crystal-ball",
    "exponential",
    "uniform",
    "tabulated",
)
OF = ("total", "kinetic", "visible", "momentum", "inverse-momentum")
CONVENTIONS = ("polar", "independent", "space", "none", "cosine")
SPACE_DISTRIBUTIONS = ("rayleigh", "half-normal", "von-mises-fisher")


class TrueParticles(NamedTuple):
    """True particles of many events in one row, with everything that their smearing depends on.

    Attributes
    ----------
    key, entry, place : ndarray of uint64, shape (n,)
        Random key of the event, entry of the event, index of the particle among the event's final state.
    species : ndarray of int64, shape (n,)
        Row of `Species`.
    px, py, pz, energy : ndarray of float64, shape (n,), GeV
    event : ndarray of int64, shape (n,)
        Row of `axis`.
    axis : ndarray of float64, shape (m, 3)
        Unit vector per event, to which polar angles refer.
    """

    key: NDArray[np.uint64]
    entry: NDArray[np.uint64]
    place: NDArray[np.uint64]
    species: NDArray[np.int64]
    px: NDArray[np.float64]
    py: NDArray[np.float64]
    pz: NDArray[np.float64]
    energy: NDArray[np.float64]
    event: NDArray[np.int64]
    axis: NDArray[np.float64]


class Species(NamedTuple):
    """What the card says of each kind of particle.

    Attributes
    ----------
    outcome : ndarray of int64, shape (s,)
        0: smeared; else the fate of a kind that the card leaves out.
    mass : ndarray of float64, shape (s,), GeV
        Mass where the record has none (E < |p|).
    nucleon : ndarray of bool, shape (s,)
        Its visible energy is the kinetic one.
    first, last : ndarray of int64, shape (s,)
        Range of `candidates`.
    candidates : ndarray of int64
        Rules in the order in which they are tried; the last one of a kind always holds.
    """

    outcome: NDArray[np.int64]
    mass: NDArray[np.float64]
    nucleon: NDArray[np.bool_]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    candidates: NDArray[np.int64]


class Kinematics(NamedTuple):
    """True kinematics in the frame of the axis, each of shape (n,), float64: GeV and radians."""

    mass: NDArray[np.float64]
    energy: NDArray[np.float64]
    kinetic: NDArray[np.float64]
    p: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    z: NDArray[np.float64]
    theta: NDArray[np.float64]
    off_shell: NDArray[np.bool_]


class RuleTables(NamedTuple):
    """Rules of a card and their components as tables of numbers.

    Attributes
    ----------
    rules, components : ndarray of float64, shape (r, len(RULE_COLUMNS)), (c, len(COMPONENT_COLUMNS))
    rule_links, component_links : ndarray of int64, of the same shapes
        Row of `dynamic` that holds instead of the number, or -1.
    dynamic : ndarray of float64, shape (d, n)
    """

    rules: NDArray[np.float64]
    rule_links: NDArray[np.int64]
    components: NDArray[np.float64]
    component_links: NDArray[np.int64]
    dynamic: NDArray[np.float64]


class Histograms(NamedTuple):
    """Migration matrices to draw from, packed one after the other.

    Attributes
    ----------
    first : ndarray of int64, shape (h, 4)
        Starts in `edges` of the true and of the reconstructed axis, start in `cumulative`, true bins.
    bins : ndarray of int64, shape (h,)
        Reconstructed bins.
    edges, cumulative : ndarray of float64
    """

    first: NDArray[np.int64]
    bins: NDArray[np.int64]
    edges: NDArray[np.float64]
    cumulative: NDArray[np.float64]


class Smeared(NamedTuple):
    """Smeared particles, each of shape (n,); NaN where nothing is reconstructed."""

    mass: NDArray[np.float64]
    theta_true: NDArray[np.float64]
    energy_reco: NDArray[np.float64]
    theta_drawn: NDArray[np.float64]
    theta_reco: NDArray[np.float64]
    phi_reco: NDArray[np.float64]
    px_reco: NDArray[np.float64]
    py_reco: NDArray[np.float64]
    pz_reco: NDArray[np.float64]
    fate: NDArray[np.uint16]
    rule: NDArray[np.int16]
    component: NDArray[np.int8]


def empty_kinematics(n: int) -> Kinematics:
    """Arrays for `n` particles, to be filled."""
    a, b, c, d, e, f, g, h = (np.empty(n) for _ in range(8))
    return Kinematics(a, b, c, d, e, f, g, h, np.zeros(n, np.bool_))


def empty_smeared(kinematics: Kinematics) -> Smeared:
    """Arrays for the results, with nothing in them but mass and true angle."""
    n = kinematics.mass.size
    a, b, c, d, e, f, g = (np.full(n, np.nan) for _ in range(7))
    fate, rule = np.zeros(n, np.uint16), np.full(n, -1, np.int16)
    mass, theta = kinematics.mass, kinematics.theta
    return Smeared(mass, theta, a, b, c, d, e, f, g, fate, rule, np.full(n, -1, np.int8))
