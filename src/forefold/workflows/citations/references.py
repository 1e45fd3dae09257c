"""The entries, and how texts name them: by arXiv number, DOI, or journal, volume and page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Entry", "entry_of", "identifiers", "keys_of_text", "library"]

_ENTRY = re.compile(r"@(\w+)\{([\w-]+),\n(.*?)\n\}", re.DOTALL)
_FIELD = re.compile(r"^  (\w+) = \{(.*)\},?$", re.MULTILINE)
_ARXIV = re.compile(
    r"(?:arXiv:\s?|abs/)(\d{4}\.\d{4,5})(?!\d)|(?<![\w.])((?:hep-(?:ph|ex)|physics)/\d{7})(?!\d)"
)
_DOI = re.compile(r"\b10\.\d{4,5}/[^\s\"'`,;\]>]+")
_JOURNAL = re.compile(
    r"(?P<volume>\d{1,4}) \((?:19|20)\d\d\) (?P<page>[A-Z]?\d{1,6})(?!\d)"
)  # volume (year) page


@dataclass(frozen=True)
class Entry:
    """One entry of BibTeX.

    Attributes
    ----------
    kind, key : str
    fields : dict of str to str
    text : str
        As it is printed.
    """

    kind: str
    key: str
    fields: Mapping[str, str]
    text: str

    @property
    def words(self) -> str:
        """Authors, title and where it is found, for people."""
        fields = {name: value.strip("{}") for name, value in self.fields.items()}
        authors = fields.get("author", "").replace(" and others", " et al.").replace(" and ", "; ")
        place = " ".join(
            fields[name]
            for name in ("journal", "volume", "booktitle", "publisher")
            if name in fields
        )
        year = f"({fields['year']})" if "year" in fields else ""
        number = fields.get("number") or fields.get("pages", "").replace("--", "\N{EN DASH}")
        text = ", ".join(
            part
            for part in (
                authors,
                fields.get("title", ""),
                " ".join(filter(None, (place, year, number))),
            )
            if part
        )
        return text or self.identifier

    @property
    def identifier(self) -> str:
        """What it is looked up by: ``arXiv:...``, ``doi:...``, or nothing."""
        if "eprint" in self.fields:
            old = "/" in self.fields["eprint"]
            return self.fields["eprint"] if old else f"arXiv:{self.fields['eprint']}"
        return f"doi:{self.fields['doi']}" if "doi" in self.fields else ""

    @property
    def link(self) -> str:
        """Address of it, or nothing."""
        if "eprint" in self.fields:
            return f"https://arxiv.org/abs/{self.fields['eprint']}"
        return f"https://doi.org/{self.fields['doi']}" if "doi" in self.fields else ""


def entry_of(identifier: str) -> Entry:
    """Make an entry of nothing but an identifier.

    Parameters
    ----------
    identifier : str
        arXiv number or DOI.

    Returns
    -------
    Entry

    Examples
    --------
    >>> print(entry_of("10.1140/epjs/s11734-021-00295-7").text)
    @misc{ref-10-1140-epjs-s11734-021-00295-7,
      doi = {10.1140/epjs/s11734-021-00295-7}
    }
    """
    key = "ref-" + re.sub(r"[^A-Za-z0-9]+", "-", identifier).strip("-")
    if _DOI.fullmatch(identifier):
        fields = {"doi": identifier}
    else:
        fields = {"eprint": identifier, "archivePrefix": "arXiv"}
    body = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return Entry("misc", key, fields, f"@misc{{{key},\n{body}\n}}")


@cache
def library() -> dict[str, Entry]:
    """Read the entries that come with forefold.

    Returns
    -------
    dict of str to Entry

    Examples
    --------
    >>> library()["feldman1998"].identifier
    'physics/9711021'
    """
    text = (resources.files("forefold.workflows.citations") / "references.bib").read_text(
        encoding="utf-8"
    )
    return {
        match[2]: Entry(match[1], match[2], dict(_FIELD.findall(match[3])), match[0])
        for match in _ENTRY.finditer(text)
    }


def identifiers(text: str) -> list[str]:
    """Find what a text names papers by.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        arXiv numbers, DOIs, and ``volume:page`` of journals, in this order.

    Examples
    --------
    >>> identifiers("S. Schmitt, arXiv:1205.6201; L. B. Lucy, Astron. J. 79 (1974) 745.")
    ['1205.6201', '79:745']
    """
    dois = [
        doi.rstrip(".)") if doi.count("(") < doi.count(")") else doi.rstrip(".")
        for doi in _DOI.findall(text)
    ]
    plain = _DOI.sub(" ", text)
    journals = [f"{match['volume']}:{match['page']}" for match in _JOURNAL.finditer(plain)]
    numbers = [new or old for new, old in _ARXIV.findall(plain)]
    return list(dict.fromkeys([*numbers, *dois, *journals]))


@cache
def _known() -> dict[str, str]:
    """Keys by everything that names them."""
    keys: dict[str, str] = {}
    for key, entry in library().items():
        fields = entry.fields
        names = [fields.get("eprint"), fields.get("doi")]
        if "volume" in fields and "pages" in fields:
            names.append(f"{fields['volume']}:{fields['pages'].partition('--')[0]}")
        keys |= {name: key for name in names if name}
    return keys


def keys_of_text(text: str) -> tuple[list[str], list[str]]:
    """Give the keys of the papers that a text names, and the identifiers that have no entry.

    Examples
    --------
    >>> keys_of_text("I. Vohra, NuSmear, arXiv:2209.05260, and arXiv:0000.00000")
    (['vohra2022'], ['0000.00000'])
    """
    keys_by_name, names = _known(), identifiers(text)
    keys = [keys_by_name[name] for name in names if name in keys_by_name]
    return list(dict.fromkeys(keys)), [name for name in names if name not in keys_by_name]
