"""What a card may not say because it does nothing, or means two things."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gun import card, gun, rule, shoot, text
from scipy import stats

import forefold

BLOCK = '[[identification]]\nparticles = [{}]\nsource = "test"\nrow = [{}]\n'
STAGE = '[[stage]]\nkind = "{}"\nsource = "test"\n{}\n'
SAME = '{ as = "same", probability = 0.5 }'


@pytest.mark.parametrize(
    ("particles", "row", "said"),
    [
        ('"nu(mu)"', SAME, "identification[1]: particles: nu(mu) is a neutrino, which the card does not smear"),
        ('"neutrino"', SAME, "neutrino, which the card does not smear"),
        ('"mu-"', f"{SAME}, {SAME}", "row: 'same' and 'same' are the same particle"),
        ('"mu-"', SAME + ', { as = "mu-", probability = 0.1 }', "row: 'same' and 'mu-' are the same particle"),
        ('"mu-"', '{ as = 211, probability = 0.1 }, { as = "pi+", probability = 0.1 }', "row: 211 and 'pi+' are"),
        ('"gamma"', SAME + ', { as = "antiparticle", probability = 0.1 }', "'same' and 'antiparticle' are"),
        ('"pion"', '{ as = "mu-", probability = 0.1 }, { as = 13, probability = 0.1 }', "'mu-' and 13 are"),
        ('"mu-", "mu-"', SAME, "'mu-' is named twice"),
        ('"mu-", 13', SAME, "'mu-' is named twice"),
        ("0", SAME, "PDG 0 is no particle"),
        ('"mu-"', "{ as = 0, probability = 0.5 }", "PDG 0 is no particle"),
        ('"mu-"', "{ as = 99999999, probability = 0.5 }", "PDG 99999999 is not in the particle table, so its mass is not known"),
    ],
)  # fmt: skip
def test_identifications(particles: str, row: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(text(head=BLOCK.format(particles, row)))
    with pytest.raises(ValueError, match=r"card\.toml, line \d+: ") as caught:
        forefold.load_card(path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("particles", "row"),
    [
        ('"mu-", "pi-"', SAME + ', { as = "pi-", probability = 0.1 }'),
        ('"pion"', SAME + ', { as = "pi-", probability = 0.1 }'),
        ('"mu-", "mu+"', SAME + ', { as = "antiparticle", probability = 0.1 }'),
        ('"other"', SAME),
    ],
)
def test_identifications_that_make_sense(particles: str, row: str) -> None:
    assert card(head=BLOCK.format(particles, row)).identification


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        (["pi0-decay", "pi0-decay"], "stage[2]: 'pi0-decay' is there already, as stage[1]"),
        (["shower-merging", "pi0-decay"], "stage[1]: 'shower-merging' merges the photons of 'pi0-decay', which must"),
        (["shower-merging"], "stage[1]: 'shower-merging' merges"),
        (["photon-conversion", "pi0-decay"], "stage[1]: 'photon-conversion' must stand behind 'pi0-decay'"),
    ],
)  # fmt: skip
def test_stages(stages: list[str], said: str, tmp_path: Path) -> None:
    more = {"shower-merging": "angle_deg = 5.0", "photon-conversion": "gap = 2.0\nmistaken = 0.3"}
    path = tmp_path / "card.toml"
    path.write_text(text(head="".join(STAGE.format(k, more.get(k, "")) for k in stages)))
    with pytest.raises(ValueError, match=r"card\.toml, line \d+: stage\[") as caught:
        forefold.load_card(path)
    assert said in str(caught.value)


def test_particles_of_rules(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(text(rule(name="muon", particles='["mu-", "mu-"]'), rule()))
    with pytest.raises(ValueError, match=r"line \d+: rule\[1\] 'muon'\.particles: 'mu-' is named"):
        forefold.load_card(path)
    path.write_text(text(rule(name="odd", particles="[99999999]"), rule()))
    with pytest.warns(UserWarning, match=r"line \d+: rule\[1\] 'odd'\.particles: PDG 99999999 is"):
        forefold.load_card(path)


BALL = 'energy = {{ of = "total", distribution = "crystal-ball", sigma = 0.1{} }}'


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ("", "none of them"),
        (", n_low = 3.0", "n_low"),
        (", alpha_low = 1.0, n_low = 3.0, alpha_high = 1.0", "alpha_low, n_low, alpha_high"),
        (', alpha_low = "1.0"', "alpha_low"),
    ],
)
def test_a_crystal_ball_says_its_tails(shape: str, found: str) -> None:
    with pytest.raises(ValueError, match=rf"'crystal-ball' needs alpha_low and n_low, .*found {found} "):  # fmt: skip
        card(rule(BALL.format(shape)))


def test_a_side_of_a_crystal_ball_without_a_tail_is_normal() -> None:
    """Above the peak; 1e-4 of other values of rng would fail."""
    detector = card(rule(BALL.format(", alpha_low = 1.0, n_low = 3.0")))
    off = (shoot(detector, gun(13, 20_000))["energy_reco"] - np.hypot(1.0, 0.1056583755)) / 0.1
    assert stats.kstest(off[off > 0.0], stats.halfnorm.cdf).pvalue > 1e-4
    assert (off < -4.0).mean() > 1e-3
    assert not forefold.validate_card(detector).failed
