"""The same resolution in correctionlib, which is no dependency of forefold: ``pip install correctionlib``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from forefold.kernels.layout import TrueParticles

__all__ = ["WIDTH", "correction"]

WIDTH = 0.15
"""Relative width of the energy, one for all particles."""


def _variable(name: str, kind: str = "real") -> dict[str, str]:
    return {"name": name, "type": kind}


def _resolution() -> dict[str, Any]:
    """Say the log-normal of mean E in the schema of correctionlib: a normal number hashed from the particle, and a formula of it."""
    variance = float(np.log1p(WIDTH**2))
    draw = {"nodetype": "hashprng", "inputs": ["entry", "place"], "distribution": "normal"}
    reco = {
        "nodetype": "formula",
        "expression": f"x*exp({variance**0.5!r}*y-{variance / 2!r})",
        "parser": "TFormula",
        "variables": ["E", "z"],
    }
    inputs = [_variable("E"), _variable("z"), _variable("entry", "int"), _variable("place", "int")]
    return {
        "name": "energy",
        "version": 1,
        "inputs": inputs,
        "output": _variable("energy_reco"),
        "data": {"nodetype": "transform", "input": "z", "rule": draw, "content": reco},
    }


def correction(truth: TrueParticles) -> Callable[[], object]:
    """Make a function that draws an energy for each of these particles.

    Parameters
    ----------
    truth : TrueParticles

    Returns
    -------
    callable

    Raises
    ------
    ModuleNotFoundError
        correctionlib is not installed.
    """
    import correctionlib.schemav2 as schema

    found = schema.Correction.model_validate(_resolution()).to_evaluator()
    zeros = np.zeros(truth.energy.size)
    entry, place = truth.entry.astype(np.int64), truth.place.astype(np.int64)
    return lambda: found.evaluate(truth.energy, zeros, entry, place)
