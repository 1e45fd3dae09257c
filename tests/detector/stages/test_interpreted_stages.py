"""Compiled and interpreted kernels give the same bits in ranges and stages (see `tests/test_interpreted.py`)."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
from beams import beam

from forefold.detector.materials.ranges import csda_range, kinetic_energy_of_range
from forefold.detector.stages.registry import STAGES, apply_all
from forefold.detector.stages.showers import conversion_probability

NEEDED = {
    "shower-merging": {"angle_deg": 20.0},
    "photon-conversion": {"gap": 5.0, "mistaken": 0.5},
    "michel-tag": {"efficiency": 0.9},
}


def columns() -> dict[str, np.ndarray]:
    """Every number that the kernels decide."""
    stages = [stage(**NEEDED.get(name, {})) for name, stage in STAGES.items()]
    kinds = np.array([111, 211, 13, 22] * 50)
    after = apply_all(beam(kinds, 0.9, 0.135, 200, per_event=4), stages, 2)
    found = {f"stages-{name}": column for name, column in after._asdict().items()}
    points = np.array([-1.0, 0.0, 1e-9, 0.01, 0.3, 4.0, 1e4, np.inf])
    found |= {f"range-{pdg}": csda_range(points, pdg) for pdg in (13, 211, 321, 2212)}
    found["inverse"] = kinetic_energy_of_range(points, 13)
    found["conversion"] = conversion_probability(points)
    found["no-number"] = np.isnan(csda_range(np.nan, 13))
    return found


def test_same_bits_without_compiler(tmp_path: Path) -> None:
    out = tmp_path / "interpreted.npz"
    paths = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    subprocess.run(
        [sys.executable, __file__, out],
        check=True,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": paths},
    )
    compiled = columns()
    with np.load(out) as interpreted:
        assert sorted(interpreted.files) == sorted(compiled)
        for name, values in compiled.items():
            assert interpreted[name].tobytes() == values.tobytes(), name


if __name__ == "__main__":
    # the integers of the random numbers wrap around, in Python with a warning
    warnings.filterwarnings("ignore", "overflow encountered", RuntimeWarning)
    np.savez(sys.argv[1], allow_pickle=False, **columns())
