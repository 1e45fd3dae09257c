"""Words that are called something else now: they are still read, with a note that says the new one."""

from __future__ import annotations

import warnings

__all__ = ["OLD_WORDS", "UNIVERSE", "current_word", "is_universe"]

OLD_WORDS = {
    "card": {"blind": "zero-efficiency"},
    "fate": {"ESCAPED": "INEFFICIENCY"},
    "function": {"throws": "universes"},
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
