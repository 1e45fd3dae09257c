"""Families of distributions: what is observed around a location, with a width.

A family is a frozen object; its methods take arrays (x, location, sigma) that broadcast: `pdf`, `cdf`, `ppf`, `mean`,
`std`, exact `bin_probabilities`, and `sample`, which makes draws from given uniforms with the engine's bits.

>>> from forefold.response.distributions import CrystalBall
>>> family = CrystalBall(alpha_low=1.5, n_low=4.0)
>>> family.bin_probabilities([0.0, 0.9, 1.1, 2.0], location=1.0, sigma=0.1).round(4).tolist()
[0.1959, 0.6512, 0.1513]

Plain functions of the closed forms (`log_normal_pdf` and others) stand beside them; widths are relative where the word is
*resolution*.
"""

from __future__ import annotations

from forefold.response.distributions.base import Family
from forefold.response.distributions.closed import (
    log_normal_pdf,
    normal_pdf,
    resolution,
    truncated_normal_pdf,
)
from forefold.response.distributions.continuous import (
    CrystalBall,
    Exponential,
    LogNormal,
    Normal,
    TruncatedNormal,
    Uniform,
)
from forefold.response.distributions.discrete import Identity, Tabulated
from forefold.response.distributions.mixture import Mixture

__all__ = [
    "CrystalBall",
    "Exponential",
    "Family",
    "Identity",
    "LogNormal",
    "Mixture",
    "Normal",
    "Tabulated",
    "TruncatedNormal",
    "Uniform",
    "log_normal_pdf",
    "normal_pdf",
    "resolution",
    "truncated_normal_pdf",
]
