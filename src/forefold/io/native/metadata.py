"""What every format of our own shares: what is written, the document that goes with it, and how it is read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import awkward as ak
    import pyarrow as pa

__all__ = ["CONTENTS", "About", "Opened", "Sink", "Writer", "damage", "document", "parsed"]

CONTENTS = ("smeared", "events")
"""What a file holds: the result of smearing, or event records."""

NAME = "forefold"
_MOST_TEXT = 64 << 20


@dataclass(frozen=True)
class About:
    """What is to be written.

    Attributes
    ----------
    path : str
        The file's name as it was given, for messages.
    kind : str
        Ending of the name.
    content : str
        One of `CONTENTS`.
    provenance : dict
        Where the events come from.
    """

    path: str
    kind: str
    content: str
    provenance: dict[str, Any]


class Writer(Protocol):
    """What `open_writer` gives."""

    def write(self, piece: ak.Array, events: ak.Array | None = None) -> None:
        """Append events; `events` are the records that smeared ones come from."""
        ...

    def append(self, table: pa.Table) -> None:
        """Append events that `forefold.io.write.encoded` has made ready, perhaps on another machine."""
        ...


class Sink(Writer, Protocol):
    """A file that is being written."""

    started: bool

    def finish(self) -> None:
        """Complete the file."""
        ...

    def abandon(self) -> None:
        """Let go of the file, which will be removed."""
        ...

    def note(self) -> str:
        """Give the text of the file beside it, where the format has one."""
        ...


@dataclass(frozen=True)
class Opened:
    """A file of our own, opened.

    Attributes
    ----------
    path, content : str
        File, and one of `CONTENTS`.
    provenance : dict
        Where the events come from.
    events : int
        Number of events, -1 where the format does not say it beforehand.
    pieces : callable
        Gives an iterator over the events in (start, stop, chunk), each with the fraction done.
    details : dict of str
        What else the file says about itself.
    columns : tuple of str
        Of a table with one row a particle, as anyone may write it.
    """

    path: str
    content: str
    provenance: dict[str, Any]
    events: int
    pieces: Pieces
    details: dict[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()


class Pieces(Protocol):
    """Reading a range in pieces."""

    def __call__(
        self, start: int, stop: int | None, chunk: int
    ) -> Iterator[tuple[ak.Array, float]]:
        """Read."""
        ...


class Opener(Protocol):
    """What a module of this room calls `opened`."""

    def __call__(self, path: str) -> AbstractContextManager[Opened]:
        """Open a file."""
        ...


def document(about: About, **more: Any) -> str:
    """Write what goes with the events, as JSON; the same facts give the same text."""
    facts = {"content": about.content, "provenance": about.provenance, **more}
    return json.dumps(facts, ensure_ascii=False)


def parsed(path: str, text: str | bytes) -> dict[str, Any]:
    """Read the document of a file.

    Raises
    ------
    ValueError
        If it is no document of ours.
    """
    try:
        if len(text) > _MOST_TEXT:
            raise ValueError
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damage(path, "its provenance is no JSON") from error
    good = isinstance(facts, dict) and facts.get("content") in CONTENTS
    if not good or not isinstance(facts.get("provenance"), dict):
        raise damage(path, "its provenance does not say what it holds")
    return dict(facts)


def damage(path: str, what: object) -> ValueError:
    """Make the error for a file of ours that is damaged."""
    text = " ".join(str(what).split())[:240] or type(what).__name__
    return ValueError(f"{path}: damaged or cut file of forefold: {text}")
