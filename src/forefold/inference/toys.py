"""Fits of many toys: all at once, and one by one where that does not do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.inference.minimum import Minima, minima

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from forefold.inference.minimum import Minimum
    from forefold.inference.profile import Problem, Thrown
    from forefold.io.registry import Progress

    Array = NDArray[np.float64]

__all__ = ["Count", "Toys"]

_BLOCK = 2**16  # numbers that stay in a cache
_ALONE = 50  # toys that are fitted one by one until that is said


@dataclass
class Count:
    """Counts what is done, and reports it.

    Attributes
    ----------
    report : callable or None
        Of the part that is done, or None where that is not known, and of how many are.
    total : int or None
        How many there will be, if that is known.
    done : int
    """

    report: Progress | None
    total: int | None = None
    done: int = 0

    def __call__(self, more: int) -> None:
        """Count some more."""
        self.done += more
        if self.total is not None and self.done > self.total:
            self.total = None  # a search goes on
        if self.report is not None:
            self.report(self.done / self.total if self.total else None, self.done)


@dataclass(frozen=True)
class Toys:
    """Toys of one problem, and their fits.

    Attributes
    ----------
    problem : Problem
        Its own data do not matter.
    thrown : Thrown
        In rows.
    count : callable or None
        Is told how many fits are done.
    """

    problem: Problem
    thrown: Thrown
    count: Callable[[int], object] | None = None

    def __len__(self) -> int:
        return len(self.thrown.counts)

    def of(self, rows: Any) -> Toys:
        """Give some of them: an index of rows, or a mask."""
        return replace(self, thrown=self.thrown.of(rows))

    def best(self, near: Array) -> Minima:
        """Minimise over all parameters.

        Parameters
        ----------
        near : ndarray, shape (parameters,) or (n, parameters)
            Where to begin.
        """
        return self._minima(near, self.problem.fixed)

    def at(self, value: float | Array, near: Array) -> Minima:
        """Minimise with the parameter of interest at a value, or at one a toy.

        Parameters
        ----------
        value : float or ndarray, shape (n,)
        near : ndarray, shape (parameters,) or (n, parameters)
        """
        start = np.array(np.broadcast_to(near, (len(self), near.shape[-1])))
        start[:, self.problem.place] = value
        return self._minima(start, self.problem.held)

    def _minima(self, start: Array, held: NDArray[np.bool_]) -> Minima:
        n, k = len(self), start.shape[-1]
        start = np.broadcast_to(start, (n, k))
        best = Minima(np.empty((n, k)), np.empty(n), np.empty((n, k, k)), np.zeros(n, np.bool_))
        expectation = self.problem.objective.expectation
        size = max(_BLOCK // expectation.size, 1) if expectation.fits_at_once else _ALONE
        for first in range(0, n, size):
            rows = slice(first, first + size)
            toys = self.problem.with_data(self.thrown.of(rows)).objective
            if expectation.fits_at_once:
                _put(best, rows, minima(toys, start[rows], held))
            for i in first + np.flatnonzero(~best.valid[rows]):
                one = self.problem.with_data(self.thrown.of(i))
                _put(best, i, one.minimum(start[i], held))
            if self.count is not None:
                self.count(len(toys.data))
        return best


def _put(minima_of_toys: Minima, rows: Any, part: Minima | Minimum) -> None:
    """Put some fits, or one, into their rows."""
    whole: Any
    for whole, values in zip(minima_of_toys, part, strict=True):
        whole[rows] = values
