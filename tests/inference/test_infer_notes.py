"""Fits and limits say what they leave out: few counts, few toys, bins that are not independent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from forefold import Experiment, Parameter, ResponseMatrix
from forefold.inference import poisson_upper_limit


def one_bin(background: float) -> Experiment:
    return Experiment([1.0], [[1.0]], background=[background])


@pytest.mark.parametrize("method", ["cls", "profile"])
@pytest.mark.parametrize(("seen", "background"), [(0.0, 0.0), (0.0, 3.0), (5.0, 3.0), (2.0, 9.0)])
def test_asymptotic_limits_of_few_counts_say_what_to_take(
    method: str, seen: float, background: float
) -> None:
    found = one_bin(background).upper_limit([seen], method=method)
    (note,) = found.notes
    assert note.startswith(f"asymptotic formulae, but about {max(seen, background):g} counts")
    wrong = "one of 95 % is one of 92 %" if method == "profile" else "in one bin by 6 to 9 % with 8"
    assert wrong in note
    assert ("toys=10000, --toys 10000" in note) == (method == "cls")
    assert "method bayes" in note
    assert found.to_dict()["notes"] == [note]
    assert repr(found).endswith(f"  note: {note}")


@pytest.mark.parametrize(("seen", "background"), [(12.0, 3.0), (20.0, 20.0), (11.0, 0.0)])
def test_many_counts_have_no_note_and_are_right_to_five_percent(
    seen: float, background: float
) -> None:
    found = one_bin(background).upper_limit([seen])
    assert found.notes == ()
    assert found.value == pytest.approx(poisson_upper_limit(int(seen), background), rel=0.05)


@pytest.mark.parametrize(("seen", "background"), [(0, 2e3), (3, 1e4), (100, 1e5)])
def test_formulae_hold_where_both_tails_have_no_number(seen: int, background: float) -> None:
    # 45 to 315 standard deviations below; the exact limit is -ln 0.05 and a little more
    found = one_bin(background).upper_limit([seen])
    assert found.value == pytest.approx(poisson_upper_limit(seen, background), rel=2e-3)
    assert found.value == pytest.approx(-math.log(0.05), rel=2e-3)


@pytest.mark.parametrize("background", [10.0, 20.0, 100.0])
def test_downward_fluctuations_are_no_worse_where_many_are_expected(background: float) -> None:
    for seen in (0, 2, 5, 8, int(background)):
        found = one_bin(background).upper_limit([seen])
        assert found.notes == ()
        # 8 % with 10 expected, and less with more
        low = found.value / poisson_upper_limit(seen, background) - 1.0
        assert -0.253 / math.sqrt(background) < low < 0.0
        # formulae for a limit by profile do not cover less there, but more
        assert one_bin(background).upper_limit([seen], method="profile").notes == ()


@pytest.mark.parametrize(
    ("counts", "least", "most"), [(0, 0.35, 0.36), (5, 0.083, 0.112), (8, 0.058, 0.09)]
)
def test_the_larger_of_observed_and_expected_says_how_far_formulae_are_off(
    counts: int, least: float, most: float
) -> None:
    pairs = [(n, counts) for n in range(counts + 1)] + [(counts, b) for b in range(counts)]
    for n, background in pairs:
        found = one_bin(float(background)).upper_limit([n])
        assert least < 1.0 - found.value / poisson_upper_limit(n, background) < most
        assert f"about {counts} counts, observed or expected without signal" in found.notes[0]


def test_counts_are_those_where_the_signal_is() -> None:
    beside = Experiment([1.0, 0.0], np.eye(2), background=[1.0, 1000.0])
    assert "about 2 counts" in beside.upper_limit([2.0, 1000.0]).notes[0]
    # six bins of three counts are eighteen
    equal = Experiment(np.ones(6), np.eye(6), background=np.full(6, 3.0))
    assert equal.upper_limit(np.full(6, 3.0)).notes == ()
    bayes = one_bin(0.0).upper_limit([0.0], method="bayes")
    assert bayes.notes == ()


def test_a_limit_by_toys_has_the_error_of_its_tails() -> None:
    toys, background = 200, 3.0
    found = one_bin(background).upper_limit([3.0], toys=toys, rng=1)
    # with the closed form: the shares of Poisson, and the slope of CLs
    mean = background + found.value

    def tail(mu: float) -> float:
        return sum(math.exp(-mu) * mu**n / math.factorial(n) for n in range(4))

    both, alone = tail(mean), tail(background)
    slope = math.exp(-mean) * mean**3 / 6.0 / both
    wanted = (
        math.hypot(*(math.sqrt((1.0 - share) / (toys * share)) for share in (both, alone))) / slope
    )
    # the share with signal is about 0.03: 6 of 200 toys, known to 40 %, so that its error is known to 20 %
    assert found.error == pytest.approx(wanted, rel=0.6)
    assert abs(found.value - poisson_upper_limit(3, background)) < 5.0 * wanted
    assert f"{found.value:.4g} +- {found.error:.2g} at 95 %" in repr(found)
    assert found.notes[0].endswith("of 200 toys are in the tail that decides: throw more")


def test_counts_where_nothing_is_expected_are_said() -> None:
    edges = np.arange(4.0)
    matrix = ResponseMatrix.from_array([[0.5, 0.3, 0.0]], [0.0, 1.0], edges, entries=50.0)
    found = Experiment([100.0], matrix).fit([50.0, 30.0, 2.0])
    (note,) = found.notes
    assert note.startswith("2 counts in 1 bins where nothing is expected, the first ")
    assert Experiment([100.0], matrix).fit([50.0, 30.0, 0.0]).notes == ()
    # a posterior of the rows expects something everywhere, and the fit holds
    other = Experiment([100.0], matrix, statistics="dirichlet").fit([50.0, 30.0, 2.0])
    assert other.deviance < 0.2 * found.deviance


def test_limits_and_intervals_say_so_of_impossible_counts_too() -> None:
    # signal and background are 0 in the last bin
    experiment = Experiment({"s": [5.0, 3.0]}, np.eye(3)[:2], background=[20.0, 15.0, 0.0])
    data = [25.0, 17.0, 2.0]
    answers: list[Any] = [
        experiment.interval(data),
        experiment.interval(data, method="feldman-cousins", points=[0.0, 1.0, 8.0], toys=4, rng=1),
        *(experiment.upper_limit(data, method=method) for method in ("cls", "profile", "bayes")),
        experiment.upper_limit(data, toys=4, rng=1),
    ]
    for found in answers:
        assert found.valid
        note = found.notes[-1]
        assert note.startswith("2 counts in 1 bins where nothing is expected, the first bin 2 ")
    assert experiment.interval([25.0, 17.0, 0.0]).notes == ()
    assert experiment.upper_limit([25.0, 17.0, 0.0]).notes == ()


def test_negative_expectations_are_no_fit() -> None:
    below = {"s": Parameter(0.0, lower=-1.0)}
    experiment = Experiment({"s": [5.0, 3.0]}, np.eye(2), background=[1.0, 2.0], parameters=below)
    fit = experiment.fit([0.0, 0.0])
    assert not fit.valid
    assert "NOT valid" in repr(fit)
    answers: list[Any] = [
        experiment.interval([0.0, 2.0]),
        *(experiment.upper_limit([0.0, 2.0], method=method) for method in ("profile", "bayes")),
    ]
    for found in (fit, *answers):
        assert not found.valid
        assert found.to_dict()["valid"] is False
        (note,) = [text for text in found.notes if "expects -" in text]
        assert note.startswith("bin 0 (reco 0 to 1) expects -")
        assert "no mean of a Poisson variable" in note
    inside = Experiment(
        {"s": [5.0, 3.0]},
        np.eye(2),
        background=[1.0, 2.0],
        parameters={"s": Parameter(0.0, lower=-0.2)},
    )
    assert inside.fit([0.0, 2.0]).valid
    assert inside.upper_limit([0.0, 2.0], method="profile").valid
    assert inside.interval([0.0, 2.0]).valid
