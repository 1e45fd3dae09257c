"""Compiled and interpreted kernels give the same bits.

The compiler may reorder and contract nothing, so a child process without it must agree to the last bit. Coverage
sees the bodies of the kernels there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

import forefold
from forefold.expressions import FUNCTIONS, parse
from forefold.expressions.compile import compile_formula
from forefold.expressions.tables import Table
from forefold.kernels import densities as ft
from forefold.kernels import directions as fdir
from forefold.kernels import distributions as fd
from forefold.kernels import math as fm
from forefold.kernels import special as fs
from forefold.kernels.directions import from_axis
from forefold.kernels.histogram import bin_indices, bins_of, joint_sums, sums

EVENTS = 60
STRANGE_CARD = """
schema = 1
name = "strange"
title = "Every branch of the kernels: no detector"
extends = "nusmear-default"

[[rule]]
name = "muon"
energy = { distribution = "normal", constant = 0.9 }
angle = { sigma_deg = 900.0 }

[[rule]]
name = "proton"
energy = { distribution = "none", constant = 0.0 }
"""


def distributions() -> list[float]:
    """Quantiles, tails and directions where they change branch."""
    uniform = [2.0**-52, 0.01, 0.3, 0.6, 0.99, 1 - 2.0**-52]
    sides = [-np.inf, -40.0, -1.0, 0.0, 1e-20, 2.0, 40.0, np.inf, np.nan]
    values = [fs.normal_between(a, b) for a in sides for b in sides]
    values += [fs.exponential_minus1(x) for x in sides]
    bounds = [(a, b) for a in sides for b in sides if a < b] + [(1.0, 1.0)]
    shapes = [(*bound, 1.5, 3.0) for bound in bounds] + [(1.2, 2.0, 0.5, 30.0)]
    for family in range(-1, len(fd.FAMILIES)):
        forms = shapes[-1:] if family == fd.CRYSTAL_BALL else shapes
        values += [fd.standard_quantile(family, u, *form) for form in forms for u in uniform]
        values += [ft.standard_pdf(family, x, *form) for form in forms for x in sides[:-1]]
        pairs = [(a, b) for a in sides for b in sides]
        values += [ft.standard_between(family, *pair, *form) for form in forms for pair in pairs]
    for u in uniform:
        sigmas = (0.0, 1e-3, 1.0, 1e3, np.inf)
        values += [fdir.space_angle(k, u, sigma) for k in range(4) for sigma in sigmas]
        values += fdir.turned(0.6, 0.0, -0.8, u, 3.0 * u)
        table = np.array([[0.0, 0.5, 0.5, 1.0]])
        values.append(fd.tabulated_quantile(np.array([0.0, 1.0, 2.0, 4.0]), table, 0, u))
    return [*values, *filled(np.array(uniform))]


def filled(u: np.ndarray) -> list[float]:
    """What the loops over flat arrays fill in."""
    one, rows, out = np.ones(u.size), np.arange(u.size) % 2 - 1, np.empty((5, u.size))
    fd.standard_quantiles(fd.EXPONENTIAL, u, one, one, one, one, out[0])
    ft.fill_pdf(fd.NORMAL, u, one, one, one, one, out[1])
    ft.fill_between(fd.NORMAL, u, one, one, one, one, one, out[2])
    ft.fill_log_normal(one, u, u, out[3])
    ft.fill_tabulated(np.array([0.0, 1.0, 2.0]), np.array([[0.0, 0.5, 1.0]]), rows, u, out[4])
    values: list[float] = out.reshape(-1).tolist()
    return values


def elementary() -> np.ndarray:
    """Elementary functions where they change branch."""
    edges = [0.0, 5e-324, 1e-300, 0.3, 1.0, 2.0, 700.0, 710.0, 1e300, np.inf, np.nan]
    edges += [-x for x in edges]
    values = [f(x) for f in (fm.logarithm, fm.exponential) for x in edges]
    values += [fm.logarithm1p(x) for x in (0.0, 1e-20, 0.01, 1e300, np.inf)]
    values += [fm.normal_quantile(u) for u in (2.0**-53, 1e-9, 0.01, 0.4, 0.6, 0.99, 1 - 2.0**-53)]
    sides = (-2.0, -0.1, 0.0, 0.1, 2.0)
    values += [fm.arctangent2(y, x) for x in sides for y in sides]
    for angle in (-4.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0):
        values += fm.sine_cosine(angle)
    for axis in ([0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [0.6, 0.0, 0.8]):
        values += from_axis(0.1, 0.2, 0.3, *axis)
    values += distributions()
    # the sign of a NaN is the processor's business
    found = np.array(values, dtype=np.float64)
    found[np.isnan(found)] = np.nan
    return found


def filling() -> np.ndarray:
    """Bins and sums of every kind of axis."""
    x = np.array([np.nan, -np.inf, -1.0, 0.0, 0.3, 0.5, 1.0, 7.0, 7.5, 40.0, np.inf])
    axes = [bins_of([0.0, 0.5, 1.0], regular=True)]
    axes += [bins_of(e, regular=False) for e in ([0.0, 5e-324], [0.0, 0.3, 7.0, 40.0])]
    axes.append(bins_of(np.geomspace(1e-9, 8.0, 60), regular=False))
    single = [bin_indices([axis], [x]) for axis in axes]
    both = [bin_indices([a, b], [x, x[::-1].copy()]) for a in axes for b in axes]
    weight, out = np.linspace(-1.0, 2.0, x.size), np.zeros((5, 2))
    sums(single[0], weight, out)
    pair, alone = np.zeros((5, 6, 2)), np.zeros((6, 2))
    joint_sums(single[0][::-1].copy(), single[2], weight, pair, alone)
    flat = [np.ravel(each).astype(np.float64) for each in (*single, *both, out, pair, alone)]
    return np.concatenate(flat)


def formulas() -> np.ndarray:
    """Every operation of formulas on every pair of edges."""
    edges = [0.0, 5e-324, 1e-310, 1e-9, 0.3, 0.5, 1.0, 2.0, 2.5, 3.0, 25.0, 705.0, 1e5, 1e25, 1e300]
    edges += [np.inf, -0.0, np.nan] + [-x for x in edges]
    given = np.stack(np.meshgrid(edges, edges, [0.0, 0.4, np.nan])).reshape(3, -1)
    long = np.linspace(0.0, 2.0, 80)
    tables = {
        "bins": Table.from_lists([[0, 1, 2]], [5, 6], outside=-1.0),
        "line": Table.from_lists([long], long**2, "linear", "nan"),
        "grid": Table.from_lists([[0, 1, 2], [0, 3], [0, 1]], np.ones((3, 2, 2)), "linear"),
    }
    texts = ["a + b", "a - b", "a * b", "a / b", "-a", "bins(a)", "line(a)", "grid(a, b, k)"]
    texts += [f"a ** {n}" for n in ("0.5", "2", "3", "4", "-1", "-2", "b")]
    texts += [f"a {sign} b" for sign in ("<", "<=", ">", ">=", "==", "!=")]
    texts += ["a > 0 and b > 0", "a > 0 or b > 0", "not a > 0", "where(a > b, a, k)"]
    binary = {"atan2", "hypot", "min", "max"}
    texts += [f"{f}(a, b)" if f in binary else f"{f}(a)" for f in FUNCTIONS if f != "where"]
    found = []
    for text in texts:
        calls = {name: len(table.axes) for name, table in tables.items()}
        formula = parse(text, {"a": "number", "b": "number", "k": "number"}, calls)
        found.append(compile_formula(formula, ["a", "b", "k"], tables).evaluate(given))
    values = np.concatenate(found)
    values[np.isnan(values)] = np.nan
    return values


def columns(source: Path, strange: Path) -> dict[str, np.ndarray]:
    """Every number of smeared particles, by card, axis and name."""
    events = forefold.read(source)[:EVENTS]
    found = {"elementary": elementary(), "filling": filling(), "formulas": formulas()}
    cards: list[tuple[Any, Any]] = [
        ("nusmear-dune-cdr", "probe"),
        ("nusmear-default", "z"),
        (strange, "probe"),
        (Path(__file__).parent / "data" / "every_key.toml", "probe"),
    ]
    for card, axis in cards:
        particles = ak.flatten(forefold.smear(events, card, rng=7, axis=axis).particles)
        for name in particles.fields:
            values = ak.fill_none(particles[name], np.nan)
            found[f"{Path(card).stem}-{axis}-{name}"] = ak.to_numpy(values)
    return found


# the card is strange on purpose
@pytest.mark.filterwarnings("ignore:.*leave nothing of the direction")
def test_same_bits_without_compiler(gst_file: Path, tmp_path: Path) -> None:
    strange = tmp_path / "strange.toml"
    strange.write_text(STRANGE_CARD, encoding="utf-8")
    out = tmp_path / "interpreted.npz"
    subprocess.run(
        [sys.executable, __file__, gst_file, strange, out],
        check=True,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
    )
    compiled = columns(gst_file, strange)
    with np.load(out) as interpreted:
        assert sorted(interpreted.files) == sorted(compiled)
        for name, values in compiled.items():
            assert interpreted[name].tobytes() == values.tobytes(), name


if __name__ == "__main__":
    # the integers of the random numbers wrap around, in Python with a warning
    warnings.filterwarnings("ignore", "overflow encountered", RuntimeWarning)
    arrays: dict[str, Any] = {**columns(Path(sys.argv[1]), Path(sys.argv[2]))}
    np.savez(sys.argv[3], **arrays)
