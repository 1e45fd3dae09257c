"""Third-party files of the tests, benchmarks and pages: where they lie on this machine.

They are not shipped. The environment variable `FOREFOLD_DATA` names the folder that holds them.
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "FOREFOLD_DATA"


class MissingFileError(LookupError):
    """A third-party file that this machine does not have; its text names the file."""


def third_party_file(name: str) -> Path:
    """Path of the file or folder `name`, written as below `FOREFOLD_DATA` (``"oscillation/prem/prem.dat"``)."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        message = f"{name}: {VARIABLE} names no folder"
        raise MissingFileError(message)
    path = Path(folder) / name
    if not path.exists():
        message = f"{VARIABLE} has no {name}"
        raise MissingFileError(message)
    return path
