"""Where events come from: the inputs of an output, told apart by their content, and the programs that made them."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from forefold.io import source as remote
from forefold.io.files import content_stream, expand, window
from forefold.io.registry import choose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forefold.io.registry import Entries, Header, Paths

__all__ = ["UNKNOWN", "Tool", "origins", "tools_of", "tools_of_inputs"]


def origins(inputs: Paths, entries: Entries = None, *, lenient: bool = False) -> dict[str, Any]:
    """Say what files are read, for the provenance of what is made from them.

    Parameters
    ----------
    inputs : str, path, or iterable of these
        Files or patterns.
    entries : (start, stop), slice or "start:stop", optional
        Range of positions, taken in each file.

    lenient : bool
        Take what can be read of a compressed file that is damaged.

    Returns
    -------
    dict
        ``inputs``, one a file: its ``path`` as it was given, its size in ``bytes``, the ``sha256`` of
        the whole file as it lies on the disk (what ``sha256sum`` prints), and its ``stream``, the number
        that tells it apart in the random numbers (a URL has no ``sha256``); as far as the file says them its
        ``tools``, each with name, version and description, and its flux-averaged total ``cross_section``; and
        ``entries``, the range as [start, stop].

    Raises
    ------
    OSError, ValueError
        See `forefold.iterate`.

    Examples
    --------
    >>> from forefold.io.provenance import origins
    >>> found = origins("events.gst.root", "0:100")
    >>> found["entries"], found["inputs"][0]["path"], found["inputs"][0]["sha256"][:8]
    ([0, 100], 'events.gst.root', '...')
    """
    start, stop = window(entries)
    return {"inputs": [_origin(path, lenient) for path in expand(inputs)], "entries": [start, stop]}


def _origin(path: str, lenient: bool) -> dict[str, Any]:
    if remote.is_remote(path):  # a second transfer only to hash it would be dear
        return {
            "path": path,
            "bytes": remote.size(path),
            "stream": content_stream(path, lenient=lenient),
        } | _said(path)
    with remote.local(path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    # a name that is not UTF-8 is shown with escapes, as in the record
    name = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return {
        "path": name,
        "bytes": size,
        "sha256": digest,
        "stream": content_stream(path, lenient=lenient),
    } | _said(path)


def _said(path: str) -> dict[str, Any]:
    """Take from the file who made its events and how to normalise them; what is wrong with it is said when it is read."""
    try:
        header = choose(path).describe(path)
    except Exception:  # noqa: BLE001 - what a file says of itself is not needed to read its events
        return {}
    said: dict[str, Any] = {"tools": [list(tool) for tool in tools_of(header)]}
    if header.cross_section is not None:
        said["cross_section"] = header.cross_section.to_dict()
    return said


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
    >>> from forefold.io.provenance import tools_of
    >>> tools_of(Header("GENIE GHEP", ("GENIE 3.06.02",)))
    [('GENIE', '3.06.02', '')]
    """
    if header.tools:
        return [
            (name or "unknown", version or UNKNOWN, text) for name, version, text in header.tools
        ]
    tools: list[Tool] = []
    for words in header.generator:
        match = _GENERATOR.fullmatch(words)
        if match is None:
            tools.append(("unknown", UNKNOWN, words))
        else:
            tools.append((match[1], match[3] or UNKNOWN, match[2] or ""))
    return tools


def tools_of_inputs(provenance: Mapping[str, Any]) -> list[Tool]:
    """List the programs that the inputs of an output name, each once."""
    inputs = provenance.get("inputs")
    tools: list[Tool] = []
    for one in inputs if isinstance(inputs, list) else []:
        listed = one.get("tools") if isinstance(one, dict) else None
        for tool in _triples(listed if isinstance(listed, list) else []):
            if tool not in tools:
                tools.append(tool)
    return tools


def _triples(listed: Iterable[Any]) -> Iterable[Tool]:
    for words in listed:
        if isinstance(words, list) and len(words) == 3 and all(isinstance(w, str) for w in words):
            yield words[0] or "unknown", words[1] or UNKNOWN, words[2]
