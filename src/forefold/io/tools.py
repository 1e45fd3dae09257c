"""The programs that made events, as NuHepMC lists them (G.R.3): name, version, description."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forefold.io.registry import Header

__all__ = ["UNKNOWN", "Tool", "tools_of", "tools_of_inputs"]

Tool = tuple[str, str, str]

UNKNOWN = "UNKNOWN-VERSION"
"""What converters to NuHepMC write for a version that is not known: it must not be empty."""

_GENERATOR = re.compile(r"(\S+)(?: \((.*)\)| (\S+))?")


def tools_of(header: Header) -> list[Tool]:
    """List the programs that a file names.

    Parameters
    ----------
    header : Header
        What the file says about itself.

    Returns
    -------
    list of (str, str, str)
        Name, version and description; neither name nor version is empty.

    Examples
    --------
    >>> from forefold.io import Header
    >>> from forefold.io.tools import tools_of
    >>> tools_of(Header("GENIE GHEP", ("GENIE 3.06.02",)))
    [('GENIE', '3.06.02', '')]
    """
    if header.tools:
        return [
            (name or "unknown", version or UNKNOWN, text) for name, version, text in header.tools
        ]
    found: list[Tool] = []
    for words in header.generator:
        match = _GENERATOR.fullmatch(words)
        if match is None:
            found.append(("unknown", UNKNOWN, words))
        else:
            found.append((match[1], match[3] or UNKNOWN, match[2] or ""))
    return found


def tools_of_inputs(provenance: Mapping[str, Any]) -> list[Tool]:
    """List the programs that the inputs of an output name, each once."""
    inputs = provenance.get("inputs")
    found: list[Tool] = []
    for one in inputs if isinstance(inputs, list) else []:
        listed = one.get("tools") if isinstance(one, dict) else None
        for tool in _triples(listed if isinstance(listed, list) else []):
            if tool not in found:
                found.append(tool)
    return found


def _triples(listed: Iterable[Any]) -> Iterable[Tool]:
    for words in listed:
        if isinstance(words, list) and len(words) == 3 and all(isinstance(w, str) for w in words):
            yield words[0] or "unknown", words[1] or UNKNOWN, words[2]
