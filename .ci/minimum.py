"""Print the oldest versions that pyproject.toml allows, as constraints for pip."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = project["optional-dependencies"]
requirements = [
    *project["dependencies"],
    *(text for name in ("http", "hdf5", "fast", "fits", "yaml", "zstd") for text in extras[name]),
]
for text in sorted(requirements):
    requirement = re.fullmatch(r"([\w.-]+)>=([\d.]+)(;.*)?", text)
    if requirement is None:
        message = f"{text}: NAME>=VERSION is expected"
        raise SystemExit(message)
    name, version, marker = requirement.groups()
    print(f"{name}=={version}{marker or ''}")
