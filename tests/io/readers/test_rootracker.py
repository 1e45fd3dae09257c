"""The reader of GENIE rootracker trees."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from handmade import Tree, jagged

from forefold import events, io
from forefold.io import root as rootfile
from forefold.io.readers.rootracker import READER

CODE = "EvtCode/fString"
MOMENTUM = ("px", "py", "pz", "energy")


@pytest.fixture(scope="session")
def gtrac_file(data: Path) -> Path:
    """The events of `gst_file` as rootracker."""
    return data / "genie_numu_Ar40_300.gtrac.root"


def mock(n: int = 3, **changes: Any) -> dict[str, Any]:
    """Final states only, as `gntpc -f rootracker_mock_data` writes them: a muon and a proton."""
    momentum = np.tile([[0.0, 0.0, 1.0, 1.01], [0.0, 0.0, 0.5, 1.1]], (n, 1))
    columns: dict[str, Any] = {
        "EvtNum": np.arange(n, dtype="i4"),
        "EvtWght": np.ones(n),
        "StdHepPdg": jagged([[13, 2212]] * n, "i4"),
        "StdHepP4": ak.unflatten(momentum, [2] * n),
    }
    return {key: value for key, value in (columns | changes).items() if value is not None}


def read(columns: dict[str, Any], *, final_state_only: bool = True) -> ak.Array:
    """Read branches that uproot cannot write: lists of four-vectors, and texts."""
    source = io.Source("f.root", final_state_only=final_state_only)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forefold.io.root.tree", Tree(columns).opened)
        return events.concatenate(record for record, _ in READER.iterate(source))


def test_agrees_with_gst(gtrac_file: Path, gst_file: Path) -> None:
    tracker, gst = io.read(gtrac_file), io.read(gst_file)
    for name in ("event", "entry", "process_id", "cc", "nc", "probe", "target", "weight"):
        assert tracker[name].tolist() == gst[name].tolist(), name
    for name in MOMENTUM:
        assert ak.all(tracker.probe_momentum[name] == gst.probe_momentum[name])
    # gst leaves out pseudo-particles (bindinos), and nothing else in this file
    real = tracker.particles[ak.unflatten(
        ~events.is_pseudo_particle(ak.flatten(tracker.particles.pdgid)), ak.num(tracker.particles)
    )]  # fmt: skip
    assert ak.sum(ak.num(tracker.particles)) > ak.sum(ak.num(real))
    for name in ("pdgid", *MOMENTUM):
        assert real[name].tolist() == gst.particles[name].tolist(), name


def test_agrees_with_nuhepmc(gtrac_file: Path, genie_hepmc_file: Path) -> None:
    tracker, hepmc = io.read(gtrac_file), io.read(genie_hepmc_file)
    for name in ("pdgid", "status", *MOMENTUM):
        assert tracker.particles[name].tolist() == hepmc.particles[name].tolist(), name
    assert tracker.process_id.tolist() == hepmc.process_id.tolist()


def test_whole_record(gtrac_file: Path) -> None:
    record = io.read(gtrac_file, final_state_only=False)
    with uproot.open(gtrac_file) as file:
        tree = file["gRooTracker"]
        raw = {name: tree[name].array() for name in ("StdHepFm", "StdHepX4", "StdHepStatus")}
        vertex, xsec = tree["EvtVtx"].array(library="np"), tree["EvtXSec"].array(library="np")
    particles = record.particles
    assert particles.first_mother.tolist() == raw["StdHepFm"].tolist()
    assert particles.status.tolist() == raw["StdHepStatus"].tolist()
    for axis, name in enumerate("xyzt"):
        assert particles[f"v{name}"].tolist() == raw["StdHepX4"][:, :, axis].tolist()
        assert record[f"vertex_{name}"].tolist() == vertex[:, axis].tolist()
    assert record.xsec.tolist() == xsec.tolist()
    final = io.read(gtrac_file).particles
    assert particles[particles.status == 1].energy.tolist() == final.energy.tolist()
    # what goes in comes out: initial nucleus and probe against final state and remnant
    start = ak.sum(particles.energy[particles.status == 0], axis=1)
    ends = (particles.status == 1) | (particles.status == 15)
    assert ak.all(abs(ak.sum(particles.energy[ends], axis=1) - start) < 1e-3)


def test_chunks_and_entries(gtrac_file: Path) -> None:
    whole = io.read(gtrac_file)
    pieces = list(io.iterate(gtrac_file, chunk=77))
    assert [len(piece) for piece in pieces] == [77, 77, 77, 69]
    assert events.concatenate(pieces).tolist() == whole.tolist()
    assert io.read(gtrac_file, entries="10:20").tolist() == whole[10:20].tolist()


def test_describe(gtrac_file: Path) -> None:
    found = io.inspect(gtrac_file)
    assert found.format == "GENIE rootracker"
    assert found.details["variant"] == "plain"
    assert found.targets[0].name == "Ar40"


def test_mock_data() -> None:
    record = read(mock())
    assert record.particles.pdgid.tolist() == [[13, 2212]] * 3
    assert record.particles.energy.tolist() == [[1.01, 1.1]] * 3
    assert record.probe.tolist() == record.target.tolist() == record.process_id.tolist() == [0] * 3
    assert record.cc.tolist() == [None] * 3
    assert np.isnan(record.probe_momentum.energy.to_numpy()).all()
    whole = read(mock(), final_state_only=False)
    assert whole.particles.fields == record.particles.fields


@pytest.mark.parametrize(
    ("branch", "variant"),
    [("NumiFluxRun", "numi"), ("NuParentPdg", "t2k"), ("Other", "plain"), ("", "mock data")],
)
def test_variants(monkeypatch: pytest.MonkeyPatch, branch: str, variant: str) -> None:
    more = {"StdHepStatus": jagged([[1, 1]] * 3, "i4"), branch: np.zeros(3, "i4")}
    columns = mock() | (more if branch else {})
    monkeypatch.setattr("forefold.io.root.tree", Tree(columns).opened)
    assert READER.describe("f.root").details["variant"].startswith(variant)
    assert len(read(columns)) == 3


def test_free_nucleon_and_lone_probe() -> None:
    columns = mock(2) | {
        "StdHepPdg": jagged([[14, 2212, 13], [14]], "i4"),
        "StdHepStatus": jagged([[0, 0, 1], [0]], "i4"),
        "StdHepP4": ak.unflatten(np.tile([0.0, 0.0, 2.0, 2.5], (4, 1)), [3, 1]),
    }
    record = read(columns)
    assert record.target.tolist() == [2212, 0]
    assert record.probe.tolist() == [14, 14]
    assert record.particles.pdgid.tolist() == [[13], []]


@pytest.mark.parametrize(
    ("text", "process_id", "cc", "nc"),
    [
        ("nu:14;tgt:1000180400;N:2112;proc:Weak[CC],QES;", 200, True, False),
        ("nu:14;tgt:1000180400;N:2112;q:1(s);proc:Weak[NC],DIS;charm:incl;", 650, False, True),
        ("nu:14;tgt:1000180400;proc:Weak[CC+NC+interference],NuEEL;", 703, False, False),
        ("nu:11;tgt:1000060120;N:2112;proc:EM,RES;res:0;", -400, False, False),
        ("nu:12;tgt:1000180400;proc:Weak[NC],CEvNS;", 0, False, True),
    ],
)
def test_processes(text: str, process_id: int, cc: bool, nc: bool) -> None:
    record = read(mock(1) | {CODE: ak.Array([text])})
    assert record.process_id.tolist() == [process_id]
    assert (record.cc.tolist(), record.nc.tolist()) == ([cc], [nc])


def test_text_without_process() -> None:
    with pytest.raises(ValueError, match="entry 1: EvtCode = 'nothing' names no process"):
        read(mock(2) | {CODE: ak.Array(["proc:Weak[CC],QES;", "nothing"])})


def test_highest_cycle(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "f") as file:
        for n in (2, 3):
            file.mktree("gRooTracker", {"EvtNum": "i4"}).extend({"EvtNum": np.arange(n)})
    with rootfile.tree(str(tmp_path / "f"), "gRooTracker") as tree:
        assert tree.num_entries == 3


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (mock(StdHepP4=None), "lacks the branches StdHepP4 .only GENIE's rootracker is read"),
        (mock() | {CODE: np.zeros(3)}, "fString of `gRooTracker` must hold a text per event"),
        (mock(EvtNum=jagged([[1]] * 3)), "EvtNum of `gRooTracker` must hold one number"),
        (mock(StdHepPdg=np.ones(3)), "StdHepPdg of `gRooTracker` must hold a list per event"),
        (
            mock(StdHepP4=ak.unflatten(np.ones((6, 3)), [2] * 3)),
            "StdHepP4 of `gRooTracker` must hold a list of four-vectors",
        ),
        (
            mock(StdHepPdg=jagged([[13, 2212], [13], [13, 2212]], "i4")),
            r"entry 1: the branches StdHepPdg and StdHepP4 .* differ in length \(1 and 2\)",
        ),
    ],
)
def test_unlike_rootracker(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read(columns)
    assert str(caught.value).startswith("f.root: ")


def test_any_name(gtrac_file: Path, tmp_path: Path) -> None:
    shutil.copy(gtrac_file, tmp_path / "x.gst.root")
    assert len(io.read(tmp_path / "x.gst.root")) == 300
