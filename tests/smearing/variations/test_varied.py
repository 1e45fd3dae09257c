"""Nominal and varied detectors in one call: the same bits as one by one, and less noise than without common numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import awkward as ak
import hist
import numpy as np
import pytest

import forefold
from forefold.matrix import varied_energy_matrix, varied_matrix
from forefold.smearing.variations import (
    Variation,
    VariedCard,
    group_energies,
    shifted,
    smear_variations,
    standard_variations,
    universes,
)
from forefold.workflows.stream import smear_files, vary_chunks

# parameters that no formula names are pulled too, though a card that has them is doubted
pytestmark = pytest.mark.filterwarnings("ignore:.*no formula names it")

DUNE = "dune-fd-uncertainties"
CARD = f"""
schema = 1
name = "uncertain"
title = "every place in which a parameter may be"
extends = "{DUNE}"
[sources]
me = "a test"
[parameters.scale_mu]
value = 1.0
uncertainty = 0.02
[parameters.width_p]
value = 0.3
uncertainty = 0.1
limits = [0.0, 1.0]
[parameters.seen_n]
value = 0.9
uncertainty = 0.1
limits = [0.0, 1.0]
[parameters.cut_pi]
value = 0.1
uncertainty = 0.05
[parameters.angle_e]
value = 1.0
uncertainty = 0.5
[parameters.slow]
value = 0.4
uncertainty = 0.1
[parameters.pi_as_mu]
value = 0.1
uncertainty = 0.1
limits = [0.0, 1.0]
[parameters.idle]
value = 1.0
uncertainty = 1.0
[[stage]]
kind = "range-confusion"
source = "me"
[[stage]]
kind = "pi0-decay"
source = "me"
[containment]
material = "liquid-argon"
active = {{ low = [-695.0, -700.0, 0.0], high = [695.0, 700.0, 2530.0] }}
source = "me"
[[identification]]
particles = ["pi+", "pi-"]
source = "me"
row = [{{ as = "same", probability = "1 - pi_as_mu" }}, {{ as = "mu-", probability = "pi_as_mu" }}]
[[rule]]
name = "muon"
energy = {{ scale = "scale_mu" }}
[[rule]]
name = "proton, slow"
when = {{ formula = "p < slow" }}
[[rule]]
name = "proton"
energy = {{ stochastic = "width_p" }}
[[rule]]
name = "neutron"
efficiency = "seen_n"
[[rule]]
name = "charged pion"
threshold = {{ formula = "KE > cut_pi" }}
[[rule]]
name = "electron, photon"
angle = {{ sigma_deg = "angle_e" }}
[[correlation]]
parameters = ["scale_mu", "muon_p0"]
value = 0.5
source = "me"
"""


@pytest.fixture(scope="module")
def events(gst_file: Path) -> ak.Array:
    return forefold.read(gst_file)


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> forefold.Card:
    path = tmp_path_factory.mktemp("cards") / "uncertain.toml"
    path.write_text(CARD, encoding="utf-8")
    return forefold.load_card(path)


def test_each_variation_has_the_bits_of_its_own_card(events: ak.Array, card: forefold.Card) -> None:
    """Although only what may differ is drawn again."""
    varied = smear_variations(events, card, rng=7)
    assert next(iter(varied)) == "nominal"
    assert ak.array_equal(varied.nominal, forefold.smear(events, card, rng=7), equal_nan=True)
    moved = set()
    for variation in standard_variations(card):
        ((name, pull),) = variation.pulls.items()
        parameter = card.parameters.get(name)
        if parameter is None:
            continue
        low, high = parameter.limits or (-np.inf, np.inf)
        value = min(max(parameter.value + pull * parameter.uncertainty, low), high)
        alone = forefold.smear(events, card.with_parameters({name: value}), rng=7)
        here = varied[variation.name]
        assert ak.array_equal(here, alone, equal_nan=True), variation.name
        row = varied.visible_energy_reco[list(varied).index(variation.name)]
        assert row.tolist() == alone.visible_energy_reco.to_list()
        if not ak.array_equal(here, varied.nominal, equal_nan=True):
            moved.add(name)
    assert moved == set(card.parameters) - {"idle"}


def test_shifts_and_parameters_together(events: ak.Array, card: forefold.Card) -> None:
    pulls = {"scale_mu": 1.0, "muon_p0": -1.0, "total_resolution": 0.0}
    pulls.pop("total_resolution")
    varied = smear_variations(events, card, rng=7, variations=[Variation("both", pulls)])
    drawn = forefold.smear(events, card.with_parameters({"scale_mu": 1.02}), rng=7)
    expected = shifted(drawn, card, {"muon_p0": -1.0})
    assert ak.array_equal(varied["both"], expected, equal_nan=True)
    assert varied.visible_energy_reco[1].tolist() == expected.visible_energy_reco.to_list()
    told = varied["both"].attrs["forefold"]["variation"]
    assert told == {"name": "both", "pulls": pulls}


def test_draws_nothing_that_does_not_depend(events: ak.Array, card: forefold.Card) -> None:
    """A parameter of the neutron's rule leaves all other particles as they are."""
    varied = smear_variations(events, card, rng=7)
    one, two = (ak.flatten(x.particles) for x in (varied.nominal, varied["seen_n_down"]))
    others = one.pdgid != 2112
    assert ak.array_equal(one[others], two[others], equal_nan=True)
    assert not ak.array_equal(one.fate, two.fate)


def test_chunks_do_not_matter(gst_file: Path) -> None:
    whole = smear_variations(forefold.read(gst_file), DUNE, rng=3).visible_energy_reco
    pieces = [p.visible_energy_reco for p in vary_chunks(gst_file, DUNE, rng=3, chunk=70)]
    assert len(pieces) == 5
    assert (np.concatenate(pieces, axis=1) == whole).all()


def test_a_varied_card_is_used_again(events: ak.Array) -> None:
    ready = VariedCard(DUNE, universes(DUNE, 3, rng=1))
    first, second = (ready.smear(events[a : a + 100], rng=1) for a in (0, 100))
    both = np.concatenate([first.visible_energy_reco, second.visible_energy_reco], axis=1)
    assert (both == ready.smear(events[:200], rng=1).visible_energy_reco).all()


def test_mapping(events: ak.Array) -> None:
    varied = smear_variations(events, DUNE, rng=1)
    assert len(varied) == 39 == len(list(varied))
    assert "muon_p0_up" in varied
    assert "muon_p3_up" not in varied
    with pytest.raises(KeyError):
        varied["muon_p3_up"]
    assert ak.array_equal(varied["nominal"], varied.nominal, equal_nan=True)
    nothing = smear_variations(events, DUNE, rng=1, variations=[Variation("nothing")])
    assert nothing["nothing"].attrs["forefold"]["variation"] == {"name": "nothing", "pulls": {}}
    assert "variation" not in nothing.nominal.attrs["forefold"]


@pytest.mark.parametrize(
    ("variations", "message"),
    [
        ([Variation("x"), Variation("x")], "two are named 'x'"),
        ([Variation("nominal")], "two are named 'nominal'"),
        ([Variation("x", {"muon_p9": 1.0})], "no pull 'muon_p9'"),
    ],
)
def test_what_cannot_be_varied(variations: list[Variation], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VariedCard(DUNE, variations)


def test_matrix_with_an_axis_for_the_variation(events: ak.Array) -> None:
    varied = smear_variations(events, DUNE, rng=1)
    for cc_only in (False, True):
        matrix = varied_energy_matrix(varied, bins=20, range=(0, 5), cc_only=cc_only)
        fill = partial(forefold.energy_matrix, bins=20, range=(0, 5), cc_only=cc_only)
        general = varied_matrix(varied, fill)
        assert matrix == general
        assert tuple(axis.name for axis in matrix.axes) == (
            "variation",
            "energy_true",
            "energy_reco",
        )
    one = forefold.energy_matrix(varied["neutron_p0_up"], bins=20, range=(0, 5))
    row = list(varied).index("neutron_p0_up")
    whole = varied_energy_matrix(varied, bins=20, range=(0, 5))
    np.testing.assert_array_equal(whole.view(flow=True)[row], one.view(flow=True))
    assert forefold.matrix.provenance(matrix)["card"] == DUNE


def test_common_random_numbers_take_the_noise_away() -> None:
    """Ratio of shifted to nominal spectra: the scatter over repetitions falls by more than three in every bin."""
    events = forefold.read(forefold.sample())
    names = ["neutron_p0_up", "muon_p0_up", "total_p0_down"]
    every = {v.name: v for v in standard_variations(DUNE)}
    ready = VariedCard(DUNE, [every[name] for name in names])
    edges = np.linspace(0.5, 5.0, 10)
    nominal, moved = [], []
    for rng in range(24):
        rows = ready.smear(events, rng=rng).visible_energy_reco
        counts = np.array([np.histogram(row, edges)[0] for row in rows], dtype=float)
        nominal.append(counts[0])
        moved.append(counts[1:])
    common = np.std([m / n for m, n in zip(moved, nominal, strict=True)], axis=0)
    apart = np.std([m / n for m, n in zip(moved[1:], nominal[:-1], strict=True)], axis=0)
    falls = np.median(apart / common, axis=1)
    assert (falls > 1.5).all(), falls


def test_columns_in_a_file(gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "varied.parquet"
    chosen = standard_variations(DUNE)[:3]
    smear_files(gst_file, DUNE, out, rng=1, variations=chosen, observables=True, chunk=100)
    read = forefold.read_smeared(out)
    varied = smear_variations(forefold.read(gst_file), DUNE, rng=1, variations=chosen)
    for name, row in zip(varied, varied.visible_energy_reco, strict=True):
        column = "visible_energy_reco" + ("" if name == "nominal" else f"_{name}")
        assert read[column].to_list() == row.tolist()
    assert read.attrs["forefold"]["variations"]["total_p0_down"] == {"total_p0": -1.0}
    with pytest.raises(ValueError, match="no room for variations"):
        smear_files(gst_file, DUNE, tmp_path / "varied.csv", rng=1, variations=chosen)


def test_group_energies_move_by_their_shift(events: ak.Array) -> None:
    varied = smear_variations(events, DUNE, rng=1)
    nominal, up = (group_energies(varied[name], DUNE) for name in ("nominal", "neutron_p0_up"))
    np.testing.assert_allclose(up["neutron"], 1.2 * nominal["neutron"], rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(up["muon"], nominal["muon"])
    assert (up["total"] >= nominal["total"]).all()


def test_command_line(gst_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from forefold.cli import main
    from forefold.matrix import from_json

    call = [str(gst_file), "-d", DUNE, "--rng", "1", "-q"]
    out = tmp_path / "matrix.json"
    more = ["--variations", "all", "--variations", "universes:2", "--chunk", "90"]
    assert main(["matrix", *call, *more, "-o", str(out)]) == 0
    matrix = from_json(out.read_text("utf-8"))
    assert isinstance(matrix.axes[0], hist.axis.StrCategory)
    assert matrix.shape == (41, 100, 100)
    plain = tmp_path / "plain.json"
    assert main(["matrix", *call, "-o", str(plain)]) == 0
    nominal = from_json(plain.read_text("utf-8"))
    np.testing.assert_array_equal(matrix.view(flow=True)[0], nominal.view(flow=True))
    assert (
        main(["matrix", *call, "--quantity", "angle", "--by-type", "--variations", "muon_p0_up"])
        == 0
    )
    assert from_json(capsys.readouterr().out).shape == (2, 6, 100, 100)
    smeared = str(tmp_path / "smeared.parquet")
    assert main(["smear", *call, "--variations", "universes:2", "-o", smeared]) == 0
    assert "visible_energy_reco_universe_1" in forefold.read_smeared(smeared).fields
    assert main(["matrix", smeared, "--variations", "all"]) == 2
    assert "generator events only" in capsys.readouterr().err
    assert (
        main(["smear", *call[:1], "-d", "nusmear-default", "--variations", "all", "-o", smeared])
        == 2
    )
    assert "nothing is uncertain" in capsys.readouterr().err
    assert main(["card", "show", DUNE]) == 0
    assert "shift: neutron: n: 20 %" in capsys.readouterr().out
    # without --rng, one number is drawn for all and told
    assert (
        main(
            [
                "matrix",
                str(gst_file),
                "-d",
                DUNE,
                "--variations",
                "universes:1",
                "-o",
                str(plain),
                "--overwrite",
            ]
        )
        == 0
    )
    assert "rng " in capsys.readouterr().err
