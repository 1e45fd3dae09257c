"""Words that were given other names are still read, with a note that says the new one: all of the one table."""

from __future__ import annotations

from pathlib import Path

import pytest

import forefold
from forefold._inputs import OLD_WORDS, is_universe
from forefold.detector.load import fingerprint
from forefold.smearing.variations import named_variations

UNCERTAIN = "dune-fd-uncertainties"


@pytest.mark.parametrize("old", OLD_WORDS["card"])
def test_cards(old: str, tmp_path: Path) -> None:
    new = OLD_WORDS["card"][old]
    assert new in forefold.cards()
    with pytest.warns(UserWarning, match=f"card '{old}' is called '{new}' now"):
        assert fingerprint(forefold.load_card(old)) == fingerprint(forefold.load_card(new))
    rule = """
[[rule]]
name = "mu"
type = "mu"
particles = ["mu-"]
source = "definition"
energy = { of = "total", distribution = "none" }
angle = { convention = "none", distribution = "none" }
"""
    heads = {name: f'name = "mine"\nextends = "{name}"\n{rule}' for name in (old, new)}
    for name, text in heads.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    with pytest.warns(UserWarning, match="is called"):
        before = forefold.load_card(tmp_path / f"{old}.toml")
    assert fingerprint(before) == fingerprint(forefold.load_card(tmp_path / f"{new}.toml"))


@pytest.mark.parametrize("old", OLD_WORDS["fate"])
def test_fates(old: str) -> None:
    new = OLD_WORDS["fate"][old]
    with pytest.warns(UserWarning, match=f"fate '{old}' is called '{new}' now"):
        assert getattr(forefold.Fate, old) is forefold.Fate[new]
    with pytest.warns(UserWarning, match=f"fate '{old}' is called '{new}' now"):
        assert forefold.Fate[old] is forefold.Fate[new]
    assert old not in forefold.Fate.__members__
    with pytest.raises(AttributeError, match="no attribute 'GONE'"):
        forefold.Fate.GONE  # noqa: B018
    assert int(forefold.Fate.INEFFICIENCY) == 4


@pytest.mark.parametrize("old", OLD_WORDS["name"])
def test_functions(old: str) -> None:
    new = OLD_WORDS["name"][old]
    with pytest.warns(UserWarning, match=f"name '{old}' is called '{new}' now"):
        assert getattr(forefold, old) is getattr(forefold, new)
    assert old not in dir(forefold)


@pytest.mark.parametrize("old", OLD_WORDS["variations"])
def test_variations(old: str) -> None:
    new = OLD_WORDS["variations"][old]
    with pytest.warns(UserWarning, match=f"variations '{old}' is called '{new}' now"):
        before = named_variations(UNCERTAIN, [f"{old}:2"], 1)
    assert before == named_variations(UNCERTAIN, [f"{new}:2"], 1)
    assert [is_universe(v.name) for v in before] == [True, True]
