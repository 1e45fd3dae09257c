"""One contract over every registered response."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forefold.response import contract as testing
from forefold.response import registered

RESPONSES = registered()
TRUE = st.lists(st.floats(0.2, 6.0), min_size=1, max_size=4)
pytestmark = pytest.mark.parametrize("name", RESPONSES)


@given(true=TRUE)
@settings(max_examples=20, deadline=None)
def test_efficiency(name: str, true: list[float]) -> None:
    testing.check_efficiency(RESPONSES[name], true)


@given(true=TRUE)
@settings(max_examples=10, deadline=None)
def test_faces_agree(name: str, true: list[float]) -> None:
    testing.check_cdf(RESPONSES[name], true)
    testing.check_pdf(RESPONSES[name], true)
    testing.check_ppf(RESPONSES[name], true)


@given(true=st.tuples(st.floats(0.2, 2.0), st.floats(2.5, 6.0)))
@settings(max_examples=3, deadline=None)
def test_matrix(name: str, true: tuple[float, float]) -> None:
    testing.check_matrix(RESPONSES[name], true)


def test_samples_follow_the_matrix(name: str) -> None:
    testing.check_samples(RESPONSES[name], [0.2, 4.0])


def test_then(name: str) -> None:
    testing.check_then(RESPONSES[name], [1.3])
