"""Standard output that is full: one line, exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(
    "command",
    [
        "--version",
        "matrix --help",
        "card list",
        "matrix FILE -d nusmear-default --rng 1 --axis visible_energy=0:8:4 -q",
    ],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_standard_output(command: str, unbuffered: str, gst_file: Path) -> None:
    if unbuffered and "FILE" in command:
        pytest.skip("the quick ones are enough")
    words = [str(gst_file) if word == "FILE" else word for word in command.split()]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "forefold", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            check=False,
        )
    assert done.stderr == "forefold: error: standard output: No space left on device\n"
    assert done.returncode == 2
