"""``python -m benchmarks.convergence``: matrices of events against the exact one of the same card.

Muons from a gun, flat in kinetic energy, are smeared and filled; the exact matrix of the card's closed forms is compared
with it, row by row (chi2 of the cells with 5 expected entries or more and of the missed ones), for more and more events.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

import forefold
from forefold import ResponseMatrix
from forefold.events.particles import mass
from forefold.matrix import compatibility

if TYPE_CHECKING:
    from collections.abc import Iterator

CARD, PARTICLE, PDGID = "nusmear-dune-cdr", "mu-", 13
AXIS = "kinetic_energy=0:4:20"
LOW, HIGH = 0.0, 4.5  # beyond the axes, so that there are fakes too
CHUNK = 500_000


def gun(n: int, first: int) -> ak.Array:
    """Shoot muons along z, one an event, flat in kinetic energy."""
    kinetic = np.random.default_rng([7, first]).uniform(LOW, HIGH, n)
    m = mass(PDGID)
    whole = np.full(n, PDGID)
    pz = np.sqrt(kinetic * (kinetic + 2.0 * m))
    events = forefold.events.build(
        counts=np.ones(n, np.int64),
        pdgid=whole,
        px=0.0 * pz,
        py=0.0 * pz,
        pz=pz,
        energy=kinetic + m,
    )
    return ak.with_field(events, events.entry + np.uint64(first), "entry")


def pieces(start: int, stop: int) -> Iterator[ak.Array]:
    """Shoot in pieces."""
    for first in range(start, stop, CHUNK):
        yield gun(min(CHUNK, stop - first), first)


def compared(sizes: list[int]) -> list[dict[str, Any]]:
    """Compare after so many events; each matrix holds the one before."""
    response = forefold.card_response(CARD, PARTICLE)
    exact = ResponseMatrix.from_response(response, AXIS)
    found: list[dict[str, Any]] = []
    filled, done = None, 0
    for size in sizes:
        part = ResponseMatrix.from_events(
            pieces(done, size), CARD, true=AXIS, of=PARTICLE, rng=1, axis="z"
        )
        filled, done = part if filled is None else filled + part, size
        test = compatibility(filled, exact)
        difference = filled.matrix - exact.matrix
        used = exact.matrix > 1e-4
        found.append(
            {
                "events": size,
                "chi2": round(test.total, 1),
                "ndf": int(test.ndf.sum()),
                "p": round(test.p_value, 4),
                "least_row_p": round(float(np.nanmin(test.row_p_values)), 4),
                "rms_difference": float(np.sqrt(np.mean(np.square(difference[used])))),
                "largest_difference": float(np.abs(difference).max()),
            }
        )
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convergence")
    parser.add_argument("--most", type=int, default=10_000_000)
    options = parser.parse_args()
    sizes = [n for n in (10**4, 10**5, 10**6, 10**7, 10**8) if n <= options.most]
    rows = compared(sizes)
    for row in rows:
        print(json.dumps(row))
    steps = np.polyfit(
        np.log([row["events"] for row in rows]), np.log([row["rms_difference"] for row in rows]), 1
    )
    print(f"rms difference falls as events^{steps[0]:.3f}")


if __name__ == "__main__":
    main()
