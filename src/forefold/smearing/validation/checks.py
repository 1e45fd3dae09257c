"""Draws of a rule against its closed form."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.detector.compile import plan
from forefold.events import particles as species
from forefold.kernels.fate import Fate
from forefold.response.distributions.mixture import invert
from forefold.smearing.engine import pass_through
from forefold.smearing.validation.beam import beam
from forefold.smearing.validation.probabilities import binomial_pull, mean_pull

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from forefold.detector import Card
    from forefold.smearing.closed_form import Faces
    from forefold.smearing.engine import Passage
    from forefold.smearing.validation.grid import Grid

    Array = NDArray[np.float64]
    Words = tuple[str, float, float, float]

__all__ = ["checks_of"]

_LEVELS = np.array([0.025, 0.158655, 0.5, 0.841345, 0.975])
_FAR = 1e7  # GeV
_SAME = 1e-9
_FEWEST = 30
_REACH, _HALVINGS = 4.0, 7


class _ClosedForm:
    """Quantiles of the closed form, and what is exactly below them, for all particles of a grid."""

    def __init__(self, faces: Faces) -> None:
        n = faces.size
        self.faces = faces
        least = np.where(np.isfinite(faces.energy_least), faces.energy_least, -_FAR)
        below = faces.energy_between(np.full(n, -np.inf), least)
        passes = np.where(faces.passes > 0.0, faces.passes, 1.0)

        def energy(e: Array) -> Array:
            return np.asarray((faces.energy_cdf(e) - below) / passes)

        self.energy_at = _quantiles(energy, least, np.full(n, _FAR))
        self.energy_below = np.where(self.energy_at < least, 0.0, energy(self.energy_at))
        self.theta_width = np.zeros(n)
        ends = np.zeros(n), np.zeros(n)
        for rows, heading in faces.headings:
            self.theta_width[rows] = heading.width()
            ends[0][rows], ends[1][rows] = heading.span(_REACH)
        self.theta_at = _near(faces.theta_cdf, *ends)
        self.theta_below = faces.theta_cdf(self.theta_at)
        self.mean, self.std = faces.energy_moments()
        self.parts = [
            (
                p.rows,
                p.index,
                p.weight
                * p.between(faces.energy_least[p.rows], np.full(p.rows.size, np.inf))
                / passes[p.rows],
            )
            for p in faces.parts
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
    grid : Grid
    key : int
    draws : int
        Of each particle.

    Yields
    ------
    row : int
        Of the grid.
    words : (what, drawn, expected, pull)
    """
    passed = _drawn(card, grid, key, draws)
    closed_forms = [_ClosedForm(way.faces) for way in grid.ways]
    for row in range(grid.pdgid.size):
        mine = slice(row * draws, (row + 1) * draws)
        taken = passed.pdgid[mine]
        lost = (passed.out.fate[mine] & int(Fate.UNIDENTIFIED)) != 0
        shares: dict[int, float] = {}
        for way in grid.ways:
            pdg = int(way.pdgid[row])
            shares[pdg] = shares.get(pdg, 0.0) + float(way.probability[row])
        if card.identification:
            for pdg, share in shares.items():
                count = int(((taken == pdg) & ~lost).sum())
                yield row, _counted(f"taken for {_name(pdg)}", count, draws, share)
        done = set()
        for way, closed in zip(grid.ways, closed_forms, strict=True):
            pdg = int(way.pdgid[row])
            ours = way.faces.rule[row] == grid.rule and way.probability[row] > 0.0
            if not ours or pdg in done:
                continue
            done.add(pdg)
            which = np.flatnonzero((taken == pdg) & ~lost) + mine.start
            for words in _of_particle(passed, which, closed, row, grid):
                yield row, words


def _drawn(card: Card, grid: Grid, key: int, draws: int) -> Passage:
    columns = (np.repeat(x, draws) for x in (grid.pdgid, grid.energy, grid.theta, grid.phi))
    return pass_through(*beam(*columns, key=key % 2**64), plan(card), on_invalid="lose")


def _name(pdg: int) -> str:
    try:
        return species.name(pdg)
    except ValueError:
        return str(pdg)


def _counted(what: str, count: int, total: int, share: float) -> Words:
    return what, count / max(total, 1), share, binomial_pull(count, total, share)


def _of_particle(
    passed: Passage, which: NDArray[np.intp], closed: _ClosedForm, row: int, grid: Grid
) -> Iterator[Words]:
    out, faces = passed.out, closed.faces
    detected = which[(out.fate[which] & int(Fate.DETECTED)) != 0]
    yield _counted("seen", detected.size, which.size, float(faces.seen[row]))
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
    cut = closed.faces.passes[row] < 1.0
    if math.isfinite(mean) and math.isfinite(std) and not cut and _tame(closed, row):
        drawn = float(energy.mean())
        yield "energy mean", drawn, mean, mean_pull(drawn, mean, std, n)
    counts = [int((energy <= e * (1.0 + math.copysign(1e-12, e))).sum()) for e in at]
    yield _counted("energy median", counts[2], n, float(below[2]))
    yield _counted("energy width", counts[3] - counts[1], n, float(below[3] - below[1]))
    yield _counted("energy tails", n - counts[4] + counts[0], n, float(1.0 - below[4] + below[0]))


def _tame(closed: _ClosedForm, row: int) -> bool:
    """Whether the mean of the draws is near to normal: no tail that falls as a power, nothing inverted."""
    for part in closed.faces.parts:
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
    for rows, heading in closed.faces.headings:
        place = np.flatnonzero(rows == row)
        if heading.convention == "space" and place.size:
            yield _opening(out, detected, heading, int(place[0]), row, grid)


def _opening(
    out: Any, detected: NDArray[np.intp], heading: Any, place: int, row: int, grid: Grid
) -> Words:
    """Count what is nearer to the true direction than the width."""
    one, other = (
        (grid.theta[row], grid.phi[row]),
        (out.theta_reco[detected], out.phi_reco[detected]),
    )
    cosine = math.cos(one[0]) * np.cos(other[0])
    cosine = cosine + math.sin(one[0]) * np.sin(other[0]) * np.cos(other[1] - one[1])
    near = float(heading.sigma[place])
    share = heading.space_angle_cdf(np.full(heading.sigma.size, near))[place]
    count = int((cosine >= math.cos(near)).sum())
    return _counted("space angle", count, detected.size, float(share))
