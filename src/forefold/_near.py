"""Names that are near to what was typed, in any case: what every refusal of a name offers."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["did_you_mean", "near_names"]

_LONGEST = 100  # the comparison takes seconds for thousands of characters
_SIMILAR = 0.6


def near_names(word: str, allowed: Iterable[object], *, most: int = 3) -> list[str]:
    """Names that are like a word, the nearest first; upper and lower case count as the same letters.

    Parameters
    ----------
    word : str
        What was typed.
    allowed : iterable of str
    most : int

    Returns
    -------
    list of str

    Examples
    --------
    >>> near_names("Q2", ["q2", "q2_qe", "w"])
    ['q2']
    >>> near_names("lepton_costheta", ["lepton_theta", "lepton_cos_theta"])
    ['lepton_cos_theta', 'lepton_theta']
    """
    if len(word) > _LONGEST:
        return []
    folded: dict[str, list[str]] = {}
    for name in allowed:
        folded.setdefault(str(name).lower(), []).append(str(name))
    nearest = get_close_matches(word.lower(), folded, n=most, cutoff=_SIMILAR)
    if word.lower() in nearest:  # another case alone is what was meant
        nearest = [word.lower()]
    return [name for key in nearest for name in folded[key]][:most]


def did_you_mean(word: str, allowed: Iterable[object]) -> str:
    """Say which names are near, ready to be put behind a complaint; an empty text if none is.

    Examples
    --------
    >>> did_you_mean("protn", ["proton", "muon"])
    " (did you mean 'proton'?)"
    """
    near = near_names(word, allowed)
    return f" (did you mean {' or '.join(map(repr, near))}?)" if near else ""
