"""Card files: finding them by name or path, reading them, and merging in what they extend."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from forefold._inputs import current_word
from forefold.detector.cardlines import lines_of_keys, too_deep
from forefold.events import particles as species
from forefold.io.files import from_home

__all__ = ["card_source", "cards", "line_of", "resolved"]

_OPPOSITE = {"ge": "gt", "gt": "ge", "le": "lt", "lt": "le"}
_LAWS = {"constant", "stochastic", "noise", "resolution", "sigma"}
_LONGEST = 2_000_000
_LONGEST_TABLE = 20_000_000
_LONGEST_NAME = 200
_REMOVABLE = ("when", "threshold")
_SOURCED = ("threshold", "energy", "angle")


def cards() -> list[str]:
    """Names of the cards that come with forefold.

    Examples
    --------
    >>> "nusmear-dune-cdr" in cards()
    True
    """
    folder = resources.files("forefold.detector") / "cards"
    return sorted(
        f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")
    )


def card_source(name: str | Path) -> str:
    """TOML text of a card, by name or by file.

    Raises
    ------
    ValueError
        No card has this name; near names are given.
    OSError
        The file cannot be read.

    Examples
    --------
    >>> card_source("nusmear-dune-cdr").splitlines()[1]
    'name = "nusmear-dune-cdr"'
    """
    return _read(name, Path())[0]


def resolved(name: str | Path) -> tuple[dict[str, Any], str]:
    """Read a card with what it extends merged in: plain tables, not yet checked.

    Returns
    -------
    dict, str
        The card, and what to call it in messages.

    Raises
    ------
    ValueError
        No such card, not TOML, or it extends in a circle.
    OSError
        The file cannot be read.
    """
    return _resolved(name, Path(), ())


def _read(name: str | Path, folder: Path) -> tuple[str, str, Path]:
    """Text of a card, what to call it in messages, and the folder that its `extends` refers to."""
    word = str(name)
    if isinstance(name, Path) or word.endswith(".toml") or "/" in word or "\\" in word:
        path = folder / from_home(name)
        try:
            return _text(path), str(path), path.parent
        except UnicodeDecodeError:
            message = f"{path}: not a card: not UTF-8 text"
            raise ValueError(message) from None
        except ValueError as error:
            message = f"{_brief(repr(word))}: not a card: {error}"
            raise ValueError(message) from None
    word = current_word("card", word)
    known = cards()
    if word not in known:
        hint = species.near(word, known)
        message = f"unknown card {_brief(repr(word))}{hint}; known: {', '.join(known)}; or give a .toml file"
        raise ValueError(message)
    text = (resources.files("forefold.detector") / "cards" / f"{word}.toml").read_text(
        encoding="utf-8"
    )
    return text, f"card {word}", folder


def _text(path: Path, longest: int = _LONGEST) -> str:
    """Text of a file, or of as much as is allowed: a device may have no end."""
    with path.open(encoding="utf-8-sig") as file:
        text = file.read(longest + 1)
    if len(text) > longest:
        message = f"more than {longest} characters"
        raise ValueError(message)
    return text


def _resolved(name: str | Path, folder: Path, seen: tuple[str, ...]) -> tuple[dict[str, Any], str]:
    text, where, folder = _read(name, folder)
    if where in seen:
        message = f"{where}: cards extend each other in a circle: {' -> '.join((*seen, where))}"
        raise ValueError(message)
    raw = _loaded(text, where)
    _read_tables(raw, folder, where)
    parent = raw.pop("extends", None)
    if parent is None:
        return raw, where
    if not isinstance(parent, str):
        message = (
            f"{where}: extends: a card's name or file is expected, found {_brief(repr(parent))}"
        )
        raise ValueError(message)
    try:
        base, _ = _resolved(parent, folder, (*seen, where))
    except OSError as error:
        message = f"{where}: extends {_brief(repr(parent))}: {error.strerror or error}"
        raise ValueError(message) from None
    except ValueError as error:
        message = str(error) if seen else f"{where}: extends {_brief(repr(parent))}: {error}"
        raise ValueError(message) from None
    return _extended(base, raw, where), where


def _loaded(text: str, where: str) -> dict[str, Any]:
    """Read TOML; what would take a reader's stack or its memory is refused before."""
    line = too_deep(text)
    if line is not None:
        message = f"{where}, line {line}: not a card: nested too deep"
        raise ValueError(message)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{where}: not TOML: {error}"
        raise ValueError(message) from None
    except ValueError as error:  # an integer with thousands of digits
        message = f"{where}: not TOML: {str(error).split(';')[0]}"
        raise ValueError(message) from None


def line_of(name: str | Path, loc: tuple[int | str, ...], raw: dict[str, Any]) -> int | None:
    """Line of a key in a card's own text; None if it is not there, or not sure.

    Parameters
    ----------
    name : str or Path
        As in `resolved`.
    loc : tuple of int and str
        Keys and places in lists, from the outside.
    raw : dict
        The card with what it extends merged in: rules have other places there.
    """
    try:
        text = card_source(name)
        own = tomllib.loads(text)
    except (ValueError, OSError):
        return None
    if len(loc) > 1 and loc[0] == "rule" and isinstance(loc[1], int) and "extends" in own:
        rules = own.get("rule", [])
        names = [rule.get("name") for rule in rules]
        rule = raw["rule"][loc[1]].get("name")
        if rule not in names:
            return None
        loc = ("rule", names.index(rule), *loc[2:])
    return lines_of_keys(text).get(loc)


def _read_tables(raw: dict[str, Any], folder: Path, where: str) -> None:
    """Put axes and values of tables in files of their own into the card, which then holds all that it says."""
    for name, block in _table(raw, "tables", where).items():
        if not isinstance(block, dict) or "file" not in block:
            continue
        file = block.pop("file")
        if "axes" in block or "values" in block or not isinstance(file, str):
            message = (
                f"{where}: tables.{name}: give axes and values, or file = the name of a UHI JSON"
            )
            raise ValueError(message)
        from forefold.expressions.tables import Table

        try:
            text = _text(folder / file, _LONGEST_TABLE)
            table = Table.from_uhi(
                text, block.get("interpolation", "none"), name=f"{folder / file}"
            )
        except OSError as error:
            message = f"{where}: tables.{name}: {folder / file}: {error.strerror or error}"
            raise ValueError(message) from None
        except ValueError as error:
            message = f"{where}: tables.{name}: {error}"
            raise ValueError(message) from None
        block["axes"] = [axis.tolist() for axis in table.axes]
        block["values"] = table.values.tolist()


def _extended(base: dict[str, Any], raw: dict[str, Any], where: str) -> dict[str, Any]:
    """Merge: rules of the same name are changed key by key, new ones come where they say, or before the last."""
    rules = raw.get("rule", [])
    if not isinstance(rules, list) or not all(isinstance(r, dict) for r in rules):
        message = f"{where}: rule: tables [[rule]] are expected"
        raise ValueError(message)
    _check_names(rules, where)
    own = str(raw.get("name", "this card"))
    sources = {**base.get("sources", {}), **_table(raw, "sources", where)}
    both: dict[str, Any] = {
        key: {**base.get(key, {}), **_table(raw, key, where)}
        for key in ("parameters", "tables")
        if key in base or key in raw
    }
    for key in ("shift", "correlation"):
        if key in base and key in raw:
            both[key] = _joined(base[key], raw[key])
    merged = [dict(rule) for rule in base.get("rule", [])]
    for rule in rules:
        names = [r.get("name") for r in merged]
        before = rule.pop("before", None)
        if "name" in rule and rule["name"] in names:
            if before is not None:
                message = f"{where}: rule {rule['name']!r}: before is for new rules only"
                raise ValueError(message)
            i = names.index(rule["name"])
            merged[i] = _changed(merged[i], rule, own)
        else:
            merged.insert(_place(before, names, f"{where}: rule {rule.get('name')!r}"), rule)
    if any(own in _sources_of(rule) for rule in merged):
        sources.setdefault(own, f"{where}, which changes it")
    return {**base, **raw, **both, "sources": sources, "rule": merged}


def _check_names(rules: list[dict[str, Any]], where: str) -> None:
    """Refuse two rules of one name in one card: the second would change the first."""
    names = [rule.get("name") for rule in rules]
    for name in names:
        if name is not None and names.count(name) > 1:
            message = f"{where}: two rules are named {name!r}"
            raise ValueError(message)


def _joined(base: Any, raw: Any) -> Any:
    """Put blocks behind those of the card that is extended; those of the same name, or pair, go."""
    both = [base, raw]
    if not all(isinstance(b, list) and all(isinstance(x, dict) for x in b) for b in both):
        return raw  # which the schema refuses
    new = [_who(block, len(base) + i) for i, block in enumerate(raw)]
    return [*(block for i, block in enumerate(base) if _who(block, i) not in new), *raw]


def _who(block: dict[str, Any], i: int) -> Any:
    """Tell a block from others: by its name, or by the pair that it is about."""
    pair = block.get("parameters")
    named = [str(word) for word in pair] if isinstance(pair, list) else [str(block.get("name", i))]
    return frozenset(named)


def _place(before: Any, names: list[Any], where: str) -> int:
    """Index at which a new rule goes in."""
    if before is None:
        return max(len(names) - 1, 0)
    if before not in names:
        known = [str(name) for name in names]
        hint = species.near(str(before), known)
        message = f"{where}: before {before!r}: no such rule{hint}; there are {', '.join(known)}"
        raise ValueError(message)
    return names.index(before)


def _changed(base: dict[str, Any], change: dict[str, Any], own: str) -> dict[str, Any]:
    """Change a rule; a number that is changed without a source has the changing card as its source.

    An empty ``when`` or ``threshold`` takes the other card's away.
    """
    away = [key for key in _REMOVABLE if change.get(key) == {} and key in base]
    change = {key: value for key, value in change.items() if key not in away}
    kept = {key: value for key, value in base.items() if key not in away}
    rule = _merged(_without_what_is_replaced(kept, change), change)
    if "source" in change or "source" not in base:
        return rule
    for key in _SOURCED:
        block = rule.get(key)
        if not isinstance(block, dict):
            continue
        changed = change.get(key)
        if changed is None:
            rule[key] = {"source": base["source"], **block}
        elif not (isinstance(changed, dict) and "source" in changed):
            rule[key] = {**block, "source": own}
    if "efficiency" in change or away:
        rule["source"] = own
    return rule


def _without_what_is_replaced(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Take away what cannot stand beside a change: another law of the width, another kind of draw."""
    kept = dict(base)
    old, new = base.get("energy"), change.get("energy")
    if isinstance(old, dict) and isinstance(new, dict):
        if "parts" in old or "parts" in new:
            kept.pop("energy")
        elif new.keys() & {"resolution", "sigma"}:
            kept["energy"] = {k: v for k, v in old.items() if k not in _LAWS}
        elif new.keys() & _LAWS:
            kept["energy"] = {k: v for k, v in old.items() if k not in {"resolution", "sigma"}}
    old, new = base.get("angle"), change.get("angle")
    if isinstance(old, dict) and isinstance(new, dict):
        other = new.get("convention", old.get("convention")) != old.get("convention")
        if other:
            kept.pop("angle")
    return kept


def _sources_of(rule: dict[str, Any]) -> list[Any]:
    blocks = [rule, *(rule.get(key) for key in _SOURCED)]
    return [block.get("source") for block in blocks if isinstance(block, dict)]


def _brief(word: str) -> str:
    return word if len(word) <= _LONGEST_NAME else f"{word[:_LONGEST_NAME]} ..."


def _table(raw: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = raw.get(key, {})
    if not isinstance(value, dict):
        message = f"{where}: {key}: a table is expected, found {_brief(repr(value))}"
        raise ValueError(message)
    return value


def _merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Change tables key by key; a bound replaces the other kind of bound on the same side."""
    result = {key: value for key, value in base.items() if _OPPOSITE.get(key) not in change}
    for key, value in change.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if both else value
    return result
