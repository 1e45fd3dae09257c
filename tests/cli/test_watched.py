"""Toys that somebody watches: the same numbers, and how far they are."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from forefold import Experiment
from forefold.cli.progress import Watched, progress, watched
from forefold.kernels import jit


def test_the_numbers_are_the_same_and_all_is_reported() -> None:
    told: list[tuple[float | None, int]] = []
    experiment = Experiment([10.0], [[1.0]], background=[3.0])
    settings: dict[str, Any] = {
        "method": "feldman-cousins",
        "toys": 50,
        "rng": 1,
        "points": [0.1, 0.3, 0.6],
    }
    ours = experiment.interval(
        [5.0], executor=Watched(lambda f, n: told.append((f, n))), **settings
    )
    assert ours.p_values.tolist() == experiment.interval([5.0], **settings).p_values.tolist()
    assert [n for _, n in told] == [1, 2, 3]
    assert told[-1][0] == 1.0


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


def test_a_terminal_shows_points_and_a_pipe_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with watched("toys") as pool:
        assert pool is None
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with watched("toys", quiet=True) as pool:
        assert pool is None
    with watched("toys") as pool:
        assert pool is not None
        assert list(pool.map(pow, (2, 3), (3, 2))) == [8, 9]
    assert "toys" in terminal.getvalue()
    assert "2 points" in terminal.getvalue()
