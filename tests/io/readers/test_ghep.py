"""The reader of GENIE's native GHEP trees."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from ghep_bytes import Entry, odd_entries
from ghep_fuzz import ERROR, REST, SAME, decoded, fuzz_entries, fuzz_file
from ghep_gst import differences

from forefold import io
from forefold.io.readers import ghep
from forefold.io.readers.ghep import baskets
from forefold.io.registry import Damage, Source, choose


def equal(a: ak.Array, b: ak.Array) -> bool:
    return bool(ak.array_equal(a, b, equal_nan=True))


def test_real_file(ghep_file: Path) -> None:
    assert choose(str(ghep_file)).name == "ghep"
    record = io.read(ghep_file)
    assert len(record) == 300
    assert record.entry.tolist() == record.event.tolist() == list(range(300))
    assert ak.all(record.particles.status == 1)
    assert ak.any(record.particles.pdgid == 2000000101)
    assert ak.all(record.target == 1000180400)
    found = io.inspect(ghep_file)
    assert found.format == "GENIE GHEP"
    assert found.generator == ("GENIE 3.06.02",)
    assert found.details == {"tune": "G18_02a_00_000", "run": "6", "seed": "60"}
    assert found.events == 300


def test_agrees_with_gst(ghep_file: Path, gst_file: Path) -> None:
    # The numbers are the same doubles; only what gst computes may differ by rounding.
    for name, (count, largest) in differences(ghep_file, gst_file).items():
        assert count >= 300, name
        assert largest <= (1e-11 if name in ("Q2", "W", "x", "XSec", "DXSec") else 0.0), name


def test_agrees_with_hepmc(ghep_file: Path, genie_hepmc_file: Path) -> None:
    ours, theirs = io.read(ghep_file), io.read(genie_hepmc_file)
    for name in ("process_id", "probe", "target"):
        assert ours[name].tolist() == theirs[name].tolist()
    assert ours.particles.pdgid.tolist() == theirs.particles.pdgid.tolist()
    for name in ("px", "py", "pz", "energy"):
        assert ak.all(abs(ours.particles[name] - theirs.particles[name]) < 1e-9)


def test_whole_record(ghep_file: Path) -> None:
    whole, lean = io.read(ghep_file, final_state_only=False), io.read(ghep_file)
    stable = whole.particles[whole.particles.status == 1]
    for name in lean.particles.fields:
        assert equal(stable[name], lean.particles[name])
    assert sorted(set(ak.flatten(whole.particles.status).tolist())) == [
        0,
        1,
        2,
        3,
        11,
        12,
        14,
        15,
        16,
    ]
    n = ak.num(whole.particles)
    for name in ("first_mother", "last_mother", "first_daughter", "last_daughter"):
        assert ak.all(whole.particles[name] < n)
        assert ak.all(whole.particles[name] >= -1)
    # Energy adds up over the final state and the remnant, where there is one.
    remnant = ak.any(whole.particles.status == 15, axis=1)
    end = whole.particles[(whole.particles.status == 1) | (whole.particles.status == 15)]
    total = ak.sum(end.pz, axis=1)[remnant]
    assert ak.all(abs(total - whole.probe_momentum.pz[remnant]) < 1e-6)


@pytest.mark.parametrize("lean", [True, False])
def test_pieces(ghep_file: Path, lean: bool) -> None:
    whole = io.read(ghep_file, final_state_only=lean)
    source = Source(str(ghep_file), start=5, stop=250, chunk=33, final_state_only=lean)
    pieces = list(ghep.READER.iterate(source))
    assert [len(piece) for piece, _ in pieces] == [33] * 7 + [14]
    assert pieces[-1][1] == 1.0
    joined = ak.concatenate([piece for piece, _ in pieces])
    for name in whole.fields:
        if name not in ("source", "stream"):
            assert equal(joined[name], whole[5:250][name]), name


def test_hand_made() -> None:
    record = decoded(Entry().build())
    event = record[0]
    assert (event.event, event.process_id, event.cc, event.nc) == (7, 200, True, False)
    assert (event.weight, event.probability) == (0.5, 1e-3)
    # (hbar c)^2 = 0.389379 GeV^2 mb, and 1 mb = 1e-27 cm2
    assert event.xsec == pytest.approx(2e-10 * 0.3893793721e11, rel=1e-9)
    assert event.diff_xsec == pytest.approx(1.5 * event.xsec)
    assert (event.phase_space, event.flags, event.hit_radius) == (4, 0x8003, 2.5)
    assert [event[f"vertex_{axis}"] for axis in "xyzt"] == [0.1, 0.2, 0.3, 0.4]
    assert (event.hit_nucleon, event.sea_quark, event.charm, event.strange) == (2112,) + (True,) * 3
    assert (event.charm_hadron, event.strange_hadron, event.resonance) == (4122, 3122, 2)
    assert (event.xs, event.ys, event.Q2s, event.Ws) == (0.25, 0.5, 1.5, 1.2)
    assert np.isnan([event.ts, event.W_running]).all()
    # q = (-0.3, 0, 1.6; 1.1)
    assert pytest.approx(0.09 + 2.56 - 1.21) == event.Q2
    assert event.y == pytest.approx(0.55)
    particles = record.particles[0]
    assert particles.pdgid.tolist() == [14, 1000180400, 13, 2212]
    assert particles.rescatter.tolist() == [-1, -1, -1, 3]
    assert particles.first_mother.tolist() == [-1, -1, 0, 1]
    assert particles.first_daughter.tolist() == [2, -1, -1, -1]
    assert particles.vt.tolist() == [4.0, 5.0, 6.0, 7.0]
    assert particles.removal_energy.tolist() == [0.0, 0.3, 0.6, 0.9]
    assert particles.bound.tolist() == [False, False, False, True]
    assert np.isnan(particles.polarisation_theta[0])
    assert particles.polarisation_phi.tolist()[1:] == [0.2, 0.5, 0.8]
    assert decoded(Entry().build(), lean=True).particles[0].py.tolist() == [0.0, 0.1]


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"paired": True}, "Q2s", 1.5),  # ROOT 5
        ({"pair_version": 3}, "Q2s", 1.5),
        ({"kinematics": {3: 4.0, 1: 0.5}}, "Q2_running", 4.0),
        ({"kinematics": {}}, "xs", None),
        ({"extra_vectors": 0}, "hit_radius", 2.5),
        ({"extra_vectors": 2}, "hit_radius", 2.5),  # newer versions
        ({"radius": None}, "hit_radius", None),
        ({"exclusive": 4}, "resonance", -1),  # not known well enough
        ({"exclusive": 4}, "charm", False),
        ({"phase_space": False}, "hit_nucleon", 2112),
        ({"mask": False}, "flags", 0x8003),
        ({"flags": None}, "flags", 0),
        ({"flags": b""}, "flags", 0),
        ({"vertex": None}, "vertex_t", None),
        ({"tail": struct.pack(">4d", 0.5, 1e-3, 1.0, 2.0)}, "phase_space", 0),
        ({"process": (4, 3)}, "process_id", 450),
        ({"process": (1, 1)}, "process_id", -200),
        ({"process": (11, 3)}, "process_id", 0),
        ({"clones": b"genie::GHepParticle;1"}, "flags", 0x8003),
    ],
)
def test_variants(changes: dict[str, Any], field: str, value: float | None) -> None:
    found = decoded(Entry(**changes).build())[field][0]
    assert np.isnan(found) if value is None else found == value


def test_unusual_particles() -> None:
    entry = Entry(process=(1, 2))
    entry.positions[1] = None
    assert np.isnan(decoded(entry.build()).particles.vx[0, 1])
    entry = Entry(whole=[(2112, 3, -1, -1, -1, 1, 1), *Entry().whole[1:]])
    event = decoded(entry.build())[0]  # no particle of status 0 in front: the summary says it
    assert event.probe == 14
    assert np.isnan(event.probe_momentum.energy)
    assert np.isnan(event.Q2)
    nothing = decoded(
        Entry(whole=[], momenta=[], positions=[], tails=[], bound=[], vertex=None).build()
    )
    assert ak.num(nothing.particles).tolist() == [0]
    assert nothing.probe.tolist() == [14]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"name": b"genie::NtpMCEventRecorD"}, "must start with the class name"),
        ({"bits": b"\0\0\0\0"}, "not stored column by column"),
        ({"bits": b"\0\0\x10\x10"}, "unexpected version"),
        ({"clones": b"genie::GHepParticlf;2"}, "unexpected class"),
        ({"clones": b"genie::GHepParticle;9"}, "unexpected version"),
        ({"count": 0xFFFFFFFF}, "impossible number of particles"),
        ({"count": 3}, "a byte count does not fit"),
        ({"tail": b""}, "more or less in it"),
        ({"exclusive": 200}, "unexpected version"),
    ],
)
def test_bad_entries(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(
        ValueError, match=rf"^fuzz.root: entry 0: no readable GHEP record: .*{what}"
    ):
        decoded(Entry(**changes).build())


def test_any_cut() -> None:
    whole = Entry().build()
    for size in range(len(whole)):
        with pytest.raises(ValueError, match=r"entry 0: no readable GHEP record: .*\(byte \d+ of"):
            decoded(whole[:size])


def test_any_byte() -> None:
    whole = Entry().build()
    bad = [
        whole[:at] + bytes([value]) + whole[at + 1 :]
        for at in range(len(whole))
        for value in (0, 255)
    ]
    found, at = reasons(bad)
    assert (found > 0).sum() > 300
    assert ((at >= 0) & (at <= len(whole))).all()
    for row in range(0, len(bad), 61):
        try:
            decoded(bad[row])
        except ValueError as error:
            message = str(error)
        else:
            message = "fuzz.root: entry 0: good"
            assert found[row] == 0
        assert message.startswith("fuzz.root: entry 0")


def test_momenta_are_checked() -> None:
    entry = Entry()
    entry.momenta[2] = (0.0, 0.0, 0.0, -3.0)
    with pytest.raises(
        ValueError, match=r"entry 0 \(event 7\), particle 2 \(pdgid 13\): energy = -3 GeV"
    ):
        decoded(entry.build())
    entry = Entry()
    entry.momenta[0] = (0.0, 0.0, np.nan, 2.0)
    with pytest.raises(ValueError, match="probe momentum"):
        decoded(entry.build())


def test_at_random(ghep_file: Path) -> None:
    assert set(fuzz_entries(ghep_file, 60)) >= {ERROR, SAME}
    assert set(fuzz_file(ghep_file, 10)) <= {ERROR, SAME}
    assert set(fuzz_file(ghep_file, 10, skip=True)) <= {ERROR, SAME, REST}


def damaged_copy(good: Path, bad: Path, basket: int = 20) -> str:
    """Change a byte in the middle of a basket."""
    import uproot

    with uproot.open(good) as file:
        branch = file["gtree"]["gmcrec"]
        at = int(branch.member("fBasketSeek")[basket] + branch.member("fBasketBytes")[basket] // 2)
    content = bytearray(good.read_bytes())
    content[at] ^= 0xFF
    bad.write_bytes(content)
    return str(bad)


def test_damaged_basket(ghep_file: Path, tmp_path: Path) -> None:
    bad = damaged_copy(ghep_file, tmp_path / "bad.root")
    with pytest.raises(
        ValueError, match=r"bad.root: entries \d+ to \d+: damaged or cut: basket 20:"
    ):
        io.read(bad)
    damage = Damage()
    good = io.read(ghep_file)
    found = [r for r, _ in ghep.READER.iterate(Source(bad, chunk=100, damage=damage))]
    record = ak.concatenate(found)
    assert 0 < damage.events < 10
    assert len(damage.notes) == 1
    assert len(record) + damage.events == 300
    assert equal(record.particles, good.particles[record.entry])


def test_everything_lost(ghep_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damage = Damage()
    monkeypatch.setattr(baskets, "_LARGEST", 10)
    assert list(ghep.READER.iterate(Source(str(ghep_file), damage=damage))) == []
    assert damage.events == 300


def test_negative_energies_are_left_out(ghep_file: Path) -> None:
    record = io.read(ghep_file)[:9]
    energy = np.array(ak.to_numpy(ak.flatten(record.particles.energy)))
    energy[ak.num(record.particles)[0]] = -1.0
    record["particles"] = ak.with_field(
        record.particles, ak.unflatten(energy, ak.num(record.particles)), "energy"
    )
    damage = Damage()
    left = ghep.checked(record, Source("x.root", damage=damage))
    assert left.entry.tolist() == [0, *range(2, 9)]
    assert damage.events == 1
    assert "x.root: entry 1 (event 1), particle 0" in damage.notes[0]


def test_no_streamer_info(ghep_file: Path, tmp_path: Path) -> None:
    content = bytearray(ghep_file.read_bytes())
    assert struct.unpack_from(">i", content, 4)[0] < 1_000_000  # small files have 4-byte places
    struct.pack_into(">ii", content, 37, 0, 0)  # where the list of streamers is, and its size
    (tmp_path / "bare.root").write_bytes(content)
    assert equal(io.read(tmp_path / "bare.root").particles, io.read(ghep_file).particles)
    assert (
        choose(str(tmp_path / "bare.root")).describe(str(tmp_path / "bare.root")).format
        == "GENIE GHEP"
    )


def test_ranges(ghep_file: Path) -> None:
    assert io.read(ghep_file, entries="290:400").entry.tolist() == list(range(290, 300))
    with pytest.raises(ValueError, match="starts at 300, but the file has 300 events"):
        io.read(ghep_file, entries="300:301")


def test_tree_without_the_branch(tmp_path: Path) -> None:
    import uproot

    with uproot.recreate(tmp_path / "x.root") as file:
        file.mktree("gtree", {"a": "i4"}).extend({"a": np.arange(3)})
    with pytest.raises(ValueError, match=r"without a tree that forefold reads .*holds: gtree$"):
        choose(str(tmp_path / "x.root"))


def test_without_header(ghep_file: Path, tmp_path: Path) -> None:
    content = ghep_file.read_bytes().replace(b"NtpMCTreeHeader", b"NtpMCTreeHeadex")
    (tmp_path / "x.root").write_bytes(content)
    header = ghep.READER.describe(str(tmp_path / "x.root"))
    assert header.format == "GENIE GHEP"


def reasons(entries: list[bytes]) -> np.ndarray:
    """What is wrong with entries, and where."""
    from forefold.io.readers.ghep.rootbytes import AT, SLOTS
    from forefold.io.readers.ghep.scan import scan

    stops = np.cumsum([len(entry) for entry in entries])
    starts = np.concatenate([[0], stops[:-1]])
    slots = np.zeros((len(entries), SLOTS), dtype=np.int64)
    found = np.zeros(len(entries), dtype=np.int64)
    scan(np.frombuffer(b"".join(entries), dtype=np.uint8), starts, stops, slots, found)
    return np.stack([found, np.where(found == 0, 0, slots[:, AT] - starts)])


def test_odd_objects() -> None:
    found, at = reasons([Entry().build(), *odd_entries()])
    assert found[0] == 0
    assert set(found.tolist()) >= {0, 1, 2, 3, 4, 5, 8, 9}
    sizes = np.array([len(entry) for entry in [Entry().build(), *odd_entries()]])
    assert (at <= sizes).all()
    assert (at >= 0).all()
    for name in (b"genie::Target", b"genie::ProcessInfo", b"genie::Kinematics"):
        (reason,), _ = reasons([Entry(changed={name: "long"}).build()])
        assert reason > 0


def numbers(path: Path) -> dict[str, np.ndarray]:
    """Every number of some events, real and hand-made."""
    records = [
        io.read(path, entries="0:6", final_state_only=False),
        decoded(Entry(paired=True).build()),
    ]
    found = {}
    for i, record in enumerate(records):
        for name in record.fields:
            if name not in ("source", "particles", "probe_momentum"):
                found[f"{i} {name}"] = ak.to_numpy(ak.fill_none(record[name], False))
        for name in record.particles.fields:
            found[f"{i} p.{name}"] = ak.to_numpy(ak.flatten(record.particles[name]))
    lean = io.read(path, entries="0:6")
    found["lean"] = ak.to_numpy(ak.flatten(lean.particles.px))
    found["reasons"] = reasons(odd_entries())
    return found


def test_same_without_compiler(ghep_file: Path, tmp_path: Path) -> None:
    # Coverage sees the compiled code there.
    out = tmp_path / "interpreted.npz"
    subprocess.run(
        [sys.executable, __file__, ghep_file, out],
        check=True,
        env={
            **os.environ,
            "NUMBA_DISABLE_JIT": "1",
            "PYTHONPATH": os.pathsep.join(
                [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
            ),
        },
    )
    compiled = numbers(ghep_file)
    with np.load(out) as interpreted:
        assert sorted(interpreted.files) == sorted(compiled)
        for name, values in compiled.items():
            assert interpreted[name].tobytes() == values.tobytes(), name


if __name__ == "__main__":
    arrays: dict[str, Any] = {**numbers(Path(sys.argv[1]))}
    np.savez(sys.argv[2], **arrays)
