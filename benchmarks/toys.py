"""``python -m benchmarks.toys``: limits, intervals and coverage by toys against plain numpy that does the same, all toys at once.

The plain version knows one signal and one background with or without a normal uncertainty of its size, and nothing else: no limits but 0, no
matrix, no other likelihood. Both fit each toy twice at each value, with the parameter held and free, and look for a limit in the same way.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

import forefold
from benchmarks.clock import best
from benchmarks.machine import machine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CASES = {
    "1 bin": (1, None),
    "1 bin, nuisance": (1, 0.1),
    "20 bins": (20, None),
    "20 bins, nuisance": (20, 0.1),
}
POINTS = np.array([0.6, 1.0, 1.4])
LEVEL = 0.95


@dataclass(frozen=True)
class Search:
    """A signal that falls and a background that falls more slowly, in bins; `sigma` is the relative uncertainty of the background."""

    signal: Array
    background: Array
    sigma: float | None

    @classmethod
    def of(cls, bins: int, sigma: float | None) -> Search:
        """Share 10 events of signal and 12 of background out among bins."""
        x = (np.arange(bins) + 0.5) / bins
        signal, background = np.exp(-0.5 * np.square((x - 0.5) / 0.15)), np.exp(-x)
        return cls(10.0 * signal / signal.sum(), 12.0 * background / background.sum(), sigma)

    @property
    def data(self) -> Array:
        """Whole numbers near the background."""
        return np.round(self.background)

    @property
    def experiment(self) -> forefold.Experiment:
        """The same for forefold."""
        known = (
            {}
            if self.sigma is None
            else {"b": forefold.Parameter(1.0, 0.0, 10.0, (1.0, self.sigma))}
        )
        return forefold.Experiment(
            {"s": self.signal},
            np.eye(len(self.signal)),
            background={"b": self.background},
            parameters=known,
        )

    def fit(self, counts: Array, measured: Array, held: float | None) -> tuple[Array, Array, Array]:
        """Give the strength of the signal, the scale of the background, and half the deviance, of all toys: Fisher scoring."""
        s, b = self.signal, self.background
        mu, scale = np.full(len(counts), 0.5 if held is None else held), np.ones(len(counts))
        weight = 0.0 if self.sigma is None else self.sigma**-2
        for _ in range(100):
            mean = mu[:, None] * s + scale[:, None] * b
            pull, inverse = 1.0 - counts / mean, 1.0 / mean
            slope, turn = pull @ s, pull @ b + weight * (scale - measured)
            a, c, d = inverse @ (s * s), inverse @ (s * b), inverse @ (b * b) + weight
            free = np.full(len(counts), held is None) & ~((mu <= 0.0) & (slope > 0.0))
            if self.sigma is None:
                new, moved = np.where(free, np.maximum(mu - slope / a, 0.0), mu), scale
            else:
                both = (a * d - c * c) * np.where(free, 1.0, np.inf)
                new = np.maximum(mu - (d * slope - c * turn) / both, 0.0)
                moved = np.maximum(scale - (turn + c * (new - mu)) / d, 1e-3)
            change = max(abs(new - mu).max(), abs(moved - scale).max())
            mu, scale = new, moved
            if change < 1e-5 or (held is not None and self.sigma is None):
                break
        mean = mu[:, None] * s + scale[:, None] * b
        value = (mean - special.xlogy(counts, mean)).sum(axis=1)
        return mu, scale, value + 0.5 * weight * np.square(scale - measured)

    def throw(self, mu: float, scale: float, toys: int, seed: int) -> tuple[Array, Array]:
        """Throw counts, and measurements of the background."""
        rng = np.random.default_rng(seed)
        counts = rng.poisson(mu * self.signal + scale * self.background, (toys, len(self.signal)))
        measured = np.ones(toys)
        if self.sigma is not None:
            measured = scale + self.sigma * rng.standard_normal(toys)
        return counts.astype(float), measured

    def ratio(self, counts: Array, measured: Array, mu: float, *, one_sided: bool) -> Array:
        """Give twice the logarithm of the likelihood ratio."""
        strength, _, free = self.fit(counts, measured, None)
        ratio = 2.0 * (self.fit(counts, measured, mu)[2] - free)
        return np.where(strength > mu, 0.0, ratio) if one_sided else ratio

    def cls(self, mu: float, toys: int) -> float:
        """Give CLs of a strength."""
        seen, one = self.data[None], np.ones(1)
        wanted = self.ratio(seen, one, mu, one_sided=True)[0] - 1e-6
        shares = []
        for strength, seed in ((mu, 1), (0.0, 2)):
            scale = float(self.fit(seen, one, strength)[1][0])
            thrown = self.throw(strength, scale, toys, seed)
            shares.append((self.ratio(*thrown, mu, one_sided=True) >= wanted).mean())
        return float(shares[0] / max(shares[1], 1.0 / toys))

    def limit(self, toys: int) -> float:
        """Find where CLs falls below 0.05: two ends, and eight halves of what is between."""
        low = high = 0.75
        while self.cls(high, toys) > 1.0 - LEVEL:
            low, high = high, high + 0.25
        while self.cls(low, toys) <= 1.0 - LEVEL:
            low, high = low - 0.25, low
        for _ in range(8):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.cls(middle, toys) > 1.0 - LEVEL else (low, middle)
        return 0.5 * (low + high)

    def p_values(self, toys: int) -> list[float]:
        """Give the p-values of strengths by the ordering of Feldman and Cousins."""
        seen, one = self.data[None], np.ones(1)
        found = []
        for k, mu in enumerate(POINTS):
            wanted = self.ratio(seen, one, mu, one_sided=False)[0] - 1e-6
            scale = float(self.fit(seen, one, mu)[1][0])
            thrown = self.throw(mu, scale, toys, k)
            found.append(float((self.ratio(*thrown, mu, one_sided=False) >= wanted).mean()))
        return found

    def coverage(self, toys: int) -> float:
        """Give how often the profile interval of 68 % holds the truth."""
        thrown = self.throw(1.0, 1.0, toys, 3)
        return float((self.ratio(*thrown, 1.0, one_sided=False) <= 1.0).mean())


def measured(search: Search, toys: int, repeats: int) -> list[dict[str, Any]]:
    """Time each task, forefold and plain numpy in turn, and give both answers."""
    experiment, data = search.experiment, search.data
    settings: dict[str, Any] = {"toys": toys, "rng": 1}
    sigma = math.erf(math.sqrt(0.5))
    tasks: dict[str, tuple[Any, Any]] = {
        "limit (CLs)": (
            lambda: float(experiment.upper_limit(data, "s", **settings)),
            lambda: search.limit(toys),
        ),
        "Feldman-Cousins, 3 points": (
            lambda: list(
                experiment.interval(
                    data, "s", level=0.95, method="feldman-cousins", points=POINTS, **settings
                ).p_values
            ),
            lambda: search.p_values(toys),
        ),
        "coverage": (
            lambda: experiment.coverage("s", level=sigma, **settings).fraction,
            lambda: search.coverage(toys),
        ),
    }
    rows = []
    for name, (ours, plain) in tasks.items():
        answers = [ours(), plain()]  # and what is loaded and compiled at first is not in the clocks
        seconds = best([ours, plain], repeats, time.process_time)
        rows.append(
            {"task": name, "answers": answers, "seconds": seconds, "ratio": seconds[0] / seconds[1]}
        )
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.toys", description=__doc__)
    parser.add_argument("--toys", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write all numbers")
    options = parser.parse_args()
    told: dict[str, Any] = {"about": machine(), "toys": options.toys}
    print(
        f"{options.toys} toys; seconds of the processor, forefold over plain numpy, and both answers"
    )
    for name, (bins, sigma) in CASES.items():
        told[name] = measured(Search.of(bins, sigma), options.toys, options.repeats)
        for row in told[name]:
            ours, plain = row["seconds"]
            answers = "  ".join(np.array2string(np.asarray(a), precision=4) for a in row["answers"])
            print(
                f"{name:<18} {row['task']:<26} {ours:7.3f} {plain:7.3f}  {row['ratio']:5.2f}  {answers}"
            )
    if options.json:
        options.json.write_text(json.dumps(told, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
