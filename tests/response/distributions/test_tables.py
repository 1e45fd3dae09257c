"""Tables of many rows, and mixtures whose weights are arrays."""

from __future__ import annotations

from typing import Any

import hist
import numpy as np
import pytest

from forefold.response.distributions import Identity, Mixture, Normal, Tabulated


def migration() -> hist.Hist[Any]:
    made: hist.Hist[Any] = hist.Hist(
        hist.axis.Variable([0, 1, 3], name="true"), hist.axis.Regular(4, 0, 4, name="reco")
    )
    made.values()[...] = [[6, 2, 0, 0], [0, 1, 1, 2]]
    return made


def test_rows_by_location() -> None:
    family = Tabulated.from_histogram(migration())
    assert family.bin_probabilities(np.arange(5.0), [0.5, 2.0], 0.0).tolist() == [
        [0.75, 0.25, 0.0, 0.0],
        [0.0, 0.25, 0.25, 0.5],
    ]
    assert family.ppf(0.5, [0.5, 2.0], 0.0).tolist() == pytest.approx([2 / 3, 3.0])
    assert family.ppf([0.0, 1.0], 0.5, 0.0).tolist() == [0.0, 2.0]
    assert np.isnan(family.cdf(1.0, [-0.1, 3.0, np.nan], 0.0)).all()
    assert np.isnan(family.sample([0.5, 0.5], [-0.1, 3.0], 0.0)).all()
    assert family.pdf([0.5, 5.0], 0.5, 0.0).tolist() == [0.75, 0.0]


def test_no_draw_in_an_empty_bin() -> None:
    family = Tabulated([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 0.1, 0.7, 0.0])
    x = family.sample([2.0**-53, 0.999999, 1 - 2.0**-53], 0.0, 0.0)
    assert np.all((x >= 1.0) & (x <= 3.0))
    assert family.ppf(1.0, 0.0, 0.0) == 3.0


def test_an_empty_row_is_nan() -> None:
    family = Tabulated([0.0, 1.0], [[0.0], [1.0]], rows=[0.0, 1.0, 2.0])
    assert np.isnan(family.cdf(0.5, 0.5, 0.0))
    assert np.isnan(family.sample([0.5], 0.5, 0.0)).all()
    assert np.isnan(family.mean(0.5, 0.0))
    assert family.cdf(0.5, 1.5, 0.0) == 0.5


def test_three_axes_are_too_many() -> None:
    made: hist.Hist[Any] = hist.Hist(*(hist.axis.Regular(1, 0, 1) for _ in range(3)))
    with pytest.raises(ValueError, match="3 axes"):
        Tabulated.from_histogram(made)


def test_weights_may_be_arrays() -> None:
    weight = np.array([0.0, 0.25, 1.0])
    family = Mixture((Normal(), Normal()), (weight, 1.0 - weight), shifts=(0.0, 2.0))
    assert np.allclose(family.mean(0.0, 1.0), 2.0 * (1.0 - weight))
    assert family.bin_probabilities([-np.inf, 0.0, np.inf], np.zeros(3), 1.0).shape == (3, 2)
    u = np.full((2, 3), 0.5)
    assert family.sample(u, 0.0, 1.0).tolist() == [2.0, 2.0, 0.0]
    middle = family.ppf(0.5, 0.0, 1.0)
    assert np.allclose(family.cdf(middle, 0.0, 1.0), 0.5, atol=1e-15)


def test_no_weight_at_all_is_nan() -> None:
    family = Mixture((Normal(),), (np.array([0.0, 1.0]),))
    assert np.isnan(family.cdf(0.0, 0.0, 1.0)).tolist() == [True, False]
    assert np.isnan(family.sample(np.full((2, 2), 0.5), 0.0, 1.0)).tolist() == [True, False]


def test_a_point_beside_a_bulk() -> None:
    family = Mixture((Identity(), Normal()), (0.5, 0.5))
    assert family.ppf(0.5, 1.0, 0.1) == 1.0
    assert family.bin_probabilities([-np.inf, 1.0, np.inf], 1.0, 0.1).tolist() == pytest.approx(
        [0.25, 0.75]
    )
    assert family.sample(np.array([[0.2, 0.8], [0.9, 0.5]]), 1.0, 0.1).tolist() == [1.0, 1.0]


def test_they_say_what_they_are() -> None:
    assert (
        str(Tabulated.from_histogram(migration())) == "table of x: 4 bins in 2 rows of the location"
    )
    assert str(Mixture((Normal(), Normal()), (0.5, np.ones(2)))) == (
        "mixture of 0.5 x Normal() (shift 0, width 1) + weights of shape (2,) x Normal() (shift 0, width 1)"
    )


def test_a_mixture_within_a_mixture() -> None:
    inner = Mixture((Normal(), Normal()), (0.5, 0.5), shifts=(-1.0, 1.0))
    outer = Mixture((inner, Identity()), (0.5, 0.5))
    assert outer.n_uniforms == 3
    u = np.array([[0.1, 0.1, 0.9], [0.1, 0.9, 0.5], [0.5, 0.5, 0.5]])
    assert outer.sample(u, 0.0, 1.0).tolist() == [-1.0, 1.0, 0.0]
