"""Damaged GLoBES and SNOwGLoBES files: a clean error, or what the damaged files say; nothing else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import globes_fuzz
import numpy as np
from globes_reading import EXPERIMENT

from forefold.matrix.formats import GlobesConfiguration
from forefold.matrix.formats.globes_rows import energy_environment, listed

CELLS = np.random.default_rng(1).dirichlet(np.full(5, 0.4), 4).T


def _sound(count: Counter[str], n: int) -> None:
    assert count["wrong"] == 0, count
    assert count["clean error"] > n / 2, count
    assert count["right"] > n / 20, count
    assert count["not told"] < n / 50, count


def test_configurations(tmp_path: Path) -> None:
    _sound(globes_fuzz.configurations(tmp_path, EXPERIMENT, range(210)), 210)


def test_folders_that_were_written(tmp_path: Path) -> None:
    for name, text in EXPERIMENT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    GlobesConfiguration.read(tmp_path / "far.glb").write(tmp_path / "record")
    _sound(globes_fuzz.stored(tmp_path / "record", range(150)), 150)


def test_matrices(tmp_path: Path) -> None:
    (tmp_path / "near.dat").write_text(energy_environment("near", CELLS))
    axes = {"true": "e=0:4:4", "reco": "r=0:5:5"}
    _sound(globes_fuzz.matrices(tmp_path, ["near.dat"], "globes", range(150), **axes), 150)
    files = ["smear_a_b.dat", "effic_a_b.dat"]
    (tmp_path / files[0]).write_text(energy_environment("a_smear", CELLS, full=True))
    (tmp_path / files[1]).write_text(listed([0.25, 0.5, 1.0, 0.75, 0.0]))
    _sound(globes_fuzz.matrices(tmp_path, files, "snowglobes", range(150), **axes), 150)
