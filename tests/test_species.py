"""Names, classes and masses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from particle import Particle

from forefold import species


@pytest.mark.parametrize(
    ("word", "pdgid"),
    [
        ("p", 2212), ("n", 2112), ("mu-", 13), ("pi+", 211), ("K~0", -311), ("anti-K0", -311),
        ("gamma", 22), ("Lambda", 3122), ("Sigma-", 3112), ("antiproton", -2212), ("Ar40", 1000180400),
    ],
)  # fmt: skip
def test_pdgid(word: str, pdgid: int) -> None:
    assert species.pdgid(word) == pdgid


def test_names_at_hand_are_those_of_the_table() -> None:
    table = {
        particle.name: int(particle.pdgid)
        for particle in sorted(Particle.all(), key=lambda p: -abs(int(p.pdgid)))
    }
    for name, number in species._COMMON.items():
        assert table[name] == number


def test_unknown_name_has_near_names() -> None:
    with pytest.raises(ValueError, match=r"unknown particle 'Lamda' \(did you mean 'Lambda'"):
        species.pdgid("Lamda")


def test_unknown_class() -> None:
    with pytest.raises(ValueError, match=r"unknown class 'bayron' \(did you mean 'baryon'"):
        species.in_class(13, "bayron")


@pytest.mark.parametrize(
    ("pdgid", "classes"),
    [
        (14, {"neutrino"}),
        (1000010010, {"nucleus"}),
        (2000000101, {"pseudo-particle"}),
        (2009900000, {"pseudo-particle"}),
        (91, {"pseudo-particle"}),
        (13, {"charged lepton"}),
        (22, set()),
        (2212, {"nucleon", "baryon", "hadron", "charged hadron"}),
        (-2112, {"antinucleon", "antibaryon", "hadron"}),
        (-211, {"pion", "charged pion", "meson", "hadron", "charged hadron"}),
        (130, {"kaon", "neutral kaon", "meson", "hadron"}),
        (-321, {"kaon", "charged kaon", "meson", "hadron", "charged hadron"}),
    ],
)
def test_classes(pdgid: int, classes: set[str]) -> None:
    assert {word for word in species.CLASSES if species.in_class(pdgid, word)} == classes | {
        "other"
    }


def test_masses() -> None:
    assert species.mass(2212) == pytest.approx(0.938272, abs=1e-6)
    assert species.mass(22) == 0.0
    assert species.mass(987654321) == 0.0


@given(st.integers(-3_000_000_000, 3_000_000_000))
def test_any_number_has_a_name_a_mass_and_classes(pdgid: int) -> None:
    assert species.name(pdgid)
    assert species.mass(pdgid) >= 0.0
    assert isinstance([word for word in species.CLASSES if species.in_class(pdgid, word)], list)
