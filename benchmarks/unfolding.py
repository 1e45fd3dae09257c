"""``python -m benchmarks.unfolding``: iterative Bayes against PyUnfold, and coverage of all methods.

PyUnfold (0.5.0 of 2018; ``pip install PyUnfold``) is compared with in result, covariance of the data and covariance of the
matrix, and both covariances of the data with the derivatives of the iteration, taken numerically. Without it, only the
coverage is measured.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import forefold
from forefold.unfolding import multinomial
from forefold.unfolding.bayes import trajectory
from forefold.unfolding.measurement import checked_measurement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

END = 10.0
FINE = 50
ENTRIES = 1e4
SHAPES = ((2, 2), (12, 12), (12, 24), (20, 20))
ITERATIONS = (1, 2, 4, 10)
METHODS: dict[str, dict[str, Any]] = {
    "inversion": {"method": "inversion"},
    "likelihood": {"method": "likelihood"},
    "bayes, 4": {"method": "bayes", "iterations": 4},
    "bayes, 4, errors of 1995": {"method": "bayes", "iterations": 4, "errors": "dagostini"},
    "bayes, 20": {"method": "bayes", "iterations": 20},
    "bayes, gcv": {"method": "bayes", "iterations": "gcv"},
    "bayes, discrepancy": {"method": "bayes", "iterations": "discrepancy"},
    "tikhonov, 1e-5": {"method": "tikhonov", "strength": 1e-5},
    "tikhonov, gcv": {"method": "tikhonov", "strength": "gcv"},
    "tikhonov, l-curve": {"method": "tikhonov", "strength": "l-curve"},
    "wiener": {"method": "wiener"},
}


def gamma(shape: int, scale: float, edges: Array) -> Array:
    """Give the probabilities of a gamma distribution of whole shape in bins."""
    x = edges / scale
    below = 1.0 - np.exp(-x) * sum(x**k / math.factorial(k) for k in range(shape))
    return np.diff(below)


def smeared(n: int, m: int, width: float = 0.6) -> Array:
    """Give R[true, reco]: normal resolution, 90 % efficiency, uniform within true bins."""
    reco, fine = np.linspace(0.0, END, m + 1), np.linspace(0.0, END, n * FINE + 1)
    middle = 0.5 * (fine[1:] + fine[:-1])
    below = np.vectorize(math.erf)((reco - middle[:, None]) / (width * math.sqrt(2.0)))
    kernel = np.diff(0.5 * (1.0 + below), axis=1)
    return np.asarray(0.9 * kernel.reshape(n, FINE, m).mean(axis=1))


def difference(a: Array, b: Array) -> float:
    """Give the largest difference, relative to the largest element."""
    return float(abs(a - b).max() / abs(b).max())


def numerical_gain(data: Array, matrix: Array, prior: Array, count: int) -> Array:
    """Differentiate the iteration numerically, with the prior fixed."""
    rows = []
    for j, content in enumerate(data):
        step = np.zeros(len(data))
        step[j] = 1e-4 * content
        up, down = (
            trajectory(checked_measurement(data + s * step, matrix, prior=prior), count)[-1].after
            for s in (1.0, -1.0)
        )
        rows.append((up - down) / (2.0 * step[j]))
    return np.array(rows).T


def against_pyunfold(n: int, m: int, count: int, rng: int) -> dict[str, float]:
    """Compare one case with PyUnfold."""
    from pyunfold.mix import Mixer

    matrix = smeared(n, m)
    truth = 1e4 * gamma(4, 1.0, np.linspace(0.0, END, n + 1))
    data = np.maximum(np.random.default_rng(rng).poisson(truth @ matrix), 1).astype(np.float64)
    efficiency = matrix.sum(axis=1)
    mixer = Mixer(
        data=data,
        data_err=np.sqrt(data),
        efficiencies=efficiency,
        efficiencies_err=efficiency / math.sqrt(ENTRIES),
        response=matrix.T,
        response_err=np.zeros_like(matrix.T),
        cov_type="multinomial",
    )
    prior = np.full(n, data.sum() / n)
    values = prior
    for _ in range(count):
        values = mixer.smear(values)
    spread = multinomial(matrix, np.full(n, ENTRIES))
    found = forefold.unfold(
        data, matrix, method="bayes", iterations=count, matrix_variance=spread, prior=prior
    )
    gain = numerical_gain(data, matrix, prior, count)
    numerical = (gain * data) @ gain.T
    return {
        "true": n,
        "reco": m,
        "iterations": count,
        "values": float(abs(found.values / values - 1.0).max()),
        "matrix": difference(found.covariances["matrix"], mixer.cov.getVc1()),
        "data": difference(found.covariances["data"], mixer.cov.getVc0()),
        "numerical": difference(found.covariances["data"], numerical),
        "numerical_pyunfold": difference(mixer.cov.getVc0(), numerical),
    }


def compare(rng: int) -> list[dict[str, float]]:
    """Compare with PyUnfold and print a table."""
    print(
        "Largest differences, forefold against PyUnfold (relative; of covariances, to their largest element)"
    )
    print(f"{'bins':>8} {'iter':>4} {'values':>9} {'V matrix':>9} {'V data':>9}", end="")
    print("   V data against numerical derivatives: forefold, PyUnfold")
    rows = []
    for n, m in SHAPES:
        for count in ITERATIONS:
            row = against_pyunfold(n, m, count, rng)
            rows.append(row)
            print(
                f"{n:>4}x{m:<3} {count:>4} {row['values']:9.1e} {row['matrix']:9.1e} {row['data']:9.1e}   "
                f"{row['numerical']:9.1e} {row['numerical_pyunfold']:9.1e}"
            )
    return rows


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.unfolding")
    options.add_argument("--toys", type=int, default=1000)
    options.add_argument("--rng", type=int, default=1)
    options.add_argument("--json", type=Path, help="write all numbers, in bins")
    options.add_argument("--plot", type=Path, help="draw bias, pulls and coverage, in bins")
    measurement = options.parse_args()
    told: dict[str, Any] = {}
    if importlib.util.find_spec("pyunfold"):
        told["pyunfold"] = compare(measurement.rng)
    edges = np.linspace(0.0, END, 11)
    truth, prior = 1e4 * gamma(4, 1.0, edges), 1e4 * gamma(5, 0.75, edges)
    found = forefold.closure(
        truth, smeared(10, 20), METHODS, toys=measurement.toys, prior=prior, rng=measurement.rng
    )
    print(found)
    print("Coverage in bins, %: of the truth / of the truth with A_C")
    for name, study in found.studies.items():
        both = zip(study.coverage, study.smeared_coverage, strict=True)
        print(f"  {name:<25}", *(f"{100 * a:3.0f}/{100 * b:<3.0f}" for a, b in both))
    told["closure"] = found.to_dict()
    if measurement.json:
        measurement.json.write_text(json.dumps(told, indent=1), encoding="utf-8")
    if measurement.plot:
        found.peek().savefig(measurement.plot, dpi=150)


if __name__ == "__main__":
    main()
