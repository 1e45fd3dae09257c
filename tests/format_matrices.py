"""Matrices for every format: weighted, with misses, fakes and flow; exact; of several axes."""

from __future__ import annotations

import numpy as np

from forefold import ResponseMatrix

EDGES = [0.5, 1.0, 1.5, 2.0, 3.0, 5.0]
RECO = [0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
NAMES = {
    "globes": "dune.dat",
    "snowglobes": "smear_nue_Ar40_ar40kt.dat",
    "root": "matrix.root",
    "roounfold": "unfold.root",
    "tunfold": "tunfold.root",
    "remu": "matrix.npz",
    "ogip": "dune.rmf",
    "correctionlib": "corrections.json",
    "hepdata": "submission",
    "uhi": "histogram.json",
    "pyhf": "workspace.json",
}
AXES = {"snowglobes": {"true": "enu=0.5:4.5:8", "reco": "energy=0.5:5:9"}}


def filled(*, even: bool = False, n: int = 3000) -> ResponseMatrix:
    """Weighted events; every fifth is missed, every twentieth has no truth."""
    rng = np.random.default_rng(1)
    true = rng.gamma(3.0, 0.7, n) + 0.3
    reco = true * rng.normal(1.0, 0.15, n)
    reco[rng.random(n) < 0.2] = np.nan
    true[rng.random(n) < 0.05] = np.nan
    weight = rng.uniform(0.5, 1.5, n)
    axes = (
        ("enu=0.5:4.5:8", "energy=0.5:5:9") if even else ({"enu": EDGES}, {"visible_energy": RECO})
    )
    return ResponseMatrix.from_columns(
        true, reco, true_axes=axes[0], reco_axes=axes[1], weight=weight
    )


def exact(*, even: bool = False) -> ResponseMatrix:
    """Without statistics, from the rows of `filled`."""
    of = filled(even=even)
    names = {"true": of.true_axes[0], "reco": of.reco_axes[0]}
    rows = of.matrix
    total = np.asarray(of.truth.values())
    return ResponseMatrix.from_array(rows, names["true"], names["reco"], truth=total)


def flat_two() -> ResponseMatrix:
    """Two true and two reconstructed axes, with numbers that are all different."""
    rows = np.arange(1.0, 37.0).reshape(6, 6) / 300.0
    true = {"q2": [0.0, 1.0, 4.0], "w": [0.0, 1.0, 2.0, 3.0]}
    return ResponseMatrix.from_array(rows, true, {"q2": [0.0, 2.0, 4.0], "w": [0.0, 0.5, 2.0, 3.0]})
