"""Draws for arrays of any quantity."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import stats

from forefold.response import Identity, Smear, smear_values
from forefold.response.distributions import Normal, TruncatedNormal


def test_a_position_has_the_width_and_the_losses_it_was_given() -> None:
    # 1e5 draws: each test fails by chance once in 1e4
    true = np.linspace(-300.0, 300.0, 100_000)
    seen = smear_values(Smear(Normal(), sigma=2.0, efficiency=0.9), true, rng=5)
    kept = ~np.isnan(seen)
    assert stats.binomtest(int(kept.sum()), kept.size, 0.9).pvalue > 1e-4
    assert stats.kstest((seen - true)[kept] / 2.0, "norm").pvalue > 1e-4


def test_a_cosine_stays_a_cosine() -> None:
    true = np.full(50_000, 0.95)
    seen = smear_values(Smear(TruncatedNormal(-1.0, 1.0), sigma=0.2), true, rng=6)
    assert (np.abs(seen) <= 1.0).all()
    shape = stats.truncnorm(-1.95 / 0.2, 0.05 / 0.2, loc=0.95, scale=0.2)
    assert stats.kstest(seen, shape.cdf).pvalue > 1e-4


def test_any_pieces_give_the_same_bits_and_other_rng_others() -> None:
    response, true = Smear(Normal(), sigma=1.0, efficiency=0.7), np.zeros(1000)
    whole = smear_values(response, true, rng=2**64 - 1)
    cuts = [0, 1, 400, 1000]
    pieces = [smear_values(response, true[a:b], rng=2**64 - 1, first=a) for a, b in pairwise(cuts)]
    assert np.concatenate(pieces).tobytes() == whole.tobytes()
    assert smear_values(response, true, rng=1).tobytes() != whole.tobytes()


def test_exact_empty_and_from_a_generator() -> None:
    assert smear_values(Identity(), [1.0, 2.0], rng=None).tolist() == [1.0, 2.0]
    assert smear_values(Identity(), [], rng=1).size == 0
    a, b = (
        smear_values(Smear(Normal(), sigma=1.0), [0.0], rng=np.random.default_rng(3))
        for _ in range(2)
    )
    assert a == b


@pytest.mark.parametrize(
    ("true", "options", "message"),
    [
        ([[1.0]], {"rng": 1}, "2 dimensions"),
        ([1.0], {"rng": -1}, "a whole number from 0 to 2"),
        ([1.0], {"rng": 1, "first": -1}, "first: a whole number from 0 on"),
        ([1.0], {"rng": 1, "first": 0.5}, "first: a whole number from 0 on is needed, found 0.5"),
        ([1.0], {"rng": 1, "first": True}, "first: a whole number from 0 on is needed, found True"),
        ([1.0], {"rng": 1, "first": "1"}, "first: a whole number from 0 on is needed, found '1'"),
    ],
)
def test_wrong_input(true: list[float], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        smear_values(Identity(), true, **options)
