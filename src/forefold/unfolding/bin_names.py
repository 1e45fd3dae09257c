"""Words for bins: how many, which ones, and with what limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.matrix.axes import bin_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["bare", "counted", "limits", "listed"]

_SHOWN = 6


def counted(number: int, what: str) -> str:
    """Count things: one, or several.

    Examples
    --------
    >>> counted(1, "true bin"), counted(1200, "event")
    ('1 true bin', '1,200 events')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def bare(name: str) -> str:
    """Take the number from the name of a bin, where it has limits: readers of a page do not count from 0.

    Examples
    --------
    >>> bare("bin 1 (q2_true 1 to 4)"), bare("the last")
    ('q2_true 1 to 4', 'the last')
    """
    return name.partition("(")[2].removesuffix(")") or name


def limits(axes: Sequence[Any], flat: int) -> str:
    """Say the limits of a bin."""
    return bare(bin_name(axes, flat))


def listed(which: NDArray[np.bool_], axes: Sequence[Any] = ()) -> str:
    """Name bins: by their limits where axes are known, else by numbers from 0, as arrays count.

    Examples
    --------
    >>> from forefold.matrix.axes import side_axes
    >>> bins = np.array([False, True, True])
    >>> listed(bins)
    'bins 1, 2 have'
    >>> listed(bins, side_axes({"q2": [0.0, 1.0, 4.0, 9.0]}, "true"))
    'bins 1 to 4, 4 to 9 of q2_true have'
    """
    numbers = [int(k) for k in np.flatnonzero(which)]
    shown = [limits(axes, k) if axes else str(k) for k in numbers[:_SHOWN]]
    of = ""
    if len(axes) == 1:
        of = f" of {axes[0].name}"
        shown = [text.removeprefix(f"{axes[0].name} ") for text in shown]
    text = ("; " if len(axes) > 1 else ", ").join(shown) + (
        ", ..." if len(numbers) > _SHOWN else ""
    )
    return f"bin {text}{of} has" if len(numbers) == 1 else f"bins {text}{of} have"
