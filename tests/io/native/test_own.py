"""What forefold writes is read back bit for bit, by itself and by others."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import awkward as ak
import numpy as np
import pyhepmc
import pytest
import uproot
from written_kinds import ALL, CARD, NESTED

import forefold
from forefold import io
from forefold.detector.load import fingerprint
from forefold.io.native.smeared import is_smeared
from forefold.io.write import open_writer
from forefold.kernels.fate import Fate
from forefold.workflows.stream import smear_files

CSV_ONLY = ["event", "n_particles", "n_detected", "n_lost", "n_not_smeared"]


@pytest.mark.parametrize("kind", NESTED)
def test_read_back(written: dict[str, Path], smeared: ak.Array, kind: str) -> None:
    back = forefold.read_smeared(written[kind])
    assert back.type == smeared.type
    assert ak.array_equal(back, smeared, equal_nan=True)
    assert smeared.attrs["forefold"].items() <= back.attrs["forefold"].items()


@pytest.mark.parametrize("kind", [".csv", ".csv.gz"])
def test_read_back_csv(written: dict[str, Path], smeared: ak.Array, kind: str) -> None:
    back = forefold.read_smeared(written[kind])
    assert back.fields == [*CSV_ONLY, "particles"]
    for name in CSV_ONLY:
        assert ak.array_equal(back[name], smeared[name])
    assert len(back.particles.fields) == 11
    for name in back.particles.fields:
        assert back.particles[name].type == smeared.particles[name].type
        assert ak.array_equal(back.particles[name], smeared.particles[name])
    assert smeared.attrs["forefold"].items() <= back.attrs["forefold"].items()


@pytest.mark.parametrize("kind", ALL)
def test_range(written: dict[str, Path], smeared: ak.Array, kind: str) -> None:
    back = forefold.read_smeared(written[kind], entries="70:160")
    assert back.event.tolist() == smeared.event[70:160].tolist()
    assert back.particles.fate.tolist() == smeared.particles.fate[70:160].tolist()
    pieces = list(forefold.iterate_smeared(written[kind], chunk=100))
    assert max(len(piece) for piece in pieces) <= 100
    assert sum(len(piece) for piece in pieces) == 300
    with pytest.raises(ValueError, match="starts at 300, but the file has 300 events"):
        forefold.read_smeared(written[kind], entries="300:")
    seen: list[int] = []
    list(forefold.iterate_smeared(written[kind], progress=lambda _, n: seen.append(n)))
    assert seen[-1] == 300


@pytest.mark.parametrize("kind", ALL)
def test_provenance(written: dict[str, Path], gst_file: Path, kind: str) -> None:
    about = forefold.read_smeared(written[kind]).attrs["forefold"]
    text, digest = fingerprint(forefold.load_card(CARD))
    assert about["card"] == CARD
    assert about["card_text"] == json.loads(text)
    assert about["card_sha256"] == digest
    assert (about["rng"], about["axis"], about["version"]) == (1, "probe", forefold.__version__)
    assert about["entries"] == [0, None]
    (origin,) = about["inputs"]
    assert origin["path"] == str(gst_file)
    assert origin["bytes"] == gst_file.stat().st_size
    # what `sha256sum tests/data/genie_numu_Ar40_300.gst.root` prints
    assert origin["sha256"].startswith("9037163c3214959a")
    assert origin["stream"] == 11138831459359799184


@pytest.mark.parametrize("kind", [".parquet", ".h5", ".hepmc3", ".hepmc3.gz", ".csv"])
def test_same_bytes(written: dict[str, Path], gst_file: Path, tmp_path: Path, kind: str) -> None:
    again = tmp_path / f"again{kind}"
    smear_files(gst_file, CARD, again, rng=1, chunk=77)
    assert again.read_bytes() == written[kind].read_bytes()


def test_root_same_columns(written: dict[str, Path], gst_file: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.root"
    smear_files(gst_file, CARD, again, rng=1, chunk=300)
    with uproot.open(again) as one, uproot.open(written[".root"]) as two:
        assert str(one["forefold_provenance"]) == str(two["forefold_provenance"])
        a, b = one["forefold"].arrays(), two["forefold"].arrays()
        assert ak.array_equal(a, b, equal_nan=True)


def test_root_beside_its_input(written: dict[str, Path], gst_file: Path) -> None:
    """Entry by entry, as a friend is used."""
    with uproot.open(gst_file) as truth, uproot.open(written[".root"]) as mine:
        gst, tree = truth["gst"], mine["forefold"]
        assert tree.num_entries == gst.num_entries == 300
        left = gst.arrays(["iev", "neu", "tgt", "cc", "wght", "fspl", "El", "pdgf", "Ef"])
        right = tree.arrays()
        facts = json.loads(str(mine["forefold_provenance"]))
    assert facts["alignment"] == "entry i is entry i of the input"
    assert right.event.tolist() == left.iev.tolist()
    assert right.entry.tolist() == list(range(300))
    assert right.probe.tolist() == left.neu.tolist()
    assert right.target.tolist() == left.tgt.tolist()
    assert right.weight.tolist() == left.wght.tolist()
    assert (right.cc == 1).tolist() == left.cc.tolist()
    for i in range(300):
        assert right.n[i] == len(left.pdgf[i]) + (left.fspl[i] != 0)
        assert right.pdgid[i].tolist() == [left.fspl[i], *left.pdgf[i].tolist()]
        assert right.energy_true[i].tolist() == [left.El[i], *left.Ef[i].tolist()]
    seen = right.detected == 1
    assert set(ak.flatten(right.detected).tolist()) == {0, 1}
    assert bool(ak.all(np.isnan(right.energy_reco) == ~seen))
    assert ak.sum(seen) == ak.sum(right.n_detected)


@pytest.mark.parametrize(
    ("inputs", "entries", "words"),
    [
        (["a"], "0:100", "the branch `entry` is the entry in the input"),
        (["a"], "5:", "the branch `entry` is the entry in the input"),
        (["a", "b"], None, "entry i is entry i of the chain of the inputs"),
    ],
)
def test_root_says_how_it_is_aligned(
    gst_file: Path,
    genie_hepmc_file: Path,
    tmp_path: Path,
    inputs: list[str],
    entries: str | None,
    words: str,
) -> None:
    paths = [{"a": gst_file, "b": genie_hepmc_file}[name] for name in inputs]
    out = tmp_path / "out.root"
    smear_files(paths, CARD, out, rng=1, chunk=120, entries=entries)
    with uproot.open(out) as file:
        assert json.loads(str(file["forefold_provenance"]))["alignment"].startswith(words)
    back = forefold.read_smeared(out)
    assert list(dict.fromkeys(back.source.tolist())) == [str(path) for path in paths]


def test_root_of_selected_events_is_not_aligned(smeared: ak.Array, tmp_path: Path) -> None:
    with open_writer(tmp_path / "out.root", provenance={}) as writer:
        writer.write(smeared[::2])
    with uproot.open(tmp_path / "out.root") as file:
        assert "use it as an index" in json.loads(str(file["forefold_provenance"]))["alignment"]


def test_nuhepmc_keeps_to_the_specification(
    written: dict[str, Path], gst_file: Path, smeared: ak.Array
) -> None:
    """The requirements of NuHepMC 1.0.0, arXiv:2310.13211, read by the reference library."""
    with pyhepmc.open(written[".hepmc3"]) as file:
        found = list(file)
    assert len(found) == 300
    run = found[0].run_info
    facts = {name: str(value) for name, value in run.attributes.items()}
    assert [facts[f"NuHepMC.Version.{part}"] for part in ("Major", "Minor", "Patch")] == list("100")
    assert run.weight_names == ["CV"]
    for what in ("Process", "VertexStatus", "ParticleStatus"):
        for number in facts[f"NuHepMC.{what}IDs"].split():
            assert facts[f"NuHepMC.{what}Info[{number}].Name"]
            assert facts[f"NuHepMC.{what}Info[{number}].Description"]
    assert facts["NuHepMC.Units.CrossSection.Unit"] == "pb"
    assert facts["NuHepMC.Units.CrossSection.TargetScale"] == "PerAtom"
    assert "NuHepMC.AdditionalParticleNumbers" in facts
    assert (facts["forefold.card"], facts["forefold.rng"]) == (CARD, "1")
    processes = facts["NuHepMC.ProcessIDs"].split()
    statuses = {int(number) for number in facts["NuHepMC.ParticleStatusIDs"].split()}
    told = forefold.read(gst_file)
    truth = {name: told[name].tolist() for name in ("event", "weight", "probe", "target")}
    pdgid, pz, probe_energy, fate, energy_reco, px_reco = (
        column.tolist()
        for column in (
            told.particles.pdgid,
            told.particles.pz,
            told.probe_momentum.energy,
            smeared.particles.fate,
            forefold.reconstructed(smeared).energy,
            forefold.reconstructed(smeared).px,
        )
    )
    assert len({event.event_number for event in found}) == 300
    for i, event in enumerate(found):
        assert event.momentum_unit == pyhepmc.Units.GEV
        assert event.length_unit == pyhepmc.Units.MM
        assert event.event_number == truth["event"][i]
        assert event.weights == [truth["weight"][i]]
        assert str(event.attributes["signal_process_id"]) in processes
        assert [float(x) for x in str(event.attributes["lab_pos"]).split()] == [0.0, 0.0, 0.0]
        primary = [vertex for vertex in event.vertices if vertex.status == 1]
        assert len(primary) == 1
        assert all(vertex.status in (1, 201) for vertex in event.vertices)
        beam, target = primary[0].particles_in
        assert (beam.status, target.status) == (4, 20)
        assert (beam.pid, target.pid) == (truth["probe"][i], truth["target"][i])
        assert beam.momentum.e == probe_energy[i]
        true = [particle for particle in event.particles if particle.status == 1]
        assert [particle.pid for particle in true] == pdgid[i]
        assert [particle.momentum.pz for particle in true] == pz[i]
        assert {particle.status for particle in event.particles} <= statuses
        fates = [int(str(particle.attributes["fate"])) for particle in true]
        assert fates == fate[i]
        reco = [particle for particle in event.particles if particle.status == 201]
        assert [particle.momentum.e for particle in reco] == energy_reco[i]
        assert [particle.momentum.px for particle in reco] == px_reco[i]
        for particle in reco:
            (parent,) = particle.parents
            assert parent.pid == particle.pid
            assert parent.status == 1


def test_nuhepmc_is_read_as_events(written: dict[str, Path], gst_file: Path) -> None:
    back, truth = forefold.read(written[".hepmc3.gz"]), forefold.read(gst_file)
    assert back.particles.energy.tolist() == truth.particles.energy.tolist()
    for name in ("event", "process_id", "cc", "nc", "weight", "probe", "target"):
        assert back[name].tolist() == truth[name].tolist()


def test_nuhepmc_needs_true_momenta(smeared: ak.Array, gst_file: Path, tmp_path: Path) -> None:
    events = forefold.read(gst_file)
    with (
        pytest.raises(ValueError, match="NuHepMC holds the true momenta"),
        open_writer(tmp_path / "out.hepmc3", provenance={}) as writer,
    ):
        writer.write(smeared)
    with (
        pytest.raises(ValueError, match="are not those that were smeared"),
        open_writer(tmp_path / "out.hepmc3", provenance={}) as writer,
    ):
        writer.write(smeared, events[1:])
    assert list(tmp_path.iterdir()) == []


def test_nuhepmc_numbers_are_unique(
    gst_file: Path, genie_hepmc_file: Path, achilles_hepmc_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.hepmc3"
    smear_files([achilles_hepmc_file, gst_file, genie_hepmc_file], CARD, out, rng=1, entries="0:9")
    with pyhepmc.open(out) as file:
        numbers = [event.event_number for event in file]
    assert numbers[:9] == forefold.read(achilles_hepmc_file, entries="0:9").event.tolist()
    assert len(set(numbers)) == len(numbers) == 27
    assert forefold.read_smeared(out).event.tolist()[9:18] == list(range(9))


@pytest.mark.parametrize("kind", [".root", ".h5", ".hepmc3", ".parquet", ".csv"])
def test_unknown_and_odd(tmp_path: Path, kind: str) -> None:
    """A bindino with E < p, a probe and a process that nobody knows, an event without particles."""
    events = forefold.events.build(
        pdgid=[[13, 2000000101], [], [2112]],
        px=[[0.0, 5.0], [], [0.0]],
        py=0.0,
        pz=[[1.0, np.nan], [], [1e-3]],
        energy=[[1.0056, 0.1], [], [0.9395]],
        cc=np.ma.masked_array([True, False, False], [False, True, True]),
    )
    smeared = forefold.smear(events, CARD, rng=1, axis="z")
    out = tmp_path / f"out{kind}"
    with open_writer(out, provenance=smeared.attrs["forefold"]) as writer:
        writer.write(smeared, events)
    back = forefold.read_smeared(out)
    if kind == ".csv":
        assert back.event.tolist() == [0, 2]
    else:
        assert ak.array_equal(back, smeared, equal_nan=True)
    assert back.particles.fate.tolist()[0] == [Fate.DETECTED, Fate.PSEUDO_PARTICLE]


def test_csv_events_that_cannot_be_told_apart(tmp_path: Path) -> None:
    events = forefold.events.build(
        pdgid=13, px=0.0, py=0.0, pz=[1.0, 2.0], energy=3.0, event=[5, 5]
    )
    smeared = forefold.smear(events, CARD, rng=1, axis="z")
    with open_writer(tmp_path / "out.csv", provenance={}) as writer:
        writer.write(smeared)
    with pytest.raises(ValueError, match=r"2 events were written, 1 can be told apart"):
        forefold.read_smeared(tmp_path / "out.csv")


def test_fields_that_change(smeared: ak.Array, tmp_path: Path) -> None:
    other = ak.with_field(smeared, ak.values_astype(smeared.weight, np.float32), "weight")
    with open_writer(tmp_path / "out.root", provenance={}) as writer:
        writer.write(smeared)
        with pytest.raises(ValueError, match="weight was float64, is float32"):
            writer.write(other)


def test_without_h5py(
    monkeypatch: pytest.MonkeyPatch, gst_file: Path, tmp_path: Path, written: dict[str, Path]
) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    for act in (
        lambda: forefold.convert(gst_file, tmp_path / "out.h5"),
        lambda: forefold.read_smeared(written[".h5"]),
    ):
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'forefold\[hdf5\]'"):
            act()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [".parquet", ".csv", ".root", ".h5"])
@pytest.mark.parametrize("read", [io.read, io.inspect])
def test_smeared_files_are_no_input(
    written: dict[str, Path], kind: str, read: Callable[[Path], object]
) -> None:
    with pytest.raises(ValueError, match=r"holds smeared events; forefold\.read_smeared reads"):
        read(written[kind])


def test_what_is_not_smeared(gst_file: Path, genie_hepmc_file: Path, tmp_path: Path) -> None:
    for path in (gst_file, genie_hepmc_file):
        with pytest.raises(ValueError, match="not a file of smeared events"):
            forefold.read_smeared(path)
    for kind in (".parquet", ".csv", ".root", ".h5"):
        out = tmp_path / f"out{kind}"
        forefold.convert(gst_file, out, entries="0:3")
        with pytest.raises(ValueError, match="holds events that are not smeared"):
            forefold.read_smeared(out)
    with pytest.raises(ValueError, match="chunk = 0"):
        list(forefold.iterate_smeared(gst_file, chunk=0))
    with (
        pytest.raises(ValueError, match="must be one of smeared, events"),
        open_writer(tmp_path / "x.csv", provenance={}, content="else"),
    ):
        pass


def test_other_hdf5(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["data"] = [1, 2]
    with pytest.raises(ValueError, match="HDF5 file that forefold did not write; it holds: data"):
        forefold.read(tmp_path / "other.h5")


@pytest.mark.parametrize("kind", ALL)
def test_card_text_fits_its_hash(written: dict[str, Path], kind: str) -> None:
    about = forefold.read_smeared(written[kind], entries="0:1").attrs["forefold"]
    text = json.dumps(about["card_text"], separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == about["card_sha256"]


def test_what_is_smeared(written: dict[str, Path], gst_file: Path) -> None:
    assert is_smeared(written[".h5"])
    assert not is_smeared(gst_file)
