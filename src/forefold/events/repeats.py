"""What should come once and comes again: numbers of events in rows of particles, entries in chunks of events."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import awkward as ak
    from numpy.typing import NDArray

__all__ = ["Repeats", "SharedDraws", "warn_of_scattered_rows"]

_MOST = 1 << 20


class Repeats:
    """Remember which whole numbers came, and find one that comes again.

    Numbers that follow one another take the room of two. Beyond a million such runs the lowest are forgotten, so that
    memory stays bounded.

    Examples
    --------
    >>> numbers = Repeats()
    >>> numbers.add([3, 4, 5]), numbers.add([6, 8]), numbers.add([9, 4])
    (None, None, 4)
    """

    def __init__(self) -> None:
        # disjoint runs, ascending: the first and the last number of each
        self._first = self._last = np.empty(0, dtype=np.int64)

    def add(self, numbers: Any) -> int | None:
        """Count numbers in.

        Parameters
        ----------
        numbers : array_like of int, shape (n,)

        Returns
        -------
        int or None
            The first of them that came before, here or in an earlier call.
        """
        numbers = np.asarray(numbers, dtype=np.int64)
        if not len(numbers):
            return None
        ordered, places = numbers, None
        if (np.diff(numbers) <= 0).any():
            ordered, places = np.unique(numbers, return_index=True)
        again = self._came(ordered)
        twice: int | None = None
        if again.any() or len(ordered) < len(numbers):
            new = np.zeros(len(numbers), dtype=np.bool_)
            new[slice(None) if places is None else places] = ~again
            twice = int(numbers[np.argmin(new)])
        self._join(ordered[~again])
        return twice

    def _came(self, ordered: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which numbers lie in a run."""
        if not len(self._first):
            return np.zeros(len(ordered), dtype=np.bool_)
        at = np.searchsorted(self._first, ordered, side="right") - 1
        came: NDArray[np.bool_] = (at >= 0) & (ordered <= self._last[at])
        return came

    def _join(self, ordered: NDArray[np.int64]) -> None:
        """Add numbers that are in no run, ascending."""
        if not len(ordered):
            return
        step = np.flatnonzero(np.diff(ordered) > 1)
        first = np.concatenate((self._first, ordered[:1], ordered[step + 1]))
        last = np.concatenate((self._last, ordered[step], ordered[-1:]))
        order = np.argsort(first, kind="stable")
        first, last = first[order], last[order]
        apart = np.flatnonzero(first[1:] - last[:-1] > 1)
        self._first = np.concatenate((first[:1], first[apart + 1]))[-_MOST:]
        self._last = np.concatenate((last[apart], last[-1:]))[-_MOST:]


def warn_of_scattered_rows(source: str, number: int) -> None:
    """Say that rows of one number do not stand together.

    Parameters
    ----------
    source : str
        Table.
    number : int
        The first number of an event that comes again after others.
    """
    warnings.warn(
        f"{source}: event {number} comes again after other events: only neighbouring rows are one event, so these are "
        "several; if they are one, sort the table by event, and if not, number its events anew",
        stacklevel=1,
    )


class SharedDraws:
    """Warn, once, of events that have the same random numbers as others.

    Examples
    --------
    >>> import forefold
    >>> draws = SharedDraws()
    >>> draws.add(forefold.events.build(pdgid=13, px=0.0, py=0.0, pz=[1.0, 2.0], energy=3.0))
    """

    def __init__(self) -> None:
        self._entries: dict[int, Repeats] = {}
        self._warned = False

    def add(self, events: ak.Array) -> None:
        """Look at a chunk.

        Parameters
        ----------
        events : ak.Array
            Event record, or smeared events: its `stream` and `entry`.
        """
        import awkward as ak

        if self._warned or not len(events):
            return
        stream, entry = (ak.to_numpy(events[name]) for name in ("stream", "entry"))
        whose = [stream[0]] if (stream == stream[0]).all() else np.unique(stream)
        for one in whose:
            mine = entry if len(whose) == 1 else entry[stream == one]
            again = self._entries.setdefault(int(one), Repeats()).add(mine)
            if again is not None:
                self._warned = True
                warnings.warn(
                    f"{events['source'][0]}: stream {int(one)}, entry {again} comes twice: such events share their random "
                    "draws, though they count as independent; give each chunk of events a stream of its own "
                    "(forefold.events.build(stream=...)), or entries that go on (entry=...)",
                    stacklevel=1,
                )
                return
