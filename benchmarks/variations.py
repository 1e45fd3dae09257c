"""``python -m benchmarks.variations FILE``: how much noise common random numbers save, and what variations cost.

For every variation of the card and every bin of visible energy: the scatter, over repetitions with other random
numbers, of the ratio of the varied to the nominal spectrum; once with common random numbers, once with independent ones.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np

import forefold
from forefold.smearing.variations import VariedCard

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

EDGES = np.linspace(0.0, 8.0, 17)


def spectra(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count in bins of visible energy, a row each."""
    return np.array([np.histogram(row, EDGES)[0] for row in rows], dtype=np.float64)


def best(run: Callable[[], object], repeat: int = 5) -> float:
    """Shortest of several times, in seconds."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.variations")
    options.add_argument("file", nargs="?", default=str(forefold.sample()))
    options.add_argument("--card", default="dune-fd-uncertainties")
    options.add_argument(
        "--repeat", type=int, default=24, help="repetitions with other random numbers"
    )
    given = options.parse_args()
    events = forefold.read(given.file)
    ready = VariedCard(given.card)
    names = list(ready.variations)
    varied = ready.smear(events, rng=0)
    varied[names[0]]

    nominal = best(lambda: forefold.smear(events, given.card, rng=1))
    whole = best(lambda: ready.smear(events, rng=1))
    one = best(lambda: varied[names[0]])
    print(f"{given.file}: {len(events):,} events, {len(names)} variations of {given.card}")
    print(
        f"nominal alone {nominal:.3f} s; with all visible energies {whole:.3f} s: {whole / nominal:.2f} times"
    )
    print(f"all events of one variation {one:.3f} s: {one / nominal:.2f} of nominal")

    found = [
        spectra(ready.smear(events, rng=rng).visible_energy_reco) for rng in range(given.repeat)
    ]
    counts = np.array(found)  # repetition, variation, bin
    filled = counts[:, 0].min(axis=0) >= 30
    with np.errstate(divide="ignore", invalid="ignore"):
        common = np.std(counts[:, 1:] / counts[:, :1], axis=0, ddof=1)
        apart = np.std(counts[1:, 1:] / counts[:-1, :1], axis=0, ddof=1)
        mean = np.mean(counts[:, 1:] / counts[:, :1], axis=0)
        falls = np.where(common > 0, apart / common, np.inf)
    print(
        f"\nnoise of the ratio to nominal, bin by bin over {given.repeat} repetitions: {filled.sum()} bins with 30 events"
    )
    print(
        f"{'variation':<34} {'ratio':>15} {'common':>8} {'apart':>8} {'falls by':>9}  lowest..highest bin"
    )
    for i, name in enumerate(names):
        r, c, a, f = (x[i, filled] for x in (mean, common, apart, falls))
        print(
            f"{name:<34} {r.min():7.3f}-{r.max():<7.3f} {np.median(c):8.4f} {np.median(a):8.4f} "
            f"{np.median(f):9.1f}  {f.min():.1f}..{f.max():.1f}"
        )
    print(f"all: median {np.median(falls[:, filled]):.1f}, lowest {falls[:, filled].min():.1f}")


if __name__ == "__main__":
    main()
