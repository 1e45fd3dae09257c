"""BibTeX of cards, files and results."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold._about import __version__
from forefold.events.particles import near
from forefold.io.source import local
from forefold.unfolding import Unfolded
from forefold.workflows.citations.used import FORMATS, GENERATORS, INFERENCE, METHODS, RULES, Used

if TYPE_CHECKING:
    from forefold.detector import Card

__all__ = ["bibtex", "cite", "use", "use_document"]

_NO_ORIGIN = {"forefold_notes", "forefold_outside"}  # of predictions: they say nothing of a matrix
_NAMED = {**FORMATS, **GENERATORS, **RULES, **INFERENCE, **METHODS}


def cite(*things: Any) -> str:
    """Give BibTeX of exactly what was used.

    Parameters
    ----------
    *things : str, Path, Card, ResponseMatrix, Unfolded, FitResult, Interval, Limit, ExpectedLimit or ak.Array
        Cards (names, ``.toml`` files), files of generators, what forefold wrote (smeared events, matrices, results of an
        unfolding, of ``forefold fit`` and ``forefold limit``), objects of these, and names of methods, rules, generators and formats.

    Returns
    -------
    str
        Entries, each with a comment that says what it was used for; and comments on sources without a paper.

    Raises
    ------
    ValueError
        If a name is not known, or a file says nothing of what it is.
    OSError
        If a file cannot be read.

    Examples
    --------
    >>> import forefold
    >>> print(forefold.cite("nusmear-default", "wiener"))
    % the software
    @software{forefold,
    ...
    % card nusmear-default
    @misc{vohra2022,
    ...
    % unfolding: wiener
    @article{tang2017,
    ...
    """
    used = Used()
    for thing in things:
        use(used, thing)
    return bibtex(used)


def bibtex(used: Used) -> str:
    """Write what was used as BibTeX, with forefold in front.

    Parameters
    ----------
    used : Used

    Returns
    -------
    str
        Ends with a line feed.
    """
    own = (
        "% the software\n@software{forefold,\n  author = {{forefold developers}},\n"
        "  title = {{forefold: detector response for particle-physics event generators}},\n"
        f"  version = {{{__version__}}}\n}}"
    )
    parts = [own]
    parts += [
        f"% {_plain('; '.join(why))}\n{used.entries[key].text}" for key, why in used.reasons.items()
    ]
    if used.remarks:
        lines = [f"% {_plain(text)}" for text in used.remarks]
        parts.append("\n".join(["% without a paper:", *lines]))
    return "\n\n".join(parts) + "\n"


def _plain(text: str) -> str:
    """Keep a comment one: BibTeX would begin an entry at an @."""
    return " ".join(text.replace("@", "(at)").split())


def use(used: Used, thing: Any) -> None:
    """Add what a thing was made of; see `cite`."""
    from forefold.detector import Card

    if isinstance(thing, Card):
        used.card(thing)
    elif isinstance(thing, str | os.PathLike):
        _use_name(used, os.fspath(thing))
    elif type(thing).__module__.startswith("forefold.inference") and hasattr(thing, "to_dict"):
        used.inference(_inferred(thing))
    elif hasattr(thing, "smearing") and hasattr(thing, "method"):
        rule = None if thing.scan is None else thing.scan.rule
        used.unfolding(thing.method, rule, through=_through(thing.notes))
    elif isinstance(getattr(thing, "provenance", None), dict):
        used.provenance(thing.provenance)
    elif isinstance(getattr(thing, "attrs", {}).get("forefold"), dict):
        used.provenance(thing.attrs["forefold"])
    else:
        message = f"{type(thing).__name__} does not say what it was made of; give cards, files, matrices, results or smeared events"
        raise ValueError(message)


def _inferred(thing: Any) -> dict[str, Any]:
    """Say of a fit, an interval or a limit what the commands write of theirs."""
    from forefold.inference import FitResult, Interval

    kind = {FitResult: "fit", Interval: "interval"}.get(type(thing), "limit")
    made_of = thing.problem.made_of if kind == "fit" else thing.made_of
    return {"forefold": kind, **thing.to_dict(), **made_of}


def _through(notes: tuple[str, ...] | list[str]) -> bool:
    return any("through all iterations" in note for note in notes)


def _use_name(used: Used, name: str) -> None:
    if local(name).is_file():
        _use_file(used, name)
    elif name in METHODS:
        used.unfolding(name, through=False)
    elif name in _NAMED:
        used.add(_NAMED[name], name)
    else:
        used.card(_card(name))


def _card(name: str) -> Card:
    from forefold.detector.load import cards, load_card

    names = [*cards(), *_NAMED]
    if name not in names and not name.endswith(".toml"):
        message = f"{name!r} is neither a file, a card, a method nor a format{near(name, names)}"
        raise ValueError(message)
    return load_card(name)


def _use_file(used: Used, name: str) -> None:
    from forefold.detector.load import load_card
    from forefold.io.native.smeared import is_smeared, smeared_provenance
    from forefold.io.provenance import tools_of
    from forefold.io.registry import choose

    if name.endswith(".toml"):
        used.card(load_card(Path(name)))
    elif name.endswith(".json"):
        use_document(used, Path(name).read_text(encoding="utf-8", errors="replace"), name)
    elif is_smeared(name):
        used.provenance(smeared_provenance(name))
    else:
        header = choose(name).describe(name)
        for tool, *_ in tools_of(header):
            used.tool(tool)
        if header.format.lower().startswith(("nuhepmc", "hepmc", "nuisance")):
            used.tool(header.format)
        if "citations" in header.details:
            used.named(header.details["citations"], "named by the events")


def use_document(used: Used, text: str, name: str, *, strict: bool = True) -> None:
    """Add what a JSON document of forefold was made with.

    Parameters
    ----------
    used : Used
    text : str
        UHI JSON.
    name : str
        What it is called in errors.
    strict : bool
        Whether a document without provenance is an error.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"{name}: not a document of forefold: {type(error).__name__} {error}"
        raise ValueError(message) from None
    if not isinstance(content, dict):
        message = f"{name}: not a document of forefold: {type(content).__name__} is not what forefold writes"
        raise ValueError(message)
    if content.get("forefold") in ("fit", "limit"):
        _use_inference(used, content, name)
        return
    _use_histograms(used, content, text, name, strict=strict)


def _use_inference(used: Used, content: dict[str, Any], name: str) -> None:
    try:
        used.inference(content)
    except (AttributeError, TypeError, KeyError):
        message = f"{name}: not a document of forefold: parts of what 'forefold {content['forefold']}' writes are something else"
        raise ValueError(message) from None


def _use_histograms(
    used: Used, content: dict[str, Any], text: str, name: str, *, strict: bool
) -> None:
    parts = [content] if "uhi_schema" in content else list(content.values())
    metadata = [part.get("metadata") for part in parts if isinstance(part, dict)]
    notes = [note for note in metadata if isinstance(note, dict)]
    said = [
        {key.removeprefix("forefold_"): value for key, value in note.items()}
        for note in notes
        if any(str(key).startswith("forefold_") for key in {*note} - _NO_ORIGIN)
    ]
    if not said and strict:
        message = f"{name}: no provenance of forefold is in it; cite the matrix or card that it was made of, and the format by its name"
        raise ValueError(message)
    for origin in said:
        if "unfolded" in origin:
            use(used, Unfolded.from_json(text))
        used.provenance(origin)
