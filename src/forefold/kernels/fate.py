"""What became of a particle: a bit mask."""

from __future__ import annotations

from enum import EnumType, IntFlag
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._inputs import OLD_WORDS, current_word

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LOST", "OUTCOMES", "Fate", "particle_counts"]


class _Names(EnumType):
    """Names of fates; old ones are understood, with a note."""

    def __getattr__(cls, name: str) -> Fate:
        if name not in OLD_WORDS["fate"]:
            message = f"type object {cls.__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        return cls[current_word("fate", name)]

    def __getitem__(cls, name: str) -> Any:
        return super().__getitem__(current_word("fate", name))


class Fate(IntFlag, metaclass=_Names):
    """What became of a particle, as a bit mask.

    Exactly one outcome is set for every particle, so the outcomes add up to the particles that came in.
    Flags add detail and may be combined with an outcome.

    Attributes
    ----------
    DETECTED : 1
        Outcome. Reconstructed fields are filled.
    BELOW_THRESHOLD : 2
        Outcome. The true kinetic energy is below the card's threshold: lost.
    INEFFICIENCY : 4
        Outcome. Above threshold, but not detected: lost with the probability 1 - efficiency. The particle did not leave the
        detector.
    NEUTRINO : 8
        Outcome. Not smeared, because the card leaves neutrinos out.
    NUCLEUS : 16
        Outcome. Not smeared, because the card leaves nuclei out.
    PSEUDO_PARTICLE : 32
        Outcome. Not smeared: bookkeeping of a generator (such as GENIE's bindino), no particle.
    NOT_FINAL_STATE : 64
        Outcome. Not smeared, because the particle's status is not 1.
    ENERGY_BELOW_MASS : 128
        Flag of a detected particle. The drawn energy is below the mass: the scalar ``energy_reco`` is kept,
        the momentum is zero.
    THETA_FOLDED : 256
        Flag. The drawn polar angle lay outside 0 to pi and was brought back to the sphere.
    OFF_SHELL : 512
        Flag. The input had ``E < |p|``: the mass of the particle table was used.
    BELOW_RECO_THRESHOLD : 1024
        Outcome. What was reconstructed is below the card's threshold on reconstructed quantities: lost.
    MISIDENTIFIED : 2048
        Flag. The particle was taken for another one.
    UNIDENTIFIED : 4096
        Outcome. The card's identification leaves it without a name: lost.
    DECAYED : 8192
        Outcome. Replaced by the particles that it decays to.
    MERGED : 16384
        Outcome. Its energy is in another particle's shower.
    INVALID : 32768
        Outcome. A formula of the card has no value for it: lost, if that is what was asked for.

    Examples
    --------
    >>> from forefold import Fate
    >>> Fate(129) == Fate.DETECTED | Fate.ENERGY_BELOW_MASS
    True
    """

    DETECTED = 1
    BELOW_THRESHOLD = 2
    INEFFICIENCY = 4
    NEUTRINO = 8
    NUCLEUS = 16
    PSEUDO_PARTICLE = 32
    NOT_FINAL_STATE = 64
    ENERGY_BELOW_MASS = 128
    THETA_FOLDED = 256
    OFF_SHELL = 512
    BELOW_RECO_THRESHOLD = 1024
    MISIDENTIFIED = 2048
    UNIDENTIFIED = 4096
    DECAYED = 8192
    MERGED = 16384
    INVALID = 32768


OUTCOMES = (
    Fate.DETECTED,
    Fate.BELOW_THRESHOLD,
    Fate.INEFFICIENCY,
    Fate.NEUTRINO,
    Fate.NUCLEUS,
    Fate.PSEUDO_PARTICLE,
    Fate.NOT_FINAL_STATE,
    Fate.BELOW_RECO_THRESHOLD,
    Fate.UNIDENTIFIED,
    Fate.DECAYED,
    Fate.MERGED,
    Fate.INVALID,
)
"""The outcomes, of which every particle has exactly one."""

LOST = (
    Fate.BELOW_THRESHOLD,
    Fate.INEFFICIENCY,
    Fate.BELOW_RECO_THRESHOLD,
    Fate.UNIDENTIFIED,
    Fate.INVALID,
)
"""Those of particles that the card is for, and that are not seen."""


def particle_counts(
    fate: NDArray[Any], event: NDArray[np.integer[Any]], n: int
) -> dict[str, NDArray[np.int64]]:
    """Count the particles of each event, all and by outcome.

    Parameters
    ----------
    fate : ndarray of int, shape (p,)
    event : ndarray of int, shape (p,)
        Event of each particle.
    n : int
        Number of events.

    Returns
    -------
    dict of str to ndarray of int64, shape (n,)
        ``n_particles``, ``n_detected``, ``n_lost`` and ``n_not_smeared``.
    """

    def count(which: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.asarray(np.bincount(event[which], minlength=n), dtype=np.int64)

    detected = (fate & int(Fate.DETECTED)) != 0
    lost = (fate & int(sum(LOST))) != 0
    return {
        "n_particles": count(np.ones_like(detected)),
        "n_detected": count(detected),
        "n_lost": count(lost),
        "n_not_smeared": count(~detected & ~lost),
    }
