"""From the command to its end: import, help, the first smear of a machine that has compiled nothing, and later ones."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import awkward as ak
import numpy as np

import forefold
from benchmarks.clock import wall_and_work
from benchmarks.files import CARD
from benchmarks.samples import PACKAGED, repeated

__all__ = ["startup"]

PARTICLES = 100_000
COMPILED = 400_000
"""So many particles that all is compiled and stored."""


_LIGHT = (["-c", "pass"], ["-c", "import forefold"], ["-m", "forefold", "--help"])
_NAMES = ("import", "help", "first_smear", "later_smear", "compiled_smear")


def _children() -> float:
    """Processor time of child processes that have ended, seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(arguments: list[str], cache: Path | None = None, *, compiled: bool = False) -> None:
    """Run the interpreter to its end; it may keep byte code, as an installation has it."""
    place = dict(os.environ)
    place.pop("PYTHONDONTWRITEBYTECODE", None)
    place.pop("FOREFOLD_COMPILE_FROM", None)
    if cache is not None:
        place["NUMBA_CACHE_DIR"] = str(cache)
    if compiled:
        place["FOREFOLD_COMPILE_FROM"] = "0"
    subprocess.run([sys.executable, *arguments], check=True, env=place, capture_output=True)


def _smear(path: Path, entries: int) -> list[str]:
    options = ["--card", CARD, "--rng", "1", "--entries", f"0:{entries}", "--quiet", "--overwrite"]
    return ["-m", "forefold", "smear", str(path), *options, "-o", str(path.with_suffix(".parquet"))]


def _entries(particles: int) -> int:
    """Events of the repeated sample that hold so many particles."""
    ends = np.cumsum(ak.num(forefold.read(forefold.sample()).particles).to_numpy())
    times, rest = divmod(particles, int(ends[-1]))
    return times * PACKAGED + int(np.searchsorted(ends, rest)) + 1


def startup(repeats: int) -> dict[str, float]:
    """Time child processes against an interpreter that does nothing.

    Parameters
    ----------
    repeats : int
        Of all but first smears, which are repeated three times at most, each with an empty cache.

    Returns
    -------
    dict of str to float
        Ratios of processor time, and seconds from the start of the process to its end.
    """
    with tempfile.TemporaryDirectory() as folder:
        path, full = Path(folder, "events.gst.root"), Path(folder, "full")
        repeated(path, -(-_entries(COMPILED) // PACKAGED))
        smear, firsts = _smear(path, _entries(PARTICLES)), min(repeats, 3)
        empty = iter([Path(folder, f"cache-{i}") for i in range(firsts)])
        _run(smear, Path(folder, "unused"))  # for the byte code
        first = wall_and_work([lambda: _run(smear, next(empty))], firsts, _children)
        _run(_smear(path, _entries(COMPILED)), full, compiled=True)
        light = wall_and_work([partial(_run, given) for given in _LIGHT], 3 * repeats, _children)
        later = wall_and_work(
            [
                lambda: _run(smear, Path(folder, "cache-0")),
                lambda: _run(smear, full, compiled=True),
            ],
            firsts,
            _children,
        )
    wall, work = (light[k] + first[k] + later[k] for k in (0, 1))
    found = {
        f"{name}_over_python": value / work[0] for name, value in zip(_NAMES, work[1:], strict=True)
    }
    found |= {f"{name}_s": value for name, value in zip(_NAMES, wall[1:], strict=True)}
    found |= {f"{name}_cpu_s": value for name, value in zip(_NAMES, work[1:], strict=True)}
    return found | {"python_s": wall[0], "import_ms": 1e3 * (work[1] - work[0])}
