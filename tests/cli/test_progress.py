"""Toys that somebody watches: the same numbers, and how far they are."""

from __future__ import annotations

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import forefold
from forefold import Experiment, Parameter
from forefold.cli.progress import progress
from forefold.kernels import jit

Told = list[tuple[float | None, int]]


def search() -> Experiment:
    known = {"b": Parameter(1.0, lower=0.0, constraint=(1.0, 0.2))}
    return Experiment({"s": [10.0]}, [[1.0]], background={"b": [3.0]}, parameters=known)


ASKED: dict[str, tuple[Any, int | None]] = {
    # two fits a toy and a point
    "interval": (
        lambda e, **how: e.interval(
            [5.0], method="feldman-cousins", toys=50, rng=1, points=[0.1, 0.3, 0.6], **how
        ),
        300,
    ),
    "interval that goes on": (
        lambda e, **how: e.interval([5.0], method="feldman-cousins", toys=10, rng=1, **how),
        None,
    ),
    # nobody knows at how many values
    "limit": (lambda e, **how: e.upper_limit([5.0], toys=50, rng=1, **how), None),
    "coverage": (lambda e, **how: e.coverage(toys=300, rng=1, **how), 600),
    "limits of toys": (
        lambda e, **how: e.expected_limit(method="profile", toys=600, rng=1, **how),
        600,
    ),
    "expected": (lambda e, **how: e.expected_limit(toys=30, rng=1, **how), None),
}


@pytest.mark.parametrize("what", ASKED)
def test_the_numbers_are_the_same_and_all_is_reported(what: str) -> None:
    ask, total = ASKED[what]
    told: Told = []
    ours = ask(search(), progress=lambda part, done: told.append((part, done)))
    assert repr(ours) == repr(ask(search()))
    done = [n for _, n in told]
    assert done == sorted(set(done))
    parts = [part for part, _ in told if part is not None]
    assert parts == sorted(parts)
    assert max(parts, default=0.0) <= 1.0
    if total is not None:
        assert told[-1] == (1.0, total)


def test_work_of_others_is_reported_when_it_comes() -> None:
    for what in ("interval", "coverage"):
        ask, total = ASKED[what]
        told: Told = []
        with ThreadPoolExecutor(2) as pool:
            ours = ask(search(), executor=pool, progress=lambda *how: told.append(how))  # noqa: B023
        assert repr(ours) == repr(ask(search()))
        assert told[-1] == (1.0, total)


def test_a_closure_is_reported() -> None:
    told: Told = []
    methods: dict[str, dict[str, Any]] = {
        "a": {"method": "inversion"},
        "b": {"method": "bayes", "iterations": 2},
    }
    settings: dict[str, Any] = {"toys": 10, "rng": 1}
    matrix, truth = np.array([[0.8, 0.2], [0.1, 0.9]]), [40.0, 90.0]
    found = forefold.closure(
        truth, matrix, methods, **settings, progress=lambda *how: told.append(how)
    )
    assert repr(found) == repr(forefold.closure(truth, matrix, methods, **settings))
    assert told == [(n / 20, n) for n in range(1, 21)]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_says_that_something_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(jit, "_cached", {})
    kernel = jit.Kernel(slowly, {})
    with progress("smearing") as report:
        assert report is not None
        assert kernel(1.0) == 2.0
    assert "compiling kernels, once" in terminal.getvalue()
    assert not jit.watchers


def slowly(x: float) -> float:
    return x + x


def test_a_terminal_shows_fits_and_a_pipe_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with progress("toys", of="fits") as report:
        assert report is None
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress("toys", quiet=True, of="fits") as report:
        assert report is None
    with progress("toys", of="fits") as report:
        search().upper_limit([5.0], toys=50, rng=1, progress=report)
    assert "toys" in terminal.getvalue()
    assert "fits" in terminal.getvalue()
