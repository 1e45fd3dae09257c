"""What the report of a full chain says of bins that cannot be trusted, and what to do about them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import forefold
from forefold.workflows.job import Recipe
from forefold.workflows.pipeline import Chain, How, run_chain
from forefold.workflows.report.warnings import doubts

AXIS = "visible_energy=0:6:4"
FEW = How("bayes", 3, toys=0)
EDGES = {"e": [0.0, 1.0, 2.0]}


@pytest.fixture(scope="module")
def chain(gst_file: Path) -> Chain:
    card = forefold.load_card("nusmear-default")
    return run_chain(gst_file, Recipe(card, 1), true=AXIS, reco=AXIS, how=FEW)


def _mixing(condition: float) -> Any:
    small = (1.0 - 1.0 / condition) / 2.0  # eigenvalues 1 and 1 / condition
    return np.array([[1.0 - small, small], [small, 1.0 - small]])


def _said(
    chain: Chain,
    *,
    condition: float = 2.0,
    shift: float = 0.0,
    noise: float = 0.0,
    counts: Any = (1e6, 1e6),
    entries: Any = 1e6,
    told: dict[str, Any] | None = None,
) -> list[str]:
    """Say what a chain says of another matrix, other data and another change inside bins."""
    told = told or {"method": "inversion"}
    matrix = forefold.ResponseMatrix.from_array(_mixing(condition), EDGES, EDGES, entries=entries)
    found = forefold.unfold(np.array(counts), matrix, **told)
    (inside,) = chain.sample.inside.values()
    inside = replace(inside, shift=np.full(4, shift), noise=np.full(4, noise))
    sample = replace(chain.sample, matrix=matrix, inside={"e_true": inside})
    how = How(**{"method": "", "iterations": None, **told})
    return doubts(replace(chain, sample=sample, unfolded=found, how=how, closure=None))


def _advice(said: list[str]) -> str:
    about = [text for text in said if "wider" in text.lower() or "narrower" in text.lower()]
    assert about in ([], said[-1:])
    return "".join(about)


@pytest.mark.parametrize(
    ("condition", "shift", "words"),
    [
        (2.0, 0.0, ""),
        (2.0, 0.5, "True bins: narrower ones depend less"),
        (1e3, 0.0, "True bins: wider ones have less noise"),
        (1e3, 0.5, "True bins: keep their width."),
    ],
)
def test_bins_are_advised_on_once(condition: float, shift: float, words: str, chain: Chain) -> None:
    about = _advice(_said(chain, condition=condition, shift=shift))
    assert about[: len(words)] == words
    assert bool(about) == bool(words)
    assert ("take a regularised method" in about) == (words == "True bins: keep their width.")


TIKHONOV: dict[str, Any] = {"method": "tikhonov", "strength": 1e-9, "order": 1}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        # one row of few events, or of none, is enough; so is one error above its content
        ({"entries": [1e6, 24.0]}, "against noise, more simulated events help"),
        ({"counts": (30.0, 14.0)}, "take a regularised method"),
        ({"counts": (30.0, 14.0), "told": TIKHONOV}, "more data or stronger regularisation help"),
        ({"condition": 1e3, "counts": (1e12, 1e12), "told": TIKHONOV}, "holds the noise"),
    ],
)
def test_nobody_is_sent_to_narrower_bins_of_nothing(
    settings: dict[str, Any], words: str, chain: Chain
) -> None:
    about = _advice(_said(chain, shift=0.5, **settings))
    assert about.startswith("True bins: keep their width.")
    assert words in about


def test_few_events_ask_for_more_of_them(chain: Chain) -> None:
    scarce = _advice(_said(chain, entries=[1e6, 24.0]))
    assert scarce.startswith("True bins: wider ones, or more simulated events, have less noise")
    assert scarce.endswith("the response hardly changes inside these.")
    # what few events cannot show is not said to be absent
    blurred = _advice(_said(chain, entries=[1e6, 24.0], noise=0.04))
    assert "no change of the response inside these is seen" in blurred


def test_errors_above_contents_are_said(chain: Chain) -> None:
    plain = " ".join(_said(chain, counts=(30.0, 14.0)))
    # [38, 6] and an error of 10: 2 x inverse, sqrt(1.5² x 14 + 0.5² x 30)
    assert "The error is larger than the content in 1 of 2 true bins: not significant" in plain
    assert "not significant" not in " ".join(_said(chain, counts=(30.0, 30.0)))


def test_correlated_bins_are_said_with_their_limits(chain: Chain) -> None:
    # 1 / condition = c: correlation -(1 - c²) / (1 + c²) of bins with equal variances
    said = " ".join(_said(chain, condition=5.0, entries=1e14))
    assert (
        "1 pair of true bins with correlations beyond +-0.9 (the most: -0.923, e_true 0 to 1 and e_true 1 to 2)"
        in said
    )
    assert "correlations beyond" not in " ".join(_said(chain, condition=4.0, entries=1e14))


def test_one_of_a_kind_is_singular(chain: Chain) -> None:
    matrix = forefold.ResponseMatrix.from_array([[0.5]], [0.0, 1.0], [0.0, 1.0], entries=10)
    found = forefold.unfold([9.0], matrix, method="inversion")
    sample = replace(chain.sample, matrix=matrix)
    said = " ".join(doubts(replace(chain, sample=sample, unfolded=found, closure=None, skipped=1)))
    assert "1 event could not be read" in said
    assert "entries are in 1 of 1 row of the matrix" in said
