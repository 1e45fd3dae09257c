"""``python -m benchmarks --json OUT``: ratios of times, each of one run; absolute times say more of the machine than of the code."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hist
import numpy as np

from benchmarks import fill
from benchmarks.files import files, memory
from benchmarks.kernel import MISSING, formulas, kernel, threads, variations, wholes
from benchmarks.machine import machine
from benchmarks.ratios import arranged
from benchmarks.startup import startup

if TYPE_CHECKING:
    from collections.abc import Callable

Found = dict[str, "float | None"]


def filling(entries: int, repeats: int) -> dict[str, float]:
    """Time the filling of a matrix against numpy and boost-histogram."""
    axes = {
        "fill": hist.axis.Regular(40, 0.0, 8.0, name="x"),
        "fill_variable": hist.axis.Variable(np.geomspace(0.2, 8.0, 41), name="x"),
    }
    found: dict[str, float] = {}
    for name, axis in axes.items():
        rates = fill.one(axis, entries, repeats)
        found[f"{name}_over_numpy_histogram2d"] = 1.0 / rates["over_numpy_histogram2d"]
        found[f"{name}_over_boost_histogram"] = 1.0 / rates["over_boost_histogram_same_content"]
        found[f"{name}_entries_per_s"] = rates["entries_per_s"]
    return found


def measured(particles: int, repeats: int) -> tuple[dict[str, Any], dict[str, float]]:
    """Measure all; what was found, and how long each part took, seconds."""
    parts: dict[str, Callable[[], Any]] = {
        "kernel": lambda: kernel(particles, 2 * repeats),
        "formulas": lambda: formulas(particles, repeats),
        "threads": lambda: threads(min(particles, 100_000), 20 * repeats),
        "wholes": lambda: wholes(min(particles, 50_000), repeats),
        "filling": lambda: filling(1_000_000, repeats),
        "variations": lambda: variations(repeats),
        "files": lambda: files(60_000, max(2, repeats // 3)),
        "memory": lambda: memory(90_000),
        "start-up": lambda: startup(max(2, repeats // 3)),
    }
    found: dict[str, Any] = {}
    seconds = {}
    for name, part in parts.items():
        start = time.perf_counter()
        found |= part()
        seconds[name] = round(time.perf_counter() - start, 1)
        sys.stderr.write(f"{name}: {seconds[name]} s\n")
    return found, seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", metavar="OUT", type=Path, help="write the ratios there too")
    parser.add_argument("--particles", type=int, default=300_000)
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    about = machine()
    found, seconds = measured(options.particles, options.repeats)
    missing = found["kernel_over_correctionlib"] is None
    result = arranged(found, {"kernel_over_correctionlib": MISSING} if missing else {})
    about["load_after"] = machine()["load"]
    settings = {"particles": options.particles, "repeats": options.repeats, "seconds": seconds}
    text = json.dumps(result | {"about": about | settings}, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
