"""A card with one rule for each family of distributions, each with another way of using it. The numbers are those of no detector."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forefold.detector import Card
from forefold.detector.compile import compile_card
from forefold.events import particles as species
from forefold.kernels.layout import TrueParticles
from forefold.kernels.philox import stream_keys
from forefold.smearing.engine import SmearedParticles, smear_particles

ANGLE = {"convention": "polar", "distribution": "normal", "sigma_deg": 5.0}
ROWS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "log-normal": ("mu-", {"of": "kinetic", "distribution": "log-normal", "constant": 0.2, "stochastic": 0.1}, {"efficiency": 0.9}),
    "normal": ("mu+", {"of": "total", "distribution": "normal", "stochastic": 0.3, "scale": 1.1}, {}),
    "normal clamped": ("pi-", {"of": "total", "distribution": "normal", "constant": 0.5, "below_mass": "clamp"}, {}),
    "truncated-normal": ("pi+", {"of": "momentum", "distribution": "truncated-normal", "constant": 0.4, "low": 0.2}, {}),
    "crystal-ball": ("p", {"of": "kinetic", "distribution": "crystal-ball", "sigma": "0.1 + 0.05 * KE", "alpha_low": "1 + 0.2 * KE", "n_low": 3.0}, {"threshold": {"kinetic_energy": {"ge": 0.5}}}),
    "exponential": ("n", {"of": "visible", "distribution": "exponential", "constant": 0.3, "tail": "low", "offset": 0.05}, {}),
    "uniform": ("K+", {"of": "momentum", "distribution": "uniform", "noise": 0.1, "constant": 0.1, "sum": "linear"}, {}),
    "tabulated": ("K-", {"of": "kinetic", "distribution": "tabulated", "table": "migration"}, {}),
    "none": ("gamma", {"of": "total", "distribution": "none", "scale": 0.7}, {"threshold": {"reco": {"kinetic_energy": {"ge": 0.55}}}}),
    "inverse momentum": ("e-", {"of": "inverse-momentum", "distribution": "normal", "constant": 0.3}, {"threshold": {"reco": {"momentum": {"ge": 0.4}}}}),
    "mixture": ("e+", {"distribution": "mixture", "parts": [{"weight": "0.6 + 0.1 * min(E, 2)", "of": "total", "distribution": "normal", "constant": 0.05}, {"of": "kinetic", "distribution": "log-normal", "constant": 0.4}]}, {}),
}  # fmt: skip


def families_card() -> Card:
    rules: list[dict[str, Any]] = [
        {
            "name": name,
            "type": name,
            "particles": [particle],
            "source": "me",
            "energy": energy,
            "angle": ANGLE,
            **more,
        }
        for name, (particle, energy, more) in ROWS.items()
    ]
    last = {**rules[0], "name": "last", "particles": ["other"]}
    return Card.model_validate(
        {
            "schema": 1,
            "name": "families",
            "title": "one rule a family",
            "sources": {"me": "an example"},
            "tables": {
                "migration": {
                    "axes": [(0.0, 1.0, 2.0, 4.0), (0.0, 0.5, 1.5, 3.0)],
                    "values": ((3.0, 1.0, 0.0), (1.0, 5.0, 2.0), (0.0, 1.0, 4.0)),
                    "normalise": True,
                }
            },
            "rule": [*rules, last],
        }
    )


def drawn(
    card: Card, particle: str, kinetic: NDArray[np.float64], rng: int, first: int = 0
) -> SmearedParticles:
    """Smear one kind of particle that flies along the axis."""
    pdgid = species.pdgid(particle)
    mass = species.mass(pdgid)
    n = kinetic.size
    energy = kinetic + mass
    truth = TrueParticles(
        stream_keys(rng, np.zeros(n, np.int64)),
        np.arange(first, first + n, dtype=np.uint64),
        np.zeros(n, np.uint64),
        np.zeros(n, np.int64),
        np.zeros(n),
        np.zeros(n),
        np.sqrt(kinetic * (energy + mass)),
        energy,
        np.zeros(n, np.int64),
        np.array([[0.0, 0.0, 1.0]]),
    )
    fate = np.zeros(n, np.uint16)
    return smear_particles(truth, np.array([pdgid]), fate, compile_card(card))
