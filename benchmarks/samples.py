"""``python -m benchmarks.samples OUT.gst.root --events 1000000``: a large gst file, made of the packaged events again and again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import awkward as ak
import uproot

import forefold

__all__ = ["BRANCHES", "PACKAGED", "repeated"]

SCALARS = ["iev", "neu", "tgt", "Ev", "pxv", "pyv", "pzv", "fspl", "El", "pxl", "pyl", "pzl"]
SCALARS += ["wght", "qel", "mec", "res", "dis", "coh", "cc", "nc"]
LISTS = ["pdgf", "Ef", "pxf", "pyf", "pzf"]
BRANCHES = SCALARS + LISTS
"""Branches of the packaged file that forefold reads."""
PACKAGED = 3000
"""Events of it."""
_TOGETHER = 10


def repeated(path: Path, times: int) -> tuple[int, int]:
    """Write the packaged events `times` over; gives the numbers of events and particles."""
    with uproot.open(forefold.sample()) as file:
        events = file["gst"].arrays(BRANCHES)
    kinds: dict[str, Any] = {name: ak.to_numpy(events[name]).dtype for name in SCALARS}
    kinds |= {name: f"var * {ak.to_numpy(ak.flatten(events[name])).dtype}" for name in LISTS}
    block = ak.concatenate([events] * min(times, _TOGETHER))
    with uproot.recreate(path) as file:
        tree = file.mktree("gst", kinds, counter_name=lambda name: f"n_{name}")
        for at in range(0, times, _TOGETHER):
            piece = block[: len(events) * min(_TOGETHER, times - at)]
            tree.extend({name: piece[name] for name in BRANCHES})
    particles = int(ak.num(forefold.read(forefold.sample()).particles).to_numpy().sum())
    return times * len(events), times * particles


def main() -> None:
    """Write one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.samples")
    parser.add_argument("out", type=Path)
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    events, particles = repeated(options.out, max(1, round(options.events / PACKAGED)))
    print(f"{options.out}: {events:,} events, {particles:,} particles")


if __name__ == "__main__":
    main()
