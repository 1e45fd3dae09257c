"""Some events of a generator's file as a file of the same format: for tests that go through it many times."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import awkward as ak
import uproot

__all__ = ["fewer_gst", "fewer_hepmc"]

SCALARS = [
    "iev", "neu", "tgt", "Ev", "pxv", "pyv", "pzv", "fspl", "El", "pxl", "pyl", "pzl", "cc", "nc",
]  # fmt: skip
LISTS = ["pdgf", "Ef", "pxf", "pyf", "pzf"]


def fewer_gst(source: Path, path: Path, start: int, stop: int) -> Path:
    """Write entries of a gst tree, with the branches that the reader needs."""
    with uproot.open(source) as file:
        part = file["gst"].arrays(SCALARS + LISTS, entry_start=start, entry_stop=stop)
    columns = {name: ak.to_numpy(part[name]) for name in SCALARS}
    kinds: dict[str, Any] = {name: values.dtype for name, values in columns.items()}
    kinds |= {name: f"var * {ak.to_numpy(ak.flatten(part[name])).dtype}" for name in LISTS}
    with uproot.recreate(path) as file:
        tree = file.mktree("gst", kinds, counter_name=lambda name: f"n_{name}")
        tree.extend({**columns, **{name: part[name] for name in LISTS}})
    return path


def fewer_hepmc(source: Path, path: Path, events: int) -> Path:
    """Write the first events of a HepMC listing, which is packed, as it is packed."""
    with gzip.open(source) as file:
        header, *listed = file.read().split(b"\nE ")
    footer = listed[-1][listed[-1].index(b"\nHepMC::") :]
    with gzip.open(path, "wb") as file:
        file.write(b"\nE ".join([header, *listed[:events]]) + footer)
    return path
