"""The checks of the contract find what they are there to find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from forefold.response import Composition, Response, Smear
from forefold.response import contract as testing
from forefold.response import distributions as families

TRUE = [0.7, 1.5, 3.0]


def broken(name: str, change: Callable[..., Any]) -> Response:
    """Make a response of which one method is changed."""

    def method(self: Smear, *args: Any) -> Any:
        return change(getattr(Smear, name)(self, *args), *args)

    kind = type("Broken", (Smear,), {name: method})
    made: Response = kind(families.Normal(), 0.2, efficiency=0.9)
    return made


@pytest.mark.parametrize(
    ("check", "name", "change", "message"),
    [
        (testing.check_efficiency, "_efficiency", lambda e, _: 1.2 * e, "not within"),
        (testing.check_efficiency, "_efficiency", lambda e, _: e[..., None], "shape"),
        (testing.check_cdf, "_cdf", lambda c, *_: 1.0 - c, "does not rise"),
        (testing.check_cdf, "_cdf", lambda c, *_: 0.9 * c, "end at 1"),
        (testing.check_cdf, "_between", lambda p, *_: 0.9 * p, "sum to"),
        (testing.check_pdf, "_pdf", lambda p, *_: 1.001 * p, "slope"),
        (testing.check_pdf, "_pdf", lambda p, *_: -p, "negative"),
        (testing.check_ppf, "_ppf", lambda x, *_: x + 1e-6, "differs|above"),
        (testing.check_ppf, "_ppf", lambda x, *_: x - 1e-6, "below"),
        (testing.check_matrix, "_between", lambda p, *_: 0.98 * p, "rows sum"),
        (testing.check_samples, "_sample", lambda x, *_: x + 0.01, "chi2"),
        (testing.check_samples, "_sample", lambda x, t, _: x + 1e-9 * t.size, "beside"),
        (testing.check_samples, "_efficiency", lambda e, *_: e - 0.01, "chi2"),
        (testing.check_then, "bin_probabilities", lambda p, *_: 0.9 * p, "product"),
    ],
)
def test_finds(
    check: Callable[..., None], name: str, change: Callable[..., Any], message: str
) -> None:
    response = broken(name, change)
    if name == "_efficiency" and check is testing.check_samples:
        drawn = Smear(families.Normal(), 0.2, efficiency=0.9)
        object.__setattr__(response, "sample", drawn.sample)
    with pytest.raises(AssertionError, match=message):
        check(response, TRUE)


def test_finds_a_then_that_is_not_associative() -> None:
    class Odd(Smear):
        def then(self, other: Response) -> Response:
            shift = 0.1 if isinstance(other, Composition) else 0.0
            return Composition((Smear(families.Normal(), 0.2 + shift), other))

    with pytest.raises(AssertionError, match="associative"):
        testing.check_then(Odd(families.Normal(), 0.2), TRUE)
