"""``python -m benchmarks.many --particles 1e9 --workers 2``: many particles through few processes, and their memory.

A real file (the packaged GENIE events, one after the other) is read again and again, each time with another stream, so
that every particle has random numbers of its own. One matrix is filled. The peak memory of each process is looked up in
/proc while it works.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import platform
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import forefold
from benchmarks.samples import repeated
from forefold.matrix import to_json

CARD = "nusmear-dune-cdr"


class Memory(threading.Thread):
    """Looks up the peak memory of this process and of those that it started."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peaks: dict[int, float] = {}
        self.stopped = threading.Event()

    def run(self) -> None:
        """Look every second."""
        while not self.stopped.wait(1.0):
            self.look()

    def look(self) -> None:
        """Look once, MB."""
        for pid in [os.getpid(), *(child.pid for child in multiprocessing.active_children())]:
            try:
                text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
            except OSError:
                continue
            found = [line.split()[1] for line in text.splitlines() if line.startswith("VmHWM")]
            if found and pid is not None:
                self.peaks[pid] = int(found[0]) / 1000.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many")
    parser.add_argument("--particles", type=float, default=1e7)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--events-in-file", type=int, default=600_000)
    parser.add_argument("--partition", type=int, default=200_000)
    parser.add_argument("--json", metavar="OUT", help="write what was found there too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, "events.gst.root"), Path(folder, "matrix.json")
        events, particles = repeated(path, max(options.events_in_file // 3000, 1))
        repeats = math.ceil(options.particles / particles)
        memory = Memory()
        memory.start()
        start = time.perf_counter()
        (matrix,), tally = forefold.fill_files(
            [path] * repeats, CARD, ["energy"], rng=1, stream=list(range(repeats)),
            workers=options.workers, partition=options.partition, out=out,
            write=lambda found: to_json(found[0]),
        )  # fmt: skip
        seconds = time.perf_counter() - start
        memory.look()
        memory.stopped.set()
        own = memory.peaks.pop(os.getpid(), 0.0)
    assert tally.events == events * repeats
    assert tally.particles == particles * repeats
    total: Any = matrix.sum(flow=True)
    assert total.value == tally.events
    found = {
        "particles": tally.particles,
        "events": tally.events,
        "seconds": round(seconds, 1),
        "particles_per_second": round(tally.particles / seconds),
        "workers": options.workers,
        "peak_mb_of_parent": round(own),
        "peak_mb_of_workers": sorted(round(peak) for peak in memory.peaks.values()),
        "about": {"machine": platform.machine(), "python": platform.python_version()},
    }
    text = json.dumps(found, indent=2)
    print(text)
    if options.json:
        Path(options.json).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
