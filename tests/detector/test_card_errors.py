"""Wrong cards: the line that a message names, and damage of every kind."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from card_fuzz import EVERY_KEY, originals, outcomes

import forefold
from forefold.detector.cardlines import lines_of_keys, too_deep


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every key and entry of what the TOML reader gives."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items if isinstance(value, (dict, list)) else ():
        yield (*path, key)
        if isinstance(inner, (dict, list)):
            yield from paths(inner, (*path, key))


@pytest.mark.parametrize("text", originals()[: len(forefold.cards()) + 1])
def test_every_key_has_a_line_that_names_it(text: str) -> None:
    found, lines = lines_of_keys(text), text.split("\n")
    for path in paths(tomllib.loads(text)):
        if isinstance(path[-1], str):
            assert path[-1] in lines[found[path] - 1], path
        else:
            assert found[path] >= found[path[:-1]]


def test_lines_of_awkward_toml() -> None:
    text = '''
a.b = """x = 1
[not]"""
"c d" = 'e # f' # g = 3
[h."i.j"]
k = [ # [
  1, { l = 2 }, # }
  "]",
]
'''
    found = lines_of_keys(text)
    assert {key: found[key] for key in found if isinstance(key[-1], str)} == {
        ("a",): 2, ("a", "b"): 2, ("c d",): 4, ("h",): 5, ("h", "i.j"): 5, ("h", "i.j", "k"): 6, ("h", "i.j", "k", 1, "l"): 7,
    }  # fmt: skip
    assert found[("h", "i.j", "k", 2)] == 8


def test_deep_nesting_is_not_in_strings() -> None:
    assert too_deep('a = "' + "[" * 100 + '"\nb = [1.5, 2.5]\n# ' + "{" * 100) is None
    assert too_deep("a = 1\n\nb = " + "{c = " * 100) == 3
    assert too_deep("\n" + ".".join("a" * 100) + " = 1") == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("value = 0.02", "value = nan", "parameters.shift.value"),
        ("interpolation =", "interpolatoin =", "tables.map.interpolatoin: unknown key (did you mean"),
        ("n_low = 3.0", "n_low = 0.5", "energy.parts[1]: n_low: above 1"),
        ("alpha_low = 1.0", 'alpha_low = "q"', "energy.parts[1].alpha_low: expression, character 1"),
        ('"1+shift"', '"1+shfit"', "energy.scale: expression, character 3"),
        ('kind = "pi0-decay"', 'kind = "pi-decay"', "stage[1]"),
        ('"charge == 0 or p > 0.3"', '"charge"', "when.formula: 'charge' is a number"),
        ("lt = 20.0", "lt = 0.01", "when.momentum: holds for no value"),
        ("probability = 0.06", "probability = 1.06", "identification[1].row[2].probability"),
        ('table = "migration"', 'table = "nowhere"', "rule 'last': table 'nowhere' is not in [tables]"),
        ("sigma_phi_deg = 5.0", "sigma_phi_deg = true", "angle.sigma_phi_deg"),
    ],
)  # fmt: skip
def test_messages_name_the_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert EVERY_KEY.count(old) == 1
    path = tmp_path / "card.toml"
    path.write_text(EVERY_KEY.replace(old, new))
    with pytest.raises(ValueError, match=r"card\.toml, line \d+: ") as caught:
        forefold.load_card(path)
    message = str(caught.value)
    assert said in message
    line = int(message.split(", line ")[1].split(":", maxsplit=1)[0])
    near = path.read_text().split("\n")[line - 1]
    rule_or_block = said.startswith(("rule 'last'", "stage[1]"))
    assert new in near or rule_or_block


def test_a_missing_key_has_the_line_of_its_table(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(EVERY_KEY.replace('kind = "pi0-decay"\n', ""))
    line = EVERY_KEY.split("\n").index("[[stage]]") + 1
    with pytest.raises(ValueError, match=rf"card\.toml, line {line}: stage\[1\]: kind is missing"):
        forefold.load_card(path)


def test_line_of_a_card_that_extends(tmp_path: Path) -> None:
    path = tmp_path / "child.toml"
    head = 'name = "child"\nextends = "dune-cdr-fastmc"\n'
    path.write_text(f'{head}\n[[rule]]\nname = "proton"\nenergy.constant = -1.0\n')
    with pytest.raises(ValueError, match=r"child\.toml, line 6: rule\[5\] 'proton'\.energy\.const"):
        forefold.load_card(path)
    path.write_text(f"{head}colour = 3\n")
    with pytest.raises(ValueError, match=r"child\.toml, line 3: colour: unknown key"):
        forefold.load_card(path)
    path.write_text(f'{head}[[rule]]\nname = "muon"\nangle.distribution = "rayleigh"\n')
    with pytest.raises(
        ValueError, match=r"child\.toml, line 5: rule\[1\] 'muon'\.angle: convention"
    ):
        forefold.load_card(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = " + "[" * 10_000, "line 1: not a card: nested too deep"),
        ("a = " + "9" * 5000, "not TOML: Exceeds the limit"),
        ("#" * 2_000_001, "not a card: more than 2000000 characters"),
        ('[tables.t]\nfile = "/dev/zero"', "tables.t: more than 20000000 characters"),
        (f"extends = '{'a' * 3000}.toml'", "extends 'aaa"),
    ],
)
def test_what_would_stop_the_reader(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "card.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match="card") as caught:
        forefold.load_card(path)
    message = str(caught.value)
    assert str(path) in message
    assert said in message
    assert len(message) < 1500


def test_damaged_cards(tmp_path: Path) -> None:
    """Three hundred; five thousand were run once."""
    found = outcomes(range(300), tmp_path)
    assert found.total() == 300
    assert found["card"] >= 1
    assert found["clean error"] > 200
