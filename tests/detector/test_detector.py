"""Cards: what they say, what they refuse, and in what words."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from small_card import GOOD, write

import forefold
from forefold.detector import Card, Interval
from forefold.detector.compile import compile_card, species_table
from forefold.detector.load import card_source, fingerprint
from forefold.kernels.fate import Fate
from forefold.kernels.layout import COMPONENT_COLUMNS, RULE_COLUMNS


def load(folder: Path, old: str = "", new: str = "") -> Card:
    assert old in GOOD
    return forefold.load_card(write(folder, GOOD.replace(old, new, 1) if old else GOOD))


def test_shipped_cards_load_and_print() -> None:
    for name in forefold.cards():
        card = forefold.load_card(name)
        assert card.name == name
        text = str(card)
        for rule in card.rules:
            assert ", ".join(map(str, rule.particles)) in text
        assert all(source in text for source in card.sources.values())
        assert forefold.load_card(card) is card


def test_print_is_the_papers_table() -> None:
    lines = str(forefold.load_card("nusmear-dune-cdr")).splitlines()
    neutron = [line.split() for line in lines if line.startswith("n ")]
    assert neutron[0] == (
        [
            "n",
            "p",
            "<",
            "1",
            "KE",
            ">=",
            "0.05",
            "40",
            "%/sqrt(E)",
            "KE",
            "log-normal",
            "5",
            "deg",
            "polar",
            "90",
            "%",
            "0.6",
            "kinetic",
        ]
    )


def test_compiledholds_the_cards_numbers(tmp_path: Path) -> None:
    made = compile_card(load(tmp_path))
    muon, rest = (dict(zip(RULE_COLUMNS, row, strict=True)) for row in made.rules.tolist())
    assert (
        muon
        | {
            "ke_low": 0,
            "ke_high": np.inf,
            "p_low": 0.1,
            "p_high": 2.0,
            "threshold_ke": math.nextafter(0.05, 1.0),
            "efficiency": 0.9,
            "theta_sigma": math.radians(2.0),
            "first": 0,
            "last": 1,
        }
        == muon
    )
    assert (rest["threshold_ke"], rest["efficiency"], rest["theta_sigma"]) == (0, 1, 0)
    wide, exact = (
        dict(zip(COMPONENT_COLUMNS, row, strict=True)) for row in made.components.tolist()
    )
    assert (
        wide | {"of": 1, "distribution": 1, "constant": 0.1, "stochastic": 0.2, "scale": 0.8}
        == wide
    )
    assert exact | {"of": 0, "distribution": 2, "constant": 0, "scale": 1} == exact
    assert (made.rule_links == -1).all()
    assert (made.component_links == -1).all()
    assert made.formulas == ()


def test_species_table() -> None:
    card = forefold.load_card("nusmear-dune-cdr")
    ids = np.array([2212, 13, 12, 1000180400, 2000000101, 92, 3312], dtype=np.int64)
    table = species_table(card, ids)
    fates = [0, 0, Fate.NEUTRINO, Fate.NUCLEUS, Fate.PSEUDO_PARTICLE, Fate.PSEUDO_PARTICLE, 0]
    assert table.outcome.tolist() == [int(fate) for fate in fates]
    names = [
        [card.rules[k].name for k in table.candidates[a:b]]
        for a, b in zip(table.first, table.last, strict=True)
    ]
    assert names[0] == ["proton, slow", "proton"]
    assert names[1] == ["muon"]
    assert names[6] == ["other"]


def test_interval_bounds() -> None:
    inside = Interval(gt=1.0, le=2.0)
    assert not inside.low <= 1.0
    assert inside.low <= math.nextafter(1.0, 2.0)
    assert 2.0 < inside.high <= math.nextafter(2.0, 3.0)
    assert str(inside) == "> 1 and <= 2"


def test_card_in_a_notebook(tmp_path: Path) -> None:
    card = load(tmp_path)
    assert card._repr_html_().startswith("<pre>mine: A card")
    assert {"rules", "types"} <= set(dir(card))
    assert "parse_obj" not in dir(card)


def test_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    spaced = forefold.load_card(write(tmp_path, GOOD.replace("\n[[rule]]", "\n\n# x\n[[rule]]")))
    assert fingerprint(spaced) == fingerprint(load(tmp_path))
    assert fingerprint(load(tmp_path, "2.0 }", "2.5 }"))[1] != fingerprint(spaced)[1]
    text, _ = fingerprint(spaced)
    assert Card.model_validate_json(text) == spaced


def test_card_source() -> None:
    assert 'extends = "nusmear-default"' in card_source("nusmear-default-genie")


WRONG = [
    ('title = "A card"', 'titel = "A card"', r"title: Field required"),
    ('title = "A card"', 'title = "A"\ncolour = 3', r"colour: unknown key; allowed: schema, name.*extends"),
    ("constant = 0.1", "constnat = 0.1", r"rule\[1\] 'muon'.energy.constnat: unknown key \(did you mean 'constant'\?\)"),
    ("schema = 1", "schema = 2", r"schema: found 2; allowed: 1"),
    ('"normal", constant', '"lognormal", constant', r"found 'lognormal' \(did you mean 'log-normal' or 'normal'\?\); allowed: 'log-normal', 'normal', 'none', "),
    ('["mu-", -13]', '["mu-", "muu-"]', r"unknown particle 'muu-' \(did you mean 'mu-'"),
    ('["mu-", -13]', "[true]", r"a PDG identifier, a name or a class"),
    ('["mu-", -13]', "[1.5]", r"a PDG identifier, a name or a class"),
    ('["mu-", -13]', "[]", r"particles"),
    ("constant = 0.1", "constant = -0.1", r"energy.constant: .*greater than or equal to 0, found -0.1"),
    ("constant = 0.1", "constant = nan", r"energy.constant: .*finite number.*found nan"),
    ("constant = 0.1", "constant = true", r"energy.constant: .*found True"),
    ("constant = 0.1", "constant = 1e300", r"energy.constant: .*less than or equal to 100"),
    ("constant = 0.1", "constant = inf", r"energy.constant: "),
    ("constant = 0.1", 'constant = "a"', r"energy.constant: expression, character 1 \('a'\): unknown name 'a'; known: E, KE"),
    ("efficiency = 0.9", "efficiency = 1.1", r"efficiency: .*less than or equal to 1, found 1.1"),
    ("scale = 0.8", "scale = 0", r"energy.scale: "),
    ("ge = 0.1, lt = 2.0", "ge = 2.0, lt = 2.0", r"when.momentum: holds for no value: >= 2 and < 2"),
    ("ge = 0.1, lt = 2.0", "ge = 0.1, gt = 0.2", r"give ge or gt, not both"),
    ("ge = 0.1, lt = 2.0", "le = 0.1, lt = 0.2", r"give lt or le, not both"),
    ("{ ge = 0.1, lt = 2.0 }", "{}", r"give a bound"),
    ("when.momentum = { ge = 0.1, lt = 2.0 }", "when = {}", r"give kinetic_energy, momentum or formula"),
    ("kinetic_energy.gt = 0.05", "kinetic_energy.lt = 0.05", r"a threshold has a lower bound only"),
    ('source = "me"', 'source = "you"', r"rule 'muon': source 'you' is not in \[sources\]"),
    ('distribution = "none"', 'distribution = "none", constant = 0.1', r"'none' has no constant"),
    ('distribution = "normal", constant = 0.1, stochastic = 0.2', 'distribution = "normal"', r"needs a constant or a stochastic term"),
    ('name = "rest"', 'name = "muon"', r"two rules are named 'muon'"),
    ('["other"]', '["baryon"]', r"the last rule \('rest'\) must be for particles = \[\"other\"\]"),
    ('["mu-", -13]', '["nu(mu)"]', r"rule 'muon' can never match"),
    ('title = "A card"', 'title = "A"\nnot_smeared = ["photons"]', r"not_smeared: unknown class 'photons'"),
    ("[sources]", "[sources", r"not TOML"),
    ('name = "mine"', 'name = "a b"', r"name: .*found 'a b'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), WRONG)
def test_wrong_cards(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        load(tmp_path, old, new)
    text = str(caught.value)
    assert text.startswith(str(tmp_path / "card.toml"))
    assert "pydantic" not in text


SHADOWED = """
[[rule]]
name = "{name}"
type = "p"
particles = {particles}
source = "me"
{when}
energy = {{ of = "total", distribution = "log-normal", constant = 0.1 }}
angle = {{ convention = "polar", distribution = "normal", sigma_deg = 1.0 }}
"""


@pytest.mark.parametrize(
    ("rules", "shadowed"),
    [
        ([('["p"]', ""), ('["p"]', "")], 2),
        ([('["nucleon"]', ""), ('["p"]', "when.momentum.lt = 0.4")], 2),
        ([('["p"]', "when.momentum.lt = 0.4"), ('["p"]', "when.momentum.ge = 0.4"), ('["p"]', "")], 3),
        ([('["p"]', "when.momentum.le = 0.4"), ('["p"]', "when.momentum.gt = 0.4"), ('["p"]', "")], 3),
        ([('["p"]', "when.momentum.lt = 0.4"), ('["p"]', "when.kinetic_energy.lt = 0.01")], 2),
        ([('["p"]', "when = { momentum = { lt = 0.1 }, kinetic_energy = { gt = 1.0 } }")], 1),
        ([('["nucleus"]', "")], 1),
        ([("[14]", "")], 1),
        ([('["p"]', "when.momentum.lt = 0.4"), ('["p"]', "when.momentum.gt = 0.5"), ('["p"]', "")], 0),
        ([('["p"]', ""), ('["baryon"]', "")], 0),
        ([('["p"]', "when.momentum.lt = 0.4"), ('["nucleon"]', ""), ('["hadron"]', "")], 0),
    ],
)  # fmt: skip
def test_rule_that_can_never_match(
    tmp_path: Path, rules: list[tuple[str, str]], shadowed: int
) -> None:
    head, last = GOOD.split("[[rule]]", maxsplit=1)[0], "[[rule]]" + GOOD.split("[[rule]]")[2]
    text = head + "".join(
        SHADOWED.format(name=f"r{i + 1}", particles=particles, when=when)
        for i, (particles, when) in enumerate(rules)
    )
    path = write(tmp_path, text + last)
    if shadowed:
        with pytest.raises(ValueError, match=f"rule 'r{shadowed}' can never match"):
            forefold.load_card(path)
    else:
        assert len(forefold.load_card(path).rules) == len(rules) + 1


def test_unknown_card_names_are_near() -> None:
    with pytest.raises(ValueError, match=r"unknown card 'nusmear-cdr' \(did you mean 'nusmear-d"):
        forefold.load_card("nusmear-cdr")


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        forefold.load_card(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not UTF-8"):
        forefold.load_card(tmp_path / "binary.toml")
