"""What a job is, in words that can be compared: a job goes on only as what it was begun as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["SCHEMA", "check_content", "check_same", "difference", "final"]

SCHEMA = 1

_SAME = {
    "schema": "schema",
    "version": "version of forefold",
    "format": "format of the output",
    "entries": "--entries",
    "skip_damaged": "--skip-damaged",
    "cross_section": "--cross-section",
    "partition": "--partition",
    "varied": "--variations",
}
_RECIPE = {
    "rng": "--rng",
    "axis": "--axis",
    "on_invalid": "--on-invalid",
    "where": "--where",
    "select": "--select",
    "define": "--define",
    "observables": "--observables",
}


def check_same(where: str, begun: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Refuse to go on with a job that was begun as another.

    Parameters
    ----------
    where : str
        What to call the place of the old one in messages.
    begun, asked : mapping
        Manifests.

    Raises
    ------
    ValueError
        One line says what differs.

    Examples
    --------
    >>> check_same("o.parts", {"version": "1"}, {"version": "2"})
    Traceback (most recent call last):
    ...
    ValueError: o.parts: begun with version of forefold = '1', now it is '2'; ...
    """
    for what, old, new in _pairs(begun, asked):
        if old != new:
            msg = (
                f"{where}: begun with {what} = {_brief(old)}, now it is {_brief(new)}; give what it was begun with, "
                "or --overwrite to begin anew"
            )
            raise ValueError(msg)


def _pairs(begun: Mapping[str, Any], asked: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    pairs = [(what, begun.get(key), asked.get(key)) for key, what in _SAME.items()]
    old, new = begun.get("recipe") or {}, asked.get("recipe") or {}
    pairs += [(what, old.get(key), new.get(key)) for key, what in _RECIPE.items()]
    cards = [(recipe.get("card") or {}) for recipe in (old, new)]
    pairs.append(("the card", cards[0].get("name"), cards[1].get("name")))
    where, *contents = difference(cards[0], cards[1])
    pairs.append((f"the card's {where}", *contents))
    pairs.append(("--variations", old.get("variations"), new.get("variations")))
    where, *contents = difference(begun.get("requests") or [], asked.get("requests") or [])
    pairs.append((f"what is filled ({where})" if where else "what is filled", *contents))
    files = [_files(job.get("inputs") or ()) for job in (begun, asked)]
    more, fewer = (sorted(set(one) - set(two)) for one, two in (files, files[::-1]))
    pairs.append(("other inputs", more, fewer))
    for path in files[0]:
        pairs.append((f"the content of {path}", files[0][path], files[1].get(path)))
    pairs.append(("the order of the inputs", list(files[0]), list(files[1])))
    pairs.append(("the parts", begun.get("parts"), asked.get("parts")))
    return pairs


def check_content(where: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Refuse inputs that hold something else than they did.

    Parameters
    ----------
    where : str
        What to call the place of the old hashes in messages.
    old, new : mapping of str to str
        SHA-256 of files by their paths.

    Raises
    ------
    ValueError
        One line names the file.
    """
    for path in old:
        if path in new and old[path] != new[path]:
            msg = (
                f"{where}: {path} has changed since (its SHA-256 was {old[path][:12]}..., it is {new[path][:12]}...); "
                "--overwrite begins anew"
            )
            raise ValueError(msg)


def difference(old: Any, new: Any) -> tuple[str, Any, Any]:
    """Find the first place where two contents of JSON differ.

    Parameters
    ----------
    old, new : dict, list or other content of JSON

    Returns
    -------
    str
        Keys on the way there, with dots between them; empty where nothing differs.
    object, object
        What stands there.

    Examples
    --------
    >>> difference({"rule": [{"name": "p", "scale": 1}]}, {"rule": [{"name": "p", "scale": 2}]})
    ('rule.0.scale', 1, 2)
    """
    pairs: list[tuple[str, Any, Any]] = []
    if isinstance(old, dict) and isinstance(new, dict):
        pairs = [(str(key), old.get(key), new.get(key)) for key in {**old, **new}]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(str(k), *both) for k, both in enumerate(zip(old, new, strict=True))]
    for key, one, two in pairs:
        if one != two:
            where, *both = difference(one, two)
            return f"{key}.{where}".rstrip("."), both[0], both[1]
    return "", old, new


def _files(inputs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    files: dict[str, Any] = {}
    for file in inputs:
        files.setdefault(str(file["path"]), []).append([file["bytes"], file["stream"]])
    return files


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:60]} ... ({len(text)} characters)"


def final(
    manifest: Mapping[str, Any], parts: Sequence[Mapping[str, Any]], output: Mapping[str, Any]
) -> dict[str, Any]:
    """Say what was done: the job, its parts with their hashes, and the output.

    Parameters
    ----------
    manifest : mapping
        Of the job.
    parts : sequence of mapping
        What each part held.
    output : mapping
        ``bytes`` and ``sha256``.

    Returns
    -------
    dict
        Nothing in it depends on time, or on who did what.
    """
    kept = {key: manifest[key] for key in manifest if key not in _LOCAL}
    inputs = [
        {**origin, "stream": file["stream"]}
        for origin, file in zip(manifest["origins"], manifest["inputs"], strict=True)
    ]
    done = [
        {"input": place, "entries": [start, stop], **{key: facts[key] for key in _TOLD}}
        for (place, start, stop), facts in zip(manifest["parts"], parts, strict=True)
    ]
    damage = [facts["damage"] for facts in parts if facts["damage"] and facts["damage"][0]]
    lost = {
        "events": sum(n for n, _ in damage),
        "notes": [note for _, notes in damage for note in notes],
    }
    return {**kept, "inputs": inputs, "parts": done, "lost": lost, "output": dict(output)}


_LOCAL = ("folder", "origins", "pids", "fresh", "chunk", "out")
_TOLD = ("events", "particles", "sha256")
