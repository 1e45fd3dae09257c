"""MARLEY's JSON format: the events of its ASCII format, in MeV."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mutations import outcomes

from forefold import io
from forefold.io.registry import choose


def particle(pdg: int, energy: float, px: float, py: float, pz: float, **more: Any) -> Any:
    mass = max(energy**2 - px**2 - py**2 - pz**2, 0.0) ** 0.5
    return {"pdg": pdg, "E": energy, "px": px, "py": py, "pz": pz, "mass": mass, "charge": 0} | more


def event(energy: float, final: list[Any]) -> Any:
    initial = [particle(12, energy, 0.0, 0.0, energy), particle(1000180400, 37224.7, 0.0, 0.0, 0.0)]
    return {
        "Ex": 2.5,
        "twoJ": 2,
        "parity": 1,
        "initial_particles": initial,
        "final_particles": final,
    }


EVENTS = [
    event(15.0, [particle(11, 8.5, 1.5, -2.25, 8.0), particle(22, 1.25, 0.0, 1.25, 0.0)]),
    event(22.0, [particle(12, 12.0, 12.0, 0.0, 0.0), particle(1000180400, 37234.7, 1.0, 2.0, 3.0)]),
    event(31.0, [particle(11, 20.0, 0.0, 0.0, 20.0), particle(2112, 945.0, 30.0, 20.0, -40.0)]),
]


def whole(events: list[Any] = EVENTS, **state: Any) -> str:
    told = {"event_count": len(events), "flux_avg_xsec": 4.25e-19, "seed": "77"} | state
    return json.dumps({"events": events, "gen_state": told}, indent=2)


def put(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_events_in_gev(packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(gzip.compress(whole().encode()) if packed else whole().encode())
    record = io.read(path)
    assert record.particles.pdgid.tolist() == [[11, 22], [12, 1000180400], [11, 2112]]
    np.testing.assert_allclose(record.particles.energy[0], [0.0085, 0.00125])
    np.testing.assert_allclose(record.particles.py[2], [0.0, 0.02])
    np.testing.assert_allclose(record.probe_momentum.energy, [0.015, 0.022, 0.031])
    assert record.probe.tolist() == [12] * 3
    assert record.target.tolist() == [1000180400] * 3
    assert record.cc.tolist() == [True, False, True]
    assert record.nc.tolist() == [False, True, False]
    assert record.event.tolist() == record.entry.tolist() == [0, 1, 2]
    everything = io.read(path, final_state_only=False)
    assert everything.particles.pdgid[0].tolist() == [12, 1000180400, 11, 22]


def test_what_the_state_says(tmp_path: Path) -> None:
    found = io.inspect(put(tmp_path / "a.json", whole()))
    assert (found.format, found.events, found.generator) == ("MARLEY JSON", 3, ("MARLEY",))
    assert found.details["seed"] == "77"
    assert found.details["flux-averaged cross section"] == "4.25e-19 MeV^-2 per atom"
    # (hbar c)^2 = 3.8937937e8 GeV^2 pb
    section = choose(str(tmp_path / "a.json")).describe(str(tmp_path / "a.json")).cross_section
    assert section is not None
    assert section.value == pytest.approx(4.25e-19 * 3.8937937e14, rel=1e-6)
    assert (section.unit, section.target_scale) == ("pb", "PerAtom")


def test_the_same_events_as_in_ascii(tmp_path: Path) -> None:
    lines = ["4.25e-19"]
    for each in EVENTS:
        both = (each["initial_particles"], each["final_particles"])
        lines.append(f"2 {len(both[1])} 2.5 2 +")
        keys = ("pdg", "E", "px", "py", "pz", "mass", "charge")
        lines += [" ".join(repr(p[k]) for k in keys) for part in both for p in part]
    ascii_ = io.read(put(tmp_path / "a.txt", "\n".join(lines) + "\n"), stream=3)
    there = io.read(put(tmp_path / "a.json", whole()), stream=3)
    for name in ("pdgid", "px", "py", "pz", "energy"):
        assert there.particles[name].tolist() == ascii_.particles[name].tolist()
    assert there.cc.tolist() == ascii_.cc.tolist()


def test_pieces_and_ranges(tmp_path: Path) -> None:
    path = put(tmp_path / "a.json", whole(EVENTS * 4))
    whole_record = io.read(path)
    for chunk in (1, 5, 100):
        found = [len(piece) for piece in io.iterate(path, chunk=chunk)]
        assert sum(found) == 12
    some = io.read(path, entries="4:9")
    assert some.entry.tolist() == [4, 5, 6, 7, 8]
    assert some.particles.energy.tolist() == whole_record.particles.energy[4:9].tolist()
    with pytest.raises(ValueError, match="starts at 12, but the file has 12 events"):
        io.read(path, entries="12:13")
    with pytest.raises(ValueError, match="the list of events holds no events"):
        io.read(put(tmp_path / "b.json", whole([]).replace("[]", '[ ], "final_particles": 0')))


@pytest.mark.parametrize(
    ("change", "words", "left"),
    [
        ({"pdg": 11.5}, "entry 1: a particle of final_particles must have a whole number pdg", 2),
        ({"pdg": True}, "entry 1: a particle of final_particles", 2),
        (
            {"E": "12"},
            "entry 1: a particle of final_particles must have .* numbers px, py, pz, E",
            2,
        ),
        ({"px": None}, "entry 1: a particle of final_particles", 2),
    ],
)
def test_particles_that_are_none(
    change: dict[str, Any], words: str, left: int, tmp_path: Path
) -> None:
    events = json.loads(json.dumps(EVENTS))
    events[1]["final_particles"][0] |= change
    path = put(tmp_path / "a.json", whole(events))
    with pytest.raises(ValueError, match=rf"a\.json: {words}"):
        io.read(path)
    damage = io.Damage()
    assert len(io.read(path, damage=damage)) == left
    assert damage.events == 1


def test_a_cut_file_is_known(tmp_path: Path) -> None:
    text = whole()
    third = text.index('"Ex"', text.index("31.0") - 900)
    path = put(tmp_path / "a.json", text[: third + 200])
    with pytest.raises(ValueError, match="the file is cut short in this event"):
        io.read(path)
    damage = io.Damage()
    assert 1 <= len(io.read(path, damage=damage)) < 3
    assert damage.events == 1
    # whole events, and no end
    path = put(tmp_path / "b.json", text[: text.index('"gen_state"')])
    with pytest.raises(ValueError, match="no whole gen_state"):
        io.read(path)
    path = put(tmp_path / "c.json", whole(event_count=9))
    with pytest.raises(ValueError, match="3 events, but gen_state counts 9"):
        io.read(path)


def test_other_json_is_not_taken(tmp_path: Path) -> None:
    for text in ('{"events": 3}', '{"a": []}', "[]"):
        with pytest.raises(ValueError, match="of no known format"):
            io.read(put(tmp_path / "a.json", text))


def test_damaged_files_are_clean_errors(tmp_path: Path) -> None:
    text = whole()

    def good(found: Any) -> bool:
        """What is read is what JSON says."""
        there = json.loads((tmp_path / "bad").read_text(errors="replace"))["events"]
        given = [[p["E"] / 1000.0 for p in each["final_particles"]] for each in there]
        return bool(found.particles.energy.tolist() == given)

    found = outcomes(text.encode(), range(60), tmp_path / "bad", io.read, good)
    assert found["wrong"] == 0
    assert found["clean error"] > 20
