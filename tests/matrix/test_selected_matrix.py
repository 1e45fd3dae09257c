"""Matrices of what is selected by what is reconstructed: against numpy in every bin, as documents, and what is refused."""

from __future__ import annotations

import json
import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import awkward as ak
import hist
import numpy as np
import pytest
from cc0pi import AXES, BACKGROUND, CARD, SELECT, SETTINGS, SIGNAL, counted, same

import forefold
from forefold import ResponseMatrix
from forefold.events.completeness import missing
from forefold.io.write import open_writer
from forefold.matrix.formats import pyhf
from forefold.matrix.variations import read_set, written_set

Pair = tuple[ak.Array, ak.Array]


@pytest.fixture(scope="module")
def events() -> ak.Array:
    return forefold.read(forefold.sample())


@pytest.fixture(scope="module")
def pair(events: ak.Array) -> Pair:
    return events, forefold.smear(events, CARD, rng=1)


@pytest.fixture(scope="module")
def matrix(pair: Pair) -> ResponseMatrix:
    return ResponseMatrix.from_events(pair, **SETTINGS)


def test_every_bin_is_that_of_numpy(pair: Pair, matrix: ResponseMatrix) -> None:
    same(matrix, counted(*pair))
    assert 0.1 < matrix.efficiency.min() < matrix.efficiency.max() < 0.95
    assert all(each.values().sum() > 0 for each in matrix.backgrounds.values())
    assert matrix.fakes.values().sum() > 0


def test_a_variation_selects_anew(events: ak.Array) -> None:
    varied = forefold.smear_variations(
        events, CARD, rng=1, variations=["muon_efficiency_up", "momentum_scale_down"]
    )
    found = ResponseMatrix.from_variations(varied, **SETTINGS)
    for name in varied:
        same(found[name], counted(events, varied[name]))
    up, nominal = found["muon_efficiency_up"], found["nominal"]
    assert np.all(up.efficiency >= nominal.efficiency)
    assert up.backgrounds["one_pi"].values().sum() > nominal.backgrounds["one_pi"].values().sum()
    assert read_set(written_set(found)) == found


def test_parts_and_chunks_add(pair: Pair, events: ak.Array, matrix: ResponseMatrix) -> None:
    pieces = [events[:700], events[700:]]
    chunked = ResponseMatrix.from_events(iter(pieces), CARD, rng=1, **SETTINGS)
    halves = [ResponseMatrix.from_events(each, CARD, rng=1, **SETTINGS) for each in pieces]
    for other in (chunked, halves[0] + halves[1]):
        np.testing.assert_array_equal(other.counts.view(flow=True), matrix.counts.view(flow=True))
        for name, each in matrix.backgrounds.items():
            np.testing.assert_array_equal(other.backgrounds[name].view(), each.view())
    for change in (
        {"select": "n_mu_reco == 1"},
        {"background": {"neutral": "nc"}},
        {"background": None},
    ):
        different = ResponseMatrix.from_events(pair, **{**SETTINGS, **change})
        with pytest.raises(
            ValueError,
            match=r"other backgrounds do not add|different (selections|backgrounds) do not add",
        ):
            _ = matrix + different


def test_weights_draws_and_replicas(events: ak.Array, pair: Pair, matrix: ResponseMatrix) -> None:
    weight = np.linspace(0.5, 2.0, len(events))
    heavy = ak.with_field(events, weight, "weight")
    weighted = ResponseMatrix.from_events(heavy, CARD, rng=1, **SETTINGS)
    parts = [weighted.fakes, *weighted.backgrounds.values()]
    total = weighted.counts.values().sum(axis=0) + sum(each.values() for each in parts)
    np.testing.assert_allclose(total, weighted.reco.values(), rtol=1e-12)
    assert not np.allclose(weighted.signal_fraction, matrix.signal_fraction, rtol=1e-3)
    twice = ResponseMatrix.from_events(events, CARD, rng=1, draws=2, **SETTINGS)
    second = ResponseMatrix.from_events(
        (events, forefold.smear(events, CARD, rng=1, draw=1)), **SETTINGS
    )
    for name, each in twice.backgrounds.items():
        pairs = [m.backgrounds[name].values() for m in (matrix, second)]
        np.testing.assert_array_equal(each.values(), 0.5 * (pairs[0] + pairs[1]))
    more = ResponseMatrix.from_events(pair, **SETTINGS, replicas=3, rng=4)
    bare = ResponseMatrix.from_events(
        pair, true=AXES, signal=SIGNAL, select=SELECT, replicas=3, rng=4
    )
    np.testing.assert_array_equal(more.replicas, bare.replicas)


def test_variances_of_draws_of_backgrounds_are_those_of_events() -> None:
    """Every event is drawn twice and seen twice in one bin: the variance is that of one entry of weight 1."""
    from forefold.matrix.fill import Entries, Filler

    filler = Filler("x=0:1:1", draws=2, backgrounds=["b"])
    n = np.arange(4, dtype=np.uint64)
    nothing, seen = np.full(4, np.nan), np.full((2, 4), 0.5)
    filler.add(Entries([nothing], [seen], np.ones(4), 0 * n, n, np.zeros((2, 4), np.int64)))
    made = filler.contents()
    assert made.backgrounds["b"].values().tolist() == [4.0]
    variances: Any = made.backgrounds["b"].variances()
    assert variances.tolist() == [4.0]
    assert made.alone.values().tolist() == [0.0]


def test_particles_of_selected_events(pair: Pair) -> None:
    options: dict[str, Any] = {"true": "momentum=0:2:4", "of": "mu-"}
    everything = ResponseMatrix.from_events(pair, **options)
    some = ResponseMatrix.from_events(pair, select="n_p_reco >= 1", **options)
    events, smeared = pair
    table = forefold.observables(events, smeared, names=["n_p"])
    kept = table.n_p_reco.to_numpy() >= 1
    cut = ResponseMatrix.from_events((events[kept], smeared[kept]), missing="accept", **options)
    np.testing.assert_array_equal(some.truth.values(), everything.truth.values())
    np.testing.assert_array_equal(some.counts.values(), cut.counts.values())
    assert np.all(cut.efficiency > some.efficiency)


def test_documents_keep_backgrounds(matrix: ResponseMatrix, tmp_path: Path) -> None:
    text = matrix.to_json()
    back = ResponseMatrix.from_json(text)
    assert back == matrix
    assert list(back.backgrounds) == list(BACKGROUND)
    assert back.provenance["select"] == SELECT
    assert back.provenance["background_neutral"] == "nc"
    assert json.loads(text)["counts"]["metadata"]["forefold_response_matrix"] == 2
    plain = ResponseMatrix.from_array([[1.0]], [0, 1], [0, 1])
    head = json.loads(plain.to_json())["counts"]["metadata"]
    assert head["forefold_response_matrix"] == 1
    newer = text.replace('"forefold_response_matrix": 2', '"forefold_response_matrix": 3')
    with pytest.raises(ValueError, match="version 3, of which this forefold knows 1 and 2"):
        ResponseMatrix.from_json(newer)
    fine = matrix.rebin(lepton_momentum_reco=5)
    assert fine.backgrounds["one_pi"].values().tolist() == [
        matrix.backgrounds["one_pi"].values().sum()
    ]
    root = tmp_path / "R.root"
    forefold.export_matrix(matrix, root, "root")
    again = forefold.import_matrix(root, "root")
    for name, each in matrix.backgrounds.items():
        np.testing.assert_array_equal(again.backgrounds[name].values(), each.values())
    np.testing.assert_array_equal(again.fakes.values(), matrix.fakes.values())
    forefold.export_matrix(matrix, tmp_path / "RU.root", "roounfold")
    whole = forefold.import_matrix(tmp_path / "RU.root", "roounfold")
    np.testing.assert_array_equal(whole.fakes.values(), matrix.not_signal.values())
    made = ResponseMatrix.from_histograms(
        matrix.counts, matrix.truth, backgrounds=matrix.backgrounds
    )
    for name, each in matrix.backgrounds.items():
        assert made.backgrounds[name] == each
    with pytest.raises(ValueError, match="background 'truth': this name is taken"):
        ResponseMatrix.from_histograms(matrix.counts, matrix.truth, backgrounds={"truth": each})


def test_formats_say_what_they_leave_out(matrix: ResponseMatrix, tmp_path: Path) -> None:
    said = forefold.export_matrix(matrix, tmp_path / "R.npz", "remu").notes
    total = matrix.not_signal.values().sum()
    assert any(f"{total:.6g} fakes and backgrounds (one_pi, neutral, any_cc)" in n for n in said)
    plain = forefold.export_matrix(matrix, tmp_path / "w.json", "pyhf").notes
    assert any("are not written: add them with fakes=True" in note for note in plain)
    made = pyhf.workspace(matrix, fakes=True)
    samples = {each["name"]: each for each in made["channels"][0]["samples"]}
    assert list(samples) == ["signal", "fakes", *BACKGROUND]
    np.testing.assert_allclose(
        sum(np.array(each["data"]) for each in samples.values()), matrix.reco.values(), rtol=1e-12
    )
    norm = {"name": "norm_one_pi", "type": "normfactor", "data": None}
    assert norm in samples["one_pi"]["modifiers"]
    fixed = made["measurements"][0]["config"]["parameters"]
    assert {"name": "norm_one_pi", "inits": [1.0], "fixed": True} in fixed


def test_folding_and_unfolding_count_backgrounds(matrix: ResponseMatrix) -> None:
    folded = forefold.fold(matrix.truth, matrix, fakes=True)
    np.testing.assert_allclose(folded.values, matrix.reco.values(), rtol=1e-12)
    assert list(folded.backgrounds) == list(BACKGROUND)
    back = forefold.matrix.Prediction.from_json(folded.to_json())
    np.testing.assert_array_equal(back.backgrounds["one_pi"], folded.backgrounds["one_pi"])
    assert "  one_pi " in repr(folded)
    assert not forefold.fold(matrix.truth, matrix).backgrounds
    data: hist.Hist[Any] = hist.Hist(*matrix.reco_axes)
    data.view()[...] = matrix.reco.values()
    found = forefold.unfold(data, matrix, method="inversion")
    np.testing.assert_allclose(found.values, matrix.truth.values(), rtol=1e-9)
    assert any("fakes and one_pi and neutral and any_cc" in note for note in found.notes)


def test_what_it_says_of_itself(matrix: ResponseMatrix) -> None:
    text = repr(matrix)
    signal = matrix.truth.values().sum()
    kept = matrix.counts.values().sum()
    assert f"  selected: {SELECT}" in text
    assert (
        f"  signal {signal:.6g}: {100 * kept / signal:.3g} % reconstructed on the axes (eff" in text
    )
    assert f"{100 * kept / matrix.reco.values().sum():.3g} % (purity)" in text
    assert "    neutral " in text
    assert "    fakes, of no background " in text


def test_nothing_selected_and_nothing_named_are_warned_of(pair: Pair) -> None:
    with pytest.warns(UserWarning, match="no event is selected: select 'n_mu_reco > 7'"):
        empty = ResponseMatrix.from_events(pair, **{**SETTINGS, "select": "n_mu_reco > 7"})
    assert not empty.efficiency.any()
    assert "0 % reconstructed on the axes" in repr(empty)
    with pytest.warns(UserWarning, match="background 'none' takes no event$"):
        ResponseMatrix.from_events(pair, **{**SETTINGS, "background": {"none": "enu > 99"}})
    with pytest.warns(
        UserWarning, match="takes no event: without signal, every event with a truth"
    ):
        ResponseMatrix.from_events(pair, true="enu=0:10:2", background={"neutral": "nc"})
    twice = {**SETTINGS, "background": {"all": "true", "neutral": "nc"}}
    with pytest.warns(
        UserWarning, match="'neutral' takes no event: an event goes to the first .* and 'all' come"
    ):
        ResponseMatrix.from_events(pair, **twice)


def test_a_mask_is_no_selection(pair: Pair) -> None:
    with pytest.raises(
        TypeError, match="a condition is a text, such as 'n_mu_reco == 1', found Array"
    ):
        ResponseMatrix.from_events(pair, **{**SETTINGS, "select": pair[1].n_detected > 1})


def test_a_cut_after_smearing_is_refused(pair: Pair, matrix: ResponseMatrix) -> None:
    """The way that everybody takes first: the missed events would be cut out of the denominator."""
    events, smeared = pair
    table = forefold.observables(events, smeared, names=["topology", "n_mu", "p_mu"])
    passed = (table.topology_reco == 0) & (table.n_mu_reco == 1) & (table.p_mu_reco > 0.1)
    cut = passed.to_numpy()
    options: dict[str, Any] = {"true": AXES, "signal": SIGNAL}
    said = "events that were smeared are missing .* give|Give all events and the cut as select="
    halves = ak.concatenate([smeared[:1500][cut[:1500]], smeared[1500:][cut[1500:]]])
    for wrong in (
        (events[cut], smeared[cut]),
        [(events[cut], smeared[cut])],
        (events[cut], pickle.loads(pickle.dumps(smeared[cut]))),
        (events[cut], halves),
        [(events[:1500][cut[:1500]], smeared[:1500][cut[:1500]])],
    ):
        with pytest.raises(ValueError, match=said):
            ResponseMatrix.from_events(wrong, **options)
    accepted = ResponseMatrix.from_events((events[cut], smeared[cut]), missing="accept", **options)
    assert np.all(accepted.efficiency > matrix.efficiency)
    assert accepted.efficiency[1] == 1.0
    word: Any = "maybe"
    with pytest.raises(ValueError, match="missing = 'maybe': 'stop' or 'accept'"):
        ResponseMatrix.from_events(pair, missing=word, **options)
    with pytest.raises(ValueError, match="are not made from these 3000 events"):
        ResponseMatrix.from_events((events, smeared[cut]), **options)


def test_slices_are_parts_like_any_other(pair: Pair) -> None:
    events, smeared = pair
    options: dict[str, Any] = {"true": AXES, "signal": SIGNAL, "select": SELECT}
    whole = ResponseMatrix.from_events(pair, **options)
    edges = [0, 1, 999, 2000, 3000]
    parts = [(events[a:b], smeared[a:b]) for a, b in pairwise(edges)]
    np.testing.assert_array_equal(
        ResponseMatrix.from_events(parts, **options).counts.view(), whole.counts.view()
    )
    assert missing(ak.concatenate([each for _, each in parts])) == 0
    shuffled = np.random.default_rng(1).permutation(3000)
    assert missing(smeared[shuffled]) == 0
    assert missing(smeared[shuffled[:1500]]) > 1000
    chosen = events[ak.to_numpy(ak.fill_none(events.cc, False))]
    some = forefold.smear(chosen, CARD, rng=1)
    assert missing(some) == 0
    assert missing(some[100:200]) == 0
    assert missing(some[some.n_detected > 1]) > 100


@pytest.mark.parametrize("kind", ["parquet", "root", "h5", "hepmc3"])
def test_files_remember_that_events_were_cut(pair: Pair, tmp_path: Path, kind: str) -> None:
    events, smeared = (each[:60] for each in pair)
    cut = (smeared.n_detected > 1).to_numpy()
    for keep, lost in ((np.ones(60, bool), False), (cut, True)):
        out = tmp_path / f"{lost}.{kind}"
        with open_writer(out, provenance=smeared.attrs["forefold"]) as writer:
            writer.write(smeared[:5], events[:5])
            writer.write(smeared[5:][keep[5:]], events[5:][keep[5:]])
        back = forefold.read_smeared(out)
        assert (missing(back) > 0) is lost
        for piece in forefold.iterate_smeared(out, chunk=20):
            assert (missing(piece) > 0) is lost
        if not lost:
            assert missing(back[cut]) > 0
            ResponseMatrix.from_events(back, true="visible_energy=0:4:4")
        else:
            with pytest.raises(ValueError, match="events that were smeared are missing"):
                ResponseMatrix.from_events(back, true="visible_energy=0:4:4")


def test_the_attributes_survive_parquet_of_awkward(pair: Pair, tmp_path: Path) -> None:
    smeared = pair[1][:50]
    ak.to_parquet(smeared[smeared.n_detected > 1], tmp_path / "a.parquet")
    assert missing(ak.from_parquet(tmp_path / "a.parquet")) > 0


def test_pictures_stack_what_is_selected(matrix: ResponseMatrix, tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    from forefold import plotting

    panel: Any
    (panel,) = plotting.selected_figure(matrix).axes
    words = [text.get_text() for text in panel.get_legend().get_texts()]
    assert words == ["fakes", *reversed(BACKGROUND), "signal"]
    top = np.asarray(matrix.reco.values())
    outline = panel.patches[-1].get_data().values
    np.testing.assert_allclose(outline, top, rtol=1e-12)
    # signal at the bottom, then backgrounds in their order
    lowest = panel.patches[0].get_data().values
    np.testing.assert_allclose(lowest, matrix.counts.values().sum(axis=0), rtol=1e-12)
    whole = matrix.peek()
    labels = [axes.get_ylabel() for axes in whole.axes]
    assert labels.count("Signal share") == 1
    assert "Events / bin" in labels
    plain = ResponseMatrix.from_array([[0.5, 0.1], [0.1, 0.6]], [0, 1, 2], [0, 1, 2])
    assert len(plain.peek().axes) < len(whole.axes)
    own: Any = Figure().subplots()
    assert plotting.selected_figure(matrix, ax=own) is own.figure
    folded: Any = forefold.fold(matrix.truth, matrix, fakes=True).peek().axes[0]
    legend = [text.get_text() for text in folded.get_legend().get_texts()]
    assert set(BACKGROUND) < set(legend)
    plotting.save(whole, tmp_path / "peek.pdf")
