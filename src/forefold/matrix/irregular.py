"""Bins in several quantities that form no grid, as one axis of numbered bins that keeps their limits.

Most double-differential results are of this kind: each slice of an angle has its own bins of momentum.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import hist
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["bin_labels", "bin_limits", "check_bins", "irregular_axis", "kept_bins", "same_bins"]

_KEY = "forefold_bins"  # of the metadata of an axis; UHI keeps texts there
_MOST = 5_000  # bins of which each pair is looked at
_TOLERANCE = 1e-9  # of the range of a quantity


def irregular_axis(
    limits: Mapping[str, ArrayLike], labels: Mapping[str, str] | None = None, name: str = ""
) -> hist.axis.Regular:
    """Make one axis of numbered bins from bins in several quantities that form no grid.

    Parameters
    ----------
    limits : mapping of str to array_like, shape (n, 2)
        Lower and upper limit of every bin, by quantity.
    labels : mapping of str to str, optional
        Labels of the quantities, with their units.
    name : str
        Name of the axis; the joined names of the quantities if left out.

    Returns
    -------
    hist.axis.Regular
        Axis from 0 to n, with bins in the order of the limits; `bin_limits` gives the limits.

    Raises
    ------
    ValueError
        If the shapes of the limits differ, a bin has no width, or two bins overlap.

    Examples
    --------
    >>> axis = irregular_axis({"p": [[0, 1], [1, 4], [0, 2]], "cos_theta": [[-1, 0], [-1, 0], [0, 1]]})
    >>> axis.name, len(axis), bin_limits(axis)["p"].tolist()
    ('p_cos_theta', 3, [[0.0, 1.0], [1.0, 4.0], [0.0, 2.0]])
    """
    bounds = {key: np.asarray(pairs, dtype=np.float64) for key, pairs in limits.items()}
    shapes = {pairs.shape for pairs in bounds.values()}
    n = max((len(pairs) for pairs in bounds.values()), default=0)
    if shapes != {(n, 2)} or not 0 < n <= _MOST:
        message = f"limits of shapes {', '.join(map(str, sorted(shapes)))}: (n, 2) for all quantities, of 1 to {_MOST} bins, is needed"
        raise ValueError(message)
    for key, pairs in bounds.items():
        bad = ~(np.isfinite(pairs).all(axis=1) & (pairs[:, 1] > pairs[:, 0]))
        if bad.any():
            k = int(np.argmax(bad))
            message = f"bin {k} is {key} {pairs[k, 0]:g} to {pairs[k, 1]:g}; finite limits, the lower first, are needed"
            raise ValueError(message)
    _refuse_overlaps(bounds)
    words = {key: (labels or {}).get(key, key) for key in bounds}
    axis = hist.axis.Regular(
        n, 0, n, name=name or "_".join(bounds), label=f"Bin of ({', '.join(words.values())})"
    )
    about = {key: {"label": words[key], "bins": pairs.tolist()} for key, pairs in bounds.items()}
    axis.__dict__[_KEY] = json.dumps(about)
    return axis


def _refuse_overlaps(limits: Mapping[str, Array]) -> None:
    """Refuse bins that overlap by more than a common edge."""
    both: Any = True
    for pairs in limits.values():
        slack = _TOLERANCE * float(np.ptp(pairs))
        both = both & (pairs[:, None, 0] < pairs[None, :, 1] - slack)
    both = np.triu(both & both.T, 1)
    if both.any():
        i, j = (int(k) for k in np.argwhere(both)[0])
        where = ", ".join(
            f"{key} {pairs[i, 0]:g} to {pairs[i, 1]:g}" for key, pairs in limits.items()
        )
        message = f"bins {i} ({where}) and {j} overlap"
        raise ValueError(message)


def bin_limits(axis: Any) -> dict[str, Array]:
    """Give the limits of irregular bins by quantity, each of shape (n, 2); an empty dict for other axes."""
    return {key: np.array(entry["bins"]) for key, entry in _about(axis).items()}


def bin_labels(axis: Any) -> dict[str, str]:
    """Give the labels of the quantities of irregular bins."""
    return {key: str(entry["label"]) for key, entry in _about(axis).items()}


def _about(axis: Any) -> dict[str, Any]:
    text = getattr(axis, "__dict__", {}).get(_KEY)
    return {} if text is None else dict(json.loads(text))


def kept_bins(axis: Any, target: Any) -> Any:
    """Copy the limits of irregular bins to an axis that was made from another."""
    text = getattr(axis, "__dict__", {}).get(_KEY)
    if text is not None:
        target.__dict__[_KEY] = text
    return target


def check_bins(axis: Any) -> None:
    """Refuse an axis whose stored limits of irregular bins are damaged.

    Raises
    ------
    ValueError
        The message names the axis and what is wrong.
    """
    try:
        about = _about(axis)
        if about:
            again = irregular_axis(bin_limits(axis), bin_labels(axis))
            if len(again) != len(axis):
                message = f"{len(again)} for {len(axis)} bins"
                raise ValueError(message)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        message = (
            f"limits of the irregular bins of axis {axis.name!r}: {type(error).__name__} {error}"
        )
        raise ValueError(message) from None


def same_bins(mine: Any, other: Any, where: str) -> None:
    """Refuse irregular bins that differ from those of a matrix; axes without limits are passed over.

    Parameters
    ----------
    mine, other : axis
    where : str
        For the message.

    Raises
    ------
    ValueError
        If quantities or limits differ; the message names the first bin that does.
    """
    here, there = bin_limits(mine), bin_limits(other)
    if not here or not there:
        return
    if list(here) != list(there):
        message = f"{where} has bins of {', '.join(there)}, the matrix of {', '.join(here)}"
        raise ValueError(message)
    for key, pairs in here.items():
        differ = np.abs(pairs - there[key]).max(axis=1) > _TOLERANCE * float(np.ptp(pairs))
        if differ.any():
            k = int(np.argmax(differ))
            a, b = there[key][k], pairs[k]
            message = f"{where} has bin {k} at {key} {a[0]:g} to {a[1]:g}, the matrix at {b[0]:g} to {b[1]:g}"
            raise ValueError(message)
