"""What a file holds: a generator's, or one that forefold wrote."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forefold.events.selection import selection_of
from forefold.io import inspect as inspect_events
from forefold.io.files import expand
from forefold.io.native.smeared import is_smeared, iterate_smeared, smeared_provenance
from forefold.io.source import local
from forefold.matrix.fold import Prediction
from forefold.matrix.json import PREDICTION, read_spectrum
from forefold.matrix.variations import read_set
from forefold.smearing.smear import fate_counts
from forefold.unfolding import Unfolded

if TYPE_CHECKING:
    from pathlib import Path

    from forefold.events.selection import Selection
    from forefold.io.inspection import Inspection
    from forefold.io.registry import Damage

__all__ = ["OwnInspection", "inspect"]

_RESULTS = ("fit", "limit")
_LEFT_OUT = ("card_text", "inputs", "variations", "version", "made", "entries")


@dataclass(frozen=True)
class OwnInspection:
    """What a file holds that forefold wrote; print it.

    Attributes
    ----------
    path, format : str
    facts : dict of str to str
        What it was made with.
    contents : str
        What is in it, in some lines.
    """

    path: str
    format: str
    facts: dict[str, str]
    contents: str

    def to_dict(self) -> dict[str, Any]:
        """Plain texts, as JSON holds them."""
        return {
            "path": self.path,
            "format": self.format,
            **self.facts,
            "contents": self.contents.splitlines(),
        }

    def __str__(self) -> str:
        """Lay it out as text."""
        facts = {"format": self.format, **self.facts}
        lines = [self.path, *(f"  {key:<11} {value}" for key, value in facts.items()), ""]
        return "\n".join([*lines, self.contents])


def inspect(
    path: str | Path,
    *,
    where: str | Selection | None = None,
    damage: Damage | None = None,
) -> Inspection | OwnInspection:
    """Find out what a file holds.

    Parameters
    ----------
    path : str or path
        Events of a generator, smeared events, or the JSON of a matrix, spectrum, prediction, unfolded spectrum, fit or limit.
    where : str or Selection, optional
        Of a generator's events, count only those of which this condition is true; see `forefold.events.selection`.
    damage : Damage, optional
        Go on without events that cannot be read, and count them here.

    Returns
    -------
    Inspection or OwnInspection
        Of a generator's events: generator, beam, target, processes, particles. Of what forefold wrote: what it was made with, and what is in
        it. `print` it, or take ``to_dict()``.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is of no known format, damaged or empty; or a condition is asked of what are no events of a generator.

    Examples
    --------
    >>> import forefold
    >>> forefold.inspect("events.gst.root").events
    300
    """
    cut = None if where is None else selection_of(where)
    names = expand(path)
    inspection = _own(names[0]) if len(names) == 1 else None
    if inspection is None:
        return inspect_events(path, where=cut, damage=damage)
    if where is not None:
        message = f"{names[0]}: where: for generator events only; this is: {inspection.format}"
        raise ValueError(message)
    return inspection


def _own(name: str) -> OwnInspection | None:
    if is_smeared(name):
        return _smeared(name)
    if not name.endswith(".json"):
        return None
    text = local(name).read_text(encoding="utf-8", errors="replace")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    try:
        return _document(name, text, content)
    except ValueError as error:
        message = f"{name}: {error}"
        raise ValueError(message) from None


def _smeared(name: str) -> OwnInspection:
    about = smeared_provenance(name)
    events, particles, fates = 0, 0, Counter[Any]()
    columns: list[str] = []
    for piece in iterate_smeared(name):
        events += len(piece)
        particles += int(piece.n_particles.to_numpy().sum())
        fates.update(fate_counts(piece))
        columns = piece.fields
    facts = _facts(about) | {"events": f"{events}", "particles": f"{particles}"}
    inputs = [entry.get("path", "") for entry in about.get("inputs", []) if isinstance(entry, dict)]
    facts |= {"made of": ", ".join(inputs)} if inputs else {}
    lines = [
        f"  {str(fate.name).lower().replace('_', ' '):<20} {count:>10}"
        for fate, count in sorted(fates.items())
    ]
    return OwnInspection(
        name,
        "smeared events",
        facts,
        "\n".join(["Particles", *lines, "", "Columns", *_wrapped(columns)]),
    )


def _document(name: str, text: str, content: dict[str, Any]) -> OwnInspection | None:
    """Tell documents by what is in them; None of JSON that is none of forefold's."""
    if content.get("forefold") in _RESULTS:
        facts = _facts(content.get("provenance", {})) | _facts(content)
        return OwnInspection(name, str(content["forefold"]), facts, _result(content))
    if {"counts", "truth", "alone"} <= content.keys():
        matrices = read_set(text)
        nominal, varied = matrices["nominal"], list(matrices)[1:]
        more = f"\n  and {len(varied)} variations: {', '.join(varied)}" if varied else ""
        return OwnInspection(
            name, "response matrix", _facts(nominal.provenance), f"{nominal!r}{more}"
        )
    if PREDICTION in content:
        return OwnInspection(name, "prediction", {}, repr(Prediction.from_json(text)))
    parts = [content] if "uhi_schema" in content else list(content.values())
    if not parts or not all(isinstance(part, dict) and "uhi_schema" in part for part in parts):
        return None
    if any("forefold_unfolded" in part.get("metadata", {}) for part in parts):
        return OwnInspection(name, "unfolded spectrum", {}, repr(Unfolded.from_json(text)))
    histogram = read_spectrum(text)
    axes = [
        f"  {axis.name or 'axis'}: {len(axis)} bins from {axis.edges[0]:g} to {axis.edges[-1]:g}"
        if hasattr(axis, "edges") and len(axis) and axis.traits.ordered
        else f"  {axis.name or 'axis'}: {len(axis)} categories"
        for axis in histogram.axes
    ]
    inside, whole = (float(histogram.values(flow=flow).sum()) for flow in (False, True))
    total = f"sum {inside:.6g}, and {whole - inside:.6g} in flow bins"
    return OwnInspection(name, "histogram", {}, "\n".join([f"Histogram: {total}", *axes]))


def _facts(about: dict[str, Any]) -> dict[str, str]:
    """Give plain facts of a provenance or of a result."""
    return {
        key: str(value)
        for key, value in about.items()
        if key not in _LEFT_OUT and isinstance(value, str | int | float) and key != "forefold"
    }


def _result(content: dict[str, Any]) -> str:
    """Parameters, intervals and notes of a fit or a limit."""
    lines = []
    for name, parameter in content.get("parameters", {}).items():
        error = "no error" if parameter["error"] is None else f"+- {parameter['error']:.2g}"
        lines.append(
            f"  {name} = {parameter['value']:.4g} {'(fixed)' if parameter['fixed'] else error}"
        )
    lines += [f"  note: {note}" for note in content.get("notes", [])]
    return "\n".join(["Parameters", *lines] if content.get("parameters") else lines)


def _wrapped(words: list[str]) -> list[str]:
    from textwrap import wrap

    return wrap(", ".join(words), 96, initial_indent="  ", subsequent_indent="  ")
