"""Names, classes and masses of particles, by PDG identifier.

The table is that of the `particle` package (Particle Data Group); what it lacks are generators' pseudo-particles.

Examples
--------
>>> from forefold.events import particles as species
>>> species.pdgid("mu-"), species.name(-321)
(13, 'K-')
"""

from __future__ import annotations

import math
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from forefold._inputs import did_you_mean
from forefold.events.commonest import BARYONS, MASSES, MESONS, NAMES, is_common

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = [
    "CLASSES",
    "NUCLEONS",
    "antiparticle",
    "charge",
    "in_class",
    "is_listed",
    "is_one",
    "known",
    "mass",
    "members",
    "name",
    "near",
    "pdgid",
]

NUCLEONS = (2212, 2112)
"""Proton and neutron, of which a detector sees the kinetic energy."""

_NUCLEUS = 1_000_000_000
_PSEUDO = 2_000_000_000
_GENERATOR_INTERNAL = range(81, 101)  # PDG numbering scheme, "generator specific"

_PSEUDO_NAMES = MappingProxyType(
    {
        2000000001: "hadronic system",
        2000000002: "hadronic blob",
        2000000101: "bindino",
        2000000102: "coulobtron",
        2000000200: "nn cluster",
        2000000201: "np cluster",
        2000000202: "pp cluster",
        2000000300: "nucleon cluster",
        2009900000: "nuclear remnant",
    }
)

_ALIASES = MappingProxyType(
    {
        "electron": 11,
        "positron": -11,
        "photon": 22,
        "proton": 2212,
        "neutron": 2112,
        "antiproton": -2212,
        "antineutron": -2112,
        "anti-p": -2212,
        "anti-n": -2112,
        "anti-K0": -311,
        "K0bar": -311,
        "KL0": 130,
        "KS0": 310,
    }
)


_MEANT = MappingProxyType(
    {
        "muon": "'mu-' or 'mu+'",
        "antimuon": "'mu+'",
        "tau": "'tau-' or 'tau+'",
        "pi": "'pi+', 'pi-' or 'pi0', or the class 'pion'",
        "k": "'K+', 'K-', 'K(L)0' or 'K(S)0', or the class 'kaon'",
        "e": "'e-' or 'e+'",
        "mu": "'mu-' or 'mu+'",
        "neutrino": "'nu(e)', 'nu(mu)' or 'nu(tau)'",
    }
)
"""What words may mean that name no one particle."""


def near(word: str, allowed: Mapping[str, object] | list[str]) -> str:
    """``" (did you mean 'x'?)"`` if something allowed is near, else an empty string."""
    return did_you_mean(word, allowed)


@cache
def _table() -> dict[str, int]:
    from particle import Particle

    # "p" is also the name of the hydrogen nucleus: the shorter number is the particle
    by_number = sorted(Particle.all(), key=lambda p: -abs(int(p.pdgid)))
    return {p.name: int(p.pdgid) for p in by_number} | dict(_ALIASES)


def known() -> tuple[int, ...]:
    """PDG identifiers that the table, the aliases and the generators' pseudo-particles know.

    Examples
    --------
    >>> 13 in known()
    True
    """
    return tuple({*_table().values(), *_PSEUDO_NAMES})


def members(word: str) -> Iterator[int]:
    """PDG identifiers of a class, the commonest first; the whole table is read only if all of them are asked for.

    Raises
    ------
    ValueError
        The class is unknown.

    Examples
    --------
    >>> next(members("baryon"))
    2212
    """
    yield from (pdg for pdg in NAMES.values() if in_class(pdg, word))
    yield from (pdg for pdg in known() if in_class(pdg, word))


def pdgid(word: str) -> int:
    """PDG identifier of a name such as ``"mu-"``, ``"K~0"``, ``"anti-K0"`` or ``"Ar40"``.

    Parameters
    ----------
    word : str
        As the Particle Data Group writes it, or a plain English name of the commonest.

    Raises
    ------
    ValueError
        The name is unknown; near names are given.

    Examples
    --------
    >>> pdgid("Sigma+")
    3222
    """
    for names in (NAMES, _ALIASES):
        if word in names:
            return names[word]
    table = _table()
    if word not in table:
        meant = _MEANT.get(word.lower().removesuffix("s"))
        hint = f" (write {meant})" if meant else near(word, table)
        message = f"unknown particle {word!r}{hint}"
        raise ValueError(message)
    return table[word]


@cache
def name(pdg: int) -> str:
    """Name of a PDG identifier; ``"pdg N"`` where the table has none.

    Examples
    --------
    >>> name(111), name(1000180400), name(2000000101), name(987654)
    ('pi0', 'Ar40', 'bindino', 'pdg 987654')
    """
    from particle import InvalidParticle, Particle, ParticleNotFound

    if pdg in _PSEUDO_NAMES:
        return _PSEUDO_NAMES[pdg]
    try:
        return str(Particle.from_pdgid(pdg).name)
    except (ParticleNotFound, InvalidParticle):
        return f"pdg {pdg}"


@cache
def mass(pdg: int) -> float:
    """Mass in GeV; 0 where the table has none.

    Examples
    --------
    >>> round(mass(13), 6)
    0.105658
    """
    if is_common(pdg):
        return MASSES[abs(pdg)] / 1000.0
    from particle import InvalidParticle, Particle, ParticleNotFound

    try:
        mev = Particle.from_pdgid(pdg).mass
    except (ParticleNotFound, InvalidParticle):
        return 0.0
    return 0.0 if mev is None else float(mev) / 1000.0


@cache
def is_listed(pdg: int) -> bool:
    """Whether the table knows the particle, or it is a nucleus or a pseudo-particle of generators.

    Examples
    --------
    >>> is_listed(13), is_listed(2000000101), is_listed(99999999)
    (True, True, False)
    """
    common = pdg in NAMES.values() or _is_nucleus(pdg) or _is_pseudo(pdg)
    return common or name(pdg) != f"pdg {pdg}"


def _is_neutrino(pdg: int) -> bool:
    return abs(pdg) in {12, 14, 16, 18}


def _is_nucleus(pdg: int) -> bool:
    return _NUCLEUS <= abs(pdg) < _PSEUDO


def _is_pseudo(pdg: int) -> bool:
    return abs(pdg) >= _PSEUDO or abs(pdg) in _GENERATOR_INTERNAL


def _is_baryon(pdg: int) -> bool:
    if is_common(pdg):
        return abs(pdg) in BARYONS
    from particle import pdgid as numbering

    return not _is_nucleus(pdg) and bool(numbering.is_baryon(pdg))


def _is_meson(pdg: int) -> bool:
    if is_common(pdg):
        return abs(pdg) in MESONS
    from particle import pdgid as numbering

    return bool(numbering.is_meson(pdg))


def _charge(pdg: int) -> float:
    from particle import pdgid as numbering

    return float(numbering.charge(pdg) or 0.0)


CLASSES: Mapping[str, Callable[[int], bool]] = MappingProxyType(
    {
        "neutrino": _is_neutrino,
        "nucleus": _is_nucleus,
        "pseudo-particle": _is_pseudo,
        "charged lepton": lambda pdg: abs(pdg) in {11, 13, 15, 17},
        "pion": lambda pdg: abs(pdg) in {111, 211},
        "charged pion": lambda pdg: abs(pdg) == 211,
        "kaon": lambda pdg: abs(pdg) in {130, 310, 311, 321},
        "charged kaon": lambda pdg: abs(pdg) == 321,
        "neutral kaon": lambda pdg: abs(pdg) in {130, 310, 311},
        "nucleon": lambda pdg: pdg in NUCLEONS,
        "antinucleon": lambda pdg: -pdg in NUCLEONS,
        "baryon": lambda pdg: pdg > 0 and _is_baryon(pdg),
        "antibaryon": lambda pdg: pdg < 0 and _is_baryon(pdg),
        "meson": _is_meson,
        "hadron": lambda pdg: _is_meson(pdg) or _is_baryon(pdg),
        "charged hadron": lambda pdg: (_is_meson(pdg) or _is_baryon(pdg)) and _charge(pdg) != 0,
        "other": lambda _pdg: True,
    }
)
"""Classes that a card may name; ``"other"`` is everything."""


def in_class(pdg: int, word: str) -> bool:
    """Whether a PDG identifier belongs to one of `CLASSES`.

    Raises
    ------
    ValueError
        The class is unknown.

    Examples
    --------
    >>> in_class(-3122, "antibaryon"), in_class(1000180400, "nucleus")
    (True, True)
    """
    if word not in CLASSES:
        message = f"unknown class {word!r}{near(word, list(CLASSES))}; known: {', '.join(CLASSES)}"
        raise ValueError(message)
    return CLASSES[word](pdg)


def is_one(pdg: int, word: int | str) -> bool:
    """Whether a particle is the one, or of the class, that a card's word names.

    Examples
    --------
    >>> is_one(13, "mu-"), is_one(13, 13), is_one(3122, "baryon"), is_one(13, "e-")
    (True, True, True, False)
    """
    if isinstance(word, int):
        return pdg == word
    return in_class(pdg, word) if word in CLASSES else pdg == pdgid(word)


def charge(pdg: int) -> float:
    """Electric charge in units of the positron's; NaN where the identifier tells none.

    Examples
    --------
    >>> charge(11), charge(2212), charge(1000180400)
    (-1.0, 1.0, 18.0)
    """
    from particle.pdgid import charge as charge_of

    value = charge_of(pdg)
    return math.nan if value is None else float(value)


def antiparticle(pdg: int) -> int:
    """PDG identifier of the antiparticle; a particle that is its own stays.

    Examples
    --------
    >>> antiparticle(13), antiparticle(22), antiparticle(-2212)
    (-13, 22, 2212)
    """
    from particle import Particle

    found: list[Particle] = Particle.findall(pdgid=pdg)
    return int(found[0].invert().pdgid) if found else -pdg
