"""Arrays of users, below every other module: numpy forgets the mask of an array without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["refuse_masked", "unmasked"]


def refuse_masked(name: str, given: Any) -> None:
    """Refuse an array of which elements are masked.

    Parameters
    ----------
    name : str
        What to call it.
    given : object
        Anything; only masked arrays of numpy have a mask.

    Raises
    ------
    ValueError
        If one is masked.

    Examples
    --------
    >>> refuse_masked("weight", np.ma.masked_greater([1.0, 99.0], 10.0))
    Traceback (most recent call last):
    ...
    ValueError: weight: 1 of 2 values is masked, the first at 1; fill masked values (.filled(...)) or leave them out
    """
    if not np.ma.isMaskedArray(given):
        return
    mask = np.ma.getmaskarray(given)
    if mask.any():
        n, at = int(mask.sum()), np.argwhere(mask)[0].tolist()
        message = (
            f"{name}: {n} of {mask.size} values {'is' if n == 1 else 'are'} masked, the first at "
            f"{', '.join(map(str, at)) or 'its only place'}; fill masked values (.filled(...)) or leave them out"
        )
        raise ValueError(message)


def unmasked(name: str, given: Any) -> NDArray[np.float64]:
    """Take numbers as an array, refusing masked ones.

    Parameters
    ----------
    name : str
        What to call them.
    given : array_like

    Returns
    -------
    ndarray of float64
        What `numpy.asarray` makes of it.

    Raises
    ------
    ValueError, TypeError
        If one is masked, or is no number.
    """
    refuse_masked(name, given)
    return np.asarray(given, dtype=np.float64)
