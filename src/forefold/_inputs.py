"""What users hand in, looked at below every room: names, old words, and arrays, whose masks numpy forgets without a word."""

from __future__ import annotations

import warnings
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "OLD_WORDS",
    "UNIVERSE",
    "current_word",
    "did_you_mean",
    "is_universe",
    "near_names",
    "refuse_masked",
    "unmasked",
]

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


def refuse_masked(name: str, values: Any) -> None:
    """Refuse an array of which elements are masked, or that is complex: numpy would drop masks and imaginary parts.

    Parameters
    ----------
    name : str
        What to call it.
    values : object
        Anything; only masked arrays of numpy have a mask.

    Raises
    ------
    ValueError
        If one is masked, or the numbers are complex.

    Examples
    --------
    >>> import numpy as np
    >>> refuse_masked("weight", np.ma.masked_greater([1.0, 99.0], 10.0))
    Traceback (most recent call last):
    ...
    ValueError: weight: 1 of 2 values is masked, the first at 1; fill masked values (.filled(...)) or leave them out
    """
    import numpy as np  # names are looked up where no array is: in a mistyped command

    if isinstance(values, np.ndarray) and values.dtype.kind == "c":
        message = f"{name}: complex numbers; real ones are needed (.real, or abs(...))"
        raise ValueError(message)
    if not np.ma.isMaskedArray(values):
        return
    mask = np.ma.getmaskarray(values)
    if mask.any():
        n, at = int(mask.sum()), np.argwhere(mask)[0].tolist()
        message = (
            f"{name}: {n} of {mask.size} values {'is' if n == 1 else 'are'} masked, the first at "
            f"{', '.join(map(str, at)) or 'its only place'}; fill masked values (.filled(...)) or leave them out"
        )
        raise ValueError(message)


def unmasked(name: str, values: Any) -> NDArray[np.float64]:
    """Take numbers as an array, refusing masked ones.

    Parameters
    ----------
    name : str
        What to call them.
    values : array_like

    Returns
    -------
    ndarray of float64
        What `numpy.asarray` makes of it.

    Raises
    ------
    ValueError, TypeError
        If one is masked, or is no number.
    """
    import numpy as np

    refuse_masked(name, values)
    return np.asarray(values, dtype=np.float64)


OLD_WORDS = {
    "card": {"blind": "zero-efficiency"},
    "fate": {"ESCAPED": "INEFFICIENCY"},
    "name": {"species": "particles", "throws": "universes"},
    "variations": {"throws": "universes"},
}
"""Old word and new word, by what they are words of."""

UNIVERSE = "universe_"
"""What names of random variations of a detector begin with."""
_OLD_UNIVERSE = "throw_"


def current_word(kind: str, word: str, *, stacklevel: int = 2) -> str:
    """Give the word that stands for an old one now, and say so; a word of today is given as it is.

    Parameters
    ----------
    kind : str
        Of `OLD_WORDS`.
    word : str
    stacklevel : int
        See `warnings.warn`; 2 is the caller.

    Warns
    -----
    UserWarning
        The word is an old one.

    Examples
    --------
    >>> current_word("card", "perfect")
    'perfect'
    """
    new = OLD_WORDS[kind].get(word)
    if new is None:
        return word
    warnings.warn(f"{kind} {word!r} is called {new!r} now", stacklevel=stacklevel + 1)
    return new


def is_universe(name: str) -> bool:
    """Whether this is the name of a random variation, also in files that were written with the old word.

    Examples
    --------
    >>> [is_universe(name) for name in ("universe_12", "throw_12", "muon_p0_up")]
    [True, True, False]
    """
    return name.startswith((UNIVERSE, _OLD_UNIVERSE))
