"""Scores where log p has no derivative: at a kink, and at a limit of a parameter."""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np
import pytest
from numpy.typing import NDArray

import forefold
from forefold import events
from forefold.detector import Card
from forefold.events import particles as species


def card(efficiency: str, value: float, limits: tuple[float, float] | None = None) -> Card:
    parameter: dict[str, Any] = {"value": value, "uncertainty": 0.01}
    rule = {
        "name": "all",
        "type": "all",
        "particles": ["other"],
        "source": "me",
        "efficiency": efficiency,
        "energy": {"of": "total", "distribution": "log-normal", "constant": 0.1},
        "angle": {"convention": "none", "distribution": "none"},
    }
    return Card.model_validate(
        {
            "schema": 1,
            "name": "kinked",
            "title": "an efficiency with a kink",
            "sources": {"me": "an example"},
            "parameters": {"a": parameter | ({"limits": limits} if limits else {})},
            "rule": [rule],
        }
    )


def muons(n: int = 500) -> ak.Array:
    mass, p = species.mass(13), np.linspace(0.3, 2.0, n)
    return events.build(
        pdgid=np.full(n, 13),
        px=0.0,
        py=0.0,
        pz=p,
        energy=np.hypot(p, mass),
        counts=np.ones(n, dtype=int),
        probe=14,
        probe_momentum=(0.0, 0.0, 3.0, 3.0),
    )


def score(of: Card, n: int = 500) -> NDArray[np.float64]:
    true = muons(n)
    found = forefold.scores(true, forefold.smear(true, of, rng=1))["a"]
    return np.asarray(found)


def test_kink_at_the_value_is_told() -> None:
    where = r"card kinked: parameter a = 1: .* for 500 of 500 particles \(sums 500 from below, 0 from above\)"
    with pytest.warns(UserWarning, match=where):
        found = score(card("min(1, a * 1)", 1.0))
    assert found == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("value", [0.7, 1.3])
def test_away_from_a_kink_nothing_is_said(value: float) -> None:
    made = card("min(1, a * 1)", value)
    true = muons()
    drawn = forefold.smear(true, made, rng=1)
    seen = ak.to_numpy(ak.all(~ak.is_none(drawn.particles.energy_reco, axis=1), axis=1))
    wanted = np.where(seen, 1.0 / value, -1.0 / (1.0 - value)) if value < 1.0 else np.zeros(500)
    assert np.asarray(forefold.scores(true, drawn)["a"]) == pytest.approx(wanted, rel=1e-7)


def test_parameter_of_no_consequence_has_no_kink() -> None:
    assert not score(card("0.9 + 0 * a", 1.0)).any()


@pytest.mark.parametrize(("value", "limits"), [(1.0, (0.0, 1.0)), (0.5, (0.5, 1.0))])
def test_at_a_limit_the_derivative_is_from_inside(
    value: float, limits: tuple[float, float]
) -> None:
    """An efficiency of 1 has no other side."""
    made = card("a", value, limits)
    true = muons()
    drawn = forefold.smear(true, made, rng=1)
    seen = ak.to_numpy(ak.all(~ak.is_none(drawn.particles.energy_reco, axis=1), axis=1))
    wanted = np.where(seen, 1.0 / value, -1.0 / max(1.0 - value, 1e-9))
    assert np.asarray(forefold.scores(true, drawn)["a"]) == pytest.approx(wanted, rel=1e-5)
