"""Citations: BibTeX of exactly what was used.

``references.bib`` holds the entries; what could not be looked up there has its identifier only.

>>> import forefold
>>> "dagostini1995" in forefold.cite("bayes")
True
"""

from __future__ import annotations

from forefold.workflows.citations.front import bibtex, cite, use, use_document
from forefold.workflows.citations.references import Entry, identifiers, keys_of_text, library
from forefold.workflows.citations.used import FORMATS, GENERATORS, INFERENCE, METHODS, RULES, Used

__all__ = [
    "FORMATS",
    "GENERATORS",
    "INFERENCE",
    "METHODS",
    "RULES",
    "Entry",
    "Used",
    "bibtex",
    "cite",
    "identifiers",
    "keys_of_text",
    "library",
    "use",
    "use_document",
]


def __dir__() -> list[str]:
    return __all__
