"""A card of two rules, as text."""

from __future__ import annotations

from pathlib import Path

GOOD = """
schema = 1
name = "mine"
title = "A card"

[sources]
me = "a test"

[[rule]]
name = "muon"
type = "mu"
particles = ["mu-", -13]
source = "me"
when.momentum = { ge = 0.1, lt = 2.0 }
threshold.kinetic_energy.gt = 0.05
efficiency = 0.9
energy = { of = "kinetic", distribution = "normal", constant = 0.1, stochastic = 0.2, scale = 0.8 }
angle = { convention = "polar", distribution = "normal", sigma_deg = 2.0 }

[[rule]]
name = "rest"
type = "other"
particles = ["other"]
source = "me"
energy = { of = "total", distribution = "none" }
angle = { convention = "polar", distribution = "normal", sigma_deg = 0.0 }
"""


def write(folder: Path, text: str, name: str = "card.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
