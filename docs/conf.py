"""Configuration of Sphinx."""

from __future__ import annotations

import contextlib
import doctest
import os
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "forefold"
author = "forefold developers"
project_copyright = "2026, forefold developers"
version = release = installed_version("forefold")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "forefold"
nitpicky = False

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3


def reproduce(_: Sphinx) -> None:
    """Execute the pages in reproductions/, which draw their own figures; any other output than theirs stops the build."""
    from sphinx.errors import ExtensionError  # pytest looks at this file too, without sphinx

    os.environ.setdefault("MPLBACKEND", "Agg")
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    with contextlib.chdir(Path(__file__).parent / "reproductions"):
        for page in sorted(Path().glob("*.md")):
            found = doctest.testfile(str(page), module_relative=False, optionflags=flags)
            if found.failed:
                message = f"reproductions/{page}: {found.failed} of {found.attempted} examples say something else"
                raise ExtensionError(message)


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", reproduce)
