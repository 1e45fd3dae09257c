"""Selections of smeared events: names of both sides, what has no value, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

import forefold
from forefold.events.selection import (
    SMEARED_NAMES,
    BackgroundCondition,
    Selection,
    SmearedSelection,
    backgrounds_of,
    selection_of_smeared,
)
from forefold.events.values import EventValues

CARD = "nusmear-dune-cdr"


@pytest.fixture(scope="module")
def events(gst_file: Path) -> ak.Array:
    return forefold.read(gst_file)


@pytest.fixture(scope="module")
def pair(events: ak.Array) -> tuple[ak.Array, ak.Array]:
    return events, forefold.smear(events, CARD, rng=1)


def test_both_sides_are_those_of_the_observables(pair: tuple[ak.Array, ak.Array]) -> None:
    table = forefold.observables(*pair)
    values = EventValues(*pair)
    for name in SMEARED_NAMES:
        if name in table.fields and name not in pair[1].fields:
            np.testing.assert_array_equal(np.asarray(values[name]), table[name].to_numpy(), name)
    text = "topology_reco == '0pi' and n_mu_reco == 1 and lepton_momentum_reco > 0.3 and cc"
    kept = SmearedSelection(text).passed(values)
    wanted = (table.topology_reco == 0) & (table.n_mu_reco == 1)
    wanted = wanted & (table.lepton_momentum_reco > 0.3) & ak.fill_none(pair[0].cc, False)
    assert 20 < kept.sum() < 200
    np.testing.assert_array_equal(kept, wanted.to_numpy())


def test_what_has_no_value_is_not_selected(pair: tuple[ak.Array, ak.Array]) -> None:
    values = EventValues(*pair)
    lost = np.isnan(np.asarray(values["lepton_momentum_reco"]))
    assert lost.any()
    for text in ("lepton_momentum_reco > 0.5", "not lepton_momentum_reco > 0.5"):
        assert not SmearedSelection(text).passed(values)[lost].any()
    np.testing.assert_array_equal(
        SmearedSelection("isnan(lepton_momentum_reco)").passed(values), lost
    )


def test_thresholds_count_in_selections_too(pair: tuple[ak.Array, ak.Array]) -> None:
    options: Any = {"thresholds": {"p": 0.45}}
    found = SmearedSelection("n_p_reco >= 1").passed(EventValues(*pair, **options))
    table = forefold.observables(*pair, names=["n_p"], **options)
    np.testing.assert_array_equal(found, table.n_p_reco.to_numpy() >= 1)
    everything = SmearedSelection("n_p_reco >= 1").passed(EventValues(*pair))
    assert found.sum() < everything.sum()


def test_smeared_events_alone_have_what_they_hold(
    events: ak.Array, gst_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "s.parquet"
    forefold.smear_files(gst_file, CARD, out, rng=1, observables=True)
    wide = forefold.read_smeared(out)
    text = "n_p_reco == 1 and visible_energy_reco > 1 and cc and is_qe"
    found = SmearedSelection(text).passed(EventValues(None, wide))
    wanted = SmearedSelection(text).passed(EventValues(events, forefold.smear(events, CARD, rng=1)))
    np.testing.assert_array_equal(found, wanted)
    bare = EventValues(None, forefold.smear(events, CARD, rng=1))
    assert SmearedSelection("visible_energy_reco > 1").passed(bare).any()
    with pytest.raises(ValueError, match="no column 'n_p_reco': smear with --observables, or give"):
        SmearedSelection("n_p_reco == 1").passed(bare)
    with pytest.raises(ValueError, match="no column 'vertex_x_reco': their card"):
        SmearedSelection("vertex_x_reco > 0").passed(bare)
    with pytest.raises(ValueError, match="n_p_reco is reconstructed: smeared events are needed"):
        SmearedSelection("n_p_reco == 1").passed(EventValues(events))
    with pytest.raises(ValueError, match="'n_p_reco' of these smeared events was made without"):
        SmearedSelection("n_p_reco == 1").passed(EventValues(None, wide, thresholds={"p": 0.3}))


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (Selection, "n_mu_reco == 1", "'n_mu_reco' is reconstructed, this is a condition on true"),
        (Selection, "enu_true > 1", "'enu_true' is called enu here"),
        (Selection, "topology == 'cc0pi'", "unknown label 'cc0pi' of topology .did you mean '0pi'"),
        (SmearedSelection, "n_mu == 1", "'n_mu' is n_mu_reco or n_mu_true in a selection of sm"),
        (SmearedSelection, "cc", "select 'cc': nothing in it is reconstructed"),
        (SmearedSelection, "enu_true > 1", "nothing in it is reconstructed"),
        (SmearedSelection, "n_mu_rec == 1", "unknown name 'n_mu_rec' .did you mean 'n_mu_reco'"),
        (SmearedSelection, "topology_reco == 0pi", "a label stands in quotes: '0pi'"),
        (SmearedSelection, "n_mu_reco", "is a number, a selection is a condition"),
        (BackgroundCondition, "ncc", "unknown name 'ncc' .did you mean 'nc' or 'cc'"),
    ],
)
def test_one_line_says_what_is_wrong(kind: type[Selection], text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        kind(text)
    assert "\n" not in str(caught.value)


def test_names_of_backgrounds() -> None:
    assert list(
        backgrounds_of({"nc": "nc", "one_pi": "topology == '1pi+' and n_mu_reco == 1"})
    ) == [
        "nc",
        "one_pi",
    ]
    assert backgrounds_of(None) == {}
    for name, said in (("signal", "this name is taken"), ("a b", "a name is letters, digits")):
        with pytest.raises(ValueError, match=said):
            backgrounds_of({name: "nc"})
    with pytest.raises(ValueError, match="background 'nc': expression, character 1"):
        backgrounds_of({"nc": "ncc"})
    with pytest.raises(TypeError, match="a mapping of names to conditions is needed"):
        backgrounds_of("nc")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="is a condition on true events; give its text"):
        selection_of_smeared(Selection("cc"))  # type: ignore[call-overload]
