"""What files of events hold most: names, masses and kinds of particles that are known without a table.

It takes longer to load the table of the `particle` package than to smear a small file; and a mass that every file needs does not
change with the release of a package.
"""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["BARYONS", "MASSES", "MESONS", "NAMES", "OWN_ANTIPARTICLES", "is_common"]

NAMES = MappingProxyType(
    {
        "e-": 11, "e+": -11, "mu-": 13, "mu+": -13, "tau-": 15, "tau+": -15,
        "nu(e)": 12, "nu(mu)": 14, "nu(tau)": 16, "gamma": 22,
        "pi0": 111, "pi+": 211, "pi-": -211,
        "K0": 311, "K~0": -311, "K+": 321, "K-": -321, "K(L)0": 130, "K(S)0": 310,
        "p": 2212, "n": 2112, "p~": -2212, "n~": -2112,
        "Lambda": 3122, "Sigma+": 3222, "Sigma0": 3212, "Sigma-": 3112, "Xi-": 3312, "Ar40": 1000180400,
    }
)  # fmt: skip
"""Names that cards and samples use most, as in the table."""

MASSES = MappingProxyType(
    {
        11: 0.51099895069,
        13: 105.6583755,
        15: 1776.93,
        12: 0.0,
        14: 0.0,
        16: 0.0,
        22: 0.0,
        111: 134.9768,
        211: 139.57039,
        311: 497.611,
        321: 493.677,
        130: 497.611,
        310: 497.611,
        2212: 938.27208943,
        2112: 939.5654219,
        3122: 1115.683,
        3222: 1189.37,
        3212: 1192.642,
        3112: 1197.449,
        3312: 1321.71,
        221: 547.862,
        113: 775.26,
        213: 775.11,
        223: 782.66,
        331: 957.78,
        333: 1019.46,
        411: 1869.66,
        421: 1864.84,
        431: 1968.35,
        1114: 1232.0,
        2114: 1232.0,
        2214: 1232.0,
        2224: 1232.0,
        3322: 1314.86,
        3334: 1672.45,
        4122: 2286.46,
        4112: 2453.75,
        4212: 2452.65,
        4222: 2453.97,
        1000010020: 1876.1239303,
        1000010030: 2809.4321221,
        1000020030: 2809.4135301,
        1000020040: 3728.4013307,
        1000060120: 11177.9292446,
        1000070140: 13043.7808689,
        1000080160: 14899.1686574,
        1000180390: 36295.0278149,
        1000180400: 37224.7242487,
        1000190390: 36294.4628498,
        1000260560: 52103.0626474,
        1000822080: 193729.0250491,
    }
)
"""Masses in MeV, of antiparticles too: Particle Data Group 2026, and the nuclei of AME, as in ``particle`` 1.1.0."""

MESONS = frozenset({111, 211, 311, 321, 130, 310, 221, 113, 213, 223, 331, 333, 411, 421, 431})
"""Mesons in `MASSES`."""

BARYONS = frozenset(
    {
        2212,
        2112,
        3122,
        3222,
        3212,
        3112,
        3312,
        1114,
        2114,
        2214,
        2224,
        3322,
        3334,
        4122,
        4112,
        4212,
        4222,
    }
)
"""Baryons in `MASSES`, but no nuclei."""

OWN_ANTIPARTICLES = frozenset({22, 111, 130, 310, 221, 113, 223, 331, 333})
"""Particles in `MASSES` of which there is no negative identifier."""


def is_common(pdg: int) -> bool:
    """Whether `MASSES` has this particle or the one whose antiparticle it is.

    Examples
    --------
    >>> is_common(-211), is_common(-111)
    (True, False)
    """
    return pdg in MASSES or (-pdg in MASSES and -pdg not in OWN_ANTIPARTICLES)
