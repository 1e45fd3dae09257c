"""``python -m benchmarks.unfolding_generators DATA MODEL``: unfold events of one generator with a matrix of another.

Quasielastic charged-current events only (NuHepMC process 200 to 249) below 2 GeV, in visible energy. What was true is known, so what the diagnostics
say can be held against what is wrong: the prior of the other generator, and its matrix.
"""

from __future__ import annotations

import argparse
import math
from typing import Any

import numpy as np

import forefold
from forefold.matrix import compatibility

AXIS = "visible_energy=0:2:5"
RECO = "visible_energy=0:2:10"
CARD = "nusmear-dune-cdr"
METHODS: dict[str, dict[str, Any]] = {
    "bayes, 1": {"method": "bayes", "iterations": 1},
    "bayes, 4": {"method": "bayes", "iterations": 4},
    "bayes, gcv": {"method": "bayes", "iterations": "gcv"},
    "tikhonov, gcv": {"method": "tikhonov", "strength": "gcv"},
    "wiener": {"method": "wiener"},
    "likelihood": {"method": "likelihood"},
}


def response(name: str, rng: int) -> forefold.ResponseMatrix:
    """Smear a file's quasielastic events and fill their matrix."""
    events = forefold.read(name, where="cc and process_id >= 200 and process_id < 250 and enu < 2")
    return forefold.ResponseMatrix.from_events(events, CARD, true=AXIS, reco=RECO, rng=rng)


def report(data: Any, made: forefold.ResponseMatrix, truth: Any, told: dict[str, Any]) -> None:
    """Unfold and print what the result says of itself, and how far it is from the truth."""
    found = forefold.unfold(data, made, **told)
    true = np.asarray(truth.values())
    known = found.errors > 0.0
    bare = np.square((found.values - true)[known] / found.errors[known]).mean()
    smeared = np.square((found.values - found.smear(true))[known] / found.errors[known]).mean()
    print(
        f"    {told['method']:<11} {found.strength:10.3g}  chi2/ndf {found.chi2:6.1f}/{found.ndf:4.1f}  prior shift "
        f"{found.prior_shift:5.2f}  rms pull: truth {math.sqrt(bare):5.2f}, A_C truth {math.sqrt(smeared):5.2f}"
    )
    for text in found.warnings:
        print(f"        warning: {text}")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.unfolding_generators")
    options.add_argument("data", help="events that stand for data")
    options.add_argument("model", help="events that the matrix is made with")
    given = options.parse_args()
    own, other = response(given.data, 1), response(given.model, 2)
    print(own, other, compatibility(own, other), sep="\n")
    for name, made in (("its own matrix and truth", own), ("the other's matrix and truth", other)):
        print(f"unfolded with {name}")
        for told in METHODS.values():
            report(own.reco, made, own.truth, told)
    wrong = np.asarray(other.truth.values())[::-1] + 1.0
    print("unfolded with the other's matrix, and its truth turned round as the prior")
    for told in METHODS.values():
        if told["method"] != "likelihood":
            report(
                own.reco,
                other,
                own.truth,
                {**told, "prior": wrong * own.truth.values().sum() / wrong.sum()},
            )


if __name__ == "__main__":
    main()
