"""Draws of each rule, and of positions and times of events, against their closed forms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from forefold import events as records
from forefold.detector.compile import compile_card
from forefold.events import particles as species
from forefold.kernels.fate import Fate
from forefold.response import distributions as families
from forefold.response.distributions.mixture import invert
from forefold.smearing.engine import smear_particles
from forefold.smearing.validation.grid import beam
from forefold.smearing.validation.probabilities import binomial_pull, mean_pull
from forefold.smearing.vertex import VERTEX, vertex_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from forefold.detector import Card
    from forefold.smearing.closed_form import ParticleResponse
    from forefold.smearing.engine import SmearedParticles
    from forefold.smearing.validation.grid import Grid

    Array = NDArray[np.float64]
    Words = tuple[str, float, float, float]

__all__ = ["checks_of", "vertex_checks"]

_LEVELS = np.array([0.025, 0.158655, 0.5, 0.841345, 0.975])
_FAR = 1e7  # GeV
_SAME = 1e-9
_FEWEST = 30
_REACH, _HALVINGS = 4.0, 7
_TRUE = {"vertex_x": -1.25, "vertex_y": 0.5, "vertex_z": 12.5, "vertex_t": 2.5e-6}  # m, s
_FAMILIES = {"normal": families.Normal(), "uniform": families.Uniform()}


class _ClosedForm:
    """Quantiles of the closed form, and what is exactly below them, for all particles of a grid."""

    def __init__(self, response: ParticleResponse) -> None:
        n = response.size
        self.response = response
        least = np.where(np.isfinite(response.energy_least), response.energy_least, -_FAR)
        below = response.energy_between(np.full(n, -np.inf), least)
        passes = np.where(response.passes > 0.0, response.passes, 1.0)

        def energy(e: Array) -> Array:
            return np.asarray((response.energy_cdf(e) - below) / passes)

        self.energy_at = _quantiles(energy, least, np.full(n, _FAR))
        self.energy_below = np.where(self.energy_at < least, 0.0, energy(self.energy_at))
        self.theta_width = np.zeros(n)
        ends = np.zeros(n), np.zeros(n)
        for rows, direction in response.directions:
            self.theta_width[rows] = direction.width()
            ends[0][rows], ends[1][rows] = direction.span(_REACH)
        self.theta_at = _near(response.theta_cdf, *ends)
        self.theta_below = response.theta_cdf(self.theta_at)
        self.mean, self.std = response.energy_moments()
        self.parts = [
            (
                p.rows,
                p.index,
                p.weight
                * p.between(response.energy_least[p.rows], np.full(p.rows.size, np.inf))
                / passes[p.rows],
            )
            for p in response.parts
        ]


def _quantiles(cdf: Callable[[Array], Array], low: Array, high: Array) -> Array:
    shape = (_LEVELS.size, low.size)
    wide = [np.broadcast_to(a, shape) for a in (_LEVELS[:, None], low, high)]
    return invert(cdf, *wide)


def _near(cdf: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Give values near to quantiles: what is below them is found exactly, so a few halvings are enough."""
    a, b = (np.repeat(end[None], _LEVELS.size, axis=0) for end in (low, high))
    for _ in range(_HALVINGS):
        middle = 0.5 * (a + b)
        above = cdf(middle) >= _LEVELS[:, None]
        a, b = np.where(above, a, middle), np.where(above, middle, b)
    return 0.5 * (a + b)


def checks_of(card: Card, grid: Grid, key: int, draws: int) -> Iterator[tuple[int, Words]]:
    """Draw the particles of a grid, and compare.

    Parameters
    ----------
    card : Card
        Detector.
    grid : Grid
        Particles of one rule.
    key : int
        Random key of the draws.
    draws : int
        Of each particle.

    Yields
    ------
    row : int
        Of the grid.
    words : (what, drawn, expected, pull)
        What is compared, both values, and their difference in standard deviations.
    """
    drawn = _drawn(card, grid, key, draws)
    closed_forms = [_ClosedForm(hypothesis.response) for hypothesis in grid.hypotheses]
    for row in range(grid.pdgid.size):
        mine = slice(row * draws, (row + 1) * draws)
        taken = drawn.pdgid[mine]
        lost = (drawn.out.fate[mine] & int(Fate.UNIDENTIFIED)) != 0
        shares: dict[int, float] = {}
        for hypothesis in grid.hypotheses:
            pdg = int(hypothesis.pdgid[row])
            shares[pdg] = shares.get(pdg, 0.0) + float(hypothesis.probability[row])
        if card.identification:
            for pdg, share in shares.items():
                count = int(((taken == pdg) & ~lost).sum())
                yield row, _counted(f"taken for {_name(pdg)}", count, draws, share)
        done = set()
        for hypothesis, closed in zip(grid.hypotheses, closed_forms, strict=True):
            pdg = int(hypothesis.pdgid[row])
            ours = hypothesis.response.rule[row] == grid.rule and hypothesis.probability[row] > 0.0
            if not ours or pdg in done:
                continue
            done.add(pdg)
            which = np.flatnonzero((taken == pdg) & ~lost) + mine.start
            for words in _of_particle(drawn, which, closed, row, grid):
                yield row, words


def _drawn(card: Card, grid: Grid, key: int, draws: int) -> SmearedParticles:
    columns = (np.repeat(x, draws) for x in (grid.pdgid, grid.energy, grid.theta, grid.phi))
    return smear_particles(*beam(*columns, key=key % 2**64), compile_card(card), on_invalid="lose")


def _name(pdg: int) -> str:
    try:
        return species.name(pdg)
    except ValueError:
        return str(pdg)


def _counted(what: str, count: int, total: int, share: float) -> Words:
    return what, count / max(total, 1), share, binomial_pull(count, total, share)


def _of_particle(
    drawn: SmearedParticles, which: NDArray[np.intp], closed: _ClosedForm, row: int, grid: Grid
) -> Iterator[Words]:
    out, response = drawn.out, closed.response
    detected = which[(out.fate[which] & int(Fate.DETECTED)) != 0]
    yield _counted("seen", detected.size, which.size, float(response.detection_probability[row]))
    if detected.size < _FEWEST:
        return
    yield from _energy(out.energy_reco[detected], closed, row)
    parts = [(index, w[rows == row]) for rows, index, w in closed.parts if np.any(rows == row)]
    for index, weight in parts if len(parts) > 1 else []:
        count = int((out.component[detected] == index).sum())
        yield _counted(f"part {index + 1}", count, detected.size, float(weight[0]))
    yield from _angle(out, detected, closed, row, grid)


def _exact(values: Array, point: float, what: str) -> Words:
    same = np.abs(values - point) <= _SAME * max(1.0, abs(point))
    return _counted(what, int(same.sum()), values.size, 1.0)


def _energy(energy: Array, closed: _ClosedForm, row: int) -> Iterator[Words]:
    at, below = closed.energy_at[:, row], closed.energy_below[:, row]
    mean, std = float(closed.mean[row]), float(closed.std[row])
    n = energy.size
    if std == 0.0 or at[0] == at[-1]:
        yield _exact(energy, float(at[2]), "exact energy")
        return
    cut = closed.response.passes[row] < 1.0
    if math.isfinite(mean) and math.isfinite(std) and not cut and _tame(closed, row):
        drawn = float(energy.mean())
        yield "energy mean", drawn, mean, mean_pull(drawn, mean, std, n)
    counts = [int((energy <= e * (1.0 + math.copysign(1e-12, e))).sum()) for e in at]
    yield _counted("energy median", counts[2], n, float(below[2]))
    yield _counted("energy width", counts[3] - counts[1], n, float(below[3] - below[1]))
    yield _counted("energy tails", n - counts[4] + counts[0], n, float(1.0 - below[4] + below[0]))


def _tame(closed: _ClosedForm, row: int) -> bool:
    """Whether the mean of the draws is near to normal: no tail that falls as a power, nothing inverted."""
    for part in closed.response.parts:
        if np.any(part.rows == row):
            name = type(part.family).__name__
            place = np.flatnonzero(part.rows == row)[0]
            narrow = float(part.sigma[place]) <= 1.0 * abs(float(part.location[place]))
            if (
                part.of == "inverse"
                or name == "CrystalBall"
                or (name == "LogNormal" and not narrow)
            ):
                return False
    return True


def _angle(
    out: Any, detected: NDArray[np.intp], closed: _ClosedForm, row: int, grid: Grid
) -> Iterator[Words]:
    theta = out.theta_reco[detected]
    at, below = closed.theta_at[:, row], closed.theta_below[:, row]
    if closed.theta_width[row] == 0.0:
        yield _exact(theta, float(grid.theta[row]), "exact angle")
        return
    counts = [int((theta <= t + 1e-12).sum()) for t in at]
    yield _counted("theta median", counts[2], detected.size, float(below[2]))
    yield _counted("theta width", counts[3] - counts[1], detected.size, float(below[3] - below[1]))
    for rows, direction in closed.response.directions:
        place = np.flatnonzero(rows == row)
        if direction.convention == "space" and place.size:
            yield _opening(out, detected, direction, int(place[0]), row, grid)


def _opening(
    out: Any, detected: NDArray[np.intp], direction: Any, place: int, row: int, grid: Grid
) -> Words:
    """Count what is nearer to the true direction than the width."""
    one, other = (
        (grid.theta[row], grid.phi[row]),
        (out.theta_reco[detected], out.phi_reco[detected]),
    )
    cosine = math.cos(one[0]) * np.cos(other[0])
    cosine = cosine + math.sin(one[0]) * np.sin(other[0]) * np.cos(other[1] - one[1])
    near = float(direction.sigma[place])
    share = direction.space_angle_cdf(np.full(direction.sigma.size, near))[place]
    count = int((cosine >= math.cos(near)).sum())
    return _counted("space angle", count, detected.size, float(share))


def vertex_checks(card: Card, key: int, draws: int) -> Iterator[Words]:
    """Draw one event many times, and compare its positions and times with the block ``[vertex]``.

    Parameters
    ----------
    card : Card
        Detector.
    key : int
        Random key of the draws.
    draws : int
        Number of draws.

    Yields
    ------
    (what, drawn, expected, pull)
        What is compared, both values, and their difference in standard deviations.
    """
    if card.vertex is None:
        return
    toy = records.build(
        pdgid=13,
        px=0.0,
        py=0.0,
        pz=np.ones(draws),
        energy=2.0,
        event_fields={name: np.full(draws, at) for name, at in _TRUE.items()},
    )
    columns = vertex_columns(toy, card, key % 2**64)
    for name, (sigma, distribution) in card.vertex.widths().items():
        drawn = np.asarray(ak.to_numpy(columns[f"{name}_reco"]), dtype=np.float64)
        field, factor, _ = VERTEX[name]
        yield from _vertex_quantity(name, drawn, _TRUE[field] * factor, sigma, distribution)


def _vertex_quantity(
    name: str, drawn: NDArray[np.float64], true: float, sigma: float, distribution: str
) -> Iterator[Words]:
    n = drawn.size
    if sigma == 0.0:
        count = int((drawn == true).sum())
        yield f"exact {name}", count / n, 1.0, binomial_pull(count, n, 1.0)
        return
    family = _FAMILIES[distribution]
    at = [float(family.ppf(level, true, sigma)) for level in _LEVELS.tolist()]
    below = [float(family.cdf(x, true, sigma)) for x in at]
    mean = float(drawn.mean())
    yield f"{name} mean", mean, true, mean_pull(mean, true, sigma, n)
    counts = [int((drawn <= x).sum()) for x in at]
    regions = {
        "median": (counts[2], below[2]),
        "width": (counts[3] - counts[1], below[3] - below[1]),
        "tails": (n - counts[4] + counts[0], 1.0 - below[4] + below[0]),
    }
    for what, (count, share) in regions.items():
        yield f"{name} {what}", count / n, share, binomial_pull(count, n, share)
