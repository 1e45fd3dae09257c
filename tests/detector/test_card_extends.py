"""Cards that extend other cards."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_card import GOOD, write

import forefold
from forefold.detector import Card


def test_extends_changes_keys_and_inserts_rules(tmp_path: Path) -> None:
    write(tmp_path, GOOD, "base.toml")
    child = write(
        tmp_path,
        """
        schema = 1
        name = "child"
        title = "Child"
        extends = "base.toml"
        [sources]
        more = "another"
        [[rule]]
        name = "muon"
        angle.sigma_deg = 5.0
        [[rule]]
        name = "kaon"
        type = "K"
        particles = ["kaon"]
        source = "more"
        energy = { of = "total", distribution = "log-normal", constant = 0.1 }
        angle = { convention = "polar", distribution = "normal", sigma_deg = 1.0 }
        """,
        "child.toml",
    )
    card = forefold.load_card(child)
    assert [rule.name for rule in card.rules] == ["muon", "kaon", "rest"]
    assert card.rules[0].angle.sigma_deg == 5.0
    assert card.rules[0].energy.constant == 0.1
    assert set(card.sources) == {"me", "more", "child"}
    muon = card.rules[0]
    assert (muon.source, muon.energy.source, muon.angle.source) == ("me", "me", "child")


def extended(folder: Path, text: str) -> Card:
    write(folder, GOOD, "base.toml")
    head = 'schema = 1\nname = "child"\ntitle = "Child"\nextends = "base.toml"\n'
    return forefold.load_card(write(folder, head + text, "child.toml"))


def test_a_changed_number_is_not_its_parents(tmp_path: Path) -> None:
    card = extended(tmp_path, '[[rule]]\nname = "muon"\nefficiency = 0.5\n')
    muon = card.rules[0]
    assert (muon.source, muon.energy.source) == ("child", "me")
    assert "child.toml" in card.sources["child"]
    own = extended(
        tmp_path, '[sources]\nx = "y"\n[[rule]]\nname = "muon"\nsource = "x"\nefficiency = 0.5'
    )
    assert own.rules[0].source == "x"
    assert "child" not in own.sources


def test_an_empty_threshold_takes_the_other_cards_away(tmp_path: Path) -> None:
    muon = extended(tmp_path, '[[rule]]\nname = "muon"\nthreshold = {}\n').rules[0]
    assert muon.threshold is None
    assert muon.when is not None
    assert (muon.source, muon.energy.source, muon.angle.source) == ("child", "me", "me")
    muon = extended(tmp_path, '[[rule]]\nname = "muon"\nwhen = {}\n').rules[0]
    assert muon.when is None
    assert muon.threshold is not None


def test_an_empty_threshold_of_its_own_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give kinetic_energy, momentum, formula or reco"):
        extended(tmp_path, '[[rule]]\nname = "rest"\nthreshold = {}\n')


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (
            'name = "pi0-decay"',
            r"kind is missing \(write kind = 'pi0-decay'\); allowed: pi0-decay, ",
        ),
        ('knd = "michl-tag"', r"kind is missing \(did you mean 'michel-tag'\?\); allowed: pi0"),
        ("gap = 1.0", "kind is missing; allowed: pi0-decay, shower-merging, photon-conversion"),
        ('kind = "michl-tag"', r"kind: found 'michl-tag' \(did you mean 'michel-tag'\?\)"),
        ("kind = 3", "kind: found 3; allowed: pi0-decay"),
        ('kind = "photon-conversion"', "photon-conversion needs gap and mistaken"),
        ('kind = "pi0-decay"\ngap = 1.0', "unknown key 'gap'; allowed: kind, source"),
    ],
)
def test_wrong_stage_says_what_there_is(tmp_path: Path, block: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        extended(tmp_path, f'[[stage]]\n{block}\nsource = "me"\n')


@pytest.mark.parametrize(
    ("change", "threshold", "when"),
    [
        ("threshold.kinetic_energy.ge = 0.1", ">= 0.1", "p >= 0.1 and < 2"),
        ("when.momentum.gt = 0.2", "> 0.05", "p > 0.2 and < 2"),
        ("when.momentum.le = 3", "> 0.05", "p >= 0.1 and <= 3"),
    ],
)
def test_a_bound_replaces_the_other_kind(
    tmp_path: Path, change: str, threshold: str, when: str
) -> None:
    muon = extended(tmp_path, f'[[rule]]\nname = "muon"\n{change}\n').rules[0]
    assert muon.threshold is not None
    assert str(muon.threshold.kinetic_energy) == threshold
    assert str(muon.when) == when


SLOW = """
[[rule]]
name = "slow"
before = "{before}"
type = "mu"
particles = ["mu-"]
source = "me"
when.momentum.lt = 0.05
energy = {{ of = "total", distribution = "none" }}
angle = {{ convention = "polar", distribution = "normal", sigma_deg = 1.0 }}
"""


def test_before(tmp_path: Path) -> None:
    card = extended(tmp_path, SLOW.format(before="muon"))
    assert [rule.name for rule in card.rules] == ["slow", "muon", "rest"]
    with pytest.raises(ValueError, match=r"before 'muom': no such rule \(did you mean 'muon'\?\)"):
        extended(tmp_path, SLOW.format(before="muom"))
    with pytest.raises(ValueError, match="before is for new rules only"):
        extended(tmp_path, '[[rule]]\nname = "muon"\nbefore = "rest"\n')


def test_genie_card_differs_in_one_number() -> None:
    paper, genie = map(forefold.load_card, ("nusmear-default", "nusmear-default-genie"))
    different = [
        (a.name, a.angle.sigma_deg, b.angle.sigma_deg)
        for a, b in zip(paper.rules, genie.rules, strict=True)
        if a != b
    ]
    assert different == [("electron", 3.0, 2.0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('extends = "loop.toml"', "in a circle"),
        ("extends = 3", "a card's name or file is expected"),
        ('extends = "nusmear-default"\nrule = 3', r"tables \[\[rule\]\] are expected"),
        ('extends = "nusmear-default"\nsources = 3', "sources: a table is expected"),
        ('extends = "nusmear-defualt"', "did you mean 'nusmear-default'"),
    ],
)
def test_wrong_extends(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        forefold.load_card(write(tmp_path, text, "loop.toml"))
