"""Messages that say one thing, and advise only what there is."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from gun import rule, text

import forefold
from forefold.cli import main
from forefold.cli.errors import text_of
from forefold.inference.card_fit.migration import Migration


def test_a_byte_order_mark_is_no_part_of_a_card(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_bytes(b"\xef\xbb\xbf" + text().encode())
    assert forefold.load_card(path).name == "test"
    path.write_bytes(b"\xef\xbb\xbf" + text(rule(extra="efficiency = 3.0")).encode())
    with pytest.raises(ValueError, match=r"line 16: rule\[1\] 'all'.efficiency"):
        forefold.load_card(path)


def test_more_errors_are_told(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    lines = [
        "efficiency = 3.0",
        "colour = 1",
        "when.kinetic_energy = {}",
        "threshold.momentum = {}",
    ]
    path.write_text(text(rule(extra="\n".join(lines))))
    with pytest.raises(ValueError, match=r"line \d+: rule\[1\]") as caught:
        forefold.load_card(path)
    said = str(caught.value)
    assert said.count("; also ") == 2
    assert said.endswith("(1 more)")
    path.write_text(text(rule(extra="\n".join(lines[:2]))))
    with pytest.raises(ValueError, match=r"efficiency.*; also .*colour: unknown key") as caught:
        forefold.load_card(path)
    assert "more)" not in str(caught.value)


@pytest.mark.parametrize("word", ["contained", "range / 100"])
def test_a_name_that_needs_a_block(word: str, tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(text(rule(extra=f'efficiency = "{word}"')))
    with pytest.raises(ValueError, match=r"unknown name .*range and contained need a block \[cont"):
        forefold.load_card(path)


def test_only_options_of_the_command_are_advised() -> None:
    memory = MemoryError()
    assert text_of(memory) == "out of memory"
    assert text_of(memory, argparse.Namespace(draws=1)) == "out of memory; fewer --draws may help"
    both = argparse.Namespace(bins=1, chunk=2)
    assert text_of(memory, both).endswith("fewer --bins or a smaller --chunk may help")
    error = ValueError("no value; or let such particles be lost (on_invalid='lose', --on-invalid lose)")  # fmt: skip
    assert text_of(error, argparse.Namespace(draws=1)) == "no value"
    assert text_of(error, argparse.Namespace(on_invalid="stop")) == str(error)


def test_matrices_with_negative_contents() -> None:
    with pytest.raises(ValueError, match=r"memory: contents from 0 on are needed; found -2$"):
        Migration([0, 1, 2], [0, 1, 2], [[5.0, 1.0], [-2.0, 5.0]])
    with pytest.raises(ValueError, match=r"contents of shape \(2, 2\) are needed; found shape"):
        Migration([0, 1, 2], [0, 1, 2], np.ones((2, 3)))


def test_no_universes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "o.parquet")
    given = ["smear", str(forefold.sample()), "-d", "dune-fd-uncertainties", "-o", out]
    assert main([*given, "--variations", "universes:0"]) == 2
    assert "'universes:0': universes:N with a whole number N from 1 on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "said"),
    [("muon", "write 'mu-' or 'mu+'"), ("muons", "write 'mu-'"), ("pi", "the class 'pion'"), ("protn", "did you mean 'proton'")],
)  # fmt: skip
def test_words_that_name_no_one_particle(word: str, said: str) -> None:
    with pytest.raises(ValueError, match="unknown particle") as caught:
        forefold.particles.pdgid(word)
    assert said in str(caught.value)
