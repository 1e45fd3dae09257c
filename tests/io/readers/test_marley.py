"""The readers of MARLEY's ASCII format and of HEPEVT text."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from forefold import events, io
from forefold.io.readers import marley

# 10 MeV and 30 MeV nu_e on argon: momenta rounded, energies from the masses.
ASCII = """\
5.983e-19
2 3 3.797 2 +
12 10.0 0.0 0.0 10.0 0 0
1000180400 37224.7 0.0 0.0 0.0 37224.7 0
11 5.25 -4.625 1.375 -1.875 0.511 -1
1000190400 37225.7 5.0 -2.25 9.25 37225.7 1
22 1.5 -1.125 0.875 0.5 0 0
2 2 10.4 2 -
14 30.0 0.0 0.0 30.0 0.0 0
1000180400 37224.7 0.0 0.0 0.0 37224.7 0
14 18.5 -9.75 -15.5 -2.0 0.0 0
1000180400 36294.0 -17.5 -42.0 58.5 36294.0 1
"""
HEPEVT = """\
0 5
3 12 0 0 0 0 0.0 0.0 1.0D-2 1.0e-2 0.0 0.0 0.0 0.0 0.0
3 1000180400 0 0 0 0 0.0 0.0 0.0 37.2247 37.2247 0.0 0.0 0.0 0.0
1 11 0 0 0 0 -4.625e-3 1.375e-3 -1.875e-3 5.25e-3 5.11e-4 0.0 0.0 0.0 0.0
11 0 2 1 0 0 0. 0. 0. 3.797 5.983e-19 0. 0. 0. 0.
1 1000190400 0 0 0 0 5.0e-3 -2.25e-3 9.25e-3 37.2257 37.2257 0.0 0.0 0.0 0.0
7 1
1 22 0 0 0 0 0. 0. 1. 1. 0. 0. 0. 0. 0.
"""


def put(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_ascii(tmp_path: Path) -> None:
    path = put(tmp_path / "f", ASCII)
    record = io.read(path)
    assert record.particles.pdgid.tolist() == [[11, 1000190400, 22], [14, 1000180400]]
    assert record.particles.energy[0].tolist() == pytest.approx([0.00525, 37.2257, 0.0015])
    assert record.particles.px[1].tolist() == [-0.00975, -0.0175]
    assert record.probe.tolist() == [12, 14]
    assert record.probe_momentum.pz.tolist() == [0.01, 0.03]
    assert record.target.tolist() == [1000180400] * 2
    assert (record.cc.tolist(), record.nc.tolist()) == ([True, False], [False, True])
    assert record.process_id.tolist() == [0, 0]
    whole = io.read(path, final_state_only=False)
    assert whole.particles.status.tolist() == [[0, 0, 1, 1, 1], [0, 0, 1, 1]]
    found = io.inspect(path)
    assert found.format == "MARLEY ASCII"
    assert found.details["flux-averaged cross section"] == "5.983e-19 MeV^-2 per atom"


def test_hepevt(tmp_path: Path) -> None:
    record = io.read(put(tmp_path / "f", HEPEVT))
    assert record.event.tolist() == [0, 7]
    assert record.particles.pdgid.tolist() == [[11, 1000190400], [22]]
    assert record.particles.energy.tolist() == [[0.00525, 37.2257], [1.0]]
    assert record.probe.tolist() == [12, 0]
    assert record.probe_momentum.pz[0] == 0.01
    assert np.isnan(record.probe_momentum.pz[1])
    assert record.target.tolist() == [1000180400, 0]
    assert record.cc.tolist() == [True, None]
    assert io.inspect(tmp_path / "f").format == "HEPEVT text"


def test_hepevt_target_is_a_nucleus(tmp_path: Path) -> None:
    rows = ("3 14", "2 2224", "3 1000060120", "1 13", "1 2212", "1 211")
    text = "".join(f"{row} 0 0 0 0 0. 0. 1. 2. 0. 0. 0. 0. 0.\n" for row in rows)
    record = io.read(put(tmp_path / "f", f"0 {len(rows)}\n{text}"))
    assert record.target.tolist() == [1000060120]
    assert record.particles.pdgid.tolist() == [[13, 2212, 211]]
    assert record.cc.tolist() == [True]


def test_line_ends_of_windows(tmp_path: Path) -> None:
    for text in (ASCII, HEPEVT):
        here = io.read(put(tmp_path / "a", text))
        (tmp_path / "b").write_bytes(text.replace("\n", "\r\n").encode())
        there = io.read(tmp_path / "b")
        assert there.particles.energy.tolist() == here.particles.energy.tolist()


def test_same_events_in_both_formats(tmp_path: Path) -> None:
    one = io.read(put(tmp_path / "a", ASCII), entries="0:1")
    two = io.read(put(tmp_path / "b", HEPEVT), entries="0:1")
    for name in ("px", "py", "pz", "energy"):
        assert two.particles[name].tolist()[0] == pytest.approx(
            one.particles[name].tolist()[0][:2], rel=1e-15
        )


def test_old_layout_and_gzip(tmp_path: Path) -> None:
    old = ASCII.split("\n", 1)[1].replace(" 2 +", "").replace(" 2 -", "")
    (tmp_path / "f").write_bytes(gzip.compress(old.encode()))
    assert len(io.read(tmp_path / "f")) == 2
    assert "flux-averaged cross section" not in io.inspect(tmp_path / "f").details


def test_chunks_and_entries(tmp_path: Path) -> None:
    body = ASCII.split("\n", 1)[1]
    path = put(tmp_path / "f", body * 5)
    whole = io.read(path)
    assert whole.entry.tolist() == list(range(10))
    assert [len(piece) for piece in io.iterate(path, chunk=4)] == [4, 4, 2]
    assert events.concatenate(io.iterate(path, chunk=3)).tolist() == whole.tolist()
    assert io.read(path, entries="3:6").tolist() == whole[3:6].tolist()
    with pytest.raises(ValueError, match="starts at 10, but the file has 10 events"):
        io.read(path, entries="10:")


@pytest.mark.parametrize(
    ("change", "message", "left"),
    [
        (("22 1.5", "22 1.5x"), "entry 0: malformed particle line '22 1.5x", [1]),
        (("2 3 3.797", "2 4 3.797"), "entry 0: 5 particles, but its first line says 6", [1]),
        (("2 2 10.4", "2 1 10.4"), "entry 2: unexpected line '1000180400", [0, 1]),
        (("2 2 10.4", "2 3 10.4"), "entry 1: the file is cut short in this event, after 4 of", [0]),
        (("2 2 10.4", "2 999999999999 10.4"), "entry 1: 1000000000001 particles announced", [0]),
        (("22 1.5", "22 nan"), "entry 0: malformed", [1]),
        (("22 1.5", "22 -1.5"), r"entry 0 .*energy = -0.0015 GeV", [1]),
        (("11 5.25", "11 1e999"), r"entry 0 .*energy = inf", [1]),
    ],
)
def test_damage(tmp_path: Path, change: tuple[str, str], message: str, left: list[int]) -> None:
    path = put(tmp_path / "f", ASCII.replace(*change))
    with pytest.raises(ValueError, match=message) as caught:
        io.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    damage = io.Damage()
    assert io.read(path, damage=damage).entry.tolist() == left
    assert damage.events == 1
    assert damage.notes[0] == str(caught.value)


def test_cut_gzip(tmp_path: Path) -> None:
    text = ASCII.split("\n", 1)[1] * 400
    packed = gzip.compress(text.encode(), 0)
    (tmp_path / "f").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(ValueError, match=r"f: the compressed file is cut short"):
        io.read(tmp_path / "f")
    damage = io.Damage()
    assert 300 < len(io.read(tmp_path / "f", damage=damage)) < 410
    assert damage.events == 1
    assert "the compressed file is cut short" in damage.notes[0]


def test_only_a_first_line(tmp_path: Path) -> None:
    path = put(tmp_path / "f", "5.98e-19\n")
    source = io.Source(path)
    with pytest.raises(ValueError, match="the listing holds no events"):
        list(marley.READER.iterate(source))


def test_cross_section(tmp_path: Path) -> None:
    """5.983e-19 MeV^-2, with (hbar c)^2 = 0.3893793721 GeV^2 mbarn of the PDG."""
    found = marley.READER.describe(put(tmp_path / "f", ASCII)).cross_section
    assert found is not None
    assert (found.unit, found.target_scale) == ("pb", "PerAtom")
    assert found.value == pytest.approx(5.983e-19 * 0.3893793721e9 * 1e6, rel=1e-9)
    assert (
        marley.READER.describe(put(tmp_path / "g", ASCII.replace("5.983e-19", "0.0"))).cross_section
        is None
    )
