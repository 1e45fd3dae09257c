"""``python -m benchmarks.fill``: entries a second into a response matrix, beside numpy and boost-histogram in the same run."""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING, Any

import hist
import numpy as np

from benchmarks.clock import best
from forefold.matrix.fill import Entries, Filler

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

REMU = 22_000
"""Events a second that ReMU 0.8 fills, as quoted by the plan of this project; not measured here."""


def sample(n: int) -> tuple[Array, Array, Array]:
    """Make true and reconstructed values and weights; one in ten is missed."""
    rng = np.random.default_rng(1)
    true = rng.uniform(-0.1, 8.1, n)
    reco = true + rng.normal(0.0, 0.5, n)
    reco[rng.random(n) < 0.1] = np.nan
    return true, reco, rng.uniform(0.5, 1.5, n)


def one(axis: Any, n: int, repeats: int) -> dict[str, float]:
    """Compare on one kind of axis."""
    true, reco, weight = sample(n)
    filler = Filler(axis)
    zeros = np.zeros(n, np.uint64)
    piece = Entries([true], [reco[None]], weight, zeros, zeros)
    filler.add(piece)  # compiled before the clock runs
    edges = np.asarray(axis.edges)
    bins: Any = edges
    if isinstance(axis, hist.axis.Regular):
        bins = len(axis)
    span = [[edges[0], edges[-1]]] * 2
    joint = hist.Hist(*filler.true_axes, *filler.reco_axes, storage=hist.storage.Weight())
    truth = hist.Hist(*filler.true_axes, storage=hist.storage.Weight())

    def boost() -> None:
        seen = ~np.isnan(reco)
        truth.fill(true, weight=weight)
        joint.fill(true[seen], reco[seen], weight=weight[seen])

    def boost_joint() -> None:
        joint.fill(true, reco, weight=weight)

    def numpy() -> None:
        np.histogram2d(true, reco, [bins, bins], span, weights=weight)

    own, whole, pair, plain = best(
        [lambda: filler.add(piece), boost, boost_joint, numpy], repeats, time.thread_time
    )
    return {
        "entries_per_s": n / own,
        "over_boost_histogram_same_content": whole / own,
        "over_boost_histogram_one_fill": pair / own,
        "over_numpy_histogram2d": plain / own,
        "over_remu_quoted": n / own / REMU,
    }


def fill(n: int = 2_000_000, repeats: int = 5) -> dict[str, float]:
    """Measure the rates of filling: counts, truth, misses and fakes, with variances.

    Parameters
    ----------
    n : int
    repeats : int

    Returns
    -------
    dict of str to float
        Entries a second and ratios of rates (above 1: faster), on 40 regular and on 40 variable bins a side. The same content takes
        boost-histogram two fills (truth, and what is reconstructed); one fill is the pair alone.
    """
    kinds = {
        "regular": hist.axis.Regular(40, 0.0, 8.0, name="x"),
        "variable": hist.axis.Variable(np.geomspace(0.2, 8.0, 41), name="x"),
    }
    return {
        f"fill_{kind}_{name}": value
        for kind, axis in kinds.items()
        for name, value in one(axis, n, repeats).items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fill")
    parser.add_argument("--entries", type=int, default=2_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    found = fill(options.entries, options.repeats)
    print(json.dumps({name: round(value, 2) for name, value in found.items()}, indent=2))


if __name__ == "__main__":
    main()
