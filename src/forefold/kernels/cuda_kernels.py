"""What one thread of a graphics card does: smear a particle by simple rules, or count it in a histogram.

Nothing here runs as it stands: `forefold.kernels.cuda` rebuilds it for blocks of one particle, with the device's module
behind `cuda`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from forefold.kernels import block_steps as st
from forefold.kernels import blocks
from forefold.kernels import math as fm
from forefold.kernels.block_steps import MADE, PARAMETERS, ROWS, STRIDE
from forefold.kernels.fate import Fate
from forefold.kernels.philox import uniforms

__all__ = ["bin_of", "count", "efficiency_uniforms", "quantiles", "smear"]

cuda: Any = None
_WIDTH = len(PARAMETERS)
_DETECTED = int(Fate.DETECTED)


def smear(
    truth: Any,
    species: Any,
    table: Any,
    rules: Any,
    assigned: Any,
    axes: Any,
    same: Any,
    block: Any,
    columns: Any,
    out: Any,
) -> None:
    """Smear the particle of this thread; as `forefold.kernels.blocks.draw_blocks`."""
    i = cuda.grid(1)
    if i >= truth.energy.size:
        return
    b, row = cuda.local.array(ROWS, np.float64), cuda.local.array(1, np.int64)
    if same:
        b[st.C], b[st.S], b[st.ACROSS], b[st.ALONG] = axes[0], axes[1], axes[2], axes[3]
    else:
        st.axes(b, axes, truth.event, i, 1)
    kind, none = truth.species, rules.ranges.shape[0]
    if assigned.chosen.size > 0:
        kind = assigned.kind
        blocks._recall(b, assigned.kinematics, i, 1)
        row[0] = assigned.chosen[i]
    else:
        blocks._describe(b, truth, species.mass, i, 1)
        out.mass[i], out.theta_true[i] = b[st.MASS], b[st.THETA]
        blocks._choose(b, kind, table, rules.ranges, out.fate, row, i, 1)
    blocks._settle(b, kind, species.outcome, row, none, out.fate, out.rule, i, 1)
    for j in range(_WIDTH):
        b[MADE + j * STRIDE] = rules.numbers[row[0] * _WIDTH + j]
    if rules.links.size > 0:
        blocks._gather_linked(b, rules.links, assigned.dynamic, row, i, 1)
    blocks._draw(b, row, truth, rules.noise, rules.normal, block, i, 1)
    blocks._keep(b, columns, out.fate, out.component, i, 1)


def quantiles(b: Any, rows: Any, row: int, m: int) -> None:  # noqa: ARG001 - as in `block_steps`
    """Turn a uniform into a standard normal number: with one particle there are no tails to sort out."""
    b[row] = fm.normal_quantile(b[row])


def efficiency_uniforms(
    b: Any,
    rows: Any,  # noqa: ARG001 - as in `block_steps`
    key: Any,
    entry: Any,
    place: Any,
    block: Any,
    at: int,
    m: int,  # noqa: ARG001
) -> None:
    """Draw the uniform of an efficiency that is not 1."""
    b[st.U_SEEN] = 0.5
    if b[st.EFFICIENCY] != 1.0:
        u, _ = uniforms(key[at], entry[at], place[at], block)
        b[st.U_SEEN] = u


def count(x: Any, y: Any, fate: Any, x_edges: Any, y_edges: Any, weight: Any, out: Any) -> None:
    """Add the particle of this thread to a histogram if it is detected."""
    i = cuda.grid(1)
    if i >= x.size or (fate[i] & _DETECTED) == 0:
        return
    j, k = bin_of(x_edges, x[i]), bin_of(y_edges, y[i])
    if j >= 0 and k >= 0:
        cuda.atomic.add(out, (j, k), weight[i] if weight.size > 0 else np.int64(1))


def bin_of(edges: Any, value: Any) -> Any:
    """Bin of a value: half-open, the last one closed, as in numpy; -1 outside, and for NaN.

    Examples
    --------
    >>> [bin_of([0.0, 1.0, 3.0], x) for x in (-0.1, 0.0, 1.0, 3.0, 3.1, float("nan"))]
    [-1, 0, 1, 1, -1, -1]
    """
    low, high = 0, len(edges) - 1
    if not (value >= edges[low] and value <= edges[high]):
        return -1
    while high - low > 1:
        middle = (low + high) >> 1
        if value >= edges[middle]:
            low = middle
        else:
            high = middle
    return low
