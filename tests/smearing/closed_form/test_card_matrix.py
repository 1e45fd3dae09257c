"""Draws of a card against its exact matrix, one rule a family.

With a random `rng`, each of the chi2 tests would fail by chance once in 10^4.
"""

from __future__ import annotations

import numpy as np
import pytest
from families_card import ROWS, drawn, families_card
from scipy import stats

import forefold
from forefold.events import particles as species

TRUE = np.linspace(0.2, 2.6, 7)
RECO = np.linspace(-0.3, 4.0, 25)
N = 200_000
CHANCE = 1e-4


def chi2_of_rows(name: str, n: int, rng: int, chunk: int = 1_000_000) -> tuple[float, int]:
    """Chi2 of drawn kinetic energies, with what is lost as a bin of its own, and degrees of freedom."""
    card, particle = families_card(), ROWS[name][0]
    exact = forefold.card_response(card, particle).matrix(TRUE, RECO).values(flow=True)
    mass = species.mass(species.pdgid(particle))
    counts = np.zeros((TRUE.size - 1, RECO.size + 2))
    generator = np.random.default_rng(rng)
    for first in range(0, n, chunk):
        true = generator.uniform(TRUE[0], TRUE[-1], min(chunk, n - first))
        out = drawn(card, particle, true, rng, first).out
        seen = (out.fate & 1) != 0
        reco = np.where(seen, out.energy_reco - mass, np.nan)
        place = np.where(seen, np.searchsorted(RECO, reco, side="right"), RECO.size + 1)
        row = np.searchsorted(TRUE, true, side="right") - 1
        np.add.at(counts, (row, place), 1.0)
    total = counts.sum(axis=1, keepdims=True)
    expected = total * np.column_stack([exact, 1.0 - exact.sum(axis=1)])
    few = expected < 10.0
    chi2, degrees = 0.0, 0
    for c, e, f in zip(counts, expected, few, strict=True):
        assert c[e < 1e-9].sum() == 0
        merged = [*zip(c[~f], e[~f], strict=True)]
        if e[f].sum() >= 10.0:
            merged.append((c[f].sum(), e[f].sum()))
        chi2 += sum((a - b) ** 2 / b for a, b in merged)
        degrees += len(merged) - 1
    return float(chi2), degrees


@pytest.mark.parametrize("name", ROWS)
def test_draws_follow_the_exact_matrix(name: str) -> None:
    chi2, degrees = chi2_of_rows(name, N, rng=3)
    assert stats.chi2.sf(chi2, degrees) > CHANCE, (chi2, degrees)


@pytest.mark.parametrize("name", ROWS)
def test_rows_sum_to_the_efficiency(name: str) -> None:
    response = forefold.card_response(families_card(), ROWS[name][0])
    rows = response.matrix(TRUE, RECO).values(flow=True)
    share = (np.arange(4000) + 0.5) / 4000
    at = TRUE[:-1, None] + share * np.diff(TRUE)[:, None]
    assert np.abs(rows.sum(axis=1) - response.efficiency(at).mean(axis=1)).max() < 1e-3
