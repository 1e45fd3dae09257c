"""The text of HepMC files: cutting it into events and checking every line before it is parsed.

The HepMC library stops without a word at a line that it cannot read, at the end of a file that was
cut, and takes what is no number for zero. So the text is checked here first, line by line, against
the grammar of the format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forefold.io import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "HEPMC2",
    "HEPMC3",
    "Batch",
    "Dialect",
    "attribute",
    "batches",
    "check_batch",
    "dialect",
    "header",
    "without_attributes",
]

_READ_BYTES = 1 << 21
_MOST_BYTES = 64 << 20  # of a header, or of an event

_NUMBER = rb"[-+]?+\d++(?:\.\d*+)?+(?:[eE][-+]?+\d++)?+"
_INT = rb"-?+\d++"
_NAME = rb'(?:"[^"\n]*+"|[^\s"]++)'

_POSITION = rb"(?: @(?: " + _NUMBER + rb"){4})?+"
_LINES3 = {
    b"E": rb"E " + _INT + rb" \d++ \d++" + _POSITION,
    b"U": rb"U (?:MEV|GEV) (?:MM|CM)",
    b"W": rb"W(?: " + _NUMBER + rb")*+ *+",
    b"A": rb"A " + _INT + rb" [^\x00-\x08\x0a-\x1f]*+",
    b"P": rb"P \d++ " + _INT + rb" " + _INT + rb"(?: " + _NUMBER + rb"){5} " + _INT,
    b"V": rb"V -[1-9]\d*+ " + _INT + rb" \[[\d,]*+\]" + _POSITION,
}
_LINES2 = {
    b"E": rb"E(?: " + _NUMBER + rb"){8,}+",
    b"N": rb"N \d++(?: " + _NAME + rb")*+ *+",
    b"U": rb"U (?:MEV|GEV) (?:MM|CM)",
    b"C": rb"C(?: " + _NUMBER + rb")++",
    b"H": rb"H(?: " + _NUMBER + rb")++",
    b"F": rb"F(?: " + _NUMBER + rb")++",
    b"P": rb"P \d++ " + _INT + rb"(?: " + _NUMBER + rb"){5} \d++(?: " + _NUMBER + rb"){3,}+",
    b"V": rb"V -[1-9]\d*+ \d++(?: " + _NUMBER + rb"){4} \d++ \d++ \d++(?: " + _NUMBER + rb")*+",
}
_LINKS = re.compile(rb"\n(?:P (\d++) (-?+\d++) |V (-\d++) -?+\d++ \[([\d,]*+)\])")
_WHAT = {
    b"E": "event",
    b"U": "units",
    b"W": "weights",
    b"A": "attribute",
    b"P": "particle",
    b"V": "vertex",
}


@dataclass(frozen=True)
class Dialect:
    """One of the two text formats.

    Attributes
    ----------
    name : str
        Its name.
    footer : bytes
        The line that ends a listing.
    lines : dict of bytes to pattern
        Grammar of each kind of line.
    all_lines : pattern
        Grammar of any number of lines.
    """

    name: str
    footer: bytes
    lines: dict[bytes, re.Pattern[bytes]]
    all_lines: re.Pattern[bytes]

    @classmethod
    def of(cls, name: str, mark: bytes, lines: dict[bytes, bytes]) -> Dialect:
        """Compile the grammar; carriage returns may precede the ends of lines."""
        # Particles and attributes are most of a file: they are tried first.
        order = sorted(lines, key=b"PAVEUW".find)
        any_line = b"|".join(lines[key] for key in order if key in b"PAVEUW")
        rest = b"".join(b"|" + lines[key] for key in order if key not in b"PAVEUW")
        return cls(
            name,
            b"HepMC::" + mark + b"-END_EVENT_LISTING",
            {key: re.compile(line) for key, line in lines.items()},
            re.compile(rb"(?:(?:" + any_line + rest + rb")\r?+\n)*+"),
        )


HEPMC3 = Dialect.of("HepMC3", b"Asciiv3", _LINES3)
HEPMC2 = Dialect.of("HepMC2", b"IO_GenEvent", _LINES2)


def dialect(start: bytes) -> Dialect | None:
    """Tell the format from the first bytes of a file."""
    if not start.lstrip().startswith(b"HepMC::"):
        return None
    if HEPMC2.footer.replace(b"END", b"START") in start:
        return HEPMC2
    return HEPMC3 if HEPMC3.footer.replace(b"END", b"START") in start else None


@dataclass(frozen=True)
class Batch:
    """Whole events, as text.

    Attributes
    ----------
    header : bytes
        What comes before the first event of the file.
    entries : list of int
        Positions of these events in the file.
    events : list of bytes
        The text of each.
    done : int
        Position in the file on disk.
    """

    header: bytes
    entries: list[int]
    events: list[bytes]
    done: int


def header(path: str) -> bytes:
    """Read what comes before the first event."""
    lost: list[str] = []
    batch = next(batches(path, 0, 1, lambda _, message: lost.append(message)), None)
    if batch is None:
        raise ValueError(lost[0])
    return batch.header


def _refuse(events: int, message: str) -> None:
    del events
    raise ValueError(message)


def batches(
    path: str, start: int, stop: int | None, lose: Callable[[int, str], None] = _refuse
) -> Iterator[Batch]:
    """Cut a file into events.

    Parameters
    ----------
    path : str
        File, plain or gzip.
    start, stop : int, int or None
        Range of entries. Reading ends at `stop`; what comes before `start` is counted only.
    lose : callable
        Told how many events cannot be read and why; by default that is an error.

    Yields
    ------
    Batch
        Some of the events of the range, in order.

    Raises
    ------
    ValueError
        If the file is cut or damaged, or has no event in the range.
    """
    kind = dialect(files.head(path))
    assert kind is not None, "the reader has looked at the file before"
    top, tail, entry = b"", b"", 0
    with files.decoded(path) as (content, raw):
        while True:
            block, fault = files.block(content, _READ_BYTES)
            tail += block
            if fault is not None:
                block = b""
            pieces = tail.split(b"\nE ")
            if not top:
                if len(pieces) == 1 and block and len(tail) < _MOST_BYTES:
                    continue
                top = pieces[0] + b"\n"
                pieces = pieces[1:]
                if not pieces and fault:
                    msg = f"{path}: {fault}"
                    raise ValueError(msg)
                if not pieces:
                    raise _without_events(path, top, kind)
            else:
                pieces[0] = pieces[0].removeprefix(b"E ")
            if block:
                tail = b"E " + pieces.pop()
                if len(tail) > _MOST_BYTES:
                    fault, block = "no end of this event is in sight", b""
            else:
                text = pieces.pop()
                if fault is None:
                    text, fault = _last(text, kind)
                if fault is None:
                    pieces.append(text)
            if fault is not None:
                lose(1, f"{path}: entry {entry + len(pieces)}: {fault}")
            texts = [b"E " + piece + b"\n" for piece in pieces]
            skipped = max(0, start - entry)
            wanted = texts[skipped : None if stop is None else stop - entry]
            if wanted:
                first = entry + skipped
                yield Batch(top, list(range(first, first + len(wanted))), wanted, raw.tell())
            entry += len(texts)
            if stop is not None and entry >= stop:
                return
            if not block:
                if start >= entry and fault is None:
                    raise files.beyond(path, start, entry)
                return


def _last(text: bytes, kind: Dialect) -> tuple[bytes, str | None]:
    """Take the footer off the last event of the file, and say what is wrong with it."""
    body, mark, rest = text.partition(b"\n" + kind.footer)
    if mark and not rest.strip():
        return body.removesuffix(b"\r"), None
    if mark:
        line = rest.strip().splitlines()[0][:60].decode(errors="replace")
        return body, f"after it the listing ends, but more follows: {line!r}"
    where = f"(it does not end with {kind.footer.decode()})"
    return body, f"the file is cut short in or after this event {where}"


def _without_events(path: str, text: bytes, kind: Dialect) -> ValueError:
    if kind.footer in text:
        return files.no_events(path, "the listing")
    return ValueError(f"{path}: the {kind.name} file is cut short before the first event")


def check_batch(
    path: str, batch: Batch, kind: Dialect, lose: Callable[[int, str], None] = _refuse
) -> Batch:
    """Refuse lines that do not follow the grammar, and events that lack particles.

    Parameters
    ----------
    path : str
        File, for the message.
    batch : Batch
        Events.
    kind : Dialect
        Format of the file.
    lose : callable
        Told how many events are bad and why; by default that is an error.

    Returns
    -------
    Batch
        The good events.

    Raises
    ------
    ValueError
        On the first line that is wrong, with its place.
    """
    bad = set()
    for entry, text in zip(batch.entries, batch.events, strict=True):
        match = kind.all_lines.match(text)
        end = match.end() if match else 0
        fault = None
        if end != len(text):
            fault = _wrong_line(text[end:], kind)
        elif kind is HEPMC3:
            fault = _fault3(text)
        if fault:
            lose(1, f"{path}: entry {entry}: {fault}")
            bad.add(entry)
    if not bad:
        return batch
    good = [pair for pair in zip(batch.entries, batch.events, strict=True) if pair[0] not in bad]
    entries = [entry for entry, _ in good]
    return Batch(batch.header, entries, [text for _, text in good], batch.done)


def _fault3(text: bytes) -> str | None:
    """Say what is wrong with the links of a HepMC3 event, which the library follows blindly.

    A vertex that one particle enters and that has neither status nor place has no line of its own:
    the particles that leave it name the one that enters instead.
    """
    n_vertices, n_particles = (int(word) for word in text[:400].split(None, 4)[2:4])
    vertices, parents, count = set(), set(), 0
    for particle, parent, vertex, entering in _LINKS.findall(text):
        if particle:
            count += 1
            if int(particle) != count:
                return f"particle {particle.decode()} stands in the place of particle {count}"
            parents.add(int(parent))
        else:
            vertices.add(int(vertex))
            ids = [int(word) for word in entering.split(b",") if word]
            if not ids or min(ids) < 1 or max(ids) > n_particles:
                shown = entering.decode()
                return f"vertex {vertex.decode()} takes particles [{shown}] of {n_particles}"
    if count != n_particles:
        return f"{count} particles, but its first line says {n_particles}"
    implicit = {parent for parent in parents if parent > 0}
    if max(implicit, default=0) > n_particles:
        return f"a particle comes from particle {max(implicit)} of {n_particles}"
    if len(vertices) + len(implicit) != n_vertices:
        total = len(vertices) + len(implicit)
        return f"{total} vertices, but its first line says {n_vertices}"
    unknown = {parent for parent in parents if parent < 0} - vertices
    if unknown:
        return f"a particle comes from vertex {max(unknown)}, which the event does not have"
    if min(vertices, default=0) < -n_vertices:
        return f"vertex {min(vertices)} of {n_vertices}"
    return None


def _attributes(text: bytes) -> tuple[int, int]:
    """Find where the attributes of an event start and end: they precede the particles."""
    start = text.find(b"\nA ")
    if start < 0:
        return 0, 0
    ends = [end for end in (text.find(b"\nP ", start), text.find(b"\nV ", start)) if end >= 0]
    return start, min(ends, default=len(text) - 1)


def without_attributes(text: bytes) -> bytes:
    r"""Take the attributes out of a HepMC3 event.

    Parameters
    ----------
    text : bytes
        Text of the event.

    Returns
    -------
    bytes
        The same without attributes, or with some if they stand in unusual places.

    Examples
    --------
    >>> from forefold.io.readers.hepmc_text import without_attributes
    >>> without_attributes(b"E 0 0 1\nA 0 ProcID 200\nP 1 0 13 0 0 1 1 0 1\n")
    b'E 0 0 1\nP 1 0 13 0 0 1 1 0 1\n'
    """
    start, end = _attributes(text)
    return text[:start] + text[end:]


def attribute(text: bytes, names: tuple[str, ...]) -> bytes | None:
    r"""Find an attribute of a HepMC3 event.

    Parameters
    ----------
    text : bytes
        Text of the event.
    names : tuple of str
        Names that it may go by.

    Returns
    -------
    bytes or None
        Its text; None if the event has no attribute of these names.

    Examples
    --------
    >>> from forefold.io.readers.hepmc_text import attribute
    >>> attribute(b"E 0 0 0\nA 0 ProcID 200\n", ("signal_process_id", "ProcID"))
    b'200'
    """
    for name in names:
        mark = f"\nA 0 {name} ".encode()
        at = text.find(mark)
        if at >= 0:
            return text[at + len(mark) : text.index(b"\n", at + 1)].strip()
    return None


def _wrong_line(rest: bytes, kind: Dialect) -> str:
    line = rest.split(b"\n", 1)[0]
    shown = line[:80].decode("ascii", errors="backslashreplace")
    what = _WHAT.get(line[:1], "event")
    if line[:1] not in kind.lines or line[1:2] != b" ":
        return f"unexpected line {shown!r}"
    return f"malformed {what} line {shown!r}"
