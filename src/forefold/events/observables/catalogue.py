"""What observables there are: name, unit, symbol, meaning and source of each, in one table.

It imports no array library: selections and the command line read it to check what was typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

from forefold.events import particles as species

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "ENDS",
    "KINDS",
    "OBSERVABLES",
    "OF_PARTICLES",
    "SIDES",
    "Observable",
    "OfParticles",
    "ParticleKind",
    "Side",
    "of_words",
    "parted",
    "sided",
    "unit_of",
    "with_unit",
]

Side = Literal["true", "reco"]
SIDES: tuple[Side, Side] = ("true", "reco")
ENDS = tuple(f"_{side}" for side in SIDES)


@dataclass(frozen=True)
class Observable:
    """One observable; there is a true and a reconstructed one of each.

    Attributes
    ----------
    name : str
        Without ``_true`` and ``_reco``.
    unit : str
        ``"GeV"``, ``"GeV/c"``, ``"GeV^2"``, ``"rad"``, or empty for a pure number.
    symbol : str
        LaTeX, to be put between dollar signs.
    meaning : str
    source : str
        Where the definition is from; empty where the words are the definition.

    Examples
    --------
    >>> OBSERVABLES["available_energy"].source
    'MINERvA, arXiv:1511.05944'
    >>> OBSERVABLES["q2"].label, OBSERVABLES["visible_energy"].label
    ('$Q^2$ [GeV$^2$]', 'visible energy [GeV]')
    """

    name: str
    unit: str
    symbol: str
    meaning: str
    source: str = ""

    @property
    def label(self) -> str:
        """Words for an axis, or the symbol where the name is no words; and the unit."""
        what = self.name.replace("_", " ") if self.name in _IN_WORDS else f"${self.symbol}$"
        return with_unit(what, self.unit)


def with_unit(what: str, unit: str) -> str:
    """Put a unit behind what an axis is.

    Examples
    --------
    >>> with_unit("size", "GeV^2"), with_unit("number", "")
    ('size [GeV$^2$]', 'number')
    """
    return f"{what} [{unit.replace('^2', '$^2$')}]" if unit else what


class ParticleKind(NamedTuple):
    """Particles that are counted together, as ``n_<kind>``, and of which the leading one is ``p_<kind>``."""

    pdgid: tuple[int, ...]
    symbol: str
    words: str


KINDS: Mapping[str, ParticleKind] = MappingProxyType(
    {
        "e": ParticleKind((11, -11), "e", "electrons and positrons"),
        "mu": ParticleKind((13, -13), r"\mu", "muons of both charges"),
        "tau": ParticleKind((15, -15), r"\tau", "taus of both charges"),
        "gamma": ParticleKind((22,), r"\gamma", "photons"),
        "p": ParticleKind((2212,), "p", "protons"),
        "n": ParticleKind((2112,), "n", "neutrons"),
        "pip": ParticleKind((211,), r"\pi^+", "positive pions"),
        "pim": ParticleKind((-211,), r"\pi^-", "negative pions"),
        "pi0": ParticleKind((111,), r"\pi^0", "neutral pions"),
        "pi": ParticleKind((211, -211, 111), r"\pi", "pions of any charge"),
        "kaon": ParticleKind((321, -321, 311, -311, 130, 310), "K", "kaons of any charge"),
    }
)
"""Kinds of particles."""

_MINIBOONE = "MiniBooNE, arXiv:1002.2680 and arXiv:1301.7067"
_PDG = "Review of Particle Physics, Structure Functions"
_IMBALANCE = "Lu et al., arXiv:1512.05748"

_TABLE = (
    ("visible_energy", "GeV", r"E_\mathrm{vis}", "kinetic energy of protons and neutrons, total energy of all others", "arXiv:1507.08560"),
    ("available_energy", "GeV", r"E_\mathrm{avail}", "kinetic energy of protons and charged pions, total energy of electrons, photons and neutral pions; not of the lepton", "MINERvA, arXiv:1511.05944"),
    ("hadronic_energy", "GeV", r"E_\mathrm{had}", "visible energy less that of the lepton", ""),
    ("enu", "GeV", r"E_\nu", "energy of the probe", ""),
    ("energy_qe", "GeV", r"E_\nu^\mathrm{QE}", "energy of the probe of quasielastic kinematics", _MINIBOONE),
    ("q2_qe", "GeV^2", r"Q^2_\mathrm{QE}", "squared four-momentum transfer of quasielastic kinematics", _MINIBOONE),
    ("q2", "GeV^2", "Q^2", "squared four-momentum transfer", _PDG),
    ("w", "GeV", "W", "mass of the hadrons off a nucleon at rest", _PDG),
    ("q0", "GeV", "q_0", "energy transfer", _PDG),
    ("q3", "GeV/c", "q_3", "momentum transfer", _PDG),
    ("bjorken_x", "", "x", "Bjorken x off a nucleon at rest", _PDG),
    ("bjorken_y", "", "y", "inelasticity", _PDG),
    ("delta_pt", "GeV/c", r"\delta p_T", "transverse imbalance of lepton and leading proton", _IMBALANCE),
    ("delta_alpha_t", "rad", r"\delta\alpha_T", "angle of the imbalance to the lepton reversed", _IMBALANCE),
    ("delta_phi_t", "rad", r"\delta\phi_T", "angle of the proton to the lepton reversed", _IMBALANCE),
    ("missing_pt", "GeV/c", r"p_T^\mathrm{miss}", "summed transverse momentum of all that is visible", ""),
    ("missing_energy", "GeV", r"E_\mathrm{miss}", "energy of the probe less the visible energy", ""),
    ("lepton_energy", "GeV", r"E_\ell", "total energy of the lepton", ""),
    ("lepton_momentum", "GeV/c", r"p_\ell", "momentum of the lepton", ""),
    ("lepton_theta", "rad", r"\theta_\ell", "angle of the lepton to the probe", ""),
    ("lepton_cos_theta", "", r"\cos\theta_\ell", "cosine of the angle of the lepton to the probe", ""),
    ("lepton_pt", "GeV/c", r"p_{T,\ell}", "momentum of the lepton across the probe", ""),
    ("lepton_pl", "GeV/c", r"p_{L,\ell}", "momentum of the lepton along the probe", ""),
    ("proton_momentum", "GeV/c", "p_p", "momentum of the leading proton", ""),
    ("proton_theta", "rad", r"\theta_p", "angle of the leading proton to the probe", ""),
    ("proton_cos_theta", "", r"\cos\theta_p", "cosine of the angle of the leading proton to the probe", ""),
    ("pion_momentum", "GeV/c", r"p_\pi", "momentum of the leading pion, of any charge", ""),
    ("pion_theta", "rad", r"\theta_\pi", "angle of the leading pion to the probe", ""),
    ("pion_cos_theta", "", r"\cos\theta_\pi", "cosine of the angle of the leading pion to the probe", ""),
    *((f"p_{kind}", "GeV/c", f"p_{{{symbol}}}", f"momentum of the leading one of the {words}", "") for kind, (_, symbol, words) in KINDS.items()),
    *((f"n_{kind}", "", f"N_{{{symbol}}}", f"number of {words}", "") for kind, (_, symbol, words) in KINDS.items()),
    ("n_particles", "", "N", "number of particles of the final state", ""),
    ("topology", "", r"\mathrm{topology}", "mesons that leave the nucleus", ""),
)  # fmt: skip

_IN_WORDS = frozenset(
    name for name, *_ in _TABLE if name == "topology" or name.endswith(("_energy", "_momentum", "_theta"))
) - {"lepton_cos_theta", "proton_cos_theta", "pion_cos_theta"}  # fmt: skip

OBSERVABLES: Mapping[str, Observable] = MappingProxyType(
    {row[0]: Observable(*row) for row in _TABLE}
)
"""Observables by name."""


class OfParticles(NamedTuple):
    """A quantity of particles that are named, such as ``mass(mu-, mu+)``; of several of a kind, the leading one is taken.

    Attributes
    ----------
    least, most : int, int or None
        How many particles it is of; None = any number.
    unit, usage, meaning : str
    """

    least: int
    most: int | None
    unit: str
    usage: str
    meaning: str


OF_PARTICLES: Mapping[str, OfParticles] = MappingProxyType(
    {
        "mass": OfParticles(2, None, "GeV", "mass(mu-, mu+)", "invariant mass"),
        "number": OfParticles(1, None, "", "number(K+, K-)", "how many there are"),
        "angle": OfParticles(2, 2, "rad", "angle(mu-, p)", "angle between two"),
        "energy": OfParticles(1, 1, "GeV", "energy(mu-)", "total energy"),
        "kinetic_energy": OfParticles(1, 1, "GeV", "kinetic_energy(p)", "kinetic energy"),
        "momentum": OfParticles(1, 1, "GeV/c", "momentum(pi+)", "momentum"),
        "theta": OfParticles(1, 1, "rad", "theta(pi+)", "angle to the probe"),
        "cos_theta": OfParticles(1, 1, "", "cos_theta(pi+)", "its cosine"),
        "pt": OfParticles(1, 1, "GeV/c", "pt(pi+)", "momentum across the probe"),
        "pl": OfParticles(1, 1, "GeV/c", "pl(pi+)", "momentum along the probe"),
    }
)
"""Quantities of particles that are named, or of classes of `forefold.particles`."""


def of_words(*ends: str) -> Mapping[str, Callable[[list[str]], str]]:
    """Readers of `OF_PARTICLES` for `forefold.expressions.parse`.

    Parameters
    ----------
    *ends : {"", "_true", "_reco"}
        How names may end: ``mass(mu-, mu+)``, ``mass_true(mu-, mu+)``, ``mass_reco(mu-, mu+)``.
    """
    return {f"{name}{end}": partial(_read, name, end) for name in OF_PARTICLES for end in ends}


def _read(name: str, end: str, words: list[str]) -> str:
    """Check particles, and name the quantity."""
    needs = OF_PARTICLES[name]
    if len(words) < needs.least or (needs.most is not None and len(words) > needs.most):
        given = f"{len(words)} particles given" if words else "particles are needed"
        message = f"{given}: write {needs.usage.replace('(', f'{end}(', 1)}"
        raise ValueError(message)
    for word in words:
        if word not in species.CLASSES and not word.lstrip("-").isdecimal():
            species.pdgid(word)
    return f"{name}{end}({', '.join(words)})"


def sided(name: str, side: Side) -> str:
    """Name of a quantity on one side.

    Examples
    --------
    >>> sided("q2", "reco"), sided("mass(mu-, mu+)", "true")
    ('q2_reco', 'mass_true(mu-, mu+)')
    """
    what, opening, words = name.partition("(")
    return f"{what}_{side}{opening}{words}"


def unit_of(name: str) -> str:
    """Give the unit of an observable, or of a quantity of particles, with or without a side; empty where it has none or is not known.

    Examples
    --------
    >>> unit_of("q2"), unit_of("angle_reco(mu-, p)"), unit_of("theta_true"), unit_of("weight")
    ('GeV^2', 'rad', 'rad', '')
    """
    base, _ = parted(name)
    known = OBSERVABLES.get(base) or OF_PARTICLES.get(base.partition("(")[0])
    return known.unit if known else ""


def parted(name: str) -> tuple[str, Side | None]:
    """Part a name and its side, None where it says none.

    Examples
    --------
    >>> parted("q2_reco"), parted("mass_true(mu-, mu+)"), parted("weight")
    (('q2', 'reco'), ('mass(mu-, mu+)', 'true'), ('weight', None))
    """
    what, opening, words = name.partition("(")
    for side in SIDES:
        if what.endswith(f"_{side}"):
            return f"{what.removesuffix(f'_{side}')}{opening}{words}", side
    return name, None
