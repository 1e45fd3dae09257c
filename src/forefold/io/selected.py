"""What a file holds, of the events that a selection keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from forefold.io import inspection
from forefold.io.registry import Source, choose

if TYPE_CHECKING:
    import os

    from forefold.events.selection import Selection
    from forefold.io.registry import Damage

__all__ = ["inspect_selected"]


def inspect_selected(
    path: str | os.PathLike[str], selection: Selection, *, damage: Damage | None = None
) -> inspection.Inspection:
    """Read a file through, piece by piece, and count what the selection keeps.

    Parameters
    ----------
    path : str or path
        File.
    selection : Selection
    damage : Damage, optional
        Go on without events that cannot be read, and count them here.

    Returns
    -------
    Inspection
        Its ``details`` name the selection and say how many events it kept.

    Raises
    ------
    OSError, ValueError
        See `forefold.inspect`; or the selection keeps no event.
    """
    name = inspection._one_file(path)
    reader = choose(name)
    header = reader.describe(name)
    tally, read = inspection.Counts(), 0
    for record, _ in reader.iterate(Source(name, damage=damage)):
        kept = selection.apply(record)
        read += len(record)
        if len(kept):
            tally.add(kept)
    if tally.events == 0:
        msg = f"{name}: the selection {selection.text!r} keeps none of {read} events"
        raise ValueError(msg)
    details = {"selection": selection.text, "kept": f"{tally.events} of {read} events"}
    return tally.result(name, replace(header, details=header.details | details))
