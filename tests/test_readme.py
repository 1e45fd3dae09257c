"""The commands of the README run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import forefold

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.slow
def test_from_matrix_to_export(gst_file: Path, tmp_path: Path) -> None:
    block = re.search(r"```sh\n(forefold inspect.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert block is not None
    lines = block[1].splitlines()
    first = next(i for i, line in enumerate(lines) if "--axis visible_energy" in line)
    last = next(i for i, line in enumerate(lines) if line.startswith("forefold cite"))
    # the report has its own tests; it takes long to draw
    chosen = [line for line in lines[first : last + 1] if not line.startswith("forefold report")]
    assert len(chosen) == 9
    shutil.copy(gst_file, tmp_path / "events.gst.root")
    (tmp_path / "forefold").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m forefold "$@"\n')
    (tmp_path / "forefold").chmod(0o755)
    here = [str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]]
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", "\n".join(chosen)],
        cwd=tmp_path, env={**os.environ, "PATH": os.pathsep.join(here)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "@article{dagostini1995," in done.stdout
    matrix = forefold.ResponseMatrix.from_json((tmp_path / "R.json").read_text())
    back = forefold.Unfolded.from_json((tmp_path / "back.json").read_text())
    # what was folded is what the matrix was made of, and it is the prior
    assert abs(back.values / matrix.truth.values() - 1.0).max() < 1e-9
    assert forefold.import_matrix(tmp_path / "dune.dat", "globes").matrix.shape == (16, 16)
