"""True values at which a card's response to a particle jumps: integrals over true bins are split there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.events import particles as species
from forefold.kernels.layout import COMPONENT_COLUMNS, OF, RULE_COLUMNS
from forefold.response.distributions import Exponential, Uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.detector.compile import CompiledCard
    from forefold.smearing.closed_form.card_response import CardResponse

    Array = NDArray[np.float64]

__all__ = ["discontinuities", "distribution_ends_on_edges"]

_GRID, _REACH = 4000, 5.0  # points, up to this many times the last edge
_KINETIC = ("ke_low", "ke_high", "threshold_ke")
_MOMENTUM = ("p_low", "p_high", "threshold_p")


def discontinuities(response: CardResponse, compiled: CompiledCard, reco_edges: Array) -> Array:
    """Find the true values at which a bin's probability jumps: bounds of rules, thresholds, rows of tables, exact energies on an edge.

    Parameters
    ----------
    response : CardResponse
        Response whose matrix is integrated.
    compiled : CompiledCard
        The detector, from `forefold.detector.compile.compile_card`.
    reco_edges : ndarray
        Edges of the reconstructed bins.

    Returns
    -------
    ndarray
        Empty for an exact energy whose scale is a formula: where it is on an edge is not known.
    """
    if response.of == "theta":
        return reco_edges if response._is_point() else np.zeros(0)
    card, pdgid = response.card, response.pdgid
    targets = [(pdgid, "momentum")]
    for block in card.identification:
        if block.covers(pdgid):
            targets = [(entry.pdgid(pdgid), block.keep) for entry in block.row]
            break
    points = [np.zeros(0)]
    for taken, keep in targets:
        for rule in card.candidates(taken):
            energies = _of_rule(compiled, rule, taken, response, reco_edges)
            if energies is None:
                return np.zeros(0)
            points.append(_true(energies, species.mass(taken), pdgid, keep, response.of))
    values = np.concatenate(points)
    return values[np.isfinite(values) & (values > 0.0)]


def distribution_ends_on_edges(response: CardResponse, reco_edges: Array) -> Array:
    """Find the true values at which a distribution with a sharp end ends on an edge: the bin's probability has a kink there.

    Parameters
    ----------
    response : CardResponse
        Response whose matrix is integrated.
    reco_edges : ndarray
        Edges of the reconstructed bins.

    Returns
    -------
    ndarray
        By linear interpolation in a fine grid of true values.
    """
    stepped = {"uniform", "exponential"}
    parts = (part for rule in response.rules() for part in rule.energy.components())
    if response.of == "theta" or stepped.isdisjoint(part.distribution for part in parts):
        return np.zeros(0)
    true = np.linspace(0.0, _REACH * float(np.max(np.abs(reco_edges))), _GRID + 1)[1:]
    points = [np.zeros(0)]
    for hypothesis in response.hypotheses(true):
        for part in hypothesis.response.parts:
            if not isinstance(part.family, Uniform | Exponential):
                continue
            for u in (0.0, 1.0):
                end = np.full(true.size, np.nan)
                end[part.rows] = part.end(u)
                off = response.observed(hypothesis, end) - reco_edges[:, None]
                with np.errstate(invalid="ignore", divide="ignore"):
                    share = off[:, :-1] / (off[:, :-1] - off[:, 1:])
                crossed = (share >= 0.0) & (share < 1.0)
                points.append((true[:-1] + share * np.diff(true))[crossed])
    return np.concatenate(points)


def _of_rule(
    compiled: CompiledCard, rule: int, taken: int, response: CardResponse, edges: Array
) -> Array | None:
    """Total energies, of the particle as it is taken, at which this rule makes a jump."""
    mass, row = species.mass(taken), compiled.rules[rule]
    kinetic = np.array([row[RULE_COLUMNS.index(name)] for name in _KINETIC])
    momentum = np.array([row[RULE_COLUMNS.index(name)] for name in _MOMENTUM])
    points = [kinetic + mass, np.sqrt(momentum * momentum + mass * mass)]
    first, last = (int(row[RULE_COLUMNS.index(name)]) for name in ("first", "last"))
    least = row[RULE_COLUMNS.index("reco_ke")] + mass
    p_least = max(row[RULE_COLUMNS.index("reco_p")], 0.0)
    reco = _reco(edges, mass, response.of)
    reco = np.concatenate([reco, [least, np.sqrt(p_least**2 + mass**2)]])
    drawn = compiled.card.rules[rule].energy.components()
    for k, part in zip(range(first, last), drawn, strict=True):
        values = {c: compiled.components[k, i] for i, c in enumerate(COMPONENT_COLUMNS)}
        of = OF[int(values["of"])]
        kinetic_like = of == "kinetic" or (of == "visible" and taken in species.NUCLEONS)
        if part.distribution == "tabulated" and part.table is not None:
            at = np.array(compiled.card.tables[part.table].axes[0])
            with np.errstate(divide="ignore"):
                at = 1.0 / at if of == "inverse-momentum" else at
        elif part.distribution == "none":
            linked = (
                compiled.component_links[k, COMPONENT_COLUMNS.index(n)] for n in ("scale", "offset")
            )
            if max(linked) >= 0:
                return None
            x = reco - mass if kinetic_like else reco
            if of.endswith("momentum"):
                x = np.sqrt(np.maximum((reco - mass) * (reco + mass), 0.0))
            at = (x - values["offset"]) / values["scale"]
        else:
            continue
        if of.endswith("momentum"):
            points.append(np.sqrt(at * at + mass * mass))
        else:
            points.append(at + mass if kinetic_like else at)
    return np.concatenate(points)


def _reco(edges: Array, mass: float, of: str) -> Array:
    """Total energies of the edges of what is observed."""
    if of == "momentum":
        return np.sqrt(edges * edges + mass * mass)
    return edges + mass if of == "kinetic_energy" else edges


def _true(energies: Array, mass: float, pdgid: int, keep: str, of: str) -> Array:
    """Find the true values of a particle that is taken for one with these total energies."""
    own = species.mass(pdgid)
    if keep == "momentum":
        with np.errstate(invalid="ignore"):
            p2 = np.maximum((energies - mass) * (energies + mass), 0.0)
        total = np.sqrt(p2 + own * own)
    else:
        total = energies - mass + own if keep == "kinetic" else energies
    if of == "momentum":
        return np.sqrt(np.maximum((total - own) * (total + own), 0.0))
    return total - own if of == "kinetic_energy" else total
