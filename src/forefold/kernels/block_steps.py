"""Short loops over a block of particles: each does one thing, and runs in vectors; one loop that does everything does not.

What a block holds lies in one array, ``BLOCK`` numbers a row: rows at known distances need no check whether they overlap.
Every loop reads and writes rows, and at most a few arrays of all particles.  The bits are those of `draws`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels import math as fm
from forefold.kernels.fate import Fate
from forefold.kernels.jit import inlined
from forefold.kernels.philox import uniforms as uniforms_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Block = NDArray[np.float64]
    Column = NDArray[np.float64]
    Words = NDArray[np.uint64]

__all__ = [
    "BLOCK",
    "MADE",
    "PARAMETERS",
    "ROWS",
    "STRIDE",
    "aim",
    "angles",
    "axes",
    "decide",
    "efficiency_uniforms",
    "energies",
    "folds",
    "masses",
    "momenta",
    "quantiles",
    "rotate",
    "uniforms",
    "vectors",
]

BLOCK = 128
"""Particles in a block: its rows stay in the first cache."""

STRIDE = BLOCK + 8
"""From row to row: not a power of two, or all rows would compete for the same places of the cache."""

PARAMETERS = (
    "threshold_ke",
    "threshold_p",
    "seen_if",
    "efficiency",
    "theta_sigma",
    "constant",
    "stochastic",
    "noise",
    "scale",
    "kinetic",
    "normal",
)
"""Columns of the table of rules, each a row of the block from `MADE` on."""

(PX, PY, PZ, E, C, S, ACROSS, ALONG) = (i * STRIDE for i in range(8))
(X, Y, Z, SIDE, P, MASS, KE, THETA, PHI, OFF) = (i * STRIDE for i in range(8, 18))
(U_ENERGY, U_THETA, U_SEEN, LIVE, SEEN, FATE, V, RECO) = (i * STRIDE for i in range(18, 26))
(DRAWN, P_RECO, OUT) = (i * STRIDE for i in range(26, 29))
MADE = 29 * STRIDE
(THRESHOLD_KE, THRESHOLD_P, SEEN_IF, EFFICIENCY, SIGMA) = (MADE + i * STRIDE for i in range(5))
(CONSTANT, STOCHASTIC, NOISE, SCALE, KINETIC, NORMAL) = (MADE + i * STRIDE for i in range(5, 11))
ROWS = 29 + len(PARAMETERS)
# rows that are free by the time that these are needed
TAIL = SPREAD = PX
(SIN_THETA, COS_THETA, SIN_PHI, COS_PHI) = (V, U_ENERGY, U_THETA, P)

_TWO_PI = 2.0 * fm.PI
_CENTRAL = fm.CENTRAL
_FAR = fm.FAR
_ROUNDING = 1e-6  # E and p of single precision can differ by this from the light cone
_DETECTED = float(Fate.DETECTED)
_BELOW_THRESHOLD = float(Fate.BELOW_THRESHOLD)
_INEFFICIENCY = float(Fate.INEFFICIENCY)
_BELOW_MASS = float(Fate.ENERGY_BELOW_MASS)
_FOLDED = float(Fate.THETA_FOLDED)
OFF_SHELL = float(Fate.OFF_SHELL)

_uniforms = inlined(uniforms_of)
_central = inlined(fm.central_quantile)
_outer = inlined(fm.outer_quantile)
_near = inlined(fm.near_quantile)
_logarithm1p = inlined(fm.logarithm1p)
_exponential = inlined(fm.exponential)
_sine_cosine = inlined(fm.sine_cosine)
_arctangent2 = inlined(fm.arctangent2)


@inlined
def momenta(b: Block, px: Column, py: Column, pz: Column, energy: Column, at: int, m: int) -> None:
    """Load four-vectors."""
    for i in range(m):
        b[PX + i] = px[at + i]
    for i in range(m):
        b[PY + i] = py[at + i]
    for i in range(m):
        b[PZ + i] = pz[at + i]
    for i in range(m):
        b[E + i] = energy[at + i]


@inlined
def axes(b: Block, frames: Column, event: NDArray[np.int64], at: int, m: int) -> None:
    """Load the axes of the particles' events: cosine and sine of the azimuth, sine and cosine of the polar angle."""
    for i in range(m):
        j = 4 * event[at + i]
        b[C + i], b[S + i] = frames[j], frames[j + 1]
        b[ACROSS + i], b[ALONG + i] = frames[j + 2], frames[j + 3]


@inlined
def rotate(b: Block, m: int) -> None:
    """Turn momenta into the frame of the axis."""
    for i in range(m):
        x, y, z = b[PX + i], b[PY + i], b[PZ + i]
        c, s, across, along = b[C + i], b[S + i], b[ACROSS + i], b[ALONG + i]
        forward = c * x + s * y
        b[X + i] = along * forward - across * z
        b[Y + i] = c * y - s * x
        b[Z + i] = across * forward + along * z
    for i in range(m):
        side = np.sqrt(b[X + i] * b[X + i] + b[Y + i] * b[Y + i])
        b[SIDE + i] = side
        b[P + i] = np.sqrt(side * side + b[Z + i] * b[Z + i])


@inlined
def masses(b: Block, m: int) -> None:
    """Find masses; the row has those of the particle table."""
    for i in range(m):
        energy, p = b[E + i], b[P + i]
        m2 = (energy - p) * (energy + p)
        mass = np.sqrt(m2) if m2 >= 0.0 else b[MASS + i]
        b[OFF + i] = OFF_SHELL if m2 < -_ROUNDING * energy * energy else 0.0
        b[MASS + i] = mass
        b[KE + i] = max(energy - mass, 0.0)


@inlined
def angles(b: Block, m: int) -> None:
    """Find true polar angles."""
    for i in range(m):
        b[THETA + i] = _arctangent2(b[SIDE + i], b[Z + i])


@inlined
def uniforms(
    b: Block, key: Words, entry: Words, place: Words, block: np.uint64, at: int, m: int
) -> None:
    """Draw the uniforms of energy and polar angle."""
    for i in range(m):
        u, v = _uniforms(key[at + i], entry[at + i], place[at + i], block)
        b[U_ENERGY + i] = u
        b[U_THETA + i] = v


@inlined
def efficiency_uniforms(
    b: Block,
    rows: NDArray[np.int64],
    key: Words,
    entry: Words,
    place: Words,
    block: np.uint64,
    at: int,
    m: int,
) -> None:
    """Draw the uniforms of efficiencies that are not 1, and leave 1/2 to the others."""
    n = 0
    for i in range(m):
        b[U_SEEN + i] = 0.5
        n += b[EFFICIENCY + i] != 1.0
    if n == 0:
        return
    n = 0
    for i in range(m):
        rows[n] = i
        n += b[EFFICIENCY + i] != 1.0
    for j in range(n):
        i = at + rows[j]
        u, _ = _uniforms(key[i], entry[i], place[i], block)
        b[U_SEEN + rows[j]] = u


@inlined
def quantiles(b: Block, rows: NDArray[np.int64], row: int, m: int) -> None:
    """Turn a row of uniforms into standard normal numbers: the few in the tails are taken out, and put back."""
    n = 0
    for i in range(m):
        rows[n] = i
        n += abs(b[row + i] - 0.5) > _CENTRAL
    for j in range(n):
        b[TAIL + j] = b[row + rows[j]]
    for i in range(m):
        b[row + i] = _central(b[row + i])
    far = 0
    for j in range(n):
        u = b[TAIL + j]
        b[V + j] = _near(u)
        far += min(u, 1.0 - u) < _FAR
    if far > 0:
        for j in range(n):
            b[V + j] = _outer(b[TAIL + j])
    for j in range(n):
        b[row + rows[j]] = b[V + j]


@inlined
def energies(b: Block, noise: bool, normal: bool, m: int) -> None:
    """Draw energies from the standard normal numbers in their place."""
    for i in range(m):
        kinetic, energy = (
            b[KE + i],
            b[E + i],
        )  # both are loaded: a load that may not be is no vector's
        location = kinetic if b[KINETIC + i] == 1.0 else energy
        b[RECO + i] = location
        location = location if location > 0.0 else 1.0
        a, s = b[CONSTANT + i], b[STOCHASTIC + i]
        b[V + i] = a * a + s * s / location
    if noise:
        for i in range(m):
            location = b[RECO + i] if b[RECO + i] > 0.0 else 1.0
            c = b[NOISE + i] / location
            b[V + i] += c * c
    if normal:
        for i in range(m):
            width = np.sqrt(b[V + i]) * b[U_ENERGY + i]
            b[SPREAD + i] = b[RECO + i] * (1.0 + width)
    for i in range(m):
        s2 = _logarithm1p(b[V + i])
        exponent = np.sqrt(s2) * b[U_ENERGY + i] - 0.5 * s2
        b[V + i] = b[RECO + i] * _exponential(exponent)
    if normal:
        for i in range(m):
            b[V + i] = b[SPREAD + i] if b[NORMAL + i] == 1.0 else b[V + i]
    for i in range(m):
        drawn = b[V + i] * b[SCALE + i] if b[RECO + i] > 0.0 else 0.0
        b[RECO + i] = drawn + b[MASS + i] if b[KINETIC + i] == 1.0 else drawn


@inlined
def aim(b: Block, m: int) -> None:
    """Draw polar angles from the standard normal numbers in their place."""
    for i in range(m):
        b[DRAWN + i] = b[THETA + i] + b[SIGMA + i] * b[U_THETA + i]


@inlined
def folds(b: Block, m: int) -> None:
    """Bring polar angles back to the sphere; every crossing of a pole turns the azimuth by pi."""
    for i in range(m):
        b[PHI + i] = _arctangent2(b[Y + i], b[X + i])
    for i in range(m):
        drawn, phi = b[DRAWN + i], b[PHI + i]
        theta = -drawn if drawn < 0.0 else drawn
        rest = theta - _TWO_PI * np.floor(theta / _TWO_PI)
        theta = rest if theta > _TWO_PI else theta
        beyond = theta > fm.PI
        b[THETA + i] = _TWO_PI - theta if beyond else theta
        turned = beyond != (drawn < 0.0)
        other = phi - fm.PI if phi > 0.0 else phi + fm.PI
        b[PHI + i] = other if turned else phi
        b[OUT + i] = _FOLDED if (drawn < 0.0) | (drawn > fm.PI) else 0.0


@inlined
def decide(b: Block, m: int) -> None:
    """Decide which particles are detected; the others get the fate that says why not."""
    for i in range(m):
        below = (b[KE + i] < b[THRESHOLD_KE + i]) | (b[P + i] < b[THRESHOLD_P + i])
        below = below | (b[SEEN_IF + i] != 1.0)
        lost = b[U_SEEN + i] >= b[EFFICIENCY + i]
        live = b[LIVE + i] == 1.0
        detected = live & (not below) & (not lost)
        b[SEEN + i] = 1.0 if detected else 0.0
        why = _BELOW_THRESHOLD if below else _INEFFICIENCY
        b[FATE + i] = (b[OFF + i] + (0.0 if detected else why)) if live else 0.0
    for i in range(m):
        mass, reco = b[MASS + i], b[RECO + i]
        short = reco < mass
        b[P_RECO + i] = 0.0 if short else np.sqrt((reco - mass) * (reco + mass))
        flags = _DETECTED + b[OUT + i] + (_BELOW_MASS if short else 0.0)
        b[FATE + i] += flags if b[SEEN + i] == 1.0 else 0.0


@inlined
def vectors(b: Block, m: int) -> None:
    """Turn what is reconstructed into momenta, in the frame of the record."""
    for i in range(m):
        b[SIN_THETA + i], b[COS_THETA + i] = _sine_cosine(b[THETA + i])
    for i in range(m):
        b[SIN_PHI + i], b[COS_PHI + i] = _sine_cosine(b[PHI + i])
    for i in range(m):
        side = b[P_RECO + i] * b[SIN_THETA + i]
        x, y, z = side * b[COS_PHI + i], side * b[SIN_PHI + i], b[P_RECO + i] * b[COS_THETA + i]
        c, s, across, along = b[C + i], b[S + i], b[ACROSS + i], b[ALONG + i]
        forward = along * x + across * z
        b[PX + i] = c * forward - s * y
        b[PY + i] = s * forward + c * y
        b[PZ + i] = along * z - across * x
