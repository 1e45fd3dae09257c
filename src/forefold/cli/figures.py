"""Names of the figures that can be drawn."""

from __future__ import annotations

__all__ = ["FIGURES"]

FIGURES = {
    "log-normal": "log-normal against truncated Gaussian (figure 2)",
    "angle-gaussians": "angular Gaussians of 5 and 2 degrees (figure 4)",
    "energy": "event energy, all particles (figures 5-7)",
    "energy-by-type": "event energy by particle type (figures 5-7)",
    "angle": "polar angle, all particles (figures 8-11)",
    "angle-by-type": "polar angle by particle type (figures 8-11)",
    "resolution": "bias and resolution against true energy, by particle type",
}
"""Figures of ``forefold plot``; the numbers are those of arXiv:2209.05260."""
