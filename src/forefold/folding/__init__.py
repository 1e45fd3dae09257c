"""Response matrices, and what a detector sees of a spectrum: from truth to prediction.

>>> import forefold
>>> events = forefold.read("events.gst.root")
>>> matrix = forefold.ResponseMatrix.from_events(events, "nusmear-dune-cdr", true="visible_energy=0:6:3", rng=1)
>>> print(matrix)
ResponseMatrix of 3 true and 3 reconstructed bins (... effective entries, ... a row)
...
"""

from __future__ import annotations

from forefold.folding.responsematrix import ResponseMatrix

__all__ = ["ResponseMatrix"]


def __dir__() -> list[str]:
    return __all__
