"""Draws against closed forms, and that a wrong closed form is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import forefold
from forefold.cli import main
from forefold.plotting import card_figure, figure_bytes
from forefold.response.distributions import LogNormal
from forefold.smearing.validation import validate_card
from forefold.smearing.validation.probabilities import binomial_pull, family_chance


def test_binomial_pull_is_the_exact_tail() -> None:
    for n, p in ((50, 0.1), (1000, 0.5), (10_000, 0.003)):
        for k in (int(0.8 * n * p), int(n * p), int(n * p + 4 * np.sqrt(n * p))):
            high = k >= n * p
            tail = stats.binom.sf(k, n, p) if high else stats.binom.cdf(k - 1, n, p)
            tail += 0.5 * stats.binom.pmf(k, n, p)
            expected = stats.norm.isf(min(tail, 0.5)) * (1 if high else -1)
            assert binomial_pull(k, n, p) == pytest.approx(expected, abs=1e-6)


def test_impossible_counts() -> None:
    assert binomial_pull(0, 10, 0.0) == 0.0
    assert binomial_pull(10, 10, 1.0) == 0.0
    assert binomial_pull(1, 10, 0.0) == np.inf
    assert binomial_pull(9, 10, 1.0) == -np.inf


def test_family_chance() -> None:
    assert family_chance(4.5, 1) == pytest.approx(2 * stats.norm.sf(4.5))
    assert family_chance(4.5, 1000) == pytest.approx(1 - (1 - 2 * stats.norm.sf(4.5)) ** 1000)


SLOW = {"bdm-10kt", "bdm-10kt-optimistic"}
"""Cards with tables: seconds, where the others take tenths of one."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in forefold.cards()],
)
def test_shipped_cards_follow_their_closed_forms(name: str) -> None:
    found = validate_card(name, draws=2_000, points=3)
    assert found.good, str(found)


def test_a_wrong_closed_form_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = LogNormal._between

    def wrong(self, low, high, at, width):  # type: ignore[no-untyped-def]
        return whole(self, low, high, at, 1.1 * width)

    monkeypatch.setattr(LogNormal, "_between", wrong)
    found = validate_card("nusmear-default", draws=20_000, points=2)
    assert {c.what for c in found.failed} >= {"energy width"}
    assert not found.good
    assert "FAILED" in str(found)


def test_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    command = ["card", "validate", "--draws", "500", "--json"]
    assert main([*command, "nusmear-default"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["good"]
    assert found["checks"][0]["rule"] == "charged pion"
    assert main([*command, "juno", "--plot", str(tmp_path / "pictures")]) == 0
    assert json.loads(capsys.readouterr().out)["card"] == "juno"
    assert (tmp_path / "pictures" / "juno.png").stat().st_size > 10_000
    assert main(["card", "validate", "no-card"]) == 2


def test_picture(tmp_path: Path) -> None:
    card = forefold.load_card("nusmear-dune-cdr")
    figure = card_figure(card)
    assert len(figure.axes) == 4 * len(card.types) + 1
    out = tmp_path / "card.svg"
    assert main(["card", "show", "nusmear-dune-cdr", "--plot", str(out)]) == 0
    assert out.stat().st_size > 10_000
    assert out.read_bytes() == figure_bytes(figure, "svg", dpi=300)
    some = [figure_bytes(card_figure(card, particles=["p"]), "png", dpi=50) for _ in range(2)]
    assert some[0] == some[1]


def limits(card: str, **settings: Any) -> tuple[list[float], list[float], str]:
    axes = card_figure(card, **settings).axes
    return list(axes[0].get_xlim()), list(axes[0].get_ylim()), axes[2].get_title(loc="left")


def test_picture_of_an_mev_detector_is_in_mev() -> None:
    energy, ratio, title = limits("juno")
    assert 0.3 < energy[0] < 1.0
    assert 30.0 < energy[1] < 100.0
    assert ratio == pytest.approx([0.9, 1.1])
    assert title == "Reconstructed [MeV]"


def test_picture_of_a_gev_detector_begins_below_its_thresholds() -> None:
    energy, _, title = limits("nusmear-dune-cdr")
    assert energy == [0.01, 20.0]
    assert title == "Reconstructed [GeV]"


def test_picture_of_asked_energies_and_particles() -> None:
    figure = forefold.load_card("dune-cdr-fastmc").peek(energy=(0.2, 4.0), particles=["p", -11])
    assert len(figure.axes) == 4 * 2 + 1
    assert figure.axes[0].get_xlim() == (0.2, 4.0)
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "$p$" in words
    assert "$e^{+}$" in words


def test_other_is_shown_by_something_common() -> None:
    figure = card_figure("dune-cdr-fastmc")
    assert "$K^{+}$" in [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"energy": (2.0, 1.0)}, "two energies in GeV above 0, the lower one first"),
        ({"energy": (0.0, 1.0)}, "found 0 1"),
        ({"energy": (1.0,)}, "found 1"),
        ({"particles": ["muu"]}, "unknown particle 'muu'"),
        ({"particles": ["nu(mu)"]}, "is a neutrino, which the card does not smear"),
    ],
)
def test_wrong_pictures(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        card_figure("nusmear-default", **settings)


def test_range_is_for_pictures(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "card.png"
    command = ["card", "show", "juno", "--range", "0.001", "0.01", "--particles", "e+"]
    assert main([*command, "--plot", str(out)]) == 0
    assert out.stat().st_size > 5_000
    assert main(command) == 2
    assert "--range and --particles are for --plot OUT" in capsys.readouterr().err
