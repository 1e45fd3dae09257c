"""``python -m benchmarks.files --events 1000000 --json OUT``: file to file against uproot's reading alone, and where the time goes.

With ``--json`` the numbers are put into what ``python -m benchmarks --json OUT`` wrote, under ``"large"``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import uproot

import forefold
from benchmarks.clock import wall_and_work
from benchmarks.machine import machine
from benchmarks.samples import BRANCHES, PACKAGED, repeated
from forefold.io.write import open_writer
from forefold.workflows import stream as batch
from forefold.workflows.job import Recipe
from forefold.workflows.stream import CHUNK, smear_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["files", "large", "memory"]

CARD = "nusmear-dune-cdr"
_WARM = 21
STAGES = ("reading", "smearing", "writing")


def _uproot(path: Path) -> int:
    """Read the branches that are used, in pieces of the size that smearing takes."""
    with uproot.open(path) as file:
        return sum(len(piece) for piece in file["gst"].iterate(BRANCHES, step_size=CHUNK))


def _record(path: Path) -> int:
    """Read the event records, as forefold does."""
    return sum(len(piece) for piece in forefold.iterate(path, chunk=CHUNK))


def _smear(path: Path, out: Path) -> None:
    smear_files(path, CARD, out, rng=1, overwrite=True)


class _Stages:
    """Adds up how long each stage took."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def clock(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - start

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Make a function that is timed."""

        def call(*given: Any, **more: Any) -> Any:
            with self.clock(stage):
                return function(*given, **more)

        return call

    def pieces(self, make: Callable[..., Any]) -> Callable[..., Any]:
        """Make a generator whose pieces are timed."""

        def generate(*given: Any, **more: Any) -> Iterator[Any]:
            with self.clock("reading"):
                source = iter(make(*given, **more))
            while True:
                with self.clock("reading"):
                    piece = next(source, None)
                if piece is None:
                    return
                yield piece

        return generate

    def writer(self, make: Callable[..., Any]) -> Callable[..., Any]:
        """Make a context manager whose opening, writing and closing are timed."""

        @contextmanager
        def opened(*given: Any, **more: Any) -> Iterator[Any]:
            context = make(*given, **more)
            with self.clock("writing"):
                inner = context.__enter__()
            yield mock.Mock(wraps=inner, write=self.timed("writing", inner.write))
            with self.clock("writing"):
                context.__exit__(None, None, None)

        return opened


def _stages(path: Path, out: Path) -> dict[str, float]:
    """Smear once, with a clock around each stage; seconds, with the whole as ``total``."""
    stages = _Stages()
    with (
        mock.patch.object(batch, "read_for", stages.pieces(batch.read_for)),
        mock.patch.object(Recipe, "smear", stages.timed("smearing", Recipe.smear)),
        mock.patch.object(batch, "open_writer", stages.writer(open_writer)),
        stages.clock("total"),
    ):
        _smear(path, out)
    return dict(stages.seconds)


def _shares(runs: list[dict[str, float]]) -> dict[str, float]:
    """Shares of the fastest run."""
    fastest = min(runs, key=lambda run: run["total"])
    found = {f"share_{stage}": fastest[stage] / fastest["total"] for stage in STAGES}
    return found | {"share_other": 1.0 - sum(found.values())}


def files(events: int, repeats: int, *, warm: bool = True) -> dict[str, float]:
    """Time file to file against uproot reading the same branches alone.

    Parameters
    ----------
    events : int
        Of the file, which repeats the packaged events; rounded to a multiple of 3000.
    repeats : int
    warm : bool
        Compile before the clock runs, and smear some.

    Returns
    -------
    dict of str to float
        Ratios, events a second and shares of the time.
    """
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, "events.gst.root"), Path(folder, "smeared.parquet")
        times = max(1, round(events / PACKAGED))
        if warm:
            os.environ["FOREFOLD_COMPILE_FROM"] = "0"
            repeated(path, min(times, _WARM))
            _smear(path, out)
        count, _ = repeated(path, times)
        runs: list[dict[str, float]] = []
        wall, work = wall_and_work(
            [
                lambda: _smear(path, out),
                lambda: _uproot(path),
                lambda: _record(path),
                lambda: runs.append(_stages(path, out)),
            ],
            repeats,
            time.process_time,
        )
    own, reading, record, _ = wall
    return {
        "file_over_read": own / reading,
        "file_work_over_read": work[0] / work[1],
        "records_over_read": record / reading,
        "file_events": float(count),
        "file_events_per_s": count / own,
        "read_events_per_s": count / reading,
        **_shares(runs),
    }


_CHILD = """
import resource, sys, threading
from pathlib import Path
from forefold.workflows.stream import smear_files

def own():
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1e3

def watch():
    while not done.wait(0.01):
        peaks.append(own())

done, peaks = threading.Event(), []
if Path("/proc/self/status").exists():
    threading.Thread(target=watch, daemon=True).start()
smear_files(sys.argv[1], sys.argv[2], sys.argv[3], rng=1, overwrite=True)
done.set()
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
print(max(peaks, default=used))
"""


def _peak(path: Path, out: Path) -> float:
    """Smear a file in a child process and ask for its peak memory, MB.

    Linux counts pages of the input, which are mapped, into ``ru_maxrss``, and what the parent had before the child's own program
    began. So the process's own pages are looked up a hundred times a second where there is a /proc.
    """
    given = [sys.executable, "-c", _CHILD, str(path), CARD, str(out)]
    done = subprocess.run(given, check=True, capture_output=True, text=True)
    return float(done.stdout)


def memory(events: int) -> dict[str, float]:
    """Find the peak memory of smearing a file and one of four times its size, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, "events.gst.root"), Path(folder, "smeared.parquet")
        peaks = []
        for times in (1, 4):
            repeated(path, times * max(1, round(events / PACKAGED)))
            peaks.append(_peak(path, out))
    return {"memory_4_times_over_1": peaks[1] / peaks[0], "memory_peak_mb": peaks[1]}


def large(events: int, repeats: int) -> dict[str, Any]:
    """Measure a large file, with its peak memory and the machine."""
    before = machine()
    found: dict[str, Any] = files(events, repeats)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "events.gst.root")
        repeated(path, max(1, round(events / PACKAGED)))
        found["memory_peak_mb"] = _peak(path, Path(folder, "smeared.parquet"))
    return {name: round(value, 4) for name, value in found.items()} | {
        "load_before": before["load"],
        "load_after": machine()["load"],
        "repeats": repeats,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.files")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--json", metavar="OUT", type=Path, help="add it to these results")
    options = parser.parse_args()
    found = large(options.events, options.repeats)
    print(json.dumps(found, indent=2))
    if options.json:
        known = json.loads(options.json.read_text("utf-8")) if options.json.exists() else {}
        text = json.dumps(known | {"large": found}, indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
