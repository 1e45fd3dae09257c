"""The reader of NuHepMC and plain HepMC."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pyhepmc
import pytest
from hepmc_toys import FOOTER, PLAIN, TOY_EVENT, TOY_HEADER, put, toy, write_plain_hepmc

from forefold import events, io


def test_genie_same_as_gst(gst_file: Path, genie_hepmc_file: Path) -> None:
    # Both files come from the same GENIE events. gst leaves out pseudo-particles and, for nu-e scattering (of
    # which these 300 events have none), the recoil neutrino. Both keep double precision, so nothing may differ.
    gst, hepmc = io.read(gst_file), io.read(genie_hepmc_file)
    for name in ("event", "entry", "process_id", "cc", "nc", "weight", "probe", "target"):
        assert gst[name].tolist() == hepmc[name].tolist(), name
    flat = ak.flatten(hepmc.particles.pdgid)
    pseudo = ak.unflatten(events.is_pseudo_particle(flat), ak.num(hepmc.particles))
    assert 0 < int(ak.sum(pseudo)) < 30
    real = hepmc.particles[~pseudo]
    names = ("pdgid", "px", "py", "pz", "energy")

    def as_set(particles: ak.Array) -> list[tuple[float, ...]]:
        return sorted(zip(*(particles[name].tolist() for name in names), strict=True))

    for one, other in zip(gst.particles, real, strict=True):
        assert as_set(one) == as_set(other)
    for name in ("px", "py", "pz", "energy"):
        assert ak.all(gst.probe_momentum[name] == hepmc.probe_momentum[name])


def test_achilles(achilles_hepmc_file: Path) -> None:
    record = io.read(achilles_hepmc_file)
    assert len(record) == 20
    assert record.event.tolist()[:4] == [2, 8, 9, 14]
    assert record.entry.tolist() == list(range(20))
    assert ak.all(record.process_id == 200)
    assert ak.all(record.cc)
    assert not ak.any(record.nc)
    assert ak.all(record.target == 1000180400)
    assert record.weight[0] == 0.65996600000000005
    # MeV become GeV, and the probe is the one that interacts, not the beam of 4.45 GeV.
    assert record.probe_momentum.energy[0] == pytest.approx(0.57564684293211940, rel=1e-15)
    assert ak.max(record.probe_momentum.energy) < 4.0
    assert record.particles.pdgid[0].tolist() == [13, 2212, 2212, 2212][: len(record.particles[0])]
    assert record.particles.energy[0, 0] == pytest.approx(0.42741179264913438, rel=1e-15)
    assert record.particles.mass[0, 0] == pytest.approx(0.1057, abs=1e-6)


def test_all_particles(achilles_hepmc_file: Path) -> None:
    record = io.read(achilles_hepmc_file, final_state_only=False)
    assert record.particles.status[0].tolist() == [2, 2, 29, 1, 29, 1, 1, 20, 4]
    assert len(np.unique(ak.to_numpy(record.stream))) == 1


def test_against_pyhepmc(genie_hepmc_file: Path) -> None:
    record = io.read(genie_hepmc_file, entries=(40, 60))
    with pyhepmc.open(genie_hepmc_file) as file:
        for number, event in enumerate(file):
            if not 40 <= number < 60:
                continue
            row = record[number - 40]
            final = [particle for particle in event.particles if particle.status == 1]
            assert row.particles.pdgid.tolist() == [particle.pid for particle in final]
            assert row.particles.px.tolist() == [particle.momentum.px for particle in final]
            assert row.process_id == int(str(event.attributes["ProcID"]))


@pytest.mark.parametrize("chunk", [1, 7, 299, 300, 10**6])
def test_chunks_change_nothing(genie_hepmc_file: Path, chunk: int) -> None:
    entries = (30, 60) if chunk == 1 else None
    pieces = list(io.iterate(genie_hepmc_file, chunk=chunk, entries=entries))
    assert [len(piece) for piece in pieces[:-1]] == [chunk] * (len(pieces) - 1)
    whole = io.read(genie_hepmc_file, entries=entries)
    assert events.concatenate(pieces).tolist() == whole.tolist()


def test_blocks_change_nothing(genie_hepmc_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = io.read(genie_hepmc_file, entries="0:40").tolist()
    monkeypatch.setattr("forefold.io.readers.hepmc_text._READ_BYTES", 1000)
    assert io.read(genie_hepmc_file, entries="0:40").tolist() == whole


def test_plain_text_is_the_same(genie_hepmc_file: Path, bare: bytes, tmp_path: Path) -> None:
    zipped, plain = io.read(genie_hepmc_file), io.read(put(tmp_path / "run.txt", bare))
    names = [name for name in zipped.fields if name != "source"]
    assert zipped[names].tolist() == plain[names].tolist()


def test_windows_line_ends(bare: bytes, genie_hepmc_file: Path, tmp_path: Path) -> None:
    path = put(tmp_path / "run.hepmc3", bare.replace(b"\n", b"\r\n"))
    assert io.read(path).particles.tolist() == io.read(genie_hepmc_file).particles.tolist()


def test_toy(tmp_path: Path) -> None:
    other = TOY_EVENT.replace(b"E 5", b"E 6").replace(b"701", b"702").replace(b"U GEV", b"U MEV")
    third = TOY_EVENT.replace(b"E 5", b"E 7").replace(b"701", b"703")
    fourth = TOY_EVENT.replace(b"E 5", b"E 8").replace(b"A 0 signal_process_id 701\n", b"")
    record = io.read(toy(tmp_path / "toy", TOY_EVENT, other, third, fourth))
    assert record.event.tolist() == [5, 6, 7, 8]
    assert record.weight.tolist() == [0.25] * 4
    assert record.process_id.tolist() == [701, 702, 703, 0]
    assert record.cc.tolist() == [True, False, None, None]
    assert record.nc.tolist() == [False, True, None, None]
    assert record.particles.pdgid.tolist() == [[13]] * 4
    assert record.particles.energy.tolist() == [[1.6], [0.0016], [1.6], [1.6]]
    assert record.probe_momentum.pz.tolist() == [2.0, 0.002, 2.0, 2.0]
    assert record.target.tolist() == [1000060120] * 4


def test_no_weight_names(tmp_path: Path) -> None:
    text = TOY_EVENT.replace(b"W 2.0 0.25\n", b"W 3.0\n")
    header = TOY_HEADER.replace(b"W other CV\n", b"W first\n")
    assert io.read(toy(tmp_path / "toy", text, header=header)).weight.tolist() == [3.0]


def test_free_nucleon_target(tmp_path: Path) -> None:
    text = TOY_EVENT.replace(b"1000060120", b"2212").replace(b" 20\n", b" 21\n")
    assert io.read(toy(tmp_path / "toy", text)).target.tolist() == [2212]


def test_dark_probe_and_none(tmp_path: Path) -> None:
    dark = TOY_EVENT.replace(b"P 1 0 14", b"P 1 0 2000010000")
    none = TOY_EVENT.replace(b" 4\nP 2", b" 3\nP 2").replace(b"P 1 0 14", b"P 1 0 22")
    record = io.read(toy(tmp_path / "toy", dark, none))
    assert record.probe.tolist() == [2000010000, 0]
    assert np.isnan(record.probe_momentum.pz[1])


@pytest.mark.parametrize("kind", ["HepMC3", "HepMC2"])
def test_plain_hepmc(tmp_path: Path, kind: str) -> None:
    path = write_plain_hepmc(tmp_path / "lhc", kind)
    with pytest.warns(UserWarning, match=f"plain {kind}, not NuHepMC: its first weight is taken"):
        record = io.read(path)
    assert record.event.tolist() == [10, 11]
    assert record.probe.tolist() == [2212, 2212]
    assert record.probe_momentum.energy.tolist() == [7.0, 7.0]
    assert record.particles.pdgid.tolist() == [[-13, 14]] * 2
    assert record.particles.energy[0].tolist() == [0.106, 0.003]
    assert record.cc.tolist() == [None, None]
    assert record.process_id.tolist() == [0, 0]
    assert record.weight.tolist() == [1.0, 1.0]


def test_vertex_out_of_range(tmp_path: Path) -> None:
    text = TOY_EVENT.replace(b" -1 ", b" -2 ")
    with pytest.raises(ValueError, match="entry 0: vertex -2 of 1"):
        io.read(toy(tmp_path / "toy", text))


@PLAIN
def test_damaged_hepmc2(tmp_path: Path) -> None:
    path = Path(write_plain_hepmc(tmp_path / "lhc", "HepMC2"))
    content = path.read_bytes()
    assert b" 2 1 0\n" in content
    with pytest.raises(
        ValueError, match="entry 0: the particles and vertices of this event do not"
    ):
        io.read(put(path, content.replace(b" 2 1 0\n", b" 2 9 0\n", 1)))
    with pytest.raises(ValueError, match="entry 1: malformed particle line"):
        io.read(put(path, b"nan".join(content.rsplit(b"1.0600000000000000e+02", 1))))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"0 0.5 1.5", b"0 nan 1.5", r"entry 1: malformed particle line 'P 3 -1 13 0 nan"),
        (b"0 0.5 1.5", b"0 0.5x 1.5", "entry 1: malformed particle line"),
        (b"0 0.5 1.5", b"0 1.5", "entry 1: malformed particle line"),
        (b"0 0.5 1.5", b"0 1e999 1.5", r"entry 1 \(event 5\), particle 0 .*: py = inf"),
        (b"1.5 1.6 ", b"1.5 -1.6 ", r"entry 1 \(event 5\), .*energy = -1.6 GeV"),
        (b"P 3 -1 13", b"P 3 -1 mu-", "entry 1: malformed particle line"),
        (b"W 2.0 0.25", b"W 2.0 inf", "entry 1: malformed weights line 'W 2.0 inf'"),
        (b"W 2.0 0.25", b"W 2.0 1e999", r"entry 1: .*number of weights \(1\) does not match"),
        (b"W 2.0 0.25", b"W 2.0", r"entry 1: .*number of weights \(1\) does not match"),
        (b"U GEV", b"U KEV", "entry 1: malformed units line 'U KEV MM'"),
        (b"E 5 1 4", b"E 5 1 5", "entry 1: 4 particles, but its first line says 5"),
        (b"E 5 1 4", b"E 5 3 4", "entry 1: 1 vertices, but its first line says 3"),
        (b"E 5 1 4", b"E 5 4", "entry 1: malformed event line 'E 5 4'"),
        (b"V -1", b"? -1", r"entry 1: unexpected line '\? -1"),
        (b"V -1 1 [1,2]", b"V -1 1 (1,2)", "entry 1: malformed vertex line"),
        (b"V -1 1 [1,2]", b"V -1 1 [1,9]", r"entry 1: vertex -1 takes particles \[1,9\] of 4"),
        (b"V -1 1 [1,2]", b"V -1 1 []", r"entry 1: vertex -1 takes particles \[\] of 4"),
        (b"V -1 1 [1,2]", b"V -0 1 [1,2]", "entry 1: malformed vertex line"),
        (b"V -1 1 [1,2]", b"V -4 1 [1,2]", "comes from vertex -1, which the event does not have"),
        (b"V -1 1 [1,2]\nP 3 -1 13", b"P 3 8 13", "entry 1: a particle comes from particle 8 of 4"),
        (b"V -1 1 [1,2]\nP 3 -1 13", b"V -2 1 [1,2]\nP 3 -2 13", "which the event does not"),
        (b"P 2 0", b"P 4 0", "entry 1: particle 4 stands in the place of particle 2"),
        (
            b"id 701",
            b"id QE",
            "entry 1: signal_process_id or ProcID = 'QE', must be a whole number",
        ),
        (b"A 0 s", b"A 0 \x00s", "entry 1: malformed attribute line"),
        (b"P 3", b"\nP 3", "entry 1: unexpected line ''"),
    ],
)
def test_bad_lines(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], old: bytes, new: bytes, message: str
) -> None:
    assert old in TOY_EVENT
    path = toy(tmp_path / "toy", TOY_EVENT, TOY_EVENT.replace(old, new, 1), TOY_EVENT)
    with pytest.raises(ValueError, match=message) as caught:
        io.read(path)
    assert str(caught.value).startswith(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
    # What comes before is read all the same.
    assert len(io.read(path, entries=":1")) == 1


def test_the_library_speaks_again() -> None:
    setup = pyhepmc.Setup
    assert (setup.print_errors, setup.print_warnings) == (True, True)


def test_damaged_header(tmp_path: Path) -> None:
    path = toy(tmp_path / "toy", TOY_EVENT, header=TOY_HEADER.replace(b"Maker", b"\x00\x00"))
    with pytest.raises(ValueError, match="toy: the header of the HepMC3 listing is damaged"):
        io.read(path)


def test_no_events(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="toy: the listing holds no events"):
        io.read(toy(tmp_path / "toy"))


def test_two_listings(tmp_path: Path) -> None:
    listing = TOY_HEADER + TOY_EVENT + FOOTER
    with pytest.raises(ValueError, match=r"entry 0: .*line 'HepMC::Asciiv3-END_EVENT_LISTING'"):
        io.read(put(tmp_path / "toy", listing + listing))
    with pytest.raises(
        ValueError, match="entry 0: after it the listing ends, but more follows: 'x"
    ):
        io.read(put(tmp_path / "toy", listing + b"xyz\n"))


def test_endless_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forefold.io.readers.hepmc_text._MOST_BYTES", 3000)
    monkeypatch.setattr("forefold.io.readers.hepmc_text._READ_BYTES", 1000)
    path = toy(tmp_path / "toy", TOY_EVENT + b"A 0 x y\n" * 1000)
    with pytest.raises(ValueError, match="toy: entry 0: no end of this event is in sight"):
        io.read(path)


def test_parser_that_loses_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "forefold.io.readers.hepmc_text.without_attributes",
        lambda text: text.replace(b"E 5", b"E 4"),
    )
    with pytest.raises(ValueError, match=r"entry 0: the parser lost its place \(event 4\)"):
        io.read(toy(tmp_path / "toy", TOY_EVENT))


@PLAIN
def test_inspection_of_plain_hepmc(tmp_path: Path) -> None:
    found = io.inspect(write_plain_hepmc(tmp_path / "lhc", "HepMC3"))
    assert found.format == "HepMC3 (no NuHepMC version)"
    assert found.generator == ()
    assert found.targets[0].name == found.processes[0].name == "unknown"


@pytest.mark.parametrize(
    ("old", "new", "lost", "note"),
    [
        (b"\nE 7 ", b"\nE 7x ", 1, "entry 7: malformed event line"),
        (b"\nE 7 ", b"\nF 7 ", 1, "entry 6: unexpected line"),
        (FOOTER, b"", 1, "entry 299: the file is cut short in or after this event"),
        (FOOTER, FOOTER + b"more", 1, "entry 299: after it the listing ends, but more follows"),
    ],
)
def test_skipping(
    bare: bytes, tmp_path: Path, old: bytes, new: bytes, lost: int, note: str
) -> None:
    path = put(tmp_path / "f", bare.replace(old, new, 1))
    with pytest.raises(ValueError, match=note):
        io.read(path)
    damage = io.Damage()
    record = io.read(path, damage=damage)
    assert damage.events == lost
    assert note in damage.notes[0]
    good = io.read(put(tmp_path / "g", bare))
    kept = np.isin(good.entry.to_numpy(), record.entry.to_numpy())
    if b"F 7" not in new:  # there, two events became one, and positions moved
        assert kept.sum() == 299
        assert record.particles.tolist() == good.particles[kept].tolist()


def test_skipping_what_only_the_library_finds(tmp_path: Path) -> None:
    bad = TOY_EVENT.replace(b"W 2.0 0.25", b"W 2.0 1e999")
    path = toy(tmp_path / "toy", TOY_EVENT + bad + TOY_EVENT.replace(b"1.5 1.6 ", b"1.5 -1.6 "))
    damage = io.Damage()
    record = io.read(path, damage=damage)
    assert record.entry.tolist() == [0]
    assert damage.events == 2
    assert "entry 1: " in damage.notes[0]
    assert "entry 2 " in damage.notes[1]


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [(b"\nE 0 ", b"\nF 0 ", "'F 0 "), (b"HepMC::Version", b"HepMC::version", "'HepMC::version")],
)
def test_first_event_is_no_header(
    bare: bytes, tmp_path: Path, old: bytes, new: bytes, shown: str
) -> None:
    path = put(tmp_path / "f", bare.replace(old, new, 1))
    for damage in (None, io.Damage()):
        with pytest.raises(ValueError, match=f"unexpected line {shown}.* before the first event"):
            io.read(path, damage=damage)
