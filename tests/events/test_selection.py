"""Selections on input: what is kept, that its bits stay, what is counted and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import pytest

import forefold
from forefold import cli
from forefold.events import build
from forefold.events.observables import OBSERVABLES, observables
from forefold.events.selection import NAMES, Selection
from forefold.workflows.stream import smear_chunks, smear_files

CARD = "nusmear-dune-cdr"
CUT = "cc and abs(probe) == 14 and enu > 2.5"


@pytest.fixture(scope="module")
def events(gst_file: Path) -> ak.Array:
    return forefold.read(gst_file)


@pytest.fixture(scope="module")
def passed(events: ak.Array) -> Any:
    cc = ak.to_numpy(ak.fill_none(events.cc, False))
    energy = ak.to_numpy(events.probe_momentum.energy)
    return cc & (np.abs(ak.to_numpy(events.probe)) == 14) & (energy > 2.5)


def same(one: ak.Array, two: ak.Array) -> None:
    """Bit for bit, missing values too."""
    assert one.fields == two.fields
    assert one.tolist() == two.tolist() or ak.array_equal(one, two, equal_nan=True)


def test_it_keeps_what_passes(events: ak.Array, passed: Any, gst_file: Path) -> None:
    assert 50 < passed.sum() < 250
    cut = Selection(CUT)
    found = forefold.read(gst_file, where=cut)
    same(found, events[passed])
    assert (cut.events, cut.kept) == (300, passed.sum())
    assert repr(cut) == f"Selection({CUT!r})"


def test_the_random_numbers_stay(events: ak.Array, passed: Any, gst_file: Path) -> None:
    """smear(select(x)) is select(smear(x)), in any chunks."""
    wanted = forefold.smear(events, CARD, rng=7)[passed]
    same(forefold.smear(forefold.read(gst_file, where=CUT), CARD, rng=7), wanted)
    for chunk in (1, 7, 300):
        if chunk == 1:
            pieces = list(smear_chunks(gst_file, CARD, rng=7, entries="0:40", where=CUT, chunk=1))
            assert [len(piece) for piece in pieces] == passed[:40].astype(int).tolist()
            same(ak.concatenate([p for p in pieces if len(p)]), wanted[: passed[:40].sum()])
        else:
            pieces = list(smear_chunks(gst_file, CARD, rng=7, where=CUT, chunk=chunk))
            same(ak.concatenate([p for p in pieces if len(p)]), wanted)


def test_other_formats_give_the_same_events(gst_file: Path, genie_hepmc_file: Path) -> None:
    """The same GENIE events; NuHepMC 0.9 has its momenta to fewer digits."""
    for text in ("cc and w > 1.4", "is_qe and n_p == 1", "topology == 0 and lepton_theta < 0.3"):
        one, two = (forefold.read(path, where=text).entry for path in (gst_file, genie_hepmc_file))
        np.testing.assert_array_equal(one, two)


def test_every_name_is_that_of_the_record_or_of_an_observable(events: ak.Array) -> None:
    table = observables(events)
    assert set(OBSERVABLES) < set(NAMES)
    for name, kind in NAMES.items():
        if kind == "condition":
            kept = Selection(name).apply(events).entry.tolist()
            rejected = Selection(f"not {name}").apply(events).entry.tolist()
            assert sorted(kept + rejected) == list(range(300))
            continue
        values = table[f"{name}_true"] if name in OBSERVABLES else events[name]
        if np.isnan(values.to_numpy()).all():  # no tau, no electron
            assert len(Selection(f"isnan({name})").apply(events)) == 300
            continue
        middle = float(np.nanmedian(values))
        kept = Selection(f"{name} >= {middle!r}").apply(events)
        np.testing.assert_array_equal(kept.entry, np.flatnonzero(values.to_numpy() >= middle))


def test_processes_are_nuhepmcs_hundreds(events: ak.Array) -> None:
    number = events.process_id.to_numpy()
    for name, hundreds in (
        ("is_qe", 2),
        ("is_mec", 3),
        ("is_res", 4),
        ("is_dis", 6),
        ("is_coh", 1),
    ):
        kept = Selection(name).apply(events)
        np.testing.assert_array_equal(kept.entry, np.flatnonzero(number // 100 == hundreds))


def test_what_is_not_known_is_not_kept() -> None:
    toy = build(pdgid=[13, 13], px=0.0, py=0.0, pz=1.0, energy=1.1, process_id=[0, -200])
    for text in ("cc", "not cc", "enu > 0", "not enu > 0", "q2 > 0", "is_qe and event == 0"):
        assert len(Selection(text).apply(toy)) == 0, text
    assert Selection("is_qe").apply(toy).event.tolist() == [1]
    assert len(Selection("isnan(enu)").apply(toy)) == 2
    assert len(Selection("cc or n_mu == 1").apply(toy)) == 2


def test_only_what_is_named_is_computed(events: ak.Array, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: ak.Array) -> None:
        raise AssertionError

    monkeypatch.setattr("forefold.events.observables.final_state.made", never)
    assert len(Selection("cc and probe == 14 and weight > 0 and enu > 0").apply(events)) == 225
    with pytest.raises(AssertionError):
        Selection("n_p > 0").apply(events)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("enue > 1", "character 1 \\('enue > 1'\\): unknown name 'enue' \\(did you mean 'enu'"),
        ("enu", "'enu' is a number, a selection is a condition"),
        ("cc and", "ends where a value is expected"),
        ("cc == 1", "a condition is compared with a number"),
        ("", "the expression is empty"),
    ],
)
def test_a_wrong_selection_is_found_before_a_file_is_opened(text: str, words: str) -> None:
    for call in (forefold.read, forefold.iterate, forefold.inspect):
        with pytest.raises(ValueError, match=words):
            call("no_such_file.root", where=text)
    with pytest.raises(ValueError, match=words):
        smear_files("no_such_file.root", CARD, "out.parquet", where=text)


def test_nothing_is_kept(gst_file: Path, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="the selection 'false' keeps none of 300 events"):
        none = forefold.read(gst_file, where="false")
    assert len(none) == 0
    assert none.fields == forefold.read(gst_file).fields
    with pytest.warns(UserWarning, match="the selection 'false' keeps none of 300 events"):
        tally = smear_files(gst_file, CARD, tmp_path / "o.parquet", rng=1, where="false", chunk=100)
    assert (tally.events, tally.particles) == (0, 0)
    assert tally.selection is not None
    assert (tally.selection.events, tally.selection.kept) == (300, 0)
    assert pq.read_table(tmp_path / "o.parquet").num_rows == 0
    with pytest.raises(ValueError, match="the selection 'enu > 99' keeps none of 300 events"):
        forefold.inspect(gst_file, where="enu > 99")


def test_inspect(gst_file: Path) -> None:
    found = forefold.io.inspect(gst_file, where="is_qe and cc")
    assert [process.process_id for process in found.processes] == [200]
    assert found.events == found.processes[0].count
    assert found.details["selection"] == "is_qe and cc"
    assert found.details["kept"] == f"{found.events} of 300 events"


# ---- the command line -------------------------------------------------------------------------


def run(*arguments: object) -> int:
    try:
        return cli.main([str(a) for a in arguments])
    except SystemExit as stop:
        return int(stop.code or 0)


@pytest.mark.parametrize("chunk", [10, 1000])
def test_smear_where(
    chunk: int, gst_file: Path, tmp_path: Path, passed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "o.parquet"
    code = run(
        "smear", gst_file, "-d", CARD, "--rng", 7, "--where", CUT, "--chunk", chunk, "-o", out
    )
    err = capsys.readouterr().err
    assert code == 0, err
    n = passed.sum()
    assert f"o.parquet: {n} events" in err
    assert f"selection: {n} of 300 events kept, {300 - n} cut ({CUT})" in err
    table = pq.read_table(out)
    assert table["entry"].to_pylist() == np.flatnonzero(passed).tolist()
    assert json.loads(table.schema.metadata[b"forefold"])["where"] == CUT


def test_smear_observables(
    gst_file: Path, tmp_path: Path, events: ak.Array, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, more = tmp_path / "plain.parquet", tmp_path / "more.parquet"
    for out, options in ((plain, []), (more, ["--observables"])):
        assert run("smear", gst_file, "-d", CARD, "--rng", 7, "-q", "-o", out, *options) == 0
    one, two = pq.read_table(plain), pq.read_table(more)
    assert one.equals(two.select(one.column_names))
    wanted = observables(events, forefold.smear(events, CARD, rng=7))
    assert set(two.column_names) == set(one.column_names) | set(wanted.fields)
    for name in ("w_reco", "delta_pt_reason_reco", "topology_true", "n_p_reco"):
        np.testing.assert_array_equal(two[name].to_numpy(), wanted[name])
    assert run("smear", gst_file, "-d", CARD, "--observables", "-o", tmp_path / "o.csv") == 2
    assert "no room for observables" in capsys.readouterr().err
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize(
    ("command", "out"),
    [
        (["matrix"], "o.json"),
        (["matrix"], "-"),
        (["plot", "energy"], "o.svg"),
        (["plot", "all"], "folder"),
    ],
)
def test_matrix_and_plot_where(
    command: list[str], out: str, gst_file: Path, tmp_path: Path, passed: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    target = out if out == "-" else tmp_path / out
    code = run(*command, gst_file, "-d", CARD, "--rng", 7, "--where", CUT, "-o", target)
    captured = capsys.readouterr()
    assert code == 0, captured.err
    assert f"selection: {passed.sum()} of 300 events kept" in captured.err
    if command == ["matrix"]:
        text = captured.out if out == "-" else target.read_text()  # type: ignore[union-attr]
        smeared = forefold.smear(forefold.read(gst_file, where=CUT), CARD, rng=7)
        values = json.loads(text)["storage"]["values"]
        assert np.sum(values) == forefold.energy_matrix(smeared).values(flow=True).sum()


def test_inspect_where(gst_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("inspect", gst_file, "--where", "is_qe", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["details"]["selection"] == "is_qe"


def test_a_wrong_selection_is_one_line(gst_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("inspect", gst_file, "--where", "enu >\n> 1") == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "argument --where: expression, character 7 ('> 1'): '>' stands where" in err


def test_a_selection_that_keeps_nothing_says_so(gst_file: Path, tmp_path: Path) -> None:
    said = "the selection 'enu > 99' keeps none of 300 events"
    with pytest.warns(UserWarning, match=said):
        assert len(forefold.read(gst_file, where="enu > 99")) == 0
    with pytest.warns(UserWarning, match=said):
        list(forefold.iterate(gst_file, where="enu > 99", chunk=70))
    with pytest.warns(UserWarning, match=said):
        forefold.smear_files(gst_file, CARD, tmp_path / "o.parquet", rng=1, where="enu > 99", workers=1)  # fmt: skip
    # a piece or a file without any is nothing to speak of
    assert sum(map(len, forefold.iterate(gst_file, where="entry == 299", chunk=70))) == 1
    assert cli.main(["report", str(gst_file), "-d", CARD, "--axis", "q2=0:1:1", "--where", "enu > 99", "-o", str(tmp_path / "r.html"), "-q"]) == 2  # fmt: skip
    with pytest.warns(UserWarning, match="keeps none"):
        forefold.spectrum(forefold.read(gst_file), axes="q2=0:1:1", signal="enu > 99")
