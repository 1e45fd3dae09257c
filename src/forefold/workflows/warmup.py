"""All kernels compiled at once, so that no later command waits for them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from forefold.kernels.jit import compiled_from, watchers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from forefold.io.registry import Progress
    from forefold.kernels.jit import Kernel

__all__ = ["Warmup", "warm_up"]

_EVENTS = "0:100"


@dataclass(frozen=True)
class Warmup:
    """What was compiled; print it.

    Attributes
    ----------
    compiled : int
        Kernels that were not on the disk.
    seconds : float
    folder : str or None
        Where kernels are kept; None where no folder can be written.
    """

    compiled: int
    seconds: float
    folder: str | None

    def __str__(self) -> str:
        """One line."""
        if not self.compiled:
            return f"nothing to compile: all kernels are in {self.folder}"
        what = f"{self.compiled} kernels compiled in {self.seconds:.0f} s"
        if self.folder is None:
            return f"{what}, for this process alone: no folder for them can be written; set NUMBA_CACHE_DIR to one that can"
        return f"{what}, kept in {self.folder}"


def warm_up(progress: Progress | None = None) -> Warmup:
    """Compile what smearing by cards, matrices, closed forms and GENIE's records need.

    Parameters
    ----------
    progress : callable, optional
        Called with the fraction that is done and the number of steps.

    Returns
    -------
    Warmup

    Notes
    -----
    It runs a hundred events of the packaged sample through every packaged card. What a card of yours needs besides, such as another number of formulas,
    is the same code.
    """
    from forefold.kernels.blocks import draw_blocks

    start, counts = time.perf_counter(), [0]
    with _counted(counts), compiled_from(0):
        steps = [*_smearing(), _matrix, _closed_forms, _native_records]
        for k, step in enumerate(steps):
            step()
            if progress is not None:
                progress((k + 1) / len(steps), k + 1)
    folder = cast("Kernel", draw_blocks).kept_in
    return Warmup(counts[0], time.perf_counter() - start, folder)


@contextmanager
def _counted(counts: list[int]) -> Iterator[None]:
    def watcher(begins: bool) -> None:
        counts[0] += begins

    watchers.append(watcher)
    try:
        yield
    finally:
        watchers.remove(watcher)


def _smearing() -> Iterator[Callable[[], object]]:
    from forefold.detector.load import cards
    from forefold.io import read
    from forefold.smearing.smear import smear
    from forefold.workflows.demo import sample

    events = read(sample(), entries=_EVENTS, final_state_only=False)
    for name in cards():
        yield partial(smear, events, name, rng=1, on_invalid="lose")


def _matrix() -> None:
    from forefold.io import read
    from forefold.matrix import ResponseMatrix
    from forefold.workflows.demo import sample

    events = read(sample(), entries=_EVENTS)
    axes = ["visible_energy=0:8:4", "lepton_theta=0,0.5,3.1"]
    ResponseMatrix.from_events(events, "nusmear-default", true=axes, rng=1, replicas=2)


def _closed_forms() -> None:
    from forefold.smearing.validation import validate_card

    for name in ("nusmear-dune-cdr", "super-kamiokande", "bdm-10kt"):
        validate_card(name, rng=1, draws=100)


def _native_records() -> None:
    """Decode no entries of GENIE's own records: the types are those of files."""
    import numpy as np

    from forefold.io.readers.ghep import decode
    from forefold.io.readers.ghep.baskets import Batch
    from forefold.io.registry import Source

    # bytes of a file are read-only, which is another type
    data = np.frombuffer(b"", np.uint8)
    nothing = Batch(0, data, np.zeros(0, np.int64), np.zeros(0, np.int64))
    for final_state_only in (True, False):
        decode(nothing, Source("nothing", final_state_only=final_state_only))
