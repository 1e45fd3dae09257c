"""Simple rules of a card, made ready for blocks: tables of numbers, and what is determined of particles before.

A rule is simple if it has one component of total or kinetic energy, log-normal, normal or none, with a law in quadrature and a
polar angle, and no threshold on what is reconstructed; its numbers may be the particle's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold.kernels.block_steps import PARAMETERS
from forefold.kernels.draw import KEPT, POLAR
from forefold.kernels.layout import (
    COMPONENT_COLUMNS,
    DISTRIBUTIONS,
    OF,
    RULE_COLUMNS,
    empty_kinematics,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.kernels.layout import Kinematics, RuleTables, Species

__all__ = ["Assigned", "SimpleRules", "candidates", "frames", "simple_rules", "unassigned"]

_WIDTH = len(PARAMETERS)
_KINETIC = OF.index("kinetic")
_NORMAL, _NONE = DISTRIBUTIONS.index("normal"), DISTRIBUTIONS.index("none")
_RANGE = [RULE_COLUMNS.index(name) for name in ("ke_low", "ke_high", "p_low", "p_high")]
_OF_RULES = ("threshold_ke", "threshold_p", "seen_if", "efficiency", "theta_sigma")
_OF_COMPONENTS = ("constant", "stochastic", "noise", "scale")


class SimpleRules(NamedTuple):
    """Simple rules, as `forefold.kernels.blocks.draw_blocks` takes them.

    Attributes
    ----------
    numbers : ndarray of float64, shape (r + 1, len(PARAMETERS)), flat
        The last row is for particles that no rule is for.
    links : ndarray of int64, in the same shape, flat
        Row of ``dynamic``, or -1; empty where every number is the rule's.
    ranges : ndarray of float64, shape (r, 4)
        Kinetic energies and momenta for which a rule holds.
    used : ndarray of int64
        Columns whose numbers are not the same for all rules, or linked.
    noise, normal : bool
        Some laws have a noise term, some energies are normal.
    """

    numbers: NDArray[np.float64]
    links: NDArray[np.int64]
    ranges: NDArray[np.float64]
    used: NDArray[np.int64]
    noise: bool
    normal: bool


def simple_rules(tables: RuleTables) -> SimpleRules | None:
    """Rules as the blocks take them, or None if a rule is not simple.

    Parameters
    ----------
    tables : RuleTables

    Returns
    -------
    SimpleRules or None
    """
    rules = _columns(tables.rules, RULE_COLUMNS)
    first = tables.rules[:, RULE_COLUMNS.index("first")].astype(np.int64)
    if not (rules["last"] == rules["first"] + 1).all():
        return None
    components = _columns(tables.components[first], COMPONENT_COLUMNS)
    links = _columns(tables.rule_links, RULE_COLUMNS)
    links |= _columns(tables.component_links[first], COMPONENT_COLUMNS)
    if not _is_simple(rules, components, links):
        return None
    values = {name: rules[name] for name in _OF_RULES}
    values |= {name: components[name] for name in _OF_COMPONENTS}
    values["kinetic"] = components["of"] == _KINETIC
    values["normal"] = components["distribution"] == _NORMAL
    linked = {name: links[name] for name in (*_OF_RULES, *_OF_COMPONENTS)}
    for whole, part in (("resolution", "constant"), ("sigma", "noise")):
        is_set = (components[whole] >= 0.0) | (links[whole] >= 0)
        for name in ("constant", "stochastic", "noise"):
            values[name] = np.where(
                is_set, components[whole] if name == part else 0.0, values[name]
            )
            linked[name] = np.where(is_set, links[whole] if name == part else -1, linked[name])
    exact = components["distribution"] == _NONE
    for name in ("constant", "stochastic", "noise"):
        values[name] = np.where(exact, 0.0, values[name])
        linked[name] = np.where(exact, -1, linked[name])
    nothing = np.full(exact.size, -1)
    numbers = np.stack([values[name] for name in PARAMETERS], axis=1)
    rows = np.stack([linked.get(name, nothing) for name in PARAMETERS], axis=1)
    numbers = np.concatenate([numbers, [[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]]])
    rows = np.concatenate([rows, np.full((1, _WIDTH), -1)])
    noise = (values["noise"] != 0.0) | (linked["noise"] >= 0)
    return SimpleRules(
        numbers.astype(np.float64).ravel(),
        rows.astype(np.int64).ravel() if (rows >= 0).any() else np.empty(0, np.int64),
        np.ascontiguousarray(tables.rules[:, _RANGE]),
        np.flatnonzero((numbers != numbers[-1]).any(axis=0) | (rows >= 0).any(axis=0)),
        bool(noise.any()),
        bool(values["normal"].any()),
    )


def _columns(table: NDArray[Any], names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    return {name: table[:, i] for i, name in enumerate(names)}


def _is_simple(
    rules: dict[str, NDArray[Any]],
    components: dict[str, NDArray[Any]],
    links: dict[str, NDArray[Any]],
) -> bool:
    ours = {*_OF_RULES, *_OF_COMPONENTS, "resolution", "sigma", "when"}
    good = np.isin(rules["convention"], (POLAR, KEPT))
    good &= (rules["reco_ke"] == -np.inf) & (rules["reco_p"] == -np.inf)
    good &= np.isin(components["of"], (OF.index("total"), _KINETIC))
    good &= components["distribution"] <= _NONE
    good &= (components["linear"] == 0.0) & (components["offset"] == 0.0)
    good &= components["clamp"] == 0.0
    for name, link in links.items():
        if name not in ours:
            good &= link < 0
    return bool(good.all())


def frames(axis: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Cosine and sine of azimuth, sine and cosine of polar angle of unit vectors, and whether all are the same.

    Parameters
    ----------
    axis : ndarray of float64, shape (m, 3)

    Returns
    -------
    ndarray of float64, shape (4 m,)
    bool
    """
    x, y, z = axis.T
    across = np.sqrt(x * x + y * y)
    along_z = across == 0.0
    safe = np.where(along_z, 1.0, across)
    up = np.where(z > 0.0, 1.0, -1.0)
    frame = np.empty((len(axis), 4))
    frame[:, 0] = np.where(along_z, up, x / safe)
    frame[:, 1] = np.where(along_z, 0.0, y / safe)
    frame[:, 2] = across
    frame[:, 3] = np.where(along_z, up, z)
    return frame.ravel(), bool((axis == axis[:1]).all())


class Assigned(NamedTuple):
    """Identity, kinematics and rule of particles, where they are determined before the draw; else arrays of no length.

    Attributes
    ----------
    kind : ndarray of int64, shape (n,)
        What the particles are taken for.
    kinematics : Kinematics
    chosen : ndarray of int64, shape (n,)
        Their rules; -1 is left out.
    dynamic : ndarray of float64, shape (d, n)
        Their own numbers.
    """

    kind: NDArray[np.int64]
    kinematics: Kinematics
    chosen: NDArray[np.int64]
    dynamic: NDArray[np.float64]


def candidates(species: Species) -> NDArray[np.int64]:
    """Rules of every kind in the order in which they are tried, as a table: the last one is repeated.

    Parameters
    ----------
    species : Species

    Returns
    -------
    ndarray of int64, shape (s, w)
    """
    lengths = species.last - species.first
    steps = np.arange(max(1, int(lengths.max(initial=1))))
    place = species.first[:, None] + np.minimum(steps, np.maximum(lengths - 1, 0)[:, None])
    if not species.candidates.size:
        return np.zeros(place.shape, np.int64)
    return species.candidates[np.minimum(place, species.candidates.size - 1)]


def unassigned() -> Assigned:
    """For particles of which only the four-vectors are determined.

    Returns
    -------
    Assigned
    """
    none = np.empty(0, np.int64)
    return Assigned(none, empty_kinematics(0), none, np.empty((0, 0)))
