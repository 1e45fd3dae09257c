"""``python -m benchmarks.gpu``: a preset card on a graphics card, against the device's own copy and the CPU's bits.

Prints: whether the bits are those of the CPU (SHA-256 of every column), particles a second, and bytes a second
against a copy of the same bytes on the device.  Without a graphics card it says so and ends.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.particles import beam
from forefold.detector.compile import species_table
from forefold.kernels.gpu import count_on_device, draw_on_gpu, smear_on_device, to_device
from forefold.kernels.launch import draw_directly

_EDGES = np.linspace(0.0, 10.0, 101)


def digest(columns: Any) -> str:
    """Hash of columns; the sign of a NaN is the processor's business."""
    found = hashlib.sha256()
    for column in columns:
        same = np.where(np.isnan(column), np.nan, column) if column.dtype == np.float64 else column
        found.update(same.tobytes())
    return found.hexdigest()


def fastest(function: Any, cuda: Any, repeats: int) -> float:
    """Shortest time, seconds, until the device has done it."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times)


def _name(device: Any) -> str:
    """Name of a device: bytes or text, as numba-cuda's releases have it; the simulator has none."""
    name = getattr(device, "name", "simulator")
    return name.decode() if isinstance(name, bytes) else str(name)


def measured(n: int, repeats: int) -> dict[str, Any]:
    """Bits and speed of `n` particles."""
    from forefold.kernels.cuda import ready
    from forefold.kernels.layout import empty_kinematics, empty_smeared
    from forefold.kernels.simple_rules import unassigned

    cuda = ready()
    given, pdgid, made = beam(n)
    rules, table = made.simple_rules, species_table(made.card, pdgid)
    assert rules is not None
    here = draw_directly(given, table, rules)
    columns, out = np.empty((9, n)), empty_smeared(empty_kinematics(n))
    draw_on_gpu(given, table, rules, unassigned(), np.uint64(0), columns, out)
    particles = to_device(given, table)
    smeared, there = smear_on_device(particles, rules)
    counts = count_on_device(particles, smeared, _EDGES, _EDGES)
    seen = (here.fate & 1) != 0
    known = np.histogram2d(given.energy[seen], here.energy_reco[seen], (_EDGES, _EDGES))[0]
    draw = fastest(lambda: smear_on_device(particles, rules), cuda, repeats)
    fill = fastest(lambda: count_on_device(particles, smeared, _EDGES, _EDGES), cuda, repeats)
    # 7 words in, 9 words and 5 bytes out, a fate read
    size = n * (8 * 8 + 9 * 8 + 7)
    other = cuda.device_array(size // 16)
    source = cuda.to_device(np.zeros(size // 16))
    copy = fastest(lambda: other.copy_to_device(source), cuda, repeats)
    del there
    return {
        "device": _name(cuda.get_current_device()),
        "particles": n,
        "sha256_cpu": digest(here),
        "sha256_gpu": digest((*columns, *out[9:])),
        "histogram_equal": bool((known == counts).all()),
        "particles_per_s": n / draw,
        "gb_per_s": size / draw / 1e9,
        "copy_gb_per_s": size / copy / 1e9,
        "kernel_over_copy": draw / copy,
        "histogram_particles_per_s": n / fill,
    }


def main() -> None:
    """Measure, or say that there is nothing to measure on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--particles", type=float, default=1e7)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    try:
        found = measured(int(options.particles), options.repeats)
    except OSError as error:
        print(f"not run: no GPU ({error})")
        return
    found["bits_equal"] = found["sha256_cpu"] == found["sha256_gpu"]
    for name, value in found.items():
        print(f"{name:26} {value}")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
