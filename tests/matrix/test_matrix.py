"""Matrices: every bin from smeared events made by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import hist
import numpy as np
import pytest
from smeared_toys import (
    CARD,
    M_MU,
    M_P,
    M_PI,
    MU,
    PI,
    N,
    particle,
    smeared_events,
    two_events,
)

import forefold
from forefold.kernels import Fate
from forefold.matrix import (
    angle_matrix,
    energy_matrix,
    provenance,
    resolution_matrix,
    summary,
)

if TYPE_CHECKING:
    pass


def held(matrix: Any) -> float:
    """Everything in a histogram, flow included."""
    return float(matrix.sum(flow=True).value)


def filled(matrix: Any) -> dict[tuple[int, ...], float]:
    """Indices of the bins that hold something, with their contents."""
    values = matrix.view(flow=True).value
    return {
        tuple(int(i) for i in where): float(values[tuple(where)]) for where in np.argwhere(values)
    }


# ---------------------------------------------------------------- event energy


def test_energy_matrix_holds_each_event_at_its_visible_energy() -> None:
    matrix: Any = energy_matrix(two_events(), bins=70)
    # 1.5 + 0.4 + 0.02 -> 1.2 + 0.5;  0.3 + 0.72 -> 0.95.  Flow bins make the index one higher.
    assert matrix[1.92j, 1.7000001j].value == 1.0
    assert matrix[1.02j, 0.95j].value == 1.0
    assert matrix.sum(flow=True).value == 2.0


def test_energy_axes_are_named_with_units_true_first() -> None:
    matrix: Any = energy_matrix(two_events())
    assert [a.name for a in matrix.axes] == ["energy_true", "energy_reco"]
    assert [a.label for a in matrix.axes] == ["True energy [GeV]", "Reconstructed energy [GeV]"]
    assert matrix.shape == (100, 100)
    assert matrix.axes[0].edges[[0, -1]].tolist() == [0.0, 7.0]
    assert matrix.storage_type is hist.storage.Weight


def test_weights_are_those_of_the_events_and_variances_their_squares() -> None:
    matrix: Any = energy_matrix(two_events(weight=[0.5, 4.0]), bins=7)
    assert matrix[1.92j, 1.7j].value == 0.5
    assert matrix[1.92j, 1.7j].variance == 0.25
    assert matrix[1.02j, 0.95j].variance == 16.0


def test_events_beyond_the_range_stay_in_the_total() -> None:
    event = [particle(13, 30.0, 25.0, rule=MU, mass=M_MU)]
    matrix: Any = energy_matrix(smeared_events([event]))
    assert matrix.sum().value == 0.0
    assert matrix.sum(flow=True).value == 1.0
    assert matrix[hist.overflow, hist.overflow].value == 1.0


def test_an_event_of_which_nothing_is_seen_is_at_zero() -> None:
    event = [particle(2112, M_P + 1.0, rule=N, mass=M_P, fate=Fate.INEFFICIENCY)]
    matrix: Any = energy_matrix(smeared_events([event]), bins=7)
    assert filled(matrix) == {(2, 1): 1.0}


def test_energy_by_type_sums_the_particles_of_a_type_in_each_event() -> None:
    events = smeared_events(
        [
            [
                particle(211, 1.2, 1.6, rule=PI, mass=M_PI),
                particle(-211, 2.0, 2.1, rule=PI, mass=M_PI),
            ],
            [particle(211, 0.5, 0.5, rule=PI, mass=M_PI), particle(-211, 0.2, rule=PI, mass=M_PI)],
        ]
    )
    matrix: Any = energy_matrix(events, CARD, bins=7)
    assert list(matrix.axes["type"]) == list(CARD.types)
    pions = CARD.types.index("pi+-")
    assert filled(matrix) == {(pions, 4, 4): 1.0, (pions, 1, 1): 1.0}


def test_energy_by_type_takes_kinetic_energy_of_nucleons_and_total_of_others() -> None:
    matrix: Any = energy_matrix(two_events(), CARD, bins=70)
    assert matrix["p", 0.4200001j, 0.5000001j].value == 1.0
    assert matrix["mu+-", 1.5000001j, 1.2000001j].value == 1.0
    assert matrix["pi+-", 0.72j, 0.95j].value == 1.0


def test_a_type_that_is_lost_is_at_zero_and_one_that_is_absent_is_not_filled() -> None:
    matrix: Any = energy_matrix(two_events(), CARD, bins=70)
    assert matrix["n", 0.3000001j, 0].value == 1.0
    assert matrix["n", ...].sum(flow=True).value == 1.0
    assert matrix["other", ...].sum(flow=True).value == 0.0
    assert matrix["e+- gamma", ...].sum(flow=True).value == 0.0


def test_antinucleons_count_with_their_total_energy() -> None:
    other = len(CARD.rules) - 1
    events = smeared_events([[particle(-2212, M_P + 1.0, M_P + 2.0, rule=other, mass=M_P)]])
    matrix: Any = energy_matrix(events, CARD, bins=7)
    assert matrix["other", 1, 2].value == 1.0


def test_by_type_energies_add_up_to_the_visible_energy() -> None:
    events = two_events()
    by_type: Any = energy_matrix(events, CARD, bins=700)
    centres = by_type.axes["energy_reco"].centers
    seen = sum(
        float((by_type[{"type": i}].values().sum(axis=0) * centres).sum())
        for i in range(len(CARD.types))
    )
    lost_types = 1  # at the centre of the first bin instead of at 0
    assert seen == pytest.approx(
        float(np.sum(events.visible_energy_reco)), abs=0.005 * (4 + lost_types)
    )


def test_cc_only_leaves_neutral_currents_out() -> None:
    matrix: Any = energy_matrix(two_events(cc=[False, True]), cc_only=True)
    assert matrix.sum(flow=True).value == 1.0
    assert matrix[1.02j, 0.95j].value == 1.0
    assert provenance(matrix)["cc_only"] is True
    by_type: Any = energy_matrix(two_events(cc=[False, True]), CARD, cc_only=True)
    assert by_type["mu+-", ...].sum(flow=True).value == 0.0


def test_cc_only_needs_to_know() -> None:
    events = two_events(cc=[None, True])
    assert held(energy_matrix(events)) == 2.0
    with pytest.raises(ValueError, match=r"cc_only: 1 of 2 events do not say"):
        energy_matrix(events, cc_only=True)


@pytest.mark.parametrize("by_type", [False, True])
def test_matrices_are_additive_over_chunks(by_type: bool) -> None:
    events = two_events(weight=[0.5, 4.0])
    card = CARD if by_type else None
    for make in (energy_matrix, angle_matrix):
        whole: Any = make(events, card)
        total: Any = make(events[:1], card)
        total += make(events[1:], card)
        assert total == whole
        assert provenance(total) == provenance(whole)


def test_no_event_gives_an_empty_matrix() -> None:
    empty = two_events()[:0]
    assert held(energy_matrix(empty)) == 0.0
    assert held(energy_matrix(empty, CARD)) == 0.0
    assert held(angle_matrix(empty, CARD)) == 0.0
    assert held(resolution_matrix(empty, CARD)) == 0.0
    assert summary(empty, CARD).total().particles == 0


def test_an_event_without_particles_is_filled_at_zero_but_in_no_type() -> None:
    events = smeared_events([[particle(14, 3.0, rule=-1, fate=Fate.NEUTRINO)]])
    assert filled(energy_matrix(events)) == {(1, 1): 1.0}
    assert held(energy_matrix(events, CARD)) == 0.0


def test_events_that_are_not_smeared_are_refused() -> None:
    with pytest.raises(ValueError, match=r"not smeared events .*forefold\.smear"):
        energy_matrix(two_events()[["event", "weight"]])


def test_another_card_is_noticed() -> None:
    events = smeared_events([[particle(13, 1.0, 1.0, rule=99)]])
    with pytest.raises(
        ValueError, match=r"'nusmear-dune-cdr' has \d+ rules, .* rule 99: another card"
    ):
        energy_matrix(events, CARD)


# ---------------------------------------------------------------- angle


def test_angle_matrix_is_in_degrees_of_detected_particles() -> None:
    matrix: Any = angle_matrix(two_events(), bins=180)
    # 0.2 -> 0.3, 1.0 -> 1.1, 3.1 -> 3.2 folded back to 2 pi - 3.2
    degrees = [math.degrees(x) for x in (0.2, 0.3, 1.0, 1.1, 3.1, 2 * math.pi - 3.2)]
    for true, reco in zip(degrees[::2], degrees[1::2], strict=True):
        assert matrix[true * 1j, reco * 1j].value == 1.0
    assert matrix.sum(flow=True).value == 3.0
    assert [a.label for a in matrix.axes] == ["True angle [°]", "Reconstructed angle [°]"]


def test_angle_matrix_with_lost_particles_folds_what_was_drawn() -> None:
    matrix: Any = angle_matrix(two_events(), CARD, bins=180, include_lost=True)
    assert matrix.sum(flow=True).value == 5.0
    assert matrix["n", math.degrees(0.5) * 1j, math.degrees(0.4) * 1j].value == 1.0
    assert provenance(matrix)["include_lost"] is True


def test_angle_by_type_is_weighted_by_the_event_and_sums_to_all() -> None:
    events = two_events(weight=[2.0, 8.0])
    by_type: Any = angle_matrix(events, CARD)
    assert by_type["p", ...].sum().value == 2.0
    assert by_type["pi+-", ...].sum().value == 8.0
    assert by_type["n", ...].sum().value == 0.0
    assert by_type.project("theta_true", "theta_reco") == angle_matrix(events)


def test_straight_back_is_in_the_last_bin() -> None:
    events = smeared_events(
        [[particle(13, 1.0, 1.0, rule=MU, theta_true=math.pi, theta_drawn=math.pi)]]
    )
    matrix: Any = angle_matrix(events)
    assert matrix[-1, -1].value == 1.0


# ---------------------------------------------------------------- resolution


def test_resolution_matrix_is_of_the_energy_that_the_card_smears() -> None:
    matrix: Any = resolution_matrix(two_events(), CARD)
    assert [a.name for a in matrix.axes] == ["type", "energy_true", "energy_ratio"]
    assert matrix["p", 0.4j, 1.2500001j].value == 1.0
    assert matrix["mu+-", 1.5j, 0.8000001j].value == 1.0
    assert matrix.sum(flow=True).value == 3.0
    assert matrix.axes["energy_true"].edges[[0, -1]] == pytest.approx([0.03, 10.0])


def test_another_card_is_refused() -> None:
    """The rules of another card would put the particles into other types."""
    toy = forefold.events.build(pdgid=13, px=0.0, py=0.0, pz=2.0, energy=2.01)
    smeared = forefold.smear(toy, "nusmear-dune-cdr", rng=1, axis="z")
    for fill in (forefold.energy_matrix, forefold.angle_matrix):
        with pytest.raises(ValueError, match="smeared with card 'nusmear-dune-cdr', not with this"):
            fill(smeared, "nusmear-default")
        assert fill(smeared, "nusmear-dune-cdr").axes.name[0] == "type"
    with pytest.raises(ValueError, match="smeared with card"):
        forefold.Summary("nusmear-default").add(smeared)


@pytest.mark.parametrize("limits", [(7.0, 0.0), (0.0, float("nan")), (1.0, 1.0)])
def test_limits_of_an_axis(limits: tuple[float, float]) -> None:
    toy = forefold.events.build(pdgid=13, px=0.0, py=0.0, pz=2.0, energy=2.01)
    smeared = forefold.smear(toy, "nusmear-dune-cdr", rng=1, axis="z")
    with pytest.raises(ValueError, match="the lower first"):
        forefold.energy_matrix(smeared, range=limits)
